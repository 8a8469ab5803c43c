#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What administrators rely on, a row each: parameters and their defaults, words, the exact text of
messages and replies. A row changes only together with the manual and CHANGELOG."""
import json
import os
import random
import re
import socket
import sys
import threading
sys.path.insert(0, sys.path[0])
import ctl
import place
from tap import CASES, absent, case, equal, match, run, true

SITE = 'local_domains = example.org\n'
MESSAGE = 'From: A <a@far.example>\nTo: bob@example.org\nSubject: x\n\nbody\n'

DEFAULTS = {
    'milter_socket': 'unix:/run/gatepost/milter.sock',
    'milter_socket_mode': '0660',
    'milter_socket_group': '',
    'milter_engine': 'libmilter',
    'milter_threads': '0',
    'user': 'gatepost',
    'mode': 'enforce',
    'mynetworks': '127.0.0.0/8 [::1]/128',
    'recipient_delimiter': '',
    'untrusted_listeners': '',
    'submission_listeners': 'submission submissions :587 :465',
    'sender_login_maps': '',
    'sasl_local_realms': '',
    'relay_clientcerts': '',
    'auth_min_ssf': '128',
    'auth_mechanisms': '',
    'delay_checks': 'yes',
    'client_restrictions': '',
    'helo_restrictions': '',
    'sender_restrictions': 'reject_cleartext_auth reject_authenticated_sender_login_mismatch '
                           'permit_mynetworks reject_unauthenticated_sender_login_mismatch',
    'relay_restrictions': 'permit_mynetworks permit_sasl_authenticated permit_tls_clientcerts '
                          'reject_unauth_destination',
    'recipient_restrictions': 'permit_mynetworks permit_sasl_authenticated reject_dnsbl',
    'message_restrictions': 'guard_autoreply permit_mynetworks permit_sasl_authenticated '
                            'reject_spam',
    'restriction_classes': '',
    'header_limit': '1m',
    'max_visible_recipients': '0',
    'dnsbl_sites': '',
    'rhsbl_sites': '',
    'hashbl_sites': '',
    'dnsbl_threshold': '3',
    'dnsbl_reply_map': '',
    'dnsbl_timeout': '5s',
    'dns_servers': '',
    'tag_score': '5.0',
    'reject_score': '10.0',
    'recipient_profiles': '',
    'mixed_recipients': 'lenient',
    'autoreply_guard': 'reject',
    'bounce_senders': '<> postmaster mailer-daemon double-bounce bounce bounces noreply no-reply '
                      'do-not-reply donotreply *-bounces bounces+* prvs=*',
    'state': 'sqlite:/var/lib/gatepost/gatepost.db',
    'log_target': 'syslog',
    'log_format': 'text',
}


def printed(text):
    """NAME = VALUE lines as config prints them, the folders of this build made the usual ones."""
    found = dict(re.findall(r'(?m)^([a-z_]+) =(?: (.*))?$', text))
    for name in ('milter_socket', 'state'):
        found[name] = re.sub(r'(unix|sqlite):\S*/(run|var)/', r'\1:/\2/', found[name])
    return found


@case('every parameter has the default that is promised')
def defaults():
    done = ctl.run('config', '-d')
    found = printed(done.stdout)
    equal({name: found.get(name) for name in DEFAULTS}, DEFAULTS)
    match('(?m)^# local_domains is not set$', done.stdout)
    match(r'^rule_files = \S+/gatepost/rules \S+/gatepost/rules$',
          ctl.run('config', '-d', 'rule_files').stdout)


@case('what nobody sets is the default')
def untouched():
    found = printed(ctl.run('-c', '/dev/null', 'config').stdout)
    equal({name: found.get(name) for name in DEFAULTS}, DEFAULTS)


@case('a word of each type is read, and shown as it was written')
def types():
    for line in ('dnsbl_timeout = 30', 'dnsbl_timeout = 60s', 'dnsbl_timeout = 1m',
                 'stop_timeout = 10m', 'header_limit = 1000', 'header_limit = 64k',
                 'header_limit = 256m', 'tag_score = -1.25', 'tag_score = 7', 'delay_checks = No',
                 'milter_socket_mode = 0777', 'mode = Monitor', 'log_format = JSON',
                 'milter_socket = inet:20025@localhost', 'milter_socket = inet6:20025@::1',
                 'milter_socket = inet6:20025@[::1]', 'milter_engine = libmilter', 'milter_engine = native', 'milter_threads = 4',
                 'dnsbl_threshold = -5', 'auth_min_ssf = 0'):
        settings = ctl.Settings(SITE + line + '\n')
        done = settings.run('check')
        equal(done.returncode, 0, '%s: %s' % (line, done.stderr))
        equal(settings.run('config', line.split()[0]).stdout.strip(), line)


# Lines, and what must be said of the last one.
MISTAKES = [
    ('milter_engine = other', 'milter_engine: .*libmilter'),
    ('milter_threads = 1000', 'milter_threads: .*256'),
    ('state = rediss://u:p@127.0.0.1', 'state: .*(no TLS.*hiredis|no password here)'),
    ('state = rediss:127.0.0.1', r'state: .*redis://HOST\[:PORT\]'),
    ('state = redis://u:p@127.0.0.1', 'state: .*no password here.*state_password_file'),
    ('state = redis://127.0.0.1:0', 'state: .*port is a number'),
    ('state = redis://::1', 'state: .*brackets'),
    ('state = redis://[::1]6379', 'state: .*brackets'),
    ('state = redis://[::1]x:6379', 'state: .*brackets'),
    ('state = redis://a/1,b/2', 'state: .*one database'),
    ('state = redis:127.0.0.1', r'state: .*redis://HOST\[:PORT\]'),
    ('state_timeout = 20s', 'state_timeout: "20s" is more than'),
    ('[limit x]', r'\[limit x\]: key must be set'),
    ('[limit x]\nkey = sasl_user\nper = 1d\nmax = 0', 'max: 0 .*unlimited.*reject'),
    ('[limit x]\nkey = sasl_user\nper = 1d\nmax = 5k', 'max: "5k" is not a number from 1'),
    ('[limit x]\nkey = sasl_user\nmax = 5\nper = 30s', 'per: "30s" is not a time from 1m'),
    ('[limit x]\nmax = 5\nper = 1d\nkey = sender+clinet', 'key: .*did you mean "client"'),
    ('[limit x]\nmax = 5\nper = 1d\nkey = sender\nfor = nobody', 'for: "nobody" is not one of'),
    ('limit_timezone = Europe/Nowhere', 'limit_timezone: there is no time zone "Europe/Nowhere"'),
    ('limit_notice = admin', 'limit_notice: "admin" is not an address'),
    ('limit_notice = a@b.example\nnotice_server = unix:/x', 'notice_server: write an address'),
    ('limit_warn = 80', 'limit_warn: "80" is not a percentage'),
    ('recipient_restrictions = check_limit outgoing', r'there is no section \[limit outgoing\]'),
    ('message_restrictions = greylist', 'greylist decides for one recipient'),
    ('greylist_when = never', 'greylist_when: "never" is not one of'),
    ('greylist_delay = 2d', 'greylist_delay: "2d" is more than'),
    ('mynetwork = 127.0.0.1', 'unknown parameter "mynetwork"; did you mean "mynetworks"'),
    ('MODE = monitor', 'did you mean "mode"'),
    ('smtpd_relay_restrictions = reject', 'did you mean "relay_restrictions"'),
    ('postscreen_dnsbl_sites = bl.example', 'did you mean "dnsbl_sites"'),
    ('[lsitener x]', r'did you mean \[listener NAME\]'),
    ('[listener]', r'\[listener\] needs a name'),
    ('[listener :0]', 'from 1 to 65535'),
    ('mode', 'no "=" in "mode"'),
    ('= monitor', 'no name stands before'),
    ('dnsbl_timeout = 61s', '"61s" is more than the most, 1m'),
    ('dnsbl_timeout = 99999999999999999999w', 'is more than the most'),
    ('dnsbl_timeout = 5 y', 'is not a time'),
    ('header_limit = 257m', 'is more than the most, 256m'),
    ('header_limit = 0', 'is less than the least, 1'),
    ('header_limit = many', 'is not a size'),
    ('auth_min_ssf = -1', 'is less than the least, 0'),
    ('tag_score = 5,5', 'is not a score'),
    ('delay_checks = maybe', 'is not yes or no'),
    ('mode = log', 'is not one of enforce, monitor'),
    ('mixed_recipients = strict', 'is not one of lenient, split'),
    ('autoreply_guard = drop', 'is not one of reject, strip, tag, off'),
    ('log_target = file', 'is not one of syslog, stderr, journal'),
    ('log_format = xml', 'is not one of text, json'),
    ('milter_socket_mode = 888', 'is not an octal number'),
    ('milter_socket = inet:20025', 'PORT@HOST'),
    ('milter_socket = inet:99999@127.0.0.1', 'from 1 to 65535'),
    ('milter_socket = unix:run/sock', 'the path must be absolute'),
    ('milter_socket = unix:/' + 'x' * 108, 'longer than the 107 bytes'),
    ('user =', 'must not be empty'),
    ('mynetworks = $mynetwork', 'unknown parameter "mynetwork"'),
    ('mynetworks = $mynetworks', 'leads back to itself'),
    ('mynetworks = {127.0.0.1', 'a brace has no partner'),
    ('mynetworks = 10.0.0.1/8', 'did you mean 10.0.0.0/8'),
    ('mynetworks = 2001:db8::/32', r'\[2001:db8::\]/32'),
    ('mynetworks = ::1', r'\[::1\]'),
    ('mynetworks = /nonexistent', 'cannot read /nonexistent'),
    ('mynetworks = cidr:/nonexistent', 'cannot read table /nonexistent'),
    ('local_domains = ldap:x', 'tables of type "ldap" are not supported; use texthash'),
    ('[profile x]\nmynetworks = 10.0.0.1', 'mynetworks cannot be set in .profile x.; .*listener'),
    ('[listener x]\nuser = nobody', 'user holds for the whole of gatepost'),
    ('score RULE = 1', 'score belongs in a section .profile NAME.'),
    ('relay_restrictions =', 'everybody may relay'),
    ('relay_restrictions = permit_mynetworks', 'everybody may relay'),
    ('relay_restrictions = warn_if_reject reject_unauth_destination', 'everybody may relay'),
    ('[listener x]\nrelay_restrictions = permit_mynetworks', 'everybody may relay'),
    ('client_restrictions = check_client_access', 'needs a lookup table'),
    ('client_restrictions = reject_rbl_client', 'needs the name of a DNS list'),
    ('client_restrictions = permit warn_if_reject', 'warn_if_reject needs a restriction behind'),
    ('client_restrictions = reject_spam', 'put it into message_restrictions'),
    ('client_restrictions = check_header_access Subject', 'check_header_access'),
    ('message_restrictions = reject_unauth_destination', 'put it into recipient_restrictions'),
    ('client_restrictions = reject_unknown_clients', 'did you mean "reject_unknown_client"'),
    ('sender_restrictions = check_sender_access inline:{a=DISCARD}', 'DISCARD'),
    ('a = b\nb = warn_if_reject c\nc = a\nrestriction_classes = a b c\nb = c', 'b: .*'
     'the class c leads back to itself|c: the class a leads back to itself'),
    ('restriction_classes = a\na = permit, a', 'a: the class a leads back to itself'),
    ('restriction_classes = permit', '"permit" is a restriction'),
    ('restriction_classes = Reject_Unknown_Client', 'is a restriction'),
    ('restriction_classes = check_policy_service', 'is a restriction'),
    ('restriction_classes = mynetworks', '"mynetworks" is a parameter'),
    ('restriction_classes = 7up', 'is no name for a class'),
    ('restriction_classes = a\na = rejekt', 'a: unknown restriction "rejekt"; did you mean'),
    ('restriction_classes = a\na = check_sender_access', 'a: check_sender_access needs a lookup'),
    ('restriction_classes = a\na = check_sender_access inline:{x=DISCARD}', 'DISCARD'),
    ('restriction_classes = a\na = permit\nb = permit', 'unknown parameter "b"'),
    ('restriction_classes = a\n[profile x]\na = permit', 'unknown parameter "a"'),
    ('restriction_classes = a\na = reject_spam\nclient_restrictions = a',
     'put it into message_restrictions'),
    ('restriction_classes = a\na = reject_unauth_destination\nmessage_restrictions = a',
     'put it into recipient_restrictions'),
    ('restriction_classes = a\na = inline:{x=REJECT}\nmessage_restrictions = a',
     'the class a holds a bare table'),
    ('restriction_classes = a\na = permit_mynetworks\nrelay_restrictions = a',
     'everybody may relay'),
    ('restriction_classes = a\na = reject\nrelay_restrictions = warn_if_reject a',
     'everybody may relay'),
    ('restriction_classes = a\na = reject\nrelay_restrictions = check_client_access static:a',
     'everybody may relay'),
    ('sender_restrictions = check_sender_access static:{FILTER smtp:x}', 'FILTER'),
    ('sender_restrictions = check_sender_access inline:{{a=REDIRECT b@c}}', 'REDIRECT'),
    ('sender_restrictions = check_sender_access inline:{{a=BCC b@c}}', 'BCC'),
]


def mistake(text, pattern):
    settings = ctl.Settings(SITE + text + '\n')
    line = len((ctl.SURROUNDINGS + SITE + text).splitlines())
    for command in (['check'], ['test']):
        done = settings.run(*command)
        equal(done.returncode, 78, 'exit of %s (%s)' % (command[0], done.stderr))
        equal(done.stdout, '', 'stdout of ' + command[0])
    match(r'(?m)^%s:%d: error: .*%s' % (re.escape(settings.file), line, pattern),
          settings.run('check').stderr)


for text, pattern in MISTAKES:
    CASES.append(('a mistake: ' + repr(text)[:70],
                  lambda text=text, pattern=pattern: mistake(text, pattern)))


@case('a Redis server that hangs up at once is no end of check')
def hangs_up():
    path = place.folder('gatepost-hangs-up-') + '/socket'
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()

        def serve():
            while True:
                try:
                    server.accept()[0].close()
                except OSError:
                    return
        threading.Thread(target=serve, daemon=True).start()
        settings = ctl.Settings(SITE + 'state = redis+unix:%s\n' % path)
        # whether it hangs up before it is asked something is chance
        equal({settings.run('check').returncode for _ in range(20)}, {0}, 'exits')
        server.shutdown(socket.SHUT_RDWR)


@case('rediss:// is spoken where hiredis can, and where not, an error says so')
def redis_over_tls():
    settings = ctl.Settings(SITE + 'state = rediss://127.0.0.1:1\n')
    done = settings.run('check')
    if done.returncode:
        match(r'(?m)^\S+:\d+: error: state: .*no TLS .*\(hiredis before 1\.0 cannot\).*stunnel',
              done.stderr)
        equal(done.returncode, 78)
    else:
        equal(settings.run('config', 'state').stdout.strip(), 'state = rediss://127.0.0.1:1')


# Restrictions

PLAIN = '''permit reject defer defer_if_permit defer_if_reject permit_mynetworks
    permit_inet_interfaces permit_sasl_authenticated permit_tls_clientcerts
    permit_tls_all_clientcerts permit_auth_destination reject_unauth_destination
    defer_unauth_destination reject_sender_login_mismatch reject_authenticated_sender_login_mismatch
    reject_unauthenticated_sender_login_mismatch reject_known_sender_login_mismatch
    reject_plaintext_session reject_invalid_helo_hostname reject_non_fqdn_helo_hostname
    reject_unknown_helo_hostname reject_non_fqdn_sender reject_non_fqdn_recipient
    reject_unknown_sender_domain reject_unknown_recipient_domain reject_unknown_client_hostname
    reject_unknown_reverse_client_hostname reject_unknown_client reject_invalid_hostname
    reject_non_fqdn_hostname reject_unknown_hostname reject_cleartext_auth reject_dnsbl'''.split()
TABLES = '''check_client_access check_helo_access check_sender_access check_recipient_access
    check_sasl_access check_ccert_access check_reverse_client_hostname_access'''.split()
ZONES = '''reject_rbl_client reject_rhsbl_client reject_rhsbl_helo reject_rhsbl_sender
    reject_rhsbl_recipient reject_rhsbl_reverse_client permit_dnswl_client
    permit_rhswl_client'''.split()
OF_MESSAGES = ['reject_from_login_mismatch', 'reject_spam', 'guard_autoreply',
               'check_from_access inline:{a=OK}', 'check_header_access Subject inline:{a=OK}']
NOT_SERVED = '''check_policy_service reject_unverified_sender reject_unverified_recipient
    reject_unauth_pipelining permit_mx_backup reject_unlisted_sender reject_unlisted_recipient
    reject_multi_recipient_bounce check_sender_mx_access check_helo_ns_access check_client_a_access
    check_etrn_access permit_naked_ip_address reject_maps_rbl check_relay_domains sleep'''.split()


@case("all of Postfix's words that a milter can serve are read, under warn_if_reject too")
def words():
    every = (PLAIN + [word + ' inline:{a=OK}' for word in TABLES] +
             [word + ' bl.example' for word in ZONES] +
             [word + ' bl.example=127.0.0.[2..9;11]' for word in ZONES])
    for prefix in ('', 'warn_if_reject '):
        for name in ('recipient_restrictions', 'relay_restrictions'):
            text = '%s = %s\n  reject_unauth_destination\n' % (name, '\n  '.join(
                prefix + word for word in every))
            done = ctl.Settings(SITE + text).run('check')
            equal(done.returncode, 0, done.stderr)
    done = ctl.Settings(SITE + 'message_restrictions = %s\n' % ' '.join(OF_MESSAGES)).run('check')
    equal(done.returncode, 0, done.stderr)


@case('words that a milter cannot serve say so, each of them')
def not_served():
    settings = ctl.Settings(SITE + 'recipient_restrictions = %s\n' % '\n  '.join(
        word + (' inet:127.0.0.1:10023' if word.startswith('check_') else '')
        for word in NOT_SERVED))
    done = settings.run('check')
    equal(done.returncode, 78)
    for word in NOT_SERVED:
        match(r'(?m)^%s:\d+: error: .*"%s" cannot be used here: \w' % (settings.file, word),
              done.stderr)
    equal(done.stderr.count('error:'), len(NOT_SERVED), 'errors')


@case('the argument of a word that is not there yet is no mistake of its own')
def later_argument():
    done = ctl.Settings(SITE + 'recipient_restrictions = check_limit out, reject_unknwon_client, '
                        'sleep 5 permit\n').run('check')
    equal(done.stderr.count('error:'), 3, done.stderr)


CODES = {  # plain words, in the list of each kind
    'client': '<unknown[203.0.113.1]>: Client host', 'helo': '<x.far.example>: Helo command',
    'sender': '<a@far.example>: Sender address',
    'recipient': '<bob@example.org>: Recipient address'}
ENVELOPE = '--helo x.far.example --from a@far.example --rcpt bob@example.org'
for kind, what in CODES.items():
    for word, verdict, reply in (
            ('reject', 'reject', '554 5.7.1 %s rejected: Access denied'),
            ('defer', 'tempfail', '450 4.3.2 %s rejected: Try again later'),
            ('defer_if_permit', 'tempfail', '450 4.7.0 %s rejected: defer_if_permit requested')):
        ctl.rows('%s in %s_restrictions' % (word, kind), SITE + '%s_restrictions = %s\n'
                 % (kind, word), (ENVELOPE, '%s rcpt %s' % (verdict, word), reply % what))
ctl.rows('defer_unauth_destination', SITE +
         'relay_restrictions = defer_unauth_destination\n',
         ('--rcpt x@far.example', 'tempfail rcpt defer_unauth_destination',
          '454 4.7.1 <x@far.example>: Relay access denied'))
ctl.rows('an address literal that is none', SITE + 'helo_restrictions = '
         'reject_invalid_helo_hostname\n',
         ('--helo [1.2.3]', 'reject rcpt reject_invalid_helo_hostname',
          '501 5.5.2 <[1.2.3]>: Helo command rejected: invalid ip address'))

# Access tables: value, verdict, what the reply is.
HOST = ' <h.example[198.51.100.1]>: Client host rejected: '
RESULTS = [
    ('OK', 'accept', None), ('ok', 'accept', None), ('RELAY', 'accept', None),
    ('12345', 'accept', None), ('DUNNO', 'accept', None), ('INFO a text', 'accept', None),
    ('WARN', 'accept', None), ('HOLD why', 'hold', None), ('PREPEND X-Seen: yes', 'accept', None),
    ('REJECT', 'reject', '554 5.7.1' + HOST + 'Access denied'),
    ('reject go away', 'reject', '554 5.7.1' + HOST + 'go away'),
    ('REJECT 5.7.99 go away', 'reject', '554 5.7.99' + HOST + 'go away'),
    ('DEFER', 'tempfail', '450 4.7.1' + HOST + 'Access denied'),
    ('DEFER 4.3.9 later', 'tempfail', '450 4.3.9' + HOST + 'later'),
    ('DEFER_IF_PERMIT', 'tempfail', '450 4.7.1' + HOST + 'Service unavailable'),
    ('DEFER_IF_REJECT later', 'accept', None),
    ('550 go away', 'reject', '550 5.7.1' + HOST + 'go away'),
    ('550 5.7.9 go away', 'reject', '550 5.7.9' + HOST + 'go away'),
    ('450 5.7.9 go away', 'tempfail', '450 4.7.9' + HOST + 'go away'),
    ('521 5.3.2 gone', 'reject', '521 5.3.2' + HOST + 'gone'),
    ('554 a "quoted" 50% \u00e4', 'reject', '554 5.7.1' + HOST + 'a "quoted" 50% ??'),
    ('permit_mynetworks, reject', 'reject', '554 5.7.1' + HOST + 'Access denied'),
    ('warn_if_reject reject', 'accept', None),
] + [(value, 'tempfail', '451 4.3.0 Temporary failure; try again later')
     for value in ('250 fine', '550no', 'REJECTED', '600 x', '4 x', 'PREPEND nocolon', 'PREPEND',
                   'check_client_access hash:x', 'reject_spam')]
for value, verdict, reply in RESULTS:
    ctl.rows('an access table that says %s' % ascii(value), SITE +
             'client_restrictions = check_client_access texthash:clients\n',
             ('--client 198.51.100.1 --name h.example -', verdict, reply), message=MESSAGE,
             clients='198.51.100.1 %s\n' % value)


@case('a result that is none is warned of')
def results_checked():
    values = [value for value, _, reply in RESULTS if reply and reply.startswith('451')]
    settings = ctl.Settings(SITE + 'client_restrictions = check_client_access clients\n',
                            clients=''.join('192.0.2.%d %s\n' % row for row in
                                            enumerate(values, 1)))
    done = settings.run('check')
    equal(done.returncode, 0, done.stderr)
    for number in range(1, len(values) + 1):
        match(r'(?m)^%s/clients:%d: warning: ' % (settings.folder, number), done.stderr)


# The lists are asked in this order; the first refusal is the reply.
ORDER = ['client', 'helo', 'sender', 'relay', 'recipient']
for number, first in enumerate(ORDER):
    asks = {kind: 'recipient' if kind == 'relay' else kind for kind in ORDER}
    ctl.rows('of all lists that refuse, from %s_restrictions on' % first, SITE + ''.join(
        '%s_restrictions = check_%s_access static:{REJECT %s}, reject_unauth_destination\n'
        % (kind, asks[kind], kind) for kind in ORDER[number:]),
        ('--helo h', 'reject rcpt check_%s_access' % asks[first],
         re.compile(' rejected: %s$' % first)),
        ('--helo h --listener submission', 'reject rcpt submission_listeners',
         '530 5.7.0 Authentication required'),
        ('--helo h --listener :587', 'reject rcpt submission_listeners'))

# Where address and name say nothing, nothing that looks at them matches.
for words in ('reject_unknown_client_hostname', 'reject_unknown_reverse_client_hostname',
              'check_client_access static:REJECT', 'check_client_access pcre:all',
              'check_client_access cidr:networks', 'reject_rbl_client bl.example',
              'check_reverse_client_hostname_access static:REJECT',
              'reject_rhsbl_client bl.example', 'reject_rhsbl_reverse_client bl.example'):
    ctl.rows('on an untrusted listener: ' + words, SITE + 'untrusted_listeners = ONION\n'
             'dns_servers = 127.0.0.1:1\nclient_restrictions = %s\n' % words,
             ('--listener ONION', 'accept', None, []),
             ('--listener onion --client 127.0.0.1 --name h.example', 'accept', None, []),
             all='/./ REJECT\n', networks='0.0.0.0/0 REJECT\n::/0 REJECT\n')
for words in ('permit_mynetworks', 'permit_inet_interfaces', 'permit_dnswl_client bl.example',
              'permit_rhswl_client bl.example', 'check_client_access static:OK'):
    ctl.rows('on an untrusted listener: ' + words, SITE + 'untrusted_listeners = ONION\n'
             'dns_servers = 127.0.0.1:1\nclient_restrictions = %s, reject\n' % words,
             ('--listener ONION --client 127.0.0.1 --name h.example', 'reject rcpt reject'))

# In monitor mode everything is accepted, and the first refusal is told.
MONITOR = SITE + 'mode = monitor\n'
ctl.rows('monitor mode, what is refused early', MONITOR + 'delay_checks = no\n'
         'client_restrictions = reject\nhelo_restrictions = reject\n',
         ('', 'accept mail reject', CODES['client'].join(
             ('554 5.7.1 ', ' rejected: Access denied'))),
         ('--rcpt x@far.example -', 'accept mail reject'), message=MESSAGE)
ctl.rows('monitor mode', MONITOR + 'submission_listeners = :587\nheader_limit = 1\n',
         ('--listener :587', 'accept rcpt submission_listeners',
          '530 5.7.0 Authentication required'),
         ('--rcpt x@far.example', 'accept rcpt reject_unauth_destination'),
         ('-', 'accept message header_limit', '552 5.3.4 Message header too large'),
         message=MESSAGE)
ctl.rows('monitor mode holds and adds nothing', MONITOR + 'client_restrictions = '
         'check_client_access static:HOLD\nmessage_restrictions = reject\n',
         ('-', 'accept message reject'), message=MESSAGE)


# Files that are none

def settings_of(data):
    """Bytes as the settings file."""
    settings = ctl.Settings()
    with open(settings.file, 'wb') as handle:
        handle.write(ctl.SURROUNDINGS.encode() + SITE.encode() + data)
    return settings


BROKEN = [
    (b'mode = moni', 'is not one of'), (b'mynetworks = {1.2.3.4', 'a brace has no partner'),
    (b'[listen', 'a section is opened by'), (b'mode = moni\0tor\n', 'NUL byte'),
    (b'mode = \x1b[31mmonitor\n', 'control character'), (b'mode = monitor\rx\n', 'control char'),
    (b'recipient_delimiter = \xe9\n', 'not valid UTF-8'),
    (b'sender_restrictions = check_sender_access inline:{a=b,', 'a brace has no partner'),
    (b'mode = ' + b'x' * 2_000_000, 'longer than 1048576 bytes'),
]
for data, pattern in BROKEN:
    def broken(data=data, pattern=pattern):
        settings = settings_of(data)
        for command in ('check', 'test'):
            done = settings.run(command)
            equal(done.returncode, 78, done.stderr[:300])
            match(r'(?m)^%s:\d+: error: .*%s' % (settings.file, pattern), done.stderr)
            absent('[\x00-\x09\x0b-\x1f\x7f]', done.stderr)
    CASES.append(('settings half written: %s' % ascii(data)[:40], broken))


@case('settings with CR LF, a byte order mark, Latin-1 in comments are read')
def readable():
    for data in (b'mode = monitor\r\n\r\n# a comment\r\n',
                 b'# caf\xe9\nmode = monitor\n', b'mode = monitor'):
        settings = settings_of(data)
        equal(settings.run('config', 'mode').stdout, 'mode = monitor\n', repr(data))
    settings = ctl.Settings()
    with open(settings.file, 'wb') as handle:
        handle.write(b'\xef\xbb\xbfmode = monitor\n')
    equal(settings.run('config', 'mode').stdout, 'mode = monitor\n', 'byte order mark')


@case('what is no file is an error at the line that names it, at once')
def no_files():
    settings = ctl.Settings(SITE)
    fifo, loop = settings.folder + '/fifo', settings.folder + '/loop'
    os.mkfifo(fifo)
    os.symlink(loop, loop)
    for path in (fifo, loop, settings.folder, '/dev/zero', '/nonexistent'):
        for line in ('local_domains = %s', 'mynetworks = %s', 'sender_login_maps = texthash:%s',
                     'client_restrictions = check_client_access cidr:%s',
                     'recipient_profiles = pcre:%s', 'dnsbl_reply_map = regexp:%s'):
            tried = ctl.Settings(line % path + '\n')
            done = tried.run('check')
            equal(done.returncode, 78, line % path)
            match(r'(?m)^%s:6: error: .*%s' % (tried.file, path), done.stderr)
        if path != settings.folder:
            done = ctl.Settings('rule_files = %s\n' % path).run('check')
            equal(done.returncode, 78, 'rule_files = ' + path)
            match('error: ', done.stderr)


PIECES = [b'=?', b'?q?', b'?b?', b'?=', b'\xff', b'\x00', b'\x1b[31m', b'"', b'\\', b'\r', b'\n ',
          b'\xe2\x80\xae', b'\xed\xa0\x80', b'koi8-r', b'utf-8', b'<', b'>', b'a@b.example', b',',
          b'%', b'{', b'}', b' ', b'\t', b'bogus\x01', b'x' * 300, b'\xf4\x90\x80\x80', b'\xc2\x85',
          b'\xe2\x80\xa8', b'=0d=0a', b'=00', b'\nAuto-Submitted: auto-replied\n']
FIELDS = [b'Subject', b'From', b'To', b'Sender', b'Reply-To', b'X-Spam-Flag', b'Content-Type',
          b'Content-Type: multipart/mixed; boundary=a; charset', b'Auto-Submitted']


@case('whatever a message and a client say: JSON is UTF-8 on a line, replies and fields are clean')
def hostile():
    chance = random.Random(7)
    settings = ctl.Settings(SITE + """rule_files = r.cf
mynetworks = 10.0.0.0/8
client_restrictions = check_client_access pcre:all, warn_if_reject reject
message_restrictions = guard_autoreply check_header_access Subject pcre:all
    reject_from_login_mismatch reject_spam
sender_login_maps = inline:{a@b.example=bob}
""", all='/^(.*)$/ PREPEND X-Quoted: $1\n/(.*)/ 550 $1\n', **{
        'r.cf': 'header A Subject =~ /(.*)/\ndescribe A caf\u00e9 "x" \\\nscript S Latin >= 1%\n'
                'charset C raw8bit\nscore C 9\n'})

    def noise(most):
        return b''.join(chance.choice(PIECES) for _ in range(chance.randint(0, most)))
    for _ in range(80):
        message = b''.join(chance.choice(FIELDS) + b': ' + noise(8) + b'\n'
                           for _ in range(chance.randint(0, 6))) + b'\n' + noise(10)
        options = [option + noise(4).replace(b'\0', b'') for option in
                   (b'--from=', b'--rcpt=', b'--helo=', b'--name=', b'--auth=', b'--ccert-subject=')
                   if chance.random() < 0.4]
        done = settings.run('test', '--json', '--client=10.0.0.1', *options, '-', data=message)
        true(done.returncode in (0, 1), '%r: %s' % (options, done.stderr))
        equal(done.stdout.count('\n'), 1, 'lines')
        found = json.loads(done.stdout.encode('utf-8', 'surrogateescape').decode('utf-8'))
        for each in (found, *found['recipients']):
            match('^[ -~]*$', each['reply'], 'reply')
        for header in found['headers']:
            match(r'^[!-9;-~]+: [^\x00-\x08\x0a-\x1f\x7f]*$', header, 'header')
        for charset in found['charsets']:
            match('^[ -@\\[-~]+$', charset, 'charset')
        done = settings.run('test', '--client=10.0.0.1', *options, '-', data=message)
        absent('[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e\udc80-\udcff]', done.stdout,
               'for a person')


if __name__ == '__main__':
    run()
