#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Mistakes that somebody makes who sets gatepost up beside Postfix as Debian ships it, with virtual
domains, SASL and a DKIM signer: each is named by gatepostctl check or setup postfix --check, and
without one nothing is."""
import os
import re
import shutil
import sys
sys.path.insert(0, sys.path[0])
import ctl
import place
from tap import Failure, Skip, case, equal, run

MAIN = '''compatibility_level = 3.6
queue_directory = /FOLDER/queue
mail_owner = nobody
myhostname = mail.example.org
mydestination = $myhostname, localhost
mynetworks = 127.0.0.0/8 [::1]/128 192.0.2.0/24
inet_interfaces = loopback-only
inet_protocols = ipv4
recipient_delimiter = +
virtual_mailbox_domains = hash:/FOLDER/domains
smtpd_sender_login_maps = hash:/FOLDER/senders
smtpd_sasl_auth_enable = yes
smtpd_sasl_local_domain = example.org
smtpd_tls_auth_only = yes
smtpd_milters = unix:gatepost/milter.sock, inet:127.0.0.1:8891
non_smtpd_milters = unix:gatepost/milter.sock, inet:127.0.0.1:8891
milter_default_action = tempfail
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination
'''
MASTER = '''smtp      inet  n  -  y  -  -  smtpd
  -o milter_macro_daemon_name=smtp
submission inet n  -  y  -  -  smtpd
  -o milter_macro_daemon_name=submission
cleanup   unix  n  -  y  -  0  cleanup
pickup    unix  n  -  y  60 1  pickup
'''
CONF = '''user = nobody
milter_socket = unix:/FOLDER/queue/gatepost/milter.sock
milter_socket_mode = 0666
control_socket = /FOLDER/control.sock
pid_file =
state = memory:
local_domains = mail.example.org localhost [127.0.0.1] hash:/FOLDER/domains
login_domains = mail.example.org localhost [127.0.0.1]
origin = mail.example.org
mynetworks = 127.0.0.0/8 [::1]/128 192.0.2.0/24
recipient_delimiter = +
sender_login_maps = hash:/FOLDER/senders
sasl_local_realms = example.org
[listener submission]
auth_min_ssf = 128
'''
FILES = {'domains': 'one.example x\ntwo.example x\n', 'senders': 'bob@one.example bob\n'}
# What is done to which file, and how it is named.
MISTAKES = [
    ('a domain was added to Postfix alone', 'main.cf',
     lambda text: text + 'virtual_alias_domains = new.example\n',
     'local_domains lacks new.example.*550'),
    ('local_domains was left out', 'gatepost.conf',
     lambda text: re.sub('(?m)^local_domains.*\n', '', text), 'local_domains is not set'),
    ('the realm was left out', 'gatepost.conf',
     lambda text: re.sub('(?m)^sasl_local_realms.*\n', '', text),
     'sasl_local_realms.* lacks example.org'),
    ('the owners of addresses were left out', 'gatepost.conf',
     lambda text: re.sub('(?m)^sender_login_maps.*\n', '', text), 'sender_login_maps.* lacks hash:'),
    ('another delimiter', 'gatepost.conf',
     lambda text: text.replace('recipient_delimiter = +', 'recipient_delimiter = -'),
     'recipient_delimiter is -, that of Postfix is [+]'),
    ('a network of Postfix\'s is not gatepost\'s', 'gatepost.conf',
     lambda text: text.replace(' 192.0.2.0/24', ''), 'mynetworks lacks 192.0.2.0/24'),
    ('a network of gatepost\'s is not Postfix\'s', 'gatepost.conf',
     lambda text: text.replace('192.0.2.0/24', '192.0.0.0/16'), 'mynetworks has 192.0.0.0/16'),
    ('domains are kept in SQL', 'main.cf',
     lambda text: text + 'relay_domains = mysql:/FOLDER/x.cf\n',
     'the table mysql:.*gatepost cannot read'),
    ('a table that root alone may read', 'senders', 0o600, 'senders.*Permission denied'),
    ('the DKIM signer stands first', 'main.cf',
     lambda text: text.replace('unix:gatepost/milter.sock, inet:127.0.0.1:8891',
                               'inet:127.0.0.1:8891, unix:gatepost/milter.sock'),
     'gatepost must stand before a DKIM signer'),
    ('mail passes while gatepost is down', 'main.cf',
     lambda text: text.replace('= tempfail', '= accept'), 'accept lets mail pass unseen'),
    ('programs of this machine are forgotten', 'main.cf',
     lambda text: re.sub('(?m)^non_smtpd_milters.*\n', '', text), 'non_smtpd_milters leaves gatepost'),
    ('the socket is out of the chroot', 'gatepost.conf',
     lambda text: text.replace('/FOLDER/queue/gatepost', '/FOLDER'), 'smtpd_milters leaves gatepost'),
    ('Postfix may not connect', 'gatepost.conf',
     lambda text: text.replace('0666', '0600').replace('user = nobody', 'user = daemon'),
     'the user nobody may not connect'),
    ('a name that no service has', 'gatepost.conf',
     lambda text: text.replace('[listener submission]', '[listener submision]'),
     r'\[listener submision\]: no service'),
    ('a misspelt parameter', 'gatepost.conf', lambda text: 'moed = monitor\n' + text,
     'unknown parameter "moed".*did you mean "mode"'),
    ('a word that only the MTA serves', 'gatepost.conf',
     lambda text: 'client_restrictions = check_policy_service inet:127.0.0.1:1\n' + text,
     'check_policy_service.*leave it in main.cf'),
    ('nothing that refuses relaying', 'gatepost.conf',
     lambda text: 'relay_restrictions = permit_mynetworks\n' + text, 'everybody may relay'),
    ('passwords in clear text', 'main.cf',
     lambda text: text.replace('auth_only = yes', 'auth_only = no'),
     'clients may send passwords in clear text'),
    ('Postfix gives up too early', 'main.cf', lambda text: text + 'milter_command_timeout = 4s\n',
     'milter_command_timeout = 4s: gatepost may need'),
    ('nobody can log in', 'main.cf',
     lambda text: text.replace('smtpd_sasl_auth_enable = yes', 'smtpd_sasl_auth_enable = no'),
     'submission/inet: smtpd_sasl_auth_enable is not yes: nobody can log in'),
    ('a public resolver is asked for DNS lists', 'gatepost.conf',
     lambda text: 'dns_servers = 192.0.2.1 8.8.8.8:53\nclient_restrictions = reject_rbl_client '
     'bl.lab.test\n' + text, 'dns_servers: 8.8.8.8 serves everybody'),
    ('a delimiter that is a word', 'gatepost.conf',
     lambda text: text.replace('recipient_delimiter = +', 'recipient_delimiter = plus'),
     'each character counts for itself, and "p" stands in most addresses'),
    ('a port without its colon', 'gatepost.conf',
     lambda text: text + '[listener 587]\nmode = monitor\n',
     r'\[listener 587\] is one that the MTA calls by that name; .*\[listener :587\]'),
    ('one spelling of an international domain', 'gatepost.conf',
     lambda text: text.replace('local_domains =', 'local_domains = \u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444'),
     'may come as xn--e1afmkfd.xn--p1ai, too'),
    ('a table that is not there', 'gatepost.conf',
     lambda text: 'client_restrictions = check_client_access texthash:/FOLDER/cleints\n' + text,
     'cannot read table /cleints: No such file'),
    ('host bits in a network', 'gatepost.conf',
     lambda text: text.replace('192.0.2.0/24', '192.0.2.7/24'), 'did you mean 192.0.2.0/24'),
    ('a parameter set twice', 'gatepost.conf',
     lambda text: text.replace('origin =', 'origin = example.net\norigin ='), 'origin is set again'),
    ('permit stands in front', 'gatepost.conf',
     lambda text: 'recipient_restrictions = permit_mynetworks permit reject_dnsbl\n' + text,
     'reject_dnsbl stands behind permit and is never asked'),
    ('a group that is not', 'gatepost.conf',
     lambda text: 'milter_socket_group = postfx\n' + text, 'there is no group "postfx"'),
    ('a profile that is not', 'gatepost.conf',
     lambda text: 'recipient_profiles = inline:{bob@one.example=strct}\n' + text.replace(
         '[listener', '[profile strict]\ntag_score = 3\n[listener'), 'there is no section .profile strct'),
    ('a service without gatepost', 'master.cf',
     lambda text: text.replace('=submission\n', '=submission\n  -o smtpd_milters=\n'),
     'submission/inet shows milters nothing'),
]


def look(mistaken=None, change=None):
    """What the two commands say, the mistake being made."""
    folder = place.folder('gatepost-mistake-')
    files = dict(FILES, **{'main.cf': MAIN, 'master.cf': MASTER, 'gatepost.conf': CONF})
    if callable(change):
        before = files[mistaken]
        files[mistaken] = change(before)
        if files[mistaken] == before:
            raise Failure('nothing was changed')
    for name, text in files.items():
        place.write_old(os.path.join(folder, name), text.replace('/FOLDER', folder))
        os.chmod(os.path.join(folder, name), 0o644)
    if isinstance(change, int):
        os.chmod(os.path.join(folder, mistaken), change)
    os.makedirs(folder + '/queue/gatepost')
    for path in ('/queue/gatepost', '/queue', ''):
        shutil.chown(folder + path, 'nobody')
    said = ''
    for command in (['check'], ['setup', 'postfix', '--check', '--mta-config', folder]):
        said += ctl.run('-c', folder + '/gatepost.conf', *command).stderr
    return said.replace(folder, '')


def possible():
    if os.geteuid() != 0:
        raise Skip('check takes the eyes of another user for root alone')
    if not shutil.which('postconf', path=os.environ.get('PATH', '') + ':/usr/sbin'):
        raise Skip('postconf is not here')


@case('without a mistake nothing is said, but that no daemon runs')
def none():
    possible()
    equal(re.sub('gatepostctl: warning: .*no daemon answers there.*\n', '', look()), '', 'said')


for what, name, change, pattern in MISTAKES:
    def one(name=name, change=change, pattern=pattern):
        possible()
        said = look(name, change)
        if not re.search(pattern, said):
            raise Failure('%r is not in what is said: %s' % (pattern, said))
    case('named: ' + what)(one)


if __name__ == '__main__':
    run()
