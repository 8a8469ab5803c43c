#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Restrictions that ask the DNS, and gatepostctl dnsbl. The lists are those of packaging/rbldnsd,
served by rbldnsd; what it cannot do, a server of the test's own does. Each row is a test case:
arguments of `gatepostctl test`, "VERDICT STAGE CHECK", the reply or a pattern for it."""
import json
import re
import sys
sys.path.insert(0, sys.path[0])
import ctl
import lists
from tap import absent, case, equal, match, run, skip_all, true

if lists.missing():
    skip_all(lists.missing())
GOOD, BAD = lists.Lists(), lists.BadServer()

SITE = 'local_domains = example.org\ndns_servers = %s\n'
SITES = '''dnsbl_sites = bl.example.com=127.0.0.[2..9]*3 bl.example.com=127.0.0.10*2
    wl.example.com=127.0.[0..255].[1..3]*-4
'''
TEXT = '%s sent spam to us; write to postmaster@example.com from another address'
BLOCKED = '554 5.7.1 Service unavailable; %s [%s] blocked using %s; %s'
HOST = BLOCKED % ('Client host', '%s', 'bl.example.com', TEXT)
LISTED = HOST % ('203.0.113.9', '203.0.113.9')
WEIGHED = 'reject rcpt reject_dnsbl'
ONE, OTHER = '--client 203.0.113.9 ', '--client 198.51.100.20 '
TLS = '--auth bob --tls TLSv1.3 '
MESSAGE = 'From: A <a@far.example>\nTo: bob@example.org\nSubject: x\n\nbody\n'


def rows(title, settings, *lines, server=GOOD, message=MESSAGE, **tables):
    ctl.rows(title, SITE % server.address() + settings, *lines, message=message, **tables)


rows('weighted lists', SITES,
     (ONE, WEIGHED, LISTED, [('bl.example.com', '127.0.0.2', 3)]),
     ('--client 2001:db8:bad::1', WEIGHED, HOST % ('2001:db8:bad::1', '2001:db8:bad::1')),
     ('--client ::ffff:203.0.113.9', WEIGHED, LISTED),
     ('--client 203.0.113.65', 'accept', None, []),
     (OTHER, 'accept', None, []),
     ('--client 198.51.100.7', WEIGHED, re.compile('Your machine 198.51.100.7 runs a spam')),
     # two points are too few
     ('--client 198.51.100.200', 'accept', None, [('bl.example.com', '127.0.0.10', 2)]),
     # a friend outweighs it
     ('--client 203.0.113.70', 'accept', None,
      [('bl.example.com', '127.0.0.2', 3), ('wl.example.com', '127.0.5.3', -4)]),
     (ONE + TLS, 'accept', None, []),
     ('--client 127.0.0.1', 'accept', None, []),
     ('--client 10.1.2.3', 'accept', None, []))
rows('a threshold of its own', SITES + 'dnsbl_threshold = 2\n',
     ('--client 198.51.100.200', WEIGHED, re.compile('log in and use port 587$')))
rows('a negative sum opens nothing', SITES,
     ('--client 203.0.113.71 --rcpt x@far.example', 'reject rcpt reject_unauth_destination'))
rows('the name of the heaviest list, the first of equals',
     'dnsbl_sites = bl.example.com bl.example.com=127.0.0.2*2 wl.example.com*2\n',
     ('--client 203.0.113.70', WEIGHED, re.compile('blocked using bl.example.com; ')))
rows('a zone counts once however many codes and entries match',
     'dnsbl_sites = bl.example.com bl.example.com=127.0.0.[2..10]\n',
     (ONE, 'accept', None, [('bl.example.com', '127.0.0.2', 1)] * 2))
rows('a list that must stay secret',
     SITES + 'dnsbl_reply_map = inline:{bl.example.com=lists.example.org}\n',
     (ONE, WEIGHED, '554 5.7.1 Service unavailable; Client host [203.0.113.9] blocked using '
                    'lists.example.org'))
rows('a reply map of patterns', SITES + 'dnsbl_reply_map = regexp:map\n',
     (ONE, WEIGHED, re.compile('blocked using a list$')), map='/^bl\\./ a list\n')
rows('untrusted listeners', SITES + 'untrusted_listeners = ONION\n',
     (ONE + '--listener ONION', 'accept', None, []))
rows('submission', SITES,
     (ONE + '--listener submission', 'reject rcpt submission_listeners', None, []),
     (ONE + '--listener submission ' + TLS, 'accept', None, []))

NAMES = 'rhsbl_sites = dbl.example.com=127.0.1.[2..99]*3/sender,helo,ptr,from,reply-to\n'
SPAM = '%s is advertised in spam'
rows('lists of names', NAMES,
     ('--from a@spam.example', WEIGHED,
      BLOCKED % ('Sender address', 'a@spam.example', 'dbl.example.com', SPAM % 'spam.example')),
     ('--from a@sub.SPAM.example', WEIGHED, re.compile(r'Sender address \[a@sub.spam.example\]')),
     ('--helo mx.spam.example', WEIGHED,
      BLOCKED % ('Helo command', 'mx.spam.example', 'dbl.example.com', SPAM % 'spam.example')),
     ('--name mx.spam.example', WEIGHED, re.compile(r'Client host \[mx.spam.example\] blocked')),
     ('--from a@friendly.spam.example', 'accept'), ('--from ""', 'accept'),
     ('--from a@[203.0.113.9]', 'accept', None, []),
     ('--helo [203.0.113.9]', 'accept', None, []), ('--helo 1.2.3.4', 'accept', None, []))
rows('only the places that are named', 'rhsbl_sites = dbl.example.com*3\n',
     ('--from a@spam.example', WEIGHED), ('--helo spam.example', 'accept', None, []))
IN_MESSAGE = 'message_restrictions = reject_dnsbl\n'
for name, head in (('From', 'From: <a@spam.example>\n'),
                   ('From address', 'From: A <x@y.example>\n'),
                   ('Reply-To', 'From: <a@b.example>\nReply-To: <c@shop.example.net>\n')):
    listed = name != 'From address'
    rows('lists of names in a message (%s)' % name, NAMES + IN_MESSAGE,
         ('--from a@b.example -', 'reject message reject_dnsbl' if listed else 'accept',
          re.compile(r'%s address \[' % name) if listed else None),
         message=head + 'Subject: x\n\nbody\n')
rows('a sum is made anew of all', NAMES.replace('*3', '*2') + SITES + IN_MESSAGE,
     ('--client 198.51.100.200 --from a@b.example -', 'reject message reject_dnsbl'),
     (OTHER + '--from a@b.example -', 'accept message'), message='From: <a@spam.example>\n\nbody\n')
HASHES = 'hashbl_sites = ebl.example.com*5/sender,from,reply-to:sha1\n'
MAILBOX = 'This mailbox receives the answers to spam'
rows('lists of hashes', HASHES,
     ('--from Offer+x@spammer.example', WEIGHED,
      BLOCKED % ('Sender address', 'Offer+x@spammer.example', 'ebl.example.com', MAILBOX)),
     ('--from Prince.419+x@googlemail.com', WEIGHED), ('--from a@spammer.example', 'accept'))
rows('hashes by SHA-256', 'hashbl_sites = ebl.example.com*5:sha256\n',
     ('--from offer@spammer.example', WEIGHED))
rows('hashes by MD5', 'hashbl_sites = ebl.example.com*5:md5\n',
     ('--from offer@spammer.example', WEIGHED))
rows('hashes in a message', HASHES + IN_MESSAGE, ('-', 'reject message reject_dnsbl'),
     message='From: <a@b.example>\nReply-To: "Prince" <prince419@gmail.com>\n\nbody\n')

RBL = 'recipient_restrictions = permit_sasl_authenticated %s\n'
BY_RBL = 'reject rcpt reject_rbl_client'
rows('reject_rbl_client', RBL % 'reject_rbl_client bl.example.com',
     (ONE, BY_RBL, LISTED, [('bl.example.com', '127.0.0.2', 0)]),
     (OTHER, 'accept', None, []), (ONE + TLS, 'accept', None, []))
rows('reject_rbl_client with a filter', RBL % 'reject_rbl_client bl.example.com=127.0.0.10',
     (ONE, 'accept'), ('--client 198.51.100.200', BY_RBL))
rows('warn_if_reject reject_rbl_client', RBL % 'warn_if_reject reject_rbl_client bl.example.com',
     (ONE, 'accept'))
rows('reject_rhsbl_sender', RBL % 'reject_rhsbl_sender dbl.example.com',
     ('--from a@spam.example', 'reject rcpt reject_rhsbl_sender',
      BLOCKED % ('Sender address', 'a@spam.example', 'dbl.example.com', SPAM % 'spam.example')),
     ('--from a@b.example', 'accept'))
rows('reject_rhsbl_recipient', RBL % 'reject_rhsbl_recipient dbl.example.com' +
     'relay_restrictions = permit_auth_destination reject\nlocal_domains = spam.example\n',
     ('--rcpt a@spam.example', 'reject rcpt reject_rhsbl_recipient',
      re.compile('Recipient address')))
rows('reject_rhsbl_helo', RBL % 'reject_rhsbl_helo dbl.example.com',
     ('--helo spam.example', 'reject rcpt reject_rhsbl_helo', re.compile('Helo command')))
rows('reject_rhsbl_client', RBL % 'reject_rhsbl_client dbl.example.com',
     ('--name x.spam.example', 'reject rcpt reject_rhsbl_client', re.compile('Client host')),
     ('', 'accept'))
rows('reject_rhsbl_reverse_client', RBL % 'reject_rhsbl_reverse_client dbl.example.com',
     ('--name x.spam.example', 'reject rcpt reject_rhsbl_reverse_client'))

PRAISED = '--client 203.0.113.70 '
WHITE = 'client_restrictions = permit_dnswl_client wl.example.com ' \
        'reject_rbl_client bl.example.com\n'
rows('permit_dnswl_client', WHITE,
     (PRAISED, 'accept'), (ONE, 'reject rcpt reject_rbl_client'),
     # it opens no relay, and its permit ends its own list only
     (PRAISED + '--rcpt x@far.example', 'reject rcpt reject_rbl_client'))
rows('permit_dnswl_client in the relay list',
     'relay_restrictions = permit_dnswl_client wl.example.com reject_unauth_destination\n',
     (PRAISED, 'accept'),
     (PRAISED + '--rcpt x@far.example', 'reject rcpt reject_unauth_destination'),
     (PRAISED + '--rcpt x%far.example@example.org', 'reject rcpt reject_unauth_destination'))
rows('permit_rhswl_client',
     'client_restrictions = permit_rhswl_client dbl.example.com reject\n',
     ('--name a.spam.example', 'accept'), ('', 'reject rcpt reject'),
     ('--name a.spam.example --rcpt x@far.example', 'reject rcpt reject'))
rows('a whitelist that does not answer puts off what it may have permitted',
     'dnsbl_timeout = 1s\n'
     'client_restrictions = permit_dnswl_client list.silent.bad.test, reject_rbl_client '
     'list.a-127-0-0-2.bad.test\n',
     (ONE, 'tempfail rcpt', re.compile('^450 4.7.1 ')), server=BAD)

RULES = 'dnsbl IN_BL bl.example.com=127.0.0.[2..9]\nscore IN_BL 6\n' \
        'dnsbl FROM_DBL dbl.example.com/from,reply-to\nscore FROM_DBL 5\n'
SPAMMY = 'From: <a@spam.example>\nTo: bob@example.org\nSubject: x\n\nbody\n'
rows('rules ask lists', 'rule_files = rules.cf\n',
     (ONE + '-', 'reject message reject_spam', re.compile('spam score 11.0 .FROM_DBL, IN_BL')),
     (OTHER + '-', 'accept message'), message=SPAMMY, **{'rules.cf': RULES})
rows('without reject_spam rules ask nothing',
     'rule_files = rules.cf\nmessage_restrictions =\n', (ONE + '-', 'accept', None, []),
     message=SPAMMY, **{'rules.cf': RULES})

PROFILES = SITES + NAMES.replace('*3', '*2') + IN_MESSAGE + '''
recipient_profiles = inline:{eager@example.org=eager, lax@example.org=lax}
[profile eager]
dnsbl_threshold = 2
[profile lax]
dnsbl_threshold = 100
'''
AB = '--from a@b.example '
DIALUP = '--client 198.51.100.200 '
rows('a profile has a threshold of its own', PROFILES,
     (DIALUP + '--rcpt eager@example.org', WEIGHED), (DIALUP + '--rcpt bob@example.org', 'accept'),
     (ONE + '--rcpt lax@example.org', 'accept'), (ONE + '--rcpt bob@example.org', WEIGHED))
rows('of a message for several the mildest threshold counts', PROFILES,
     (AB + '--rcpt eager@example.org -', 'reject message reject_dnsbl'),
     (AB + '--rcpt eager@example.org --rcpt bob@example.org -', 'accept message'),
     (AB + '--rcpt bob@example.org --rcpt eager@example.org -', 'accept message'),
     message='From: <a@spam.example>\n\nbody\n')


@case('the first refused recipient does not decide for the others')
def per_recipient():
    found, _ = ctl.Settings(SITE % GOOD.address() + PROFILES).test(
        DIALUP + '--rcpt eager@example.org --rcpt bob@example.org')
    equal([r['verdict'] for r in found['recipients']], ['reject', 'accept'], 'verdicts')


# Lists that are ill

FAULTS = {
    'refuses to serve': 'a-127-255-255-254.list.bad.test',
    'is rewritten': 'a-10-0-0-1.list.bad.test',
    'lists the world': 'a-127-0-0-2.bad.test',
    'has gone over to another address and lists the probe': 'a-192-0-2-1.bad.test',
    'is silent': 'silent.list.bad.test',
    'fails': 'servfail.list.bad.test',
    'is garbage': 'garbage.list.bad.test',
    'answers 127.0.0.1': 'a-127-0-0-1.list.bad.test',
    'answers another question': 'wrongname.list.bad.test',
    'answers in a circle': 'loop.list.bad.test',
}
for fault, zone in FAULTS.items():
    for words in ('dnsbl_sites = %s*9', RBL[:-1] % 'reject_rbl_client %s'):
        rows('a list that %s refuses nobody' % fault, (words % zone) + '\ndnsbl_timeout = 1s\n',
             (ONE, 'accept', None, []), server=BAD)
rows('a list that is late, but in time', 'dnsbl_sites = delay-400.a-127-0-0-2.list.bad.test*9\n',
     (ONE, WEIGHED), server=BAD)
rows('a thousand addresses', 'dnsbl_sites = many-1000.trunc.list.bad.test*9\n', (ONE, WEIGHED),
     server=BAD)
rows('behind aliases', 'dnsbl_sites = chain-4.list.bad.test*9\n', (ONE, WEIGHED), server=BAD)
rows('a filter may name what else says that a list refuses',
     'dnsbl_sites = a-127-255-255-254.list.bad.test=127.255.255.254*9\n', (ONE, WEIGHED),
     server=BAD)
rows('a text is not taken for a reply', 'dnsbl_sites = a-127-0-0-2.list.text-250x.bad.test*9\n',
     (ONE, WEIGHED, re.compile('; 250x$')), server=BAD)

# Names that do not exist

HELO = 'helo_restrictions = reject_unknown_helo_hostname\ndnsbl_timeout = 1s\n'
BY_HELO = 'tempfail rcpt reject_unknown_helo_hostname'
NOT_FOUND = '450 4.7.1 <%s>: Helo command rejected: Host not found'
rows('reject_unknown_helo_hostname', HELO,
     ('--helo nx.test', BY_HELO, NOT_FOUND % 'nx.test'),
     ('--helo nodata.test', BY_HELO, NOT_FOUND % 'nodata.test'),
     ('--helo a-192-0-2-1.test', 'accept'), ('--helo mx-10.test', 'accept'),
     ('--helo servfail.test', BY_HELO, NOT_FOUND % 'servfail.test'),
     ('--helo silent.test', BY_HELO, NOT_FOUND % 'silent.test'),
     ('--helo [203.0.113.1]', 'accept'), server=BAD)
SENDER = 'sender_restrictions = reject_unknown_sender_domain\ndnsbl_timeout = 1s\n'
BY_SENDER = 'tempfail rcpt reject_unknown_sender_domain'
GONE = '450 4.1.8 <a@%s>: Sender address rejected: Domain not found'
rows('reject_unknown_sender_domain', SENDER,
     ('--from a@nx.test', BY_SENDER, GONE % 'nx.test'),
     ('--from a@nodata.test', BY_SENDER, GONE % 'nodata.test'),
     ('--from a@servfail.test', BY_SENDER, GONE % 'servfail.test'),
     ('--from a@silent.test', BY_SENDER, GONE % 'silent.test'),
     ('--from a@mxfail.a-192-0-2-1.test', 'accept'), ('--from a@mx-10.test', 'accept'),
     ('--from a@a-192-0-2-1.test', 'accept'), ('--from ""', 'accept'),
     ('--from a@example.org', 'accept'), ('--from a@[203.0.113.1]', 'accept'),
     ('--from a@nullmx.test', 'reject rcpt reject_unknown_sender_domain',
      '550 5.7.27 <a@nullmx.test>: Sender address rejected: Domain nullmx.test does not accept '
      'mail (nullMX)'), server=BAD)
RECIPIENT = 'recipient_restrictions = reject_unknown_recipient_domain\ndnsbl_timeout = 1s\n' \
            'relay_restrictions = permit_sasl_authenticated reject_unauth_destination\n'
BY_RECIPIENT = 'tempfail rcpt reject_unknown_recipient_domain'
rows('reject_unknown_recipient_domain', RECIPIENT,
     (TLS + '--rcpt a@nx.test', BY_RECIPIENT,
      '450 4.1.2 <a@nx.test>: Recipient address rejected: Domain not found'),
     (TLS + '--rcpt a@mx-10.test', 'accept'), (TLS + '--rcpt a@example.org', 'accept'),
     (TLS + '--rcpt a@nullmx.test', 'reject rcpt reject_unknown_recipient_domain',
      '556 5.1.10 <a@nullmx.test>: Recipient address rejected: Domain nullmx.test does not accept '
      'mail (nullMX)'), server=BAD)
rows('reject_unknown_client_hostname', 'client_restrictions = reject_unknown_client_hostname\n',
     (ONE, 'tempfail rcpt reject_unknown_client_hostname',
      '450 4.7.25 Client host rejected: cannot find your hostname, [203.0.113.9]'),
     (ONE + '--name host.example', 'accept'))
rows('reject_unknown_reverse_client_hostname',
     'client_restrictions = reject_unknown_reverse_client_hostname\n',
     (ONE, 'tempfail rcpt reject_unknown_reverse_client_hostname',
      '450 4.7.1 Client host rejected: cannot find your reverse hostname, [203.0.113.9]'),
     (ONE + '--name host.example', 'accept'))


# The default file's example: postmaster and abuse are reachable for who is listed
EXAMPLE = re.search(r'(?m)^#(recipient_restrictions = .*\n)#(    .*\n)#(    .*\n)',
                    open(lists.TOP + '/packaging/gatepost.conf').read())
rows('the exemption of the default file', SITES + ''.join(EXAMPLE.groups()),
     (ONE + '--rcpt postmaster', 'accept'), (ONE + '--rcpt Postmaster@example.org', 'accept'),
     (ONE + '--rcpt abuse@example.org', 'accept'), (ONE + '--rcpt bob@example.org', WEIGHED),
     (ONE + '--rcpt abuse@far.example', 'reject rcpt reject_unauth_destination'))


@case('more addresses in one field than are asked hide none that is listed')
def crowds():
    too_many = '552 5.3.4 More addresses in one field than can be checked'
    by_rules = 'rule_files = cf\nmessage_restrictions = reject_spam\n'
    for check, settings, files in (
            ('reject_dnsbl', NAMES + IN_MESSAGE, {}), ('reject_dnsbl', HASHES + IN_MESSAGE, {}),
            ('reject_spam', by_rules, {'cf': RULES})):
        site = ctl.Settings(SITE % GOOD.address() + settings, **files)
        for field, count, last, expected in (
                ('From', 63, 'last@b.example', None), ('From', 64, 'last@b.example', too_many),
                ('Reply-To', 63, 'last@b.example', None), ('Reply-To', 64, 'last@b.example', too_many),
                ('From', 64, 'offer@spammer.example, x@spam.example', too_many),
                ('Reply-To', 9000, 'offer@spammer.example, x@spam.example', too_many),
                ('To', 100, 'x@spam.example', None)):
            crowd = ', '.join('u%d@b.example' % n for n in range(count))
            text = '%s%s: %s, %s\n\nbody\n' % ('' if field == 'From' else 'From: a@b.example\n',
                                              field, crowd, last)
            found, _ = site.test('--from a@b.example -', text)
            equal((found['check'], found['reply']), (check if expected else None, expected),
                  (check, field, count, last))
        text = 'From: offer@spammer.example, x@spam.example, %s\n\nbody\n' % ', '.join(
            'u%d@b.example' % n for n in range(100))
        found, _ = site.test('--from a@b.example -', text)
        equal(found['check'], check)
        match('^55[024] ', found['reply'])


# What is asked at all

def asked_by(settings, arguments, message=MESSAGE):
    """The zones that a session asked."""
    before = len(GOOD.questions())
    ctl.Settings(SITE % GOOD.address() + settings).test(arguments, message)
    return sorted(set(re.sub(r'^.*?((bl|wl|dbl|ebl)\.example\.com)$', r'\1', name)
                      for name in GOOD.questions()[before:]))


@case('nothing is asked that no restriction needs')
def needless():
    every = SITES + NAMES + HASHES
    outsider = ONE + '--from a@b.example'
    equal(asked_by(every, outsider), ['bl.example.com', 'dbl.example.com', 'ebl.example.com',
                                      'wl.example.com'], 'all')
    other = 'recipient_restrictions = reject_unknown_sender_domain\n'
    equal(asked_by(every + other, outsider + ' --from a@friend.bl.example.com'),
          ['bl.example.com'], 'lists that nobody asks')
    equal(asked_by(every + 'recipient_restrictions =\n', outsider), [], 'no restriction')
    for words in (TLS, '--client 127.0.0.1', '--client 192.168.7.7 --from ""',
                  '--listener submission', '--local'):
        equal(asked_by(SITES, ONE + words), [], words)


# gatepostctl dnsbl

def dnsbl(settings, *arguments, server=GOOD, data=None):
    done = ctl.Settings(SITE % server.address() + settings).run('dnsbl', *arguments, data=data)
    return done, [json.loads(line) for line in done.stdout.splitlines() if line[:1] == '{']


def states(found):
    return {each['list']: each['state'] for each in found['lists']}


@case('dnsbl tells what each list says')
def command():
    done, (found,) = dnsbl(SITES, '--json', '203.0.113.70')
    equal(done.returncode, 1, 'exit')
    equal((found['query'], found['kind'], found['listed'], found['score'], found['threshold'],
           found['action']), ('203.0.113.70', 'address', True, -1, 3, 'accept'), 'the whole')
    equal([(e['zone'], e['state'], e['codes'], e['weight'], e['used_by']) for e in found['lists']],
          [('bl.example.com', 'listed', ['127.0.0.2'], 3, 'dnsbl_sites'),
           ('bl.example.com', 'not listed', ['127.0.0.2'], 2, 'dnsbl_sites'),
           ('wl.example.com', 'listed', ['127.0.5.3'], -4, 'dnsbl_sites')], 'lists')
    equal(found['lists'][2]['text'], 'A partner', 'text')
    true(found['lists'][0]['ms'] >= 0, 'a time')


@case('dnsbl takes addresses, domains, e-mail addresses, several of them, and stdin')
def command_kinds():
    done, found = dnsbl(SITES + NAMES + HASHES, '--json', '2001:db8:bad::1', '[203.0.113.9]',
                        'www.spam.example', 'offer+1@spammer.example', '-',
                        data='198.51.100.20\n# a comment\n\nb.example\n')
    equal(done.returncode, 1, 'exit')
    equal([(e['query'], e['kind'], e['listed'], e['action']) for e in found],
          [('2001:db8:bad::1', 'address', True, 'reject'),
           ('[203.0.113.9]', 'address', True, 'reject'),
           ('www.spam.example', 'domain', True, 'reject'),
           ('offer+1@spammer.example', 'email', True, 'reject'),
           ('198.51.100.20', 'address', False, 'accept'),
           ('b.example', 'domain', False, 'accept')], 'subjects')
    equal(dnsbl(SITES, '198.51.100.20')[0].returncode, 0, 'exit of what is not listed')


@case('dnsbl: lists that restrictions and rules name')
def command_zones():
    settings = WHITE + 'rule_files = rules.cf\n' + RBL % 'warn_if_reject reject_rbl_client ' \
        'bl.example.com=127.0.0.10'
    done = ctl.Settings(SITE % GOOD.address() + settings, **{'rules.cf': RULES}).run(
        'dnsbl', '--json', '203.0.113.9', '203.0.113.70')
    one, praised = [json.loads(line) for line in done.stdout.splitlines()]
    equal([(e['used_by'], e['state']) for e in one['lists']],
          [('permit_dnswl_client', 'not listed'), ('reject_rbl_client', 'listed'),
           ('reject_rbl_client', 'not listed'), ('IN_BL', 'listed')], 'lists')
    equal((one['action'], one['check']), ('reject', 'reject_rbl_client'), 'action')
    equal((praised['action'], praised['check']), ('permit', 'permit_dnswl_client'), 'action')


@case('dnsbl: an address that means nothing outside')
def command_private():
    for address in ('127.0.0.1', '::1', '10.0.0.1', '192.168.1.1', 'fd00::1', '169.254.1.1'):
        before = len(GOOD.questions())
        done, (found,) = dnsbl(SITES, '--json', address)
        equal((done.returncode, found['private'], found['lists']), (0, True, []), address)
        match('private or loopback', dnsbl(SITES, address)[0].stdout)
        equal(len(GOOD.questions()), before, 'questions')


@case('dnsbl: what is neither address nor name')
def command_mistakes():
    for words in ((), ('--nope',), ('a b',), ('1.2.3',), ('@',), ('a@',), ('..',)):
        done, _ = dnsbl(SITES, *words)
        equal(done.returncode, 64, 'exit of %r' % (words,))
    done, found = dnsbl(SITES, '--json', 'nonsense nonsense', '203.0.113.9')
    equal((done.returncode, len(found)), (64, 1), 'the others are asked all the same')


@case('dnsbl: lists that are ill')
def command_faults():
    expected = {'refuses to serve': ['refuses to serve', 'is rewritten'],
                'failed its probe': ['lists the world'],
                'no answer': ['is silent', 'fails'],
                'not listed': ['answers 127.0.0.1']}
    zones = [FAULTS[fault] for faults in expected.values() for fault in faults]
    done, (found,) = dnsbl('dnsbl_timeout = 2s\ndnsbl_sites = %s list.a-127-0-0-2.ok.test\n'
                           % ' '.join(zones), '--json', '203.0.113.9', server=BAD)
    equal(done.returncode, 1, 'exit')
    for state, faults in expected.items():
        for fault in faults:
            equal(states(found)[FAULTS[fault]], state, fault)
    equal(found['score'], 1, 'score')
    # Apart: c-ares from 1.28 on drops what else is under way when a packet makes no sense.
    done, (found,) = dnsbl('dnsbl_timeout = 2s\ndnsbl_sites = %s\n' % FAULTS['is garbage'],
                           '--json', '203.0.113.9', server=BAD)
    equal((done.returncode, states(found)[FAULTS['is garbage']]), (69, 'no answer'), 'garbage')


@case('dnsbl: what no list tells is not "not listed"')
def command_untold():
    sound, silent = 'list.nx.ok.test', 'silent.bad.test'
    rows = [(silent, 69, 'no answer$', 1), ('servfail.bad.test', 69, 'no answer$', 1),
            ('list.garbage.bad.test', 69, 'no answer$', 1),
            ('list.a-127-255-255-254.bad.test', 69, 'no answer$', 1),
            ('list.nx.a-127-0-0-2.bad.test', 69, 'no answer$', 1),
            (sound, 0, 'not listed$', 0),
            (sound + ' ' + silent, 69, 'no answer from 1 of 2 lists, not listed by the others$', 1),
            ('list.a-127-0-0-2.ok.test ' + silent, 1, 'listed$', 1)]
    for sites, code, headline, unanswered in rows:
        settings = 'dnsbl_timeout = 1s\ndnsbl_sites = %s\n' % sites
        done, _ = dnsbl(settings, '203.0.113.9', server=BAD)
        equal(done.returncode, code, sites)
        lines = done.stdout.split('\n')
        match('^203.0.113.9: ' + headline, lines[0])
        equal('lists nobody' in lines[-2], unanswered > 0, lines[-2])
        done, (found,) = dnsbl(settings, '--json', '203.0.113.9', server=BAD)
        equal((done.returncode, found['unanswered'], found['action']),
              (code, unanswered, 'accept'), sites)
    done, _ = dnsbl('dnsbl_timeout = 1s\ndnsbl_sites = bl.example.com*9\n', '203.0.113.9',
                    server=lists.Server())
    equal(done.returncode, 69, 'a dead resolver')
    match('^203.0.113.9: no answer$', done.stdout.split('\n')[0])


@case('dnsbl --probe tests the lists themselves')
def command_probe():
    done, (found,) = dnsbl(SITES + NAMES + HASHES, '--json', '--probe')
    equal(done.returncode, 0, 'exit')
    equal([(p['zone'], p['kind'], p['state'], p['test_entry']) for p in found['probes']],
          [('bl.example.com', 'addresses', 'passed', 'listed'),
           ('dbl.example.com', 'names', 'passed', 'listed'),
           ('ebl.example.com', 'hashes', 'passed', 'listed'),
           ('wl.example.com', 'addresses', 'passed', 'listed')], 'probes')
    done, (found,) = dnsbl('dnsbl_timeout = 1s\ndnsbl_sites = a-127-0-0-2.bad.test nx.bad.test '
                           'silent.bad.test a-10-9-8-7.bad.test a-127-255-255-254.bad.test\n', '--json', '--probe',
                           server=BAD)
    equal(done.returncode, 1, 'exit')
    equal({p['zone']: (p['state'], p['test_entry']) for p in found['probes']},
          {'a-127-0-0-2.bad.test': ('failed its probe', 'listed'),
           'nx.bad.test': ('passed', 'missing'),
           'silent.bad.test': ('no answer', 'unknown'),
           'a-10-9-8-7.bad.test': ('refuses to serve', 'unknown'),
           'a-127-255-255-254.bad.test': ('refuses to serve', 'unknown')}, 'probes')


@case('dnsbl without a list in force')
def command_without():
    done, _ = dnsbl('', '203.0.113.9')
    equal(done.returncode, 0, 'exit')
    match('name no DNS list', done.stderr)


# check

@case('check warns of praise that decides')
def check_warnings():
    text = SITE % GOOD.address() + WHITE + 'dnsbl_sites = wl.example.com*-2 bl.example.com\n'
    done = ctl.Settings(text).run('check')
    equal(done.returncode, 0, done.stderr)
    match(r'warning: client_restrictions: permit_dnswl_client wl\.example\.com', done.stderr)
    match(r'warning: .*wl\.example\.com\*-2.*filter', done.stderr)
    done = ctl.Settings(SITE % GOOD.address() + SITES).run('check')
    absent('filter|praise', done.stderr)


@case('check finds mistakes in lists')
def check_errors():
    for line in ('dnsbl_sites = bl.example.com=127.0.0.300', 'dnsbl_sites = bl.example.com*x',
                 'rhsbl_sites = dbl.example.com/nowhere', 'hashbl_sites = ebl.example.com:rot13',
                 'client_restrictions = reject_rbl_client', 'dns_servers = nonsense',
                 'client_restrictions = reject_rbl_client bl.example.com=1.2',
                 'dnsbl_timeout = soon'):
        done = ctl.Settings('local_domains =\n' + line + '\n').run('check')
        equal(done.returncode, 78, line)
        match(r'gatepost\.conf:\d+: error: ', done.stderr, line)


def setup():
    GOOD.start()
    BAD.start()


if __name__ == '__main__':
    run(lambda: setup())
