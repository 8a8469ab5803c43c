#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Greylisting: who is asked to come again, who is not, and by what a stranger is known. The client
here speaks the milter protocol itself; a mark waits for a second instead of a minute."""
import json
import sys
import time
sys.path.insert(0, sys.path[0] + '/../lib')
import gatepost
import tap
from milter import Milter
from tap import case, equal, match, true

LATER = r'^451 4\.7\.0 Greylisted; try again in \d+s$'
NUMBER = [0]
TLS = {'tls_version': 'TLSv1.3', 'cipher': 'X', 'cipher_bits': '256'}


def fresh():
    """A sender that nobody has seen."""
    NUMBER[0] += 1
    return 'stranger%s@far%d.test' % ('abcdefghijklmnopqrstuvwxyz'[NUMBER[0] % 26], NUMBER[0])


def settings(more='', **own):
    return {'recipient_restrictions': 'permit_mynetworks greylist', 'rule_files': '',
            'greylist_delay': '1s', 'state_timeout': '5s', **own}, more


def knock(daemon, sender, recipient='bob@lab.test', address='203.0.113.9', name='mx.far.example',
          helo='mx.far.example', verified=True, data=False, login=None, listener='smtpd', **macros):
    """The answer to RCPT, 'ok' or a reply."""
    with Milter(daemon.port) as mta:
        mta.negotiate()
        mta.connect(name, address, client_resolve='OK' if verified else 'FAIL',
                    client_ptr=name, client_name=name if verified else 'unknown',
                    daemon_name=listener, **(TLS if login else {}), **macros)
        mta.helo(helo, **(TLS if login else {}))
        mta.mail('<%s>' % sender, **({'auth_type': 'PLAIN', 'auth_authen': login} if login else {}))
        code, text = mta.rcpt('<%s>' % recipient)
        if data:
            mta.message()
        return text or {'c': 'ok'}.get(code, code)


@case('a stranger without a name is asked to come again, and passes when he has waited')
def strangers(daemon):
    sender, nobody = fresh(), {'name': 'unknown', 'verified': False}
    daemon.reload(*settings(greylist_delay='4s'))
    mark = daemon.mark()
    match(LATER, knock(daemon, sender, **nobody))
    match(LATER, knock(daemon, sender, **nobody))
    time.sleep(4.1)
    equal(knock(daemon, sender, data=True, **nobody), 'ok')
    equal(knock(daemon, sender, data=True, **nobody), 'ok')
    lines = [gatepost.fields(line) for line in (daemon.wait_log(mark, 'greylist=known'), )]
    equal(lines[0]['why'], 'passed-before')
    for word, why in (('new', 'no-name'), ('early', 'waiting'), ('passed', 'came-back')):
        equal(gatepost.fields(daemon.wait_log(mark, 'greylist=' + word))['why'], why, word)
    daemon.reload(*settings())


@case('who looks well is not delayed; each sign is named')
def signs(daemon):
    equal(knock(daemon, fresh()), 'ok')
    equal(knock(daemon, fresh(), address='2001:db8::25', name='mail.far.example'), 'ok')
    for why, looks in (
            ('no-name', {'verified': False}),
            ('address-in-name', {'name': '203-0-113-9.dyn.far.example'}),
            ('address-in-name', {'name': 'p9.113.0.203.dyn.far.example'}),
            ('helo', {'helo': 'localhost'}), ('helo', {'helo': '[203.0.113.9]'}),
            ('helo', {'helo': '203.0.113.9'}),
            ('no-name,helo', {'verified': False, 'helo': 'x'})):
        mark = daemon.mark()
        match(LATER, knock(daemon, fresh(), **looks))
        equal(gatepost.fields(daemon.wait_log(mark, 'greylist=new'))['why'], why)
    daemon.reload(*settings(greylist_when='always'))
    mark = daemon.mark()
    match(LATER, knock(daemon, fresh()))
    equal(gatepost.fields(daemon.wait_log(mark, 'greylist=new'))['why'], 'always')
    daemon.reload(*settings())


@case('who has an open mark is judged by it alone, whatever he looks like now')
def marks(daemon):
    sender = fresh()
    daemon.reload(*settings(greylist_delay='4s'))
    match(LATER, knock(daemon, sender, helo='x'))
    match(LATER, knock(daemon, sender), 'better looks do not help')
    time.sleep(4.1)
    daemon.reload(*settings())
    equal(knock(daemon, sender, helo='y'), 'ok', 'worse looks do no harm')


@case('a pool of thirty addresses behind one verified domain passes at its second try')
def pool(daemon):
    sender = fresh()
    match(LATER, knock(daemon, sender, address='198.51.100.1', name='o1.sg.far.example', helo='x'))
    time.sleep(1.1)
    for number in range(2, 31):
        equal(knock(daemon, sender, address='192.0.%d.7' % number,
                    name='o%d.sg.far.example' % number, helo='x'), 'ok', number)
    match(LATER, knock(daemon, sender, address='192.0.2.7', name='o1.sg.other.example', helo='x'),
          'another domain')
    sender = fresh()
    match(LATER, knock(daemon, sender, address='198.51.100.1', name='one.co.uk', helo='x'))
    time.sleep(1.1)
    match(LATER, knock(daemon, sender, address='192.0.2.7', name='other.co.uk', helo='x'),
          'a public suffix is no group')
    equal(knock(daemon, sender, address='198.51.100.200', name='one.co.uk', helo='x'), 'ok',
          'the same network')


@case('what changes in a sender from message to message does not count')
def folding(daemon):
    for first, second in (('bounce-123-45@far.test', 'bounce-678-90@far.test'),
                          ('prvs=0123456789=ann@far.test', 'prvs=5555abcdef=ann@far.test'),
                          ('ann+x@far.test', 'ANN+y@FAR.test'),
                          ('SRS0=AbCd=EF=far.test=ann@srs.test', 'SRS0=gHiJ=KL=far.test=ann@srs.test'),
                          ('0100018f2a3b4c5d-aa@mail.test', '0100018f99887766-aa@mail.test')):
        match(LATER, knock(daemon, first, 'to%d@lab.test' % NUMBER[0], helo='x'))
        time.sleep(1.1)
        equal(knock(daemon, second, 'to%d@lab.test' % NUMBER[0], helo='x'), 'ok', second)
        NUMBER[0] += 1
    match(LATER, knock(daemon, 'other@far.test', helo='x'))


@case('nobody is asked who is at home here, nor for postmaster and abuse, nor the null sender')
def spared(daemon):
    for looks in ({'address': '127.0.0.1'}, {'recipient': 'postmaster@lab.test'},
                  {'recipient': 'Abuse@lab.test'}, {'login': 'bob', 'listener': 'submission'}):
        equal(knock(daemon, fresh(), helo='x', **looks), 'ok', looks)
    equal(knock(daemon, '', helo='x'), 'ok')
    daemon.reload(*settings('[profile open]\ngreylist = no\n',
                            recipient_profiles='inline:{info@lab.test=open}',
                            untrusted_listeners='onion'))
    equal(knock(daemon, fresh(), 'info@lab.test', helo='x'), 'ok', 'greylist = no')
    match(LATER, knock(daemon, fresh(), 'other@lab.test', helo='x'))
    equal(knock(daemon, fresh(), helo='x', listener='onion'), 'ok', 'an untrusted listener')
    daemon.reload(*settings())


@case('whom an authenticated user wrote to is not asked')
def written(daemon):
    friend = fresh()
    equal(knock(daemon, 'bob@lab.test', friend, login='bob', listener='submission', data=True,
                helo='x'), 'ok')
    mark = daemon.mark()
    equal(knock(daemon, friend, helo='x', data=True), 'ok')
    equal(gatepost.fields(daemon.wait_log(mark, 'greylist=known'))['why'], 'written-to')


@case('gatepostctl greylist shows who waits and who is known, and lets a group pass')
def by_hand(daemon):
    sender = fresh()
    match(LATER, knock(daemon, sender, address='192.0.2.99', helo='x', name='a.wait.example'))
    done = daemon.control('greylist', sender)
    equal(done.returncode, 0)
    match(r'^waiting wait\.example\|stranger.*@far#?\d*\.test\|bob@lab\.test, since \d+s$',
          done.stdout.strip())
    match(LATER, knock(daemon, fresh(), address='192.0.2.99', helo='x', name='a.wait.example'))
    equal([json.loads(line)['state'] for line in
           daemon.control('greylist', '--json', 'wait.example').stdout.splitlines()], ['waiting'] * 2)
    equal(daemon.control('greylist', 'nobody.example').returncode, 1)
    match(r'in the last week \d+ strangers were asked to come again: \d+ came, \d+ may still come, '
          r'\d+ never came back', daemon.control('greylist').stdout)
    for what, looks in (('192.0.2.99', {'address': '192.0.2.5', 'verified': False}),
                        ('pool.example', {'name': 'x.pool.example', 'helo': 'x'})):
        mark = daemon.mark()
        match(LATER, knock(daemon, fresh(), **looks))
        done = daemon.control('greylist', 'pass', what)
        equal(done.returncode, 0, done.stdout)
        daemon.wait_log(mark, 'greylisting lets', 'pass for 60 days, says root (uid 0)')
        equal(knock(daemon, fresh(), **looks), 'ok', what)
    equal(daemon.control('greylist', 'pass', '192.0.2.0/24').returncode, 0, 'a network as it is listed')
    for junk in ('junk..', 'a..example', 'com', 'bob@far.example', 'a|b.example', '192.0.2.300', '192.0.2.0/23',
                 '192.0.2.9/24', '*.example.com', 'x' * 64 + '.example'):
        done = daemon.control('greylist', 'pass', junk)
        equal(done.returncode, 64, junk)
        match('is neither an address nor a domain', done.stdout + done.stderr)


@case('marks survive a restart; while the store is away everybody passes')
def survive(daemon):
    sender = fresh()
    match(LATER, knock(daemon, sender, helo='x'))
    daemon.stop()
    daemon.start()
    time.sleep(1.1)
    equal(knock(daemon, sender, helo='x'), 'ok')
    daemon.stop()
    daemon.configure(settings()[0] | {'state': 'fail:'})
    daemon.start()
    equal(knock(daemon, fresh(), helo='x'), 'ok')
    daemon.stop()
    daemon.configure(*settings())
    daemon.start()


@case('the sanitizers found nothing')
def clean(daemon):
    daemon.stop()
    equal(daemon.sanitizer_report(), '', 'sanitizer report')
    true(daemon.log(), 'log')


def setup():
    return gatepost.Gatepost(*settings()).start()


if gatepost.missing():
    tap.skip_all(gatepost.missing())
tap.run(setup, teardown=lambda daemon: daemon and daemon.stop(),
        on_failure=lambda daemon: [tap.note(line) for line in daemon.log()[-20:]])
