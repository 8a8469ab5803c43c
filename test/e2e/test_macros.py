#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a real MTA tells of macros: those that it is asked for, at the stages for which they are
asked, and nothing before each field of a header."""
import sys
sys.path.insert(0, sys.path[0] + '/../lib')
from milter import Between
from scene import MTA, run
from smtp import message, token
from tap import case, equal, match, true, until

BETWEEN = Between()
ASKED = {
    'C': 'j v {client_addr} {client_name} {client_ptr} {client_resolve} {client_port} {daemon_name} '
         '{daemon_port}',
    'H': '{tls_version} {cipher} {cipher_bits} {verify} {cert_subject} {cert_issuer} {auth_type}',
    'M': 'i {auth_type} {auth_authen} {tls_version} {cipher} {cipher_bits} {verify} {cert_subject} '
         '{cert_issuer} {mail_mailer} {mail_host} {mail_addr}',
    'R': 'i {rcpt_mailer} {rcpt_host} {rcpt_addr}',
    'E': 'i',
}


def look_on(scene):
    BETWEEN.filter = scene.gatepost.port
    if MTA == 'sendmail':
        scene.mta.filter_by(scene.gatepost, lambda lines: lines.replace(
            'inet:%d@' % scene.gatepost.port, 'inet:%d@' % BETWEEN.port))


def named(data):
    """The macros of a packet: those that have a value."""
    words = data[1:].split(b'\0')
    return {name.decode() for name, value in zip(words[::2], words[1::2]) if value}


@case('macros come at the stages that they are asked for, and before no field')
def stages(scene):
    word = token()
    with scene.outsider() as dialog:
        match('^250', dialog.deliver('a@example.com', ['bob@lab.test'],
                                     message(word, subject=word))[-1])
    true(scene.sink.wait(word), 'it arrives')
    until(lambda: any('E' in dict(said) for said in BETWEEN.connections), 10, 'the end')
    said = [said for said in BETWEEN.connections if 'E' in dict(said)][-1]
    letters = [letter for letter, _ in said]
    true(letters.count('L') > 2, 'the header was told: %s' % ''.join(letters))
    told = {}
    for letter, data in said:
        if letter == 'D':
            told.setdefault(chr(data[0]), set()).update(named(data))
    for stage, names in told.items():
        equal(names - set(ASKED.get(stage, '').split()), set(), 'not asked for at ' + stage)
    for stage, name in (('C', '{client_addr}'), ('R', '{rcpt_addr}'), ('E', 'i')):
        true(name in told.get(stage, ()), '%s at %s: %s' % (name, stage, told))
    true(scene.gatepost.lines and 'queue_id=-' not in scene.gatepost.lines[-1], 'its queue ID')


run(main={'smtpd_milters': 'inet:127.0.0.1:%d' % BETWEEN.port}, prepare=look_on,
    settings={'message_restrictions': 'reject_spam', 'rule_files': ''})
