#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""README's way to a filter, from its first block to the last, as somebody goes it who has never seen
gatepost: the package beside Debian's Postfix, chrooted, with postscreen, virtual domains, logins
by Dovecot and OpenDKIM as the second milter. In a throw-away copy of this machine with systemd, or
of the folder GATEPOST_ROOT: a bare debootstrap, in which the packages named here are installed."""
import os
import re
import sys
sys.path.insert(0, sys.path[0] + '/../lib')
import box
import boxmail
import packages
from boxmail import STRANGER
from tap import Failure, case, equal, match, note, run, true, until

box.enter()

ANNA, BEN, INFO = 'anna@one.example', 'ben@two.example', 'info@alias.example'
OUTSIDE = '203.0.113.5'  # an address of the box's own that Postfix does not trust
CONF = '/etc/gatepost/gatepost.conf'
TABLES = {
    'vdomains': 'one.example x\ntwo.example x\n',
    'vmailbox': 'anna@one.example one/anna/\nben@two.example two/ben/\n',
    'virtual': 'alias.example x\ninfo@alias.example anna@one.example\n',
    'senders': 'anna@one.example anna@one.example\nben@two.example ben@two.example\n',
}
MAIN = [
    'myhostname=' + box.NAME, 'mydestination=$myhostname, localhost', 'inet_interfaces=all',
    'inet_protocols=ipv4', 'mynetworks=127.0.0.0/8', 'alias_maps=', 'alias_database=',
    'virtual_mailbox_domains=hash:/etc/postfix/vdomains', 'virtual_mailbox_maps=hash:/etc/postfix/vmailbox',
    'virtual_alias_maps=hash:/etc/postfix/virtual', 'virtual_alias_domains=alias.example',
    'virtual_transport=lmtp:unix:private/dovecot-lmtp', 'smtpd_sasl_type=dovecot',
    'smtpd_sasl_path=private/auth', 'smtpd_tls_auth_only=yes', 'smtpd_sender_login_maps=hash:/etc/postfix/senders',
    'smtpd_milters=inet:127.0.0.1:8891', 'non_smtpd_milters=$smtpd_milters', 'milter_default_action=accept',
    'recipient_delimiter=+', 'postscreen_greet_wait=1s', 'postscreen_greet_action=enforce',
    'smtpd_tls_cert_file=/etc/postfix/box.pem', 'smtpd_tls_key_file=/etc/postfix/box.key',
    'maillog_file=/var/log/box-mail.log']
# As Debian's master.cf has them in its comments; both submission services have one name there.
SERVICES = {
    'smtp/inet': 'smtp inet n - y - 1 postscreen', 'smtpd/pass': 'smtpd pass - - y - - smtpd',
    'dnsblog/unix': 'dnsblog unix - - y - 0 dnsblog', 'tlsproxy/unix': 'tlsproxy unix - - y - 0 tlsproxy',
    'submission/inet': 'submission inet n - y - - smtpd -o syslog_name=postfix/submission '
    '-o smtpd_tls_security_level=encrypt -o smtpd_sasl_auth_enable=yes '
    '-o smtpd_relay_restrictions=permit_sasl_authenticated,reject -o milter_macro_daemon_name=ORIGINATING',
    'smtps/inet': 'smtps inet n - y - - smtpd -o syslog_name=postfix/smtps -o smtpd_tls_wrappermode=yes '
    '-o smtpd_sasl_auth_enable=yes -o smtpd_relay_restrictions=permit_sasl_authenticated,reject '
    '-o milter_macro_daemon_name=ORIGINATING',
    'postlog/unix-dgram': 'postlog unix-dgram n - n - 1 postlogd'}
DOVECOT = '''protocols = lmtp
log_path = /var/log/box-dovecot.log
ssl = no
mail_location = maildir:/var/mail/box/%d/%n
passdb {
  driver = passwd-file
  args = scheme=PLAIN /etc/dovecot/users
}
userdb {
  driver = static
  args = uid=keeper gid=keeper home=/var/mail/box/%d/%n
}
service auth {
  unix_listener /var/spool/postfix/private/auth {
    mode = 0660
    user = postfix
    group = postfix
  }
}
service lmtp {
  unix_listener /var/spool/postfix/private/dovecot-lmtp {
    mode = 0600
    user = postfix
    group = postfix
  }
}
'''
# Dovecot 2.4 has other words for the same.
DOVECOT_24 = '''dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
protocols = lmtp
log_path = /var/log/box-dovecot.log
ssl = no
mail_driver = maildir
mail_path = /var/mail/box/%{user}
passdb passwd-file {
  passwd_file_path = /etc/dovecot/users
  default_password_scheme = PLAIN
}
userdb static {
  fields {
    uid = keeper
    gid = keeper
    home = /var/mail/box/%{user}
  }
}
''' + DOVECOT[DOVECOT.index('service auth'):]
OPENDKIM = '''Domain one.example
Selector mail
KeyFile /etc/dkimkeys/mail.private
Socket inet:8891@127.0.0.1
Mode sv
UserID opendkim
PidFile /run/opendkim/opendkim.pid
'''


def section():
    """README's part for Postfix."""
    with open(packages.TOP + '/README.md', encoding='utf-8') as handle:
        return re.search(r'(?ms)^## Before your own Postfix.*?(?=^## )', handle.read())[0]


def blocks():
    """Its indented blocks, in order, as lines."""
    found = []
    for part in re.findall(r'(?m)(?:^ {7}.*\n)+', section()):
        found.append([line.strip() for line in part.splitlines()])
    return found


def block(begin):
    """The block whose first line begins so."""
    for lines in blocks():
        if lines[0].startswith(begin):
            return lines
    raise Failure('README has no block that begins with %r' % begin)


def set_up_mail(there):
    """What is there before gatepost comes."""
    there.sh('id opendkim >/dev/null && id dovecot >/dev/null; '
             'rm -rf /etc/postfix/main.cf /etc/postfix/master.cf /etc/dovecot/conf.d /etc/dovecot/local.conf '
             '/var/lib/postfix/*cache*; '
             'printf "postfix postfix/%s\\n" "main_mailer_type select Internet Site" '
             '"mailname string ' + box.NAME + '" | debconf-set-selections; '
             'dpkg-reconfigure -fnoninteractive postfix')
    there.ok('postconf', '-e', *MAIN)
    for name, text in TABLES.items():
        there.write('/etc/postfix/' + name, text)
        there.ok('postmap', 'hash:/etc/postfix/' + name)
    there.sh('openssl req -x509 -newkey rsa:2048 -nodes -days 9 -subj /CN=%s -keyout /etc/postfix/box.key '
             '-out /etc/postfix/box.pem 2>&1' % box.NAME)
    for name, line in SERVICES.items():
        there.ok('postconf', '-M', '%s=%s' % (name, line))
    version = there.ok('dovecot', '--version')
    there.write('/etc/dovecot/dovecot.conf', DOVECOT if version.startswith('2.3') else DOVECOT_24)
    there.write('/etc/dovecot/users', ''.join('%s:{PLAIN}geheim\n' % who for who in (ANNA, BEN)))
    there.write('/etc/opendkim.conf', OPENDKIM)
    there.sh('mkdir -p /etc/dkimkeys /var/mail/box; openssl genrsa -out /etc/dkimkeys/mail.private 1024 2>&1; '
             'chown -R opendkim /etc/dkimkeys; chmod 600 /etc/dkimkeys/mail.private; '
             'chown keeper:keeper /var/mail/box; ip addr add %s/32 dev lo' % OUTSIDE)
    there.ok('systemctl', 'restart', 'opendkim', 'dovecot', 'postfix')


def prepare():
    there = boxmail.start('swaks', 'postfix', 'dovecot', 'opendkim')
    set_up_mail(there)
    return there


def send(there, expected, *options, subject='x'):
    boxmail.send(there, expected, '--header', 'Subject: ' + subject, *options)


def mailbox(there, who):
    """All that is in a mailbox."""
    return there.run('sh', '-c', 'cat "$1"/new/* "$1"/*/new/* 2>/dev/null', 'sh',
                     '/var/mail/box/' + '/'.join(reversed(who.split('@')))).stdout + there.run(
                         'sh', '-c', 'cat "$1"/new/* 2>/dev/null', 'sh', '/var/mail/box/' + who).stdout


def arrives(there, who, subject):
    until(lambda: 'Subject: %s\n' % subject in mailbox(there, who).replace('\r', ''), 20,
          'the message %r' % subject)


def login(who, *options):
    return ('--server', '127.0.0.1:587', '--tls', '--auth', 'PLAIN', '--auth-user', who,
            '--auth-password', 'geheim', *options)


def from_outside(*options):
    return ('--server', OUTSIDE, '--local-interface', OUTSIDE, *options)


@case('1 to 4: the package, the socket, what setup prints put into gatepost.conf; check is content')
def begun(there):
    there.ok('dpkg', '-i', '/packages/gatepost.deb')
    there.append(CONF, '\n'.join(block('milter_socket')) + '\n')
    printed = there.ok('sh', '-c', block('gatepostctl setup postfix')[0] + ' 2>/dev/null')
    lines = printed[printed.index('\n# ' + CONF):].splitlines()
    wanted = [line for line in lines if line and not line.startswith('#')]
    match(r'(?m)^local_domains = .*alias\.example.*hash:/etc/postfix/vdomains', '\n'.join(wanted),
          'domains')
    there.append(CONF, '\n'.join(wanted) + '\n')
    command = block('gatepostctl check')[0].partition('#')[0]
    equal(there.sh(command), '', 'what is said')
    equal(there.ok('systemctl', 'is-active', 'gatepost').strip(), 'active')
    match(r'(?m)^envelope: accept at rcpt \(mode = monitor\)$',
          there.sh('gatepostctl test --rcpt x@far.example'), 'a stranger')
    headings = [line for line in lines if re.match(r'#?\[', line)]
    equal(len(headings), len(set(headings)), 'sections printed twice: %s' % headings)


@case('5: the commands that setup prints; --check is content, mail flows and nothing is refused')
def asked(there):
    there.sh("gatepostctl setup postfix 2>/dev/null | grep ^postconf >/root/commands; "
             "sh -e /root/commands; postfix reload")
    equal(there.ok('gatepostctl', 'setup', 'postfix', '--check'), '', 'what is said')
    equal(there.ok('gatepostctl', 'ping').count('\n') < 2, True)
    send(there, r'250 2\.0\.0', *from_outside('--from', STRANGER, '--to', INFO), subject='first')
    arrives(there, ANNA, 'first')
    match(r'action=accept .*listener=smtp .*mode=monitor', '\n'.join(boxmail.decisions(there)),
          'journal')


@case('6: enforced; who may and who may not')
def enforced(there):
    there.sh("sed -i 's/^mode = monitor/mode = enforce/' %s; gatepostctl reload" % CONF)
    send(there, r'250 2\.0\.0', *from_outside('--from', STRANGER, '--to', BEN), subject='stranger')
    send(there, r'(454 4\.7\.1|550 5\.7\.1) ', *from_outside('--from', STRANGER, '--to', 'b@far.example'))
    send(there, r'553 5\.7\.1 .*not logged in', *from_outside('--from', ANNA, '--to', BEN))
    send(there, r'250 2\.0\.0', *login(ANNA, '--from', ANNA, '--to', BEN), subject='login')
    send(there, r'553 5\.7\.1 .*not owned by user anna@one\.example',
         *login(ANNA, '--from', BEN, '--to', INFO))
    arrives(there, BEN, 'stranger')
    arrives(there, BEN, 'login')
    found = mailbox(there, BEN)
    match(r'(?m)^DKIM-Signature: .*d=one\.example', found, 'signed behind gatepost')
    match(r'listener=ORIGINATING sasl=anna@one\.example tls=TLS', '\n'.join(boxmail.decisions(there)),
          'journal')


# A command that makes the mistake, how it is named, a command that takes it back.
MISTAKES = [
    ('a domain of aliases', "postconf -e 'virtual_alias_domains = alias.example, new.example'",
     'local_domains lacks new.example', "postconf -e 'virtual_alias_domains = alias.example'"),
    ('the signer first', "postconf -e 'smtpd_milters = inet:127.0.0.1:8891, unix:gatepost/milter.sock'",
     'gatepost must stand before a DKIM signer',
     "postconf -e 'smtpd_milters = unix:gatepost/milter.sock, inet:127.0.0.1:8891'"),
    ('the signer alone', "postconf -P 'submission/inet/smtpd_milters=inet:127.0.0.1:8891'",
     'submission/inet has smtpd_milters of its own, which leave gatepost out',
     "postconf -PX submission/inet/smtpd_milters"),
    ('no milters behind postscreen', "postconf -P 'smtpd/pass/receive_override_options=no_milters'",
     'smtpd/pass shows milters nothing', "postconf -PX smtpd/pass/receive_override_options"),
    ('a login for everybody', "postconf -P 'smtpd/pass/milter_macro_defaults=auth_authen=anna@one.example'",
     'smtpd/pass/milter_macro_defaults gives {auth_authen} to every client',
     "postconf -PX smtpd/pass/milter_macro_defaults"),
    ('a socket outside the chroot', "sed -i 's#^milter_socket = .*#milter_socket = "
     "unix:/run/gatepost/milter.sock#' %s" % CONF, 'smtpd_milters leaves gatepost',
     "sed -i 's#^milter_socket = .*#milter_socket = unix:/var/spool/postfix/gatepost/milter.sock#' " + CONF),
    ('a table for root alone', 'chmod 600 /etc/postfix/senders', 'cannot read table /etc/postfix/senders',
     'chmod 644 /etc/postfix/senders'),
    ('mail passes while gatepost is down', "postconf -e milter_default_action=accept",
     'accept lets mail pass unseen', "postconf -e milter_default_action=tempfail"),
]


def judged(there):
    """What the two commands say, but for reminders that a daemon reads its settings at a reload."""
    said = there.run('gatepostctl', 'check').stdout + there.run(
        'gatepostctl', 'setup', 'postfix', '--check').stdout
    return '\n'.join(line for line in said.splitlines() if 'not in force' not in line)


@case('mistakes are named, each, and nothing is said once they are taken back')
def mistaken(there):
    equal(judged(there), '', 'before any')
    for what, make, named, undo in MISTAKES:
        there.sh(make)
        said = judged(there)
        there.sh(undo)
        if named not in said:
            raise Failure('%s: %r is not named: %s' % (what, named, said))
    equal(judged(there), '', 'behind all')


@case('rid of it: what setup --remove prints; mail flows by the other milter alone')
def rid(there):
    there.sh('gatepostctl setup postfix --remove >/root/removal; sh -e /root/removal')
    true('gatepost' not in there.ok('postconf', 'smtpd_milters', 'non_smtpd_milters'), 'it is asked yet')
    output = there.ok('dpkg', '--purge', 'gatepost')
    true('still asks' not in output, output)
    send(there, r'250 2\.0\.0', *from_outside('--from', STRANGER, '--to', BEN), subject='without')
    arrives(there, BEN, 'without')


def on_failure(there):
    note(there.log('gatepost')[-1500:])
    note(there.run('tail', '-n', '25', '/var/log/box-mail.log').stdout)


prepared = prepare()  # before the plan is printed: it may skip the whole file
run(setup=lambda: prepared, on_failure=on_failure)
