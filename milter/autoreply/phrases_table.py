#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""phrases.txt as C: the phrases, and the automaton (Aho and Corasick's) that finds all of them in one
pass. Usage: phrases_table.py phrases.txt phrases_table.h. What is wrong in the file ends the build."""
import sys

# Sections in the order of enum phrases_kind.
KINDS = ('subject-prefix', 'subject-phrase', 'text', 'bounce-text', 'separator', 'separator-before',
         'bare-separator', 'verb', 'lead', 'label-from', 'label-date', 'label-to', 'label-cc',
         'label-subject', 'label-raw')
LENGTH_MAX = 120
# What phrases_fold makes another character of, or nothing.
FOLDED = ('\u00a0\u202f\u2007\u2009\u3000\t\u2018\u2019\u02bc\u00b4\u201c\u201d\u201e\u00ab\u2010\u2011\u2012'
          '\u2013\u2014\u2015\u2500\uff1a\uff1e\u203a\u00bb\uff1c\uff5c\u2502\u2503\u258e\u258c\u0451\u00ad'
          '\u200b\u200c\u200d\u200e\u200f\ufeff\u0307')


def read(path):
    """Rows (phrase in bytes, kind, open at the start, open at the end)."""
    def fail(why):
        sys.exit('%s:%d: %s' % (path, number, why))
    kind, rows = None, {}
    with open(path, encoding='utf-8') as file:
        for number, line in enumerate(file, 1):
            text = line.strip()
            if not text or text[0] == '#':
                continue
            if text[0] == '[' and text[1:-1] in KINDS and text[-1] == ']':
                kind = KINDS.index(text[1:-1])
                continue
            if kind is None:
                fail('no section before; write one of: ' + ', '.join('[%s]' % k for k in KINDS))
            phrase = text.strip('*')
            if not phrase or '*' in phrase:
                fail('"*" stands at the ends of a phrase alone')
            if phrase.lower() != phrase or any(c in FOLDED for c in phrase):
                fail('write "%s" in lower case, with plain quotes, hyphens and spaces' % phrase)
            if len(phrase.encode()) > LENGTH_MAX:
                fail('a phrase has at most %d bytes' % LENGTH_MAX)
            row = (phrase.encode(), kind, text[0] == '*', text[-1] == '*')
            if row in rows:
                fail('"%s" stands in line %d already' % (text, rows[row]))
            rows[row] = number
    return sorted(rows)


def build(rows):
    """The automaton: for each state its edges, where it falls back to, its first row and how many it
    has, and the nearest shorter phrase that ends there too."""
    edges, own = [{}], [[]]
    for index, (phrase, *_) in enumerate(rows):
        state = 0
        for byte in phrase:
            if byte not in edges[state]:
                edges[state][byte] = len(edges)
                edges.append({})
                own.append([])
            state = edges[state][byte]
        own[state].append(index)
    back, shorter = [0] * len(edges), [0] * len(edges)
    queue = list(edges[0].values())
    for state in queue:
        for byte, target in edges[state].items():
            fallen = back[state]
            while fallen and byte not in edges[fallen]:
                fallen = back[fallen]
            back[target] = edges[fallen].get(byte, 0)
            shorter[target] = back[target] if own[back[target]] else shorter[back[target]]
            queue.append(target)
    return edges, own, back, shorter


def write(path, rows, automaton):
    edges, own, back, shorter = automaton
    assert len(edges) < 65536
    out = ['/* Made of phrases.txt by phrases_table.py. */',
           'enum { PHRASE_BYTES_MAX = %d };' % max(len(row[0]) for row in rows),
           'static const struct phrase_row phrase_rows[] = {']
    for phrase, kind, start, end in rows:
        text = ''.join('\\%03o' % b for b in phrase)
        out.append('{"%s", %d, 1U << %d, %d, %d},' % (text, len(phrase), kind, start, end))
    out += ['};', 'static const struct phrase_state phrase_states[] = {']
    flat = []
    for state, targets in enumerate(edges):
        first = own[state][0] if own[state] else 0
        out.append('{%d, %d, %d, %d, %d, %d},' % (len(flat), len(targets), back[state],
                                                  shorter[state], first, len(own[state])))
        flat += sorted(targets.items())
    out += ['};', 'static const struct phrase_edge phrase_edges[] = {']
    out += ['{%d, %d},' % edge for edge in flat]
    out += ['};', '']
    with open(path, 'w', encoding='ascii') as file:
        file.write('\n'.join(out))


def main():
    rows = read(sys.argv[1])
    write(sys.argv[2], rows, build(rows))


main()
