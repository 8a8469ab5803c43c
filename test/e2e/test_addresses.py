#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Whose an address is, however it is written: gatepost behind a real Postfix, or Sendmail. Beside
it, where it is Postfix, the same forms go to an smtpd that asks its own restrictions."""
import itertools
import os
import random
import sys
sys.path.insert(0, sys.path[0] + '/../lib')
import postfix
import scene as scenes
from tap import case, equal, match, true

OWNED = 'boss@lab.test boss\n'
TABLE = 'boss@lab.test REJECT\naway.test REJECT\n'
FORMS = ['boss@lab.test', 'boss', '"boss"', 'boss%lab.test', 'lab.test!boss', '@lab.test:boss',
         'boss@lab.test@lab.test', '"boss@lab.test"@lab.test', 'boss@lab.test.', 'boss@LAB.TEST ',
         'boss%lab.test%lab.test', '@lab.test,@mail.lab.test:boss', 'lab.test!boss@lab.test',
         'BOSS@Lab.Test', 'boss+x@lab.test', 'boss+x%lab.test', '"boss"@lab.test',
         '"boss%lab.test"@lab.test', '"lab.test!boss"@lab.test', 'mail.lab.test!boss%lab.test']
OTHERS = ['x@away.test', 'x%away.test', 'away.test!x', 'x%away.test@lab.test',
          '"x@away.test"@lab.test', 'far%elsewhere.test@lab.test', 'other@lab.test', 'other',
          'bosss@lab.test', 'boss@elsewhere.test', 'a!b%elsewhere.test', '"b oss"@lab.test',
          '"boss "@lab.test', 'boss@[127.0.0.1]', 'boss%lab.test@elsewhere.test']


def generated(count):
    """Forms made of the pieces that forms are made of."""
    source = random.Random(20261127)
    pieces = ['boss', 'lab.test', 'away.test', '@', '%', '!', '"', '@lab.test', '%lab.test',
              'lab.test!', '@lab.test:', '.', '+x', '\\', 'mail.lab.test']
    seen = set()
    while len(seen) < count:
        form = ''.join(source.choice(pieces) for _ in range(source.randint(2, 6)))
        if 'boss' in form or 'away' in form:
            seen.add(form)
    return sorted(seen)


def answers(dialog, sender, recipient):
    """The reply that MAIL or RCPT got, the first that was no "yes"."""
    dialog.send('RSET')
    reply = dialog.mail(sender)
    return reply if not reply.startswith('250') else dialog.rcpt(recipient)


def verdict(reply):
    """What a reply says of the address: no, yes, or that it is none in the MTA's eyes."""
    true(reply, 'the MTA hung up')
    return 'no' if reply[:3] in ('553', '554') else 'yes' if reply[:3] == '250' else 'none'


def all_forms(scene):
    return FORMS + OTHERS + (generated(60) if scene.postfix else [])


def compare(scene, service, sender, recipient):
    """As gatepost and Postfix's own smtpd judge: sender and recipient make the addresses of a
    transaction of a form."""
    wrong, verdicts = [], set()
    with scene.dialog() as ours, scene.dialog(service) as theirs:
        for form in all_forms(scene):
            one = answers(ours, sender(form), recipient(form))
            other = answers(theirs, sender(form), recipient(form))
            verdicts.add(verdict(other))
            if verdict(one) != verdict(other):
                wrong.append('%s: gatepost %s, Postfix %s' % (form, one, other))
    true(not wrong, '%d forms differ:\n%s' % (len(wrong), '\n'.join(wrong[:20])))
    true({'yes', 'no'} <= verdicts, 'Postfix judges all forms in one way: %s' % verdicts)


@case('no spelling of a sender is a stranger to its owner')
def senders(scene):
    with scene.outsider() as dialog:
        for form in FORMS:
            reply = answers(dialog, form, 'bob@lab.test')
            match(r'^553 5\.7\.1 .*Sender address rejected: not logged in$|^501 |'
                  r'^553 5\.1\.3 Invalid route address', reply, form)


@case('Postfix judges senders by sender_login_maps in the same way', mta='postfix')
def senders_alike(scene):
    with scene.settings(mynetworks=''):
        compare(scene, 'logins', lambda form: form, lambda form: 'bob@lab.test')


@case('Postfix judges recipients by tables in the same way', mta='postfix')
def recipient_tables_alike(scene):
    with scene.settings(recipient_restrictions='check_recipient_access texthash:%s/table'
                        % scene.gatepost.folder):
        compare(scene, 'recipients', lambda form: 'a@example.com', lambda form: form)


@case('Postfix judges senders by tables in the same way', mta='postfix')
def sender_tables_alike(scene):
    with scene.settings(sender_restrictions='check_sender_access texthash:%s/table'
                        % scene.gatepost.folder, sender_login_maps='', mynetworks=''):
        compare(scene, 'senders', lambda form: form, lambda form: 'bob@lab.test')


@case('no spelling of a recipient passes a table')
def recipients(scene):
    with scene.settings(recipient_restrictions='check_recipient_access texthash:%s/table'
                        % scene.gatepost.folder):
        with scene.dialog() as dialog:
            for form in FORMS + OTHERS[:5]:
                reply = answers(dialog, 'a@example.com', form)
                match(r'^554 5\.7\.1 .*Recipient address rejected: Access denied$|^501 |^553 5\.1|'
                      r'^550 5\.1\.1 User unknown', reply, form)


@case('a bare postmaster is served whatever the lists say')
def postmaster(scene):
    with scene.settings(client_restrictions='reject'):
        with scene.outsider() as dialog:
            match('^250', answers(dialog, 'a@example.com', 'postmaster'))
            match('^554', answers(dialog, 'a@example.com', 'postmaster@lab.test'))


@case('defer_if_reject ends with its list; relay and recipient restrictions are one', mta='postfix')
def borders(scene):
    for lists, (sender, code) in itertools.product(
            ('client', 'helo', 'sender'), (('x@far.example', '5'), ('bob@lab.test', '2'))):
        with scene.settings(**{lists + '_restrictions': 'defer_if_reject', 'mynetworks': ''}):
            with scene.outsider() as dialog:
                reply = answers(dialog, 'a@example.com', sender)
                equal(reply[:1], code, '%s %s' % (lists, reply))


own = '-o smtpd_milters= -o non_smtpd_milters= -o smtpd_reject_unlisted_sender=no '
postfix.SERVICES.update({
    'logins': own + '-o smtpd_sasl_auth_enable=yes'
              ' -o { smtpd_sender_restrictions = reject_sender_login_mismatch }',
    'senders': own + '-o { smtpd_sender_restrictions = check_sender_access $senders }',
    'recipients': own + '-o { smtpd_recipient_restrictions = check_recipient_access $senders,'
                        ' check_client_access static:OK, reject_unauth_destination }',
})


def prepare(scene):
    if not scene.postfix:
        return
    folder = scene.gatepost.folder
    with open(scene.postfix.folder + '/etc/main.cf', 'a') as main:
        # Hundreds of refusals in one session; and each recipient that is accepted begins a message,
        # which never ends: for those Postfix would wait a second each (in_flow_delay).
        main.write('smtpd_hard_error_limit = 100000\nsmtpd_soft_error_limit = 100000\n'
                   'smtpd_junk_command_limit = 100000\nin_flow_delay = 0\n'
                   'senders = texthash:%s/table\nsmtpd_sender_login_maps = texthash:%s/owners\n'
                   % (folder, folder))
    os.utime(scene.postfix.folder + '/etc/main.cf', (1, 1))


scenes.run(settings={'sender_login_maps': 'texthash:TABLES/owners', 'login_domains':
                     'lab.test mail.lab.test localhost [127.0.0.1]', 'origin': 'lab.test',
                     'local_domains': 'lab.test mail.lab.test localhost [127.0.0.1]',
                     'recipient_delimiter': '+', 'submission_listeners': ''},
           tables={'owners': OWNED, 'table': TABLE}, prepare=prepare)
