#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Limits: what is counted, for whom, in which words it is refused, and that the count is exact. The
client here speaks the milter protocol itself."""
import contextlib
import json
import os
import shlex
import socket
import sqlite3
import struct
import subprocess
import sys
import threading
import time
sys.path.insert(0, sys.path[0] + '/../lib')
import gatepost
import place
import tap
from milter import Milter
from tap import case, equal, match, true, until

LOGIN = {'auth_type': 'PLAIN', 'auth_authen': 'bob'}
TLS = {'tls_version': 'TLSv1.3', 'cipher': 'X', 'cipher_bits': '256'}
NUMBER = [0]


def fresh():
    """A login that nobody has used."""
    NUMBER[0] += 1
    return 'user%d' % NUMBER[0]


class Sender:
    """A session that has logged in, or one of local mail."""

    def __init__(self, daemon, login=None, address='203.0.113.9', local=False, listener='submission',
                 **macros):
        self.mta = Milter(daemon.port)
        self.mta.negotiate()
        self.local = local
        self.macros = dict(macros)
        if local:
            self.mta.connect('localhost', '127.0.0.1', 0, client_port='0', client_resolve='')
        else:
            self.mta.connect(address=address, daemon_name=listener, **TLS)
            self.mta.helo(**TLS)
        if login:
            self.macros.update(LOGIN, auth_authen=login)

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.mta.close()

    def begin(self, recipients=1, sender='<bob@lab.test>', parameters=()):
        """MAIL and RCPT; the answers to RCPT."""
        if self.mta.mail(sender, *parameters, **self.macros)[0] not in 'c':
            raise tap.Failure('MAIL was refused')
        names = recipients if isinstance(recipients, list) else \
            ['<to%d@far.test>' % n for n in range(recipients)]
        return [self.mta.rcpt(name)[1] or 'ok' for name in names]

    def end(self, headers=(('From', ' <bob@lab.test>'), ('Subject', ' x')), body=b'hello\r\n'):
        code, text = self.mta.message(headers, body)
        if any(change[0] == 'q' for change in self.mta.changes):
            return 'held'
        return text or {'a': 'ok', 'c': 'ok'}.get(code, code)

    def send(self, recipients=1, **more):
        ends = {key: more.pop(key) for key in ('headers', 'body') if key in more}
        for answer in self.begin(recipients, **more):
            if answer != 'ok':
                self.mta.abort()
                return answer
        return self.end(**ends)


def limit(text, where='recipient', name='out', extra='', **settings):
    """Settings with one limit."""
    lists = {'recipient_restrictions': 'check_limit %s permit_sasl_authenticated permit_mynetworks'
             % name if where == 'recipient' else 'permit_sasl_authenticated permit_mynetworks',
             'message_restrictions': 'check_limit %s permit_mynetworks permit_sasl_authenticated'
             % name if where == 'message' else 'permit'}
    return {**lists, **settings}, '[limit %s]\n%s\n%s' % (name, text, extra)


def use(daemon, *arguments, **settings):
    daemon.reload(*limit(*arguments, **settings))


@case('recipients are counted: who has sent enough hears so at RCPT, with the time to wait')
def recipients(daemon):
    use(daemon, 'key = sasl_user\nmax = 5\nper = 1d')
    login = fresh()
    mark = daemon.mark()
    with Sender(daemon, login) as one:
        equal(one.send(3), 'ok')
        equal(one.begin(3), ['ok', 'ok', '450 4.7.0 %s: sending limit reached (5 recipients in 1d); '
                             'try again in 25h' % login])
        equal(one.end(), 'ok', 'the two that fit')
        match(r'^450 4\.7\.0 %s: sending limit reached \(5 recipients in 1d\); try again in 2[45]h$'
              % login, one.send())
        with Sender(daemon, fresh()) as other:
            equal(other.send(5), 'ok', 'somebody else')
    line = gatepost.fields(daemon.wait_log(mark, 'action=tempfail'))
    equal((line['check'], line['limit'], line['key'], line['max']),
          ('check_limit', 'out', login, '5'))


@case('a message that is larger than the whole limit is refused for good')
def larger(daemon):
    use(daemon, 'key = sasl_user\nmax = 5\nper = 1d')
    login = fresh()
    with Sender(daemon, login) as one:
        equal(one.begin(6)[5],
              '550 5.7.1 %s: 6 recipients are more than the limit of 5 in 1d' % login)
    use(daemon, 'key = sasl_user\ncount = bytes\nmax = 10k\nper = day')
    with Sender(daemon, login) as one:
        equal(one.begin(1, parameters=('SIZE=20480',)),
              ['552 5.3.4 %s: 20 kB are more than the limit of 10 kB a day' % login])
        one.begin(1)
        match(r'^552 5\.3\.4 %s: .* are more than the limit of 10 kB a day$' % login,
              one.end(body=b'x' * 11000))


@case('messages, and bytes of header and body, are counted at the end')
def counts(daemon):
    use(daemon, 'key = sasl_user\ncount = messages\nmax = 2\nper = 1h\naction = reject')
    login = fresh()
    with Sender(daemon, login) as one:
        equal([one.send(20), one.send(1)], ['ok', 'ok'])
        match(r'^550 5\.7\.1 %s: sending limit reached \(2 messages in 1h\); try again in \d+m$' % login,
              one.send())
    use(daemon, 'key = sasl_user\ncount = bytes\nmax = 10k\nper = 1d')
    with Sender(daemon, login) as one:
        equal([one.send(body=b'x' * 5000), one.send(body=b'x' * 5000)], ['ok', 'ok'])
        match(r'^450 4\.7\.0 %s: sending limit reached \(10 kB in 1d\)' % login,
              one.send(body=b'x' * 5000))


@case('bytes are counted whole where only a table names the class that has the limit')
def by_table(daemon):
    settings, more = limit('key = sasl_user\ncount = bytes\nmax = 100k\nper = 1d')
    settings.update({'restriction_classes': 'metered', 'metered': 'check_limit out',
                     'message_restrictions': '', 'recipient_restrictions':
                     'check_sender_access inline:{lab.test=metered} permit_sasl_authenticated'})
    daemon.reload(settings, more)
    login = fresh()
    with Sender(daemon, login) as one:
        equal(one.send(body=b'x' * 60000), 'ok')
        match(r'^450 4\.7\.0 %s: sending limit reached \(100 kB in 1d\)' % login,
              one.send(body=b'x' * 60000))


@case('networks are counted: a known one passes, a new one passes while there is room')
def networks(daemon):
    use(daemon, 'key = sasl_user\ncount = clients\nmax = 2\nper = 1h\naction = reject')
    login = fresh()
    for address, answer in (('203.0.113.9', 'ok'), ('203.0.113.77', 'ok'), ('2001:db8::1', 'ok'),
                            ('192.0.2.1', '550 5.7.1 %s: sending limit reached (2 networks in 1h)'
                             % login), ('2001:db8::2', 'ok'), ('203.0.113.1', 'ok')):
        with Sender(daemon, login, address) as one:
            equal(one.send()[:len(answer)], answer, address)


@case('what is aborted, refused later or cut off is not counted')
def uncounted(daemon):
    use(daemon, 'key = sasl_user\nmax = 4\nper = 1d', extra='',
        message_restrictions='check_header_access Subject inline:{bad=REJECT}')
    login = fresh()
    for _ in range(3):
        with Sender(daemon, login) as one:
            equal(one.begin(4)[3], 'ok')
            one.mta.abort()
            equal(one.begin(4)[3], 'ok', 'after RSET')
            match('^554 5.7.1', one.end(headers=(('Subject', ' bad'),)))
            equal(one.begin(4)[3], 'ok', 'after a refusal')
            one.mta.put('T')
            one.mta.socket.close()
            one.mta = Milter(daemon.port)
    with Sender(daemon, login) as one:
        equal(one.send(4), 'ok')
        match('^450', one.send())


@case('several limits: in their order, and what is refused gives back what was counted before')
def several(daemon):
    daemon.reload({'recipient_restrictions': 'check_limit a check_limit b permit_sasl_authenticated',
                   'message_restrictions': 'check_limit c'},
                  '[limit a]\nkey = sasl_user\nmax = 10\nper = 1d\n'
                  '[limit b]\nkey = sasl_user+recipient_domain\nmax = 8\nper = 1d\n'
                  '[limit c]\nkey = header:X-Site\nmax = 2\nper = 1d\nfor = all\n')
    login = fresh()
    headers = (('From', ' <bob@lab.test>'), ('X-Site', ' shop'))
    with Sender(daemon, login) as one:
        equal(one.send(1, headers=headers), 'ok')
        equal(one.send(1, headers=headers), 'ok')
        for _ in range(5):
            match(r'^450 4\.7\.0 c: sending limit reached \(2 recipients in 1d\)',
                  one.send(1, headers=headers))
        equal(one.send(6), 'ok', 'eight in all')
        match(r'^450 4\.7\.0 %s\|far.test: sending limit reached \(8 recipients' % login, one.send())
        equal(one.send(['<x@other.test>', '<y@other.test>']), 'ok', 'another domain')
        match(r'^450 4\.7\.0 %s: sending limit reached \(10' % login, one.send(['<x@other.test>']))


@case('keys: in lower case, without extension and realm; a part that is missing is no key')
def keys(daemon):
    for key, sessions in {
            'sasl_user': [('Ann', {}), ('ann@lab.test', {}), ('ANN', {})],
            'sender': [('a', {'sender': '<Ann+x@LAB.test>'}), ('b', {'sender': '<ann@lab.test>'}),
                       ('c', {'sender': '<ANN+y@lab.test>'})],
            'sender_domain': [('a', {'sender': '<a@lab.test>'}), ('b', {'sender': '<b@Lab.Test>'}),
                              ('c', {'sender': '<c@lab.test>'})]}.items():
        use(daemon, 'key = %s\nmax = 2\nper = 1h' % key, name='k' + key.replace('_', ''),
            recipient_delimiter='+', sender_login_maps='static:{a,b,c,ann}', sender_restrictions='')
        answers = []
        for login, more in sessions:
            with Sender(daemon, login) as one:
                answers.append(one.send(**more)[:3])
        equal(answers, ['ok', 'ok', '450'], key)
    def missing():
        return json.loads(daemon.control('status', '--json').stdout)['store']['keys_missing']
    before = missing()
    with Sender(daemon, 'a') as one:
        equal([one.send(sender='<>') for _ in range(4)], ['ok'] * 4, 'the null sender has no key')
    equal(missing() - before, 4, 'keys that were missing')


@case('for: whose mail is counted')
def whom(daemon):
    for who, counted in {'authenticated': 'login', 'mynetworks': 'near local', 'local': 'local',
                         'outgoing': 'login near local', 'all': 'login near local far'}.items():
        use(daemon, 'key = recipient\ncount = messages\nmax = 1\nper = 1h\naction = reject\n'
            'for = ' + who, name='w' + who, local_domains='far.test lab.test')
        for kind, make in {
                'login': lambda: Sender(daemon, 'bob'),
                'near': lambda: Sender(daemon, address='127.0.0.1', listener='near'),
                'far': lambda: Sender(daemon, address='198.51.100.3', listener='far'),
                'local': lambda: Sender(daemon, local=True)}.items():
            with make() as one:
                answers = [one.send(['<%s@far.test>' % kind]) for _ in range(2)]
            equal(answers[0], 'ok', '%s %s' % (who, kind))
            true((answers[1] != 'ok') == (kind in counted.split()),
                 '%s %s: %s' % (who, kind, answers[1]))


@case('local mail over its limit is held, whatever defer says; what no release could send bounces')
def local(daemon):
    use(daemon, 'key = sender\nmax = 2\nper = 1d\nfor = local')
    mark = daemon.mark()
    with Sender(daemon, local=True) as one:
        equal([one.send(sender='<site1@lab.test>') for _ in range(4)], ['ok', 'ok', 'held', 'held'])
        equal(one.send(sender='<site2@lab.test>'), 'ok')
        match('^550 5.7.1 site3@lab.test: 3 recipients are more than the limit of 2 in 1d',
              one.send(3, sender='<site3@lab.test>'))
    line = gatepost.fields(daemon.wait_log(mark, 'action=hold'))
    equal((line['check'], line['limit'], line['key']), ('check_limit', 'out', 'site1@lab.test'))
    match(r'^450 4\.7\.0 site1@lab.test: sending limit reached', line['text'])
    use(daemon, 'key = sender\nmax = 1\nper = 1h\nfor = local\naction = reject')
    with Sender(daemon, local=True) as one:
        equal([one.send(sender='<site4@lab.test>')[:3] for _ in range(2)], ['ok', '550'])


@case('action = hold: the message goes to the hold queue, for those who log in too')
def hold(daemon):
    use(daemon, 'key = sasl_user\nmax = 2\nper = 1d\naction = hold')
    login = fresh()
    with Sender(daemon, login) as one:
        equal([one.send(), one.send(2), one.send()], ['ok', 'held', 'ok'])


@case('overrides: a number or unlimited for a key; what is neither leaves max in force')
def overrides(daemon):
    table = daemon.table('limits', 'big 4\nfree unlimited\nodd often\nlab.test 3\n')
    use(daemon, 'key = sasl_user\nmax = 2\nper = 1d\noverrides = ' + table)
    mark = daemon.mark()
    for login, passes in (('big', 4), ('free', 9), ('odd', 2), (fresh(), 2)):
        with Sender(daemon, login) as one:
            answers = [one.send() for _ in range(10)]
            equal(answers.count('ok'), 10 if login == 'free' else passes, login)
    daemon.wait_log(mark, 'often', 'neither a number nor')
    match(r'limits:3: warning: .*often.*neither a number nor', daemon.control('check').stderr)
    use(daemon, 'key = sender\nmax = 1\nper = 1h\noverrides = ' + table,
        sender_login_maps='static:x', sender_restrictions='')
    with Sender(daemon, 'x') as one:
        equal([one.send(sender='<new@lab.test>')[:3] for _ in range(4)], ['ok', 'ok', 'ok', '450'],
              'by the domain of an address')


@case('monitor mode and warn_if_reject count, beyond max too, and say what would have been')
def monitor(daemon):
    login = fresh()
    use(daemon, 'key = sasl_user\nmax = 2\nper = 1d', mode='monitor')
    mark = daemon.mark()
    with Sender(daemon, login) as one:
        equal([one.send() for _ in range(4)], ['ok'] * 4)
    line = daemon.wait_log(mark, 'action=tempfail', 'mode=monitor', 'sending limit reached')
    true('check=check_limit' in line, line)
    use(daemon, 'key = sasl_user\nmax = 4\nper = 1d')
    with Sender(daemon, login) as one:
        match('^450', one.send())
    login = fresh()
    settings, more = limit('key = sasl_user\nmax = 2\nper = 1d')
    settings['recipient_restrictions'] = 'warn_if_reject ' + settings['recipient_restrictions']
    daemon.reload(settings, more)
    mark = daemon.mark()
    with Sender(daemon, login) as one:
        equal([one.send() for _ in range(4)], ['ok'] * 4)
    daemon.wait_log(mark, 'action=warn', 'would refuse', 'sending limit reached')
    use(daemon, 'key = sasl_user\nmax = 4\nper = 1d')
    with Sender(daemon, login) as one:
        match('^450', one.send())


@case('the log tells once when a key nears its limit, and once when it is reached')
def near(daemon):
    use(daemon, 'key = sasl_user\nmax = 10\nper = 1d')
    login = fresh()
    mark = daemon.mark()
    with Sender(daemon, login) as one:
        for _ in range(12):
            one.send()
    daemon.wait_log(mark, 'action=info', 'limit=out', 'key=' + login, 'used=10')
    lines = [line for line in daemon.log(mark) if 'action=info' in line]
    equal([gatepost.fields(line)['used'] for line in lines], ['8', '10'])


def told(daemon, *words):
    done = daemon.control(*words)
    return done.returncode, done.stdout + done.stderr


@case('gatepostctl limits shows what was used, and by hand a key is forgotten or may send more')
def by_hand(daemon):
    table = daemon.table('more', '# who may send more\nvip 10\n')
    use(daemon, 'key = sasl_user\nmax = 4\nper = 1d\noverrides = ' + table, name='hand')
    equal(told(daemon, 'limits'), (0, ''))
    with Sender(daemon, 'ann') as one:
        equal([one.send(3), one.send(2)[:3], one.send()], ['ok', '450', 'ok'])
    with Sender(daemon, 'vip') as one:
        equal(one.send(5), 'ok')
    status, text = told(daemon, 'limits')
    equal(status, 0)
    match(r'^hand ann: 4 of 4 \(100%\), 1 refused, the last from 203\.0\.113\.9, room in 2[45]h$',
          text.splitlines()[0])
    match(r'^hand vip: 5 of 10 \(50%\), max from texthash:.*/more:2$', text.splitlines()[1])
    equal(told(daemon, 'limits', '--near', '80%')[0], 1)
    equal(told(daemon, 'limits', '--near', '80%')[1].count('\n'), 1)
    equal([json.loads(line)['key'] for line in
           told(daemon, 'limits', '--json', 'hand')[1].splitlines()], ['ann', 'vip'])
    line = json.loads(told(daemon, 'limits', '--json', 'hand', 'ann')[1])
    equal((line['limit'], line['key'], line['used'], line['max'], line['share'], line['refused']),
          ('hand', 'ann', 4, 4, 1, 1))
    mark = daemon.mark()
    equal(told(daemon, 'limits', 'allow', 'hand', 'ann', '2', '1h'),
          (0, 'hand ann: 2 more for 1h\n'))
    daemon.wait_log(mark, 'limit hand: ann may send 2 more for 1h, says root (uid 0)')
    with Sender(daemon, 'ann') as one:
        equal([one.send(2), one.send()[:3]], ['ok', '450'])
    equal(told(daemon, 'limits', 'reset', 'hand', 'ann')[0], 0)
    daemon.wait_log(mark, 'limit hand: ann was reset by root (uid 0); 6 were used')
    with Sender(daemon, 'ann') as one:
        equal(one.send(4), 'ok')
    for words in (('reset', 'nothing', 'ann'), ('allow', 'hand', 'ann', 'x', '1h'),
                  ('allow', 'hand', 'ann', '1')):
        equal(told(daemon, 'limits', *words)[0], 64, words)
    equal(told(daemon, 'limits', '--near', 'much')[0], 64)
    equal(told(daemon, 'limits', 'nothing')[0], 64)
    for words in (('nothing',), ('reset', 'nothing', 'ann'), ('allow', 'hand', 'ann', '1')):
        done = daemon.control('limits', *words)
        equal((done.stdout, done.stderr != ''), ('', True), 'what is no answer: %s' % (words,))


@case('limits release names held messages, the oldest first, when they fit; and counts them')
def release(daemon):
    use(daemon, 'key = sender\nmax = 2\nper = 1d\nfor = local', name='site')
    told(daemon, 'limits', 'release')  # what limits that are gone held before
    with Sender(daemon, local=True) as one:
        for number, answer in enumerate(['ok', 'ok', 'held', 'held', 'held']):
            one.macros['i'] = 'QUEUE%d' % number
            equal(one.send(sender='<shop@lab.test>'), answer)
            time.sleep(0.01)
    equal(told(daemon, 'limits', 'release'), (0, ''), 'there is no room')
    match('3 held', told(daemon, 'limits', 'site', 'shop@lab.test')[1])
    told(daemon, 'limits', 'allow', 'site', 'shop@lab.test', '2', '1h')
    equal(told(daemon, 'limits', 'release'), (0, 'QUEUE2\nQUEUE3\n'))
    equal(told(daemon, 'limits', 'release'), (0, ''), 'they were counted')
    told(daemon, 'limits', 'reset', 'site', 'shop@lab.test')
    equal(told(daemon, 'limits', 'release'), (0, 'QUEUE4\n'))


@case('a message that several limits hold is released when it fits into all, whenever each was told')
def release_all(daemon):
    settings = {'recipient_restrictions': 'check_limit one check_limit two permit_mynetworks',
                'message_restrictions': 'permit'}
    each = '[limit %s]\nkey = %s\nmax = 1\nper = 1d\nfor = local\n'
    with another(settings, each % ('one', 'sender') + each % ('two', 'sender_domain')) as one:
        with Sender(one, local=True) as sender:
            for name, answer in ('B0', 'ok'), ('B2', 'held'), ('B1', 'held'):
                sender.macros['i'] = name
                equal(sender.send(sender='<shop@lab.test>'), answer)
        equal(one.stop(), 0, 'exit code')
        # a second ended between the two of B2, and B1 came in the next
        with contextlib.closing(sqlite3.connect(one.state)) as db, db:
            key, text = db.execute("SELECT key, text FROM record WHERE key LIKE 'h:B2|one|%'").fetchone()
            kind, first, rest = text.split(' ', 2)
            db.execute('UPDATE record SET text = ? WHERE key = ?',
                       ('%s %d %s' % (kind, int(first) - 2000, rest), key))
        one.start()
        told(one, 'limits', 'reset', 'one', 'shop@lab.test')
        equal(told(one, 'limits', 'release'), (0, ''), 'the other limit has no room')
        told(one, 'limits', 'reset', 'two', 'lab.test')
        equal(told(one, 'limits', 'release'), (0, 'B2\n'), 'the older one')


class Sink:
    """An SMTP server that takes what it is given."""

    def __init__(self):
        self.mails = []
        self.server = socket.create_server(('127.0.0.1', 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            client, _ = self.server.accept()
            with client, client.makefile('rwb') as stream:
                text, data = [], None
                stream.write(b'220 sink\r\n')
                stream.flush()
                for line in stream:
                    line = line.decode().rstrip('\r\n')
                    if data is not None and line != '.':
                        data.append(line)
                        continue
                    if data is not None:
                        self.mails.append((text, data))
                        data = None
                        stream.write(b'250 ok\r\n')
                    elif line == 'DATA':
                        data = []
                        stream.write(b'354 go on\r\n')
                    elif line.startswith('EHLO'):
                        stream.write(b'250-sink\r\n250 SIZE\r\n')
                    else:
                        text.append(line)
                        stream.write(b'250 ok\r\n' if line != 'QUIT' else b'221 bye\r\n')
                    stream.flush()


@case('limit_notice is told by mail, once a key and hour, and what it is told is not counted')
def notice(daemon):
    sink = Sink()
    settings, more = limit('key = client\nmax = 2\nper = 1h\nfor = mynetworks')
    settings.update(limit_notice='admin@lab.test', notice_server='inet:%d@127.0.0.1' % sink.port)
    daemon.reload(settings, more)
    with Sender(daemon, address='127.0.0.1', listener='near') as one:
        equal([one.send()[:3] for _ in range(3)], ['ok', 'ok', '450'])
        tap.until(lambda: sink.mails, 10, 'a mail')
        envelope, lines = sink.mails[0]
        equal(envelope[:2], ['MAIL FROM:<>', 'RCPT TO:<admin@lab.test>'])
        header = dict(line.split(': ', 1) for line in lines[:lines.index('')])
        equal((header['Auto-Submitted'], header['Subject']),
              ('auto-generated', 'gatepost: limit out, 127.0.0.1: 2 of 2'))
        true('limit out: 127.0.0.1 has used 100% of 2 recipients in 1h.' in lines, lines)
        # it comes back through the milter, which knows it
        mark = (('X-Gatepost-Notice', ' ' + header['X-Gatepost-Notice']), ('Subject', ' x'))
        for headers, answer in ((mark, 'ok'), (mark, 'ok'), ((('Subject', ' x'),), '450')):
            one.begin(['<admin@lab.test>'], sender='<>')
            equal(one.end(headers=headers)[:3], answer[:3])
        last = '1' if header['X-Gatepost-Notice'][-1] == '0' else '0'
        forged = (('X-Gatepost-Notice', ' ' + header['X-Gatepost-Notice'][:-1] + last),)
        one.begin(['<admin@lab.test>'], sender='<>')
        equal(one.end(headers=forged)[:3], '450')
    equal(len(sink.mails), 1)
    # a stranger's key, in what the administrator is told to enter
    settings, more = limit('key = sender\nmax = 2\nper = 1h\nfor = all', **settings)
    daemon.reload(settings, more)
    with Sender(daemon, address='203.0.113.9', listener='near') as one:
        one.send(sender="<o'brien@x.example>", recipients=['<bob@lab.test>'] * 2)
    tap.until(lambda: len(sink.mails) > 1, 10, 'a mail')
    command = next(line for line in sink.mails[1][1] if 'gatepostctl' in line).split(': ', 1)[1]
    equal(shlex.split(command), ['gatepostctl', 'limits', 'out', "o'brien@x.example"])
    settings, more = limit('key = client\nmax = 2\nper = 1h\nfor = mynetworks', **settings)
    mark = daemon.mark()
    settings['notice_server'] = 'inet:1@127.0.0.1'
    daemon.reload(settings, more)
    with Sender(daemon, address='127.0.0.2', listener='near') as one:
        equal([one.send()[:3] for _ in range(2)], ['ok', 'ok'])
    daemon.wait_log(mark, 'limit_notice: no mail could be sent to admin@lab.test')


@case('a server of notices that stands still holds no stop')
def notice_stalls(daemon):
    with socket.create_server(('127.0.0.1', 0)) as server:
        settings, more = limit('key = client\nmax = 2\nper = 1h\nfor = mynetworks')
        settings.update(limit_notice='admin@lab.test',
                        notice_server='inet:%d@127.0.0.1' % server.getsockname()[1])
        with another(settings, more) as one:
            with Sender(one, address='127.0.0.1', listener='near') as sender:
                equal([sender.send() for _ in range(2)], ['ok', 'ok'])
            with server.accept()[0]:  # a conversation may take 20 s
                tap.promptly(15, lambda: equal(one.stop(), 0, 'exit code'), 'the stop', 1)
            one.start()


@contextlib.contextmanager
def another(settings, more, **environment):
    """A daemon of the case's own."""
    before = dict(os.environ)
    os.environ.update(environment)
    one = gatepost.Gatepost({'rule_files': '', **settings}, more)
    try:
        yield one.start()
        equal(one.stop(), 0, 'exit code')
        equal(one.sanitizer_report(), '', 'sanitizer report')
    except Exception:
        for line in one.log()[-10:]:
            tap.note(line)
        raise
    finally:
        one.stop()
        os.environ.clear()
        os.environ.update(before)


@contextlib.contextmanager
def timed(settings, more):
    """A daemon of the case's own, and what moves its clock to so many seconds from now."""
    if 'LD_PRELOAD' in gatepost.environment():
        raise tap.Skip('something else is preloaded')
    clock = place.write(place.folder() + '/clock', '%-20d' % 0)

    def move(seconds):
        with open(clock, 'r+') as handle:
            handle.write('%-20d' % seconds)
    with another(settings, more, LD_PRELOAD=gatepost.BUILD + '/test/lib/libclockshift.so',
                 CLOCKSHIFT_FILE=clock, CLOCKSHIFT_ALL='1',
                 ASAN_OPTIONS='detect_leaks=1:verify_asan_link_order=0') as one:
        yield one, move


@case('what is held today fits by and by on the days after, as much a day as may be sent')
def next_days(daemon):
    with timed(*limit('key = sender\nmax = 2\nper = 1d\nfor = local')) as (one, move):
        with Sender(one, local=True) as sender:
            for number, answer in enumerate(['ok', 'ok', 'held', 'held', 'held']):
                sender.macros['i'] = 'DAY%d' % number
                equal(sender.send(sender='<shop@lab.test>'), answer)
                time.sleep(0.01)
        for hours, fits in ((0, ''), (12, ''), (26, 'DAY2\nDAY3\n'), (27, ''), (52, 'DAY4\n'), (80, '')):
            move(hours * 3600)
            equal(told(one, 'limits', 'release'), (0, fits), 'after %d hours' % hours)


@case('twenty notices an hour, then one that sums up')
def notices_hour(daemon):
    sink = Sink()
    settings, more = limit('key = sasl_user\nmax = 2\nper = 1d')
    settings.update(limit_notice='admin@lab.test', notice_server='inet:%d@127.0.0.1' % sink.port)

    def reach(one, count):
        for login in [fresh() for _ in range(count)]:
            with Sender(one, login) as sender:
                equal([sender.send(), sender.send()], ['ok', 'ok'])

    def subjects():
        return [next(line[9:] for line in lines if line.startswith('Subject: '))
                for _, lines in sink.mails]
    with timed(settings, more) as (one, move):
        reach(one, 25)
        tap.until(lambda: len(sink.mails) >= 20, 20, 'twenty mails')
        time.sleep(0.5)
        equal(len(sink.mails), 20, 'mails')
        move(3700)
        reach(one, 1)
        tap.until(lambda: len(sink.mails) >= 22, 20, 'the summary, and the first of the next hour')
        equal(subjects()[20], 'gatepost: 5 more keys near their limits')
        summary = sink.mails[20][1]
        equal(sum(line.startswith('gatepost: limit out, user') for line in summary), 5, summary)
        match('^gatepost: limit out, user', subjects()[21])


def small_disk(folder):
    """A file system of 300 kB."""
    os.mkdir(folder)
    done = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=300k,mode=777', 'limits', folder],
                          capture_output=True, text=True)
    if done.returncode:
        raise tap.Skip('no file system can be mounted: ' + done.stderr.strip())


@case('a full disk: counts go on in memory, one warning, and all is written once there is room')
def disk_full(daemon):
    folder = place.folder('gatepost-small-') + '/disk'
    small_disk(folder)
    try:
        settings, more = limit('key = sasl_user\nmax = 20\nper = 1d')
        with another({**settings, 'state': 'sqlite:' + folder + '/state.db'}, more) as one:
            one.state = folder + '/state.db'
            login, mark = fresh(), one.mark()
            with Sender(one, login) as sender:
                equal(sender.send(), 'ok')
                tap.until(lambda: counted(one, login) == 1, 5, 'the count in the file')
                with open(folder + '/filler', 'wb', buffering=0) as filler:
                    with contextlib.suppress(OSError):
                        while filler.write(b'x' * 4096) == 4096:
                            pass
                for _ in range(200):  # until the pages that are there are full, too
                    if any('memory alone' in line for line in one.log(mark)):
                        break
                    with Sender(one, fresh()) as other:
                        equal([other.send(3) for _ in range(2)], ['ok', 'ok'])
                    time.sleep(0.02)
                one.wait_log(mark, 'warning', 'state:', 'kept in memory alone')
                start = time.monotonic()
                equal([sender.send()[:3] for _ in range(20)], ['ok'] * 19 + ['450'])
                true(time.monotonic() - start < 20, 'waited for the disk')
                time.sleep(2.5)  # two tries more
                equal(sum('memory alone' in line for line in one.log(mark)), 1, 'warnings')
                os.unlink(folder + '/filler')
                one.wait_log(mark, 'is written again')
                tap.until(lambda: counted(one, login) == 20, 5, 'the count in the file')
            one.kill()
            one.start()
            with Sender(one, login) as sender:
                match('^450', sender.send())
    finally:
        subprocess.run(['umount', '-l', folder], check=True)


@case('a file that another process has locked, or removed: nobody waits, and all is written later')
def locked(daemon):
    settings, more = limit('key = sasl_user\nmax = 20\nper = 1d')
    with another(settings, more) as one:
        login, mark = fresh(), one.mark()
        with Sender(one, login) as sender:
            equal(sender.send(), 'ok')
            tap.until(lambda: counted(one, login) == 1, 5, 'the count in the file')
            holder = sqlite3.connect(one.state, isolation_level=None)
            holder.execute('BEGIN IMMEDIATE')
            start = time.monotonic()
            equal([sender.send() for _ in range(9)], ['ok'] * 9)
            one.wait_log(mark, 'warning', 'locked', 'kept in memory alone')
            equal([sender.send()[:3] for _ in range(11)], ['ok'] * 10 + ['450'])
            true(time.monotonic() - start < 60, 'waited for the lock')
            holder.execute('ROLLBACK')
            holder.close()
            one.wait_log(mark, 'is written again')
            tap.until(lambda: counted(one, login) == 20, 5, 'the count in the file')
            for name in os.listdir(os.path.dirname(one.state)):
                if name.startswith('gatepost.db') and not name.endswith('.key'):
                    os.unlink(os.path.join(os.path.dirname(one.state), name))
            match('^450', sender.send())

            def written():
                with contextlib.suppress(sqlite3.OperationalError):  # it is being made
                    return counted(one, login) == 20
            tap.until(written, 10, 'all of it in a new file')


@case('counters survive a restart, a reload and SIGKILL')
def survive(daemon):
    settings = limit('key = sasl_user\nmax = 3\nper = 1d')
    login = fresh()
    daemon.reload(*settings)
    with Sender(daemon, login) as one:
        equal(one.send(), 'ok')
    daemon.stop()
    daemon.start()
    with Sender(daemon, login) as one:
        equal(one.send(), 'ok')
        tap.until(lambda: counted(daemon, login) == 2, 5, 'the count in the file')
    daemon.kill()
    daemon.start()
    with Sender(daemon, login) as one:
        equal(one.send(), 'ok')
        daemon.reload()
    with Sender(daemon, login) as one:
        match('^450', one.send())


@case('an orderly stop writes all that was counted, though the MTA is connected')
def stopped(daemon):
    with another(*limit('key = sasl_user\nmax = 9\nper = 1d')) as one:
        login = fresh()
        for number in range(1, 4):
            with Sender(one, login) as sender:
                equal(sender.send(), 'ok')
                equal(one.stop(), 0, 'exit code')
            equal(counted(one, login), number, 'in the file')
            one.start()


def counted(daemon, login):
    """What the file says."""
    with sqlite3.connect('file:%s?mode=ro' % daemon.state, uri=True) as db:
        rows = db.execute('SELECT text FROM record WHERE key LIKE ?', ('l:%|' + login,)).fetchall()
    return sum(int(slot.split(':')[2]) for row in rows for slot in row[0].split()[2:] if ':' in slot)


def crowd(daemon, login, connections=64, tries=10):
    """Everybody sends at once; how many messages passed."""
    passed, failures = [], []
    gate = threading.Barrier(connections)

    def run():
        try:
            with Sender(daemon, login) as one:
                gate.wait(60)
                for _ in range(tries):
                    answer = one.send()
                    if answer == 'ok':
                        passed.append(1)
                    elif not answer.startswith('450 4.7.0'):
                        failures.append(answer)
        except Exception as fault:  # noqa: a thread's failure must be seen
            failures.append(repr(fault))
    threads = [threading.Thread(target=run) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(failures[:3], [], 'failures')
    return len(passed)


@case('suggest: by the history, what monitor mode let pass too')
def suggest(daemon):
    use(daemon, 'key = sasl_user\nmax = 4\nper = 1d', mode='monitor')
    day = None
    while day != time.strftime('%F'):  # anew, if midnight came between
        day, begin = time.strftime('%F'), int(time.time()) + 1
        while time.time() < begin:
            time.sleep(0.05)
        one, other = fresh(), fresh()
        for login, recipients in ((one, 3), (one, 4), (other, 2)):
            with Sender(daemon, login) as sender:
                equal(sender.send(recipients), 'ok')
    expected = 'recipients of one login in a day, over 2 of them, 3 messages: half up to 2, 90% 2, ' \
               '99% 2, most 7\n'
    until(lambda: expected in told(daemon, 'limits', 'suggest', '--since', '@%d' % begin)[1], 10,
          'what was sent')
    # a row may have no recipients, whoever wrote it
    accept, message, login = 0, 4, b'nobody\0'
    numbers = struct.pack('<14q', begin * 1000000, accept, message, *[0] * 11)
    row = b'\1' + struct.pack('<BI', 100, len(numbers)) + numbers + struct.pack('<BI', 31, len(login)) + login
    with contextlib.closing(sqlite3.connect(daemon.history, isolation_level=None)) as history:
        history.execute('INSERT INTO decision(at, early, size, row) VALUES(?, 0, ?, ?)',
                        (begin * 1000000, len(row), row))
    code, text = told(daemon, 'limits', 'suggest', '--since', '@%d' % begin)
    equal(code, 0, 'exit: ' + text)
    match('recipients of one login in a day, over 3 of them, 4 messages: half up to 2,', text)


@case('sixty-four connections at once: exactly as many as may, with SQLite and in memory')
def exact(daemon):
    for state in ('sqlite:' + daemon.state, 'memory:'):
        settings, more = limit('key = sasl_user\nmax = 500\nper = 1d')
        daemon.stop()
        daemon.configure({**settings, 'state': state, 'rule_files': ''}, more)
        daemon.start()
        equal(crowd(daemon, fresh()), 500, state)
    daemon.stop()
    daemon.configure({'rule_files': ''})
    daemon.start()


@case('the sanitizers found nothing')
def clean(daemon):
    daemon.stop()
    equal(daemon.sanitizer_report(), '', 'sanitizer report')


def setup():
    return gatepost.Gatepost({'rule_files': ''}).start()


if gatepost.missing():
    tap.skip_all(gatepost.missing())
tap.run(setup, teardown=lambda daemon: daemon and daemon.stop(),
        on_failure=lambda daemon: [tap.note(line) for line in daemon.log()[-20:]])
