# SPDX-License-Identifier: BSD-2-Clause
"""The faults, a row each. While one lasts mail goes on; after each the daemon must serve as before.
A fault says by world.window('away') that senders may be put off meanwhile, and by
world.window('lists') that listed clients may pass: outside of these windows neither may happen."""
import collections
import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time

import gatepost
import tap
from tap import Skip, equal, match, true, until

import measure
import peers
import redis
from world import GREEDY

# keeps: the process survives. work(world, seconds, chance): lasts about as many seconds.
Fault = collections.namedtuple('Fault', 'title keeps work')
FAULTS = []
CLIENT = gatepost.BUILD + '/test/bench/client'
DAY = 86400
HANG = 8  # seconds at most that MTAs hang in mid-packet


def fault(title, keeps=True):
    def register(work):
        FAULTS.append(Fault(title, keeps, work))
        return work
    return register


def steps(seconds, pause):
    """Numbers, one every PAUSE seconds."""
    end, number = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        yield number
        number += 1
        time.sleep(pause)


# Settings and tables

@fault('reloads by signal, and smtp-source at full speed: all it sends is accepted')
def reload_signals(world, seconds, chance):
    before = world.daemon.status()['reloads']
    load = world.traffic.burst_begin()
    for number in steps(seconds, 0.2):
        world.daemon.process.send_signal((signal.SIGUSR1, signal.SIGHUP)[number % 2])
    equal(world.traffic.burst_end(load), (0, ''), 'smtp-source')
    until(lambda: world.daemon.status()['reloads'] > before, 30, 'a reload')


@fault('reloads by gatepostctl, each with other settings, and a milter client at full speed')
def reload_command(world, seconds, chance):
    client = subprocess.Popen([CLIENT, '-c', '8', '-n', '1500', '-m', '3', '-b', '2000',
                               world.daemon.path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for number in steps(seconds, 0.3):
        world.daemon.reload(world.daemon.ordinary(header_limit=('1m', '2m')[number % 2],
                                                  reject_score=('10', '12')[number % 2]))
    out, error = client.communicate(timeout=240)
    equal(client.returncode, 0, 'exit of the client (%s)' % error.decode())
    equal(json.loads(out)['accepted'], 1500, 'accepted messages')
    world.daemon.reload(world.daemon.ordinary())


@fault('broken settings: the old ones stay in force')
def broken_settings(world, seconds, chance):
    good = open(world.daemon.file).read()
    more = ('mode = maybe\n', 'relay_restrictions = permit\n',
            'client_restrictions = check_client_access cidr:/no/such/file\n')
    try:
        for number in steps(seconds, 0.3):
            if number % 2:
                world.daemon.write(chance.choice(('no_such_parameter = 1\n', '\0\0\0', '[')))
                world.daemon.process.send_signal(signal.SIGUSR1)
            else:
                world.daemon.write(good.replace('[limit', chance.choice(more) + '[limit'))
                equal(world.daemon.control('reload').returncode, 78, 'exit of a broken reload')
    finally:
        world.daemon.write(good)
        world.daemon.reload()


@fault('rule files that change, vanish and are broken')
def rules(world, seconds, chance):
    path = 'rules/more.cf'
    for number in steps(seconds, 0.3):
        if number % 4 == 3:
            world.daemon.table(path, 'header SOAK_BROKEN Subject =~ /(/\n')
            true(world.daemon.control('reload').returncode != 0, 'a broken rule was taken')
            continue
        world.daemon.table(path, ''.join(
            'header SOAK_%d Subject =~ /nothing%d[a-z]+%d/\nscore SOAK_%d 3\n' % (n, n, number, n)
            for n in range(chance.randrange(200))))
        world.daemon.reload()
    os.unlink(world.daemon.folder + '/' + path)
    world.daemon.reload()


@fault('tables replaced by rename')
def tables(world, seconds, chance):
    for number in steps(seconds, 0.25):
        world.junk_tables(chance.randrange(3000))
    world.junk_tables(0)


@fault('tables rewritten in place, slowly, and what is no table in their place')
def tables_in_place(world, seconds, chance):
    path = world.daemon.folder + '/clients'
    whole = world.junk_tables(2000)['clients']
    for number in steps(seconds, 0.1):
        with open(path, 'r+') as handle:
            handle.truncate(0)
            for start in range(0, len(whole), len(whole) // 3 + 1):
                handle.write(whole[start:start + len(whole) // 3 + 1])
                handle.flush()
                time.sleep(0.15)
        if number % 3 == 2:
            os.unlink(path)
            (os.mkdir, os.mkfifo, lambda name: os.symlink('/no/such/file', name))[
                chance.randrange(3)](path)
            time.sleep(1.5)
            (os.rmdir if os.path.isdir(path) else os.unlink)(path)
            world.daemon.table('clients', whole)
    world.junk_tables(0)


# DNS lists

@contextlib.contextmanager
def without_lists(world):
    """They serve again, and are used again, at the end."""
    with world.window('lists'):
        yield
        if not world.lists.process:
            world.lists.start()
        # A list that was set aside is asked again by and by, and after a reload.
        world.daemon.reload()
        until(lambda: world.traffic.one('listed').startswith('554'), 60, 'a listed client refused')


@fault('DNS lists that fall silent and come back')
def lists_silent(world, seconds, chance):
    with without_lists(world):
        world.lists.process.send_signal(signal.SIGSTOP)
        try:
            time.sleep(seconds)
        finally:
            world.lists.process.send_signal(signal.SIGCONT)


@fault('DNS lists that die and come back')
def lists_die(world, seconds, chance):
    with without_lists(world):
        for _ in steps(seconds, 0.5):
            if world.lists.process:
                world.lists.stop()
            else:
                world.lists.start()


# The machine

@fault('the file system of state and log is full')
def disk_full(world, seconds, chance):
    if not world.small:
        raise Skip('no mount namespace of our own')
    with full(world), greedy(world) as more:
        for _ in steps(seconds, 0.5):
            world.daemon.reload()
            more(1)


@contextlib.contextmanager
def full(world):
    path = world.daemon.small + '/filler'
    try:
        with open(path, 'wb', buffering=0) as filler:
            while True:
                try:
                    if filler.write(b'x' * 65536) < 65536:
                        break
                except OSError:
                    break
        equal(shutil.disk_usage(world.daemon.small).free, 0, 'bytes free')
        yield
    finally:
        os.unlink(path)


# The store

class Counter:
    number = 0


@contextlib.contextmanager
def greedy(world, times=1):
    """Somebody who sends before, meanwhile (what is yielded does it) and afterwards as much as he may:
    never more than his limit in all, or TIMES as much, and never less."""
    Counter.number += 1
    who = 'who%d' % Counter.number
    passed = [world.traffic.greedy(who, 5)]
    equal(passed, [5], 'before the fault')
    yield lambda tries: passed.append(world.traffic.greedy(who, tries))
    passed.append(world.traffic.greedy(who, GREEDY + 5))
    true(GREEDY <= sum(passed) <= times * GREEDY, 'of at most %d passed %s' % (GREEDY, passed))


@fault('the file of the state is removed, again and again')
def state_removed(world, seconds, chance):
    with greedy(world) as more:
        for _ in steps(seconds, 0.7):
            for end in ('', '-wal', '-shm'):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(world.daemon.state + end)
            more(1)


@fault('the file of the history is removed, broken and locked, again and again')
def history_away(world, seconds, chance):
    path = world.daemon.history
    for number in steps(seconds, 0.7):
        with contextlib.suppress(FileNotFoundError):
            if number % 3 == 0:
                for end in ('', '-wal', '-shm'):
                    os.unlink(path + end)
            elif number % 3 == 1:
                with open(path, 'r+b') as handle:
                    handle.write(os.urandom(8192))
            else:
                lock = sqlite3.connect(path, isolation_level=None)
                with contextlib.suppress(sqlite3.Error):
                    lock.execute('BEGIN IMMEDIATE')
                    time.sleep(0.5)
                    lock.execute('ROLLBACK')
                lock.close()
    until(lambda: world.daemon.status()['history']['up'], 30, 'the history is written again')


@fault('the file system of the history is full: rows wait or are counted, mail does neither', keeps=False)
def history_full(world, seconds, chance):
    if not world.small:
        raise Skip('no mount namespace of our own')

    def begin(**settings):
        with world.down(in_order):
            world.daemon.configure(world.daemon.ordinary(**settings))

    def history():
        return world.daemon.status()['history']
    begin(history='sqlite:%s/history.db' % world.daemon.small, history_size='1m')
    try:
        until(lambda: history()['written'] > 0, 20, 'the first rows')
        with full(world):
            until(lambda: history()['failing_since'], 30, 'what is said of it')
            for _ in steps(seconds, 0.5):
                world.daemon.reload()
            true(history()['waiting'] + history()['dropped'] > 0, 'rows that wait or are counted')
        until(lambda: history()['up'] and not history()['failing_since'], 30, 'it is written again')
    finally:
        begin()


@contextlib.contextmanager
def on_redis(world):
    """The state is on a server for a while."""
    server = redis.Redis()

    def begin(**settings):
        with world.down(in_order):
            world.daemon.configure(world.daemon.ordinary(**settings))
    try:
        begin(state='redis+unix:' + server.path)
        until(lambda: world.daemon.status()['store']['up'], 20, 'the server')
        yield server
    finally:
        begin()
        server.stop()


def back(world):
    until(lambda: world.daemon.status()['store']['up'], 20, 'the server')


@fault('the Redis server is killed, stopped, made a replica, and comes back empty', keeps=False)
def redis_faults(world, seconds, chance):
    if redis.missing():
        raise Skip(redis.missing())
    with on_redis(world) as server:
        with greedy(world) as more:
            server.pause()
            more(8)
            server.go_on()
            back(world)
        with greedy(world) as more:
            server.ask('REPLICAOF', '127.0.0.1', '1')
            more(8)
            server.ask('REPLICAOF', 'NO', 'ONE')
            back(world)
        with greedy(world, 2) as more:
            server.stop()
            more(8)
            server.start()
            back(world)
        with greedy(world, 2) as more:
            server.ask('FLUSHALL')
            more(8)


@fault('no file may grow (RLIMIT_FSIZE)')
def file_size(world, seconds, chance):
    before = world.daemon.limit('fsize', 1)
    try:
        for _ in steps(seconds, 0.5):
            world.daemon.reload()
    finally:
        world.daemon.limit('fsize', before)


@fault('the clock jumps')
def clock(world, seconds, chance):
    begun = world.daemon.status()['uptime']
    try:
        world.set_clock(10 * DAY)
        true(world.daemon.status()['uptime'] - begun >= 10 * DAY, 'the clock can be set')
        for _ in steps(seconds, 0.4):
            world.set_clock(chance.choice((1, -1, 3600, -3600, 10 * DAY, -10 * DAY, 20 * 365 * DAY,
                                           100 * 365 * DAY, -int(time.time()) + 1)))
    finally:
        world.set_clock(0)


@fault('Postfix reloads')
def postfix_reloads(world, seconds, chance):
    for _ in steps(seconds, 0.5):
        world.postfix.process.send_signal(signal.SIGHUP)


@fault('no more descriptors')
def descriptors(world, seconds, chance):
    daemon = world.daemon
    with world.window('away'):
        before = daemon.limit('nofile',
                              measure.measure(daemon.process.pid).files + 3)
        try:
            with peers.Crowd() as crowd:
                for _ in steps(seconds, 0.2):
                    for _ in range(5):
                        with contextlib.suppress(OSError):
                            crowd.add(peers.connected(daemon.path))
                    daemon.process.send_signal(signal.SIGUSR1)
        finally:
            daemon.limit('nofile', before)
        world.serves()


@fault('the process is stopped for a while, as when a machine swaps')
def stopped(world, seconds, chance):
    for _ in steps(seconds, 0.5):
        world.daemon.process.send_signal(signal.SIGSTOP)
        time.sleep(0.7)
        world.daemon.process.send_signal(signal.SIGCONT)


# Peers

@fault('clients that hang in each stage of SMTP')
def hanging_clients(world, seconds, chance):
    with peers.Crowd() as crowd:
        for _ in range(3):
            for dialog in peers.smtp_stages(world.postfix.ports['mx']):
                crowd.add(dialog)
        time.sleep(seconds)


@fault('MTAs that hang in each stage of the milter protocol')
def hanging_mtas(world, seconds, chance):
    with peers.Crowd() as crowd:
        for _ in range(10):
            for stage in range(peers.STAGES):
                mta = crowd.add(peers.milter_stage(world.daemon.path, stage))
                if chance.random() < 0.5:
                    mta.socket.sendall(peers.packet('M', b'x' * 100)[:chance.randrange(1, 50)])
        # libmilter's pool may answer nobody else meanwhile, and Postfix waits for 30 s.
        time.sleep(min(seconds, HANG))


@fault('a thousand connections that stay and say nothing, and a port scanner')
def silent(world, seconds, chance):
    with peers.Crowd() as crowd:
        for number in range(1000):
            crowd.add(peers.connected(world.daemon.path))
            if number % 50 == 49:  # the backlog is others' as well
                time.sleep(0.05)
        for _ in steps(seconds, 0.02):
            peers.leave(world.daemon.path)


@fault('a flood of connections that leave at once')
def flood(world, seconds, chance):
    path = world.daemon.path
    with world.window('away'):  # while the backlog is full
        peers.meanwhile([lambda: peers.leave(path)] * 3, seconds)
        world.serves()


@fault('garbage instead of the milter protocol')
def garbage(world, seconds, chance):
    path = world.daemon.path
    peers.meanwhile([lambda: peers.garbage(path, chance)] * 3, seconds)


@fault('the control socket is flooded, and still answers')
def control_flood(world, seconds, chance):
    path = world.daemon.settings['control_socket']
    with peers.Crowd() as crowd:
        for _ in range(10):
            crowd.add(peers.connected(path))
        peers.meanwhile([lambda: peers.control_abuse(path, chance)] * 3
                        + [lambda: world.daemon.status()], seconds)
    world.daemon.status()


# The end of the process

@fault('killed in mid-transaction', keeps=False)
def killed(world, seconds, chance):
    for _ in steps(seconds, 0.5):
        with world.down(lambda daemon: daemon.kill()):
            pass


@fault('dead for a while: all is put off, nothing passes', keeps=False)
def dead(world, seconds, chance):
    with world.down(lambda daemon: daemon.kill()):
        for name in ('plain', 'relay', 'spam', 'inside'):
            match('^4', world.traffic.one(name), 'a message while it is dead')
        time.sleep(seconds / 2)


def in_order(daemon):
    equal(daemon.stop(), 0, 'exit code')


@fault('stopped in order under load', keeps=False)
def terminated(world, seconds, chance):
    for _ in steps(seconds, 0.5):
        with world.down(in_order):
            pass


@fault('stopped and started while the file system is full', keeps=False)
def terminated_full(world, seconds, chance):
    if not world.small:
        raise Skip('no mount namespace of our own')
    with full(world):
        with world.down(in_order):
            pass
        time.sleep(1)
    with world.down(in_order):
        pass


@fault('started with broken settings: refused, and mail with it', keeps=False)
def broken_start(world, seconds, chance):
    good = open(world.daemon.file).read()
    with world.down(lambda daemon: daemon.kill()):
        world.daemon.write(good + 'no_such_parameter = 1\n')
        world.daemon.start(wait=False)
        equal(world.daemon.process.wait(30), 78, 'exit code')
        world.daemon.process = None
        match('^4', world.traffic.one('relay'), 'a message while it is dead')
        world.daemon.write(good)


@fault('no more memory', keeps=False)
def memory(world, seconds, chance):
    if os.environ.get('SOAK_SANITIZED'):
        raise Skip('sanitizers need memory without end')
    world.may_die += 1
    try:
        with world.window('away'):
            for _ in steps(seconds, 0.5):
                with contextlib.suppress(OSError, EOFError, AttributeError):
                    starve(world, chance.choice((0, 1, 8, 32)))
            # libmilter forgets sessions for which it could not make a thread.
            with world.down(lambda daemon: daemon.kill()):
                pass
            world.serves()
    finally:
        world.may_die -= 1
        tap.note('out of memory it ended by itself with %s' % (world.allowed_deaths or 'nothing'))


def starve(world, room):
    """Allows the daemon as many MB more, and asks for more."""
    process = world.daemon.process
    world.daemon.limit('data', (measure.data(process.pid) << 10) + (room << 20))
    process.send_signal(signal.SIGUSR1)
    with peers.Crowd() as crowd:
        peers.large_headers(crowd, world.daemon.path)
