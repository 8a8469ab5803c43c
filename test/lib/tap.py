# SPDX-License-Identifier: BSD-2-Clause
"""Test cases that print TAP: a file decorates its cases with @case and ends with run()."""
import os
import re
import sys
import time
import traceback

CASES = []


class Skip(Exception):
    """Raised by a case that cannot be run here; the text says why."""


class Failure(AssertionError):
    """A statement about the product that turned out false."""


def case(title, mta=None):
    """Registers a function as a test case; they run in the order of the file. mta: the only MTA
    that it can be played to, postfix or sendmail."""
    def register(function):
        if mta in (None, os.environ.get('GATEPOST_MTA', 'postfix')):
            CASES.append((title, function))
        return function
    return register


def equal(found, expected, what=''):
    if found != expected:
        raise Failure('%s: found %r, expected %r' % (what or 'value', found, expected))


def match(pattern, text, what=''):
    if not re.search(pattern, text or ''):
        raise Failure('%s: %r does not match %r' % (what or 'text', text, pattern))


def absent(pattern, text, what=''):
    if re.search(pattern, text or ''):
        raise Failure('%s: %r matches %r' % (what or 'text', text, pattern))


def true(condition, what):
    if not condition:
        raise Failure(what)


# A deadline ends what hangs: it must not meet what takes its time because the machine is slow, has
# other work, or runs a sanitizer.
STRETCH = 6


def until(function, seconds=15.0, what='condition', step=0.05):
    """Asks function again and again until it answers something true, and returns that. seconds: what
    is more than enough on an idle machine; it waits STRETCH times as long."""
    return within(seconds * STRETCH, function, what, step)


def within(seconds, function, what='condition', step=0.05):
    """The same where the time itself is promised."""
    end = time.monotonic() + seconds
    while True:
        answer = function()
        if answer:
            return answer
        if time.monotonic() > end:
            raise Failure('%s did not come true in %g s' % (what, seconds))
        time.sleep(step)


def promptly(seconds, function, what='it', tries=3):
    """Calls function, which can be called again, and returns its answer: one call of several must
    take less than that many seconds. What is kept waiting waits each time; what a busy machine
    holds up, it does not."""
    took = []
    while not took or took[-1] >= seconds:
        true(len(took) < tries, '%s took %s s' % (what, ', '.join('%.2f' % one for one in took)))
        begun = time.monotonic()
        answer = function()
        took.append(time.monotonic() - begun)
    return answer


def note(text):
    for line in str(text).splitlines():
        print('# ' + line.encode('ascii', 'backslashreplace').decode(), flush=True)


def skip_all(reason):
    print('1..0 # SKIP ' + reason, flush=True)
    sys.exit(0)


def run(setup=None, teardown=None, on_failure=None):
    """Runs all cases. setup's result is handed to each; on_failure(context) prints logs."""
    wanted = sys.argv[1:]
    cases = [c for c in CASES if not wanted or any(w in c[0] for w in wanted)]
    failed = 0
    context = None
    print('1..%d' % len(cases), flush=True)
    try:
        context = setup() if setup else None
        for number, (title, function) in enumerate(cases, 1):
            failed += not run_one(number, title, function, context, on_failure)
    except Exception:
        note(traceback.format_exc())
        print('Bail out! setting up failed', flush=True)
        failed += 1
    finally:
        if teardown:
            teardown(context)
    sys.exit(1 if failed else 0)


def run_one(number, title, function, context, on_failure):
    begun = time.monotonic()
    try:
        function(context) if context is not None else function()
        print('ok %d - %s' % (number, title), flush=True)
    except Skip as reason:
        print('ok %d - %s # SKIP %s' % (number, title, reason), flush=True)
    except Exception as error:
        print('not ok %d - %s' % (number, title), flush=True)
        note(str(error) if isinstance(error, Failure) else traceback.format_exc())
        frames = traceback.extract_tb(error.__traceback__)
        note('at ' + ', '.join('%s:%d' % (f.filename.rsplit('/', 1)[-1], f.lineno)
                               for f in frames[1:]))
        note('after %.1f s' % (time.monotonic() - begun))
        if on_failure and context is not None:
            on_failure(context)
        return False
    return True
