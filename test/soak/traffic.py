# SPDX-License-Identifier: BSD-2-Clause
"""Senders, each with a session after the other, of all kinds of mail."""
import collections
import random
import subprocess
import threading
import time

import lists
import smtp

from ledger import (ACCEPTED, AMBIGUOUS, HELD, LISTED, MARKED, PASS, REFUSE, REFUSED, UNSENT)

Kind = collections.namedtuple('Kind', 'weight owed client sender recipient subject more body',
                              defaults=('', '', ''))
OUTSIDE, INSIDE, LOCAL = lists.UNKNOWN, 'inside', 'local'
SENDER, BOB = 's.%d@example.com', 'bob+%d@lab.test'
QUOTED = ('I am away until Monday.\r\n\r\n-----Original Message-----\r\n'
          '> The turnover of the third quarter was 4.71 million euros, the loss was 380.\r\n'
          '> The bank has been told nothing of it so far, and shall not be before May.\r\n')
REPORT = ('--b\r\n\r\nI could not deliver this.\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n'
          'From: bob@lab.test\r\nSubject: figures\r\n\r\n'
          'The turnover of quarter %(n)d was %(n)d million euros, the loss was 380 thousand.\r\n'
          'The bank has not been told of the %(n)d millions, and shall not be before May.\r\n'
          '\r\n--b--\r\n')

KINDS = {
    'plain': Kind(20, PASS, OUTSIDE, SENDER, BOB),
    'inside': Kind(10, PASS, INSIDE, SENDER, 'x.%d@remote.example'),
    'local': Kind(1, PASS, LOCAL, SENDER, 'x.%d@remote.example'),
    'report': Kind(3, PASS, OUTSIDE, '', BOB, '', 'Content-Type: multipart/report; '
                   'report-type=delivery-status; boundary=b\r\n', REPORT),
    'marked': Kind(8, MARKED, OUTSIDE, SENDER, BOB, 'soak-tag', 'X-Spam-Score: -99\r\n'),
    'held': Kind(2, HELD, OUTSIDE, SENDER, 'hold+%d@lab.test'),
    'relay': Kind(10, REFUSE, OUTSIDE, SENDER, 'x.%d@remote.example'),
    'client': Kind(8, REFUSE, '192.0.2.66', SENDER, BOB),
    'sender': Kind(8, REFUSE, OUTSIDE, 's.%d@spam.example', BOB),
    'spam': Kind(10, REFUSE, OUTSIDE, SENDER, BOB, 'soak-spam'),
    'autoreply': Kind(5, REFUSE, INSIDE, 'bob+%d@lab.test', 'noreply@p.%d.test', '',
                      'Auto-Submitted: auto-replied\r\n', QUOTED),
    'listed': Kind(5, LISTED, lists.LISTED, SENDER, BOB),
    'greedy': Kind(0, PASS, INSIDE, SENDER, BOB),
}
# How a sender ends that does not wait for the end; weights beside those of KINDS.
RUDE = 2
SIZES = (0, 500, 2000, 20000, 200000)
BURST = 300


def number_in(text, number):
    return text.replace('%d', str(number))


def compose(kind, number, size):
    head = ('X-Soak-Id: %d\r\nFrom: <a@example.com>\r\nTo: <bob@lab.test>\r\nSubject: %s %d\r\n'
            'Date: Sat, 21 Nov 2026 01:00:00 +0000\r\nMessage-Id: <%d@soak.example.com>\r\n%s\r\n'
            % (number, kind.subject or 'a test', number, number, kind.more))
    # A hundred different reports, so that the memory of bounces soon has them all.
    body = kind.body.replace('%(n)d', str(number % 100)) + '\r\nsoak-id %d\r\n' % number
    return (head + body + ('x' * 70 + '\r\n') * (size // 72)).encode()


class Traffic:
    def __init__(self, world, clients, pause):
        self.world, self.ledger = world, world.ledger
        self.clients, self.pause_between = clients, pause
        self.random = random.Random(world.seed)
        self.threads = []
        self.go, self.over = threading.Event(), threading.Event()
        self.busy = 0
        self.lock = threading.Lock()
        self.number = 0
        self.errors = collections.Counter()
        self.names = [name for name, kind in KINDS.items() for _ in range(kind.weight)]

    def start(self):
        self.go.set()
        for _ in range(self.clients):
            thread = threading.Thread(target=self.work, daemon=True,
                                      args=(random.Random(self.random.random()),))
            thread.start()
            self.threads.append(thread)

    def pause(self):
        """Returns when no session is left."""
        self.go.clear()
        while self.busy:
            time.sleep(0.05)

    def resume(self):
        self.go.set()

    def end(self):
        self.over.set()
        self.go.set()
        for thread in self.threads:
            thread.join(100)

    def work(self, chance):
        while not self.over.is_set():
            self.go.wait()
            with self.lock:
                self.busy += 1
            try:
                if self.go.is_set() and not self.over.is_set():
                    self.session(chance, chance.choice(self.names))
            except OSError as error:
                self.errors[repr(error)] += 1
                time.sleep(0.05)
            finally:
                with self.lock:
                    self.busy -= 1
            self.over.wait(self.pause_between)

    def session(self, chance, name):
        kind = KINDS[name]
        if kind.client == LOCAL:
            return self.local(chance, name)
        begun = time.monotonic()
        ports = self.world.postfix.ports
        dialog = smtp.Dialog(ports['mx' if kind.client == INSIDE else 'xclient'], timeout=120)
        if kind.client != INSIDE:
            dialog.xclient(NAME='host.example', ADDR=kind.client)
        for _ in range(chance.choice((1, 1, 2, 4))):
            if not self.message(chance, dialog, name, begun):
                return dialog.drop()
        dialog.close()

    def one(self, name):
        """A session with one message of a kind; its last reply."""
        kind, begun = KINDS[name], time.monotonic()
        dialog = smtp.Dialog(self.world.postfix.ports['mx' if kind.client == INSIDE else 'xclient'],
                             timeout=120)
        if kind.client != INSIDE:
            dialog.xclient(NAME='host.example', ADDR=kind.client)
        number = self.ledger.new(name)
        outcome, reply = self.transaction(dialog, kind, number, 500)
        self.ledger.told(number, outcome, begun, reply)
        dialog.close()
        return reply

    def greedy(self, who, tries):
        """Somebody with a limit sends as often; how many passed."""
        kind, passed = KINDS['greedy']._replace(more='X-Greedy: %s\r\n' % who), 0
        for _ in range(tries):
            begun, number = time.monotonic(), self.ledger.new('greedy')
            dialog = smtp.Dialog(self.world.postfix.ports['mx'], timeout=120)
            outcome, reply = self.transaction(dialog, kind, number, 500)
            if outcome == REFUSED:  # as it is to be, or not: the fault says
                self.ledger.gave_up(number, REFUSED)
            else:
                self.ledger.told(number, outcome, begun, reply)
            passed += outcome == ACCEPTED
            dialog.close()
        return passed

    def message(self, chance, dialog, name, begun):
        """Whether the session can go on."""
        number = self.ledger.new(name)
        if chance.random() * 100 < RUDE:
            return self.rude(chance, dialog, KINDS[name], number, begun)
        outcome, reply = self.transaction(dialog, KINDS[name], number, chance.choice(SIZES))
        self.ledger.told(number, outcome, begun, reply)
        if outcome == ACCEPTED:
            return True
        return bool(reply) and dialog.send('RSET').startswith('250')

    def transaction(self, dialog, kind, number, size):
        """What the sender knows at the end, and the reply it knows it from."""
        for reply in self.envelope(dialog, kind, number):
            if not reply.startswith('2'):
                return (REFUSED if reply else UNSENT), reply
        reply = dialog.send('DATA')
        if not reply.startswith('354'):
            return (REFUSED if reply else UNSENT), reply
        reply = dialog.send(compose(kind, number, size) + b'.')
        return (AMBIGUOUS if not reply else ACCEPTED if reply.startswith('2') else REFUSED), reply

    def envelope(self, dialog, kind, number):
        yield dialog.mail(number_in(kind.sender, number))
        yield dialog.rcpt(number_in(kind.recipient, number))

    def rude(self, chance, dialog, kind, number, begun):
        """Hangs up in the midst of it, or behind the dot without waiting."""
        stage = chance.randrange(4)
        replies = [dialog.mail(number_in(kind.sender, number))]
        if stage > 0 and replies[-1].startswith('2'):
            replies.append(dialog.rcpt(number_in(kind.recipient, number)))
        if stage > 1 and replies[-1].startswith('2'):
            replies.append(dialog.send('DATA'))
        if stage > 1 and replies[-1].startswith('354'):
            content = compose(kind, number, 500)
            try:
                dialog.socket.sendall(content + b'.\r\n' if stage == 3 else content[:-200])
            except OSError:
                pass
            self.ledger.gave_up(number, AMBIGUOUS if stage == 3 else UNSENT)
        else:
            self.ledger.gave_up(number, UNSENT)
        return False

    def local(self, chance, name):
        """By sendmail(1); Postfix takes it before gatepost sees it."""
        kind, begun = KINDS[name], time.monotonic()
        number = self.ledger.new(name)
        done = self.world.postfix.sendmail(
            compose(kind, number, chance.choice(SIZES)).replace(b'\r\n', b'\n'), '-i', '-f',
            number_in(kind.sender, number), number_in(kind.recipient, number))
        self.ledger.told(number, REFUSED if done.returncode else ACCEPTED, begun,
                         '' if done.returncode == 0 else '4xx sendmail: %r' % done.stderr)

    def burst_begin(self, count=BURST):
        """smtp-source, as fast as it goes."""
        self.number += 1
        process = subprocess.Popen(
            ['/usr/sbin/smtp-source', '-N', '-s', '10', '-m', str(count), '-l', '2000', '-f',
             'burst@example.com', '-t', 'burst%d_@lab.test' % self.number,
             '127.0.0.1:%d' % self.world.postfix.ports['mx']],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        return process, self.number, count

    def burst_end(self, begun):
        """Its exit code and what it said; 0: all that it sent was accepted."""
        process, number, count = begun
        _, error = process.communicate(timeout=300)
        if process.returncode == 0:
            self.ledger.burst(number, count)
        return process.returncode, error.decode(errors='replace').strip()
