#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Compares whom a field names with what GMime, Debian's Perl reader and Python's email find there,
over generated fields: no address that any of them reads is missed in silence. usage:
test_addresses.py PROGRAM; FIELDS=N and SEED=N say how many and from where."""
import email
import email.policy
import email.utils
import json
import os
import random
import re
import shutil
import subprocess
import sys
import warnings

PROGRAM, = [os.path.abspath(path) for path in sys.argv[1:2]]
del sys.argv[1:2]
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE + '/../lib')
from tap import Failure, Skip, case, note, run  # noqa: E402

FIELDS = int(os.environ.get('FIELDS', '20000'))
SEED = int(os.environ.get('SEED', '1'))
FORGED = 'boss@example.org'

# Of these a field is made at random: addresses, parts of one, and whatever readers differ about.
PIECES = ['boss@example.org'] * 6 + ['<boss@example.org>'] * 4 + [
    'bob@example.org', '<bob@example.org>', 'Bob <bob@example.org>', 'boss', 'example.org', 'bo',
    'ss', 'ss@example.org', 'boss@', '@example.org', 'boss@exam', 'ple.org', 'bob', 'Bob', 'a', 'x:',
    'x:', '"x":', ';', ';', ':', ',', ',', ',', ',', '<', '>', '<>', '<<', '>>', '@', '.', '..', ' ',
    ' ', ' ', '\t', '\n ', '(', ')', '(c)', '((c) d)', '(c, d)', '(\\))', '(boss@example.org)',
    '"', '""', '"x"', '"x, y"', '"\\""', '\\', '\\"', '\\,', '"boss@example.org"', '"boss"', '[', ']',
    '[192.0.2.1]', '@[192.0.2.1]', '@route.example:', '<@route.example:', '<@a,@b:', '%', '!',
    "'", '=?utf-8?q?x?=', '=?utf-8?q?boss?=', '=?utf-8?q?boss=40example.org?=', '=?utf-8?q?<?=',
    '=?utf-8?b?Ym9zc0BleGFtcGxlLm9yZw==?=', '=?utf-8?q?"?=', '=?', '?=', 'mailto:', '\x01', '\x7f',
    '\xc3\xb6', '\xf6', 'via', '/', '=', '&lt;', 'e.g.', '--']

UNSOUND = ['"', '(', '\\', '\\"', '\\,', '@', 'boss@', '@example.org', '\x01', '\x7f', '<', '<<',
           '@[192.0.2.1]', '@route.example:', '<@route.example:', '<@a,@b:']

WORDS = ['Joe', 'O\'Doe', 'J.', '"Doe, J."', '"x@y.example"', '"a \\" b"', '=?utf-8?q?J=C3=B6?=',
         '\xf6']
COMMENTS = ['', ' ', '\t', '\n ', '(c)', ' (c (d) \\) <x@y.example>,) ', '\r\n\t']
LOCALS = ['a', 'a.b', 'b', '"a b"', '"a,b"', '"a@b"', 'a."b"', "o'x", 'x+y', 'x/y=z']
DOMAINS = ['x.example', 'X.Example', '[192.0.2.1]', '[IPv6:2001:db8::1]', 'x']


def run_over(program, values):
    text = ''.join(value.encode('latin-1').hex() + '\n' for value in values)
    done = subprocess.run(program, input=text, capture_output=True, text=True, timeout=500)
    lines = done.stdout.split('\n')[:-1]
    if done.returncode or len(lines) != len(values):
        raise Failure('%s: exit %d, %d lines: %s' % (program[0], done.returncode, len(lines),
                                                     done.stderr[-300:]))
    return lines


def read_with_perl(values):
    lines = run_over(['perl', HERE + '/addresses.pl'], values)
    return [[bytes.fromhex(word).decode('latin-1') for word in line.split()] for line in lines]


def read_with_python(value):
    """What the old interface of Python's email finds and what the new one does."""
    found = {address for _, address in email.utils.getaddresses([value])}
    found.add(email.utils.parseaddr(value)[1])
    try:
        header = email.policy.default.header_factory('From', value.replace('\r', '')
                                                     .replace('\n', ''))
        found |= {address.addr_spec for address in header.addresses}
    except Exception:  # it stumbles over some; then it shows nothing
        pass
    return found


def normal(address):
    """Without quotes, white space and case."""
    return re.sub(r'\\(.)', r'\1', re.sub(r'[\s"]', '', address)).strip("'").lower()


def missed(value, ours, readers):
    """The readers that find the forged address in VALUE where we do not."""
    if ours['malformed']:
        return []
    known = {normal(address) for address in ours['addresses']}
    silent = not known and not ours['bare']
    return [name for name, found in readers.items() for one in map(normal, found)
            if (one == FORGED and one not in known) or (one == 'boss' and silent)]


def forged_fields(generator):
    """Every other one without what alone makes a field malformed."""
    sound = [piece for piece in PIECES if piece not in UNSOUND]
    return [''.join(generator.choice(pieces) + generator.choice(['', '', ' '])
                    for _ in range(generator.randint(1, 9)))
            for _ in range(FIELDS // 2) for pieces in (PIECES, sound)]


def valid_mailbox(generator):
    """An address that obeys the grammar, comments anywhere, and what must be read."""
    gap = lambda: generator.choice(COMMENTS)  # noqa: E731
    local, domain = generator.choice(LOCALS), generator.choice(DOMAINS)
    if generator.random() < 0.3:
        dot = '%s.%s' % (gap(), gap())
        spec = gap() + local.replace('.', dot) + gap() + '@' + gap() + domain + gap()
    else:
        spec = local + '@' + domain
    if generator.random() < 0.6:
        route = generator.choice(['', '', '@r.example:', '@r.example,,@s.example :'])
        words = ' '.join(generator.choice(WORDS) for _ in range(generator.randint(0, 3)))
        if words.startswith('J.'):
            words = 'x ' + words
        spec = '%s%s<%s%s>%s' % (words, gap(), route, spec, gap())
    return spec, local + '@' + domain


def valid_field(generator):
    parts, wanted = [], []
    for _ in range(generator.randint(1, 4)):
        group = generator.random() < 0.2
        members = [valid_mailbox(generator) for _ in range(generator.randint(0, 2) if group else 1)]
        wanted += [address for _, address in members]
        text = ','.join(spec for spec, _ in members)
        parts.append('"g, h" x:%s;' % text if group else text)
    if generator.random() < 0.2:
        parts.insert(generator.randrange(len(parts) + 1), generator.choice(COMMENTS))
    return ','.join(parts), list(dict.fromkeys(wanted))


def needs_perl():
    if not shutil.which('perl') or subprocess.run(['perl', '-MEmail::Address::XS', '-e', '1'],
                                                  capture_output=True).returncode:
        raise Skip('libemail-address-xs-perl is not installed')


@case('no address that GMime, Perl or Python reads is missed in silence')
def forged():
    needs_perl()
    warnings.simplefilter('ignore')
    values = forged_fields(random.Random(SEED))
    ours = [json.loads(line) for line in run_over([PROGRAM], values)]
    perl = read_with_perl(values)
    count, wrong = 0, []
    for value, one, found in zip(values, ours, perl):
        readers = {'gmime strict': one['gmime strict'], 'gmime loose': one['gmime loose'],
                   'perl': found, 'python': read_with_python(value)}
        count += any(normal(r) == FORGED for rs in readers.values() for r in rs)
        for name in missed(value, one, readers):
            wrong.append('%s: %r: ours %s %s' % (name, value, one['addresses'], one['bare']))
    note('%d fields from seed %d, %d of them name %s to some reader, %d are malformed'
         % (len(values), SEED, count, FORGED, sum(one['malformed'] for one in ours)))
    if wrong:
        raise Failure('%d missed: %s' % (len(wrong), '\n'.join(wrong[:20])))
    if count < FIELDS / 10:
        raise Failure('only %d fields name anybody' % count)


@case('fields that obey the standard are read exactly')
def exact():
    generator = random.Random(SEED)
    fields = [valid_field(generator) for _ in range(FIELDS // 2)]
    wrong = []
    for (value, wanted), line in zip(fields, run_over([PROGRAM], [v for v, _ in fields])):
        ours = json.loads(line)
        if ours['addresses'] != wanted or ours['malformed'] or ours['bare']:
            wrong.append('%r: wanted %s, found %s %s' % (value, wanted, ours['addresses'],
                                                         ours['bare']))
    if wrong:
        raise Failure('%d wrong: %s' % (len(wrong), '\n'.join(wrong[:20])))


if __name__ == '__main__':
    run()
