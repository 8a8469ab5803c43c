#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What readers of a message are shown: reject_unusable_from, reject_from_domain_mismatch and
reject_visible_recipients. Each row: a header, the arguments of gatepostctl test, what must come of
it."""
import re
import sys
sys.path.insert(0, sys.path[0])
import ctl
from tap import CASES, absent, case, equal, match, run

SITE = 'local_domains = lab.test\nmessage_restrictions = %s\n'
INSIDE = '--client 127.0.0.1 '
FROM = '--from a@lab.test --rcpt x@lab.test -'
NULL = '--from "<>" --rcpt x@lab.test -'


def rows(title, settings, *lines):
    files = []
    for header, arguments, expected, *reply in lines:
        def one(header=header, arguments=arguments, expected=expected, reply=reply):
            if not files:
                files.append(ctl.Settings(settings))
            ctl.judge(files[0], header + '\nSubject: x\n\nbody\n', arguments, expected,
                      re.compile(reply[0]) if reply else None)
        CASES.append(('%s: %r %s' % (title, header[:60], arguments), one))


REFUSED = 'reject message reject_unusable_from'
UNUSABLE = r'^550 5\.7\.1 Message refused: '
rows('reject_unusable_from', SITE % 'reject_unusable_from',
     ('From: a@lab.test', FROM, 'accept'),
     ('From: A <a@far.test>, b@far.test', FROM, 'accept'),
     ('From: x: a@far.test;', FROM, 'accept'),
     ('From: "a b"@[192.0.2.1]', FROM, 'accept'),
     ('To: a@lab.test', FROM, REFUSED, UNUSABLE + 'no From: field$'),
     ('From: a@lab.test\nFROM: a@lab.test', FROM, REFUSED, UNUSABLE + 'more than one From: field$'),
     ('From:', FROM, REFUSED, UNUSABLE + 'no address in the From: field$'),
     ('From: nobody', FROM, REFUSED, UNUSABLE + 'no address'),
     ('From: undisclosed:;', FROM, REFUSED, UNUSABLE + 'no address'),
     ('From: (a@lab.test)', FROM, REFUSED, UNUSABLE + 'no address'),
     ('From: nobody', INSIDE + FROM, 'accept'),
     ('From: ', INSIDE + FROM, REFUSED),
     ('To: a@lab.test', INSIDE + FROM, REFUSED),
     ('To: a@lab.test', NULL, 'accept'),
     ('From: a@lab.test\nFrom: b@lab.test', NULL, 'accept'))
rows('reject_unusable_from on trial', SITE % 'warn_if_reject reject_unusable_from',
     ('To: a@lab.test', FROM, 'accept'))

MISMATCH = 'reject message reject_from_domain_mismatch'
OTHER = r"^550 5\.7\.1 <%s>: From address rejected: not of the envelope sender's domain$"
rows('reject_from_domain_mismatch', SITE % 'reject_from_domain_mismatch' + 'origin = lab.test\n',
     ('From: b@lab.test', FROM, 'accept'),
     ('From: b@LAB.test', FROM, 'accept'),
     ('From: b@sub.lab.test', FROM, 'accept'),
     ('From: b@lab.test', '--from a@deep.sub.lab.test --rcpt x@lab.test -', 'accept'),
     ('From: b@b\u00fccher.example', '--from a@xn--bcher-kva.example --rcpt x@lab.test -', 'accept'),
     ('From: b@far.test', FROM, MISMATCH, OTHER % 'b@far.test'),
     ('From: b@notlab.test', FROM, MISMATCH),
     ('From: b@lab.test.far.test', FROM, MISMATCH),
     ('From: b@b.test', '--from a@a.test --rcpt x@lab.test -', MISMATCH),
     ('From: b@far.test', '--from a@test --rcpt x@lab.test -', MISMATCH),
     ('From: b@sub1.lab.test', '--from a@sub2.lab.test --rcpt x@lab.test -', MISMATCH),
     ('From: b@lab.test, c@far.test', FROM, MISMATCH, OTHER % 'c@far.test'),
     ('From: b@lab.test\nFrom: c@far.test', FROM, MISMATCH, OTHER % 'c@far.test'),
     ('From: "b@far.test" <b@lab.test>', FROM, 'accept'),
     ('From: Doe, John <b@lab.test>', FROM, 'accept'),
     ('From: b', FROM, 'accept'),
     ('From: b', '--from a@far.test --rcpt x@lab.test -', MISMATCH),
     ('From: b@lab.test', '--from a --rcpt x@lab.test -', 'accept'),
     ('From: b@far.test', '--from a --rcpt x@lab.test -', MISMATCH),
     ('From: b@far.test', NULL, 'accept'),
     ('From: <b@lab.test> <c@far.test>', FROM, MISMATCH),
     ('To: b@far.test', FROM, 'accept'))

MANY = 'reject message reject_visible_recipients'
TOO_MANY = r'^550 5\.5\.3 Too many visible recipients \(%d, at most %d\); use Bcc$'
LIMITS = (SITE % 'reject_visible_recipients') + '''max_visible_recipients = 3
recipient_profiles = inline:{l@lab.test=large, n@lab.test=none, o@lab.test=other}
[listener inner]
max_visible_recipients = 1
[profile large]
max_visible_recipients = 4
[profile none]
max_visible_recipients = 0
[profile other]
dnsbl_threshold = 9
'''


def people(count, start=0):
    return ', '.join('p%d@far.test' % i for i in range(start, start + count))


rows('reject_visible_recipients', LIMITS,
     ('To: ' + people(3), FROM, 'accept'),
     ('To: ' + people(4), FROM, MANY, TOO_MANY % (4, 3)),
     ('To: %s\nCc: %s' % (people(2), people(2, 5)), FROM, MANY, TOO_MANY % (4, 3)),
     ('To: %s\nTo: %s' % (people(2), people(2, 5)), FROM, MANY, TOO_MANY % (4, 3)),
     ('To: x: %s;\nCc: "a, b" <p9@far.test>' % people(2), FROM, 'accept'),
     ('Bcc: ' + people(9), FROM, 'accept'),
     ('To: undisclosed-recipients:;', FROM, 'accept'),
     ('Subject: ' + people(9), FROM, 'accept'),
     ('To: ' + people(2), FROM + ' --listener inner', MANY, TOO_MANY % (2, 1)),
     ('To: ' + people(4), FROM.replace('x@', 'l@'), 'accept'),
     ('To: ' + people(5), FROM.replace('x@', 'l@'), MANY, TOO_MANY % (5, 4)),
     ('To: ' + people(4), FROM.replace('x@', 'o@'), MANY, TOO_MANY % (4, 3)),
     ('To: ' + people(99), FROM.replace('x@', 'n@'), 'accept'),
     ('To: ' + people(4), '--rcpt l@lab.test ' + FROM, 'accept'),
     ('To: ' + people(99), '--rcpt n@lab.test ' + FROM, 'accept'))
rows('no limit', SITE % 'reject_visible_recipients', ('To: ' + people(500), FROM, 'accept'))


@case('check warns of reject_from_domain_mismatch where strangers reach it, and there alone')
def strangers():
    pattern = 'warning: message_restrictions: reject_from_domain_mismatch is asked of strangers'
    for text, warned in (
            (SITE % 'reject_from_domain_mismatch', True),
            (SITE % 'permit_mynetworks permit_sasl_authenticated reject_from_domain_mismatch', True),
            (SITE % 'warn_if_reject reject_from_domain_mismatch', False),
            ('local_domains = lab.test\n[listener submission]\n'
             'message_restrictions = reject_from_domain_mismatch\n', False),
            ('local_domains = lab.test\n[listener smtp]\n'
             'message_restrictions = reject_from_domain_mismatch\n', True),
            ('restriction_classes = own\nown = reject_from_domain_mismatch\n' +
             SITE % 'check_sasl_access static:own', False)):
        done = ctl.Settings(text).run('check')
        equal(done.returncode, 0, done.stderr)
        (match if warned else absent)(pattern, done.stderr)


@case('the three stand in message_restrictions alone')
def places():
    for word in ('unusable_from', 'from_domain_mismatch', 'visible_recipients'):
        done = ctl.Settings('recipient_restrictions = reject_%s\n' % word).run('check')
        equal(done.returncode, 78)
        match('reject_%s looks at the message; put it into message_restrictions' % word, done.stderr)


run()
