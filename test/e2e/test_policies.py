#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Random restriction lists, tables and sessions, judged by Postfix's own smtpd and by gatepost: the
replies must be the same, word for word. What one policy holds stands in main.cf's words on one side
and in gatepost.conf's on the other.

With POLICIES=N in the environment that many are tried, with SEED=N others."""
import json
import os
import random
import re
import sys
sys.path[:0] = [sys.path[0] + '/../lib', sys.path[0] + '/../cli']
import ctl
import postfix
from tap import case, note, run, skip_all, true

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
TABLES = {'client': 'check_client_access', 'helo': 'check_helo_access',
          'sender': 'check_sender_access', 'recipient': 'check_recipient_access',
          'reverse': 'check_reverse_client_hostname_access'}
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


class Policy:
    """Restriction lists and tables that Postfix and gatepost both get. ALONE: the name of a list and
    the one word that it holds, with nothing else beside it."""

    def __init__(self, source, number, alone=None):
        self.number = number
        self.tables = {name: {key: source.choice(RESULTS)
                              for key in source.sample(keys, source.randint(1, 4))}
                       for name, keys in KEYS.items()}
        if alone:
            self.lists = {'relay': ['permit_auth_destination', 'reject_unauth_destination'],
                          'recipient': ['permit'], alone[0]: [alone[1]]}
            return
        self.lists = {name: self.words(source) for name in ('client', 'helo', 'sender')}
        self.lists['recipient'] = self.words(source, least=1)
        self.lists['relay'] = source.choice((
            ['permit_mynetworks', 'reject_unauth_destination'], ['reject_unauth_destination'],
            ['@recipient', 'permit_mynetworks', 'defer_unauth_destination'],
            ['warn_if_reject reject_non_fqdn_sender', 'reject_unauth_destination']))

    def words(self, source, least=0):
        made = []
        for _ in range(source.randint(least, 4)):
            word = source.choice(PLAIN if source.random() < 0.4 else FINAL if source.random() < 0.1
                                 else ['@' + name for name in TABLES])
            made.append('warn_if_reject ' + word if source.random() < 0.12 else word)
        return made

    def write_tables(self, folder):
        for name, rows in self.tables.items():
            path = '%s/%s-%d' % (folder, name, self.number)
            with open(path, 'w') as table:
                table.writelines('%s %s\n' % row for row in rows.items())

    def text(self, name, folder):
        def expand(match):
            return '%s texthash:%s/%s-%d' % (TABLES[match[1]], folder, match[1], self.number)
        return re.sub('@([a-z]+)', expand, ', '.join(self.lists[name]))

    def service(self, folder):
        """What master.cf says of the smtpd that judges by this policy."""
        lists = ''.join(' -o { smtpd_%s_restrictions = %s }' % (name, self.text(name, folder))
                        for name in self.lists)
        return '-o smtpd_authorized_xclient_hosts=127.0.0.0/8 -o smtpd_milters=' + lists

    def settings(self, folder):
        return ('mynetworks = 192.0.2.0/24\nlocal_domains = lab.test mail.lab.test localhost\n'
                'origin = lab.test\nrecipient_delimiter = +\nsubmission_listeners =\n'
                'message_restrictions =\nrule_files =\n' +
                ''.join('%s_restrictions = %s\n' % (name, self.text(name, folder))
                        for name in self.lists))


def sessions(source, count):
    for _ in range(count):
        yield (source.choice(CLIENTS), source.choice(HELOS), source.choice(SENDERS),
               source.choice(RECIPIENTS))


def theirs(mta, policy, client, helo, sender, recipient):
    """What Postfix says at RCPT."""
    mta_dialog = mta.dialog(mta.ports['policy%d' % policy.number])
    try:
        address, name = client
        name = '[UNAVAILABLE]' if name == 'unknown' else name
        reply = mta_dialog.xclient(None, ADDR='IPV6:' + address if ':' in address else address,
                                   NAME=name, REVERSE_NAME=name)
        true(reply.startswith('220'), 'XCLIENT: ' + reply)
        mta_dialog.ehlo(helo)
        reply = mta_dialog.mail(sender)
        return reply if not reply.startswith('250') else mta_dialog.rcpt(recipient)
    finally:
        mta_dialog.drop()


def ours(settings, client, helo, sender, recipient):
    done = settings.run('test', '--json', '--client', client[0], '--name', client[1], '--helo', helo,
                        '--from', sender, '--rcpt', recipient)
    true(done.returncode in (0, 1), done.stderr)
    return json.loads(done.stdout)['reply'] or '250 2.1.5 Ok'


def alike(one, other):
    """Whether the replies are the same. Other words by design: who may not relay is told what to
    do, and what a table says that means nothing is a 451 that does not blame the server's
    configuration."""
    other = re.sub('^554 (5.7.1 <.*>: Relay)(?: access denied)$',
                   r'550 \1ing denied; authenticate first', other)
    other = re.sub('^454 (4.7.1 <.*>: Relay)(?: access denied)$', r'454 \1 access denied', other)
    return one == other or one[:3] == other[:3] == '451'


def compare(made, source, count):
    """Plays COUNT sessions under each policy to both."""
    place = ctl.Settings('')
    for policy in made:
        policy.write_tables(place.folder)
    os.chmod(place.folder, 0o755)
    mta = postfix.Postfix('', {'smtpd_reject_unlisted_recipient': 'no', 'mynetworks': '192.0.2.0/24',
                               'smtpd_reject_unlisted_sender': 'no', 'in_flow_delay': '0'},
                          {'policy%d' % p.number: p.service(place.folder) for p in made})
    mta.start()
    differ, played, refused = [], 0, 0
    try:
        for policy in made:
            settings = ctl.Settings(policy.settings(place.folder))
            for session in sessions(source, count):
                one, other = ours(settings, *session), theirs(mta, policy, *session)
                played += 1
                refused += not other.startswith('2')
                if not alike(one, other):
                    differ.append('policy %d, %r:\n  gatepost %s\n  Postfix  %s\n%s'
                                  % (policy.number, session, one, other,
                                     policy.settings(place.folder) if len(differ) < 3 else ''))
    finally:
        mta.stop()
    note('%d sessions, %d refused by Postfix' % (played, refused))
    true(played // 10 < refused < played, 'Postfix refuses %d of %d' % (refused, played))
    true(not differ, '%d of %d sessions differ:\n%s' % (len(differ), played, '\n'.join(differ[:12])))


@case('%d random policies are judged as by Postfix' % POLICIES)
def random_policies():
    source = random.Random(SEED)
    compare([Policy(source, number) for number in range(POLICIES)], source, 14)


@case('each restriction in each list, by itself, is judged as by Postfix')
def single_words():
    source = random.Random(SEED)
    words = PLAIN + FINAL + ['@' + name for name in TABLES] * 3
    compare([Policy(source, number, alone) for number, alone in enumerate(
        (name, word) for name in ('client', 'helo', 'sender', 'recipient') for word in words)],
        source, 5)


if postfix.missing():
    skip_all(postfix.missing())
run()
