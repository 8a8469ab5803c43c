#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The auto-reply guard's three answers in gatepostctl test."""
import json
import sys
sys.path.insert(0, sys.path[0])
import ctl
import place
from tap import case, equal, match, run, true

SITE = 'local_domains = lab.test\nrule_files =\n'
INSIDE = '--client 127.0.0.1 --rcpt postmaster@lab.test '
HEADER = ('From: bob@lab.test\nTo: postmaster@lab.test\nSubject: %s\n'
          'Message-ID: <1@lab.test>\n')
AUTO = HEADER % 'Away' + 'Auto-Submitted: auto-replied\n\nI am away until Monday.\n'
QUOTE = '\nOn Monday you wrote:\n> The balance is 4711.\n> Nobody knows of it.\n'
FACTS = ('The turnover of the third quarter was 4.71 million euros, the loss was 380 thousand.\n'
         'The bank has been told nothing of it so far, and shall not be before Christmas.\n')
BOUNCE = ('From: MAILER-DAEMON@lab.test\nTo: bob@lab.test\nSubject: Undelivered\n'
          'Return-Path: <>\n'
          'Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n'
          '--b\n\nIt could not be delivered.\n--b\nContent-Type: message/rfc822\n\n'
          'Subject: figures\n\n' + FACTS + '\n--b--\n')


def answers(found):
    guard = found['autoreply']
    return tuple(guard[name] for name in ('is_autoreply', 'to_bounce_sender', 'quotes_original'))


@case('an auto-reply that quotes, to postmaster: three times yes, with evidence')
def leak():
    found, code = ctl.Settings(SITE).test(INSIDE + '-', AUTO + QUOTE)
    equal((code, found['check']), (1, 'guard_autoreply'))
    equal(answers(found), (True, True, True))
    evidence = found['autoreply']['evidence']
    true(any('auto-submitted' in line for line in evidence), evidence)
    true(any('postmaster@lab.test' in line for line in evidence), evidence)
    true(any(line.startswith('quotes: ') and 'at line 4' in line for line in evidence), evidence)


@case('each answer is worked out whatever the others are')
def apart():
    settings = ctl.Settings(SITE)
    person = HEADER % 'Re: Undelivered' + 'In-Reply-To: <0@lab.test>\n\nWhat is this?\n' + QUOTE
    for line, text, expected in (
            (INSIDE, AUTO, (True, True, False)),
            (INSIDE, person, (False, True, True)),
            (INSIDE.replace('postmaster', 'carol'),
             AUTO.replace('postmaster', 'carol') + QUOTE, (True, False, True)),
            ('--rcpt postmaster@lab.test ', AUTO + QUOTE, (True, True, True))):
        found, code = settings.test(line + '-', text)
        equal((answers(found), code), (expected, 0), line)


@case('a subject is no proof, in an answer neither; several marks are')
def marks():
    settings = ctl.Settings(SITE)
    related = 'In-Reply-To: <0@lab.test>\n'
    exchange = related + 'X-Auto-Response-Suppress: All\nAuto-Submitted: auto-generated\n'
    for subject, fields, expected in (
            ('Auto: Kaufvertrag', related, False),
            ('Automatic reply: is broken', related, False),
            ('Vacation: planning 2027', related + 'X-Sieve: CMU Sieve 2.4\n', False),
            ('Away', 'Resent-From: bob@lab.test\nAuto-Submitted: auto-replied\n', False),
            ('Automatic reply: figures', exchange, True),
            ('Promb=C5=ABtne', exchange + 'X-MS-Exchange-Inbox-Rules-Loop: bob@lab.test\n', True),
            ('AUTO: Bob is out of the office (returning 16.11.2026)',
             'X-MIMETrack: Serialize by Router\nList-Id: <x.lab.test>\n', True)):
        found, code = settings.test(INSIDE + '--from bob@lab.test -',
                                    HEADER % subject + fields + '\nWhat is this?\n' + QUOTE)
        equal((answers(found), code), ((expected, True, True), int(expected)), subject)


@case('whom a group, an odd hyphen or a forwarder hides is found')
def hidden():
    settings = ctl.Settings(SITE)
    for recipient, to, expected in (
            ('carol@lab.test', 'x:;, postmaster@far.example', True),
            ('SRS1=a=f.test==b=t=far.example=postmaster@g.test', 'carol@lab.test', True),
            ('shop-noreply@far.example', 'carol@lab.test', True),
            ('no_reply@far.example', 'carol@lab.test', True),
            ('owner-dev@far.example', 'carol@lab.test', True),
            ('carol@lab.test', '"postmaster@far.example" <carol@lab.test>', False)):
        text = AUTO.replace('To: postmaster@lab.test', 'To: ' + to) + QUOTE
        found, code = settings.test('--client 127.0.0.1 --rcpt %s -' % recipient, text)
        equal((answers(found), code), ((True, expected, True), int(expected)), recipient + to)


@case('the answers stand whatever the restrictions and the guard\'s setting are')
def off():
    for text in ('autoreply_guard = off\n', 'message_restrictions =\n',
                 'client_restrictions = reject\n'):
        found, _ = ctl.Settings(SITE + text).test(INSIDE + '-', AUTO + QUOTE)
        equal(answers(found), (True, True, True), text)


@case('strip and tag show the header that would be added')
def actions():
    for action, header in (('tag', '^X-Gatepost-Autoreply: quotes-original$'),
                           ('strip', '^X-Gatepost-Autoreply: quotation-removed; .*line')):
        settings = ctl.Settings(SITE + 'autoreply_guard = %s\n' % action)
        found, code = settings.test(INSIDE + '-', AUTO + QUOTE)
        equal(code, 0, action)
        match(header, found['headers'][0])


@case('a bounce among the files is remembered for those behind it, with the share of the text')
def memory():
    settings = ctl.Settings(SITE)
    bounce = place.write(settings.folder + '/bounce', BOUNCE)
    reply = place.write(settings.folder + '/reply', AUTO + '\n' + FACTS)
    alone = json.loads(settings.shell('test --json %s %s' % (INSIDE, reply)).stdout)
    equal(answers(alone), (True, True, False), 'without the bounce')
    done = settings.shell('test --json %s %s %s' % (INSIDE, bounce, reply))
    behind = json.loads(done.stdout.splitlines()[1])
    equal(answers(behind), (True, True, True), 'behind the bounce')
    true(any('repeated-lines' in line and '% of the text' in line
             for line in behind['autoreply']['evidence']), behind['autoreply']['evidence'])


@case('what lies beyond the maximum is judged by what was seen, and told')
def cut():
    long = AUTO + 'x' * 70 + '\n' + ('no quotation here\n' * 100000) + QUOTE
    found, _ = ctl.Settings(SITE).test(INSIDE + '-', long)
    equal(answers(found)[2], False)
    true(any('truncated' in line for line in found['autoreply']['evidence']),
         found['autoreply']['evidence'])


@case('a person is told the same')
def human():
    settings = ctl.Settings(SITE)
    text = settings.shell('test %s -' % INSIDE, data=AUTO + QUOTE).stdout
    for line in ('an auto-reply: yes', 'to a bounce sender: yes', 'quotes the original: yes',
                 'quotes: .* at line 4'):
        match(line, text)


run()
