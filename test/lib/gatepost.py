# SPDX-License-Identifier: BSD-2-Clause
"""The daemon under test: its settings, its process, its log, its control."""
import atexit
import json
import os
import re
import signal
import socket
import subprocess
import threading

import place
import replayed
import tap

BUILD = os.environ.get('GATEPOST_BUILD', '')
DAEMON = os.environ.get('GATEPOST', BUILD + '/milter/daemon/gatepost')
SUPPRESSIONS = os.path.abspath(os.path.dirname(__file__)) + '/tsan.supp'
ENGINE = os.environ.get('GATEPOST_ENGINE')  # None: what is the default
CONTROL = os.environ.get('GATEPOSTCTL', BUILD + '/milter/gatepostctl/gatepostctl')

# What nearly every test wants; a test changes and adds parameters, None removes one.
DEFAULTS = {
    'user': 'nobody',
    'local_domains': 'lab.test mail.lab.test localhost',
    'sasl_local_realms': 'lab.test',
    'log_target': 'stderr',
}


def missing():
    """Why the daemon cannot be tested here, or ''."""
    for program in (DAEMON, CONTROL):
        if not os.access(program, os.X_OK):
            return program + ' is not built'
    return ''


def sanitized():
    """Whether a sanitizer is built into the programs."""
    with open(CONTROL, 'rb') as program:
        code = program.read()
    return b'__asan_init' in code or b'__tsan_init' in code


class Gatepost:
    def __init__(self, settings=None, more='', unix=False):
        """settings: parameters that differ from DEFAULTS. more: sections, as text. unix: listen on
        a unix socket instead of a port."""
        self.folder = place.folder('gatepost-daemon-')
        self.file = self.folder + '/gatepost.conf'
        self.lines = []
        self.process = None
        self.reads = threading.Event()  # its log; cleared, nobody does
        self.reads.set()
        self.port = None if unix else place.port()
        self.path = self.folder + '/run/milter.sock'
        self.state = self.folder + '/run/gatepost.db'
        self.history = self.folder + '/run/history.db'
        self.replayed = {}  # the last decision that test/tools/replayed has seen, by history, and
        self.states = []  # by what there was before
        os.mkdir(self.folder + '/run')
        os.chmod(self.folder + '/run', 0o777)
        self.configure(settings or {}, more)

    def milter(self):
        """The address in Postfix's spelling."""
        return 'inet:127.0.0.1:%d' % self.port if self.port else 'unix:' + self.path

    def configure(self, settings, more=''):
        """Writes gatepost.conf anew; the daemon reads it at its next reload or start."""
        own = {'milter_socket': 'inet:%d@127.0.0.1' % self.port if self.port
               else 'unix:' + self.path,
               'control_socket': self.folder + '/run/control.sock',
               'read_socket': self.folder + '/run/read.sock',
               'pid_file': self.folder + '/run/gatepost.pid',
               'state': 'sqlite:' + self.state,
               'history': 'sqlite:' + self.history}
        if not self.port:
            own['milter_socket_mode'] = '0666'
        if ENGINE:
            own['milter_engine'] = ENGINE
        if replayed.FINDINGS:
            own['history_headers'] = os.environ.get('GATEPOST_REPLAYED_HEADERS', 'yes')
        self.settings = {**own, **DEFAULTS, **settings}
        self.more = more
        self.write(''.join('%s = %s\n' % item for item in self.settings.items()
                           if item[1] is not None) + more)

    def judge_replayed(self):
        if replayed.FINDINGS:
            replayed.judge(self, CONTROL, environment())

    def write(self, text):
        self.judge_replayed()
        place.write(self.file, text)

    def table(self, name, text):
        """Writes a lookup table and returns its path."""
        self.judge_replayed()
        return place.write(os.path.join(self.folder, name), text)

    def start(self):
        before = len(self.lines)
        self.process = subprocess.Popen(
            [DAEMON, '-c', self.file, '-f'], cwd='/', stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment())
        atexit.register(self.stop)
        self.reader = threading.Thread(target=self.read, args=(self.process.stderr,), daemon=True)
        self.reader.start()
        tap.until(lambda: self.process.poll() is not None or self.answers(), 30, 'the daemon')
        if self.process.poll() is not None:
            self.reader.join(30)
            raise tap.Failure('gatepost ended with %d: %s' % (
                self.process.returncode, '\n'.join(self.lines[before:])))
        if os.environ.get('SERIES'):
            self.first_series = tap.until(self.try_series, 5, 'metrics')
        return self

    def try_series(self):
        try:
            return self.series()
        except OSError:
            return None

    def read(self, stream):
        for line in stream:
            self.reads.wait()
            self.lines.append(line.decode('utf-8', 'backslashreplace').rstrip('\n'))

    def answers(self):
        family, address = ((socket.AF_INET, ('127.0.0.1', self.port)) if self.port
                           else (socket.AF_UNIX, self.path))
        with socket.socket(family) as probe:
            return probe.connect_ex(address) == 0

    def series(self):
        """The series of its metrics whose labels the settings tell: neither hits of rules, nor what
        the MTA calls its listeners, nor codes that a line of a table gives."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(60)
            connection.connect(self.settings['read_socket'])
            connection.sendall(b'metrics\n')
            text = b''.join(iter(lambda: connection.recv(65536), b'')).decode()
        found = re.findall(r'(?m)^(gatepost_\S+?(?:{.*})?) [0-9]', text)
        return {name for name in found if not re.match(
            r'gatepost_(rule_hits_total|connections_total|refusals_total.*check="check_\w+_access")', name)}

    def stop(self):
        """Orderly; returns the exit code. With SERIES=1 it is a failure when a series has come that
        was not there from the start: by hand, after a look at all tests of e2e/."""
        if self.process and self.process.poll() is None and hasattr(self, 'first_series'):
            late = self.series() - self.first_series
            del self.first_series
            tap.equal(sorted(late), [], 'series that came late')
        if not self.process:
            return None
        process, self.process = self.process, None
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(90)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.reader.join(30)
        self.judge_replayed()
        return process.returncode

    def limit_files(self, files):
        """As the daemon's user: root may not where it has no CAP_SYS_RESOURCE."""
        tap.until(lambda: any(' at work, ' in line for line in self.lines), 30, 'at work')
        with open('/proc/%d/status' % self.process.pid) as handle:
            group = int(re.search(r'^Gid:\s+(\d+)', handle.read(), re.M)[1])
        user = {'user': 'nobody', 'group': group, 'extra_groups': []} if os.geteuid() == 0 else {}
        done = subprocess.run(['prlimit', '--pid', str(self.process.pid), '--nofile=%d:' % files],
                              capture_output=True, text=True, **user)
        tap.equal(done.returncode, 0, 'exit of prlimit (%s)' % done.stderr.strip())

    def kill(self):
        """As the kernel does when memory runs out."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.reader.join(30)
        self.process = None

    def control(self, *arguments, data=None):
        """Runs gatepostctl with this instance's settings."""
        return subprocess.run([CONTROL, '-c', self.file, *arguments], input=data, text=True,
                              stdin=None if data else subprocess.DEVNULL, capture_output=True,
                              timeout=120, env=environment())

    def reload(self, settings=None, more=''):
        """Takes new settings into force."""
        if settings is not None:
            self.configure(settings, more)
        done = self.control('reload')
        tap.equal(done.returncode, 0, 'exit of gatepostctl reload (%s)'
                  % (done.stdout + done.stderr).strip())
        if hasattr(self, 'first_series'):
            self.first_series |= self.series()

    def mark(self):
        return len(self.lines)

    def log(self, mark=0):
        """The log lines since mark."""
        return self.lines[mark:]

    def wait_log(self, mark, *words):
        """Waits for a log line since mark that holds all words, and returns it."""
        return tap.until(lambda: next((line for line in self.log(mark)
                                       if all(word in line for word in words)), None),
                         10, 'log line with %s' % ' '.join(words))

    def sanitizer_report(self):
        """What a sanitizer had to say, or ''."""
        hits = [n for n, line in enumerate(self.lines)
                if 'Sanitizer' in line or 'runtime error:' in line]
        return '\n'.join(self.lines[hits[0]:hits[0] + 40]) if hits else ''


def options(sanitizer, ours):
    """Beside those of the environment, where newer mesons have some of their own, too."""
    return ':'.join(filter(None, [ours, os.environ.get(sanitizer + '_OPTIONS')]))


def environment():
    """Sanitizers: leaks count as well, and freed memory is not kept for long, so that a test can
    tell growth; ThreadSanitizer needs help with GLib's locks and allocator."""
    preload = BUILD + '/test/lib/libtsan_glib.so'
    return dict(os.environ,
                ASAN_OPTIONS=options('ASAN', 'detect_leaks=1:quarantine_size_mb=8'),
                UBSAN_OPTIONS=options('UBSAN', 'print_stacktrace=1:halt_on_error=1'),
                TSAN_OPTIONS=options('TSAN', 'halt_on_error=0:exitcode=66:suppressions=' + SUPPRESSIONS),
                **({'LD_PRELOAD': preload, 'G_SLICE': 'always-malloc'}
                   if os.path.exists(preload) else {}))


def fields(line):
    """A text log line's key=value pairs, unquoted."""
    pairs, at = {}, 0
    while '=' in line[at:]:
        key, at = read_until(line, at, '=')
        if line[at:at + 1] == '"':
            value, at = read_quoted(line, at + 1)
        else:
            value, at = read_until(line, at, ' ')
        pairs[key.rsplit(' ', 1)[-1]] = value
    return pairs


def read_until(line, at, end):
    stop = line.find(end, at)
    stop = len(line) if stop < 0 else stop
    return line[at:stop], stop + 1


def read_quoted(line, at):
    value = ''
    while at < len(line) and line[at] != '"':
        at += line[at] == '\\'
        value += line[at:at + 1]
        at += 1
    return value, at + 2


def json_fields(line):
    return json.loads(line[line.index('{'):])
