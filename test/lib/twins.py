# SPDX-License-Identifier: BSD-2-Clause
"""The same policy in Postfix's own smtpd and in gatepost: what one says of a session the other must
say, word for word."""
import json
import os
import re
import sys
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + '/../cli')

import ctl
import postfix
from tap import note, true

TABLES = {'client': 'check_client_access', 'helo': 'check_helo_access',
          'sender': 'check_sender_access', 'recipient': 'check_recipient_access',
          'reverse': 'check_reverse_client_hostname_access'}

RELAY_DOMAINS = 'here.example', 'there.example'  # and what is below them


class Policy:
    """Restriction lists and tables that Postfix and gatepost both get. lists: of words for each of
    client, helo, sender, relay, recipient; @NAME stands for the restriction that asks the table
    NAME, %NAME for the bare table. tables: key -> result for each NAME. delay: whether lists wait
    for RCPT."""

    def __init__(self, number, lists, tables, delay=True):
        self.number = number
        self.lists = lists
        self.tables = tables
        self.delay = delay

    def write_tables(self, folder):
        for name, rows in self.tables.items():
            path = '%s/%s-%d' % (folder, name, self.number)
            with open(path, 'w') as table:
                table.writelines('%s %s\n' % row for row in rows.items())

    def text(self, name, folder):
        def expand(match):
            return '%stexthash:%s/%s-%d' % (TABLES[match[2]] + ' ' if match[1] == '@' else '', folder,
                                            match[2], self.number)
        return re.sub('([@%])([a-z]+)', expand, ', '.join(self.lists[name]))

    def service(self, folder):
        """What master.cf says of the smtpd that judges by this policy."""
        more = {'smtpd_authorized_xclient_hosts': '127.0.0.0/8', 'smtpd_milters': '',
                'smtpd_delay_reject': yes(self.delay),
                **{'smtpd_%s_restrictions' % name: self.text(name, folder) for name in self.lists}}
        return ' '.join('-o { %s = %s }' % pair for pair in more.items())

    def settings(self, folder):
        more = {'mynetworks': '192.0.2.0/24', 'origin': 'lab.test', 'recipient_delimiter': '+',
                'local_domains': 'lab.test mail.lab.test localhost ' +
                ' '.join('%s .%s' % (name, name) for name in RELAY_DOMAINS),
                'delay_checks': yes(self.delay), 'dns_servers': '127.0.0.1',
                **{name: '' for name in ('submission_listeners', 'message_restrictions',
                                         'rule_files')},
                **{name + '_restrictions': self.text(name, folder) for name in self.lists}}
        return ''.join('%s = %s\n' % pair for pair in more.items())


def yes(condition):
    return 'yes' if condition else 'no'


def theirs(mta, policy, client, helo, sender, recipient):
    """What Postfix says at RCPT, or what it refused before."""
    mta_dialog = mta.dialog(mta.ports['policy%d' % policy.number])
    try:
        address, name = client
        name = '[UNAVAILABLE]' if name == 'unknown' else name
        reply = mta_dialog.xclient(None, ADDR='IPV6:' + address if ':' in address else address,
                                   NAME=name, REVERSE_NAME=name)
        true(reply.startswith('220') or not policy.delay, 'XCLIENT: ' + reply)
        if reply.startswith('220'):
            reply = mta_dialog.ehlo(helo).splitlines()[-1]
        if reply.startswith('250'):
            reply = mta_dialog.mail(sender)
        return mta_dialog.rcpt(recipient) if reply.startswith('250') else reply
    finally:
        mta_dialog.drop()


def ours(settings, client, helo, sender, recipient):
    done = settings.run('test', '--json', '--client', client[0], '--name', client[1], '--helo', helo,
                        '--from', sender, '--rcpt', recipient)
    true(done.returncode in (0, 1), done.stderr)
    return json.loads(done.stdout)['reply'] or '250 2.1.5 Ok'


def alike(one, other):
    """Whether the replies are the same. Other words by design: who may not relay is told what to
    do, and what a table says that means nothing is a 451 that does not blame the server's
    configuration."""
    other = re.sub('^554 (5.7.1 <.*>: Relay)(?: access denied)$',
                   r'550 \1ing denied; authenticate first', other)
    other = re.sub('^454 (4.7.1 <.*>: Relay)(?: access denied)$', r'454 \1 access denied', other)
    return one == other or one[:3] == other[:3] == '451'


def compare(played):
    """Plays sessions (client's address and name, HELO, sender, recipient) to both; PLAYED: pairs of
    a policy and its sessions."""
    place = ctl.Settings('')
    policies = [policy for policy, _ in played]
    for policy in policies:
        policy.write_tables(place.folder)
    os.chmod(place.folder, 0o755)
    mta = postfix.Postfix('', {'smtpd_reject_unlisted_recipient': 'no', 'mynetworks': '192.0.2.0/24',
                               'smtpd_reject_unlisted_sender': 'no', 'in_flow_delay': '0',
                               'relay_domains': ' '.join(RELAY_DOMAINS)},
                          {'policy%d' % p.number: p.service(place.folder) for p in policies})
    mta.start()
    differ, count, refused = [], 0, 0
    try:
        for policy, sessions in played:
            settings = ctl.Settings(policy.settings(place.folder))
            for session in sessions:
                one, other = ours(settings, *session), theirs(mta, policy, *session)
                count += 1
                refused += not other.startswith('2')
                if not alike(one, other):
                    differ.append('policy %d, %r:\n  gatepost %s\n  Postfix  %s\n%s'
                                  % (policy.number, session, one, other,
                                     policy.settings(place.folder) if len(differ) < 3 else ''))
    finally:
        mta.stop()
    note('%d sessions, %d refused by Postfix' % (count, refused))
    true(count // 10 < refused < count, 'Postfix refuses %d of %d' % (refused, count))
    true(not differ, '%d of %d sessions differ:\n%s' % (len(differ), count, '\n'.join(differ[:12])))
