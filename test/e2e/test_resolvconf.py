#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""/etc/resolv.conf as it changes under a running daemon: in a mount and a network namespace of their
own, with a DNS server on port 53 that knows a list."""
import json
import os
import subprocess
import sys
import time
sys.path.insert(0, sys.path[0] + '/../lib')
if 'GATEPOST_NAMESPACE' not in os.environ:
    probe = ['unshare', '-mn', 'true']
    if os.geteuid() != 0 or subprocess.run(probe, capture_output=True).returncode:
        print('1..0 # SKIP no namespaces of our own can be had')
        sys.exit(0)
    os.environ['GATEPOST_NAMESPACE'] = '1'
    os.execvp('unshare', ['unshare', '-mn', sys.executable, *sys.argv])
import gatepost
import lists
import place
import tap
from milter import Milter
from tap import case, equal, match, true, until

SYSTEM = '/etc/resolv.conf'
NOBODY, SERVED = 'nameserver 127.0.0.9\n', 'search x.test\nnameserver 127.0.0.1\n'


def write(text):
    """In place, as a bind mount wants it."""
    with open(SYSTEM, 'w') as handle:
        handle.write(text)


def rcpt(daemon):
    with Milter(daemon.port) as mta:
        mta.negotiate()
        mta.connect(address='203.0.113.9')
        mta.helo()
        mta.mail('<a@far.example>')
        return mta.rcpt('<bob@lab.test>')


def refused(daemon):
    return '554 5.7.1' in str(rcpt(daemon))


def silence(daemon):
    return json.loads(daemon.control('status', '--json').stdout)['dns']['no_answer']


def until_served(daemon, what, seconds=15):
    until(lambda: refused(daemon), seconds, what)


@case('a dead server: mail passes, the log says so once, status for how long; then it answers')
def dead(daemon):
    write(NOBODY)
    daemon.start()
    mark = daemon.mark()
    true(not refused(daemon), 'refused without an answer')
    match('no DNS server answers: .* \\(asked for ', daemon.wait_log(mark, 'no DNS server answers'))
    time.sleep(1.1)
    rcpt(daemon)
    true(silence(daemon) >= 1, 'no_answer')
    match('(?m)^no DNS server has answered for [0-9]+ s$', daemon.control('status').stdout)
    equal(sum('no DNS server answers' in line for line in daemon.lines), 1, 'lines of the log')
    equal(daemon.control('dnsbl', '203.0.113.9').returncode, 69, 'dnsbl')
    mark = daemon.mark()
    write(SERVED)
    daemon.wait_log(mark, 'resolv.conf has changed')
    until_served(daemon, 'the new server')
    equal(silence(daemon), 0, 'no_answer')
    equal(daemon.control('dnsbl', '203.0.113.9').returncode, 1, 'dnsbl')


@case('what changes nothing, or names no server, changes nothing')
def unchanged(daemon):
    mark = daemon.mark()
    for text in ('# a comment\n' + SERVED, '', 'search y.test\n', SERVED):
        write(text)
        time.sleep(1.3)
        true(refused(daemon), repr(text))
    true('resolv.conf has changed' not in '\n'.join(daemon.log(mark)), 'it was read again')


@case('a reload reads it at once')
def reload(daemon):
    for text, expected in ((NOBODY, False), (SERVED, True)) * 2:
        write(text)
        equal(daemon.control('reload').returncode, 0, 'reload')
        if expected:
            until_served(daemon, 'served after a reload')
        else:
            true(not refused(daemon), 'refused without an answer')


@case('servers that are set are asked whatever resolv.conf says')
def explicit(daemon):
    daemon.reload({**SETTINGS, 'dns_servers': '127.0.0.1'})
    write(NOBODY)
    time.sleep(1.3)
    until_served(daemon, 'the server that is set')
    write(SERVED)
    daemon.reload(SETTINGS)


SETTINGS = {'dns_servers': '', 'dnsbl_timeout': '2s', 'dnsbl_sites': 'a-127-0-0-2.list.test*9',
            'relay_restrictions': 'reject_unauth_destination', 'mynetworks': '192.0.2.0/24',
            'recipient_restrictions': 'reject_dnsbl', 'local_domains': 'lab.test'}
subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
own = place.write(place.folder() + '/resolv.conf', NOBODY)
os.chmod(own, 0o644)
subprocess.run(['mount', '--make-rprivate', '/'], check=True)
subprocess.run(['mount', '--bind', own, os.path.realpath(SYSTEM)], check=True)
server = lists.BadServer()
server.port = 53
server.start()
daemon = gatepost.Gatepost(SETTINGS)
tap.run(lambda: daemon, teardown=lambda daemon: daemon.stop(),
        on_failure=lambda daemon: [tap.note(line) for line in daemon.log()[-20:]])
