# SPDX-License-Identifier: BSD-2-Clause
"""A throw-away copy of this machine, with systemd as its first process and a network of its own.

Packages are installed in it, services started, configurations changed: of all that nothing reaches
the machine, for its root file system lies under an overlay in memory. A test file calls enter()
before anything else. That runs the file once more in name spaces of its own, which end with it: no
mount and no process can outlive the test."""
import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import place
from tap import Failure, note, skip_all

NSPAWN = ['systemd-nspawn', '--register=no', '--keep-unit', '--quiet', '--private-network',
          '--resolv-conf=off', '--link-journal=no', '--boot']
MACHINE_ID = '0a7ea5ed0a7ea5ed0a7ea5ed0a7ea5ed'
NAME = 'mail.example.org'
# Services are started one by one, by the cases: of this machine's own none are.
TARGET = '''[Unit]
Description=What a test needs
Requires=basic.target
AllowIsolate=yes
'''
CGROUP = '/sys/fs/cgroup'


def execute(*words, **options):
    options = {'stdin': subprocess.DEVNULL, 'stdout': subprocess.PIPE, 'stderr': subprocess.STDOUT,
               'text': True, 'errors': 'replace', 'timeout': 120, **options}
    return subprocess.run(words, **options)


def enter():
    """Goes on in name spaces of this test alone; skips the whole file where there can be none."""
    if os.environ.get('GATEPOST_BOX'):
        prepare()
        return
    if os.geteuid() != 0:
        skip_all('needs root')
    for program in ('unshare', 'nsenter', 'systemd-nspawn', 'dpkg'):
        if not shutil.which(program):
            skip_all(program + ' is missing')
    unshare = ['unshare', '--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child',
               '--mount-proc']
    probe = execute(*unshare, 'true')
    if probe.returncode != 0:
        skip_all('no name spaces to be had: ' + probe.stdout.strip())
    folder = tempfile.mkdtemp(prefix='gatepost-box-')
    atexit.register(os.rmdir, folder)  # what was mounted on it is gone with the name space
    child = subprocess.Popen([*unshare, sys.executable, *sys.argv],
                             env=dict(os.environ, GATEPOST_BOX=folder))
    try:
        sys.exit(child.wait())
    finally:
        child.terminate()
        child.wait()


def mount(kind, target, *options):
    done = execute('mount', '-t', kind, *options, kind, target)
    if done.returncode != 0:
        skip_all('cannot mount %s: %s' % (kind, done.stdout.strip()))


def prepare():
    """What systemd asks of its surroundings: control groups of its own, of version 2."""
    if not os.path.exists(CGROUP):
        mount('sysfs', '/sys')
    if not os.path.exists(CGROUP + '/cgroup.procs'):
        mount('cgroup2', CGROUP)
    home = CGROUP
    with open('/proc/self/cgroup', encoding='ascii') as handle:
        for line in handle:
            if line.startswith('0::/') and '..' not in line:
                home = os.path.normpath(CGROUP + '/' + line.strip()[4:])
    own = '%s/%s' % (home, os.path.basename(os.environ['GATEPOST_BOX']))
    try:
        os.mkdir(own)
        move_self(own)
    except OSError as error:
        skip_all('no control groups to be had: %s' % error)
    atexit.register(leave_cgroup, own, home)


def move_self(cgroup):
    with open(cgroup + '/cgroup.procs', 'w', encoding='ascii') as handle:
        handle.write('0')


def leave_cgroup(own, home):
    move_self(home)
    for _ in range(50):
        for path, _, _ in os.walk(own, topdown=False):
            try:
                os.rmdir(path)
            except OSError:
                pass
        if not os.path.exists(own):
            return
        time.sleep(0.1)


class Box:
    """path is the root folder of the copy, as seen from outside."""

    def __init__(self):
        base = os.environ['GATEPOST_BOX']
        mount('tmpfs', base, '-o', 'mode=755')
        for name in ('upper', 'work', 'root'):
            os.mkdir('%s/%s' % (base, name))
        self.path = base + '/root'
        self.console = base + '/console'
        self.nspawn = self.leader = None
        mount('overlay', self.path,
              '-o', 'lowerdir=%s,upperdir=%s/upper,workdir=%s/work'
              % (os.environ.get('GATEPOST_ROOT', '/'), base, base))
        for path in ('/usr/bin/dpkg', '/var/lib/dpkg/status', '/etc/passwd'):
            if not os.path.exists(self.path + path):
                skip_all('the root file system has no %s: it is in several parts' % path)
        self.settle()

    def settle(self):
        for path in ('/usr/sbin/policy-rc.d', '/etc/fstab'):
            if os.path.exists(self.path + path):
                os.unlink(self.path + path)
        self.write('/etc/machine-id', MACHINE_ID + '\n')
        self.write('/etc/hostname', NAME + '\n')
        self.write('/etc/hosts', '127.0.0.1 localhost\n127.0.1.1 %s mail\n%s'
                   % (NAME, self.read('/etc/hosts') if self.exists('/etc/hosts') else ''))
        # An index of manual pages takes longer than installing them.
        if self.exists('/var/lib/man-db/auto-update'):
            os.unlink(self.path + '/var/lib/man-db/auto-update')
        self.write('/etc/systemd/system/gatepost-test.target', TARGET)

    def write(self, path, text, mode=0o644):
        os.makedirs(os.path.dirname(self.path + path), exist_ok=True)
        return place.write(self.path + path, text, mode)

    def append(self, path, text):
        self.write(path, self.read(path) + text)

    def read(self, path):
        with open(self.path + path, encoding='utf-8', errors='replace') as handle:
            return handle.read()

    def exists(self, path):
        return os.path.lexists(self.path + path)

    def words(self, network):
        spaces = ['-m', '-u', '-i', '-p'] + ([] if network else ['-n'])
        return ['nsenter', '-t', str(self.leader), *spaces, '--root', 'env', '-i', '-C', '/',
                'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL=C', 'HOME=/root',
                'DEBIAN_FRONTEND=noninteractive']

    def run(self, *words, network=False, **options):
        """Runs a command in the box, which is booted; with this machine's network if asked for."""
        return execute(*self.words(network), *words, **options)

    def ok(self, *words, **options):
        """The output of a command that must work."""
        done = self.run(*words, **options)
        if done.returncode != 0:
            raise Failure('%s: exit %d\n%s' % (' '.join(words), done.returncode, done.stdout))
        return done.stdout

    def sh(self, script, **options):
        return self.ok('sh', '-euc', script, **options)

    def boot(self):
        """Starts systemd and waits for it; skips the whole file when it does not come up."""
        log = open(self.console, 'wb')
        self.nspawn = subprocess.Popen(
            [*NSPAWN, '--hostname=mail', '-D', self.path, 'systemd.unit=gatepost-test.target'],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        atexit.register(self.halt)
        end = time.monotonic() + 180
        while time.monotonic() < end and self.nspawn.poll() is None:
            self.leader = self.find_leader()  # there is another one before it, for a moment
            if self.leader and self.run('systemctl', 'is-active',
                                        'gatepost-test.target').returncode == 0:
                return
            time.sleep(0.2)
        self.leader = None
        with open(self.console, encoding='utf-8', errors='replace') as handle:
            note(handle.read()[-3000:])
        skip_all('systemd does not start in a container here')

    def find_leader(self):
        path = '/proc/%d/task/%d/children' % (self.nspawn.pid, self.nspawn.pid)
        with open(path, encoding='ascii') as handle:
            found = handle.read().split()
        return int(found[0]) if found else None

    def halt(self):
        if self.nspawn and self.nspawn.poll() is None:
            self.nspawn.send_signal(signal.SIGTERM)
            try:
                self.nspawn.wait(30)
            except subprocess.TimeoutExpired:
                self.nspawn.kill()
                self.nspawn.wait()
        self.leader = None

    def log(self, unit):
        return self.run('journalctl', '--no-pager', '-o', 'cat', '-u', unit).stdout

    def process(self, pid):
        """What /proc says of a process in the box: a dict of its status lines."""
        rows = self.ok('cat', '/proc/%s/status' % pid).splitlines()
        return {row.partition(':')[0]: row.partition(':')[2].strip() for row in rows}
