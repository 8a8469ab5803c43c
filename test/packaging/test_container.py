#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""packaging/container: what the image has, run as its files say. Where there is no engine, in a root
folder of our own, with the programs of this build: process 1 of name spaces, a plain user without
capabilities, a root folder that cannot be written, folders mounted."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
sys.path.insert(0, sys.path[0] + '/../lib')
import gatepost
import place
from tap import case, equal, match, run, skip_all, true, until

TOP = os.path.abspath(os.path.dirname(__file__) + '/../..')
FOLDER = TOP + '/packaging/container/'
USER = 10025
# As an engine does it: mount, then give everything up.
ENTER = '''set -e
mount --bind "$0" "$0"
mount --bind "$1" "$0/var/lib/gatepost"
mount -t tmpfs -o mode=1777 tmpfs "$0/run/gatepost"
mount -t proc proc "$0/proc"
mount -o remount,bind,ro "$0"
exec chroot "$0" /usr/bin/setpriv --reuid=10025 --regid=10025 --clear-groups --no-new-privs \\
    --bounding-set=-all --inh-caps=-all /usr/sbin/gatepost -f
'''


def read(name):
    with open(FOLDER + name, encoding='utf-8') as handle:
        return handle.read()


def libraries(program):
    text = subprocess.run(['ldd', program], capture_output=True, text=True).stdout
    return re.findall(r'(/\S+) \(0x', text)


class Container:
    """The image's files in a folder, and the daemon in it."""

    def __init__(self):
        self.folder = place.folder('gatepost-container-')
        self.root = self.folder + '/root'
        self.state = self.folder + '/state'
        for name in ('proc', 'dev', 'tmp', 'etc/gatepost', 'usr/sbin', 'run/gatepost',
                     'var/lib/gatepost', 'usr/share/gatepost/rules'):
            os.makedirs(os.path.join(self.root, name), 0o755)
        os.mkdir(self.state, 0o750)
        os.chown(self.state, USER, USER)
        self.copy(shutil.which('setpriv'), '/usr/bin/setpriv')
        for program in (gatepost.DAEMON, gatepost.CONTROL):
            self.copy(program, '/usr/sbin/' + os.path.basename(program))
        self.configure()

    def copy(self, file, to):
        target = self.root + to
        if os.path.exists(target):
            return
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy(file, target)
        for library in libraries(file):
            self.copy(library, library)

    def configure(self, more=''):
        """The settings that the image has; the port is one of the test's."""
        text = read('gatepost.conf')
        self.port = place.port()
        text = text.replace('inet:10025@0.0.0.0', 'inet:%d@0.0.0.0' % self.port)
        place.write(self.root + '/etc/gatepost/gatepost.conf', text + more)

    def start(self):
        self.log = open(self.folder + '/log', 'w+', encoding='utf-8')
        self.outer = subprocess.Popen(
            ['unshare', '--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', ENTER, self.root,
             self.state], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        until(lambda: 'at work' in self.lines() or self.outer.poll() is not None, 20, 'the start')
        if self.outer.poll() is not None:
            raise RuntimeError(self.lines())
        return self

    def lines(self):
        with open(self.folder + '/log', encoding='utf-8') as handle:
            return handle.read()

    def pid(self):
        """Of the daemon, out here: the child of unshare."""
        with open('/proc/%d/task/%d/children' % (self.outer.pid, self.outer.pid)) as handle:
            return int(handle.read().split()[0])

    def inside(self, *words):
        """A command as an engine's exec runs it."""
        return subprocess.run(['nsenter', '-t', str(self.pid()), '-m', '-p', 'chroot',
                               '--userspec=10025:10025', self.root, *words], capture_output=True,
                              text=True, timeout=60)

    def stop(self):
        if self.outer.poll() is None:
            os.kill(self.pid(), signal.SIGTERM)
        return self.outer.wait(20)


@case('the files of the folder agree with each other')
def agreement(container):
    image, compose, conf = read('Containerfile'), read('compose.yaml'), read('gatepost.conf')
    match(r'(?m)^USER 10025:10025$', image)
    match(r'user: "10025:10025"', compose)
    match(r'ENTRYPOINT \["/usr/sbin/gatepost", "-f"\]', image)
    match(r'"gatepostctl"|"/usr/sbin/gatepostctl", "ping"', image)
    for line in ('read_only: true', r'cap_drop: \[ALL\]', 'no-new-privileges:true', 'tmpfs:'):
        match(line, compose)
    # Of a tmpfs podman knows the mode, and refuses an owner.
    for file in ('compose.yaml', 'README'):
        match(r'/run/gatepost:mode=1777\b', read(file))
    match(r'(?m)^log_format = json$', conf)
    port = re.search(r'(?m)^milter_socket = inet:(\d+)@0\.0\.0\.0$', conf)[1]
    match('EXPOSE ' + port, image)
    match('smtpd_milters: "inet:gatepost:%s"' % port, compose)
    grace = int(re.search(r'stop_grace_period: (\d+)s', compose)[1])
    true(int(re.search(r'(?m)^stop_timeout = (\d+)s$', conf)[1]) < grace, 'it is killed as it waits')
    # The libraries of these alone are installed: what else could be built is not.
    programs = re.search(r'ldd ((/image/usr/sbin/\S+ )+)\|', image)[1]
    equal(programs.split(), ['/image/usr/sbin/gatepost', '/image/usr/sbin/gatepostctl'], 'programs')
    for option in ('survey', 'web'):
        match('-D%s=disabled' % option, image)
    for name in re.findall(r'(?m)^COPY (?!--)(\S+)', image):
        true(os.path.exists(os.path.join(TOP, name)), name)


@case('it runs as process 1, a plain user, without a capability, in a root folder that is closed')
def runs(container):
    with open('/proc/%d/status' % container.pid()) as handle:
        status = dict(line.rstrip('\n').split(':\t', 1) for line in handle if ':\t' in line)
    equal(status['Uid'].split(), [str(USER)] * 4, 'Uid')
    equal(status['NSpid'].split()[-1], '1', 'process')
    equal({name: int(status[name], 16) for name in ('CapPrm', 'CapEff', 'CapBnd', 'CapInh')},
          {'CapPrm': 0, 'CapEff': 0, 'CapBnd': 0, 'CapInh': 0}, 'capabilities')
    equal(status['NoNewPrivs'], '1', 'NoNewPrivs')
    true(os.path.exists(container.state + '/gatepost.db'), 'the state')


@case('the log is JSON, each line with its time, those of the start, too')
def log(container):
    rows = [json.loads(line) for line in container.lines().splitlines()]
    true(rows and all('ts' in row for row in rows), container.lines())
    match('local_domains is not set', container.lines())


@case('it is well, says what the image asks for its health; and not when it hangs')
def health(container):
    words = json.loads(re.search(r'CMD (\["/usr/sbin/gatepostctl.*\])', read('Containerfile'))[1])
    done = container.inside(*words)
    equal((done.returncode, done.stderr), (0, ''), 'well')
    equal(container.inside('/usr/sbin/gatepostctl', 'status').returncode, 0, 'status')
    os.kill(container.pid(), signal.SIGSTOP)
    try:
        equal(container.inside(*words[:-1], '1s').returncode, 69, 'it hangs')
    finally:
        os.kill(container.pid(), signal.SIGCONT)


@case('a mail server reaches it over TCP')
def reached(container):
    from milter import Milter
    mta = Milter(container.port, 10)
    mta.negotiate()
    mta.connect()
    mta.helo()
    mta.mail()
    equal(mta.rcpt('<x@remote.example>')[0], 'c', 'monitor mode refuses nothing')
    mta.abort()
    until(lambda: 'reject_unauth_destination' in container.lines(), 10, 'the decision')
    match('"mode":"monitor"', container.lines())


@case('it ends in the time that an engine gives it, and well')
def ends(container):
    begun = time.monotonic()
    equal(container.stop(), 0, 'exit')
    true(time.monotonic() - begun < 10, 'it took too long')
    match('"message":"stopped"', container.lines())


@case('an error of the start is a JSON line, too')
def wrong(container):
    container.configure('moed = enforce\n')
    done = subprocess.run(['unshare', '--mount', '--pid', '--fork', 'sh', '-c', ENTER,
                           container.root, container.state], capture_output=True, text=True,
                          timeout=60)
    equal(done.returncode, 78, done.stderr)
    rows = [json.loads(line) for line in done.stderr.splitlines()]
    match('unknown parameter "moed"', rows[0]['message'])
    true('ts' in rows[0], 'time')


def missing():
    if os.geteuid() != 0:
        return 'a root folder is for root to enter'
    for program in ('unshare', 'nsenter', 'setpriv', 'chroot'):
        if not shutil.which(program):
            return program + ' is missing'
    done = subprocess.run(['unshare', '--mount', '--pid', '--fork', 'mount', '-t', 'tmpfs', 'x',
                           '/mnt'], capture_output=True, text=True)
    return done.stderr.strip() or gatepost.missing()


if missing():
    skip_all(missing())
run(lambda: Container().start(), teardown=lambda container: container and container.stop(),
    on_failure=lambda container: print('# ' + container.lines()[-2000:].replace('\n', '\n# ')))
