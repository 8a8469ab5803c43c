#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""README's way for Sendmail, from its first block to the last: a Sendmail that has logins, an access
table, virtual users and a DKIM signer, and knows nothing of gatepost. Mistakes on the way are named."""
import os
import re
import subprocess
import sys
sys.path.insert(0, sys.path[0] + '/../lib')
import gatepost
import place
import scene as scenes
import sendmail
from smtp import message, token
from tap import Failure, case, equal, match, run, skip_all, true

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CONF = '/etc/gatepost.conf'  # inside the root folder
OURS = '''user = nobody
milter_socket = %s
control_socket = /run/control.sock
pid_file =
history =
state = memory:
'''
CF = '''undefine(`_PROMISCUOUS_RELAY_')dnl
FEATURE(`access_db', `hash -T<TMPF> -o /etc/mail/access.db')dnl
FEATURE(`virtusertable', `hash -o /etc/mail/virtusertable.db')dnl
VIRTUSER_DOMAIN_FILE(`/etc/mail/virtual')dnl
INPUT_MAIL_FILTER(`opendkim', `S=inet:%d@127.0.0.1, F=')dnl
'''
FILES = {'access': 'To:table.test RELAY\nConnect:192.0.2 RELAY\n', 'virtual': 'virtual.test\n',
         'virtusertable': 'info@virtual.test bob@lab.test\n'}
OK = '^250'
GATEPOST_DENIED = '^550 5.7.1 <x@remote.example>: Relaying denied; authenticate first'


def section():
    """README's part for Sendmail."""
    with open(TOP + '/README.md', encoding='utf-8') as handle:
        return re.search(r'(?ms)^## Before your own Sendmail.*?(?=^## )', handle.read())[0]


def command(begin):
    """The command of README that begins so, in a block or in a line, as words."""
    found = re.search(r'(?m)(?:^ {7}|`)(%s[^`\n]*)' % re.escape(begin), section())
    if not found:
        raise Failure('README has no command that begins with %r' % begin)
    return found[1].split()


def ask(scene, words):
    """A command of README inside Sendmail's root folder, as root."""
    done = scene.mta.run('/usr/sbin/gatepostctl', '-c', CONF, *words[1:], check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def take(scene, lines, more=''):
    """gatepost.conf, as Sendmail's root folder and as the daemon, which is outside, has it."""
    scene.mta.write(CONF, OURS % scene.gatepost.settings['milter_socket'] + lines + more)
    outside = dict(re.findall(r'(?m)^(\w+) = (.*)$', lines))
    scene.gatepost.reload({key: re.sub(r'(?<!\S)/', scene.mta.root + '/', value)
                           for key, value in outside.items()}, more)


@case('2, 3: what setup prints for gatepost.conf, without the dnl; check is content')
def begun(scene):
    code, printed, doubts = ask(scene, command('gatepostctl setup sendmail'))
    equal(code, 0, doubts)
    scene.lines = ''.join(line + '\n' for line in re.findall(r'(?m)^dnl (\w+ = .*)$', printed))
    scene.mc = printed
    match(r'(?m)^local_domains = .*table\.test', scene.lines)
    match(r'(?m)^mynetworks = .*192\.0\.2\.0/24', scene.lines)
    match(r'(?m)^sasl_local_realms = lab\.test$', scene.lines)
    match(r'define\(`confINPUT_MAIL_FILTERS\', `gatepost, opendkim\'\)', printed)
    take(scene, scene.lines, 'mode = monitor\n')
    equal(ask(scene, ['gatepostctl', 'check']), (0, '', ''), 'check')


@case('4: the other lines in sendmail.mc; --check is content, mail flows and nothing is refused')
def asked(scene):
    scene.mta.configure(scene.cf + scene.mc)
    scene.mta.restart()
    equal(ask(scene, command('gatepostctl setup sendmail --check')), (0, '', ''), '--check')
    mark = scene.gatepost.mark()
    with scene.outsider() as dialog:
        word = token()
        match(OK, dialog.deliver('a@far.example', ['info@virtual.test'], message(word))[-1])
    scene.sink.wait(word)
    scene.gatepost.wait_log(mark, 'mode=monitor', 'action=accept', 'to=info@virtual.test')


@case('5: enforced; who may and who may not')
def enforced(scene):
    take(scene, scene.lines, 'mode = enforce\n')
    for what, reply in (('x@remote.example', r'^550 5\.7\.1 .*Relaying denied'), ('x@table.test', OK),
                        ('info@virtual.test', OK), ('x@lab.test', OK)):
        with scene.outsider() as dialog:
            match(OK, dialog.mail('a@far.example'))
            match(reply, dialog.rcpt(what), what)
    with scene.outsider('192.0.2.7', 'unknown') as dialog:
        match(OK, dialog.mail('a@far.example'))
        match(OK, dialog.rcpt('x@remote.example'), 'a network of the access table')
    with scene.logged_in() as dialog:
        word = token()
        match(OK, dialog.deliver('bob@lab.test', ['x@remote.example'], message(word))[-1], 'a login')
    scene.sink.wait(word)
    # Both say no: what Sendmail would let pass by mistake, gatepost refuses.
    scene.mta.configure(scene.cf + "define(`_PROMISCUOUS_RELAY_', `1')dnl\n" + scene.mc)
    scene.mta.restart()
    with scene.outsider() as dialog:
        match(OK, dialog.mail('a@far.example'))
        match(GATEPOST_DENIED, dialog.rcpt('x@remote.example'), 'an open Sendmail')


# What is wrong in which file (mc: what is printed for sendmail.mc), and how it is named.
MISTAKES = [
    ('a domain of Sendmail alone', 'mc', lambda text: text + "LOCAL_DOMAIN(`new.test')dnl\n",
     'local_domains lacks new.test'),
    ('another virtual domain, by name', 'mc', lambda text: text + "VIRTUSER_DOMAIN(`v.test')dnl\n",
     'local_domains lacks v.test'),
    ('a domain in the access table', 'access', lambda text: text + 'To:other.test RELAY\n',
     'local_domains lacks other.test'),
    ('a network in the access table', 'access', lambda text: text + 'Connect:198.51.100 RELAY\n',
     'mynetworks lacks 198.51.100.0/24'),
    ('a client by name', 'access', lambda text: text + 'Connect:friend.test RELAY\n',
     'clients relay by name .friend.test'),
    ('senders that relay', 'mc', lambda text: text + "FEATURE(`relay_local_from')dnl\n", 'relay_local_from'),
    ('mail passes while gatepost is down', 'mc', lambda text: text.replace(', F=T', ', F='),
     'without F=T .*passes unseen'),
    ('mail is lost while gatepost is down', 'mc', lambda text: text.replace(', F=T', ', F=R'), 'F=R .*refuses mail'),
    ('the signer first', 'mc', lambda text: text.replace('`gatepost, opendkim', '`opendkim, gatepost'),
     'gatepost must stand before a DKIM signer'),
    ('the signer alone', 'mc', lambda text: text.replace('`gatepost, opendkim', '`opendkim'),
     'InputMailFilters leaves gatepost out'),
    ('another socket', 'mc', lambda text: re.sub(r'S=inet:\d+@', 'S=inet:9@', text), 'is asked at .*gatepost listens'),
    ('Sendmail gives up too early', 'mc', lambda text: re.sub(r'R:\d+s', 'R:3s', text), 'time-out R:3s'),
    ('a listener with the signer alone', 'mc', lambda text: text +
     "DAEMON_OPTIONS(`Name=X, Port=2525, InputMailFilters=opendkim')dnl\n", 'listener X leaves gatepost out'),
    ('passwords in clear text', 'mc', lambda text: text + "define(`confAUTH_OPTIONS', `A')dnl\n",
     'AuthOptions=A lacks p'),
    ('local_domains was left out', 'conf', lambda text: re.sub('(?m)^local_domains.*\n', '', text),
     'does not set local_domains'),
    ('the realm was left out', 'conf', lambda text: re.sub('(?m)^sasl_local_realms.*\n', '', text),
     'sasl_local_realms.* lacks lab.test'),
    ('a listener that is not', 'conf', lambda text: text + '[listener submision]\nmode = monitor\n',
     r'\[listener submision\]: no listener has Name=submision'),
    ('the dnl was left in', 'conf', lambda text: text.replace('mynetworks', 'dnl mynetworks'),
     'unknown parameter "dnl mynetworks"|no "=" in'),
]


@case('mistakes are named, each, and nothing is said without one')
def mistaken(scene):
    scene.mta.configure(scene.cf + scene.mc)
    check = command('gatepostctl setup sendmail --check')
    for what, file, change, named in MISTAKES + [('none', 'conf', lambda text: text, None)]:
        texts = {'mc': scene.mc, 'access': FILES['access'], 'conf': scene.lines}
        changed = change(texts[file])
        true(changed != texts[file] or not named, what + ': nothing was changed')
        texts[file] = changed
        scene.mta.write(CONF, OURS % scene.gatepost.settings['milter_socket'] + texts['conf'])
        scene.mta.write('/etc/mail/access', texts['access'])
        if file == 'mc' or not named:
            scene.mta.configure(scene.cf + texts['mc'])
        code, printed, said = ask(scene, check)
        equal((code == 0, printed), (not named, ''), '%s: %s' % (what, said))
        if not re.search(named or '^$', said):
            raise Failure('%s: %r is not named: %s' % (what, named, said))


@case('rid of it: its line is taken out; Sendmail serves alone')
def rid(scene):
    match('take the `INPUT_MAIL_FILTER` line out again', section())
    code, printed, _ = ask(scene, ['gatepostctl', 'setup', 'sendmail', '--remove'])
    equal(code, 0)
    match('gatepost', printed, 'setup --remove')
    scene.gatepost.stop()
    scene.mta.configure(scene.cf)
    scene.mta.restart()
    with scene.outsider() as dialog:
        word = token()
        match(OK, dialog.deliver('a@far.example', ['info@virtual.test'], message(word))[-1])
    scene.sink.wait(word)
    equal(ask(scene, ['gatepostctl', 'setup', 'sendmail', '--remove'])[:2], (0, ''), 'nothing is left to remove')


def make_map(mta, name):
    with open(mta.path('/etc/mail/' + name), 'rb') as source:
        subprocess.run([sendmail.TREE + '/usr/libexec/sendmail/makemap', '-C', mta.path('/etc/mail/sendmail.cf'),
                        'hash', mta.path('/etc/mail/%s.db' % name)], stdin=source, check=True, capture_output=True)


def setup():
    if gatepost.sanitized():
        skip_all('a sanitizer needs /proc, which the root folder lacks')
    scene = scenes.Scene()
    scene.cf = CF % place.port()
    for name, text in FILES.items():
        scene.mta.write('/etc/mail/' + name, text.replace(' ', '\t'))
    scene.mta.write(CONF, OURS % scene.gatepost.settings['milter_socket'])
    scene.mta.copy(gatepost.CONTROL, '/usr/sbin/gatepostctl')
    scene.mta.configure(scene.cf)
    for name in ('access', 'virtusertable'):
        make_map(scene.mta, name)
    return scene.start()


if scenes.MISSING or gatepost.missing():
    skip_all(scenes.MISSING or gatepost.missing())
run(setup, teardown=lambda scene: scene and scene.stop(), on_failure=lambda scene: scene.show())
