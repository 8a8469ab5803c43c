#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Starting, reloading, stopping: what becomes of the sessions that are open meanwhile."""
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
sys.path.insert(0, sys.path[0] + '/../lib')
import gatepost
from milter import Milter
import place
import tap
from tap import Skip, case, equal, match, true, until

DENIED = r'^550 5\.7\.1 .*Relaying denied'
running = []


def new(settings=None, start=True, unix=True):
    """A daemon of the test's own."""
    daemon = gatepost.Gatepost(settings, unix=unix)
    running.append(daemon)
    return daemon.start() if start else daemon


def opened(daemon, timeout=30):
    mta = Milter(daemon.port or daemon.path, timeout)
    mta.negotiate()
    mta.connect()
    mta.helo()
    return mta


def relay(mta):
    mta.mail()
    code, reply = mta.rcpt('<x@remote.example>')
    mta.abort()
    return reply if code != 'c' else ''


def run(*arguments, **options):
    return subprocess.run([gatepost.DAEMON, *arguments], capture_output=True, text=True,
                          timeout=60, env=gatepost.environment(), **options)


def leftovers(daemon):
    """What the daemon left in its folder, but for state and history, which are to stay."""
    return sorted(name for name in os.listdir(daemon.folder + '/run')
                  if not name.startswith(('gatepost.db', 'history.db')))


def status(daemon):
    return gatepost.json_fields(daemon.control('status', '--json').stdout)


def stopped(daemon, seconds=60):
    process, daemon.process = daemon.process, None
    process.wait(seconds)
    daemon.reader.join(5)
    return process.returncode


def ping(daemon, *arguments):
    start = time.monotonic()
    done = daemon.control('ping', *arguments)
    return done.returncode, done.stdout, done.stderr, time.monotonic() - start


@case('ping: a daemon that serves, and one that does not, within the time')
def pinged():
    for unix in (True, False):
        daemon = new(unix=unix)
        daemon.wait_log(0, 'at work')
        mark = daemon.mark()
        for _ in range(3):
            equal(ping(daemon)[:3], (0, '', ''), 'a daemon that is well')
        equal(ping(daemon, '--timeout', '1m')[0], 0)
        equal(daemon.log(mark), [], 'the log')
        equal(ping(daemon, '--timeout', 'soon')[0], 64)
        equal(ping(daemon, '--timeout', '0')[0], 64)
        os.kill(daemon.process.pid, signal.SIGSTOP)
        try:
            code, _, errors, seconds = ping(daemon, '--timeout', '500ms')
        finally:
            os.kill(daemon.process.pid, signal.SIGCONT)
        equal(code, 69, 'a daemon that hangs')
        match('^gatepostctl: no answer within 500ms$', errors)
        true(0.4 < seconds < 20, 'it took %.1f s' % seconds)
        equal(ping(daemon, '--timeout', '20s')[0], 0, 'it goes on')
        daemon.stop()
        code, _, errors, _ = ping(daemon)
        equal(code, 69, 'no daemon')
        match('no daemon runs there', errors)


@case('ping: restrictions of connect and MAIL, lists that are asked, settings that are broken')
def pinged_elsewhere():
    daemon = new({'delay_checks': 'no', 'client_restrictions': 'reject',
                  'sender_restrictions': 'reject', 'recipient_restrictions': 'reject'})
    equal(ping(daemon, '--timeout', '20s')[:3], (0, '', ''))
    with open(daemon.folder + '/gatepost.conf', 'a', encoding='utf-8') as handle:
        handle.write('no such line\n')
    equal(ping(daemon, '--timeout', '20s')[:3], (0, '', ''))


@case('ping: what is no filter, and says nothing or rubbish')
def pinged_others():
    for answer in (None, b'220 mail.example.org ESMTP\r\n', b'\0\0\0\0', b'\0\0\0\1p' * 9,
                   b'\xff\xff\xff\xffO', b'\0\0\0\rO' + bytes(12) + b'\0\0\0\1z'):
        with socket.socket() as server:
            server.bind(('127.0.0.1', 0))
            server.listen(1)
            file = place.write(place.folder('gatepost-ping-') + '/gatepost.conf',
                               'milter_socket = inet:%d@127.0.0.1\n' % server.getsockname()[1])
            with subprocess.Popen([gatepost.CONTROL, '-c', file, 'ping', '--timeout', '1s'],
                                  stderr=subprocess.PIPE, env=gatepost.environment()) as process:
                peer, _ = server.accept()
                with peer:
                    if answer:
                        peer.sendall(answer)
                    errors = process.communicate(timeout=20)[1].decode()
                equal(process.returncode, 69, '%r: %s' % (answer, errors))
                match('does not answer as a filter|no answer within 1s', errors)


@case('the command line')
def command_line():
    for arguments in (['-x'], ['-c'], ['-f', 'word'], ['--nope']):
        done = run(*arguments)
        equal(done.returncode, 64, ' '.join(arguments))
        match('usage: gatepost', done.stderr)
    for option in ('-V', '--version'):
        match(r'^gatepost \d+\.\d+', run(option).stdout)
    for option in ('-h', '--help'):
        match(r'^usage: gatepost(.|\n)*Exit: 0', run(option).stdout)
        equal(run(option).returncode, 0, option)
    done = run('-f', '-c', '/nonexistent/gatepost.conf')
    equal(done.returncode, 78, 'no settings')
    match('^/nonexistent/gatepost.conf:1: error: ', done.stderr)


@case('in the background: whoever starts it knows that it serves')
def background():
    daemon = new({'log_target': 'syslog'}, start=False)
    relative = os.path.basename(daemon.file)
    done = run('-c', relative, cwd=daemon.folder)
    equal(done.returncode, 0, done.stderr)
    true(daemon.answers(), 'it serves')
    with open(daemon.folder + '/run/gatepost.pid') as handle:
        pid = int(handle.read())
    equal(os.readlink('/proc/%d/cwd' % pid), '/', 'working directory')
    equal(os.getsid(pid), pid, 'session')
    for number in range(3):
        equal(os.readlink('/proc/%d/fd/%d' % (pid, number)), '/dev/null', 'descriptor')
    os.kill(pid, signal.SIGTERM)
    until(lambda: leftovers(daemon) == [], 10, 'the end')


@case('standard input, output and error may be closed: no file of ours takes their place')
def closed():
    for where in ('', '-f'):
        daemon = new({'log_target': 'stderr'}, start=False)
        command = 'exec "$0" -c "$1" %s <&- >&- 2>&-' % where
        process = subprocess.Popen(['sh', '-c', command, gatepost.DAEMON, daemon.file],
                                   env=gatepost.environment())
        until(daemon.answers, 20, 'the daemon')
        with open(daemon.folder + '/run/gatepost.pid') as handle:
            pid = int(handle.read())
        for number in range(3):
            equal(os.readlink('/proc/%d/fd/%d' % (pid, number)), '/dev/null', 'descriptor')
        os.kill(pid, signal.SIGTERM)
        equal(process.wait(20), 0, 'exit')
        until(lambda: leftovers(daemon) == [], 10, 'the end')


@case('in the background: what goes wrong reaches the terminal')
def background_failure():
    daemon = new({'log_target': 'syslog'}, start=False)
    daemon.write('no_such_parameter = 1\nmode = maybe\n')
    done = run('-c', daemon.file)
    equal(done.returncode, 78, 'exit')
    match(':1: error: .*no_such_parameter', done.stderr)
    match(':2: error: .*maybe', done.stderr)
    taken = socket.socket()
    taken.bind(('127.0.0.1', place.port()))
    taken.listen(1)
    daemon.configure({'milter_socket': 'inet:%d@127.0.0.1' % taken.getsockname()[1]})
    done = run('-c', daemon.file)
    equal(done.returncode, 69, 'exit')
    match('port %d: Address already in use' % taken.getsockname()[1], done.stderr)
    equal(leftovers(daemon), [], 'left behind')


@case('sockets that cannot be')
def bad_sockets():
    daemon = new(start=False)
    place.write(daemon.folder + '/run/file', 'precious')
    for settings, pattern in (
            ({'milter_socket': 'unix:/nonexistent/folder/s'}, 'No such file or directory'),
            ({'milter_socket': 'unix:' + daemon.folder + '/run/file'}, 'no socket of ours'),
            ({'control_socket': daemon.folder + '/run/file'}, 'no socket of ours'),
            ({'milter_socket': 'inet:10025@192.0.2.1'}, 'Cannot assign requested address'),
            ({'milter_socket': 'inet:10025@no.such.host.invalid'}, 'no.such.host.invalid'),
            ({'pid_file': '/nonexistent/folder/pid'}, 'pid file')):
        daemon.configure(settings)
        done = run('-f', '-c', daemon.file)
        equal(done.returncode, 69, done.stderr)
        match(pattern, done.stderr)
        equal(leftovers(daemon), ['file'], 'left behind')


@case('what is wrong at the start is JSON, with its time, where the log is')
def json_start():
    daemon = new(start=False)
    for settings, code, pattern in (
            ({'log_format': 'json', 'mode': 'banana'}, 78, 'error: mode'),
            ({'log_format': 'json', 'client_restrictions': 'check_client_access hash:/nonexistent'},
             78, 'error: .*nonexistent'),
            ({'log_format': 'json', 'milter_socket': 'unix:/nonexistent/folder/s'}, 69, 'No such file')):
        daemon.configure(settings)
        done = run('-f', '-c', daemon.file)
        equal(done.returncode, code, done.stderr)
        rows = [json.loads(line) for line in done.stderr.splitlines()]
        true(all({'ts', 'level', 'message'} <= set(row) for row in rows), done.stderr)
        match(pattern, '\n'.join('%(level)s: %(message)s' % row for row in rows))
    daemon.configure({'mode': 'banana'})
    match(r'\A\S+:\d+: error: mode', run('-f', '-c', daemon.file).stderr)


@case('a listener on a host name follows it at a reload, and open connections go on')
def moves():
    if os.geteuid() != 0:
        raise Skip('only root has a file of hosts of his own')
    for engine in ('libmilter', 'native'):
        daemon = new({'milter_engine': engine}, start=False)
        port, hosts = place.port(), daemon.folder + '/hosts'
        daemon.configure({'milter_engine': engine, 'milter_socket': 'inet:%d@moving.test' % port})
        place.write(hosts, '127.0.0.2 moving.test\n')
        log = open(daemon.folder + '/moves', 'w+', encoding='utf-8')
        process = subprocess.Popen(
            ['unshare', '--mount', 'sh', '-c', 'mount --bind "$0" /etc/hosts && exec "$1" -f -c "$2"',
             hosts, gatepost.DAEMON, daemon.file], stderr=log, env=gatepost.environment())

        def said(word):
            with open(daemon.folder + '/moves', encoding='utf-8') as handle:
                return word in handle.read()

        def reach(host):
            with socket.socket() as probe:
                probe.settimeout(2)
                return probe.connect_ex((host, port)) == 0
        try:
            until(lambda: said('at work'), 20, 'the start')
            kept = socket.create_connection(('127.0.0.2', port), 10)
            with open(hosts, 'w', encoding='utf-8') as handle:
                handle.write('127.0.0.3 moving.test\n')
            done = daemon.control('reload')
            equal(done.returncode, 0, done.stderr)
            until(lambda: said('which is listened on now'), 10, 'the log')
            until(lambda: not reach('127.0.0.2'), 15, 'the old address is closed')
            with socket.create_connection(('127.0.0.3', port), 10) as fresh:
                for one in (fresh, kept):
                    one.settimeout(20)
                    one.sendall(b'\0\0\0\x0dO\0\0\0\x06\0\0\0\0\0\0\0\0')
                    equal(one.recv(5)[4:], b'O', engine + ': an answer')
            kept.close()
            equal(daemon.control('reload').returncode, 0, 'nothing has changed')
            with open(daemon.folder + '/moves', encoding='utf-8') as handle:
                equal(handle.read().count('which is listened on now'), 1, 'moved once')
        finally:
            process.send_signal(signal.SIGTERM)
            equal(process.wait(30), 0, engine + ': exit')


@case('a user or group that is not there')
def bad_user():
    if os.geteuid() != 0:
        raise Skip('only root changes users')
    daemon = new(start=False)
    daemon.configure({'user': 'no-such-user', 'milter_socket_group': 'no-such-group'})
    done = run('-f', '-c', daemon.file)
    equal(done.returncode, 78, 'exit')
    match('user: there is no user "no-such-user"', done.stderr)
    match('milter_socket_group: there is no group "no-such-group"', done.stderr)


@case('folders that are missing are made for the user')
def folders():
    daemon = new(start=False)
    path = daemon.folder + '/other'
    daemon.configure({'control_socket': path + '/control.sock', 'pid_file': path + '/pid'})
    daemon.start()
    if os.geteuid() == 0:
        true(os.stat(path).st_uid != 0, 'owner of the folder')
    equal(daemon.stop(), 0, 'exit')
    equal(os.listdir(path), [], 'left behind')


def limits(daemon, name):
    """The soft and the hard one."""
    with open('/proc/%d/limits' % daemon.process.pid) as handle:
        line = next(line for line in handle if line.startswith(name))
    return line[len(name):].split()[:2]


@case('as many open files as allowed')
def files():
    daemon = new()
    soft, hard = limits(daemon, 'Max open files')
    equal(soft, hard, 'soft and hard limit')
    equal(daemon.stop(), 0, 'exit')


@case('no core dumps, which would hold mail, unless asked for')
def core_dumps():
    before = resource.getrlimit(resource.RLIMIT_CORE)
    if before[1] == 0:
        raise Skip('core dumps are forbidden here anyway')
    hard = before[1] if before[1] != resource.RLIM_INFINITY else 'unlimited'
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
        daemon = new()
        equal(limits(daemon, 'Max core file size'), ['0', '0'], 'limits')
        equal(daemon.stop(), 0, 'exit')
        os.environ['GATEPOST_CORE_DUMPS'] = '1'
        daemon = new()
        # A sanitizer's runtime lowers the soft limit by itself.
        equal(limits(daemon, 'Max core file size')[1], str(hard), 'limit when asked for')
        equal(daemon.stop(), 0, 'exit')
    finally:
        os.environ.pop('GATEPOST_CORE_DUMPS', None)
        resource.setrlimit(resource.RLIMIT_CORE, before)


def on_terminal(daemon, *arguments):
    """What gatepostctl says to somebody who sits before it."""
    ours, theirs = os.openpty()
    try:
        done = subprocess.run([gatepost.CONTROL, '-c', daemon.file, *arguments], stdout=theirs,
                              stderr=subprocess.PIPE, timeout=60, env=gatepost.environment())
        equal((done.returncode, done.stderr), (0, b''), arguments[0])
        return os.read(ours, 4096).decode()
    finally:
        os.close(ours)
        os.close(theirs)


@case('on a terminal reload and setup --check say that all is well, elsewhere setup says nothing')
def terminal():
    daemon = new({'mynetworks': '127.0.0.0/8 [::1]/128'}, unix=False)
    match('the daemon has read %s anew' % daemon.file, on_terminal(daemon, 'reload'))
    for name in ('sendmail.cf', 'submit.cf'):
        place.write(daemon.folder + '/' + name, 'V10/Berkeley\nDZ8.17.1\nDjmail.lab.test\nCwlab.test localhost\n'
                    'O DontProbeInterfaces=True\n'
                    'O DaemonPortOptions=Name=MTA, Family=inet\nO InputMailFilters=gatepost\n'
                    'Xgatepost, S=inet:%d@127.0.0.1, F=T, T=C:30s;R:30s\n' % daemon.port)
    words = ('setup', 'sendmail', '--mta-config', daemon.folder, '--check')
    match('%s and sendmail fit together, and gatepost answers' % daemon.file, on_terminal(daemon, *words))
    equal(daemon.control(*words).stdout, '', 'not on a terminal')
    equal(daemon.stop(), 0, 'exit')


@case('a session keeps the policy that it began with; new ones get the new')
def reload_sessions():
    daemon = new({'mynetworks': '127.0.0.0/8'})
    with opened(daemon) as old:
        match(DENIED, relay(old))
        daemon.reload({'mynetworks': '203.0.113.0/24'})
        with opened(daemon) as fresh:
            equal(relay(fresh), '', 'the new policy')
        match(DENIED, relay(old))
    equal(daemon.stop(), 0, 'exit')


@case('status tells of tables: entries, age, what is wrong')
def table_status():
    folder = place.folder()
    path, names = folder + '/clients', folder + '/domains'
    with open(path, 'w') as handle:
        handle.write('192.0.2.1 OK\n192.0.2.2 OK\nbroken\n')
    with open(names, 'w') as handle:
        handle.write('lab.test\nfar.test\n')
    daemon = new({'client_restrictions': 'check_client_access texthash:' + path,
                  'local_domains': names, 'sender_login_maps': 'inline:{a@b=c}'})

    def tables():
        return {table['name']: table for table in status(daemon)['tables']}
    found = tables()
    equal(sorted(found), sorted(['texthash:' + path, names, 'inline:{a@b=c}']), 'tables')
    table = found['texthash:' + path]
    equal([table['entries'], table['warnings'], table['error']], [2, 1, None], 'the table')
    true(0 <= table['age'] < 60, 'its age')
    equal([found[names]['entries'], found['inline:{a@b=c}']['age']], [2, None], 'the others')
    os.unlink(path)
    until(lambda: tables()['texthash:' + path]['error'], 20, 'the missing file is told of')
    equal(tables()['texthash:' + path]['entries'], 2, 'what was read stays')
    match('cannot be read again since .*: No such file', daemon.control('status').stdout)


@case('broken settings: all is told, nothing changes')
def broken_reload():
    daemon = new({'mynetworks': '203.0.113.0/24'})
    daemon.configure({'mynetworks': '203.0.113.0/24', 'no_such': '1',
                      'client_restrictions': 'no_such_word'})
    mark = daemon.mark()
    done = daemon.control('reload')
    equal(done.returncode, 78, 'exit')
    for pattern in ('no_such', 'no_such_word', 'the old settings stay in force'):
        match(pattern, done.stdout + done.stderr)
    daemon.wait_log(mark, 'no_such_word')
    os.kill(daemon.process.pid, signal.SIGUSR1)
    until(lambda: len([1 for line in daemon.log(mark) if 'old settings stay' in line]) == 2, 10,
          'the second report')
    true(status(daemon)['reload_failed'], 'status tells of it')
    with opened(daemon) as mta:
        equal(relay(mta), '', 'the old policy')
    os.unlink(daemon.file)
    equal(daemon.control('reload').returncode == 0, False, 'without a file')
    with opened(daemon) as mta:
        equal(relay(mta), '', 'the old policy')
    daemon.reload({'mynetworks': '127.0.0.0/8'})
    equal(status(daemon)['reload_failed'], False, 'status when all is well again')
    equal(daemon.stop(), 0, 'exit')


@case('what the disk has and is not in force is told, and a reload tells what it changed')
def on_disk():
    daemon = new()
    folder = daemon.folder
    rules, table = folder + '/rules', folder + '/clients'
    os.mkdir(rules)
    place.write(rules + '/a.cf', 'header LOCAL_A Subject =~ /aaa/\nscore LOCAL_A 1\n')
    place.write(table, '203.0.113.9 REJECT\n')
    settings = {'rule_files': rules, 'client_restrictions': 'check_client_access ' + table}
    daemon.reload(settings)

    def told():
        lines = set()
        for words in (['config', 'mode'], ['rules'], ['lookup', 'texthash:' + table, 'x'], ['test']):
            done = daemon.control(*words)
            found = re.findall('(?m)^gatepostctl: not in force yet: (.*)$', done.stderr)
            equal('gatepostctl reload' in done.stderr, bool(found), 'the remedy')
            lines.add(tuple(found))
        equal(len(lines), 1, 'what commands say differs: %s' % lines)
        found = list(lines.pop())
        equal(status(daemon)['not_in_force'], found, 'status')
        equal(re.findall('(?m)^NOT IN FORCE YET: (.*)$', daemon.control('status').stdout), found, 'text')
        return found

    equal(told(), [], 'nothing is newer')
    os.utime(daemon.file)
    os.utime(rules + '/a.cf')
    equal(told(), [], 'touched files')
    equal(daemon.control('reload').stderr, '', 'nothing is wrong, and nothing is said')
    daemon.configure({**settings, 'mode': 'monitor', 'pid_file': folder + '/run/other.pid'},
                     '[listener submission]\ntag_score = 4\n')
    place.write(rules + '/a.cf', 'header LOCAL_A Subject =~ /aab/\nscore LOCAL_A 1\n')
    place.write(rules + '/b.cf', 'header LOCAL_B Subject =~ /bbb/\n')
    equal(told(), [daemon.file + ': [listener submission] tag_score, mode, pid_file',
                   rules + '/b.cf: new', rules + '/a.cf: changed'], 'changed, new')
    other = folder + '/other.conf'
    shutil.copy(daemon.file, other)
    done = subprocess.run([gatepost.CONTROL, '-c', other, 'config', 'mode'], capture_output=True, text=True)
    equal((done.stdout, done.stderr), ('mode = monitor\n', ''), 'other settings are tried')
    done = daemon.control('reload')
    equal(done.returncode, 0, done.stderr)
    equal(done.stdout, 'settings: 3 changed: [listener submission] tag_score, mode, pid_file\n'
                       'tables: 1, none changed\n'
                       'rules: 2, 1 changed: LOCAL_A, 1 new: LOCAL_B\n')
    match('pid_file: changed, which takes a restart', done.stderr)
    equal([line.split(';')[0] for line in told()], ['pid_file: takes a restart'])
    with open(daemon.file, 'a') as handle:
        handle.write('[listener smtp]\nmode = banana\n')
    true(any('has errors' in line for line in status(daemon)['not_in_force']), 'errors')
    equal(daemon.stop(), 0, 'exit')


@case('what takes a restart is warned of')
def restart_settings():
    daemon = new()
    mark = daemon.mark()
    daemon.configure({'pid_file': daemon.folder + '/run/other.pid', 'user': 'daemon'})
    path = daemon.settings['control_socket']
    answer = ask(path, b'reload\n')
    match(r'pid_file: changed, which takes a restart', answer)
    match(r'user: changed, which takes a restart', answer)
    daemon.wait_log(mark, 'pid_file: changed')
    equal(daemon.stop(), 0, 'exit')
    equal(leftovers(daemon), [], 'left behind')


def ask(path, request):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        client.sendall(request)
        return client.makefile().read()


@case('SIGHUP reloads, any number of times')
def hangup():
    daemon = new()
    for number in range(2000):
        os.kill(daemon.process.pid, (signal.SIGHUP, signal.SIGUSR1)[number % 2])
        if number % 20 == 0:
            time.sleep(0.01)
    until(lambda: status(daemon)['reloads'] >= 50, 20, 'reloads')
    with opened(daemon) as mta:
        match(DENIED, relay(mta))
    equal(daemon.stop(), 0, 'exit')


@case('a table that changes is read again')
def table():
    daemon = new(start=False)
    path = daemon.table('clients', '203.0.113.0/24 REJECT\n')
    daemon.configure({'client_restrictions': 'check_client_access cidr:' + path})
    daemon.start()
    with opened(daemon) as mta:
        mta.mail()
        match('^554 5.7.1 ', mta.rcpt()[1])
        mark = daemon.mark()
        daemon.table('clients', '198.51.100.0/24 REJECT\nnonsense here\n')
        daemon.wait_log(mark, 'level=info message="1 changed table read again: cidr:' + path)
        daemon.wait_log(mark, 'level=warning file=', '/clients line=2 message=')
        mta.abort()
        mta.mail()
        equal(mta.rcpt()[0], 'c', 'after the change')
    equal(daemon.stop(), 0, 'exit')


@case('a table that changes is new to sessions, too, that began before a reload')
def table_of_old_session():
    daemon = new(start=False)
    path = daemon.table('clients', '198.51.100.0/24 REJECT\n')
    daemon.configure({'client_restrictions': 'check_client_access cidr:' + path})
    daemon.start()
    with opened(daemon) as mta:
        mta.mail()
        equal(mta.rcpt()[0], 'c', 'before the change')
        equal(daemon.control('reload').returncode, 0, 'reload')
        equal(status(daemon)['snapshots'], 2, 'the session keeps its settings')
        mark = daemon.mark()
        daemon.table('clients', '203.0.113.0/24 REJECT\n')
        daemon.wait_log(mark, 'level=info message="1 changed table read again')
        mta.abort()
        mta.mail()
        match('^554 5.7.1 ', mta.rcpt()[1])
    until(lambda: status(daemon)['snapshots'] == 1, 10, 'old settings are forgotten')
    equal(daemon.stop(), 0, 'exit')


@case('a stop waits for the message under way, and its answer arrives')
def stop_waits():
    for unix in (True, False):
        daemon = new(unix=unix)
        idle, busy = opened(daemon), opened(daemon)
        busy.mail()
        equal(busy.rcpt()[0], 'c', 'RCPT')
        daemon.process.terminate()
        daemon.wait_log(0, 'waiting for 1 message under way')
        time.sleep(0.3)
        true(daemon.process.poll() is None, 'it waits')
        try:
            late = Milter(daemon.port or daemon.path, 5)
            late.negotiate()
            raise tap.Failure('a new connection was served')
        except (OSError, EOFError):
            pass
        match(DENIED, busy.rcpt('<x@remote.example>')[1])
        equal(busy.message()[0], 'c', 'the end of the message')
        equal(stopped(daemon), 0, 'exit')
        equal(leftovers(daemon), [], 'left behind')
        true(any('action=accept' in line for line in daemon.lines), 'the message is logged')
        idle.close()
        busy.close()


@case('stop_timeout bounds the wait')
def stop_timeout():
    daemon = new({'stop_timeout': '1s'})
    with opened(daemon) as busy:
        busy.mail()
        busy.rcpt()
        begun = time.monotonic()
        daemon.process.terminate()
        equal(stopped(daemon), 0, 'exit')
        true(0.9 < time.monotonic() - begun < 20, 'after %.1f s' % (time.monotonic() - begun))
        daemon.wait_log(0, '1 message was cut off')
        equal(leftovers(daemon), [], 'left behind')


@case('a second signal hurries')
def hurry():
    daemon = new({'stop_timeout': '10m'})
    with opened(daemon) as busy:
        busy.mail()
        busy.rcpt()
        daemon.process.terminate()
        daemon.wait_log(0, 'waiting for 1 message')
        daemon.process.send_signal(signal.SIGINT)
        equal(stopped(daemon), 0, 'exit')


@case('without messages a stop is quick')
def quick():
    for number in range(5):
        daemon = new()
        with opened(daemon) if number % 2 else open('/dev/null'):
            begun = time.monotonic()
            daemon.process.terminate()
            equal(stopped(daemon), 0, 'exit')
            true(time.monotonic() - begun < 20, 'after %.1f s' % (time.monotonic() - begun))


@case('after SIGKILL nothing is in the way')
def killed():
    daemon = new()
    with opened(daemon) as mta:
        mta.mail()
        daemon.kill()
        try:
            code, _ = mta.rcpt()
            raise tap.Failure('an answer from the dead: %r' % code)
        except (OSError, EOFError):
            pass
    equal(leftovers(daemon), ['control.sock', 'gatepost.pid', 'milter.sock', 'read.sock'], 'left behind')
    daemon.start()
    with opened(daemon) as mta:
        match(DENIED, relay(mta))
    equal(daemon.stop(), 0, 'exit')
    equal(leftovers(daemon), [], 'left behind')


@case('a second daemon is refused, whatever it shares, and the first goes on')
def second():
    first = new()
    for settings, pattern in (
            ({}, r'runs already \(process %d\)' % first.process.pid),
            ({'pid_file': ''}, 'control.sock: another process listens there'),
            ({'pid_file': '', 'control_socket': first.folder + '/run/other.sock'},
             'milter.sock: another process listens there')):
        own = gatepost.Gatepost({'milter_socket': 'unix:' + first.path,
                                 'control_socket': first.settings['control_socket'],
                                 'pid_file': first.settings['pid_file'], **settings}, unix=True)
        done = run('-f', '-c', own.file)
        equal(done.returncode, 69, done.stderr)
        match(pattern, done.stderr)
        with opened(first) as mta:
            match(DENIED, relay(mta))
        equal(first.control('status').returncode, 0, 'status of the first')
        equal(leftovers(first), ['control.sock', 'gatepost.pid', 'milter.sock', 'read.sock'], 'files')
    equal(first.stop(), 0, 'exit')


@case('a pid file that is another name of some file is left alone')
def linked_pid_file():
    for make in (os.symlink, os.link):
        daemon = new(start=False)
        victim = daemon.folder + '/run/victim'
        place.write(victim, 'precious')
        make(victim, daemon.folder + '/run/gatepost.pid')
        done = run('-f', '-c', daemon.file)
        equal(done.returncode, 69, done.stderr)
        match('gatepost.pid: ', done.stderr)
        with open(victim) as handle:
            equal(handle.read(), 'precious', 'the file')


class Manager:
    """The service manager's end of sd_notify(3)."""

    def __init__(self):
        self.path = place.folder() + '/notify'
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        os.chmod(self.path, 0o777)
        self.socket.settimeout(10)

    def hear(self):
        return self.socket.recv(4096).decode()

    def told(self):
        """The next word that is none of the watchdog's, which come in between whenever they like."""
        word = self.hear()
        while word == 'WATCHDOG=1':
            word = self.hear()
        return word


@case('the service manager is told')
def notify():
    manager = Manager()
    os.environ.update(NOTIFY_SOCKET=manager.path, WATCHDOG_USEC='1000000')
    try:
        daemon = new()
    finally:
        del os.environ['NOTIFY_SOCKET'], os.environ['WATCHDOG_USEC']
    equal(manager.told(), 'READY=1\nSTATUS=Serving by %s' % daemon.file)
    equal(manager.hear(), 'WATCHDOG=1')
    daemon.reload()
    match('^RELOADING=1\nMONOTONIC_USEC=\\d+', manager.told())
    equal(manager.told(), 'READY=1\nSTATUS=Serving by %s' % daemon.file)
    daemon.configure({'nonsense': 'x'})
    equal(daemon.control('reload').returncode, 78, 'reload with an error')
    told = ''
    while 'READY=1' not in told:
        told = manager.hear()
    equal(told, 'READY=1\nSTATUS=Serving by older settings: %s has errors' % daemon.file)
    equal(daemon.stop(), 0, 'exit')
    heard = ''
    while 'STOPPING=1' not in heard:
        heard = manager.hear()
    match('^STOPPING=1\nSTATUS=Stopping', heard)


@case('systemd is told how bad a line on standard error is')
def priorities():
    daemon = new(start=False)
    reader, writer = os.pipe()
    status = os.fstat(writer)
    daemon.configure({'local_domains': None})
    process = subprocess.Popen(
        [gatepost.DAEMON, '-f', '-c', daemon.file], stderr=writer,
        env={**gatepost.environment(), 'JOURNAL_STREAM': '%d:%d' % (status.st_dev, status.st_ino)})
    os.close(writer)
    until(daemon.answers, 20, 'the daemon')
    process.send_signal(signal.SIGUSR1)
    time.sleep(0.5)
    process.terminate()
    with os.fdopen(reader) as handle:
        text = handle.read()
    equal(process.wait(20), 0, 'exit')
    match(r'(?m)^<6>level=info message="gatepost .* at work', text)
    match(r'(?m)^<4>level=warning file=\S+ line=1 message="local_domains', text)


@case('the journal is a target only where it is built in')
def journal():
    daemon = new({'log_target': 'journal'}, start=False)
    with open(gatepost.DAEMON, 'rb') as handle:
        built_in = b'libsystemd.so' in handle.read()
    if built_in:
        equal(daemon.start().stop(), 0, 'exit')
        return
    done = run('-f', '-c', daemon.file)
    equal(done.returncode, 78, 'exit')
    match('built without libsystemd', done.stderr)


def setup():
    if gatepost.missing():
        tap.skip_all(gatepost.missing())


def teardown(_):
    for daemon in running:
        daemon.stop()
        equal(daemon.sanitizer_report(), '', 'sanitizers')


def explain(_):
    if running:
        tap.note('\n'.join(running[-1].lines[-20:]))


tap.run(setup, teardown, explain)
