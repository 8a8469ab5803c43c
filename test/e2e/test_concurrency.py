#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Many sessions at once while settings and tables change under them; made for ThreadSanitizer."""
import json
import os
import signal
import subprocess
import sys
import time
sys.path.insert(0, sys.path[0] + '/../lib')
import gatepost
import tap
from tap import case, equal, true

CLIENT = gatepost.BUILD + '/test/bench/client'
CONNECTIONS, MESSAGES, RELOADS = 16, 3000, 25


def load(daemon, **options):
    """Starts the load driver."""
    words = [word for key, value in options.items() for word in ('-' + key, str(value))]
    return subprocess.Popen([CLIENT, '-P', str(daemon.port), *words, '127.0.0.1'],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finished(client):
    out, error = client.communicate(timeout=240)
    equal(client.returncode, 0, error.decode())
    return json.loads(out)


@case('sessions at once')
def sessions(daemon):
    done = finished(load(daemon, c=CONNECTIONS, n=MESSAGES, b=2000))
    equal(done['accepted'], MESSAGES, 'accepted messages')


@case('reloads while sessions run')
def reloads(daemon):
    number = 0
    while number < 2:  # test/tools/replayed makes them slow
        client = load(daemon, c=CONNECTIONS, n=MESSAGES, m=3, b=2000)
        while client.poll() is None and number < RELOADS:
            daemon.reload({**daemon.settings, 'mynetworks': '10.0.0.%d/32' % number})
            number += 1
        equal(finished(client)['accepted'], MESSAGES, 'accepted messages')


@case('tables that change while sessions run')
def tables(daemon):
    client = load(daemon, c=CONNECTIONS, n=MESSAGES, m=3, b=2000)
    number = 0
    while client.poll() is None:
        number += 1
        daemon.table('clients', '203.0.113.%d REJECT\n' % (number % 250))
        time.sleep(0.2)
    equal(finished(client)['accepted'], MESSAGES, 'accepted messages')


@case('broken reloads and status while sessions run')
def broken(daemon):
    good = open(daemon.file).read()
    client = load(daemon, c=CONNECTIONS, n=MESSAGES, m=3, b=2000)
    while client.poll() is None:
        daemon.write(good + 'no_such_parameter = 1\n')
        true(daemon.control('reload').returncode != 0, 'a broken reload succeeded')
        daemon.process.send_signal(signal.SIGUSR1)
        equal(daemon.control('status').returncode, 0, 'status')
    daemon.write(good)
    equal(finished(client)['accepted'], MESSAGES, 'accepted messages')


@case('a stop while sessions run finds nothing to complain of')
def stop(daemon):
    client = load(daemon, c=CONNECTIONS, n=1000000, b=2000)
    time.sleep(1)
    begun = time.monotonic()
    code = daemon.stop()
    client.kill()
    client.communicate()
    equal(daemon.sanitizer_report(), '', 'sanitizer report')
    equal(code, 0, 'exit code')
    true(time.monotonic() - begun < 60, 'it took %g s' % (time.monotonic() - begun))


def setup():
    daemon = gatepost.Gatepost({'user': None if os.geteuid() else 'nobody', 'stop_timeout': '5s'})
    table = daemon.table('clients', '203.0.113.1 REJECT\n')
    daemon.configure({**daemon.settings,
                      'client_restrictions': 'check_client_access cidr:' + table})
    return daemon.start()


def show(daemon):
    for line in daemon.log()[-60:]:
        tap.note(line)


if gatepost.missing() or not os.path.exists(CLIENT):
    tap.skip_all(gatepost.missing() or CLIENT + ' is missing')
tap.run(setup, lambda daemon: daemon and daemon.stop(), show)
