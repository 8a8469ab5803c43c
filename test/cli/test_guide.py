#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""packaging/guide.md tells the truth: its files are taken, one block after the other, and its
commands print what it says.

A comment in front of a block says what it is: "file NAME" (a file of /etc/gatepost, or of the
folder one is in), "add NAME" (lines at its end), "set" (parameters of gatepost.conf, in place of
what it has of them; sections go to its end), "run" (commands with their output; a line "..." stands
for the rest), "log" (a line of the log: it has these keys)."""
import os
import re
import subprocess
import sys
sys.path.insert(0, sys.path[0])
import ctl
import gatepost
import lists
import milter
import place
from tap import CASES, equal, run, skip_all, true, until

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..'))
GUIDE = TOP + '/packaging/guide.md'
MARK = re.compile(r'^<!-- (file|add|set|run|log|shown)\b *(.*?) -->$')
ETC = '/etc/gatepost'
# A list that has 203.0.113.9, in the name of the one that the guide asks.
ZEN = ':127.0.0.2:https://check.spamhaus.org/query/ip/$\n127.0.0.2\n203.0.113.9\n'

if lists.missing():
    skip_all(lists.missing())


def read(path):
    with open(path, encoding='utf-8') as handle:
        return handle.read()


def sections():
    """[(heading, [(kind, argument, lines)])] of the guide, in its order."""
    lines = read(GUIDE).splitlines()
    found, at = [], 0
    while at < len(lines):
        mark = MARK.match(lines[at])
        if lines[at].startswith('## '):
            found.append((lines[at][3:], []))
        elif lines[at].startswith('    '):
            true(MARK.match(lines[at - 1]), 'line %d: the block has no mark' % (at + 1))
        if not mark:
            at += 1
            continue
        block, at = [], at + 1
        while at < len(lines) and not lines[at][:4].strip():
            block.append(lines[at][4:])
            at += 1
        while block and not block[-1]:
            block.pop()
        true(block, 'line %d: nothing behind the mark' % at)
        found[-1][1].append((mark[1], mark[2], block))
    return found


def same(line):
    """What is not the same for everybody: how long it took, and when; the session; the line of a
    file of settings, where tests add some."""
    line = re.sub(r'20\d\d-\d\d-\d\d \d\d:\d\d:\d\d', 'TIME', line)
    line = re.sub(r'(session +)[0-9a-z]{10,}', r'\1ID', line)
    return re.sub(r' *[0-9.]+ ms', ' N ms', re.sub(r'(gatepost\.conf:)\d+', r'\1N', line))


class Site:
    """The folder that stands for /etc/gatepost, and for the one that somebody is in."""

    def __init__(self):
        self.folder = place.folder('gatepost-guide-')
        os.mkdir(self.folder + '/bin')
        self.zen = lists.Lists(('zen.spamhaus.org:ip4set:zen',), zen=ZEN).start()
        tool = place.write(self.folder + '/bin/gatepostctl', '#!/bin/sh\nexec %s -c %s "$@"\n'
                           % (gatepost.CONTROL, self.path('gatepost.conf')))
        os.chmod(tool, 0o755)
        # What is installed elsewhere, or not at all, where tests run.
        self.own = ctl.SURROUNDINGS + (
            'dns_servers = %s\nrule_files = %s/rules %s\nhistory = sqlite:%s\n'
            % (self.zen.address(), TOP, self.path('rules'), self.path('history.db')))
        os.mkdir(self.path('rules'))

    def path(self, name):
        return os.path.join(self.folder, name.removeprefix(ETC).lstrip('/'))

    def here(self, lines):
        return ''.join(line.replace(ETC, self.folder) + '\n' for line in lines)

    def take(self, kind, name, lines):
        text = self.here(lines)
        if kind == 'set':
            self.set(text)
        elif kind == 'add':
            with open(self.path(name), 'a', encoding='utf-8') as handle:
                handle.write(text)
        elif kind == 'file':
            place.write(self.path(name), self.own * (name == 'gatepost.conf') + text)
        elif kind == 'run':
            self.run(lines)
        elif kind == 'log':
            self.log(name, lines)

    def set(self, text):
        main, bracket, rest = read(self.path('gatepost.conf')).partition('\n[')
        parameters, own = re.fullmatch(r'(?s)(.*?)((?:^\[.*)?)', text, re.M).groups()
        for parameter in re.findall(r'(?m)^\w+ =.*\n(?:[ \t]+.*\n)*', parameters):
            name = parameter.split()[0]
            main = re.sub(r'(?m)^%s =.*\n(?:[ \t]+.*\n)*' % name, '', main + '\n') + parameter
        main = re.sub(r'\n+', '\n', main)
        place.write(self.path('gatepost.conf'), main + bracket + rest + '\n' * bool(own) + own)

    def run(self, lines):
        commands = []
        for line in '\n'.join(lines).replace('\\\n', ' ').splitlines():
            if line.startswith('$ '):
                commands.append((line[2:], []))
            else:
                commands[-1][1].append(line)
        for command, expected in commands:
            lines, code = self.print(command)
            printed = [same(line) for line in lines]
            expected = [same(line) for line in expected]
            if expected[-1:] == ['...']:
                expected.pop()
                printed = printed[:len(expected)]
            equal(printed, expected, '%s (exit %d)' % (command, code))

    def print(self, command):
        """The lines that a command of the guide prints, and its exit code."""
        path = self.folder + '/bin:' + os.environ['PATH']
        done = subprocess.run(['sh', '-c', command.replace(ETC, self.folder)], text=True,
                              cwd=self.folder, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60, env=dict(gatepost.environment(), PATH=path))
        printed = re.sub(r'(?m)^.*: warning: .*\n', '', done.stdout)
        printed = re.sub(r'(?<![\w.-])' + TOP + '/', '/usr/share/gatepost/', printed)
        return printed.replace(self.folder, ETC).rstrip('\n').splitlines(), done.returncode

    def log(self, argument, lines):
        """The line that the daemon logs of an envelope; of how long it took, and which session it
        was, the guide says nothing that can be compared."""
        found = [gatepost.fields(line) for line in self.decide(*argument.split())]
        equal(len(found), 1, 'lines of the log: %s' % found)
        expected = gatepost.fields(' '.join(line.strip() for line in lines))
        equal(list(found[0]), list(expected), 'keys')
        for key in expected:
            if key not in ('ms', 'session'):
                equal(found[0][key].replace(self.folder, ETC), expected[key], key)

    def decide(self, client, name, sender, recipient):
        """The lines that the daemon logs of such an envelope."""
        file = place.write(self.path('daemon.conf'), re.sub(
            '(?m)^(milter|control)_socket = .*', lambda found: '%s_socket = %s%s' % (
                found[1], 'unix:' * (found[1] == 'milter'), self.path(found[1])),
            read(self.path('gatepost.conf'))))
        daemon = subprocess.Popen([gatepost.DAEMON, '-c', file, '-f'], stderr=subprocess.PIPE,
                                  text=True, env=gatepost.environment())
        try:
            until(lambda: os.path.exists(self.path('milter')), 30, 'the daemon')
            with milter.Milter(self.path('milter')) as session:
                session.negotiate()
                session.connect(name, client, daemon_port='25')
                session.helo(name)
                session.mail('<%s>' % sender, mail_addr=sender)
                session.rcpt('<%s>' % recipient, rcpt_addr=recipient)
        finally:
            daemon.terminate()
            printed = daemon.communicate(timeout=30)[1].splitlines()
        return [line for line in printed if line.startswith('action=')]


SITE = []


def play(blocks):
    if not SITE:
        SITE.append(Site())
    for kind, name, lines in blocks:
        SITE[0].take(kind, name, lines)


for heading, blocks in sections():
    CASES.append((heading, lambda blocks=blocks: play(blocks)))


if __name__ == '__main__':
    run()
