#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A crash while a message is in memory: nothing of it is left, unless asked for."""
import os
import resource
import signal
import subprocess
import sys
sys.path.insert(0, sys.path[0] + '/../lib')
import gatepost
import place
import tap
from milter import Milter
from tap import Skip, case, equal, true

SECRET = 'nobody-else-may-read-%s' % os.urandom(8).hex()
PATTERN = '/proc/sys/kernel/core_pattern'


def crash(wanted):
    """Kills a daemon in the middle of a message as a bug would. Returns whether the kernel says that
    it dumped core, and the folder that the daemon worked in."""
    daemon = gatepost.Gatepost({'log_target': 'stderr'}, unix=True)
    folder = place.folder()
    os.chmod(folder, 0o777)
    environment = dict(gatepost.environment(), GATEPOST_CORE_DUMPS=wanted)
    process = subprocess.Popen([gatepost.DAEMON, '-f', '-c', daemon.file], cwd=folder,
                               stderr=subprocess.DEVNULL, env=environment)
    try:
        tap.until(daemon.answers, 20, 'the daemon')
        mta = Milter(daemon.path, 30)
        mta.negotiate()
        mta.connect()
        mta.helo()
        mta.mail('<%s@example.com>' % SECRET)  # kept whatever the policy needs
        mta.rcpt()
        mta.ask('T')
        equal(mta.header('Subject', ' ' + SECRET)[0], 'c', 'answer to the header')
        process.send_signal(signal.SIGSEGV)
        _, status = os.waitpid(process.pid, 0)
        process.returncode = 0
    finally:
        if process.returncode is None:
            process.kill()
            process.wait()
    true(os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGSEGV,
         'the crash: status %#x' % status)
    return os.WCOREDUMP(status), folder


@case('a crash leaves no core dump, nor hands one to a program')
def nothing():
    dumped, folder = crash('0')
    equal((dumped, os.listdir(folder)), (False, []), 'dumped, files')


@case('a crash leaves one when asked for: so the kernel would have written it')
def asked_for():
    with open(PATTERN, encoding='ascii') as handle:
        pattern = handle.read().strip()
    if not pattern.startswith('core') or '/' in pattern:
        raise Skip('core dumps of this machine go elsewhere: %s has %s' % (PATTERN, pattern))
    dumped, folder = crash('1')
    names = os.listdir(folder)
    equal((dumped, len(names)), (True, 1), 'dumped, files')
    with open(folder + '/' + names[0], 'rb') as handle:
        true(SECRET.encode() in handle.read(), 'the dump does not hold the message')


def setup():
    if gatepost.missing():
        tap.skip_all(gatepost.missing())
    if gatepost.sanitized():
        tap.skip_all('a sanitizer catches the crash by itself')
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    if hard == 0:
        tap.skip_all('core dumps are forbidden here anyway')
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


setup()
tap.run()
