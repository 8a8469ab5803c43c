#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Four daemons on one Redis server: they count together, exactly, and each by itself while the
server is away. The clients here speak the milter protocol themselves."""
import os
import re
import sys
import threading
import time
sys.path.insert(0, sys.path[0] + '/../lib')
import gatepost
import redis
import tap
from milter import Milter
from tap import case, equal, match, true

TLS = {'tls_version': 'TLSv1.3', 'cipher': 'X', 'cipher_bits': '256'}
LIMITED = '''[limit out]
key = sasl_user
max = %d
per = 1d
'''
LISTS = {'recipient_restrictions': 'check_limit out permit_sasl_authenticated',
         'message_restrictions': 'permit', 'rule_files': '', 'user': 'root'}
NUMBER = [0]


def fresh():
    NUMBER[0] += 1
    return 'user%d' % NUMBER[0]


def send(mta, login, recipients=1):
    """One message; 'ok' or the reply."""
    mta.mail('<bob@lab.test>', auth_type='PLAIN', auth_authen=login)
    for number in range(recipients):
        answer = mta.rcpt('<to%d@far.test>' % number)
        if answer[0] != 'c':
            mta.abort()
            return answer[1]
    code, text = mta.message()
    return 'ok' if code in 'ac' else text


def session(daemon):
    mta = Milter(daemon.port, timeout=60)
    mta.negotiate()
    mta.connect(daemon_name='submission', **TLS)
    mta.helo(**TLS)
    return mta


# What a server may answer to a count or a probe, and what the log says of it.
CLUSTER = ' (this is a cluster, which gatepost does not speak to)'
ERRORS = [('MISCONF Redis is configured to save RDB snapshots, but cannot persist on disk', ''),
          ('LOADING Redis is loading the dataset in memory', ''),
          ("OOM command not allowed when used memory > 'maxmemory'", ''),
          ('CLUSTERDOWN Hash slot not served', CLUSTER),
          ('MOVED 3999 127.0.0.1:6381', CLUSTER),
          ('NOAUTH Authentication required.', ''),
          ('READONLY You can\'t write against a read only replica.', ''),
          ('ERR unknown', '')]


class Fleet:
    def __init__(self):
        self.redis = redis.Redis()
        self.front = redis.Front(self.redis)
        self.daemons = []

    def begin(self, count=4, maximum=500, timeout='5s', path=None, up=True, **settings):
        self.end()
        state = 'redis+unix:' + (path or self.redis.path)
        self.daemons = [gatepost.Gatepost({**LISTS, 'state': state, 'state_timeout': timeout,
                                           **settings}, LIMITED % maximum) for _ in range(count)]
        for daemon in self.daemons:
            daemon.start()
        if up:
            tap.until(lambda: all(passes(daemon) for daemon in self.daemons), 20, 'the store')
        return self.daemons

    def end(self):
        for daemon in self.daemons:
            daemon.stop()
        self.daemons = []

    def stop(self):
        self.end()
        self.redis.stop()

    def log(self):
        return [line for daemon in self.daemons for line in daemon.log()[-10:]]


def passes(daemon):
    """Whether the daemon counts on the server by now."""
    return ': up' in daemon.control('status').stdout


def crowd(daemons, login, connections=64, tries=4):
    passed, failures = [], []
    gate = threading.Barrier(connections * len(daemons))

    def run(daemon):
        try:
            mta = session(daemon)
            gate.wait(120)
            for _ in range(tries):
                answer = send(mta, login)
                if answer == 'ok':
                    passed.append(1)
                elif not answer.startswith('450 4.7.0'):
                    failures.append(answer)
            mta.close()
        except Exception as fault:  # noqa: a thread's failure must be seen
            failures.append(repr(fault))
    threads = [threading.Thread(target=run, args=(daemon,))
               for daemon in daemons for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(failures[:3], [], 'failures')
    return len(passed)


def used(fleet, login):
    """What the server says."""
    total = 0
    for key in keys(fleet, login):
        text = fleet.redis.ask('EVAL', "local s = 0 for i, v in ipairs(redis.call('HGETALL', "
                               "KEYS[1])) do if i % 2 == 0 and string.match(redis.call('HKEYS', "
                               "KEYS[1])[i / 2], '^s') then s = s + v end end return tostring(s)",
                               '1', key)
        total += int(float(text))
    return total


def keys(fleet, login):
    return ['gp1:l:out|86400|' + login]


@case('four daemons with sixty-four connections each: exactly as many as may')
def exact(fleet):
    daemons = fleet.begin(timeout='10s')
    login = fresh()
    equal(crowd(daemons, login), 500)
    equal(used(fleet, login), 500, 'on the server')
    fleet.redis.ask('SCRIPT', 'FLUSH')
    equal(crowd(daemons, fresh(), 16), 4 * 16 * 4, 'less than the limit')


@case('a killed daemon has charged no more than its messages at their end')
def killed(fleet):
    daemons = fleet.begin(2)
    login = fresh()
    first = session(daemons[0])
    first.mail('<bob@lab.test>', auth_type='PLAIN', auth_authen=login)
    equal(first.rcpt('<a@far.test>')[0], 'c')
    daemons[0].kill()
    mta = session(daemons[1])
    equal(send(mta, login, 3), 'ok')
    equal(used(fleet, login), 3)


@case('a server that is killed: mail goes on, never more than max a daemon, and the count is added')
def away(fleet):
    daemons = fleet.begin(2, 10, timeout='10s')
    login = fresh()
    sessions = [session(daemon) for daemon in daemons]
    equal([send(mta, login, 2) for mta in sessions], ['ok', 'ok'])
    mark = daemons[0].mark()
    fleet.redis.stop()
    daemons[0].wait_log(mark, 'warning', 'limits are counted by each daemon by itself')
    start = time.monotonic()
    answers = [send(sessions[0], login, 2) for _ in range(8)]
    true(time.monotonic() - start < 10, 'waited for a server that is away')
    equal(answers.count('ok'), 4, 'of ten recipients two were sent: %s' % answers)
    match('^450 4.7.0', answers[-1])
    true(': DOWN' in daemons[0].control('status').stdout, daemons[0].control('status').stdout)
    fleet.redis.start()
    daemons[0].wait_log(mark, 'is back')
    tap.until(lambda: used(fleet, login) == 8, 10, 'the count of meanwhile')
    equal(sum('by itself' in line for line in daemons[0].log(mark)), 1, 'warnings')


@case('a server that is paused: the first waits for state_timeout, nobody after the third')
def paused(fleet):
    daemon = fleet.begin(1, 1000, timeout='2s')[0]
    login = fresh()
    mta = session(daemon)
    equal(send(mta, login), 'ok')
    fleet.redis.pause()
    waits = []
    for _ in range(6):
        start = time.monotonic()
        equal(send(mta, login), 'ok')
        waits.append(time.monotonic() - start)
    true(waits[0] < 2 * 2 + 1.5, 'the first waited %.2f s' % waits[0])
    true(max(waits[3:]) < 1.5, 'waits after the third: %s' % waits)
    fleet.redis.go_on()
    tap.until(lambda: used(fleet, login) == 7, 10, 'the count')
    time.sleep(0.5)
    equal(used(fleet, login), 7)


@case('each error of a server: one warning, mail goes on up to max, and the count is added')
def errors(fleet):
    daemon = fleet.begin(1, 6, path=fleet.front.path)[0]
    mta = session(daemon)
    for error, more in ERRORS:
        login, mark = fresh(), daemon.mark()
        equal(send(mta, login), 'ok')
        fleet.front.says = error
        answers = [send(mta, login) for _ in range(7)]
        equal(answers[:5], ['ok'] * 5, error)
        match(r'^450 4\.7\.0 ', answers[5], error)
        equal(used(fleet, login), 1, 'on the server')
        said = daemon.wait_log(mark, 'warning', 'by itself')
        true(': %s%s; limits are counted' % (error, more) in said, said)
        tap.until(lambda: ': DOWN' in daemon.control('status').stdout, 5, 'DOWN')
        time.sleep(1.3)  # a probe
        equal(sum('by itself' in line for line in daemon.log(mark)), 1, 'warnings: ' + error)
        fleet.front.says = None
        daemon.wait_log(mark, 'is back')
        tap.until(lambda: used(fleet, login) == 6, 10, 'the count of meanwhile')
        match('^450', send(mta, login), error)


@case('three limits wait for the server once at RCPT and once at the end, and not for more recipients')
def round_trips(fleet):
    keys_of = {'out': 'sasl_user', 'two': 'sender', 'three': 'client'}
    daemon = fleet.begin(1, timeout='10s', path=fleet.front.path)[0]
    daemon.reload({**daemon.settings, 'recipient_restrictions': ' '.join(
        'check_limit ' + name for name in keys_of) + ' permit_sasl_authenticated'}, ''.join(
            '[limit %s]\nkey = %s\nmax = 100\nper = 1d\n' % pair for pair in keys_of.items()))
    mta = session(daemon)
    fleet.front.delay = delay = 0.5
    try:
        for recipients in (1, 5):
            start = time.monotonic()
            tap.promptly(3 * delay, lambda: equal(send(mta, fresh(), recipients), 'ok'),
                         '%d recipients' % recipients)
            true(time.monotonic() - start >= 2 * delay, 'it waits for the server')
    finally:
        fleet.front.delay = 0


@case('who looks at all limits or marks asks the server for a few at a time: mail asks it, too')
def at_a_time(fleet):
    daemon = fleet.begin(1, path=fleet.front.path)[0]
    mta = session(daemon)
    logins = [fresh() for _ in range(200)]
    equal({send(mta, login) for login in logins}, {'ok'})
    domains = ['d%d.example' % number for number in range(40)]
    for domain in domains:
        equal(daemon.control('greylist', 'pass', domain).returncode, 0)
    for command, lines in (('limits', ['out %s: 1 of 500' % login for login in logins]),
                           ('greylist', ['by-hand %s, since' % domain for domain in domains])):
        fleet.front.most, fleet.front.delay = 0, 0.02
        try:
            shown = daemon.control(command).stdout
        finally:
            fleet.front.delay = 0
        equal([line for line in lines if line not in shown], [], 'lacking')
        true(8 <= fleet.front.most <= 64, '%d questions waited at once' % fleet.front.most)


@case('a server that loads its data when the daemon starts is used once it has them')
def loading(fleet):
    fleet.front.says = ERRORS[1][0]
    daemon = fleet.begin(1, 3, path=fleet.front.path, up=False)[0]
    login = fresh()
    mta = session(daemon)
    daemon.wait_log(0, 'warning', 'LOADING')
    equal([send(mta, login)[:3] for _ in range(4)], ['ok', 'ok', 'ok', '450'])
    fleet.front.says = None
    tap.until(lambda: used(fleet, login) == 3, 10, 'the count of meanwhile')


@case('a script that the server has forgotten is sent again, and nothing is counted apart')
def noscript(fleet):
    daemon = fleet.begin(1, 3)[0]
    login, mark = fresh(), daemon.mark()
    mta = session(daemon)
    for answer in ('ok', 'ok', 'ok', '450'):
        fleet.redis.ask('SCRIPT', 'FLUSH')
        equal(send(mta, login)[:3], answer)
    equal(used(fleet, login), 3)
    equal([line for line in daemon.log(mark) if 'state:' in line], [], 'what the log says')


@case('check and the log warn of a server that drops counters; check, of what else it says')
def eviction(fleet):
    daemon = fleet.begin(1)[0]
    equal(daemon.control('check').stderr, '')
    fleet.redis.ask('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru')
    try:
        done = daemon.control('check')
        equal(done.returncode, 0)
        match(r'gatepost.conf:\d+: warning: state: \S+: maxmemory_policy is allkeys-lru: .*'
              'set it to noeviction', done.stderr)
        daemon.stop()
        daemon.start()
        daemon.wait_log(0, 'warning', 'maxmemory_policy is allkeys-lru')
        fleet.redis.ask('CONFIG', 'SET', 'requirepass', 'secret')
        match('warning: state: .*NOAUTH', daemon.control('check').stderr)
        daemon.settings['state_password_file'] = daemon.table('password', 'wrong\n')
        daemon.configure(daemon.settings, daemon.more)
        match('warning: state: .*WRONGPASS', daemon.control('check').stderr)
        daemon.table('password', 'secret\n')
        match('maxmemory_policy', daemon.control('check').stderr)
    finally:
        fleet.redis.stop()
        fleet.redis.start()
    fleet.redis.pause()
    start = time.monotonic()
    equal(daemon.control('check').stderr, '', 'of one that does not answer nothing is known')
    true(time.monotonic() - start < 30, 'check waits')
    fleet.redis.go_on()


@case('a fleet goes to the next host when the first becomes a replica, or goes away')
def failover(fleet):
    import place
    ports = [place.port(), place.port()]
    first = redis.Redis(port=ports[0])
    second = redis.Redis('--replicaof', '127.0.0.1', str(ports[0]), port=ports[1])
    try:
        tap.until(lambda: 'master_link_status:up' in second.ask('INFO', 'replication'), 20, 'replica')
        fleet.end()
        daemon = gatepost.Gatepost({**LISTS, 'state': 'redis://127.0.0.1:%d,127.0.0.1:%d'
                                    % tuple(ports)}, LIMITED % 100)
        fleet.daemons = [daemon]
        daemon.start()
        tap.until(lambda: passes(daemon), 20, 'the store')
        login = fresh()
        mta = session(daemon)
        equal([send(mta, login) for _ in range(5)], ['ok'] * 5)
        tap.until(lambda: second.ask('EXISTS', 'gp1:l:out|86400|' + login) == '1', 10, 'replication')
        second.ask('REPLICAOF', 'NO', 'ONE')
        first.ask('REPLICAOF', '127.0.0.1', str(ports[1]))
        for _ in range(20):
            equal(send(mta, login), 'ok')
            time.sleep(0.05)
        tap.until(lambda: '127.0.0.1:%d' % ports[1] in daemon.control('status').stdout
                  and passes(daemon), 20, 'the second server')
        tap.until(lambda: second.ask('EVAL', "local s = 0 for _, v in ipairs(redis.call('HVALS', "
                                     "KEYS[1])) do s = s + v end return tostring(s)", '1',
                                     'gp1:l:out|86400|' + login) in ('25', '25.0'), 10,
                  'what was counted meanwhile')
    finally:
        first.stop()
        second.stop()


# What the daemon is given, and what it says of the server.
DISTRUST = 'its certificate is not to be trusted: '
CERTIFICATES = [
    ('localhost', {'state_ca_file': 'ca', 'state_cert_file': 'client'}, None),
    ('elsewhere', {'state_ca_file': 'ca', 'state_cert_file': 'client'},
     DISTRUST + 'hostname mismatch'),
    ('localhost', {'state_ca_file': 'other', 'state_cert_file': 'client'}, DISTRUST),
    ('localhost', {'state_cert_file': 'client'}, DISTRUST),  # the system knows no such authority
    ('localhost', {'state_ca_file': 'ca'}, ''),  # the server wants one, and hangs up
    ('localhost', {'state_ca_file': 'nothing'}, '%(nothing)s: No such file'),
]


@case('rediss://: a server is spoken to when a trusted authority says that it is the host')
def tls(fleet):
    import maillab
    import place
    fleet.end()
    daemon = gatepost.Gatepost({**LISTS, 'state': 'rediss://localhost'}, LIMITED % 3)
    if 'no TLS' in daemon.control('check').stderr:
        raise tap.Skip('hiredis has no TLS here')
    folder = place.folder('gatepost-redis-tls-')
    os.chmod(folder, 0o755)
    ours, other = maillab.Authority(folder, 'ca'), maillab.Authority(folder, 'other')
    names = {'ca': ours.file, 'other': other.file, 'client': ours.issue('gatepost'),
             'nothing': folder + '/nothing.pem'}
    for name, files, trouble in CERTIFICATES:
        certificate, port = ours.issue(name), place.port()
        trouble = trouble and trouble % names
        server = redis.Redis('--tls-port', str(port), '--tls-cert-file', certificate,
                             '--tls-key-file', certificate, '--tls-ca-cert-file', ours.file)
        settings = {**LISTS, 'state': 'rediss://localhost:%d' % port, 'state_timeout': '1s',
                    **{key: names[value] for key, value in files.items()}}
        daemon = gatepost.Gatepost(settings, LIMITED % 3)
        fleet.daemons = [daemon]
        try:
            server.ask('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru')
            daemon.start()
            login = fresh()
            mta = session(daemon)
            if trouble is not None:
                daemon.wait_log(0, 'warning', 'state: localhost:%d: %s' % (port, trouble))
            else:
                tap.until(lambda: passes(daemon), 20, 'the store')
            equal([send(mta, login)[:3] for _ in range(4)], ['ok', 'ok', 'ok', '450'])
            equal(passes(daemon), trouble is None, 'whether the server is used')
            equal(server.ask('EXISTS', *keys(fleet, login)), '1' if trouble is None else '0')
            said = daemon.control('check').stderr
            match('maxmemory_policy' if trouble is None else re.escape(trouble) or '^$', said)
        finally:
            fleet.end()
            server.stop()


@case('the sanitizers found nothing')
def clean(fleet):
    for daemon in fleet.daemons:
        daemon.stop()
        equal(daemon.sanitizer_report(), '', 'sanitizer report')


missing = gatepost.missing() or redis.missing()
if missing:
    tap.skip_all(missing)
os.environ.setdefault('PYTHONDONTWRITEBYTECODE', '1')
tap.run(Fleet, teardown=lambda fleet: fleet and fleet.stop(),
        on_failure=lambda fleet: [tap.note(line) for line in fleet.log()])
