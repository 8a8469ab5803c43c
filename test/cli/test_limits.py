#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""[limit NAME] sections: what check says of them, and what test shows."""
import gzip
import json
import os
import re
import subprocess
import sys
import time
sys.path.insert(0, sys.path[0])
import ctl
import place
from tap import Skip, case, equal, match, run

SITE = 'local_domains = example.org\n'
AUTH = '--auth bob --mech PLAIN --tls TLSv1.3 --bits 256'


def limit(name='x', **settings):
    text = {'key': 'sasl_user', 'max': '5', 'per': '1d', **settings}
    return '[limit %s]\n' % name + ''.join(
        '%s = %s\n' % (key.rstrip('_'), value) for key, value in text.items() if value)


RCPT = 'recipient_restrictions = check_limit x permit_sasl_authenticated\n'
MESSAGE = 'message_restrictions = check_limit x permit_sasl_authenticated\n'
OWNERS = 'sender_login_maps = inline:{a@b=bob}\n'

BY_TABLE = """restriction_classes = metered
metered = check_limit x
recipient_restrictions = check_sender_access inline:{example.com=metered}
    permit_sasl_authenticated
"""

# Settings, and what must be said of them; None: nothing of limits.
SAID = [
    (RCPT + limit(), None),
    (MESSAGE + limit(), None),
    (RCPT + limit(max=''), 'error: .limit x.: max must be set'),
    (RCPT + limit(per=''), 'error: .limit x.: per must be set'),
    (limit(), 'warning: limit x is counted nowhere'),
    (BY_TABLE + limit(), None),
    ('client_restrictions = check_limit x\n' + limit(),
     'error: .*check_limit stands in recipient_restrictions or message_restrictions alone'),
    ('recipient_restrictions = check_limit\n' + limit(), r'error: .*check_limit needs the name'),
    ('recipient_restrictions = check_limit out\n' + limit('outgoing'),
     r'error: .*there is no section .limit out.'),
    ('recipient_restrictions = check_limit outgoign\n' + limit('outgoing'),
     r'error: .*there is no section .limit outgoign.; did you mean "outgoing"'),
    (RCPT + limit(key='header:X-A'), 'error: .*counts by what stands in the header'),
    (RCPT + limit(key='sasl_user+from'), 'error: .*counts by what stands in the header'),
    (RCPT + limit(key='from_domain'), 'error: .*counts by what stands in the header'),
    (MESSAGE + limit(key='header:X-A', for_='local'),
     'warning: limit x counts by a header field.*key = client'),
    (RCPT + 'message_restrictions = check_limit y\n' + limit(key='client', for_='mynetworks')
     + limit('y', key='header:X-A', for_='local'), None),
    (RCPT + limit(key='sender'), 'warning: limit x counts by sender, but nothing checks whose'),
    (RCPT + OWNERS + limit(key='sender'), None),
    (RCPT + OWNERS + 'sender_restrictions = permit_mynetworks\n' + limit(key='sender_domain'),
     'warning: limit x counts by sender, but nothing checks whose'),
    (RCPT + OWNERS + 'sender_restrictions = warn_if_reject reject_sender_login_mismatch\n'
     + limit(key='sender'), 'warning: limit x counts by sender, but nothing checks whose'),
    (MESSAGE + OWNERS + limit(key='from'), 'warning: limit x counts by the From: field, but'),
    (RCPT + OWNERS + limit(key='sender', for_='all'), 'warning: .*for all: strangers'),
    (RCPT + limit(overrides='inline:{bob=7, ann=unlimited}'), None),
    (RCPT + limit(overrides='inline:{bob=none}'), 'warning: key "bob": "none" is neither a number'),
    (RCPT + limit(overrides='inline:{bob=1m}'), 'warning: key "bob": "1m" is neither a number'),
    (RCPT + limit(count='bytes', max='1m', overrides='inline:{bob=1g}'), None),
    (RCPT + limit(overrides='/nonexistent/table'), 'error: .*nonexistent/table'),
    (RCPT + limit(per='week') + 'action = refuse\n', 'error: .*action: "refuse" is not one of'),
]
for order, whom, behind in (
        ('permit_mynetworks', 'authenticated', False), ('permit_mynetworks', 'local', True),
        ('permit_mynetworks', 'mynetworks', True), ('permit_mynetworks', 'outgoing', True),
        ('permit_mynetworks', 'all', True), ('warn_if_reject permit_mynetworks', 'local', True),
        ('permit_sasl_authenticated', 'authenticated', True),
        ('permit_sasl_authenticated', 'local', False), ('permit_sasl_authenticated', 'all', True),
        ('permit_tls_clientcerts', 'authenticated', True), ('permit_tls_clientcerts', 'local', False),
        ('reject_unknown_sender_domain', 'all', False), ('permit', 'local', True)):
    SAID.append(('recipient_restrictions = %s check_limit x\n' % order
                 + limit(key='client', for_=whom),
                 'error: .*check_limit x stands behind %s, which' % order.split()[-1] if behind else None))

for settings, said in SAID:
    @case('check: %r' % settings[:90])
    def says(settings=settings, said=said):
        done = ctl.Settings(SITE + settings).run('check')
        # that the state of these tests is in memory is another thing
        about = [line for line in done.stderr.splitlines()
                 if re.search('limit|key "', line) and 'state = memory' not in line]
        if said is None:
            equal((done.returncode, about), (0, []))
        else:
            match('(?m)' + said, done.stderr)
            equal(done.returncode, 78 if said.startswith('error') else 0)


@case('test counts nowhere, and shows what one message would be told')
def trial():
    settings = ctl.Settings(SITE + RCPT + limit(max='2'))
    for _ in range(2):
        done = settings.run('test', '--json', '--from', 'a@b.example',
                            *'--rcpt 1@c.example --rcpt 2@c.example --rcpt 3@c.example'.split(),
                            *AUTH.split())
        told = json.loads(done.stdout)
        equal((told['verdict'], told['check'], told['reply']),
              ('reject', 'check_limit',
               '550 5.7.1 bob: 3 recipients are more than the limit of 2 in 1d'))
        equal([one['verdict'] for one in told['recipients']], ['accept', 'accept', 'reject'])


@case('a limit in a class that only a table names')
def by_table():
    settings = ctl.Settings(SITE + BY_TABLE + limit(max='2'))
    for sender, verdicts in (('a@example.com', ['accept', 'accept', 'reject']),
                             ('a@example.net', ['accept'] * 3)):
        done = settings.run('test', '--json', '--from', sender, '--rcpt', 'a@x.test', '--rcpt',
                            'b@x.test', '--rcpt', 'c@x.test', *AUTH.split())
        told = json.loads(done.stdout)
        equal([one['verdict'] for one in told['recipients']], verdicts, told['reply'])


@case('suggest: percentiles, and a max that only outliers would have met')
def suggest():
    settings = ctl.Settings(SITE)
    lines = []
    for number in range(20):
        for day in (25, 26):
            lines.append('Nov %d 10:00:00 mail gatepost[1]: action=accept stage=message check=- '
                         'sasl=user%d tls=- from=a@b to=%s score=-' % (
                             day, number, ','.join('x@y.example' for _ in range(1 + number % 5))))
    lines.append('Nov 26 11:00:00 mail gatepost[1]: action=accept stage=message sasl=thief '
                 'from=a@b to="a@b.example,+899 more" score=-')
    lines.append('Nov 26 11:00:00 mail gatepost[1]: action=tempfail stage=rcpt sasl=other to=a@b')
    lines.append('{"action":"accept","stage":"message","sasl":"json","to":["a@b","c@d"]}')
    lines.append('{"action":"accept","stage":"message","sasl":null,"tls":null,"to":["a@b"]}')
    path = settings.file + '.log'
    with open(path, 'w', encoding='utf-8') as handle:
        handle.write('\n'.join(lines) + '\n')
    done = settings.run('limits', 'suggest', '--log', path)
    equal(done.returncode, 0, done.stderr)
    match('over 42 of them, 42 messages: half up to 3, 90% 5, 99% 5, most 900', done.stdout)
    match('max = 5 with per = 1d would have refused nobody but 1 outlier\n  thief \d{4}-11-26: 900',
          done.stdout)
    packed = gzip.compress(open(path, 'rb').read())
    place.write(path + '.gz', packed)
    equal(settings.run('limits', 'suggest', '--log', path + '.gz').stdout, done.stdout, 'packed')
    place.write(path + '.gz', packed + packed)
    match('over 42 of them, 84 messages',
          settings.run('limits', 'suggest', '--log', path + '.gz').stdout)
    place.write(path + '.gz', packed[:-20])
    half = settings.run('limits', 'suggest', '--log', path + '.gz')
    equal((half.returncode, half.stdout), (64, ''), 'a file that is cut off')
    match('ends too early', half.stderr)
    # what strangers wrote into other values is not the line's own; nothing reaches the terminal raw
    with open(path, 'w', encoding='utf-8') as handle:
        for _ in range(3):
            handle.write('Nov 26 10:00:00 mail gatepost[1]: action=accept stage=message check=- '
                         'helo="x sasl=boss to=a,b,c,d,e,f" name=a"sasl":"json" sasl=u tls=- '
                         'from="s to=a,b"@x to=a@b\n')
            handle.write('{"ts":"2026-11-26T09:00:00Z","action":"accept","stage":"message",'
                         '"reply":"\\"sasl\\":\\"boss\\"","helo":"sasl=boss","to":["a@b","\\"c,d\\"@e"],'
                         '"sasl":"j"}\n')
        handle.write('{"ts":"2026-11-26T09:00:00Z","action":"accept","stage":"message",'
                     '"sasl":"\\u001b[31mred\u202e","to":["a@b"],"to_more":899}\n')
    told = settings.run('limits', 'suggest', '--log', path).stdout
    match('over 3 of them, 7 messages: half up to 6, 90% 6, 99% 6, most 900', told)
    match(r'1 outlier\n  \\x1b\[31mred\\u\{202e\} 2026-11-26: 900\n', told)
    with open(path, 'w', encoding='utf-8') as handle:
        for stamp in (time.strftime('%b %e %H:%M:%S', time.localtime(time.time() - 3600)),
                      time.strftime('%Y-%m-%dT%H:%M:%S+00:00', time.gmtime(time.time() - 3600)),
                      time.strftime('%b %e %H:%M:%S', time.localtime(time.time() - 9 * 86400)),
                      '2020-01-01T10:00:00+01:00', 'no time'):
            handle.write(stamp + ' mail gatepost[1]: action=accept stage=message sasl=u to=a@b\n')
        handle.write('{"ts":"2020-01-01T10:00:00Z","action":"accept","stage":"message","sasl":"u",'
                     '"to":["a@b"]}\n')
    for since, expected in (('2h', ', 2 messages:'), ('10d', ', 3 messages:'),
                            ('2019-12-31', ', 5 messages:')):
        done = settings.run('limits', 'suggest', '--since', since, '--log', path)
        match(expected, done.stdout, since + done.stderr)
        match('^1 messages whose lines say no time', done.stdout, since)
    # one day of this machine's zone, whichever way its lines say it; the evening of UTC is of the next
    year = time.gmtime(time.time() - 331 * 86400).tm_year  # that of the last 27 November, or before
    with open(path, 'w', encoding='utf-8') as handle:
        handle.write('%d-11-27T00:30:00+02:00 mail gatepost[1]: action=accept stage=message sasl=u to=a@b\n'
                     '%d-11-26T23:45:00Z action=accept stage=message sasl=u to=a@b\n'
                     '{"ts":"%d-11-26T22:30:00Z","action":"accept","stage":"message","sasl":"u",'
                     '"to":["a@b"]}\n'
                     '{"ts":"%d-11-26T21:30:00Z","action":"accept","stage":"message","sasl":"u",'
                     '"to":["a@b"]}\n' % ((year,) * 4))
        handle.write('Nov 27 12:00:00 mail gatepost[1]: action=accept stage=message sasl=v to=a@b\n'
                     'Nov 27 12:00:01 mail gatepost[1]: action=accept stage=message sasl=v '
                     'to="a@b,+998 more"\n')
    os.environ['TZ'] = 'EET-2'
    try:
        told = settings.run('limits', 'suggest', '--log', path).stdout
    finally:
        del os.environ['TZ']
    match('over 3 of them, 6 messages: half up to 3,', told, 'one day')
    match(r'1 outlier\n  v \d{4}-11-27: 1000\n', told, 'the day')
    done = settings.run('limits', 'suggest', '--since', 'whenever', '--log', path)
    equal(done.returncode, 64)
    match('--since whenever: a time is', done.stderr)
    equal(settings.run('limits', '--since', '2h').returncode, 64)
    equal(settings.run('limits', 'suggest', 'more').returncode, 64)
    equal(settings.run('limits', 'suggest', '--log', '/nonexistent').returncode, 64)
    equal(settings.run('limits', 'suggest', '--log', path, '/nonexistent').returncode, 64)
    match(', 12 messages:', settings.run('limits', 'suggest', '--log', path, path).stdout, 'files')
    done = ctl.Settings(SITE + 'history =\n').run('limits', 'suggest')
    equal((done.returncode, done.stdout), (69, ''), 'no history')
    with open(path, 'w', encoding='utf-8') as handle:
        handle.write('action=reject stage=message check=check_limit sasl=u mode=monitor to=a@b,c@d\n'
                     'action=reject stage=rcpt check=check_limit sasl=u mode=monitor to=a@b\n'
                     'action=info stage=message check=check_limit sasl=u mode=monitor to=a@b\n'
                     'action=reject stage=message check=check_limit helo="x mode=monitor" sasl=u to=a@b\n')
    match('over 1 of them, 1 messages: half up to 2,',
          settings.run('limits', 'suggest', '--log', path).stdout, 'what monitor mode let pass')


@case('the unit that releases mail: ids alone reach postsuper, and a daemon that cannot tell is a failure')
def release_unit():
    path = os.path.join(os.environ['GATEPOST_BUILD'], 'packaging/systemd/gatepost-release.service')
    if not os.path.exists(path):
        raise Skip('built without systemd')
    with open(path, encoding='utf-8') as handle:
        command = re.search(r"(?m)^ExecStart=/bin/sh -c '(.*)'$", handle.read())[1]
    folder = place.folder('gatepost-release-')
    script = re.sub(r'[^ (]+/gatepostctl', folder + '/gatepostctl', command.replace('$$', '$'))
    for said, code, expected in (('echo A1; echo B2', 0, (0, 'A1\nB2\n')), ('exit 69', 69, (69, None)),
                                 ('echo A1; exit 69', 69, (69, None)), ('', 0, (0, None))):
        for name, text in (('gatepostctl', said), ('postsuper', 'cat >%s/heard' % folder)):
            place.write(folder + '/' + name, '#!/bin/sh\n%s\n' % text)
            os.chmod(folder + '/' + name, 0o755)
        if os.path.exists(folder + '/heard'):
            os.remove(folder + '/heard')
        done = subprocess.run(['sh', '-c', script], env=dict(os.environ, PATH=folder + ':' + os.environ['PATH']))
        heard = open(folder + '/heard', encoding='utf-8').read() if os.path.exists(folder + '/heard') else None
        equal((done.returncode, heard), expected, said)


run()
