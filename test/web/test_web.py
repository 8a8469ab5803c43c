#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""gatepost-web: who is answered, with what, and that nobody is kept from it."""
import os
import signal
import subprocess
import sys
import threading
import time
sys.path.insert(0, sys.path[0] + '/../lib')
import gatepost
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
            ({}, 'short\n', 'at least'), ({}, '\n' + TOKEN, 'at least'),
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
    with session(daemon) as mta:
        mta.mail('<part@client.example>')
        for _ in range(100):
            mta.rcpt('<x@part.example>')
    tap.until(lambda: 'These are the newest only.' in web.get('/search?q=x@part.example',
                                                              token=TOKEN)[2], 10, 'a word of it')


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
