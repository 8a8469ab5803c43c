#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""README.md tells the truth: its blocks are those of files in the tree, its commands print what it
says, the words that it recommends exist, its links lead somewhere.

A comment in front of a block says what it is: "run" (commands and their output, a line "..." stands
for the rest), "from FILE" (lines of that file), and the parts of "Add a restriction"."""
import glob
import json
import os
import re
import shlex
import subprocess
import sys
sys.path.insert(0, sys.path[0])
import ctl  # noqa: F401 (finds test/lib)
import gatepost
import place
from tap import Skip, case, equal, run, true

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..'))
MARK = re.compile(r'^( *)<!-- (.*) -->$')
# What the tables recommend beside parameters, restrictions, directives, table types and commands.
ACCESS = {'OK', 'REJECT', 'DEFER', 'HOLD', '4NN', '5NN'}
OTHERS = {'ALL', 'monitor', 'mode', 'if', 'endif', '!', '<>'}


def read(path):
    with open(os.path.join(TOP, path), encoding='utf-8') as handle:
        return handle.read()


def blocks(kind):
    """[(the mark's argument, lines)] of the marks of this kind."""
    found, lines = [], read('README.md').splitlines()
    for number, line in enumerate(lines):
        mark = MARK.match(line)
        if not mark or mark[2].split()[0] != kind:
            continue
        indent, block = len(mark[1]) + 4, []
        for text in lines[number + 1:]:
            if text[:indent].strip():
                break
            block.append(text[indent:])
        while block and not block[-1]:
            block.pop()
        true(block, 'nothing behind the mark in line %d' % (number + 1))
        found.append((mark[2].partition(' ')[2], block))
    true(found, 'no block is marked ' + kind)
    return found


def content(path):
    """The lines of a file that say something, as its reader sees them."""
    lines = [line.replace(r'\e', '\\').strip() for line in read(path).splitlines()]
    return [line for line in lines if line and not line.startswith(('#', '.\\"'))]


@case('blocks that are taken from files stand in them')
def copies():
    for path, block in blocks('from'):
        lines, block = content(path), [line.strip() for line in block]
        if path.endswith('.conf'):
            equal(block, lines, path)
        else:
            true(any(lines[n:n + len(block)] == block for n in range(len(lines))),
                 '%s has not: %s' % (path, block))


@case('commands print what README says')
def commands():
    path = os.path.dirname(gatepost.CONTROL) + ':' + os.environ['PATH']
    for _, block in blocks('run'):
        text = '\n'.join(block).replace('\\\n', ' ').splitlines()
        true(text[0].startswith('$ ') and len(text) > 1, 'no command: %s' % text)
        done = subprocess.run(shlex.split(text[0][2:]), cwd=TOP, capture_output=True, text=True,
                              timeout=60, env=dict(gatepost.environment(), PATH=path))
        expected, printed = text[1:], done.stdout.splitlines()
        if expected[-1].strip() == '...':
            expected.pop()
            printed = printed[:len(expected)]
        equal(printed, expected, text[0] + ' ' + done.stderr)


@case('the commands of gatepostctl that it names exist')
def command_names():
    names = set(re.findall(r'^    \{"([a-z]+)",', read('milter/gatepostctl/main.c'), re.M))
    used = set(re.findall(r'gatepostctl(?: -c \S+)? ([a-z]+)\b', read('README.md')))
    true(len(used) > 4, 'README names hardly any command')
    equal(sorted(used - names), [], 'no such command')


@case('links lead to files and headings that are there')
def links():
    text = read('README.md')
    headings = {re.sub(r'[^a-z0-9 -]', '', line.lower()).replace(' ', '-')
                for line in re.findall(r'^#+ (.*)$', text, re.M)}
    for target in re.findall(r'\]\(([^)]+)\)', text):
        if target.startswith('#'):
            true(target[1:] in headings, 'no heading ' + target)
        else:
            true(os.path.exists(os.path.join(TOP, target)), 'no file ' + target)


@case('the cookbook has every recipe')
def cookbook():
    recipes = {os.path.basename(path) for path in glob.glob(TOP + '/packaging/recipes/*')
               if os.path.isdir(path)}
    for page, pattern in (('README.md', r'^\| \[([a-z-]+)\]\(packaging/recipes/\1\) \|'),
                          ('packaging/recipes/README', r'^    ([a-z-]+)   +\S')):
        equal(sorted(re.findall(pattern, read(page), re.M)), sorted(recipes), page)


def known_words():
    words = set(re.findall(r'^SETTING\(\w+, "(\w+)"', read('include/settings/settings_rows.h'),
                           re.M))
    words |= set(re.findall(r'\.name = "(\w+)"', read('milter/checks/restrictions.c')))
    words |= set(re.findall(r'^    \{"(\w+)", apply_', read('milter/ruleset/directives.c'), re.M))
    words |= {kind + ':' for kind in re.findall(r'\{"([a-z]+)", &', read('milter/lookup/table.c'))}
    true(len(words) > 120, 'the tables are not where they were')
    return words | ACCESS | OTHERS | {'gatepostctl'}


@case('what the migration tables recommend exists')
def migration():
    text = read('README.md')
    text = text[text.index('## Coming from'):text.index('## Build')]
    rows = re.findall(r'^\| (.*?) \| (.*) \|$', text, re.M)
    true(len(rows) > 35, 'the tables are not where they were')
    words = known_words()
    for there, here in rows:
        equal([word for word in re.findall(r'`([^`]+)`', here) if word.split()[0] not in words],
              [], 'unknown, in the row of ' + there)


@case('adding a restriction: the code compiles, and the rows are such of the tests')
def restriction():
    source = place.folder() + '/restriction.c'
    function, row = ('\n'.join(blocks(kind)[0][1]) for kind in ('function', 'row'))
    place.write(source, '#include "restrictions.h"\n%s;\n%s\n'
                'const struct restriction *first(void);\n'
                'const struct restriction *first(void)\n{\n'
                'static const struct restriction rows[] = {\n%s\n};\nreturn rows;\n}\n'
                % (function.split('\n{')[0], function, row))
    path = os.path.join(gatepost.BUILD, 'compile_commands.json')
    if not os.path.exists(path):
        raise Skip('there is no compile_commands.json')
    with open(path, encoding='utf-8') as handle:
        entry = next(entry for entry in json.load(handle)
                     if entry['file'].endswith('checks/syntax.c'))
    words = shlex.split(entry['command'])
    words = words[:words.index('-MD')] + ['-fsyntax-only', '-I' + TOP + '/milter/checks', source]
    done = subprocess.run(words, cwd=entry['directory'], capture_output=True, text=True)
    equal((done.returncode, done.stderr), (0, ''), 'the compiler')
    calls = []
    exec('\n'.join(blocks('rows')[0][1]), {'rows': lambda *words: calls.append(words)})
    equal([len(words) for words in calls], [5], 'rows() is called with')
    true(blocks('manual')[0][1][0].startswith('.It Sy reject_localhost_helo'), 'the manual')


if __name__ == '__main__':
    run()
