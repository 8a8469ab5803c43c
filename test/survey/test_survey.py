# SPDX-License-Identifier: BSD-2-Clause
"""gatepostctl survey against a mail world of its own: every verdict, one row of a table."""
import json
import os
import signal
import sqlite3
import ssl
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + '/../lib')
import gatepost  # noqa: E402
import maillab  # noqa: E402
import place  # noqa: E402
import tap  # noqa: E402
from maillab import Server, Web, context, self_signed, tlsa  # noqa: E402
from tap import absent, case, equal, match, true  # noqa: E402

DH512 = '''-----BEGIN DH PARAMETERS-----
MEYCQQDaWDwW2YUiidDkr3VvTMqS3UvlM7gE+w/tlO+cikQD7VdGUNNpmdsp13Yn
a6LT1BLiGPTdHghM9tgAPnxHdOgzAgEC
-----END DH PARAMETERS-----
'''


# The providers of 2016: host and address of each MX.
GREEK = {
    'otenet': {'mx1': '192.0.2.160', 'mx2': '192.0.2.161', 'mx3': '192.0.2.162',
               'mx4': '192.0.2.163'},
    'forthnet': {'mx1': '192.0.2.164', 'mx2': '192.0.2.165'},
    'hol': {'mail': '192.0.2.166'},
    'uoa': {'relay': '192.0.2.167'},
    'sch': {'mx': '192.0.2.168'},
}


def server(number, **how):
    """One MX host, mN.lab at 192.0.2.N, of a domain dN.lab."""
    return 'd%d MX 10 m%d\nm%d A 192.0.2.%d\n' % (number, number, number, number)


def leave(tls):
    """A server that hangs up with the last word of its handshake: what is said to it then meets
    nobody."""
    def after(connection):
        heard, said = ssl.MemoryBIO(), ssl.MemoryBIO()
        server_side = tls.wrap_bio(heard, said, server_side=True)
        heard.write(connection.recv(16384))
        try:
            server_side.do_handshake()
        except ssl.SSLWantReadError:
            pass
        connection.sendall(said.read())
        os.close(connection.detach())
    return after


class World:
    def __init__(self):
        self.folder = place.folder('gatepost-survey-')
        self.ca = ca = maillab.Authority(self.folder)
        self.own = own = maillab.Authority(self.folder, 'Provider CA')
        self.dh = place.write(self.folder + '/dh512.pem', DH512)
        self.dns = maillab.Dns(self.folder)
        self.servers, self.webs = {}, {}
        lab, plain, bogus = [], [], []
        self.expected = {}

        def mx(number, tls=None, records=None, **how):
            self.servers[number] = Server('192.0.2.%d' % number, tls, **how)
            lab.append(records or server(number))

        def expect(name, *rows, **row):
            self.expected[name] = list(rows) or [row]

        good = ca.issue('m1.lab', 'm2.lab', 'm10.lab', 'm11.lab', 'm12.lab', 'm13.lab', 'm14.lab',
                        'alias.lab', 'm20.lab', 'm21.lab', 'm30.lab', 'm31.lab', 'm45.lab')
        self.good = good
        mx(1, context(good))
        expect('d1.lab', state='ok', mx_state='ok', mx='m1.lab', address='192.0.2.1', preference=10,
               tls_version='TLS 1.3', certificate_chain='trusted', certificate_name_matches=True,
               certificate_expired=False, certificate_self_signed=False, mx_dnssec=True,
               dane_state='none', mta_sts_state='none', tls_weak_key=False,
               summary='1 server: TLS 1.3$')
        mx(2, context(good, newest='TLSv1_2'))
        expect('d2.lab', state='ok', tls_version='TLS 1.2', summary='1 server: TLS 1.2$')
        mx(3, context(good, newest='TLSv1'))
        expect('d3.lab', state='ok', tls_version='TLS 1.0', certificate_name_matches=False,
               summary='TLS 1.0; certificate of another name$')
        mx(4, context(self_signed(self.folder, 'm4.lab')))
        expect('d4.lab', state='ok', certificate_chain='self-signed', certificate_self_signed=True,
               summary='self-signed certificate')
        self.expired = ca.issue('m5.lab', expired=True)
        mx(5, context(self.expired))
        expect('d5.lab', state='ok', certificate_expired=True, certificate_chain='trusted',
               summary='certificate expired on 20')
        mx(6, context(own.issue('m6.lab')))
        expect('d6.lab', state='ok', certificate_chain='untrusted',
               summary='certificate of an unknown authority')
        if ssl.OPENSSL_VERSION_INFO < (3, 5):  # which serves no exchange of keys that is as weak
            mx(7, context(ca.issue('m7.lab'), newest='TLSv1_2', dh=self.dh))
            expect('d7.lab', tls_weak_key=True, summary='weak key', state='ok',
                   tls_key_exchange='DH 512')
        mx(8, context(ca.issue('m8.lab', key='rsa:1024')))
        expect('d8.lab', state='ok', tls_weak_key=True, certificate_key='RSA 1024',
               summary=r'weak key \(RSA 1024\)')
        mx(10, offer=False)
        expect('d10.lab', state='no-starttls', tls_version=None, summary='1 server: no STARTTLS')
        mx(11, starttls='454 4.7.0 TLS not available')
        expect('d11.lab', state='starttls-refused', reply='454 4.7.0 TLS not available')
        mx(12, starttls='502 5.5.1 not here')
        expect('d12.lab', state='starttls-refused', reply='502 5.5.1 not here',
               summary='STARTTLS refused')
        mx(13, after=lambda c: c.sendall(b'this is no TLS at all\r\n'))
        expect('d13.lab', state='handshake-failed')
        mx(14, banner='421 4.7.0 too many connections')
        expect('d14.lab', state='blocked', reply='421 4.7.0 too many connections',
               summary='1 server: blocked')
        mx(15, banner='554 5.7.1 go away')
        expect('d15.lab', state='blocked')
        mx(16, banner='')
        expect('d16.lab', state='blocked')
        mx(17, ehlo='421 4.3.2 closing')
        expect('d17.lab', state='blocked')
        mx(18, ehlo='')
        expect('d18.lab', state='blocked')
        mx(19, hang=True)
        expect('d19.lab', state='timeout')
        lab.append(server(9))  # nobody there
        expect('d9.lab', state='refused', summary='unreachable')
        mx(23, after=leave(context(good)))
        expect('d23.lab', state='ok', tls_version='TLS 1.3')
        # RFC 5746 is not known to this one: GnuTLS can be told so
        self.gnutls = None
        if maillab.shutil.which('gnutls-serv'):
            self.gnutls = place.port()
            old = ca.issue('m22.lab')
            maillab.spawn('gnutls-serv', '-q', '--port', str(self.gnutls), '--echo', '--x509certfile',
                          old, '--x509keyfile', old, '--priority',
                          'NORMAL:-VERS-ALL:+VERS-TLS1.0:+SIGN-RSA-SHA1:%VERIFY_ALLOW_BROKEN:'
                          '%DISABLE_SAFE_RENEGOTIATION')
            mx(22, after=maillab.splice(self.gnutls))
            expect('d22.lab', state='ok', tls_version='TLS 1.0', tls_secure_renegotiation=False)
        # MX records of every kind
        lab.append('null MX 0 .\nimplicit A 192.0.2.1\nalias CNAME m1\nviaalias MX 5 alias\n'
                   'number MX 10 192.0.2.1.\nnowhere MX 10 gone.lab.\nempty TXT "nothing"\n'
                   'two MX 10 m1\ntwo MX 20 m10\n')
        expect('null.lab', state='null-mx', mx_state='null-mx', address=None,
               summary='accepts no mail')
        expect('implicit.lab', state='ok', mx_state='implicit-mx', mx='implicit.lab')
        expect('viaalias.lab', state='ok', mx_state='mx-is-alias', mx_alias='m1.lab',
               summary='MX is an alias')
        expect('number.lab', state='mx-is-address')
        expect('nowhere.lab', state='no-address', mx='gone.lab')
        expect('empty.lab', state='no-address', mx=None)
        expect('gone.lab', state='nxdomain')
        expect('two.lab', dict(state='ok', mx='m1.lab'), dict(state='no-starttls', mx='m10.lab'))
        # DANE
        self.ee = self_signed(self.folder, 'another.name', expired=True)
        mx(40, context(self.ee), records=server(40) + '_25._tcp.m40 TLSA %s\n' % tlsa(self.ee, 3))
        expect('d40.lab', dane_state='ok', certificate_expired=True, certificate_name_matches=False,
               summary='DANE ok')
        self.ta = ca.issue('m41.lab')
        mx(41, context(self.ta), records=server(41) + '_25._tcp.m41 TLSA %s\n'
           % tlsa(ca.file, 2, 0))
        expect('d41.lab', dane_state='ok', dane_record='2 0 1 ')
        mx(42, context(good), records=server(42) + '_25._tcp.m42 TLSA %s\n' % tlsa(good, 1))
        expect('d42.lab', dane_state='unusable', summary='DANE records unusable')
        mx(43, context(good), records=server(43) + '_25._tcp.m43 TLSA 3 1 1 ' + '00' * 32 + '\n')
        expect('d43.lab', dane_state='mismatch', summary='DANE mismatch')
        mx(44, context(ca.issue('m44.lab', expired=True)),
           records=server(44) + '_25._tcp.m44 TLSA %s\n' % tlsa(ca.file, 2, 0))
        expect('d44.lab', dane_state='mismatch', dane_reason='expired')
        mx(46, context(good), records=server(46) + '_25._tcp.m46 TLSA %s\n' % tlsa(ca.file, 2, 0))
        expect('d46.lab', dane_state='mismatch', dane_reason='another name')
        mx(47, context(good), records=server(47) + '_25._tcp.m47 NS ns.dead.lab.\nns.dead A %s\n'
           % maillab.DEAD_NS)
        expect('d47.lab', dane_state='lookup-failed', state='ok')
        # both: one record that cannot be used does not spoil one that can
        mx(48, context(good), records=server(48) + '_25._tcp.m48 TLSA %s\n_25._tcp.m48 TLSA %s\n'
           % (tlsa(good, 1), tlsa(good, 3, 1, 2)))
        expect('d48.lab', dane_state='ok', dane_record='3 1 2 ')
        # an alias: the records are at the name that it leads to
        lab.append('d49 MX 10 a49\na49 CNAME m40\n')
        expect('d49.lab', dane_state='ok', dane_name='m40.lab', mx_state='mx-is-alias')
        plain.append('@ MX 10 m40.lab.\nhost MX 10 m.plain.\nm A 192.0.2.45\n')
        mx(45, context(good), records='d45 MX 10 m.plain.\n')
        expect('plain', mx_dnssec=False, dane_state='insecure', state='ok')
        expect('d45.lab', mx_dnssec=True, dane_state='insecure', mx='m.plain')
        bogus.append('@ MX 10 m.bogus.\nm A 192.0.2.66\n')
        lab.append('viabogus MX 10 m.bogus.\n')
        expect('viabogus.lab', state='servfail', dane_state='bogus')
        # MTA-STS
        web = ca.issue('mta-sts.s1.lab', 'mta-sts.s2.lab', 'mta-sts.s3.lab', 'mta-sts.s4.lab',
                       'mta-sts.s5.lab', 'mta-sts.s6.lab', 'mta-sts.s7.lab')
        policy = 'version: STSv1\r\nmode: %s\r\nmx: %s\r\nmax_age: 86400\r\n'
        pages = {
            's1': (dict(body=(policy % ('enforce', 'm1.lab')).encode()),
                   dict(mta_sts_state='ok', mta_sts_mode='enforce', mta_sts_mx_covered=True,
                        mta_sts_id='20260101', mta_sts_max_age=86400,
                        tlsrpt=['mailto:tls@s1.lab'], summary='MTA-STS enforce')),
            's2': (dict(body=(policy % ('enforce', '*.elsewhere.lab')).encode()),
                   dict(mta_sts_mode='enforce', mta_sts_mx_covered=False,
                        summary='MTA-STS does not cover the MX')),
            's3': (dict(body=(policy % ('testing', '*.lab')).encode()),
                   dict(mta_sts_mode='testing', mta_sts_mx_covered=True)),
            's4': (dict(body=b'version: STSv1\nmode: none\nmax_age: 1\n'),
                   dict(mta_sts_mode='none', mta_sts_state='ok')),
            's5': (dict(body=b'', status='301 Moved', more='Location: https://mta-sts.s1.lab/\r\n'),
                   dict(mta_sts_state='fetch-failed', mta_sts_mode=None)),
            's6': (dict(body=b'version: STSv1\nmode: enforce\nmx: m1.lab\nmax_age: 9\n' +
                        b'x: y\n' * 20000), dict(mta_sts_state='fetch-failed')),
            's7': (dict(body=(policy % ('enforce', 'm1.lab')).encode(), kind='text/html'),
                   dict(mta_sts_state='fetch-failed')),
        }
        for number, (name, (page, facts)) in enumerate(pages.items(), 100):
            lab.append('%s MX 10 m1\n_mta-sts.%s TXT "v=STSv1; id=20260101;"\n'
                       'mta-sts.%s A 192.0.2.%d\n_smtp._tls.%s TXT "v=TLSRPTv1; rua=mailto:tls@%s.lab"\n'
                       % (name, name, name, number, name, name))
            self.webs[name] = Web('192.0.2.%d' % number, context(web), **page)
            expect(name + '.lab', state='ok', **facts)
        lab.append('s8 MX 10 m1\n_mta-sts.s8 TXT "v=STSv1; id=1"\n_mta-sts.s8 TXT "v=STSv1; id=2"\n')
        expect('s8.lab', mta_sts_state='bad-record')
        lab.append('survey A 192.0.2.240\n')
        # what changes between runs, see the histories below
        self.renewed = ca.issue('m60.lab')
        for number in range(60, 70):
            lab.append(server(number))
        lab.append('_25._tcp.m65 TLSA %s\n' % tlsa(good, 3))
        gr = []
        for name, hosts in GREEK.items():
            for host, address in hosts.items():
                gr.append('%s MX 10 %s.%s\n%s.%s A %s\n' % (name, host, name, host, name, address))
        self.lab = lab
        self.dns.zone('', '')
        self.dns.zone('lab', ''.join(lab))
        self.dns.zone('gr', ''.join(gr), signed=False)
        self.dns.zone('plain', ''.join(plain), signed=False)
        self.dns.zone('bogus', ''.join(bogus), broken=True)
        self.dns.start()
        self.expected['bogus'] = [dict(state='servfail', mx_state='servfail', mx='m.bogus',
                                       dane_state='bogus')]
        self.conf = place.write(self.folder + '/gatepost.conf', 'user = root\n'
                                'dns_servers = 127.0.0.1\nlocal_domains = own.lab\n')

    def survey(self, *words, code=0, db=None, timeout=120, data=None, days=None):
        """days: how much later than today it is for the survey."""
        if days and gatepost.sanitized():
            raise tap.Skip('libfaketime and sanitizers do not go together')
        later = ['faketime', '-f', '+%gd' % days] if days else []
        done = subprocess.run([*later, gatepost.CONTROL, '-c', self.conf, 'survey', '--helo', 'survey.lab',
                               '--ca-file', self.ca.file, '--db', db or self.folder + '/survey.db',
                               *words], capture_output=True, text=True, timeout=timeout,
                              input=data, env=dict(os.environ, DONT_FAKE_MONOTONIC='1',
                                                   FAKETIME_DONT_FAKE_MONOTONIC='1'))
        if 'Sanitizer' in done.stderr or 'runtime error:' in done.stderr:
            raise AssertionError(done.stderr)
        equal(done.returncode, code, 'exit (%s)' % done.stderr)
        return done


def flat(found, prefix=''):
    facts = {}
    for name, value in found.items():
        if isinstance(value, dict):
            facts.update(flat(value, prefix + name + '_'))
        else:
            facts[prefix + name] = value
    return facts


@case('every verdict')
def verdicts(world):
    done = world.survey('--json', '--jobs', '64', *world.expected)
    found = {}
    for line in done.stdout.splitlines():
        facts = flat(json.loads(line))
        equal(facts['schema'], 1)
        found.setdefault(facts['domain'], []).append(facts)
    # again as a table, but for the one that hangs until the deadline
    table = world.survey('--jobs', '64', *[n for n in world.expected if n != 'd19.lab']).stdout
    wrong = []
    for name, rows in world.expected.items():
        if len(found.get(name, [])) != len(rows):
            wrong.append('%s: %r' % (name, found.get(name)))
            continue
        for got, row in zip(found[name], rows):
            for fact, value in row.items():
                if fact == 'summary':
                    lines = [t for t in table.splitlines() if t.startswith(name + ': ')]
                    if not lines or not tap.re.search(value, lines[0]):
                        wrong.append('%s: %r does not match %s' % (name, lines, value))
                elif isinstance(value, str) and fact in ('dane_record', 'dane_reason'):
                    if value not in (got[fact] or ''):
                        wrong.append('%s %s: %r, not %r' % (name, fact, got[fact], value))
                elif got.get(fact, 'missing') != value:
                    wrong.append('%s %s: %r, not %r' % (name, fact, got.get(fact, 'missing'), value))
    if wrong:
        raise tap.Failure('\n'.join(wrong))


@case('no MAIL is said, QUIT always, and each address is asked once')
def manners(world):
    server = world.servers[10]
    server.said.clear()
    server.times.clear()
    world.survey('--json', 'd10.lab', 'two.lab')
    equal(server.said, ['EHLO survey.lab', 'QUIT'])
    equal(len(server.times), 1)
    true(not any(word.upper().startswith('MAIL') for s in world.servers.values() for word in s.said),
         'nobody hears MAIL')


class History:
    """Runs over some domains, and what is said of each domain between them."""

    def __init__(self, world, *domains):
        self.world, self.domains = world, domains
        self.db = place.folder('gatepost-history-') + '/survey.db'

    def run(self, days=None, confirm='0'):
        self.world.survey('--json', '--confirm', confirm, *self.domains, db=self.db, days=days)

    def diff(self, *runs, code=0):
        """Lines, each "CLASS DOMAIN ...: TEXT" with single blanks."""
        done = self.world.survey('--diff', *runs, db=self.db, code=code)
        return [' '.join(line.split()) for line in done.stdout.splitlines()]


def replace(world, number, *arguments, **how):
    if number in world.servers:
        world.servers[number].stop()
    world.servers[number] = Server('192.0.2.%d' % number, *arguments, **how)


def lines_of(lines, name):
    return [line for line in lines if line.split()[1].rstrip(':') == name]


@case('what is lost is unconfirmed at first, an alarm once it is certain, and told once')
def losses(world):
    good = context(world.good)
    for number in range(60, 70):
        world.servers[number] = Server('192.0.2.%d' % number, good)
    world.servers[60].stop()
    world.servers[60] = Server('192.0.2.60', context(world.renewed))
    history = History(world, *['d%d.lab' % n for n in range(60, 70)])
    history.run()
    replace(world, 61, offer=False)
    replace(world, 62, context(world.good, newest='TLSv1'))
    replace(world, 63, banner='421 too many')
    replace(world, 64, starttls='454 not now')
    replace(world, 65, context(world.ca.issue('m65.lab')))
    replace(world, 66, starttls='502 never')
    replace(world, 67, after=lambda c: c.sendall(b'no TLS\r\n'))
    replace(world, 60, context(world.ca.issue('m60.lab', reuse=world.renewed[:-4] + '.key')))
    replace(world, 68, context(world.own.issue('m68.lab')))
    world.servers[69].stop()
    # each run's losses are asked again a second later
    history.run(days=0.01, confirm='1s')
    said = history.diff()
    for name, pattern in (
            ('d60.lab', '^renewal .*with the same key'),
            ('d61.lab', '^unconfirmed .*STARTTLS is gone .was TLS 1.3.*seen 2 times'),
            ('d62.lab', '^unconfirmed .*TLS 1.0 .was TLS 1.3'),
            ('d63.lab', '^noise .*blocked .was ok'),
            ('d64.lab', '^noise .*starttls-refused .was ok'),
            ('d65.lab', '^unconfirmed .*DANE: mismatch .was ok'),
            ('d66.lab', '^unconfirmed .*offered and refused'),
            ('d67.lab', '^unconfirmed .*handshake fails'),
            ('d68.lab', '^change .*another issuer'),
            ('d69.lab', '^noise .*refused .was ok')):
        match(pattern, '\n'.join(lines_of(said, name)), name)
    history.run(days=0.02)
    said = history.diff(code=1)
    # a handshake that fails once more has failed thrice
    for name in ('d61.lab', 'd62.lab', 'd65.lab', 'd66.lab', 'd67.lab'):
        match('^alarm ', '\n'.join(lines_of(said, name)), name)
    for name in ('d60.lab', 'd63.lab', 'd64.lab', 'd68.lab', 'd69.lab'):
        absent('alarm', '\n'.join(lines_of(said, name)), name)
    history.run(days=0.03)
    said = history.diff()
    absent('alarm', '\n'.join(said), 'told once')
    # judged by what was known by then, and from before to after
    match('^unconfirmed ', '\n'.join(lines_of(history.diff('1', '2'), 'd61.lab')), '1 to 2')
    match('^alarm ', '\n'.join(lines_of(history.diff('1', '4', code=1), 'd61.lab')), '1 to 4')
    absent('alarm', '\n'.join(history.diff('2', '2')), '2 to 2')


@case('two observations that lie a day apart are certain')
def a_day_apart(world):
    replace(world, 61, context(world.good))
    history = History(world, 'd61.lab')
    history.run()
    replace(world, 61, offer=False)
    history.run(days=7)
    match('^unconfirmed .*seen once', '\n'.join(history.diff()))
    history.run(days=14)
    match('^alarm .*seen 2 times', '\n'.join(history.diff(code=1)))
    replace(world, 61, context(world.good))
    history.run(days=21)
    match('^change .*takes mail encrypted now', '\n'.join(history.diff()))


@case('what is back when it is asked again was never lost')
def comes_back(world):
    replace(world, 61, context(world.good))
    history = History(world, 'd61.lab')
    history.run()
    replace(world, 61, context(world.good), offer=False)
    server = world.servers[61]

    def restore():
        tap.until(lambda: server.said, 20, 'first visit')
        server.offer = True
    import threading
    threading.Thread(target=restore, daemon=True).start()
    history.run(days=1, confirm='4s')
    equal(len(server.times), 2, 'visits')
    true(server.times[1] - server.times[0] >= 4, 'the pause')
    equal(history.diff(), ['nothing changed between run 1 and run 2'])


@case('a run that did not look at a domain hides nothing that it lost before and after')
def looked_away(world):
    replace(world, 61, context(world.good))
    replace(world, 62, context(world.good))
    history = History(world, 'd61.lab', 'd62.lab')
    history.run()
    world.survey('--json', '--confirm', '0', 'd62.lab', db=history.db)
    replace(world, 61, offer=False)
    history.run()
    equal([' '.join(line.split()[:2]) for line in history.diff()],
          ['unconfirmed d61.lab'])


def interrupted(world, history, number, ready, *words):
    """Runs a survey until ready(), sends the signal, and says what became of it and in what time."""
    process = subprocess.Popen(
        [gatepost.CONTROL, '-c', world.conf, 'survey', '--helo', 'survey.lab', '--ca-file',
         world.ca.file, '--db', history.db, *words, *history.domains],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # what was ignored where the tests were started from would be here, too
        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL))
    try:
        tap.until(ready, 30, 'the moment to interrupt')
        time.sleep(3)  # what was said to those who are done is read
        begun = time.monotonic()
        process.send_signal(number)
        out, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    absent('Sanitizer|runtime error:', errors)
    equal(process.returncode, -number, 'how it ended (%s)' % errors)
    return out, errors, time.monotonic() - begun


@case('what was seen before an interruption is kept and said, and nothing is made of the rest')
def interruptions(world):
    replace(world, 61, context(world.good))
    replace(world, 62, context(world.good))
    world.servers[19].times.clear()
    history = History(world, 'd61.lab', 'd62.lab')
    history.run()
    for number in (61, 62):
        replace(world, number, offer=False)
    # a tarpit holds one domain, and the other half of another
    world.dns.change(lab=''.join(world.lab) + 'half MX 10 m61\nhalf MX 20 m19\n')
    history.domains = ['d61.lab', 'd62.lab', 'half.lab', 'd19.lab']
    waiting = lambda: all(world.servers[n].times for n in (19, 61, 62))
    out, errors, seconds = interrupted(world, history, signal.SIGTERM, waiting, '--json')
    equal(sorted(json.loads(line)['domain'] for line in out.splitlines()), ['d61.lab', 'd62.lab'])
    match('interrupted: 2 of 4 domains were seen whole, and are kept', errors)
    true(seconds < 20, 'it took %.1f s to end' % seconds)
    said = history.diff()
    for name in ('d61.lab', 'd62.lab'):
        match('^unconfirmed .*seen once', '\n'.join(lines_of(said, name)), name)
    absent('half|d19', '\n'.join(said))
    # in the pause before a loss is asked again
    history.domains = ['d61.lab', 'd62.lab']
    for number in (61, 62):
        replace(world, number, context(world.good))
    history.run()
    replace(world, 62, offer=False)
    waiting = lambda: world.servers[62].times
    out, errors, seconds = interrupted(world, history, signal.SIGINT, waiting, '--confirm', '10m',
                                       '--diff')
    match('interrupted: all 2 domains were seen, and are kept', errors)
    match('(?m)^unconfirmed +d62', out)
    true(seconds < 20, 'it took %.1f s to end' % seconds)
    match('^unconfirmed .*seen once', '\n'.join(lines_of(history.diff(), 'd62.lab')))
    # before anything was seen
    fresh = History(world, 'd19.lab')
    world.servers[19].times.clear()
    waiting = lambda: world.servers[19].times
    out, errors, _ = interrupted(world, fresh, signal.SIGHUP, waiting, '--diff')
    equal(out, '')
    match('interrupted before a domain was seen whole: nothing is kept', errors)
    match('the history has 0 runs', world.survey('--diff', db=fresh.db).stderr)


@case('another history of the same domains is not touched, nor one behind a link')
def files(world):
    folder = place.folder('gatepost-link-')
    os.symlink(folder + '/real.db', folder + '/link.db')
    done = world.survey('d1.lab', db=folder + '/link.db', code=69)
    match('symbolic link', done.stderr)
    true(not os.path.exists(folder + '/real.db'), 'nothing is made behind the link')


@case('a run that cannot be kept whole is not kept, which is said; what was found is told')
def not_kept(world):
    db = place.folder('gatepost-full-') + '/s.db'
    world.survey('d1.lab', 'd2.lab', db=db)
    history = sqlite3.connect(db)
    count = lambda: [history.execute('SELECT count(*) FROM ' + table).fetchone()[0]
                     for table in ('run', 'list', 'member', 'sighting')]
    before = count()
    # as a full disk would, for one of the rows
    history.execute("CREATE TRIGGER full BEFORE INSERT ON sighting WHEN NEW.address = '192.0.2.3' "
                    "BEGIN SELECT RAISE(FAIL, 'full'); END")
    history.commit()
    done = world.survey('--json', 'd3.lab', 'd4.lab', db=db, code=69)
    match('this run is not kept: full', done.stderr)
    equal([json.loads(line)['domain'] for line in done.stdout.splitlines()], ['d3.lab', 'd4.lab'])
    equal(count(), before, 'rows of runs, lists, their domains, sightings')
    done = world.survey('--diff', 'd3.lab', 'd4.lab', db=db, code=69)
    equal(done.stdout, '', 'no comparison of runs before')


def greek_certificates(world):
    old = maillab.Authority(world.folder, 'HOL Internal CA')
    wild = maillab.Authority(world.folder, 'Commercial CA')
    return {'ote': world.ca.issue('smtp.otenet.gr', 'otenet.gr'),
            'wild': wild.issue('*.othercompany.example'),
            'own': old.issue('mail.hol.gr', expired=True, days=30)}


@case('the providers of 2016, in two runs and what a person reads of them')
def greek(world):
    files = greek_certificates(world)
    old, new = context(files['ote'], newest='TLSv1'), context(files['ote'], newest='TLSv1_2')
    for address, tls in (('160', old), ('161', old), ('162', new), ('163', new)):
        world.servers[int(address)] = Server('192.0.2.' + address, tls)
    # forthnet: mx1 answers, mx2 cannot be reached
    world.servers[164] = Server('192.0.2.164', context(world.ca.issue('mx1.forthnet.gr'),
                                                       newest='TLSv1_2'))
    world.servers[166] = Server('192.0.2.166', context(files['own'], newest='TLSv1'))
    world.servers[167] = Server('192.0.2.167', context(files['wild'], newest='TLSv1_2'))
    world.servers[168] = Server('192.0.2.168', offer=False)
    history = History(world, *[name + '.gr' for name in GREEK])
    text = world.survey('--confirm', '0', *history.domains, db=history.db).stdout
    for line in ('otenet.gr: 4 servers: 2 TLS 1.0, 2 TLS 1.2; certificate of another name',
                 'forthnet.gr: 2 servers: 1 TLS 1.2, 1 unreachable',
                 'uoa.gr: 1 server: TLS 1.2; certificate of another name; '
                 'certificate of an unknown authority (CN=Commercial CA)',
                 'sch.gr: 1 server: no STARTTLS'):
        true(line in text.splitlines(), '%r is not in %s' % (line, text))
    match(r'(?m)^hol\.gr: 1 server: TLS 1\.0; certificate of an unknown authority '
          r'\(CN=HOL Internal CA\); certificate expired on 20\d\d-\d\d-\d\d$', text)
    replace(world, 168, context(world.ca.issue('mx.sch.gr'), newest='TLSv1_2'))
    replace(world, 160, new)
    world.servers[165] = Server('192.0.2.165', context(world.ca.issue('mx2.forthnet.gr'),
                                                       newest='TLSv1_2'))
    history.run(days=21)
    said = '\n'.join(history.diff())
    match(r'(?m)^change sch\.gr mx\.sch\.gr\[192\.0\.2\.168\]: takes mail encrypted now, TLS 1\.2', said)
    match(r'(?m)^change sch\.gr .*: a certificate was added: CN=mx\.sch\.gr, issued by CN=Lab CA', said)
    match(r'(?m)^change otenet\.gr mx1\.otenet\.gr\[192\.0\.2\.160\]: TLS 1\.2 .was TLS 1\.0', said)
    match(r'(?m)^noise forthnet\.gr mx2.*: ok .was refused', said)
    absent('alarm|hol\\.gr|uoa\\.gr', said)
    world.greek = history


@case('the page: escaped, nothing from the net, and made for root by a writer of its own')
def page(world):
    replace(world, 61, context(world.good), banner='220 <script>alert(1)</script> "&')
    history = History(world, 'd61.lab')
    history.run()
    name = history.db[:-2] + 'html'
    world.survey('--html', name, db=history.db)
    text = open(name, encoding='utf-8').read()
    match('&lt;script&gt;alert', text)
    absent('<script|src=|href=|url\\(', text)
    match('<svg', text)
    # a telephone, a dark screen, and what the colours say
    match('@media.max-width:40em', text)
    match('prefers-color-scheme:dark', text)
    match('class="key"><span style="color:#22824a">\u25a0</span> TLS 1.3<', text)
    equal(world.survey('--html', '-', db=history.db).stdout, text, 'printed')
    true(not os.path.exists('-'), 'no file of that name')
    match('both print', world.survey('--html', '-', '--diff', db=history.db, code=64).stderr)
    before = os.stat(name)
    world.conf_nobody = world.conf.replace('.conf', '-nobody.conf')
    place.write(world.conf_nobody, open(world.conf).read().replace('user = root', 'user = nobody'))
    root_only = place.folder('gatepost-root-')
    os.chmod(root_only, 0o700)
    db = place.folder('gatepost-nobody-')
    os.chmod(db, 0o777)
    saved, world.conf = world.conf, world.conf_nobody
    try:
        world.survey('--html', root_only + '/page.html', 'd61.lab', db=db + '/survey.db')
        equal(os.stat(db + '/survey.db').st_uid, 65534, 'owner of the history')
        equal(os.stat(root_only + '/page.html').st_uid, 0, 'owner of the page')
        denied = world.survey('d61.lab', db=root_only + '/survey.db', code=69)
        match('unable to open|Permission', denied.stderr)
    finally:
        world.conf = saved
    true(before.st_size > 1000, 'a page')


@case('the recipe survey mails what changed, and nothing if nothing did')
def recipe(world):
    folder = place.folder('gatepost-recipe-')
    place.write(folder + '/gatepostctl', '#!/bin/sh\nexec %s -c %s "$@" --helo survey.lab --ca-file %s '
                '--confirm 0\n' % (gatepost.CONTROL, world.conf, world.ca.file), 0o755)
    place.write(folder + '/sendmail', '#!/bin/sh\necho "$*" >>%s/mail\ncat >>%s/mail\n'
                % (folder, folder), 0o755)
    place.write(folder + '/domains', '# one\nd61.lab\n')
    script = os.path.dirname(os.path.abspath(__file__)) + '/../../packaging/recipes/survey/mail-changes'

    def run():
        done = subprocess.run([script, 'postmaster', folder + '/sendmail'], capture_output=True,
                              text=True, timeout=120, env=dict(
                                  os.environ, PATH=folder + ':' + os.environ['PATH'],
                                  SURVEY_DB=folder + '/s.db', SURVEY_DOMAINS=folder + '/domains'))
        equal(done.returncode, 0, done.stderr)
        try:
            with open(folder + '/mail', encoding='utf-8') as handle:
                return handle.read()
        except FileNotFoundError:
            return ''
    replace(world, 61, context(world.good))
    equal([run(), run()], ['', ''])
    replace(world, 61, offer=False)
    mail = run()
    match(r'^-i -- postmaster\nTo: postmaster\nSubject: survey: what changed\n', mail)
    match(r'\n\nunconfirmed d61\.lab .*STARTTLS is gone', mail)
    run()
    match(r'Subject: survey: ALARM\n(?s:.*)\nalarm ', run())


@case('CSV is safe for spreadsheets')
def csv_safe(world):
    import csv
    import io
    replace(world, 61, context(world.good), banner='220 =cmd|\' /C calc\'!A0')
    text = world.survey('--csv', 'd61.lab', 'null.lab').stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    equal(len(rows), 2)
    equal(rows[0]['banner'][:5], "'=cmd")
    equal([r['state'] for r in rows], ['ok', 'null-mx'])


@case('an address that means nothing outside is left alone, unless --local')
def local(world):
    listener = Server('127.0.0.9', context(world.good))
    world.dns.change(lab=''.join(world.lab) + 'inside MX 10 minside\nminside A 127.0.0.9\n')
    found = json.loads(world.survey('--json', 'inside.lab').stdout)
    equal([found['state'], len(listener.times)], ['not-asked', 0])
    found = json.loads(world.survey('--json', '--local', 'inside.lab').stdout)
    equal([found['state'], len(listener.times)], ['ok', 1])


@case('a host is spoken to once at a time and two seconds apart')
def pace(world):
    more = ''.join('slow MX 10 mslow\nmslow A 192.0.2.%d\n' % n for n in (200, 201, 202))
    servers = [Server('192.0.2.%d' % n, context(world.good)) for n in (200, 201, 202)]
    world.dns.change(lab=''.join(world.lab) + more)
    world.survey('--json', 'slow.lab')
    times = sorted(t for s in servers for t in s.times)
    equal(len(times), 3)
    true(all(b - a >= 1.9 for a, b in zip(times, times[1:])), 'pauses: %r' % times)


@case('--versions tries each by itself')
def versions(world):
    found = json.loads(world.survey('--json', '--versions', 'd2.lab').stdout)
    equal(found['tls']['versions'], ['1.0', '1.1', '1.2'])


@case('what cannot be asked for is said')
def usage(world):
    for words, pattern in ((['--jobs', '65', 'd1.lab'], '--jobs'), (['no domain'], 'no domain'),
                           (['192.0.2.1'], 'no domain'), ([], 'a domain is missing'),
                           (['--json', '--csv', 'd1.lab'], 'exclude'),
                           (['--confirm', 'soon', 'd1.lab'], '--confirm'),
                           (['--helo', 'a b', 'd1.lab'], '--helo: "a b" is no name'),
                           (['--helo', 'survey.lab\r\nMAIL FROM:<>', 'd1.lab'], '--helo')):
        match(pattern, world.survey(*words, code=64).stderr)
    match('nothing to compare', world.survey('--diff', db=place.folder() + '/s.db').stderr)


@case('no verdict rests on AD from a resolver that is not on loopback, unless it is trusted')
def far_resolver(world):
    text = open(world.dns.unbound_conf).read()
    far = text.replace('interface: 127.0.0.1', 'interface: 192.0.2.253\n'
                       ' access-control: 192.0.2.0/24 allow').replace('unbound.pid', 'far.pid')
    conf = place.write(world.dns.unbound_conf + '.far', far)
    unbound = maillab.spawn('unbound', '-d', '-c', conf)
    domains = ('d40.lab', 'd43.lab', 'd1.lab', 'd45.lab', 'plain', 'viabogus.lab', 'bogus')

    def facts(*words):
        done = world.survey('--json', *words, *domains, db=place.folder() + '/s.db')
        found = {f['domain']: f for f in map(json.loads, done.stdout.splitlines())}
        equal(len(found), len(domains))
        return {name: (f['dane']['state'], f['mx_dnssec']) for name, f in found.items()}
    wanted = {'d40.lab': ('ok', True), 'd43.lab': ('mismatch', True), 'd1.lab': ('none', True),
              'd45.lab': ('insecure', True), 'plain': ('insecure', False),
              'viabogus.lab': ('bogus', True), 'bogus': ('bogus', True)}
    saved, settings = world.conf, open(world.conf).read()
    try:
        # one server elsewhere is enough: any of them may be asked
        for servers in ('192.0.2.253', '127.0.0.1 192.0.2.253'):
            world.conf = place.write(saved + '.far', settings.replace(
                'dns_servers = 127.0.0.1', 'dns_servers = ' + servers))
            tap.until(lambda: 'unreachable' in world.survey(
                'd9.lab', db=place.folder() + '/s.db').stdout, 20, 'the far resolver')
            equal(facts(), {name: (None, None) for name in wanted}, servers)
            done = world.survey('d40.lab', db=place.folder() + '/s.db')
            match(r'(?m)^DNSSEC: not known here \(the resolver is not on this machine', done.stdout)
            absent('DANE', done.stdout)
            equal(facts('--trust-resolver'), wanted, servers)
            absent('not known here', world.survey('--trust-resolver', 'd40.lab',
                                                  db=place.folder() + '/s.db').stdout)
    finally:
        world.conf = saved
        maillab.stop(unbound)
    equal(facts(), wanted, 'on loopback')


@case('the resolver is not believed if it does not validate')
def no_dnssec(world):
    maillab.stop(world.dns.unbound)
    text = open(world.dns.unbound_conf).read()
    conf = place.write(world.dns.unbound_conf + '.plain',
                       text.replace('interface: 127.0.0.1', 'interface: 127.0.0.1\n module-config: "iterator"'))
    world.dns.unbound = maillab.spawn('unbound', '-d', '-c', conf)
    time.sleep(2)
    done = world.survey('d40.lab', db=place.folder() + '/s.db')
    match('(?m)^DNSSEC: not known here', done.stdout)
    found = json.loads(world.survey('--json', 'd40.lab', db=place.folder() + '/s.db').stdout)
    equal([found['dane']['state'], found['dane']['reason'], found['mx_dnssec']],
          [None, 'DNSSEC: not known here', None])


if __name__ == '__main__':
    reason = gatepost.missing() or maillab.missing()
    if reason:
        tap.skip_all(reason)
    tap.run(setup=World)
