#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What is agreed on with an MTA, and how answers reach it; the client here is the MTA."""
import struct
import sys
import threading
import time
sys.path.insert(0, sys.path[0] + '/../lib')
import gatepost
from milter import ALL_ACTIONS, ALL_STEPS, LEFT_OUT, NO_REPLY, Milter
import tap
from tap import case, equal, match, true, until

ADD_HEADERS, CHANGE_BODY, CHANGE_HEADERS, QUARANTINE, SET_MACROS = 0x1, 0x2, 0x10, 0x20, 0x100
LEADING_SPACE, REFUSED_RECIPIENTS = 0x100000, 0x800
DENIED = r'^550 5\.7\.1 <x@remote.example>: Relaying denied; authenticate first$'


def negotiated(daemon, **offer):
    """What the filter wants: its actions, its steps, its macro lists by stage."""
    with Milter(daemon.path) as mta:
        data = mta.negotiate(**offer)
    actions, steps = struct.unpack('>II', data[5:13])
    lists, rest = {}, data[13:]
    while rest:
        stage, = struct.unpack('>I', rest[:4])
        words, _, rest = rest[4:].partition(b'\0')
        true(stage not in lists, 'stage %d is asked for once' % stage)
        lists[stage] = words.decode().split()
    return actions, steps, lists


def offered(daemon):
    with Milter(daemon.path) as mta:
        return mta.negotiate()


def opened(daemon, **offer):
    mta = Milter(daemon.path)
    mta.negotiate(**offer)
    mta.connect()
    mta.helo()
    return mta


def send(mta, recipient='<bob@lab.test>', sender='<a@example.com>'):
    """A message to one recipient: the answer to its end, and the changes before it."""
    equal(mta.mail(sender)[0], 'c', 'MAIL')
    code, reply = mta.rcpt(recipient)
    if code != 'c':
        mta.abort()
        return code, reply
    return mta.message()


@case('nothing is asked for that no restriction needs')
def needs(daemon):
    actions, steps, lists = negotiated(daemon)
    for command in 'CHML':
        true(steps & NO_REPLY[command], 'no reply to %s' % command)
    for command in 'TUNBL':
        true(steps & LEFT_OUT[command], '%s is left out' % command)
    equal(steps & LEFT_OUT['R'], 0, 'RCPT is left out')
    equal(steps & NO_REPLY['R'], 0, 'no reply to RCPT')
    equal(steps & REFUSED_RECIPIENTS, 0, 'recipients that the MTA has refused')
    true(steps & LEADING_SPACE, 'header values as they are')
    equal(actions & ~(ADD_HEADERS | CHANGE_BODY | CHANGE_HEADERS | QUARANTINE | SET_MACROS), 0,
          'actions')
    equal(sorted(lists), [0, 1, 2, 3, 4, 5, 6], 'stages of macros')
    for stage in (4, 6):  # for an empty list MTAs take their own
        equal(lists[stage], [], 'before DATA, and before each field of the header')
        true(struct.pack('>I', stage) + b' \0' in offered(daemon), 'a list of one space')
    for words in lists.values():
        true(len(words) <= 50, 'Sendmail takes 50 names')
        true('{auth_author}' not in words, 'anybody can set {auth_author}')
    for name in ('{client_addr}', '{client_resolve}', '{daemon_port}', 'v'):
        true(name in lists[0], name)
    for name in ('{verify}', '{tls_version}', '{cipher_bits}'):
        true(name in lists[1] and name in lists[2], name)


@case('the header is asked for when the site limits it')
def limited(daemon):
    daemon.reload({**daemon.settings, 'header_limit': '1k'})
    _, steps, _ = negotiated(daemon)
    equal(steps & LEFT_OUT['L'], 0, 'fields are left out')


@case('MAIL is answered when delay_checks = no')
def mail_reply(daemon):
    daemon.reload({**daemon.settings, 'delay_checks': 'no',
                   'sender_restrictions': 'check_sender_access inline:{evil@example.com=REJECT}'})
    _, steps, _ = negotiated(daemon)
    equal(steps & NO_REPLY['M'], 0, 'no reply to MAIL')
    with opened(daemon) as mta:
        match('^554 5.7.1 <evil@example.com>: Sender address rejected: Access denied$',
              mta.mail('<evil@example.com>')[1])
        equal(send(mta)[0], 'c', 'the next message')
    daemon.reload(ORDINARY)


@case('a refusal of connect or HELO is given at MAIL, where the MTA does not drop its text')
def greeting(daemon):
    for which, pattern in (('client', '^554 5.7.1 <host.example'), ('helo', '^554 5.7.1 <client')):
        daemon.reload({**ORDINARY, 'delay_checks': 'no', which + '_restrictions': 'reject'})
        for steps in (ALL_STEPS, 0):
            with Milter(daemon.path) as mta:
                mta.negotiate(steps=steps)
                equal(mta.connect()[0], 'c', 'CONNECT')
                equal(mta.helo()[0], 'c', 'HELO')
                for _ in range(2):
                    match(pattern, mta.mail()[1], which)
                mta.nothing_more()
    daemon.reload(ORDINARY)


@case('an MTA that offers less is served as well')
def old_mta(daemon):
    for version, actions, steps in ((2, 0x3f, 0x7f), (6, 0x3f, 0x3ff), (6, ALL_ACTIONS, 0),
                                    (6, ALL_ACTIONS, ALL_STEPS & ~LEADING_SPACE),
                                    (4, ALL_ACTIONS, 0x7ff)):
        offer = {'version': version, 'actions': actions, 'steps': steps}
        wanted, agreed, _ = negotiated(daemon, **offer)
        equal(agreed & ~(steps or 0x7f), 0, 'steps beyond what %r offers' % offer)
        equal(wanted & ~actions, 0, 'actions beyond what %r offers' % offer)
        with opened(daemon, **offer) as mta:
            match(DENIED, send(mta, '<x@remote.example>')[1], str(offer))
            equal(send(mta)[0], 'c', 'an ordinary message, %r' % offer)
            equal(mta.ask('U', b'FOO bar\0')[0], 'c', 'an unknown command')


@case('another client on the same connection is answered as was agreed with the first')
def another_client(daemon):
    with Milter(daemon.path) as mta:
        mta.negotiate()
        mta.connect(address='127.0.0.1', client_addr='127.0.0.1')
        mta.helo()
        mta.mail()
        equal(mta.rcpt('<x@remote.example>')[0], 'c', 'from this machine')
        equal(mta.message()[0], 'c', 'the end')
        mta.put('K')
        mta.connect()
        mta.helo()
        mta.mail()
        time.sleep(0.2)
        mta.nothing_more()
        match(DENIED, mta.rcpt('<x@remote.example>')[1], 'from elsewhere')
        equal(mta.rcpt()[0], 'c', 'RCPT')
        equal(mta.message()[0], 'c', 'the end')
        mta.abort()
        for recipient, change in (('<hold@lab.test>', 'q'), ('<one@lab.test>', 'i')):
            equal(send(mta, recipient)[0], 'c', recipient)
            equal([code for code, _ in mta.changes], [change], recipient)
            mta.put('K')
            mta.connect()
            mta.helo()
        equal(send(mta, '<one@lab.test>')[0], 'c', 'the end')
        equal(mta.changes, [('i', b'\0\0\0\0X-One\0 first\0')], 'its leading space')


@case('a second MAIL without RSET has its own macros, and none of the first')
def second_mail(daemon):
    login = {'auth_type': 'PLAIN', 'auth_authen': 'bob@lab.test', 'tls_version': 'TLSv1.3',
             'cipher': 'TLS_AES_256_GCM_SHA384', 'cipher_bits': '256'}
    with opened(daemon) as mta:
        for turn in range(2):
            mta.mail('<bob@lab.test>', **login)
            equal(mta.rcpt('<x@remote.example>')[0], 'c', 'of a login, %d' % turn)
            mta.mail('<a@example.com>')
            match(DENIED, mta.rcpt('<x@remote.example>')[1], 'without one, %d' % turn)
            mta.header('Subject', ' x')
        mta.mail('<bob@lab.test>', **login)
        mta.helo()
        mta.mail('<a@example.com>')
        match(DENIED, mta.rcpt('<x@remote.example>')[1], 'after HELO')


@case('headers stand on top, in their order')
def headers(daemon):
    for steps, space in ((ALL_STEPS, b' '), (ALL_STEPS & ~LEADING_SPACE, b'')):
        with opened(daemon, steps=steps) as mta:
            equal(mta.mail()[0], 'c', 'MAIL')
            equal(mta.rcpt('<one@lab.test>')[0], 'c', 'RCPT')
            equal(mta.rcpt('<two@lab.test>')[0], 'c', 'RCPT')
            equal(mta.message()[0], 'c', 'the end')
            equal(mta.changes, [
                ('i', b'\0\0\0\0X-One\0' + space + b'first\0'),
                ('i', b'\0\0\0\1X-Two\0' + space + b'the second: 100%\0')], 'changes')


@case('HOLD holds')
def hold(daemon):
    with opened(daemon) as mta:
        equal(send(mta, '<hold@lab.test>')[0], 'c', 'the end')
        equal([code for code, _ in mta.changes], ['q'], 'changes')
        true(len(mta.changes[0][1]) > 1, 'a reason')


@case('what an MTA does not allow is refused for now, not left out')
def no_actions(daemon):
    for actions, recipient in ((ALL_ACTIONS & ~QUARANTINE, '<hold@lab.test>'),
                               (ALL_ACTIONS & ~ADD_HEADERS, '<one@lab.test>')):
        mark = daemon.mark()
        with opened(daemon, actions=actions) as mta:
            match('^451 4.3.0 Temporary failure; try again later$', send(mta, recipient)[1])
            equal(send(mta)[0], 'c', 'a message that needs nothing')
        daemon.wait_log(mark, 'level=warning message="the MTA does not let gatepost')


@case('a header field is the same however the MTA hands it over')
def header_values(daemon):
    daemon.reload({**daemon.settings, 'message_restrictions':
                   'check_header_access Subject pcre:%s, check_header_access X-Long pcre:%s'
                   % (daemon.table('subject', '/^x y$/ REJECT\n'),
                      daemon.table('long', '/^a{59000}$/ REJECT\n'))})
    forms = {ALL_STEPS: (b' x y', b'x y', b'\tx y', b'\n x y', b'  x y ', b' x\n\ty', b' x\n y\n ',
                         b' =?utf-8?q?x?=\n =?utf-8?q?_y?='),
             ALL_STEPS & ~LEADING_SPACE: (b'x y', b'\tx y', b'\n x y', b' x y')}
    for steps, values in forms.items():
        with opened(daemon, steps=steps) as mta:
            for value in values:
                mta.mail()
                mta.rcpt()
                match('^554 5.7.1 <Subject>', mta.message([('Subject', value)])[1], repr(value))
            for value in (b'', b' ', b'\xff', b' x', b' xy', b' x y z'):
                mta.mail()
                mta.rcpt()
                equal(mta.message([('Subject', value), ('Other', b' x y')])[0], 'c', repr(value))
            mta.mail()
            mta.rcpt()
            match('^554 5.7.1 <X-Long>', mta.message([('X-Long', b'a' * 59000)])[1])
    daemon.reload(ORDINARY)


@case('replies are safe for both MTAs')
def replies(daemon):
    with opened(daemon) as mta:
        equal(send(mta, '<percent@lab.test>'),
              ('y', '550 5.1.2 <percent@lab.test>: Recipient address rejected: 100%% of %%s'))
        match(r'^550 5\.7\.1 <x\?*@remote\.example>: Relaying denied',
              send(mta, b'<x\xc3\xbc\x07@remote.example>')[1])
        code, reply = send(mta, '<%s@remote.example>' % ('x' * 3000))
        equal(code, 'y', 'a reply of ours to a long address')
        true(len(reply) < 1000, 'length %d' % len(reply))


@case('a reply is a string with one NUL, at its end')
def one_nul(daemon):
    for recipient in ('<x@remote.example>', '<percent@lab.test>',
                      '<%s@remote.example>' % ('x' * 3000)):
        with opened(daemon) as mta:
            mta.mail()
            mta.put('R', recipient.encode() + b'\0')
            length, = struct.unpack('>I', mta.read_exactly(4))
            data = mta.read_exactly(length)
            equal((data[:1], data.index(b'\0')), (b'y', length - 1), 'where the NUL is')


@case('what Postfix sends behind the end of a message, ABORT, takes nothing back')
def abort_behind(daemon):
    daemon.reload({**ORDINARY, 'message_restrictions': 'check_limit one'},
                  '[limit one]\nkey = client\nfor = all\nmax = 2\nper = 1d\n')
    with opened(daemon) as mta:
        for code in 'ccy':
            equal(send(mta)[0], code, 'the end')
            mta.abort()
    daemon.reload(ORDINARY)


@case('ABORT, macros and unknown commands may come at any time')
def any_time(daemon):
    unknown = ALL_STEPS & ~LEFT_OUT['U'] & ~NO_REPLY['U']
    steps = (('connect', lambda m: m.connect()), ('HELO', lambda m: m.helo()),
             ('MAIL', lambda m: m.mail()), ('RCPT', lambda m: m.rcpt()),
             ('a field', lambda m: m.header('From', ' <a@example.com>')),
             ('the body', lambda m: (m.ask('N'), m.ask('B', b'x'))))
    for count in range(1, len(steps) + 1):
        with Milter(daemon.path) as mta:
            mta.negotiate(steps=unknown)
            for name, step in steps[:count]:
                step(mta)
                mta.macros('R', rcpt_addr='bob@lab.test')
                if name in ('connect', 'HELO', 'MAIL', 'RCPT'):
                    equal(mta.ask('U', b'FOO bar\0')[0], 'c', 'an unknown command after ' + name)
            where = 'ABORT after ' + steps[count - 1][0]
            mta.abort()
            mta.nothing_more()
            if count == 1:
                mta.helo()
            match(DENIED, send(mta, '<x@remote.example>')[1], where)
            equal(send(mta)[0], 'c', where)


@case('RSET, HELO, MAIL and a lost client forget the message')
def forget(daemon):
    with opened(daemon) as mta:
        mta.mail()
        mta.rcpt('<hold@lab.test>')
        mta.abort()
        equal(send(mta)[0], 'c', 'after RSET')
        equal(mta.changes, [], 'after RSET nothing is held')
        mta.mail()
        mta.rcpt('<hold@lab.test>')
        mta.abort()
        mta.helo()
        equal(send(mta)[0], 'c', 'after HELO')
        equal(mta.changes, [], 'after HELO nothing is held')
        mta.mail()
        mta.rcpt('<hold@lab.test>')
        equal(send(mta)[0], 'c', 'after MAIL')
        equal(mta.changes, [], 'after MAIL nothing is held')


@case('a connection may be lost anywhere')
def lost(daemon):
    steps = (lambda m: m.negotiate(), lambda m: m.connect(), lambda m: m.helo(),
             lambda m: m.mail(), lambda m: m.rcpt(), lambda m: m.header('Subject', ' x'),
             lambda m: m.put('E'))
    for count in range(1, len(steps) + 1):
        for orderly in (True, False):
            mta = Milter(daemon.path)
            for step in steps[:count]:
                step(mta)
            if orderly:
                mta.close()
            else:
                tear(mta)
    nobody_left(daemon)


def tear(mta):
    """Ends in the middle of a packet, if the other side has not ended before."""
    try:
        mta.put('M', b'half')
        mta.socket.sendall(b'\0\0\0')
    except OSError:
        pass
    mta.socket.close()


def nobody_left(daemon):
    until(lambda: status(daemon)['connections'] == 0, 10, 'no connection left')
    equal(status(daemon)['under_way'], 0, 'messages under way')


def status(daemon):
    done = daemon.control('status', '--json')
    equal(done.returncode, 0, done.stderr)
    return gatepost.json_fields(done.stdout)


@case('a hundred sessions at once, each with its own answers')
def parallel(daemon):
    failures = []

    def session(number):
        try:
            with opened(daemon) as mta:
                for turn in range(5):
                    match(DENIED, send(mta, '<x@remote.example>')[1], 'relaying')
                    recipient = ('<hold@lab.test>', '<bob@lab.test>')[(number + turn) % 2]
                    equal(send(mta, recipient)[0], 'c', recipient)
                    equal(len(mta.changes), 'hold' in recipient, recipient)
        except Exception as error:
            failures.append('%d: %r' % (number, error))
    threads = [threading.Thread(target=session, args=(number,)) for number in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(failures, [], 'failures')
    nobody_left(daemon)


@case('nothing is left behind by two thousand connections')
def leaks(daemon):
    def files():
        return gatepost.os.listdir('/proc/%d/fd' % daemon.process.pid)
    nobody_left(daemon)
    before = len(files())
    for _ in range(2000):
        with Milter(daemon.path) as mta:
            mta.negotiate()
            mta.connect()
    nobody_left(daemon)
    true(len(files()) <= before + 2, '%d open files, %d before' % (len(files()), before))


ORDINARY = {
    'recipient_restrictions': 'check_recipient_access inline:{hold@lab.test=HOLD, '
                              '{one@lab.test = PREPEND X-One: first}, '
                              '{two@lab.test = PREPEND X-Two: the second: 100%}, '
                              '{percent@lab.test = 550 5.1.2 100% of %s}}',
    'message_restrictions': '',
    'mynetworks': '127.0.0.0/8',
}


def setup():
    return gatepost.Gatepost(ORDINARY, unix=True).start()


def teardown(daemon):
    equal(daemon.stop(), 0, 'exit code')
    equal(daemon.sanitizer_report(), '', 'sanitizers')


if gatepost.missing():
    tap.skip_all(gatepost.missing())
tap.run(setup, teardown, lambda daemon: tap.note('\n'.join(daemon.lines[-20:])))
