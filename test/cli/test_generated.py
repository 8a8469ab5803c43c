#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Settings that a program wrote, as long as settings may be: the memory that reading them asks for,
counted, grows with their length and no faster."""
import os
import struct
import subprocess
import sys
sys.path.insert(0, sys.path[0])
import ctl
import gatepost
from tap import case, equal, match, run, skip_all, true

COUNTER = os.path.join(gatepost.BUILD, 'test/bench/liballocations.so')
SITE = 'local_domains = example.org\n'

# What there is many of -> the most that one more asks for, in bytes, however many there are.
KINDS = {
    'networks, a line each':
        (SITE, lambda i: 'mynetworks += 10.%d.%d.%d\n' % (i >> 16, i >> 8 & 255, i & 255), 2000),
    'domains, a line each':
        ('', lambda i: 'local_domains += a%d.example\n' % i, 2000),
    'restrictions, a line each':
        (SITE, lambda i: 'client_restrictions += reject_unauth_destination\n', 2000),
    'domains of a listener, a line each':
        (SITE + '[listener submission]\n', lambda i: 'local_domains += a%d.example\n' % i, 2000),
    'scores of a profile':
        (SITE + '[profile p]\n', lambda i: 'score R%d = 1\n' % i, 4000),
    'classes':
        (SITE, lambda i: 'restriction_classes += c%d\nc%d = permit\n' % (i, i), 10000),
}


def asked_for(settings, code=0):
    """Bytes, of a check."""
    counts = settings.folder + '/counts'
    with open(counts, 'wb') as handle:
        handle.write(bytes(16))
    done = subprocess.run([gatepost.CONTROL, '-c', settings.file, 'check'], capture_output=True,
                          text=True, timeout=120, env={
                              **gatepost.environment(), 'ALLOCATIONS_FILE': counts,
                              'LD_PRELOAD': COUNTER, 'G_SLICE': 'always-malloc'})
    equal(done.returncode, code, done.stderr[:1000])
    with open(counts, 'rb') as handle:
        return struct.unpack('QQ', handle.read())[1], done.stderr


def many(title, begin, line, most):
    @case(title)
    def grows():
        few, more = (asked_for(ctl.Settings(begin + ''.join(map(line, range(count)))))[0]
                     for count in (1000, 8000))
        true(few > 0, 'nothing was counted')
        true((more - few) / 7000 < most, 'one more asks for %d bytes' % ((more - few) / 7000))


for title, (begin, line, most) in KINDS.items():
    many('one more costs the same: ' + title, begin, line, most)

LONG = 'local_domains = ' + ' '.join('a%d.example' % i for i in range(20000)) + '\n'


def listeners(count):
    return ''.join('[listener l%d]\nlocal_domains += b.example\n' % i for i in range(count))


@case('sections that add to a list of main are bounded in all, and the error says what to do')
def bounded():
    asked_for(ctl.Settings(LONG + listeners(3)))
    told = asked_for(ctl.Settings(LONG + listeners(900)), 78)[1]
    match(r'error: the lists that sections add to with "\+=" grow beyond 16777216 bytes in all; '
          'keep what is long in a table', told)
    # Main's own default, added to, is no section's.
    asked_for(ctl.Settings(SITE + 'submission_listeners += :2525\n' * 900))


if not os.path.exists(COUNTER):
    skip_all(COUNTER + ' is not built')
run()
