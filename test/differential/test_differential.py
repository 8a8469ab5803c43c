#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Compares what rules hit what messages with SpamAssassin: Debian's own header rules and metas, those
in rules.cf here, and those that gatepost ships. usage: test_differential.py RULESET-HITS SOURCE"""
import fnmatch
import glob
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

HITS, TOP = [os.path.abspath(path) for path in sys.argv[1:3]]
del sys.argv[1:3]
HERE = TOP + '/test/differential'
sys.path[:0] = [HERE, TOP + '/test/lib']
from messages import all_messages  # noqa: E402
from tap import Failure, Skip, case, run  # noqa: E402

STOCK = '/usr/share/spamassassin'


def reason_to_skip():
    if not shutil.which('perl') or subprocess.run(
            ['perl', '-MMail::SpamAssassin', '-e', '1'], capture_output=True).returncode:
        return 'spamassassin is not installed'
    if not glob.glob(STOCK + '/*.cf'):
        return 'spamassassin has no rules in ' + STOCK
    return None


class Side:
    """What one program says: rules it knows, {message: {rule: count}}, {message: score}."""

    def __init__(self, lines, work):
        self.rules, self.others, self.hits, self.scores = {}, set(), {}, {}
        for line in lines:
            self.read(line.split(' '), work)

    def read(self, words, work):
        if words[0] == 'rules':
            self.rules = dict.fromkeys(words[1:], ('', ''))
        elif words[0] == 'others':
            self.others = set(words[1:])
        elif words[0] in ('header', 'meta'):
            self.rules[words[1]] = (words[0], ' '.join(words[4:]))
        elif words[0].startswith(work):
            name = os.path.basename(words[0])
            self.scores[name] = float(words[1])
            pairs = [word.split('=') for word in words[2:] if '=' in word]
            self.hits[name] = {rule: float(count) for rule, count in pairs}


def comparable(ours, theirs):
    """Rules whose outcome hangs on nothing that gatepost skips."""
    missing = (set(theirs.rules) | theirs.others) - set(ours.rules)
    good = {}

    def check(rule):
        if rule not in good:
            good[rule] = False  # circles
            kind, text = ours.rules[rule]
            names = set(re.findall(r'[A-Za-z_]\w*', text)) if kind == 'meta' else set()
            good[rule] = all(name not in missing and (name not in ours.rules or check(name))
                             for name in names)
        return good[rule]

    return {rule for rule in ours.rules if check(rule) and rule in theirs.rules}


def prepare(work):
    rules = work + '/rules'
    os.mkdir(rules)
    with open(rules + '/00_first.cf', 'w') as handle:
        handle.write('loadplugin Mail::SpamAssassin::Plugin::Check\n')
    for path in sorted(glob.glob(STOCK + '/*.cf')):
        shutil.copy(path, rules)
    shutil.copy(HERE + '/rules.cf', rules + '/90_differential.cf')
    for path in glob.glob(TOP + '/rules/*.cf'):
        shutil.copy(path, rules + '/91_' + os.path.basename(path))
    paths = []
    os.mkdir(work + '/messages')
    for name, data in all_messages():
        paths.append('%s/messages/%s' % (work, name))
        with open(paths[-1], 'wb') as handle:
            handle.write(data)
    return rules, paths


def outputs(work, rules, paths):
    done = subprocess.run([HITS, '-a', '-l', rules, '--', *paths], capture_output=True)
    ours = Side(done.stdout.decode('latin-1').splitlines(), work)
    reference = subprocess.run(['perl', HERE + '/reference.pl', rules, *paths],
                               capture_output=True,
                               env={**os.environ, 'SA_HEADER_ADDRESS_PARSER': '1'})
    theirs = Side(reference.stdout.decode('latin-1').splitlines(), work)
    if not theirs.hits:
        raise Failure('SpamAssassin did not run: ' + reference.stderr.decode('latin-1')[-2000:])
    return ours, theirs


def exceptions():
    rows = []
    with open(HERE + '/exceptions', encoding='utf-8') as handle:
        for line in handle:
            words = line.split(None, 2)
            if words and not line.startswith('#'):
                rows.append(words[:2])
    return rows


def excused(rows, message, rule):
    return any(fnmatch.fnmatchcase(message, row[0]) and fnmatch.fnmatchcase(rule, row[1])
               for row in rows)


def differences(ours, theirs, rules):
    rows = exceptions()
    found = []
    for message in sorted(theirs.hits):
        for rule in sorted(rules):
            a, b = ours.hits[message].get(rule, 0), theirs.hits[message].get(rule, 0)
            if a != b and not excused(rows, message, rule):
                found.append('%s %s: %g, SpamAssassin %g' % (message, rule, a, b))
    return found


@case('rules hit as in SpamAssassin, rule by rule')
def compare():
    reason = reason_to_skip()
    if reason:
        raise Skip(reason)
    with tempfile.TemporaryDirectory() as work:
        ours, theirs = outputs(work, *prepare(work))
    rules = comparable(ours, theirs)
    hit = {rule for hits in theirs.hits.values() for rule in hits} & rules
    print('# %d messages, %d rules compared (%d header, %d meta), %d of them hit somewhere' % (
        len(theirs.hits), len(rules), sum(ours.rules[r][0] == 'header' for r in rules),
        sum(ours.rules[r][0] == 'meta' for r in rules), len(hit)))
    found = differences(ours, theirs, rules)
    if found:
        raise Failure('%d differences\n%s' % (len(found), '\n'.join(found[:60])))
    if len(rules) < 600 or len(hit) < 100:
        raise Failure('too little was compared')


LISTS = '''
loadplugin Mail::SpamAssassin::Plugin::Check
loadplugin Mail::SpamAssassin::Plugin::WLBLEval
header USER_IN_BLOCKLIST eval:check_from_in_blocklist()
header USER_IN_WELCOMELIST eval:check_from_in_welcomelist()
header USER_IN_BLOCKLIST_TO eval:check_to_in_blocklist()
header USER_IN_WELCOMELIST_TO eval:check_to_in_welcomelist()
blacklist_from *@example.net a@b* resent@* Alice@Example.com
blocklist_from ??@c.example *.example noreply*@*
unblacklist_from *.example
whitelist_from *first* r@* env@example.com *@z.example x@y
blacklist_to user1?@example.org bob@*
whitelist_to *@example.org
unwhitelist_to nobody@example.org
'''


@case('address lists hit as in SpamAssassin')
def lists():
    reason = reason_to_skip()
    if reason:
        raise Skip(reason)
    names = {word for word in LISTS.split() if word.startswith('USER_IN_')}
    with tempfile.TemporaryDirectory() as work:
        rules, paths = prepare(work)
        for path in glob.glob(rules + '/*.cf'):
            os.remove(path)
        with open(rules + '/lists.cf', 'w', encoding='utf-8') as handle:
            handle.write(LISTS)
        # of a field that is malformed the lists take what any reader takes, not SpamAssassin alone
        paths = [path for path in paths if not os.path.basename(path).startswith('joined-')]
        ours, theirs = outputs(work, rules, paths)
    found = differences(ours, theirs, names)
    if found:
        raise Failure('%d differences\n%s' % (len(found), '\n'.join(found[:60])))
    for name in names:
        if not any(name in hits for hits in theirs.hits.values()):
            raise Failure(name + ' never hits: nothing was compared')


@case('the prefilter hides no hit')
def prefilter():
    with tempfile.TemporaryDirectory() as work:
        folder, paths = prepare(work)
        out = [subprocess.run([HITS, '-a', *option, folder, '--', *paths],
                              capture_output=True).stdout for option in ([], ['-n'])]
    if out[0] != out[1]:
        raise Failure('\n'.join(a + '\n' + b for a, b in zip(
            out[0].decode('latin-1').splitlines(), out[1].decode('latin-1').splitlines())
            if a != b)[:2000])


def random_metas(names, count):
    """Metas of all operators over NAMES and over each other."""
    chance = random.Random(28)

    def expression(depth):
        if depth == 0 or chance.random() < 0.3:
            return chance.choice(names) if chance.random() < 0.9 else str(chance.randrange(3))
        a, b = expression(depth - 1), expression(depth - 1)
        sign = chance.choice(('&&', '&&', '&&', '||', '||', '+', '-', '*', '>', '>=', '<', '==', '!='))
        return '%s(%s %s %s)' % (chance.choice(('', '', '!')), a, sign, b)
    lines = []
    for number in range(count):
        name = '%sR%d' % ('__' if number % 3 else '', number)
        lines.append('meta %s %s\n' % (name, expression(3)))
        names = [*names, name]
    return ''.join(lines)


@case('what is not run would change nothing')
def idle():
    with tempfile.TemporaryDirectory() as work:
        folder, paths = prepare(work)
        everything = subprocess.run([HITS, '-a', '-l', folder, '--', *paths], capture_output=True)
        side = Side(everything.stdout.decode('latin-1').splitlines(), work)
        hit = sorted({rule for hits in side.hits.values() for rule in hits})
        never = sorted(set(side.rules) - set(hit))
        with open(folder + '/99_random.cf', 'w', encoding='ascii') as handle:
            handle.write(random_metas(hit + never[::len(never) // len(hit) + 1], 900))
        out = [subprocess.run([HITS, *option, folder, '--', *paths], capture_output=True)
               .stdout.decode('latin-1').splitlines() for option in (['-a'], [])]
    found = []
    for all_of_them, some in zip(*out):
        counted = [word for word in all_of_them.split(' ') if not word.startswith('__')]
        if counted != some.split(' '):
            found.append(' '.join(sorted(set(counted) ^ set(some.split(' ')))))
    if found or len(out[1]) != len(paths):
        raise Failure('%d differences\n%s' % (len(found), '\n'.join(found[:20])))


run()
