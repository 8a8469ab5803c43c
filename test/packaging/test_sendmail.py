#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The package beside Debian's Sendmail, with the lines that "gatepostctl setup sendmail" prints. In a
throw-away copy of this machine with systemd, where Sendmail takes the place of the MTA that is
here; its packages come from the mirror that apt knows."""
import re
import sys
sys.path.insert(0, sys.path[0] + '/../lib')
import box
import boxmail
from boxmail import CONF, ELSEWHERE, KEEPER, STRANGER, delivered, send, submit
from tap import absent, case, equal, match, note, run, skip_all, true, until

MC = '/etc/mail/sendmail.mc'
SOCKET = '/run/gatepost/milter.sock'
# Without it Sendmail makes parameters and certificates for TLS, which takes a minute.
NO_TLS = '/usr/share/sendmail/update_tls'
# There is no DNS in the box, and the machine may have much else to do.
FOR_A_TEST = """FEATURE(`accept_unresolvable_domains')dnl
define(`confREFUSE_LA', `999')dnl
define(`confQUEUE_LA', `999')dnl
define(`confDELAY_LA', `999')dnl
undefine(`confCONNECTION_RATE_THROTTLE')dnl
"""

box.enter()


def install_sendmail(there):
    there.sh('mkdir -p /usr/share/sendmail; dpkg-divert --quiet --local --rename --add %s; '
             'ln -s /bin/true %s' % (NO_TLS, NO_TLS))
    done = there.run('apt-get', '-qy', '-o', 'Acquire::Retries=0', '-o', 'Acquire::http::Timeout=20',
                     'install', '--no-install-recommends', 'sendmail-bin', 'sensible-mda', 'make',
                     network=True, timeout=400)
    if done.returncode != 0:
        note(done.stdout[-1500:])
        skip_all('Sendmail cannot be installed: ' + done.stdout.strip().splitlines()[-1])


def configure_sendmail(there, lines):
    text = there.read(MC).split('dnl gatepost:')[0]
    text = text.replace('MAILER_DEFINITIONS', FOR_A_TEST + 'MAILER_DEFINITIONS', 1)
    there.write(MC, text + 'dnl gatepost:\n' + lines)
    note(there.ok('make', '-C', '/etc/mail').splitlines()[-1])
    there.ok('systemctl', 'restart', 'sendmail')


def prepare():
    there = boxmail.start('swaks')
    install_sendmail(there)
    there.ok('dpkg', '-i', '/packages/gatepost.deb')
    setup = there.ok('gatepostctl', 'setup', 'sendmail')
    note(setup)
    configure_sendmail(there, setup)
    domains = re.search(r'^dnl (local_domains = .*)', setup, re.M)
    there.write(CONF, 'mode = enforce\nmynetworks =\n%s\n' % domains[1])
    there.ok('systemctl', 'restart', 'gatepost')
    return there


@case('Sendmail takes the socket as it is, and nobody else reaches it')
def socket(there):
    equal(boxmail.socket_connects(there, SOCKET), ['gatepost:gatepost:660', 'gatepost:gatepost:755'],
          'socket and folder')
    send(there, r'250 2\.0\.0', '--from', STRANGER, '--to', KEEPER, '--header', 'Subject: passes')
    delivered(there, 'passes')
    absent(r'(?i)unsafe|milter.*(error|fail|denied)', there.log('sendmail'), 'log of Sendmail')
    match(r'action=accept ', '\n'.join(boxmail.decisions(there)), 'journal')


@case('by SMTP: a relay attempt is refused, by gatepost')
def by_smtp(there):
    there.write('/etc/mail/relay-domains', 'elsewhere.example\n')
    there.ok('systemctl', 'restart', 'sendmail')
    send(there, r'550 5\.7\.1 .*Relaying denied; authenticate first', '--from', STRANGER, '--to',
         ELSEWHERE)
    match(r'action=reject .*check=reject_unauth_destination', '\n'.join(boxmail.decisions(there)),
          'journal')


@case('by the sendmail command: mail arrives, and is seen')
def by_command(there):
    before = len(boxmail.decisions(there))
    submit(there, 'from a program')
    delivered(there, 'from a program')
    until(lambda: len(boxmail.decisions(there)) > before, 5, 'a line of the log')


@case('stopped: mail is put off, not let through; started again: it flows')
def stopped(there):
    there.ok('systemctl', 'stop', 'gatepost')
    send(there, r'451 4\.[37]\.', '--from', STRANGER, '--to', KEEPER)
    there.ok('systemctl', 'start', 'gatepost')
    send(there, r'250 2\.0\.0', '--from', STRANGER, '--to', KEEPER, '--header', 'Subject: again')
    delivered(there, 'again')


@case('in a folder that its group may write to, Sendmail would refuse the socket')
def group_writable(there):
    there.ok('chmod', 'g+w', '/run/gatepost')
    send(there, r'451 4\.', '--from', STRANGER, '--to', KEEPER)
    match(r'milter\.sock unsafe', there.log('sendmail'), 'log of Sendmail')
    # systemd gives the folder its mode at each start.
    there.ok('systemctl', 'restart', 'gatepost')
    send(there, r'250 2\.0\.0', '--from', STRANGER, '--to', KEEPER)


@case('the unit is started before Sendmail')
def order(there):
    true('sendmail.service' in there.ok('systemctl', 'show', '-p', 'Before', 'gatepost'), 'order')


def on_failure(there):
    note(there.log('gatepost')[-1000:])
    note(there.log('sendmail')[-1000:])


prepared = prepare()  # before the plan is printed: it may skip the whole file
run(setup=lambda: prepared, on_failure=on_failure)
