#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What differs between the milter engines, as the table of gatepost(8) has it: each row that shows
within seconds, with both."""
import glob
import json
import os
import re
import resource
import socket
import struct
import sys
import time
sys.path.insert(0, sys.path[0] + '/../lib')
import gatepost
import lists
from milter import Milter
import tap
from tap import case, equal, match, true, until

ENGINES = ('libmilter', 'native')
PAGE = os.path.dirname(os.path.abspath(__file__)) + '/../../packaging/man/gatepost.8.in'
WAIT = 4   # dnsbl_timeout, in seconds
PEERS = 24
ROOM = 16384  # descriptors that need no more room, where so many are allowed
LOOPS = 2
# The rows of the table; where another test looks, which one.
ROWS = {
    'threads': None,
    'a connection that waits': 'bench/engines bursts; daemon-native: holds up no new connection',
    'a wait that lasts 3 s': None,
    'an MTA that hangs up': None,
    'what fits nowhere': None,
    'a packet begun': 'daemon-native: a packet that was begun is finished within a minute',
    'the clock is set': 'soak: the clock jumps',
    'Sendmail over TCP': 'e2e-native-sendmail-engine: a recipient takes Sendmail no 40 ms over TCP',
}


class Scene:
    """Both, asking a list that answers nothing but probes; and what was seen of sessions that wait
    for it."""

    def __init__(self):
        self.server = lists.BadServer().start()
        self.daemons, self.seen = {}, {}
        for engine in ENGINES:
            self.daemons[engine] = daemon = gatepost.Gatepost({
                'milter_engine': engine, 'milter_threads': str(LOOPS), 'stop_timeout': '1s',
                'dns_servers': self.server.address(), 'dnsbl_timeout': '%ds' % WAIT,
                'dnsbl_sites': 'list.silent.test*3'}, unix=True).start()
            daemon.wait_log(0, ' at work, ')
        for engine in ENGINES:
            self.seen[engine] = self.wait(self.daemons[engine])

    def wait(self, daemon):
        before = threads(daemon)
        peers = [opened(daemon) for _ in range(PEERS)]
        begun = time.monotonic()
        for peer in peers:
            peer.mail()
            peer.put('R', b'<bob@lab.test>\0')
        more = 0
        while time.monotonic() < begun + 1.5:
            more = max(more, threads(daemon) - before)
            time.sleep(0.05)
        for peer in peers[1:]:
            peer.socket.close()
        time.sleep(0.5)
        left = status(daemon, 'connections')
        letters = answers(peers[0])
        took = time.monotonic() - begun
        until(lambda: status(daemon, 'connections') == 1, 10, 'the others have gone')
        peers[0].close()
        return {'more': more, 'left': left, 'letters': letters, 'took': took}

    def stop(self):
        for daemon in self.daemons.values():
            equal(daemon.stop(), 0, 'exit code')
            equal(daemon.sanitizer_report(), '', 'sanitizers')


def opened(daemon):
    mta = Milter(daemon.path)
    mta.negotiate()
    mta.connect(client_addr='203.0.113.9')
    mta.helo()
    return mta


def answers(mta):
    letters = ''
    while not letters.endswith('c'):
        length, = struct.unpack('>I', mta.read_exactly(4))
        letters += chr(mta.read_exactly(length)[0])
    return letters


def threads(daemon):
    with open('/proc/%d/status' % daemon.process.pid) as handle:
        return int(re.search(r'Threads:\s+(\d+)', handle.read())[1])


def room(daemon):
    """How many descriptors the kernel has room for, without making more."""
    with open('/proc/%d/status' % daemon.process.pid) as handle:
        return int(re.search(r'^FDSize:\s*(\d+)', handle.read(), re.M)[1])


def named(daemon, name):
    """How many of its threads have the name."""
    return sum(open(path).read().strip() == name
               for path in glob.glob('/proc/%d/task/*/comm' % daemon.process.pid))


def status(daemon, key):
    return json.loads(daemon.control('status', '--json').stdout)[key]


@case('the table has the rows that are tried here or elsewhere, and no others')
def table(scene):
    with open(PAGE) as handle:
        text = re.search(r'(?s)What differs:\n(.*?)\.El', handle.read())[1]
    found = re.findall(r'(?m)^\.It (?!Em|to stall|Ta|stall)([^.]+?) Ta ', text)
    equal(sorted(found), sorted(ROWS), 'rows')


@case('threads: libmilter makes more for sessions that wait, and native none')
def own_threads(scene):
    true(scene.seen['libmilter']['more'] > 2, '%(more)d more' % scene.seen['libmilter'])
    true(scene.seen['native']['more'] <= 1, '%(more)d more' % scene.seen['native'])  # of others
    daemon = scene.daemons['native']
    equal([named(daemon, name) for name in ('loop', 'worker', 'greeter')], [LOOPS, LOOPS, 1],
          'loops, workers and who greets')
    daemon = gatepost.Gatepost({'milter_engine': 'native'}, unix=True).start()
    with Milter(daemon.path) as mta:
        mta.negotiate()
        equal(named(daemon, 'loop'), len(os.sched_getaffinity(0)), 'loops, where nobody says how many')
    equal(daemon.stop(), 0, 'exit code')


@case('room for descriptors is made before there are threads, which would stand still for it')
def descriptors(scene):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]  # the daemons' too
    for engine in ENGINES:
        daemon = scene.daemons[engine]
        true(room(daemon) >= min(hard, ROOM), '%s: %d of %d' % (engine, room(daemon), hard))


@case('a wait that lasts 3 s: progress is told natively, and nothing by libmilter')
def progress(scene):
    for engine, letters in (('libmilter', 'c'), ('native', 'pc')):
        true(scene.seen[engine]['took'] > 3, 'it waited %(took).1f s' % scene.seen[engine])
        equal(scene.seen[engine]['letters'], letters, engine)


@case('an MTA that hangs up is seen at once natively, after the wait by libmilter')
def hang_up(scene):
    true(scene.seen['libmilter']['left'] > 1, 'libmilter, half a second later')
    equal(scene.seen['native']['left'], 1, 'natively')


@case('what fits nowhere is passed over by libmilter, and ends the connection natively')
def nowhere(scene):
    for engine, daemon in scene.daemons.items():
        mta = opened(daemon)
        mta.put('R', b'<bob@lab.test>\0')
        mta.socket.settimeout(0.5 if engine == 'libmilter' else 10)
        try:
            heard = mta.socket.recv(100)
        except socket.timeout:
            heard = None
        equal(heard, None if engine == 'libmilter' else b'', engine)
        if heard is None:
            mta.socket.settimeout(10)
            mta.mail()
            match('^550 5.7.1 ', mta.rcpt('<x@remote.example>')[1])
        mta.socket.close()


@case('IPv6 is served, too')
def families(scene):
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(('::1', 0))
        except OSError as error:
            raise tap.Skip('no IPv6: %s' % error)
        six = probe.getsockname()[1]
    for engine in ENGINES:
        for address in ('inet6:%d@::1' % six, 'inet6:%d@[::1]' % six):
            daemon = gatepost.Gatepost({'milter_engine': engine, 'milter_socket': address})
            daemon.answers = lambda: reached(('::1', six))
            daemon.start()
            with Milter(('::1', six)) as mta:
                mta.negotiate()
                mta.connect()
                mta.helo()
                mta.mail()
                match('^550 5.7.1 ', mta.rcpt('<x@remote.example>')[1], address)
            equal(daemon.stop(), 0, 'exit code')


def reached(address):
    try:
        socket.create_connection(address).close()
    except OSError:
        return False
    return True


if gatepost.missing():
    tap.skip_all(gatepost.missing())
tap.run(Scene, lambda scene: scene and scene.stop())
