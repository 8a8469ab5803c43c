#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""gatepostctl report: what is counted of a history that the daemon wrote, as text, JSON and HTML."""
import html.parser
import json
import os
import shutil
import socket
import struct
import sys
import threading
sys.path.insert(0, sys.path[0] + '/../lib')
import gatepost
import place
from milter import Milter
from tap import case, equal, match, run, true, until

MARKUP = '<script>alert(1)</script>"\'&.example'
RULES = '''header TAG_ME Subject =~ /tag/
score TAG_ME 6
header IDLE_RULE Subject =~ /never/
score IDLE_RULE 1
'''
# Who is on which list: by the last number of 203.0.113.N.
LISTED = {'one.test': (21, 22), 'two.test': (22, 23), 'idle.test': ()}


class Lists(threading.Thread):
    """DNS lists on a port of loopback."""

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(('127.0.0.1', 0))
        self.address = '127.0.0.1:%d' % self.socket.getsockname()[1]
        self.start()

    def run(self):
        while True:
            query, peer = self.socket.recvfrom(4096)
            labels, at = [], 12
            while query[at]:
                labels.append(query[at + 1:at + 1 + query[at]].decode().lower())
                at += query[at] + 1
            question = query[12:at + 5]
            zone = '.'.join(labels[-2:])
            names = ['%d.113.0.203' % number for number in LISTED.get(zone, ())] + ['2.0.0.127']
            found = '.'.join(labels[:-2]) in names and zone in LISTED and question[-4:-2] == b'\0\1'
            answer = b'\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\2' if found else b''
            self.socket.sendto(query[:2] + struct.pack('>HHHHH', 0x8580 if found else 0x8583, 1,
                                                       int(found), 0, 0) + question + answer, peer)


class Daemon:
    def __init__(self):
        self.gatepost = daemon = gatepost.Gatepost()
        self.lists = Lists()
        self.clients = daemon.table('clients', '# who\n203.0.113.9 REJECT\n203.0.113.8 REJECT\n'
                                               '203.0.113.7 HOLD\n')
        daemon.configure({
            'rule_files': daemon.table('rules.cf', RULES), 'dns_servers': self.lists.address,
            'dnsbl_sites': 'one.test*3 two.test*3 idle.test*3',
            'dnsbl_reply_map': 'inline:{two.test=second.example}',
            'client_restrictions': 'check_client_access ' + self.clients,
            'sender_restrictions': 'check_sender_access inline:{used.example=DUNNO, unused.example=REJECT}',
            'recipient_restrictions': 'reject_dnsbl reject_non_fqdn_recipient'})
        os.utime(self.clients, (1, 1))
        daemon.start()
        for client, sender, subject in (
                ('20', '<a@used.example>', 'x'), ('9', '<a@far.example>', 'x'),
                ('7', '<a@far.example>', 'x'), ('20', '<a@far.example>', 'x'), ('20', '<>', 'tag'),
                ('21', '<a@far.example>', 'x'), ('22', '<a@far.example>', 'x'),
                ('23', '<a@far.example>', 'x'), ('23', '<a@far.example>', 'x'),
                ('20', '<a@%s>' % MARKUP, 'x')):
            self.send('203.0.113.' + client, sender, subject)
        self.wait(10)

    def send(self, client, sender, subject):
        with Milter(self.gatepost.port) as milter:
            milter.negotiate()
            milter.connect(address=client, daemon_name=MARKUP)
            milter.helo()
            milter.mail(sender)
            if milter.rcpt('<bob@lab.test>')[0] == 'c':
                milter.message((('From', ' a@far.example'), ('Subject', ' ' + subject)))

    def report(self, *options):
        return self.gatepost.control('report', *options)

    def wait(self, decisions):
        """Until so many are in the history."""
        def are_there():
            done = self.report('--json')
            return done.returncode == 0 and json.loads(done.stdout)['decisions'] == decisions
        until(are_there, 10, 'the history')

    def json(self, *options):
        done = self.report('--json', *options)
        equal((done.returncode, done.stderr), (0, ''), 'report')
        return json.loads(done.stdout)

    def stop(self):
        self.gatepost.stop()
        shutil.rmtree(self.gatepost.folder, ignore_errors=True)


def rows(found, key):
    return {row['name']: [row[word] for word in ('passed', 'tagged', 'held', 'deferred', 'refused')]
            for row in found[key]}


@case('what was decided is counted by all that it is')
def counts(daemon):
    found = daemon.json()
    equal([found[word] for word in ('passed', 'tagged', 'held', 'deferred', 'refused', 'monitored')],
          [3, 1, 1, 0, 5, 0], 'totals')
    for key in ('days', 'hours'):
        true(len(found[key]) in ((1, 2) if key == 'days' else (24,)), key)
        equal(sum(sum(row) for row in rows(found, key).values()), 10, key)
    equal(rows(found, 'checks'), {'reject_dnsbl': [0, 0, 0, 0, 4],
                                  'check_client_access': [0, 0, 1, 0, 1]}, 'checks')
    equal(rows(found, 'rules'), {'TAG_ME': [0, 1, 0, 0, 0]}, 'rules')
    equal(rows(found, 'listed'), {'second.example': [0, 0, 0, 0, 3], 'one.test': [0, 0, 0, 0, 2]}, 'listed')
    equal(rows(found, 'listeners'), {MARKUP: [3, 1, 1, 0, 5]}, 'listeners')
    equal(rows(found, 'sender_domains'), {
        'far.example': [1, 0, 1, 0, 5], '<>': [0, 1, 0, 0, 0], 'used.example': [1, 0, 0, 0, 0],
        MARKUP: [1, 0, 0, 0, 0]}, 'domains')
    equal(found['logins'], [], 'logins')
    equal(daemon.json('--since', '@4102444800')['decisions'], 0, 'the future')


@case('a list is told what it alone caught, by the name that the site shows')
def lists(daemon):
    found = {row['zone']: [row[key] for key in ('answered', 'listed', 'refused', 'alone')]
             for row in daemon.json()['lists']}
    equal({zone: row[1:] for zone, row in found.items()},
          {'second.example': [3, 3, 2], 'one.test': [2, 2, 1], 'idle.test': [0, 0, 0]}, 'lists')


@case('what is in force and caught nothing is named')
def idle(daemon):
    found = daemon.json()['idle']
    for word, present in (('reject_non_fqdn_recipient', True), ('reject_dnsbl', False),
                          ('check_client_access', False), ('reject_unauth_destination', True)):
        equal(word in found['checks'], present, word)
    equal(found['lists'], ['idle.test'], 'lists')
    equal(found['rules'], ['IDLE_RULE'], 'rules')
    tables = {table['name']: table for table in found['tables']}
    table = tables['texthash:' + daemon.clients]
    equal((table['entries'], table['unused'], table['lines']), (3, 1, ['3: 203.0.113.8']), 'a table')
    inline, = [table for name, table in tables.items() if name.startswith('inline:{used')]
    equal(inline['lines'], ['unused.example'], 'an inline table')
    # lines of a file that was changed afterwards may be others
    os.utime(daemon.clients)
    table, = [table for table in daemon.json()['idle']['tables'] if daemon.clients in table['name']]
    equal(table['unused'], 3, 'after a change')
    os.utime(daemon.clients, (1, 1))


@case('the text fits on 80 columns and escapes what strangers send')
def text(daemon):
    done = daemon.report()
    equal(done.returncode, 0, done.stderr)
    for line in done.stdout.splitlines():
        true(len(line) <= 80 or line.endswith(':'), line)  # a table's name is as long as it is
    for pattern in (r'^.* to .*: 10 decisions$', r'^check_client_access +0 +0 +1 +0 +1 #+\++$',
                    r'^second.example +\d+ +3 +3 +2$', '1 of 3 entries found nothing', 'IDLE_RULE'):
        match('(?m)' + pattern, done.stdout)


class Page(html.parser.HTMLParser):
    """Which elements there are, what text, and whether they are closed."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.text, self.links = [], [], '', []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append(tag)
        self.links += [value for name, value in attributes if name in ('src', 'href') or 'url(' in (value or '')]
        self.links += [name for name, _ in attributes if name.startswith('on')]
        if tag not in ('meta', 'br'):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append(tag)

    def handle_endtag(self, tag):
        equal(tag, self.open.pop(), 'what is closed')

    def handle_data(self, data):
        self.text += data


@case('the page is whole, has no script and nothing from elsewhere, and is its owner\'s')
def page(daemon):
    path = place.folder() + '/report.html'
    done = daemon.report('--html', path)
    equal((done.returncode, done.stdout, done.stderr), (0, '', ''), 'report')
    equal(os.stat(path).st_mode & 0o777, 0o600, 'mode')
    with open(path, encoding='utf-8') as handle:
        text = handle.read()
    found = Page(text)
    equal((found.open, found.links), ([], []), 'left open, links')
    true('script' not in found.elements and '<script' not in text.lower(), 'a script')
    equal(found.elements.count('svg') > 2 and found.elements.count('title') > 20, True, 'plots, titles')
    true(MARKUP in found.text and 'prefers-color-scheme:dark' in text, 'the text')
    equal(daemon.report('--html', '-').stdout.count('</html>'), 1, 'standard output')
    equal(daemon.report('--html', daemon.clients + '/x').returncode, 64, 'no such folder')
    os.chmod(path, 0o640)
    daemon.report('--since', '1d', '--html', path)
    equal(os.stat(path).st_mode & 0o777, 0o640, 'who may read it says its owner')
    os.symlink(path, path + '.link')
    done = daemon.report('--html', path + '.link')
    equal(done.returncode, 64, 'a link, as /dev/stdout is')
    match('it is no regular file: name one, or - for standard output', done.stderr)
    true(os.path.islink(path + '.link'), 'it stays')


@case('mistakes are told')
def mistakes(daemon):
    equal(daemon.report('--since', 'long ago').returncode, 64, 'a time')
    equal(daemon.report('--json', '--html', '-').returncode, 64, 'both')
    equal(daemon.report('something').returncode, 64, 'an argument')


def other_history(daemon, name, settings):
    """The daemon with other settings, and nothing decided yet."""
    daemon.gatepost.stop()
    daemon.gatepost.configure({'rule_files': '', 'dns_servers': daemon.lists.address,
                               'history': 'sqlite:%s/run/%s.db' % (daemon.gatepost.folder, name),
                               **settings})
    daemon.gatepost.start()


@case('of what holds mail something came')
def holds(daemon):
    other_history(daemon, 'holds', {
        'client_restrictions': 'check_client_access inline:{203.0.113.7=HOLD}',
        'recipient_restrictions': 'reject_non_fqdn_recipient'})
    daemon.send('203.0.113.7', '<a@far.example>', 'x')
    daemon.wait(1)
    found = daemon.json()
    equal(rows(found, 'checks'), {'check_client_access': [0, 0, 1, 0, 0]}, 'checks')
    for word, present in (('reject_non_fqdn_recipient', True), ('check_client_access', False)):
        equal(word in found['idle']['checks'], present, word)


@case('a list named by a restriction, with a filter and beside weighted ones, is told what it alone caught')
def named_lists(daemon):
    other_history(daemon, 'named', {
        'dnsbl_sites': 'two.test*1 idle.test*2', 'recipient_restrictions': 'reject_dnsbl',
        'client_restrictions': 'reject_rbl_client one.test=127.0.0.2, '
                               'reject_rbl_client two.test=127.0.0.9'})

    def both_serve():
        lists = json.loads(daemon.gatepost.control('status', '--json').stdout)['dns_lists']
        return all(one['state'] == 'in use' for one in lists)
    until(both_serve, 10, 'lists in use')
    for client in ('21', '22', '23', '20'):
        daemon.send('203.0.113.' + client, '<a@far.example>', 'x')
    daemon.wait(4)
    found = {row['zone']: [row[key] for key in ('listed', 'refused', 'alone')]
             for row in daemon.json()['lists']}
    # two.test has 22 and 23, with a code that its filter does not mind and too little weight
    equal(found, {'one.test': [2, 2, 2], 'two.test': [2, 0, 0], 'idle.test': [0, 0, 0]}, 'lists')


@case('lists that are shown by one name are counted as one')
def one_name(daemon):
    other_history(daemon, 'one-name', {
        'dnsbl_sites': 'one.test*3 two.test*3 idle.test*3', 'recipient_restrictions': 'reject_dnsbl',
        'dnsbl_reply_map': 'inline:{one.test=both, two.test=both, idle.test=both}'})
    for client in ('21', '22', '20'):
        daemon.send('203.0.113.' + client, '<a@far.example>', 'x')
    daemon.wait(3)
    found = daemon.json()
    equal(rows(found, 'listed'), {'both': [0, 0, 0, 0, 2]}, 'listed')
    equal(found['idle']['lists'], [], 'idle')


@case('that more entries were found than are kept is said; the lines of a table are all in JSON')
def many_entries(daemon):
    folder = daemon.gatepost.folder
    tables = []
    for number in range(40):
        tables.append('texthash:' + daemon.gatepost.table('many-%d' % number, '203.0.113.9 DUNNO\n'))
    idle = daemon.gatepost.table('idle', ''.join('10.0.0.%d OK\n' % number for number in range(70)))
    for name in os.listdir(folder):
        if os.path.isfile(folder + '/' + name):
            os.utime(folder + '/' + name, (1, 1))
    other_history(daemon, 'many', {'client_restrictions': ' '.join(
        'check_client_access ' + table for table in (*tables, 'texthash:' + idle))})
    daemon.send('203.0.113.9', '<a@far.example>', 'x')
    daemon.wait(1)
    found = daemon.json()['idle']
    equal(found['entries_cut'], 1, 'decisions of which entries are missing')
    table, = [table for table in found['tables'] if 'idle' in table['name']]
    equal((table['unused'], len(table['lines'])), (70, 70), 'lines')
    match('found more entries than are kept', daemon.report().stdout)
    match('found more entries than are kept', daemon.report('--html', '-').stdout)


def setup():
    if gatepost.missing():
        from tap import skip_all
        skip_all(gatepost.missing())
    return Daemon()


def teardown(daemon):
    daemon.stop()


if __name__ == '__main__':
    run(setup, teardown)
