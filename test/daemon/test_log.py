#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Who reads the log stands still: mail goes on, status says so, a stop is obeyed, and what is lost
is lost in order."""
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
from milter import Milter
import place
import tap
from tap import Failure, Skip, case, equal, match, true, until

TOP = os.path.abspath(os.path.dirname(__file__) + '/../..')
PATIENCE = 5  # seconds in which an answer comes, on a machine under load
FLUSH = 5     # seconds for which a stop waits for the log
running = []


def source(path):
    with open(os.path.join(TOP, path), encoding='utf-8') as handle:
        return handle.read()


def new(settings=None):
    daemon = gatepost.Gatepost(settings, unix=True)
    running.append(daemon)
    return daemon


def opened(daemon):
    mta = Milter(daemon.path, PATIENCE)
    mta.negotiate()
    mta.connect()
    mta.helo()
    return mta


def status(daemon):
    return gatepost.json_fields(daemon.control('status', '--json').stdout)


def accept(mta, number, length=1500):
    """A message that is passed on, whose line is long."""
    mta.mail('<accept%d@example.com>' % number)
    for part in range(length // 250):
        mta.rcpt('<bob+%d%s@lab.test>' % (part, 'x' * 230))
    equal(mta.message()[0], 'c', 'message %d' % number)


def refuse(mta, number):
    mta.mail('<refuse%d@example.com>' % number)
    match('^550', mta.rcpt('<x@remote.example>')[1], 'recipient %d' % number)
    mta.abort()


def numbers(lines, word):
    return [int(found[1]) for line in lines
            for found in [re.search(r'\bfrom=%s(\d+)@' % word, line)] if found]


def stall(daemon, mta):
    """Sends until nobody reads any more; how many messages that were."""
    daemon.reads.clear()
    for number in range(2000):
        accept(mta, number)
        if number % 100 == 99 and status(daemon)['log_waiting'] > 10:
            return number + 1
    raise Failure('the pipe holds everything')


@case('nobody reads: mail goes on, status says so; what waited is written in order')
def goes_on():
    daemon = new().start()
    with opened(daemon) as mta:
        sent = stall(daemon, mta)
        until(lambda: status(daemon)['log_stalls'] >= 2, 10, 'status that tells of it')
        match('the log STANDS STILL: nobody has read it for [0-9]+ s',
              daemon.control('status').stdout)
        for number in range(100):
            refuse(mta, number)
        daemon.reload()
    daemon.reads.set()
    daemon.wait_log(0, 'reloaded')
    equal(numbers(daemon.log(), 'accept'), list(range(sent)), 'lines of accepted mail')
    equal(numbers(daemon.log(), 'refuse'), list(range(100)), 'lines of refusals')
    found = status(daemon)
    equal((found['log_waiting'], found['log_lost'], found['log_stalls']), (0, 0, 0), 'status')
    equal(daemon.stop(), 0, 'exit')


@case('more than is kept: accepted mail is lost first, and a line says how much')
def losses():
    daemon = new().start()
    with opened(daemon) as mta:
        stall(daemon, mta)
        sent = 0
        while status(daemon)['log_lost'] < 50:
            for _ in range(50):
                accept(mta, 10000 + sent, 15000)
                sent += 1
            true(sent < 5000, 'nothing is ever lost')
        begun = time.strftime('%Y-%m-%d %H:')
        for number in range(200):
            refuse(mta, number)
        true(status(daemon)['log_waiting'] < 8000, 'bounded')
    lost = status(daemon)['log_lost']
    daemon.reads.set()
    line = daemon.wait_log(0, 'lines of the log are lost')
    match('^level=warning message="%d lines of the log are lost since %s[0-9:]+, because they were '
          'not read fast enough: %d of accepted mail, 0 of refusals, 0 others"$'
          % (lost, begun, lost), line)
    until(lambda: status(daemon)['log_waiting'] == 0, 20, 'the end of the queue')
    equal(numbers(daemon.log(), 'refuse'), list(range(200)), 'lines of refusals')
    kept = [number for number in numbers(daemon.log(), 'accept') if number >= 10000]
    equal(len(kept), sent - lost, 'lines of accepted mail that were kept')
    equal(kept, list(range(10000, 10000 + len(kept))), 'the oldest')
    equal(len([x for x in daemon.log() if 'lines of the log are lost' in x]), 1, 'lines that tell')
    equal(daemon.stop(), 0, 'exit')


@case('nobody reads: a stop is obeyed, and waits for %d seconds at most' % FLUSH)
def stop():
    def timed(signals):
        daemon = new().start()
        with opened(daemon) as mta:
            stall(daemon, mta)
        begun = time.monotonic()
        for _ in range(signals):
            daemon.process.terminate()
            time.sleep(0.7)
        equal(daemon.process.wait(60), 0, 'exit')
        took = time.monotonic() - begun
        equal([name for name in os.listdir(daemon.folder + '/run')
               if not name.startswith(('gatepost.db', 'history.db'))],
              [], 'files left behind')
        daemon.reads.set()
        daemon.stop()
        return took
    took = timed(1)
    true(FLUSH - 1 <= took <= FLUSH + 20, 'a stop took %.1f s' % took)
    hurried = [timed(2)]
    while hurried[-1] > FLUSH - 1 and len(hurried) < 3:  # what a busy machine may do to one
        hurried.append(timed(2))
    true(hurried[-1] <= FLUSH - 1, 'by two signals it took %s s' % hurried)


@case('a stop has the log read to its end')
def flush():
    daemon = new().start()
    with opened(daemon) as mta:
        sent = stall(daemon, mta)
    daemon.process.terminate()
    time.sleep(0.5)
    equal(daemon.process.poll(), None, 'exit while lines wait')
    daemon.reads.set()
    equal(daemon.stop(), 0, 'exit')
    equal(numbers(daemon.log(), 'accept'), list(range(sent)), 'lines of accepted mail')
    match('stopped$', daemon.log()[-1], 'the last line')


READER = '''
import os, socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o666)
with open(sys.argv[2], 'ab', 0) as log:
    while True:
        log.write(receiver.recv(1 << 18).replace(b'\\n', b' ') + b'\\n')
'''
# A /dev and a /run with a socket of ours: "$0" is the folder of it, "$1" the socket's place.
ELSEWHERE = '''set -e
mkdir -p "$0/dev" "$0/journal"
for name in null zero random urandom; do touch "$0/dev/$name"; mount --bind "/dev/$name" "$0/dev/$name"; done
ln -s "$0/socket" "$0/dev/log"
ln -s "$0/socket" "$0/journal/socket"
mount --rbind "$0/dev" /dev
if [ "$1" = journal ]; then
    mount -t tmpfs none /run
    mkdir -p /run/systemd/journal
    mount --bind "$0/journal" /run/systemd/journal
fi
shift
exec "$@"
'''


# A journald of our own, on a /run that nobody else sees; "$0" is a folder of ours. That of Debian 13
# does not start where no control groups are mounted.
JOURNALD = '''set -e
mount -t tmpfs none /run
mountpoint -q /sys/fs/cgroup || mount -t cgroup2 none /sys/fs/cgroup
mkdir -p /run/systemd/journal /run/systemd/journald.conf.d "/run/log/journal/$(cat /etc/machine-id)"
printf '[Journal]\\nStorage=volatile\\nAudit=no\\nRateLimitBurst=0\\n' >/run/systemd/journald.conf.d/test.conf
/lib/systemd/systemd-journald & journald=$!
for wait in $(seq 100); do [ -e /run/systemd/journal/socket ] && break; sleep 0.1; done
"$@" & gatepost=$!
until [ -e "$0/enough" ]; do sleep 0.1; done
kill $gatepost; wait $gatepost || echo "gatepost: exit $?"
sleep 0.5
journalctl --directory /run/log/journal --output json --all SYSLOG_IDENTIFIER=gatepost >"$0/lines"
kill $journald; wait $journald || :
'''


def namespaces():
    if os.geteuid() != 0 or not shutil.which('unshare') or subprocess.run(
            ['unshare', '--mount', 'true'], capture_output=True).returncode != 0:
        raise Skip('no mount name space can be made here')


def without_journal():
    with open(gatepost.DAEMON, 'rb') as handle:
        return b'libsystemd.so' not in handle.read()


@case('log_target = journal works in the foreground: each key is a field, each kind has its id')
def fields():
    namespaces()
    if without_journal() or not os.path.exists('/lib/systemd/systemd-journald'):
        raise Skip('no journal here')
    daemon = new({'log_target': 'journal'})
    folder = place.folder()
    with subprocess.Popen(['unshare', '--mount', '--propagation', 'private', 'sh', '-c', JOURNALD,
                           folder, gatepost.DAEMON, '-f', '-c', daemon.file],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env=gatepost.environment()) as process:
        until(daemon.answers, 20, 'the daemon')
        with opened(daemon) as mta:
            mta.mail('<a@example.com>')
            mta.rcpt('<bob@lab.test>')
            mta.rcpt('<eve@lab.test>')
            mta.message((('From', ' <a@example.com>'), ('Message-ID', '\n <0@example.com>\t')))
            refuse(mta, 0)
        equal(daemon.control('reload').returncode, 0, 'reload')
        open(folder + '/enough', 'w').close()
        said = process.communicate(timeout=60)[0]
    with open(folder + '/lines', errors='replace') as handle:
        rows = [json.loads(line) for line in handle]
    true('action=' not in said and rows, 'standard error has the lines: ' + said)
    kinds = dict(re.findall(r'LOG_KIND_(\w+)\] = \{"(\w{32})"', source('milter/report/log_kind.c')))
    for row in rows:
        true(row['MESSAGE_ID'] in kinds.values(), row)
    by_kind = {kind: [row for row in rows if row['MESSAGE_ID'] == number] for kind, number in kinds.items()}
    passed, refused = by_kind['PASSED'][0], by_kind['REFUSED'][0]
    equal((passed['GATEPOST_ACTION'], passed['GATEPOST_FROM'], passed['_TRANSPORT'], passed['PRIORITY']),
          ('accept', 'a@example.com', 'journal', '6'))
    equal(passed['GATEPOST_MESSAGE_ID'], '<0@example.com>')
    equal(passed['GATEPOST_TO'], ['bob@lab.test', 'eve@lab.test'], 'recipients')
    equal((refused['GATEPOST_CHECK'], refused['GATEPOST_TO'], refused['GATEPOST_SESSION']),
          ('reject_unauth_destination', 'x@remote.example', passed['GATEPOST_SESSION']))
    true(by_kind['RELOADED'] and by_kind['DAEMON_INFO'], [row['MESSAGE'] for row in rows])


@case('without a journal, log_target = journal goes to standard error in the foreground')
def no_journal():
    if without_journal() or os.path.exists('/run/systemd/journal/socket'):
        raise Skip('there is a journal here, or never was one')
    daemon = new({'log_target': 'journal'}).start()
    with opened(daemon) as mta:
        accept(mta, 0)
    daemon.wait_log(0, 'action=accept', 'from=accept0@example.com')


@case('each kind of line has an entry in the catalog, which the journal can read')
def catalog():
    path = TOP + '/packaging/systemd/gatepost.catalog'
    kinds = set(re.findall(r'"(\w{32})"', source('milter/report/log_kind.c')))
    listed = re.findall(r'(?m)^-- (\w{32})$', source(path))
    equal(sorted(listed), sorted(kinds), 'ids')
    keys = set(re.findall(r'(?m)^    \{"([a-z_]+)", (?:get_|NULL, \d)', source('milter/report/logline.c')))
    used = set(re.findall(r'@?GATEPOST_([A-Z_]+)', source(path)))
    true(used and used <= {key.upper() for key in keys}, 'fields that no line has: %s' % used)
    if not shutil.which('journalctl'):
        raise Skip('journalctl is missing')
    root = place.folder()
    os.makedirs(root + '/usr/lib/systemd/catalog')
    os.makedirs(root + '/var/lib/systemd/catalog')
    shutil.copy(path, root + '/usr/lib/systemd/catalog')
    done = subprocess.run(['journalctl', '--root=' + root, '--update-catalog'], capture_output=True,
                          text=True)
    equal((done.returncode, done.stderr), (0, ''), 'journalctl --update-catalog')
    done = subprocess.run(['journalctl', '--root=' + root, '--list-catalog'], capture_output=True,
                          text=True)
    equal(len(done.stdout.splitlines()), len(kinds), done.stdout)


@case('syslog and the journal stand still: mail goes on, and a stop is obeyed')
def others():
    namespaces()
    for target in ('syslog', 'journal'):
        folder = place.folder()
        os.chmod(folder, 0o755)
        reader = subprocess.Popen([sys.executable, '-c', READER, folder + '/socket',
                                   folder + '/lines'])
        try:
            until(lambda: os.path.exists(folder + '/socket'), 10, 'the reader')
            one_target(target, folder, reader)
        finally:
            reader.kill()
            reader.wait()


def one_target(target, folder, reader):
    daemon = new({'log_target': target})
    done = subprocess.run(['unshare', '--mount', '--propagation', 'private', 'sh', '-c', ELSEWHERE,
                           folder, target, gatepost.DAEMON, '-c', daemon.file],
                          capture_output=True, text=True, timeout=60, env=gatepost.environment())
    if target == 'journal' and 'built without libsystemd' in done.stderr:
        return
    equal(done.returncode, 0, done.stderr)
    with open(daemon.folder + '/run/gatepost.pid') as handle:
        pid = int(handle.read())

    def lines():
        with open(folder + '/lines', errors='replace') as handle:
            return handle.read().splitlines()
    with opened(daemon) as mta:
        accept(mta, 0)
        until(lambda: any('accept0@' in line for line in lines()), 10, 'the first line')
        reader.send_signal(signal.SIGSTOP)
        for number in range(1, 1001):
            accept(mta, number)
            refuse(mta, number)
        until(lambda: status(daemon)['log_stalls'] >= 2, 10, 'status that tells of it')
        reader.send_signal(signal.SIGCONT)
        until(lambda: status(daemon)['log_waiting'] == 0, 20, 'the end of the queue')
        equal(status(daemon)['log_lost'], 0, 'lost lines')
        until(lambda: any('refuse1000@' in line for line in lines()), 10, 'the last line')
        for word in ('accept', 'refuse'):
            found = sorted({int(number) for line in lines()
                            for number in re.findall(word + r'(\d+)@example\.com', line)})
            equal(found[-1000:], list(range(1, 1001)), 'lines with %s in %s' % (word, target))
        reader.send_signal(signal.SIGSTOP)
        for number in range(2000, 2600):
            refuse(mta, number)
    begun = time.monotonic()
    os.kill(pid, signal.SIGTERM)
    until(lambda: not os.path.exists('/proc/%d' % pid), FLUSH + 10, 'the end')
    true(time.monotonic() - begun < FLUSH + 20, 'a stop took too long')


# A name with a backslash and a sign that nobody sees, in settings, and as it must be shown: escaped
# once, wherever a problem is told.
ODD, SHOWN = 'no\\such\u202ekind', 'no\\\\such\\u{202e}kind'


def told(text, quote='"'):
    true('unknown table type %s%s%s' % (quote, SHOWN, quote) in text, text)


@case('a problem is escaped once: in both logs, at the start, in answers of commands')
def escaped_once():
    daemon = new().start()
    good = dict(daemon.settings)
    for format in ('text', 'json'):
        daemon.reload({**good, 'log_format': format})
        mark = daemon.mark()
        daemon.configure({**good, 'log_format': format,
                          'client_restrictions': 'check_client_access %s:/x' % ODD})
        for command in ('reload', 'check', 'config'):
            done = daemon.control(command)
            if command != 'config':
                equal(done.returncode, 78, command)
                told(done.stdout + done.stderr)
        line = daemon.wait_log(mark, 'unknown table type')
        if format == 'json':
            match(re.escape('"%s"' % ODD), json.loads(line)['message'])
        else:
            told(line, '\\"')
        other = new()
        other.configure({**other.settings, 'log_format': format,
                         'client_restrictions': 'check_client_access %s:/x' % ODD})
        done = subprocess.run([gatepost.DAEMON, '-c', other.file, '-f'], capture_output=True,
                              text=True, timeout=60, env=gatepost.environment())
        equal(done.returncode, 78, done.stderr)
        if format == 'json':
            rows = [json.loads(line) for line in done.stderr.splitlines()]
            match(re.escape('"%s"' % ODD), rows[0]['message'])
            true(rows[0]['file'] == other.file and rows[0]['line'] > 0, 'where')
        else:
            told(done.stderr)


def teardown(_):
    for daemon in running:
        daemon.reads.set()
        daemon.stop()


@case('nothing was written where no sanitizer may complain')
def sanitizers():
    for daemon in running:
        daemon.reads.set()
        daemon.stop()
        equal(daemon.sanitizer_report(), '', 'sanitizer report')


tap.run(None, teardown)
