#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""gatepost-web: who is answered, with what, and that nobody is kept from it."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
sys.path.insert(0, sys.path[0] + '/../lib')
import gatepost
import lists
import place
import tap
import webpage
from milter import Milter
from tap import absent, case, equal, match, true
from webpage import TOKEN, Web, basic

HOSTILE = ('<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', "'\"&<b>",
           'a\u202eb\u2066c\u200f', 'x\x01\x7fy')
LIST = 'bl.example.test'
site = {}


def session(daemon, **connection):
    mta = Milter(daemon.port)
    mta.negotiate()
    mta.connect(**connection)
    mta.helo()
    return mta


def new(more='', **options):
    daemon = gatepost.Gatepost()
    daemon.configure({'mynetworks': '192.0.2.0/24', 'dns_servers': '127.0.0.1:1',
                      'dnsbl_sites': LIST, 'recipient_restrictions':
                      'check_limit forms permit_mynetworks reject_dnsbl', 'rule_files': ''}, FORMS)
    web = Web(daemon, FORMS + more, **options)
    daemon.start()
    return daemon, web.start()


FORMS = '[limit forms]\nkey = sender\nmax = 1\nper = 1d\nfor = mynetworks\n'


@case('the page shows what was decided, to everybody; not of whom')
def shows(daemon, web):
    with session(daemon) as mta:
        mta.mail('<someone@client.example>')
        match('^550', mta.rcpt('<x@far.example>')[1])
    with session(daemon, address='192.0.2.9') as mta:
        mta.mail('<form@lab.test>')
        mta.rcpt('<bob@lab.test>')
        mta.message()
    text = tap.until(lambda: next((page for page in [web.get()[2]]
                                   if 'reject_unauth_destination' in page), None), 10, 'the hour')
    for words in ('The last 24 hours', 'The last 30 days', '<svg', LIST, 'forms', 'sqlite'):
        true(words in text, words)
    absent('someone@|form@lab|203\\.0\\.113|192\\.0\\.2\\.9|x@far', text, 'what is personal')
    absent('<script|<form|javascript:| style=', text, 'what needs no place')
    status, _, text = web.get(token=TOKEN)
    equal(status, 200, 'with the token')
    tap.until(lambda: 'form@lab.test' in web.get(token=TOKEN)[2], 15, 'a key near its limit')


@case('greylisting and tables are on the page; a table that is gone stands on top')
def greylisting(daemon, web):
    daemon = gatepost.Gatepost()
    path = daemon.table('clients', '198.51.100.0/24 REJECT\n198.51.101.0/24 OK\n')
    daemon.configure({'dns_servers': '127.0.0.1:1', 'client_restrictions': 'check_client_access cidr:' + path,
                      'recipient_restrictions': 'greylist', 'greylist_when': 'always'})
    web = Web(daemon)
    daemon.start()
    web.start()
    try:
        with session(daemon) as mta:
            mta.mail('<someone@client.example>')
            match('^451', mta.rcpt('<bob@lab.test>')[1])
        match('(?s)<h2>Greylisting .*<b>1</b><span>new</span>', web.get()[2])
        match('%s</th><td[^>]*>2</td>.*>well</td>' % path, web.get()[2])
        os.unlink(path)
        page = tap.until(lambda: next((text for text in [web.get()[2]] if 'cannot be read again' in text), None),
                         20, 'the table is gone')
        true(page.index('cannot be read again') < page.index('The last 24 hours'), 'on top')
        match('%s</th><td[^>]*>2</td>.*No such file' % path, page)
    finally:
        web.stop()
        daemon.stop()


@case('metrics are those of the daemon')
def metrics(daemon, web):
    status, headers, text = web.get('/metrics')
    equal((status, headers['Content-Type']), (200, 'text/plain; version=0.0.4; charset=utf-8'),
          'status, type')
    true('gatepost_refusals_total{stage="rcpt",check="reject_unauth_destination",code="550"} 1'
         in text, text[:2000])


@case('every answer has the headers that it should have')
def headers(daemon, web):
    for path in ('/', '/metrics', '/style.css', '/nothing', '/search?q=x', '/login'):
        _, found, _ = web.get(path)
        equal(found['Content-Security-Policy'],
              "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
              "base-uri 'none'; frame-ancestors 'none'", path)
        equal([found[name] for name in ('X-Content-Type-Options', 'Cache-Control',
                                        'Referrer-Policy', 'Set-Cookie')],
              ['nosniff', 'no-store', 'no-referrer', None], path)


@case('names, methods and paths that are not ours')
def others(daemon, web):
    port = ':%d' % web.port
    for host, status in (('localhost', 200), ('LOCALHOST' + port, 200), ('127.0.0.1' + port, 200),
                         ('127.1.2.3', 200), ('[::1]' + port, 200),
                         ('[0:0:0:0:0:0:0:1]', 200), ('::1', 400), ('[127.0.0.1]', 400), ('gate.example.org', 200),
                         ('Gate.Example.Org:443', 200), ('evil.example', 400), ('', 400),
                         ('localhost.evil.example', 400), ('evil.example:9797', 400),
                         ('localhost:x', 400), ('127.0.0.1.evil.example', 400),
                         ('192.0.2.1', 400), ('[::2]', 400), ('gate.example.org.', 400),
                         ('other.example.org', 200), ('xn--bcher-kva.example', 200),
                         ('192.0.2.80:9797', 200), ('[2001:db8:0::80]' + port, 200),
                         ('2001:db8::80', 400), ('192.0.2.8', 400)):
        equal(web.get(Host=host)[0], status, 'Host: %r' % host)
    equal(web.send(b'GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n')[9:12], b'400',
          'two of them')
    equal(web.send(b'GET / HTTP/1.0\r\n\r\n')[9:12], b'400', 'none of them')
    for method in ('POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'BREW'):
        status, found, _ = web.get(method=method)
        equal((status, found['Allow']), (405, 'GET, HEAD'), method)
    status, _, text = web.get(method='HEAD')
    equal((status, text), (200, ''), 'HEAD')
    for path in ('/etc/passwd', '/../etc/passwd', '/%2e%2e/etc/passwd', '//', '/style.css/x',
                 '/index.html', 'http://localhost/'):
        equal(web.get(path)[0], 404, path)


@case('what is personal needs the token, whoever asks and from where')
def token(daemon, web):
    for path in ('/search?q=bob', '/login'):
        equal(web.get(path)[0], 401, path)
        equal(web.get(path, **{'X-Forwarded-For': '127.0.0.1', 'X-Real-IP': '127.0.0.1'})[0], 401,
              path + ' by a proxy')
    match('^Basic realm', web.get('/login')[1]['WWW-Authenticate'], 'challenge')
    for wrong in (TOKEN[:-1], TOKEN + 'x', '', TOKEN.upper(), TOKEN + '\x01', 'anything else'):
        equal(web.get('/', Authorization='Bearer ' + wrong)[0], 401, 'bearer %r' % wrong)
        equal(web.get('/', Authorization=basic(wrong))[0], 401, 'password %r' % wrong)
    for wrong in ('Bearer', 'Basic', 'Basic ====', 'Digest x', TOKEN, 'Basic ' + TOKEN):
        equal(web.get('/', Authorization=wrong)[0], 401, wrong)
    equal(web.send(b'GET /login HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n'
                   b'Authorization: Bearer x\r\n\r\n' % TOKEN.encode())[9:12], b'401', 'two of them')
    status, found, _ = web.get('/login', Authorization=basic(TOKEN, 'any:one'[:3]))
    equal((status, found['Location']), (303, '/'), 'the right one')


@case('without a token nobody sees what is personal')
def no_token(daemon, web):
    other, page = new(token=False)
    try:
        equal(page.get()[0], 200, 'the page')
        for path in ('/search?q=x', '/login'):
            equal(page.get(path)[0], 403, path)
            equal(page.get(path, token=TOKEN)[0], 403, path)
    finally:
        page.stop()
        other.stop()


@case('by a unix socket, too')
def unix(daemon, web):
    other, page = new(unix=True)
    try:
        equal(page.get()[0], 200, 'the page')
    finally:
        equal(page.stop(), 0, 'exit')
        true(not os.path.exists(page.path), 'the socket is left')
        other.stop()


def starts_with(settings, token_text=None):
    daemon = gatepost.Gatepost()
    web = Web(daemon, FORMS, **settings)
    if token_text is not None:
        place.write(daemon.folder + '/web-token', token_text)
    process = subprocess.run([webpage.PROGRAM, '-f', '-c', daemon.file], text=True, timeout=20,
                             capture_output=True, check=False)
    return process.returncode, process.stderr, daemon, web


@case('settings that would open it to the world, and tokens that are none, are refused')
def refused(daemon, web):
    for settings, text, pattern in (
            ({'web_listen': 'inet:9797@0.0.0.0', 'web_token_file': None}, None, 'set web_token_file'),
            ({'web_listen': 'inet6:9797@::', 'web_token_file': None}, None, 'set web_token_file'),
            ({}, 'short\n', '16 to 1024'), ({}, '\n' + TOKEN, '16 to 1024'),
            ({'web_token_file': '/nonexistent/token'}, None, 'web_token_file: .*No such file'),
            ({'web_names': 'a/b'}, None, 'no name of a host'),
            ({'web_names': 'gate.example.org:443'}, None, 'without a port'),
            ({'web_names': 'https://gate.example.org'}, None, 'no name of a host'),
            ({'web_names': '*.example.org'}, None, 'no name of a host'),
            ({'web_names': '[192.0.2.1]'}, None, 'no name of a host')):
        code, said, other, _ = starts_with(settings, text)
        equal(code, 78, said)
        match(pattern, said)
        if 'web_token_file' in settings and 'nonexistent' not in str(settings):
            done = other.control('check')
            equal(done.returncode, 78, done.stderr)
            match(pattern, done.stderr)
    code, said, _, _ = starts_with({'web_listen': 'inet:%d@127.0.0.1' % web.port})
    equal(code, 69, said)
    match('cannot listen on', said)


@case('beyond loopback nothing at all is answered without the token')
def beyond(daemon, web):
    other, page = new(host='0.0.0.0')
    try:
        for path in ('/', '/metrics', '/style.css', '/nothing'):
            equal(page.get(path)[0], 401, path)
        equal(page.get('/metrics', token=TOKEN)[0], 200, 'with it')
        match('speaks no TLS.*IPAddressAllow', other.control('check').stderr)
    finally:
        page.stop()
        other.stop()


@case('a search that shows a part says so')
def part(daemon, web):
    with session(daemon) as mta:
        mta.mail('<part@client.example>')
        mta.rcpt('<x@part.example>')
    page = tap.until(lambda: next((text for text in [web.get('/search?q=x@part.example', token=TOKEN)[2]]
                                   if 'reject_unauth' in text), None), 10, 'the decision')
    absent('newest only', page, 'it is all')
    for more, words in ((99, '100 decisions, the oldest first, times in [A-Z]+.</p>'),
                        (1, '100 decisions, .* <strong>These are the newest only, there are more.')):
        with session(daemon) as mta:
            mta.mail('<part@client.example>')
            for _ in range(more):
                mta.rcpt('<x@part.example>')
        page = tap.until(lambda: next((text for text in [web.get('/search?q=x@part.example', token=TOKEN)[2]]
                                       if re.search(words, text)), None), 10, words)
        equal(page.count('<summary>'), 100, 'what is shown')


@case('searches wait for each other, numbers for none; too many are told to come again')
def many_searches(daemon, web):
    found, quick = [], []
    aside, fifo = daemon.history + '.aside', daemon.history + '.fifo'
    os.rename(daemon.history, aside)
    os.mkfifo(daemon.history)  # who opens it waits
    os.chmod(daemon.history, 0o666)
    threads = [threading.Thread(target=lambda: found.append(web.get('/search?q=x%40y.example', token=TOKEN)))
               for _ in range(7)]
    for thread in threads:
        thread.start()
    tap.until(lambda: len(found) >= 3, 5, 'those that are too many are told')
    for path in ('/metrics', '/', '/metrics'):
        begun = time.monotonic()
        equal(web.get(path)[0], 200, path)
        quick.append(time.monotonic() - begun)
    os.rename(daemon.history, fifo)
    os.rename(aside, daemon.history)
    with open(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK), 'wb'):
        pass
    for thread in threads:
        thread.join(90)
    tap.note('searches: %s; numbers in %s s' % ([row[0] for row in found], quick))
    true(max(quick) < 20, 'numbers waited: %s' % quick)
    equal([row[1]['Retry-After'] for row in found if row[0] == 503].count('5'), 3, 'beyond four')
    equal([row[0] for row in found].count(200), 3, 'those that waited')
    equal(web.get('/search?q=x%40y.example', token=TOKEN)[0], 200, 'and then')


@case('what a stranger writes into a search stays text')
def hostile(daemon, web):
    equal(web.get('/search?q=%3C%3E', token=TOKEN)[0], 400, 'what cannot be searched')
    true('usage: search' in web.get('/search?q=%3C%3E', token=TOKEN)[2], 'the daemon says what can')
    for text in HOSTILE + ('search x\nreload', '{', '../..', '%00', 'x' * 300, 'ü' * 150):
        query = ''.join('%%%02x' % byte for byte in text.encode())
        status, _, page = web.get('/search?q=' + query, token=TOKEN)
        true(status in (200, 400), 'status %d' % status)
        absent(r'<script|<img|<b>|\u202e|\u2066|\u200f|\x01|\x7f', page, 'the page for %r' % text)
    equal(web.get('/search?q=' + 'x' * 301, token=TOKEN)[0], 400, 'too long')
    true(web.send(b'GET /?' + b'x' * 100000 + b' HTTP/1.1\r\nHost: localhost\r\n\r\n')[9:10] in
         (b'4', b''), 'a line without end')
    equal(web.get()[0], 200, 'and then')


@case('who is slow, and who are many, keep nobody out for long')
def slow(daemon, web):
    begun = time.monotonic()
    many = []
    for _ in range(80):
        connection = web.connect()
        connection.sendall(b'GET / HTTP/1.1\r\nHost: loc')
        many.append(connection)
    def dribble():
        for connection in many:
            try:
                connection.sendall(b'a')
            except OSError:
                pass
        try:
            return web.get('/metrics')[0] == 200
        except (OSError, ValueError):
            return False
    tap.within(60, dribble, 'an answer', 1)
    tap.note('answered after %.0f s' % (time.monotonic() - begun))
    with session(daemon) as mta:
        mta.mail()
        match('^550', mta.rcpt('<x@far.example>')[1], 'mail goes on')
    for connection in many:
        connection.close()


NAME = '<s>n\u202e\u2066"\\&\'<s>'  # what settings may hold
TEXT = '<i>t\u202e\u2066\x01\x7f\x1b[31m"\\&\'</i>'  # what others' files and answers may hold


def new_of_names():
    """Lists, limits, tables and rules that are named so, and say so."""
    entry = ' :127.0.0.2:listed ' + TEXT + '\n'
    server = lists.Lists(['evil.example:ip4set:evil', 'says.example:ip4set:says'],
                         evil='127.0.0.2' + entry + '203.0.113.9' + entry,
                         says='127.0.0.2' + entry + '203.0.113.10' + entry).start()
    daemon = gatepost.Gatepost()
    shown = daemon.table('shown', 'evil.example ' + NAME + TEXT + '\n')
    access = daemon.table(NAME, '198.51.100.1 REJECT no ' + TEXT + '\n')
    rules = daemon.table('rules.cf', 'header WORTH Subject =~ /much/\nscore WORTH 20\n'
                         'describe WORTH much ' + TEXT + '\n')
    more = '[limit %s]\nkey = sender\nmax = 2\nper = 1d\nfor = mynetworks\n' % NAME
    daemon.configure({'mynetworks': '192.0.2.0/24', 'dns_servers': server.address(),
                      'dnsbl_sites': 'evil.example*9 says.example*9', 'dnsbl_reply_map': 'texthash:' + shown,
                      'client_restrictions': 'check_client_access texthash:' + access,
                      'recipient_restrictions': 'check_limit %s permit_mynetworks reject_dnsbl' % NAME,
                      'rule_files': rules, 'message_restrictions': 'reject_spam'}, more)
    return server, daemon.start(), Web(daemon, more).start()


def strings(value):
    """All texts in what JSON said."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for one in inner for text in strings(one)]


@case('names and texts of settings, rules and lists stay text: on the page, in a search, in numbers')
def names(daemon, web):
    server, daemon, web = new_of_names()
    try:
        equal(daemon.control('check').returncode, 0, 'check')
        for address, says in (('203.0.113.9', 'using <s>'), ('203.0.113.10', 'listed <i>'), ('198.51.100.1', 'no <i>')):
            with session(daemon, address=address) as mta:
                mta.mail()
                match('^55[04].*' + says, mta.rcpt()[1])
        with session(daemon, address='198.51.100.7') as mta:
            mta.mail()
            mta.rcpt()
            match('^550', mta.message([('From', ' <a@b.example>'), ('Subject', ' much')])[1])
        with session(daemon, address='192.0.2.9') as mta:
            mta.mail('<me@lab.test>')
            for answer in ('^$', '^$', '^[45]50'):
                match(answer, mta.rcpt()[1])
        for path, words in (('/', ('&lt;s&gt;n\\u{202e}', '&lt;i&gt;')),
                            ('/search?q=203.0.113.9', ('&lt;s&gt;n', '&lt;i&gt;t')),
                            ('/search?q=203.0.113.10', ('&lt;i&gt;t', 'listed')),
                            ('/search?q=198.51.100.1', ('&lt;i&gt;t', '&lt;s&gt;n')),
                            ('/search?q=198.51.100.7', ('WORTH',)),
                            ('/search?q=me%40lab.test', ('&lt;s&gt;n',))):
            page = tap.until(lambda: next((text for text in [web.get(path, token=TOKEN)[2]]
                                           if all(word in text for word in words)), None), 15, path)
            absent(r'<s>|<i>|\u202e|\u2066|[\x00-\x08\x0b-\x1f\x7f]', page, path)
        text = web.get('/metrics')[2]
        absent(r'\u202e|\u2066|[\x00-\x08\x0b-\x1f\x7f]', text, 'metrics')
        shown = NAME.replace('\\', 2 * '\\').replace('\u202e', '\\u{202e}').replace('\u2066', '\\u{2066}')
        label = shown.replace('\\', 2 * '\\').replace('"', '\\"')
        for series in ('gatepost_limit_refused_total{limit="%s"} 1' % label,
                       'gatepost_dnsbl_queries_total{list="%s' % label,
                       'gatepost_table_entries{table="%s/%s"} 1' % (daemon.folder, label),
                       'gatepost_rule_hits_total{rule="WORTH"} 1'):
            true(series in text, series + ' in ' + text)
        if shutil.which('promtool'):
            done = subprocess.run(['promtool', 'check', 'metrics'], input=text, text=True,
                                  capture_output=True, check=False)
            equal((done.returncode, done.stdout + done.stderr), (0, ''), 'promtool check metrics')
        status = json.loads(daemon.control('status', '--json').stdout)
        true(any(NAME in text for text in strings(status)), 'status --json: %s' % status)
        absent('[\x00-\x08\x0b-\x1f\x7f\u202e\u2066]', daemon.control('status').stdout, 'status')
    finally:
        web.stop()
        daemon.stop()
        server.stop()


@case('what the library refuses by itself is a fixed sentence, whatever was sent')
def refused_by_library(daemon, web):
    host, mark = b'Host: localhost\r\n', b'<u>mark</u>'
    for data in (b'GET / HTTP/9.9\r\n' + host + b'X: %s\r\n\r\n' % mark, b'GET /%s\r\n\r\n' % mark,
                 b'GET / HTTP/1.1%s\r\n' % mark + host + b'\r\n',
                 b'GET /%s HTTP/1.1\r\n' % (mark * 2000) + host + b'\r\n',
                 b'GET / HTTP/1.1\r\n' + host + b'X: %s\r\n\r\n' % (mark * 4000),
                 b'GET / HTTP/1.1\r\n' + host + b'%s\r\n\r\n' % mark,
                 b'GET / HTTP/1.1\r\n' + host + b'Content-Length: %s\r\n\r\n' % mark):
        answer = web.send(data)
        match('^HTTP/1.1 [45]..|^$', answer.decode())
        true(b'mark' not in answer and len(answer) < 1000, '%r: %r' % (data[:80], answer))


def all_stopped(pid):
    states = []
    for thread in os.listdir('/proc/%d/task' % pid):
        with open('/proc/%d/task/%s/stat' % (pid, thread), encoding='ascii') as handle:
            states.append(handle.read().rpartition(')')[2].split()[0])
    return set(states) == {'T'}


@case('a daemon that hangs shows as that within seconds, one that is stopped at once')
def away(daemon, web):
    daemon.process.send_signal(signal.SIGSTOP)
    try:
        tap.until(lambda: all_stopped(daemon.process.pid), 5, 'all its threads stand still')
        begun = time.monotonic()
        status, _, text = web.get()
        equal(status, 503, 'hung')
        match('does not answer', text)
        true(time.monotonic() - begun < 20, 'it took %.1f s' % (time.monotonic() - begun))
        begun = time.monotonic()
        equal([web.get(path)[0] for path in ('/', '/metrics', '/')], [503] * 3, 'hung')
        true(time.monotonic() - begun < 20, 'known: %.1f s' % (time.monotonic() - begun))
    finally:
        daemon.process.send_signal(signal.SIGCONT)
    tap.until(lambda: web.get()[0] == 200, 15, 'it goes on')
    daemon.stop()
    begun = time.monotonic()
    equal([web.get()[0], web.get('/metrics')[0]], [503, 503], 'stopped')
    true(time.monotonic() - begun < 15, 'it took %.1f s' % (time.monotonic() - begun))
    match('no daemon runs', web.get()[2])
    daemon.start()
    equal(web.get()[0], 200, 'started again')


class Between(threading.Thread):
    """Passes on what the daemon answers, changed as another version might say it."""

    def __init__(self, daemon):
        super().__init__(daemon=True)
        self.to = daemon.settings['read_socket']
        self.path = daemon.folder + '/run/between.sock'
        self.change = lambda request, answer: answer
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(self.path)
        os.chmod(self.path, 0o666)
        self.socket.listen(16)
        self.start()

    def run(self):
        while True:
            asker, answerer = self.socket.accept()[0], socket.socket(socket.AF_UNIX)
            with asker, answerer:
                answerer.connect(self.to)
                request = asker.makefile('r').readline().strip()
                answerer.sendall(request.encode() + b'\n')
                head, _, text = answerer.makefile('r').read().partition('\n')
                status, text = self.change(request, (int(head.split()[1]), text))
                asker.sendall(b'gatepost %d %d\n' % (status, len(text.encode())) + text.encode())


@case('a daemon of another version is a sentence that says so, not a page that says nothing')
def versions(daemon, web):
    daemon = gatepost.Gatepost()
    daemon.configure({'dns_servers': '127.0.0.1:1', 'dnsbl_sites': LIST, 'mynetworks': '192.0.2.0/24',
                      'recipient_restrictions': 'check_limit forms'}, FORMS)
    daemon.start()
    between = Between(daemon)
    web = Web(daemon, FORMS, read_socket=between.path).start()

    def see(path, change):
        between.change = change
        return web.get(path, token=TOKEN)

    def unknown(command):
        return lambda request, answer: ((64, 'unknown command "%s"\n' % command) if request == command
                                        else answer)

    def edited(pattern, by):
        return lambda request, answer: (answer[0], re.sub(pattern, by, answer[1], flags=re.M))

    def always(text):
        return lambda request, answer: (0, text)
    try:
        status, _, plain = see('/', lambda request, answer: answer)
        equal((status, 'restart both' in plain), (200, False), 'the same version')
        match('(?s)All is well.*The last 24 hours.*DNS lists', plain)
        status, _, page = see('/', edited('^(daemon\t)[^\t]+', r'\g<1>0.0.9'))
        equal(status, 200, 'an older one')
        match('gatepost 0.0.9 answers, and this is gatepost-web .*restart both', page)
        status, _, page = see('/', edited('^(list\t[^\t]+\t1).*', r'\1'))
        equal((status, 'set aside' in page, LIST in page), (200, False, False), 'what is not said is no fault')
        match(r'is missing here \(1 lines are\); restart both', page)
        status, _, page = see('/', edited('^(list\t.*)$', '\\1\tmore\nnews\t1\t2\nhour\t1\tfrozen\t7'))
        equal((status, LIST in page, 'restart both' in page), (200, True, False), 'more than is known')
        for change, words in ((unknown('overview'), 'another version.*overview.*restart gatepost'),
                              (always('daemon\t0.0.9\n'), 'is no answer to gatepost-web'),
                              (always(''), 'is no answer to gatepost-web'),
                              (always('what\n'), 'is no answer')):
            status, _, page = see('/', change)
            equal(status, 503, words)
            match('(?s)The daemon does not answer.*' + words, page)
        equal(see('/metrics', unknown('metrics'))[0], 503, 'metrics')
        match('another version.*metrics', see('/metrics', unknown('metrics'))[2])
        for command in ('about', 'decisions', 'near'):
            status, _, page = see('/search?q=x%40y.example' if command == 'about' else '/', unknown(command))
            equal(status, 503 if command == 'about' else 200, command)
            match('another version.*%s.*restart gatepost' % command, page)
        match('(?m)^gatepost_news 7$', see('/metrics', edited(r'\Z', 'gatepost_news 7\n'))[2])
    finally:
        web.stop()
        daemon.stop()


@case('it stops in order')
def ends(daemon, web):
    equal(web.stop(), 0, 'exit')
    absent('Sanitizer|runtime error', web.said, 'what it said')
    equal(daemon.stop(), 0, 'exit of the daemon')


def setup():
    if webpage.missing():
        tap.skip_all(webpage.missing())
    site['daemon'], site['web'] = new(
        web_names='Gate.Example.ORG other.example.org. b\u00fccher.example 192.0.2.80 [2001:db8::80]')
    return site


def with_both(function):
    return lambda context: function(context['daemon'], context['web'])


if __name__ == '__main__':
    tap.CASES[:] = [(title, with_both(function)) for title, function in tap.CASES]
    tap.run(setup, teardown=lambda _: [site['web'].stop(), site['daemon'].stop()] if site else None)
