# SPDX-License-Identifier: BSD-2-Clause
"""The MTA's side of the milter protocol, byte by byte: says what no MTA would."""
import socket
import struct
import threading

ALL_ACTIONS, ALL_STEPS = 0x1ff, 0x1fffff
NO_REPLY = {'C': 0x1000, 'H': 0x2000, 'M': 0x4000, 'R': 0x8000, 'T': 0x10000, 'U': 0x20000,
            'L': 0x80, 'N': 0x40000, 'B': 0x80000}
LEFT_OUT = {'C': 0x1, 'H': 0x2, 'M': 0x4, 'R': 0x8, 'T': 0x200, 'U': 0x100, 'L': 0x20, 'N': 0x40,
            'B': 0x10}
# What a filter may ask for before its verdict on a message.
CHANGES = '+-2behimq'


class Milter:
    """One connection to a filter. Answers are (code, data); 'c' where the filter wants none."""

    def __init__(self, address, timeout=90):
        """address: a port of 127.0.0.1, the path of a unix socket, or a host of IPv6 and a port."""
        local, six = isinstance(address, str), isinstance(address, tuple)
        self.socket = socket.socket(socket.AF_UNIX if local else
                                    socket.AF_INET6 if six else socket.AF_INET)
        self.timeout = timeout
        self.socket.settimeout(timeout)
        if not local:  # what is said in two pieces shall not wait for the kernel
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.connect(address if local or six else ('127.0.0.1', address))
        self.steps = 0
        self.changes = []

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.close()

    def put(self, command, data=b''):
        self.socket.sendall(struct.pack('>IB', len(data) + 1, ord(command)) + data)

    def read_exactly(self, length):
        data = b''
        while len(data) < length:
            more = self.socket.recv(length - len(data))
            if not more:
                raise EOFError('the filter hung up')
            data += more
        return data

    def get(self):
        """The next answer; progress is skipped, changes are gathered."""
        while True:
            length, = struct.unpack('>I', self.read_exactly(4))
            data = self.read_exactly(length)
            code = chr(data[0])
            if code in CHANGES:
                self.changes.append((code, data[1:]))
            elif code != 'p':
                return code, data[1:].rstrip(b'\0').decode('latin-1')

    def negotiate(self, version=6, actions=ALL_ACTIONS, steps=ALL_STEPS):
        self.put('O', struct.pack('>III', version, actions, steps))
        length, = struct.unpack('>I', self.read_exactly(4))
        data = self.read_exactly(length)
        self.steps, = struct.unpack('>I', data[9:13])
        return data

    def nothing_more(self):
        """No answer is there that nobody asked for: the MTA would take it for that to what comes
        next."""
        self.socket.settimeout(0)
        try:
            extra = self.socket.recv(64, socket.MSG_PEEK)
        except (BlockingIOError, ConnectionError):
            extra = b''
        self.socket.settimeout(self.timeout)
        if extra:
            raise AssertionError('an answer too many: %r' % extra)

    def macros(self, command, **values):
        """Macros for the next command; a name longer than a letter gets its braces."""
        self.raw_macros(command, {('{%s}' % key if len(key) > 1 else key): value
                                  for key, value in values.items()})

    def raw_macros(self, command, values):
        self.put('D', command.encode() + b''.join(
            key.encode() + b'\0' + text(value) + b'\0' for key, value in values.items()))

    def ask(self, command, data=b''):
        """Sends a command unless the filter declined it; its answer."""
        if self.steps & LEFT_OUT.get(command, 0):
            return 'c', ''
        self.nothing_more()
        self.put(command, data)
        return ('c', '') if self.steps & NO_REPLY.get(command, 0) else self.get()

    def connect(self, host='host.example', address='203.0.113.9', port=45678, **macros):
        """address: None for a session without one (sendmail -bs)."""
        self.macros('C', **{'j': 'mail.lab.test', 'v': 'Postfix 3.7.11', 'daemon_name': 'smtpd',
                            'client_addr': address or '', 'client_resolve': 'OK', **macros})
        data = text(host) + b'\0'
        if address is None:
            data += b'U'
        else:
            family = b'6' if ':' in address else b'4'
            data += family + struct.pack('>H', port) + text(address) + b'\0'
        return self.ask('C', data)

    def helo(self, name='client.example.com', **macros):
        self.macros('H', **macros)
        return self.ask('H', text(name) + b'\0')

    def mail(self, sender='<a@example.com>', *parameters, **macros):
        self.macros('M', **{'i': 'ABC123', **macros})
        return self.ask('M', b''.join(text(word) + b'\0' for word in (sender, *parameters)))

    def rcpt(self, recipient='<bob@lab.test>', *parameters, **macros):
        self.macros('R', **macros)
        return self.ask('R', b''.join(text(word) + b'\0' for word in (recipient, *parameters)))

    def header(self, name, value):
        return self.ask('L', text(name) + b'\0' + text(value) + b'\0')

    def message(self, headers=(('From', ' <a@example.com>'), ('Subject', ' x')), body=b'hello\r\n'):
        """DATA to the final dot; the first answer that is not 'continue', or the last."""
        self.changes = []
        answers = [self.ask('T')]
        for name, value in headers:
            answers.append(self.header(name, value))
            if answers[-1][0] != 'c':
                return answers[-1]
        answers.append(self.ask('N'))
        if body:
            answers.append(self.ask('B', body))
        for answer in answers:
            if answer[0] not in 'cs':
                return answer
        self.put('E')
        return self.get()

    def abort(self):
        self.put('A')

    def close(self):
        try:
            self.put('Q')
        except OSError:
            pass
        self.socket.close()


def text(value):
    return value if isinstance(value, bytes) else value.encode('latin-1')


class Between:
    """Stands between an MTA and a filter on TCP ports of 127.0.0.1, and notes what the MTA says."""

    def __init__(self):
        self.server = socket.create_server(('127.0.0.1', 0))
        self.port = self.server.getsockname()[1]
        self.filter = None     # its port
        self.connections = []  # a list of (letter, data) each
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            mta, _ = self.server.accept()
            said, ends = [], (mta, socket.create_connection(('127.0.0.1', self.filter)))
            self.connections.append(said)
            for source, sink, packets in (*ends, said), (*ends[::-1], None):
                threading.Thread(target=pass_on, args=(source, sink, packets), daemon=True).start()


def pass_on(source, sink, packets):
    unread = b''
    try:
        while data := source.recv(65536):
            sink.sendall(data)
            unread += data if packets is not None else b''
            while len(unread) > 4 and len(unread) >= 4 + (size := int.from_bytes(unread[:4], 'big')):
                packets.append((chr(unread[4]), unread[5:4 + size]))
                unread = unread[4 + size:]
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass
