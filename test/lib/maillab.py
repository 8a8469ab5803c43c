# SPDX-License-Identifier: BSD-2-Clause
"""The mail world in one network of one's own: a signed root and zones (ldns, NSD), a resolver that
validates them (unbound), certificates, and MX hosts that do what real ones were seen to do."""
import atexit
import ctypes
import datetime
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time

import place

PROGRAMS = ('ldns-keygen', 'ldns-signzone', 'nsd', 'unbound', 'openssl', 'unshare')
NS = '192.0.2.250'
DEAD_NS = '192.0.2.251'


def missing():
    """Why there can be no lab here, or ''."""
    if os.geteuid() != 0:
        return 'not root'
    gone = [p for p in PROGRAMS if not (shutil.which(p) or os.path.exists('/usr/sbin/' + p))]
    return 'missing: ' + ' '.join(gone) if gone else place.private_network()


def call(*words, cwd=None, data=None):
    done = subprocess.run(words, cwd=cwd, input=data, capture_output=True)
    if done.returncode:
        raise RuntimeError('%s: %s' % (' '.join(words), done.stderr.decode('utf-8', 'replace')))
    return done.stdout


# ---- certificates ----

class Authority:
    """Issues certificates; a date in the past makes one that has expired."""

    def __init__(self, folder, name='Lab CA', key='rsa:2048', days=3650):
        self.folder, self.name, self.number = folder, name, 0
        self.file = '%s/%s.pem' % (folder, name.replace(' ', '-').lower())
        self.key = self.file[:-4] + '.key'
        call('openssl', 'req', '-x509', '-newkey', key, '-nodes', '-keyout', self.key, '-out',
             self.file, '-days', str(days), '-subj', '/CN=' + name)

    def issue(self, *names, key='rsa:2048', days=365, expired=False, reuse=None):
        """A file with certificate, key and authority for DNS names; reuse: the key of that file."""
        self.number += 1
        base = '%s/%s-%d' % (self.folder, os.path.basename(self.file)[:-4], self.number)
        if reuse:
            shutil.copy(reuse, base + '.key')
            call('openssl', 'req', '-new', '-key', base + '.key', '-out', base + '.csr', '-subj',
                 '/CN=' + names[0])
        else:
            call('openssl', 'req', '-newkey', key, '-nodes', '-keyout', base + '.key', '-out',
                 base + '.csr', '-subj', '/CN=' + names[0])
        place.write(base + '.ext', 'subjectAltName=' + ','.join('DNS:' + n for n in names) +
                    '\nbasicConstraints=CA:FALSE\n')
        command = ['openssl', 'x509', '-req', '-in', base + '.csr', '-CA', self.file, '-CAkey',
                   self.key, '-CAcreateserial', '-extfile', base + '.ext', '-out', base + '.crt',
                   '-days', str(days)]
        if expired:
            command = ['faketime', '-f', '-400d'] + command
        call(*command)
        return whole(base, self.file)


def whole(base, *more):
    with open(base + '.pem', 'wb') as out:
        for name in (base + '.crt', base + '.key') + more:
            with open(name, 'rb') as part:
                out.write(part.read())
    return base + '.pem'


def self_signed(folder, name, key='rsa:2048', expired=False):
    base = '%s/self-%s' % (folder, name)
    command = ['openssl', 'req', '-x509', '-newkey', key, '-nodes', '-keyout', base + '.key',
               '-out', base + '.crt', '-days', '300', '-subj', '/CN=' + name, '-addext',
               'subjectAltName=DNS:' + name]
    call(*(['faketime', '-f', '-400d'] if expired else []) + command)
    return whole(base)


def tlsa(file, usage, selector=1, matching=1):
    """The data of a TLSA record for the first certificate in a file; usage 2, 0: for the last."""
    import hashlib
    pem = open(file).read()
    blocks = re.findall('-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----', pem, re.S)
    block = blocks[-1 if usage in (0, 2) else 0].encode()
    if selector:
        key = call('openssl', 'x509', '-noout', '-pubkey', data=block)
        data = call('openssl', 'pkey', '-pubin', '-outform', 'DER', data=key)
    else:
        data = ssl.PEM_cert_to_DER_cert(block.decode())
    if matching:
        data = hashlib.new('sha256' if matching == 1 else 'sha512', data).digest()
    return '%d %d %d %s' % (usage, selector, matching, data.hex())


# ---- the DNS ----

class Dns:
    """zones: name → records as text ('' is the root's own). The servers NSD and unbound run until the
    test ends; change() signs zones anew and tells both."""

    def __init__(self, folder):
        self.folder = folder + '/dns'
        os.mkdir(self.folder)
        self.zones, self.unsigned, self.broken = {}, set(), set()
        self.keys = {}
        self.nsd = self.unbound = None

    def zone(self, name, records, signed=True, broken=False):
        self.zones[name] = records
        if not signed:
            self.unsigned.add(name)
        if broken:
            self.broken.add(name)

    def key(self, zone):
        if zone not in self.keys:
            name = call('ldns-keygen', '-a', 'ECDSAP256SHA256', '-k', zone + '.' if zone else '.',
                        cwd=self.folder).decode().strip()
            self.keys[zone] = name
        return self.keys[zone]

    def write(self, name):
        """The zone's file, signed; its records come with the SOA and NS that every zone has."""
        text = ('$TTL 300\n@ IN SOA ns.lab. root.lab. %d 3600 900 86400 60\n@ IN NS ns.lab.\n'
                % int(time.time())) + self.zones[name]
        if name == '':
            text += 'ns.lab. A %s\n' % NS
            for child in self.zones:
                if child and '.' not in child:
                    text += self.delegation(child)
        file = '%s/%s.zone' % (self.folder, name or 'root')
        place.write(file, '$ORIGIN %s.\n' % name + text)
        if name in self.unsigned:
            return file
        end = (datetime.datetime.utcnow() + datetime.timedelta(days=30)).strftime('%Y%m%d')
        call('ldns-signzone', '-e', end, '-o', (name or '') + '.', '-f', file + '.signed', file,
             self.key(name), cwd=self.folder)
        if name in self.broken:
            signed = open(file + '.signed').read()
            # the records are others than those that were signed
            place.write(file + '.signed', signed.replace('192.0.2.66', '192.0.2.67'))
        return file + '.signed'

    def delegation(self, child):
        text = '%s. NS ns.lab.\n' % child
        if child not in self.unsigned:
            text += open('%s/%s.ds' % (self.folder, self.key(child))).read()
        return text

    def start(self):
        for name in self.zones:
            if name not in self.unsigned:
                self.key(name)
        lines = ['server:', ' ip-address: %s' % NS, ' username: ""', ' chroot: ""', ' zonesdir: ""',
                 ' pidfile: "%s/nsd.pid"' % self.folder, ' database: ""', ' server-count: 1',
                 ' xfrdfile: "%s/xfrd"' % self.folder, ' zonelistfile: "%s/list"' % self.folder,
                 'remote-control:', ' control-enable: no']
        for name in self.zones:
            lines += ['zone:', ' name: "%s"' % (name or '.'), ' zonefile: "%s"' % self.write(name)]
        conf = place.write(self.folder + '/nsd.conf', '\n'.join(lines) + '\n')
        self.nsd = spawn('nsd', '-d', '-c', conf)
        with open('%s/%s.ds' % (self.folder, self.key(''))) as anchor:
            place.write(self.folder + '/anchor', anchor.read())
        place.write(self.folder + '/hints', '. 300 NS ns.lab.\nns.lab. 300 A %s\n' % NS)
        conf = place.write(self.folder + '/unbound.conf', '''server:
 interface: 127.0.0.1
 username: ""
 chroot: ""
 directory: "%(f)s"
 pidfile: "%(f)s/unbound.pid"
 use-syslog: no
 do-not-query-localhost: no
 root-hints: "%(f)s/hints"
 trust-anchor-file: "%(f)s/anchor"
 val-permissive-mode: no
 harden-dnssec-stripped: yes
 num-queries-per-thread: 4096
 outgoing-range: 8192
 local-zone: "test." nodefault
 local-zone: "onion." nodefault
 local-zone: "2.0.192.in-addr.arpa." nodefault
remote-control:
 control-enable: no
''' % {'f': self.folder})
        self.unbound_conf = conf
        self.unbound = spawn('unbound', '-d', '-c', conf)
        self.wait()

    def wait(self):
        end = time.monotonic() + 90
        while time.monotonic() < end:
            try:
                if self.ask_root():
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise RuntimeError('the DNS does not come up')

    def ask_root(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(1)
            s.sendto(b'\x12\x34\x01\x20\0\1\0\0\0\0\0\0\0\0\2\0\1', ('127.0.0.1', 53))
            answer = s.recv(4096)
            return answer[3] & 0x20 and answer[7] > 0

    def change(self, **zones):
        """New records for zones; both servers begin anew."""
        for name, records in zones.items():
            self.zones[name.replace('_', '.')] = records
        stop(self.unbound)
        stop(self.nsd)
        self.start()


processes = []


def spawn(*words):
    process = subprocess.Popen([shutil.which(words[0]) or '/usr/sbin/' + words[0], *words[1:]],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL if not os.environ.get('LAB_DEBUG') else None)
    processes.append(process)
    return process


def stop(process):
    if process and process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


atexit.register(lambda: [stop(p) for p in processes])


# ---- MX hosts ----

class SetSecurityCallback:
    """OpenSSL refuses to serve a DH key of 512 bits at any security level; asked nothing, it does."""
    lib = None
    kind = ctypes.CFUNCTYPE(ctypes.c_int, *[ctypes.c_void_p] * 2, *[ctypes.c_int] * 3,
                            *[ctypes.c_void_p] * 2)
    allow = kind(lambda *arguments: 1)

    @classmethod
    def on(cls, context):
        cls.lib = cls.lib or ctypes.CDLL('libssl.so.3')
        pointer = ctypes.c_void_p.from_address(id(context) + object.__basicsize__)
        cls.lib.SSL_CTX_set_security_callback(pointer, cls.allow)


def context(file, oldest='TLSv1', newest='TLSv1_3', dh=None, by_name=None):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.set_ciphers('ALL:@SECLEVEL=0' if not dh else 'DHE:@SECLEVEL=0')
    made.minimum_version = getattr(ssl.TLSVersion, oldest)
    made.maximum_version = getattr(ssl.TLSVersion, newest)
    if dh:
        SetSecurityCallback.on(made)
        made.load_dh_params(dh)
    made.load_cert_chain(file)
    if by_name:
        others = {name: context(other, oldest, newest) for name, other in by_name.items()}

        def choose(connection, name, _):
            if name in others:
                connection.context = others[name]
        made.sni_callback = choose
    return made


class Server:
    """An SMTP server at an address. tls: an ssl context. It counts connections and remembers what
    was said to it (of all connections, in self.said) and when it was connected to."""

    def __init__(self, address, tls=None, banner='220 %s ESMTP', offer=True, starttls='220 go ahead',
                 ehlo=None, after=None, hang=False, port=25, helo_wait=0):
        self.address, self.tls, self.banner, self.offer = address, tls, banner, offer
        self.starttls, self.ehlo, self.after, self.hang = starttls, ehlo, after, hang
        self.wait = helo_wait
        self.said, self.times, self.names, self.now, self.most = [], [], [], 0, 0
        self.lock = threading.Lock()
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((address, port))
        self.socket.listen(100)
        threading.Thread(target=self.serve, daemon=True).start()

    def stop(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()

    def serve(self):
        while True:
            try:
                connection = self.socket.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.guard, args=(connection,), daemon=True).start()

    def guard(self, connection):
        with self.lock:
            self.times.append(time.monotonic())
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            self.talk(connection)
        except (OSError, ssl.SSLError, ValueError):
            pass
        finally:
            with self.lock:
                self.now -= 1
            connection.close()

    def talk(self, connection):
        say = lambda text: connection.sendall(text.encode('latin-1') + b'\r\n')
        if self.hang:
            while True:  # a tarpit: a byte now and then
                connection.sendall(b'2')
                time.sleep(2)
        if not self.banner:
            return
        say(self.banner % self.address if '%s' in self.banner else self.banner)
        if not self.banner.startswith('2'):
            connection.recv(1000)
            return
        file = connection.makefile('rb')
        while True:
            line = file.readline(2000).decode('latin-1').strip()
            if not line:
                return
            self.said.append(line)
            verb = line.split()[0].upper()
            if verb == 'EHLO':
                time.sleep(self.wait)
                if self.ehlo is not None:
                    if not self.ehlo:
                        return
                    say(self.ehlo)
                    continue
                say('250-hello')
                if self.offer:
                    say('250-STARTTLS')
                say('250 PIPELINING')
            elif verb == 'STARTTLS':
                if self.after:
                    say(self.starttls)
                    self.after(connection)
                    return
                if not self.starttls:
                    return
                say(self.starttls)
                if self.starttls.startswith('220'):
                    connection = self.tls.wrap_socket(connection, server_side=True)
                    file = connection.makefile('rb')
                    say = lambda text: connection.sendall(text.encode('latin-1') + b'\r\n')
            elif verb == 'QUIT':
                say('221 bye')
                return
            else:
                say('502 no')


def splice(port):
    """after= for Server: TLS is another program's, at a port of loopback."""
    def run(connection):
        with socket.create_connection(('127.0.0.1', port)) as other:
            def pump(a, b):
                try:
                    while data := a.recv(4096):
                        b.sendall(data)
                    b.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
            back = threading.Thread(target=pump, args=(other, connection), daemon=True)
            back.start()
            pump(connection, other)
            back.join(2)
    return run


class Web:
    """HTTPS at an address, that answers every GET with status, type and body."""

    def __init__(self, address, tls, body=b'', status='200 OK', kind='text/plain', more=''):
        self.address, self.body, self.status, self.kind, self.more = address, body, status, kind, more
        self.asked, self.hosts = 0, []
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((address, 443))
        self.socket.listen(100)
        self.tls = tls
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            connection = self.socket.accept()[0]
            threading.Thread(target=self.one, args=(connection,), daemon=True).start()

    def one(self, connection):
        try:
            with self.tls.wrap_socket(connection, server_side=True) as secure:
                head = secure.recv(8000).decode('latin-1')
                self.asked += 1
                host = re.search(r'(?im)^host: *(\S+)', head)
                self.hosts.append(host[1] if host else '')
                secure.sendall(('HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s'
                                'Connection: close\r\n\r\n' % (self.status, self.kind,
                                                              len(self.body), self.more)).encode()
                               + self.body)
        except (OSError, ssl.SSLError):
            pass


class Forward:
    """Port 25 of an address is a port of loopback: so that a private MTA is an MX host."""

    def __init__(self, address, port):
        self.port = port
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((address, 25))
        self.socket.listen(20)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            connection = self.socket.accept()[0]
            threading.Thread(target=self.one, args=(connection,), daemon=True).start()

    def one(self, connection):
        with connection:
            splice(self.port)(connection)


class Socks:
    """Stands for Tor: a SOCKS5 server that knows some onion names and where they lead to, and no
    address of the clear net."""

    def __init__(self, names, port=9050):
        self.names, self.asked = names, []
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(('127.0.0.1', port))
        self.socket.listen(20)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            connection = self.socket.accept()[0]
            threading.Thread(target=self.one, args=(connection,), daemon=True).start()

    def one(self, connection):
        def read(count):
            data = b''
            while len(data) < count:
                more = connection.recv(count - len(data))
                if not more:
                    raise OSError('the end')
                data += more
            return data
        try:
            with connection:
                methods = read(read(2)[1])
                if 2 in methods:  # a user's name keeps circuits apart
                    connection.sendall(b'\5\2')
                    read(read(2)[1])
                    read(read(1)[0])
                    connection.sendall(b'\1\0')
                else:
                    connection.sendall(b'\5\0')
                kind = read(4)[3]
                name = read(read(1)[0]).decode() if kind == 3 else repr(read(4 if kind == 1 else 16))
                port = int.from_bytes(read(2), 'big')
                self.asked.append('%s:%d' % (name, port))
                to = self.names.get(self.asked[-1])
                connection.sendall(b'\5%s\0\1\0\0\0\0\0\0' % (b'\0' if to else b'\4'))
                if to:
                    splice(to)(connection)
        except OSError:
            pass
