#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Who may relay, in every way of asking for it, as a client of a real Postfix, or Sendmail, sees
it. The MTA itself relays everything here: each refusal is gatepost's."""
import sys
sys.path.insert(0, sys.path[0] + '/../lib')
from scene import run
from smtp import message, token
from tap import case, equal, match, true

DENIED = r'^550 5\.7\.1 <%s>: Relaying denied; authenticate first$'
ANY_DENIED = DENIED % '.*'
OK = '^250'


def delivered(scene, dialog, sender, recipient):
    """Sends a message that must arrive."""
    word = token()
    match(OK, dialog.deliver(sender, [recipient], message(word))[-1], 'reply')
    return scene.sink.wait(word)


@case('an outsider may write to a local recipient')
def outsider_local(scene):
    with scene.outsider() as dialog:
        got = delivered(scene, dialog, 'a@example.com', 'bob@lab.test')
        equal(got.recipients, ['bob@lab.test'], 'recipients')


@case('an outsider may not relay')
def outsider_relay(scene):
    with scene.outsider() as dialog:
        match(OK, dialog.mail('a@example.com'))
        match(DENIED % r'x@remote\.example', dialog.rcpt('x@remote.example'), 'RCPT')


@case('the refusal of one recipient leaves the others')
def one_of_three(scene):
    word = token()
    with scene.outsider() as dialog:
        replies = dialog.deliver('a@example.com',
                                 ['bob@lab.test', 'x@remote.example', 'carol@lab.test'],
                                 message(word))
    for pattern, reply in zip((OK, OK, ANY_DENIED, OK, OK), replies):
        match(pattern, reply)
    equal(sorted(scene.sink.wait(word).recipients), ['bob@lab.test', 'carol@lab.test'],
          'recipients')


@case('a client of mynetworks may relay')
def mynetworks(scene):
    with scene.dialog() as dialog:
        delivered(scene, dialog, 'a@lab.test', 'x@remote.example')
    with scene.outsider('192.0.2.5') as dialog:
        delivered(scene, dialog, 'a@lab.test', 'x@remote.example')
    with scene.outsider('IPV6:2001:db8:1::5') as dialog:
        delivered(scene, dialog, 'a@lab.test', 'x@remote.example')


@case('a client that mynetworks excludes may not')
def mynetworks_excluded(scene):
    for address in ('192.0.2.99', 'IPV6:2001:db8:2::5'):
        with scene.outsider(address) as dialog:
            match(OK, dialog.mail('a@lab.test'))
            match(ANY_DENIED, dialog.rcpt('x@remote.example'), address)


@case('an IPv4 address written as IPv6 is the IPv4 address', mta='postfix')
def mapped(scene):
    with scene.outsider('IPV6:::ffff:192.0.2.5') as dialog:
        delivered(scene, dialog, 'a@lab.test', 'x@remote.example')
    with scene.outsider('IPV6:::ffff:203.0.113.9') as dialog:
        match(OK, dialog.mail('a@lab.test'))
        match(ANY_DENIED, dialog.rcpt('x@remote.example'))


@case('a client name that nobody confirmed opens nothing')
def name_only(scene):
    with scene.outsider(name='localhost') as dialog:
        match(OK, dialog.mail('a@lab.test'))
        match(ANY_DENIED, dialog.rcpt('x@remote.example'))


ROUTES = ['user%remote.example@lab.test', 'remote.example!user@lab.test',
          '"user@remote.example"@lab.test', '@lab.test:user@remote.example',
          '@lab.test,@mail.lab.test:user@remote.example', 'user%remote.example',
          'remote.example!user', 'user@remote.example.', 'x@REMOTE.EXAMPLE',
          'user@remote.example@lab.test', 'user%remote.example%lab.test@lab.test',
          '"user%remote.example"@lab.test', '"remote.example!user"@lab.test',
          'user@[192.0.2.1]', 'user@[IPv6:2001:db8::1]', 'bob@sub.lab.test', 'bob@xlab.test',
          'bob@lab.test.remote.example']


@case('no way of writing an address relays')
def routes(scene):
    with scene.outsider() as dialog:
        for route in ROUTES:
            match(OK, dialog.mail('a@example.com'))
            reply = dialog.rcpt(route)
            match(r'^550 5\.7\.1 .*: Relaying denied; authenticate first$|^501 |^553 5\.1\.3 ',
                  reply, route)
            dialog.send('RSET')


@case('who may relay may route')
def routes_for_us(scene):
    with scene.dialog() as dialog:
        match(OK, dialog.mail('a@lab.test'))
        for route in ('user%remote.example@lab.test', '@lab.test:user@remote.example'):
            match(OK, dialog.rcpt(route), route)


@case('local recipients in unusual spelling are local')
def local_spelling(scene):
    with scene.outsider() as dialog:
        match(OK, dialog.mail('a@example.com'))
        for recipient in ('BOB@LAB.TEST', 'postmaster', '@remote.example:bob@lab.test',
                          '"bob"@lab.test', 'bob+list@lab.test'):
            match(OK, dialog.rcpt(recipient), recipient)


@case('an onion listener trusts nobody for coming from loopback')
def onion(scene):
    with scene.dialog('onion') as dialog:
        delivered(scene, dialog, 'a@example.com', 'bob@lab.test')
        match(OK, dialog.mail('a@lab.test'))
        match(ANY_DENIED, dialog.rcpt('x@remote.example'))


def with_certificate(scene, name, ehlo=True):
    dialog = scene.dialog('onion')
    match('^220', dialog.starttls(scene.certificate(name), ehlo), 'STARTTLS')
    match(OK, dialog.mail('a@lab.test'))
    with dialog:
        return dialog.rcpt('x@remote.example')


@case('a client certificate of the list may relay')
def certificate(scene):
    match(OK, with_certificate(scene, 'alice'))


@case('a client certificate may relay though the client does not greet again')
def certificate_without_ehlo(scene):
    match(OK, with_certificate(scene, 'alice', ehlo=False))


@case('a verified certificate outside the list may not relay')
def certificate_unlisted(scene):
    match(ANY_DENIED, with_certificate(scene, 'carol'))


for kind, words in (('stranger', 'of an unknown CA'), ('selfsigned', 'that signs itself'),
                    ('expired', 'that is expired')):
    @case('a certificate %s may not relay, though its name is listed' % words)
    def certificate_unverified(scene, kind=kind):
        match(ANY_DENIED, with_certificate(scene, kind))


@case("MAIL's AUTH parameter authenticates nobody")
def auth_parameter(scene):
    with scene.outsider() as dialog:
        match(OK, dialog.mail('a@example.com', ' AUTH=bob@lab.test'))
        match(ANY_DENIED, dialog.rcpt('x@remote.example'))


@case('the null sender does not relay')
def null_sender(scene):
    with scene.outsider() as dialog:
        match(OK, dialog.mail(''))
        match(ANY_DENIED, dialog.rcpt('x@remote.example'))
        match(OK, dialog.rcpt('bob@lab.test'))


@case('every connection is judged anew', mta='postfix')
def fresh(scene):
    with scene.outsider('192.0.2.5') as dialog:
        match(OK, dialog.mail('a@lab.test'))
        match(OK, dialog.rcpt('x@remote.example'))
        dialog.send('RSET')
        match('^220', dialog.xclient(ADDR='203.0.113.9', NAME='host.example'), 'XCLIENT')
        match(OK, dialog.mail('a@lab.test'))
        match(ANY_DENIED, dialog.rcpt('x@remote.example'))


@case('a recipient that the MTA refuses keeps its reply')
def unknown_recipient(scene):
    with scene.outsider() as dialog:
        match(OK, dialog.mail('a@example.com'))
        match(r'^550 5\.1\.1 .*User unknown', dialog.rcpt('unknown@lab.test'))


def lines(reply, codes):
    """The text of a reply in several lines, each with CODES and no longer than SMTP allows."""
    found = reply.split('\n')
    true(len(found) > 1, reply)
    for line in found:
        true(len(line) <= 510, '%d octets and CRLF' % len(line))
        sign = ' ' if line is found[-1] else '-'
        equal(line[:len(codes) + 1], codes[:3] + sign + codes[4:] + ' ', 'codes')
    return ' '.join(line[len(codes) + 1:] for line in found)


@case('what a line of SMTP does not hold goes out on several, and into the log on one')
def long_replies(scene):
    words = ' '.join('100%% of word %d' % number for number in range(40)) + ' ' + 'x' * 150
    scene.gatepost.table('long', 'a@long.example 550 5.7.9 %s\nlong@lab.test 451 4.7.8 %s\n'
                         % (words, words))
    scene.gatepost.table('long_subjects', '/^long/ 550 5.7.6 %s\n' % words)
    table = ' texthash:%s/long' % scene.gatepost.folder
    with scene.settings(sender_restrictions='check_sender_access' + table, delay_checks='no',
                        recipient_restrictions='check_recipient_access' + table,
                        message_restrictions='check_header_access Subject pcre:%s/long_subjects'
                        % scene.gatepost.folder), scene.outsider() as dialog:
        mark = scene.gatepost.mark()
        refused = [(dialog.mail('a@long.example'), '550 5.7.9', '<a@long.example>: Sender address')]
        match(OK, dialog.send('RSET'))
        match(OK, dialog.mail('b@example.com'))
        refused.append((dialog.rcpt('long@lab.test'), '451 4.7.8', '<long@lab.test>: Recipient address'))
        match(OK, dialog.rcpt('bob@lab.test'))
        refused.append((dialog.data(message(token(), subject='long')), '550 5.7.6', ''))
        for reply, codes, begin in refused:
            whole = lines(reply, codes)
            true(whole.startswith(begin) and whole.endswith(words), reply)
            scene.gatepost.wait_log(mark, 'reply="%s %s"' % (codes, whole))
        match(OK, dialog.send('RSET'))
        match(OK, dialog.mail('c@example.com'), 'the next')


@case('nothing went out that was refused')
def nothing_leaked(scene):
    scene.mta.wait_empty()
    leaked = [m.recipients for m in scene.sink.messages()
              if any('remote.example' in r for r in m.recipients)
              and m.sender not in ('a@lab.test',)]
    true(not leaked, 'delivered: %r' % leaked)


run(settings={'mynetworks': '127.0.0.0/8 [::1]/128 !192.0.2.99 192.0.2.0/24 [2001:db8:1::]/48',
              'untrusted_listeners': 'ONION',
              'relay_clientcerts': 'texthash:TABLES/certificates'},
    tables={'certificates': 'alice+20+28laptop+29 yes\n'
                            '/O=Gatepost+20Test/CN=alice+20+28laptop+29 yes\n'})
