#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Random restriction lists, tables and sessions, judged by Postfix's own smtpd and by gatepost: the
replies must be the same, word for word. What one policy holds stands in main.cf's words on one side
and in gatepost.conf's on the other.

With POLICIES=N in the environment that many are tried, with SEED=N others."""
import os
import random
import sys
sys.path.insert(0, sys.path[0] + '/../lib')
import postfix
import twins
from tap import case, run, skip_all

POLICIES = int(os.environ.get('POLICIES', 24))
SEED = int(os.environ.get('SEED', 20261127))

CLIENTS = [('198.51.100.7', 'mail.far.example'), ('198.51.100.8', 'host.away.test'),
           ('203.0.113.9', 'unknown'), ('192.0.2.25', 'inside.lab.test'),
           ('2001:db8::25', 'six.far.example')]
HELOS = ['mail.far.example', 'host', '[198.51.100.7]', 'a_b.example', '198.51.100.7', 'x..y',
         '[1.2.3]', 'away.test', 'lab.test']
SENDERS = ['a@far.example', 'b+x@away.test', 'boss@lab.test', 'x@sub.away.test', '', 'y@nodot',
           'z@a.b.away.test']
RECIPIENTS = ['bob@lab.test', 'bob+x@lab.test', 'closed@lab.test', 'x@far.example',
              'y@sub.away.test', 'bob@nodot', 'postmaster@lab.test']

PLAIN = ['permit_mynetworks', 'permit_auth_destination', 'reject_unauth_destination',
         'defer_unauth_destination', 'reject_invalid_helo_hostname',
         'reject_non_fqdn_helo_hostname', 'reject_non_fqdn_sender', 'reject_non_fqdn_recipient',
         'defer_if_permit', 'defer_if_reject', 'permit', 'permit_sasl_authenticated', 'reject_unknown_reverse_client_hostname']
FINAL = ['reject_plaintext_session', 'reject', 'defer']
KEYS = {'client': ['198.51.100.7', '198.51.100', '203.0', '192.0.2', 'far.example',
                   'host.away.test', '.away.test', 'away.test', '2001:db8', 'unknown'],
        'helo': ['far.example', 'mail.far.example', 'away.test', 'host', '[198.51.100.7]'],
        'sender': ['a@far.example', 'far.example', 'away.test', '.away.test', 'boss@', 'b@away.test',
                   '<>', 'sub.away.test', 'b+x@away.test'],
        'recipient': ['closed@lab.test', 'bob@lab.test', 'bob+x@lab.test', 'lab.test', 'far.example',
                      'bob@', '.away.test', 'away.test'],
        'reverse': ['far.example', 'mail.far.example', 'away.test', 'unknown']}
RESULTS = ['OK', 'DUNNO', 'OK', 'DUNNO', 'OK', 'DUNNO', 'REJECT', 'REJECT go away', 'DEFER', 'DEFER later', '550 no such thing',
           '554 5.7.9 worse', '450 4.7.9 slowly', '5.1.1 no code', '550 5.1.1 unknown to us',
           '521 5.7.1 hang up', '421 4.7.0 hang up later', 'DEFER_IF_PERMIT maybe',
           'DEFER_IF_REJECT perhaps', '42', 'reject_non_fqdn_sender',
           'permit_mynetworks, reject', 'reject_non_fqdn_recipient, permit', 'RELAY', 'nonsense']


def tables(source):
    return {name: {key: source.choice(RESULTS)
                   for key in source.sample(keys, source.randint(1, 4))}
            for name, keys in KEYS.items()}


def words(source, least=0):
    made = []
    for _ in range(source.randint(least, 4)):
        word = source.choice(PLAIN if source.random() < 0.4 else FINAL if source.random() < 0.1
                             else ['@' + name for name in twins.TABLES])
        made.append('warn_if_reject ' + word if source.random() < 0.12 else word)
    return made


def random_policy(source, number):
    made = tables(source)
    lists = {name: words(source) for name in ('client', 'helo', 'sender')}
    lists['recipient'] = words(source, least=1)
    lists['relay'] = source.choice((
        ['permit_mynetworks', 'reject_unauth_destination'], ['reject_unauth_destination'],
        ['@recipient', 'permit_mynetworks', 'defer_unauth_destination'],
        ['warn_if_reject reject_non_fqdn_sender', 'reject_unauth_destination']))
    return twins.Policy(number, lists, made)


def alone(source, number, name, word):
    """A policy whose list NAME holds one word, with nothing else beside it."""
    return twins.Policy(number, {'relay': ['permit_auth_destination', 'reject_unauth_destination'],
                                 'recipient': ['permit'], name: [word]}, tables(source))


def sessions(source, count):
    for _ in range(count):
        yield (source.choice(CLIENTS), source.choice(HELOS), source.choice(SENDERS),
               source.choice(RECIPIENTS))


@case('%d random policies are judged as by Postfix' % POLICIES)
def random_policies():
    source = random.Random(SEED)
    made = [random_policy(source, number) for number in range(POLICIES)]
    twins.compare([(policy, sessions(source, 14)) for policy in made])


@case('each restriction in each list, by itself, is judged as by Postfix')
def single_words():
    source = random.Random(SEED)
    every = PLAIN + FINAL + ['@' + name for name in twins.TABLES] * 3
    pairs = [(name, word) for name in ('client', 'helo', 'sender', 'recipient') for word in every]
    made = [alone(source, number, *pair) for number, pair in enumerate(pairs)]
    twins.compare([(policy, sessions(source, 5)) for policy in made])


if postfix.missing():
    skip_all(postfix.missing())
run()
