#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The watchdog: the service manager hears that the daemon lives while it is only busy, and no more
when a part of it hangs. A thread hangs when a debugger stops it."""
import ctypes
import os
import socket
import subprocess
import sys
import time
sys.path.insert(0, sys.path[0] + '/../lib')
import gatepost
import place
import tap
from milter import Milter
from tap import Skip, case, equal, true, until

CLIENT = gatepost.BUILD + '/test/bench/client'
WATCHDOG = 1  # seconds; the daemon tells twice as often
SILENCE = 4   # seconds without a word that mean that it stopped
SEIZE, INTERRUPT, DETACH, ALL_THREADS = 0x4206, 0x4207, 17, 0x40000000
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


class Manager:
    """The service manager's end of sd_notify(3)."""

    def __init__(self):
        self.path = place.folder() + '/notify'
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        os.chmod(self.path, 0o777)

    def hears(self, seconds):
        """Whether it hears that the daemon lives."""
        end = time.monotonic() + seconds
        while True:
            self.socket.settimeout(max(end - time.monotonic(), 0.001))
            try:
                if self.socket.recv(4096) == b'WATCHDOG=1':
                    return True
            except TimeoutError:
                return False

    def forget(self):
        """What was said before now."""
        self.socket.settimeout(0.0)
        try:
            while True:
                self.socket.recv(4096)
        except BlockingIOError:
            pass


def lives(scene, times=3):
    """It is told of a few times more."""
    scene.manager.forget()
    for _ in range(times):
        true(scene.manager.hears(60), 'the daemon lives')


def falls_silent(scene):
    until(lambda: not scene.manager.hears(SILENCE), 60, 'silence', 0)


class Stopped:
    """A thread of the daemon that hangs meanwhile; if it has several of the name, one of them."""

    def __init__(self, pid, name):
        self.threads = []
        for thread in os.listdir('/proc/%d/task' % pid):
            with open('/proc/%d/task/%s/comm' % (pid, thread)) as handle:
                if handle.read().strip() == name:
                    self.threads.append(int(thread))
        true(self.threads, 'there is a thread %s' % name)
        del self.threads[1:]

    def __enter__(self):
        for thread in self.threads:
            if libc.ptrace(SEIZE, thread, None, None) != 0:
                raise Skip('ptrace: ' + os.strerror(ctypes.get_errno()))
            libc.ptrace(INTERRUPT, thread, None, None)
            os.waitpid(thread, ALL_THREADS)
        return self

    def __exit__(self, *ignored):
        for thread in self.threads:
            libc.ptrace(DETACH, thread, None, None)


def hang(name, words):
    @case('%s hangs: told of no more, until it goes on' % words)
    def work(scene):
        lives(scene)
        mark = scene.daemon.mark()
        with Stopped(scene.daemon.process.pid, name):
            falls_silent(scene)
            scene.daemon.wait_log(mark, 'level=warning message="watchdog: ', ' hangs')
        lives(scene)
        scene.daemon.wait_log(mark, 'level=info message="watchdog: ', ' lives again')


hang('gatepost', 'the main thread')
hang('watch', 'the thread that reads tables')
hang('loop' if gatepost.ENGINE == 'native' else 'edge', 'the edge to the MTA')


@case('the socket is gone: told of no more')
def no_socket(scene):
    os.rename(scene.daemon.path, scene.daemon.path + '.hidden')
    falls_silent(scene)
    os.rename(scene.daemon.path + '.hidden', scene.daemon.path)
    lives(scene)


@case('under load, and while it reloads, it lives')
def load(scene):
    client = subprocess.Popen([CLIENT, '-c', '16', '-n', '1000000', '-b', '20000',
                               scene.daemon.path], stdout=subprocess.DEVNULL)
    try:
        for _ in range(5):
            scene.daemon.reload()
            lives(scene, 1)
    finally:
        client.kill()
        client.wait()


@case('while sessions wait for DNS lists that are silent, it lives')
def waiting(scene):
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind(('127.0.0.1', 0))
    scene.daemon.reload({**scene.settings, 'dns_servers': '127.0.0.1:%d' % silent.getsockname()[1],
                         'dnsbl_sites': 'bl.example.com*3', 'dnsbl_timeout': '8s'})
    waiters = []
    for number in range(40):
        mta = Milter(scene.daemon.path)
        mta.negotiate()
        mta.connect(address='198.51.100.%d' % number)
        mta.helo()
        mta.mail()
        mta.put('R', b'<bob@lab.test>\0')
        waiters.append(mta)
    lives(scene, 6)
    for mta in waiters:
        equal(mta.get()[0], 'c', 'RCPT')
        mta.close()
    scene.daemon.reload(scene.settings)


@case('a service manager that does not read stops no reload')
def manager_is_deaf(scene):
    stuffing = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    stuffing.setblocking(False)
    scene.manager.forget()
    try:
        while True:
            stuffing.sendto(b'STATUS=', scene.manager.path)
    except BlockingIOError:
        pass
    mark = scene.daemon.mark()
    scene.daemon.reload()
    scene.daemon.wait_log(mark, 'level=info message="reloaded')
    lives(scene)


@case('out of descriptors, it lives, and says what it lacks')
def descriptors(scene):
    pid = scene.daemon.process.pid
    files = len(os.listdir('/proc/%d/fd' % pid))
    crowd, mark = [], scene.daemon.mark()
    scene.daemon.limit_files(files + 3)
    try:
        for _ in range(10):
            crowd.append(socket.socket(socket.AF_UNIX))
            crowd[-1].connect(scene.daemon.path)
        lives(scene, 6)
        scene.daemon.wait_log(mark, 'level=warning message="no descriptors are left')
    finally:
        scene.daemon.limit_files(1000)
        for peer in crowd:
            peer.close()
    scene.daemon.wait_log(mark, 'level=info message="there are descriptors again')
    lives(scene)


@case('a stop is orderly')
def stop(scene):
    equal(scene.daemon.stop(), 0, 'exit code')
    equal(scene.daemon.sanitizer_report(), '', 'sanitizers')


class Scene:
    def __init__(self):
        self.settings = {'mynetworks': '127.0.0.0/8',
                         'user': None if os.geteuid() else 'nobody'}
        self.manager = Manager()
        self.daemon = gatepost.Gatepost(self.settings, unix=True)
        os.environ.update(NOTIFY_SOCKET=self.manager.path,
                          WATCHDOG_USEC=str(WATCHDOG * 1000000))
        self.daemon.start()


def setup():
    if gatepost.missing():
        tap.skip_all(gatepost.missing())
    return Scene()


tap.run(setup, lambda scene: scene and scene.daemon.stop(),
        lambda scene: tap.note('\n'.join(scene.daemon.lines[-20:])))
