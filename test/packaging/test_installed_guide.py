#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""packaging/guide.md where the package is installed: its files go to /etc/gatepost, the daemon reads
them at a reload and decides what the guide looks for, and root's commands print what the guide
says. In a throw-away copy of this machine with systemd, or of the folder GATEPOST_ROOT."""
import os
import shutil
import sys
sys.path[:0] = [sys.path[0] + '/../lib', sys.path[0] + '/../cli']
import box
import boxmail
import milter
from tap import CASES, note, run, until

box.enter()
import test_guide as guide  # noqa: E402  (it asks for programs, which are skipped for in here)

LISTS = ('/usr/sbin/rbldnsd', '/usr/bin/rbldnsd')  # another root may lack it
PORT = 5300
# What a daemon in force adds for who has not reloaded yet; the guide reloads behind each task.
REMINDERS = ('gatepostctl: not in force yet: ', 'gatepostctl: the daemon goes by what it read before')


class Installed(guide.Site):
    """The guide's files in the box, where /etc/gatepost is what it is called."""

    def __init__(self, there):
        self.there = there
        self.folder = guide.ETC
        self.own = 'dns_servers = 127.0.0.1:%d\n' % PORT
        shutil.copy(next(path for path in LISTS if os.path.exists(path)), there.path + LISTS[1])
        there.write('/srv/zen', guide.ZEN)
        there.sh('chmod -R a+rX /srv; rbldnsd -u nobody -b 127.0.0.1/%d zen.spamhaus.org:ip4set:/srv/zen' % PORT)

    def path(self, name):
        return self.there.path + os.path.join(guide.ETC, name)

    def here(self, lines):
        return ''.join(line + '\n' for line in lines)

    def take(self, kind, name, lines):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        super().take(kind, name, lines)
        self.there.sh('chmod -R a+rX ' + guide.ETC)

    def print(self, command):
        done = self.there.run('sh', '-c', 'cd %s; %s' % (guide.ETC, command))
        lines = done.stdout.rstrip('\n').splitlines()
        return [line for line in lines if not line.startswith(REMINDERS)], done.returncode

    def decide(self, client, name, sender, recipient):
        """A session of the milter protocol with the daemon, whose line of the log is returned."""
        self.there.sh('systemctl restart gatepost')
        # The box has a file system of its own.
        socket = '/proc/%d/root/run/gatepost/milter.sock' % self.there.leader
        until(lambda: os.path.exists(socket), 30, 'the daemon')
        with milter.Milter(socket) as session:
            session.negotiate()
            session.connect(name, client, daemon_port='25')
            session.helo(name)
            session.mail('<%s>' % sender, mail_addr=sender)
            session.rcpt('<%s>' % recipient, rcpt_addr=recipient)
        until(lambda: boxmail.decisions(self.there), 20, 'a line of the log')
        until(lambda: self.there.run('gatepostctl', 'trace', client).returncode == 0, 20, 'the history')
        return boxmail.decisions(self.there)[-1:]


SITE = []
CASES.clear()


def play(there, blocks):
    if not SITE:
        SITE.append(Installed(there))
    for kind, name, lines in blocks:
        SITE[0].take(kind, name, lines)
    there.run('gatepostctl', 'reload')


for heading, blocks in guide.sections():
    CASES.append((heading, lambda there, blocks=blocks: play(there, blocks)))


prepared = boxmail.start('rbldnsd')  # before the plan is printed: it may skip the whole file
prepared.ok('dpkg', '-i', '/packages/gatepost.deb')
run(setup=lambda: prepared, on_failure=lambda there: note(there.log('gatepost')[-1500:]))
