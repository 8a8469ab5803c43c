#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The manual pages: their examples do what they say, and they leave out no word.

In a page, a literal block behind the comment `file NAME` is a file, one behind the comment `run` is
commands ("$ COMMAND") with their output, one behind `shown: WHY` is neither. Comment lines may
stand for a block."""
import glob
import os
import re
import subprocess
import sys
sys.path.insert(0, sys.path[0])
import ctl
import gatepost
import place
from tap import CASES, Failure, case, equal, run, true

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..'))
MARK = re.compile(r'^\.\\" (?:file (\S+)|(run))$')
ESCAPES = [(r'\&', ''), (r'\-', '-'), (r'\(dq', '"'), (r'\e', '\\')]


def read(path):
    with open(os.path.join(TOP, path), encoding='utf-8') as handle:
        return handle.read()


def plain(line):
    """A line of a literal block as the reader sees it."""
    line = line[len('.\\" '):] if line.startswith('.\\" ') else line
    for escape, text in ESCAPES:
        line = line.replace(escape, text)
    return line


def block(lines, at):
    """The lines of the block at lines[at]."""
    if lines[at].startswith('.Bd -literal'):
        end = lines.index('.Ed', at)
        return [plain(line) for line in lines[at + 1:end]]
    end = at
    while lines[end].startswith('.\\" ') and not MARK.match(lines[end]):
        end += 1
    return [plain(line) for line in lines[at:end]]


def examples(page):
    """(files, [(command, output)]) of a page."""
    lines = read(page).splitlines()
    files, commands = {}, []
    for number, line in enumerate(lines):
        found = MARK.match(line)
        if not found:
            continue
        content = block(lines, number + 1)
        if found[1]:
            files[found[1]] = ''.join(text + '\n' for text in content)
            continue
        for text in content:
            if text.startswith('$ '):
                commands.append((text[2:], []))
            else:
                commands[-1][1].append(text)
    return files, commands


def play(page):
    files, commands = examples(page)
    true(files and commands, 'the page has no examples')
    folder = place.folder('gatepost-man-')
    for name, text in files.items():
        place.write(os.path.join(folder, name), text)
    path = os.path.dirname(gatepost.CONTROL) + ':' + os.environ['PATH']
    for command, expected in commands:
        done = subprocess.run(['sh', '-c', command], cwd=folder, capture_output=True, text=True,
                              timeout=60, env=dict(gatepost.environment(), PATH=path))
        equal(done.stdout.splitlines(), expected, '%s (%s)' % (command, done.stderr.strip()))


for page in ('gatepostctl.8', 'gatepost.conf.5', 'gatepost-rules.5'):
    CASES.append(('the examples of %s do what they say' % page,
                  lambda page=page: play('packaging/man/%s.in' % page)))


@case('every literal block of the pages is run, or says why not')
def marked():
    for path in sorted(glob.glob(TOP + '/packaging/man/*.in')):
        lines = read(path).splitlines()
        for number, line in enumerate(lines):
            before = lines[number - 1]
            if line.startswith('.Bd -literal'):
                true(MARK.match(before) or before.startswith('.\\" shown: '),
                     '%s:%d is not marked' % (os.path.basename(path), number + 1))


@case('the log line of gatepost(8) has the keys of the log, in their order')
def log_line():
    page = read('packaging/man/gatepost.8.in')
    shown = re.search(r'(?s)\n(action=.*?)\n\.Ed', page)[1]
    rows = re.findall(r'^    \{"([a-z_]+)", (?:get_\w+|NULL), \w+, (\w+), ',
                      read('milter/report/logline.c'), re.M)
    true(len(rows) > 10, 'the table of keys is not where it was')
    equal(list(gatepost.fields(' '.join(shown.split()))), [key for key, left_out in rows if
                                                           left_out == 'false'], 'keys')


@case('gatepost(8) tells how long the values of the log may be')
def log_cuts():
    page = read('packaging/man/gatepost.8.in')
    page = page[page.index('These are the most bytes:'):page.index('those of limits')]
    told = {key: int(most) for key, most in re.findall(r'\.Cm (\w+)\n(\d+)', page)}
    rows_ = re.findall(r'^    \{"([a-z_]+)", (?:get_\w+|NULL), (\d+), ', read('milter/report/logline.c'), re.M)
    cut = {key: int(most) for key, most in rows_ if int(most) > 100}
    equal(told, cut, 'the most bytes')


@case('the replies of gatepost(8) are in the program')
def replies():
    sources = ''.join(read(path) for path in glob.glob(TOP + '/milter/**/*.c', recursive=True)
                      + glob.glob(TOP + '/include/*/*.h'))
    sources = re.sub(r'"\s*\n\s*"', '', sources)
    shown = re.findall(r'(?m)^\.It Li ([45]\d\d) [45]\.\d+\.\d+ (.*)$',
                       read('packaging/man/gatepost.8.in'))
    true(len(shown) > 10, 'the replies are not where they were')
    for code, text in shown:
        pieces = re.split(r': |<\w+>|\[\w+\]|\([^)]*\)|\b[A-Z]{4,}\b|12\.0', text)
        piece = max(pieces, key=len).strip()
        true(piece in sources, '%s %s: %r is not in the program' % (code, text, piece))


@case('gatepost.conf(5) explains every restriction')
def restrictions():
    words = re.findall(r'\.name = "([a-z_]+)"', read('milter/checks/restrictions.c'))
    true(len(words) > 30, 'the table of restrictions is not where it was')
    page = read('packaging/man/gatepost.conf.5.in')
    missing = [word for word in words if not re.search(r'Sy (\w+ , )*%s\b' % word, page)]
    equal(missing, [], 'not in the page')


@case('gatepost.conf(5) names no restriction that does not exist')
def no_invention():
    words = set(re.findall(r'\.name = "([a-z_]+)"', read('milter/checks/restrictions.c')))
    page = read('packaging/man/gatepost.conf.5.in')
    page = page[page.index('.Sh RESTRICTIONS'):page.index('.Sh ACCESS TABLES')]
    named = set(re.findall(r'Sy ((?:permit|reject|defer|check|warn)\w*)', page))
    equal(sorted(named - words), [], 'no such restriction')


@case('gatepostctl(8) has every command and option')
def commands():
    page = read('packaging/man/gatepostctl.8.in')
    for command in re.findall(r'^    \{"([a-z]+)",', read('milter/gatepostctl/main.c'), re.M):
        true(re.search(r'It Nm Cm %s\b' % command, page), 'no %s in the page' % command)
    for path in glob.glob(TOP + '/milter/gatepostctl/*.c'):
        for option in re.findall(r'^        \{"([a-z-]{4,})", 0, ', read(path), re.M):
            true('Fl -%s' % option in page, 'no --%s in the page' % option)


@case('gatepostctl(8) has every member of status --json, and no other')
def status_members():
    sources = ''.join(read(path) for path in glob.glob(TOP + '/milter/daemon/status*.c'))
    members = set(re.findall(r'(?:json_\w+|put_\w+)\((?:out, )?"([a-z0-9_]+)"', sources))
    members |= set(re.findall(r'\.key = "(\w+)"', sources))
    true(len(members) > 50, 'the members are not where they were')
    page = read('packaging/man/gatepostctl.8.in')
    page = page[page.index('.Sh THE STATUS FOR PROGRAMS'):page.index('.Sh SURVEYING OTHERS')]
    told = set()
    for line in re.findall(r'(?m)^\.(?:It )?Cm (.*)$', page):
        told |= set(re.findall(r'[a-z][a-z0-9_]+', line))
    equal((sorted(members - told), sorted(told - members)), ([], []), 'not in the page; not printed')


@case('gatepost-rules(5) has every directive')
def directives():
    words = re.findall(r'^    \{"([a-z_]+)", apply_', read('milter/ruleset/directives.c'), re.M)
    true(len(words) > 20, 'the table of directives is not where it was')
    page = read('packaging/man/gatepost-rules.5.in')
    equal([word for word in words if not re.search(r'It Ic .*\b%s\b' % word, page)], [],
          'not in the page')


@case('every word for a table type is in gatepost.conf(5)')
def table_types():
    page = read('packaging/man/gatepost.conf.5.in')
    types = re.findall(r'\{"([a-z]+)", &', read('milter/lookup/table.c'))
    true(len(types) > 5, 'the table of types is not where it was')
    equal([word for word in types if word != 'fail' and 'Sy %s :' % word not in page], [],
          'not in the page')


def rows():
    """[(ID, name, where, meaning)] of the table of parameters."""
    text = re.sub(r'"\s*\n\s*"', '', read('include/settings/settings_rows.h'))
    found = re.findall(r'^SETTING\(\s*(\w+),\s*"(\w+)",(.*?)\b((?:MAIN|LISTENER|PROFILE|LIMIT|KEYED)'
                       r'(?: \| \w+)*),\s*"(.*?)"\)$', text, re.M | re.S)
    true(len(found) > 60, 'the table of parameters is not where it was')
    return [(setting, name, where, meaning) for setting, name, _, where, meaning in found]


@case('each parameter has one example, which gatepostctl check takes')
def parameter_examples():
    known = {name: where for _, name, where, _ in rows()}
    lines = [line for line in read('packaging/man/parameters').splitlines()
             if line and line[0] not in '#[']
    equal(sorted(line.split()[0] for line in lines), sorted(known), 'the examples are those of')
    folder = place.folder('gatepost-man-')
    for name in ('senders', 'certificates', 'clients', 'limits', 'redis-password', 'rules',
                 'virtual_domains'):
        place.write(folder + '/' + name, '')
    for line in lines:
        name = line.split()[0]
        text = re.sub('/(etc|usr/share)/(gatepost|postfix)', folder, line)
        if known[name] == 'LIMIT':
            needed = [part for part in ('key = client', 'max = 5', 'per = 1h')
                      if part.split()[0] != name]
            text = '[limit x]\n%s\n%s\n' % ('\n'.join(needed), text)
        elif 'MAIN' not in known[name]:
            text = '[profile x]\n' + text
        elif 'check_limit' in line:
            text += '\n[limit out]\nkey = sasl_user\nmax = 5\nper = 1h'
        path = place.write(folder + '/gatepost.conf', 'local_domains = example.org\n' * (
            name != 'local_domains') + 'rule_files =\n' * (name != 'rule_files') + text + '\n')
        done = ctl.run('-c', path, 'check')
        true('error:' not in done.stderr and done.returncode == 0, line + ': ' + done.stderr)


@case('the pages say of each parameter whether it takes a restart')
def restart():
    array = re.search(r'startup_settings\[\] = \{(.*?)\}', read('milter/daemon/service.c'), re.S)
    settings = {setting: name for setting, name, _, _ in rows()}
    held = {settings[word] for word in re.findall(r'SETTING_(\w+)', array[1])}
    said = {name for _, name, _, meaning in rows() if 'A change takes a restart.' in meaning}
    equal(sorted(said), sorted(held), 'settings_rows.h says "A change takes a restart." of')


if __name__ == '__main__':
    run()
