#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""packaging/quickstart does what it promises."""
import os
import shutil
import subprocess
import sys
sys.path.insert(0, sys.path[0] + '/../lib')
import gatepost
import postfix
from tap import case, equal, match, run, skip_all, true, until

TOP = os.path.abspath(os.path.dirname(os.path.abspath(__file__)) + '/../..')
PLACE = '/run/gatepost-quickstart'
REPLIES = ['250 2.0.0 Ok: queued as ', '550 5.7.1 <someone@elsewhere.example>: Relaying denied',
           '538 5.7.11 Encryption required', '250 2.0.0 Ok: queued as ',
           '553 5.7.1 <root@example.org>: Sender address rejected: not owned by user bob',
           '250 2.0.0 Ok: queued as ',
           '550 5.7.1 Message refused: spam score 10.0 (LOCAL_CHARSET_BLOCKED, MUCH_MONEY)',
           '250 2.0.0 Ok: queued as ',
           '554 5.7.1 Service unavailable; Client host [198.51.100.200] blocked using bl.example.com; '
           '198.51.100.200 is a dial-up address; log in and use port 587',
           '250 2.0.0 Ok: queued as ',
           '250 2.0.0 Ok: queued as ',
           '550 5.7.1 Auto-reply to <postmaster@example.org> quotes the original message; send it '
           'without the quotation', '250 2.0.0 Ok: queued as ']


def quickstart(*arguments):
    return subprocess.run([TOP + '/packaging/quickstart', *arguments], text=True,
                          env=dict(gatepost.environment(), BUILD=gatepost.BUILD), timeout=200,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)


@case('it sends thirteen messages and shows what became of them')
def messages():
    done = quickstart()
    equal(done.returncode, 0, 'exit: %s' % done.stdout)
    replies = [line.split('reply', 1)[1].strip() for line in done.stdout.splitlines()
               if line.startswith('  reply')]
    equal(len(replies), len(REPLIES), 'replies')
    for reply, expected in zip(replies, REPLIES):
        true(reply.startswith(expected), '%s, expected %s' % (reply, expected))
    match(r'log +action=reject stage=rcpt check=reject_unauth_destination', done.stdout)
    match('adds +X-Spam-Status: Yes, score=6.0 required=5.0 tests=LOCAL_CHARSET_BLOCKED',
          done.stdout)
    match('packaging/quickstart stop', done.stdout)


@case('what it leaves behind can be asked, and has delivered')
def still_there():
    done = subprocess.run([gatepost.CONTROL, '-c', PLACE + '/gatepost.conf', 'status'],
                          capture_output=True, text=True, env=gatepost.environment())
    equal(done.returncode, 0, done.stderr)
    for folder, count in (('here', 5), ('elsewhere', 2)):
        until(lambda: len(os.listdir('%s/mail/%s/new' % (PLACE, folder))) == count, 10,
              'messages in ' + folder)


@case('it can be started again, and stopped')
def again_and_stop():
    done = quickstart()
    equal(done.returncode, 0, 'exit of a second start: %s' % done.stdout)
    equal(quickstart('stop').returncode, 0, 'exit of stop')
    true(not os.path.exists(PLACE), PLACE + ' is still there')
    true(not any(postfix.listening(port) for port in (2525, 2587)), 'a port is still open')
    equal(quickstart('stop').returncode, 1, 'exit when nothing runs')
    equal(quickstart('banana').returncode, 64, 'exit for a word it does not know')


if __name__ == '__main__':
    reason = postfix.missing() or gatepost.missing()
    if not reason and not (shutil.which('swaks') and shutil.which('dpkg-query')):
        reason = 'swaks or dpkg-query is missing'
    if not reason and (os.path.exists(PLACE) or any(map(postfix.listening, (2525, 2587)))):
        reason = 'somebody else uses quickstart, or its ports'
    if reason:
        skip_all(reason)
    try:
        run()
    finally:
        if os.path.exists(PLACE):
            quickstart('stop')
