#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Sockets that systemd passes, by systemd-socket-activate(1): used by either engine if they are
milter_socket's, left where they are, and refused with a word if they are not."""
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
sys.path.insert(0, sys.path[0] + '/../lib')
import gatepost
import place
from milter import Milter
import tap
from tap import case, equal, match, true, until

ACTIVATE = shutil.which('systemd-socket-activate')
ENGINES = ('libmilter', 'native')
GROUP = os.getgid() if os.geteuid() else 12345


class Activated:
    """gatepost, started by the first connection to SOCKETS."""

    def __init__(self, daemon, *sockets):
        options = [word for each in sockets for word in ('-l', each)]
        self.log = open(daemon.folder + '/activation.log', 'w+')
        self.process = subprocess.Popen(
            [ACTIVATE, *options, gatepost.DAEMON, '-c', daemon.file, '-f'], cwd='/',
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            env=gatepost.environment())
        until(lambda: 'Listening on' in self.text(), 10, 'systemd-socket-activate')

    def text(self):
        with open(self.log.name) as handle:
            return handle.read()

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(20)
        self.log.close()
        return code


def new(engine, unix):
    return gatepost.Gatepost({'milter_engine': engine, 'user': None if os.geteuid() else 'root'},
                             unix=unix)


def address(daemon):
    return '127.0.0.1:%d' % daemon.port if daemon.port else daemon.path


@case('a socket that is passed is served, and stays')
def served():
    for engine in ENGINES:
        for unix in (True, False):
            daemon = new(engine, unix)
            activated = Activated(daemon, address(daemon))
            if unix:
                os.chmod(daemon.path, 0o604)
                os.chown(daemon.path, -1, GROUP)
            with Milter(daemon.port or daemon.path) as mta:
                mta.negotiate()
                mta.connect()
                mta.helo()
                mta.mail()
                match('^550 5.7.1 ', mta.rcpt('<x@remote.example>')[1], engine)
            equal(activated.end(), 0, 'exit with %s: %s' % (engine, activated.text()))
            if unix:
                mode = os.stat(daemon.path).st_mode
                true(stat.S_ISSOCK(mode), 'the socket is there still')
                equal(mode & 0o777, 0o604, 'its mode is left alone')
                equal(os.stat(daemon.path).st_gid, GROUP, 'and its group')


@case('another socket than milter_socket, or two of them, are refused with a word')
def refused():
    for engine in ENGINES:
        for unix in (True, False):
            daemon = new(engine, unix)
            other = daemon.folder + '/run/other.sock'
            port = '127.0.0.1:%d' % place.port()
            for sockets in ((other,), (port,), (address(daemon), port)):
                activated = Activated(daemon, *sockets)
                where = int(port.split(':')[1]) if port in sockets else other
                mta = Milter(where)
                equal(activated.process.wait(20), 69, 'exit: ' + activated.text())
                match(r'(?s).*systemd passes (the socket|2 sockets)', activated.text())
                mta.socket.close()
                activated.end()
                if os.path.exists(other):
                    os.unlink(other)
                if unix and os.path.exists(daemon.path):
                    os.unlink(daemon.path)


def passed(daemon, listener):
    """gatepost, with LISTENER passed to it, as a service manager does."""
    def place_it():
        os.dup2(listener.fileno(), 3)
    return subprocess.Popen(
        ['/bin/sh', '-c', 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"', 'sh', gatepost.DAEMON, '-c',
         daemon.file, '-f'], cwd='/', stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        preexec_fn=place_it, pass_fds=[3], env=gatepost.environment())


@case('who comes before the start, or between a stop and the next start, is served then')
def backlog():
    daemon = new('native', True)
    os.makedirs(os.path.dirname(daemon.path), exist_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(daemon.path)
        os.chmod(daemon.path, 0o666)
        listener.listen(200)
        early = [Milter(daemon.path) for _ in range(100)]
        process = passed(daemon, listener)
        for mta in early:
            mta.negotiate()
        first = early.pop()
        first.connect()
        first.helo()
        first.mail()
        for mta in early:
            mta.close()
        process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        late = [Milter(daemon.path) for _ in range(20)]
        first.rcpt()
        equal(first.message()[0], 'c', 'the message under way is ended')
        first.close()
        equal(process.wait(20), 0, 'exit code')
        process = passed(daemon, listener)
        for mta in late:
            mta.negotiate()
            mta.connect()
            mta.helo()
            mta.mail()
            match('^550 5.7.1 ', mta.rcpt('<x@remote.example>')[1])
            mta.close()
        process.send_signal(signal.SIGTERM)
        equal(process.wait(20), 0, 'exit code')
        true(os.path.exists(daemon.path), 'the socket is there still')


@case('what was passed to another process is not ours')
def not_ours():
    daemon = new('native', True)
    os.environ.update({'LISTEN_PID': '1', 'LISTEN_FDS': '1'})
    try:
        daemon.start()
    finally:
        del os.environ['LISTEN_PID'], os.environ['LISTEN_FDS']
    equal(daemon.stop(), 0, 'exit')
    true(not os.path.exists(daemon.path), 'its own socket is taken away')


if gatepost.missing() or not ACTIVATE:
    tap.skip_all(gatepost.missing() or 'systemd-socket-activate is missing')
tap.run()
