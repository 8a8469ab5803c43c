# SPDX-License-Identifier: BSD-2-Clause
"""A daemon that looks back on a month of mail, with gatepost-web beside it: for pictures of the page, and
to see whether large numbers have room."""
import sqlite3
import time

import gatepost
import lists
import place
import webpage
from milter import Milter

LIMITS = ('[limit per-login]\nkey = sasl_user\ncount = recipients\nmax = 20\nper = 1d\nfor = authenticated\n'
          '[limit forms]\nkey = sender\nmax = 5\nper = 1h\nfor = mynetworks\n')
RULES = ('header SUBJECT_LOTTERY Subject =~ /lottery/i\ndescribe SUBJECT_LOTTERY A lottery\n'
         'score SUBJECT_LOTTERY 4.2\nheader FROM_NEWSLETTER From =~ /newsletter/i\n'
         'score FROM_NEWSLETTER 0.8\nbody URGENT_TRANSFER /urgent transfer/i\nscore URGENT_TRANSFER 2.6\n')
WORDS = {'accept': 640, 'tag': 36, 'hold': 2, 'tempfail greylist': 115, 'tempfail check_limit': 4,
         'reject reject_dnsbl': 292, 'reject reject_unauth_destination': 93,
         'reject check_client_access': 49, 'reject reject_spam': 31, 'reject submission_listeners': 11}
SENDERS = {'maria.papadopoulou@lab.test': 5, 'sales@lab.test': 5, 'info@lab.test': 4, 'nikos@lab.test': 4,
           'a.very.long.name.of.a.department.that.nobody.can.remember@lab.test': 4, 'jan@lab.test': 2}


def write_hours(path, times=1):
    """A month of counts: quiet nights and Sundays, one evening of a wave."""
    now = int(time.time()) // 3600 * 3600
    with sqlite3.connect(path) as database:
        for ago in range(31 * 24 - 1):
            hour = time.localtime(now - ago * 3600)
            busy = (0.05 if hour.tm_hour < 5 else 1.4 - abs(hour.tm_hour - 13) / 9) * (
                0.4 if hour.tm_wday > 4 else 1)
            for index, (word, most) in enumerate(sorted(WORDS.items())):
                wave = 3 if ago // 24 == 3 and word == 'reject reject_dnsbl' else 1
                ripple = 0.85 + (ago * 37 + index * 11) % 31 / 100
                database.execute('INSERT OR REPLACE INTO hours VALUES (?, ?, ?)', (
                    now - ago * 3600, word, int(most * busy * ripple * wave * times)))


def session(daemon, **connection):
    mta = Milter(daemon.port)
    mta.negotiate()
    mta.connect(**connection)
    mta.helo(connection.get('host', 'client.example.com').encode())
    return mta


def mail(daemon):
    """Some of each kind."""
    for sender, count in SENDERS.items():
        with session(daemon, address='192.0.2.30', host='www.lab.test') as mta:
            for _ in range(count):
                mta.mail('<%s>' % sender)
                mta.rcpt('<customer@far.example>')
                mta.message()
    for subject in (' Lottery: you have won', ' Minutes of Tuesday'):
        with session(daemon, address='198.51.100.20', host='mail.university.example') as mta:
            mta.mail('<office@university.example>')
            mta.rcpt('<bob@lab.test>')
            mta.rcpt('<alice@lab.test>')
            mta.message([('From', ' Office <newsletter@university.example>'), ('Subject', subject)],
                        b'An urgent transfer.\r\n')
    for address, host in ((lists.LISTED, 'dsl-9.provider.example'), (lists.DIALUP, 'unknown')):
        with session(daemon, address=address, host=host) as mta:
            mta.mail('<win@lottery.example>')
            mta.rcpt('<bob@lab.test>')
    with session(daemon, address='198.51.100.77', host='probe.example') as mta:
        mta.mail('<>')
        mta.rcpt('<postmaster@elsewhere.example>')


class Month:
    """.daemon, .web, .lists; times: how much mail there is."""

    def __init__(self, times=1):
        self.lists = lists.Lists().start()
        self.daemon = gatepost.Gatepost()
        table = self.daemon.table('clients', '198.51.100.99 REJECT\n')
        self.daemon.configure({
            'mynetworks': '192.0.2.0/24', 'dns_servers': self.lists.address(),
            'dnsbl_sites': 'bl.example.com*3 bl.example.net', 'dnsbl_timeout': '1s',
            'client_restrictions': 'check_client_access texthash:' + table,
            'rule_files': self.daemon.table('rules.cf', RULES), 'message_restrictions': 'reject_spam',
            'recipient_restrictions': 'check_limit per-login check_limit forms permit_mynetworks reject_dnsbl'}, LIMITS)
        self.web = webpage.Web(self.daemon, LIMITS)
        self.daemon.start()
        mail(self.daemon)
        self.daemon.stop()
        write_hours(self.daemon.state, times)
        self.daemon.start()
        mail(self.daemon)
        self.web.start()

    def stop(self):
        self.web.stop()
        self.daemon.stop()
        self.lists.stop()
