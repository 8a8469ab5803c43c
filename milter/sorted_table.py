#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Makes a text file that people keep into rows of a C table: {"KEY", "VALUE"}, sorted by KEY as
bsearch(3) with strcmp(3) wants them.

A line of the file is "VALUE: KEY KEY ..."; one that begins with white space goes on with the line
before; "#" begins a comment. What is no such line, or stands twice, is an error that says where.
usage: sorted_table.py FILE OUTPUT"""
import re
import sys


def rows(path):
    found, value = {}, None
    with open(path, encoding='ascii') as handle:
        for number, line in enumerate(handle, 1):
            line = line.split('#')[0].rstrip()
            if not line:
                continue
            if not line[0].isspace():
                parts = re.fullmatch(r'(.+?):(?:\s+(.*))?', line)
                if not parts:
                    sys.exit('%s:%d: expected VALUE: KEY ...' % (path, number))
                value, line = parts[1], parts[2] or ''
            for key in line.split():
                if value is None or not re.fullmatch(r'[a-z0-9_.:()-]+', key):
                    sys.exit('%s:%d: "%s" is no key' % (path, number, key))
                if key in found:
                    sys.exit('%s:%d: "%s" stands twice' % (path, number, key))
                found[key] = value
    if not found:
        sys.exit('%s: there is nothing in it' % path)
    return found


def quote(text):
    return '"%s"' % text.replace('\\', '\\\\').replace('"', '\\"')


found = rows(sys.argv[1])
with open(sys.argv[2], 'w', encoding='ascii') as out:
    for key in sorted(found):
        out.write('{%s, %s},\n' % (quote(key), quote(found[key])))
