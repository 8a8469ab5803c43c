#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What milter_engine = native promises beside libmilter: who waits holds up nobody, the MTA hears
that it goes on, and whatever comes over the socket ends one connection at most."""
import glob
import json
import os
import socket
import struct
import sys
import time
sys.path.insert(0, sys.path[0] + '/../lib')
os.environ['GATEPOST_ENGINE'] = 'native'
import gatepost
import lists
import place
from milter import ALL_ACTIONS, ALL_STEPS, LEFT_OUT, NO_REPLY, Milter
import tap
from tap import case, equal, match, true, until, within

WAIT = 5  # dnsbl_timeout, in seconds
PACKETS_256K, PACKETS_1M = 0x10000000, 0x20000000
DENIED = r'^550 5\.7\.1 <x@remote.example>: Relaying denied'


class Scene:
    """A daemon that asks a list which answers nothing but probes."""

    def __init__(self):
        self.server = lists.BadServer().start()
        self.settings = {'dns_servers': self.server.address(), 'stop_timeout': '1s',
                         'dnsbl_timeout': '%ds' % WAIT, 'milter_threads': '2'}
        self.daemon = None

    def fresh(self, **settings):
        """A daemon whose list is in use still: one that was silent is not waited for again."""
        if self.daemon:
            self.stop()
        self.daemon = gatepost.Gatepost({
            **self.settings, 'dnsbl_sites': 'list.silent.test*3', **settings}, unix=True).start()
        return self.daemon

    def stop(self):
        if not self.daemon:
            return
        equal(self.daemon.stop(), 0, 'exit code')
        equal(self.daemon.sanitizer_report(), '', 'sanitizers')


def opened(daemon, **macros):
    mta = Milter(daemon.path)
    mta.negotiate()
    mta.connect(client_addr='203.0.113.9', **macros)
    mta.helo()
    return mta


def status(daemon, key):
    return json.loads(daemon.control('status', '--json').stdout)[key]


def heard(mta, seconds):
    """The letters of what comes within so many seconds, up to the answer, and when each came."""
    letters, begun = [], time.monotonic()
    while time.monotonic() - begun < seconds and ('c' not in [letter for letter, _ in letters]):
        mta.socket.settimeout(max(seconds - (time.monotonic() - begun), 0.01))
        try:
            length, = struct.unpack('>I', mta.read_exactly(4))
            letters.append((chr(mta.read_exactly(length)[0]), time.monotonic() - begun))
        except (socket.timeout, BlockingIOError):
            break
    return letters


@case('who waits for a silent list holds up no new connection, and its hang-up is seen')
def burst(scene):
    daemon = scene.fresh()
    waiting = [opened(daemon) for _ in range(64)]
    for mta in waiting:
        mta.mail()
        mta.macros('R')
        mta.put('R', b'<bob@lab.test>\0')
    longest = 0
    for _ in range(100):
        begun = time.monotonic()
        with Milter(daemon.path) as mta:
            mta.negotiate()
        longest = max(longest, time.monotonic() - begun)
    true(longest < WAIT / 2, 'the first answer after %.3f s' % longest)
    equal(status(daemon, 'connections') >= 64, True, 'they wait')
    for mta in waiting:
        mta.socket.close()
    within(WAIT / 2, lambda: status(daemon, 'connections') == 0, 'hang-ups seen while they wait')


@case('Postfix hears every 3 seconds that a recipient is still looked at')
def progress(scene):
    mta = opened(scene.fresh())
    mta.mail()
    mta.macros('R')
    mta.put('R', b'<bob@lab.test>\0')
    letters = heard(mta, WAIT + 30)
    equal([letter for letter, _ in letters], ['p', 'c'], 'answers')
    true(2 < letters[0][1] < WAIT, 'after %.1f s' % letters[0][1])


@case('Sendmail hears it at the end of a message alone')
def sendmail_progress(scene):
    daemon = scene.fresh()
    mta = opened(daemon, v='8.17.1.9')
    mta.mail()
    mta.macros('R')
    mta.put('R', b'<bob@lab.test>\0')
    equal([letter for letter, _ in heard(mta, WAIT + 30)], ['c'], 'answers to RCPT')
    daemon = scene.fresh(recipient_restrictions='', message_restrictions='reject_dnsbl')
    mta = opened(daemon, v='8.17.1.9')
    mta.mail()
    equal(mta.rcpt()[0], 'c', 'RCPT')
    mta.header('From', ' <a@example.com>')
    mta.put('E')
    letters = [letter for letter, _ in heard(mta, WAIT + 30)]
    equal(letters, ['p', 'c'], 'answers to the end')


@case('nothing is said early of what needs no answer')
def silent_stage(scene):
    daemon = scene.fresh(delay_checks='no', client_restrictions='reject_dnsbl',
                         recipient_restrictions='')
    mta = Milter(daemon.path)
    mta.negotiate()
    silent = mta.steps & NO_REPLY['C']
    mta.macros('C', v='Postfix 3.7.11', client_addr='203.0.113.9')
    mta.put('C', b'x\x004\x00\x19203.0.113.9\0')
    letters = [letter for letter, _ in heard(mta, WAIT + 2)]
    equal(letters, [] if silent else ['p', 'c'], 'answers to CONNECT')


@case('one answer to each command that is owed one, whatever was offered')
def answers(scene):
    daemon = scene.fresh(dnsbl_sites='')
    offers = [ALL_STEPS, 0, 0x7f, *NO_REPLY.values(), *(ALL_STEPS & ~bit for bit in
                                                       (*NO_REPLY.values(), *LEFT_OUT.values()))]
    for version in (2, 3, 4, 6):
        for steps in offers:
            with Milter(daemon.path) as mta:
                mta.negotiate(version, ALL_ACTIONS, steps)
                equal(mta.steps & ~steps, 0, 'steps that were not offered')
                mta.connect()
                mta.helo()
                for _ in range(2):
                    mta.ask('U', b'FOO\0')
                    equal(mta.mail()[0], 'c', 'MAIL')
                    match(DENIED, mta.rcpt('<x@remote.example>')[1])
                    equal(mta.rcpt()[0], 'c', 'RCPT')
                    equal(mta.message()[0], 'c', 'the end')
                    mta.abort()
                    mta.abort()
                mta.nothing_more()


@case('a packet may come a byte at a time, or many at once')
def crumbs(scene):
    daemon = scene.daemon
    with Milter(daemon.path) as mta:
        mta.negotiate()
        mta.connect()
        mta.helo()
        mta.mail()
        for byte in struct.pack('>I', 16) + b'R<bob@lab.test>\0':
            mta.socket.sendall(bytes([byte]))
            time.sleep(0.005)
        equal(mta.get()[0], 'c', 'RCPT')
        packet = struct.pack('>I', 16) + b'R<bob@lab.test>\0'
        mta.socket.sendall(packet * 500)
        for _ in range(500):
            equal(mta.get()[0], 'c', 'RCPT')
        mta.nothing_more()


@case('another client on the same connection; larger packets where they were agreed on')
def another_client(scene):
    with Milter(scene.daemon.path) as mta:
        data = mta.negotiate(steps=ALL_STEPS | PACKETS_256K | PACKETS_1M)
        true(struct.unpack('>I', data[9:13])[0] & PACKETS_1M, 'the offer comes back')
        mta.connect(address='127.0.0.1', client_addr='127.0.0.1')
        mta.helo()
        mta.mail()
        equal(mta.rcpt('<x@remote.example>')[0], 'c', 'from this machine')
        mta.put('K')
        mta.connect()
        mta.helo()
        mta.mail()
        match(DENIED, mta.rcpt('<x@remote.example>')[1], 'from another')
        equal(mta.rcpt()[0], 'c', 'RCPT')
        mta.header('X-Large', ' ' + 'x' * 200000)
        equal(mta.message()[0], 'c', 'the end')


@case('out of order is taken as if it followed HELO; what fits nowhere ends the connection')
def order(scene):
    daemon = scene.daemon
    with opened(daemon) as mta:
        mta.mail()
        equal(mta.rcpt()[0], 'c', 'RCPT')
        mta.header('Subject', ' x')
        mta.mail('<b@example.com>')
        match(DENIED, mta.rcpt('<x@remote.example>')[1], 'RCPT of the second')
    for letters in ('R', 'E', 'ME', 'MRBL', 'C', 'O', 'Z', 'MLE'):
        with opened(daemon) as mta:
            mta.socket.settimeout(60)
            try:
                for letter in letters:
                    mta.put(letter, b'<bob@lab.test>\0\0')
                while True:
                    true(mta.get()[0] in 'cs', 'before the end')
            except socket.timeout:
                raise tap.Failure('the connection stays after %s' % letters)
            except (EOFError, OSError):
                pass
    daemon.wait_log(0, 'the MTA says what cannot come here')


@case('large messages are judged by other threads, while the loops serve others')
def pool(scene):
    daemon = scene.daemon
    peers = [opened(daemon) for _ in range(16)]
    for mta in peers:
        mta.mail()
        mta.rcpt()
        for number in range(100):
            mta.header('X-Filler-%d' % number, ' ' + 'x' * 900)
        mta.put('E')
    for number, mta in enumerate(peers):
        if number % 4 == 0:
            mta.socket.close()
            continue
        equal(mta.get()[0], 'c', 'the end')
        equal(mta.mail()[0], 'c', 'the next message')
        mta.close()
    until(lambda: status(daemon, 'connections') == 0, 10, 'nobody is left')


@case('peers vanish while jobs and DNS wait, and nothing of them is left')
def vanish(scene):
    daemon = scene.fresh()
    for turn in range(3):
        peers = []
        for number in range(60):
            mta = opened(daemon)
            mta.mail()
            if number % 3 == 0:  # the list is asked, and silent
                mta.macros('R')
                mta.put('R', b'<bob@lab.test>\0')
            else:  # nobody of ours: no list is asked
                equal(mta.rcpt('<x@remote.example>')[0], 'y', 'RCPT')
                mta.header('X-Filler', ' ' + 'x' * 40000)
                mta.put('E')
            peers.append(mta)
            if number % 2:
                peers.pop(0).socket.close()
        for mta in peers:
            mta.socket.close()
        within(WAIT / 2, lambda: status(daemon, 'connections') == 0, 'nobody is left')
        equal(status(daemon, 'under_way'), 0, 'messages under way')


def loop_time(daemon):
    """Seconds of the processor's time that the loops have had, whatever else the machine does."""
    total = 0
    for task in glob.glob('/proc/%d/task/*' % daemon.process.pid):
        with open(task + '/comm') as name, open(task + '/schedstat') as spent:
            if name.read().strip() == 'loop':
                total += int(spent.read().split()[0])
    return total / 1e9


@case('who pipelines thousands of commands does not hold up others')
def pipeline(scene):
    daemon = scene.fresh(milter_threads='1', dnsbl_sites='')
    hog = opened(daemon)
    hog.mail()
    packet = struct.pack('>I', 16) + b'R<bob@lab.test>\0'
    hog.socket.setblocking(False)
    longest = sent = 0
    for _ in range(300):
        for _ in range(20):
            try:
                sent += hog.socket.send(packet * 1000)
            except BlockingIOError:
                break
        begun = loop_time(daemon)
        with Milter(daemon.path) as mta:
            mta.negotiate()
        longest = max(longest, loop_time(daemon) - begun)
        try:
            while hog.socket.recv(65536):
                pass
        except BlockingIOError:
            pass
    true(sent > 100000, '%d bytes' % sent)
    true(0 < longest < 0.5, 'the first answer after %.3f s of work' % longest)
    hog.socket.close()


def loop_wakes(daemon):
    """How often each of the loops has gone to sleep, and so has been woken."""
    found = []
    for task in sorted(glob.glob('/proc/%d/task/*' % daemon.process.pid)):
        with open(task + '/status') as handle:
            facts = dict(line.rstrip('\n').split(':\t', 1) for line in handle if ':\t' in line)
        if facts['Name'] == 'loop':
            found.append(int(facts['voluntary_ctxt_switches']))
    return found


@case('a few sessions share a loop that has time for them, and many have them all')
def share(scene):
    daemon = scene.fresh(dnsbl_sites='')
    peers = []

    def wakes(number):
        """What each loop is woken more often for so many sessions more, the least first."""
        before = loop_wakes(daemon)
        for _ in range(number):
            peers.append(opened(daemon))
            peers[-1].mail()
            for _ in range(5):
                equal(peers[-1].rcpt()[0], 'c', 'RCPT')
        return sorted(now - then for now, then in zip(loop_wakes(daemon), before))

    until(lambda: len(loop_wakes(daemon)) == 2, 10, 'the loops')
    for _ in range(10):  # other processes may keep a loop from going to sleep, as work would
        few = wakes(8)
        if 4 * few[0] < few[1]:
            break
        while peers:
            peers.pop().socket.close()
        until(lambda: status(daemon, 'connections') == 0, 10, 'nobody')
    else:
        raise tap.Failure('loops woken for 8 sessions: %s' % few)
    many = wakes(48)
    true(4 * many[0] > many[1], 'for 48 more: %s' % many)
    for mta in peers:
        mta.socket.close()


@case('thousands that connect and leave, or talk nonsense, leave nothing behind')
def crowd(scene):
    daemon = scene.daemon

    def files():
        return len(os.listdir('/proc/%d/fd' % daemon.process.pid))
    until(lambda: status(daemon, 'connections') == 0, 10, 'nobody')
    before = files()
    for number in range(2000):
        with socket.socket(socket.AF_UNIX) as wire:
            wire.connect(daemon.path)
            if number % 3:
                wire.sendall((b'', b'\0\0\0\x0dO', os.urandom(50))[number % 3])
    until(lambda: status(daemon, 'connections') == 0, 10, 'nobody is left')
    true(files() <= before + 1, '%d descriptors, %d before' % (files(), before))
    with opened(daemon) as mta:
        mta.mail()
        equal(mta.rcpt()[0], 'c', 'RCPT')


@case('a packet that was begun is finished within a minute; who is idle may stay for hours')
def clock(scene):
    if 'LD_PRELOAD' in gatepost.environment():
        raise tap.Skip('something else is preloaded')
    shift = place.write(place.folder() + '/clock', '%-20d' % 0)
    before = dict(os.environ)
    os.environ.update(LD_PRELOAD=gatepost.BUILD + '/test/lib/libclockshift.so',
                      CLOCKSHIFT_FILE=shift, CLOCKSHIFT_ALL='1',
                      ASAN_OPTIONS='detect_leaks=1:verify_asan_link_order=0')
    try:
        daemon = scene.fresh(dnsbl_sites='')
    finally:
        os.environ.clear()
        os.environ.update(before)

    def move(seconds):
        time.sleep(0.5)  # what was sent before is taken before
        with open(shift, 'r+') as handle:
            handle.write('%-20d' % seconds)
        time.sleep(2)  # a loop comes round once a second
    idle, begun, late, crumb = (opened(daemon) for _ in range(4))
    idle.mail()
    begun.socket.sendall(struct.pack('>I', 16) + b'R<bob')
    crumb.socket.sendall(b'\0')
    move(50)
    late.mail()
    late.socket.sendall(struct.pack('>I', 16) + b'R<bob')
    begun.nothing_more()
    move(70)
    for mta in (begun, crumb):
        mta.socket.settimeout(60)
        equal(mta.socket.recv(1), b'', 'what was begun more than a minute ago')
    late.socket.sendall(b'@lab.test>\0')
    equal(late.get()[0], 'c', 'what was begun a short time ago')
    move(3 * 3600)
    for mta in (idle, late):
        equal(mta.rcpt()[0], 'c', 'after three hours')
        equal(mta.message()[0], 'c', 'the end')
    equal(len([line for line in daemon.lines if 'begins a packet' in line]), 1, 'lines of the log')


@case('over TCP a machine that has vanished is found out: kept alive by the kernel')
def keepalive(scene):
    daemon = gatepost.Gatepost({'milter_threads': '1'}).start()
    with Milter(daemon.port) as mta:
        mta.negotiate()
        with open('/proc/net/tcp') as handle:
            rows = [line.split() for line in handle]
        timers = [row[5][:2] for row in rows
                  if row[1].endswith(':%04X' % daemon.port) and row[3] == '01']
        equal(timers, ['02'], 'the timer of the connection')
    equal(daemon.stop(), 0, 'exit code')


def away(size):
    """An automatic reply of SIZE bytes of its own words, and a quotation."""
    own = ''.join('I am away until Monday, %d times\r\n' % number for number in range(size // 33))
    return own, own + '\r\nYou wrote:\r\n' + ''.join('> line %d of what was written\r\n' % number
                                                    for number in range(20))


@case('another body leaves packet by packet, as the MTA takes it, and holds up nobody')
def another_body(scene):
    daemon = scene.fresh(milter_threads='1', dnsbl_sites='', autoreply_guard='strip',
                         mynetworks='203.0.113.9')
    own, text = away(900000)
    mta = opened(daemon)
    mta.mail('<bob@lab.test>')
    equal(mta.rcpt('<noreply@partner.example>')[0], 'c', 'RCPT')
    for name, value in (('From', ' bob@lab.test'), ('To', ' noreply@partner.example'),
                        ('Subject', ' Away'), ('Auto-Submitted', ' auto-replied')):
        mta.header(name, value)
    mta.ask('N')
    for at in range(0, len(text), 65535):
        equal(mta.ask('B', text[at:at + 65535].encode())[0], 'c', 'BODY')
    mta.put('E')
    time.sleep(0.5)  # all that the socket takes is in it
    with opened(daemon) as other:
        other.mail()
        equal(other.rcpt('<bob@lab.test>')[0], 'c', 'somebody else, meanwhile')
    equal(status(daemon, 'under_way'), 1, 'not at its end before it is said')
    equal(mta.get()[0], 'c', 'the end')
    pieces = [data for code, data in mta.changes if code == 'b']
    true(len(pieces) > 10 and max(map(len, pieces)) <= 65535, 'pieces of the body')
    equal(b''.join(pieces)[:len(own)].decode() == own, True, 'its own words')
    true(b'of what was written' not in b''.join(pieces), 'the quotation is gone')
    mta.nothing_more()
    mta.close()


@case('a thousand connects a second: each is answered, and the log tells of each fault once')
def rush(scene):
    daemon = scene.fresh(dnsbl_sites='')
    mark, begun, times = daemon.mark(), time.monotonic(), []
    for number in range(2000):
        time.sleep(max(begun + number / 1000 - time.monotonic(), 0))
        asked = time.monotonic()
        with socket.socket(socket.AF_UNIX) as wire:
            wire.connect(daemon.path)
            if number % 2:
                wire.sendall(b'GET / HTTP/1.0\r\n\r\n')
                continue
            wire.sendall(struct.pack('>IBIII', 13, ord('O'), 6, ALL_ACTIONS, ALL_STEPS))
            wire.settimeout(60)
            equal(len(wire.recv(5)), 5, 'an answer')
        times.append(time.monotonic() - asked)
    late = sorted(times)[-5:]  # fewer may have been held up by what else the machine does
    true(late[0] < 1, 'first answers after %s s' % late)
    until(lambda: status(daemon, 'connections') == 0, 10, 'nobody is left')
    faults = [line for line in daemon.lines[mark:] if 'level=warning' in line]
    equal(len(faults), 1, 'lines of the log: ' + '\n'.join(faults))


@case('without descriptors the MTA waits, and nothing spins')
def descriptors(scene):
    daemon = scene.fresh(dnsbl_sites='')
    daemon.wait_log(0, ' at work, ')
    pid = daemon.process.pid
    count = len(os.listdir('/proc/%d/fd' % pid))
    daemon.limit_files(count + 10)
    peers = [socket.socket(socket.AF_UNIX) for _ in range(40)]
    for peer in peers:
        peer.connect(daemon.path)
    daemon.wait_log(0, 'no descriptors are left')

    def ticks():
        with open('/proc/%d/stat' % pid) as handle:
            return sum(int(word) for word in handle.read().rsplit(')', 1)[1].split()[11:13])
    begun = ticks()
    time.sleep(1)
    true(ticks() - begun < 30, '%d ticks in a second' % (ticks() - begun))
    for peer in peers[:-3]:
        peer.close()
    peers[-1].settimeout(60)
    peers[-1].sendall(struct.pack('>IBIII', 13, ord('O'), 6, ALL_ACTIONS, ALL_STEPS))
    true(peers[-1].recv(5), 'the last one is answered')
    for peer in peers:
        peer.close()


@case('another engine takes a restart, as reload says; the status tells which one serves')
def restart(scene):
    daemon = scene.fresh()
    equal(status(daemon, 'milter_engine'), 'native', 'engine')
    done = daemon.control('reload')
    equal(done.returncode, 0, 'reload')
    daemon.configure({**daemon.settings, 'milter_engine': 'libmilter', 'milter_threads': '1'})
    done = daemon.control('reload')
    text = done.stdout + done.stderr
    match(r'(?s).*milter_engine: changed, which takes a restart; "native" stays in force', text)
    match(r'(?s).*milter_threads: changed, which takes a restart', text)
    equal(status(daemon, 'milter_engine'), 'native', 'engine')


@case('a stop with open connections takes no seconds')
def stop(scene):
    daemon = scene.fresh()
    peers = [opened(daemon) for _ in range(20)]
    peers[0].mail()
    peers[0].abort()
    peers[1].put('R')
    begun = time.monotonic()
    scene.daemon = None
    equal(daemon.stop(), 0, 'exit code')
    equal(daemon.sanitizer_report(), '', 'sanitizers')
    true(time.monotonic() - begun < 20, '%.1f s' % (time.monotonic() - begun))
    for peer in peers:
        peer.socket.close()


def show(scene):
    tap.note('\n'.join(scene.daemon.lines[-5:]) if scene.daemon else '')


if gatepost.missing():
    tap.skip_all(gatepost.missing())
tap.run(Scene, lambda scene: scene and scene.stop(), show)
