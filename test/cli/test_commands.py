#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""gatepostctl's commands: options, output, exit codes, mistakes."""
import contextlib
import grp
import json
import os
import pty
import pwd
import re
import resource
import shutil
import subprocess
import sys
sys.path.insert(0, sys.path[0])
import ctl
import gatepost
import place
from tap import Failure, Skip, absent, case, equal, match, run, true

FIELDS = ['file', 'verdict', 'stage', 'check', 'reply', 'recipients', 'score', 'required', 'rules',
          'charsets', 'scripts', 'autoreply', 'dnsbl', 'headers', 'permit']
SITE = 'local_domains = example.org\n'
MESSAGE = 'From: A <a@far.example>\nSubject: x\n\nbody\n'


def exits(done, code):
    equal(done.returncode, code, 'exit (%s)' % (done.stdout + done.stderr).strip())
    return done


def objects(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


@case('without a command it says how it is used')
def no_command():
    done = exits(ctl.run(), 64)
    match('usage: gatepostctl', done.stderr)
    equal(done.stdout, '', 'stdout')


@case('--help and --version answer on stdout')
def help_and_version():
    match('usage: gatepostctl(.|\n)*check(.|\n)*lookup', exits(ctl.run('--help'), 0).stdout)
    match('usage: gatepostctl', exits(ctl.run('-h'), 0).stdout)
    match(r'^gatepostctl \d+\.\d+\.\d+$', exits(ctl.run('--version'), 0).stdout.strip())
    equal(ctl.run('-V').stdout, ctl.run('--version').stdout, '-V')


@case('help is no mistake, with and without a command')
def help_command():
    equal(exits(ctl.run('help'), 0).stdout, ctl.run('--help').stdout)
    equal(exits(ctl.run('help', 'check'), 0).stdout, ctl.run('check', '--help').stdout)
    match('did you mean "check"', exits(ctl.run('help', 'chekc'), 64).stderr)


@case('of a daemon that is down is said that none runs')
def no_daemon():
    for command in ('status', 'reload'):
        match('^gatepostctl: no daemon runs: nobody listens on /tmp/gatepost-control.sock',
              exits(ctl.Settings().run(command), 69).stderr)


@case('on a terminal check says when nothing is wrong')
def check_on_terminal():
    settings = ctl.Settings('local_domains = example.org\n')
    master, slave = os.openpty()
    try:
        done = subprocess.run([gatepost.CONTROL, '-c', settings.file, 'check'], stdout=slave,
                              stderr=subprocess.PIPE, timeout=60, env=gatepost.environment())
        equal((done.returncode, done.stderr), (0, b''))
        match('gatepost.conf: nothing is wrong', os.read(master, 1000).decode())
    finally:
        os.close(master)
        os.close(slave)
    equal(settings.run('check').stdout, '', 'not on a terminal')


# An optional part of the build.
SURVEY = os.path.join(gatepost.BUILD, 'milter', 'survey/gatepost-survey')


@case('--help of each command tells its exit codes, and every option that its usage shows')
def command_help():
    listed = re.findall('(?m)^  ([a-z-]+) +[A-Z]', exits(ctl.run('--help'), 0).stdout)
    true({'check', 'config', 'dnsbl', 'lookup', 'test', 'reload', 'rules', 'setup', 'status',
          'survey'} <= set(listed), 'commands %r' % listed)
    for command in listed:
        if command in ('survey', 'onion-map') and not os.path.exists(SURVEY):
            match('gatepost-survey, which is not installed',
                  exits(ctl.run(command, '--help'), 69).stderr)
            continue
        text = exits(ctl.run(command, '--help'), 0).stdout
        match('^usage: gatepostctl .*%s' % command, text)
        match(r'(?m)^Exit: 0 (.|\n)*\b64 usage', text)
        match(r'(?m)^Example: gatepostctl %s' % ('check|' * (command == 'reload') + command), text)
    for command in ('check', 'config', 'dnsbl', 'setup', 'status', 'test', 'limits', 'survey'):
        if command == 'survey' and not os.path.exists(SURVEY):
            continue
        usage, _, rest = ctl.run(command, '-h').stdout.partition('\n\n')
        for option in re.findall(r'\[(--?[a-z-]+)', usage):
            match(r'(?m)^  (-c FILE, )?(--json, )?%s\b' % option, rest)


@case('-V and --version work on all programs')
def versions():
    for program, options in (('daemon/gatepost', ('-V', '--version')),
                             ('survey/gatepost-survey', ('-V', '--version'))):
        path = os.path.join(gatepost.BUILD, 'milter', program)
        for option in options if path != SURVEY or os.path.exists(SURVEY) else ():
            done = subprocess.run([path, option],
                                  capture_output=True, text=True, check=False)
            match(r'^%s \d+\.\d+\.\d+( \(libmilter .*\))?\n$' % os.path.basename(program),
                  exits(done, 0).stdout)
    done = subprocess.run([os.path.join(gatepost.BUILD, 'milter/daemon/gatepost'), '--help'],
                          capture_output=True, text=True, check=False)
    match('usage: gatepost(.|\n)*-f(.|\n)*Exit: 0 ', exits(done, 0).stdout)


@case('an unknown command or option is a mistake of usage')
def unknown():
    for line, said in ((['chekc'], '; did you mean "check"?'), (['zzz'], '--help lists them'),
                       (['--nope'], 'lists options and commands'), (['-c'], '--help')):
        done = exits(ctl.run(*line), 64)
        equal((done.stdout, done.stderr.count('\n')), ('', 1), done.stderr)
        match(re.escape(said), done.stderr)
    for line in (['check', '--nope'], ['check', '-x'], ['check', 'operand'],
                 ['config', '--nope'], ['lookup'], ['lookup', 'inline:{a=b}'], ['test', '--nope'],
                 ['test', '--from'], ['test', '--client', 'nonsense'], ['test', '--client', ''],
                 ['test', '--client', '192.0.2.1/24'], ['test', '--bits', '128'],
                 ['test', '--tls', 'TLSv1.3', '--bits', 'many'], ['test', '--mech', 'PLAIN'],
                 ['test', '--listener', ':http']):
        done = exits(ctl.run(*line), 64)
        equal(done.stdout, '', 'stdout of %r' % line)
        match('^usage: gatepostctl (.|\n)*\ngatepostctl: .*\n$', done.stderr)


@case('config -x replaces names by what they stand for, in each section')
def expanded():
    settings = ctl.Settings('''origin = example.org
local_domains = $origin
    .$origin
log_format = text
message_restrictions = check_header_access Subject inline:{{a$$=REJECT $$5}}
restriction_classes = strict
strict = check_sender_access inline:{$origin=REJECT}

[listener :2525]
origin = example.net

[listener :2526]
mode = monitor
''')
    found = settings.run('config', '-x', 'local_domains', 'login_domains', 'origin', 'strict',
                         'message_restrictions').stdout
    equal(found, '''local_domains = example.org .example.org
login_domains = example.org .example.org
origin = example.org
message_restrictions = check_header_access Subject inline:{{a$$=REJECT $$5}}
strict = check_sender_access inline:{example.org=REJECT}

[listener :2525]
local_domains = example.net .example.net
login_domains = example.net .example.net
origin = example.net
''')
    equal(settings.run('config', '-dx', 'login_domains').stdout, 'login_domains =\n')
    equal(settings.run('config', '-nx', 'local_domains', 'login_domains').stdout,
          'local_domains = example.org .example.org\n')
    again = ctl.Settings()
    place.write(again.file, settings.run('config', '-x').stdout)
    equal(again.run('config', '-x').stdout, settings.run('config', '-x').stdout, 'read again')


@case('-c may stand before and behind the command; the last counts')
def config_option():
    one, two = ctl.Settings('mode = monitor\n'), ctl.Settings('mode = enforce\n')
    equal(ctl.run('-c', one.file, 'config', 'mode').stdout, 'mode = monitor\n')
    equal(ctl.run('config', 'mode', '-c', one.file).stdout, 'mode = monitor\n')
    equal(ctl.run('-c', two.file, 'config', '-c', one.file, 'mode').stdout, 'mode = monitor\n')
    equal(ctl.run('--config=' + one.file, 'config', 'mode').stdout, 'mode = monitor\n')


@case('a settings file that is not there is an error of configuration')
def no_settings():
    for command in (['check'], ['config'], ['test'], ['test', '--json']):
        done = exits(ctl.run('-c', '/nonexistent/gatepost.conf', *command), 78)
        match('^/nonexistent/gatepost.conf:1: error: ', done.stderr)
        equal(done.stdout, '', 'stdout')


@case('check says nothing of what is right')
def check_good():
    done = exits(ctl.Settings(SITE).run('check'), 0)
    equal(done.stdout + done.stderr, '', 'output')


@case('colours are for a terminal, and not where NO_COLOR is set')
def colours():
    settings = ctl.Settings('moed = x\n')
    for environment, coloured in (({}, True), ({'NO_COLOR': ''}, True), ({'NO_COLOR': '1'}, False),
                                  ({'TERM': 'dumb'}, False)):
        master, slave = os.openpty()
        try:
            subprocess.run([gatepost.CONTROL, '-c', settings.file, 'check'], stdout=subprocess.PIPE,
                           stderr=slave, timeout=60,
                           env=dict(gatepost.environment(), **dict({'TERM': 'xterm'}, **environment)))
            text = os.read(master, 4000).decode()
        finally:
            os.close(master)
            os.close(slave)
        equal('\x1b[1;31merror:\x1b[0m ' in text, coloured, repr(text))
        equal('\x1b' in text, coloured, repr(text))
    absent('\x1b', settings.run('check').stderr)


@case('check tells everything that is wrong, with file and line')
def check_errors():
    settings = ctl.Settings('local_domain = example.org\nauth_min_ssf = much\n'
                            'client_restrictions = check_client_access cidr:missing\n'
                            '   check_policy_service inet:127.0.0.1:10023\n'
                            'helo_restrictions = reject_unknwon_helo_hostname\n'
                            'relay_restrictions = permit_mynetworks\n')
    done = exits(settings.run('check'), 78)
    for line, text in ((6, 'local_domain.*local_domains'), (7, 'auth_min_ssf'),
                       (8, 'missing'), (8, 'check_policy_service'), (10, 'helo_hostname'),
                       (11, 'everybody may relay')):
        match(r'(?m)^%s:%d: error: .*%s' % (settings.file, line, text), done.stderr)
    equal(done.stdout, '', 'stdout')


@case('check warns of tables, and of a machine that lacks something')
def check_warnings():
    settings = ctl.Settings('client_restrictions = check_client_access cidr:clients\n'
                            'milter_socket = unix:/nonexistent/milter.sock\n'
                            'control_socket = /nonexistent/control.sock\n'
                            'pid_file = /nonexistent/gatepost.pid\n'
                            'state = sqlite:/nonexistent/gatepost.db\n'
                            'user = no-such-user\nmilter_socket_group = no-such-group\n',
                            clients='192.0.2.300 OK\n192.0.2.1 banana\n192.0.2.2 OK\n')
    done = exits(settings.run('check'), 0)
    for text in (r'clients:1: warning: ', r'clients:2: warning: .*banana',
                 r'gatepost.conf:\d+: warning: user: .*no-such-user',
                 r'gatepost.conf:\d+: warning: milter_socket_group: .*no-such-group',
                 r'gatepost.conf:\d+: warning: milter_socket: .*/nonexistent',
                 r'gatepost.conf:\d+: warning: control_socket: .*/nonexistent',
                 r'gatepost.conf:\d+: warning: pid_file: .*/nonexistent',
                 r'gatepost.conf:\d+: warning: state: .*/nonexistent',
                 r'warning: .*local_domains is not set'):
        match('(?m)' + text, done.stderr)
    absent('error:', done.stderr)


@case('check refuses tables that would throw mail away')
def check_discard():
    for result in ('DISCARD', 'FILTER smtp:x', 'REDIRECT a@b.example', 'BCC a@b.example'):
        settings = ctl.Settings(SITE + 'sender_restrictions = check_sender_access hash:senders\n',
                                senders='a@b.example %s\n' % result)
        match('senders:1: error: .*%s' % result.split()[0], exits(settings.run('check'), 78).stderr)
        exits(settings.run('test'), 78)


def somebody_in_a_group():
    """Name of a user, not root, and of a group that he is in beside his own; None: there is none."""
    for group in grp.getgrall():
        for name in group.gr_mem:
            with contextlib.suppress(KeyError):
                if pwd.getpwnam(name).pw_uid and pwd.getpwnam(name).pw_gid != group.gr_gid:
                    return name, group.gr_name
    return None


def settings_of(user, text, socket='inet:20025@127.0.0.1', **tables):
    """Settings whose daemon becomes USER."""
    made = ctl.Settings('', **tables)
    place.write(made.file, ctl.SURROUNDINGS.replace('user = root', 'user = ' + user).replace(
        'inet:20025@127.0.0.1', socket.replace('/FOLDER', made.folder)) +
        text.replace('/FOLDER', made.folder))
    return made


@case('check by root sees what the user of the settings can read, and nothing else')
def check_as_user():
    if os.geteuid() != 0:
        raise Skip('for root')
    settings = settings_of('nobody', SITE + 'mynetworks = /FOLDER/networks\n', networks='192.0.2.0/24\n')
    path = settings.folder + '/networks'
    equal(exits(settings.run('check'), 0).stderr, '', 'a file for all')
    os.chmod(path, 0o600)
    done = exits(settings.run('check'), 78)
    match(r'gatepost.conf:\d+: error: .*networks.*Permission denied', done.stderr)
    match('this is what user nobody, which the daemon becomes, can read', done.stderr)
    other = settings_of('nobody', SITE + 'mode = montior\n')
    absent('this is what user', exits(other.run('check'), 78).stderr, 'an error that is the same for all')
    exits(ctl.Settings(SITE + 'mynetworks = %s\n' % path).run('check'), 0)
    os.chmod(settings.file, 0o600)
    match('cannot.*read.*Permission denied|Permission denied',
          exits(settings.run('check'), 78).stderr)
    found = somebody_in_a_group()
    if found:
        settings = settings_of(found[0], SITE + 'mynetworks = %s\n' % path)
        shutil.chown(path, 'root', found[1])
        os.chmod(path, 0o640)
        exits(settings.run('check'), 0)


@case('check tells where the socket could not be made without root')
def check_socket_folder():
    if os.geteuid() != 0:
        raise Skip('for root')
    socket = 'unix:/FOLDER/milter.sock'
    settings = settings_of('nobody', SITE, socket)
    match('milter_socket: user "nobody" cannot make a socket in /', exits(settings.run('check'), 0)
          .stderr)
    shutil.chown(settings.folder, 'nobody')
    equal(settings.run('check').stderr, '', 'a folder of its own')
    settings = settings_of('nobody', SITE + 'milter_socket_group = mail\n', socket)
    shutil.chown(settings.folder, 'nobody')
    match(r'milter_socket_group: user "nobody" is no member of mail \(adduser nobody mail\)',
          settings.run('check').stderr)
    shutil.chown(settings.folder, 'nobody', 'mail')
    os.chmod(settings.folder, 0o2755)
    equal(settings.run('check').stderr, '', 'a folder that gives its group')


@case('check -v shows what decides')
def check_verbose():
    settings = ctl.Settings(SITE + '[listener inside]\nmode = monitor\n')
    done = exits(settings.run('check', '-v'), 0)
    match('(?m)^ *local_domains +example.org$', done.stdout)
    match('(?m)^ *relay_restrictions +permit_mynetworks ', done.stdout)
    match(r'(?m)^\[listener inside\]\n *mode +monitor$', done.stdout)
    match('0 errors, 0 warnings', done.stdout)
    match('1 errors', exits(ctl.Settings('mode = x\n').run('check', '-v'), 78).stdout)


@case('a pattern that would join capital and small letters beyond ASCII is warned of, and does not')
def wide_case():
    settings = ctl.Settings(
        SITE + 'message_restrictions = check_header_access Subject pcre:p, reject_spam\n'
        'sender_restrictions = check_sender_access regexp:r\nrule_files = wide.cf\n',
        p='/привет/ REJECT\n/日本/ REJECT\n/ascii/ REJECT\n',
        r='/ü/ REJECT\n',
        **{'wide.cf': 'header A Subject =~ /рубли/i\n'
                      'header B Subject =~ /рубли/\n'})
    done = exits(settings.run('check'), 0)
    for place_ in ('p:1', 'r:1', 'wide.cf:1'):
        match('%s: warning: .*patterns see bytes' % place_, done.stderr)
    equal(done.stderr.count('patterns see bytes'), 3)
    for subject, verdict in (('привет', 'reject'),
                             ('Привет', 'accept')):
        found, _ = settings.test('-', 'From: a@b.example\nSubject: %s\n\nx\n' % subject)
        equal(found['verdict'], verdict, subject)


@case('check -v goes on behind an error, so that all is seen at once')
def check_goes_on():
    settings = ctl.Settings('local_domains = example.org\nmode = x\nrule_files = one.cf two.cf\n'
                            'client_restrictions = check_client_acess cidr:/nowhere reject\n'
                            'helo_restrictions = check_helo_access texthash:helo\n',
                            **{'one.cf': 'body B /x/\nheader H Subject = /x/\nuri U /x/\n',
                               'two.cf': 'header G Subject =~ /x/\n', 'helo': 'x banana\n'})
    done = exits(settings.run('check', '-v'), 78)
    for text in ('mode: ', 'did you mean "check_client_access"', r'one.cf:2: error: ',
                 'helo:1: warning: .*banana'):
        match(text, done.stderr)
    for text in (r'(?m)^  mynetworks +127.0.0.0/8', r'one.cf:1: skipped: body', 'one.cf:3: skipped: uri',
                 '1 rules with a score, ', r'4 errors, \d+ warnings'):
        match(text, done.stdout)


@case('config prints what is in force, what was set, the defaults')
def config():
    settings = ctl.Settings('auth_min_ssf = 256\nmynetworks = $local_domains 127.0.0.1\n')
    match('(?m)^auth_min_ssf = 256$', settings.run('config').stdout)
    match('(?m)^delay_checks = yes$', settings.run('config').stdout)
    match('(?m)^# local_domains is not set$', settings.run('config').stdout)
    match(r'(?m)^mynetworks = \$local_domains 127.0.0.1$', settings.run('config', '-n').stdout)
    absent('delay_checks', settings.run('config', '-n').stdout)
    match('(?m)^auth_min_ssf = 128$', exits(ctl.run('config', '-d'), 0).stdout)
    equal(settings.run('config', '-d', 'auth_min_ssf').stdout, 'auth_min_ssf = 128\n')
    equal(settings.run('config', 'delay_checks', 'auth_min_ssf').stdout,
          'delay_checks = yes\nauth_min_ssf = 256\n')


@case('+= adds to what was said, to what main has, to the default')
def config_adds():
    settings = ctl.Settings('submission_listeners += :2587\nsubmission_listeners += :3587\n'
                            'mynetworks = 10.0.0.0/8\nlocal_domains+=a.example\n'
                            '[listener x]\nmynetworks += 192.0.2.0/24\n'
                            'message_restrictions += permit\n')
    equal(exits(settings.run('check'), 0).stderr.count('set again'), 0, 'no warning')
    text = settings.run('config', '-n').stdout
    match('(?m)^submission_listeners = submission submissions :587 :465 :2587 :3587$', text)
    match('(?m)^local_domains = a.example$', text)
    main, section = text.split('[listener x]')
    match('(?m)^mynetworks = 10.0.0.0/8$', main)
    match('(?m)^mynetworks = 10.0.0.0/8 192.0.2.0/24$', section)
    match('(?m)^message_restrictions = guard_autoreply .* reject_spam permit$', section)
    for line in ('mode += x', 'made_up += x', 'auth_min_ssf += 1', '+= x'):
        done = exits(ctl.Settings(SITE + line + '\n').run('check'), 78)
        match(r'gatepost.conf:7: error: ("\+=" adds to the lists|no name stands|unknown)', done.stderr)


@case('$name of a restriction class stands for what it holds; a listener has classes of its own')
def config_class_values():
    settings = ctl.Settings(SITE + 'restriction_classes = a, b\na = reject_sender_login_mismatch $b\n'
                            'b = reject_non_fqdn_sender\nsender_restrictions = $a permit\n'
                            'recipient_restrictions = check_sender_access inline:{x@y.example=mine}\n'
                            '[listener in]\nrestriction_classes += mine\nmine = reject\n'
                            'b = reject_non_fqdn_sender\n')
    done = exits(settings.run('check'), 0)
    match('"mine" is no result of access.5. and no restriction', done.stderr)
    equal(done.stderr.count('mine'), 1, 'the listener knows its class: ' + done.stderr)
    text = settings.run('config', '-x', 'sender_restrictions').stdout
    match('(?m)^sender_restrictions = reject_sender_login_mismatch reject_non_fqdn_sender permit$',
          text)
    done = settings.test('--listener in --from x@y.example --rcpt bob@example.org')[0]
    equal((done['verdict'], done['check']), ('reject', 'reject'), 'in the listener')
    many = ''.join('c%d = $c%d $c%d\n' % (i, i + 1, i + 1) for i in range(40)) + 'c40 =\n'
    names = 'restriction_classes = %s\n' % ' '.join('c%d' % i for i in range(41))
    match('leads back to itself', exits(ctl.Settings(SITE + names + many).run('check'), 78).stderr)
    match('leads back to itself; the classes name each other', exits(ctl.Settings(
        SITE + 'restriction_classes = a b\na = $b\nb = $a\n').run('check'), 78).stderr)


@case('config prints restriction classes, by name too, and in sections')
def config_classes():
    settings = ctl.Settings('a = permit_mynetworks,\n  reject\nrestriction_classes = a b\n'
                            'b =\n[listener x]\na = reject\n')
    match('(?m)^a = permit_mynetworks, reject\nb =$', settings.run('config').stdout)
    match(r'(?m)^\[listener x\]\na = reject$', settings.run('config', '-n').stdout)
    equal(settings.run('config', 'a').stdout, 'a = permit_mynetworks, reject\n')
    absent('permit_mynetworks, reject', settings.run('config', '-d').stdout)
    match('c is no parameter', exits(settings.run('config', 'a', 'c'), 1).stderr)
    absent('a is no parameter', settings.run('config', 'a', 'c').stderr)


@case('the output of config is a gatepost.conf')
def config_round():
    settings = ctl.Settings(SITE + '[listener x]\nmode = monitor\nmynetworks =\n')
    printed = settings.run('config').stdout
    again = place.write(settings.folder + '/again.conf', printed)
    exits(ctl.run('-c', again, 'check'), 0)
    equal(ctl.run('-c', again, 'config').stdout, printed)


def odd_value(name, value):
    """Another value than this one that means something, for a parameter of this name."""
    if re.fullmatch(r'yes|no', value):
        return {'yes': 'no', 'no': 'yes'}[value]
    if re.fullmatch(r'-?[0-9]+(\.[0-9]+)?', value):
        return str(float(value) + 1.5) if '.' in value else str(int(value) + 1)
    return {'autoreply_guard': 'tag', 'dns_servers': '127.0.0.1:5353', 'mode': 'monitor',
            'local_domains': 'example.net .example.com', 'mixed_recipients': 'split',
            'header_limit': '2m', 'dnsbl_timeout': '3s', 'stop_timeout': '1m', 'user': 'nobody',
            'dnsbl_sites': 'bl.example*2', 'rhsbl_sites': 'dbl.example/sender,helo',
            'hashbl_sites': 'ebl.example*5/sender:sha256', 'log_format': 'json',
            'dnsbl_reply_map': 'inline:{bl.example=x}', 'mynetworks': '!192.0.2.1 192.0.2.0/24',
            'trusted_filters': '198.51.100.0/24', 'untrusted_listeners': 'onion :2525',
            'sender_login_maps': 'inline:{a@b.example=c, {d@e.example = f g}}',
            'relay_clientcerts': 'inline:{{/CN=a+20b = x}}', 'auth_mechanisms': '!PLAIN LOGIN',
            'recipient_profiles': 'inline:{example.org=p}', 'recipient_delimiter': '+-',
            'bounce_senders': '<> x-*', 'client_restrictions': 'permit_mynetworks',
            'message_restrictions': 'permit_mynetworks reject_spam'}.get(name)


@case('settings that config printed decide as those they were printed from')
def config_same_outcome():
    tables = {'some.cf': 'header S Subject =~ /s/\nscore S 4\nrequired_score 3\n',
              'more.cf': 'header S Subject =~ /s/\nscore S 4\nrequired_score 9\n',
              'none.cf': 'header S Subject =~ /s/\nscore S 4\n',
              'm': 'From: a@b.example\nSubject: s\n\nx\n'}
    kinds = ['', 'tag_score = 4.5\n', 'tag_score = 5.0\n']
    rules = ['some.cf', 'more.cf', 'none.cf']
    count = 0
    for whole in (kind + 'rule_files = %s\n' % rule for kind in kinds for rule in rules):
        for section in [''] + ['[listener :25]\nmode = enforce\n%srule_files = %s\n' % (kind, rule)
                               for kind in kinds[:2] for rule in rules]:
            text = whole + 'recipient_profiles = inline:{c@example.org=p}\n' + section
            settings = ctl.Settings(SITE + text + '[profile p]\nscore S = 8\n', **tables)
            place.write(settings.folder + '/again.conf', settings.run('config').stdout)
            for words in ('', '--listener :25', '--rcpt c@example.org'):
                line = 'test --json --client 203.0.113.9 %s %s/m' % (words, settings.folder)
                before = settings.shell(line)
                after = ctl.run('-c', settings.folder + '/again.conf', *line.split())
                equal(after.stdout, before.stdout, text + words)
                count += 1
    true(count > 150, count)


@case('every parameter goes round through config, in each section that may have it')
def config_round_all():
    defaults = dict(line.split(' =', 1) for line in ctl.run('config', '-d').stdout.splitlines()
                    if not line.startswith('#'))
    lines = {name: odd_value(name, value.strip()) for name, value in defaults.items()}
    lines['local_domains'] = odd_value('local_domains', '')
    lines = {name: value for name, value in lines.items() if value}
    true(len(lines) > 30, lines)
    for head in ('', '[listener :25]\n', '[profile p]\n'):
        for name, value in lines.items():
            settings = ctl.Settings('%s%s = %s\n' % (head, name, value))
            printed = settings.run('config')
            if printed.returncode:
                absent('(?i)internal', printed.stderr)
                true(head != '' or name == 'mode', 'main may have %s = %s: %s'
                     % (name, value, printed.stderr))
                continue
            again = place.write(settings.folder + '/again.conf', printed.stdout)
            equal(ctl.run('-c', again, 'config').stdout, printed.stdout, head + name)
            match('(?m)^%s = %s$' % (name, re.escape(value)), printed.stdout)


@case('config knows what it does not know')
def config_unknown():
    settings = ctl.Settings()
    done = exits(settings.run('config', 'mynetwork', 'mode'), 1)
    equal(done.stdout, 'mode = enforce\n')
    match('mynetwork is no parameter; did you mean mynetworks', done.stderr)
    bad = ctl.Settings('mode = banana\n')
    done = exits(bad.run('config'), 78)
    match('error', done.stderr)
    equal(done.stdout, '', 'stdout')


TABLES = {
    'texthash': ('a.example one\nB.example two\nlong value of\n words\n', [
        ('a.example', 'one'), ('A.EXAMPLE', 'one'), ('b.example', 'two'), ('long', 'value of words'),
        ('x.a.example', None), ('', None)]),
    'cidr': ('192.0.2.0/24 net\n!2001:db8::/32 not\n::/0 six\n0.0.0.0/0 rest\n', [
        ('192.0.2.7', 'net'), ('203.0.113.1', 'rest'), ('::1', 'not'), ('2001:db8::1', 'six'),
        ('::ffff:192.0.2.7', 'net'), ('a.example', None)]),
    'pcre': ('if /^a/\n/^a(.)c$/ <$1>\nendif\n!/^[a-z]+$/ odd\n', [
        ('abc', '<b>'), ('ABC', '<B>'), ('xyz', None), ('x1', 'odd')]),
    'regexp': ('/^(.*)@example\\.org$/ $1\n', [('Bob@EXAMPLE.org', 'Bob'), ('x', None)]),
}


@case('check warns of networks that are larger than anybody has, and gives no hint that opens one')
def large_networks():
    settings = ctl.Settings('local_domains =\nmynetworks = 10.0.0.0/8 64.0.0.0/2 !0.0.0.0/1 [fc00::]/7 '
                            '[2000::]/3 /FOLDER/nets cidr:cidr\n',
                            nets='192.0.2.0/24\n0.0.0.0/0\n!128.0.0.0/1\n',
                            cidr='::/0 yes\n192.0.2.0/24 yes\n')
    told = sorted(re.findall('mynetworks: ([^ ]*) is larger than /8', settings.run('check').stderr))
    equal(told, ['0.0.0.0/0', '64.0.0.0/2', '[2000::]/3', '[::]/0'])
    match('nets:2: warning: mynetworks: 0.0.0.0/0', settings.run('check').stderr)
    for word in ('10.0.0.1/', '10.0.0.1/x', '10.0.0.1/-', '10.0.0.1/ 24', '10.0.0.1/+8', '10.0.0.1/0',
                 '10.0.0.1/1', '[2001:db8::1]/', '[2001:db8::1]/0', '10.0.0.1/8x', '10.0.0.1//8'):
        done = ctl.Settings('local_domains =\nmynetworks = %s\n' % word).run('check')
        equal((word, done.returncode, 'did you mean' in done.stderr), (word, 78, False))
        done = ctl.Settings('local_domains =\nmynetworks = cidr:cidr\n', cidr=word + ' x\n').run('check')
        equal((word, 'did you mean' in done.stderr), (word, False))
    match('did you mean 10.0.0.0/24', ctl.Settings('mynetworks = 10.0.0.1/24\n').run('check').stderr)


@case('lookup asks each kind of table')
def lookup():
    for kind, (text, keys) in TABLES.items():
        settings = ctl.Settings(**{kind: text})
        table = '%s:%s/%s' % (kind, settings.folder, kind)
        for key, value in keys:
            done = exits(ctl.run('lookup', table, key), 1 if value is None else 0)
            equal(done.stdout, '' if value is None else value + '\n', '%s %s' % (kind, key))
    equal(exits(ctl.run('lookup', 'inline:{a=b, {c = d e}}', 'c'), 0).stdout, 'd e\n')
    equal(exits(ctl.run('lookup', 'static:{x y}', 'anything'), 0).stdout, 'x y\n')


@case("lookup reads other types' text sources, and bare paths")
def lookup_types():
    settings = ctl.Settings(table='a b\n')
    for kind in ('hash:', 'btree:', 'lmdb:', 'cdb:', 'dbm:', 'proxy:hash:', ''):
        equal(ctl.run('lookup', kind + settings.folder + '/table', 'a').stdout, 'b\n', kind)
    equal(ctl.run('lookup', 'hash:table', 'a', cwd=settings.folder).stdout, 'b\n')


@case('lookup takes several keys, and keys from stdin')
def lookup_keys():
    table = 'inline:{a=1, b=2}'
    equal(exits(ctl.run('lookup', table, 'a', 'x', 'b'), 0).stdout, '1\n2\n')
    equal(exits(ctl.run('lookup', table, 'x', 'y'), 1).stdout, '')
    equal(exits(ctl.run('lookup', table, '-', data='a\nx\nB\r\n'), 0).stdout, 'a\t1\nB\t2\n')
    equal(exits(ctl.run('lookup', table, '-', data='x\n'), 1).stdout, '')
    equal(exits(ctl.run('lookup', 'inline:{-k=v}', '--', '-k'), 0).stdout, 'v\n')


@case('lookup finds nothing for a key that is not UTF-8, as postmap finds nothing')
def lookup_not_utf8():
    settings = ctl.Settings(t='a x\n', p='/a/ x\n/./ y\n', c='0.0.0.0/0 x\n')
    postmap = shutil.which('postmap', path=os.environ['PATH'] + ':/usr/sbin')
    main = place.folder('gatepost-postfix-')
    place.write(main + '/main.cf', 'compatibility_level = 3.6\n')
    keys = [b'a', b'\xff', b'a\xff', b'a\xc3', b'\xc3\xa9', b'\xed\xa0\x80', b'a\xe9@b.example',
            b'\xf0\x9f\x98\x80', b'\xc0\xaf', b'192.0.2.1']
    for table in ('texthash:t', 'pcre:p', 'regexp:p', 'cidr:c', 'inline:{a=x, b=y}', 'static:x'):
        kind, name = table.split(':', 1)
        spec = table if len(name) != 1 or kind == 'static' \
            else '%s:%s/%s' % (kind, settings.folder, name)
        for key in keys:
            ours = subprocess.run([gatepost.CONTROL, 'lookup', spec, key], capture_output=True)
            bad = key.decode('utf-8', 'replace').encode() != key
            if bad:
                equal((ours.returncode, ours.stdout), (1, b''), '%s %r' % (table, key))
                match('is not UTF-8', ours.stderr.decode(), '%s %r' % (table, key))
            if postmap and kind != 'pcre':
                theirs = subprocess.run([postmap, '-c', main, '-q', key, spec],
                                        capture_output=True)
                equal(ours.stdout, theirs.stdout, '%s %r' % (table, key))
    done = exits(ctl.run('lookup', 'pcre:%s/p' % settings.folder, '-', data=b'\xff\na\n'), 0)
    equal(done.stdout, 'a\tx\n')


@case('lookup tells "cannot tell" from "not found", and bad tables from both')
def lookup_errors():
    match('cannot tell', exits(ctl.run('lookup', 'fail:x', 'a'), 69).stderr)
    match('error: .*missing', exits(ctl.run('lookup', 'cidr:/missing', 'a'), 78).stderr)
    match('error: ', exits(ctl.run('lookup', 'cird:/missing', 'a'), 78).stderr)
    settings = ctl.Settings(table='192.0.2.0/24 ok\nbanana no\n')
    done = exits(ctl.run('lookup', 'cidr:%s/table' % settings.folder, '192.0.2.1'), 0)
    match('table:2: warning: ', done.stderr)
    equal(done.stdout, 'ok\n')


@case('test --json has every field, always')
def json_fields():
    settings = ctl.Settings(SITE)
    for line in ('', '--rcpt x@far.example', '-', '--local -'):
        found, _ = settings.test(line, MESSAGE)
        equal(list(found), FIELDS, 'fields of "%s"' % line)
    found, _ = settings.test('')
    equal(found, {
        'file': None, 'verdict': 'accept', 'stage': 'rcpt', 'check': None, 'reply': None,
        'recipients': [{'rcpt': 'user@example.org', 'verdict': 'accept', 'check': None,
                        'reply': None}],
        'score': 0, 'required': 5, 'rules': [], 'charsets': [], 'scripts': {},
        'autoreply': {'is_autoreply': False, 'to_bounce_sender': False, 'quotes_original': False,
                      'evidence': []},
        'dnsbl': {'score': 0, 'hits': []}, 'headers': [], 'permit': None}, 'object')


PERMITS = [  # settings, what is asked, the restriction that is named
    ('', '--client 127.0.0.1 --rcpt x@far.example', 'permit_mynetworks'),
    ('', '--client 127.0.0.1', 'permit_mynetworks'),
    ('', '--auth bob --tls TLSv1.3 --rcpt x@far.example', 'permit_sasl_authenticated'),
    ('', '', None),
    ('', '--rcpt x@far.example', None),
    ('', '--client 127.0.0.1 --rcpt x@far.example -', 'permit_mynetworks'),
    ('relay_restrictions = permit_auth_destination reject\n', '', 'permit_auth_destination'),
    ('client_restrictions = check_client_access inline:{203.0.113.1=OK}\n', '',
     'check_client_access'),
    ('client_restrictions = check_client_access inline:{203.0.113.1=permit_auth_destination}\n',
     '', 'permit_auth_destination'),
    ('client_restrictions = permit\n', '--client 127.0.0.1 --rcpt x@far.example',
     'permit_mynetworks'),
    ('client_restrictions = permit\ndelay_checks = no\n', '', 'permit'),
    ('client_restrictions = warn_if_reject reject\n', '', None),
    ('recipient_restrictions = check_recipient_access inline:{a@example.org=REJECT, '
     'b@example.org=OK}\n', '--rcpt a@example.org --rcpt b@example.org', 'check_recipient_access'),
    ('recipient_restrictions = check_recipient_access inline:{a@example.org=OK}, reject\n',
     '--rcpt b@example.org', None),
    ('message_restrictions = check_from_access inline:{far.example=OK}\n', '-',
     'check_from_access'),
]


@case('test names the restriction that let the client past')
def permits():
    for more, line, expected in PERMITS:
        settings = ctl.Settings(SITE + more)
        found, _ = settings.test(line, MESSAGE)
        equal(found['permit'], expected, 'permit of "%s" with "%s"' % (line, more.strip()))
        shown = re.search(r'(?m)^  permit +(\w+): [a-z, ]+$',
                          settings.run('test', *line.split(), data=MESSAGE).stdout)
        equal(shown and shown[1], expected, 'the text of "%s" with "%s"' % (line, more.strip()))
    text = settings.run('test', '--client', '127.0.0.1', '-', data=MESSAGE).stdout
    match('(?m)^  permit +permit_mynetworks: sender, relay, recipient\n +check_from_access: message$',
          text)


@case('options may stand anywhere; --rcpt adds, of others the last counts')
def option_order():
    settings = ctl.Settings(SITE)
    first = settings.run('test', '--json', '--client', '192.0.2.9', '--from', '', '--rcpt',
                         'a@example.org', '-', data=MESSAGE)
    second = settings.run('test', '-', '--rcpt=a@example.org', '--from=', '--client=192.0.2.9',
                          '--json', data=MESSAGE)
    equal(exits(first, 0).stdout, exits(second, 0).stdout)
    found, _ = settings.test('--rcpt a@example.org --rcpt b@far.example --rcpt c@example.org')
    equal([r['rcpt'] for r in found['recipients']],
          ['a@example.org', 'b@far.example', 'c@example.org'])
    found, _ = settings.test('--client 127.0.0.1 --client 192.0.2.9 --rcpt b@far.example')
    equal(found['verdict'], 'reject', 'the last client')
    found, _ = settings.test('--client 192.0.2.9 --client 127.0.0.1 --rcpt b@far.example')
    equal(found['verdict'], 'accept', 'the last client')


@case('test of many files says how far it is, on a terminal that shows nothing else')
def progress():
    settings = ctl.Settings(SITE)
    files = [place.write('%s/message%d' % (settings.folder, number), MESSAGE)
             for number in range(3)]
    for output, wanted in ((subprocess.DEVNULL, True), (None, False)):
        ours, theirs = pty.openpty()
        done = subprocess.run([gatepost.CONTROL, '-c', settings.file, 'test', *files],
                              stdin=subprocess.DEVNULL, stdout=output or theirs, stderr=theirs)
        os.close(theirs)
        shown = os.read(ours, 65536).decode()
        os.close(ours)
        equal(done.returncode, 0, 'exit')
        equal('\r0 of 3' in shown, wanted, 'progress in %r' % shown)


@case('test of many files reads the settings once, and costs little for each')
def many_files():
    settings = ctl.Settings(SITE)
    files = [place.write('%s/message%d' % (settings.folder, number), MESSAGE)
             for number in range(500)]

    def takes(names):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([gatepost.CONTROL, '-c', settings.file, 'test', *names],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        equal(done.returncode, 0, 'exit')
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    alone = sum(takes([file]) for file in files[:10]) / 10
    ratio = takes(files) / len(files) / alone
    true(ratio < 0.2, 'a message of many takes %.3f of one alone' % ratio)


@case('of several recipients the first one refused decides')
def several_recipients():
    settings = ctl.Settings(SITE + 'recipient_restrictions = check_recipient_access '
                            'inline:{{no@example.org=DEFER later}}\n')
    found, code = settings.test('--rcpt a@example.org --rcpt no@example.org --rcpt x@far.example -',
                                MESSAGE)
    equal((found['verdict'], found['stage'], found['check'], code),
          ('tempfail', 'rcpt', 'check_recipient_access', 1))
    equal([(r['verdict'], r['check']) for r in found['recipients']],
          [('accept', None), ('tempfail', 'check_recipient_access'),
           ('reject', 'reject_unauth_destination')])
    equal(found['recipients'][2]['reply'],
          '550 5.7.1 <x@far.example>: Relaying denied; authenticate first')


@case('what refuses the message refuses all recipients that were left')
def message_refused():
    settings = ctl.Settings(SITE + 'message_restrictions = reject\n')
    found, _ = settings.test('--rcpt a@example.org --rcpt b@example.org -', MESSAGE)
    equal([(r['verdict'], r['check']) for r in found['recipients']], [('reject', 'reject')] * 2)
    equal(found['stage'], 'message')
    found, _ = settings.test('--rcpt x@far.example --rcpt b@example.org -', MESSAGE)
    equal([r['check'] for r in found['recipients']], ['reject_unauth_destination', 'reject'])
    equal((found['stage'], found['check']), ('rcpt', 'reject_unauth_destination'))


@case('headers that would be added are shown, once each')
def headers():
    settings = ctl.Settings(SITE + 'client_restrictions = check_client_access '
                            'static:{PREPEND X-Seen: yes}\n')
    found, _ = settings.test('--rcpt a@example.org --rcpt b@example.org -', MESSAGE)
    equal(found['headers'], ['X-Seen: yes'])
    found, _ = settings.test('--rcpt x@far.example -', MESSAGE)
    equal(found['headers'], [])
    monitor = ctl.Settings(SITE + 'mode = monitor\nclient_restrictions = check_client_access '
                           'static:{PREPEND X-Seen: yes}\n')
    found, _ = monitor.test('-', MESSAGE)
    equal(found['headers'], [])


@case('several files: an object a line, in their order')
def files():
    settings = ctl.Settings(SITE + 'sender_restrictions = check_sender_access '
                            'inline:{bad@far.example=REJECT}\n',
                            one='From: good@far.example\n\nx\n', two='From: bad@far.example\n\nx\n')
    one, two = settings.folder + '/one', settings.folder + '/two'
    done = exits(settings.run('test', '--json', one, two, one), 1)
    equal([(o['file'], o['verdict']) for o in objects(done)],
          [(one, 'accept'), (two, 'reject'), (one, 'accept')])
    exits(settings.run('test', '--json', one, one), 0)
    done = exits(settings.run('test', '--json', '/nonexistent', two), 64)
    equal([o['file'] for o in objects(done)], [two])
    match('/nonexistent: No such file', done.stderr)
    exits(settings.run('test', '--json', settings.folder), 64)


SENDERS = [
    ('Return-Path: <a@one.example>\nFrom: b@two.example\n\n', 'a@one.example'),
    ('From: b@two.example\nReturn-Path: <a@one.example>\n\n', 'a@one.example'),
    ('Return-Path: <>\nFrom: b@two.example\n\n', ''),
    ('From: "B, <x>" <b@two.example>, c@three.example\n\n', 'b@two.example'),
    ('From: b@two.example (Bob)\r\n\r\n', 'b@two.example'),
    ('From:\n Bob\n <b@two.example>\n\n', 'b@two.example'),
    ('From x@four.example Thu Jan  1 00:00:00 1970\nFrom: b@two.example\n\n', 'b@two.example'),
    ('Subject: none\n\n', 'sender@outside.example'),
    ('', 'sender@outside.example'),
]


@case('the sender is the message\'s when nobody says')
def senders():
    settings = ctl.Settings(SITE + 'sender_restrictions = reject_non_fqdn_sender '
                            'check_sender_access pcre:all\n', all='/^(.*)$/ REJECT [$1]\n')
    for text, sender in SENDERS:
        found, _ = settings.test('-', text)
        match(r'^554 5\.7\.1 <%s>: Sender address rejected: \[%s\]$'
              % (sender, sender or '<>'), found['reply'], repr(text))


ODD = [
    (b'', 0), (b'\n', 0), (b'\n\nbody', 0), (b'no header at all', 0), (b'Subject: cut', 1),
    (b'A: 1\r\nB: 2\r\n\r\nC: 3\r\n', 2), (b'A: 1\n two\n\tthree\n\nB: 2', 1),
    (b'From x\nA: 1\n\n', 2), (b'A: \x00\xff\x1b[31m\n\n', 1), (b'A : 1\nB\t: 2\n\n', 2),
]


@case('odd messages are read as an MTA reads them')
def odd_messages():
    for text, lines in ODD:
        for limit, verdict in ((10000, 'accept'), (1, 'reject' if lines else 'accept')):
            settings = ctl.Settings(SITE + 'header_limit = %d\n' % limit)
            done = settings.run('test', '--json', '-', data=text)
            equal(json.loads(done.stdout)['verdict'], verdict, '%r, limit %d' % (text, limit))


@case('a header of any size is counted whole')
def large_header():
    for text in (b'X: ' + b'a' * 80_000_000, b'X: ' + b'a\n ' * 700_000, (b'X: a\n') * 300_000):
        settings = ctl.Settings(SITE)
        done = settings.run('test', '--json', '-', data=text + b'\n\nbody\n')
        equal(json.loads(done.stdout)['reply'], '552 5.3.4 Message header too large')
    text = b'X: ' + b'a' * 80_000_000 + b'\nSubject: x\n\nbody\n'
    settings = ctl.Settings(SITE + 'header_limit = 256m\nmessage_restrictions = '
                            'check_header_access X pcre:x\n', x='/^aaa/ REJECT\n')
    equal(json.loads(settings.run('test', '--json', '-', data=text).stdout)['verdict'], 'reject')


@case('white space of any length in From costs what it is long, not the square')
def long_space():
    settings = ctl.Settings(SITE + 'header_limit = 8m\nmessage_restrictions = '
                            'check_from_access inline:{c@d.example=REJECT}\n')
    text = b'From: a@b.example' + b' ' * 4_000_000 + b', c@d.example\n\nbody\n'
    equal(json.loads(settings.run('test', '--json', '-', data=text).stdout)['verdict'], 'reject')


@case('arguments of any bytes do no harm')
def odd_arguments():
    settings = ctl.Settings(SITE)
    for odd in (b'\xff\xfe@example.org', b'a\x1b[31mb@far.example', b'"\\', b'<', b'>', b'<>',
                b'a@' + b'b' * 5000, b'@' * 300, b'%' * 300, b'"' * 299, b'\n', b'a\r\nb@c'):
        for option in (b'--from', b'--rcpt', b'--helo', b'--name', b'--auth', b'--ccert-subject',
                       b'--listener'):
            done = settings.run('test', '--json', option, odd)
            if done.returncode not in (0, 1):
                raise Failure('exit %d for %r %r: %s' % (done.returncode, option, odd, done.stderr))
            json.loads(done.stdout)
            done = settings.run('test', option, odd)
            absent('[\x00-\x09\x0b-\x1f\x7f]', done.stdout, '%r %r' % (option, odd))


@case('mistakes in odd arguments are told without their control characters')
def odd_mistakes():
    settings = ctl.Settings(SITE)
    odd = 'x\x1b[31m\n\x7f'
    for line in ([odd], ['config', odd], ['rules', odd], ['dnsbl', odd], ['test', '--' + odd],
                 ['test', odd], ['lookup', odd, 'a'], ['lookup', odd + ':x', 'a'],
                 ['setup', odd], ['status', odd]):
        done = settings.run(*line)
        true(done.returncode in (1, 64, 78), 'exit of %r' % line)
        absent('[\x00-\x09\x0b-\x1f\x7f]', done.stdout + done.stderr, repr(line))


@case('what a table prepends stays one line, whatever it quotes')
def prepended():
    settings = ctl.Settings(SITE + 'message_restrictions = check_header_access Subject pcre:all\n',
                            all='/(.*)/ PREPEND X-Subject: $1\n')
    for subject, header in (
            ('=?utf-8?q?a=0d=0aEvil:_yes?=', 'X-Subject: a??Evil: yes'),
            ('=?utf-8?q?a=0a=0abody?=', 'X-Subject: a??body'), ('a\n\tb', 'X-Subject: a b'),
            ('a\x1b[31m\x01\x7f', 'X-Subject: a?[31m??'),
            ('\u00e4' * 2000, 'X-Subject: ' + '\u00e4' * 493)):
        found, _ = settings.test('-', 'Subject: %s\n\nbody\n' % subject)
        equal(found['headers'], [header], ascii(subject)[:60])


# What decided, and the entry of which table ('@': the folder of the settings).
ENTRIES = [
    ('--client 203.0.113.9', 'check_client_access', 'texthash:@/clients:2'),
    ('--client 203.0.113.10', None, 'texthash:@/clients:4'),
    ('--client 198.51.100.3 --rcpt x@far.example', None, 'cidr:@/networks:3'),
    ('--from x@bad.example', 'check_sender_access', 'inline:bad.example'),
    ('--from x@class.example', 'reject', 'inline:class.example'),
    ('--from x@hold.example', 'check_sender_access', 'inline:hold.example'),
    ('--rcpt x@far.example', 'reject_unauth_destination', None),
    ('', None, None),
]


@case('the entry that decided is told, for and against')
def entries():
    settings = ctl.Settings(SITE + """
restriction_classes = closed
closed = reject
client_restrictions = check_client_access clients
sender_restrictions = check_sender_access inline:{bad.example=REJECT, class.example=closed, hold.example=HOLD}
mynetworks = 127.0.0.0/8 !203.0.113.9 cidr:networks
""", clients='# who\n203.0.113.9 REJECT\n\n203.0.113.10 OK\n',
                            networks='# ours\n\n198.51.100.0/24 ok\n')
    folder = os.path.dirname(settings.file)
    for options, check, entry in ENTRIES:
        found, _ = settings.test(options + ' -', MESSAGE)
        equal((found['check'], found.get('entry', 'none')),
              (check, entry.replace('@', folder) if entry else 'none'), options)
    done = settings.run('test', '--client', '203.0.113.9', '-', data=MESSAGE)
    match('(?m)^  entry +texthash:%s/clients:2$' % re.escape(folder), done.stdout)
    done = settings.run('test', '--client', '203.0.113.10', '-', data=MESSAGE)
    match(r'(?m)^  permit +check_client_access: client$\n  entry +texthash:.*/clients:4$', done.stdout)


@case('without --json a person is told the same')
def human():
    settings = ctl.Settings(SITE + 'client_restrictions = warn_if_reject reject\n')
    done = exits(settings.run('test', '--rcpt', 'x@far.example', '--rcpt', 'a@example.org'), 1)
    for text in ('^envelope: reject at rcpt$', 'reply +550 5.7.1 <x@far.example>: Relaying denied',
                 'decided by +reject_unauth_destination', r'client +unknown\[203.0.113.1\]',
                 'from +<sender@outside.example>', '<a@example.org> accept', 'would refuse'):
        match('(?m)' + text, done.stdout)
    done = exits(settings.run('test', '--client', '127.0.0.1', '-', data=MESSAGE), 0)
    match('^-: accept at message', done.stdout)
    monitor = ctl.Settings(SITE + 'mode = monitor\n')
    done = exits(monitor.run('test', '--rcpt', 'x@far.example'), 0)
    match('accept at rcpt .*monitor(.|\n)*would say +550 5.7.1', done.stdout)


@case('mistakes in the settings are told, and nothing is judged')
def test_errors():
    settings = ctl.Settings('mode = banana\n')
    done = exits(settings.run('test', '--json'), 78)
    match('gatepost.conf:6: error: ', done.stderr)
    equal(done.stdout, '', 'stdout')


@case('a table that changed is read anew')
def table_changes():
    settings = ctl.Settings(SITE + 'client_restrictions = check_client_access cidr:clients\n',
                            clients='203.0.113.0/24 OK\n')
    equal(settings.test('')[0]['verdict'], 'accept')
    place.write(settings.folder + '/clients', '203.0.113.0/24 REJECT\n')
    equal(settings.test('')[0]['verdict'], 'reject')


@case('output that cannot be written is not taken for success')
def full_disk():
    if not os.path.exists('/dev/full'):
        return
    settings = ctl.Settings(SITE)
    code = os.system('%s -c %s config >/dev/full 2>/dev/null' % (ctl.gatepost.CONTROL,
                                                                settings.file))
    true(os.waitstatus_to_exitcode(code) != 0, 'a full disk goes unnoticed')


@case('closed input and output are an error, not somebody else\'s file')
def closed():
    settings = ctl.Settings(SITE)
    for line, code, text in (('config >&-', 69, 'cannot write'),
                             ('test - <&-', 64, '-: Bad file descriptor'),
                             ('dnsbl - <&-', 64, '-: Bad file'),
                             ('lookup static:x - <&-', 64, '-: Bad file'),
                             ('config mode 2>&-', 0, '')):
        done = subprocess.run(['sh', '-c', 'exec "$0" -c "$1" ' + line, ctl.gatepost.CONTROL,
                               settings.file], capture_output=True, text=True, timeout=60,
                              env=ctl.gatepost.environment())
        equal(done.returncode, code, line)
        match(text, done.stderr, line)


@case('setup knows what it does not know')
def setup_mistakes():
    exits(ctl.run('setup'), 64)
    exits(ctl.run('setup', 'exim'), 64)
    exits(ctl.run('setup', 'postfix', 'twice'), 64)
    exits(ctl.Settings().run('setup', 'postfix', '--mta-config', '/nonexistent'), 78)
    exits(ctl.Settings('mode = banana\n').run('setup', 'postfix'), 78)


@case('without a daemon, reload and status say that nobody is there')
def nobody_there():
    settings = ctl.Settings('control_socket = /nonexistent/control.sock\n')
    for command in (['reload'], ['status'], ['status', '--json']):
        done = exits(settings.run(*command), 69)
        match('^gatepostctl: .*/nonexistent/control.sock', done.stderr)
        equal(done.stdout, '', 'stdout')
    exits(settings.run('reload', 'now'), 64)
    exits(settings.run('status', '--xml'), 64)


if __name__ == '__main__':
    run()
