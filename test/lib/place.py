# SPDX-License-Identifier: BSD-2-Clause
"""Where tests live while they run: temporary folders, free ports, certificates made on the spot."""
import atexit
import ctypes
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

# Below the range that the kernel takes for outgoing connections, so that a port found free stays
# free until it is bound.
PORTS = range(10000, 32000)
given = set()

# A test that is stopped must still run what is registered at exit: it started daemons.
signal.signal(signal.SIGTERM, lambda *ignored: sys.exit(143))


def folder(prefix='gatepost-test-'):
    """A folder that other users may pass through (daemons give up root), removed at exit."""
    path = tempfile.mkdtemp(prefix=prefix)
    os.chmod(path, 0o755)
    if not os.environ.get('KEEP_TEST_FOLDERS'):
        atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def port():
    """A free port of 127.0.0.1 that was not given before."""
    for number in random.Random().sample(PORTS, 1000):
        with socket.socket() as probe:
            try:
                probe.bind(('127.0.0.1', number))
            except OSError:
                continue
        if number not in given:
            given.add(number)
            return number
    raise RuntimeError('no free port from %d to %d' % (PORTS[0], PORTS[-1]))


CLONE_NEWNET = 0x40000000
# Documentation networks (RFC 5737, RFC 3849): in a network of our own their addresses are ours.
NETWORKS = ('192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24')
ADDRESSES6 = ('2001:db8:bad::1', '2001:db8:1::5', '2001:db8:2::5')
private = None  # why there is no network of our own; '' when there is, None before it was tried


def private_network():
    """Leaves the machine's network for one of our own, that ends with this process and in which
    clients may come from NETWORKS and ADDRESSES6; before anything listens, and before threads.
    Returns why it cannot be done, or ''."""
    global private
    if private is not None:
        return private
    private = enter_private_network()
    return private


def enter_private_network():
    ip = shutil.which('ip', path=os.environ.get('PATH', '') + ':/usr/sbin:/sbin')
    if not ip:
        return 'ip(8) is missing'
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        return 'no private network: ' + os.strerror(ctypes.get_errno())
    commands = ['link set lo up']
    commands += ['route add local %s dev lo' % network for network in NETWORKS]
    commands += ['-6 addr add %s/128 dev lo nodad' % address for address in ADDRESSES6]
    for command in commands:
        done = subprocess.run([ip, *command.split()], capture_output=True, text=True)
        if done.returncode:
            return 'ip %s: %s' % (command, done.stderr.strip())
    return ''


def write(path, text, mode=0o644):
    """Writes a file as a whole: who reads it meanwhile sees the old or the new one."""
    new = path + '.new'
    with open(new, 'wb') as handle:
        handle.write(text if isinstance(text, bytes) else text.encode())
    os.chmod(new, mode)
    os.rename(new, path)
    return path


def write_old(path, text):
    """The same for a file of Postfix's, which waits until its files are two seconds old, lest they
    be half written."""
    hour_ago = time.time() - 3600
    os.utime(write(path, text), (hour_ago, hour_ago))


def end(process, seconds=60):
    """Ends a process, None for none, that leads a group of its own: if it does not end when asked, it
    is killed with its group."""
    if process and process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


class Certificates:
    """A CA of our own with a server certificate, and client certificates of every kind:
    alice, carol (good), stranger (of another CA), selfsigned, expired."""

    def __init__(self, path):
        self.path = path
        os.makedirs(path, exist_ok=True)
        self.authority('ca', '/O=Gatepost Test/CN=Test Root CA')
        self.authority('otherca', '/O=Other/CN=Unknown CA')
        self.leaf('server', 'ca', '/O=Gatepost Test/CN=mail.lab.test', 'serverAuth')
        self.leaf('alice', 'ca', '/O=Gatepost Test/CN=alice (laptop)', 'clientAuth')
        self.leaf('carol', 'ca', '/O=Gatepost Test/CN=carol', 'clientAuth')
        self.leaf('stranger', 'otherca', '/O=Other/CN=alice (laptop)', 'clientAuth')
        self.leaf('expired', 'ca', '/O=Gatepost Test/CN=alice (laptop)', 'clientAuth',
                  expired=True)
        self.request('selfsigned', '/CN=alice (laptop)', '-x509', '-days', '30')

    def file(self, name):
        return os.path.join(self.path, name)

    def openssl(self, *arguments):
        self.run('openssl', *arguments)

    def run(self, *command):
        done = subprocess.run(command, capture_output=True, cwd=self.path)
        if done.returncode:
            raise RuntimeError('%s: %s' % (' '.join(command), done.stderr.decode()))

    def request(self, name, subject, *more):
        out = name + ('.pem' if '-x509' in more else '.csr')
        self.openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
                     '-keyout', name + '.key', '-out', out, '-subj', subject, *more)

    def authority(self, name, subject):
        self.request(name, subject, '-x509', '-days', '30',
                     '-addext', 'basicConstraints=critical,CA:TRUE',
                     '-addext', 'keyUsage=critical,keyCertSign,cRLSign')

    def leaf(self, name, ca, subject, usage, expired=False):
        self.request(name, subject)
        write(self.file(name + '.ext'),
              'basicConstraints=CA:FALSE\nextendedKeyUsage=%s\n' % usage)
        if expired: # OpenSSL 3.5's x509 makes none that ends before it begins
            write(self.file(name + '.cnf'),
                  '[ca]\ndatabase=%s.index\nrand_serial=yes\npreserve=yes\n'
                  'policy=any\ndefault_md=sha256\n[any]\ncommonName=supplied\n'
                  'organizationName=optional\n' % name)
            write(self.file(name + '.index'), '')
            self.openssl('ca', '-batch', '-notext', '-config', name + '.cnf', '-name', 'ca',
                         '-cert', ca + '.pem', '-keyfile', ca + '.key', '-outdir', '.',
                         '-startdate', '20200101000000Z', '-enddate', '20200201000000Z',
                         '-extfile', name + '.ext', '-in', name + '.csr', '-out', name + '.pem')
            return
        self.openssl('x509', '-req', '-in', name + '.csr', '-CA', ca + '.pem', '-CAkey',
                     ca + '.key', '-CAcreateserial', '-days', '30',
                     '-extfile', name + '.ext', '-out', name + '.pem')
