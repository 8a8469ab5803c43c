#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What objects need of each other, as nm(1) tells it: no two of them need one another, directly or
around corners, and none needs one of a lower layer. Includes tell less: a declaration can be
repeated, and a header be included for a type alone.
usage: test_objects.py SOURCE-FOLDER, with GATEPOST_BUILD"""
import collections
import functools
import glob
import os
import re
import shutil
import subprocess
import sys

TOP = os.path.abspath(sys.argv.pop(1))
BUILD = os.environ.get('GATEPOST_BUILD', '')
sys.path.insert(0, TOP + '/test/lib')
from tap import Failure, Skip, case, equal, run, true  # noqa: E402

LAYER = re.compile(r'^\s*\d+\.\s+[*_]*`([a-z]+)/`', re.M)


def objects():
    """Object file -> folder/name of its source, for what is linked into the programs."""
    found = {}
    for path in glob.glob(BUILD + '/milter/**/*.o', recursive=True):
        folder = os.path.relpath(path, BUILD + '/milter').split('/')[0]
        name = os.path.basename(path).split('_._')[-1]
        found[path] = folder + '/' + re.sub(r'\.c\.o$', '', name)
    return found


@functools.lru_cache
def needs():
    """Name -> {name of what it needs: the symbols}."""
    paths = objects()
    if not paths or not shutil.which('nm'):
        raise Skip('there is no build, or no nm')
    done = subprocess.run(['nm', '-A', '-g', *paths], capture_output=True, text=True)
    if done.returncode or 'plugin needed' in done.stderr:
        raise Skip('nm cannot read the objects: ' + done.stderr.strip())
    defined, undefined = {}, collections.defaultdict(set)
    for line in done.stdout.splitlines():
        path, rest = line.rsplit(':', 1)
        *_, kind, symbol = rest.split()
        if kind in 'TDBRVWC':
            defined[symbol] = paths[path]
        elif kind == 'U':
            undefined[paths[path]].add(symbol)
    graph = {name: {} for name in paths.values()}
    for name, symbols in undefined.items():
        for symbol in symbols:
            other = defined.get(symbol)
            if other and other != name:
                graph[name].setdefault(other, []).append(symbol)
    return graph


def reachable(graph, start):
    seen, todo = set(), [start]
    while todo:
        for other in graph[todo.pop()]:
            if other not in seen:
                seen.add(other)
                todo.append(other)
    return seen


def circles(graph):
    reach = {name: reachable(graph, name) for name in graph}
    found = {frozenset(other for other in reach[name] if name in reach[other])
             for name in graph if name in reach[name]}
    return sorted(found, key=sorted)


def describe(graph, circle):
    lines = ['circle: ' + ' '.join(sorted(circle))]
    for name in sorted(circle):
        for other in sorted(circle & set(graph[name])):
            lines.append('    %s needs %s: %s' % (name, other,
                                                  ' '.join(sorted(graph[name][other])[:4])))
    return '\n'.join(lines)


@case('the objects of every folder are seen')
def seen():
    graph = needs()
    with open(TOP + '/milter/README') as handle:
        folders = set(LAYER.findall(handle.read()))
    equal(sorted({name.split('/')[0] for name in graph} & folders), sorted(folders), 'folders')
    true(sum(len(others) for others in graph.values()) > 300, 'hardly anything is needed')


@case('no object needs one that needs it')
def no_circles():
    graph = needs()
    found = circles(graph)
    if found:
        raise Failure('\n'.join(describe(graph, circle) for circle in found))


@case('no object needs one of a lower layer')
def layers():
    graph = needs()
    with open(TOP + '/milter/README') as handle:
        order = {name: number for number, name in enumerate(LAYER.findall(handle.read()))}
    problems = ['%s needs %s: %s' % (name, other, ' '.join(sorted(symbols)[:4]))
                for name, others in graph.items() for other, symbols in others.items()
                if order.get(other.split('/')[0], 0) > order.get(name.split('/')[0], 99)]
    if problems:
        raise Failure('\n'.join(sorted(problems)))


@case('no folder needs one that needs it')
def folders():
    graph = collections.defaultdict(dict)
    for name, others in needs().items():
        for other, symbols in others.items():
            if name.split('/')[0] != other.split('/')[0]:
                graph[name.split('/')[0]].setdefault(other.split('/')[0], []).extend(symbols)
    for others in list(graph.values()):
        for other in others:
            graph[other]
    found = circles(graph)
    if found:
        raise Failure('\n'.join(describe(graph, circle) for circle in found))


run()
