# SPDX-License-Identifier: BSD-2-Clause
"""Postfix, gatepost, DNS lists, a tiny file system for state and log, and who keeps them alive."""
import contextlib
import os
import pwd
import random
import re
import subprocess
import threading
import time

import gatepost
import lists
import place
import postfix
import tap

import measure
from ledger import Ledger
from traffic import KINDS, Traffic

SMALL = 6 << 20  # bytes under state and log
REPORT = 30      # lines that belong to one of a sanitizer
KEEP = 400       # lines of complaints that are kept
CLOCK_SHIFT = gatepost.BUILD + '/test/lib/libclockshift.so'

CLIENTS = '192.0.2.64/28 REJECT\n'
SENDERS = 'spam.example REJECT\n'
RECIPIENTS = 'hold@lab.test HOLD\n'
RULES = '''header SOAK_SPAM Subject =~ /soak-spam/
score SOAK_SPAM 20
header SOAK_TAG Subject =~ /soak-tag/
score SOAK_TAG 6
'''

# As prlimit(1) and /proc call them.
LIMITS = {'fsize': 'Max file size', 'nofile': 'Max open files', 'data': 'Max data size'}

SETTINGS = {
    'recipient_delimiter': '+',
    'client_restrictions': 'check_client_access cidr:TABLES/clients',
    'sender_restrictions': 'check_sender_access texthash:TABLES/senders, reject_cleartext_auth',
    'message_restrictions': 'check_limit greedy, guard_autoreply, permit_mynetworks, '
                            'permit_sasl_authenticated, reject_spam',
    'recipient_restrictions': 'check_recipient_access texthash:TABLES/recipients '
                              'permit_mynetworks reject_dnsbl',
    'dnsbl_sites': 'bl.example.com*3',
    'dnsbl_timeout': '5s',
    'rule_files': 'TABLES/rules',
    'stop_timeout': '3s',
}


# Whom it is for says so in its header: nobody else has a key.
GREEDY = 20
SECTIONS = '[limit greedy]\nkey = header:X-Greedy\nfor = all\nmax = %d\nper = 1d\n' % GREEDY


class Daemon(gatepost.Gatepost):
    """Logs to a file, has its state on a small file system and its clock in our hands."""

    def __init__(self, small):
        super().__init__(unix=True)
        self.small = self.folder + '/small'
        os.mkdir(self.small)
        if small:
            subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=%d' % SMALL, 'soak', self.small],
                           check=True)
        os.chmod(self.small, 0o777)
        self.state = self.small + '/gatepost.db'
        self.log_file = self.small + '/log'
        self.clock = place.write(self.folder + '/clock', '0' * 20)
        os.mkdir(self.folder + '/rules')
        self.table('clients', CLIENTS)
        self.table('senders', SENDERS)
        self.table('recipients', RECIPIENTS)
        self.table('rules/soak.cf', RULES)
        self.configure(self.ordinary())

    def configure(self, settings, more=SECTIONS):
        super().configure(settings, more)

    def reload(self, settings=None, more=SECTIONS):
        super().reload(settings, more)

    def ordinary(self, **changed):
        settings = {key: value.replace('TABLES', self.folder) for key, value in SETTINGS.items()}
        return {**settings, 'dns_servers': getattr(self, 'dns', None), **changed}

    def environment(self):
        found = gatepost.environment()
        found['LD_PRELOAD'] = ' '.join(filter(None, (found.get('LD_PRELOAD'), CLOCK_SHIFT)))
        found['CLOCKSHIFT_FILE'] = self.clock
        found['ASAN_OPTIONS'] += ':verify_asan_link_order=0'
        return found

    def start(self, wait=True):
        with open(self.log_file, 'ab') as log:
            self.process = subprocess.Popen(
                [gatepost.DAEMON, '-c', self.file, '-f'], cwd='/', stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=log, env=self.environment())
        if wait:
            self.wait_start()
        return self

    def wait_start(self):
        process = self.process
        tap.until(lambda: process.poll() is not None or self.answers(), 60, 'the daemon')
        if process.poll() is not None:
            raise tap.Failure('gatepost ended with %d' % process.returncode)

    def stop(self, seconds=60):
        process, self.process = self.process, None
        if not process:
            return None
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                return 'killed after %d s' % seconds
        return process.returncode

    def kill(self):
        process, self.process = self.process, None
        process.kill()
        process.wait()

    def status(self):
        done = self.control('status', '--json')
        tap.equal(done.returncode, 0, 'exit of gatepostctl status (%s)' % done.stderr.strip())
        return gatepost.json_fields(done.stdout)

    def limit(self, which, soft):
        """Sets a soft limit of the running process, one of LIMITS, and returns what it was. As its
        user: root may not where it has no CAP_SYS_RESOURCE."""
        pid, user = self.process.pid, pwd.getpwnam(self.settings['user'])
        with open('/proc/%d/limits' % pid) as handle:
            before = re.search(r'(?m)^%s +(\w+)' % LIMITS[which], handle.read())[1]
        done = subprocess.run(['prlimit', '--pid', str(pid), '--%s=%s:' % (which, soft)],
                              capture_output=True, text=True, user=user.pw_uid, group=user.pw_gid,
                              extra_groups=[])
        tap.equal(done.returncode, 0, 'exit of prlimit (%s)' % done.stderr.strip())
        return before


class World:
    def __init__(self, seed, clients, pause, small):
        self.seed = seed
        self.small = small
        self.ledger = Ledger({name: kind.owed for name, kind in KINDS.items()})
        self.lists = lists.Lists().start()
        self.daemon = Daemon(small)
        self.daemon.dns = self.lists.address()
        self.daemon.configure(self.daemon.ordinary())
        self.postfix = postfix.Postfix(self.daemon.milter(), {
            'smtpd_client_connection_rate_limit': '0', 'maximal_queue_lifetime': '1h',
            'minimal_backoff_time': '1s', 'maximal_backoff_time': '5s', 'queue_run_delay': '1s',
            'smtpd_error_sleep_time': '0', 'smtpd_soft_error_limit': '1000',
            'smtpd_hard_error_limit': '1000', 'default_process_limit': '200'})
        self.postfix.sink.keep = self.ledger.deliver
        self.bad_lines = []
        self.deaths = []
        self.may_die, self.allowed_deaths = 0, []
        self.ending = threading.Event()
        self.lock = threading.RLock()  # of the daemon's life
        self.traffic = Traffic(self, clients, pause)
        self.clock_shift = 0
        self.base = None
        self.samples = []
        self.chance = random.Random(seed)

    def start(self):
        self.daemon.start()
        self.postfix.start()
        for work in (self.guard, self.keep_house):
            threading.Thread(target=work, daemon=True).start()
        return self

    # The daemon's life

    @contextlib.contextmanager
    def window(self, name):
        """Meanwhile, and for the sessions that touch it: 'away', senders may be put off; 'lists',
        listed clients may pass."""
        self.ledger.begin(name)
        try:
            yield
        finally:
            self.ledger.end(name)

    @contextlib.contextmanager
    def down(self, stop):
        """Ends the daemon by stop(daemon), and starts it again."""
        with self.window('away'), self.lock:
            try:
                stop(self.daemon)
                yield
            finally:
                if not self.daemon.process:
                    self.daemon.start()

    def guard(self):
        """Starts it again when it dies, as a service manager does."""
        while not self.ending.wait(0.1):
            with self.lock:
                process = self.daemon.process
                if process and process.poll() is not None:
                    self.revive(process)

    def revive(self, process):
        self.ledger.begin('away')
        if self.may_die:
            self.allowed_deaths.append(process.returncode)
        else:
            self.deaths.append('it ended with %d; its last lines: %s' % (
                process.returncode, '\n'.join(self.tail(self.daemon.log_file))))
        try:
            self.daemon.start()
        except tap.Failure as failure:
            if not self.may_die:
                self.deaths.append('and did not come back: %s' % failure)
        self.ledger.end('away')

    def serves(self):
        """All is well: mail passes, and what must not does not."""
        tap.until(lambda: self.traffic.one('plain').startswith('250'), 60, 'a message accepted')
        for name in ('relay', 'client', 'sender', 'spam', 'autoreply'):
            tap.match('^55', self.traffic.one(name), name)

    def junk_tables(self, count):
        """The tables, with as many lines more that nobody meets; their text by name."""
        numbers = range(count)
        found = {
            'clients': ''.join('10.%d.%d.0/24 REJECT\n' % divmod(n, 250)
                               for n in numbers) + CLIENTS,
            'senders': ''.join('j%d.example OK\n' % n for n in numbers) + SENDERS,
            'recipients': ''.join('j%d@lab.test REJECT\n' % n for n in numbers) + RECIPIENTS,
        }
        for name, text in found.items():
            self.daemon.table(name, text)
        return found

    def set_clock(self, seconds):
        """How far the daemon's wall clock is off. libmilter takes sessions that wait for the MTA's
        next command for hung if it jumps forward by more than two hours, and cuts them off."""
        forward = seconds - self.clock_shift > 7000
        with self.window('away') if forward else contextlib.nullcontext():
            with open(self.daemon.clock, 'r+') as handle:
                handle.write('%-20d' % seconds)
            self.clock_shift = seconds
            if forward:
                time.sleep(0.3)

    # Logs and held mail

    def keep_house(self):
        while not self.ending.wait(1):
            self.read_log(self.daemon.log_file, 1 << 20)
            self.read_log(self.postfix.folder + '/maillog', 1 << 22)
            self.harvest_held()

    def tail(self, path):
        try:
            with open(path, 'rb') as handle:
                handle.seek(max(0, os.path.getsize(path) - 4000))
                return handle.read().decode('utf-8', 'replace').splitlines()[-8:]
        except OSError:
            return []

    BAD = re.compile('Sanitizer|runtime error:|panic:|milter8.*(bad state|unexpected)|'
                     'malformed reply|CRITICAL|assertion')

    def read_log(self, path, most):
        """Looks a log over and empties it when it is long."""
        try:
            if os.path.getsize(path) < most and not self.ending.is_set():
                return
            with open(path, 'r+', errors='replace') as handle:
                wanted = 0
                for line in handle:
                    wanted = REPORT if self.BAD.search(line) else wanted - 1
                    if wanted > 0 and len(self.bad_lines) < KEEP:
                        self.bad_lines.append(line.rstrip('\n'))
                handle.truncate(0)
        except OSError:
            pass

    def harvest_held(self):
        for path in self.postfix.queue('hold'):
            try:
                if not os.stat(path).st_mode & 0o100:  # still being written
                    continue
                with open(path, 'rb') as handle:
                    hit = re.search(rb'X-Soak-Id: (\d+)', handle.read())
                os.unlink(path)
            except FileNotFoundError:
                continue
            if hit:
                self.ledger.held(int(hit[1]))

    # Looking

    def quiet(self):
        """Nobody sends, and the daemon has come to rest: what it has then."""
        self.traffic.pause()
        tap.until(lambda: self.daemon.status()['connections'] == 0, 40, 'no connection')
        found, since = None, time.monotonic()
        end = since + 30
        while time.monotonic() < end:
            now = measure.measure(self.daemon.process.pid)[1:]
            if now != found:
                found, since = now, time.monotonic()
            elif time.monotonic() - since > 1.5 and (self.base is None or now[0] <= self.base[1]):
                break
            time.sleep(0.1)
        return measure.measure(self.daemon.process.pid), self.daemon.status()

    def first_totals(self):
        self.samples = []
        return self.daemon.status()

    def sample(self):
        self.samples.append(measure.measure(self.daemon.process.pid).memory)

    def samples_text(self):
        """At most twenty of them."""
        step = max(1, len(self.samples) // 20)
        return ' '.join(map(str, self.samples[::step]))

    def drain(self, seconds):
        """Nobody sends any more; waits until all that was accepted has arrived."""
        self.traffic.pause()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.harvest_held()
            if self.ledger.missing() == 0 and not self.postfix.queue():
                return
            for command in (['postqueue', '-f'], ['postkick', 'public', 'pickup', 'W']):
                self.postfix.command(*command, check=False)
            time.sleep(0.5)

    def stop(self):
        self.ending.set()
        self.traffic.end()
        self.postfix.stop()
        with self.lock:
            code = self.daemon.stop()
        for path in (self.daemon.log_file, self.postfix.folder + '/maillog'):
            self.read_log(path, 0)
        self.lists.stop()
        if self.small:
            subprocess.run(['umount', '-l', self.daemon.small])
            self.small = False
        return code

    def show(self):
        for path in (self.daemon.log_file, self.postfix.folder + '/maillog'):
            for line in self.tail(path):
                tap.note(line[:250])
