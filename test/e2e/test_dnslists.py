#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""DNS lists as a client of a real Postfix meets them: the lists of packaging/rbldnsd served by
rbldnsd, ill ones by the server that misbehaves; clients come from their addresses by XCLIENT."""
import json
import re
import sys
import time
sys.path.insert(0, sys.path[0] + '/../lib')
import lists
from scene import run
from smtp import message, token
from tap import case, equal, match, promptly, skip_all, true, until

if lists.missing():
    skip_all(lists.missing())
GOOD, BAD = lists.Lists(), lists.BadServer()
GOOD.start()
BAD.start()
OK = '^250'
SETTINGS = {
    'dns_servers': GOOD.address(),
    'dnsbl_sites': 'bl.example.com=127.0.0.[2..9]*3 bl.example.com=127.0.0.10*3 '
                   'wl.example.com=127.0.[0..255].[1..3]*-4',
    'rhsbl_sites': 'dbl.example.com=127.0.1.[2..99]*3/sender,helo,ptr,from,reply-to',
    'hashbl_sites': 'ebl.example.com*5/sender,from,reply-to:sha1',
    'message_restrictions': 'permit_mynetworks permit_sasl_authenticated reject_dnsbl',
}
BLOCKED = r'^554 5\.7\.1 Service unavailable; Client host \[%s\] blocked using bl\.example\.com; '


def offer(dialog, sender='a@example.com', recipient='bob@lab.test'):
    match(OK, dialog.mail(sender))
    return dialog.rcpt(recipient)


def try_from(scene, address, sender='a@example.com', **more):
    with scene.outsider(address, **more) as dialog:
        return offer(dialog, sender)


def own(zone):
    """The words of a zone served by BAD that is like no other, so that no case meets another's
    list, nor what is remembered of it."""
    return zone + '.' + token().replace('-token', '') + '.test'


@case('a listed client is refused with the list\'s own text, and the text is logged')
def listed(scene):
    mark = scene.gatepost.mark()
    reply = try_from(scene, lists.LISTED)
    match(BLOCKED % re.escape(lists.LISTED) + r'203\.0\.113\.9 sent spam to us; write to '
          r'postmaster@example\.com from another address$', reply)
    line = scene.gatepost.wait_log(mark, 'check=reject_dnsbl')
    match('sent spam to us', line)


@case('a client that is listed by its IPv6 address')
def listed_v6(scene):
    match(BLOCKED % '2001:db8:bad::1', try_from(scene, 'IPV6:' + lists.LISTED6))


@case('a listed client whose address is mapped into IPv6', mta='postfix')
def listed_mapped(scene):
    match(BLOCKED % re.escape(lists.LISTED), try_from(scene, 'IPV6:::ffff:' + lists.LISTED))


@case('who is not listed, or excluded, or praised, is served')
def served(scene):
    for address in (lists.UNKNOWN, lists.EXCLUDED, lists.FRIEND):
        match(OK, try_from(scene, address), address)


@case('names of client, HELO and sender, and hashes')
def names(scene):
    match(r'Client host \[mx\.spam\.example\] blocked using dbl',
          try_from(scene, lists.UNKNOWN, name='mx.spam.example'))
    match(r'Helo command \[spam\.example\] blocked using dbl',
          try_from(scene, lists.UNKNOWN, greet='spam.example'))
    match(r'Sender address \[a@shop\.example\.net\] blocked using dbl',
          try_from(scene, lists.UNKNOWN, 'a@shop.example.net'))
    match(r'Sender address \[offer@spammer\.example\] blocked using ebl',
          try_from(scene, lists.UNKNOWN, 'offer@spammer.example'))


@case('From: and Reply-To: are asked at the end of the message')
def header(scene):
    for more, what in (('Reply-To: <x@spam.example>\r\n', 'Reply-To address'),
                       ('Reply-To: Prince <prince.419@gmail.com>\r\n', 'Reply-To address')):
        with scene.outsider(lists.UNKNOWN) as dialog:
            replies = dialog.deliver('a@example.com', ['bob@lab.test'], message(more=more))
        match('^554 5.7.1 Service unavailable; %s ' % what, replies[-1])
    with scene.outsider(lists.UNKNOWN) as dialog:
        replies = dialog.deliver('a@example.com', ['bob@lab.test'],
                                 message(sender='x@spam.example'))
    match(r'^554 5.7.1 Service unavailable; From address \[x@spam.example\]', replies[-1])


@case('more addresses in a field than are asked are refused, by rules as well')
def crowd(scene):
    scene.gatepost.table('crowd.cf', 'dnsbl D dbl.example.com/from,reply-to\nscore D 9\n')
    for restriction in ('reject_dnsbl', 'reject_spam'):
        with scene.settings(rule_files=scene.gatepost.folder + '/crowd.cf',
                            message_restrictions=restriction):
            for count, pattern in ((64, OK), (65, r'^552 5\.3\.4 More addresses in one field')):
                field = ',\r\n '.join('u%d@b.example' % n for n in range(count))
                with scene.outsider(lists.UNKNOWN) as dialog:
                    replies = dialog.deliver('a@example.com', ['bob@lab.test'],
                                             message(more='Reply-To: %s\r\n' % field))
                match(pattern, replies[-1], '%s, %d' % (restriction, count))


@case('the second message of a session is asked about its own sender')
def second_message(scene):
    with scene.outsider(lists.UNKNOWN) as dialog:
        match(OK, dialog.deliver('a@example.com', ['bob@lab.test'], message())[-1])
        match('^554', offer(dialog, 'a@spam.example'))
        dialog.send('RSET')
        match(OK, dialog.deliver('b@example.com', ['bob@lab.test'], message())[-1])


@case('an authenticated user on a listed address is served')
def authenticated(scene):
    with scene.outsider(lists.DIALUP) as dialog:
        match('^220', dialog.starttls())
        match('^554 .*dial-up address', offer(dialog))
        dialog.send('RSET')
        match('^235', dialog.auth('bob'))
        match(OK, offer(dialog, 'bob@lab.test', 'x@far.example'))


@case('an authenticated user does not wait for a list either')
def authenticated_does_not_wait(scene):
    zone = own('delay-4000.a-127-0-0-2.list')
    with scene.settings(dns_servers=BAD.address(), dnsbl_sites=zone + '*9', rhsbl_sites='',
                        hashbl_sites='', dnsbl_timeout='8s'):
        clients = iter(range(150, 160))  # each unknown to the list's cache

        def log_in():
            with scene.outsider('203.0.113.%d' % next(clients)) as dialog:
                match('^220', dialog.starttls())
                match('^235', dialog.auth('bob'))
                match(OK, offer(dialog, 'bob@lab.test', 'x@far.example'))
        promptly(3, log_in)
        match('^554', try_from(scene, lists.LISTED), 'who has no login')


@case('a submission listener asks nothing')
def submission(scene):
    with scene.settings(submission_listeners='xclient'):
        before = len(GOOD.questions())
        with scene.outsider('203.0.113.77') as dialog:
            match('^530', offer(dialog, 'a@spam.example'))
        with scene.outsider('203.0.113.78') as dialog:
            match('^220', dialog.starttls())
            match('^235', dialog.auth('bob'))
            match(OK, offer(dialog, 'bob@lab.test', 'x@far.example'))
        equal(GOOD.questions()[before:], [], 'questions')


@case('a client of mynetworks is not asked about')
def mynetworks(scene):
    before = len(GOOD.questions())
    with scene.settings(mynetworks='127.0.0.0/8 203.0.113.0/24'):
        match(OK, try_from(scene, lists.LISTED))
    equal(GOOD.questions()[before:], [], 'questions')


@case('questions leave at connect')
def early(scene):
    before = len(GOOD.questions())
    with scene.outsider('203.0.113.99'):
        until(lambda: '99.113.0.203.bl.example.com' in GOOD.questions()[before:], 10, 'a question')


@case('a white list opens no relay')
def no_relay(scene):
    with scene.settings(client_restrictions='permit_dnswl_client wl.example.com',
                        relay_restrictions='permit_dnswl_client wl.example.com '
                                           'reject_unauth_destination'):
        with scene.outsider(lists.FRIEND) as dialog:
            match('^550 5.7.1 <x@far.example>: Relaying denied',
                  offer(dialog, recipient='x@far.example'))
            match(OK, dialog.rcpt('bob@lab.test'))


@case('lists that are silent hold nobody longer than dnsbl_timeout in all')
def silent(scene):
    zones = ' '.join(own('silent.list') for _ in range(3))
    with scene.settings(dns_servers=BAD.address(), dnsbl_timeout='2s', dnsbl_sites=zones,
                        rhsbl_sites=own('silent.list') + '/sender,helo',
                        sender_restrictions='reject_unknown_sender_domain',
                        recipient_restrictions='reject_dnsbl reject_unknown_recipient_domain',
                        relay_restrictions='permit_mynetworks permit_sasl_authenticated '
                                           'defer_if_permit permit_auth_destination reject',
                        hashbl_sites=''):
        begun = time.monotonic()
        with scene.outsider(lists.LISTED) as dialog:
            match(OK, dialog.mail('a@silent.%s.test' % token()))
            for i in range(10):
                match('^[45]', dialog.rcpt('x@silent.%s.test' % token()))
        # one after the other they would take eleven times the resolver's own 4.5 seconds
        true(time.monotonic() - begun < 40, 'ten recipients in %.1f s' % (time.monotonic() - begun))


@case('a list that refuses to serve is set aside with one log line, and refuses nobody')
def set_aside(scene):
    zone = own('a-127-255-255-254.list')
    mark = scene.gatepost.mark()
    with scene.settings(dns_servers=BAD.address(), dnsbl_sites=zone + '*9', rhsbl_sites='',
                        hashbl_sites=''):
        for last in range(10, 20):
            match(OK, try_from(scene, '203.0.113.%d' % last))
        line = scene.gatepost.wait_log(mark, zone.lower(), 'set aside')
        match('refuses to serve', line)
        lines = [each for each in scene.gatepost.log(mark) if zone.lower() in each]
        equal(len(lines), 1, 'log lines %r' % lines)
        (status,) = [each for each in dns_lists(scene) if each['zone'] == zone.lower()]
    equal((status['state'], status['kind'], status['listed']), ('set aside', 'addresses', 0),
          'status')
    match('refuses to serve', status['reason'])
    true(status['asked'] + status['skipped'] == 10, 'asked or skipped ten times: %r' % status)


@case('a list that lists the world refuses nobody')
def lists_the_world(scene):
    zone = own('a-127-0-0-2')
    mark = scene.gatepost.mark()
    with scene.settings(dns_servers=BAD.address(), dnsbl_sites=zone + '*9', rhsbl_sites='',
                        hashbl_sites=''):
        for last in range(10, 14):
            match(OK, try_from(scene, '203.0.113.%d' % last))
        scene.gatepost.wait_log(mark, zone.lower(), 'lists 127.0.0.1')


def dns_lists(scene):
    done = scene.gatepost.control('status', '--json')
    equal(done.returncode, 0, done.stderr)
    return json.loads(done.stdout)['dns_lists']


@case('status tells of each list')
def status(scene):
    found = {(each['zone'], each['kind']): each for each in dns_lists(scene)}
    one = found[('bl.example.com', 'addresses')]
    equal((one['state'], one['reason'], one['test_entry']), ('in use', None, 'listed'), 'state')
    true(one['asked'] >= one['listed'] > 0, 'numbers %r' % one)
    true(one['p50_ms'] is not None and one['p50_ms'] <= one['p99_ms'], 'latencies %r' % one)
    text = scene.gatepost.control('status').stdout
    match(r'(?m)^DNS list +of +asked +listed +errors +time-outs', text)
    match(r'(?m)^bl\.example\.com +addresses +\d+ .* in use$', text)


@case('gatepostctl dnsbl works beside the daemon')
def command(scene):
    done = scene.gatepost.control('dnsbl', '--json', lists.LISTED)
    equal((done.returncode, json.loads(done.stdout)['action']), (1, 'reject'), 'answer')


@case('other servers are in force after a reload')
def other_servers(scene):
    with scene.settings(dns_servers=BAD.address(), dnsbl_sites=own('a-127-0-0-2.list') + '*9',
                        rhsbl_sites='', hashbl_sites=''):
        match('^554', try_from(scene, lists.UNKNOWN))
    match(OK, try_from(scene, lists.UNKNOWN))
    match('^554', try_from(scene, lists.LISTED))


@case('names that do not exist')
def unknown_names(scene):
    with scene.settings(dns_servers=BAD.address(), dnsbl_sites='', rhsbl_sites='', hashbl_sites='',
                        helo_restrictions='reject_unknown_helo_hostname',
                        sender_restrictions='reject_unknown_sender_domain'):
        greet = 'a-192-0-2-1.test'
        match(r'^450 4\.1\.8 <a@nx\.test>: Sender address rejected: Domain not found$',
              try_from(scene, lists.UNKNOWN, 'a@nx.test', greet=greet))
        match(r'^550 5\.7\.27 <a@nullmx\.test>: Sender address rejected: ',
              try_from(scene, lists.UNKNOWN, 'a@nullmx.test', greet=greet))
        match(r'^450 4\.7\.1 <nx\.test>: Helo command rejected: Host not found$',
              try_from(scene, lists.UNKNOWN, 'a@mx-10.test', greet='nx.test'))
        match(OK, try_from(scene, lists.UNKNOWN, 'a@mx-10.test', greet=greet))


if __name__ == '__main__':
    run(settings=SETTINGS)
