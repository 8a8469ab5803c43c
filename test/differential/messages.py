# SPDX-License-Identifier: BSD-2-Clause
"""Messages for the comparison with SpamAssassin: written ones and generated ones, always the same
for the same seed. Each is bytes with LF line ends and an empty line after its header."""
import base64
import quopri
import random

RUSSIAN = 'Привет, это письмо о новостях'
WORDS = ('free money viagra Cialis meeting invoice winner URGENT lottery hello re fwd your account '
         'order 50% off $1,000,000 pills replica watches buy now stock alert loan mortgage degree '
         'casino $$$ investment bank transfer confidential partner reply Re: Fw: [list] '
         'nigeria prince Dear friend unsubscribe click here 100% guaranteed ACT NOW').split(' ')
CHARSETS = ['koi8-r', 'windows-1251', 'utf-8', 'iso-8859-5', 'KOI8-R', 'cp866', 'UTF-8',
            'iso-8859-1', 'windows-1252', 'us-ascii', 'iso-8859-15', 'shift_jis', 'iso-2022-jp',
            'euc-kr', 'gb2312', 'big5', 'windows-1255', 'koi8-u', 'unknown-8bit', 'x-nothing']
TEXTS = {'shift_jis': 'テスト', 'iso-2022-jp': '日本語のテスト', 'euc-kr': '한국어', 'gb2312': '中文测试',
         'big5': '中文測試', 'windows-1255': 'שלום', 'iso-8859-1': 'café naïve', 'windows-1252': '“quote” €',
         'us-ascii': 'plain', 'iso-8859-15': 'œuvre €', 'koi8-u': 'Привіт'}
MAILERS = ['Microsoft Outlook Express 6.00.2600.0000', 'Microsoft Outlook, Build 10.0.2616',
           'The Bat! (v1.52f) Business', 'Mozilla Thunderbird 2.0.0.12', 'PHPMailer 5.2',
           'Microsoft CDO for Windows 2000', 'Ximian Evolution 1.4', 'Apple Mail (2.1)', 'MIME-tools 5.503 (Entity 5.501)',
           'QUALCOMM Windows Eudora Version 6.0', 'Internet Mail Service (5.5.2650.21)', 'Kmail 1.9',
           'AOL 9.0 for Windows US sub 5', 'eGroups Message Poster', 'Lotus Notes Release 6.5', 'dtmail 1.3',
           'CommuniGate Pro Web Mailer', 'GreenRider', 'FoxMail 4.0 beta', 'Calypso Version 3.30', 'Pegasus Mail for Windows']
FROMS = ['alice@example.com', 'Alice Liddell <alice@example.com>', '"Liddell, Alice" <alice@example.com>',
         '<bob@mail.example.net>', 'bob@example.net (Bob)', '"bob@example.net" <bob@example.net>',
         'Undisclosed', '', '<>', 'a@b', "\"'Admin'\" <admin@localhost>", 'x@y@z.example',
         '=?koi8-r?B?8NLJ18XU?= <ivan@example.ru>', '=?UTF-8?Q?"Foobar"_<noreply@foobar.com>?=',
         'Group: a@b.example, "C D" <c@d.example>;', 'me <me@example.com> <you@example.com>',
         'a@example.com, b@example.com,c@example.com', 'a@example.com; b@example.org',
         '"unbalanced <u@example.com>', 'x <123456@qq.com>', 'noreply1234567@hotmail.com',
         'First Last <first.last@yahoo.com>', '"quoted\\"inner" <q@example.com>', 'MAILER-DAEMON@example.com',
         'Foo (comment (nested)) <n@example.com>', 'spaced out < s@example.com >',
         '\xd0\x9f <raw@example.com>', '=?utf-8?q?=D0=9F_=3Cfake=40bank.example=3E?= <real@example.com>',
         "info@example.com <other@example.net>", '"Bank" <security@bank.example> (via list)', 'BIGCAPS@EXAMPLE.COM']

JOINED = ['"S" <valid@example.net>', 'S <valid@example.net>', '<valid@example.net>',
          'valid@example.net', '"T" <x@example.org>, y@example.com']
JOINTS = [':', ';', '', ' ', ', ', ' : ', '; ']


def word(charset, text=None, kind='B', lang=''):
    text = TEXTS.get(charset.lower(), RUSSIAN if charset.lower() not in ('us-ascii',) else 'plain') \
        if text is None else text
    try:
        data = text.encode(charset if charset not in ('unknown-8bit', 'x-nothing') else 'koi8-r',
                           'replace')
    except LookupError:
        data = text.encode('utf-8')
    if kind.upper() == 'B':
        inner = base64.b64encode(data).decode()
    else:
        inner = quopri.encodestring(data, header=True).decode().replace('=\n', '').replace('?', '=3F')
    return '=?%s%s?%s?%s?=' % (charset, lang, kind, inner)


def subjects():
    """Subjects that are hard to decode."""
    out = []
    for charset in CHARSETS:
        for kind in 'BQbq':
            out.append(word(charset, kind=kind))
    out += [
        word('utf-8', lang='*ru'), word('koi8-r', kind='Q', lang='*RU-ru'),
        word('utf-8') + ' ' + word('utf-8'), word('utf-8') + '\n ' + word('koi8-r'),
        word('utf-8') + word('koi8-r'), word('utf-8') + ' x ' + word('utf-8'),
        'x' + word('utf-8') + 'y', '=?utf-8?q?=D0?= =?utf-8?q?=9F?=', '=?utf-8?q?=D0?= =?koi8-r?q?=9F?=',
        '=?utf-8?B?0A==?= =?utf-8?B?nw==?=', '=?utf-8?B?0J?= =?utf-8?B?/Q?=', '=?utf-8?B?0J/R?=',
        '=?utf-8?B?0J$/R$gA?=', '=?utf-8?B?====?=', '=?utf-8?B?0=J/?=', '=?utf-8?B?AA=AAA?=',
        '=?utf-8?B?' + 'QUFB' * 60 + '?=', '=?utf-8?Q?=4?=', '=?utf-8?Q?=zz_=41?=', '=?utf-8?Q?a b c?=',
        '=?utf-8?Q?a?b?=', '=?utf-8?X?abc?=', '=??Q?abc?=', '=?utf-8?Q?abc', '=?utf-8?Q?abc?', '=?utf-8?Q',
        '=?utf-8?Q??=', '=?utf-8?B??=', '=?utf-8?Q?_=?=', '=?utf-8?q?=C0=AF?=', '=?utf-8?q?=ED=A0=80?=',
        '=?utf-8?q?=F0=9F=98=80?=', '=?utf-8?q?=F0=9F=98?=', '=?utf-8?q?=FF=FE?=', '=?utf-8?q?=00?=',
        '=?us-ascii?q?=FF=80abc?=', '=?iso-8859-1?q?=80=93=81?=', '=?windows-1252?q?=81=8d?=',
        '=?x-unknown?q?=E9t=E9?=', '=?utf-16?B?BB8EQAQ4?=', '=?utf-16le?B?HwRABDgE?=',
        '=?utf-8?Q?' + '=D0=9F' * 40 + '?=', 'caf\xe9', '\xd0\x9f\xd1\x80', '\xf0\xd2\xc9\xd7\xc5\xd4',
        'tab\there', 'trailing   ', '   leading', 'a\n b\n\tc', 'a\n \n b', '=?utf-8?Q?a?=\n =?utf-8?Q?b?=\n c',
        '', ' ', '=?utf-8?Q?=0D=0A?=', 'x' * 300, ('word ' * 2000).strip(), '=?utf-8?B?' + 'QUJD' * 3000 + '?=',
        'Re: Re: =?iso-8859-2?Q?=A3=F3d=BC?=', 'ALL CAPS SUBJECT HERE NOW', 'v i a g r a', '¡Hola!'.encode().decode('latin-1'),
        'Your order #12345 and $5,000', 'ADV: buy', 'Undelivered Mail Returned to Sender', 'Out of Office AutoReply: x']
    return out


def latin(text):
    return text.encode('latin-1', 'replace')


def assemble(fields, body='text\n'):
    lines = b''.join(latin(name) + b':' + latin(value) + b'\n' for name, value in fields)
    return lines + b'\n' + body.encode()


def received(rng):
    return ' from %s (%s [192.0.2.%d])\n\tby mx.example.org (Postfix) with %s id %X\n\tfor <user@example.org>; Mon, 1 Jan 2024 0%d:00:00 +0000' % (
        rng.choice(['mail.example.com', 'unknown', 'localhost', '[192.0.2.9]', 'dsl-1-2-3.example.net']),
        rng.choice(['mail.example.com', 'unknown', 'HELO friend']), rng.randrange(1, 250),
        rng.choice(['ESMTP', 'SMTP', 'ESMTPSA', 'HTTP']), rng.getrandbits(40), rng.randrange(10))


def sentence(rng, count=6):
    return ' '.join(rng.choice(WORDS) for _ in range(rng.randrange(1, count + 1)))


OPTIONAL = [
    ('Message-ID', lambda r: ' <%x.%d@%s>' % (r.getrandbits(60), r.randrange(10**6), r.choice(['example.com', 'localhost', 'MAIL', '[192.0.2.1]']))),
    ('Message-Id', lambda r: ' <000%d$%08x$%08x@x.example>' % (r.randrange(1000), r.getrandbits(32), r.getrandbits(32))),
    ('Date', lambda r: r.choice([' Mon, 01 Jan 2024 00:00:00 +0000', ' Mon, 1 Jan 2024 00:00 -0000 (UTC)', ' 1/2/2024', ' Thu, 01 Jan 1970 00:00:00 +0000', ' bogus'])),
    ('X-Mailer', lambda r: ' ' + r.choice(MAILERS)),
    ('User-Agent', lambda r: ' ' + r.choice(MAILERS + ['Mutt/1.5', 'Mozilla/5.0 (X11)'])),
    ('MIME-Version', lambda r: r.choice([' 1.0', ' 1.0 (produced by x)', ' 2.0', '1.0'])),
    ('Content-Type', lambda r: r.choice([' text/plain; charset=koi8-r', ' text/html', ' text/plain;\n\tcharset="windows-1251"', ' multipart/mixed;\n boundary="----=_NextPart_000_0001_01C2.ABCD"', ' text/plain; charset*=us-ascii\'en\'utf-8', ' multipart/alternative; boundary="=_b"; charset=x', ' text/plain; format=flowed; delsp=yes'])),
    ('Content-Transfer-Encoding', lambda r: r.choice([' 7bit', ' base64', ' quoted-printable', ' 8bit', ' binary'])),
    ('X-Priority', lambda r: r.choice([' 1', ' 3', ' 1 (Highest)'])),
    ('X-MSMail-Priority', lambda r: r.choice([' High', ' Normal'])),
    ('X-MimeOLE', lambda r: ' Produced By Microsoft MimeOLE V6.00.2600.0000'),
    ('Precedence', lambda r: r.choice([' bulk', ' list', ' junk', ' First-Class'])),
    ('List-Id', lambda r: ' A list <list.example.com>'),
    ('List-Unsubscribe', lambda r: r.choice([' <mailto:u@example.com>', ' <http://example.com/u?e=1>', ' <https://x.example/%20>,\n <mailto:a@b>'])),
    ('In-Reply-To', lambda r: ' <abc@example.com>'),
    ('References', lambda r: ' <abc@example.com>\n <def@example.com>'),
    ('Reply-To', lambda r: ' ' + r.choice(FROMS)),
    ('Sender', lambda r: ' ' + r.choice(FROMS)),
    ('Errors-To', lambda r: ' bounces@example.com'),
    ('Return-Receipt-To', lambda r: ' a@example.com'),
    ('Auto-Submitted', lambda r: r.choice([' auto-replied', ' no', ' auto-generated'])),
    ('X-Originating-IP', lambda r: r.choice([' [192.0.2.7]', ' 192.0.2.7', ''])),
    ('X-PHP-Originating-Script', lambda r: ' 1000:mailer.php'),
    ('X-Spam-Flag', lambda r: ' YES'),
    ('DKIM-Signature', lambda r: ' v=1; a=rsa-sha256; d=example.com; s=x;\n\th=from:to; bh=abc; b=' + 'Q' * 80),
    ('Disposition-Notification-To', lambda r: ' <a@example.com>'),
    ('Thread-Index', lambda r: ' AcK' + 'x' * r.randrange(5, 30)),
    ('X-Campaignid', lambda r: ' 1'),
    ('Cc', lambda r: ' ' + r.choice(FROMS)),
    ('Mailing-List', lambda r: ' list x@yahoogroups.com; contact y@yahoogroups.com'),
    ('X-Envelope-From', lambda r: ' env@example.com'),
    ('Resent-From', lambda r: ' Resent <resent@example.com>'),
    ('X-Message-Info', lambda r: ' abc+/='),
    ('Organization', lambda r: ' ' + word(r.choice(CHARSETS))),
]


def generated(seed, subject=None):
    rng = random.Random(seed)
    fields = []
    if rng.random() < 0.8:
        fields.append(('Return-Path', ' <%s>' % rng.choice(['bounce@example.com', 'a@b.example', ''])))
    for _ in range(rng.randrange(0, 3)):
        fields.append(('Received', received(rng)))
    if rng.random() < 0.95:
        fields.append(('From', ' ' + rng.choice(FROMS)))
    if rng.random() < 0.9:
        many = 1 if rng.random() < 0.8 else rng.choice([5, 30, 400])
        fields.append(('To', ' ' + ',\n '.join(
            rng.choice(FROMS[:6]) if many < 6 else 'user%d@example.org' % n for n in range(many))))
    if subject is not None:
        fields.append(('Subject', ' ' + subject))
    elif rng.random() < 0.95:
        fields.append(('Subject', rng.choice([' ', '', '  ', '\t']) + rng.choice(
            [sentence(rng), word(rng.choice(CHARSETS), sentence(rng), rng.choice('BQ')),
             sentence(rng) + ' ' + word(rng.choice(CHARSETS))])))
    for name, make in OPTIONAL:
        if rng.random() < 0.25:
            fields.append((rng.choice([name, name, name, name.lower(), name.upper()]), make(rng)))
            if rng.random() < 0.05:
                fields.append((name, make(rng)))
    if rng.random() < 0.1:
        fields += [('X-Junk-%d' % n, ' ' + 'y' * rng.randrange(1, 900)) for n in range(rng.choice([10, 100]))]
    if rng.random() < 0.2:
        rng.shuffle(fields)
        first = [f for f in fields if f[0] == 'Return-Path']
        fields = first + [f for f in fields if f[0] != 'Return-Path']
    return assemble(fields)


def all_messages():
    """(name, bytes) of every message."""
    out = []
    for number, subject in enumerate(subjects()):
        out.append(('subject-%03d' % number, generated(1000 + number, subject)))
    for number, sender in enumerate(FROMS):
        out.append(('from-%03d' % number, assemble(
            [('Return-Path', ' <r@example.com>'), ('From', ' ' + sender), ('To', ' ' + sender),
             ('Reply-To', ' ' + FROMS[-1 - number]), ('Subject', ' s')])))
    for number, sender in enumerate(first + joint + second for first in JOINED[:4]
                                    for joint in JOINTS for second in JOINED[1:]):
        out.append(('joined-%03d' % number, assemble([('From', ' ' + sender), ('Subject', ' s')])))
    for seed in range(300):
        out.append(('random-%03d' % seed, generated(seed)))
    out += [
        ('empty-header', b'\ntext\n'),
        ('only-subject', b'Subject: x\n\ntext\n'),
        ('huge-subject', b'Subject: ' + b'spam ' * 40000 + b'\n\n'),
        ('huge-to', b'Return-Path: <a@example.com>\nTo: ' + b',\n '.join(b'u%d@example.com' % n for n in range(5000)) + b'\n\n'),
        ('many-fields', b''.join(b'X-F%d: %d\n' % (n, n) for n in range(5000)) + b'\n'),
        ('many-same', b''.join(b'X-Same: %d\nSubject: s%d\n' % (n, n) for n in range(800)) + b'\n'),
        ('wide-all', b''.join(b'X-Wide: ' + b'z' * 5000 + b'\nSubject: s%d\n' % n for n in range(30)) + b'From: a@example.com\n\n'),
        ('space-colon', b'Subject : x\nFrom: a@example.com\n\n'),
        ('no-value', b'Subject:\nFrom:\nTo:\nMessage-ID:\n\n'),
        ('crowded-words', b'Subject: ' + b'=?utf-8?q?a?= ' * 500 + b'\n\n'),
        ('bracket-run', b'From: <a@b.example>,<c@d.example>\nTo: x@example.com\n\n'),
        ('bare-cr', b'Subject: a\rb\nFrom: x@example.com\n\n'),
        ('dup', b'Subject: one\nSubject: two\nFrom: a@example.com\nFrom: b@example.com\nTo: x@example.com\nTo: y@example.com\n\n'),
    ]
    return out
