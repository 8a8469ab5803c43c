#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The ten tasks of the recipe packaging/recipes/everyday: whom each stops, and whom it does not."""
import os
import sys
sys.path.insert(0, sys.path[0])
import ctl
from tap import run

FOLDER = os.path.dirname(os.path.abspath(__file__)) + '/../../packaging/recipes/everyday/'


def read(name):
    with open(FOLDER + name, encoding='utf-8') as handle:
        return handle.read()


TABLES = {name: read(name) for name in os.listdir(FOLDER) if name != 'gatepost.conf'}
MESSAGE = 'From: a@far.example\nTo: bob@example.org\nSubject: x\n\nbody\n'
SETTINGS = read('gatepost.conf')


def rows(title, *lines, settings=SETTINGS):
    ctl.rows(title, settings, *lines, message=MESSAGE, **TABLES)


def login(name):
    return '--auth %s --tls TLSv1.3 --bits 256 --from %s@example.org ' % (name, name)


BOB, STAFF, ORDERS = '--rcpt bob@example.org', '--rcpt staff@example.org', '--rcpt orders@example.org'
FAR = '--rcpt x@far.example'
TABLE = 'reject rcpt check_sender_access'

rows('1 a domain for one recipient',
     ('--from a@offers.example ' + BOB, TABLE,
      '554 5.7.1 <a@offers.example>: Sender address rejected: He has asked you to stop'),
     ('--from a@offers.example --rcpt carol@example.org', 'accept'),
     ('--from a@far.example ' + BOB, 'accept'))
# A client that the other restrictions would refuse, as there is no DNS list here.
REFUSING = SETTINGS.replace('    reject_dnsbl\n', '    reject\n')
assert REFUSING != SETTINGS
rows('2 a client past the lists',
     ('--client 192.0.2.25 ' + BOB, 'accept'),
     ('--client 192.0.2.25 ' + FAR, 'reject rcpt reject_unauth_destination'),
     ('--client 192.0.2.26 ' + BOB, 'reject rcpt reject'), settings=REFUSING)
rows('3 a mailbox for this site',
     (STAFF, 'reject rcpt reject'),
     ('--client 192.0.2.25 ' + STAFF, 'reject rcpt reject'),
     ('--client 127.0.0.1 ' + STAFF, 'accept'),
     (login('bob') + STAFF, 'accept'))
rows('4 a mailbox for a partner',
     ('--from a@partner.example ' + ORDERS, 'accept'),
     ('--from a@far.example ' + ORDERS, 'reject rcpt reject'),
     ('--from a@partner.example ' + STAFF, 'reject rcpt reject'))
rows('5 abuse and postmaster',
     ('--rcpt abuse@example.org', 'accept'),
     ('--rcpt postmaster@example.org', 'accept'),
     (BOB, 'reject rcpt reject'),
     ('--rcpt abuse@far.example', 'reject rcpt reject_unauth_destination'), settings=REFUSING)
rows('6 a restriction on trial', ('--client 203.0.113.9 ' + BOB, 'accept'))
rows('6 the same in force',
     ('--client 203.0.113.9 ' + BOB, 'tempfail rcpt reject_unknown_reverse_client_hostname'),
     settings=SETTINGS.replace('    warn_if_reject ', '    '))
rows('7 a login for this site alone',
     (login('intern') + BOB, 'accept'),
     (login('intern') + FAR, 'reject rcpt reject_unauth_destination'),
     (login('bob') + FAR, 'accept'))
rows('8 a login from given networks',
     (login('scanner') + FAR + ' --client 198.51.100.7', 'accept'),
     (login('scanner') + FAR + ' --client 2001:db8:1::7', 'accept'),
     (login('scanner') + FAR, 'reject rcpt reject'),
     (login('scanner') + BOB + ' --client 2001:db8:2::7', 'reject rcpt reject'),
     (login('scanner').replace('--from scanner', '--from bob') + FAR + ' --client 198.51.100.7',
      'reject rcpt reject_authenticated_sender_login_mismatch'),
     (login('bob') + FAR, 'accept'))
rows('9 a false name in HELO',
     ('--helo example.org ' + BOB, 'reject rcpt check_helo_access'),
     ('--helo mail.example.org ' + BOB, 'reject rcpt check_helo_access'),
     ('--helo mail.far.example ' + BOB, 'accept'),
     ('--helo mail.example.org --client 127.0.0.1 ' + BOB, 'accept'),
     ('--helo mail.example.org ' + login('bob') + BOB, 'accept'))
rows('10 a sender whose mail is held',
     ('--from press@far.example %s -' % BOB, 'hold message check_sender_access'),
     ('--from other@far.example %s -' % BOB, 'accept'))

run()
