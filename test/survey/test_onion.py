# SPDX-License-Identifier: BSD-2-Clause
"""gatepostctl onion-map over a signed zone: a row a domain."""
import base64
import hashlib
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + '/../lib')
import gatepost  # noqa: E402
import maillab  # noqa: E402
import place  # noqa: E402
import tap  # noqa: E402
from maillab import Web, context, self_signed, tlsa  # noqa: E402
from tap import absent, case, equal, match, true  # noqa: E402


def onion(seed, version=3, spoil=False):
    key = hashlib.sha256(seed.encode()).digest()
    check = hashlib.sha3_256(b'.onion checksum' + key + bytes([version])).digest()[:2]
    if spoil:
        check = bytes([check[0] ^ 1, check[1]])
    return base64.b32encode(key + check + bytes([version])).decode().lower() + '.onion'


A, B, C = onion('a'), onion('b'), onion('c')
SPOILT, OTHER = onion('a', spoil=True), onion('a', version=4)
SRV = '_onion-mx._tcp.%s SRV %d %d %d %s.\n'


class World:
    def __init__(self):
        self.folder = place.folder('gatepost-onion-')
        self.ca = ca = maillab.Authority(self.folder)
        self.dns = maillab.Dns(self.folder)
        ee = self_signed(self.folder, 'mx.lab')
        lab = 'mx A 192.0.2.1\n_25._tcp.mx TLSA %s\n' % tlsa(ee, 3)
        for row in (('one', 0, 5, 25, A), ('port', 0, 5, 2525, A), ('several', 20, 5, 25, B),
                    ('several', 10, 5, 25, A), ('several', 10, 50, 25, C), ('spoilt', 0, 5, 25, SPOILT),
                    ('other', 0, 5, 25, OTHER), ('old', 0, 5, 25, 'ncikv3i4qfzwy2qy.onion'),
                    ('second', 0, 5, 25, SPOILT), ('second', 1, 5, 25, A), ('own', 0, 5, 25, A),
                    ('below', 0, 5, 25, 'mail.' + A), ('clear', 0, 5, 25, 'mx.lab'),
                    ('null', 0, 0, 0, ''), ('nil', 0, 5, 0, A), ('target', 0, 5, 25, A)):
            lab += SRV % row if row[4] else '_onion-mx._tcp.null SRV 0 0 0 .\n'
        lab += '_onion-mx._tcp.alias CNAME _onion-mx._tcp.one\n'
        lab += '_onion-mx._tcp.fails NS ns.dead\nns.dead A %s\n' % maillab.DEAD_NS
        plain = SRV % ('@', 0, 5, 25, A)
        plain = plain.replace('_onion-mx._tcp.@', '_onion-mx._tcp')
        plain += SRV % ('strict', 0, 5, 25, A) + SRV % ('dane', 0, 5, 25, A)
        plain += SRV % ('testing', 0, 5, 25, A) + SRV % ('unknown', 0, 5, 25, A)
        plain += ('strict TXT x\n_mta-sts.strict TXT "v=STSv1; id=1"\nmta-sts.strict A 192.0.2.100\n'
                  '_mta-sts.testing TXT "v=STSv1; id=1"\nmta-sts.testing A 192.0.2.101\n'
                  '_mta-sts.unknown TXT "v=STSv1; id=1"\nmta-sts.unknown A 192.0.2.102\n')
        # the MX records of a domain are signed, its SRV record is not: a zone of its own below
        lab += 'half MX 10 mx\n_onion-mx._tcp.half NS ns.lab.\n'
        self.dns.zone('', '')
        self.dns.zone('lab', lab)
        self.dns.zone('plain', plain, signed=False)
        self.dns.zone('_onion-mx._tcp.half.lab', '@ SRV 0 5 25 %s.\n' % A, signed=False)
        self.dns.start()
        policy = 'version: STSv1\nmode: %s\nmx: mx.lab\nmax_age: 86400\n'
        for number, name, mode in ((100, 'strict', 'enforce'), (101, 'testing', 'testing')):
            Web('192.0.2.%d' % number, context(ca.issue('mta-sts.%s.plain' % name)),
                body=(policy % mode).encode())
        self.conf = place.write(self.folder + '/gatepost.conf', 'user = nobody\n'
                                'dns_servers = 127.0.0.1\nlocal_domains = own.lab .own.lab\n')

    def run(self, *words, code=0):
        done = subprocess.run([gatepost.CONTROL, '-c', self.conf, 'onion-map', '--ca-file',
                               self.ca.file, *words], capture_output=True, text=True, timeout=120)
        equal(done.returncode, code, 'exit (%s)' % done.stderr)
        return done

    def lines(self, *words):
        return self.run(*words).stdout.splitlines()[1:]


def rows(title, *options):
    return lambda table: [tap.CASES.append(('%s: %s' % (title, name), lambda world, name=name,
                                            lines=lines: equal(world.lines(*options, name), lines)))
                          for name, lines in table.items()]


rows('signed')({
    'one.lab': ['one.lab smtptor:[%s]' % A],
    'port.lab': ['port.lab smtptor:[%s]:2525' % A],
    'several.lab': ['several.lab smtptor:[%s]' % C, '# also, priority 10: %s:25' % A,
                    '# also, priority 20: %s:25' % B],
    'second.lab': ['second.lab smtptor:[%s]' % A,
                   '# not used: %s: an onion address whose checksum is wrong' % SPOILT],
    'spoilt.lab': ['# spoilt.lab: no record that can be used',
                   '# not used: %s: an onion address whose checksum is wrong' % SPOILT],
    'other.lab': ['# other.lab: no record that can be used',
                  '# not used: %s: an onion address of another version' % OTHER],
    'old.lab': ['# old.lab: no record that can be used', '# not used: ncikv3i4qfzwy2qy.onion: '
                'an onion service of version 2, which Tor no longer has'],
    'below.lab': ['# below.lab: no record that can be used',
                  '# not used: mail.%s: not the name of an onion service' % A],
    'clear.lab': ['# clear.lab: no record that can be used',
                  '# not used: mx.lab: not the name of an onion service'],
    'nil.lab': ['# nil.lab: no record that can be used', '# not used: %s: port 0' % A],
    'null.lab': ['# null.lab: no record that can be used',
                 '# not used: .: not the name of an onion service'],
    'own.lab': ['# own.lab: one of local_domains'],
    'sub.own.lab': ['# sub.own.lab: one of local_domains'],
    'alias.lab': ["# alias.lab: its SRV record is an alias, which is not the domain's own word"],
    'none.lab': [],
    A: ['# %s: never looked up (RFC 7686)' % A],
    'onion': ['# onion: never looked up (RFC 7686)'],
    'fails.lab': ['# fails.lab: server failure'],
})
rows('unsigned')({
    'plain': ['# unsigned: plain smtptor:[%s]' % A],
    'testing.plain': ['# unsigned: testing.plain smtptor:[%s]' % A],
    'strict.plain': ['# strict.plain: refused: the SRV record is not signed, and the domain has '
                     'MTA-STS in mode enforce'],
    'unknown.plain': ['# unknown.plain: refused: the SRV record is not signed, and the domain has '
                      'MTA-STS, whose policy cannot be known now (fetch-failed)'],
    'half.lab': ['# half.lab: refused: the SRV record is not signed, and the domain has DANE at '
                 'mx.lab'],
})
rows('--insecure', '--insecure', '--service', 'other-1')({
    'plain': ['plain other-1:[%s]' % A],
    'strict.plain': ['# strict.plain: refused: the SRV record is not signed, and the domain has '
                     'MTA-STS in mode enforce'],
    'half.lab': ['# half.lab: refused: the SRV record is not signed, and the domain has DANE at '
                 'mx.lab'],
})


@case('several domains: sorted, and one file for root, replaced only when it changed')
def one_file(world):
    folder = place.folder('gatepost-map-')
    os.chmod(folder, 0o700)
    file = folder + '/onion'
    world.run('-o', file, 'port.lab', 'one.lab')
    text = open(file).read()
    equal(text.splitlines()[1:], ['one.lab smtptor:[%s]' % A, 'port.lab smtptor:[%s]:2525' % A])
    equal([os.stat(file).st_uid, os.stat(file).st_mode & 0o777], [0, 0o644], 'owner and mode')
    before = os.stat(file)
    os.chmod(file, 0o640)
    time.sleep(0.05)
    world.run('-o', file, 'one.lab', 'port.lab')
    equal([os.stat(file).st_mtime_ns, os.stat(file).st_ino], [before.st_mtime_ns, before.st_ino])
    world.run('-o', file, 'one.lab')
    equal([os.stat(file).st_mode & 0o777, len(open(file).readlines())], [0o640, 2])
    equal(os.listdir(folder), ['onion'], 'nothing is left behind')
    os.symlink(file, folder + '/link')
    match('it is no regular file', world.run('-o', folder + '/link', 'one.lab', 'port.lab', code=69).stderr)
    equal([os.path.islink(folder + '/link'), len(open(file).readlines())], [True, 2])
    os.mkfifo(folder + '/fifo')
    match('it is not a regular file', world.run('-o', folder + '/fifo', 'one.lab', code=64).stderr)


@case('what cannot be looked up keeps its line')
def keeps(world):
    file = place.write(place.folder('gatepost-map-') + '/onion', '# x\nfails.lab smtptor:[%s]\n'
                       'gone.lab smtptor:[%s]\n' % (B, B))
    world.run('-o', file, 'fails.lab', 'gone.lab', 'one.lab')
    equal(open(file).read().splitlines()[1:],
          ['# fails.lab: server failure: the old line is kept', 'fails.lab smtptor:[%s]' % B,
           'one.lab smtptor:[%s]' % A])


@case('the map is one that Postfix reads')
def postfix_reads(world):
    if not maillab.shutil.which('postmap'):
        raise tap.Skip('there is no postmap')
    folder = place.folder('gatepost-map-')
    world.run('-o', folder + '/onion', 'one.lab', 'strict.plain', 'port.lab')
    place.write_old(folder + '/main.cf', 'compatibility_level = 3.6\n')
    done = subprocess.run(['postmap', '-c', folder, '-q', 'port.lab', 'texthash:' + folder + '/onion'],
                          capture_output=True, text=True)
    equal([done.stdout, done.stderr], ['smtptor:[%s]:2525\n' % A, ''])


@case('what cannot be asked for is said')
def usage(world):
    for words, pattern in ((['--service', 'a b', 'one.lab'], '--service'), ([], 'missing'),
                           (['--service', 'a:b', 'one.lab'], '--service')):
        match(pattern, world.run(*words, code=64).stderr)


@case('without a resolver that validates the file stays as it is')
def no_dnssec(world):
    file = place.write(place.folder('gatepost-map-') + '/onion', 'one.lab smtptor:[%s]\n' % B)
    text = open(world.dns.unbound_conf).read()
    conf = place.write(world.dns.unbound_conf + '.plain', text.replace(
        'interface: 127.0.0.1', 'interface: 127.0.0.1\n module-config: "iterator"'))
    maillab.stop(world.dns.unbound)
    world.dns.unbound = maillab.spawn('unbound', '-d', '-c', conf)
    time.sleep(2)
    done = world.run('-o', file, 'one.lab', code=69)
    match('does not validate', done.stderr)
    equal(open(file).read(), 'one.lab smtptor:[%s]\n' % B)
    done = world.run('--insecure', '-o', file, 'one.lab', code=69)
    equal(open(file).read(), 'one.lab smtptor:[%s]\n' % B)


if __name__ == '__main__':
    reason = gatepost.missing() or maillab.missing()
    if reason:
        tap.skip_all(reason)
    tap.run(setup=World)
