#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The read socket: what it tells, that it tells nothing else, and changes nothing."""
import grp
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import time
sys.path.insert(0, sys.path[0] + '/../lib')
import gatepost
import redis
import tap
from milter import Milter
from tap import Skip, absent, case, equal, match, true

FAMILIES = '''gatepost_build_info gatepost_messages_total gatepost_refusals_total gatepost_connections
gatepost_connections_total gatepost_decision_seconds gatepost_wait_seconds
gatepost_dnsbl_queries_total gatepost_dnsbl_state gatepost_dnsbl_seconds gatepost_rule_hits_total
gatepost_limit_refused_total gatepost_limit_keys_near gatepost_greylist_total
gatepost_autoreply_total gatepost_store_up gatepost_store_errors_total
gatepost_history_dropped_total gatepost_table_entries gatepost_table_error
gatepost_reload_success_timestamp_seconds gatepost_reload_failures_total
process_start_time_seconds'''.split()

SETTINGS = {
    'mynetworks': '192.0.2.0/24',
    'dns_servers': '127.0.0.1:1',
    'dnsbl_sites': 'k3y.paid.example*3 open.example',
    'dnsbl_reply_map': 'inline:{k3y.paid.example=paid.example}',
    'client_restrictions': 'check_client_access inline:{203.0.113.77=REJECT}',
    'recipient_restrictions': 'check_limit day permit_mynetworks reject_dnsbl greylist',
    'greylist_when': 'always',
}
MORE = '''
[limit day]
key = sender
max = 2
per = 1d
for = mynetworks
[listener submission]
auth_min_ssf = 0
'''
RULES = '''header WORTH_MUCH Subject =~ /much/
score WORTH_MUCH 6
header WORTH_MORE Subject =~ /more/
score WORTH_MORE 20
'''


def ask(daemon, request):
    """Exit status and text."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(daemon.settings['read_socket'])
        connection.settimeout(20)
        connection.sendall(request.encode() + b'\n')
        data = b''.join(iter(lambda: connection.recv(65536), b'')).decode()
    head, _, text = data.partition('\n')
    return int(head.split()[1]), text


def samples(text):
    """'name{label="value",...}' -> number."""
    return {line.rpartition(' ')[0]: float(line.rpartition(' ')[2])
            for line in text.splitlines() if line and line[0] != '#'}


def metrics(daemon):
    status, text = ask(daemon, 'metrics')
    equal(status, 0, 'status')
    return samples(text)


def new(**settings):
    daemon = gatepost.Gatepost()
    daemon.configure({**SETTINGS, 'rule_files': daemon.table('rules.cf', RULES), **settings}, MORE)
    return daemon.start()


def session(daemon, **connection):
    mta = Milter(daemon.port)
    mta.negotiate()
    mta.connect(**connection)
    mta.helo()
    return mta


@case('every family and series is there from the start, and promtool has nothing to say')
def from_the_start(daemon):
    status, text = ask(daemon, 'metrics')
    equal(status, 0, 'status')
    for family in FAMILIES:
        true('# HELP %s ' % family in text and '# TYPE %s ' % family in text, family)
    found = samples(text)
    for series in ('gatepost_refusals_total{stage="rcpt",check="reject_unauth_destination",code="550"}',
                   'gatepost_refusals_total{stage="message",check="reject_spam",code="550"}',
                   'gatepost_refusals_total{stage="rcpt",check="greylist",code="451"}',
                   'gatepost_messages_total{action="hold"}',
                   'gatepost_connections_total{listener="submission"}',
                   'gatepost_dnsbl_queries_total{list="open.example",result="timeout"}',
                   'gatepost_rule_hits_total{rule="WORTH_MUCH"}',
                   'gatepost_limit_keys_near{limit="day"}', 'gatepost_greylist_total{result="known"}',
                   'gatepost_autoreply_total{action="strip"}',
                   'gatepost_wait_seconds_count{for="dns"}'):
        equal(found.get(series), 0, series)
    equal(found['gatepost_dnsbl_state{list="open.example"}'], 1, 'state of a list never asked')
    equal(found['gatepost_store_up'], 1, 'store')
    if not shutil.which('promtool'):
        raise Skip('no promtool')
    done = subprocess.run(['promtool', 'check', 'metrics'], input=text, text=True,
                          capture_output=True, check=False)
    equal((done.returncode, done.stdout + done.stderr), (0, ''), 'promtool check metrics')


@case('names that are a secret, and what stands in the settings, are in no label')
def hidden(daemon):
    for request in ('metrics', 'status', 'status --json', 'overview'):
        text = ask(daemon, request)[1]
        true('k3y' not in text and '203.0.113.77' not in text, request)
        true('paid.example' in text, request + ': the name that may be shown')
        true('client_restrictions:2' in text, request + ': parameter and position')


@case('what is decided is counted, by what decided')
def counted(daemon):
    with session(daemon) as mta:
        mta.mail()
        match('^550', mta.rcpt('<x@far.example>')[1])
        match('^550', mta.rcpt('<y@far.example>')[1])
        match('^451', mta.rcpt('<bob@lab.test>')[1], 'greylisting')
    with session(daemon, address='203.0.113.77') as mta:
        mta.mail()
        match('^554', mta.rcpt('<bob@lab.test>')[1], 'access table')
    with session(daemon, address='192.0.2.9', daemon_name='submission') as mta:
        mta.mail()
        match('^530', mta.rcpt('<bob@lab.test>')[1], 'no login')
    found = metrics(daemon)
    for check, code, count in (('reject_unauth_destination', 550, 2), ('greylist', 451, 1),
                               ('check_client_access', 554, 1), ('submission_listeners', 530, 1)):
        name = 'gatepost_refusals_total{stage="rcpt",check="%s",code="%d"}' % (check, code)
        equal(found.get(name), count, name)
    equal(found['gatepost_greylist_total{result="new"}'], 1, 'greylisting')
    equal(found['gatepost_connections_total{listener="smtpd"}'], 2, 'connections')
    equal(found['gatepost_connections_total{listener="submission"}'], 1, 'connections')
    equal(found['gatepost_decision_seconds_count{stage="rcpt"}'], 5, 'decisions')
    true(found['gatepost_dnsbl_queries_total{list="paid.example",result="error"}'] +
         found['gatepost_dnsbl_queries_total{list="paid.example",result="timeout"}'] > 0, 'list')
    true(found['gatepost_wait_seconds_count{for="dns"}'] >= 0, 'waits')


@case('whatever is refused, its series was there before')
def no_late_series(_):
    table = 'inline:{a@x.example=REJECT, b@x.example=DEFER}'
    daemon = gatepost.Gatepost()
    rules = daemon.table('rules.cf', RULES)
    profiles = daemon.table('profiles', 'lax@lab.test lax\n')
    more = MORE + ('[limit most]\nkey = sender\ncount = bytes\nmax = 1k\nper = 1d\naction = reject\n'
                   'for = mynetworks\n[profile lax]\nreject_score = 30\n')
    settings = {**SETTINGS, 'rule_files': rules, 'recipient_profiles': 'texthash:' + profiles,
                'mixed_recipients': 'split', 'header_limit': '2k', 'relay_restrictions':
                'permit_mynetworks reject_unauth_destination', 'sender_restrictions':
                'check_sender_access ' + table + ' reject_non_fqdn_sender',
                'restriction_classes': 'outsiders', 'outsiders': 'permit_mynetworks reject',
                'client_restrictions': 'check_client_access inline:{203.0.113.8=outsiders}',
                'helo_restrictions': 'reject_invalid_helo_hostname', 'recipient_restrictions':
                'check_limit day check_limit most reject_non_fqdn_recipient',
                'message_restrictions': 'reject_visible_recipients reject_unusable_from reject_spam',
                'max_visible_recipients': '2'}
    for mode, name in (('enforce', 'gatepost_refusals_total'),
                       ('monitor', 'gatepost_monitored_refusals_total')):
        daemon.configure({**settings, 'mode': mode}, more)
        daemon.start()
        before = tap.until(daemon.try_series, 5, 'metrics')
        true(len([one for one in before if one.startswith(name)]) > 30, 'from the start: %s' % before)
        with session(daemon) as mta:
            for sender in 'ab':
                mta.mail('<%s@x.example>' % sender)
                mta.rcpt('<bob@lab.test>')
            mta.mail('<nobody>')
            mta.rcpt('<bob@lab.test>')
            for headers in ([('Subject', ' x')], [('X', ' ' + 'y' * 3000)],
                            [('From', ' <a@b.example>'), ('To', ' <a@b.c>, <b@b.c>, <c@b.c>')],
                            [('From', ' <a@b.example>'), ('Subject', ' more')]):
                mta.mail('<d@x.example>')
                mta.rcpt('<bob@lab.test>')
                mta.rcpt('<lax@lab.test>')
                mta.rcpt('<x@far.example>')
                mta.message(headers)
        with session(daemon, address='203.0.113.8') as mta:
            mta.mail()
            mta.rcpt()
        with session(daemon, address='192.0.2.9') as mta:
            mta.mail('<me@lab.test>')
            for recipient in 'abc':
                mta.rcpt('<%s@lab.test>' % recipient)
            mta.message([('From', ' <me@lab.test>')], b'x' * 3000)
        with session(daemon, address='192.0.2.9', daemon_name='submission') as mta:
            mta.mail()
            mta.rcpt()
        found = samples(ask(daemon, 'metrics')[1])
        kinds = [one for one, count in found.items() if one.startswith(name) and count > 0]
        true(any('check="reject"' in one for one in kinds), 'what a class refuses: %s' % sorted(kinds))
        true(len(kinds) >= 9, 'kinds of refusals: %s' % sorted(kinds))
        equal(sorted(daemon.series() - before), [], 'series that came late')
        equal(daemon.stop(), 0, 'exit')


@case('a Redis that hangs keeps nobody waiting, and what is not known of limits is said')
def hung_store(_):
    if redis.missing():
        raise Skip(redis.missing())
    server = redis.Redis()
    daemon = new(state='redis+unix:' + server.path)
    try:
        tap.until(lambda: ': up' in daemon.control('status').stdout, 20, 'the store')
        server.pause()
        for _ in range(3):
            begun = time.monotonic()
            found = metrics(daemon)
            took = time.monotonic() - begun
            true(took < 15, 'metrics took %.1f s' % took)
        complete = 'gatepost_limit_keys_near_complete'
        equal((found[complete], found['gatepost_limit_keys_near{limit="day"}']), (0, 0), 'near')
        match('(?m)^limit\tday\t.*\tincomplete$', ask(daemon, 'overview')[1])
        begun = time.monotonic()
        equal(daemon.stop(), 0, 'exit')
        true(time.monotonic() - begun < 30, 'it ends')
        server.go_on()
        daemon.start()
        tap.until(lambda: daemon.try_series() and metrics(daemon)[complete] == 1, 20, 'all is known')
    finally:
        server.go_on()
        daemon.stop()
        server.stop()


@case('messages, rules and limits')
def messages(daemon):
    with session(daemon) as mta:
        mta.mail('<new@client.example>')
        mta.rcpt()
    daemon.reload({**daemon.settings, 'message_restrictions': 'reject_spam',
                   'recipient_restrictions': 'check_limit day permit_mynetworks'}, MORE)
    for subject in ('nothing', 'much', 'more'):
        with session(daemon) as mta:
            mta.mail()
            mta.rcpt()
            mta.message([('From', ' <a@example.com>'), ('Subject', ' ' + subject)])
    with session(daemon, address='192.0.2.9') as mta:
        mta.mail('<me@lab.test>')
        mta.rcpt('<a@lab.test>')
        mta.rcpt('<b@lab.test>')
        true(mta.message()[0] in 'ac', 'answer to the message')
        mta.mail('<me@lab.test>')
        match('^450', mta.rcpt('<c@lab.test>')[1], 'limit')
    found = metrics(daemon)
    equal([found['gatepost_messages_total{action="%s"}' % action]
           for action in ('accept', 'tag', 'reject')], [2, 1, 1], 'accept, tag, reject')
    equal(found['gatepost_rule_hits_total{rule="WORTH_MUCH"}'], 1, 'hits')
    equal(found['gatepost_rule_hits_total{rule="WORTH_MORE"}'], 1, 'hits')
    equal(found['gatepost_limit_refused_total{limit="day"}'], 1, 'refused by the limit')
    tap.until(lambda: metrics(daemon)['gatepost_limit_keys_near{limit="day"}'] == 1, 15,
              'a key near its limit')
    match('(?m)^near\tday\tme@lab.test\t2\t2\t', ask(daemon, 'near')[1])


@case('it reloads nothing, resets nothing, and says so')
def reads_alone(daemon):
    for request in ('reload', 'limits reset day me@lab.test', 'greylist pass 192.0.2.1', '', 'x' * 4000,
                    'metrics more', 'overview \xff'):
        equal(ask(daemon, request)[0], 64, request[:20])
    equal(daemon.control('limits', 'day', 'me@lab.test').stdout.split()[2], '2', 'used')


@case('who is slow or many keeps nobody from asking')
def many(daemon):
    idle = []
    for _ in range(24):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(daemon.settings['read_socket'])
        connection.sendall(b'met')
        idle.append(connection)
    with session(daemon) as mta:
        mta.mail()
        match('^550', mta.rcpt('<x@far.example>')[1], 'mail goes on')
    equal(daemon.control('status').returncode, 0, 'the control socket')
    equal(ask(daemon, 'metrics')[0], 0, 'when places are free again')
    for connection in idle:
        connection.close()


@case('no counter goes down over a reload, whatever it takes away')
def never_down(daemon):
    good = daemon.settings
    text = ask(daemon, 'metrics')[1]
    kinds = dict(re.findall('(?m)^# TYPE (\\S+) (\\S+)$', text))
    before = samples(text)
    true(any(before[one] for one in before if one.startswith('gatepost_rule_hits')), 'something was counted')
    # numbers of a list go with it
    for settings, more in ((good, MORE), ({**good, 'rule_files': '', 'dnsbl_sites': '', 'recipient_restrictions': 'greylist'}, ''),
                           ({**good}, MORE)):
        daemon.reload(settings, more)
        after = samples(ask(daemon, 'metrics')[1])
        for series, count in before.items():
            family = re.sub('(_bucket|_sum|_count)?({.*)?$', '', series)
            if kinds.get(family) in ('counter', 'histogram') and (
                    settings is good or not series.startswith('gatepost_dnsbl')):
                true(after.get(series, -1) >= count, '%s was %s, is %s' % (series, count, after.get(series)))


@case('names, kinds and words of the metrics are as Prometheus asks')
def naming(daemon):
    text = ask(daemon, 'metrics')[1]
    for name, words, kind in re.findall('(?m)^# HELP (\\S+) (.*)\n# TYPE \\S+ (\\S+)$', text):
        true(re.fullmatch('(gatepost|process)_[a-z_]+', name), name)
        equal(name.endswith('_total'), kind == 'counter', name + ': ' + kind)
        true(re.match('[A-Z1]', words) and len(words) > 15, '%s: %s' % (name, words))
        absent('_(ms|milliseconds|us|minutes|hours|kb|kilobytes|mb)(_|$)', name, 'base units')
        if kind == 'histogram':
            match('.*_(seconds|bytes)$', name)
    found = samples(text)
    true(all(one.partition('{')[0] not in ('gatepost', '') for one in found), 'names')
    for labels in re.findall('{(.*)}', '\n'.join(found)):
        absent('(^|,)(client|sender|recipient|login|address|user|queue_id|session)="', labels, 'labels')


@case('a reload that fails shows, and so does one that does not')
def reloads(daemon):
    before = metrics(daemon)
    good = daemon.settings
    daemon.configure({**good, 'mode': 'no such'}, MORE)
    equal(daemon.control('reload').returncode, 78, 'reload')
    found = metrics(daemon)
    name = 'gatepost_reload_failures_total'
    equal(found[name], before[name] + 1, name)
    match('(?m)^daemon\t.*\tenforce\t\\d+\t\\d+\t1\t', ask(daemon, 'overview')[1])
    daemon.reload(good, MORE)
    equal(metrics(daemon)[name], found[name], name)


def overview(daemon):
    try:
        return ask(daemon, 'overview')[1]
    except OSError:
        return None


@case('the hours outlive the daemon, a kill too')
def hours(daemon):
    def refused(word):
        # The thread that answers may begin after mail is served.
        text = tap.until(lambda: overview(daemon), 5, 'an answer')
        return sum(int(count) for count in re.findall(r'(?m)^hour\t\d+\t%s\t(\d+)' % word, text))
    word = 'reject reject_unauth_destination'
    before = tap.until(lambda: refused(word), 5, 'hours')
    equal(daemon.stop(), 0, 'exit')
    daemon.start()
    equal(refused(word), before, word)
    with session(daemon) as mta:
        mta.mail()
        mta.rcpt('<x@far.example>')
    tap.until(lambda: refused(word) == before + 1, 5, 'the hour goes on')
    daemon.kill()
    daemon.start()
    true(refused(word) in (before, before + 1), 'after a kill')


@case('the socket is for its group, and for nobody else where there is none')
def access(daemon):
    status = os.stat(daemon.settings['read_socket'])
    equal(stat.S_IMODE(status.st_mode), 0o600, 'mode without a group gatepost-web')
    group = grp.getgrall()[-1]
    daemon.stop()
    daemon.configure({**daemon.settings, 'read_socket_group': group.gr_name}, MORE)
    daemon.start()
    status = os.stat(daemon.settings['read_socket'])
    if os.geteuid() == 0:
        equal((stat.S_IMODE(status.st_mode), status.st_gid), (0o660, group.gr_gid), 'mode, group')


@case('without the socket mail is served all the same')
def without(daemon):
    daemon.stop()
    for path, words in (('', None), (daemon.folder + '/missing/read.sock/x', 'read_socket:')):
        mark = daemon.mark()
        daemon.configure({**daemon.settings, 'read_socket': path}, MORE)
        daemon.start()
        with session(daemon) as mta:
            mta.mail()
            match('^550', mta.rcpt('<x@far.example>')[1])
        if words:
            daemon.wait_log(mark, words, 'has nobody to ask')
        equal(daemon.stop(), 0, 'exit')
    equal(daemon.sanitizer_report(), '', 'sanitizer report')


def setup():
    if gatepost.missing():
        tap.skip_all(gatepost.missing())
    try:
        grp.getgrnam('gatepost-web')
        tap.skip_all('gatepost-web is installed here')
    except KeyError:
        return new()


if __name__ == '__main__':
    tap.run(setup, teardown=lambda daemon: daemon and daemon.stop(),
            on_failure=lambda daemon: [tap.note(line) for line in daemon.log()[-20:]])
