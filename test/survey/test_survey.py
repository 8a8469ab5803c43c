# SPDX-License-Identifier: BSD-2-Clause
"""gatepostctl survey against a mail world of its own: every verdict, one row of a table."""
import json
import os
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



def server(number, **how):
    """One MX host, mN.lab at 192.0.2.N, of a domain dN.lab."""
    return 'd%d MX 10 m%d\nm%d A 192.0.2.%d\n' % (number, number, number, number)


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
        lab.append('d66 MX 10 m.bogus.\n')
        expect('d66.lab', state='servfail', dane_state='bogus')
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
        self.dns.zone('', '')
        self.dns.zone('lab', ''.join(lab))
        self.dns.zone('plain', ''.join(plain), signed=False)
        self.dns.zone('bogus', ''.join(bogus), broken=True)
        self.dns.start()
        self.expected['bogus'] = [dict(state='servfail', mx_state='servfail', mx='m.bogus',
                                       dane_state='bogus')]
        self.conf = place.write(self.folder + '/gatepost.conf', 'user = root\n'
                                'dns_servers = 127.0.0.1\nlocal_domains = own.lab\n')

    def survey(self, *words, code=0, db=None, timeout=120, data=None):
        done = subprocess.run([gatepost.CONTROL, '-c', self.conf, 'survey', '--helo', 'survey.lab',
                               '--ca-file', self.ca.file, '--db', db or self.folder + '/survey.db',
                               *words], capture_output=True, text=True, timeout=timeout,
                              input=data)
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
    table = world.survey('--jobs', '64', *world.expected).stdout
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


if __name__ == '__main__':
    reason = gatepost.missing() or maillab.missing()
    if reason:
        tap.skip_all(reason)
    tap.run(setup=World)
