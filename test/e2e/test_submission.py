#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Logins: without one, in clear text, over TLS, and whose address they may send from."""
import sys
sys.path.insert(0, sys.path[0] + '/../lib')
from scene import MTA, run
from smtp import message, swaks, token
from tap import case, equal, match

OK = '^250'
NEED_LOGIN = r'^530 5\.7\.0 Authentication required$'
NEED_TLS = r'^538 5\.7\.11 Encryption required for authentication; use STARTTLS$'
NOT_OWNED = r'^553 5\.7\.1 <%s>: Sender address rejected: not owned by user bob(@lab\.test)?$'
NOT_LOGGED_IN = r'^553 5\.7\.1 <%s>: Sender address rejected: not logged in$'


def rcpt(dialog, sender, recipient='x@remote.example'):
    """MAIL and RCPT: the reply that decides."""
    reply = dialog.mail(sender)
    return dialog.rcpt(recipient) if reply.startswith('2') else reply


@case('a submission listener serves nobody without a login')
def no_login(scene):
    for service in ('submission', 'smtps'):
        with scene.dialog(service) as dialog:
            match(NEED_LOGIN, rcpt(dialog, 'bob@lab.test'), service)
            dialog.send('RSET')
            match(NEED_LOGIN, rcpt(dialog, 'bob@lab.test', 'carol@lab.test'), 'local recipient')


@case('TLS alone is no login')
def tls_is_no_login(scene):
    with scene.dialog('submission') as dialog:
        dialog.starttls()
        match(NEED_LOGIN, rcpt(dialog, 'bob@lab.test'))


@case('a certificate of the list counts as a login, another does not')
def certificate(scene):
    for name, pattern in (('alice', OK), ('carol', NEED_LOGIN), ('stranger', NEED_LOGIN)):
        with scene.dialog('submission') as dialog:
            dialog.starttls(scene.certificate(name))
            match(pattern, rcpt(dialog, 'free@elsewhere.example'), name)


@case('a login over TLS relays')
def login(scene):
    for service in ('submission', 'smtps'):
        word = token()
        with scene.logged_in(service) as dialog:
            match(OK, dialog.deliver('bob@lab.test', ['x@remote.example'], message(word))[-1])
        equal(scene.sink.wait(word).sender, 'bob@lab.test', 'sender')


@case('a failed login is none')
def failed_login(scene):
    with scene.dialog('submission') as dialog:
        dialog.starttls()
        match('^535', dialog.auth('bob', 'wrong'), 'AUTH')
        match(NEED_LOGIN, rcpt(dialog, 'bob@lab.test'))


@case('a login in clear text is refused')
def clear(scene):
    for service in ('clearauth', 'clearsubmission'):
        with scene.dialog(service) as dialog:
            match('^235', dialog.auth(), 'AUTH')
            match(NEED_TLS, rcpt(dialog, 'bob@lab.test'), service)
            dialog.send('RSET')
            match(NEED_TLS, rcpt(dialog, 'bob@lab.test', 'carol@lab.test'), 'local recipient')


@case('STARTTLS after a login in clear text asks for a new login', mta='postfix')
def clear_then_tls(scene):
    with scene.dialog('clearsubmission') as dialog:
        dialog.auth()
        match(NEED_TLS, rcpt(dialog, 'bob@lab.test'))
        dialog.send('RSET')
        match('^220', dialog.starttls(), 'STARTTLS')
        match(NEED_LOGIN, rcpt(dialog, 'bob@lab.test'))
        dialog.send('RSET')
        match('^235', dialog.auth(), 'AUTH')
        match(OK, rcpt(dialog, 'bob@lab.test'))


@case('a login in clear text stays one after STARTTLS', mta='sendmail')
def clear_stays_clear(scene):
    with scene.dialog('clearsubmission') as dialog:
        dialog.auth()
        match('^220', dialog.starttls(), 'STARTTLS')
        match(NEED_TLS, rcpt(dialog, 'bob@lab.test'))
        dialog.ehlo('again.example.com')
        match(NEED_TLS, rcpt(dialog, 'bob@lab.test'), 'after a second greeting')
    with scene.dialog('clearsubmission') as dialog:
        dialog.auth()
        match(NEED_TLS, rcpt(dialog, 'bob@lab.test'), 'in clear')
        dialog.send('RSET')
        match('^220', dialog.starttls(ehlo=False), 'STARTTLS')
        match(NEED_TLS, rcpt(dialog, 'bob@lab.test'), 'without a greeting')


@case("a login may not send from another's address")
def not_owned(scene):
    with scene.logged_in() as dialog:
        match(NOT_OWNED % r'carol@lab\.test', rcpt(dialog, 'carol@lab.test'))
        dialog.send('RSET')
        match(NOT_OWNED % r'root@lab\.test', rcpt(dialog, 'root@lab.test'))
        dialog.send('RSET')
        match(NOT_OWNED % r'nobodys@lab\.test', rcpt(dialog, 'nobodys@lab.test'))


@case('an address may have several owners, and extensions')
def owners(scene):
    for user in ('bob', 'carol'):
        with scene.logged_in(user=user) as dialog:
            match(OK, rcpt(dialog, 'shared@lab.test'), user)
            dialog.send('RSET')
            match(OK, rcpt(dialog, '%s+work@lab.test' % user), 'extension')


@case('an owned address is not served without its login')
def not_logged_in(scene):
    with scene.outsider() as dialog:
        match(NOT_LOGGED_IN % r'bob@lab\.test', rcpt(dialog, 'bob@lab.test', 'carol@lab.test'))
        dialog.send('RSET')
        match(OK, rcpt(dialog, 'someone@example.com', 'carol@lab.test'), 'foreign sender')


@case('programs of this machine need no login')
def mynetworks(scene):
    with scene.dialog() as dialog:
        match(OK, rcpt(dialog, 'bob@lab.test'))


@case('each message of a session is judged by itself')
def several(scene):
    with scene.logged_in() as dialog:
        for sender, pattern in (('bob@lab.test', OK), ('carol@lab.test', NOT_OWNED % '.*'),
                                ('bob@lab.test', OK), ('root@lab.test', NOT_OWNED % '.*')):
            match(pattern, rcpt(dialog, sender), sender)
            dialog.send('RSET')
        word = token()
        match(OK, dialog.deliver('bob@lab.test', ['x@remote.example'], message(word))[-1])
        match(NOT_OWNED % '.*', rcpt(dialog, 'carol@lab.test'), 'after a message')
    scene.sink.wait(word)


@case('a second greeting keeps the login')
def second_greeting(scene):
    with scene.logged_in() as dialog:
        dialog.ehlo('again.example.com')
        match(NOT_OWNED % '.*', rcpt(dialog, 'carol@lab.test'))
        dialog.send('RSET')
        match(OK, rcpt(dialog, 'bob@lab.test'))


@case('swaks: a login over TLS passes, a forged sender and clear text do not')
def with_swaks(scene):
    ports = scene.mta.ports
    login = ('--auth', 'PLAIN', '--auth-user', 'bob', '--auth-password', 'secret')
    code, text = swaks(ports['submission'], '--tls', *login, '--from', 'bob@lab.test',
                       '--to', 'x@remote.example')
    equal(code, 0, text)
    code, text = swaks(ports['submission'], '--tls', *login, '--from', 'carol@lab.test',
                       '--to', 'x@remote.example')
    match(r'553 5\.7\.1 .*<carol@lab\.test>: Sender address rejected: not owned by user bob', text)
    equal(code, 24, 'exit code of swaks')
    code, text = swaks(ports['clearauth'], *login, '--from', 'bob@lab.test',
                       '--to', 'x@remote.example')
    match('538 5.7.11 Encryption required', text)


# From: fields of bob that are carol's to some reader, or nobody's, and fields that are his.
FORGED = [', carol@lab.test', 'x:;, carol@lab.test', '"x": carol@lab.test;', 'Carol <carol@lab.test',
          'carol@lab.test>', 'carol@lab.test <>', '<bob@lab.test> <carol@lab.test>',
          'carol@lab.test <bob@lab.test>', '(bob@lab.test) carol (x) @ lab . test',
          '=?utf-8?q?carol?=@lab.test', 'bob@lab.test, carol@lab.test "', 'Bob <<bob@lab.test>',
          'bob@lab.test\r\nFrom: bob@lab.test', 'bob@lab.test\r\nSender: x:;, carol@lab.test']
OWN = ['bob@lab.test', '"Doe, Bob" <bob@lab.test>', '"Doe,\r\n Bob" <bob@lab.test>',
       'x: bob@lab.test;', 'bob@lab.test (carol@lab.test)', '"carol@lab.test" <bob@lab.test>',
       'bob@lab.test <bob@lab.test>']
# Postfix makes addresses of such words before a milter sees them, for clients of its own host.
BARE = ['Doe, Bob <bob@lab.test>', 'Doe,\r\n Bob <bob@lab.test>',
        '=?utf-8?q?Doe,_Bob?= <bob@lab.test>']


@case('From: means whomever some reader may find in it')
def header(scene):
    not_owned = r'^553 5\.7\.1 <.*>: (From|Sender) address rejected: ' \
                r'(not owned by user bob|cannot be read)'
    with scene.settings(message_restrictions='reject_from_login_mismatch'):
        with scene.logged_in() as dialog:
            for field in FORGED:
                text = message().replace(b'<a@example.com>', field.encode(), 1)
                reply = dialog.deliver('bob@lab.test', ['x@remote.example'], text)[-1]
                match(not_owned, reply, field)
            for field in OWN + BARE * (MTA == 'sendmail'):
                word = token()
                text = message(word).replace(b'<a@example.com>', field.encode(), 1)
                match(OK, dialog.deliver('bob@lab.test', ['x@remote.example'], text)[-1], field)
                scene.sink.wait(word)
        with scene.outsider() as dialog:
            for field in FORGED:
                text = message().replace(b'<a@example.com>', field.encode(), 1)
                match(r'^553 5\.7\.1 .* address rejected: (not logged in|cannot be read)',
                      dialog.deliver('x@example.com', ['carol@lab.test'], text)[-1], field)


@case('who has logged in is not told to')
def relaying(scene):
    with scene.settings(relay_restrictions='reject_unauth_destination'):
        with scene.logged_in() as dialog:
            match(r'^550 5\.7\.1 <x@remote\.example>: Relaying denied$',
                  rcpt(dialog, 'bob@lab.test'))


@case('a mechanism that is forbidden opens nothing')
def mechanism(scene):
    with scene.settings(auth_mechanisms='!LOGIN'):
        for kind, good in (('LOGIN', False), ('PLAIN', True)):
            code, text = swaks(scene.mta.ports['submission'], '--tls', '--auth', kind,
                               '--auth-user', 'bob', '--auth-password', 'secret',
                               '--from', 'bob@lab.test', '--to', 'x@remote.example')
            equal(code == 0, good, '%s: %s' % (kind, text))


run(settings={'sender_login_maps': 'texthash:TABLES/logins', 'recipient_delimiter': '+',
              'relay_clientcerts': 'texthash:TABLES/certificates'},
    tables={'logins': 'bob@lab.test bob\ncarol@lab.test carol\nroot@lab.test root\n'
                      'shared@lab.test bob, carol\n',
            'certificates': 'alice+20+28laptop+29 yes\n'
                            '/O=Gatepost+20Test/CN=alice+20+28laptop+29 yes\n'})
