#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What gatepostctl setup prints, given to an MTA that knew nothing of gatepost: mail flows, and is
filtered."""
import re
import subprocess
import sys
sys.path.insert(0, sys.path[0] + '/../lib')
import gatepost
import scene as scenes
from smtp import message, token
from tap import absent, case, equal, match, run, skip_all, true, until

OK = '^250'
DENIED = r'^550 5\.7\.1 <x@remote\.example>: Relaying denied'
# Lists that an administrator may have cut; gatepost asks for what it needs.
STAGES = ('connect', 'helo', 'mail', 'rcpt', 'end_of_data')
CUT = ''.join("define(`confMILTER_MACROS_%s', `i')\n" % stage
              for stage in ('CONNECT', 'HELO', 'ENVFROM', 'ENVRCPT', 'EOM'))

# The file that has it is in Sendmail's root folder, which gatepost does not see.
LOCAL = "LOCAL_DOMAIN(`lab.test')dnl\n"


def ask(scene, *options):
    """gatepostctl setup for the MTA of the scene."""
    place = (['postfix', '--mta-config', scene.mta.folder + '/etc'] if scene.postfix
             else ['sendmail', '--cf', scene.mta.path('/etc/mail/sendmail.cf')])
    return scene.gatepost.control('setup', *place, *options)


def reload_postfix(scene):
    mark = scene.mta.log_mark()
    scene.mta.command('postfix', 'reload', check=False)
    until(lambda: 'reload -- version' in scene.mta.log_after(mark), 10, 'reload of Postfix')


def take_settings(scene, printed):
    """Takes the lines for gatepost.conf over."""
    names = ('local_domains login_domains mynetworks origin recipient_delimiter sasl_local_realms '
             'sender_login_maps delay_checks')
    lines = dict(re.findall(r'(?m)^(?:dnl )?(%s) = (.*)$' % names.replace(' ', '|'), printed))
    equal(sorted(lines)[:4], ['local_domains', 'login_domains', 'mynetworks', 'origin'],
          'lines for gatepost.conf')
    scene.gatepost.reload(lines)


def set_up_postfix(scene, printed):
    """Runs the commands, and takes the lines for gatepost.conf over."""
    shell = '\n'.join(line for line in printed.splitlines() if line.startswith('postconf '))
    done = subprocess.run(['sh', '-e', '-c', shell], env=scene.mta.environment(),
                          capture_output=True, text=True)
    equal((done.returncode, done.stderr), (0, ''), 'the commands')
    take_settings(scene, printed)
    reload_postfix(scene)


def set_up_sendmail(scene, printed):
    take_settings(scene, printed)
    scene.mta.configure(LOCAL + CUT + printed)
    scene.mta.restart()


@case('before, nothing is filtered')
def before(scene):
    with scene.outsider() as dialog:
        match(OK, dialog.mail('a@example.com'))
        match(OK, dialog.rcpt('x@remote.example'), 'RCPT')
    done = ask(scene, '--check')
    equal(done.returncode, 1, 'exit of --check')
    match('mail passes unseen', done.stderr)


@case('the MTA takes what is printed')
def taken(scene):
    done = ask(scene)
    equal(done.returncode, 0, 'exit (%s)' % done.stderr)
    (set_up_postfix if scene.postfix else set_up_sendmail)(scene, done.stdout)


@case('--check is content then')
def content(scene):
    done = ask(scene, '--check')
    equal((done.returncode, done.stdout, done.stderr), (0, '', ''), '--check')
    if scene.postfix:
        again = ask(scene).stdout
        absent('milter_macro_daemon_name=', '\n'.join(
            line for line in again.splitlines() if line.startswith('postconf')))


@case('a daemon that does not run is named')
def stopped(scene):
    scene.gatepost.stop()
    done = ask(scene, '--check')
    equal(done.returncode, 1, 'exit')
    match('warning: .*no daemon answers there', done.stderr)
    scene.gatepost.start()
    equal(ask(scene, '--check').returncode, 0, 'exit with the daemon')


@case('an outsider may write to a local recipient, and not relay')
def outsider(scene):
    word = token()
    with scene.outsider() as dialog:
        match(OK, dialog.mail('a@example.com'))
        match(DENIED, dialog.rcpt('x@remote.example'), 'RCPT')
    with scene.outsider() as dialog:
        match(OK, dialog.deliver('a@example.com', ['bob@lab.test'], message(word))[-1])
    equal(scene.sink.wait(word).recipients, ['bob@lab.test'], 'recipients')


@case('an address literal of this machine is local', mta='postfix')
def literal(scene):
    with scene.outsider() as dialog:
        match(OK, dialog.mail('a@example.com'))
        match(OK, dialog.rcpt('postmaster@[127.0.0.1]'), 'RCPT')
        match('^550 5.7.1 .*Relaying denied', dialog.rcpt('postmaster@[198.51.100.1]'), 'RCPT')


@case('what programs submit is shown to gatepost')
def programs(scene):
    word, mark = token(), scene.gatepost.mark()
    done = scene.mta.sendmail(b'To: x@remote.example\nSubject: %s\n\nx\n' % word.encode(), '-t',
                              '-i', '-f', 'bob@lab.test')
    equal(done.returncode, 0, done.stderr)
    scene.sink.wait(word)
    scene.gatepost.wait_log(mark, 'to=x@remote.example', 'action=accept')


@case('services have names')
def names(scene):
    mark = scene.gatepost.mark()
    with scene.dialog() as dialog:
        match(OK, dialog.deliver('a@lab.test', ['bob@lab.test'], message(token()))[-1])
    port = scene.mta.ports['mx']
    scene.gatepost.wait_log(mark, 'listener=%s' % ('smtp-%d' % port if scene.postfix else 'MTA'))


@case('gatepost is told of logins and TLS, whatever lists of macros the MTA has')
def macros(scene):
    if scene.postfix:
        scene.mta.set(**{'milter_%s_macros' % stage: 'i' for stage in STAGES})
    word = token()
    with scene.logged_in() as dialog:
        match(OK, dialog.deliver('bob@lab.test', ['x@remote.example'], message(word))[-1])
    scene.sink.wait(word)
    with scene.outsider() as dialog:
        match(OK, dialog.mail('a@example.com'))
        match(DENIED, dialog.rcpt('x@remote.example'), 'RCPT')


@case('without gatepost nothing passes unseen')
def down(scene):
    scene.gatepost.stop()
    with scene.outsider() as dialog:
        replies = [dialog.mail('a@example.com'), dialog.rcpt('bob@lab.test')]
    true(any(reply.startswith('451') for reply in replies), replies)
    scene.gatepost.start()
    equal(scene.gatepost.sanitizer_report(), '', 'sanitizer report')


def setup():
    scene = scenes.Scene(unix=scenes.MTA == 'postfix')
    if scene.postfix:
        scene.mta.configure('', {})
    else:
        scene.mta.configure(LOCAL)
    return scene.start()


if scenes.MISSING or gatepost.missing():
    skip_all(scenes.MISSING or gatepost.missing())
run(setup, teardown=lambda scene: scene and scene.stop(), on_failure=lambda scene: scene.show())
