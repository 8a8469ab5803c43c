#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A reload keeps what has not changed, shared between the policies that sessions still hold, takes
next to no time for it, and misses nothing that has."""
import os
import sys
import time
sys.path.insert(0, sys.path[0] + '/../lib')
import gatepost
from milter import Milter
import tap
from tap import case, equal, match, true

RELOADS = 50
RATIO_MAX = 0.25  # of the CPU that it takes to read all; a twentieth is usual
GROWTH_MAX = 30  # MB; each table, list and set of rules by itself would be ten at least


def megabytes(daemon):
    with open('/proc/%d/status' % daemon.process.pid) as handle:
        return next(int(line.split()[1]) for line in handle if line.startswith('VmRSS:')) / 1024


def cpu(daemon):
    """What it has used, s: clock_getcpuclockid(3) in Linux's words."""
    return time.clock_gettime(~daemon.process.pid << 3 | 2)


def verdict(daemon, sender='<a@example.com>', subject='hello'):
    """What a message is answered: 'c', or the reply that refuses it."""
    with Milter(daemon.path) as mta:
        mta.negotiate()
        mta.connect()
        mta.helo()
        mta.mail(sender)
        code, reply = mta.rcpt('<bob@lab.test>')
        if code != 'c':
            mta.abort()
            return reply
        code, reply = mta.message([('Subject', subject)])[:2]
        return reply if code == 'y' else code


def rule(word):
    return 'header WORD Subject =~ /%s/\nscore WORD 50\n' % word


@case('sessions that stay open hold no second copy of tables, lists and rules')
def shared(daemon):
    daemon.table('many', ''.join('user%d@example.com user%d\n' % (n, n) for n in range(200000)))
    daemon.table('rules.cf', ''.join('header R%d Subject =~ /[a-c]%dx[0-9]*y/\n' % (n, n)
                                     for n in range(2000)))
    networks = daemon.table('networks', ''.join('198.%d.%d.%d\n' % (n >> 16, n >> 8 & 255, n & 255)
                                                for n in range(300000)))
    settings = {**daemon.settings, 'sender_login_maps': 'texthash:many', 'rule_files': 'rules.cf',
                'mynetworks': '127.0.0.0/8 ' + networks}
    time.sleep(1.1)  # until nobody can have written to them within the clock's tick
    begun = cpu(daemon)
    daemon.reload(settings)
    reading = cpu(daemon) - begun
    daemon.reload(settings)
    before, begun, held = megabytes(daemon), cpu(daemon), []
    for number in range(RELOADS):
        mta = Milter(daemon.path)
        mta.negotiate()
        mta.connect()
        held.append(mta)
        daemon.reload({**settings, 'tag_score': str(number)})
    each, grown = (cpu(daemon) - begun) / RELOADS, megabytes(daemon) - before
    for mta in held:
        mta.close()
    true(grown < GROWTH_MAX, '%d MB more after %d reloads' % (grown, RELOADS))
    tap.note('%.0f ms to read all, %.1f ms a reload' % (reading * 1000, each * 1000))
    true(each < RATIO_MAX * reading, 'a reload takes %.2f of reading all' % (each / reading))


@case('what is written over a moment later is read again, however alike it looks')
def rewritten(daemon):
    settings = {**daemon.settings, 'sender_login_maps': '', 'rule_files': 'word.cf',
                'sender_restrictions': 'check_sender_access texthash:senders'}
    for word, other in (('spam', 'eggs'), ('eggs', 'spam')):
        for name, text in (('word.cf', rule(word)), ('senders', '%s@example.com REJECT\n' % word)):
            daemon.judge_replayed()
            with open(daemon.folder + '/' + name, 'w') as handle:  # in place: the same inode
                handle.write(text)
        daemon.reload(settings)
        match('^550 5.7.1 Message refused', verdict(daemon, subject=word))
        match('^554 5.7.1 .*Access denied', verdict(daemon, sender='<%s@example.com>' % word))
        equal(verdict(daemon, '<%s@example.com>' % other, other), 'c', 'what stood there before')


@case('a new file in a folder of rules, one that is gone, and what a file includes')
def folder(daemon):
    os.mkdir(daemon.folder + '/rules')
    daemon.table('rules/a.cf', 'include ../more.inc\n')
    daemon.table('more.inc', rule('one'))
    time.sleep(0.3)
    settings = {**daemon.settings, 'rule_files': 'rules', 'sender_restrictions': ''}
    daemon.reload(settings)
    match('^550', verdict(daemon, subject='one'))
    daemon.table('more.inc', rule('two'))
    daemon.reload(settings)
    match('^550', verdict(daemon, subject='two'))
    daemon.table('rules/b.cf', 'header THREE Subject =~ /three/\nscore THREE 50\n')
    daemon.reload(settings)
    match('^550', verdict(daemon, subject='three'))
    os.remove(daemon.folder + '/rules/b.cf')
    daemon.reload(settings)
    equal(verdict(daemon, subject='three'), 'c', 'the rule of a file that is gone')


@case('what is wrong is told at each reload')
def told(daemon):
    daemon.table('bad', 'nothing\n')
    time.sleep(1.1)
    settings = {**daemon.settings, 'rule_files': '', 'sender_restrictions':
                'check_sender_access texthash:bad'}
    daemon.configure(settings)
    for _ in range(2):
        done = daemon.control('reload')
        match('bad:1: warning: ', done.stdout + done.stderr)


@case('a table that is gone is an error, though another policy has it still')
def gone(daemon):
    daemon.table('good', 'x@example.com OK\n')
    time.sleep(1.1)
    settings = {**daemon.settings, 'sender_restrictions': 'check_sender_access texthash:good'}
    daemon.reload(settings)
    os.remove(daemon.folder + '/good')
    done = daemon.control('reload')
    true(done.returncode != 0, 'a reload without its table')
    match('cannot read table .*/good', done.stdout + done.stderr)


def setup():
    if gatepost.missing():
        tap.skip_all(gatepost.missing())
    return gatepost.Gatepost({'rule_files': ''}, unix=True).start()


def teardown(daemon):
    equal(daemon.stop(), 0, 'exit code')
    equal(daemon.sanitizer_report(), '', 'sanitizers')


tap.run(setup, teardown, lambda daemon: tap.note('\n'.join(daemon.lines[-20:])))
