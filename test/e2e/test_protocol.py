#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What no well-behaved MTA says: missing macros, Sendmail's values, nonsense on the wire. The client
here speaks the milter protocol itself; no Postfix takes part."""
import os
import socket
import struct
import sys
sys.path.insert(0, sys.path[0] + '/../lib')
import gatepost
from milter import Milter
import tap
from tap import case, equal, match, true

DENIED = r'^550 5\.7\.1 .*Relaying denied; authenticate first$'
NEED_TLS = r'^538 5\.7\.11 '


def session(daemon, sendmail=False, **macros):
    mta = Milter(daemon.port)
    mta.negotiate()
    more = {'v': '8.17.1.9', 'client_addr': '203.0.113.9'} if sendmail else {}
    equal(mta.connect(**{**more, **macros})[0], 'c', 'connect')
    return mta


def relays(mta, recipient='<x@remote.example>', **macros):
    """The reply to a relay attempt; '' when it is accepted."""
    code, reply = mta.mail(**macros)
    if code == 'c':
        code, reply = mta.rcpt(recipient)
    mta.abort()
    return '' if code in 'ca' else reply or code


@case('without any macro nobody relays')
def no_macros(daemon):
    with Milter(daemon.port) as mta:
        mta.negotiate()
        mta.ask('C', b'host.example\x004\x00\x19203.0.113.9\0')
        mta.ask('H', b'x\0')
        mta.ask('M', b'<a@example.com>\0')
        match(DENIED, mta.ask('R', b'<x@remote.example>\0')[1])


@case('empty macros are absent macros')
def empty_macros(daemon):
    with session(daemon) as mta:
        mta.helo(tls_version='', cipher='', cert_subject='', verify='')
        match(DENIED, relays(mta, auth_type='', auth_authen='', cert_subject='', verify=''))


@case('{auth_author} authenticates nobody')
def auth_author(daemon):
    with session(daemon) as mta:
        mta.helo()
        match(DENIED, relays(mta, auth_author='bob@lab.test'))


@case('a login is of its message, not of the next')
def login_per_message(daemon):
    with session(daemon) as mta:
        mta.helo(tls_version='TLSv1.3', cipher='X', cipher_bits='256')
        login = {'auth_type': 'PLAIN', 'auth_authen': 'bob', 'tls_version': 'TLSv1.3',
                 'cipher_bits': '256'}
        equal(relays(mta, **login), '', 'with a login')
        match(DENIED, relays(mta, auth_type='', auth_authen='', tls_version='TLSv1.3',
                             cipher_bits='256'))


@case('a weak cipher covers no login')
def weak_cipher(daemon):
    for bits, pattern in (('40', NEED_TLS), ('128', '^$'), ('', NEED_TLS), ('-1', NEED_TLS),
                          ('99999999999999999999', NEED_TLS + '|^$'), ('256x', NEED_TLS)):
        with session(daemon) as mta:
            mta.helo(tls_version='TLSv1.2', cipher='X', cipher_bits=bits)
            match(pattern, relays(mta, auth_type='PLAIN', auth_authen='bob',
                                  tls_version='TLSv1.2', cipher_bits=bits), 'bits %r' % bits)


@case("Sendmail's certificates count when {verify} is OK, and only then")
def sendmail_certificates(daemon):
    subject = '/C=EU/O=Test+20Org/CN=alice'
    for verify, pattern in (('OK', '^$'), ('FAIL', DENIED), ('NO', DENIED), ('', DENIED),
                            ('ok', DENIED), ('OK ', DENIED), ('NOT OK', DENIED)):
        with session(daemon, sendmail=True) as mta:
            macros = {'tls_version': 'TLSv1.3', 'cipher_bits': '256', 'cert_subject': subject,
                      'verify': verify}
            mta.helo(**macros)
            match(pattern, relays(mta, **macros), 'verify %r' % verify)


@case("an MTA that says nothing of itself counts as Sendmail")
def unknown_mta(daemon):
    with Milter(daemon.port) as mta:
        mta.negotiate()
        mta.raw_macros('C', {'j': 'mail.lab.test'})
        mta.ask('C', b'host.example\x004\x00\x19203.0.113.9\0')
        macros = {'tls_version': 'TLSv1.3', 'cipher_bits': '256', 'cert_subject': 'alice'}
        mta.helo(**macros)
        match(DENIED, relays(mta, **macros))


@case('addresses as Sendmail writes them')
def address_spelling(daemon):
    for address, pattern in (('IPv6:2001:db8:0:0:0:0:0:10', '^$'), ('2001:db8::10', '^$'),
                             ('IPv6:::ffff:192.0.2.10', '^$'), ('::ffff:192.0.2.10', '^$'),
                             ('IPv6:2001:db8:0:0:0:0:0:11', DENIED),
                             ('::ffff:203.0.113.9', DENIED)):
        with Milter(daemon.port) as mta:
            mta.negotiate()
            mta.connect(address=address, client_addr=address)
            mta.helo()
            match(pattern, relays(mta), address)


@case('a session without an address is this machine')
def no_address(daemon):
    with Milter(daemon.port) as mta:
        mta.negotiate()
        mta.connect(host='localhost', address=None)
        mta.helo()
        equal(relays(mta), '', 'sendmail -bs')


@case('an address that is none relays nothing')
def bad_address(daemon):
    for address in ('999.1.1.1', '127.0.0.1.example', '127.0.0.1,', ''):
        with Milter(daemon.port) as mta:
            mta.negotiate()
            mta.macros('C', v='Postfix 3.7.11', client_addr='203.0.113.9', client_resolve='OK')
            try:
                code, _ = mta.ask('C', b'x\x004\x00\x19' + address.encode() + b'\0')
                if code == 'c':
                    mta.helo()
                    match(DENIED, relays(mta), address)
            except (EOFError, ConnectionError):
                continue  # libmilter hangs up


@case('without HELO mail is judged all the same')
def no_helo(daemon):
    with session(daemon) as mta:
        match(DENIED, relays(mta))
        equal(relays(mta, '<bob@lab.test>'), '', 'local recipient')


@case('a command that is out of order opens nothing')
def out_of_order(daemon):
    for command in 'RTLNBE':
        with session(daemon) as mta:
            mta.socket.settimeout(1)
            try:
                mta.put(command, b'<x@remote.example>\0y\0')
                mta.get()
            except (EOFError, OSError):
                pass  # no answer is an answer
    with session(daemon) as mta:
        mta.helo()
        match(DENIED, relays(mta))


@case('a thousand recipients, a thousand answers')
def many_recipients(daemon):
    with session(daemon) as mta:
        mta.helo()
        mta.mail()
        for number in range(1000):
            good = number % 2
            code, reply = mta.rcpt('<u%d@%s>' % (number, 'lab.test' if good else 'far.example'))
            equal(code, 'c' if good else 'y', reply)
        equal(mta.message()[0] in 'ca', True, 'verdict')


@case('nonsense on the wire ends that connection and no other')
def nonsense(daemon):
    good = session(daemon)
    good.helo()
    for data in (b'\0\0\0\0', b'\xff\xff\xff\xffM', struct.pack('>IB', 1, ord('Z')),
                 b'GET / HTTP/1.0\r\n\r\n', struct.pack('>IB', 13, ord('O')) + b'\0' * 4,
                 struct.pack('>IB', 2, ord('C')) + b'x', os.urandom(4096)):
        with socket.create_connection(('127.0.0.1', daemon.port), 5) as wire:
            try:
                wire.sendall(data)
                wire.shutdown(socket.SHUT_WR)
                while wire.recv(4096):
                    pass
            except OSError:
                pass
    for data in (b'', b'x', b'x\0', b'x\x004', b'x\x004\0', b'x\x004\0\x19', b'\0\0\0\0', b'xL\0'):
        with Milter(daemon.port) as mta:
            mta.negotiate()
            try:
                mta.put('C', data)
                mta.put('M', b'')
                mta.put('R', b'<x@remote.example>')
                mta.put('E')
                mta.socket.shutdown(socket.SHUT_WR)
                while mta.socket.recv(4096):
                    pass
            except OSError:
                pass
    match(DENIED, relays(good))
    good.close()
    equal(daemon.process.poll(), None, 'exit of the daemon')


@case('an old MTA that offers little is served')
def old_mta(daemon):
    for version, actions, steps in ((6, 0x1ff, 0x1fffff), (6, 0x3f, 0x7f), (2, 0x3f, 0x7f)):
        with Milter(daemon.port) as mta:
            try:
                mta.negotiate(version, actions, steps)
                mta.connect()
                mta.helo()
                match(DENIED, relays(mta), 'version %d' % version)
            except (EOFError, ConnectionError):
                tap.note('version %d steps %#x: the filter hangs up' % (version, steps))


@case('a header beyond header_limit is never held in memory')
def memory(daemon):
    before = resident(daemon)
    with session(daemon) as mta:
        mta.helo()
        mta.mail()
        mta.rcpt()
        mta.ask('T')
        answer = ('c', '')
        for number in range(3000):
            answer = mta.header('X-Big-%d' % number, 'x' * 60000)
            if answer[0] != 'c':
                break
        if answer[0] == 'c':
            mta.ask('N')
            mta.put('E')
            answer = mta.get()
        match('^552 5.3.4', answer[1])
    grown = resident(daemon) - before
    true(grown < 100 * 1024, 'memory grew by %d kB' % grown)


def resident(daemon):
    with open('/proc/%d/status' % daemon.process.pid) as handle:
        return next(int(line.split()[1]) for line in handle if line.startswith('VmRSS:'))


@case('gatepost stops in order')
def stops(daemon):
    equal(daemon.stop(), 0, 'exit code')
    equal(daemon.sanitizer_report(), '', 'sanitizer report')


def setup():
    daemon = gatepost.Gatepost()
    table = daemon.table('certificates', '/C=EU/O=Test+20Org/CN=alice yes\nalice yes\n')
    daemon.configure({
        'user': None if os.geteuid() else 'nobody', 'relay_clientcerts': 'texthash:' + table,
        'mynetworks': '127.0.0.0/8 [::1]/128 192.0.2.10/32 [2001:db8::10]/128'})
    return daemon.start()


def show(daemon):
    for line in daemon.log()[-30:]:
        tap.note(line)


if gatepost.missing():
    tap.skip_all(gatepost.missing())
tap.run(setup, lambda daemon: daemon and daemon.stop(), show)
