#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""No memory, no threads: the daemon goes on, or ends with a word for it. The MTA is never told to
let pass what policy refuses.

STARVED_ALL=1: each single allocation fails once, which takes minutes; by hand."""
import contextlib
import os
import random
import re
import signal
import socket
import struct
import subprocess
import sys
import time
sys.path[:0] = [sys.path[0] + '/../lib', sys.path[0] + '/../soak']
import gatepost
import measure
import place
from milter import Milter
import tap
from tap import Skip, case, equal, match, true

CLOCK = gatepost.BUILD + '/test/lib/libclockshift.so'
ALL = os.environ.get('STARVED_ALL')
ROUNDS = 25                        # of each kind
PLENTY = 1 << 40
ENDS = (-signal.SIGTRAP, -signal.SIGABRT)
REFUSED = dict.fromkeys(('sender', 'relay', 'spam'), 'y')
# Ours; GLib's own, where it ends the process without asking.
NO_MEMORY = re.compile('level=error message="no memory is left, so gatepost ends|'
                       "from C library during 'malloc'|GSlice: failed to allocate")
ORDERS = '=3q'                     # of test/lib/starve.c
RULES = 'header SPAM Subject =~ /buy this/\nbody PILLS /pills/\nscore SPAM 10\nscore PILLS 10\n'
LIMIT = '[limit many]\nkey = client\nfor = all\nmax = 1000000\nper = 1d\n'


class Scene:
    def __init__(self):
        self.file = place.folder() + '/orders'
        self.order(-1)
        os.environ.update(LD_PRELOAD=gatepost.BUILD + '/test/lib/libstarve.so',
                          STARVE_FILE=self.file)
        self.daemon = gatepost.Gatepost(unix=True)
        place.write(self.daemon.folder + '/rules.cf', RULES)
        senders = self.daemon.table('senders', 'bad.example REJECT\n')
        self.daemon.configure({
            'rule_files': self.daemon.folder + '/rules.cf', 'stop_timeout': '1s',
            'sender_restrictions': 'check_sender_access texthash:' + senders,
            'message_restrictions': 'check_limit many, guard_autoreply, reject_spam'}, LIMIT)
        self.start()

    def order(self, left, for_ever=0, no_threads=0):
        """As struct orders of test/lib/starve.c."""
        orders = struct.pack(ORDERS, left, for_ever, no_threads)
        if not os.path.exists(self.file):
            place.write(self.file, ' ' * len(orders))
        with open(self.file, 'r+b') as handle:
            handle.write(orders)

    def left(self):
        with open(self.file, 'rb') as handle:
            return struct.unpack(ORDERS, handle.read())[0]

    def start(self):
        self.mark = self.daemon.mark()
        self.daemon.start()
        self.daemon.wait_log(self.mark, ' at work, ')

    def stop(self):
        if self.daemon.process:
            equal(self.daemon.stop(), 0, 'exit code')

    def ended(self):
        """How the daemon ended, if it did, and its log since its start; another one is begun."""
        process = self.daemon.process
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
        if process.poll() is None:
            return None, []
        self.daemon.reader.join(5)
        lines = self.daemon.log(self.mark)
        self.start()
        return process.returncode, lines


def session(path):
    """What the MTA hears of a sender that is refused, a recipient that is relayed to, and spam; '-'
    where the filter said nothing, or went away."""
    heard = dict.fromkeys(('sender', 'relay', 'spam'), '-')
    with contextlib.suppress(OSError, EOFError, struct.error):
        with Milter(path, timeout=3) as mta:
            mta.negotiate()
            mta.connect()
            mta.helo()
            mta.mail('<a@bad.example>')
            heard['sender'] = mta.rcpt('<bob@lab.test>')[0]
            mta.abort()
            mta.mail('<a@example.com>')
            heard['relay'] = mta.rcpt('<x@remote.example>')[0]
            mta.rcpt('<bob@lab.test>')
            heard['spam'] = mta.message((('From', ' <a@example.com>'), ('To', ' <bob@lab.test>'),
                                         ('Subject', ' buy this')), b'pills\r\n' * 100)[0]
    return heard


def starve(scene, for_ever):
    counts = []
    for _ in range(3):  # the daemon's other threads come in between
        scene.order(PLENTY)
        equal(session(scene.daemon.path), REFUSED, 'while all is well')
        counts.append(PLENTY - scene.left())
    count = min(counts)
    spots = range(count) if ALL else sorted(random.Random(1).sample(range(count), ROUNDS))
    deaths = 0
    for spot in spots:
        scene.order(spot, for_ever)
        heard = session(scene.daemon.path)
        scene.order(-1)
        code, lines = scene.ended()
        what = 'allocation %d of %d' % (spot, count)
        true(set(heard.values()) <= set('y-t'), '%s: what policy refuses got %s' % (what, heard))
        if code is None:
            continue
        deaths += 1
        true(code in ENDS, '%s: it ended by %s' % (what, code))
        told = [line for line in lines if NO_MEMORY.search(line)]
        equal(len(told), 1, '%s: lines that tell it' % what)
    tap.note('%d allocations in a session; %d of %d ended the daemon' % (count, deaths, len(spots)))
    equal(session(scene.daemon.path), REFUSED, 'when there is memory again')
    return deaths


@case('an allocation fails')
def once(scene):
    starve(scene, 0)


@case('all allocations fail from one on')
def for_ever(scene):
    true(starve(scene, 1) > 0, 'it goes on without memory?')


@case('no thread can be begun: mail, a reload and the status do without, a search is put off')
def threads(scene):
    daemon = scene.daemon
    scene.order(-1, no_threads=1)
    try:
        for _ in range(3):
            equal(session(daemon.path), REFUSED, 'a session')
        daemon.configure({**daemon.settings, 'dnsbl_sites': 'bl.example.com'}, LIMIT)
        for command in ('reload', 'status'):
            done = daemon.control(command)
            equal(done.returncode, 0, '%s: %s' % (command, done.stderr))
        with socket.socket(socket.AF_UNIX) as reader:
            reader.settimeout(10)
            reader.connect(daemon.settings['read_socket'])
            reader.sendall(b'search bob@lab.test\n')
            answer = b''.join(iter(lambda: reader.recv(65536), b''))
        match(r'gatepost 75 \d+\n', answer.decode())
    finally:
        scene.order(-1)
    equal(scene.ended(), (None, []), 'how it ended')
    equal(session(daemon.path), REFUSED, 'afterwards')


@case('no thread can be begun at the start: it ends with a word for it')
def no_start(scene):
    scene.stop()
    scene.order(-1, no_threads=1)
    try:
        with contextlib.suppress(tap.Failure):
            scene.daemon.start()
        code = scene.daemon.process.wait(10)
    finally:
        scene.order(-1)
    true(code in ENDS + (69,), 'it ended by %d' % code)
    match('(?s).*thread.*Resource temporarily unavailable', '\n'.join(scene.daemon.lines[-5:]))
    scene.start()


def opened(daemon):
    mta = Milter(daemon.path)
    mta.negotiate()
    mta.connect()
    mta.helo()
    return mta


def arenas(pid):
    """Of malloc(3), without the first one: mappings of their own, at multiples of 64 MB."""
    with open('/proc/%d/maps' % pid) as handle:
        starts = [line.split('-')[0] for line in handle if ' rw-p 00000000 00:00 0' in line]
    return sum(int(start, 16) % (64 << 20) == 0 for start in starts)


@case('the memory that threads allocate from is shared')
def shared(scene):
    if os.environ.get('GATEPOST_ENGINE') == 'native':
        raise Skip('there are always as many threads, and each has its own')
    with contextlib.ExitStack() as stack:
        peers = [stack.enter_context(opened(scene.daemon)) for _ in range(50)]
        for peer in peers:
            peer.mail()
            peer.put('R', b'<bob@lab.test>\0')
        for peer in peers:
            equal(peer.get()[0], 'c', 'RCPT')
        found = arenas(scene.daemon.process.pid)
    true(0 < found < max(len(os.sched_getaffinity(0)), 2), '%d arenas beside the first' % found)


def memory(daemon):
    return measure.measure(daemon.process.pid).memory


def large(peers):
    """Each has a message with a large header under way."""
    for peer in peers:
        peer.mail()
        peer.rcpt()
        for number in range(300):
            peer.header('X-Filler-%d' % number, ' ' + 'x' * 900)


@case('what a busy minute took goes back to the system')
def given_back(scene):
    scene.stop()
    shift = place.write(place.folder() + '/clock', '%-20d' % 0)
    before = dict(os.environ)
    os.environ.update(LD_PRELOAD=os.environ['LD_PRELOAD'] + ' ' + CLOCK, CLOCKSHIFT_FILE=shift,
                      CLOCKSHIFT_ALL='1')
    try:
        scene.start()
    finally:
        os.environ.clear()
        os.environ.update(before)
    daemon = scene.daemon
    rest = memory(daemon)
    peers = [opened(daemon) for _ in range(40)]
    large(peers)
    busy = memory(daemon)
    true(busy > rest + 10000, '%d kB, %d at rest' % (busy, rest))
    for peer in peers[::2]:
        peer.close()
    for peer in peers[1::2]:
        peer.abort()
        peer.mail()
    time.sleep(2.5)
    after = memory(daemon)
    with open(shift, 'r+') as handle:
        handle.write('%-20d' % 70)
    time.sleep(2.5)
    now = memory(daemon)
    tap.note('%d kB at rest, %d busy, %d after it, %d a minute later' % (rest, busy, after, now))
    true(now < rest + (busy - rest) / 5, 'it stays: %d kB' % now)
    for peer in peers[1::2]:
        peer.close()


if gatepost.missing():
    tap.skip_all(gatepost.missing())
if 'LD_PRELOAD' in gatepost.environment() or gatepost.sanitized():
    tap.skip_all('sanitizers have an allocator of their own')
tap.run(Scene, lambda scene: scene and scene.stop(),
        lambda scene: tap.note('\n'.join(scene.daemon.lines[-8:])))
