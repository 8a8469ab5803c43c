#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""gatepost-messages(7) has every message of the sources. usage: test_messages.py SOURCE-FOLDER

A message is a string literal of milter/ that is the format of a function declared G_GNUC_PRINTF, or
that holds three words, wherever it stands; but not in FILES nor as an argument of FUNCTIONS below,
which are no messages. A line "> TEXT" of packaging/man/messages is one if the format can print it:
words in capitals stand there for what varies."""
import functools
import glob
import os
import re
import sys

TOP = os.path.abspath(sys.argv.pop(1))
sys.path[:0] = [TOP + '/test/lib', TOP + '/packaging/man']
import messages  # noqa: E402
from tap import Failure, case, equal, run, true  # noqa: E402

PAGE = 'packaging/man/messages'
# Files whose texts are results, data or another protocol.
FILES = re.compile(
    r'milter/(daemon/read_history|autoreply/(?!bounce_senders).*|ruleset/address_rule|report/(chart|history_text|history_json|report_text|report_html|summary_report)|history/history_file|survey/(html|summary|'
    r'diff|command_onion|sts|sts_curl|sts_fetch|sts_none|tls_facts|mx|onion|finding|survey|history)|'
    r'store/redis_scripts|gatepostctl/(commandhelp|testoutput|suggest)|web/.*)\.[ch]|include/(autoreply|trial)/.*')
# Functions that print results, compare, or speak to a database, a peer or the compiler.
FUNCTIONS = re.compile(
    r'(g_)?(v?f?printf|string_append\w*|string_new|string_printf|snprintf)|fputs|str\w+|g_str_has\w*|'
    r'g_ascii_str\w+|prepare\w*|number_of|run|run_sql|sqlite3_\w+|redis\w+|say|remark|(postfix_)?print_\w+|notify\w*|'
    r'g_error|is_yes|each_value|postfix_get|add_count|own|set_macro|read_\w+|fopen|g_date_time_\w+|'
    r'get_number|note_skipped|builder_note_skipped|call_usage|sscanf')
# Files whose tables hold the names of things, or what is printed when all is well.
ROWS = re.compile(r'milter/(base/when|gatepostctl/main|daemon/main|store/store|survey/main|daemon/status(_rows)?|settings/settings_table|'
                  r'setup/(postfix|sendmail)look)\.c')
# Formats of functions that are declared G_GNUC_PRINTF count with two words.
PRINTF = re.compile(r'(\w+)\)?\s*\([^;{}]*?\)\s*G_GNUC_PRINTF')
TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|\w+|[^\s\w]', re.S)
CONVERSION = re.compile(r'%[-+ #0]*[\d*]*(?:\.[\d*]+)?(?:hh|ll|[hlzjt])?([a-zA-Z%])')
REPLY = r'(?:(?:[245]\d\d \d\.\d+\.\d+|CODE X\.Y\.Z) )?'
BEFORE = r'(?:.*: )?'  # WHAT: WHY, put together of two messages
ESCAPES = {'\\n': ' ', '\\r': '', '\\t': ' ', '\\"': '"', '\\\\': '\\'}


def read(path):
    with open(os.path.join(TOP, path), encoding='utf-8') as handle:
        return handle.read()


def sources():
    found = [os.path.relpath(path, TOP) for pattern in ('milter/*/**/*.[ch]', 'include/*/*.h')
             for path in glob.glob(os.path.join(TOP, pattern), recursive=True)]
    return sorted(path for path in found if not path.endswith('settings_rows.h'))


def tokens(text):
    text = re.sub(r'(?m)^[ \t]*#\s*include.*', '', text)
    line, at = 1, 0
    for found in TOKEN.finditer(text):
        line += text.count('\n', at, found.start())
        at = found.start()
        if not found[0].startswith(('/*', '//')):
            yield found[0], line


@functools.lru_cache(maxsize=None)
def literals(path):
    """[(line, innermost function that it is an argument of, text)] of the literals of a file."""
    found = []
    all_tokens, calls, at = list(tokens(read(path))), [], 0
    while at < len(all_tokens):
        token, line = all_tokens[at]
        if token == '(':
            calls.append(all_tokens[at - 1][0])
        elif token == ')' and calls:
            calls.pop()
        elif token in '{};':
            calls = [] if token == '}' else calls
        if not token.startswith('"'):
            at += 1
            continue
        text = ''
        while at < len(all_tokens):
            token = all_tokens[at][0]
            if token.startswith('"'):
                text += token[1:-1]
            elif re.match(r'(PRI|G_GU?INT|G_GS)\w*$', token):
                text += 'u'
            elif token != '\\':  # the end of a line of a macro
                break
            at += 1
        names = [name for name in calls if re.match(r'[A-Za-z_]\w+$', name) and
                 name not in ('if', 'while', 'for', 'switch', 'return', 'sizeof')]
        text = re.sub(r'\\x..|\\.', lambda escape: ESCAPES.get(escape[0], ''), text)
        found.append((line, names[-1] if names else '', ' '.join(text.split())))
    return found


def words(text):
    """How many words of the text are not filled in."""
    return len(re.findall(r"(?<![\w/:-])[a-z][a-z']+(?![\w/-])", CONVERSION.sub(' % ', text)))


@functools.lru_cache
def found_messages(unprinted=3):
    """[(file, line, format)] of the sources: what is no format has UNPRINTED words at least."""
    printf = set()
    for path in glob.glob(TOP + '/milter/*/**/*.[ch]', recursive=True) + glob.glob(TOP + '/include/*/*.h'):
        printf |= set(PRINTF.findall(read(path)))
    true(len(printf) > 15, 'the functions that print are not declared as they were')
    found = []
    for path in sources():
        if FILES.fullmatch(path):
            continue
        for line, function, text in literals(path):
            least = 2 if function in printf else unprinted
            if words(text) < least or FUNCTIONS.fullmatch(function) or text[0] in ';,(' or text[-1] == ',':
                continue
            if function or not ROWS.fullmatch(path):
                found.append((path, line, text))
    true(len(found) > 300, 'the messages are not where they were')
    return found


class Printed:
    """What a format can print."""
    def __init__(self, text):
        parts, at = [REPLY + BEFORE], 0
        for found in CONVERSION.finditer(text):
            parts += [re.escape(text[at:found.start()]), '%' if found[1] == '%' else '.*?']
            at = found.end()
        self.pattern = ''.join(parts) + re.escape(text[at:]) + r'\.?'
        self.longest = max(CONVERSION.sub('\0', text).split('\0'), key=len)

    def has(self, line):
        """Whether LINE may be it. Most are told by a piece that they lack."""
        return self.longest in line and bool(re.fullmatch(self.pattern, line))


def shown():
    """[(line of the file, text, entry)] of the page."""
    return [(entry.line + number, text, entry)
            for _, _, entries in messages.parse(os.path.join(TOP, PAGE)) for entry in entries
            for number, text in enumerate(entry.shown)]


@case('every message of the sources has an entry')
def complete():
    known, missing = [text for _, text, _ in shown()], []
    for path, line, text in found_messages():
        printed = Printed(text)
        if not any(text in entry or printed.has(entry) for entry in known):
            missing.append('%s:%d: no entry of %s is "%s". Add in a section where it fits:\n'
                           '> %s\n...what it means. What to do.'
                           % (path, line, PAGE, text, CONVERSION.sub('WORD', text)))
    if missing:
        raise Failure('\n'.join(missing) + '\n(an empty line stands between entries; several lines '
                      '"> ..." may share one text; words in capitals stand for what varies)')


@case('every entry is a message of the sources')
def alive():
    everything = '\n'.join(text for path in sources() for _, _, text in literals(path))
    everything = CONVERSION.sub('%', everything)
    formats, dead = [Printed(text) for _, _, text in found_messages(2)], []
    for line, text, _ in shown():
        if text.startswith('check=') or any(printed.has(text) for printed in formats):
            continue
        pieces = re.split(r'<[^>]*>|\b[A-Z]+\b|\d[\w.]*%?|"|: | rejected', re.sub('^%s' % REPLY, '', text))
        longest = max(pieces, key=len).strip(' .')
        if longest not in everything:
            dead.append('%s:%d: nothing prints "%s": take the line out' % (PAGE, line, text))
    if dead:
        raise Failure('\n'.join(dead))


def as_shown(text):
    """A line of the page as a pattern of what is printed."""
    parts = re.split(r'(<[^>]*>|\[ADDRESS\]|\[NAME\]|\b[A-Z]+\b|\d[\w.]*)', text)
    number = r'\S+( [kMG]?B)?'
    return re.compile(''.join(re.escape(part) if index % 2 == 0 or index < 6 and part.isdigit()
                              else number if part[0].isdigit() else '<.*>' if part[0] == '<'
                              else '.*' for index, part in enumerate(parts)))


@case('each reply that tests have seen stands under its check')
def replies():
    known = {}
    for _, text, entry in shown():
        for name in entry.checks or ['']:
            known.setdefault(name, []).append(as_shown(text))
    seen = set()
    for path in glob.glob(TOP + '/test/session/*.ref'):
        seen |= set(re.findall(r'^  refuse (\d.*) \[([a-z_]+)\]$', read(path), re.M))
    true(len(seen) > 60, 'the transcripts are not what they were')
    missing = ['%s [%s]' % (reply, check) for reply, check in sorted(seen)
               if not any(line.fullmatch(reply) for line in known.get(check, []) + known[''])]
    if missing:
        raise Failure('add to %s, below "> check=NAME":\n' % PAGE + '\n'.join(missing))


def restrictions():
    rows = re.findall(r'\{\.name = "([a-z_]+)"([^}]*)', read('milter/checks/restrictions.c'))
    true(len(rows) > 40, 'the table of restrictions is not where it was')
    return {name for name, rest in rows if 'alias_of' not in rest}


@case('every value of check= has an entry')
def checks():
    named = {name for _, _, entry in shown() for name in entry.checks}
    others = set(re.findall(r'check(?:_r)? = (?:\w+ \? "\w+" : )?"([a-z_]+)"|run_refuse\([^;]*?"([a-z_]+)",',
                            ''.join(read(path) for path in glob.glob(TOP + '/milter/policy/*.c'))))
    others = {name for pair in others for name in pair if name}
    true(len(others) > 3, 'the checks that are no restriction are not where they were')
    silent = {'permit', 'defer_if_permit', 'defer_if_reject', 'warn_if_reject'}
    wanted = {name for name in restrictions() | others
              if not name.startswith('permit_')} - silent
    equal(sorted(wanted - named), [], 'add "> check=NAME" to %s for' % PAGE)
    equal(sorted(named - restrictions() - others - silent), [], 'no such check, of ' + PAGE)


if __name__ == '__main__':
    run()
