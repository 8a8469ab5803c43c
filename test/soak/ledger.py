# SPDX-License-Identifier: BSD-2-Clause
"""What was sent and what became of it. Three bytes a message, so that a run may take days: its
kind, what its sender was told, how often it arrived."""
import collections
import re
import threading
import time

UNDER_WAY, ACCEPTED, REFUSED, UNSENT, AMBIGUOUS = range(5)
WORDS = ('under way', 'accepted', 'refused', 'never finished', 'ambiguous')

# What policy owes a kind of message.
PASS, MARKED, HELD, REFUSE, LISTED = 'pass', 'marked', 'held', 'refuse', 'listed'

SHOWN = 10  # of each sort of complaint
NUMBER = re.compile(rb'^X-Soak-Id: (\d+)\r?$', re.M)
ENVELOPE = re.compile(r'[+.](\d+)[@.]')
# smtp-source -N: Postfix 3.7 writes its number first, 3.10 last.
BURST = re.compile(r'^(?P<before>\d*)burst(?P<burst>\d+)_(?P<after>\d*)@')
MARKS = re.compile(r'(?mi)^(X-Spam-(?:Flag|Score)): (\S+)')


class Ledger:
    def __init__(self, kinds):
        """kinds: name -> what policy owes it."""
        self.lock = threading.Lock()
        self.names = list(kinds)
        self.owed = [kinds[name] for name in self.names]
        self.kind, self.outcome, self.seen = bytearray(), bytearray(), bytearray()
        self.sessions = 0
        self.delays = []      # (begin, end, text): temporary refusals, to be held against windows
        self.listed_passed = []
        self.wrong = collections.Counter()
        self.examples = collections.defaultdict(list)
        self.bursts = {}      # number -> (how many were accepted, Counter of what arrived)
        self.windows = {'away': [], 'lists': []}
        self.open = {'away': 0, 'lists': 0}
        self.began = {}

    # What is sent

    def new(self, kind):
        """A number for a message that is about to be sent."""
        with self.lock:
            self.kind.append(self.names.index(kind))
            self.outcome.append(UNDER_WAY)
            self.seen.append(0)
            return len(self.kind) - 1

    def told(self, number, outcome, begun, reply=''):
        """What the sender knows of it. begun: when its connection was made, monotonic."""
        with self.lock:
            self.outcome[number] = outcome
            owed = self.owed[self.kind[number]]
            text = '%s, %d: %r' % (self.names[self.kind[number]], number, reply[:200])
            if outcome == ACCEPTED and owed == REFUSE:
                self.complain('passed although policy refuses it', text)
            elif outcome == ACCEPTED and owed == LISTED:
                self.listed_passed.append((begun, time.monotonic(), text))
            elif outcome == REFUSED and reply.startswith('5') and owed not in (REFUSE, LISTED):
                self.complain('refused for good although policy lets it pass', text)
            elif outcome == UNSENT or outcome == REFUSED and not reply.startswith('5'):
                self.delays.append((begun, time.monotonic(), text))

    def gave_up(self, number, outcome):
        """The sender itself hung up: nobody is to blame."""
        with self.lock:
            self.outcome[number] = outcome

    def burst(self, number, accepted):
        """smtp-source sent as many messages, all of which were accepted."""
        with self.lock:
            self.bursts[number] = (accepted, self.bursts.get(number, (0, collections.Counter()))[1])

    # What arrives

    def deliver(self, message):
        """Called by the sink for each message."""
        with self.lock:
            hit = BURST.match(message.recipients[0])
            if hit:
                number = int(hit['before'] or hit['after'])
                self.bursts.setdefault(int(hit['burst']), (0, collections.Counter()))[1][number] += 1
                return
            head = message.data.split(b'\r\n\r\n', 1)[0]
            hit = NUMBER.search(head)
            if hit:  # else a bounce
                self.arrived(int(hit[1]), message, head.decode('latin-1'))

    def arrived(self, number, message, head):
        self.count(number)
        name = '%s, %d' % (self.names[self.kind[number]], number)
        if self.owed[self.kind[number]] == HELD:
            self.complain('delivered although it was to be held', name)
        envelope = ENVELOPE.search(message.sender) or ENVELOPE.search(message.recipients[0])
        if not envelope or int(envelope[1]) != number or \
                b'\r\nsoak-id %d\r\n' % number not in message.data:
            self.complain('mixed up with another', name)
        marks = MARKS.findall(head)
        expected = [('x-spam-flag', 'YES'), ('x-spam-score', '6.0')] \
            if self.owed[self.kind[number]] == MARKED else []
        if sorted((key.lower(), value) for key, value in marks) != expected:
            self.complain('with wrong marks', '%s: %r' % (name, marks))

    def count(self, number):
        if number >= len(self.seen):
            return self.complain('of an unknown number', str(number))
        self.seen[number] = min(self.seen[number] + 1, 255)

    def held(self, number):
        """Called for each message found on hold."""
        with self.lock:
            self.count(number)
            if self.owed[self.kind[number]] != HELD:
                self.complain('held although it was to pass',
                              '%s, %d' % (self.names[self.kind[number]], number))

    def complain(self, what, text):
        self.wrong[what] += 1
        if len(self.examples[what]) < SHOWN:
            self.examples[what].append(text)

    def complaints(self):
        with self.lock:
            return ['%d %s: %s' % (times, what, '; '.join(self.examples[what]))
                    for what, times in self.wrong.items()]

    # Windows in which more is allowed

    def begin(self, name):
        with self.lock:
            if self.open[name] == 0:
                self.began[name] = time.monotonic()
            self.open[name] += 1

    def end(self, name):
        with self.lock:
            self.open[name] -= 1
            if self.open[name] == 0:
                self.windows[name].append((self.began[name], time.monotonic()))

    def outside(self, records, name):
        """Those records that touch no window."""
        windows = self.windows[name]
        return [record for record in records
                if not any(record[0] <= end and record[1] >= begin for begin, end in windows)]

    # The account

    def sent(self):
        with self.lock:
            return len(self.kind)

    def missing(self):
        """How many accepted messages have not arrived yet."""
        with self.lock:
            return sum(1 for outcome, seen in zip(self.outcome, self.seen)
                       if outcome == ACCEPTED and not seen) + \
                sum(accepted - len(found) for accepted, found in self.bursts.values())

    def pick(self, test):
        """The messages for which test(outcome, seen) holds."""
        return ['%s, %d, %s, arrived %d times' % (self.names[kind], number, WORDS[outcome], seen)
                for number, (kind, outcome, seen)
                in enumerate(zip(self.kind, self.outcome, self.seen)) if test(outcome, seen)]

    def lost(self):
        return self.pick(lambda outcome, seen: outcome == ACCEPTED and seen == 0) + \
            ['%d of burst %d' % (accepted - len(found), number)
             for number, (accepted, found) in self.bursts.items() if len(found) < accepted]

    def doubled(self):
        return self.pick(lambda outcome, seen: seen > 1) + \
            ['burst %d: %d' % (number, one) for number, (_, found) in self.bursts.items()
             for one, times in found.items() if times > 1]

    def leaked(self):
        return self.pick(lambda outcome, seen: seen and outcome in (REFUSED, UNSENT))

    def totals(self):
        """outcome -> number, bursts among the accepted."""
        with self.lock:
            found = {word: self.outcome.count(code) for code, word in enumerate(WORDS)}
            found['accepted'] += sum(accepted for accepted, _ in self.bursts.values())
            return found

    def by_kind(self):
        with self.lock:
            table = collections.Counter(zip(self.kind, self.outcome))
            return {name: {word: table[number, code] for code, word in enumerate(WORDS)
                           if table[number, code]} for number, name in enumerate(self.names)}
