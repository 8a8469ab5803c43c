# SPDX-License-Identifier: BSD-2-Clause
"""A survey of a thousand domains: how long, how many connections at a time, how much memory."""
import json
import os
import resource
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + '/../lib')
import gatepost  # noqa: E402
import maillab  # noqa: E402
import place  # noqa: E402
import tap  # noqa: E402
from maillab import Server, context  # noqa: E402
from tap import case, equal, note, true  # noqa: E402

DOMAINS, HOSTS, TARPITS = 1000, 400, 8


class World:
    def __init__(self):
        self.folder = place.folder('gatepost-scale-')
        ca = maillab.Authority(self.folder, key='rsa:2048')
        tls = context(ca.issue('*.lab'))
        addresses = ['%s.%d' % (net, n) for net in ('198.51.100', '203.0.113')
                     for n in range(1, 251)][:HOSTS]
        self.servers = [Server(a, tls, hang=i < TARPITS) for i, a in enumerate(addresses)]
        self.now = self.most = 0
        lock = threading.Lock()
        for server in self.servers:
            def count(connection, guard=server.guard):
                with lock:
                    self.now += 1
                    self.most = max(self.most, self.now)
                guard(connection)
                with lock:
                    self.now -= 1
            server.guard = count
        lab = 'survey A 192.0.2.240\n'
        lab += ''.join('m%d A %s\n' % row for row in enumerate(addresses))
        # each domain has two of the hosts; names that fail to resolve and domains without a server
        for i in range(DOMAINS):
            lab += 'd%d MX 10 m%d\nd%d MX 20 m%d\n' % (i, i % HOSTS, i, (i * 7 + 1) % HOSTS)
        lab += 'lame NS ns.dead\nns.dead A %s\n' % maillab.DEAD_NS
        self.dns = maillab.Dns(self.folder)
        self.dns.zone('', '')
        self.dns.zone('lab', lab)
        self.dns.start()
        self.conf = place.write(self.folder + '/gatepost.conf', 'user = root\n'
                                'dns_servers = 127.0.0.1\n')

    def survey(self, domains):
        begun = time.monotonic()
        done = subprocess.run([gatepost.CONTROL, '-c', self.conf, 'survey', '--json', '--helo',
                               'survey.lab', '--jobs', '60', '--db', self.folder + '/survey.db',
                               '-f', '-'], input='\n'.join(domains), capture_output=True, text=True,
                              timeout=600)
        equal(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()], time.monotonic() - begun


@case('a thousand domains, some of which hang')
def thousand(world):
    domains = ['d%d.lab' % i for i in range(DOMAINS)] + ['x%d.lame.lab' % i for i in range(10)]
    found, seconds = world.survey(domains)
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    note('%d domains, %d servers: %.0f s, %d connections at a time at most, %d MB'
         % (len(domains), HOSTS, seconds, world.most, memory))
    equal(len({f['domain'] for f in found}), len(domains))
    states = [f['state'] for f in found]
    bad = {f['address'] for f in found if f['state'] == 'timeout'}
    equal(len(bad), TARPITS, 'addresses that hang')
    equal(states.count('ok') + states.count('timeout') + states.count('servfail'), len(found))
    equal(states.count('servfail'), 10)
    equal(sorted({len(s.times) for s in world.servers}), [1], 'visits to an address')
    true(seconds < 300, 'it took %.0f s' % seconds)
    # a server sees the end of a connection later than the survey: hence --jobs 60
    true(world.most <= 64, '%d connections' % world.most)
    true(memory < 200, '%d MB' % memory)


if __name__ == '__main__':
    reason = gatepost.missing() or maillab.missing()
    if reason:
        tap.skip_all(reason)
    tap.run(setup=World)
