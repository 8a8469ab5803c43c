#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Whose a message is: fields From: and Sender: as honest programs write them, and as those do who
want one reader to see another sender than gatepost. Each row is a test case."""
import sys
sys.path.insert(0, sys.path[0])
import ctl
from tap import case, equal, match, run

SITE = '''
local_domains = example.org
sender_login_maps = inline:{bob@example.org=bob, robert@example.org=bob, boss@example.org=boss,
    root@example.org=root, john@lab.test=john, boss=boss, john=john, root=root}
'''
LOGIN = '--auth %s --mech PLAIN --tls TLSv1.3 --bits 256 --from %s --rcpt x@far.example -'
BOB = LOGIN % ('bob', 'bob@example.org')
JOHN = LOGIN % ('john', 'john@lab.test')
STRANGER = '--from x@far.example --rcpt bob@example.org -'
NOT_OWNED = r'^553 5\.7\.1 <%s>: %s rejected: not owned by user bob$'
NOT_LOGGED_IN = r'^553 5\.7\.1 <%s>: %s rejected: not logged in$'
UNREADABLE = r'^553 5\.7\.1 <.*>: %s rejected: cannot be read$'

# Fields that some reader takes for root's or boss's.
FORGED = [
    ', root@example.org',
    'bob@example.org,, root@example.org',
    'a:;, root@example.org',
    'boss@example.org, x: bob@example.org;',
    '"x": boss@example.org;',
    'x: boss@example.org; y: bob@example.org;',
    'x: bob@example.org; y: boss@example.org;',
    'x: y: boss@example.org;;',
    'x: boss@example.org',
    'Root <root@example.org',
    'root@example.org>',
    'root@example.org <>',
    '<> root@example.org',
    'Boss <<boss@example.org>',
    'Boss <<boss@example.org>>',
    '<bob@example.org> <root@example.org>',
    '<bob@example.org>, <root@example.org>',
    '<bob@example.org>,<root@example.org>',
    '<bob@example.org>;<root@example.org>',
    'boss@example.org <bob@example.org>',
    '<bob@example.org> boss@example.org',
    'bob@example.org boss@example.org',
    'bob@example.org, boss@example.org "',
    '", boss@example.org, bob@example.org',
    'bob@example.org (, boss@example.org',
    'bob@example.org), boss@example.org',
    'bob@example.org)boss@example.org',
    'bob@example.org]boss@example.org',
    'bob@example.org:boss@example.org',
    'boss@example.org:bob@example.org',
    'bob@example.org\\, boss@example.org',
    'bob@example.org,\n boss@example.org',
    '"boss@example.org"',
    '"boss@example.org", <bob@example.org>',
    '<boss@example.org> (bob@example.org)',
    '(bob@example.org) boss@example.org',
    '(bob@example.org) boss (x) @ (y) example (z) . org',
    'boss @ example . org',
    'bo ss@example.org',
    'bo(x)ss@example.org',
    'boss@exa mple.org',
    '<boss@exa mple.org>',
    'bo\\ss@example.org',
    'bo\x01ss@example.org',
    '"bo"ss@example.org',
    'bo"ss"@example.org',
    '"boss"@example.org',
    '"bo\\ss"@example.org',
    '<@far.example:boss@example.org>',
    '<@far.example,@b.example:boss@example.org>',
    '<@far.example:@b.example:boss@example.org>',
    '<bob@example.org@boss@example.org>',
    '@boss@example.org',
    'boss@example.org@far.example',
    'BOSS@Example.ORG',
    'boss@example.org.',
    "'boss@example.org'",
    "'boss@example.org' <bob@example.org>",
    '=?utf-8?q?boss=40example.org?=',
    '=?utf-8?b?Ym9zc0BleGFtcGxlLm9yZw==?=',
    '=?utf-8?q?Boss_<boss=40example.org>?=',
    '=?utf-8?q?boss?=@example.org',
    '<=?utf-8?q?boss?=@example.org>',
    '=?utf-8?q?x,<boss@example.org>,?= <bob@example.org>',
    '=?utf-8?q?x?=, boss@example.org',
    'mailto:boss@example.org',
    '<mailto:boss@example.org>',
    '[boss@example.org] <bob@example.org>',
    'boss@example.org, bob@example.org, ' + '()' * 2000,
]

# Nobody can say whose these are.
OPEN = [
    '', '   ', '()', ',', ',,,', '<>', '""', ';', ':', '<', '>', '@', '"', '(', '\\',
    'bob@example.org "', 'bob@example.org (', 'bob@example.org <', '"bob@example.org', '(bob@example.org',
    'bob@', '@example.org', 'bob@example.org@', 'bob@[192.0.2.1', 'Bob <<bob@example.org>',
    'bob@example.org \\', 'bob\x02@example.org', '<bob@example.org x>', 'Bob <bob>@example.org',
]

# What programs write that a login may use: all of them john's.
HONEST = [
    'john@lab.test',
    ' <john@lab.test>',
    'John Doe <john@lab.test>',
    'John Doe <john@LAB.TEST>',
    '"John Doe" <john@lab.test>',
    '"Doe, John" <john@lab.test>',
    'Doe, John <john@lab.test>',
    'Doe, John J. <john@lab.test>',
    'Doe , John<john@lab.test>',
    'Doe, Mason & Sons, Attorneys <john@lab.test>',
    'Doe; John <john@lab.test>',
    'Acme, Inc. <john@lab.test>',
    'Acme: Sales <john@lab.test>',
    'John Doe (Acme) <john@lab.test>',
    'John Doe [Acme] <john@lab.test>',
    'John (Sales, Europe) Doe <john@lab.test>',
    'john@lab.test (John Doe)',
    'john@lab.test (Doe, John)',
    'John "Johnny" Doe <john@lab.test>',
    'John O\'Doe <john@lab.test>',
    '"John \\"Johnny\\" Doe" <john@lab.test>',
    '"john@lab.test" <john@lab.test>',
    'john@lab.test <john@lab.test>',
    '"\'john@lab.test\'" <john@lab.test>',
    "'john@lab.test' <john@lab.test>",
    "'John Doe' <john@lab.test>",
    '"sales@acme.example via John" <john@lab.test>',
    'J\u00f6rg Doe <john@lab.test>',
    '=?UTF-8?Q?J=C3=B6rg_Doe?= <john@lab.test>',
    '=?UTF-8?B?SsO2cmc=?= =?UTF-8?B?IERvZQ==?= <john@lab.test>',
    '=?UTF-8?Q?Doe,_J=C3=B6rg?= <john@lab.test>',
    '"=?UTF-8?Q?Doe,_J=C3=B6rg?=" <john@lab.test>',
    '=?iso-8859-1?Q?john@lab.test?= <john@lab.test>',
    '=?iso-8859-1?Q?J=F6rg?=\n =?iso-8859-1?Q?_Doe?= <john@lab.test>',
    'John Doe\n <john@lab.test>',
    'Doe,\n John <john@lab.test>',
    '"Doe,\n John" <john@lab.test>',
    'John Doe <john@lab.test>,',
    'John Doe <john@lab.test>;',
    '<john@lab.test> John Doe',
    'John Doe <john@lab.test',
    'John Doe <john@lab.test>>',
    'John Doe <@relay.example:john@lab.test>',
    'John Doe :-) <john@lab.test>',
    'john@lab.test, John Doe <john@lab.test>',
    'Staff: John Doe <john@lab.test>;',
    'john',
    'john (John Doe)',
]

# What strangers write that nobody here has to do with.
FOREIGN = [field.replace('john@lab.test', 'john@far.example').replace('@LAB.TEST', '@FAR.EXAMPLE')
           for field in HONEST if '@' in field] + [
    'undisclosed:;', 'Automated System:;', 'a.@far.example', 'a..b@far.example', 'x y@far.example',
    'a@far.example <b@far.example>', 'Sales @ Acme <x@far.example>', '"a b"@far.example',
    '\u7530\u4e2d <x@far.example>', 'x@[192.0.2.1]', 'root@far.example', 'Boss <x@far.example>']


def message(field, more=''):
    return ('From:%s\n%sSubject: x\n\nbody\n' % (field and ' ' + field, more)).encode(
        'utf-8', 'surrogateescape')


def judge(settings, who, text, pattern, title):
    """PATTERN: of the reply; None: it is accepted."""
    found, _ = settings.test(who, text)
    if pattern is None:
        equal((found['verdict'], found['reply']), ('accept', None), title)
    else:
        match(pattern, found['reply'], title)


def rows(title, restrictions, who, fields, pattern):
    def all_of_them():
        settings = ctl.Settings(SITE + 'message_restrictions = %s\n' % restrictions)
        for field in fields:
            judge(settings, who, message(field), pattern, repr(field))
    case(title)(all_of_them)


OWNERS = 'reject_from_login_mismatch'
TABLE = 'check_from_access inline:{root@example.org=REJECT, boss@example.org=REJECT, john=OK}'
REFUSED = r'^553 5\.7\.1 <.*>: From address rejected: (not owned by user bob|cannot be read)$'
STRANGE = r'^553 5\.7\.1 <.*>: From address rejected: (not logged in|cannot be read)$'
LISTED = r'^55[34] 5\.7\.1 <.*>: From address rejected: (Access denied|cannot be read)$'

rows('bob is neither root nor boss', OWNERS, BOB, FORGED, REFUSED)
rows('nor is a stranger', OWNERS, STRANGER, FORGED, STRANGE)
rows('nor is who is in a table', TABLE, STRANGER, FORGED, LISTED)
rows('what nobody can read is not bob\'s', OWNERS, BOB, OPEN, UNREADABLE % 'From address'
     + '|' + REFUSED)
rows('nor a stranger\'s', OWNERS, STRANGER, OPEN, STRANGE)
rows('nor anybody\'s whom a table permits', 'check_from_access static:OK', STRANGER, OPEN,
     UNREADABLE % 'From address')
rows('bare words are local addresses', OWNERS, BOB, ['boss', '<boss>', 'boss (x)', '"boss"', 'root'],
     REFUSED)
rows('and no stranger\'s', OWNERS, STRANGER, ['boss', '<boss>', 'nobody', 'root (Cron Daemon)'],
     STRANGE)
rows('beside an address of one\'s own, too', OWNERS, BOB,
     ['boss, bob@example.org', 'bob@example.org, boss', 'boss, Bob <bob@example.org>'], REFUSED)
rows('names of honest programs', OWNERS, JOHN, HONEST, None)
rows('and of strangers', OWNERS, STRANGER, FOREIGN, None)
rows('whom no table knows', TABLE, STRANGER, FOREIGN, None)


# The same where the table has full addresses only, and no origin says which of them a word is.
FULL = '''
local_domains = lab.test mail.lab.test example.org
sender_login_maps = inline:{bob@lab.test=bob, bob@mail.lab.test=bob, boss@lab.test=carol,
    chief@mail.lab.test=carol, sales@example.org=carol, john@lab.test=john, far@elsewhere.test=far}
'''
BOB_THERE = LOGIN % ('bob', 'bob@lab.test')
WORDS = ['boss', 'chief', 'sales', 'BOSS', '"boss"']


@case('words are an address at any of login_domains, where no origin is set')
def full_addresses():
    settings = ctl.Settings(FULL + 'message_restrictions = %s\n' % OWNERS)
    for word in WORDS:
        for form in ('%s', '<%s>', '%s, Bob <bob@lab.test>', 'bob@lab.test, %s',
                     'x, %s, bob@lab.test', '%s; bob@lab.test'):
            judge(settings, BOB_THERE, message(form % word), REFUSED, (word, form))
    for field in ('bob', '<bob>', 'bob, Bob <bob@mail.lab.test>', 'far, Bob <bob@lab.test>',
                  'Bosse, Bob & Sons <bob@lab.test>', '"Boss" <bob@lab.test>',
                  'Boss <bob@lab.test>'):
        judge(settings, BOB_THERE, message(field), None, field)
    for field in HONEST:
        judge(settings, JOHN, message(field), None, field)
    for field in FOREIGN:
        judge(settings, STRANGER, message(field), None, field)


@case('words are an address at the origin alone, where one is set')
def at_origin():
    settings = ctl.Settings(FULL + 'origin = lab.test\nmessage_restrictions = %s\n' % OWNERS)
    for word, pattern in (('boss', REFUSED), ('chief', None), ('sales', None)):
        judge(settings, BOB_THERE, message(word + ', Bob <bob@lab.test>'), pattern, word)


@case('Sender: as From:; a second field of either is not read')
def fields():
    settings = ctl.Settings(SITE + 'message_restrictions = %s\n' % OWNERS)
    own, other = 'bob@example.org', 'boss@example.org'
    for field, more, pattern in (
            (own, '', None),
            (own, 'Sender: robert@example.org\n', None),
            (own, 'Sender:\n', None),
            (own, 'Sender: <>\n', None),
            (own, 'Sender: %s\n' % other, NOT_OWNED % (other, 'Sender address')),
            (own, 'Sender: x:;, %s\n' % other, NOT_OWNED % (other, 'Sender address')),
            (own, 'Sender: %s "\n' % own, UNREADABLE % 'Sender address'),
            (own, 'Sender: %s\nSender: %s\n' % (own, own), UNREADABLE % 'Sender address'),
            (own, 'From: %s\n' % other, NOT_OWNED % (other, 'From address')),
            (own, 'FROM: %s\n' % own, UNREADABLE % 'From address'),
            (own, 'From:\n', UNREADABLE % 'From address'),
            (other, 'From: %s\n' % own, NOT_OWNED % (other, 'From address')),
            ('x:;', '', UNREADABLE % 'From address')):
        judge(settings, BOB, message(field, more), pattern, (field, more))
    for field, more, pattern in (
            ('a@far.example', '', None),
            ('a@far.example', 'Sender: list@far.example\n', None),
            ('a@far.example', 'Sender: %s\n' % other, NOT_LOGGED_IN % (other, 'Sender address')),
            ('a@far.example', 'From: b@far.example\n', UNREADABLE % 'From address'),
            ('a@far.example', 'From: %s\n' % other, NOT_LOGGED_IN % (other, 'From address'))):
        judge(settings, STRANGER, message(field, more), pattern, (field, more))


@case('a table: one address that is permitted permits no other, nor a field that nobody can read')
def permits():
    settings = ctl.Settings(SITE + 'message_restrictions = check_from_access inline:{a@x.example=OK,'
                            ' b@x.example=REJECT, {c@x.example=WARN seen}} reject\n')
    for field, more, check in (('a@x.example', '', None), ('c@x.example, a@x.example', '', None),
                               ('a@x.example, d@x.example', '', None),
                               ('a@x.example, b@x.example', '', 'check_from_access'),
                               ('a@x.example "', '', 'check_from_access'),
                               ('a@x.example', 'From: a@x.example\n', 'check_from_access'),
                               ('a@x.example', 'From: b@x.example\n', 'check_from_access'),
                               ('d@x.example', '', 'reject')):
        found, _ = settings.test(STRANGER, message(field, more))
        equal((found['verdict'], found['check']), ('reject' if check else 'accept', check),
              (field, more))


@case('without sender_login_maps nothing is asked')
def nobody():
    settings = ctl.Settings('local_domains = example.org\nmessage_restrictions = %s\n' % OWNERS)
    for field in OPEN + FORGED:
        judge(settings, STRANGER, message(field), None, field)


@case('blocklist_from: whatever any reader may take for the address; who is welcome must be read')
def lists():
    settings = site_with_rules('blocklist_from root@example.org boss@example.org\n')
    for field in FORGED:
        found, _ = settings.test(STRANGER, message(field))
        equal([rule['name'] for rule in found['rules']], ['USER_IN_BLOCKLIST'], repr(field))
    for field in FOREIGN:
        found, _ = settings.test(STRANGER, message(field))
        equal(found['rules'], [], repr(field))
    settings = site_with_rules('welcomelist_from boss@example.org\n')
    for field, hits in (('boss@example.org', True), ('a@x.example, boss@example.org "', False),
                        ('a@x.example <> (boss@example.org', False)):
        found, _ = settings.test(STRANGER, message(field))
        equal(bool(found['rules']), hits, field)


def site_with_rules(rules):
    settings = ctl.Settings('', rules=rules)
    with open(settings.file, 'a') as file:
        file.write(SITE + 'rule_files = %s/rules\nmessage_restrictions = reject_spam\n'
                   % settings.folder)
    return settings


if __name__ == '__main__':
    run()
