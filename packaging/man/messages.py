#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Makes gatepost-messages(7) of the file `messages`, whose head tells its format.
usage: messages.py FILE > PAGE"""
import re
import sys


class Entry:
    """What programs print, each as a line of its own, and what it means; LINE is where it begins."""
    def __init__(self, line):
        self.line, self.shown, self.text = line, [], []

    @property
    def checks(self):
        """The values of check= that it is about."""
        return [text[len('check='):] for text in self.shown if text.startswith('check=')]


def parse(path):
    """[(title, [paragraph], [Entry])] of a file; what it cannot be is an error with its line."""
    sections, block = [], None
    with open(path, encoding='utf-8') as handle:
        for number, line in enumerate(handle, 1):
            line = line.rstrip('\n')
            if line.startswith('#'):
                continue
            title = re.fullmatch(r'\[(.+)\]', line)
            if title:
                sections.append((title[1], [], []))
                block = None
            elif not line.strip():
                block = None
            elif not sections:
                sys.exit('%s:%d: expected [SECTION]' % (path, number))
            elif line.startswith('> '):
                if not isinstance(block, Entry) or block.text:
                    block = Entry(number)
                    sections[-1][2].append(block)
                block.shown.append(line[2:])
            else:
                if block is None:
                    block = []
                    sections[-1][1].append(block)
                (block.text if isinstance(block, Entry) else block).append(line)
    for _, _, entries in sections:
        for entry in entries:
            if not entry.text:
                sys.exit('%s:%d: nothing says what it means' % (path, entry.line))
    return sections


def escape(text):
    text = text.replace('\\', '\\e').replace('"', '\\(dq').replace('-', '\\-')
    return '\\&' + text if text[:1] in ".'" else text


def running(lines):
    """Lines of text, a sentence each; `...` is set in bold type."""
    text = re.sub(r'`([^`]+)`', lambda found: '\\fB%s\\fP' % found[1].replace('-', '\\-'),
                  ' '.join(lines).replace('\\', '\\e'))
    sentences = re.split(r'(?<=[.;:]) (?=[A-Z\\])', text)
    return ''.join(('\\&' + line if line[:1] in ".'" else line) + '\n' for line in sentences)


def page(sections, out):
    for title, paragraphs, entries in sections:
        out.write('.Sh %s\n' % title)
        out.write('.Pp\n'.join(running(lines) for lines in paragraphs))
        if not entries:
            continue
        out.write('.Bl -tag -width Ds -compact\n')
        for entry in entries:
            if entry is not entries[0]:
                out.write('.Pp\n')
            for text in entry.shown:
                out.write('.It Li "%s"\n' % escape(text))
            out.write(running(entry.text))
        out.write('.El\n')


HEAD = '''.\\" SPDX-License-Identifier: BSD-2-Clause
.\\" Made of the file "messages" when gatepost is built.
.Dd November 28, 2026
.Dt GATEPOST-MESSAGES 7
.Os
.Sh NAME
.Nm gatepost-messages
.Nd what gatepost says, what it means, and what to do
'''
TAIL = '''.Sh SEE ALSO
.Xr gatepost-rules 5 ,
.Xr gatepost.conf 5 ,
.Xr gatepost 8 ,
.Xr gatepostctl 8
'''

if __name__ == '__main__':
    sys.stdout.reconfigure(encoding='utf-8')
    sys.stdout.write(HEAD)
    page(parse(sys.argv[1]), sys.stdout)
    sys.stdout.write(TAIL)
