#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The package beside Debian's Postfix as it is configured by itself: chrooted. In a throw-away copy
of this machine with systemd; what is put into the settings stands in README.Debian."""
import re
import sys
import shutil
sys.path.insert(0, sys.path[0] + '/../lib')
import box
import boxmail
import packages
from boxmail import ELSEWHERE, KEEPER, STRANGER, delivered, documented, send, submit
from tap import Skip, case, equal, match, note, run, true, until

box.enter()


def reconfigure(there):
    """As Debian's installer leaves it for an Internet site."""
    there.sh('rm -f /etc/postfix/main.cf /etc/postfix/master.cf; '
             'printf "postfix postfix/%s\\n" "main_mailer_type select Internet Site" '
             '"mailname string ' + box.NAME + '" | debconf-set-selections; '
             'dpkg-reconfigure -fnoninteractive postfix; '
             'postconf -e inet_interfaces=loopback-only mydestination=' + box.NAME +
             ' alias_maps= alias_database= smtpd_relay_restrictions= '
             '"smtpd_recipient_restrictions=permit_mynetworks, reject" '
             'maillog_file=/var/log/box-mail.log; '
             'postconf -M "postlog/unix-dgram=postlog unix-dgram n - n - 1 postlogd"')


def prepare():
    there = boxmail.start('postfix', 'swaks')
    reconfigure(there)
    there.ok('dpkg', '-i', '/packages/gatepost.deb')
    boxmail.configure(there, '\n'.join(documented('Postfix', 'milter_socket')) + '\n')
    there.ok('postconf', '-e', *documented('Postfix', 'smtpd_|non_smtpd_|milter_default_'))
    there.ok('postconf', '-F', 'smtp/inet/chroot=y')  # unstable's is not by itself
    there.ok('systemctl', 'restart', 'postfix')
    return there


@case('Postfix is chrooted, and its socket in the queue folder is its own')
def chrooted(there):
    match(r'(?m)^smtp +inet +n +- +y ', there.ok('postconf', '-M', 'smtp/inet'), 'master.cf')
    equal(boxmail.socket_connects(there, '/var/spool/postfix/gatepost/milter.sock'),
          ['gatepost:postfix:660', 'gatepost:postfix:2750'], 'socket and folder')
    rows = there.ok('systemctl', 'show', '-p', 'Before', 'gatepost')
    true('postfix@-.service' in rows and 'postfix.service' in rows, 'order: ' + rows)


@case('by SMTP: mail arrives, a relay attempt is refused')
def by_smtp(there):
    send(there, r'250 2\.0\.0', '--from', STRANGER, '--to', KEEPER, '--header', 'Subject: passes')
    delivered(there, 'passes')
    send(there, r'550 5\.7\.1 .*Relaying denied', '--from', STRANGER, '--to', ELSEWHERE)
    found = boxmail.decisions(there)
    match(r'action=reject .*check=reject_unauth_destination', '\n'.join(found), 'journal')
    match(r'action=accept ', '\n'.join(found), 'journal')


@case('by the sendmail command: mail arrives, and is seen')
def by_command(there):
    before = len(boxmail.decisions(there))
    submit(there, 'from a program')
    delivered(there, 'from a program')
    until(lambda: len(boxmail.decisions(there)) > before, 5, 'a line of the log')


@case('stopped: mail is put off, not let through; started again: it flows')
def stopped(there):
    there.ok('systemctl', 'stop', 'gatepost')
    send(there, r'451 4\.7\.1 ', '--from', STRANGER, '--to', KEEPER)
    there.ok('systemctl', 'start', 'gatepost')
    send(there, r'250 2\.0\.0', '--from', STRANGER, '--to', KEEPER, '--header', 'Subject: again')
    delivered(there, 'again')


@case('the package upgraded under way: mail flows afterwards')
def upgraded(there):
    there.ok('dpkg', '--force-confold', '-i', '/packages/gatepost.deb')
    send(there, r'250 2\.0\.0', '--from', STRANGER, '--to', KEEPER, '--header', 'Subject: newer')
    delivered(there, 'newer')


@case('removed while Postfix asks it: the two commands that are shown let mail flow again')
def removed(there):
    output = there.ok('dpkg', '-r', 'gatepost')
    match('gatepost: postfix still asks gatepost, and takes no mail', output, 'dpkg')
    send(there, r'451 4\.7\.1 ', '--from', STRANGER, '--to', KEEPER)
    commands = re.findall(r'(?m)^    (post(?:conf|fix) .*)$', output)
    equal([line.split()[0] for line in commands], ['postconf', 'postfix'], 'commands')
    there.sh('\n'.join(commands))
    send(there, r'250 2\.0\.0', '--from', STRANGER, '--to', KEEPER, '--header', 'Subject: without')
    delivered(there, 'without')


@case('Postfix purged of it: nothing of it is left in the queue folder')
def purged(there):
    there.ok('postconf', '-X', 'milter_default_action')
    there.ok('dpkg', '--purge', 'gatepost')
    true(not there.exists('/var/spool/postfix/gatepost'), 'the folder is left')
    true(there.exists('/var/spool/postfix/incoming'), 'the queue is gone')
    there.ok('systemctl', 'restart', 'postfix')
    send(there, r'250 2\.0\.0', '--from', STRANGER, '--to', KEEPER)


@case('autopkgtest: the test of the package passes')
def autopkgtest(there):
    if not shutil.which('autopkgtest'):
        raise Skip('autopkgtest is missing')
    reconfigure(there)
    there.write('/etc/apt/sources.list', '')
    there.sh('rm -f /etc/apt/sources.list.d/*; mkdir -p /packages/source')
    shutil.copytree(packages.TOP + '/packaging/debian', there.path + '/packages/source/debian')
    done = there.run('autopkgtest', '--ignore-restrictions=isolation-container,breaks-testbed',
                     '/packages/gatepost.deb', '/packages/source/', '--', 'null')
    if done.returncode != 0:
        note(done.stdout[-3000:])
    equal(done.returncode, 0, 'exit')
    match(r'(?m)^mail +PASS', done.stdout, 'result')


def on_failure(there):
    note(there.log('gatepost')[-1500:])
    note(there.run('tail', '-n', '15', '/var/log/box-mail.log').stdout)


prepared = prepare()  # before the plan is printed: it may skip the whole file
run(setup=lambda: prepared, on_failure=on_failure)
