#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The life of the installed package: install, change, upgrade, remove, install, purge, install; and
what the running service may do. In a throw-away copy of this machine with systemd."""
import os
import re
import shutil
import subprocess
import sys
sys.path.insert(0, sys.path[0] + '/../lib')
import box
import packages
from tap import Failure, absent, case, equal, match, note, run, skip_all, true, until

CONF = '/etc/gatepost/gatepost.conf'
OWN_RULES = '/etc/gatepost/rules/site.cf'
STATE = '/var/lib/gatepost'
SOCKET = '/run/gatepost/milter.sock'
COUNTED = '''local_domains = example.org
recipient_restrictions = check_limit logins permit_mynetworks permit_sasl_authenticated greylist
[limit logins]
key = sasl_user
max = 5
per = 1d
'''
COUNTERS = (('limits', '--json'), ('greylist', '--json'))
QUEUE_FOLDER = '/var/spool/postfix/gatepost'
CAPABILITIES = ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']

box.enter()
if packages.missing():
    skip_all(packages.missing())


def repack(deb, version, target):
    """The same package as a later version, whose shipped settings changed, too."""
    folder = os.environ['GATEPOST_BOX'] + '/repack'
    subprocess.run(['dpkg-deb', '-R', deb, folder], check=True)
    with open(folder + '/DEBIAN/control', encoding='utf-8') as handle:
        control = handle.read()
    with open(folder + '/DEBIAN/control', 'w', encoding='utf-8') as handle:
        handle.write(re.sub(r'^Version: .*', 'Version: ' + version, control, flags=re.M))
    with open(folder + CONF, 'a', encoding='utf-8') as handle:
        handle.write('# of version %s\n' % version)
    subprocess.run(['dpkg-deb', '--root-owner-group', '-Zgzip', '-z1', '-b', folder, target],
                   check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(folder)


def prepare():
    first = packages.file(r'^gatepost_.*\.deb$')
    there = box.Box()
    there.boot()
    there.run('dpkg', '--purge', 'gatepost-web', 'gatepost-survey', 'gatepost')
    there.sh('rm -rf %s /etc/gatepost; deluser --quiet gatepost || :; mkdir /packages' % STATE)
    shutil.copy(first, there.path + '/packages/first.deb')
    for name in ('second', 'third'):
        version = {'second': '99.1-1', 'third': '99.2-1'}[name]
        repack(first, version, '%s/packages/%s.deb' % (there.path, name))
    return there


def install(there, name, *options):
    """Without a terminal, as an unattended upgrade does. The starts before it are forgotten: the
    cases start the service more often than anybody would in ten seconds."""
    there.run('systemctl', 'reset-failed', 'gatepost')
    return there.ok('dpkg', *options, '-i', '/packages/%s.deb' % name)


def main_pid(there):
    return there.ok('systemctl', 'show', '-p', 'MainPID', '--value', 'gatepost').strip()


def serves(there):
    equal(there.ok('systemctl', 'is-active', 'gatepost').strip(), 'active', 'the service')
    match(r'gatepost', there.ok('gatepostctl', 'status'), 'status')


def owner(there, path):
    return there.ok('stat', '-c', '%U:%G %a', path).strip()


@case('installed: user, folders, service enabled and at work')
def first_install(there):
    output = install(there, 'first')
    absent(r'(?i)warning|error|cannot|fail', output, 'dpkg')
    fields = there.ok('getent', 'passwd', 'gatepost').strip().split(':')
    equal(fields[5:], ['/nonexistent', '/usr/sbin/nologin'], 'home and shell')
    true(int(fields[2]) < 1000, 'a system user')
    equal(there.ok('id', '-Gn', 'gatepost').split(), ['gatepost', 'gatepost-web'],
          'groups')
    match(r'^gatepost [!*]', there.ok('getent', 'shadow', 'gatepost').replace(':', ' '), 'password')
    equal(owner(there, STATE), 'gatepost:gatepost 750', STATE)
    equal(owner(there, CONF), 'root:root 644', CONF)
    equal(there.ok('systemctl', 'is-enabled', 'gatepost').strip(), 'enabled', 'the unit')
    for name in ('gatepost-release.timer', 'gatepost-check.timer', 'gatepost.socket'):
        equal(there.run('systemctl', 'is-enabled', name).stdout.strip(), 'disabled', name)
    serves(there)
    done = there.run('gatepostctl', 'check')
    match(r'\A\S+: warning: local_domains is not set.*\n\Z', done.stdout, 'check')
    equal(done.returncode, 0, 'check of the settings as shipped')


@case('sockets: who may connect')
def socket_permissions(there):
    equal(owner(there, '/run/gatepost'), 'gatepost:gatepost 755', '/run/gatepost')
    equal(owner(there, SOCKET), 'gatepost:gatepost 660', SOCKET)
    for path, what in ((SOCKET, 'milter'), ('/run/gatepost/control.sock', 'control')):
        there.ok('test', '-S', path)
        mode = there.ok('stat', '-c', '%a', path).strip()
        equal(mode[-1], '0', 'what everybody may do with the %s socket' % what)


@case('running: no root, no group of others, no capability, a filter of system calls')
def privileges(there):
    pid = main_pid(there)
    status = there.process(pid)
    number = there.ok('id', '-u', 'gatepost').strip()
    group = there.ok('id', '-g', 'gatepost').strip()
    equal(status['Uid'].split(), [number] * 4, 'Uid')
    equal(status['Gid'].split(), [group] * 4, 'Gid')
    page = there.ok('getent', 'group', 'gatepost-web').split(':')[2]  # gets the read socket
    equal([name for name in status['Groups'].split() if name not in (group, page)], [], 'Groups')
    equal({name: int(status[name], 16) for name in CAPABILITIES},
          {name: 0 for name in CAPABILITIES}, 'capabilities')
    equal((status['NoNewPrivs'], status['Seccomp']), ('1', '2'), 'NoNewPrivs, Seccomp')
    match(r'Max core file size +0 +0 ', there.ok('cat', '/proc/%s/limits' % pid), 'limits')


@case('running: the file system is closed, but for its own folders')
def file_system(there):
    inside = ['nsenter', '-t', main_pid(there), '-m', 'setpriv', '--reuid', 'gatepost', '--regid',
              'gatepost', '--clear-groups', 'sh', '-c']
    for folder in ('/etc/gatepost', '/usr/sbin', '/var/log', '/var/spool', '/srv', '/dev'):
        there.ok('chmod', 'o+w', folder)
        done = there.run(*inside, ': >%s/probe' % folder)
        there.ok('chmod', 'o-w', folder)
        match(r'Read-only file system', done.stdout, folder)
    for folder in (STATE, '/run/gatepost'):
        done = there.run(*inside, ': >%s/probe && rm %s/probe' % (folder, folder))
        equal((done.returncode, done.stdout), (0, ''), folder)
    there.sh(': >/tmp/of-others; useradd --create-home somebody || :')
    for path in ('/tmp/of-others', '~somebody', '/root'):
        true(there.run(*inside, 'ls %s >/dev/null' % path).returncode != 0, 'sees ' + path)


@case('the page: a package of its own, off until it is started, whose user sees the read socket alone')
def page(there):
    get = ['python3', '-c', 'import urllib.request as u; '
           'print(u.urlopen("http://127.0.0.1:9797/metrics").read().decode())']
    equal(owner(there, '/run/gatepost/read.sock'), 'gatepost:gatepost-web 660', 'the read socket')
    shutil.copy(packages.file(r'^gatepost-web_.*\.deb$'), there.path + '/packages/web.deb')
    install(there, 'web')
    equal(there.run('systemctl', 'is-active', 'gatepost-web').stdout.strip(), 'inactive', 'at first')
    there.ok('systemctl', 'start', 'gatepost-web')
    until(lambda: there.run(*get).returncode == 0, 10, 'an answer')
    match(r'(?m)^gatepost_build_info\{.*\} 1$', there.ok(*get), 'metrics')
    pid = there.ok('systemctl', 'show', '-p', 'MainPID', '--value', 'gatepost-web').strip()
    status = there.process(pid)
    number = there.ok('id', '-u', 'gatepost-web').strip()
    equal((status['Uid'].split(), status['NoNewPrivs'], status['Seccomp']),
          ([number] * 4, '1', '2'), 'Uid, NoNewPrivs, Seccomp')
    inside = ['nsenter', '-t', pid, '-m', 'setpriv', '--reuid', 'gatepost-web', '--regid',
              'gatepost-web', '--clear-groups', 'sh', '-c']
    for test in ('ls %s' % STATE, 'test -w /run/gatepost/control.sock', ': >/etc/probe'):
        true(there.run(*inside, test).returncode != 0, test)
    install(there, 'web')
    until(lambda: there.run(*get).returncode == 0, 10, 'an answer of one that was upgraded')
    true(there.ok('systemctl', 'show', '-p', 'MainPID', '--value', 'gatepost-web').strip() != pid,
         'started anew')
    there.ok('dpkg', '--purge', 'gatepost-web')
    true(there.run('systemctl', 'is-active', 'gatepost-web').stdout.strip() != 'active', 'removed')


@case('the survey: a package of its own, whose service runs as gatepost and keeps what it found')
def survey(there):
    shutil.copy(packages.file(r'^gatepost-survey_.*\.deb$'), there.path + '/packages/survey.deb')
    install(there, 'survey')
    for unit in ('service', 'timer'):
        equal(there.run('systemctl', 'is-active', 'gatepost-survey.' + unit).stdout.strip(),
              'inactive', 'not asked for: the ' + unit)
    # without a list of domains there is nothing to do, and that is no failure
    there.ok('systemctl', 'start', 'gatepost-survey.service')
    true(not there.exists(STATE + '/survey.db'), 'a history of nothing')
    there.write('/etc/gatepost/survey-domains', '# one\nexample.org\n')
    for run_number in (1, 2):
        there.ok('systemctl', 'start', 'gatepost-survey.service')
        rows = there.ok('systemctl', 'show', '-p', 'Result,ExecMainStatus', 'gatepost-survey')
        equal(sorted(rows.split()), ['ExecMainStatus=0', 'Result=success'], 'run %d' % run_number)
    equal(owner(there, STATE + '/survey.db'), 'gatepost:gatepost 600', 'the history')
    match(r'(?m)^nothing changed between run 1 and run 2$', there.log('gatepost-survey'), 'journal')
    there.ok('systemctl', 'start', 'gatepost-survey.timer')
    match('gatepost-survey.service', there.ok('systemctl', 'list-timers', '--no-pager'), 'timers')
    there.ok('dpkg', '--purge', 'gatepost-survey')
    true(there.run('systemctl', 'is-active', 'gatepost-survey.timer').stdout.strip() != 'active',
         'the timer')
    there.sh('rm -f /etc/gatepost/survey-domains /var/lib/systemd/timers/stamp-gatepost-*')


@case('reload: tells what is wrong, and the service goes on')
def reload(there):
    pid = main_pid(there)
    there.ok('systemctl', 'reload', 'gatepost')
    shipped = there.read(CONF)
    there.write(CONF, shipped + 'no_such_setting = 1\n')
    true(there.run('systemctl', 'reload', 'gatepost').returncode != 0, 'a reload that fails')
    match(r'no_such_setting', there.log('gatepost'), 'journal')
    there.write(CONF, shipped)
    there.ok('systemctl', 'reload', 'gatepost')
    equal(main_pid(there), pid, 'the process')


@case('a daemon that hangs is started anew by the watchdog')
def watchdog(there):
    there.write('/etc/systemd/system/gatepost.service.d/test.conf',
                '[Service]\nWatchdogSec=1s\nTimeoutAbortSec=1s\n')
    there.sh('systemctl daemon-reload; systemctl restart gatepost')
    pid = main_pid(there)
    there.ok('kill', '-STOP', pid)
    until(lambda: main_pid(there) not in ('0', pid), 20, 'another process')
    until(lambda: there.run('gatepostctl', 'status').returncode == 0, 10, 'an answer')
    match(r'(?i)watchdog', there.log('gatepost'), 'journal')
    there.sh('rm -r /etc/systemd/system/gatepost.service.d; systemctl daemon-reload; '
             'systemctl reset-failed gatepost; systemctl restart gatepost')


@case('wrong settings: no endless starting anew')
def wrong_settings(there):
    shipped = there.read(CONF)
    there.write(CONF, 'no_such_setting = 1\n')
    true(there.run('systemctl', 'restart', 'gatepost').returncode != 0, 'restart')
    rows = there.ok('systemctl', 'show', '-p', 'ActiveState,ExecMainStatus,NRestarts', 'gatepost')
    equal(sorted(rows.split()), ['ActiveState=failed', 'ExecMainStatus=78', 'NRestarts=0'], 'state')
    there.write(CONF, shipped)
    there.ok('systemctl', 'restart', 'gatepost')


@case('upgraded: a file that was not changed is replaced, the service started anew')
def upgrade_unchanged(there):
    before = main_pid(there)
    install(there, 'second')
    match(r'# of version 99\.1-1', there.read(CONF), CONF)
    serves(there)
    true(main_pid(there) != before, 'the old process still runs')


@case('upgraded: a file that was changed is kept, and the state, and files of the site')
def upgrade_changed(there):
    there.write(CONF, there.read(CONF) + '# mine\n' + COUNTED)
    there.write(OWN_RULES, 'header MINE Subject =~ /mine/\n')
    there.sh('install -o gatepost -g gatepost -m 600 /dev/null %s/own' % STATE)
    there.ok('gatepostctl', 'reload')
    there.ok('gatepostctl', 'limits', 'allow', 'logins', 'bob', '7', '1d')
    there.ok('gatepostctl', 'greylist', 'pass', '192.0.2.0/24')
    counted = [there.ok('gatepostctl', *words) for words in COUNTERS]
    match(r'(?s)bob.*192\.0\.2\.0', ''.join(counted), 'what is counted')
    mine = there.read(CONF)
    output = install(there, 'third', '--force-confdef', '--force-confold')
    note(output.splitlines()[-1])
    equal(there.read(CONF), mine, CONF)
    true(there.exists(CONF + '.dpkg-dist'), 'the new file beside it')
    true(there.exists(OWN_RULES) and there.exists(STATE + '/own'), 'files of the site')
    serves(there)
    equal(there.ok('gatepostctl', 'config', 'local_domains').strip(),
          'local_domains = example.org', 'setting')
    equal([there.ok('gatepostctl', *words) for words in COUNTERS], counted, 'what was counted')


@case('upgraded: with settings of which the new one would not start, the old one goes on')
def upgrade_wrong(there):
    mine, pid = there.read(CONF), main_pid(there)
    for wrong in ('no_such_setting = 1\n', 'mynetworks = /etc/gatepost/of-root\n'):
        there.sh('install -m 600 /dev/null /etc/gatepost/of-root')
        there.write(CONF, wrong + mine)
        output = install(there, 'third', '--force-confdef', '--force-confold')
        match('of-root.*Permission denied' if 'of-root' in wrong else 'no_such_setting', output,
              'what is wrong')
        match('the old one goes on in memory', output, 'what becomes of it')
        equal(there.ok('dpkg-query', '-W', '-f', '${db:Status-Status}', 'gatepost'), 'installed')
        equal(main_pid(there), pid, 'the process')
        serves(there)
        done = there.run('/etc/needrestart/restart.d/gatepost.service')
        equal((done.returncode, main_pid(there)), (1, pid), 'needrestart')
    there.write(CONF, mine)
    there.sh('rm /etc/gatepost/of-root')
    there.ok('/etc/needrestart/restart.d/gatepost.service')
    true(main_pid(there) != pid, 'needrestart starts anew what can start')
    serves(there)


@case('upgraded: a service that was disabled stays so')
def upgrade_disabled(there):
    there.ok('systemctl', 'disable', '--now', 'gatepost')
    install(there, 'third', '--force-confdef', '--force-confold')
    equal(there.run('systemctl', 'is-enabled', 'gatepost').stdout.strip(), 'disabled', 'the unit')
    equal(there.run('systemctl', 'is-active', 'gatepost').stdout.strip(), 'inactive', 'the service')
    there.ok('systemctl', 'enable', '--now', 'gatepost')


@case('removed: the service is gone, settings and state are kept')
def remove(there):
    pid = main_pid(there)
    there.ok('systemctl', 'start', 'gatepost-check.timer')
    there.ok('dpkg', '-r', 'gatepost')
    true(there.run('systemctl', 'is-active', 'gatepost-check.timer').stdout.strip() != 'active',
         'the timer')
    there.sh('rm -f /var/lib/systemd/timers/stamp-gatepost-*')
    true(there.run('test', '-e', '/proc/' + pid).returncode != 0, 'the process')
    true(not there.exists('/usr/sbin/gatepost'), 'the program')
    true(there.run('test', '-e', SOCKET).returncode != 0, 'the socket')
    for path in (CONF, OWN_RULES, STATE + '/own'):
        true(there.exists(path), path)


@case('installed after removal: as it was')
def reinstall(there):
    mine = there.read(CONF)
    install(there, 'third', '--force-confdef', '--force-confold')
    equal(there.read(CONF), mine, CONF)
    equal(owner(there, STATE + '/own'), 'gatepost:gatepost 600', 'state')
    equal(there.ok('systemctl', 'is-enabled', 'gatepost').strip(), 'enabled', 'the unit')
    serves(there)


@case('purged: settings and state are gone, files of the site are not')
def purge(there):
    there.sh('mkdir -p %s; touch %s/milter.sock /var/spool/postfix/of-others'
             % (QUEUE_FOLDER, QUEUE_FOLDER))
    output = there.ok('dpkg', '--purge', 'gatepost')
    absent(r'(?i)error|cannot', output, 'dpkg')
    for path in (CONF, CONF + '.dpkg-dist', STATE, QUEUE_FOLDER, '/run/gatepost',
                 '/usr/share/gatepost', '/usr/libexec/gatepost', '/lib/systemd/system/gatepost.service',
                 '/etc/systemd/system/multi-user.target.wants/gatepost.service',
                 '/etc/systemd/system/gatepost.service'):
        true(there.run('test', '!', '-L', path, '-a', '!', '-e', path).returncode == 0,
             path + ' is left')
    for path in (OWN_RULES, '/var/spool/postfix/of-others'):
        true(there.exists(path), path)
    there.ok('getent', 'passwd', 'gatepost')
    equal(there.run('dpkg-query', '-W', '-f', '${db:Status-Status}', 'gatepost').returncode, 1,
          'dpkg still knows it')
    found = there.ok('find', '/etc', '/var/lib/systemd', '-name', '*gatepost*', '-not', '-path',
                     '*/gatepost-test*').split()
    equal(found, ['/etc/gatepost'], 'what is left')


@case('installed after purging: anew')
def install_again(there):
    install(there, 'first')
    absent(r'# mine|# of version', there.read(CONF), CONF)
    equal(owner(there, STATE), 'gatepost:gatepost 750', STATE)
    equal(there.ok('systemctl', 'is-enabled', 'gatepost').strip(), 'enabled', 'the unit')
    serves(there)
    match(r'MINE', there.ok('gatepostctl', 'rules'), 'rules of the site')


@case('without systemd: gives up root, its groups and every capability')
def without_systemd(there):
    there.ok('systemctl', 'disable', '--now', 'gatepost')
    there.sh('rm -rf /run/gatepost; /usr/libexec/gatepost/socket-folders; cd /; '
             'setpriv --groups=0,4,8 gatepost')
    pid = there.ok('cat', '/run/gatepost/gatepost.pid').strip()
    try:
        status = there.process(pid)
        number = there.ok('id', '-u', 'gatepost').strip()
        group = there.ok('id', '-g', 'gatepost').strip()
        groups = there.ok('id', '-G', 'gatepost').split()
        equal((status['Uid'].split(), status['Gid'].split(), status['Groups'].split()),
              ([number] * 4, [group] * 4, groups), 'who it is')
        equal({name: int(status[name], 16) for name in CAPABILITIES if name != 'CapBnd'},
              {name: 0 for name in CAPABILITIES if name != 'CapBnd'}, 'capabilities')
        match(r'gatepost', there.ok('gatepostctl', 'status'), 'status')
    finally:
        there.ok('kill', pid)


def on_failure(there):
    note(there.log('gatepost')[-2500:])


prepared = prepare()  # before the plan is printed: it may skip the whole file
run(setup=lambda: prepared, on_failure=on_failure)
