# SPDX-License-Identifier: BSD-2-Clause
"""The packaged gatepost in a box (box.py) beside a packaged MTA: installs it, sends mail through
both, and looks at what arrives."""
import os
import re
import shutil
import box
import packages
from tap import Failure, skip_all, until

CONF = '/etc/gatepost/gatepost.conf'
KEEPER = 'keeper@' + box.NAME
STRANGER = 'a@far.example'
ELSEWHERE = 'b@elsewhere.example'
# Every client of the box is 127.0.0.1: with mynetworks empty it is a stranger.
SETTINGS = '''mode = enforce
local_domains = %s
mynetworks =
''' % box.NAME


def start(*needed):
    """A box that is up, the package of this tree at hand in it as /packages/gatepost.deb."""
    for program in needed:
        if not shutil.which(program):
            skip_all(program + ' is missing')
    if packages.missing():
        skip_all(packages.missing())
    deb = packages.file(r'^gatepost_.*\.deb$')
    there = box.Box()
    there.boot()
    there.run('dpkg', '--purge', 'gatepost')
    there.sh('rm -rf /etc/gatepost /var/lib/gatepost; mkdir /packages; '
             'id keeper >/dev/null 2>&1 || useradd --create-home keeper')
    shutil.copy(deb, there.path + '/packages/gatepost.deb')
    return there


def configure(there, more=''):
    there.write(CONF, SETTINGS + more)
    there.ok('systemctl', 'restart', 'gatepost')


def documented(heading, part):
    """The indented lines of a section of README.Debian that begin with a word of part."""
    path = packages.TOP + '/packaging/debian/README.Debian'
    with open(path, encoding='utf-8') as handle:
        text = handle.read()
    section = re.search(r'^%s\n-+\n(.*?)(?=^\w[^\n]*\n-+\n|\Z)' % heading, text, re.M | re.S)[1]
    found = re.findall(r'^    ((?:%s).*)$' % part, section, re.M)
    if not found:
        raise Failure('README.Debian says nothing of %s under %s' % (part, heading))
    return found


def send(there, expected, *options):
    """One message by SMTP; the MTA's last reply of interest must match expected."""
    done = there.run('swaks', '--server', '127.0.0.1', '--helo', 'client.far.example', *options,
                     timeout=30)
    if not re.search(r'^<(-|~|\*\*|~\*) +%s' % expected, done.stdout, re.M):
        raise Failure('no reply %r:\n%s' % (expected, done.stdout))


def delivered(there, subject):
    """Waits for a message in the keeper's mailbox."""
    def look():
        path = '/var/mail/keeper'
        return there.exists(path) and ('Subject: %s\n' % subject) in there.read(path)
    until(look, 20, 'the message %r' % subject)


def submit(there, subject, to=KEEPER):
    """One message by the sendmail command, as local programs send it."""
    # The machine may have much else to do; Sendmail would keep the message for later.
    there.run('/usr/sbin/sendmail', '-O', 'QueueLA=999', '-O', 'RefuseLA=999', '-i', '-f', 'root@' + box.NAME, to, stdin=None,
              input='Subject: %s\nFrom: root@%s\n\nhello\n' % (subject, box.NAME))


def decisions(there):
    return re.findall(r'action=.*', there.log('gatepost'))


def socket_connects(there, path):
    """Who may connect, and whether every folder above is closed to others."""
    return there.ok('stat', '-c', '%U:%G:%a', path, os.path.dirname(path)).split()
