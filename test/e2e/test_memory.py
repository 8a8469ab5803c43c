#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The memory of bounces and its file: what a bounce said is known again after a restart, no text is
ever written, and whatever is wrong with the file or its key, mail is served. The client here speaks
the milter protocol itself."""
import os
import stat
import sys
sys.path.insert(0, sys.path[0] + '/../lib')
import gatepost
import tap
from milter import Milter
from tap import case, equal, match, true

FACTS = (b'The turnover of the third quarter was 4.71 million euros, the loss was 380 thousand.\r\n'
         b'The bank has been told nothing of it so far, and shall not be before Christmas.\r\n')
BOUNCE = (('From', ' MAILER-DAEMON@far.test'), ('Subject', ' Undelivered'),
          ('Content-Type', ' multipart/report; report-type=delivery-status; boundary=b'))
BOUNCE_BODY = (b'--b\r\n\r\nI could not deliver this.\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n'
               b'From: bob@lab.test\r\nSubject: figures\r\n\r\n' + FACTS + b'\r\n--b--\r\n')
REPLY = (('From', ' bob@lab.test'), ('To', ' postmaster@lab.test'), ('Subject', ' Away'),
         ('Auto-Submitted', ' auto-replied'))
REFUSED = r'^550 5\.7\.1 Auto-reply to <postmaster@lab.test> quotes the original message'


def told(daemon, address, sender, recipient, headers, body):
    """The answer to a whole message."""
    with Milter(daemon.port) as mta:
        mta.negotiate()
        mta.connect(address=address)
        mta.helo()
        mta.mail(sender)
        mta.rcpt(recipient)
        return mta.message(headers, body)


def bounce(daemon):
    equal(told(daemon, '203.0.113.9', '<>', '<bob@lab.test>', BOUNCE, BOUNCE_BODY)[0], 'c',
          'a bounce')


def paste(daemon):
    """What becomes of a reply that pastes the bounce without any mark."""
    return told(daemon, '127.0.0.1', '<bob@lab.test>', '<postmaster@lab.test>', REPLY,
                b'I am away until Monday.\r\n\r\n' + FACTS)[1]


def overwrite(path, content):
    """Keeps owner and mode."""
    with open(path, 'wb') as handle:
        handle.write(content)


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


@case('a bare paste of what never bounced passes')
def unknown(daemon):
    equal(paste(daemon), '', 'reply')


@case('a bare paste of a bounce is refused')
def known(daemon):
    mark = daemon.mark()
    bounce(daemon)
    match(REFUSED, paste(daemon))
    line = daemon.wait_log(mark, 'repeated-lines')
    true('turnover' not in line, 'the log repeats what must not spread: ' + line)


@case('what a bounce said outlives the daemon, as hashes that only its user may read')
def outlives(daemon):
    equal(daemon.stop(), 0, 'exit code')
    for path in (daemon.state, daemon.state + '.key'):
        equal(mode(path), 0o600, 'mode of ' + path)
        content = open(path, 'rb').read()
        for word in (b'turnover', b'bank', b'bob', b'figures', b'lab.test'):
            true(word not in content, '%s holds %r' % (path, word))
    daemon.start()
    match(REFUSED, paste(daemon))


@case('a key that is no key, or that others could read, is replaced: the memory begins anew')
def bad_key(daemon):
    for spoil in (lambda path: overwrite(path, b'short'),
                  lambda path: os.chmod(path, 0o644)):
        bounce(daemon)
        daemon.stop()
        spoil(daemon.state + '.key')
        mark = daemon.mark()
        daemon.start()
        daemon.wait_log(mark, 'gatepost.db.key', 'begins anew')
        equal(paste(daemon), '', 'reply')
        equal(mode(daemon.state + '.key'), 0o600, 'mode of the new key')
        bounce(daemon)
        match(REFUSED, paste(daemon))


@case('a file that is no database is replaced')
def bad_file(daemon):
    bounce(daemon)
    daemon.stop()
    overwrite(daemon.state, b'no database\n' * 1000)
    daemon.start()
    equal(paste(daemon), '', 'reply')
    bounce(daemon)
    daemon.stop()
    daemon.start()
    match(REFUSED, paste(daemon))


@case('without a folder for it the memory lasts until the daemon stops, and the log says so')
def no_folder(daemon):
    daemon.stop()
    daemon.configure({'state': 'sqlite:/nonexistent/folder/gatepost.db'})
    mark = daemon.mark()
    daemon.start()
    daemon.wait_log(mark, 'state: /nonexistent/folder/gatepost.db.key')
    bounce(daemon)
    match(REFUSED, paste(daemon))
    match('warning: state: there is no folder /nonexistent/folder', daemon.control('check').stderr)


@case('state = memory: writes nothing')
def memory_only(daemon):
    daemon.stop()
    daemon.configure({'state': 'memory:'})
    before = sorted(os.listdir(daemon.folder + '/run'))
    daemon.start()
    bounce(daemon)
    match(REFUSED, paste(daemon))
    daemon.stop()
    equal([name for name in sorted(os.listdir(daemon.folder + '/run'))
           if name not in before], [], 'new files')
    daemon.start()
    equal(paste(daemon), '', 'reply')


@case('a file that cannot be written is a warning, and mail goes on')
def unwritable(daemon):
    daemon.stop()
    daemon.configure({})
    if os.path.exists(daemon.state):
        os.unlink(daemon.state)
    os.mkdir(daemon.state)
    daemon.start()
    bounce(daemon)
    match(REFUSED, paste(daemon))
    mark = daemon.mark()
    equal(daemon.stop(), 0, 'exit code')
    daemon.wait_log(mark, 'warning', 'gatepost.db', 'remembered until gatepost stops')


@case('the sanitizers found nothing')
def clean(daemon):
    daemon.stop()
    equal(daemon.sanitizer_report(), '', 'sanitizer report')


def setup():
    return gatepost.Gatepost({'rule_files': ''}).start()


if gatepost.missing():
    tap.skip_all(gatepost.missing())
tap.run(setup, teardown=lambda daemon: daemon and daemon.stop(),
        on_failure=lambda daemon: [tap.note(line) for line in daemon.log()[-20:]])
