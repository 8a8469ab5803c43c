# SPDX-License-Identifier: BSD-2-Clause
"""Headers as messages of the world have them when they reach their last MTA: two to six relays,
what these found out of SPF, DKIM, DMARC and ARC, a signature or two, a list's fields or a
newsletter's, MIME. The same number gives the same message."""
import base64
import random

ZONES = ('example.com', 'mail.example.net', 'lists.example.org', 'shop.example')
AGENTS = ('Mozilla Thunderbird', 'Apple Mail (2.3774.300.61.1.2)', 'Microsoft Outlook 16.0',
          'Roundcube Webmail/1.6.5', 'PHPMailer 6.9.1 (https://github.com/PHPMailer/PHPMailer)')
SUBJECTS = ('Re: minutes of the meeting on Thursday', 'Your order has been sent',
            '=?UTF-8?Q?R=C3=BCckfrage_zu_Ihrem_Angebot_vom_12=2E_November?=',
            '=?utf-8?B?zpHPgM6szr3PhM63z4POtyDPg8+Ezr8gzrXPgc+Oz4TOt868zqwgz4POsc+C?=',
            '[users] [RFC] a second look at the proposal for the next release')
NAMES = ('Some Body', '=?utf-8?Q?J=C3=B6rg_M=C3=BCller?=', '"Body, Some (Sales)"', 'News of the Shop')


def signature(dice, size=256):
    """As a signer folds it."""
    text = base64.b64encode(dice.randbytes(size)).decode()
    return '\n\t '.join(text[at:at + 64] for at in range(0, len(text), 64))


def received(dice, at):
    zone = dice.choice(ZONES)
    return ('from out%d.%s (out%d.%s [198.51.100.%d])\n\t(using TLSv1.3 with cipher '
            'TLS_AES_256_GCM_SHA384 (256/256 bits))\n\t(No client certificate requested)\n\tby '
            'mx%d.%s (Postfix) with ESMTPS id %010X\n\tfor <bob@lab.test>; Sat, 21 Nov 2026 '
            '01:00:%02d +0000 (UTC)' % (at, zone, at, zone, dice.randrange(256), at,
                                        dice.choice(ZONES), dice.randrange(1 << 40), 59 - at))


def results(zone):
    return ('mx.%s;\n\tdkim=pass (2048-bit key; unprotected) header.d=%s header.i=@%s '
            'header.b="Xq8Zc1aR";\n\tspf=pass (mx.%s: domain of a@%s designates 198.51.100.7 as '
            'permitted sender) smtp.mailfrom=a@%s;\n\tdmarc=pass (p=reject dis=none) '
            'header.from=%s' % ((zone,) * 7))


def signed(dice, zone, selector):
    return ('v=1; a=rsa-sha256; c=relaxed/relaxed; d=%s; s=%s;\n\tt=1795309200; h=from:to:subject:'
            'date:message-id:mime-version:\n\t content-type:list-unsubscribe; bh=%s;\n\tb=%s'
            % (zone, selector, base64.b64encode(dice.randbytes(32)).decode(), signature(dice)))


def sealed(dice, zone, instance):
    return [('ARC-Seal', 'i=%d; a=rsa-sha256; t=1795309200; cv=%s;\n\td=%s; s=arc-2026;\n\tb=%s'
             % (instance, 'pass' if instance > 1 else 'none', zone, signature(dice))),
            ('ARC-Message-Signature', 'i=%d; ' % instance + signed(dice, zone, 'arc-2026')),
            ('ARC-Authentication-Results', 'i=%d; ' % instance + results(zone))]


def list_fields(zone):
    return [('List-Id', 'Those who use it <users.%s>' % zone),
            ('List-Unsubscribe', '<https://%s/options/users>,\n\t<mailto:users-leave@%s>'
             % (zone, zone)),
            ('List-Unsubscribe-Post', 'List-Unsubscribe=One-Click'),
            ('List-Archive', '<https://%s/archive/users/>' % zone),
            ('List-Post', '<mailto:users@%s>' % zone),
            ('List-Help', '<mailto:users-request@%s?subject=help>' % zone),
            ('Precedence', 'list'), ('Errors-To', 'users-bounces@%s' % zone),
            ('X-BeenThere', 'users@%s' % zone), ('X-Mailman-Version', '3.3.8')]


def author_fields(dice, number, zone):
    return [('From', '%s <a@%s>' % (dice.choice(NAMES), zone)), ('To', 'Bob <bob@lab.test>'),
            ('Subject', dice.choice(SUBJECTS)), ('Date', 'Sat, 21 Nov 2026 01:00:00 +0000'),
            ('Message-ID', '<20261121010000.%d.GA1@%s>' % (number, zone)),
            ('MIME-Version', '1.0'),
            ('Content-Type', 'multipart/alternative;\n boundary="----=_Part_%d_%d"'
             % (number, dice.randrange(1 << 30))),
            ('User-Agent' if number % 2 else 'X-Mailer', dice.choice(AGENTS)),
            ('In-Reply-To', '<20261120010000.GB7@%s>' % zone),
            ('References', '<20261119010000.GB5@%s>\n\t<20261120010000.GB7@%s>' % (zone, zone)),
            ('Content-Language', 'en-GB'), ('Content-Transfer-Encoding', '8bit')]


def added_fields(dice):
    """What filters and providers on the way add, as many as anybody wants."""
    rows = (('X-Spam-Status', 'No, score=-2.1 required=5.0 tests=BAYES_00,DKIM_SIGNED,\n\tDKIM_VALID,'
             'SPF_PASS autolearn=ham'),
            ('Received-SPF', 'Pass (mailfrom) identity=mailfrom; client-ip=198.51.100.7;\n '
             'helo=out1.example.com; envelope-from=a@example.com'),
            ('X-Google-Smtp-Source', signature(dice, 40)),
            ('X-MS-Exchange-CrossTenant-Id', '7a1f0c5e-0000-4000-8000-0123456789ab'),
            ('X-Forefront-Antispam-Report', 'CIP:198.51.100.7;CTRY:DE;LANG:en;SCL:1;SRV:;IPV:NLI;\n'
             '\tSFV:NSPM;H:out1.example.com;PTR:out1.example.com;CAT:NONE;DIR:INB;'),
            ('X-Microsoft-Antispam-Message-Info', signature(dice, 400)),
            ('X-Originating-IP', '[198.51.100.7]'), ('X-Proofpoint-GUID', signature(dice, 24)),
            ('Feedback-ID', '12345:campaign:mailer'), ('X-Report-Abuse', 'abuse@example.com'))
    at = 0
    while True:
        name, value = rows[at % len(rows)]
        yield (name if at < len(rows) else '%s-%d' % (name, at // len(rows))), value
        at += 1


def message(number, count=None):
    """The fields of message NUMBER, (name, value) from the top; COUNT of them, or 15 to 60."""
    dice = random.Random(number)
    count = count or dice.randint(15, 60)
    zone = ZONES[number % len(ZONES)]
    fields = [('Return-Path', '<a@%s>' % zone), ('Delivered-To', 'bob@lab.test')]
    fields += [('Received', received(dice, at)) for at in range(min(6, max(2, count // 8)))]
    fields += [('Authentication-Results', results(zone)), ('DKIM-Signature', signed(dice, zone, 's1'))]
    author = author_fields(dice, number, zone)
    extra = list_fields(zone) if number % 3 == 0 else []
    if count > 24:
        extra += sealed(dice, zone, 1)
    if count > 40:
        extra += sealed(dice, zone, 2) + [('DKIM-Signature', signed(dice, zone, 's2'))]
    fields += extra[:max(0, count - len(fields) - len(author))]
    added = added_fields(dice)
    while len(fields) + len(author) < count:
        fields.append(next(added))
    return (fields + author)[:max(count, len(fields) + 7)]


def header_text(number, count=None):
    """The same as lines."""
    return ''.join('%s: %s\n' % field for field in message(number, count))


def file_text(numbers, count=None):
    """Several, for the client's -F: an empty line behind each."""
    return ''.join(header_text(number, count) + '\n' for number in numbers)
