# SPDX-License-Identifier: BSD-2-Clause
"""DNS servers of a test's own: rbldnsd with the lists of packaging/rbldnsd, and the server that
misbehaves as it is told (test/dns/badserver.py)."""
import atexit
import os
import re
import shutil
import socket
import struct
import subprocess
import sys

import place
import tap

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ZONES = TOP + '/packaging/rbldnsd'
DATASETS = ('bl.example.com:ip4set:addresses', 'bl.example.com:ip6trie:addresses6',
            'wl.example.com:ip4set:friends', 'dbl.example.com:dnset:domains',
            'ebl.example.com:dnset:mailboxes')

# What the lists of packaging/rbldnsd say.
LISTED, EXCLUDED, DIALUP, HACKED, FRIEND = ('203.0.113.9', '203.0.113.65', '198.51.100.200',
                                            '198.51.100.7', '203.0.113.70')
LISTED6 = '2001:db8:bad::1'
UNKNOWN = '198.51.100.20'


def missing():
    """Why no rbldnsd can be started here, or ''."""
    return '' if shutil.which('rbldnsd', path=os.environ['PATH'] + ':/usr/sbin') \
        else 'rbldnsd is not installed'


class Server:
    """A DNS server on a port of 127.0.0.1."""

    def __init__(self):
        self.port = place.port()
        self.process = None
        atexit.register(self.stop)

    def address(self):
        return '127.0.0.1:%d' % self.port

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process = None


class Lists(Server):
    """rbldnsd. more: file name -> text, served beside the lists of packaging/rbldnsd; datasets:
    how, as rbldnsd's command line says it."""

    logs = True  # each question, which costs time

    def __init__(self, datasets=(), **more):
        super().__init__()
        self.folder = place.folder('gatepost-lists-')
        for name in os.listdir(ZONES):
            shutil.copy(os.path.join(ZONES, name), self.folder)
        for name, text in more.items():
            place.write(os.path.join(self.folder, name), text)
        self.datasets = (*DATASETS, *datasets)

    def start(self):
        self.log = self.folder + '/queries'
        open(self.log, 'w').close()
        os.chmod(self.log, 0o666)
        user = ['-u', 'nobody'] if os.geteuid() == 0 else []
        path = shutil.which('rbldnsd', path=os.environ['PATH'] + ':/usr/sbin')
        log = ['-l', '+' + self.log] if self.logs else []
        self.process = subprocess.Popen(
            [path, '-n', *user, *log, '-b', '127.0.0.1/%d' % self.port, *self.datasets],
            cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        tap.until(lambda: ask(self.port, '2.0.0.127.bl.example.com'), 20, 'rbldnsd')
        return self

    def questions(self):
        """The names that were asked, lower case, in their order; those of probes left out."""
        with open(self.log) as handle:
            names = [line.split()[2].lower() for line in handle if len(line.split()) > 2]
        return [name for name in names
                if not re.match(r'[12]\.0\.0\.127\.|invalid\.|test\.', name)]


class BadServer(Server):
    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, TOP + '/test/dns/badserver.py', str(self.port)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        tap.equal(self.process.stdout.readline(), b'ready\n', 'the server')
        return self

    def asked(self, name):
        """How often NAME was asked."""
        reply = ask(self.port, name + '.counted.test', 16)
        return int(reply[-1:]) if reply else 0


def ask(port, name, kind=1):
    """Asks a server; the answer's message, or None."""
    labels = b''.join(bytes([len(x)]) + x.encode() for x in name.split('.'))
    query = struct.pack('!HHHHHH', 7, 0x100, 1, 0, 0, 0) + labels + struct.pack('!BHH', 0, kind, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(10)
        try:
            client.connect(('127.0.0.1', port))
            client.send(query)
            return client.recv(4096)
        except OSError:
            return None
