#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A DNS server that misbehaves as its first label says, for what an honest server cannot do.

    badserver.py PORT

listens on 127.0.0.1, UDP and TCP, prints "ready" and answers until its input ends. What to do
stands in the labels of the question; labels that are none of these words mean nothing:

    a-N-N-N-N      answers with this address (several: several records)
    ttl-N          TTL of what is answered (default 60)
    nx             NXDOMAIN, with an SOA of that TTL
    nodata         no record, with an SOA
    nosoa          leaves the SOA out
    servfail refused formerr
    delay-MS       answers that much later (so that answers come out of order)
    silent         never answers
    drop-N         does not answer the first N times that this name is asked
    wrongid        answers with another number, then correctly after 300 ms
    onlywrongid    answers with another number alone
    wrongname      answers another question than was asked
    garbage        sends bytes that are no message
    badrdata       sends a record whose length is wrong
    trunc          truncates over UDP, answers over TCP
    cut            says of an answer with records that it is truncated, over TCP too
    many-N         N addresses (127.0.0.2 and up)
    chain-N        the address at the end of N aliases
    loop           aliases in a circle
    list           a DNS list: the names that RFC 5782 probes (127.0.0.1, INVALID; 127.0.0.2, TEST)
                   are answered as a sound list does, whatever the other words say, but for
    pdelay-MS psilent pservfail   ... the probes late, not at all, with SERVFAIL
    text-LABEL     TXT: this text;  mx-N: an MX of this preference;  nullmx;  badmx: no host name
    mxfail         SERVFAIL to questions for MX alone
    signed         says that DNSSEC covers the answer (AD) to who asks for that
    bogus          SERVFAIL, but to who wants what cannot be checked, too (CD)
    ns-LABEL srv-N  an NS; an SRV of this priority
    elsewhere      before its answer a forged one, 127.0.0.66, goes to all other ports from which
                   anything was asked

The zone "counted.test" answers TXT questions for NAME.counted.test with how often NAME was asked.
"""
import asyncio
import contextlib
import socket
import struct
import sys

A, NS, CNAME, SOA, MX, TXT, AAAA, SRV = 1, 2, 5, 6, 15, 16, 28, 33
AD, CD = 0x20, 0x10  # in the fourth byte
PROBES = ("1.0.0.127.", "invalid.", "2.0.0.127.", "test.")
asked = {}
ports = {}  # who asked over UDP, in their order: as the keys


def wire(name):
    return b"".join(bytes([len(x)]) + x.encode() for x in name.split(".") if x) + b"\0"


def record(owner, kind, data, ttl):
    return wire(owner) + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data


class Plan:
    """What the labels of one question ask for."""

    def __init__(self, name, kind, tcp):
        self.name, self.kind, self.tcp = name, kind, tcp
        self.rcode, self.ttl, self.delay, self.soa = 0, 60, 0, True
        self.answers, self.words = [], []
        self.negative = False
        labels = [label.partition("-")[::2] for label in name.split(".")]
        if ("list", "") in labels and name.startswith(PROBES):
            labels = self.probe(labels)
        for word, value in labels:
            step = getattr(self, "do_" + word, None)
            if step:
                self.words.append(word)
                step(value)

    def probe(self, labels):
        if self.name.startswith(PROBES[:2]):
            plan = [("nx", "")]
        else:
            plan = [("a", "127-0-0-2")]
        return plan + [(w[1:], v) for w, v in labels if w in ("pdelay", "psilent", "pservfail")]

    def add(self, kind, data, owner=None):
        if kind == self.kind or kind == CNAME:
            self.answers.append((owner or self.name, kind, data))

    def do_a(self, value):
        self.add(A, bytes(int(x) for x in value.split("-")))

    def do_ttl(self, value):
        self.ttl = int(value)

    def do_nx(self, _):
        self.rcode, self.negative = 3, True

    def do_nodata(self, _):
        self.negative = True

    def do_nosoa(self, _):
        self.soa = False

    def do_servfail(self, _):
        self.rcode = 2

    def do_refused(self, _):
        self.rcode = 5

    def do_formerr(self, _):
        self.rcode = 1

    def do_delay(self, value):
        self.delay = int(value) / 1000

    def do_drop(self, value):
        self.drop = int(value)

    def do_many(self, value):
        for i in range(int(value)):
            self.add(A, bytes([127, 0, i >> 8 & 255, (i + 2) & 255]))

    def do_chain(self, value):
        owner = self.name
        for i in range(int(value)):
            self.add(CNAME, wire("c%d.chain" % i), owner)
            owner = "c%d.chain" % i
        self.add(A, bytes([127, 0, 0, 2]), owner)
        self.answers.reverse()

    def do_loop(self, _):
        self.add(CNAME, wire("other.loop"))
        self.add(CNAME, wire(self.name), "other.loop")

    def do_text(self, value):
        self.add(TXT, bytes([len(value)]) + value.encode())

    def do_mx(self, value):
        self.add(MX, struct.pack("!H", int(value)) + wire("mx.example"))

    def do_nullmx(self, _):
        self.add(MX, struct.pack("!H", 0) + b"\0")

    def do_badmx(self, _):
        self.add(MX, struct.pack("!H", 0) + wire("no host"))

    def do_ns(self, value):
        self.add(NS, wire(value))

    def do_srv(self, value):
        self.add(SRV, struct.pack("!HHH", int(value), 0, 25) + wire("srv.example"))

    def do_mxfail(self, _):
        self.rcode = 2 if self.kind == MX else self.rcode

    def quiet(self, *_):
        pass

    do_elsewhere = do_list = do_silent = do_wrongid = do_onlywrongid = do_wrongname = quiet
    do_garbage = do_badrdata = do_trunc = do_cut = do_signed = do_bogus = quiet

    def message(self, query):
        """The messages to send, each with the seconds to wait before it."""
        number, question = query[:2], query[12:]
        if "bogus" in self.words and not query[3] & CD:
            self.rcode, self.answers = 2, []
        if not self.name and self.kind == NS:  # the root
            self.words.append("signed")
            self.add(NS, wire("a.root-servers.net"))
        flags, records = 0x8180 | self.rcode, [record(*a, self.ttl) for a in self.answers]
        if "badrdata" in self.words:
            records = [record(self.name, A, b"\x7f\0\0", 60)]
        if "trunc" in self.words and not self.tcp:
            flags, records = flags | 0x0200, []
        if "cut" in self.words and records:
            flags |= 0x0200
        if "wrongname" in self.words:
            question = wire("another.name") + question[-4:]
        authority = []
        if not records and self.soa and (self.negative or self.rcode == 0):
            data = wire("ns.test") + wire("root.test") + struct.pack("!IIIII", 1, 2, 3, 4, self.ttl)
            authority = [record("test", SOA, data, self.ttl)]
        flags |= AD if "signed" in self.words and query[3] & AD else 0
        body = struct.pack("!HHHHH", flags, 1, len(records), len(authority), 0) + question
        body += b"".join(records + authority)
        wrong = bytes([number[0] ^ 0x55, number[1]])
        if "garbage" in self.words:
            return [(self.delay, number + bytes(range(7, 60)))]
        if "onlywrongid" in self.words:
            return [(0, wrong + body)]
        if "wrongid" in self.words:
            return [(0, wrong + body), (0.3, number + body)]
        return [(self.delay, number + body)]


def read_name(query):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode("latin-1"))
        at += 1 + query[at]
    kind = struct.unpack("!H", query[at + 1:at + 3])[0]
    return ".".join(labels).lower(), kind, query[:at + 5]


def count_reply(name, query):
    number = str(asked.get(name[:-len(".counted.test")], 0)).encode()
    answer = record(name, TXT, bytes([len(number)]) + number, 0)
    return query[:2] + struct.pack("!HHHHH", 0x8180, 1, 1, 0, 0) + query[12:] + answer


async def answer(query, tcp, send):
    name, kind, query = read_name(query)
    if name.endswith(".counted.test"):
        send(count_reply(name, query))
        return
    asked[name] = asked.get(name, 0) + 1
    plan = Plan(name, kind, tcp)
    if "silent" in plan.words or asked[name] <= getattr(plan, "drop", 0):
        return
    for delay, message in plan.message(query):
        await asyncio.sleep(delay)
        send(message)


class Udp(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport
        # a thousand sessions ask at once: what the tests measure must not be lost here; root may
        # have more room than the system grants others (SO_RCVBUFFORCE)
        udp = transport.get_extra_info("socket")
        for option in (socket.SO_RCVBUF, 33):
            with contextlib.suppress(OSError):
                udp.setsockopt(socket.SOL_SOCKET, option, 1 << 22)

    def datagram_received(self, data, peer):
        ports[peer] = None
        name, kind, query = read_name(data)
        if ".elsewhere." in "." + name:
            forged = Plan(name, kind, False)
            forged.answers = [(name, A, bytes([127, 0, 0, 66]))]
            for other in ports:
                if other != peer:
                    self.transport.sendto(forged.message(query)[0][1], other)
        asyncio.ensure_future(answer(data, False, lambda m: self.transport.sendto(m, peer)))


async def tcp_client(reader, writer):
    try:
        while True:
            size = struct.unpack("!H", await reader.readexactly(2))[0]
            query = await reader.readexactly(size)
            await answer(query, True, lambda m: writer.write(struct.pack("!H", len(m)) + m))
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main(port):
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(Udp, local_addr=("127.0.0.1", port))
    await asyncio.start_server(tcp_client, "127.0.0.1", port)
    print("ready", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
