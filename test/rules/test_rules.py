#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The rules that ship: each is described, none refuses by itself, each has a message that it must hit
and one that it must not (*.msgs). usage: test_rules.py RULESET-HITS SOURCE"""
import glob
import os
import subprocess
import sys
import tempfile

HITS, TOP = [os.path.abspath(path) for path in sys.argv[1:3]]
del sys.argv[1:3]
sys.path.insert(0, TOP + '/test/lib')
from tap import Failure, case, run  # noqa: E402

RULES = TOP + '/rules'
MOST = 2.0  # no shipped rule scores more; 5 tags and 10 refuses


def call(*arguments):
    done = subprocess.run([HITS, *arguments], capture_output=True)
    if done.returncode or done.stderr:
        raise Failure(done.stderr.decode('latin-1'))
    return done.stdout.decode('latin-1').splitlines()


def rules():
    """{name: score} of those that are no sub-rules."""
    rows = [line.split(' ') for line in call('-l', RULES)]
    return {row[1]: float(row[2]) for row in rows if not row[1].startswith('__')}


def messages():
    """(place, rules that must hit, rules that must not, bytes) of every message."""
    for path in sorted(glob.glob(TOP + '/test/rules/*.msgs')):
        with open(path, 'rb') as handle:
            text = handle.read()
        for number, part in enumerate(('\n' + text.decode('latin-1')).split('\n%% ')[1:], 1):
            wants, _, message = part.partition('\n')
            words = wants.split()
            must = {word[1:] for word in words if word[0] == '+'}
            must_not = {word[1:] for word in words if word[0] == '-'}
            yield ('%s, message %d' % (os.path.basename(path), number), must,
                   None if words == ['none'] else must_not, message.encode('latin-1'))


@case('every shipped rule is described')
def described():
    text = ''.join(open(path, encoding='utf-8').read() for path in glob.glob(RULES + '/*.cf'))
    missing = [name for name in rules() if 'describe %s ' % name not in text]
    if missing:
        raise Failure('no description: ' + ' '.join(missing))


@case('no shipped rule tags or refuses by itself, and those of charset and script score 0')
def scores():
    for name, score in rules().items():
        if abs(score) > MOST or (name.startswith(('CHARSET_', 'SCRIPT_')) and score):
            raise Failure('%s scores %g' % (name, score))


@case('every shipped rule hits what it must and nothing that it must not')
def hits():
    names = rules()
    met, missed = set(), set()
    with tempfile.TemporaryDirectory() as work:
        with open(work + '/run.cf', 'w', encoding='utf-8') as handle:
            handle.writelines('score %s 0.001\n' % name for name, score in names.items() if not score)
        for place, must, must_not, data in messages():
            with open(work + '/message', 'wb') as handle:
                handle.write(data)
            line = call(RULES, work + '/run.cf', '--', work + '/message')[0]
            hit = {word.split('=')[0] for word in line.split(' ')[2:]}
            forbidden = {name for name, score in names.items() if score} \
                if must_not is None else must_not
            if must - hit or forbidden & hit:
                raise Failure('%s: missing %s, too many %s' % (
                    place, sorted(must - hit), sorted(forbidden & hit)))
            met |= must
            missed |= forbidden
    untested = [name for name in names if name not in met or name not in missed]
    if untested:
        raise Failure('without messages of both kinds: ' + ' '.join(sorted(untested)))


run()
