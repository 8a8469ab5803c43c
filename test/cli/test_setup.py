#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""gatepostctl setup: the lines it prints, and what it warns of, over many configurations."""
import os
import re
import sys
sys.path.insert(0, sys.path[0])
import ctl
import place
from tap import Skip, absent, case, equal, match, run, true

FILTER = ('INPUT_MAIL_FILTER(`gatepost\', `S=inet:20025@[127.0.0.1], F=T, '
          'T=C:30s;S:30s;R:30s;E:300s\')dnl')
# What of a generated sendmail.cf is of interest.
CF = '''# comment
\tgoes on
V10/Berkeley
Cwlocalhost
Djmail.example.org
DZ8.17.1
O DaemonPortOptions=Name=MTA, Family=inet
O DaemonPortOptions=Port=587, Name=MSA, M=E
O DontProbeInterfaces=True
Mrelay,\t\tP=[IPC], F=mDFMuXa8, S=EnvFromSMTP/HdrFromSMTP,
\t\tT=DNS/RFC822/SMTP,
\t\tA=TCP $h
'''
READY = 'O InputMailFilters=gatepost\nXgatepost, S=inet:20025@127.0.0.1, F=T, T=C:30s;R:30s\n'


def exits(done, code):
    equal(done.returncode, code, 'exit (%s)' % (done.stdout + done.stderr).strip())
    return done


class Sendmail:
    """The configuration of a Sendmail that never runs."""

    def __init__(self, cf=CF, submit=CF, **files):
        self.folder = place.folder('gatepost-sendmail-')
        self.cf = self.folder + '/sendmail.cf'
        for name, text in dict(files, **{'sendmail.cf': cf, 'submit.cf': submit}).items():
            if text is not None:
                place.write(os.path.join(self.folder, name),
                            text.replace('FOLDER', self.folder))

    def setup(self, settings='', *options, code=0):
        done = ctl.Settings(settings).run('setup', 'sendmail', '--cf', self.cf, *options)
        return exits(done, code)


def all_dnl(text):
    """Every line is a line for m4, or a remark."""
    for line in text.splitlines():
        match(r"^dnl( |$)|^(INPUT_)?MAIL_FILTER\(`.*'\)dnl$|^define\(`.*'\)dnl$", line)


def site(done, name):
    """What is printed for gatepost.conf."""
    return re.search('(?m)^dnl %s = ?(.*)$' % name, done.stdout)[1].split()


@case('setup sendmail prints lines for sendmail.mc')
def sendmail_lines():
    done = Sendmail().setup()
    true(FILTER in done.stdout.splitlines(), done.stdout)
    all_dnl(done.stdout)
    match('dnl   MTA :25\ndnl   MSA :587\n', done.stdout)
    done = Sendmail().setup('milter_socket = unix:/run/gatepost/milter.sock\n')
    match(r'S=local:/run/gatepost/milter.sock, F=T', done.stdout)
    done = Sendmail().setup('milter_socket = inet6:20025@::1\n')
    match(r'S=inet6:20025@\[::1\], F=T', done.stdout)


@case('setup sendmail needs no Sendmail')
def sendmail_absent():
    if os.path.exists('/etc/mail/sendmail.cf'):
        raise Skip('there is a Sendmail here')
    done = exits(ctl.Settings().run('setup', 'sendmail'), 0)
    true(FILTER in done.stdout.splitlines(), done.stdout)
    all_dnl(done.stdout)
    match('note: /etc/mail/sendmail.cf: .*nothing could be looked at', done.stderr)
    match('/etc/mail/local-host-names', done.stdout)
    exits(ctl.Settings().run('setup', 'sendmail', '--check'), 69)


@case('setup sendmail keeps the filters that are there, behind gatepost')
def sendmail_filters():
    there = ('O InputMailFilters=opendkim, clamav\n'
             'Xopendkim, S=inet:8891@localhost, F=T\nXclamav, S=local:/run/clamav.sock, F=T\n')
    done = Sendmail(CF + there).setup()
    match(r'(?m)^MAIL_FILTER\(`gatepost\', `S=', done.stdout)
    match(r"(?m)^define\(`confINPUT_MAIL_FILTERS', `gatepost, opendkim, clamav'\)dnl$",
          done.stdout)
    all_dnl(done.stdout)


@case('setup sendmail gives time-outs that fit the time for DNS')
def sendmail_timeouts():
    done = Sendmail().setup('dnsbl_timeout = 20s\n[listener MSA]\ndnsbl_timeout = 50s\n')
    match('R:75s;E:300s', done.stdout)
    match('which is 50s', done.stdout)


@case('setup sendmail works out gatepost.conf')
def sendmail_site():
    done = Sendmail(CF + '''Fw-o FOLDER/local-host-names %[^\\#]
Fw-o FOLDER/absent
Cw example.org [192.0.2.1] $m b@d
C{VirtHost}virtual.example
F{VirtHost}FOLDER/virtual
CRrelay.example 192.0.2 IPv6:2001:db8
FR-o FOLDER/relay-domains %[^\\#]
Kaccess hash -T<TMPF> -o FOLDER/access
''', **{'local-host-names': 'example.net\n', 'virtual': 'v.example\n',
        'relay-domains': '198.51.100.7\n10.1\nbelow.example\n',
        'access': '# To:no.example RELAY\nTo:to.example\tRELAY\nConnect:203.0.113\tRELAY\n'
                  'To:ok.example OK\nplain.example  RELAY\n172.16 RELAY\nFrom:a@b.example RELAY\n'
                  'Connect:name.example RELAY\n'}).setup('mynetworks = 127.0.0.1\n')
    domains, networks = site(done, 'local_domains'), site(done, 'mynetworks')
    equal([os.path.basename(word) for word in domains],
          ['localhost', 'example.org', '[192.0.2.1]', 'virtual.example', 'mail.example.org',
           'local-host-names', 'virtual', 'relay-domains', 'relay.example', '.relay.example',
           'to.example', '.to.example', 'plain.example', '.plain.example'])
    equal(networks, ['127.0.0.0/8', '[::1]/128', '198.51.100.7', '10.1.0.0/16', '192.0.2.0/24',
                     '[2001:db8::]/32', '203.0.113.0/24', '172.16.0.0/16'])
    match('dnl # .*:6 has: mynetworks = 127.0.0.1', done.stdout)
    match('note: .*below the domains of class R', done.stderr)
    text = ''.join('%s = %s\n' % (name, ' '.join(words)) for name, words in
                   (('local_domains', domains), ('mynetworks', networks)))
    exits(ctl.Settings(text).run('check'), 0)


GOOD = CF + READY
UNIX = 'milter_socket = unix:%s\n'
# What is there, settings, and the warnings (or, behind "note:", notes) that belong to it.
SENDMAIL_ROWS = [
    ('all is well', GOOD, '', []),
    ('F=4', GOOD.replace('F=T', 'F=4'), '', []),
    ('T beats R', GOOD.replace('F=T', 'F=RT'), '', []),
    ('another name, another way to write the socket',
     GOOD.replace('gatepost', 'gp').replace('127.0.0.1', '[127.0.0.1]'), '', []),
    ('names are compared without case', GOOD.replace('Filters=gatepost', 'Filters=GatePost'), '',
     []),
    ('no filter at all', CF, '', ['no filter gatepost: mail passes unseen']),
    ('not in use', GOOD.replace('O InputMailFilters=gatepost\n', ''), '',
     ['InputMailFilters leaves gatepost out']),
    ('not in use, abbreviated by another option', GOOD.replace('Filters=gatepost', 'Filters=a'),
     '', ['InputMailFilters leaves gatepost out']),
    ('the last option counts', GOOD + 'O InputMailFilters=\n', '',
     ['InputMailFilters leaves gatepost out']),
    ('no F=', GOOD.replace(', F=T', ''), '', ['without F=T .* passes unseen']),
    ('empty F=', GOOD.replace('F=T', 'F='), '', ['without F=T .* passes unseen']),
    ('F=R', GOOD.replace('F=T', 'F=R'), '', ['F=R .* refuses mail for good']),
    ('no T=', GOOD.replace(', T=C:30s;R:30s', ''), '', ['note:has no T=']),
    ('no T=, slow lists', GOOD.replace(', T=C:30s;R:30s', ''), 'dnsbl_timeout = 8s\n',
     ['time-out R:10s; gatepost may need 13s', 'note:has no T=']),
    ('R too small', GOOD.replace('R:30s', 'R:5'), '', ['time-out R:5s; gatepost may need 10s']),
    ('R in minutes', GOOD.replace('R:30s', 'R:1m30s'), 'dnsbl_timeout = 1m\n', []),
    ('E too small', GOOD.replace('R:30s', 'R:30s;E:2s'), '', ['time-out E:2s']),
    ('a listener waits longer', GOOD, '[listener MTA]\ndnsbl_timeout = 50s\n',
     ['time-out R:30s; gatepost may need 55s']),
    ('another socket', GOOD.replace('20025', '20026'), '',
     ['asked at inet:20026@127.0.0.1; gatepost listens at']),
    ('not first', GOOD.replace('Filters=', 'Filters=dkim,') + 'Xdkim, S=inet:1@localhost, F=T\n',
     '', ['gatepost must stand before a DKIM signer']),
    ('a listener with another filter',
     GOOD + 'O DaemonPortOptions=Name=X, Port=2525, InputMailFilters=dkim;av\n', '',
     ['listener X leaves gatepost out']),
    ('a listener with filters and gatepost',
     GOOD + 'O DaemonPortOptions=Name=X, Port=2525, I=gatepost;dkim\n', '', []),
    ('a listener without filters',
     GOOD + 'O DaemonPortOptions=Name=X, Port=2525, InputMailFilters=\n', '',
     ['listener X leaves gatepost out']),
    ('a listener for a content filter',
     GOOD + 'O DaemonPortOptions=Name=X, Addr=127.0.0.1, Port=10025, InputMailFilters=\n', '',
     ['note:listener X shows gatepost nothing: right if']),
    ('an option of one letter', GOOD + 'OOName=X, Port=2525, I=av\n', '',
     ['listener X leaves gatepost out']),
    ('listeners by name and port', GOOD,
     'submission_listeners = MSA :587\n[listener mta]\nmode = monitor\n', []),
    ('listeners that are not there', GOOD,
     'untrusted_listeners = ONION :2525\n[listener Tor]\nmode = monitor\n',
     ['untrusted_listeners: no listener has Name=ONION', 'no listener has port 2525',
      r'\[listener Tor\]: no listener has Name=Tor']),
    ('a listener without a name', GOOD.replace('Name=MTA, ', ''), '[listener MTA]\n',
     ['no listener has Name=MTA']),
    ('its default name', GOOD.replace('Name=MTA, ', ''), '[listener Daemon0]\n', []),
    ('an old Sendmail', GOOD.replace('DZ8.17.1', 'DZ8.13.8'), '', ['Sendmail 8.13; before 8.14']),
    ('a reasonable folder', GOOD.replace('inet:20025@127.0.0.1', 'local:/etc/gatepost.sock'),
     UNIX % '/etc/gatepost.sock', []),
    ('a folder for all', GOOD.replace('inet:20025@127.0.0.1', 'unix:/tmp/gatepost.sock'),
     UNIX % '/tmp/gatepost.sock', ['calls local:/tmp/gatepost.sock unsafe.* write to /tmp']),
    ('nobody', GOOD.replace('inet:20025@127.0.0.1', 'unix:/etc/gatepost.sock')
     + 'O RunAsUser=nobody:nogroup\n', UNIX % '/etc/gatepost.sock',
     ['RunAsUser: the user nobody may not connect']),
]


def told(done, kind):
    return re.findall('(?m)^gatepostctl: %s: (.*)$' % kind, done.stderr)


def warned(done, expected, what):
    """The doubts that were told are the expected ones."""
    for kind in ('warning', 'note'):
        texts = told(done, kind)
        wanted = [text.removeprefix('note:') for text in expected
                  if text.startswith('note:') == (kind == 'note')]
        equal(len(texts), len(wanted), '%s: %ss %r' % (what, kind, texts))
        for text, pattern in zip(texts, wanted):
            match(pattern, text)


@case('setup sendmail --check tells what is wrong, and only that')
def sendmail_check():
    for what, cf, settings, expected in SENDMAIL_ROWS:
        warnings = [text for text in expected if not text.startswith('note:')]
        done = Sendmail(cf).setup(settings, '--check', code=1 if warnings else 0)
        equal(done.stdout, '', what + ': stdout')
        warned(done, expected, what)


@case('setup sendmail looks at submit.cf')
def sendmail_submit():
    msa = GOOD.replace('A=TCP $h', 'A=TCP $h 587')
    for submit, settings, expected in (
            (GOOD, '', []), (None, '', ['there is no .*submit.cf']),
            (msa, '', ['port 587, where gatepost serves nobody without authentication']),
            (msa, 'submission_listeners = MSA\n', ['port 587, where gatepost serves nobody']),
            (msa, 'submission_listeners =\n', []),
            (msa + 'D{MTAHost}[127.0.0.1]\n', 'submission_listeners =\n', []),
            (msa + 'D{MTAHost}[relay.example]\n', '', ['note:submit to relay.example'])):
        done = Sendmail(GOOD, submit).setup(settings, '--check',
                                            code=1 if expected and 'note' not in expected[0] else 0)
        warned(done, expected, '%r' % settings)


@case('setup sendmail tells when sendmail.mc was changed later')
def sendmail_age():
    sendmail = Sendmail(GOOD, **{'sendmail.mc': 'dnl\n'})
    os.utime(sendmail.cf, (1000, 1000))
    warned(sendmail.setup('', '--check'), ['note:sendmail.mc was changed after'], 'age')


@case('setup sendmail asks no program and no map')
def sendmail_dynamic():
    done = Sendmail(GOOD + 'Fw|/bin/touch FOLDER/run\nFw@LDAP\nF{Other}|/bin/false\n').setup()
    warned(done, ['class w is filled by "./bin/touch', 'class w is filled by "@LDAP'], 'F lines')


@case('setup sendmail withstands any file')
def sendmail_hostile():
    rows = ['', '\n', ' \n', 'X', 'O', 'O ', 'O =', 'C', 'F', 'D', 'K', 'M', 'C{', 'D{x', 'Xa,',
            'Xa, S', 'Xa, S=', 'Xa, T=;;:;R:;R:99999999999999999999999w', 'O DaemonPortOptions=',
            'O DaemonPortOptions=,=,I=,N', 'O InputMailFilters=,;,', 'Xa, S="\\', 'Fw-o', 'FR-o ',
            'Xa\x1b[2J, S=\x1b[31m\nO InputMailFilters=a\x1b[2J', 'Cw' + 'a ' * 100000,
            'X' * 1000000, 'Xa\n' * 50000, 'O x\n' + ' y\n' * 50000, 'Cw`) esyscmd(touch /x)',
            'O InputMailFilters=a\'), b', '\0\0X\0', 'Cw' + ' '.join('h%d.example' % i
                                                                 for i in range(2000))]
    for row in rows:
        done = Sendmail(row + '\n' + READY).setup()
        all_dnl(done.stdout)
        true('\x1b' not in done.stdout + done.stderr, 'an escape sequence')
    match('more domains and networks are not printed', done.stderr)


@case('setup sendmail reads plain files of a bearable size alone')
def sendmail_no_file():
    sendmail = Sendmail()
    os.mkfifo(sendmail.folder + '/fifo')
    place.write(sendmail.folder + '/large', '#' * (5 << 20))
    for name in ('fifo', 'large', '.', 'absent'):
        done = ctl.Settings().run('setup', 'sendmail', '--cf', os.path.join(sendmail.folder, name))
        exits(done, 78)
        equal(done.stdout, '', name)
    for file in ('fifo', 'large', 'absent', '.'):
        Sendmail(CF + 'Fw%s/%s\nKaccess hash %s/%s\n' % (sendmail.folder, file, sendmail.folder,
                                                         file)).setup()
    for path in ('/dev/zero', '/proc/self/mem'):
        exits(ctl.Settings().run('setup', 'sendmail', '--cf', path), 78)


@case('setup sendmail finds sendmail.cf in a folder')
def sendmail_folder():
    sendmail = Sendmail(GOOD)
    done = ctl.Settings().run('setup', 'sendmail', '--mta-config', sendmail.folder, '--check')
    exits(done, 0)
    exits(ctl.Settings().run('setup', 'postfix', '--cf', sendmail.cf), 64)


if __name__ == '__main__':
    run()
