#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Access tables as Postfix knows them: each result seen on the wire, in the queue, in the message."""
import sys
sys.path.insert(0, sys.path[0] + '/../lib')
from scene import run
from smtp import message, token
from tap import absent, case, equal, match, true, until

OK = '^250'
TEMPORARY = r'^451 4\.3\.0 Temporary failure; try again later$'

CLIENTS = '''
203.0.113.10 REJECT go away
203.0.113.11 450 4.7.1 come later
203.0.113.12 HOLD look at this
203.0.113.13 PREPEND X-Client: thirteen
203.0.113.14 WARN seen
203.0.113.15 DEFER
203.0.113.16 REJECT
203.0.113.17 550 5.7.99 quite special
203.0.113.18 OK
203.0.113.19 DUNNO
203.0.113.21 permit_sasl_authenticated, reject
203.0.113.22 DEFER_IF_PERMIT later
203.0.113.23 INFO noted
2001:db8:bad::/48 REJECT no such network
'''


def rcpt(scene, address, sender='a@example.com', recipient='bob@lab.test', **more):
    """The replies of MAIL and RCPT joined: delayed checks answer at RCPT."""
    with scene.outsider(address, **more) as dialog:
        reply = dialog.mail(sender)
        return dialog.rcpt(recipient) if reply.startswith('2') else reply


def send(scene, address, recipients=('bob@lab.test',)):
    """A whole message: its word and the last reply."""
    word = token()
    with scene.outsider(address) as dialog:
        return word, dialog.deliver('a@example.com', recipients, message(word))[-1]


REFUSALS = [
    ('203.0.113.10', r'^554 5\.7\.1 <host\.example\[203\.0\.113\.10\]>: '
                     r'Client host rejected: go away$'),
    ('203.0.113.11', r'^450 4\.7\.1 <host\.example\[203\.0\.113\.11\]>: '
                     r'Client host rejected: come later$'),
    ('203.0.113.15', r'^450 4\.7\.1 <host\.example\[203\.0\.113\.15\]>: '
                     r'Client host rejected: Access denied$'),
    ('203.0.113.16', r'^554 5\.7\.1 <host\.example\[203\.0\.113\.16\]>: '
                     r'Client host rejected: Access denied$'),
    ('203.0.113.17', r'^550 5\.7\.99 <host\.example\[203\.0\.113\.17\]>: '
                     r'Client host rejected: quite special$'),
    ('203.0.113.22', r'^450 4\.7\.1 <host\.example\[203\.0\.113\.22\]>: '
                     r'Client host rejected: later$'),
    ('IPV6:2001:db8:bad::7', r'^554 5\.7\.1 <host\.example\[2001:db8:bad::7\]>: '
                             r'Client host rejected: no such network$'),
]


for listed, answer in REFUSALS:
    @case('a client table refuses %s' % listed)
    def client_refused(scene, listed=listed, answer=answer):
        match(answer, rcpt(scene, listed))


@case('a client without a name is called unknown')
def client_unknown(scene):
    match(r'^554 5\.7\.1 <unknown\[203\.0\.113\.10\]>: Client host rejected: go away$',
          rcpt(scene, '203.0.113.10', name='[UNAVAILABLE]'))


@case('OK and DUNNO let a client in, but relay nothing')
def client_passed(scene):
    for address in ('203.0.113.18', '203.0.113.19'):
        match(OK, rcpt(scene, address), address)
        match('^550 5.7.1 .*Relaying denied', rcpt(scene, address, recipient='x@remote.example'))


@case('HOLD puts the message on hold')
def hold(scene):
    word, reply = send(scene, '203.0.113.12')
    match(OK, reply)
    until(lambda: scene.postfix.held(word), 10, 'a held message')
    true(not scene.sink.messages(word), 'a held message was delivered')
    ids = scene.postfix.held(word)
    scene.postfix.command('postsuper', '-H', *ids)
    scene.postfix.command('postqueue', '-f')
    scene.sink.wait(word)


@case('a refusal is stronger than HOLD')
def hold_and_refusal(scene):
    match(r'^554 5\.7\.1 <evil@example\.com>: Sender address rejected: ',
          rcpt(scene, '203.0.113.12', 'evil@example.com'))


@case('PREPEND adds a header, once for all recipients')
def prepend(scene):
    word, reply = send(scene, '203.0.113.13', ['bob@lab.test', 'carol@lab.test'])
    match(OK, reply)
    got = scene.sink.wait(word)
    equal(got.header().count('X-Client:'), 1, 'headers')
    match('(?m)^X-Client: thirteen\r?$', got.header())


@case('what one message was given does not stay for the next')
def prepend_per_message(scene):
    first, second = token(), token()
    with scene.outsider(greet='client.example.com') as dialog:
        match(OK, dialog.deliver('tagged@example.com', ['bob@lab.test'], message(first))[-1])
        match(OK, dialog.deliver('other@example.com', ['bob@lab.test'], message(second))[-1])
    match('X-Sender-Table: yes', scene.sink.wait(first).header())
    absent('X-Sender-Table', scene.sink.wait(second).header())


@case('a transaction that was reset leaves nothing behind')
def prepend_reset(scene):
    word = token()
    with scene.outsider() as dialog:
        match(OK, dialog.mail('tagged@example.com'))
        match(OK, dialog.rcpt('bob@lab.test'))
        dialog.send('RSET')
        match(OK, dialog.deliver('other@example.com', ['bob@lab.test'], message(word))[-1])
    absent('X-Sender-Table', scene.sink.wait(word).header())


@case('WARN and INFO are logged and pass')
def warn(scene):
    for address, text in (('203.0.113.14', 'seen'), ('203.0.113.23', 'noted')):
        mark = scene.gatepost.mark()
        word, reply = send(scene, address)
        match(OK, reply)
        scene.sink.wait(word)
        scene.gatepost.wait_log(mark, text, address)


@case('a table may answer with restrictions')
def restrictions(scene):
    match(r'^554 5\.7\.1 ', rcpt(scene, '203.0.113.21'))


@case('sender, recipient and HELO tables')
def other_tables(scene):
    match(r'^554 5\.7\.1 <evil@example\.com>: Sender address rejected: spam was here$',
          rcpt(scene, '203.0.113.9', 'evil@example.com'))
    match(r'^554 5\.7\.1 <Evil@EXAMPLE\.com>: Sender address rejected: ',
          rcpt(scene, '203.0.113.9', 'Evil@EXAMPLE.com'))
    match(r'^554 5\.7\.1 <a@sub\.bad\.example>: Sender address rejected: bad domain$',
          rcpt(scene, '203.0.113.9', 'a@sub.bad.example'))
    match(r'^554 5\.7\.1 <>: Sender address rejected: no bounces here$',
          rcpt(scene, '203.0.113.9', '', 'list@lab.test'))
    match(r'^550 5\.1\.1 <closed@lab\.test>: Recipient address rejected: closed$',
          rcpt(scene, '203.0.113.9', recipient='closed@lab.test'))
    match(r'^554 5\.7\.1 <bad-helo\.example>: Helo command rejected: Access denied$',
          rcpt(scene, '203.0.113.9', greet='bad-helo.example'))


@case('the text of a pattern table may quote what matched, as ASCII')
def pattern(scene):
    match(r'^554 5\.7\.1 <win-1@example\.com>: Sender address rejected: no win-1 here$',
          rcpt(scene, '203.0.113.9', 'win-1@example.com'))


@case('a result that is nothing is a temporary failure')
def nonsense(scene):
    match(TEMPORARY, rcpt(scene, '203.0.113.9', 'nonsense@example.com'))


@case('a lookup that cannot be made is a temporary failure')
def cannot_tell(scene):
    with scene.settings(recipient_restrictions='check_recipient_access fail:always'):
        match(TEMPORARY, rcpt(scene, '203.0.113.9'))


@case('a table that changed is read again by itself')
def changed(scene):
    match(OK, rcpt(scene, '203.0.113.40'))
    scene.gatepost.table('clients', CLIENTS + '203.0.113.40 REJECT as of now\n')
    until(lambda: 'as of now' in rcpt(scene, '203.0.113.40'), 15, 'the new table in force')
    scene.gatepost.table('clients', CLIENTS)
    until(lambda: rcpt(scene, '203.0.113.40').startswith('250'), 15, 'the old table in force')


@case('DISCARD in a table that changed is a temporary failure')
def discard(scene):
    scene.gatepost.table('clients', CLIENTS + '203.0.113.41 DISCARD\n')
    until(lambda: rcpt(scene, '203.0.113.41').startswith('451 4.3.0'), 15, '451')
    word, reply = send(scene, '203.0.113.41')
    match(TEMPORARY, reply)
    scene.gatepost.table('clients', CLIENTS)


@case('a bad line of a changed table is skipped, the others count')
def bad_line(scene):
    mark = scene.gatepost.mark()
    scene.gatepost.table('clients', CLIENTS + '203.0.113.42 REJECT new\n300.1.1.1/99 REJECT\n')
    until(lambda: rcpt(scene, '203.0.113.42').startswith('554'), 15, 'the new table in force')
    match('^554', rcpt(scene, '203.0.113.10'))
    scene.gatepost.wait_log(mark, 'clients line=%d ' % (CLIENTS.count('\n') + 2))
    scene.gatepost.table('clients', CLIENTS)


@case('a line with "!" that cannot be read may mean anybody who gets as far as it')
def bad_exclusion(scene):
    mark = scene.gatepost.mark()
    scene.gatepost.table('clients', CLIENTS + '!300.1.1.1/99 REJECT\n203.0.113.42 OK\n')
    until(lambda: rcpt(scene, '203.0.113.42').startswith('451'), 15, 'the new table in force')
    match('^554', rcpt(scene, '203.0.113.10'))
    scene.gatepost.wait_log(mark, 'clients:%d' % (CLIENTS.count('\n') + 1))
    scene.gatepost.table('clients', CLIENTS)
    until(lambda: rcpt(scene, '203.0.113.42').startswith('250'), 15, 'the old table in force')


@case('a header over header_limit is refused, one below passes')
def header_limit(scene):
    for size, pattern in ((10000, OK), (40000, r'^552 5\.3\.4 Message header too large$')):
        more = ''.join('X-Filler-%d: %s\r\n' % (n, 'x' * 80) for n in range(size // 95))
        word = token()
        with scene.outsider() as dialog:
            match(pattern, dialog.deliver('a@example.com', ['bob@lab.test'],
                                          message(word, more=more))[-1], '%d bytes' % size)
            match(OK, dialog.deliver('a@example.com', ['bob@lab.test'], message(word))[-1])
        scene.sink.wait(word)


@case('a flood of short header lines is refused, not cut')
def header_lines(scene):
    word = token()
    with scene.outsider() as dialog:
        reply = dialog.deliver('a@example.com', ['bob@lab.test'],
                               message(word, more='X:\r\n' * 60000))[-1]
    match(r'^552 5\.3\.4 Message header too large$', reply)
    true(not scene.sink.messages(word), 'it was delivered')


run(settings={
    'client_restrictions': 'check_client_access cidr:TABLES/clients',
    'helo_restrictions': 'check_helo_access inline:{bad-helo.example=REJECT}',
    'sender_restrictions': 'check_sender_access texthash:TABLES/senders '
                           'check_sender_access pcre:TABLES/patterns',
    'recipient_restrictions': 'check_recipient_access texthash:TABLES/recipients',
    'header_limit': '20k'},
    tables={'clients': CLIENTS,
            'senders': 'evil@example.com REJECT spam was here\nbad.example REJECT bad domain\n'
                       'tagged@example.com PREPEND X-Sender-Table: yes\n'
                       '<> REJECT no bounces here\n'
                       'nonsense@example.com OH_NO whatever\n',
            'patterns': '/^(win-\\d+)@/ REJECT no $1 here\n',
            'recipients': 'closed@lab.test 550 5.1.1 closed\n'},
    main={'header_size_limit': '8192000'})
