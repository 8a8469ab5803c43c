# SPDX-License-Identifier: BSD-2-Clause
"""What a process has, as /proc tells it."""
import collections
import os
import re

Measure = collections.namedtuple('Measure', 'memory threads files children')


def measure(pid):
    """memory: kB of its own, mapped files left out."""
    with open('/proc/%d/status' % pid) as handle:
        text = handle.read()
    found = {key: int(value) for key, value in re.findall(r'(?m)^(\w+):\s+(\d+)', text)}
    return Measure(found['RssAnon'], found['Threads'], len(os.listdir('/proc/%d/fd' % pid)),
                   children(pid))


def children(pid):
    """Also those that ended and that nobody waited for."""
    found = []
    for task in os.listdir('/proc/%d/task' % pid):
        try:
            with open('/proc/%d/task/%s/children' % (pid, task)) as handle:
                found += handle.read().split()
        except FileNotFoundError:
            pass
    return len(found)


def data(pid):
    """kB that RLIMIT_DATA counts: heaps as far as they are used, stacks."""
    with open('/proc/%d/status' % pid) as handle:
        return int(re.search(r'(?m)^VmData:\s+(\d+)', handle.read())[1])
