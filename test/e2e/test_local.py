#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Mail that reaches Postfix without SMTP (sendmail(1), non_smtpd_milters): what is refused goes back
to its sender, what nobody could be told of is held, and nothing sticks in a queue or vanishes."""
import contextlib
import os
import sys
import threading
import time
sys.path.insert(0, sys.path[0] + '/../lib')
from scene import run
from smtp import message, token
from tap import case, equal, match, true, until

SENDERS = 'evil@lab.test REJECT not from here\n'


def submit(scene, sender, recipients='x@remote.example', *options):
    """sendmail -t as a local program calls it; returns the message's word."""
    word = token()
    text = 'From: %s\nTo: %s\nSubject: local %s\n\n%s\n' % (
        sender or 'a@lab.test', recipients, word, word)
    done = scene.postfix.sendmail(text.encode(), '-t', '-i', '-f', sender, *options)
    equal(done.returncode, 0, done.stderr)
    return word


def bounced(scene, word, sender):
    """Waits for the report that sender gets; the message itself must not go out."""
    report = until(lambda: [m for m in scene.sink.messages(word) if m.sender == ''], 20,
                   'a bounce')[0]
    equal(report.recipients, [sender], 'the recipient of the bounce')
    others = [m.recipients for m in scene.sink.messages(word) if m.sender != '']
    equal(others, [], 'deliveries')
    return report


def nothing_sticks(scene):
    until(lambda: not scene.postfix.queue(), 20, 'maildrop, incoming, active and deferred empty')


@case('local mail passes')
def passes(scene):
    word = submit(scene, 'bob@lab.test', 'x@remote.example, carol@lab.test')
    equal(sorted(scene.sink.wait(word).recipients), ['carol@lab.test', 'x@remote.example'],
          'recipients')
    nothing_sticks(scene)


@case('local mail with the null sender passes')
def null_passes(scene):
    word = submit(scene, '')
    equal(scene.sink.wait(word).sender, '', 'sender')
    nothing_sticks(scene)


@case('a refused sender gets his message back')
def refused(scene):
    mark = scene.gatepost.mark()
    word = submit(scene, 'evil@lab.test')
    report = bounced(scene, word, 'evil@lab.test')
    match('not from here|5\\.7\\.1', report.data.decode('latin-1'))
    nothing_sticks(scene)
    scene.gatepost.wait_log(mark, 'evil@lab.test', 'check_sender_access', 'action=reject')


@case('one refused recipient refuses the whole message')
def refused_recipient(scene):
    word = submit(scene, 'bob@lab.test', 'carol@lab.test, closed@lab.test')
    bounced(scene, word, 'bob@lab.test')
    nothing_sticks(scene)


@case('what would be refused is held when its sender is null')
def null_held(scene):
    word = submit(scene, '', 'closed@lab.test')
    until(lambda: scene.postfix.held(word), 20, 'a held message')
    true(not scene.sink.messages(word), 'it was delivered')
    nothing_sticks(scene)
    scene.postfix.command('postsuper', '-d', *scene.postfix.held(word))


@case('a temporary refusal makes Postfix try again')
def temporary(scene):
    word = submit(scene, 'bob@lab.test', 'later@lab.test')
    until(lambda: 'later@lab.test' in '\n'.join(scene.gatepost.lines), 20, 'the refusal')
    true(not scene.sink.messages(word), 'it was delivered')
    # Cleanup takes its own file away a moment after it was refused.
    until(lambda: len(scene.postfix.queue()) == 1, 10, 'one file in the queue')
    scene.gatepost.table('recipients', 'closed@lab.test REJECT closed\n')

    def again():
        scene.postfix.command('postkick', 'public', 'pickup', 'W', check=False)
        return scene.sink.messages(word)
    until(again, 20, 'delivery', step=0.5)
    nothing_sticks(scene)


@case('sendmail -bs is local mail, too')
def batch_smtp(scene):
    for sender, good in (('bob@lab.test', True), ('evil@lab.test', False)):
        word = token()
        dialog = ('EHLO x\r\nMAIL FROM:<%s>\r\nRCPT TO:<x@remote.example>\r\nDATA\r\n'
                  'Subject: %s\r\n\r\n%s\r\n.\r\nQUIT\r\n' % (sender, word, word)).encode()
        scene.postfix.sendmail(dialog, '-bs')
        if good:
            scene.sink.wait(word)
        else:
            bounced(scene, word, sender)
    nothing_sticks(scene)


@case('delivery reports of Postfix itself pass')
def reports(scene):
    scene.postfix.set(internal_mail_filter_classes='bounce')
    word = submit(scene, 'evil@lab.test')
    bounced(scene, word, 'evil@lab.test')
    nothing_sticks(scene)
    equal(scene.postfix.held(word), [], 'held')


@case('a held local message is not lost either')
def local_hold(scene):
    word = submit(scene, 'holdme@lab.test')
    until(lambda: scene.postfix.held(word), 20, 'a held message')
    scene.postfix.command('postsuper', '-H', *scene.postfix.held(word))
    scene.postfix.command('postqueue', '-f')
    scene.sink.wait(word)
    nothing_sticks(scene)


@case('three hundred messages over their limit are held: they delay no other, and nobody tries them '
      'again')
def flood(scene):
    word = token()
    mark = scene.gatepost.mark()
    one = ('MAIL FROM:<flood@lab.test>\r\nRCPT TO:<x@remote.example>\r\nDATA\r\n'
           'Subject: %s\r\n\r\nnews\r\n.\r\n' % word)
    done = []
    sending = threading.Thread(target=lambda: done.append(scene.postfix.sendmail(
        ('EHLO x\r\n' + one * 302 + 'QUIT\r\n').encode(), '-bs')))

    def held():
        return sum('action=hold' in line for line in scene.gatepost.log(mark))

    def innocent():
        start = time.monotonic()
        scene.sink.wait(submit(scene, 'bob@lab.test'))
        return time.monotonic() - start
    sending.start()
    until(lambda: held() > 20, 30, 'the flood')
    true(innocent() < 80, 'mail in the midst of it waits for what pickup found first, not longer')
    sending.join(240)
    until(lambda: held() == 300, 60, 'three hundred held')
    waits = [innocent() for _ in range(3)]
    with contextlib.closing(scene.dialog()) as dialog:
        for _ in range(10):
            match('^250', dialog.deliver('a@remote.example', ['bob@lab.test'], message(token()))[-1])
    true(min(waits) < 5 and max(waits) < 20, 'innocent mail waited for %s s' % waits)
    equal(len(scene.sink.messages(word)), 2, 'what was below the limit')
    nothing_sticks(scene)
    equal(held(), 300, 'how often gatepost was asked')
    scene.postfix.command('postsuper', '-d', '-', data=''.join(
        os.path.basename(file) + '\n' for file in scene.postfix.queue('hold')).encode())


@case('local mail while gatepost is down waits and then goes')
def down(scene):
    scene.gatepost.stop()
    word = submit(scene, 'bob@lab.test')
    until(lambda: 'milter' in scene.postfix.log(), 20, "Postfix's complaint")
    true(not scene.sink.messages(word), 'it was delivered')
    scene.gatepost.start()

    def again():
        scene.postfix.command('postkick', 'public', 'pickup', 'W', check=False)
        return scene.sink.messages(word)
    until(again, 30, 'delivery', step=0.5)
    nothing_sticks(scene)


run(settings={
    'sender_restrictions': 'check_sender_access texthash:TABLES/senders',
    'recipient_restrictions': 'check_limit sites check_recipient_access '
                              'texthash:TABLES/recipients permit_mynetworks'},
    more='[limit sites]\nkey = sender\nfor = local\nmax = 1000\nper = 1d\n'
         'overrides = inline:{flood@lab.test=2}\n',
    tables={'senders': SENDERS + 'holdme@lab.test HOLD\n',
            'recipients': 'closed@lab.test REJECT closed\nlater@lab.test 450 4.7.1 later\n'})
