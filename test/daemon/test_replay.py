#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""gatepostctl replay: the same settings over what came give no difference; other settings give
exactly the differences that sending the mail again gives."""
import contextlib
import gzip
import json
import os
import shutil
import sqlite3
import struct
import subprocess
import sys
sys.path.insert(0, sys.path[0] + '/../lib')
import gatepost
import lists
import place
import tap
from milter import Milter
from tap import case, equal, match, true, until

RULES = '''header BUY Subject =~ /buy/
score BUY 6.5
header URGENT Subject =~ /urgent/
score URGENT 2.0
header __HELLO Subject =~ /hello/
meta GREETS __HELLO && !BUY
score GREETS 0.1
'''
LOGINS = 'bob@lab.test bob\nalice@lab.test alice\n'
CLIENTS = {
    'listed': {'address': '192.0.2.7', 'host': 'listed.example', 'client_name': 'listed.example'},
    'plain': {'address': '203.0.113.9', 'host': 'host.example', 'client_name': 'host.example'},
    'partner': {'address': '198.51.100.5', 'host': 'mx.partner.example',
                'client_name': 'mx.partner.example'},
    'local': {'address': '10.1.2.3', 'host': 'pc.lab.test', 'client_name': 'pc.lab.test'},
}
TLS = {'tls_version': 'TLSv1.3', 'cipher': 'X', 'cipher_bits': '256'}
BOB = {**TLS, 'auth_type': 'PLAIN', 'auth_authen': 'bob'}
# client, HELO, macros of MAIL, sender, recipients, subject
MAILS = [
    ('plain', 'host.example', {}, '<a@example.com>', ['<bob@lab.test>'], 'hello'),
    ('plain', 'host', {}, '<a@example.com>', ['<bob@lab.test>', '<alice@lab.test>'], 'hello'),
    ('plain', 'host.example', {}, '<a@example.com>', ['<bob@lab.test>'], 'buy now'),
    ('plain', 'host.example', {}, '<a@example.com>', ['<bob@lab.test>'], 'buy urgent'),
    ('plain', 'host.example', {}, '<a@example.com>', ['<x@remote.example>'], 'relay'),
    ('plain', 'host.example', {}, '<a@example.com>', ['<x@remote.example>', '<bob@lab.test>'], 'x'),
    ('listed', 'listed.example', {}, '<s@listed.example>', ['<bob@lab.test>'], 'listed'),
    ('partner', 'mx.partner.example', {}, '<p@partner.example>', ['<x@remote.example>'], 'relay'),
    ('partner', 'mx.partner.example', {}, '<p@partner.example>', ['<bob@lab.test>'], 'urgent'),
    ('local', 'pc', {}, '<bob@lab.test>', ['<x@remote.example>'], 'out'),
    ('plain', 'laptop', BOB, '<bob@lab.test>', ['<x@remote.example>'], 'mine'),
    ('plain', 'laptop', BOB, '<alice@lab.test>', ['<x@remote.example>'], 'not mine'),
    ('plain', 'host.example', {}, '<bob@lab.test>', ['<alice@lab.test>'], 'forged'),
    ('plain', 'host.example', {}, '<>', ['<bob@lab.test>'], 'bounce'),
]


class Site:
    """The daemon, with a DNS list that has one client."""

    def __init__(self):
        self.lists = None if lists.missing() else lists.Lists().start()
        self.gatepost = gatepost.Gatepost()
        self.base = {
            'mynetworks': '10.0.0.0/8',
            'rule_files': self.gatepost.table('rules.cf', RULES),
            'sender_login_maps': 'texthash:' + self.gatepost.table('logins', LOGINS),
            'history_headers': 'yes',
            'autoreply_guard': 'off',
        }
        if self.lists:
            self.base.update({'dns_servers': '127.0.0.1:%d' % self.lists.port,
                              # together enough for a refusal, so that answers are awaited
                              'dnsbl_sites': 'bl.example.com*2 wl.example.com*-1 '
                                             'wl.example.com=127.0.0.9*2'})
        self.start(self.base)
        self.count = 0

    def start(self, settings):
        self.gatepost.configure(settings)
        self.gatepost.start()
        if self.lists: # mail that comes before a list has passed its probe asks it nothing
            until(self.lists_serve, 10, 'lists in use')

    def lists_serve(self):
        found = json.loads(self.gatepost.control('status', '--json').stdout)['dns_lists']
        return all(one['state'] == 'in use' for one in found)

    def send(self, mails=MAILS):
        """Sends them all; what became of each: (action, check, tagged) by its queue id."""
        begun = self.count
        for client, helo, macros, sender, recipients, subject in mails:
            self.count += 1
            queue_id = 'R%05d' % self.count
            with Milter(self.gatepost.port) as milter:
                milter.negotiate()
                milter.connect(**CLIENTS[client])
                milter.helo(helo, **macros)
                milter.mail(sender, i=queue_id, **macros)
                answers = [milter.rcpt(recipient, i=queue_id) for recipient in recipients]
                if any(answer[0] == 'c' for answer in answers):
                    milter.message(headers=(('From', ' ' + sender), ('Subject', ' ' + subject)))
        return [self.decisions('R%05d' % (begun + 1 + i)) for i in range(len(mails))]

    def decisions(self, queue_id):
        """What was decided of a message: sorted (stage, action, check, tagged, recipient)."""
        def ask():
            done = self.gatepost.control('trace', '--json', queue_id)
            return done.stdout if done.returncode == 0 else None
        rows = [json.loads(line) for line in until(ask, 10, 'rows of ' + queue_id).splitlines()]
        return sorted((row['stage'], row['action'], row['check'] or '',
                       row['tagged'] and row['action'] == 'accept',
                       row['recipients'][-1]['rcpt'] if row['stage'] == 'rcpt' else '')
                      for row in rows)

    def replay(self, settings, *options):
        """What replay says under other settings."""
        file = self.gatepost.folder + '/new.conf'
        own = {key: value for key, value in self.gatepost.settings.items()}
        own.update({**gatepost.DEFAULTS, **self.base, **settings})
        more = own.pop('more', '')
        place.write(file, ''.join('%s = %s\n' % item for item in own.items()
                                  if item[1] is not None) + more)
        done = self.gatepost.control('replay', '--json', '--new', file, *options)
        if done.returncode not in (0, 1):
            raise tap.Failure('replay: %d %s' % (done.returncode, done.stderr))
        report = json.loads(done.stdout)
        equal(done.returncode, 1 if report['changed'] else 0, 'exit')
        return report

    def stop(self):
        self.gatepost.stop()
        shutil.rmtree(self.gatepost.folder, ignore_errors=True)


def changes(report):
    """(old, new) -> count"""
    return {((one['old']['action'], one['old']['check'], one['old']['tagged']),
             (one['new']['action'], one['new']['check'], one['new']['tagged'])): one['count']
            for one in report['changes']}


@case('the same settings give no difference')
def same(site):
    site.first = site.send()
    report = site.replay({})
    equal((report['changes'], report['unjudged'], report['reasons']), ([], 0, {}), 'replay')
    true(report['decisions'] >= len(MAILS), 'all were looked at')
    equal(report['same'], report['decisions'], 'same')


CHANGES = {
    'a list that weighs more': {'dnsbl_sites': 'bl.example.com*3 wl.example.com*-1 '
                                               'wl.example.com=127.0.0.9*2'},
    'a network in mynetworks': {'mynetworks': '10.0.0.0/8 198.51.100.0/24'},
    'a rule that scores more': {'rule_files': RULES.replace('URGENT 2.0', 'URGENT 5.5')},
    'a rule that scores less': {'rule_files': RULES.replace('BUY 6.5', 'BUY 1.5')},
    'another reject_score': {'reject_score': '6.0'},
    'a stricter HELO': {'helo_restrictions': 'permit_mynetworks permit_sasl_authenticated '
                                             'reject_non_fqdn_helo_hostname'},
    'another owner of a sender': {'sender_login_maps': LOGINS.replace('alice@lab.test alice',
                                                                      'alice@lab.test alice,bob')},
    'a client that is refused': {'client_restrictions':
                                 'check_client_access inline:{203.0.113.9=REJECT}'},
    'a header that is too large': {'header_limit': '41'},
    'a header that is looked at': {'message_restrictions':
                                   'check_header_access Subject inline:{hello=REJECT} reject_spam'},
}


def settings_of(site, change):
    """Texts that are files, written."""
    found = dict(change)
    if 'rule_files' in found:
        found['rule_files'] = site.gatepost.table('new.cf', found['rule_files'])
    if 'sender_login_maps' in found:
        found['sender_login_maps'] = 'texthash:' + site.gatepost.table(
            'new-logins', found['sender_login_maps'])
    return found


def fates(decisions):
    """Of a message: recipient that was refused -> how, and what became of the rest."""
    return {(stage, recipient): (action, check, tagged)
            for stage, action, check, tagged, recipient in decisions}


def expected(before, after):
    """What differs when a message is sent again, as replay counts it: a refusal at RCPT by itself,
    what came through to the end as one."""
    found = {}
    old, new = fates(before), fates(after)
    end_old, end_new = old.get(('message', '')), new.get(('message', ''))
    for key, how in old.items():
        if key[0] != 'rcpt' or new.get(key) == how:
            continue
        now = new.get(key, end_new)
        found[(how, now)] = found.get((how, now), 0) + 1
    lost = [how for key, how in new.items() if key[0] == 'rcpt' and key not in old]
    if end_old and (lost or end_new != end_old):
        now = end_new if end_new and end_new != end_old else lost[0]
        found[(end_old, now)] = found.get((end_old, now), 0) + 1
    return found


def change(site, title):
    if 'dnsbl_sites' in CHANGES[title] and not site.lists:
        raise tap.Skip(lists.missing())
    settings = settings_of(site, CHANGES[title])
    report = site.replay(settings)
    site.gatepost.stop()
    site.start({**site.base, **settings,
                'history': 'sqlite:%s/run/again-%d.db' % (site.gatepost.folder, site.count)})
    again = site.send()
    wanted = {}
    for before, after in zip(site.first, again):
        for key, count in expected(before, after).items():
            pair = tuple((action, check or None, tagged) for action, check, tagged in key)
            wanted[pair] = wanted.get(pair, 0) + count
    site.gatepost.stop()
    site.start(site.base)
    true(wanted, 'the change changes something')
    equal(report['reasons'], {}, 'what cannot be judged')
    equal(changes(report), wanted, 'differences')


@case('what was never asked or seen is counted by reason, and only where it matters')
def unjudged(site):
    mails = len(MAILS)
    report = site.replay({'recipient_restrictions': 'reject_rbl_client other.example.com',
                          'dns_servers': '127.0.0.1:1'})
    true(report['reasons'].get('a lookup was never made', 0) > mails // 3, report['reasons'])
    report = site.replay({'recipient_restrictions': 'greylist'})
    true(report['reasons'].get('greylisting was not asked', 0) > mails // 3, report['reasons'])
    report = site.replay({'message_restrictions': 'check_limit new',
                          'more': '[limit new]\nkey = client\nmax = 1\nper = 1h\nfor = all\n'})
    true(report['reasons'].get('limits were not asked', 0) > mails // 3, report['reasons'])
    rules = site.gatepost.table('more.cf', RULES + 'header NEW Subject =~ /hello/\nscore NEW 9\n')
    report = site.replay({'rule_files': rules})
    equal(set(report['reasons']), {'a rule that counts now was not run'}, 'reasons')
    rules = site.gatepost.table('more.cf', RULES + 'header NEW Subject =~ /hello/\nscore NEW 0.1\n')
    report = site.replay({'rule_files': rules})
    equal((report['reasons'], report['changes']), ({}, []), 'a rule that could change nothing')


@case('a meta rule is another one when what it stands on is')
def meta(site):
    def replay(rules):
        return site.replay({'rule_files': site.gatepost.table('meta.cf', rules)})
    report = replay(RULES.replace('GREETS 0.1', 'GREETS 9'))
    true(report['changed'] > 0 and not report['reasons'], report)
    report = replay(RULES.replace('GREETS 0.1', 'GREETS 9').replace('/hello/', '/hell/'))
    equal(set(report['reasons']), {'a rule that counts now was not run'}, 'reasons')


@case('a row that cannot be read is counted, by replay as by trace')
def broken(site):
    history = sqlite3.connect(site.gatepost.folder + '/run/history.db', isolation_level=None)
    row, = history.execute('SELECT min(id) FROM decision').fetchone()
    kept, = history.execute('SELECT row FROM decision WHERE id = ?', (row,)).fetchone()
    history.execute("UPDATE decision SET row = x'ff00' WHERE id = ?", (row,))
    report = site.replay({})
    equal((report['reasons'], report['unjudged']), ({'the row is broken': 1}, 1), 'replay')
    done = site.gatepost.control('trace', 'lab.test')
    equal(done.returncode, 0, 'exit of trace')
    match('1 decisions cannot be read', done.stderr)
    history.execute('UPDATE decision SET row = ? WHERE id = ?', (kept, row))
    history.close()
    equal(site.replay({})['reasons'], {}, 'mended')


@case('relaying that is let in: the message itself was never seen')
def unseen(site):
    report = site.replay({'mynetworks': '0.0.0.0/0', 'message_restrictions': 'reject_spam'})
    shown = [one for one in report['changes'] if one['old']['check'] == 'reject_unauth_destination']
    true(shown and all(one['unseen'] for one in shown), shown)


def decide(site, name, settings, headers):
    """What becomes of a message of HEADERS under SETTINGS, which has a history of its own."""
    site.gatepost.stop()
    site.start({**site.base, **settings, 'history_headers': 'no',
                'history': 'sqlite:%s/run/%s.db' % (site.gatepost.folder, name)})
    with Milter(site.gatepost.port) as milter:
        milter.negotiate()
        milter.connect(**CLIENTS['plain'])
        milter.helo('host.example')
        milter.mail('<a@example.com>', i='ONE')
        milter.rcpt('<bob@lab.test>', i='ONE')
        milter.message(headers=headers)
    return site.decisions('ONE')[0][1:4]


def replayed(site, name, settings):
    """What replay makes of it: the new outcome, or why there is none."""
    report = site.replay({**settings, 'history': 'sqlite:%s/run/%s.db' % (site.gatepost.folder, name)})
    equal(report['decisions'], 1, 'decisions')
    if report['reasons']:
        return list(report['reasons'])
    return changes(report) and [new for _, new in changes(report)][0]


def sent_again(site, name, base, headers, variants):
    """Under BASE first, then each of VARIANTS: replay says what sending it again does."""
    first = decide(site, name, base, headers)
    for number, more in enumerate(({}, *variants)):
        again = decide(site, '%s-%d' % (name, number), {**base, **more}, headers)
        site.gatepost.configure({**site.base, **base, 'history_headers': 'no',
                                 'history': 'sqlite:%s/run/%s.db' % (site.gatepost.folder, name)})
        told = replayed(site, name, {**base, **more})
        wanted = {} if again == first else (again[0], again[1] or None, again[2])
        equal(told, wanted, 'replay under %s' % more)
    return first


@case('a header that is too large, or not, is judged by its size, kept or not')
def large_header(site):
    headers = [('X-Large', ' ' + 'x' * 900)] * 40
    base = {'header_limit': '20k', 'message_restrictions': ''}
    first = sent_again(site, 'large', base, headers, (
        {'header_limit': '36k'}, {'header_limit': '35k'}, {'mode': 'monitor'},
        {'header_limit': '36k', 'mode': 'monitor'}))
    equal(first, ('reject', 'header_limit', False), 'the refusal')
    # what would look at it now never saw it
    equal(replayed(site, 'large', {**base, 'header_limit': '1m', 'message_restrictions': 'reject_spam'}),
          ['the rules were not asked'], 'with rules')
    equal(replayed(site, 'large', {**base, 'header_limit': '1m', 'message_restrictions':
                                   'check_header_access Subject inline:{x=REJECT}'}),
          ['no header was kept'], 'with a table')
    first = sent_again(site, 'small', {}, headers, ({'header_limit': '35k'}, {'header_limit': '36k'}))
    equal(first, ('accept', '', False), 'below the limit')
    first = sent_again(site, 'many', {'message_restrictions': ''}, [('X', ' y')] * 10001, ())
    equal(first, ('accept', '', False), 'of a header that the MTA was not asked for')
    equal(replayed(site, 'many', {'message_restrictions': '', 'header_limit': '900k'}),
          ['the size of the header was not kept'], 'and what it would be')
    site.gatepost.stop()
    site.start(site.base)


@case('rules that were cut off are judged by what the score is at least and at most')
def cut_rules(site):
    rules = ('header BOMB Subject =~ /^(a+)+$/\nscore BOMB 3\n'
             'header OTHER Subject =~ /b$/\nscore OTHER 3\n')
    base = {'rule_files': site.gatepost.table('cut.cf', rules)}
    variants = ({'tag_score': '7'}, {'tag_score': '2'}, {'tag_score': '2', 'reject_score': '4'},
                {'tag_score': '2', 'reject_score': '3'},
                {'message_restrictions': 'warn_if_reject reject_spam'})
    first = sent_again(site, 'cut', base, [('Subject', ' ' + 'a' * 60 + 'b')], variants)
    equal(first, ('tempfail', 'reject_spam', False), 'while its mark hangs on it')
    base['rule_files'] = site.gatepost.table('cut2.cf', rules.replace('OTHER 3', 'OTHER 4'))
    equal(replayed(site, 'cut', base), ['the rules were cut off'], 'by other rules')
    site.gatepost.stop()
    site.start(site.base)


@case('monitor mode had those in the message whom it would have refused')
def monitored(site):
    more = '[profile lax]\nreject_score = 30\n'
    settings = {'mode': 'monitor', 'recipient_profiles': 'inline:{alice@lab.test=lax}',
                'mixed_recipients': 'split', 'reject_score': '6',
                'history': 'sqlite:%s/run/monitored.db' % site.gatepost.folder}
    site.gatepost.stop()
    site.gatepost.configure({**site.base, **settings}, more)
    site.gatepost.start()
    with Milter(site.gatepost.port) as milter:
        milter.negotiate()
        milter.connect(**CLIENTS['plain'])
        milter.helo('host.example')
        milter.mail('<a@example.com>', i='MIXED')
        for recipient in ('<bob@lab.test>', '<alice@lab.test>', '<x@remote.example>'):
            milter.rcpt(recipient, i='MIXED')
        milter.message(headers=(('Subject', ' buy'),))
    equal([row[:4] for row in site.decisions('MIXED')],
          [('message', 'accept', '', True), ('rcpt', 'reject', 'reject_unauth_destination', False),
           ('rcpt', 'tempfail', 'mixed_recipients', False)], 'what was decided')
    match(r'accept at message: nothing was against it \(mode = monitor\)\n',
          site.gatepost.control('trace', 'MIXED').stdout)
    report = site.replay({**settings, 'more': more})
    equal((report['changes'], report['unjudged']), ([], 0), 'replay')
    report = site.replay({**settings, 'mode': 'enforce', 'more': more})
    equal(changes(report), {(('accept', None, True), ('reject', 'reject_spam', False)): 1},
          'what enforcing it leaves of the message')
    site.gatepost.stop()
    site.start(site.base)


@case('monitor mode went on where it would have refused MAIL, or the first recipient')
def monitored_on(site):
    more = '[profile lax]\nreject_score = 30\n'
    settings = {'mode': 'monitor', 'delay_checks': 'no', 'mixed_recipients': 'split',
                'recipient_profiles': 'inline:{alice@lab.test=lax}',
                'helo_restrictions': 'reject_non_fqdn_helo_hostname',
                'history': 'sqlite:%s/run/went-on.db' % site.gatepost.folder}
    site.gatepost.stop()
    site.gatepost.configure({**site.base, **settings}, more)
    site.gatepost.start()
    for helo in ('bare', 'host.example'):
        with Milter(site.gatepost.port) as milter:
            milter.negotiate()
            milter.connect(**CLIENTS['plain'])
            milter.helo(helo)
            milter.mail('<a@example.com>', i='ON')
            for recipient in ('<x@remote.example>', '<alice@lab.test>', '<bob@lab.test>'):
                milter.rcpt(recipient, i='ON')
            milter.message(headers=(('Subject', ' x'),))
    rows = [row[:3] for row in site.decisions('a@example.com')]
    equal(rows.count(('rcpt', 'tempfail', 'mixed_recipients')), 2, 'alice is not like the first')
    equal(rows.count(('mail', 'reject', 'reject_non_fqdn_helo_hostname')), 1, 'what was decided')
    equal(len(rows), 7, 'all of it')
    told = [[one['rcpt'] for one in row['recipients']] for row in map(
        json.loads, site.gatepost.control('trace', '--json', 'x@remote.example').stdout.splitlines())
            if row['check'] == 'reject_unauth_destination']
    equal(told, [['x@remote.example']] * 2, 'nobody was before the first')
    for mode in ('monitor', 'enforce'):
        report = site.replay({**settings, 'mode': mode, 'more': more})
        behind = [one for one in report['changes']
                  if one['new']['check'] == 'reject_non_fqdn_helo_hostname']
        equal(behind, [], mode + ': the row of MAIL has told it')
    report = site.replay({**settings, 'more': more})
    equal((report['changes'], report['unjudged']), ([], 0), 'as it was')
    report = site.replay({**settings, 'helo_restrictions': '',
                          'sender_restrictions': 'check_sender_access inline:{a@example.com=REJECT}',
                          'more': more})
    equal({change['new']['check'] for change in report['changes']}, {'check_sender_access'},
          'what refuses MAIL now alone is told for all that came behind it')
    site.gatepost.stop()
    site.start(site.base)


@case('of one session each MAIL that monitor mode let pass is told by itself, whichever thread has its row')
def monitored_each(site):
    file = site.gatepost.folder + '/run/each.db'
    settings = {'mode': 'monitor', 'delay_checks': 'no', 'history': 'sqlite:' + file,
                'sender_restrictions': 'check_sender_access inline:{bad@example.com=REJECT}'}
    more = {**settings, 'sender_restrictions': 'check_sender_access '
            'inline:{bad@example.com=REJECT, a@example.com=REJECT}'}
    site.gatepost.stop()
    site.start({**site.base, **settings})
    for senders in (['<first@example.com>'], ['<bad@example.com>', '<a@example.com>', '<bad@example.com>']):
        with Milter(site.gatepost.port) as milter:
            milter.negotiate()
            milter.connect(**CLIENTS['plain'])
            milter.helo('host.example')
            for sender in senders:
                milter.mail(sender, i='EACH')
                milter.rcpt('<bob@lab.test>', i='EACH')
                milter.message(headers=(('Subject', ' x'),))
    until(lambda: len(site.decisions('EACH')) == 6, 10, 'all rows')
    site.gatepost.stop()
    accepted = (('accept', None, False), ('reject', 'check_sender_access', False))
    for apart in (False, True):
        if apart:  # the row of the first MAIL ends what one thread takes at a time
            with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as history:
                first, = history.execute('SELECT min(id) FROM decision').fetchone()
                for table in ('decision', 'key', 'client'):
                    history.execute('UPDATE %s SET id = -id - 498 WHERE id > ?' % table, (first,))
                    history.execute('UPDATE %s SET id = -id WHERE id < 0' % table)
                ids = [row[0] for row in history.execute('SELECT id FROM decision ORDER BY id')]
                equal(ids[1] - ids[0], 499, 'the last of 500')
        report = site.replay(settings)
        equal((report['changes'], report['unjudged']), ([], 0), 'as it was, %s' % apart)
        equal(changes(site.replay(more)), {accepted: 1}, 'the MAIL that was let in, %s' % apart)
    site.start(site.base)


@case('where no thread can be begun it replays all the same')
def no_threads(site):
    if 'LD_PRELOAD' in gatepost.environment() or gatepost.sanitized():
        raise tap.Skip('a sanitizer, or something else, stands where threads are made to fail')
    orders = site.gatepost.folder + '/orders'
    with open(orders, 'wb') as handle:
        handle.write(struct.pack('qqq', -1, 0, 1))
    words = [gatepost.CONTROL, 'replay', '-c', site.gatepost.file, '--json']
    plain = subprocess.run(words, capture_output=True, text=True, env=gatepost.environment())
    done = subprocess.run(words, capture_output=True, text=True, env={
        **gatepost.environment(), 'STARVE_FILE': orders,
        'LD_PRELOAD': gatepost.BUILD + '/test/lib/libstarve.so'})
    equal((done.returncode, json.loads(done.stdout)), (0, json.loads(plain.stdout)), done.stderr)
    true(json.loads(done.stdout)['same'] > 0, 'something is judged')


@case('--since, --check and the text')
def options(site):
    settings = {'mynetworks': '10.0.0.0/8 198.51.100.0/24'}
    equal(site.replay(settings, '--since', 'now')['decisions'], 0, 'decisions from now on')
    report = site.replay(settings, '--check', 'reject_unauth_destination')
    true(report['changed'] == report['changes'][0]['count'] > 0, report)
    equal(site.replay(settings, '--check', 'reject_spam')['changed'], 0, 'of another restriction')
    done = site.gatepost.control('replay', '--new', site.gatepost.folder + '/new.conf')
    equal(done.returncode, 1, 'exit')
    match(r'reject by reject_unauth_destination -> accept', done.stdout)
    match(r'<p@partner.example> to <x@remote.example>', done.stdout)
    true(all(len(line) <= 80 for line in done.stdout.splitlines()), done.stdout)
    equal(site.gatepost.control('replay', '--since', 'x').returncode, 64, 'exit')
    done = site.gatepost.control('replay', '--check', 'reject_unauth_destinaton')
    equal(done.returncode, 64, 'exit for a restriction that is none')
    match('did you mean reject_unauth_destination', done.stderr)
    equal(site.gatepost.control('replay', '--check', 'xyz').returncode, 64, 'exit')
    for name in ('submission_listeners', 'recipient_limit', 'recipient_profiles', 'mixed_recipients',
                 'header_limit'):  # what the log has as check=, too
        equal(site.replay(settings, '--check', name)['changed'], 0, name)
    equal(site.replay(settings, '--check', 'REJECT_UNAUTH_DESTINATION')['changed'],
          report['changed'], 'in capitals')


@case('by log lines, text and JSON, packed or not')
def by_log(site):
    text = [line for line in site.gatepost.lines if 'action=' in line and 'action=warn' not in line]
    packed = site.gatepost.folder + '/log.gz'
    with gzip.open(packed, 'wt') as handle:
        handle.writelines('Nov 27 15:30:45 mx gatepost[1]: %s\n' % line for line in text)
        # What a stranger says stands in other programs' lines, also where a reader's buffer ends.
        begin = ('Nov 27 15:30:45 mx postfix/smtpd[9]: NOQUEUE: reject: RCPT from x: 554 5.7.1 refused; '
                 'from=<a@b.example> to=<c@d.example> proto=SMTP helo=<')
        for words in ('', '{"action":"accept", ', 'gatepost[1]: ', 'x' * ((64 << 10) + 1 - len(begin))):
            handle.write(begin + words + 'action=accept check=\\x1b]0;me\\x07 stage=message '
                         'client=192.0.2.1 from=a@b.example to=c@d.example>\n')
    done = site.gatepost.control('replay', '--json', '--log', packed)
    report = json.loads(done.stdout)
    equal((done.returncode, report['changes']), (0, []), 'the same settings')
    equal(report['decisions'], len(text), 'lines of ours')
    true(report['same'] >= len(MAILS) // 2, report)
    file = site.gatepost.folder + '/new.conf'
    site.replay({'mynetworks': '10.0.0.0/8 198.51.100.0/24'})
    done = site.gatepost.control('replay', '--json', '--new', file, '--log', packed)
    report = json.loads(done.stdout)
    equal([(one['old']['check'], one['new']['action']) for one in report['changes']],
          [('reject_unauth_destination', 'accept')], 'changes')
    equal(site.gatepost.control('replay', '--log', '/nonexistent').returncode, 69, 'exit')


REFUSED = {'action': 'reject', 'stage': 'rcpt', 'check': 'reject_unauth_destination',
           'reply': '554 5.7.1 <x@remote.example>: Relay access denied', 'queue_id': None,
           'client': '203.0.113.9', 'name': 'host.example', 'helo': 'host.example', 'listener': 'smtpd',
           'sasl': None, 'tls': None, 'from': 'a@example.com', 'to': ['x@remote.example'], 'score': None,
           'rules': None, 'ms': 0.4}
PASSED = {**REFUSED, 'action': 'accept', 'stage': 'message', 'check': None, 'reply': None, 'queue_id': 'Q1',
          'client': '10.1.2.3', 'name': 'pc.lab.test', 'helo': 'pc', 'from': 'bob@lab.test',
          'to': ['x@remote.example', 'y@remote.example'], 'ms': 1.2}
CUT = {**PASSED, 'to': ['bob@lab.test', 'alice@lab.test', '+7 more']}
# What the keys are that versions have added since, in their order; a later one may add more.
VERSIONS = [{}, {'text': 'why'}, {'permit': 'permit_mynetworks'},
            {'session': '25xlxphysqq'}, {'mode': 'monitor'}, {'message_id': '<1@example.com>'},
            {'entry': 'texthash:/x:1'}, {'greylist': 'passed', 'why': 'known', 'a_later_key': 'x y'}]
FRONTS = ['', 'Nov 27 15:30:45 mx gatepost[1]: ', '2026-11-27T15:30:45.123456+01:00 mx gatepost[77]: ',
          '2026-11-27T15:30:45.123456789Z ', 'Nov  7 15:30:45 mx gatepost: ']


def text_line(values):
    """As log_format = text writes it."""
    def word(value):
        text = ','.join(value) if isinstance(value, list) else '-' if value is None else str(value)
        return '"%s"' % text if ' ' in text else text
    return ' '.join('%s=%s' % (key, word(value)) for key, value in values.items())


def json_line(values, number):
    first = {} if number < 3 else {'ts': '2026-11-27T15:30:45Z', 'v': number}
    return json.dumps({**first, **values})


@case('by log lines of earlier and of later versions, rotated, packed by any program, cut or broken off')
def by_old_logs(site):
    lines, whole, cut = [], 0, 0
    for number, _ in enumerate(VERSIONS):
        more = {key: value for version in VERSIONS[:number + 1] for key, value in version.items()}
        for front in FRONTS:
            for one in (REFUSED, PASSED, CUT):
                lines += [front + text_line({**one, **more}), front + json_line({**one, **more}, number)]
                whole += 2 * (one is not CUT)
                cut += 2 * (one is CUT)
    lines.append('Nov 27 15:30:45 mx gatepost[1]: gatepost 0.1.0 is at work')
    lines.append('\0' * 5000 + FRONTS[1] + text_line(REFUSED))  # a machine lost its power
    whole += 1
    text = '\n'.join(lines) + '\n'
    plain = place.write(site.gatepost.folder + '/mail.log.1', text)
    files = [plain]
    with gzip.open(plain + '.gz', 'wt') as handle:
        handle.write(text)
    files.append(plain + '.gz')
    for program, ending in (('xz', '.xz'), ('zstd', '.zst'), ('bzip2', '.bz2')):
        if not shutil.which(program):
            continue
        with open(plain + ending, 'wb') as handle:
            subprocess.run([program, '-c', plain], stdout=handle, check=True)
        files.append(plain + ending)
    reports = []
    for file in files:
        done = site.gatepost.control('replay', '--json', '--log', file)
        reports.append((file, json.loads(done.stdout)))
        equal(done.returncode, 0, 'exit for %s: %s' % (file, done.stderr + done.stdout))
    for file, report in reports:
        equal((report['decisions'], report['same'], report['reasons']),
              (whole + cut, whole, {'a log line is cut': cut}), file)
    done = site.gatepost.control('replay', '--json', '--log', *files)
    equal(json.loads(done.stdout)['decisions'], len(files) * (whole + cut), 'all of them')
    for file in files[2:]:
        with open(file, 'rb') as handle:
            begin = handle.read()[:-30]
        with open(file, 'wb') as handle:
            handle.write(begin)
        done = site.gatepost.control('replay', '--log', file)
        equal(done.returncode, 69, 'exit for what is broken off')
        match('cannot unpack it to its end', done.stderr)
    monitored = place.write(site.gatepost.folder + '/monitored.log', text_line(
        {**PASSED, 'client': '203.0.113.9', 'mode': 'monitor'}) + '\n')
    report = json.loads(site.gatepost.control('replay', '--json', '--log', monitored).stdout)
    equal((report['changes'], report['reasons']), ([], {'the log line does not tell it': 1}),
          'whom monitor mode would have refused stands in the line of the message, too')
    # nor does a line tell who was the first recipient, or by which certificate a client was served
    untold = place.write(site.gatepost.folder + '/untold.log', text_line(
        {**REFUSED, 'check': 'mixed_recipients', 'action': 'tempfail', 'to': 'bob@lab.test'}) + '\n' + text_line(
            {**REFUSED, 'listener': 'submission', 'tls': 'TLSv1.3'}) + '\n')
    report = site.replay({'mixed_recipients': 'split', 'relay_clientcerts': 'inline:{alice=x}'}, '--log', untold)
    equal((report['changes'], report['reasons']), ([], {'the log line does not tell it': 2}), 'untold')
    report = site.replay({'mixed_recipients': 'split'}, '--log', untold)
    equal([change['new']['check'] for change in report['changes']], ['submission_listeners'],
          'no certificate serves')
    done = site.gatepost.control('limits', 'suggest', '--log', files[1])
    equal(done.returncode, 0, 'limits suggest reads them, too: ' + done.stderr)
    if len(files) > 2:
        done = subprocess.run([gatepost.CONTROL, '-c', site.gatepost.file, 'replay', '--log', files[2]],
                              env={**gatepost.environment(), 'PATH': '/nonexistent'},
                              capture_output=True, text=True)
        equal(done.returncode, 69, 'exit without the program')
        match('it is packed by xz, which cannot be run', done.stderr)


for title in CHANGES:
    tap.CASES.append((title, lambda site, title=title: change(site, title)))


tap.run(Site, Site.stop)
