#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""One gatepost beside a Postfix and a Sendmail: the same gatepost.conf gives the same replies behind
both. What an MTA makes impossible is a case of its own; gatepost(8) lists each of these."""
import base64
import contextlib
import re
import sys
sys.path.insert(0, sys.path[0] + '/../lib')
import gatepost
import lists
import postfix
import sendmail
import tap
from smtp import message, token
from tap import case, equal, match, true, until

KOI = '=?koi8-r?B?8NLJ18XU?='
RULES = '''header KOI Subject:raw =~ /koi8-r/i
score KOI 12
header HALF Subject =~ /half/
score HALF 6
'''
LOGINS = 'bob@lab.test bob\ncarol@lab.test carol\nshared@lab.test bob, carol\n'
CERTIFICATES = {'Postfix': 'alice+20+28laptop+29 yes\n',
                'Sendmail': '/O=Gatepost+20Test/CN=alice+20+28laptop+29 yes\n'}
# What is asked of a client, by its address: each row below comes from an address of its own.
CLIENTS = '''203.0.113.20 REJECT no thanks
203.0.113.21 DEFER come later
203.0.113.22 451 4.7.1 in a minute
203.0.113.23 550 5.7.9 own code
203.0.113.24 REJECT
203.0.113.25 reject_unknown_client_hostname
203.0.113.26 reject_unknown_reverse_client_hostname
203.0.113.27 reject_invalid_helo_hostname
203.0.113.28 reject_non_fqdn_helo_hostname
203.0.113.29 reject_non_fqdn_sender
203.0.113.30 reject_non_fqdn_recipient
203.0.113.31 defer
203.0.113.32 reject
203.0.113.33 defer_if_permit
203.0.113.37 whatever
203.0.113.38 warn_if_reject reject
203.0.113.39 553 5.7.2 own code
203.0.113.40 521 5.7.0 not at all
203.0.113.41 450 4.2.0 own code
203.0.113.42 421 4.7.0 hang up
203.0.113.43 REJECT 100% sure, \\"quoted\\" <x>
203.0.113.44 HOLD
203.0.113.45 PREPEND X-Client: seen
203.0.113.46 reject_plaintext_session
'''
# A message that its submission program would show as an auto-reply with a quotation.
AWAY = ('From: bob@lab.test\r\nTo: postmaster@lab.test\r\nSubject: Away\r\nAuto-Submitted: auto-replied'
        '\r\n\r\nI am away.\r\n\r\n> The turnover was 4.71 million euros.\r\n> Nobody knows.\r\n')
AT = '<host.example[203.0.113.%d]>'
DENIED = '550 5.7.1 <%s>: Relaying denied; authenticate first'
NEED_LOGIN = '530 5.7.0 Authentication required'
NEED_TLS = '538 5.7.11 Encryption required for authentication; use STARTTLS'


def rejected(client, text, code='554 5.7.1'):
    return '%s %s: Client host rejected: %s' % (code, AT % client, text)


# who, what they say, the last reply that matters. A row: who is a service, or a client's address with
# its name; words are steps of Player.
ROWS = [
    # who may relay
    ('203.0.113.10', 'mail a@example.com, rcpt bob@lab.test', '250'),
    ('203.0.113.10', 'mail a@example.com, rcpt x@remote.example', DENIED % 'x@remote.example'),
    ('203.0.113.10', 'mail a@example.com, rcpt u%remote.example@lab.test',
     DENIED % 'u%remote.example@lab.test'),
    ('203.0.113.10', 'mail a@example.com, rcpt remote.example!u@lab.test',
     DENIED % 'remote.example!u@lab.test'),
    ('203.0.113.10', 'mail a@example.com, rcpt @lab.test:u@remote.example', DENIED % 'u@remote.example'),
    ('203.0.113.10', 'mail a@example.com, rcpt @remote.example:bob@lab.test', '250'),
    ('203.0.113.10', 'mail , rcpt x@remote.example', DENIED % 'x@remote.example'),
    ('203.0.113.10', 'mail a@example.com AUTH=bob@lab.test, rcpt x@remote.example',
     DENIED % 'x@remote.example'),
    ('mx', 'mail a@lab.test, rcpt x@remote.example', '250'),
    ('onion', 'mail a@lab.test, rcpt x@remote.example', DENIED % 'x@remote.example'),
    ('onion', 'mail a@lab.test, rcpt bob@lab.test', '250'),
    ('onion', 'tls alice, mail a@lab.test, rcpt x@remote.example', '250'),
    ('onion', 'tls carol, mail a@lab.test, rcpt x@remote.example', DENIED % 'x@remote.example'),
    ('onion', 'tls stranger, mail a@lab.test, rcpt x@remote.example',
     DENIED % 'x@remote.example'),
    ('onion', 'tls selfsigned, mail a@lab.test, rcpt x@remote.example',
     DENIED % 'x@remote.example'),
    # logins
    ('submission', 'mail bob@lab.test, rcpt carol@lab.test', NEED_LOGIN),
    ('submission', 'tls, mail bob@lab.test, rcpt x@remote.example', NEED_LOGIN),
    ('submission', 'tls carol, mail bob@lab.test, rcpt x@remote.example', NEED_LOGIN),
    ('submission', 'tls alice, mail a@example.com, rcpt x@remote.example', '250'),
    ('submission', 'tls, auth bob, mail bob@lab.test, rcpt x@remote.example', '250'),
    ('smtps', 'auth bob, mail bob@lab.test, rcpt x@remote.example', '250'),
    ('clearauth', 'auth bob, mail bob@lab.test, rcpt x@remote.example', NEED_TLS),
    ('clearsubmission', 'auth bob, mail bob@lab.test, rcpt carol@lab.test', NEED_TLS),
    ('submission', 'tls, auth-login bob, mail bob@lab.test, rcpt x@remote.example',
     '534 5.7.9 Authentication mechanism not allowed here; use another one'),
    ('submission', 'tls, auth bob, mail carol@lab.test, rcpt x@remote.example',
     '553 5.7.1 <carol@lab.test>: Sender address rejected: not owned by user bob'),
    ('submission', 'tls, auth bob, mail nobodys@lab.test, rcpt x@remote.example',
     '553 5.7.1 <nobodys@lab.test>: Sender address rejected: not owned by user bob'),
    ('submission', 'tls, auth carol, mail shared@lab.test, rcpt x@remote.example', '250'),
    ('203.0.113.10', 'mail bob@lab.test, rcpt carol@lab.test',
     '553 5.7.1 <bob@lab.test>: Sender address rejected: not logged in'),
    ('submission', 'tls, auth root, mail a@lab.test, rcpt x@remote.example',
     '554 5.7.1 <root>: *: not root'),
    # tables and words
    ('203.0.113.20', 'mail a@example.com, rcpt bob@lab.test', rejected(20, 'no thanks')),
    ('203.0.113.21', 'mail a@example.com, rcpt bob@lab.test',
     rejected(21, 'come later', '450 4.7.1')),
    ('203.0.113.22', 'mail a@example.com, rcpt bob@lab.test',
     rejected(22, 'in a minute', '451 4.7.1')),
    ('203.0.113.23', 'mail a@example.com, rcpt bob@lab.test',
     rejected(23, 'own code', '550 5.7.9')),
    ('203.0.113.24', 'mail a@example.com, rcpt bob@lab.test', rejected(24, 'Access denied')),
    ('203.0.113.25 unknown', 'mail a@example.com, rcpt bob@lab.test',
     '450 4.7.25 Client host rejected: cannot find your hostname, [203.0.113.25]'),
    ('203.0.113.26 unknown', 'mail a@example.com, rcpt bob@lab.test',
     '450 4.7.1 Client host rejected: cannot find your reverse hostname, [203.0.113.26]'),
    ('203.0.113.26', 'mail a@example.com, rcpt bob@lab.test', '250'),
    ('203.0.113.27', 'ehlo -x-, mail a@example.com, rcpt bob@lab.test',
     '501 5.5.2 <-x->: Helo command rejected: Invalid name'),
    ('203.0.113.28', 'ehlo short, mail a@example.com, rcpt bob@lab.test',
     '504 5.5.2 <short>: Helo command rejected: need fully-qualified hostname'),
    ('203.0.113.29', 'mail a@short, rcpt bob@lab.test',
     '504 5.5.2 <a@short>: Sender address rejected: need fully-qualified address'),
    ('203.0.113.30', 'mail a@example.com, rcpt bob@short',
     '504 5.5.2 <bob@short>: Recipient address rejected: need fully-qualified address'),
    ('203.0.113.31', 'mail a@example.com, rcpt bob@lab.test',
     rejected(31, 'Access denied', '450 4.7.1')),
    ('203.0.113.32', 'mail a@example.com, rcpt bob@lab.test', rejected(32, 'Access denied')),
    ('203.0.113.33', 'mail a@example.com, rcpt bob@lab.test', '450 4.7.1 *'),
    ('203.0.113.10', 'ehlo bad.example, mail a@example.com, rcpt bob@lab.test',
     '554 5.7.1 <bad.example>: Helo command rejected: bad name'),
    ('203.0.113.10', 'mail evil@example.com, rcpt bob@lab.test',
     '554 5.7.1 <evil@example.com>: Sender address rejected: bad sender'),
    ('203.0.113.10', 'mail a@example.com, rcpt closed@lab.test',
     '554 5.7.1 <closed@lab.test>: Recipient address rejected: closed'),
    ('203.0.113.37', 'mail a@example.com, rcpt bob@lab.test',
     '451 4.3.0 Temporary failure; try again later'),
    ('203.0.113.38', 'mail a@example.com, rcpt bob@lab.test', '250'),
    ('203.0.113.39', 'mail a@example.com, rcpt bob@lab.test',
     rejected(39, 'own code', '553 5.7.2')),
    ('203.0.113.40', 'mail a@example.com, rcpt bob@lab.test',
     rejected(40, 'not at all', '521 5.7.0')),
    ('203.0.113.41', 'mail a@example.com, rcpt bob@lab.test',
     rejected(41, 'own code', '450 4.2.0')),
    ('203.0.113.42', 'mail a@example.com, rcpt bob@lab.test, noop', ''),
    ('203.0.113.43', 'mail a@example.com, rcpt bob@lab.test',
     rejected(43, '100% sure, \\"quoted\\" <x>')),
    ('203.0.113.46', 'mail a@example.com, rcpt bob@lab.test',
     '450 4.7.1 Session encryption is required'),
    ('203.0.113.46', 'tls, mail a@example.com, rcpt bob@lab.test', '250'),
    # lists
    (lists.LISTED, 'mail a@example.com, rcpt bob@lab.test',
     '554 5.7.1 Service unavailable; Client host [203.0.113.9] blocked using bl.example.com; *'),
    ('203.0.113.10', 'mail a@spam.example, rcpt bob@lab.test',
     '554 5.7.1 Service unavailable; Sender address [a@spam.example] blocked using '
     'dbl.example.com; *'),
    # messages
    ('203.0.113.10', 'mail a@example.com, rcpt bob@lab.test, message hello', '250'),
    ('203.0.113.10', 'mail a@example.com, rcpt bob@lab.test, message ' + KOI,
     '550 5.7.1 Message refused: spam score 12.0 (KOI)'),
    ('203.0.113.10', 'mail a@example.com, rcpt bob@lab.test, rcpt x@remote.example, '
     'rcpt rus@lab.test', '452 4.5.3 Recipients with different filter settings; '
     'send to this one separately'),
    ('203.0.113.10', 'mail a@example.com, rcpt rus@lab.test, message ' + KOI, '250'),
    ('203.0.113.10', 'mail a@example.com, rcpt bob@lab.test, long header',
     '552 5.3.4 Message header too large'),
    ('203.0.113.44', 'mail a@example.com, rcpt bob@lab.test, message held words', '250'),
    ('submission', 'tls, auth bob, mail bob@lab.test, rcpt postmaster@lab.test, away',
     '550 5.7.1 Auto-reply to <postmaster@lab.test> quotes the original message; send it without '
     'the quotation'),
    # several messages, RSET, a second greeting
    ('203.0.113.10', 'mail a@example.com, rcpt x@remote.example, rset, mail a@example.com, '
     'rcpt bob@lab.test, message hello, mail a@example.com, rcpt x@remote.example',
     DENIED % 'x@remote.example'),
    ('submission', 'tls, auth bob, mail carol@lab.test, rcpt x@remote.example, rset, '
     'mail bob@lab.test, rcpt x@remote.example, rset, ehlo again.example, mail carol@lab.test, '
     'rcpt x@remote.example', '553 5.7.1 *'),
]
EARLY = [
    ('203.0.113.20', 'mail a@example.com', rejected(20, 'no thanks')),
    ('203.0.113.10', 'ehlo bad.example, mail a@example.com',
     '554 5.7.1 <bad.example>: Helo command rejected: bad name'),
    ('203.0.113.41', 'mail a@example.com', rejected(41, 'own code', '450 4.2.0')),
    ('203.0.113.23', 'mail a@example.com', rejected(23, 'own code', '550 5.7.9')),
]


class Player:
    """One dialog: each word of a row is a method."""

    def __init__(self, mta, who):
        self.mta = mta
        self.replies = []
        if who in mta.services:
            self.dialog = mta.dialog(mta.ports[who], tls=who == 'smtps')
        else:
            address, _, name = who.partition(' ')
            self.dialog = mta.outsider(address, name or 'host.example')

    def step(self, words):
        verb, _, rest = words.partition(' ')
        self.replies.append(getattr(self, verb.replace('-', '_'))(rest))

    def mail(self, words):
        sender, _, more = words.partition(' ')
        return self.dialog.mail(sender, more and ' ' + more)

    def rcpt(self, recipient):
        return self.dialog.rcpt(recipient)

    def ehlo(self, name):
        return self.dialog.ehlo(name)

    def rset(self, _):
        return self.dialog.send('RSET')

    def noop(self, _):
        return self.dialog.send('NOOP')

    def tls(self, name):
        files = name and tuple(self.mta.certs.file(name + end) for end in ('.pem', '.key'))
        return self.dialog.starttls(files)

    def auth(self, user):
        return self.dialog.auth(user)

    def auth_login(self, user):
        reply = self.dialog.send('AUTH LOGIN')
        for text in (user, 'secret'):
            match('^334', reply, 'AUTH LOGIN')
            reply = self.dialog.send(base64.b64encode(text.encode()).decode())
        return reply

    def message(self, subject):
        return self.dialog.data(message(subject=subject))

    def long(self, _):
        return self.dialog.data(message(more='X-Long: %s\r\n' % ('x' * 900) * 20))

    def away(self, _):
        return self.dialog.data(AWAY.encode())


def play(mta, who, steps):
    player = Player(mta, who)
    for step in steps.split(', '):
        player.step(step)
    player.dialog.drop()
    return player


def essence(reply):
    """Of a reply that says yes the code: its text is the MTA's."""
    return reply[:3] if reply[:1] in '23' else reply


def expected(pattern, reply):
    """* stands for anything, | between alternatives."""
    parts = [re.escape(part).replace(r'\*', '.*') for part in pattern.split('|')]
    return re.fullmatch('|'.join(parts), reply, re.S)


def compare(both, rows):
    wrong = []
    for who, steps, pattern in rows:
        found = [[essence(reply) for reply in play(mta, who, steps).replies] for mta in both.mtas]
        if found[1] != found[0]:
            wrong.append('%s: %s: Postfix %r, Sendmail %r' % (who, steps, *found))
        if not expected(pattern, found[0][-1]):
            wrong.append('%s: %s: %r is not %r' % (who, steps, found[0][-1], pattern))
    true(not wrong, '\n'.join(wrong))


@case('the same gatepost.conf, the same replies')
def same(both):
    compare(both, ROWS)


@case('the same replies at MAIL, with delay_checks = no')
def same_early(both):
    with both.settings(delay_checks='no'):
        compare(both, EARLY)


@case('a listener is known by its port behind both')
def by_port(both):
    ports = ' '.join(':%d' % mta.ports['mx'] for mta in both.mtas)
    with both.settings(submission_listeners=ports):
        compare(both, [('mx', 'mail a@lab.test, rcpt bob@lab.test', NEED_LOGIN),
                       ('clearsubmission', 'mail a@lab.test, rcpt bob@lab.test', '250')])


@case('what is delivered has the same fields, held mail is held')
def same_fields(both):
    for client in ('203.0.113.45', '203.0.113.10'):
        headers = []
        for mta in both.mtas:
            word = token()
            with mta.outsider(client, 'host.example') as dialog:
                match('^250', dialog.deliver('a@example.com', ['bob@lab.test'], message(
                    word, subject='hello' if client.endswith('45') else 'half',
                    more='X-Spam-Flag: NO\r\n'))[-1])
            header = re.sub(r'\r\n[ \t]+', ' ', mta.sink.wait(word).header())
            headers.append([re.sub(' for .*| by .*|id-.*', '', line)
                            for line in header.split('\r\n')])
            headers[-1] = [line for line in headers[-1] if not line.startswith('Received:')]
        equal(headers[1], headers[0], client)
    for mta in both.mtas:
        until(lambda: mta.held('held words'), 10, 'the held message of a row above')


def raw_reply(mta, who, steps):
    player = play(mta, who, steps)
    return getattr(player.dialog, 'raw', player.replies[-1])


@case('exception: Sendmail puts the address before 450, 550 and 553, and before no other code')
def prefix(both):
    for client, code in ((41, '450 4.2.0'), (23, '550 5.7.9'), (39, '553 5.7.2'),
                         (20, '554 5.7.1'), (22, '451 4.7.1'), (40, '521 5.7.0'),
                         (27, '501 5.5.2'), (28, '504 5.5.2')):
        reply = raw_reply(both.sendmail, '203.0.113.%d' % client,
                          'ehlo %s, mail a@example.com, rcpt bob@lab.test'
                          % {27: '-x-', 28: 'short'}.get(client, 'client.example.com'))
        put = '<bob@lab.test>... ' if code[:3] in ('450', '550', '553') else ''
        true(reply.startswith('%s %s<' % (code, put)), reply)
    with both.settings(delay_checks='no'):
        reply = raw_reply(both.sendmail, '203.0.113.23', 'mail a@example.com')
        true(reply.startswith('550 5.7.9 <a@example.com>... <'), reply)


@case('exception: Postfix tells the name of a certificate alone, Sendmail the whole subject')
def subjects(both):
    for own, table in CERTIFICATES.items():
        both.gatepost.table('one', table)
        with both.settings(relay_clientcerts='texthash:%s/one' % both.gatepost.folder):
            for mta in both.mtas:
                match('^250' if mta.name == own else '^550', play(
                    mta, 'onion', 'tls alice, mail a@lab.test, rcpt x@remote.example').replies[-1])


@case('exception: Postfix adds a realm to a login, Sendmail gives it as it was typed')
def realms(both):
    with both.settings(sasl_local_realms=''):
        for mta, login in ((both.postfix, 'bob@lab.test'), (both.sendmail, 'bob')):
            mark = both.gatepost.mark()
            play(mta, 'submission', 'tls, auth bob, mail root@lab.test, rcpt bob@lab.test')
            match('not owned by user %s"' % login, both.gatepost.wait_log(mark, 'action=reject'))


@case('exception: Postfix forgets a login in clear text when TLS begins, Sendmail does not')
def clear_login(both):
    steps = 'auth bob, tls, mail bob@lab.test, rcpt x@remote.example'
    equal(play(both.postfix, 'clearsubmission', steps).replies[-1], NEED_LOGIN)
    equal(play(both.sendmail, 'clearsubmission', steps).replies[-1], NEED_TLS)


@case('exception: Sendmail refuses a header of 32 kB itself, with a code of its own')
def long_header(both):
    with both.settings(header_limit='1m'):
        for mta, code in ((both.postfix, '250'), (both.sendmail, '552 5.6.0')):
            with mta.outsider('203.0.113.10', 'host.example') as dialog:
                replies = dialog.deliver('a@example.com', ['bob@lab.test'], message(
                    more='X-Long: %s\r\n' % ('x' * 900) * 40))
            true(replies[-1].startswith(code), replies[-1])


@case("exception: what Sendmail refuses itself does not reach gatepost, and no SMTPUTF8 at all")
def unseen(both):
    for steps, pattern in (('ehlo two_bad(names), mail a@example.com, rcpt bob@lab.test', '^501'),
                           ('mail a@example.com, rcpt a@b@lab.test', '^553 5.1.3'),
                           ('mail a@example.com, rcpt x@own-rule.test', "^550 5.7.1 Sendmail's"),
                           ('mail a@example.com SMTPUTF8', '^555 5.5.4')):
        mark = both.gatepost.mark()
        replies = play(both.sendmail, '203.0.113.10', steps).replies
        true(any(re.match(pattern, reply) for reply in replies), '%s: %r' % (steps, replies))
        equal([line for line in both.gatepost.log(mark) if 'action=reject' in line], [])
    match('^250', play(both.postfix, '203.0.113.10', 'mail a@example.com SMTPUTF8').replies[0])


@case('exception: after 521 Postfix hangs up, Sendmail does not')
def after_521(both):
    steps = 'mail a@example.com, rcpt bob@lab.test, noop'
    equal(play(both.postfix, '203.0.113.40', steps).replies[-1], '')
    match('^250', play(both.sendmail, '203.0.113.40', steps).replies[-1])


@case('exception: only Sendmail tells the queue ID of a refused first recipient')
def queue_ids(both):
    for mta, pattern in ((both.postfix, ' queue_id=- '), (both.sendmail, r' queue_id=\w{14} ')):
        mark = both.gatepost.mark()
        play(mta, '203.0.113.10', 'mail a@example.com, rcpt x@remote.example')
        match(pattern, both.gatepost.wait_log(mark, 'action=reject'))


@case('exception: local mail is refused at its end behind Postfix, at RCPT behind Sendmail')
def local_mail(both):
    with both.settings(sender_restrictions='check_sender_access inline:{evil@lab.test=REJECT}'):
        for mta, stage in ((both.postfix, 'message'), (both.sendmail, 'rcpt')):
            mark, word = both.gatepost.mark(), token()
            mta.sendmail(('From: evil@lab.test\nSubject: %s\n\n' % word).encode(), '-i', '-f',
                         'evil@lab.test', 'x@remote.example')
            both.gatepost.wait_log(mark, 'action=reject', 'stage=' + stage)
            equal(mta.sink.wait(word).recipients, ['evil@lab.test'], 'who is told')


@case('exception: while gatepost is away both put off, each in its own words')
def away(both):
    both.gatepost.kill()
    try:
        for mta, reply in ((both.postfix, '451 4.7.1 Service unavailable - try again later'),
                           (both.sendmail, '451 4.3.2 Please try again later')):
            with mta.dialog(mta.ports['mx']) as dialog:
                equal(dialog.mail('a@example.com'), reply, mta.name)
    finally:
        both.gatepost.start()
    compare(both, ROWS[:2])


class Both:
    def __init__(self):
        self.lists = lists.Lists().start()
        self.gatepost = gatepost.Gatepost()
        for name, text in (('rules.cf', RULES), ('logins', LOGINS), ('clients', CLIENTS),
                           ('certificates', ''.join(CERTIFICATES.values()))):
            self.gatepost.table(name, text)
        here = self.gatepost.folder
        before = {name: self.gatepost.control('config', name).stdout.partition('=')[2].strip()
                  for name in ('sender_restrictions', 'recipient_restrictions')}
        self.gatepost.configure({
            'untrusted_listeners': 'ONION', 'auth_mechanisms': '!LOGIN', 'header_limit': '16k',
            'rule_files': here + '/rules.cf', 'relay_clientcerts': 'texthash:%s/certificates' % here,
            'sender_login_maps': 'texthash:%s/logins' % here, 'mixed_recipients': 'split',
            'client_restrictions': 'check_client_access texthash:%s/clients' % here,
            'helo_restrictions': 'check_helo_access inline:{ {bad.example=REJECT bad name} }',
            'sender_restrictions': 'check_sasl_access inline:{ {root=REJECT not root} } '
                                   'check_sender_access '
                                   'inline:{ {evil@example.com=REJECT bad sender} } '
                                   + before['sender_restrictions'],
            'recipient_restrictions': 'check_recipient_access '
                                      'inline:{ {closed@lab.test=REJECT closed} } '
                                      + before['recipient_restrictions'],
            'recipient_profiles': 'inline:{rus@lab.test=russian}',
            'dns_servers': self.lists.address(), 'dnsbl_sites': 'bl.example.com*3',
            'rhsbl_sites': 'dbl.example.com*3/sender'}, '[profile russian]\nscore KOI = 0\n')
        self.postfix = postfix.Postfix(self.gatepost.milter())
        self.sendmail = sendmail.Sendmail()
        self.sendmail.filter_by(self.gatepost)
        self.mtas = (self.postfix, self.sendmail)

    def start(self):
        self.gatepost.start()
        for mta in self.mtas:
            mta.start()
        return self

    def stop(self):
        for mta in self.mtas:
            mta.stop()
        return self.gatepost.stop()

    @contextlib.contextmanager
    def settings(self, **changed):
        before, more = self.gatepost.settings, self.gatepost.more
        try:
            self.gatepost.reload({**before, **changed}, more)
            yield
        finally:
            self.gatepost.reload(before, more)

    def show(self):
        for line in self.gatepost.log()[-25:]:
            tap.note(line)


@case('gatepost stops in order')
def ends_well(both):
    equal(both.stop(), 0, 'exit code of gatepost')
    equal(both.gatepost.sanitizer_report(), '', 'sanitizer report')


why = sendmail.missing() or postfix.missing() or gatepost.missing() or lists.missing()
if why:
    tap.skip_all(why)
tap.run(lambda: Both().start(), teardown=lambda both: both and both.stop(),
        on_failure=lambda both: both.show())
