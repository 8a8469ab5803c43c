#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The same .cf, with gatepost and without: whoever may relay by Sendmail's classes, features and
access table may by what gatepostctl setup prints, or setup tells that he may not."""
import re
import socket
import struct
import subprocess
import sys
import threading
sys.path.insert(0, sys.path[0] + '/../lib')
import gatepost
import scene as scenes
import sendmail
from tap import Skip, case, equal, match, run, skip_all, true

CF = '''undefine(`_PROMISCUOUS_RELAY_')dnl
LOCAL_DOMAIN(`own.test')dnl
define(`_RELAY_FULL_ADDR_', `1')dnl
FEATURE(`relay_entire_domain')dnl
FEATURE(`access_db', `hash -T<TMPF> -o /etc/mail/access.db')dnl
FEATURE(`relay_mail_from')dnl
VIRTUSER_DOMAIN(`virtual.test')dnl
VIRTUSER_DOMAIN_FILE(`/etc/mail/virtual')dnl
RELAY_DOMAIN(`word.test')dnl
'''
ACCESS = '''To:table.test	RELAY
plain.test	RELAY
To:one@single.test	RELAY
Connect:198.51.100	RELAY
Connect:friend.test	RELAY
From:boss@far.test	RELAY
From:senders.test	RELAY
Connect:IPv6:2001:db8:1	RELAY
Connect:IPv6:2001:db8:2:0:0:0:0:5	RELAY
Connect:203.0.113.7	OK
'''
STRANGER = ('203.0.113.9', 'host.example')
# Client, sender, recipient, and what setup says where gatepost refuses what Sendmail takes.
CASES = [
    (STRANGER, 'a@far.example', 'x@remote.example', None),
    (STRANGER, 'a@far.example', 'x@own.test', None),
    (STRANGER, 'a@far.example', 'x@mail.lab.test', None),
    (STRANGER, 'a@far.example', 'x@lab.test', None),
    (STRANGER, 'a@far.example', 'x@other.lab.test', None),
    (STRANGER, 'a@far.example', 'x@virtual.test', None),
    (STRANGER, 'a@far.example', 'x@sub.virtual.test', None),
    (STRANGER, 'a@far.example', 'x@filed.test', None),
    (STRANGER, 'a@far.example', 'x@word.test', None),
    (STRANGER, 'a@far.example', 'x@sub.word.test', None),
    (STRANGER, 'a@far.example', 'x@backup.test', None),
    (STRANGER, 'a@far.example', 'x@sub.backup.test', None),
    (STRANGER, 'a@far.example', 'x@table.test', None),
    (STRANGER, 'a@far.example', 'x@sub.table.test', None),
    (STRANGER, 'a@far.example', 'x@plain.test', None),
    (STRANGER, 'a@far.example', 'x@sub.plain.test', None),
    (STRANGER, 'a@far.example', 'one@single.test', 'relays for single recipients .one@single.test'),
    (STRANGER, 'a@far.example', 'two@single.test', None),
    (STRANGER, 'boss@far.test', 'x@remote.example', 'lets senders relay .boss@far.test'),
    (('198.51.100.3', 'unknown'), 'a@far.example', 'x@remote.example', None),
    (('192.0.2.3', 'unknown'), 'a@far.example', 'x@remote.example', None),
    (STRANGER, 'a@senders.test', 'x@remote.example', None),
    (('IPV6:2001:db8:1::5', 'unknown'), 'a@far.example', 'x@remote.example', None),
    (('IPV6:2001:db8:2::5', 'unknown'), 'a@far.example', 'x@remote.example', None),
    (('IPV6:2001:db8:bad::1', 'unknown'), 'a@far.example', 'x@remote.example', None),
    (('203.0.113.7', 'ok.example'), 'a@far.example', 'x@remote.example', None),
    (('203.0.113.21', 'host.friend.test'), 'a@far.example', 'x@remote.example',
     'clients relay by name .friend.test'),
    (('203.0.113.22', 'pc.lab.test'), 'a@far.example', 'x@remote.example',
     'relay_entire_domain.*clients whose name is in'),
    (('203.0.113.23', 'host.word.test'), 'a@far.example', 'x@remote.example',
     'clients named .*word.test'),
]
# Other features, each added to CF: what changes by it.
MX = 'FEATURE.`relay_based_on_MX.*gatepost for those of local_domains alone'
FEATURES = {
    'virtuser_entire_domain': [
        (STRANGER, 'a@far.example', 'x@virtual.test', None),
        (STRANGER, 'a@far.example', 'x@sub.virtual.test', None),
        (STRANGER, 'a@far.example', 'x@deep.sub.virtual.test', None),
        (STRANGER, 'a@far.example', 'x@filed.test', None),
        (STRANGER, 'a@far.example', 'x@sub.filed.test', None),
        (STRANGER, 'a@far.example', 'x@notvirtual.test', None),
        (STRANGER, 'a@far.example', 'x@remote.example', None)],
    'relay_hosts_only': [
        (STRANGER, 'a@far.example', 'x@word.test', None),
        (STRANGER, 'a@far.example', 'x@sub.word.test', None),
        (STRANGER, 'a@far.example', 'x@backup.test', None),
        (STRANGER, 'a@far.example', 'x@sub.backup.test', None),
        (STRANGER, 'a@far.example', 'x@own.test', None)],
    "relay_mail_from', `domain": [
        (STRANGER, 'a@senders.test', 'x@remote.example', 'lets senders relay .*senders.test'),
        (STRANGER, 'a@sub.senders.test', 'x@remote.example', 'lets senders relay .*senders.test'),
        (STRANGER, 'boss@far.test', 'x@remote.example', 'lets senders relay .boss@far.test'),
        (STRANGER, 'a@far.test', 'x@remote.example', None)],
    'relay_local_from': [
        (STRANGER, 'a@own.test', 'x@remote.example', 'FEATURE.`relay_local_from'),
        (STRANGER, 'a@far.example', 'x@remote.example', None)],
    'relay_based_on_MX': [
        (STRANGER, 'a@far.example', 'x@ours.test', MX),
        (STRANGER, 'a@far.example', 'x@theirs.test', None),
        (STRANGER, 'a@far.example', 'x@nowhere.test', None),
        (STRANGER, 'a@far.example', 'x@own.test', None)],
}
# What features let in that is refused without them.
LET_IN = {'virtuser_entire_domain': 'x@sub.virtual.test', 'relay_local_from': 'x@remote.example',
          'relay_based_on_MX': 'x@ours.test'}
MXES = {'ours.test': 'mail.lab.test', 'theirs.test': 'mx.far.example'}
told = {}


def serve_mx():
    """A DNS of this network of our own that knows MXES and nothing else."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(('127.0.0.1', 53))

    def wire(name):
        return b''.join(bytes([len(x)]) + x.encode() for x in name.split('.')) + b'\0'

    def answer():
        while True:
            question, client = server.recvfrom(4096)
            end = question.index(b'\0', 12)
            labels, at = [], 12
            while question[at]:
                labels.append(question[at + 1:at + 1 + question[at]].decode().lower())
                at += 1 + question[at]
            kind = struct.unpack('!H', question[end + 1:end + 3])[0]
            host = MXES.get('.'.join(labels))
            data = struct.pack('!H', 10) + wire(host) if host and kind == 15 else b''
            record = struct.pack('!HHHIH', 0xc00c, 15, 1, 60, len(data)) + data if data else b''
            server.sendto(question[:2] + struct.pack('!HHHHH', 0x8180 if host else 0x8183, 1,
                                                     1 if record else 0, 0, 0)
                          + question[12:end + 5] + record, client)
    threading.Thread(target=answer, daemon=True).start()


def answers(scene, cases=None):
    """Whether each recipient is taken."""
    found = []
    for (address, name), sender, recipient, _ in CASES if cases is None else cases:
        with scene.mta.outsider(address, name) as dialog:
            match('^250', dialog.mail(sender), 'MAIL')
            reply = dialog.rcpt(recipient)
        # An unknown user's mailbox is another matter than relaying.
        found.append(not re.match(r'5\d\d 5\.7\.1|550 5\.7\.1|[45]\d\d .*[Rr]elaying denied', reply))
    return found


def ask(scene):
    """gatepostctl setup inside Sendmail's root folder, whose files the .cf names."""
    if gatepost.sanitized():
        raise Skip('a sanitizer needs /proc, which the root folder lacks')
    done = scene.mta.run('/usr/sbin/gatepostctl', '-c', '/etc/gatepost.conf', 'setup', 'sendmail',
                         '--cf', '/etc/mail/sendmail.cf')
    return done.stdout.decode(), done.stderr.decode()


@case('Sendmail alone')
def alone(scene):
    told['alone'] = answers(scene)
    true(told['alone'].count(True) > 15, 'the features are at work: %r' % told['alone'])
    true(not told['alone'][0], 'a stranger may relay')
    by_six = [taken for row, taken in zip(CASES, told['alone']) if row[0][0].startswith('IPV6:')]
    equal(by_six, [True, True, False], 'Connect:IPv6: in the access table')


def compare(scene, config, cases, alone):
    printed, doubts = ask(scene)
    lines = dict(re.findall(r'(?m)^dnl (local_domains|mynetworks) = (.*)$', printed))
    # The daemon is outside of the root folder.
    lines['local_domains'] = re.sub(r'(?<!\S)/', scene.mta.root + '/', lines['local_domains'])
    scene.gatepost.reload(lines)
    scene.mta.configure(config + printed)
    scene.mta.restart()
    for row, before, now in zip(cases, alone, answers(scene, cases)):
        what = '%s %s %s: %s before, %s now' % (row[0], row[1], row[2], before, now)
        true(before or not now, 'gatepost lets in: ' + what)
        if before and not now:
            true(row[3], 'nobody told: ' + what)
            match(row[3], doubts, what)
        else:
            equal(row[3], None, 'told without need: ' + what)


@case('with what is printed each is served as before, or setup has told who is not')
def together(scene):
    compare(scene, CF, CASES, told['alone'])


def with_feature(name, cases):
    @case('the same with FEATURE(`%s\')' % name)
    def compared(scene):
        config = CF + "FEATURE(`%s')dnl\n" % name
        if name == 'relay_based_on_MX':
            scene.mta.write('/etc/mail/service.switch', 'hosts dns files\naliases files\n')
        scene.mta.configure(config)
        scene.mta.restart()
        alone = answers(scene, cases)
        if name in LET_IN:
            before = [row[2] for row, taken in zip(cases, alone) if taken]
            true(LET_IN[name] in before, 'the feature is at work: %r' % alone)
        compare(scene, config, cases, alone)


for name, cases in FEATURES.items():
    with_feature(name, cases)


def setup():
    scene = scenes.Scene()
    mta = scene.mta
    mta.write('/etc/mail/access', ACCESS)
    mta.write('/etc/mail/virtual', 'filed.test\n')
    mta.write('/etc/mail/relay-domains', '# backup\nbackup.test\n192.0.2\n')
    mta.write('/etc/resolv.conf', 'nameserver 127.0.0.1\n')
    serve_mx()
    mta.write('/etc/gatepost.conf', 'milter_socket = %s\n' % scene.gatepost.settings['milter_socket'])
    mta.copy(gatepost.CONTROL, '/usr/sbin/gatepostctl')
    mta.configure(CF)
    with open(mta.path('/etc/mail/access'), 'rb') as source:
        subprocess.run([sendmail.TREE + '/usr/libexec/sendmail/makemap', '-C',
                        mta.path('/etc/mail/sendmail.cf'), 'hash', mta.path('/etc/mail/access.db')], stdin=source, check=True, capture_output=True)
    return scene.start()


if scenes.MISSING or gatepost.missing():
    skip_all(scenes.MISSING or gatepost.missing())
run(setup, teardown=lambda scene: scene and scene.stop(), on_failure=lambda scene: scene.show())
