# SPDX-License-Identifier: BSD-2-Clause
"""Peers that do not behave: who hangs, floods, or speaks garbage."""
import os
import socket
import struct
import threading
import time

import smtp
from milter import Milter


class Crowd:
    """Many peers, opened one after another; all that is left of them is closed in the end."""

    def __init__(self):
        self.peers = []

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        for peer in self.peers:
            try:
                (peer.socket if hasattr(peer, 'socket') else peer).close()
            except OSError:
                pass

    def add(self, peer):
        self.peers.append(peer)
        return peer


def meanwhile(works, seconds):
    """Calls each of works again and again in a thread of its own; how often they were called."""
    end, counts = time.monotonic() + seconds, [0] * len(works)

    def loop(index, work):
        while time.monotonic() < end:
            try:
                work()
            except (OSError, EOFError):
                time.sleep(0.01)
            counts[index] += 1
    threads = [threading.Thread(target=loop, args=item, daemon=True) for item in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts)


# Clients of the MTA

def smtp_stages(port):
    """Clients that stop in each stage of SMTP; each is left open."""
    def dialog():
        return smtp.Dialog(port, timeout=60)
    silent = smtp.Dialog(port, greet='', timeout=60)
    half = dialog()
    half.socket.sendall(b'MAIL FR')
    mail = dialog()
    mail.mail('a@example.com')
    rcpt = dialog()
    rcpt.mail('a@example.com')
    rcpt.rcpt('bob@lab.test')
    data, header, body = dialog(), dialog(), dialog()
    for one, text in ((data, b''), (header, b'Subject: half a'),
                      (body, b'Subject: x\r\n\r\n' + b'x' * 70000)):
        one.mail('a@example.com')
        one.rcpt('bob@lab.test')
        one.send('DATA')
        one.socket.sendall(text)
    return [silent, half, mail, rcpt, data, header, body]


# Clients of the filter

def stage_steps(count):
    """What an MTA does up to a stage."""
    return (lambda m: m.negotiate(), lambda m: m.connect(), lambda m: m.helo(), lambda m: m.mail(),
            lambda m: m.rcpt(), lambda m: m.header('Subject', ' x'), lambda m: m.ask('N'),
            lambda m: m.ask('B', b'x' * 60000))[:count]


STAGES = len(stage_steps(None)) + 1


def milter_stage(path, count, timeout=30):
    """An MTA that stops behind its first COUNT steps."""
    mta = Milter(path, timeout)
    for step in stage_steps(count):
        step(mta)
    return mta


def leave(path):
    """A port scanner."""
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(5)
        peer.connect(path)


def packet(command, data=b''):
    return struct.pack('>IB', len(data) + 1, ord(command)) + data


def garbage(path, chance):
    """What no MTA says."""
    negotiation = packet('O', struct.pack('>III', 6, 0x1ff, 0x1fffff))
    pieces = (
        bytes(chance.randrange(256) for _ in range(chance.randrange(1, 400))),
        b'\xff\xff\xff\xff', b'\0\0\0\0', b'\0\0\0', struct.pack('>I', 0x7fffffff) + b'O',
        packet('O'), packet('O', b'\0' * 3), packet('O', b'\xff' * 12), negotiation,
        packet('Z', b'what'), packet('C'), packet('C', b'host'), packet('C', b'h\x004'),
        packet('C', b'host\x004\0\x19not an address\0'), packet('D', b'C' + b'no end'),
        packet('D', b'M' + b'{i}\0' * 50), packet('H'), packet('M'), packet('M', b'<a>'),
        packet('R'), packet('R', b'\0\0\0'), packet('T'), packet('L', b'Name'), packet('N'),
        packet('B', os.urandom(3000)), packet('E'), packet('A'), packet('Q'), packet('K'),
        b'GET / HTTP/1.0\r\n\r\n', b'EHLO x\r\n', struct.pack('>I', 70000) + b'B' * 70000,
    )
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(2)
        peer.connect(path)
        if chance.random() < 0.7:
            peer.sendall(negotiation)
        for _ in range(chance.randrange(1, 8)):
            peer.sendall(chance.choice(pieces))
        if chance.random() < 0.3:
            peer.shutdown(socket.SHUT_WR)
            peer.recv(65536)


def control_abuse(path, chance):
    """Clients of the control socket, as bad."""
    with socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(2)
        peer.connect(path)
        peer.sendall(chance.choice((b'', b'stat', b'\0\n', b'no such thing\n', b'x' * 5000,
                                    b'status --json\n', b'status\nstatus\n', b'reload now\n')))
        if chance.random() < 0.3:
            peer.recv(100)


def connected(path):
    """A peer that says nothing."""
    peer = socket.socket(socket.AF_UNIX)
    peer.settimeout(20)
    peer.connect(path)
    return peer


def large_headers(crowd, path):
    """Sessions that each want much memory."""
    for _ in range(120):
        mta = crowd.add(milter_stage(path, 5, 2))
        for _ in range(15):
            mta.put('L', b'X-Large\0' + b'x' * 60000 + b'\0')
