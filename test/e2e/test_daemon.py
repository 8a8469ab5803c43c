#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The daemon's life: reloads, broken settings, kills, restarts, two of them, monitor mode. No mail
is lost, none passes unseen."""
import json
import os
import pwd
import signal
import stat
import subprocess
import sys
import threading
import time
sys.path.insert(0, sys.path[0] + '/../lib')
import gatepost
from scene import run
from smtp import Dialog, message, token
from tap import case, equal, match, true, until

OK = '^250'
DENIED = r'^550 5\.7\.1 .*Relaying denied; authenticate first$'
UNSERVED = r'^451 4\.7\.1 Service unavailable - try again later$'
SENDERS = 4  # sessions at a time while the daemon is reloaded


def relay(scene):
    """The answer to an outsider's relay attempt."""
    with scene.outsider() as dialog:
        match(OK, dialog.mail('a@example.com'))
        return dialog.rcpt('x@remote.example')


@case('root is given up after binding')
def user(scene):
    with open('/proc/%d/status' % scene.gatepost.process.pid) as handle:
        ids = next(line.split()[1:] for line in handle if line.startswith('Uid:'))
    equal(set(ids), {str(pwd.getpwnam('nobody').pw_uid)}, 'user ids')
    with open('/proc/%d/status' % scene.gatepost.process.pid) as handle:
        groups = next(line.split()[1:] for line in handle if line.startswith('Groups:'))
    true('0' not in groups, 'still in the group of root: %s' % groups)


@case('the socket has the mode that was asked for')
def socket_mode(scene):
    equal(oct(stat.S_IMODE(os.stat(scene.gatepost.path).st_mode)), '0o666', 'mode')


@case('status answers')
def status(scene):
    done = scene.gatepost.control('status', '--json')
    equal(done.returncode, 0, done.stderr)
    gatepost.json_fields(done.stdout)


@case('a reload takes new settings into force, for new connections')
def reload(scene):
    with scene.outsider() as before:
        match(OK, before.mail('a@example.com'))
        with scene.settings(mynetworks='127.0.0.0/8 203.0.113.0/24'):
            match(OK, relay(scene))
            match(DENIED, before.rcpt('x@remote.example'), 'a session that began earlier')
    match(DENIED, relay(scene))


@case('SIGUSR1 reloads')
def signal_reload(scene):
    settings = scene.gatepost.settings
    try:
        scene.gatepost.configure({**settings, 'mynetworks': '127.0.0.0/8 203.0.113.0/24'})
        scene.gatepost.process.send_signal(signal.SIGUSR1)
        until(lambda: relay(scene).startswith('250'), 10, 'the new settings in force')
    finally:
        scene.gatepost.configure(settings)
    scene.gatepost.process.send_signal(signal.SIGUSR1)
    until(lambda: relay(scene).startswith('550'), 10, 'the old settings in force')


BROKEN = [('no_such_parameter = 1\n', 'gatepost.conf:'),
          ('client_restrictions = check_client_access cidr:/nonexistent/table\n',
           '/nonexistent/table'),
          ('relay_restrictions = permit_mynetworks\n', 'relay_restrictions')]


@case('broken settings never take a running daemon down')
def broken(scene):
    settings = scene.gatepost.settings
    good = open(scene.gatepost.file).read()
    try:
        for text, word in BROKEN:
            scene.gatepost.write(good + text)
            done = scene.gatepost.control('reload')
            true(done.returncode != 0, 'reload succeeded with %r' % text)
            match(word, done.stdout + done.stderr, 'what reload tells')
            scene.gatepost.process.send_signal(signal.SIGUSR1)
            time.sleep(0.3)
            match(DENIED, relay(scene))
        os.unlink(scene.gatepost.file)
        true(scene.gatepost.control('reload').returncode != 0, 'reload without a file succeeded')
        match(DENIED, relay(scene))
        equal(scene.gatepost.process.poll(), None, 'exit of the daemon')
    finally:
        scene.gatepost.configure(settings)
    scene.gatepost.reload()


@case('broken settings at the start are told, exit 78')
def broken_start(scene):
    other = gatepost.Gatepost({'no_such_parameter': '1', 'mynetworks': '300.1.2.3/8'})
    done = subprocess.run([gatepost.DAEMON, '-c', other.file, '-f'], capture_output=True,
                          text=True, timeout=120, stdin=subprocess.DEVNULL)
    equal(done.returncode, 78, done.stderr)
    match(r'gatepost\.conf:\d+: error: ', done.stderr)
    true(done.stderr.count(': error: ') >= 2, 'not all errors were told: ' + done.stderr)


@case('mail flows while the daemon reloads')
def reload_under_load(scene):
    stop, words, bad = threading.Event(), [], []

    def send():
        while not stop.is_set():
            word = token('flow')
            try:
                with Dialog(scene.postfix.ports['mx']) as dialog:
                    replies = dialog.deliver('a@lab.test', ['bob@lab.test', 'x@remote.example'],
                                             message(word))
            except OSError as error:
                replies = [str(error)]
            (words if all(r.startswith('250') for r in replies) else bad).append(word)

    threads = [threading.Thread(target=send) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    try:
        for number in range(20):
            if number % 5 == 4:
                scene.gatepost.process.send_signal(signal.SIGUSR1)
            else:
                scene.gatepost.reload()
            time.sleep(0.1)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    equal(bad, [], 'messages that were refused')
    true(len(words) > 10, 'only %d messages were sent' % len(words))
    for word in words:
        scene.sink.wait(word)


@case('killed in mid-session: Postfix answers 451, nothing passes, nothing is lost')
def killed(scene):
    lost, kept = token(), token()
    before_rcpt, before_dot = scene.outsider(), scene.outsider()
    match(OK, before_rcpt.mail('a@example.com'))
    match(OK, before_dot.mail('a@example.com'))
    match(OK, before_dot.rcpt('bob@lab.test'))
    match('^354', before_dot.send('DATA'))
    scene.gatepost.kill()
    match(UNSERVED, before_rcpt.rcpt('x@remote.example'), 'RCPT')
    match(UNSERVED, before_dot.send(message(lost) + b'.'), 'the final dot')
    with scene.dialog() as new:
        match('^220', new.banner)
        match(UNSERVED, new.mail('a@example.com'), 'MAIL in a new session')
    scene.gatepost.start()
    match(UNSERVED, before_rcpt.rcpt('bob@lab.test'), 'the old session')
    with scene.outsider() as dialog:
        match(OK, dialog.deliver('a@example.com', ['bob@lab.test'], message(kept))[-1])
    scene.sink.wait(kept)
    true(not scene.sink.messages(lost), 'a message passed that was answered with 451')
    for dialog in (before_rcpt, before_dot):
        dialog.close()


@case('the socket of a killed daemon is no obstacle')
def stale_socket(scene):
    scene.gatepost.kill()
    true(os.path.exists(scene.gatepost.path), 'the socket went away by itself')
    scene.gatepost.start()
    match(DENIED, relay(scene))


@case('a second daemon leaves the first alone')
def second_daemon(scene):
    done = subprocess.run([gatepost.DAEMON, '-c', scene.gatepost.file, '-f'], capture_output=True,
                          text=True, timeout=120, stdin=subprocess.DEVNULL)
    true(done.returncode != 0, 'a second daemon runs on the same socket')
    true(done.stderr.strip(), 'it does not tell why')
    match(DENIED, relay(scene))
    equal(scene.gatepost.control('status').returncode, 0, 'status of the first')


@case('a stop lets the messages under way end')
def orderly_stop(scene):
    word = token()
    with scene.outsider() as dialog:
        match(OK, dialog.mail('a@example.com'))
        match(OK, dialog.rcpt('bob@lab.test'))
        process = scene.gatepost.process
        process.send_signal(signal.SIGTERM)
        time.sleep(1)
        match(OK, dialog.data(message(word)), 'the message under way')
    scene.sink.wait(word)
    equal(process.wait(90), 0, 'exit code')
    true(not os.path.exists(scene.gatepost.path), 'the socket is left behind')
    scene.gatepost.start()


@case('an idle session does not hold up a stop')
def stop_with_idle_session(scene):
    with scene.outsider() as dialog:
        match(OK, dialog.send('NOOP'))
        begun = time.monotonic()
        equal(scene.gatepost.stop(), 0, 'exit code')
        true(time.monotonic() - begun < 25, 'it took %g s' % (time.monotonic() - begun))
    scene.gatepost.start()


MONITORED = 'check_client_access inline:{203.0.113.12=HOLD, {203.0.113.13=PREPEND X-Client: seen}}'


COUNTED = ('accepted', 'refused', 'deferred', 'held', 'would_refuse', 'would_defer', 'would_hold')


def status(scene):
    return json.loads(scene.gatepost.control('status', '--json').stdout)


@case('monitor mode refuses nothing and tells what it would have done')
def monitor(scene):
    with scene.settings(mode='monitor', client_restrictions=MONITORED):
        before = status(scene)
        mark, word = scene.gatepost.mark(), token()
        with scene.outsider() as dialog:
            for reply in dialog.deliver('a@example.com', ['x@remote.example'], message(word)):
                match(OK, reply)
        scene.sink.wait(word)
        scene.gatepost.wait_log(mark, 'check=reject_unauth_destination', 'Relaying denied')
        for address in ('203.0.113.12', '203.0.113.13'):
            word = token()
            with scene.outsider(address) as dialog:
                match(OK, dialog.deliver('a@example.com', ['bob@lab.test'], message(word))[-1])
            true('X-Client' not in scene.sink.wait(word).header(), 'a header was added')
        scene.gatepost.wait_log(mark, 'action=hold', 'mode=monitor', 'entry=inline:203.0.113.12')
        after = status(scene)
        equal({key: after[key] - before[key] for key in COUNTED if after[key] != before[key]},
              {'accepted': 3, 'would_refuse': 1, 'would_hold': 1}, 'counts')
        text = scene.gatepost.control('status').stdout
        match(r'(?m)^ +1  would have been refused', text)
    match(DENIED, relay(scene))


@case('verbs that nobody knows do no harm')
def unknown_verbs(scene):
    with scene.outsider() as dialog:
        for line in ('FOO bar', 'EXPN bob', 'TURN', ''):
            match('^5', dialog.send(line), line)
        match(OK, dialog.mail('a@example.com'))
        match(OK, dialog.rcpt('bob@lab.test'))


run(unix=True, settings={'stop_timeout': '20s'})
