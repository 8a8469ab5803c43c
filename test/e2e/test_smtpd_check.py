#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of Postfix's own smtpd look at, step by step (src/smtpd/smtpd_check.in and its
neighbours), as policies and sessions of our own: each step is played to Postfix's smtpd and to
gatepost, and the replies must be the same, word for word. A row a policy. In name spaces of its own,
with a DNS on port 53 that knows the domains below.

Left out is what a milter cannot have (check_relay_domains, permit_mx_backup, permit_naked_ip_address,
check_*_mx_access, unlisted recipients) and what gatepost refuses to have (DISCARD, FILTER)."""
import os
import subprocess
import sys
sys.path.insert(0, sys.path[0] + '/../lib')
if 'GATEPOST_NAMESPACE' not in os.environ:
    probe = ['unshare', '-mn', 'true']
    if os.geteuid() != 0 or subprocess.run(probe, capture_output=True).returncode:
        print('1..0 # SKIP no namespaces of our own can be had')
        sys.exit(0)
    os.environ['GATEPOST_NAMESPACE'] = '1'
    os.execvp('unshare', ['unshare', '-mn', sys.executable, *sys.argv])
import lists
import place
import postfix
import tap
import twins

FAR, INSIDE, NAMELESS = (('198.51.100.20', 'mail.far.example'), ('192.0.2.25', 'unknown'),
                         ('198.51.100.21', 'unknown'))
ANYWHERE = 'check_client_access static:OK, reject_unauth_destination'
SESSION = {'client': FAR, 'helo': 'mail.far.example', 'sender': 'a@far.example',
           'recipient': 'bob@lab.test'}

# What the DNS says beside the lists of packaging/rbldnsd; outside of these zones it refuses.
EXAMPLE = '''$SOA 3600 ns.example hostmaster.example 1 600 300 86400 300
$NS 3600 ns.example
far MX 10 mail.far.example
mail.far A 198.51.100.20
www.far A 198.51.100.22
lonely A 198.51.100.23
null MX 0 .
nowhere.far TXT "neither a host nor a domain of mail"
'''
TEST = '''$SOA 3600 ns.test hostmaster.test 1 600 300 86400 300
$NS 3600 ns.test
lab MX 10 mail.lab.test
mail.lab A 192.0.2.1
away MX 10 mail.away.test
mail.away A 203.0.113.30
spammer-one A 198.51.100.24
'''
BOOK = {'bad.test': '554 knows bad.test', 'friend.bad.test': 'OK', 'mallory@': '554 knows mallory@',
        'mallory@good.test': 'OK', 'alice@': 'OK', '198.51.100': '554 knows 198.51.100',
        '198.51.100.17': 'OK', '198.51.100.19': 'REJECT', 'never@here.test': '554 knows never@',
        'shrug.test': 'dunno', 'no.shrug.test': 'reject', '203.0.113': 'dunno',
        '203.0.113.11': 'REJECT', '203.0': 'REJECT', 'no@shrug.test': 'REJECT', 'yes@shrug.test': 'OK',
        'no@strict.test': 'REJECT', 'yes@strict.test': 'OK', 'strict.test': 'REJECT',
        'no@open.test': 'REJECT', 'yes@open.test': 'OK', 'open.test': 'OK', '<>': '550 no bounces',
        'word@said.test': 'reject with words', 'hold@said.test': 'hold', 'kept@said.test': 'hold for a look',
        'shrug@said.test': 'dunno with words', 'warn@said.test': 'warn of it', 'info@said.test': 'info only',
        'later@said.test': 'defer', 'when@said.test': 'defer until then', 'some@said.test': 'defer_if_permit'}
CODES = ['4.1.%d' % number for number in range(1, 9)] + ['4.4.0', '4.7.1', '5.1.1', '5.5.0']
MADE = []


def book(*names, rows=None):
    return {name: rows or BOOK for name in names}


def numbered(name):
    """A table whose results have each enhanced code, whatever list it stands in."""
    key = '%s@code.test' if name in ('sender', 'recipient') else 'c%s.code.test'
    return {name: {key % code.replace('.', '-'): '%s %s because' % (word, code)
                   for code, word in zip(CODES, ['reject', '450', '554'] * len(CODES))}}


def numbered_clients():
    return [('203.0.113.40', key) for key in numbered('client')['client']]


def steps(title, words, tables, *sessions, delay=True):
    """words: the lists, as text. sessions: what differs from SESSION."""
    MADE.append((title, {name: text.split(', ') for name, text in words.items()}, tables,
                 [tuple({**SESSION, **session}.values()) for session in sessions], delay))


def each(name, *values):
    return [{name: value} for value in values]


CLIENTS = each('client', NAMELESS, INSIDE, ('203.0.113.5', 'any.bad.test'),
               ('203.0.113.5', 'friend.bad.test'), ('203.0.113.5', 'bad.test'),
               ('198.51.100.17', 'www.far.example'), ('198.51.100.18', 'www.far.example'),
               ('198.51.100.19', 'mail.away.test'))
for delay in (True, False):
    for asked in '@client', '%client':
        steps('clients: networks, then a name, then a table', {
            'client': 'permit_mynetworks, reject_unknown_client_hostname, ' + asked},
            book('client'), *CLIENTS, delay=delay)
        steps('clients: a table alone', {'client': asked}, book('client'), *each(
            'client', ('198.51.100.17', 'no.shrug.test'), ('198.51.100.17', 'so.shrug.test'),
            ('198.51.100.19', 'so.shrug.test'), ('198.51.100.18', 'unknown'),
            ('198.51.100.17', 'other.test'), ('198.51.100.19', 'other.test'),
            ('203.0.113.11', 'other.test'), ('203.0.113.55', 'other.test'),
            ('203.0.44.33', 'other.test')), delay=delay)
    steps('clients: a name is wanted', {'client': 'reject_unknown_client_hostname'}, {},
          *each('client', FAR, NAMELESS, INSIDE), delay=delay)
    steps('clients: a name in the reverse zone is wanted', {
        'client': 'reject_unknown_reverse_client_hostname'}, {},
        *each('client', FAR, NAMELESS, INSIDE), delay=delay)

HELOS = ['mail.far.example', 'nothing.far.example', 'nowhere.far.example', 'null.example',
         'lonely.example', 'far.example', 'mail.far.example.', 'host.', 'host', 'any.bad.test',
         'friend.bad.test', 'bad.test', 'no.shrug.test', 'so.shrug.test', 'so.shrag.test',
         '198.51.100.9', '[198.51.100.9]', '[::]', '[ipv6:::]', '[ipv6::::]', '[IPv6:2001:db8::1]',
         'elsewhere.invalid', '-a.example', 'a_b.example', 'a..b', '.a.b', 'a.b.12345']
for delay in (True, False):
    steps('HELO: all sorts of checks, then a table', {
        'helo': 'permit_mynetworks, reject_unknown_client_hostname, reject_invalid_helo_hostname, '
                'reject_unknown_helo_hostname, @helo'}, book('helo'), *each('helo', *HELOS),
        {'client': NAMELESS}, {'client': INSIDE, 'helo': 'a..b'}, delay=delay)
steps('HELO: a table alone', {'helo': '%helo'}, book('helo'), *each('helo', *HELOS))
for word in ('reject_invalid_helo_hostname', 'reject_unknown_helo_hostname',
             'reject_non_fqdn_helo_hostname'):
    steps('HELO: ' + word, {'helo': word}, {}, *each('helo', *HELOS), *each(
        'helo', *(form % text for form in ('[%s]', '%s') for text in (
            '1.2.3.4', '321.255.255.255', '0.255.255.255', '1.2.3.321', '1.2.3', '1.2.3.4.5',
            '1..2.3.4', '.1.2.3.4', '1.2.3.4.5.'))))
steps('HELO: defer, and at once', {'helo': 'defer'}, {}, *each('helo', 'host'), delay=False)

steps('senders: networks and names', {
    'sender': 'permit_mynetworks, reject_unknown_client_hostname'}, {},
    *each('client', NAMELESS, INSIDE, FAR))
DOMAINS = ['a@far.example', 'a@lonely.example', 'a@null.example', 'a@nowhere.far.example',
           'a@nothing.example', 'a@lab.test', 'a@elsewhere.invalid', '', 'a@[198.51.100.7]', 'a']
for delay in (True, False):
    steps('senders: their domain', {'sender': 'reject_unknown_sender_domain'}, {},
          *each('sender', *DOMAINS), delay=delay)
    steps('recipients: their domain', {
        'recipient': 'reject_unknown_recipient_domain', 'relay': ANYWHERE}, {},
        *each('recipient', *(address for address in DOMAINS if address)), delay=delay)
ADDRESSES = ['mallory@any.test', 'mallory@good.test', 'never@here.test', 'Never@HERE.test',
             'a@bad.test', 'a@Bad.Test', 'a@any.bad.test', 'a@friend.bad.test', 'no@shrug.test',
             'yes@shrug.test', 'any@shrug.test', 'mallory@shrug.test', 'no@strict.test',
             'yes@strict.test', 'any@strict.test', 'alice@strict.test', 'no@open.test', 'yes@open.test',
             'any@open.test', 'mallory@open.test', 'no+more@shrug.test', 'yes+more@strict.test',
             'mallory+more@any.test', *(key for key in BOOK if key.endswith('@said.test'))]
for delay in (True, False):
    for asked in '@', '%':
        steps('senders: a table', {'sender': asked + 'sender'}, book('sender'),
              *each('sender', *ADDRESSES, ''), delay=delay)
        steps('recipients: a table', {'relay': ANYWHERE, 'recipient': asked + 'recipient'},
              book('recipient'), *each('recipient', *ADDRESSES), delay=delay)

steps('recipients: networks and names before the relay', {
    'recipient': 'permit_mynetworks, reject_unknown_client_hostname, reject_unauth_destination',
    'relay': ANYWHERE}, {}, *({'client': client, 'recipient': recipient}
                              for client in (NAMELESS, INSIDE, FAR)
                              for recipient in ('x@far.example', 'bob@lab.test')))
for words in ('permit_auth_destination, reject', 'reject_unauth_destination, permit',
              'defer_unauth_destination', 'reject'):
    steps('recipients: ' + words, {'recipient': words, 'relay': ANYWHERE}, {}, *each(
        'recipient', 'u@here.example', 'u@there.example', 'u@mail.there.example', 'bob@lab.test',
        'u@far.example', 'postmaster', 'Postmaster', 'postmaster@far.example', 'bob'))

LISTED = ('203.0.113.9', 'unknown'), ('198.51.100.200', 'unknown'), FAR
for name in ('client', 'recipient'):
    for zone in ('bl.example.com', 'bl.example.com=127.0.0.2', 'bl.example.com=127.0.0.[9..11]',
                 'bl.example.com=127.0.0.77'):
        steps('lists: clients of ' + zone, {name: 'reject_rbl_client ' + zone}, {},
              *each('client', *LISTED))
steps('lists: the domain of the sender', {'recipient': 'reject_rhsbl_sender dbl.example.com'}, {},
      *each('sender', 'a@spam.example.net', 'a@www.spam.example.net', 'a@far.example', ''))
steps('lists: the domain of the client', {'recipient': 'reject_rhsbl_client dbl.example.com'}, {},
      *each('client', ('198.51.100.9', 'spam.example.net'), FAR, NAMELESS))
steps('lists: the domain of the client, reversed', {
    'recipient': 'reject_rhsbl_reverse_client dbl.example.com'}, {},
    *each('client', ('198.51.100.9', 'spam.example.net'), FAR, NAMELESS))
steps('lists: the domain of the recipient', {'recipient': 'reject_rhsbl_recipient dbl.example.com',
                                             'relay': ANYWHERE}, {},
      *each('recipient', 'a@spam.example.net', 'a@far.example'))
steps('lists: the name of HELO', {'recipient': 'reject_rhsbl_helo dbl.example.com'}, {},
      *each('helo', 'spam.example.net', 'mail.far.example', '[198.51.100.9]', '198.51.100.9'))

FRIEND = '203.0.113.70', 'mail.far.example'
for zone in ('wl.example.com', 'wl.example.com=127.0.[0..255].[1..3]', 'bl.example.com'):
    steps('friends: an address passes a reject', {
        'client': 'permit_dnswl_client %s, reject' % zone}, {}, *each('client', FRIEND, FAR))
    steps('friends: an address relays no mail by that', {
        'relay': 'permit_dnswl_client %s, reject_unauth_destination' % zone, 'recipient': 'permit'},
        {}, *({'client': client, 'recipient': recipient} for client in (FRIEND, FAR)
              for recipient in ('x@far.example', 'bob@lab.test', 'x@12345.lab.test')))
steps('friends: a name passes a reject', {'client': 'permit_rhswl_client dbl.example.com, reject'}, {},
      *each('client', ('198.51.100.9', 'spam.example.net'), FAR, NAMELESS))
steps('friends: a name relays no mail by that', {
    'relay': 'permit_rhswl_client dbl.example.com, reject_unauth_destination',
    'recipient': 'permit'}, {}, *({'client': client, 'recipient': recipient}
                                  for client in (('198.51.100.9', 'spam.example.net'), FAR)
                                  for recipient in ('x@far.example', 'bob@lab.test')))

steps('together: a client in the list of recipients', {'recipient': '@client, reject_unauth_destination'},
      book('client'), *({'client': client, 'recipient': recipient}
                        for client in (('198.51.100.18', 'www.far.example'),
                                       ('198.51.100.17', 'www.far.example'), ('203.0.113.5', 'unknown'))
                        for recipient in ('x@far.example', 'bob@lab.test')))
steps('together: HELO in its own list and in that of recipients', {
    'helo': 'permit_mynetworks, reject_unknown_client_hostname, reject_invalid_helo_hostname, @helo',
    'recipient': '@helo, reject_unauth_destination'}, book('helo'), *each(
        'helo', 'bad.test', 'friend.bad.test', '198.51.100.18', 'other.test'))
steps('together: HELO and sender in the list of recipients', {'recipient': '@helo, @sender'},
      book('helo', 'sender'), *({'helo': helo, 'sender': sender}
                                for helo in ('bad.test', 'good.test', 'friend.bad.test')
                                for sender in ('a@bad.test', 'a@good.test', 'a@friend.bad.test')))
steps('together: names that exist, of sender and recipient', {
    'recipient': 'reject_unknown_recipient_domain, reject_unknown_sender_domain', 'relay': ANYWHERE}, {},
    *({'sender': sender, 'recipient': recipient}
      for sender in ('a@far.example', 'a@nothing.example')
      for recipient in ('b@far.example', 'b@nothing.example', 'bob@lab.test')))

for name, word in (('helo', 'reject_non_fqdn_helo_hostname'), ('sender', 'reject_non_fqdn_sender'),
                   ('recipient', 'reject_non_fqdn_recipient')):
    form = '%s' if name == 'helo' else 'u@%s'
    steps('whole names: ' + word, {name: word, 'relay': ANYWHERE}, {},
          *each(name, *(form % host for host in ('far.example.', 'far.example', 'far', 'far.',
                                                 'a.far.example', '[198.51.100.7]')),
                *(() if name == 'helo' else ('u',))))

for name, values in (('client', numbered_clients()), ('helo', list(numbered('helo')['helo'])),
                     ('sender', list(numbered('sender')['sender'])),
                     ('recipient', list(numbered('recipient')['recipient']))):
    steps('enhanced codes: of a table of the %s list' % name, {name: '@' + name, 'relay': ANYWHERE},
          numbered(name), {}, *each(name, *values))
    if name != 'recipient':
        steps('enhanced codes: of a table of %s, in the list of recipients' % name,
              {'recipient': '@' + name}, numbered(name), {}, *each(name, *values))


def play(title):
    """All policies of one title at a time: one Postfix for all of them."""
    rows = [row for row in MADE if row[0].split(':')[0] == title]

    @tap.case('%s: %d policies, %d sessions' % (title, len(rows), sum(len(row[3]) for row in rows)))
    def work(_):
        twins.compare([(twins.Policy(number, {'relay': ['reject_unauth_destination'],
                                              'recipient': ['permit'], **words}, tables, delay),
                        sessions) for number, (_, words, tables, sessions, delay) in enumerate(rows)])


for title in dict.fromkeys(row[0].split(':')[0] for row in MADE):
    play(title)
why = postfix.missing() or lists.missing()
if why:
    tap.skip_all(why)
subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
own = place.write(place.folder() + '/resolv.conf', 'nameserver 127.0.0.1\n')
os.chmod(own, 0o644)
subprocess.run(['mount', '--make-rprivate', '/'], check=True)
subprocess.run(['mount', '--bind', own, os.path.realpath('/etc/resolv.conf')], check=True)
server = lists.Lists(['example:generic:example', 'test:generic:test'], example=EXAMPLE, test=TEST)
server.port = 53
tap.run(server.start, teardown=lambda _: server.stop())
