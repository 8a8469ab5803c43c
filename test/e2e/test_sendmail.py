#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What only a real Sendmail can show: its files as tables, its quarantine, local mail by its
submission program with auto-replies from .forward files, and that nothing passes while gatepost is
away."""
import os
import signal
import socket
import struct
import sys
import threading
import time
sys.path.insert(0, sys.path[0] + '/../lib')
from scene import run
from smtp import message, token
from tap import Skip, absent, case, equal, match, true, until

OK = '^250'
DENIED = r'^550 5\.7\.1 <.*>: Relaying denied; authenticate first$'
UNSERVED = r'^451 4\.3\.2 Please try again later$'
ROBOT = 'noreply@partner.test'
QUOTES = 'quotes the original message; send it without the quotation'
SECRET = 'The turnover of the third quarter was 4.71 million euros.'

# dave's auto-responder; SENDER is its envelope sender, QUOTE what it puts before each line.
REPLY = r'''#!/bin/sh
PATH=/usr/sbin:/usr/bin:/bin
incoming=/tmp/incoming.$$
cat >$incoming
case $(sed -n '1s/^From \([^ ]*\) .*/\1/p' $incoming) in
    MAILER-DAEMON*) exit 0 ;;
esac
{
    printf 'From: dave@lab.test\nTo: ROBOT\nAuto-Submitted: auto-replied\n'
    sed -n 's/^Subject: /Subject: Away: /p' $incoming
    printf '\nI am away until Monday.\n\n'
    QUOTE
} | sendmail -oi -f 'SENDER' ROBOT
END
'''
QUOTING = "sed 's/^/> /' $incoming"


def use_filter(scene):
    """The lines that gatepostctl prints, with less patience."""
    scene.mta.filter_by(scene.gatepost, lambda lines: lines.replace('R:30s', 'R:6s'))


def deliver(scene, recipient='bob@lab.test', client='203.0.113.9', text='', sender='a@example.com'):
    """A message from outside: its word and the last reply."""
    word = token()
    with scene.outsider(client) as dialog:
        return word, dialog.deliver(sender, [recipient],
                                    message(word + '\r\n' + text, subject=word))[-1]


def submit(scene, sender, recipient, *options, user='bob'):
    """sendmail -t as a local program calls it; returns the message's word."""
    word = token()
    text = 'From: %s\nTo: %s\nSubject: local %s\n\n%s\n' % (sender, recipient, word, word)
    done = scene.mta.sendmail(text.encode(), '-t', '-i', '-f', sender, *options, user=user)
    true(done.returncode in (0, 67, 69, 75), done)
    return word


def went_to(scene, recipient, word):
    return [m for m in scene.sink.messages(word) if recipient in m.recipients]


# Its files

@case('local-host-names and relay-domains tell what is local')
def files(scene):
    with scene.outsider() as dialog:
        match(OK, dialog.mail('a@example.com'))
        for recipient, pattern in (('bob@lab.test', OK), ('x@backup.test', OK),
                                   ('x@BACKUP.test', OK), ('x@deep.below.test', OK),
                                   ('x@below.test', DENIED), ('x@sub.backup.test', DENIED),
                                   ('x@remote.example', DENIED)):
            match(pattern, dialog.rcpt(recipient), recipient)


@case('a line added to relay-domains is in force by itself')
def changed_file(scene):
    file = '/etc/mail/relay-domains'
    before = open(scene.mta.path(file)).read()

    def offer():
        with scene.outsider() as dialog:
            dialog.mail('a@example.com')
            return dialog.rcpt('x@new.test')
    match(DENIED, offer())
    scene.mta.write(file, before + 'new.test\n')
    until(lambda: offer().startswith('250'), 10, 'the new line in force', step=0.3)
    scene.mta.write(file, before)


@case('a socket in a folder that others may write to keeps Sendmail from starting, and says so')
def unsafe_socket(scene):
    os.mkdir(scene.mta.path('/run/open'))
    os.chmod(scene.mta.path('/run/open'), 0o777)
    with open(scene.mta.path('/etc/mail/sendmail.cf')) as handle:
        text = handle.read()
    true('/run/milter.sock' in text, 'the filter is not in sendmail.cf')
    scene.mta.write('/etc/mail/open.cf', text.replace('/run/milter.sock', '/run/open/milter.sock'))
    scene.mta.write('/run/open/milter.sock', '')
    done = scene.mta.run('/usr/sbin/sendmail', '-C', '/etc/mail/open.cf', '-bD', check=False)
    true(done.returncode != 0, done)
    match('unsafe', (done.stderr + done.stdout).decode() + scene.mta.log())


# Names of clients

# What the DNS says: a question's name -> the name of its PTR record, the address of its A record,
# or SERVFAIL; else there is no such name.
ANSWERS = {'16.113.0.203.in-addr.arpa': 'mx.partner.test', 'mx.partner.test': '203.0.113.16',
           '17.113.0.203.in-addr.arpa': 'forged.test', 'forged.test': '203.0.113.99',
           '18.113.0.203.in-addr.arpa': 'SERVFAIL'}
PTR, A = 12, 1


def labels(name):
    return b''.join(bytes([len(x)]) + x.encode() for x in name.split('.')) + b'\0'


def answer(query):
    name, at = [], 12
    while query[at]:
        name.append(query[at + 1:at + 1 + query[at]].decode())
        at += 1 + query[at]
    found = ANSWERS.get('.'.join(name))
    kind, = struct.unpack('!H', query[at + 1:at + 3])
    question = query[12:at + 5]
    data = (labels(found) if kind == PTR else socket.inet_aton(found)
            if kind == A and found[0].isdigit() else b'') if found else b''
    code = 2 if found == 'SERVFAIL' else 0 if found else 3
    data = b'' if code else data
    return (query[:2] + struct.pack('!HHHHH', 0x8180 | code, 1, 1 if data else 0, 0, 0) + question
            + (b'\xc0\x0c' + struct.pack('!HHIH', kind, 1, 0, len(data)) + data if data else b''))


def serve_names():
    """A DNS server on the port of its own, in the private network."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(('127.0.0.1', 53))

    def run_server():
        while True:
            query, client = server.recvfrom(512)
            server.sendto(answer(query), client)
    threading.Thread(target=run_server, daemon=True).start()


@case("a client's name: confirmed, forged, none, cannot be told")
def client_names(scene):
    serve_names()
    scene.mta.write('/etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n')
    scene.mta.write('/etc/resolv.conf', 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n')
    with scene.settings(client_restrictions='reject_unknown_client_hostname'):
        for address, name in (('203.0.113.16', 'mx.partner.test'), ('203.0.113.17', 'unknown'),
                              ('203.0.113.18', 'unknown'), ('203.0.113.19', 'unknown')):
            mark = scene.gatepost.mark()
            with scene.outsider(address, 'unknown') as dialog:
                match(OK, dialog.mail('a@example.com'), address)
                reply = dialog.rcpt('bob@lab.test')
                if name == 'unknown':
                    equal(reply, '450 4.7.25 Client host rejected: cannot find your hostname, [%s]'
                          % address)
                else:
                    match(OK, dialog.data(message(token())), address)
            scene.gatepost.wait_log(mark, 'client=' + address, 'name=' + name)


# What becomes of a message

@case('a held message is quarantined, and delivered as it came when it is released')
def hold(scene):
    mark = scene.gatepost.mark()
    word, reply = deliver(scene, client='203.0.113.12')
    match(OK, reply)
    ids = until(lambda: scene.mta.held(word), 10, 'a quarantined message')
    scene.gatepost.wait_log(mark, 'action=hold')
    scene.mta.run('/usr/sbin/sendmail', '-q')
    equal(scene.sink.messages(word), [], 'deliveries')
    match('held for a look', scene.mta.run('/usr/bin/mailq', '-qQ').stdout.decode())
    scene.mta.run('/usr/sbin/sendmail', '-qQ', '-Q', '-qI' + ids[0])
    scene.mta.run('/usr/sbin/sendmail', '-q')
    equal(scene.sink.wait(word).recipients, ['bob@lab.test'])


@case('a field is put above what the message came with')
def prepended(scene):
    word, reply = deliver(scene, client='203.0.113.13')
    match(OK, reply)
    header = scene.sink.wait(word).header()
    match(r'(?s)^X-Client: seen\r\nReceived: .*\r\nFrom: ', header)


@case('refusals for now and for good')
def refusals(scene):
    for client, pattern in (('203.0.113.14', r'^450 4\.7\.1 <host\.example\[203\.0\.113\.14\]>: '
                             'Client host rejected: come later$'),
                            ('203.0.113.15', r'^554 5\.7\.1 <host\.example\[203\.0\.113\.15\]>: '
                             'Client host rejected: go away$')):
        word, reply = deliver(scene, client=client)
        match(pattern, reply, client)
        equal(scene.sink.messages(word), [])


@case('bare line feeds and carriage returns end the session before there is a message')
def bare_lines(scene):
    for bare, reply in ((b'one\ntwo\r\n', 'linefeed'), (b'one\n.\r\ntwo\r\n', 'linefeed'),
                        (b'one\rtwo\r\n', 'carriage return')):
        word, mark = token(), scene.gatepost.mark()
        with scene.outsider() as dialog:
            match(OK, dialog.mail(word + '@example.com'))
            match(OK, dialog.rcpt('bob@lab.test'))
            match('^354', dialog.send('DATA'))
            match(r'^421 4\.5\.0 Bare %s ' % reply, dialog.send(message(word) + bare + b'.'), bare)
            equal(dialog.send('NOOP'), '', 'a session that goes on')
        later = word + '-later@example.com'
        deliver(scene, sender=later)  # what comes later is logged later
        scene.gatepost.wait_log(mark, 'action=', 'from=' + later)
        equal([line for line in scene.gatepost.log(mark) if word + '@example.com' in line], [], 'log lines')
        equal(scene.sink.messages(word), [], 'deliveries')


# Local mail

@case('local mail passes the submission program')
def local(scene):
    mark = scene.gatepost.mark()
    word = submit(scene, 'bob@lab.test', 'x@remote.example')
    equal(scene.sink.wait(word).sender, 'bob@lab.test', 'sender')
    scene.gatepost.wait_log(mark, 'action=accept', 'client=127.0.0.1', 'from=bob@lab.test')


@case('local mail that is refused goes back to its sender')
def local_refused(scene):
    word = submit(scene, 'evil@lab.test', 'x@remote.example')
    report = scene.sink.wait(word)
    equal((report.sender, report.recipients), ('', ['evil@lab.test']), 'the report')
    match('not from here', report.data.decode())
    equal(went_to(scene, 'x@remote.example', word), [], 'deliveries')


@case('what is refused at its end goes back, or is held where nobody could be told')
def refused_at_end(scene):
    closed = 'check_header_access Subject inline:{ {closed=REJECT not that} }'
    with scene.settings(message_restrictions=closed):
        for sender in ('bob@lab.test', '<>'):
            word = token()
            text = 'From: bob@lab.test\nSubject: closed\n\n%s\n' % word
            scene.mta.sendmail(text.encode(), '-i', '-f', sender, 'x@remote.example')
            if sender == '<>':
                held = until(lambda: scene.mta.held(word), 10, 'a quarantined message')
                equal(scene.sink.messages(word), [], 'deliveries, reports to postmaster')
                scene.mta.forget(held)
            else:
                equal(scene.sink.wait(word).recipients, [sender], 'who is told')


def by_pipe(scene, lines, *options, user):
    """A session with sendmail -bs, which wants each line after the reply to the one before; the
    replies."""
    process = scene.mta.popen('/usr/sbin/sendmail', '-bs', *options, user=user)
    replies = []
    with process:
        for line in [None, *lines]:
            if line is not None:
                process.stdin.write(line.encode() + b'\r\n')
                process.stdin.flush()
            while True:
                reply = process.stdout.readline().decode('latin-1')
                if reply[3:4] != '-':
                    break
            replies.append(reply.rstrip('\r\n'))
        process.stdin.close()
    return replies


@case('sendmail -bs, with and without an address of the client')
def batch_smtp(scene):
    for options, user in ((), 'bob'), (('-Am',), 'root'):
        for sender, good in (('bob@lab.test', True), ('evil@lab.test', False)):
            word = token()
            replies = by_pipe(scene, [
                'EHLO x', 'MAIL FROM:<%s>' % sender, 'RCPT TO:<x@remote.example>', 'DATA',
                'Subject: %s\r\n\r\n%s\r\n.' % (word, word)], *options, user=user)
            if good:
                equal(scene.sink.wait(word).recipients, ['x@remote.example'], options)
            elif user == 'root':
                match('^554 5.7.1 .*not from here', replies[3])
            else:
                equal(scene.sink.wait(word).recipients, [sender], 'who is told')


# The guard

def responder(scene, sender, quoting=QUOTING, end='exit 0'):
    text = REPLY
    for word, meaning in (('ROBOT', ROBOT), ('SENDER', sender), ('QUOTE', quoting), ('END', end)):
        text = text.replace(word, meaning)
    scene.mta.write('/usr/bin/respond', text, 0o755)
    scene.mta.forward('dave', '\\dave, "|/usr/bin/respond"\n')


def robot_writes(scene):
    """Something comes in that dave's auto-responder answers."""
    word, reply = deliver(scene, 'dave@lab.test', text=SECRET, sender=ROBOT)
    match(OK, reply)
    until(lambda: word in scene.mta.mailbox('dave'), 20, 'delivery to dave')
    return word


@case('an auto-reply that quotes is refused, and its user is told')
def guard_refuses(scene):
    responder(scene, 'dave@lab.test')
    mark = scene.gatepost.mark()
    word = robot_writes(scene)
    scene.gatepost.wait_log(mark, 'action=reject', 'guard_autoreply')
    until(lambda: QUOTES in ' '.join(scene.mta.mailbox('dave').split()), 20, 'a report to dave')
    scene.mta.wait_empty()
    equal([m.recipients for m in scene.sink.messages(word)], [], 'deliveries')


@case('an auto-reply without a sender goes without the quotation; postmaster gets no copy')
def guard_strips(scene):
    responder(scene, '<>')
    word = robot_writes(scene)
    answer = until(lambda: went_to(scene, ROBOT, word), 20, 'an answer')[0]
    scene.mta.wait_empty()
    equal(answer.sender, '', 'sender')
    match('X-Gatepost-Autoreply: quotation-removed; ', answer.header())
    match('I am away until Monday', answer.data.decode())
    absent('turnover', answer.data.decode())
    equal([m.recipients for m in scene.sink.messages(word)], [[ROBOT]], 'all deliveries')


@case('an auto-reply that quotes nothing passes as it is')
def guard_passes(scene):
    responder(scene, '<>', ':')
    word = robot_writes(scene)
    answer = until(lambda: went_to(scene, ROBOT, word), 20, 'an answer')[0]
    absent('X-Gatepost', answer.header())
    match('I am away until Monday', answer.data.decode())


@case("vacation(1)'s own reply passes")
def vacation(scene):
    if not os.path.exists(scene.mta.path('/usr/bin/vacation')):
        raise Skip('vacation(1) is missing')
    scene.mta.write_home('dave', '.vacation.msg', 'Subject: Away: $SUBJECT\nFrom: dave@lab.test\n'
                         'Precedence: bulk\nDelivered-By-The-Graces-Of: The Vacation program\n\n'
                         'I am away until Monday.\n')
    scene.mta.run('/usr/bin/vacation', '-i', user='dave')
    scene.mta.forward('dave', '\\dave, "|/usr/bin/vacation -a bob dave"\n')
    word, reply = deliver(scene, 'dave@lab.test', text=SECRET, sender='someone@partner.test')
    match(OK, reply)
    answer = until(lambda: went_to(scene, 'someone@partner.test', word), 20, 'an answer')[0]
    match('I am away until Monday', answer.data.decode())
    absent('X-Gatepost', answer.header())
    scene.mta.forward('dave', '\\dave\n')


@case('an auto-responder that hands on that it was refused has Sendmail return what it answered')
def exit_status(scene):
    responder(scene, 'dave@lab.test', QUOTING, 'exit $?')
    word = robot_writes(scene)
    report = until(lambda: went_to(scene, ROBOT, word), 20, 'a report')[0]
    equal(report.sender, '', 'sender')
    absent('> The turnover', report.data.decode())
    scene.mta.forward('dave', '\\dave\n')


@case("the daemon's own delivery reports are shown to no filter")
def reports(scene):
    scene.mta.forward('dave', '"|/usr/bin/missing"\n')
    mark = scene.gatepost.mark()
    word, reply = deliver(scene, 'dave@lab.test')
    match(OK, reply)
    equal(scene.sink.wait(word).recipients, ['a@example.com'], 'who is told')
    equal(len([line for line in scene.gatepost.log(mark) if 'action=' in line]), 1, 'log lines')
    scene.mta.forward('dave', '\\dave\n')


# gatepost away: F=T

@case('killed before any command, nothing passes; a new session is served again')
def killed(scene):
    dialogs = {step: scene.outsider() for step in ('MAIL', 'RCPT', 'DATA', 'dot')}
    word = token()
    for step, dialog in dialogs.items():
        if step != 'MAIL':
            match(OK, dialog.mail('a@example.com'))
        if step in ('DATA', 'dot'):
            match(OK, dialog.rcpt('bob@lab.test'))
        if step == 'dot':
            match('^354', dialog.send('DATA'))
    scene.gatepost.kill()
    try:
        match(UNSERVED, dialogs['MAIL'].mail('a@example.com'), 'MAIL')
        match(UNSERVED, dialogs['RCPT'].rcpt('bob@lab.test'), 'RCPT')
        match('^451 4', dialogs['DATA'].data(message(word)), 'DATA')
        match('^451 4', dialogs['dot'].send(message(word) + b'.'), 'final dot')
        with scene.outsider() as new:
            match('^220', new.banner)
            match(UNSERVED, new.mail('a@example.com'), 'a new session')
        waiting = submit(scene, 'bob@lab.test', 'x@remote.example')
        true(scene.mta.queue(), 'local mail does not wait')
        equal(scene.sink.messages(waiting), [], 'local mail passed')
    finally:
        scene.gatepost.start()
    match('^4', dialogs['RCPT'].rcpt('bob@lab.test'), 'the old session')
    for dialog in dialogs.values():
        dialog.drop()
    again, reply = deliver(scene)
    match(OK, reply)
    scene.sink.wait(again)
    scene.mta.flush()
    equal(scene.sink.wait(waiting).recipients, ['x@remote.example'], 'the waiting local mail')
    equal(scene.sink.messages(word), [], 'a message passed that was answered with 451')


@case('without F=T mail passes unseen: what gatepostctl prints has it')
def without_flag(scene):
    scene.mta.filter_by(scene.gatepost, lambda lines: lines.replace(', F=T', ''))
    scene.mta.restart()
    scene.gatepost.stop()
    try:
        word, reply = deliver(scene, client='203.0.113.15')
        match(OK, reply)
        scene.sink.wait(word)
    finally:
        scene.gatepost.start()
        use_filter(scene)
        scene.mta.restart()
    match('^554 ', deliver(scene, client='203.0.113.15')[1])


@case('when gatepost does not answer in time, nothing passes')
def hung(scene):
    word = token()
    with scene.outsider() as dialog:
        match(OK, dialog.mail('a@example.com'))
        scene.gatepost.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, scene.gatepost.process.pid, os.WSTOPPED)
        try:
            begun = time.monotonic()
            match(UNSERVED, dialog.rcpt('bob@lab.test'), 'RCPT')
            true(time.monotonic() - begun < 60, 'it took long')
        finally:
            scene.gatepost.process.send_signal(signal.SIGCONT)
        match('^4|^5', dialog.data(message(word)))
    equal(scene.sink.messages(word), [])
    again, reply = deliver(scene)
    match(OK, reply)
    scene.sink.wait(again)


@case('nothing sticks in a queue')
def counted(scene):
    scene.mta.wait_empty()
    equal(scene.mta.files('hf'), [], 'held')


def prepare(scene):
    scene.mta.write('/etc/mail/relay-domains', '# where we are the backup\nbackup.test\n'
                    '.below.test   # all hosts\n')
    use_filter(scene)


run(unix=True, prepare=prepare, troubles='panic|savemail', settings={
    'local_domains': 'ROOT/etc/mail/local-host-names ROOT/etc/mail/relay-domains',
    'client_restrictions': 'check_client_access inline:{ {203.0.113.12=HOLD held for a look}, '
                           '{203.0.113.13=PREPEND X-Client: seen}, '
                           '{203.0.113.14=450 4.7.1 come later}, {203.0.113.15=REJECT go away} }',
    'sender_restrictions': 'check_sender_access inline:{ {evil@lab.test=REJECT not from here} }'})
