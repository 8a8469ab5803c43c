#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Counts single test cases: reads Meson's testlog.json, adds a line per case to a file (outcome,
name, reason, between tabs) and shows the log of each test that failed.

usage: results.py BUILD-NAME TESTLOG RESULTS"""
import json
import re
import sys

LINE = re.compile(r'^(not )?ok\b\s*\d*\s*(?:- )?([^#]*?)\s*(?:#\s*(SKIP|TODO)\b\s*(.*))?$', re.I)
PLAN = re.compile(r'^1\.\.(\d+)(?:\s*#\s*SKIP\s*(.*))?', re.I)
LOG_LINES = 120  # shown of a failed test


def cases(text):
    """The cases of a TAP stream as (outcome, name, reason), and how many were planned."""
    found, planned = [], None
    for line in text.splitlines():
        plan = PLAN.match(line)
        if plan:
            planned = int(plan[1])
            if planned == 0:
                found.append(('skip', 'all', plan[2] or ''))
            continue
        hit = LINE.match(line)
        if hit:
            skipped = (hit[3] or '').upper() == 'SKIP'
            outcome = 'skip' if skipped else 'fail' if hit[1] else 'pass'
            found.append((outcome, hit[2], hit[4] or ''))
    return found, planned


def judge(test):
    """The cases of one program; a program that fell over is a failed case more."""
    found, planned = cases(test.get('stdout') or '')
    result = test['result']
    failed = any(outcome == 'fail' for outcome, _, _ in found)
    real = sum(name != 'all' or outcome != 'skip' for outcome, name, _ in found)
    if result in ('OK', 'SKIP', 'EXPECTEDFAIL') and planned is not None and real != planned:
        found.append(('fail', 'plan', '%d cases planned, %d seen' % (planned, real)))
    elif result not in ('OK', 'SKIP', 'EXPECTEDFAIL') and not failed:
        found.append(('fail', 'program', 'ended with %s after %d cases' % (result, real)))
    elif not found:
        found.append(('skip' if result == 'SKIP' else 'pass', 'program', ''))
    return found


def show(build, test):
    print('\n---- %s: %s ----' % (build, test['name']))
    for stream in ('stdout', 'stderr'):
        lines = (test.get(stream) or '').splitlines()
        if len(lines) > LOG_LINES:
            print('... %d lines of %s left out ...' % (len(lines) - LOG_LINES, stream))
        print('\n'.join(lines[-LOG_LINES:]))
    print('---- end of %s ----' % test['name'], flush=True)


def main(build, log, results):
    try:
        with open(log, encoding='utf-8', errors='replace') as handle:
            tests = [json.loads(line) for line in handle if line.strip()]
    except FileNotFoundError:
        tests = []
    with open(results, 'a', encoding='utf-8') as out:
        if not tests:
            out.write('fail\t%s: tests\tMeson ran none\n' % build)
        for test in tests:
            outcome = judge(test)
            name = test['name'].split(' / ')[-1].split(':')[-1]
            for verdict, title, reason in outcome:
                out.write('\t'.join((verdict, '%s: %s: %s' % (build, name, title),
                                     reason.replace('\t', ' '))) + '\n')
            if any(verdict == 'fail' for verdict, _, _ in outcome):
                show(build, test)


main(*sys.argv[1:])
