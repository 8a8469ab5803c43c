#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Spam by rule: settings, rule files, messages as `gatepostctl test` takes them, what they score
and what becomes of them."""
import os
import shlex
import sys
sys.path.insert(0, sys.path[0])
import ctl
import place
from tap import CASES, Failure, absent, case, equal, match, run, true

# The example of the manual, to the letter.
LOCAL = r'''header LOCAL_CHARSET_BLOCKED Subject:raw =~/\=\?(koi8-r|windows-1251)\?/i
score LOCAL_CHARSET_BLOCKED 5
describe LOCAL_CHARSET_BLOCKED Contains charsets that are not acceptable
'''
SITE = '''local_domains = lab.test
rule_files = site.cf
'''
RUSSIAN = SITE + '''recipient_profiles = inline:{rus@lab.test=russian, .sub.lab.test=russian}
[profile russian]
score LOCAL_CHARSET_BLOCKED = 0
'''
KOI = 'Subject: =?koi8-r?B?8NLJ18XU?='
CHECK = 'reject_spam'


def message(*fields, body='body\n'):
    head = ('From: Writer <writer@far.example>', 'To: bob@lab.test', *fields)
    return '\n'.join(head) + '\n\n' + body


def site(rules, settings=SITE, **tables):
    return ctl.Settings(settings, **{'site.cf': rules}, **tables)


def names(found):
    return [rule['name'] for rule in found['rules']]


def bytes_of(text):
    """A message as bytes: what stands in it as U+DC80 to U+DCFF is a raw byte."""
    return text.encode('utf-8', 'surrogateescape')


def scores(title, rules, *rows):
    """Each row: fields of a header, the score, names of the rules that hit."""
    def one(row):
        *fields, score, hits = row
        found, _ = site(rules).test('-', bytes_of(message(*fields)))
        equal((found['score'], names(found)), (score, hits.split()), 'score and rules')
    for row in rows:
        CASES.append(('%s: %s' % (title, ascii(row[0])[:60]), lambda row=row: one(row)))


scores('the rule of the manual', LOCAL,
       (KOI, 5, 'LOCAL_CHARSET_BLOCKED'),
       ('subject: =?KOI8-R?Q?=F0?=', 5, 'LOCAL_CHARSET_BLOCKED'),
       ('Subject: hello =?windows-1251?B?z/Do4uXy?=', 5, 'LOCAL_CHARSET_BLOCKED'),
       ('Subject: a\n =?Windows-1251?B?z/Do4uXy?=', 5, 'LOCAL_CHARSET_BLOCKED'),
       ('Subject: koi8-r', 0, ''),
       ('Subject: =?utf-8?B?0J/RgNC40LLQtdGC?=', 0, ''),
       ('X-Other: =?koi8-r?B?8NLJ18XU?=', 0, ''))

scores('charset', 'charset C koi8-r cp1251\ncharset F in From,Reply-To koi8-r\nscore F 2\n',
       (KOI, 1, 'C'),
       ('Subject: =?CSKOI8R?B?8NLJ18XU?=', 1, 'C'),
       ('Subject: =?koi8-r*ru?B?8NLJ18XU?=', 1, 'C'),
       ('Subject: =?cp1251?B?z/Do4uXy?=', 1, 'C'),
       ('X-Any: =?windows-1251?B?z/Do4uXy?=', 1, 'C'),
       ('Content-Type: text/plain; charset="WINDOWS-1251"', 1, 'C'),
       ('Content-Type: text/plain; charset*0=koi8; charset*1=-r', 1, 'C'),
       ('Reply-To: =?koi8-r?B?8NLJ18XU?= <a@far.example>', 3, 'C F'),
       ('Subject: =?koi8-u?B?8NLJ18XU?=', 0, ''),
       ('Content-Type: text/plain; charset=utf-8', 0, ''))

scores('raw8bit', 'charset RAW raw8bit\n',
       ('Subject: \udcf0\udcd2\udcc9', 1, 'RAW'),
       ('Subject: \u041f\u0440\u0438\u0432\u0435\u0442', 1, 'RAW'),
       ('Subject: hello', 0, ''))

scores('script', 'script CYR Cyrillic >= 30%\nscript SUBJ in Subject Cyrillic Greek >= 100%\n',
       ('Subject: =?utf-8?B?0J/RgNC40LLQtdGC0J/RgNC40LLQtdGC?=', 2, 'CYR SUBJ'),
       (KOI, 2, 'CYR SUBJ'),
       ('Subject: =?koi8-r?B?8NLJ18XU?= hi', 1, 'CYR'),
       ('Subject: hello everybody, what =?koi8-r?B?8Nc=?= means', 0, ''),
       ('Subject: 12345 !', 0, ''))

scores('sums', 'header A Subject =~ /a/\nscore A 0.0004\nheader B Subject =~ /b/\nscore B 0.0004\n'
       'header C Subject =~ /c/\nscore C 1.2346\n',
       ('Subject: a', 0, 'A'), ('Subject: ab', 0.001, 'A B'), ('Subject: c', 1.235, 'C'))


def shares(line, **expected):
    @case('shares of scripts: ' + ascii(line)[:50])
    def one():
        found, _ = ctl.Settings('rule_files = \nlocal_domains = lab.test\n').test(
            '-', bytes_of(message(line)))
        equal(found['scripts'], expected, 'scripts')


# "Writer" counts, 6 letters.
shares('Subject: =?koi8-r?B?8NLJ18XU?=', Cyrillic=0.5, Latin=0.5)
shares('Subject: Hello', Latin=1)
shares('Subject: \u4f60\u597d', Latin=0.75, Han=0.25)


@case('charsets are told without any rule, of words, Content-Type and parts')
def charsets():
    text = message('Subject: =?KOI8-R?B?8NLJ18XU?= =?koi8-r?B?8NLJ18XU?=',
                   'X-More: =?cp1252?Q?=E9?=',
                   'Content-Type: multipart/mixed; boundary="=_b"',
                   body='--=_b\nContent-Type: text/plain;\n charset="Big5"\n\nx\n--=_b--\n')
    for rules in ('', 'header A Subject =~ /x/\n'):
        found, code = site(rules).test('-', text)
        equal(found['charsets'], ['koi8-r', 'windows-1252', 'big5'], 'charsets')
        equal((found['score'], found['required'], found['rules'], code), (0, 5, [], 0))


@case('a charset rule sees the MIME parts, those of a message within, too')
def parts():
    body = ('--a\nContent-Type: message/rfc822\n\nSubject: x\n'
            'Content-Type: text/plain; charset=koi8-r\n\nx\n--a--\n')
    found, _ = site('charset C koi8-r\n').test(
        '-', message('Content-Type: multipart/mixed; boundary=a', body=body))
    equal(names(found), ['C'])
    found, _ = site('charset C koi8-r\n').test('-', message(body=body))
    equal(names(found), [], 'without a multipart')
    far = message('Content-Type: multipart/mixed; boundary=a',
                  body='--a\n\n' + 'x' * 70 * 1024 + '\n' + body)
    found, _ = site('charset C koi8-r\n').test('-', far)
    equal((names(found), found['charsets']), ([], []), 'beyond 64 kB')


@case('the envelope alone: all fields are there, and empty')
def envelope():
    found, _ = site(LOCAL).test('')
    equal([found[key] for key in ('score', 'rules', 'charsets', 'scripts', 'headers', 'required')],
          [0, [], [], {}, [], 5])


@case('tagged: the fields that are added')
def tagged():
    found, code = site(LOCAL + 'header B From =~ /far/\nscore B 2\n').test('-', message(KOI))
    equal(found['headers'], ['X-Spam-Flag: YES', 'X-Spam-Score: 7.0', 'X-Spam-Status: Yes, '
                             'score=7.0 required=5.0 tests=B,LOCAL_CHARSET_BLOCKED'])
    equal((found['verdict'], code), ('accept', 0))


@case('refused: the reply')
def refused():
    rules = LOCAL + 'score LOCAL_CHARSET_BLOCKED 9.5\nheader B From =~ /far/\nscore B 2.5\n'
    found, code = site(rules).test('-', message(KOI))
    equal([found[key] for key in ('verdict', 'stage', 'check', 'headers')],
          ['reject', 'message', CHECK, []])
    equal(found['reply'], '550 5.7.1 Message refused: spam score 12.0 (B, LOCAL_CHARSET_BLOCKED)')
    equal((found['score'], code), (12, 1))


@case('refused by a hundred rules: the reply is cut, nothing else')
def many():
    rules = ''.join('header RULE_NUMBER_%03d From =~ /far/\n' % n for n in range(100))
    found, _ = site(rules).test('-', message())
    equal((found['score'], len(found['rules'])), (100, 100))
    match(r'^550 5\.7\.1 Message refused: spam score 100\.0 \(RULE_NUMBER_000, .*\.\.\.\)$',
          found['reply'])
    true(len(found['reply']) < 512, 'the reply is too long')


@case('tagged by a hundred rules: the field is folded')
def folded():
    rules = ''.join('header RULE_NUMBER_%03d From =~ /far/\n' % n for n in range(100))
    found, _ = site(rules, SITE + 'reject_score = 1000\n').test('-', message())
    status = found['headers'][2]
    true(all(len(line) < 998 for line in status.split('\n')), 'a line is too long')
    equal(status.replace('\n\t', '').count('RULE_NUMBER_'), 100)


@case('accepted for one who reads Russian, tagged for others')
def profile():
    settings = site(LOCAL, RUSSIAN)
    for rcpt, score in (('rus@lab.test', 0), ('bob@lab.test', 5), ('x@a.sub.lab.test', 5)):
        found, _ = settings.test('--rcpt %s -' % rcpt, message(KOI))
        expected = 0 if 'sub' in rcpt else score  # not local: never comes so far
        if 'sub' not in rcpt:
            equal((found['score'], bool(found['headers'])), (expected, score > 0), rcpt)


@case('a profile for a domain and one for what is below it')
def profile_domain():
    settings = site(LOCAL, 'local_domains = lab.test sub.lab.test other.test\nrule_files = site.cf\n'
                    'recipient_profiles = inline:{.lab.test=r, other.test=r}\n'
                    '[profile r]\nscore LOCAL_CHARSET_BLOCKED = 0\n')
    for rcpt, score in (('a@sub.lab.test', 0), ('a@lab.test', 5), ('a@OTHER.test', 0),
                        ('a+b@other.test', 0)):
        equal(settings.test('--rcpt %s -' % rcpt, message(KOI))[0]['score'], score, rcpt)


@case('the same message is refused for one user and accepted for the other')
def refuse_one():
    settings = site(LOCAL, RUSSIAN.replace('[profile', 'reject_score = 5\n[profile'))
    found, code = settings.test('--rcpt bob@lab.test -', message(KOI))
    equal((found['verdict'], found['check'], code), ('reject', CHECK, 1))
    found, code = settings.test('--rcpt rus@lab.test -', message(KOI))
    equal((found['verdict'], found['score'], code), ('accept', 0, 0))


@case('mixed recipients, lenient: the mildest outcome, and its score')
def lenient():
    settings = site(LOCAL, RUSSIAN.replace('[profile', 'reject_score = 5\n[profile'))
    for order in ('bob rus', 'rus bob', 'bob bob rus'):
        found, code = settings.test(' '.join('--rcpt %s@lab.test' % name
                                             for name in order.split()) + ' -', message(KOI))
        equal((found['verdict'], found['score'], found['rules'], found['headers'], code),
              ('accept', 0, [], [], 0), order)


@case('mixed recipients, split: who has another profile comes back')
def split():
    settings = site(LOCAL, RUSSIAN.replace('[profile', 'mixed_recipients = split\n[profile'))
    arguments = '--rcpt bob@lab.test --rcpt rus@lab.test --rcpt carol@lab.test -'
    found, code = settings.test(arguments, message(KOI))
    equal([one['verdict'] for one in found['recipients']], ['accept', 'tempfail', 'accept'])
    match(r'^452 4\.5\.3 ', found['recipients'][1]['reply'])
    equal((found['score'], len(found['headers']), code), (5, 3, 1))
    found, code = settings.test('--rcpt rus@lab.test -', message(KOI))
    equal((found['verdict'], found['score'], code), ('accept', 0, 0))
    for who in ('--client 127.0.0.1', '--auth bob --tls TLSv1.3', '--local'):
        found, _ = settings.test(who + ' ' + arguments, message(KOI))
        equal([one['verdict'] for one in found['recipients']], ['accept'] * 3, who)


@case('what is required: rule files, settings, profile')
def required():
    rows = [('', '', 5), ('required_score 3\n', '', 3), ('required_score 3\n', 'tag_score = 4\n', 4),
            ('required_score 3\n', '[profile p]\ntag_score = 6\n', 6),
            ('', 'tag_score = 4\n[profile p]\ntag_score = 6\n', 6),
            ('required_score 3\n', '[profile p]\nscore A = 2\n', 3),
            ('required_hits 2.5\n', '', 2.5)]
    for rules, more, score in rows:
        settings = site(rules + 'header A Subject =~ /a/\n',
                        SITE + 'recipient_profiles = static:%s\n' % ('p' if '[' in more else '')
                        + more if '[' in more else SITE + more)
        found, _ = settings.test('-', message('Subject: a'))
        equal(found['required'], score, repr((rules, more)))


@case('a profile with thresholds of its own')
def thresholds():
    settings = site(LOCAL, SITE + 'recipient_profiles = inline:{low@lab.test=low, high@lab.test='
                    'high}\n[profile low]\ntag_score = 1\nreject_score = 5\n[profile high]\n'
                    'tag_score = 100\nreject_score = 200\n')
    verdicts = [settings.test('--rcpt %s@lab.test -' % who, message(KOI))[0]
                for who in ('low', 'high', 'bob')]
    equal([(found['verdict'], found['required'], len(found['headers'])) for found in verdicts],
          [('reject', 1, 0), ('accept', 100, 0), ('accept', 5, 3)])


@case('a threshold is compared with the rounded sum')
def rounded():
    rules = 'header A Subject =~ /a/\nscore A 4.9996\n'
    found, _ = site(rules).test('-', message('Subject: a'))
    equal((found['score'], len(found['headers'])), (5, 3))
    found, _ = site(rules.replace('4.9996', '4.9994')).test('-', message('Subject: a'))
    equal((found['score'], len(found['headers'])), (4.999, 0))


@case('those at home are neither scored nor tagged')
def home():
    for who in ('--client 127.0.0.1', '--auth bob --tls TLSv1.3', '--local'):
        found, _ = site(LOCAL).test(who + ' -', message(KOI))
        equal((found['score'], found['headers'], found['charsets']), (0, [], ['koi8-r']), who)


@case('reject_spam in front of permit_mynetworks judges all')
def in_front():
    found, _ = site(LOCAL, SITE + 'message_restrictions = reject_spam permit_mynetworks\n').test(
        '--client 127.0.0.1 -', message(KOI))
    equal(found['score'], 5)


@case('monitor mode says what would have been')
def monitor():
    settings = site(LOCAL, SITE + 'mode = monitor\nreject_score = 5\n')
    found, code = settings.test('-', message(KOI))
    equal((found['verdict'], found['check'], code), ('accept', CHECK, 0))
    match('^550 5.7.1 Message refused', found['reply'])
    settings = site(LOCAL, SITE + 'mode = monitor\n')
    found, code = settings.test('-', message(KOI))
    equal((found['score'], found['headers']), (5, []))


@case('warn_if_reject reject_spam lets pass, tagged')
def warned():
    for words in ('warn_if_reject reject_spam', 'warn_if_reject reject_spam, warn_if_reject '
                  'reject_spam'):
        settings = site(LOCAL, SITE + 'reject_score = 5\nmessage_restrictions = %s\n' % words)
        found, code = settings.test('-', message(KOI))
        equal((found['verdict'], found['score'], len(found['headers']), code), ('accept', 5, 3, 0))


@case('warn_if_reject reject_spam, then reject_spam: refused')
def warned_then_refused():
    settings = site(LOCAL, SITE + 'reject_score = 5\n'
                    'message_restrictions = warn_if_reject reject_spam, reject_spam\n')
    found, _ = settings.test('-', message(KOI))
    equal((found['verdict'], found['check']), ('reject', CHECK))


@case('a table may ask for reject_spam, and the body is there for it')
def by_table():
    text = message('Content-Type: multipart/mixed; boundary=a',
                   body='--a\nContent-Type: text/plain; charset=koi8-r\n\nx\n--a--\n')
    settings = site('charset C koi8-r\nscore C 20\n', SITE + 'message_restrictions = '
                    'check_from_access inline:{writer@far.example=reject_spam}\n')
    found, _ = settings.test('-', text)
    equal((found['verdict'], found['check']), ('reject', CHECK))


@case('reject_spam in the table of another list is warned of')
def by_wrong_table():
    settings = site(LOCAL, SITE + 'client_restrictions = check_client_access '
                    'inline:{203.0.113.9=reject_spam}\n')
    done = settings.shell('check')
    equal(done.returncode, 0)
    match('"reject_spam" cannot stand in client_restrictions; mail .* deferred', done.stderr)
    absent('cannot stand', site(LOCAL, SITE + 'client_restrictions = check_client_access inline:{'
                                '1=REJECT go, 2=permit_mynetworks, 3=warn_if_reject reject}\n'
                                ).shell('check').stderr)


LISTENERS = SITE + '''[listener strict]
rule_files = strict.cf
reject_score = 3
[listener :2525]
tag_score = 4
[listener :26]
message_restrictions =
'''


@case('listeners with rules, thresholds and restrictions of their own')
def listeners():
    settings = site(LOCAL, LISTENERS, **{'strict.cf': 'header S Subject =~ /./\nscore S 4\n'})
    rows = [('', 'accept', 5, 5, 3), ('--listener strict', 'reject', 4, 5, 0),
            ('--listener :2525', 'accept', 5, 4, 3), ('--listener :26', 'accept', 0, 5, 0)]
    for words, verdict, score, needed, headers in rows:
        found, _ = settings.test(words + ' -', message(KOI))
        equal((found['verdict'], found['score'], found['required'], len(found['headers'])),
              (verdict, score, needed, headers), words)


@case('welcome and block lists')
def lists():
    rules = 'blocklist_from *@spam.example bad@*\nwhitelist_from friend@spam.example\n'
    rows = [('a@spam.example', ['USER_IN_BLOCKLIST'], 100), ('A@SPAM.example',
            ['USER_IN_BLOCKLIST'], 100), ('bad@good.example', ['USER_IN_BLOCKLIST'], 100),
            ('friend@spam.example', ['USER_IN_BLOCKLIST', 'USER_IN_WELCOMELIST'], 0),
            ('a@good.example', [], 0)]
    for address, hits, score in rows:
        text = 'From: <%s>\nSubject: x\n\nbody\n' % address
        found, _ = site(rules).test('--from x@else.example -', text)
        equal((names(found), found['score']), (hits, score), address)
    found, _ = site(rules).test('--from bad@else.example -', 'From: <a@good.example>\n\n')
    equal(names(found), ['USER_IN_BLOCKLIST'], 'of the envelope')


ACCESS = ('sender_restrictions = check_sender_access texthash:spammers\nmessage_restrictions = '
          'check_from_access spammers, check_header_access Reply-To spammers, reject_spam\n')
SPAMMERS = 'bad@spam.example REJECT known here\nworse.example 550 5.7.1 known too\n'


@case('one list of addresses for envelope, From: and another field')
def access():
    settings = site('', SITE + ACCESS, spammers=SPAMMERS)
    rows = [('--from bad@spam.example', 'hello', 'rcpt', 'check_sender_access',
             '554 5.7.1 <bad@spam.example>: Sender address rejected: known here'),
            ('--from x@else.example', 'From: "A, B" <BAD@spam.example>', 'message',
             'check_from_access',
             '554 5.7.1 <BAD@spam.example>: From address rejected: known here'),
            ('--from x@else.example', 'From: a@b.example, (c) x@sub.worse.example', 'message',
             'check_from_access',
             '550 5.7.1 <x@sub.worse.example>: From address rejected: known too'),
            ('--from x@else.example', 'Reply-To: <y@worse.example>', 'message',
             'check_header_access',
             '550 5.7.1 <Reply-To>: Header field rejected: known too')]
    for words, field, stage, check, reply in rows:
        found, _ = settings.test(words + ' -', field + '\n\nbody\n')
        equal([found[key] for key in ('stage', 'check', 'reply')], [stage, check, reply])
    found, code = settings.test('--from x@else.example -', 'From: good@spam.example\n\nbody\n')
    equal((found['verdict'], code), ('accept', 0))


# Envelope senders as they are typed, and as the MTA hands them on: with the origin, and without.
ENVELOPES = [
    ('boss@lab.test', 'boss@lab.test', 'boss@lab.test'), ('boss', 'boss@lab.test', 'boss'),
    ('"boss"', 'boss@lab.test', 'boss'), ('boss%lab.test', 'boss@lab.test', 'boss@lab.test'),
    ('lab.test!boss', 'boss@lab.test', 'boss@lab.test'),
    ('@lab.test:boss@lab.test', 'boss@lab.test', 'boss@lab.test'),
    ('boss@lab.test@lab.test', 'boss@lab.test', 'boss@lab.test'),
    ('"boss"@lab.test', 'boss@lab.test', 'boss@lab.test'),
    ('"boss@lab.test"@lab.test', 'boss@lab.test', 'boss@lab.test'),
    ('boss@lab.test.', 'boss@lab.test', 'boss@lab.test'),
    ('Boss@Lab.Test', 'Boss@Lab.Test', 'Boss@Lab.Test'),
    ('"boss.x"@lab.test', 'boss.x@lab.test', 'boss.x@lab.test'),
    ('"b oss"@lab.test', '"b oss"@lab.test', '"b oss"@lab.test'),
    ('boss%far.example@lab.test', 'boss@far.example', 'boss@far.example'),
    ('boss%lab.test@far.example', 'boss%lab.test@far.example', 'boss%lab.test@far.example')]


@case('EnvelopeFrom and the lists see the envelope sender as the MTA hands it on')
def envelopes():
    for origin, column in (('origin = lab.test\n', 1), ('', 2)):
        for row in ENVELOPES:
            pattern = ''.join(c if c.isalnum() else '\\' + c for c in row[column])
            found, _ = site('header SEEN EnvelopeFrom =~ /^%s$/\n'
                            'blocklist_from boss@lab.test\nscore USER_IN_BLOCKLIST 2\n' % pattern,
                            SITE + origin).test("--from '%s' -" % row[0], message())
            listed = row[column].lower() == 'boss@lab.test'
            equal(names(found), ['SEEN'] + ['USER_IN_BLOCKLIST'] * listed, (origin, row))


@case('more addresses in From: than are read hide no forged one')
def crowd():
    settings = site('', SITE + 'sender_login_maps = inline:{bob@lab.test=bob, root@lab.test=root}\n'
                    'message_restrictions = reject_from_login_mismatch\n')
    login = '--auth bob --mech PLAIN --tls TLSv1.3 --bits 256 --from bob@lab.test -'
    for count, expected in ((9000, '553 5.7.1 <root@lab.test>: From address rejected: not owned by '
                                   'user bob'),
                            (11000, '552 5.3.4 More addresses in one field than can be checked')):
        found, _ = settings.test(login, 'From: bob@lab.test, %sroot@lab.test\n\n' % ('x,' * count))
        equal(found['reply'], expected, '%d before it' % count)


@case('a hundred thousand addresses, as a table and as rules')
def large():
    count = 100000
    table = ''.join('user%d@spam%d.example REJECT\n' % (n, n % 977) for n in range(count))
    rules = ''.join('blocklist_from user%d@spam%d.example\n' % (n, n % 977) for n in range(count))
    settings = site(rules, SITE + ACCESS, spammers=table)
    found, _ = settings.test('--from x@else.example -', 'From: user99999@spam%d.example\n\n'
                             % (99999 % 977))
    equal(found['check'], 'check_from_access')
    settings = site(rules)
    found, _ = settings.test('--from x@else.example -', 'From: USER4@spam4.example\n\n')
    equal((names(found), found['check']), (['USER_IN_BLOCKLIST'], CHECK))
    found, _ = settings.test('--from x@else.example -', 'From: user4@spam5.example\n\n')
    equal(names(found), [])


@case('a list that is replaced')
def replaced():
    settings = site('', SITE + ACCESS, spammers=SPAMMERS)
    text = 'From: <new@fresh.example>\n\nbody\n'
    equal(settings.test('--from x@else.example -', text)[0]['verdict'], 'accept')
    place.write(settings.folder + '/spammers.new', SPAMMERS + 'new@fresh.example REJECT\n')
    os.rename(settings.folder + '/spammers.new', settings.folder + '/spammers')
    equal(settings.test('--from x@else.example -', text)[0]['verdict'], 'reject')


@case('check_header_access reads a field as a reader does')
def header_access():
    settings = site('', SITE + 'message_restrictions = check_header_access Subject pcre:subjects\n',
                    subjects='/^casino/ REJECT no games\n/\u043f\u0440\u0438/ REJECT hello\n')
    for subject, verdict in (('Casino', 'reject'), ('=?utf-8?B?Q2FzaW5v?=', 'reject'),
                             ('=?utf-8?Q?cas?=\n =?utf-8?Q?ino?=', 'reject'),
                             ('my casino', 'accept'), ('=?utf-8?Q?casino=00?=', 'reject'),
                             ('=?utf-8?Q?=00=D0=BF=D1=80=D0=B8?=', 'reject')):
        found, _ = settings.test('-', message('Subject: ' + subject))
        equal(found['verdict'], verdict, subject)


HEADER_CHECKS = r'''/^Subject: .*casino/ REJECT
/^Subject: .*lottery/ REJECT 4.7.1 come back later
/^X-Mailer: Bulk/ REJECT 5.7.9 no bulk mail
/^Received: .*\.bad\.test/ HOLD from bad.test
/^To: undisclosed/ PREPEND X-Undisclosed: yes
/^List-Id:.*\n .*folded/ REJECT folded
/^X-Pass: / PASS
/^X-After: / REJECT not reached
if /^From:/
!/@/ REJECT no address
endif
/^X-Odd: / BANANA
/^X-Dunno: / DUNNO
/^x-dunno: / REJECT first line counts
/^X-Warn: / WARN look
/^Subject: =\?koi8/ REJECT encoded as it stands
'''
GRUDGE = 'From: <a@far.example>\n'


@case('check_header_access header_checks asks a table of header_checks(5) as Postfix does')
def header_checks():
    settings = site('', SITE + 'message_restrictions = check_header_access header_checks '
                    'pcre:checks\n', checks=HEADER_CHECKS)
    refused = '550 5.7.1 message content rejected'
    for header, reply in (
            (GRUDGE + 'Subject: my CASINO', refused), (GRUDGE + 'subject: casino', refused),
            (GRUDGE + 'Subject: lottery', '450 4.7.1 come back later'),
            (GRUDGE + 'X-Mailer: Bulk 2.0', '550 5.7.9 no bulk mail'),
            (GRUDGE + 'X-Mailer: other', None), ('From: nobody', '550 5.7.1 no address'),
            (GRUDGE + 'List-Id: x\n y folded', '550 5.7.1 folded'),
            (GRUDGE + 'List-Id: x y folded', None),
            (GRUDGE + 'Subject: =?utf-8?q?casino?=', refused),
            (GRUDGE + 'Subject: =?utf-8?q?c=61sino?=', None),
            (GRUDGE + 'Subject: =?KOI8-R?q?a?=', '550 5.7.1 encoded as it stands'),
            (GRUDGE + 'X-Pass: 1\nX-After: 2', None),
            (GRUDGE + 'X-After: 2\nX-Pass: 1', '550 5.7.1 not reached'),
            (GRUDGE + 'X-Dunno: 2\nSubject: casino', refused), (GRUDGE + 'X-Dunno: 2', None),
            (GRUDGE + 'X-Warn: 2\nSubject: casino', refused),
            (GRUDGE + 'X-Odd: 1', '451 4.3.0 Temporary failure; try again later')):
        found, _ = settings.test('-', message(header))
        equal(found['reply'], reply, header)
    found, _ = settings.test('-', message(GRUDGE + 'To: undisclosed-recipients:;'))
    equal(found['headers'], ['X-Undisclosed: yes'])
    found, _ = settings.test('-', message(GRUDGE + 'Received: from x.bad.test'))
    equal(found['verdict'], 'hold')


# A pattern is bounded for each text that it is tried on; of these a message has as many as it likes.
COSTLY = ('|'.join('(?:a|a?)+x%d[xy]' % n for n in range(40)), 'a' * 12 + '.xy')
FIELDS = '\n'.join(['X-A: ' + COSTLY[1]] * 9000)
ADDRESSES = 'From: ' + ',\n '.join([COSTLY[1] + '%d@a.test' % n for n in range(9000)])
for what, restriction, begin, header in (
        ('header_checks', 'check_header_access header_checks pcre:checks', 'X-A: ', FIELDS),
        ('check_header_access', 'check_header_access X-A pcre:checks', '', FIELDS),
        ('check_header_access, addresses', 'check_header_access From pcre:checks', '', ADDRESSES),
        ('check_from_access', 'check_from_access pcre:checks', '', ADDRESSES),
        ('sender_login_maps',
         'reject_from_login_mismatch\nsender_login_maps = pcre:checks', '', ADDRESSES)):
    @case(what + ': a header that costs too much is deferred in time')
    def table_costly(restriction=restriction, begin=begin, header=header):
        settings = site('', SITE + 'message_restrictions = ' + restriction + '\n',
                        checks='/^%s(?:%s)y/ REJECT\n' % (begin, COSTLY[0]))
        text = message(header if header.startswith('From') else GRUDGE + header)
        found, _ = settings.test('-', text)  # half a minute of work, were it not cut off
        match('^451 4.3.0', found['reply'] or '')


@case('check tells header_checks from tables of check_header_access')
def header_checks_mistaken():
    rows = [('Subject pcre:checks', '/^Subject: .*casino/ REJECT\n', 'can never match'),
            ('Subject pcre:checks', '/^(Subject|From):.*casino/ REJECT\n', 'can never match'),
            ('Subject regexp:checks', '/^X-Spam-Flag: YES/ REJECT\n', 'can never match'),
            ('Subject pcre:checks', '/Subject:\\s*x/ REJECT\n', 'can never match'),
            ('X-Odd pcre:checks', '/^x-odd: 1/ REJECT\n', 'can never match'),
            ('Subject texthash:checks', '{Subject:} REJECT\n', None),
            ('Subject pcre:checks', '/^Re: casino/ REJECT\n', None),
            ('Subject pcre:checks', '/^casino: win/ REJECT\n', None),
            ('Subject pcre:checks', '/^from casino/ REJECT\n', None),
            ('header_checks pcre:checks', HEADER_CHECKS.replace('BANANA', 'IGNORE'), None),
            ('header_checks pcre:checks', '/^X: / BANANA\n', 'BANANA.* is no action'),
            ('header_checks pcre:checks', '/^X: / REPLACE nothing\n', 'must be "Header: value"'),
            ('header_checks pcre:checks', '/^X: / 550 no\n', 'is no action'),
            ('header_checks pcre:checks', '/^X: / DISCARD\n', 'error: DISCARD'),
            ('header_checks pcre:checks', '/^X: / REDIRECT a@b\n', 'error: REDIRECT')]
    for words, table, told in rows:
        settings = site('', SITE + 'message_restrictions = check_header_access %s\n' % words,
                        checks=table)
        done = settings.run('check')
        if told:
            match('(?m)^checks:1: .*%s' % told, done.stderr.replace(settings.folder + '/', ''),
                  table)
        else:
            absent('never match|checks:', done.stderr, table)


@case('SMTPUTF8: raw UTF-8 in a field is no raw8bit, other bytes are')
def smtputf8():
    rules = 'charset RAW raw8bit\nscript CYR Cyrillic >= 90%\n'
    sender = '--from \u0438\u0432\u0430\u043d@\u043f\u0440\u0438\u043c\u0435\u0440.example -'
    text = 'From: \u0438\u0432\u0430\u043d <x@far.example>\nSubject: \u043f\u0440\u0438\n\n'
    found, _ = site(rules).test(sender, text)
    equal((names(found), found['scripts']), (['CYR'], {'Cyrillic': 1}))
    found, _ = site(rules).test('--from x@far.example -', text)
    equal(names(found), ['CYR', 'RAW'])
    found, _ = site(rules).test(sender, bytes_of(text + '') .replace(b'\xd0', b'\xff'))
    equal('RAW' in names(found), True)


@case('a pattern that explodes is told of, and all others count')
def exploding():
    rules = ('header BOMB Subject =~ /^(a+)+$/\nheader OTHER Subject =~ /b$/\n'
             'meta BOTH BOMB || OTHER\n')
    settings = site(rules)
    done = settings.shell('test -', message('Subject: ' + 'a' * 5000 + 'b'))
    match('BOMB takes too long', done.stdout)
    match(r'1\.0 OTHER', done.stdout)
    match(r'1\.0 BOTH', done.stdout)
    found, _ = settings.test('-', message('Subject: aaaa'))
    equal(names(found), ['BOMB', 'BOTH'])


BOMB = 'Subject: ' + 'a' * 5000 + 'b'
MARKING = SITE + 'tag_score = 5\nreject_score = 10\n'


def outcomes(title, rules, *rows):
    """Each row: scores, header field, verdict, score. Tagged from 5, refused from 10."""
    def one(row):
        more, field, verdict, score = row
        found, _ = site(rules + more, MARKING).test('-', message(*field.split('\n')))
        equal((found['verdict'], found['score']), (verdict, score))
        if verdict == 'tempfail':
            equal((found['check'], found['reply']),
                  (CHECK, '451 4.3.0 Temporary failure; try again later'))
    for row in rows:
        CASES.append(('%s: %s' % (title, row[0].replace('\n', ', ') or 'as it is'),
                      lambda row=row: one(row)))


outcomes('a cut rule', 'header BOMB Subject =~ /^(a+)+$/\nheader OTHER Subject =~ /b$/\n'
         'header __BOMB Subject =~ /^(a+)+$/\nmeta BOTH __BOMB && OTHER\nscore BOTH 0.5\n',
         ('', BOMB, 'accept', 1),
         ('score BOMB 3', BOMB, 'accept', 1),
         ('score BOMB 4', BOMB, 'tempfail', 1),  # whether it is to be marked
         ('score BOMB -0.5', BOMB, 'accept', 1),
         ('score BOMB -1\nscore OTHER 10', BOMB, 'tempfail', 10),
         ('score BOMB 20', BOMB, 'tempfail', 1),
         ('score BOMB 20\nscore OTHER 10', BOMB, 'reject', 10),
         ('score BOTH 4\nscore BOMB 0', BOMB, 'tempfail', 1),
         ('score BOTH 4\nscore BOMB 0\nscore OTHER 0', BOMB, 'accept', 0),
         ('tflags BOMB multiple maxhits=3', BOMB, 'accept', 1),
         ('score BOMB 2\ntflags BOMB multiple maxhits=3', BOMB, 'tempfail', 1),
         ('score BOMB 20', 'Subject: b', 'accept', 1),
         ('score BOMB 20', 'Subject: aaaa', 'reject', 20))

# Each pattern costs little, all of them more than one message may: no padding helps who sends it.
DEAR = ''.join('header D%d ToCc =~ /[w-z]{4}\\s+(?:[w-z]{4}\\s+){%d}[a-d\\d]/\n' % (n, n % 40)
               for n in range(1500))

outcomes('rules that are too dear together', DEAR + 'header SURE Subject =~ /sure/\n'
         'blocklist_from *@listed.example\n',
         ('', 'To: a@lab.test', 'accept', 0),
         ('score SURE 20', 'Subject: sure\n' + 'To: %s\n' % ('wxyz ' * 1500) * 9 + 'X: y',
          'tempfail', 0),
         ('score SURE -1', 'Sender: x@listed.example\nFrom: x@listed.example\n'
          + 'To: %s\n' % ('wxyz ' * 1500) * 9 + 'X: y', 'reject', 100))


@case('a message that is too dear says so, is only told of in monitor mode, and below warn_if_reject')
def too_dear():
    text = message(*['To: ' + 'wxyz ' * 1500] * 9)
    done = site(DEAR, MARKING).shell('test -', text)
    match(r'451 4\.3\.0', done.stdout)
    match(r'the rules take too long on a header of 11 fields and \d+ bytes, and were cut off',
          done.stdout)
    first, _ = site(DEAR, MARKING).test('-', text)
    again, _ = site(DEAR, MARKING).test('-', text)
    equal(first, again)
    found, _ = site(DEAR, MARKING + 'mode = monitor\n').test('-', text)
    equal((found['verdict'], found['check']), ('accept', CHECK))
    found, _ = site(DEAR, MARKING + 'message_restrictions = warn_if_reject reject_spam\n').test(
        '-', text)
    equal((found['verdict'], found['check']), ('accept', None))


@case('a score is explained')
def explained():
    text = site(LOCAL, RUSSIAN).shell('test -', message(KOI)).stdout
    match(r'(?m)^  score +5\.0; tagged from 5\.0 on$', text)
    match(r'(?m)^  rules +5\.0 LOCAL_CHARSET_BLOCKED: Contains charsets that are not acceptable$',
          text)
    match(r'(?m)^ +matched "=\?koi8-r\?"$', text)
    match(r'(?m)^  charsets +koi8-r$', text)
    match(r'(?m)^  scripts +Latin 50%, Cyrillic 50%$|^  scripts +Cyrillic 50%, Latin 50%$', text)
    text = site(LOCAL, RUSSIAN).shell('test --rcpt rus@lab.test -', message(KOI)).stdout
    match(r'(?m)^  score +0\.0; tagged from 5\.0 on, profile russian$', text)


@case('what strangers wrote is shown escaped')
def escaped():
    text = site('header A Subject =~ /a.*/\n').shell(
        'test -', message('Subject: a\x1b[31m \x07')).stdout
    absent('\x1b|\x07', text)


@case('rules lists what is in force: score, where from, description, profiles')
def rules_listed():
    settings = site(LOCAL + 'header ZERO From =~ /x/\nscore ZERO 0\nheader __SUB From =~ /x/\n'
                    'meta M __SUB && LOCAL_CHARSET_BLOCKED\nbody B /x/\nheader P From =~ /x/\n'
                    'score P 0\n', RUSSIAN + 'score P = 1.125\n')
    done = settings.shell('rules')
    lines = [' '.join(line.split()).replace(settings.folder + '/', '')
             for line in done.stdout.splitlines()]
    equal(lines, ['5.0 LOCAL_CHARSET_BLOCKED site.cf:1 Contains charsets that are not acceptable',
                  '0.0 in profile russian', '1.0 M site.cf:7', '0.0 P site.cf:9',
                  '1.125 in profile russian'])
    done = settings.shell('rules LOCAL_CHARSET_BLOCKED')
    match(r'header Subject:raw =~/\\=\\\?\(koi8-r\|windows-1251\)\\\?/i$', done.stdout.strip())
    match('meta __SUB && LOCAL', settings.shell('rules M').stdout)
    done = settings.shell('rules NONE')
    equal((done.returncode, done.stdout), (1, ''))
    match('there is no rule "NONE"', done.stderr)


@case("rules shows a listener's own rules")
def rules_of_listeners():
    text = site(LOCAL, LISTENERS, **{'strict.cf': 'header S Subject =~ /./\n'}).shell('rules').stdout
    match(r'(?s)LOCAL_CHARSET_BLOCKED.*\[listener strict\]\n +1\.0 S ', text)
    absent('2525', text)


@case('check -v lists what is skipped, by file and line')
def skipped():
    settings = site('body A /x/\nheader B From =~ /x/\nuri C /y/\nscore C 0\n')
    done = settings.shell('check -v')
    equal(done.returncode, 0)
    match(r'(?m)/site\.cf:1: skipped: body looks at the body$', done.stdout)
    match(r'(?m)/site\.cf:3: skipped: uri ', done.stdout)
    match(r'(?m)^1 rules with a score, 0 without, 2 directives skipped$', done.stdout)
    absent('skipped', settings.shell('check').stdout)


@case('a meta of skipped rules alone is skipped; beside others they are 0')
def blind():
    settings = site('body __TEXT /./\nuri __LINK /./\nheader HERE From =~ /far/\n'
                    'meta EMPTY !__TEXT && !__LINK\nmeta EMPTIER EMPTY || !EMPTY\n'
                    'blocklist_from *@far.example\nscore USER_IN_BLOCKLIST 0.1\n'
                    'meta OLD_NAME USER_IN_BLACKLIST && !__TEXT\n'
                    'meta SOME HERE && !__TEXT\nmeta UNKNOWN !NOBODY_KNOWS\n')
    equal(names(settings.test('-', message())[0]),
          ['HERE', 'OLD_NAME', 'SOME', 'UNKNOWN', 'USER_IN_BLOCKLIST'])
    text = settings.shell('check -v').stdout
    for line in (4, 5):
        match(r'(?m)site\.cf:%d: skipped: meta names none but skipped rules$' % line, text)


@case('check tells what is wrong with rule files, all of it')
def wrong():
    settings = site('header A From =~ /(/\nno_such_directive x\nheader B From =~ /x/\n'
                    'charset C\nscript D Cyrilic >= 10%\nmeta E (B\nrequired_score five\n')
    done = settings.shell('check')
    equal(done.returncode, 78)
    for line in (1, 2, 4, 5, 6, 7):
        match(r'(?m)/site\.cf:%d: error: ' % line, done.stderr)
    absent(r'site\.cf:3:', done.stderr)
    match('Cyrillic', done.stderr)


@case('profiles that nobody has, scores of rules that nobody knows: warnings')
def doubtful():
    done = site(LOCAL, SITE + 'recipient_profiles = inline:{a@lab.test=nobody}\n[profile p]\n'
                'score LOCAL_CHARSET_BLOKED = 0\n').shell('check')
    equal(done.returncode, 0)
    match(r'gatepost\.conf:\d+: warning: .*\[profile nobody\]', done.stderr)
    match(r'gatepost\.conf:\d+: warning: .*LOCAL_CHARSET_BLOKED', done.stderr)


if __name__ == '__main__':
    run()
