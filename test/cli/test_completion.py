#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What shells offer behind gatepostctl: every command, option and parameter that the program has."""
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
sys.path.insert(0, sys.path[0])
import ctl
import place
from tap import Failure, Skip, case, equal, match, run, true

FOLDER = os.environ['GATEPOST_BUILD'] + '/packaging/completion/'
FILES = {'bash': 'gatepostctl', 'zsh': '_gatepostctl', 'fish': 'gatepostctl.fish'}


def read(shell):
    with open(FOLDER + FILES[shell], encoding='utf-8') as handle:
        return handle.read()


def commands():
    return re.findall(r'(?m)^  ([a-z-]+) +\S', ctl.run('--help').stdout)


def parameters():
    return re.findall(r'(?m)^(?:# )?([a-z_0-9]+)(?: =| is not set)', ctl.Settings().run(
        'config', '-d').stdout)


def offered(*words):
    """What bash offers for the last of WORDS."""
    script = ('source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _gatepostctl; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(['bash', '-c', script, FOLDER + FILES['bash'], *words],
                          capture_output=True, text=True, timeout=20, cwd='/')
    equal(done.stderr, '', 'stderr')
    return done.stdout.split()


@case('bash offers commands, options, parameters, tables, files')
def in_bash():
    if not shutil.which('bash'):
        raise Skip('bash is not here')
    equal([word for word in offered('gatepostctl', '') if word[0] != '-'], commands())
    equal(offered('gatepostctl', 'stat'), ['status'])
    equal(sorted(offered('gatepostctl', 'config', '')), sorted(set(parameters())))
    equal(offered('gatepostctl', '-c', 'file', 'config', 'auth_min'), ['auth_min_ssf'])
    equal(offered('gatepostctl', 'setup', 'post'), ['postfix'])
    equal(offered('gatepostctl', 'lookup', 'ci'), ['cidr:'])
    true('etc' in offered('gatepostctl', '-c', 'et'), 'a file')
    for command in commands():
        if command in ('survey', 'onion-map'):
            continue
        said = ctl.run(command, '--help').stdout.split('\nExample:')[0]
        for option in set(re.findall(r'(?<![\w-])(--[a-z][a-z-]*)', said)):
            true(option in offered('gatepostctl', command, option), '%s %s' % (command, option))


@case('zsh and fish have the same commands and parameters')
def elsewhere():
    for shell in ('zsh', 'fish'):
        text = read(shell)
        for word in commands() + parameters():
            match(r'(?<![\w-])%s(?![\w-])' % re.escape(word), text, shell)
        if shutil.which(shell):
            done = subprocess.run([shell, '-n', FOLDER + FILES[shell]], capture_output=True, text=True)
            equal((done.returncode, done.stderr), (0, ''), shell)


# What is typed before TAB, and the last word behind it.
TYPED = [
    ('gatepostctl stat', 'status'),
    ('gatepostctl status --j', '--json'),
    ('gatepostctl config auth_min', 'auth_min_ssf'),
    ('gatepostctl -c x rel', 'reload'),
    ('gatepostctl setup post', 'postfix'),
    ('gatepostctl setup --mta-c', '--mta-config'),
    ('gatepostctl setup postfix --mta-config /et', '/etc/'),
    ('gatepostctl report --html /et', '/etc/'),
    ('gatepostctl -c /et', '/etc/'),
    ('gatepostctl test /et', '/etc/'),
    ('gatepostctl lookup ci', 'cidr:'),
]


def in_shell(shell, complete):
    if not shutil.which(shell):
        raise Skip(shell + ' is not here')
    for typed, word in TYPED:
        equal(complete(typed), word, '%s: %s' % (shell, typed))


@case('fish completes what is typed')
def in_fish():
    def complete(typed):
        done = subprocess.run(['fish', '--no-config', '-c', 'source $argv[1]; complete -C $argv[2]',
                               FOLDER + FILES['fish'], typed], capture_output=True, text=True,
                              timeout=60, env={**os.environ, 'HOME': place.folder()})
        return ' '.join(line.split('\t')[0] for line in done.stdout.splitlines()) or done.stderr
    in_shell('fish', complete)


class Zsh:
    """An interactive zsh on a terminal of its own, in which one can press TAB."""

    def __init__(self):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execvpe('zsh', ['zsh', '-f', '-i'],
                       {**os.environ, 'TERM': 'dumb', 'HOME': '/nonexistent'})
        self.type('fpath=(%s $fpath); autoload -U compinit; compinit -u -D; setopt no_beep; '
                  'LISTMAX=0; show() { print -r -- "<<$BUFFER>""> "; }; zle -N show; '
                  'bindkey "^T" show; print "<<be""gun>""> "\n' % FOLDER)
        self.read('begun')

    def type(self, text):
        os.write(self.terminal, text.encode())

    def read(self, begin):
        """What stands in << >>, beginning so."""
        text, until = '', time.monotonic() + 60
        while not re.search('<<(%s.*?)>> ' % re.escape(begin), text):
            if not select.select([self.terminal], [], [], max(0, until - time.monotonic()))[0]:
                raise Failure('zsh says nothing more: %r' % text)
            text += os.read(self.terminal, 65536).decode('utf-8', 'replace').replace('\r\n', '')
        return re.search('<<(%s.*?)>> ' % re.escape(begin), text)[1]

    def complete(self, typed):
        # ^U takes the line away, ^T is the widget above.
        self.type('\x15' + typed + '\t\x14')
        return self.read('gatepostctl').split()[-1]

    def close(self):
        os.close(self.terminal)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


@case('zsh completes what is typed')
def in_zsh():
    if not shutil.which('zsh'):
        raise Skip('zsh is not here')
    zsh = Zsh()
    try:
        in_shell('zsh', zsh.complete)
    finally:
        zsh.close()


if __name__ == '__main__':
    run()
