#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Spam by rule, through a real Postfix: what is tagged, refused, accepted for one user and not for
the other; recipients who come back on their own; lists and rules that change while mail flows."""
import random
import sys
import threading
import time
sys.path.insert(0, sys.path[0] + '/../lib')
import place
import postfix
from scene import run
from smtp import message, token
from tap import absent, case, equal, match, true, until

OK = '^250'
KOI = '=?koi8-r?B?8NLJ18XU?='
RULES = r'''header LOCAL_CHARSET_BLOCKED Subject:raw =~/\=\?(koi8-r|windows-1251)\?/i
score LOCAL_CHARSET_BLOCKED 5
describe LOCAL_CHARSET_BLOCKED Contains charsets that are not acceptable
header MONEY Subject =~ /money/i
score MONEY 7
charset PART_KOI8R koi8-r
score PART_KOI8R 0.5
charset RAW raw8bit
score RAW 0.25
'''
PROFILES = '[profile russian]\nscore LOCAL_CHARSET_BLOCKED = 0\nscore PART_KOI8R = 0\n'
FORGED = ('X-Spam-Flag: NO\r\nX-Spam-Status: No, score=-99 required=5.0 tests=NONE\r\n'
          'X-Other: kept\r\nX-Spam-Flag: NO\r\nX-Spam-Level: *\r\nX-Spam-Score: -99\r\n')


def send(scene, subject, recipients=('bob@lab.test',), more='', sender='a@example.com', **words):
    """A message of an outsider: its word and the last reply."""
    word = token()
    with scene.outsider() as dialog:
        return word, dialog.deliver(sender, recipients,
                                    message(word, subject, more=more, **words))[-1]


def spam_fields(delivered):
    return [line for line in delivered.header().split('\r\n')
            if line.lower().startswith('x-spam-')]


TAGGED = ['X-Spam-Flag: YES', 'X-Spam-Score: 5.5',
          'X-Spam-Status: Yes, score=5.5 required=5.0 tests=LOCAL_CHARSET_BLOCKED,PART_KOI8R']


@case('tagged: the fields are there, and no forged ones')
def tagged(scene):
    mark = scene.gatepost.mark()
    word, reply = send(scene, KOI, more=FORGED)
    match(OK, reply)
    delivered = scene.sink.wait(word)
    equal(spam_fields(delivered), TAGGED)
    match('X-Other: kept', delivered.header())
    match('(?s)^Received: .*X-Spam-Flag|^X-Spam-Flag', delivered.header())
    line = scene.gatepost.wait_log(mark, 'action=accept', 'LOCAL_CHARSET_BLOCKED')
    match(r'score=5\.5 rules="?LOCAL_CHARSET_BLOCKED,\s?PART_KOI8R"?', line)
    match(' spam=tagged( |$)', line)


@case('not tagged: forged fields go all the same')
def clean(scene):
    word, reply = send(scene, 'hello', more=FORGED)
    match(OK, reply)
    delivered = scene.sink.wait(word)
    equal(spam_fields(delivered), [])
    match('X-Other: kept', delivered.header())


@case('refused at the end of the message')
def refused(scene):
    mark = scene.gatepost.mark()
    word, reply = send(scene, 'money ' + KOI, more=FORGED)
    equal(reply, '550 5.7.1 Message refused: spam score 12.5 '
          '(LOCAL_CHARSET_BLOCKED, MONEY, PART_KOI8R)')
    scene.gatepost.wait_log(mark, 'action=reject', 'stage=message', 'check=reject_spam')
    true(not scene.sink.messages(word), 'it was delivered')


@case('forged fields go from outside, whatever else is done with the message, and from nobody else')
def forged(scene):
    outside = 'a@example.com', scene.outsider
    inside = 'bob@lab.test', scene.logged_in
    keep = [line for line in FORGED.split('\r\n') if line.startswith('X-Spam')]
    rows = [({'rule_files': ''}, outside, []),
            ({'message_restrictions': 'check_sender_access inline:{a@example.com=OK} reject_spam'},
             outside, []),
            ({'message_restrictions': 'check_client_access inline:{203.0.113.0/24=OK, '
              '203.0.113=OK} reject_spam', 'rule_files': ''}, outside, []),
            ({'message_restrictions': 'permit reject_spam'}, outside, []),
            ({'message_restrictions': 'permit'}, outside, keep),
            ({'trusted_filters': '203.0.113.0/24 198.51.100.0/24',
              'message_restrictions': 'permit reject_spam'}, outside, keep),
            ({'trusted_filters': '203.0.113.0/24 198.51.100.0/24'}, outside, []),
            ({}, inside, keep), ({'rule_files': ''}, inside, keep)]
    for settings, (sender, session), left in rows:
        with scene.settings(**settings):
            word = token()
            with session() as dialog:
                match(OK, dialog.deliver(sender, ['bob@lab.test'],
                                         message(word, 'hello', more=FORGED))[-1])
            equal(spam_fields(scene.sink.wait(word)), keep if left else [], settings)


@case('a thousand forged fields are removed as one is')
def flood(scene):
    for count in (101, 1000):
        word, reply = send(scene, 'hello', more='X-Spam-Flag: NO\r\n' * count)
        match(OK, reply)
        equal(spam_fields(scene.sink.wait(word)), [])


@case('header_checks: fields that go, change and come')
def header_checks(scene):
    table = place.write(place.folder() + '/header_checks', '''/^X-A: 2/ IGNORE
/^X-A: 3/ REPLACE X-A: three
/^X-B:/ STRIP it goes
/^X-C: (.*)/ REPLACE X-D: was $1
/^Subject: hello/ PREPEND X-Hello: yes
''')
    with scene.settings(message_restrictions='check_header_access header_checks pcre:' + table):
        word, reply = send(scene, 'hello', more='X-A: 1\r\nX-A: 2\r\nX-A: 3\r\nX-A: 4\r\nX-B: 1\r\n'
                           'X-A: 2\r\nX-B: 2\r\nX-C: 1\r\nX-A: 5\r\n')
        match(OK, reply)
        fields = [line for line in scene.sink.wait(word).header().split('\r\n')
                  if line.startswith('X-') and line[3:4] in ':e']
    equal(sorted(fields), ['X-A: 1', 'X-A: 4', 'X-A: 5', 'X-A: three', 'X-D: was 1', 'X-Hello: yes'])
    equal([line for line in fields if line.startswith('X-A')],
          ['X-A: 1', 'X-A: three', 'X-A: 4', 'X-A: 5'])


@case('the same message is refused for one user and accepted for another')
def two_users(scene):
    with scene.settings(reject_score='5'):
        word, reply = send(scene, KOI)
        match('^550 5.7.1 Message refused', reply)
        word, reply = send(scene, KOI, ['rus@lab.test'])
        match(OK, reply)
        equal(spam_fields(scene.sink.wait(word)), [])


@case('several recipients: the mildest outcome')
def lenient(scene):
    word, reply = send(scene, KOI, ['bob@lab.test', 'rus@lab.test'])
    match(OK, reply)
    equal(spam_fields(scene.sink.wait(word)), [])


@case('split: the sender comes back for the others, each message meets one profile')
def split(scene):
    with scene.settings(mixed_recipients='split'):
        sender = postfix.Postfix(services={'mx': ''}, settings={
            'mydestination': '', 'smtp_connection_cache_on_demand': 'no',
            'relayhost': '[127.0.0.1]:%d' % scene.mta.ports['mx']}).start()
        try:
            word = token()
            mark = scene.gatepost.mark()
            done = sender.sendmail(message(word, KOI), '-f', 'a@example.com', 'bob@lab.test',
                                   'rus@lab.test', 'carol@lab.test')
            equal(done.returncode, 0, done.stderr)
            scene.sink.wait(word)
            scene.gatepost.wait_log(mark, 'reply="452 4.5.3 ', 'check=mixed_recipients')

            def came_back():
                sender.command('postqueue', '-f')
                return len(scene.sink.messages(word)) >= 2 and not sender.queue()
            until(came_back, 40, 'the rest of the recipients', step=0.5)
        finally:
            sender.stop()
    got = scene.sink.messages(word)
    recipients = sorted(sorted(one.recipients) for one in got)
    # Postfix may hand a message over recipient by recipient; no profile is mixed.
    equal(sorted(sum(recipients, [])), ['bob@lab.test', 'carol@lab.test', 'rus@lab.test'])
    for one in got:
        russian = one.recipients == ['rus@lab.test']
        true(russian or 'rus@lab.test' not in one.recipients, 'profiles are mixed')
        equal(len(spam_fields(one)), 0 if russian else 3, 'fields for %s' % one.recipients)


@case('split never puts off those who do not come back')
def split_at_home(scene):
    with scene.settings(mixed_recipients='split', mynetworks='203.0.113.0/24'):
        with scene.outsider() as dialog:
            match(OK, dialog.mail('a@example.com'))
            for name in ('bob', 'rus'):
                match(OK, dialog.rcpt(name + '@lab.test'))


@case('a charset in a MIME part counts: the body was asked for')
def parts(scene):
    word = token()
    content = ('From: <a@example.com>\r\nTo: <bob@lab.test>\r\nSubject: money\r\n'
               'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="x"\r\n\r\n'
               '--x\r\nContent-Type: text/plain;\r\n\tcharset=KOI8-R\r\n\r\n%s\r\n--x--\r\n%s' % (
                   word, 'x' * 70 + '\r\n')).encode()
    with scene.outsider() as dialog:
        match(OK, dialog.deliver('a@example.com', ['bob@lab.test'],
                                 content + b'y' * 70 * 4000 + b'\r\n')[-1])
    match(r'score=7\.5 required=5\.0 tests=MONEY,PART_KOI8R', scene.sink.wait(word).header())


@case('raw bytes count, but UTF-8 in an SMTPUTF8 message does not', mta='postfix')
def smtputf8(scene):
    subject = '\u043f\u0440\u0438 money'.encode().decode('latin-1')
    for words, score in (('', 7.25), (' SMTPUTF8', 7.0)):
        word = token()
        with scene.outsider() as dialog:
            match(OK, dialog.mail('a@example.com', words))
            match(OK, dialog.rcpt('bob@lab.test'))
            match(OK, dialog.data(message(word, subject)))
        match('tests=MONEY', scene.sink.wait(word).header())
        equal('RAW' in scene.sink.wait(word).header(), score > 7)


@case('mail of this machine and of those who log in is not scored')
def at_home(scene):
    word = token()
    with scene.settings(mynetworks='127.0.0.0/8'):
        scene.mta.sendmail(message(word, 'money ' + KOI), 'bob@lab.test')
        equal(spam_fields(scene.sink.wait(word)), [])
    word = token()
    with scene.logged_in() as dialog:
        match(OK, dialog.deliver('bob@lab.test', ['carol@lab.test'],
                                 message(word, 'money ' + KOI))[-1])
    equal(spam_fields(scene.sink.wait(word)), [])


@case('monitor mode says what it would do, and does nothing')
def monitor(scene):
    with scene.settings(mode='monitor'):
        mark = scene.gatepost.mark()
        word, reply = send(scene, 'money ' + KOI, more='X-Spam-Flag: NO\r\n')
        match(OK, reply)
        equal(spam_fields(scene.sink.wait(word)), ['X-Spam-Flag: NO'])
        scene.gatepost.wait_log(mark, 'action=reject', 'mode=monitor', 'spam score 12.5')


@case('a session meets one profile after the other')
def in_turn(scene):
    with scene.outsider() as dialog:
        for name, fields in (('bob', 3), ('rus', 0), ('carol', 3)):
            word = token()
            match(OK, dialog.deliver('a@example.com', [name + '@lab.test'],
                                     message(word, KOI))[-1])
            equal(len(spam_fields(scene.sink.wait(word))), fields, name)


def while_mail_flows(scene, work, subject, allowed):
    """work() while two senders send; every reply must match one of ALLOWED. Returns the replies."""
    stop, replies, errors = threading.Event(), [], []

    def sender():
        try:
            while not stop.is_set():
                replies.append(send(scene, subject)[1])
        except Exception as error:  # told to the case below
            errors.append(error)
    threads = [threading.Thread(target=sender) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        work()
        mark = len(replies)
        until(lambda: len(replies) > mark + 2 or errors, 20, 'mail that flows')
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    equal(errors, [])
    for reply in replies:
        true(any(reply.startswith(word) for word in allowed), 'unexpected reply: ' + reply)
    return replies


@case('rule files are replaced while mail flows; a broken one changes nothing')
def reload(scene):
    old = '550 5.7.1 Message refused: spam score 12.5 '
    new = '550 5.7.1 Message refused: spam score 25.5 '

    def broken():
        scene.gatepost.table('site.cf', RULES + 'header BROKEN Subject =~ /(/\n')
        done = scene.gatepost.control('reload')
        equal(done.returncode, 78, done.stdout + done.stderr)
        match(r'site\.cf:%d: error: ' % (RULES.count('\n') + 1), done.stdout + done.stderr)

    def changed():
        scene.gatepost.table('site.cf', RULES + 'score MONEY 20\n')
        scene.gatepost.reload()
    try:
        while_mail_flows(scene, broken, 'money ' + KOI, [old])
        replies = while_mail_flows(scene, changed, 'money ' + KOI, [old, new])
        true(replies[-1].startswith(new), 'the new rules are not in force')
    finally:
        scene.gatepost.table('site.cf', RULES)
        scene.gatepost.reload()


ENVELOPE_RULES = RULES + r'''header ENVELOPE EnvelopeFrom =~ /^bounce-\d+\@forger\.example$/
score ENVELOPE 5
blocklist_from *@blocked.example
welcomelist_from *@friend.example
'''
BLOCKED = '550 5.7.1 Message refused: spam score 100.0 (USER_IN_BLOCKLIST)'


@case('rules about the envelope: by what the MTA makes of the sender, beside From:')
def envelope(scene):
    scene.gatepost.table('site.cf', ENVELOPE_RULES)
    scene.gatepost.reload()
    try:
        for sender, hits in (('bounce-1@forger.example', True), ('"bounce-1"@forger.example', True),
                             ('@far.example:bounce-1@forger.example', True),
                             ('bounce-1@forger.example.', True), ('', False),
                             ('bounce-x@forger.example', False),
                             ('bounce-1@forger.example.net', False)):
            word, reply = send(scene, 'hello', sender=sender)
            match(OK, reply, sender)
            equal('tests=ENVELOPE' in ''.join(spam_fields(scene.sink.wait(word))), hits, sender)
        for sender, header, expected in (
                ('x@blocked.example', 'a@example.com', BLOCKED),
                ('"x"@blocked.example', 'a@example.com', BLOCKED),
                ('a@example.com', 'x@blocked.example', BLOCKED),
                ('a@example.com', 'x@not-blocked.example', OK), ('', 'a@example.com', OK)):
            with scene.outsider() as dialog:
                reply = dialog.deliver(sender, ['bob@lab.test'],
                                       message(token(), 'hello', header))[-1]
            true(reply.startswith(expected.lstrip('^')), '%s %s: %s' % (sender, header, reply))
        match(OK, send(scene, 'money ' + KOI, sender='x@friend.example')[1], 'welcome')
    finally:
        scene.gatepost.table('site.cf', RULES)
        scene.gatepost.reload()


@case('a list of addresses is replaced by rename while mail flows, and always taken whole')
def list_replaced(scene):
    filler = ['user%d@spam%d.example REJECT\n' % (n, n % 97) for n in range(20000)]

    def replace():
        for _ in range(6):
            random.shuffle(filler)
            half = len(filler) // 2
            scene.gatepost.table('spammers', ''.join(filler[:half]) + 'a@example.com REJECT whole\n'
                                 + ''.join(filler[half:]))
            time.sleep(0.7)  # the daemon looks at most once in so long
    restrictions = 'check_from_access texthash:%s/spammers, reject_spam' % scene.gatepost.folder
    scene.gatepost.table('spammers', 'a@example.com REJECT whole\n')
    with scene.settings(message_restrictions=restrictions):
        while_mail_flows(scene, replace, 'hello',
                         ['554 5.7.1 <a@example.com>: From address rejected: whole'])


run(settings={'rule_files': 'TABLES/site.cf', 'mynetworks': '',
              'recipient_profiles': 'inline:{rus@lab.test=russian}'},
    more=PROFILES, tables={'site.cf': RULES})
