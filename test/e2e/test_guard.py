#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The auto-reply guard with the programs that people use: vacation(1), and Dovecot's Sieve vacation,
answer a bounce that quotes figures. Where the answer ends, where its refusal goes, that nothing
sticks in a queue and nothing vanishes."""
import base64
import email
import email.policy
import os
import sys
import time
sys.path.insert(0, sys.path[0] + '/../lib')
import dovecot
import gatepost
import postfix
import scene as scenes
import tap
from smtp import token
from tap import Skip, absent, case, equal, match, true, until

FACTS = ('The turnover of the third quarter was 4.71 million euros, the loss was 380 thousand.',
         'The bank has been told nothing of it so far, and shall not be before Christmas.')
QUOTES = 'quotes the original message; send it without the quotation'
ROBOT = 'noreply@partner.test'  # in whose name another site's filter reports
SETTINGS = {'rule_files': '', 'recipient_restrictions': None, 'message_restrictions': None}

# A vacation reply that quotes, as pasted together from recipes: Pigeonhole has no word for it, but
# gives scripts the text of what they answer.
SIEVE = '''require ["vacation", "vacation-seconds", "variables", "foreverypart", "mime",
         "extracttext"];
foreverypart {
  if header :mime :type "content-type" "text" { extracttext "body"; }
}
if header :matches "subject" "*" { set "subject" "${1}"; }
vacation :seconds 0 :addresses ["bob@lab.test"] :subject "Away: ${subject}"
  "I am away until Monday.

%s${body}
";
'''
MARKED = SIEVE % '-----Original Message-----\n'


def bounce(word, more=''):
    """What a site that knows no null sender tells bob of a message to a mistyped address."""
    return ('From: Mail Filter <%s>\r\nTo: bob@lab.test\r\nSubject: Undelivered %s\r\n'
            'Message-ID: <%s@partner.test>\r\nMIME-Version: 1.0\r\n%s'
            'Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n'
            '--b\r\nContent-Type: text/plain\r\n\r\nbakr@partner.test: no such user\r\n'
            '--b\r\nContent-Type: message/delivery-status\r\n\r\n'
            'Reporting-MTA: dns; mx.partner.test\r\n\r\n'
            'Final-Recipient: rfc822; bakr@partner.test\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n'
            '--b\r\nContent-Type: text/plain\r\n\r\n%s\r\n--b--\r\n'
            % (ROBOT, word, word, more, '\r\n'.join(FACTS)))


def reply(recipient, word, text, more=''):
    """An auto-reply as one would type it."""
    return ('From: bob@lab.test\r\nTo: %s\r\nSubject: Away %s\r\nAuto-Submitted: auto-replied\r\n'
            '%s\r\n%s' % (recipient, word, more, text))


def quoted():
    return ''.join('> %s\r\n' % line for line in FACTS)


def bare():
    return ''.join('%s\r\n' % line for line in FACTS)


def unwrapped(message):
    return ' '.join(message.decode().split())


def nothing_sticks(scene):
    until(lambda: not scene.postfix.queue(), 20, 'maildrop, incoming, active and deferred empty')


def delivered_to(scene, recipient, word):
    return [m for m in scene.sink.messages(word) if recipient in m.recipients]


def harmless(message):
    """The reply went without what it quoted: its own words alone, in sound MIME."""
    text = message.data.decode('utf-8')
    for line in FACTS:
        true(line not in text, 'it still quotes: ' + text)
    match('X-Gatepost-Autoreply: quotation-removed; ', message.header())
    parsed = email.message_from_bytes(message.data, policy=email.policy.default)
    for part in parsed.walk():
        equal(part.defects, [], 'defects of a part')
    body = parsed.get_body(('plain', 'html')).get_content()
    match('I am away until Monday', body, 'what is left of\n' + text + '\n')
    return parsed


def vacation(scene, word, message, body, *options):
    """Has vacation(1) answer a message, with the text of what it answers below its own; the
    answer's envelope sender is root, whose account this is."""
    folder = scene.gatepost.folder
    text = scene.gatepost.table('vacation.msg', 'From: root@lab.test\n'
                                'Subject: Away: $SUBJECT\nDelivered-By-The-Graces-Of: The '
                                'Vacation program\nPrecedence: bulk\nMIME-Version: 1.0\n'
                                'Content-Type: text/plain; charset=utf-8\n\n'
                                'I am away until Monday.\n\n%s' % body.replace('\r\n', '\n'))
    database = '%s/%s.db' % (folder, word)
    incoming = ('From %s Mon Nov  2 10:00:00 2026\n' % ROBOT).encode() + message.data.replace(
        b'\r\n', b'\n')
    scene.postfix.command('vacation', '-i', '-f', database, 'root')
    scene.postfix.command('vacation', '-d', '-j', '-f', database, '-m', text, *options, 'root',
                          data=incoming)


def received(scene, word, recipient='carol@lab.test'):
    """The bounce comes in from outside, to somebody whose mail ends in the sink."""
    with scene.outsider() as dialog:
        replies = dialog.deliver(ROBOT, [recipient], bounce(word).encode())
        match('^250', replies[-1], 'the bounce')
    return scene.sink.wait(word)


def needs_vacation():
    if not os.path.exists('/usr/bin/vacation'):
        raise Skip('vacation(1) is missing')


def needs_dovecot(scene):
    if not scene.dovecot:
        raise Skip(dovecot.missing())


def sieve_answers(scene, word, script=MARKED):
    """A bounce reaches bob, and Sieve answers it by sendmail(1)."""
    needs_dovecot(scene)
    scene.dovecot.script(script)
    with scene.outsider() as dialog:
        match('^250', dialog.deliver(ROBOT, ['bob@lab.test'], bounce(word).encode())[-1])
    until(lambda: scene.dovecot.mail('bob', word), 20, 'delivery to bob')
    answers = until(scene.dovecot.replies, 10, 'an answer of Sieve')
    equal(len(answers), 1, 'answers')
    for line in FACTS:
        match(line, answers[0][1].decode(), 'what Sieve wrote')
    return answers[0]


@case('vacation(1): a quotation is refused, and its user is told; nothing reaches the robot')
def vacation_refused(scene):
    needs_vacation()
    word = token()
    original = received(scene, word)
    mark = scene.gatepost.mark()
    vacation(scene, word, original, quoted())
    report = until(lambda: [m for m in scene.sink.messages(word)
                            if m.recipients == ['root@lab.test']], 20, 'a bounce to the user')[0]
    equal(report.sender, '', 'sender of the report')
    match(QUOTES, unwrapped(report.data))
    nothing_sticks(scene)
    equal(delivered_to(scene, ROBOT, word), [], 'answers to the robot')
    line = scene.gatepost.wait_log(mark, 'action=reject', 'guard_autoreply')
    absent('turnover', line, 'the log')


@case('vacation(1) with its null sender: nobody could be told, so it goes without the quotation')
def vacation_null(scene):
    needs_vacation()
    word = token()
    original = received(scene, word)
    vacation(scene, word, original, quoted(), '-z')
    answer = until(lambda: delivered_to(scene, ROBOT, word), 20, 'an answer')[0]
    equal(answer.sender, '', 'sender')
    harmless(answer)
    nothing_sticks(scene)


@case('vacation(1) without a quotation passes as it is')
def vacation_plain(scene):
    needs_vacation()
    word = token()
    original = received(scene, word)
    vacation(scene, word, original, 'Ask carol.\n')
    answer = until(lambda: delivered_to(scene, ROBOT, word), 20, 'an answer')[0]
    match('Ask carol', answer.data.decode())
    absent('X-Gatepost', answer.header())
    nothing_sticks(scene)


@case('Sieve, by sendmail(1) with a null sender: it goes without the quotation')
def sieve_null(scene):
    word = token()
    arguments, answer = sieve_answers(scene, word)
    equal(arguments[arguments.index('-f') + 1], '<>', 'sender')
    equal(scene.postfix.sendmail(answer, *arguments).returncode, 0)
    passed = until(lambda: delivered_to(scene, ROBOT, word), 20, 'an answer')[0]
    harmless(passed)
    nothing_sticks(scene)


@case('Sieve, by sendmail(1) with its user for the sender: the refusal is in his mailbox')
def sieve_sender(scene):
    word = token()
    arguments, answer = sieve_answers(scene, word)
    arguments[arguments.index('-f') + 1] = 'bob@lab.test'

    def reports():
        return [m for m in scene.dovecot.mail('bob', word) if QUOTES in unwrapped(m)]
    equal(scene.postfix.sendmail(answer, *arguments).returncode, 0)
    until(reports, 20, 'a report to bob')
    nothing_sticks(scene)
    equal(delivered_to(scene, ROBOT, word), [], 'answers to the robot')
    equal(scene.dovecot.replies(), [], "Sieve's answers to the report")


@case('Sieve, by SMTP: refused while Dovecot is connected, and the bounce is delivered all the same')
def sieve_smtp(scene):
    needs_dovecot(scene)
    word = token()
    scene.dovecot.configure('127.0.0.1:%d' % scene.postfix.ports['mx'], 'no')
    scene.dovecot.restart()
    try:
        scene.dovecot.script(MARKED)
        mark = scene.gatepost.mark()
        with scene.outsider() as dialog:
            match('^250', dialog.deliver(ROBOT, ['bob@lab.test'], bounce(word).encode())[-1])
        until(lambda: scene.dovecot.mail('bob', word), 20, 'delivery to bob')
        scene.gatepost.wait_log(mark, 'action=reject', 'guard_autoreply')
        match('vacation.*(failed|error).*|' + QUOTES, scene.dovecot.log(), "Dovecot's log")
        nothing_sticks(scene)
        equal(delivered_to(scene, ROBOT, word), [], 'answers to the robot')
    finally:
        scene.dovecot.configure('', 'no')
        scene.dovecot.restart()


@case('a bounce that passed is remembered: Sieve may not paste it without any mark, either')
def sieve_paste(scene):
    word = token()
    arguments, answer = sieve_answers(scene, word, SIEVE % '')
    mark = scene.gatepost.mark()
    scene.postfix.sendmail(answer, *arguments)
    passed = until(lambda: delivered_to(scene, ROBOT, word), 20, 'an answer')[0]
    harmless(passed)
    scene.gatepost.wait_log(mark, 'repeated-lines')


@case('suppress_autoreplies: Sieve keeps silent')
def suppressed(scene):
    needs_dovecot(scene)
    scene.gatepost.reload({**SETTINGS, 'suppress_autoreplies': 'yes'})
    try:
        word = token()
        scene.dovecot.script(MARKED)
        with scene.outsider() as dialog:
            match('^250', dialog.deliver('', ['bob@lab.test'], bounce(word).encode())[-1])
            match('^250', dialog.deliver(ROBOT, ['bob@lab.test'], bounce(word).encode())[-1])
        both = until(lambda: len(scene.dovecot.mail('bob', word)) == 2
                     and scene.dovecot.mail('bob', word), 20, 'two deliveries to bob')
        for message in both:
            match('(?m)^X-Auto-Response-Suppress: OOF, AutoReply\r?$', message.decode())
        time.sleep(0.5)
        equal(scene.dovecot.replies(), [], 'answers')
    finally:
        scene.gatepost.reload(SETTINGS)


@case("Postfix's own bounces are remembered, with internal_mail_filter_classes = bounce")
def own_bounces(scene):
    facts = ('Our offer for the harbour crane is 18.3 million, three below that of the others.',
             'The board decides on it on Thursday; until then nobody may learn the number.')
    paste = ''.join('%s\r\n' % line for line in facts)

    def send(word):
        with scene.logged_in() as dialog:
            return dialog.deliver('bob@lab.test', ['postmaster@lab.test'],
                                  reply('postmaster@lab.test', word, paste).encode())[-1]
    match('^250', send(token()), 'before anything bounced')
    scene.postfix.set(internal_mail_filter_classes='bounce')
    word = token()
    equal(scene.postfix.sendmail(('From: bob@lab.test\nSubject: %s\n\n%s' % (
        word, '\n'.join(facts))).encode(), '-f', 'bob@lab.test', '--',
        'bakr@partner.test').returncode, 0)
    until(lambda: scene.dovecot.mail('bob', word) if scene.dovecot
          else delivered_to(scene, 'bob@lab.test', word), 20, 'the bounce to bob')
    match(QUOTES, send(token()), 'after the bounce')
    nothing_sticks(scene)
    if scene.dovecot:
        scene.dovecot.replies()


@case('a person who quotes a bounce to postmaster is not hindered')
def person(scene):
    word = token()
    text = ('From: bob@lab.test\r\nTo: postmaster@lab.test\r\nSubject: Re: Undelivered %s\r\n'
            'In-Reply-To: <1@partner.test>\r\n\r\nWhat does this mean?\r\n\r\n%s'
            % (word, quoted() + bare()))
    with scene.logged_in() as dialog:
        match('^250', dialog.deliver('bob@lab.test', ['postmaster@lab.test'], text.encode())[-1])
    equal(scene.postfix.sendmail(text.replace('\r\n', '\n').encode(), '-t', '-f',
                                 'bob@lab.test').returncode, 0)
    until(lambda: len(delivered_to(scene, 'postmaster@lab.test', word)) == 2, 20, 'both')
    for message in delivered_to(scene, 'postmaster@lab.test', word):
        match(FACTS[0], message.data.decode())
        absent('X-Gatepost', message.header())


@case('each listener has a guard of its own: reject, strip, tag, off')
def listeners(scene):
    scene.gatepost.reload(SETTINGS, '[listener submission]\nautoreply_guard = strip\n'
                          '[listener submissions]\nautoreply_guard = tag\n'
                          '[listener xclient]\nautoreply_guard = off\n')
    try:
        text = 'I am away until Monday.\r\n\r\nYou wrote:\r\n' + quoted()
        found, mark = {}, scene.gatepost.mark()
        for service in ('mx', 'submission', 'smtps', 'xclient'):
            word = token()
            with (scene.logged_in(service) if service in ('submission', 'smtps')
                  else scene.dialog(service)) as dialog:
                answer = dialog.deliver('bob@lab.test', [ROBOT],
                                        reply(ROBOT, word, text).encode())[-1]
            found[service] = scene.sink.wait(word) if answer.startswith('250') else answer
        match('^550 5.7.1 Auto-reply to <%s> %s' % (ROBOT, QUOTES), found['mx'])
        harmless(found['submission'])
        match('X-Gatepost-Autoreply: quotes-original', found['smtps'].header())
        match(FACTS[0], found['smtps'].data.decode())
        scene.gatepost.wait_log(mark, 'action=accept', 'listener=submission', 'autoreply=strip')
        scene.gatepost.wait_log(mark, 'action=accept', 'autoreply=tag')
        absent('X-Gatepost', found['xclient'].header())
        match(FACTS[0], found['xclient'].data.decode())
    finally:
        scene.gatepost.reload(SETTINGS)


@case('with one bounce sender among many recipients the whole message is refused, which all learn')
def several(scene):
    word = token()
    text = reply('carol@lab.test', word, quoted())
    equal(scene.postfix.sendmail(text.replace('\r\n', '\n').encode(), '-f', 'carol@lab.test', '--',
                                 'alice@remote.example', ROBOT).returncode, 0)
    report = until(lambda: [m for m in scene.sink.messages(word) if m.sender == ''], 20,
                   'a report')[0]
    equal(report.recipients, ['carol@lab.test'], 'who is told')
    match('Auto-reply to <%s> %s' % (ROBOT, QUOTES), unwrapped(report.data))
    equal(len(scene.sink.messages(word)), 1, 'deliveries')
    nothing_sticks(scene)


@case('a stripped reply of many parts arrives as sound MIME')
def mime(scene):
    word = token()
    html = ('<html><body><p>I am away until Monday.</p><blockquote type="cite">%s</blockquote>'
            '</body></html>' % '<br>'.join(FACTS))
    text = ('From: bob@lab.test\r\nTo: %s\r\nSubject: Away %s\r\nAuto-Submitted: auto-replied\r\n'
            'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n'
            '--o\r\nContent-Type: multipart/alternative; boundary=i\r\n\r\n'
            '--i\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nI am away until Monday.\r\n\r\n%s'
            '--i\r\nContent-Type: text/html; charset=utf-8\r\n\r\n%s\r\n--i--\r\n'
            '--o\r\nContent-Type: message/rfc822\r\n\r\nSubject: figures\r\n\r\n%s\r\n--o--\r\n'
            % (ROBOT, word, quoted(), html, bare()))
    scene.postfix.sendmail(text.replace('\r\n', '\n').encode(), '-f', '', '--', ROBOT)
    parsed = harmless(scene.sink.wait(word))
    types = [part.get_content_type() for part in parsed.walk()]
    true('message/rfc822' not in types, types)
    equal([name for name in ('text/plain', 'text/html') if name in types],
          ['text/plain', 'text/html'], 'the texts')
    nothing_sticks(scene)


@case('a header that can be read in two ways is stripped by the worse one, and arrives with one')
def two_readings(scene):
    word = token()
    text = ('From: bob@lab.test\r\nTo: x:;, %s\r\nSubject: Away %s\r\nAuto-Submitted: auto-replied\r\n'
            'MIME-Version: 1.0\r\nContent-Type: image/png\r\nContent-Type: "text/plain"\r\n'
            'Content-Transfer-Encoding: 8bit\r\nContent-Transfer-Encoding: (x) base64\r\n\r\n%s\r\n'
            % (ROBOT, word, base64.encodebytes(
                ('I am away until Monday.\r\n\r\n' + quoted()).encode()).decode()))
    scene.postfix.sendmail(text.replace('\r\n', '\n').encode(), '-f', '', '--', ROBOT)
    message = scene.sink.wait(word)
    parsed = harmless(message)
    equal(parsed.get_all('Content-Type'), ['text/plain'], 'Content-Type')
    equal(parsed.get_all('Content-Transfer-Encoding'), ['base64'], 'Content-Transfer-Encoding')
    equal(parsed.get_content().strip(), 'I am away until Monday.')
    nothing_sticks(scene)


@case('monitor mode says what would have been, and lets it go')
def monitor(scene):
    scene.gatepost.reload({**SETTINGS, 'mode': 'monitor'})
    try:
        word = token()
        mark = scene.gatepost.mark()
        scene.postfix.sendmail(reply(ROBOT, word, quoted()).replace('\r\n', '\n').encode(), '-f',
                               'bob@lab.test', '--', ROBOT)
        message = scene.sink.wait(word)
        equal(message.recipients, [ROBOT], 'recipient')
        match(FACTS[0], message.data.decode())
        scene.gatepost.wait_log(mark, 'guard_autoreply', QUOTES)
        nothing_sticks(scene)
    finally:
        scene.gatepost.reload(SETTINGS)


@case('nothing was held, nothing sticks')
def counted(scene):
    nothing_sticks(scene)
    equal(scene.postfix.queue('hold', 'corrupt'), [], 'held')


class Scene(scenes.Scene):
    """With a Dovecot that takes bob's mail."""

    def __init__(self):
        self.dovecot = None if dovecot.missing() else dovecot.Dovecot()
        transport = 'bakr@partner.test = error:5.1.1 no such user'
        maps = '{%s}' % transport
        if self.dovecot:
            maps += ', {bob@lab.test = %s}' % self.dovecot.lmtp()
        super().__init__(SETTINGS, main={'transport_maps': 'inline:{ %s }' % maps})

    def start(self):
        if self.dovecot:
            self.dovecot.start()
        return super().start()

    def stop(self):
        if self.dovecot:
            self.dovecot.stop()
        return super().stop()


tap.case('gatepost stops in order')(scenes.ends_well)
if postfix.missing() or gatepost.missing():
    tap.skip_all(postfix.missing() or gatepost.missing())
tap.run(lambda: Scene().start(), teardown=lambda scene: scene and scene.stop(),
        on_failure=lambda scene: scene.show())
