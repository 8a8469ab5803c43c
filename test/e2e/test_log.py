#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The log: a line per message and per refusal, in text and JSON, that no client can forge. Half of
the clients here speak the milter protocol themselves, because an MTA would filter what they say."""
import sys
from datetime import datetime, timedelta, timezone
sys.path.insert(0, sys.path[0] + '/../lib')
from gatepost import fields, json_fields
from milter import Milter
from scene import run
from smtp import message, token
from tap import absent, case, equal, match, true, until

OK = '^250'
KEYS = ['action', 'stage', 'check', 'reply', 'queue_id', 'client', 'name', 'helo', 'listener',
        'sasl', 'tls', 'from', 'to', 'score', 'rules', 'ms']


def lines(scene, mark):
    return [line for line in scene.gatepost.log(mark) if 'action=' in line]


def one_line(scene, mark, *words):
    line = scene.gatepost.wait_log(mark, 'action=', *words)
    equal(len([x for x in lines(scene, mark) if all(w in x for w in words)]), 1, 'lines')
    return line


@case('a refusal is one line with every field')
def refusal(scene):
    mark = scene.gatepost.mark()
    with scene.outsider() as dialog:
        match(OK, dialog.mail('a@example.com'))
        dialog.rcpt('x@remote.example')
    line = one_line(scene, mark, 'x@remote.example')
    found = fields(line)
    equal([key for key in found if key in KEYS], KEYS, 'keys, in order')
    expected = {'action': 'reject', 'stage': 'rcpt', 'check': 'reject_unauth_destination',
                'reply': '550 5.7.1 <x@remote.example>: Relaying denied; authenticate first',
                'client': '203.0.113.9', 'name': 'host.example', 'helo': 'client.example.com',
                'listener': 'xclient', 'sasl': '-', 'tls': '-', 'from': 'a@example.com',
                'to': 'x@remote.example', 'score': '-', 'rules': '-'}
    equal({key: found[key] for key in expected}, expected, 'fields')
    match(r'^\d+(\.\d+)?$', found['ms'], 'ms')


@case('a message is one line with its queue id')
def accepted(scene):
    mark, word = scene.gatepost.mark(), token()
    with scene.logged_in(user='bob') as dialog:
        reply = dialog.deliver('bob@lab.test', ['x@remote.example'], message(word))[-1]
    line = one_line(scene, mark, 'action=accept', 'bob@lab.test')
    found = fields(line)
    equal(found['queue_id'], reply.rsplit(' ', 1)[-1], 'queue_id')
    match('^bob(@lab.test)?$', found['sasl'], 'sasl')
    match('TLSv1', found['tls'], 'tls')
    equal(found['listener'], 'submission', 'listener')
    equal(found['to'], 'x@remote.example', 'to')


@case('every refusal of a session is logged, each once')
def several(scene):
    mark = scene.gatepost.mark()
    with scene.outsider() as dialog:
        dialog.mail('a@example.com')
        for number in range(5):
            dialog.rcpt('x%d@remote.example' % number)
        dialog.rcpt('bob@lab.test')
        dialog.data(message(token()))
    until(lambda: len(lines(scene, mark)) >= 6, 10, 'six lines')
    actions = [fields(line)['action'] for line in lines(scene, mark)]
    equal(actions, ['reject'] * 5 + ['accept'], 'actions')


@case('what passes says who let it, and the lines of a connection have one session')
def sessions(scene):
    mark = scene.gatepost.mark()
    for _ in range(2):
        with scene.outsider() as dialog:
            dialog.mail('a@example.com')
            dialog.rcpt('x@remote.example')
            dialog.rcpt('bob@lab.test')
            dialog.data(message(token()))
    with scene.logged_in(user='bob') as dialog:
        dialog.deliver('bob@lab.test', ['x@remote.example'], message(token()))
    until(lambda: len(lines(scene, mark)) >= 5, 10, 'five lines')
    found = [fields(line) for line in lines(scene, mark)]
    equal([(x['action'], x.get('permit')) for x in found],
          [('reject', None), ('accept', '-')] * 2 + [('accept', 'permit_mynetworks')],
          'permits')
    names = [x['session'] for x in found]
    equal([names[0], names[2]], [names[1], names[3]], 'refusal and message of a connection')
    equal(len(set(names)), 3, 'sessions of three connections')
    equal(names, sorted(names), 'sessions, in the order of their connections')
    for name in names:
        match('^[0-9b-z]{11}$', name, 'session')


FORGED = ['a\x01b', 'x action=accept', 'x" action=accept reply="', 'x\\" action=accept',
          'тест', '\u202egnp.exe', 'x\tz', "x'y", 'x' * 400]


@case('a HELO through Postfix forges nothing')
def forged_helo(scene):
    for helo in FORGED:
        mark = scene.gatepost.mark()
        with scene.outsider(greet=None) as dialog:
            dialog.send(b'HELO ' + helo.encode())
            dialog.mail('a@example.com')
            dialog.rcpt('x@remote.example')
        one_refusal(scene, mark)


@case('a sender through Postfix forges nothing')
def forged_sender(scene):
    for sender in FORGED:
        mark = scene.gatepost.mark()
        quoted = sender.replace('\\', '\\\\').replace('"', '\\"')
        with scene.outsider() as dialog:
            reply = dialog.send(b'MAIL FROM:<"' + quoted.encode() + b'"@example.com>')
            if reply.startswith('2'):
                dialog.rcpt('x@remote.example')
                one_refusal(scene, mark)


def one_refusal(scene, mark):
    """Exactly one line since mark; it is clean ASCII or UTF-8 text and says reject."""
    line = scene.gatepost.wait_log(mark, 'action=', 'remote.example')
    found = lines(scene, mark)
    equal(len(found), 1, 'lines %r' % found)
    check_refusal(line)


def check_refusal(line):
    absent(r'[\x00-\x1f\x7f\u202e]', line, 'control characters')
    parsed = fields(line)
    equal(parsed['action'], 'reject', line)
    equal(parsed['to'].split('@')[-1], 'remote.example', line)
    equal([key for key in parsed if key in KEYS], KEYS, 'keys of %r' % line)


HOSTILE = [b'x\naction=accept stage=rcpt', b'x\r\nMay  1 00:00:00 mail gatepost[1]: action=accept',
           b'\x1b[2J\x1b]0;owned\x07', b'\xff\xfe\x80', b'\xe2\x80\xae\xe2\x80\xa8', b'"', b'\\',
           b'', b'=', b' ', b'%s%n%d', b'\x7f', b'\xc2\x9b31m']


@case('raw bytes in HELO, names, sender and recipient forge nothing')
def hostile(scene):
    for data in HOSTILE:
        mark = scene.gatepost.mark()
        with Milter(scene.gatepost.port) as mta:
            mta.negotiate()
            mta.connect(host=data)
            mta.helo(data)
            mta.mail(b'<' + data + b'@example.com>')
            code, reply = mta.rcpt(b'<' + data + b'x@remote.example>')
        true(code in 'yrt', 'code %r for %r' % (code, data))
        true(all(31 < ord(c) < 127 for c in reply), 'reply %r' % reply)
        line = scene.gatepost.wait_log(mark, 'action=')
        equal(len(scene.gatepost.log(mark)), len(lines(scene, mark)), 'lines for %r' % data)
        absent(r'[\x00-\x1f\x7f\x9b\u202e\u2028]', line, 'control characters')


@case('hostile macros forge nothing')
def hostile_macros(scene):
    for data in HOSTILE:
        mark = scene.gatepost.mark()
        with Milter(scene.gatepost.port) as mta:
            mta.negotiate()
            mta.connect(daemon_name=data, client_name=data, client_ptr=data)
            mta.helo(tls_version=data, cipher=data, cert_subject=data)
            mta.mail(auth_type=b'PLAIN', auth_authen=data, i=data)
            mta.rcpt('<x@remote.example>', rcpt_mailer=data)
        line = scene.gatepost.wait_log(mark, 'action=')
        equal(len(scene.gatepost.log(mark)), len(lines(scene, mark)), 'lines for %r' % data)
        check = fields(line)
        equal(check['action'], 'reject', line)
        absent(r'[\x00-\x1f\x7f\x9b\u202e\u2028]', line, 'control characters')


@case('JSON: the same fields, one valid object a line')
def as_json(scene):
    with scene.settings(log_format='json'):
        mark, word = scene.gatepost.mark(), token()
        with scene.outsider(greet=None) as dialog:
            dialog.send('HELO x" action=accept')
            dialog.mail('a@example.com')
            dialog.rcpt('x@remote.example')
            dialog.rcpt('bob@lab.test')
            dialog.data(message(word))
        until(lambda: len([x for x in scene.gatepost.log(mark) if '"action"' in x]) >= 2, 10,
              'two lines')
        found = [json_fields(x) for x in scene.gatepost.log(mark) if '"action"' in x]
        equal([x['action'] for x in found], ['reject', 'accept'], 'actions')
        for entry in found:
            equal(sorted(KEYS), sorted(key for key in entry if key in KEYS), 'keys')
            match(r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$', entry['ts'], 'ts')
            age = datetime.now(timezone.utc) - datetime.fromisoformat(
                entry['ts'].replace('Z', '+00:00'))
            true(timedelta(0) <= age < timedelta(minutes=5), 'age %s' % age)
            equal(entry['v'], 1, 'v')
        equal(found[0]['client'], '203.0.113.9', 'client')
        equal(found[0]['session'], found[1]['session'], 'session')
        equal([x.get('permit', 'absent') for x in found], ['absent', None], 'permit')


@case('raw bytes forge no JSON either')
def hostile_json(scene):
    with scene.settings(log_format='json'):
        for data in HOSTILE:
            mark = scene.gatepost.mark()
            with Milter(scene.gatepost.port) as mta:
                mta.negotiate()
                mta.connect(host=data)
                mta.helo(data)
                mta.mail(b'<' + data + b'@example.com>')
                mta.rcpt('<x@remote.example>')
            line = scene.gatepost.wait_log(mark, '"action"')
            equal(json_fields(line)['action'], 'reject', line)
            lines = [line for line in scene.gatepost.log(mark) if '"level"' not in line]  # the reload
            equal(len(lines), 1, 'lines for %r' % data)


@case('nobody reads the log: Postfix gets its answers, and mail arrives')
def stalled(scene):
    mark = scene.gatepost.mark()
    scene.gatepost.reads.clear()
    try:
        with Milter(scene.gatepost.port) as mta:
            mta.negotiate()
            mta.connect()
            mta.helo()
            for number in range(2000):  # more than a pipe holds
                mta.mail('<%s%d@example.com>' % ('x' * 60, number))
                match('^550', mta.rcpt('<x@remote.example>')[1])
                mta.abort()
        state = json_fields(scene.gatepost.control('status', '--json').stdout)
        true(state['log_waiting'] > 100, 'nobody reads')
        words = [token() for _ in range(10)]
        for word in words:
            with scene.outsider() as dialog:
                match(OK, dialog.mail('a@example.com'))
                match('^550 5.7.1', dialog.rcpt('y@remote.example'))
                match(OK, dialog.rcpt('bob@lab.test'))
                match(OK, dialog.data(message(word)))
        for word in words:
            scene.sink.wait(word)
    finally:
        scene.gatepost.reads.set()
    until(lambda: len([x for x in lines(scene, mark) if 'y@remote.example' in x]) == len(words), 20,
          'a line for each refusal')
    equal(len([x for x in lines(scene, mark) if 'action=accept' in x]), len(words), 'accepted')
    equal(len([x for x in lines(scene, mark) if 'x@remote.example' in x]), 2000, 'refused')


run()
