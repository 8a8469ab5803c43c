#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Mistakes that somebody makes who sets gatepost up beside Postfix as Debian ships it, with virtual
domains, SASL and a DKIM signer: each is named by gatepostctl check or setup postfix --check, and
without one nothing is."""
import os
import re
import shutil
import subprocess
import sys
sys.path.insert(0, sys.path[0])
import ctl
import gatepost
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
FILES = {'everybody.cf': 'whitelist_from *@*\nblocklist_from <bob@two.example>\n',
         'welcome.cf': 'whitelist_from *@two.example bob@*\nblocklist_from *@*.invalid\nall_spam_to *\n'
         'unwhitelist_from *@*\n',
         'keyed.cf': 'dnsbl IN_ZEN abcdefghijklmnopqrstuvwxyz.zen.dq.spamhaus.net\nscore IN_ZEN 3\n',
         'short': 'secret\n', 'nobody': '# nobody yet\n', 'others': 'carol@one.example carol\n',
         'domains': 'one.example x\ntwo.example x\n', 'senders': 'bob@one.example bob\n'}
PATTERNS = '# patterns: %s\n'
COUNTED = 'recipient_restrictions = check_limit daily permit_mynetworks\n'
LIMIT = '''[limit daily]
key = sasl_user
max = 100
per = %s
'''


def pattern(restriction, line, setting='client_restrictions'):
    '''A list that asks a table of patterns, which is that line.'''
    also = ' reject_unauth_destination' if setting == 'relay_restrictions' else ''
    return lambda text: '%s%s = %s pcre:/FOLDER/patterns%s\n' % (
        PATTERNS % line, setting, restriction, also) + text


def keys(restriction, key, setting='client_restrictions'):
    '''A list that asks a table with that key.'''
    return lambda text: '%s = %s inline:{%s=REJECT}\n' % (setting, restriction, key) + text


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
    ('lists that refuse nobody', 'gatepost.conf',
     lambda text: 'dnsbl_sites = bl.lab.test wl.lab.test=127.0.0.2*-2\nrhsbl_sites = dbl.lab.test\n' + text,
     'the weights of all DNS lists come to 2, and reject_dnsbl refuses from 3 on'),
    ('a class that nothing names', 'gatepost.conf',
     lambda text: 'restriction_classes = ours theirs\nours = reject_unknown_sender_domain\n'
     'theirs = reject\nclient_restrictions = check_client_access inline:{192.0.2.1=theirs}\n' + text,
     'gatepost.conf:2: warning: ours: no list, no class and no table names this class'),
    ('scores that were exchanged', 'gatepost.conf',
     lambda text: 'tag_score = 8\nreject_score = 5\n' + text, 'tag_score 8 is above reject_score 5'),
    ('a profile that marks nothing', 'gatepost.conf',
     lambda text: 'recipient_profiles = inline:{bob@one.example=strict}\n' + text.replace(
         '[listener', '[profile strict]\ntag_score = 12\n[listener'), 'tag_score 12 is above reject_score 10'),
    ('a token that is too short', 'gatepost.conf',
     lambda text: 'web_token_file = /FOLDER/short\n' + text,
     'web_token_file: /short: the first line must have 16'),
    ('a token that is a folder', 'gatepost.conf',
     lambda text: 'web_token_file = /FOLDER\n' + text, 'web_token_file: .*[Ii]s a directory'),
    ('a token without an end', 'gatepost.conf',
     lambda text: 'web_token_file = /dev/zero\n' + text,
     'web_token_file: /dev/zero: it is not a regular file'),
    ('a key of another kind of table, @domain', 'gatepost.conf', keys('check_sender_access', '@two.example'),
     'key "@two.example" can never match: for all addresses of a domain write two.example'),
    ('a key with a star', 'gatepost.conf', keys('check_sender_access', '*@two.example'),
     'key "[*]@two.example" can never match'),
    ('a key of a class with a star', 'gatepost.conf',
     lambda text: 'restriction_classes = a\na = check_helo_access inline:{*.two.example=REJECT}\n'
     'client_restrictions = a\n' + text, 'key "[*].two.example" can never match'),
    ('a network in a table of names', 'gatepost.conf', keys('check_client_access', '192.0.2.0/24'),
     'key "192.0.2.0/24" can never match: a network stands in a cidr: table'),
    ('the beginning of an address, with a dot', 'gatepost.conf', keys('check_client_access', '192.0.2.'),
     'key "192.0.2." can never match'),
    ('a domain with a dot', 'gatepost.conf', keys('check_sender_access', '.two.example'),
     'key ".two.example" can never match: write two.example'),
    ('an address in brackets', 'gatepost.conf', keys('check_recipient_access', '<bob@one.example>'),
     'key "<bob@one.example>" can never match'),
    ('a line of Sendmail\'s access table', 'gatepost.conf', keys('check_client_access', 'Connect:192.0.2'),
     'key "connect:192.0.2" can never match: "WORD:" in front of it is Sendmail'),
    ('a login with its realm', 'gatepost.conf', keys('check_sasl_access', 'bob@example.org'),
     'key "bob@example.org" can never match: example.org is one of sasl_local_realms'),
    ('a fingerprint', 'gatepost.conf',
     lambda text: 'relay_clientcerts = inline:{%s=x}\n' % ':'.join(['0A'] * 20) + text,
     'can never match: it looks like a fingerprint'),
    ('a domain that owns nothing', 'senders', lambda text: text + 'two.example carol\n',
     'senders:2: warning: key "two.example" can never match: for all addresses of a domain write @two'),
    ('a profile for @domain', 'gatepost.conf',
     lambda text: 'recipient_profiles = inline:{@one.example=strict}\n' + text.replace(
         '[listener', '[profile strict]\ntag_score = 3\n[listener'), 'key "@one.example" can never match'),
    ('TLS that nobody has', 'gatepost.conf', lambda text: text.replace('auth_min_ssf = 128', 'auth_min_ssf = 512'),
     'auth_min_ssf: no cipher has more than 256 bits'),
    ('a mechanism that nobody has', 'gatepost.conf', lambda text: 'auth_mechanisms = PLIAN\n' + text,
     'a mechanism "plian"; did you mean plain'),
    ('permits come too late', 'gatepost.conf',
     lambda text: 'relay_restrictions = reject_unauth_destination permit_mynetworks permit\n' + text,
     'permit_mynetworks stands behind reject_unauth_destination'),
    ('the guard sees nobody', 'gatepost.conf',
     lambda text: 'message_restrictions = permit_mynetworks permit_sasl_authenticated guard_autoreply\n' + text,
     'guard_autoreply stands behind permit_mynetworks and permit_sasl_authenticated'),
    ('a history that cannot be written', 'gatepost.conf',
     lambda text: 'history = sqlite:/FOLDER/none/history.db\n' + text, 'history: there is no folder /none'),
    ('a history whose folder cannot be made', 'gatepost.conf',
     lambda text: 'history = sqlite:/FOLDER/none/more/history.db\n' + text, 'history: there is no folder /none/more; make /none, and'),
    ('the history of another user', 'gatepost.conf',
     lambda text: 'history = sqlite:/root/history.db\n' + text, 'history: user "nobody" cannot write to /root'),
    ('a key that everybody is shown', 'gatepost.conf',
     lambda text: 'client_restrictions = reject_rbl_client abcdefghijklmnopqrstuvwxyz.zen.dq.spamhaus.net\n' + text,
     'a list of spamhaus.net has your key in its name'),
    ('refusals that were made soft', 'main.cf', lambda text: text + 'soft_bounce = yes\n',
     'note: soft_bounce = yes: what gatepost refuses'),
    ('refusals of one service that were made soft', 'master.cf',
     lambda text: text.replace('=submission\n', '=submission\n  -o soft_bounce=yes\n'),
     'note: submission/inet/soft_bounce = yes: what gatepost refuses'),
    ('scores that were exchanged, and at one listener nothing is refused', 'gatepost.conf',
     lambda text: 'tag_score = 8\nreject_score = 5\n' + text +
     'message_restrictions = warn_if_reject reject_spam\n', 'tag_score 8 is above reject_score 5'),
    ('greylisting that nobody passes', 'gatepost.conf',
     lambda text: 'recipient_restrictions = permit_mynetworks greylist\ngreylist_delay = 2h\n'
     'greylist_window = 1h\n' + text, 'greylist_window 1h ends before greylist_delay 2h'),
    ('a group of readers that is not', 'gatepost.conf', lambda text: 'read_socket_group = gatepost-wbe\n' + text,
     'read_socket_group: there is no group "gatepost-wbe"'),
    ('everybody is welcome', 'gatepost.conf', lambda text: 'rule_files = /FOLDER/everybody.cf\n' + text,
     'everybody.cf:1: warning: whitelist_from [*]@[*]: that is everybody'),
    ('an address in brackets is blocked', 'gatepost.conf', lambda text: 'rule_files = /FOLDER/everybody.cf\n' + text,
     'everybody.cf:2: warning: blocklist_from <bob@two.example>: an address is compared without'),
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
    ('a domain in quotes', 'gatepost.conf',
     lambda text: text.replace('local_domains =', 'local_domains = "one.example"'),
     '""one.example"" is no name'),
    ('a range of addresses', 'gatepost.conf',
     lambda text: text.replace('192.0.2.0/24', '192.0.2.1-192.0.2.9'), '"192.0.2.1-192.0.2.9": not an IP address'),
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
    ('a profile for nobody', 'gatepost.conf',
     lambda text: text.replace('[listener', '[profile strict]\ntag_score = 3\n[listener'),
     'gatepost.conf:[0-9]+: warning: profile strict is nobody.s'),
    ('a pattern that goes on', 'gatepost.conf', pattern('check_client_access', '/\\.two\\.example/ OK'),
     'patterns:1: warning: check_client_access: nothing ends the pattern'),
    ('a pattern that begins anywhere', 'gatepost.conf',
     pattern('check_sender_access', '/(one|two)\\.example$/ permit'),
     'patterns:1: warning: check_sender_access: nothing begins the pattern'),
    ('an address by its first numbers', 'gatepost.conf',
     pattern('check_client_access', '/^192\\.0\\.2\\./ OK'), 'nothing ends the pattern'),
    ('one of several patterns goes on', 'gatepost.conf',
     pattern('check_helo_access', '/^mx\\.two\\.example$|^one\\.example/ RELAY'),
     'check_helo_access: nothing ends the pattern'),
    ('a pattern lets relay', 'gatepost.conf',
     lambda text: pattern('check_recipient_access', '/@one\\.example/ OK', 'relay_restrictions')(text),
     'check_recipient_access: nothing ends the pattern'),
    ('a pattern in a class', 'gatepost.conf',
     lambda text: 'restriction_classes = ours\nours = check_client_access pcre:/FOLDER/patterns\n'
     'client_restrictions = ours\n' + PATTERNS % '/two\\.example$/ OK' + text,
     'check_client_access: nothing begins the pattern'),
    ('a login that owns too much', 'gatepost.conf',
     lambda text: PATTERNS % '/bob@one\\.example$/ bob' + text.replace(
         'sender_login_maps = ', 'sender_login_maps = pcre:/FOLDER/patterns '),
     'sender_login_maps: nothing begins the pattern'),
    ('local domains by half', 'gatepost.conf',
     lambda text: PATTERNS % '/\\.one\\.example/ x' + text.replace(
         'local_domains = ', 'local_domains = regexp:/FOLDER/patterns '),
     'local_domains: nothing ends the pattern'),
    ('quotas that a restart forgets', 'gatepost.conf',
     lambda text: COUNTED + text.replace('[listener', LIMIT % '1d' + '[listener'),
     'state = memory: limits begin at nothing after each restart'),
    ('a profile for nobody here', 'gatepost.conf',
     lambda text: 'recipient_profiles = inline:{bob@oen.example=strict}\n' + text.replace(
         '[listener', '[profile strict]\ntag_score = 3\n[listener'),
     'recipient_profiles: bob@oen.example is at no domain of local_domains'),
    ('everybody has logged in', 'main.cf',
     lambda text: text + 'milter_macro_defaults = auth_type=PLAIN, {auth_authen}=bob\n',
     'milter_macro_defaults gives {auth_authen} to every client'),
    ('everybody has logged in at one service', 'master.cf',
     lambda text: text.replace('=submission\n', '=submission\n  -o milter_macro_defaults=auth_authen=bob\n'),
     'submission/inet/milter_macro_defaults gives {auth_authen}'),
    ('what a filter gives back is judged again', 'master.cf',
     lambda text: text.replace('daemon_name=smtp\n', 'daemon_name=smtp\n  -o content_filter=scan:[127.0.0.1]:10024\n')
     + '127.0.0.1:10025 inet n - n - - smtpd\n  -o content_filter=\n',
     '127.0.0.1:10025/inet: what comes back there from content_filter = scan:'),
    ('a listener that shows nothing', 'master.cf',
     lambda text: text.replace('=submission\n', '=submission\n  -o receive_override_options=no_milters\n'),
     'submission/inet shows milters nothing .receive_override_options'),
    ('a listener with the signer alone', 'master.cf',
     lambda text: text.replace('=submission\n', '=submission\n  -o smtpd_milters=inet:127.0.0.1:8891\n'),
     'submission/inet has smtpd_milters of its own, which leave gatepost out'),
    ('owners of addresses for one service', 'master.cf',
     lambda text: text.replace('=submission\n', '=submission\n  -o smtpd_sender_login_maps=hash:/FOLDER/others\n'),
     'sender_login_maps lacks hash:/others, which submission/inet has'),
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
    patterns = re.findall('(?m)^# patterns: (.*)', files['gatepost.conf'])
    files['patterns'] = ''.join(line + '\n' for line in patterns)
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


for what, name, change, named in MISTAKES:
    def one(name=name, change=change, named=named):
        possible()
        said = look(name, change)
        if not re.search(named, said):
            raise Failure('%r is not in what is said: %s' % (named, said))
    case('named: ' + what)(one)


# What looks like one of them and is right: nothing is said.
RIGHT = [
    ('patterns with both ends, %s' % line.split()[0], 'gatepost.conf',
     pattern('check_client_access', line))
    for line in ('/\\.two\\.example$/ OK', '/^mx[0-9]+\\.two\\.example$/ OK',
                 '/(^|\\.)two\\.example$/ OK', '/^(one|two)\\.example$|^192\\.0\\.2\\.1$/ OK',
                 '/./ OK', '/^/ OK', '/^.*$/ OK', '/two\\.example/ REJECT', '/two\\.example/ DUNNO',
                 '!/two\\.example/ OK', '/two\\.example/ DEFER', '/^192\\.0\\.2\\.[0-9]+$/ OK',
                 '/\\w+\\.two\\.example$/ OK', '/^(\\w+\\.)?two\\.example$/ OK',
                 '/(\\.one\\.example|\\.two\\.example)$/ OK')
] + [
    ('any domain is meant', 'gatepost.conf', pattern('check_sender_access', '/^bob@/ OK')),
    ('any local part is meant', 'gatepost.conf', pattern('check_sender_access', '/@two\\.example$/ OK')),
    ('a part of a local part is meant', 'gatepost.conf',
     pattern('check_sender_access', '/-bounces@two\\.example$/ OK')),
    ('who writes to a recipient gains nothing', 'gatepost.conf',
     pattern('check_recipient_access', '/abuse@/ OK', 'client_restrictions')),
    ('a block has the ends', 'gatepost.conf',
     lambda text: ''.join(PATTERNS % line for line in ('if /^mx\\.two\\.example$/', '/two/ OK', 'endif'))
     + 'client_restrictions = check_client_access pcre:/FOLDER/patterns\n' + text),
    ('words in a field', 'gatepost.conf',
     pattern('check_header_access List-Id', '/announce/ OK', 'message_restrictions')),
    ('a list that refuses by itself', 'gatepost.conf', lambda text: 'dnsbl_sites = bl.lab.test*3\n' + text),
    ('lists that a profile makes refuse', 'gatepost.conf',
     lambda text: 'dnsbl_sites = bl.lab.test\nrecipient_profiles = inline:{bob@one.example=strict}\n' +
     text.replace('[listener', '[profile strict]\ndnsbl_threshold = 1\n[listener')),
    ('lists for greylisting', 'gatepost.conf',
     lambda text: 'dnsbl_sites = bl.lab.test\nrecipient_restrictions = permit_mynetworks reject_dnsbl greylist\n' + text),
    ('classes in a listener, in a class, in a table', 'gatepost.conf',
     lambda text: 'restriction_classes = a b c\na = b\nb = reject_unknown_sender_domain\nc = reject\n'
     'client_restrictions = check_client_access pcre:/FOLDER/patterns\n' + PATTERNS % '/^x$/ c' + text
     + 'sender_restrictions = a\n'),
    ('a table that has nobody yet', 'gatepost.conf',
     lambda text: 'restriction_classes = ours\nours = reject_unknown_sender_domain\n'
     'client_restrictions = check_client_access texthash:/FOLDER/nobody\n' + text),
    ('where nothing is refused by score, all that is spam is marked', 'gatepost.conf',
     lambda text: 'tag_score = 8\nreject_score = 5\nmessage_restrictions = permit_mynetworks '
     'warn_if_reject reject_spam\n' + text),
    ('the same at one listener', 'gatepost.conf',
     lambda text: text + 'tag_score = 12\nmessage_restrictions = warn_if_reject reject_spam\n'),
    ('no marks are wanted', 'gatepost.conf', lambda text: 'tag_score = 999\nreject_score = 7\n' + text),
    ('a strict profile refuses from where others are marked', 'gatepost.conf',
     lambda text: 'recipient_profiles = inline:{bob@one.example=strict}\n' + text.replace(
         '[listener', '[profile strict]\nreject_score = 4\n[listener')),
    ('a listener whose lists refuse', 'gatepost.conf',
     lambda text: 'dnsbl_sites = bl.lab.test\n' + text + 'dnsbl_threshold = 1\n'),
    ('keys as access tables have them', 'gatepost.conf',
     lambda text: 'client_restrictions = check_client_access inline:{192.0.2=REJECT, two.example=OK, '
     '2001:db8=OK, 2001:db8::1=OK, 10.1.2.3=OK}\nsender_restrictions = check_sender_access '
     'inline:{bob@=REJECT, bob@two.example=OK, two.example=OK, <>=OK, bob+x@two.example=OK}\n' + text),
    ('a file for several masters', 'gatepost.conf',
     lambda text: 'sender_restrictions = check_sender_access inline:{two.example=REJECT, .two.example=REJECT, '
     '@two.example=REJECT}\n' + text),
    ('logins of another realm', 'gatepost.conf', keys('check_sasl_access', 'bob@other.example')),
    ('owners in the file of virtual aliases', 'senders',
     lambda text: text + 'one.example anything\ntwo.example anything\n@two.example carol\n'),
    ('logins with and without their realm', 'gatepost.conf',
     lambda text: 'client_restrictions = check_sasl_access inline:{bob@example.org=REJECT, bob=REJECT}\n' + text),
    ('owners as login maps have them', 'senders',
     lambda text: text + '@two.example carol\nbob.smith carol\ndave dave\n'),
    ('subjects of certificates', 'gatepost.conf',
     lambda text: 'relay_clientcerts = inline:{/C=DE/CN=branch=x, a0:b1=x, branch+20office=x}\n' + text),
    ('permits before other refusals', 'gatepost.conf',
     lambda text: 'relay_restrictions = permit_sasl_authenticated reject_unauth_destination permit_mynetworks '
     'reject_unknown_sender_domain\n' + text),
    ('a permit before a bare refusal', 'gatepost.conf',
     lambda text: 'relay_restrictions = reject_unauth_destination permit_mynetworks reject\n' + text),
    ('a permit for this site alone', 'gatepost.conf',
     lambda text: 'relay_restrictions = permit_mynetworks reject_unauth_destination permit_auth_destination\n' + text),
    ('a relay list that ends in permit', 'gatepost.conf',
     lambda text: 'relay_restrictions = permit_mynetworks reject_unauth_destination permit\n' + text),
    ('the guard is for logins alone', 'gatepost.conf',
     lambda text: 'message_restrictions = permit_mynetworks guard_autoreply permit_sasl_authenticated '
     'reject_spam\n' + text),
    ('a key that has another name', 'gatepost.conf',
     lambda text: 'dnsbl_sites = abcdefghijklmnopqrstuvwxyz.zen.dq.spamhaus.net*3\n'
     'dnsbl_reply_map = inline:{abcdefghijklmnopqrstuvwxyz.zen.dq.spamhaus.net=zen.spamhaus.org}\n' + text),
    ('keys of lists that no reply names', 'gatepost.conf',
     lambda text: 'dnsbl_sites = abcdefghijklmnopqrstuvwxyz.white.mail.abusix.zone=127.0.2.1*-1 bl.lab.test*3\n'
     'rule_files = /FOLDER/keyed.cf\nmessage_restrictions = permit_mynetworks reject_spam\n' + text),
    ('mechanisms that are', 'gatepost.conf',
     lambda text: 'auth_mechanisms = plain, LOGIN SCRAM-SHA-256 SCRAM-SHA-384 GS2-KRB5 X-OURS !NTLM\n' + text),
    ('a token that is still to be made', 'gatepost.conf',
     lambda text: 'web_token_file = /FOLDER/none\n' + text),
    ('a window longer than the delay', 'gatepost.conf',
     lambda text: 'recipient_restrictions = permit_mynetworks greylist\ngreylist_delay = 1h\n'
     'greylist_window = 2h\n' + text),
    ('addresses that are welcome', 'gatepost.conf', lambda text: 'rule_files = /FOLDER/welcome.cf\n' + text),
    ('minutes may be forgotten', 'gatepost.conf',
     lambda text: COUNTED + text.replace('[listener', LIMIT % '10m' + '[listener')),
    ('quotas in a file', 'gatepost.conf',
     lambda text: COUNTED + text.replace('memory:', 'sqlite:/FOLDER/queue/state.db').replace(
         '[listener', LIMIT % '1d' + '[listener')),
    ('profiles of local domains', 'gatepost.conf',
     lambda text: 'recipient_profiles = inline:{bob@one.example=strict, two.example=strict, .example=strict}\n' +
     text.replace('[listener', '[profile strict]\ntag_score = 3\n[listener')),
    ('profiles at one listener alone', 'gatepost.conf',
     lambda text: text.replace('[listener', '[profile strict]\ntag_score = 3\n[listener') +
     'recipient_profiles = inline:{bob@one.example=strict}\n'),
    ('macros that gatepost does not believe', 'main.cf',
     lambda text: text + 'milter_macro_defaults = {if_name}=eth0\n'),
    ('a filter gives back to a service without milters', 'master.cf',
     lambda text: text.replace('daemon_name=smtp\n', 'daemon_name=smtp\n  -o content_filter=scan:[127.0.0.1]:10024\n')
     + '127.0.0.1:10025 inet n - n - - smtpd\n  -o content_filter=\n  -o smtpd_milters=\n'
     + '127.0.0.1:10026 inet n - n - - smtpd\n  -o content_filter=\n'
     '  -o receive_override_options=no_milters\n'),
    ('a service for this machine without a filter anywhere', 'master.cf',
     lambda text: text + '127.0.0.1:10025 inet n - n - - smtpd\n  -o milter_macro_daemon_name=inner\n'),
    ('a service says the same as main.cf', 'master.cf',
     lambda text: text.replace('=submission\n', '=submission\n  -o smtpd_sender_login_maps=hash:/FOLDER/senders\n')),
]

for what, name, change in RIGHT:
    def right(name=name, change=change):
        possible()
        equal(re.sub('gatepostctl: warning: .*no daemon answers there.*\n', '', look(name, change)), '',
              'said')
    case('not named: ' + what)(right)


@case('a public resolver in resolv.conf is named where lists refuse it, and nowhere else')
def resolver():
    possible()
    folder = place.folder('gatepost-resolver-')
    for server, lists, named in (('8.8.8.8', 'zen.spamhaus.org', True), ('8.8.8.8', 'key.zen.dq.spamhaus.net', False),
                                 ('2620:fe::fe', 'x.uribl.com', True),
                                 ('192.0.2.53', 'zen.spamhaus.org', False),
                                 ('8.8.8.8', 'bl.lab.test', False), ('8.8.8.88', 'zen.spamhaus.org', False)):
        place.write_old(folder + '/resolv.conf', '# 8.8.8.8\nnameserver %s\n' % server)
        place.write_old(folder + '/gatepost.conf', 'user = root\nlocal_domains = one.example\nstate = memory:\n'
                        'client_restrictions = reject_rbl_client %s\n' % lists)
        done = subprocess.run(
            ['unshare', '--mount', '--propagation', 'private', 'sh', '-c',
             'mount --bind "$1" /etc/resolv.conf && exec "$2" -c "$3" check', 'sh', folder + '/resolv.conf',
             gatepost.CONTROL, folder + '/gatepost.conf'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if 'mount:' in done.stdout or 'unshare:' in done.stdout:
            raise Skip('nothing can be mounted here')
        pattern = r'/etc/resolv\.conf:2: warning: %s serves everybody, and %s' % (server, lists)
        if bool(re.search(pattern, done.stdout)) != named or ('serves' in done.stdout) != named:
            raise Failure('%s, %s: %s' % (server, lists, done.stdout))


if __name__ == '__main__':
    run()
