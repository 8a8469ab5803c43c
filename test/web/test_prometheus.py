#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A real Prometheus on loopback scrapes gatepost-web with the shipped alert rules; each query of the
shipped Grafana dashboard gives data; each alert fires when it should, and not before."""
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.parse
import urllib.request
sys.path.insert(0, sys.path[0] + '/../lib')
import gatepost
import place
import tap
import webpage
from milter import Milter
from tap import Skip, case, equal, match, true

RECIPE = os.path.dirname(os.path.abspath(__file__)) + '/../../packaging/recipes/monitoring/'
RULES = RECIPE + 'gatepost.rules.yml'
FORMS = '[limit forms]\nkey = sender\nmax = 1\nper = 1d\nfor = mynetworks\n'
# Of each alert: a series that makes it fire, when it must, and an earlier time at which it must not.
WHO = 'instance="a",job="gatepost"'
FIRES = {
    'GatepostDown': (['up{%s} 1x5 0x60' % WHO], '5m', '10m'),
    'GatepostStoreDown': (['gatepost_store_up{%s} 1x5 0x60' % WHO], '9m', '12m'),
    'GatepostListAside': (['gatepost_dnsbl_state{%s,list="l"} 1x5 0x100' % WHO], '60m', '70m'),
    'GatepostReloadFailed': (['gatepost_reload_failures_total{%s} 0x5 1x60' % WHO], '4m', '8m'),
    'GatepostTableUnreadable': (['gatepost_table_error{%s,table="t"} 0x5 1x60' % WHO], '14m', '20m'),
    'GatepostSlow': (['gatepost_decision_seconds_bucket{%s,stage="rcpt",le="%s"} 0+%dx60' %
                      (WHO, le, step) for le, step in (('1', 1), ('3', 100), ('+Inf', 100))],
                     '10m', '40m'),
    'GatepostRefusesMuchMore': (['gatepost_refusals_total{%s,stage="rcpt",check="c",code="550"} '
                                 '0+1x4000 4000+100x200' % WHO], '4000m', '4080m'),
    'GatepostLimitReached': (['gatepost_limit_refused_total{%s,limit="l"} 0x10 1+1x60' % WHO],
                             '9m', '15m'),
    'GatepostLogLost': (['gatepost_log_lost_lines_total{%s} 0x10 1+1x60' % WHO], '9m', '15m'),
    'GatepostHistoryLost': (['gatepost_history_dropped_total{%s} 0x10 1+1x60' % WHO], '9m', '15m'),
}
site = {}


def run(*words):
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    equal(done.returncode, 0, done.stdout + done.stderr)
    return done.stdout


def dashboard():
    with open(RECIPE + 'grafana-dashboard.json', encoding='utf-8') as handle:
        return json.load(handle)


@case('promtool has nothing against the rules and the configuration')
def check():
    run('promtool', 'check', 'rules', RULES)
    run('promtool', 'check', 'config', RECIPE + 'prometheus.yml')


@case('each alert fires when it should, and not before')
def alerts():
    with open(RULES, encoding='utf-8') as handle:
        equal(sorted(re.findall(r'alert: (\w+)', handle.read())), sorted(FIRES), 'alerts')
    text = 'rule_files: [%s]\nevaluation_interval: 1m\ntests:\n' % os.path.abspath(RULES)
    for alert, (series, before, after) in FIRES.items():
        text += '  - interval: 1m\n    input_series:\n'
        for line in series:
            name, _, values = line.partition('} ')
            text += "      - series: '%s}'\n        values: '%s'\n" % (name, values)
        text += '    promql_expr_test:\n'
        for when, count in ((before, 0), (after, 1)):
            text += ("      - expr: count(ALERTS{alertname=\"%s\",alertstate=\"firing\"}) or vector(0)\n"
                     '        eval_time: %s\n        exp_samples: [{labels: "{}", value: %d}]\n'
                     % (alert, when, count))
    run('promtool', 'test', 'rules', place.write(place.folder() + '/test.yml', text))


@case('Prometheus scrapes it, and its rules are at work')
def scrapes():
    start()
    tap.until(lambda: query('up{job="gatepost"}') == [1.0], 40, 'the first scrape')
    rules = api('rules')['groups'][0]['rules']
    equal([rule['health'] for rule in rules if rule['health'] != 'unknown'],
          ['ok'] * len([rule for rule in rules if rule['health'] != 'unknown']), 'health')
    equal(len(rules), len(FIRES), 'rules')
    mta = Milter(site['daemon'].port)
    mta.negotiate()
    mta.connect()
    mta.helo()
    mta.mail()
    match('^550', mta.rcpt('<x@far.example>')[1])
    tap.until(lambda: query('sum(gatepost_refusals_total{check="reject_unauth_destination"})') == [1.0],
              20, 'the refusal')


@case('each query of the dashboard gives data')
def queries():
    if 'prometheus' not in site:
        raise Skip('no Prometheus')
    board = dashboard()
    expressions = [target['expr'] for panel in board['panels'] for target in panel['targets']]
    true(len(expressions) >= 19, 'queries')
    for expression in expressions:
        asked = expression.replace('$__rate_interval', '20s').replace('$instance', '.*')
        tap.until(lambda: query(asked), 30, 'data of ' + asked)
    names = api('label/__name__/values')
    for name in set(re.findall(r'gatepost_\w+', json.dumps(board))):
        true(name in names, 'the dashboard asks for %s, which there is not' % name)


@case('all stop')
def ends():
    if 'prometheus' in site:
        site['prometheus'].terminate()
        equal(site['prometheus'].wait(20), 0, 'exit of Prometheus')
        equal(site['web'].stop(), 0, 'exit of gatepost-web')
        equal(site['daemon'].stop(), 0, 'exit of the daemon')


def api(path, **arguments):
    url = 'http://127.0.0.1:%d/api/v1/%s?%s' % (site['port'], path, urllib.parse.urlencode(arguments))
    with urllib.request.urlopen(url, timeout=20) as answer:
        return json.load(answer)['data']


def query(expression):
    return [float(row['value'][1]) for row in api('query', query=expression)['result']]


def start():
    if not shutil.which('prometheus'):
        raise Skip('no Prometheus')
    daemon = gatepost.Gatepost()
    daemon.configure({'dns_servers': '127.0.0.1:1', 'dnsbl_sites': 'bl.example.test',
                      'mynetworks': '192.0.2.0/24',
                      'client_restrictions': 'check_client_access inline:{203.0.113.77=REJECT}',
                      'rule_files': daemon.table('rules.cf', 'header A Subject =~ /a/\n'),
                      'recipient_restrictions': 'check_limit forms permit_mynetworks reject_dnsbl'},
                     FORMS)
    site['daemon'], site['web'] = daemon, webpage.Web(daemon, FORMS)
    daemon.start()
    site['web'].start()
    folder = place.folder()
    with open(RECIPE + 'prometheus.yml', encoding='utf-8') as handle:
        text = handle.read().replace('127.0.0.1:9797', '127.0.0.1:%d' % site['web'].port)
    text = text.replace('15s', '2s').replace('gatepost.rules.yml', os.path.abspath(RULES))
    file = place.write(folder + '/prometheus.yml', text)
    site['port'] = place.port()
    site['prometheus'] = subprocess.Popen(
        ['prometheus', '--config.file=' + file, '--storage.tsdb.path=' + folder + '/data',
         '--web.listen-address=127.0.0.1:%d' % site['port'], '--log.level=error'],
        stdin=subprocess.DEVNULL)

    def answers():
        try:
            return api('status/buildinfo')
        except OSError:
            return None
    tap.until(answers, 60, 'Prometheus')


if __name__ == '__main__':
    if webpage.missing():
        tap.skip_all(webpage.missing())
    if not shutil.which('promtool'):
        tap.skip_all('no promtool')
    tap.run(teardown=lambda _: [site[name].kill() if name == 'prometheus' else site[name].stop()
                                for name in ('prometheus', 'web', 'daemon') if name in site])
