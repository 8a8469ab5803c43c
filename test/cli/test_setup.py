#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""gatepostctl setup: the lines it prints, and what it warns of, over many configurations."""
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
sys.path.insert(0, sys.path[0])
import ctl
import place
import sendmail
from tap import Skip, absent, case, equal, match, run, true

FILTER = ('INPUT_MAIL_FILTER(`gatepost\', `S=inet:20025@127.0.0.1, F=T, '
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


# What gatepost.conf has of the two MTAs below, when it is checked.
SENDMAIL_DOMAINS = 'local_domains = localhost mail.example.org\n'
POSTFIX_DOMAINS = ('local_domains = mail.example.org localhost.example.org localhost '
                   '[127.0.0.1]\n')
# No daemon runs: the tests of --check say so each time, but for those that start one.
DOWN_ANY = r'(inet6?|unix):\S+: no daemon answers there; while it is so the MTA takes no mail'


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
        if '--check' in options:
            settings = settings if 'local_domains' in settings else SENDMAIL_DOMAINS + settings
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
    match(r'S=inet6:20025@::1, F=T', done.stdout)


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


@case('what setup sendmail prints can be appended to a real sendmail.mc')
def sendmail_m4():
    tree = sendmail.TREE + sendmail.MACROS
    if not os.path.exists(tree) or not shutil.which('m4'):
        raise Skip('Sendmail is not unpacked, or m4 is not here')
    there = Sendmail()
    before = ("include(`%s/m4/cf.m4')\nOSTYPE(`linux')\ndefine(`confDOMAIN_NAME', `a.example')\n"
              "MAILER(`local')\nMAILER(`smtp')\n" % tree)
    others = ("INPUT_MAIL_FILTER(`opendkim', `S=inet:8891@localhost')\n"
              "INPUT_MAIL_FILTER(`clamav', `S=local:/run/c.sock, F=, T=C:30s;S:1m;R:2m30s;E:1h')\n")

    def make(text):
        file = place.write(there.folder + '/sendmail.mc', text)
        done = subprocess.run(['m4', '-D_CF_DIR_=%s/' % tree, file], capture_output=True, text=True)
        equal((done.returncode, done.stderr), (0, ''), 'm4')
        place.write(there.cf, done.stdout)
        os.utime(file, (1000, 1000))
        return done.stdout
    for more, filters in (('', 'gatepost'), (others, 'gatepost, opendkim, clamav')):
        plain = make(before + more)
        printed = there.setup(code=0).stdout
        whole = make(before + more + printed)
        match('(?m)^O InputMailFilters=%s$' % filters, whole)
        match(r'(?m)^Xgatepost, S=inet:20025@127.0.0.1, F=T, T=C:30s;S:30s;R:30s;E:300s$', whole)
        added = set(whole.splitlines()) - set(plain.splitlines())
        absent('dnl', ''.join(added))
        warned(there.setup('local_domains = a.example localhost\nrecipient_delimiter = +\n',
                           '--check', code=1), ['note:local_domains lacks '], 'check')


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
O OperatorChars=.:%@!^/[]+
O AuthRealm=example.org
''', **{'local-host-names': 'example.net\n', 'virtual': 'v.example\n',
        'relay-domains': '198.51.100.7\n10.1\nbelow.example\n',
        'access': '# To:no.example RELAY\nTo:to.example\tRELAY\nConnect:203.0.113\tRELAY\n'
                  'To:ok.example OK\nplain.example  RELAY\n172.16 RELAY\nFrom:a@b.example RELAY\n'
                  'Connect:127.0.0.1 RELAY\nConnect:IPv6:::1 RELAY\n'
                  'Connect:name.example RELAY\nCertSubject:/CN=x RELAY\n'}).setup('mynetworks = 127.0.0.1\n')
    domains, networks = site(done, 'local_domains'), site(done, 'mynetworks')
    equal([os.path.basename(word) for word in domains],
          ['localhost', 'example.org', '[192.0.2.1]', 'virtual.example', 'mail.example.org',
           'local-host-names', 'virtual', 'relay-domains', '.below.example', 'relay.example',
           '.relay.example',
           'to.example', '.to.example', 'plain.example', '.plain.example'])
    equal(networks, ['127.0.0.0/8', '[::1]/128', '198.51.100.7', '10.1.0.0/16', '192.0.2.0/24',
                     '[2001:db8::]/32', '203.0.113.0/24', '172.16.0.0/16'])
    equal([os.path.basename(word) for word in site(done, 'login_domains')],
          ['localhost', 'example.org', '[192.0.2.1]', 'mail.example.org', 'local-host-names'])
    equal(site(done, 'origin'), ['mail.example.org'])
    match('dnl # .*:6 has: mynetworks = 127.0.0.1', done.stdout)
    equal((site(done, 'recipient_delimiter'), site(done, 'sasl_local_realms')),
          (['+'], ['example.org']))
    match('warning: .*relay by certificate', done.stderr)
    match('warning: .*clients relay by name .name.example', done.stderr)
    match('note: clients named below.example relay.example, or below'.replace('note: ', 'note: .*'),
          done.stderr)
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
     GOOD.replace('gatepost', 'gp').replace('inet:', 'INET:'), '', []),
    ('an address in brackets', GOOD.replace('127.0.0.1', '[127.0.0.1]'), '',
     ['does not connect to an address in brackets']),
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


RULES = {'entire': 'R$+ < @ $* $=m >\t$@ RELAY\n', 'below': 'R$+ < @ $* $=R >\t$@ RELAY\n',
         'hosts': 'R$+ < @ $=R >\t$@ RELAY\n', 'users': 'R$+ < @ $+ >\t$: $>S <+ To> $| <F:$1@$2>\n',
         'from': 'R<?> $+ < @ $+ >\t$: <@> $>S <! From> $| <F:$1@$2>\n',
         'local': 'R<?> $+ < @ $=w >\t$@ RELAY\t\tFROM local\n'}
SENDMAIL_DOUBTS = [
    ('local domains', 'Cw a.example\n', '', ['local_domains lacks a.example, which Sendmail has']),
    ('class R', 'CR a.example\n' + RULES['below'], '',
     ['lacks a.example', 'lacks .a.example', 'note:clients named a.example']),
    ('class R, hosts only', 'CR a.example\n' + RULES['hosts'], '',
     ['lacks a.example', 'note:clients named']),
    ('class R in a file', 'FRFOLDER/relay-domains\n' + RULES['below'],
     'local_domains = localhost mail.example.org f.example\n',
     ['lacks .f.example', 'note:clients named f.example']),
    ('virtual domains', 'C{VirtHost}v.example\nCR$={VirtHost}\n' + RULES['below'], '',
     ['lacks v.example', 'lacks .v.example']),
    ('networks', 'CR 192.0.2\n', '', ['mynetworks, left at its default, lacks 192.0.2.0/24']),
    ('the whole domain', RULES['entire'], '',
     ['lacks example.org', 'lacks .example.org', 'relay_entire_domain']),
    ('by MX', 'Kmxserved bestmx -z: -T<TEMP>\n', '', ['relay_based_on_MX']),
    ('by MX, and listed', 'Kmxserved bestmx -z: -T<TEMP>\n',
     'local_domains = localhost mail.example.org backup.example\n',
     ['note:.*local_domains has backup.example', 'note:.*relay_based_on_MX.*nobody can tell']),
    ('local senders', RULES['local'], '', ['relay_local_from']),
    ('an access table by its built file', 'Kaccess hash -T<TMPF> -o FOLDER/access.db\n', '',
     ['lacks t.example', 'lacks .t.example', 'mynetworks.* lacks 198.51.100.0/24',
      'clients relay by name .n.example']),
    ('a client that is trusted by name', 'Kaccess hash FOLDER/named\n',
     'mynetworks = 127.0.0.0/8 [::1]/128 n.example\n', []),
    ('users', 'Kaccess hash FOLDER/users\n' + RULES['users'], '', ['single recipients .u@u.example']),
    ('users, without such a rule', 'Kaccess hash FOLDER/users\n', '', []),
    ('users that are let pass', 'Kaccess hash FOLDER/users\n' + RULES['users'],
     'relay_restrictions = permit_mynetworks check_recipient_access inline:{u@u.example=OK} '
     'reject_unauth_destination\n', []),
    ('senders', 'Kaccess hash FOLDER/senders\n' + RULES['from'], '',
     ['senders relay .s@s.example']),
    ('senders, without such a rule', 'Kaccess hash FOLDER/senders\n', '', []),
    ('an access table that is lost', 'Kaccess hash FOLDER/lost\n', '',
     ['the access table, .*/lost, cannot be read here']),
    ('none at all', 'Kaccess hash -o FOLDER/none\n', '', []),
    ('in LDAP', 'Kaccess ldap -1 -k (x)\n', '', ['the access table, ldap .* cannot be read here']),
    ('a class of a program', 'Fw|/bin/names\n', '', ['class w is filled by']),
    ('a class of a program, and names by hand', 'Fw|/bin/names\n',
     'local_domains = localhost mail.example.org mine.example\n',
     ['note:has mine.example, for which', 'note:class w is filled by']),
    ('passwords', 'O AuthMechanisms=PLAIN LOGIN\nO AuthOptions=A\n', '', ['AuthOptions=A lacks p']),
    ('passwords, no options', 'O AuthMechanisms=CRAM-MD5 plain\n', '', []),
    ('passwords over TLS', 'O AuthMechanisms=PLAIN\nO AuthOptions=A p y\n', '', []),
    ('no passwords', 'O AuthMechanisms=GSSAPI CRAM-MD5\nO AuthOptions=A\n', '', []),
    ('clear text is allowed', 'O AuthMechanisms=PLAIN\n', 'auth_min_ssf = 0\n', []),
    ('delimiter', 'O OperatorChars=.:%@!^/[]+\n', '', ['recipient_delimiter.* empty.* is [+]']),
    ('realm', 'O AuthRealm=r.example\n', '', ['sasl_local_realms.* lacks r.example']),
]


@case('setup sendmail --check tells whom Sendmail serves and gatepost would not')
def sendmail_doubts():
    files = {'relay-domains': 'f.example\n', 'lost.db': '', 'access.db': '\0binary\n',
             'access': 'To:t.example RELAY\nConnect:198.51.100 RELAY\nConnect:n.example RELAY\n',
             'named': 'Connect:n.example RELAY\n', 'users': 'To:u@u.example RELAY\n',
             'senders': 'From:s@s.example RELAY\n'}
    for what, cf, settings, expected in SENDMAIL_DOUBTS:
        there = Sendmail(GOOD + cf, **files)
        done = down(there.setup(settings, '--check', code=1))
        warned(done, expected, what)


@case('setup sendmail sees one socket behind two names of its folder')
def sendmail_linked():
    there = Sendmail(GOOD.replace('inet:20025@127.0.0.1', 'local:FOLDER/run/milter.sock'))
    os.mkdir(there.folder + '/real')
    os.symlink('real', there.folder + '/run')
    done = there.setup(UNIX % (there.folder + '/real/milter.sock'), '--check', code=1)
    absent('is asked at', done.stderr)


@case('setup sendmail has passwords go over TLS')
def sendmail_passwords():
    text = Sendmail(CF + 'O AuthMechanisms=PLAIN\nO AuthOptions=A y\n').setup().stdout
    match(r"(?m)^dnl define\(`confAUTH_OPTIONS', `A y p'\)dnl$", text)
    all_dnl(text)
    absent('AUTH_OPTIONS', Sendmail(CF).setup().stdout)


def told(done, kind):
    return re.findall('(?m)^gatepostctl: %s: (.*)$' % kind, done.stderr)


def down(done):
    """--check has said that nobody answers, and so exits 1."""
    equal(len([text for text in told(done, 'warning') if re.match(DOWN_ANY, text)]), 1,
          'told that no daemon runs: ' + done.stderr)
    return exits(done, 1)


def warned(done, expected, what):
    """The doubts that were told are the expected ones."""
    for kind in ('warning', 'note'):
        texts = [text for text in told(done, kind) if not re.match(DOWN_ANY, text)]
        wanted = [text.removeprefix('note:') for text in expected
                  if text.startswith('note:') == (kind == 'note')]
        equal(len(texts), len(wanted), '%s: %ss %r' % (what, kind, texts))
        for text, pattern in zip(texts, wanted):
            match(pattern, text)


@case('setup sendmail --check tells what is wrong, and only that')
def sendmail_check():
    for what, cf, settings, expected in SENDMAIL_ROWS:
        done = down(Sendmail(cf).setup(settings, '--check', code=1))
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
        done = down(Sendmail(GOOD, submit).setup(settings, '--check', code=1))
        warned(done, expected, '%r' % settings)


@case('setup sendmail tells when sendmail.mc was changed later')
def sendmail_age():
    sendmail = Sendmail(GOOD, **{'sendmail.mc': 'dnl\n'})
    os.utime(sendmail.cf, (1000, 1000))
    warned(sendmail.setup('', '--check', code=1), ['note:sendmail.mc was changed after'], 'age')


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
    large = sendmail.folder + '/large'
    true(large in site(Sendmail(CF + 'Fw%s\n' % large).setup(), 'local_domains'),
         'a file too large to look into is named all the same')
    for path in ('/dev/zero', '/proc/self/mem'):
        exits(ctl.Settings().run('setup', 'sendmail', '--cf', path), 78)


@case('setup sendmail finds sendmail.cf in a folder')
def sendmail_folder():
    sendmail = Sendmail(GOOD)
    options = ['setup', 'sendmail', '--mta-config', sendmail.folder, '--check']
    warned(exits(ctl.Settings(SENDMAIL_DOMAINS).run(*options), 1), [], 'nothing')
    warned(exits(ctl.Settings().run(*options), 1), ['does not set local_domains'], 'domains')
    exits(ctl.Settings().run('setup', 'postfix', '--cf', sendmail.cf), 64)


# Postfix

MASTER = """
smtp      inet  n  -  y  -  -  smtpd
submission inet n  -  y  -  -  smtpd
  -o milter_macro_daemon_name=MSA
smtps     inet  n  -  n  -  -  smtpd
127.0.0.1:2525 inet n - n - - smtpd
127.0.0.1:10025 inet n - n - - smtpd
  -o receive_override_options=no_milters
pass      pass  -  -  n  -  -  smtpd
cleanup   unix  n  -  y  -  0  cleanup
relay     unix  -  -  n  -  -  smtp
"""

POSTFIX_AGREES = ('mynetworks = 127.0.0.0/8 [::1]/128\ninet_interfaces = loopback-only\n'
                  'inet_protocols = ipv4\n')


LOGINS = 'smtpd_sasl_auth_enable = yes\nsmtpd_tls_auth_only = yes\n'


def postfix_setup(settings='', main='', master=MASTER, *options, code=0):
    if not shutil.which('postconf', path=os.environ.get('PATH', '') + ':/usr/sbin'):
        raise Skip('postconf is not here')
    if '--check' in options:
        main = POSTFIX_AGREES + main
        settings = settings if 'local_domains' in settings else POSTFIX_DOMAINS + settings
    folder = ctl.Postfix(LOGINS + main, master).folder
    done = ctl.Settings(settings).run('setup', 'postfix', '--mta-config', folder, *options)
    done.commands = [shlex.split(line.replace(shlex.quote(folder), folder))
                     for line in done.stdout.splitlines() if line.startswith('postconf ')]
    for words in done.commands:
        equal(words[:3], ['postconf', '-c', folder], 'command')
    return exits(done, code)


def commands(done, option):
    return [words[4] for words in done.commands if words[3] == option]


@case('setup postfix prints commands for main.cf')
def postfix_main():
    done = postfix_setup()
    # From Postfix 3.10 on the default; it hangs up with 421, as good as tempfail, and is left.
    default = subprocess.run(['postconf', '-dh', 'milter_default_action'], text=True,
                             capture_output=True,
                             env=dict(os.environ, PATH=os.environ.get('PATH', '') + ':/usr/sbin'))
    action = 'shutdown' if default.stdout.strip() == 'shutdown' else 'tempfail'
    equal(commands(done, '-e'),
          ['smtpd_milters = inet:127.0.0.1:20025', 'non_smtpd_milters = inet:127.0.0.1:20025',
           'milter_default_action = ' + action, 'milter_protocol = 6', 'smtpd_tls_auth_only = yes'])
    equal(done.stderr, '', 'warnings')


@case('setup postfix puts gatepost before the milters that are there')
def postfix_milters():
    done = postfix_setup('', 'smtpd_milters = unix:opendkim/sock, inet:127.0.0.1:20025\n'
                         'non_smtpd_milters = inet:localhost:20025 { unix:x, command_timeout=30s }\n')
    match('(?m)\'smtpd_milters = inet:127.0.0.1:20025, unix:opendkim/sock\'$', done.stdout)
    match('(?m)\'non_smtpd_milters = inet:127.0.0.1:20025, {unix:x, command_timeout=30s}\'$',
          done.stdout.replace('{ ', '{').replace(' }', '}'))
    warned(done, ['smtpd_milters: gatepost must stand before a DKIM signer'], 'order')


@case('setup postfix names each service that shows gatepost clients')
def postfix_master():
    done = postfix_setup()
    equal(commands(done, '-P'), [name.replace(' ', '/milter_macro_daemon_name=') for name in (
        'smtp/inet smtp', 'smtps/inet submissions', '127.0.0.1:2525/inet smtp-2525',
        'pass/pass pass')])
    match('(?m)^# submission/inet has its name: MSA$', done.stdout)
    match('(?m)^# smtps inet ... smtpd -o milter_macro_daemon_name=submissions$', done.stdout)
    done = postfix_setup('[listener ONION]\nmode = monitor\n')
    match('(?m)^# .listener ONION.: name the service .* -o milter_macro_daemon_name=ONION,',
          done.stdout)
    match('(?m)^# 127.0.0.1:10025/inet shows milters nothing: right where', done.stdout)
    absent('relay', done.stdout)


@case('setup postfix gives time-outs that fit the time for DNS')
def postfix_timeouts():
    done = postfix_setup('dnsbl_timeout = 50s\n')
    match("'milter_connect_timeout = 75s'", done.stdout)
    match("'milter_command_timeout = 75s'", done.stdout)
    match('# milter_content_timeout = 300s is long enough', done.stdout)


@case('setup postfix keeps shutdown, which newer ones have')
def postfix_shutdown():
    match("'milter_default_action = shutdown'",
          postfix_setup('', 'milter_default_action = shutdown\n').stdout)


@case('setup postfix names a socket in the queue folder as its daemons see it')
def postfix_socket():
    done = postfix_setup(UNIX % '/var/spool/postfix/gatepost/milter.sock')
    match("'smtpd_milters = unix:gatepost/milter.sock'", done.stdout)
    match('(?m)^milter_socket_group = postfix$', done.stdout)
    absent('chroot', done.stderr)
    done = postfix_setup('milter_socket = inet6:20025@::1\n')
    match(r"'smtpd_milters = inet:\[::1\]:20025'", done.stdout)
    done = postfix_setup('milter_socket = inet:20025@0.0.0.0\n')
    match("'smtpd_milters = inet:127.0.0.1:20025'", done.stdout)
    match('(?m)^# gatepost listens on every address: a Postfix elsewhere asks inet:.*:20025', done.stdout)


@case('a socket on every address is gatepost\'s, whatever Postfix calls it')
def postfix_any_address():
    anywhere = 'milter_socket = inet:20025@0.0.0.0\n'
    for host in ('gatepost', '192.0.2.1', 'localhost', '[2001:db8::1]'):
        main = WELL.replace('127.0.0.1', host)
        done = postfix_setup(anywhere, main, SMTP, '--check', code=1)
        absent('leaves gatepost', done.stderr)
        absent('leaves gatepost', postfix_setup('milter_socket = inet6:20025@::\n', main, SMTP,
                                                '--check', code=1).stderr)
    match('leaves gatepost', postfix_setup(anywhere, WELL.replace('20025', '20026'), SMTP, '--check',
                                           code=1).stderr)
    if not os.path.exists('/etc/postfix/main.cf'):
        match('smtpd_milters = inet:%s:20025' % socket.gethostname(),
              ctl.Settings(anywhere).run('setup', 'postfix').stdout)


@case('setup postfix adds gatepost to a service that has milters of its own')
def postfix_own_milters():
    done = postfix_setup('', '', 'submission inet n - n - - smtpd\n  -o smtpd_milters=unix:dkim\n'
                                 '  -o { smtpd_client_restrictions = permit_mynetworks, reject }\n')
    equal(commands(done, '-P'),
          ['submission/inet/smtpd_milters=inet:127.0.0.1:20025, unix:dkim',
           'submission/inet/milter_macro_daemon_name=submission'])
    warned(done, ['submission/inet has smtpd_milters of its own, which leave gatepost out'], 'own')


@case('setup postfix works out gatepost.conf')
def postfix_site():
    done = postfix_setup('mynetworks = 127.0.0.1\n', """
mydestination = $myhostname, localhost, example.org
virtual_mailbox_domains = mysql:/etc/postfix/domains.cf hash:/etc/postfix/vdomains
virtual_alias_maps =
relay_domains = inner.example, /etc/postfix/relays
mynetworks = 127.0.0.0/8, 192.0.2.0/24
recipient_delimiter = +
smtpd_sender_login_maps = proxy:hash:/etc/postfix/senders, ldap:x
smtpd_sasl_local_domain = example.org
smtpd_delay_reject = no
inet_interfaces = 192.0.2.25 [2001:db8::25] mail.example.org
proxy_interfaces = 198.51.100.1
""")
    for line in ('local_domains = mail.example.org localhost example.org hash:/etc/postfix/vdomains '
                 r'inner.example .inner.example /etc/postfix/relays \[192.0.2.25\] '
                 r'\[IPv6:2001:db8::25\] \[198.51.100.1\]',
                 'mynetworks = 127.0.0.0/8, 192.0.2.0/24', 'recipient_delimiter = [+]',
                 'sender_login_maps = proxy:hash:/etc/postfix/senders', 'delay_checks = no',
                 'sasl_local_realms = example.org', '# .*:6 has: mynetworks = 127.0.0.1'):
        match('(?m)^%s$' % line, done.stdout)
    match('virtual_mailbox_domains has the table mysql:.*cannot read', done.stderr)
    match('smtpd_sender_login_maps has the table ldap:x', done.stderr)
    literals = 'inet_interfaces = loopback-only\ninet_protocols = ipv4\n'
    match(r'(?m)^local_domains = .*localhost \[127.0.0.1\]$', postfix_setup('', literals).stdout)
    printed = postfix_setup('', literals).stdout
    match(r'(?m)^login_domains = mail.example.org .*localhost \[127.0.0.1\]$', printed)
    match(r'(?m)^origin = mail.example.org$', printed)


LISTS = """
smtpd_restriction_classes = strict
strict = reject_unknown_sender_domain, reject_unverified_sender
smtpd_client_restrictions = permit_mynetworks, reject_rbl_client zen.example=127.0.0.2,
  check_client_access mysql:/x
smtpd_helo_restrictions = reject_invalid_hostname, check_helo_mx_access static:x
smtpd_sender_restrictions = check_sender_access inline:{a=OK}, warn_if_reject
  reject_unverified_sender, check_policy_service { inet:127.0.0.1:10, timeout=3 },
  warn_if_reject reject_unknown_sender_domain
smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated permit_mx_backup
  defer_unauth_destination
smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination, strict,
  inline:{b@c=REJECT}, reject_unverified_recipient, check_ccert_access static:x, sleep 1,
  reject_unauth_pipelining, reject_unlisted_recipient, made_up
smtpd_data_restrictions = reject_unauth_pipelining
"""


@case('setup postfix prints the owners of one service last, in its section, and each section once')
def postfix_owners():
    own = '  -o smtpd_sender_login_maps=hash:/etc/postfix/senders\n'
    done = postfix_setup('', LISTS, SMTP + SUBMISSION + own + SUBMISSION.replace('submission', '192.0.2.1:587', 1) + own)
    lines = done.stdout.splitlines()
    equal(lines.count('[listener submission]'), 1, 'sections: ' + done.stdout)
    last = max(number for number, line in enumerate(lines) if re.match(r'#\w+ = ', line))
    if lines.index('[listener submission]') < last:
        raise Failure('what is for all listeners follows the section: ' + done.stdout)


@case('setup postfix prints what else one service has of its own in its section')
def postfix_services():
    done = postfix_setup('auth_min_ssf = 0\n', '', SMTP + SUBMISSION +
                         '  -o smtpd_sasl_local_domain=a.example -o smtpd_delay_reject=NO\n')
    match(r'(?m)^\[listener submission\]\nsasl_local_realms = a.example\ndelay_checks = no$',
          done.stdout)
    absent('smtpd_tls_auth_only', done.stdout)  # nobody minds passwords in clear text
    done = postfix_setup('auth_min_ssf = 0\n[listener submission]\nauth_min_ssf = 128\n')
    true('smtpd_tls_auth_only = yes' in commands(done, '-e'), 'minded at one listener')
    done = postfix_setup('auth_min_ssf = 0\n[listener submission]\nmode = monitor\n')
    absent('smtpd_tls_auth_only', done.stdout)


@case('setup postfix proposes lists made of those of main.cf, and names what must stay there')
def postfix_lists():
    done = postfix_setup('', LISTS, SMTP + SUBMISSION +
                         '  -o smtpd_client_restrictions=permit_sasl_authenticated,reject\n'
                         '  -o smtpd_sender_restrictions=\n')
    proposal = re.findall(r'(?m)^#((?:\w+ =|\[listener ).*)$', done.stdout)
    equal(proposal, [
        'restriction_classes = strict', 'strict = reject_unknown_sender_domain',
        'client_restrictions = permit_mynetworks reject_rbl_client zen.example=127.0.0.2',
        'helo_restrictions = reject_invalid_hostname',
        'sender_restrictions = reject_cleartext_auth reject_authenticated_sender_login_mismatch '
        'check_sender_access inline:{a=OK} warn_if_reject reject_unknown_sender_domain '
        'permit_mynetworks reject_unauthenticated_sender_login_mismatch',
        'recipient_restrictions = permit_mynetworks reject_unauth_destination strict '
        'inline:{b@c=REJECT} permit_sasl_authenticated reject_dnsbl',
        '[listener submission]', 'client_restrictions = permit_sasl_authenticated reject',
        'sender_restrictions = reject_cleartext_auth reject_authenticated_sender_login_mismatch '
        'permit_mynetworks reject_unauthenticated_sender_login_mismatch'])
    left = re.findall(r'(?m)^# (\S+): leave (.*?) \(', done.stdout)
    equal(left, [
        ('strict', 'reject_unverified_sender'),
        ('smtpd_client_restrictions', 'check_client_access mysql:/x'),
        ('smtpd_helo_restrictions', 'check_helo_mx_access static:x'),
        ('smtpd_sender_restrictions', 'warn_if_reject reject_unverified_sender'),
        ('smtpd_sender_restrictions', 'check_policy_service { inet:127.0.0.1:10, timeout=3 }'),
        ('smtpd_relay_restrictions', 'permit_mx_backup'),
        ('smtpd_recipient_restrictions', 'reject_unverified_recipient'),
        ('smtpd_recipient_restrictions', 'check_ccert_access static:x'),
        ('smtpd_recipient_restrictions', 'sleep 1'),
        ('smtpd_recipient_restrictions', 'reject_unauth_pipelining'),
        ('smtpd_recipient_restrictions', 'reject_unlisted_recipient'),
        ('smtpd_recipient_restrictions', 'made_up'), ('smtpd_data_restrictions', 'all of it')])
    checked = exits(ctl.Settings('local_domains = example.org\n' + '\n'.join(proposal) + '\n')
                    .run('check'), 0)
    absent('error', checked.stderr)
    plain = postfix_setup('', 'smtpd_relay_restrictions = permit_mynetworks, '
                          'permit_sasl_authenticated, defer_unauth_destination\n')
    absent('(?m)^#\\w*restrictions =', plain.stdout)


@case('setup postfix --check tells of networks that Postfix does not know')
def postfix_networks():
    done = postfix_setup('mynetworks = 127.0.0.0/8 [::1]/128 192.0.2.0/25 198.51.100.7 10.0.0.0/8 '
                         '[2001:db8::]/32 !203.0.113.1 [::ffff:10.0.0.0]/104\n',
                         'mynetworks = 127.0.0.0/8 192.0.2.0/24 [2001:db8::]/48 !10.0.0.0/8\n')
    told = sorted(re.findall('mynetworks has ([^ ,]*), which Postfix', done.stderr))
    equal(told, ['10.0.0.0/8', '198.51.100.7', '[2001:db8::]/32'])
    done = postfix_setup('mynetworks = 10.0.0.0/8\n', 'mynetworks = cidr:/etc/postfix/nets\n')
    absent('which Postfix', done.stderr)


OURS = 'inet:127.0.0.1:20025'
WELL = 'smtpd_milters = %s\nnon_smtpd_milters = %s\n' % (OURS, OURS)
SMTP = 'smtp inet n - n - - smtpd\ncleanup unix n - n - 0 cleanup\n'
SUBMISSION = 'submission inet n - n - - smtpd -o milter_macro_daemon_name=submission\n'
POSTSCREEN = ('%s inet n - n - 1 postscreen\ncleanup unix n - n - 0 cleanup\n'
              'smtpd pass - - n - - smtpd -o smtpd_delay_reject=no\n')
INNER = '127.0.0.1:10025 inet n - n - - smtpd\n'
# What is there (main.cf, master.cf), settings, and the warnings and notes that belong to it.
POSTFIX_ROWS = [
    ('all is well', WELL, SMTP + SUBMISSION, '', []),
    ('the socket written in other ways', WELL.replace('127.0.0.1', '[127.0.0.1]', 1)
     .replace('inet:127', 'inet:localhost:20025, inet:127'), SMTP, '', []),
    ('no milter at all', '', SMTP, '',
     ['smtpd_milters leaves gatepost .* out: mail passes unseen', 'non_smtpd_milters leaves']),
    ('no mail of programs', 'smtpd_milters = %s\n' % OURS, SMTP, '',
     ['non_smtpd_milters leaves gatepost out: what programs']),
    ('pickup without milters', WELL,
     SMTP + 'pickup unix n - n 60 1 pickup -o receive_override_options=no_milters\n', '',
     ['pickup/unix has receive_override_options = no_milters']),
    ('cleanup with other milters', WELL,
     'cleanup unix n - n - 0 cleanup -o non_smtpd_milters=unix:dkim\n', '',
     ['cleanup/unix has non_smtpd_milters of its own']),
    ('accept', WELL + 'milter_default_action = accept\n', SMTP, '',
     ['milter_default_action = accept lets mail pass unseen']),
    ('reject', WELL + 'milter_default_action = reject\n', SMTP, '',
     ['milter_default_action = reject refuses mail for good']),
    ('quarantine', WELL + 'milter_default_action = quarantine\n', SMTP, '', []),
    ('accept in braces', WELL.replace(OURS, '{ %s, default_action=accept }' % OURS, 1), SMTP, '',
     ['smtpd_milters: default_action = accept lets']),
    ('accept in braces in braces',
     WELL.replace(OURS, '{ %s, { default_action = accept } }' % OURS, 1), SMTP, '',
     ['smtpd_milters: default_action = accept lets']),
    ('tempfail in braces', WELL.replace(OURS, '{ %s, default_action=tempfail }' % OURS), SMTP, '',
     []),
    ('accept for another milter',
     WELL.replace(OURS, '%s, { unix:dkim, default_action=accept }' % OURS), SMTP, '', []),
    ('accept of a service', WELL, SMTP + SUBMISSION + ' -o milter_default_action=accept\n', '',
     ['submission/inet/milter_default_action = accept']),
    ('own milters', WELL, SMTP + SUBMISSION + ' -o smtpd_milters=unix:dkim\n', '',
     ['submission/inet has smtpd_milters of its own, which leave gatepost out']),
    ('own milters, gatepost among them', WELL,
     SMTP + SUBMISSION + ' -o { smtpd_milters = %s, unix:dkim }\n' % OURS, '', []),
    ('own milters, accept', WELL,
     SMTP + SUBMISSION + ' -o { smtpd_milters = { %s, default_action=accept } }\n' % OURS, '',
     ['submission/inet/smtpd_milters: default_action = accept']),
    ('no milters of its own', WELL, SMTP + SUBMISSION + ' -o smtpd_milters=\n', '',
     ['submission/inet shows milters nothing .*of its own is empty']),
    ('an unknown parameter', WELL, SMTP + SUBMISSION + ' -o smtpd_milters=$mua_milters\n', '',
     ['submission/inet shows milters nothing']),
    ('no_milters', WELL, SMTP + SUBMISSION
     + ' -o receive_override_options=no_address_mappings,no_milters\n', '',
     ['submission/inet shows milters nothing .receive_override_options']),
    ('after-queue re-injection', WELL, SMTP + INNER + ' -o smtpd_milters=\n', '', []),
    ('after-queue re-injection', WELL, SMTP + INNER + ' -o receive_override_options=no_milters\n',
     '', []),
    ('no_milters everywhere', WELL + 'receive_override_options = no_milters\n', SMTP + SUBMISSION,
     '', ['receive_override_options = no_milters in main.cf']),
    ('milters by client', WELL + 'smtpd_milter_maps = inline:{ { 192.0.2.1=DISABLE } }\n', SMTP,
     '', ['smtpd_milter_maps = inline:']),
    ('a proxy filter', WELL + 'smtpd_proxy_filter = 127.0.0.1:10025\n', SMTP, '',
     ['smtpd_proxy_filter = 127.0.0.1:10025: Postfix shows milters neither header nor body']),
    ('a proxy filter of a service', WELL, SMTP + SUBMISSION + ' -o smtpd_proxy_filter=[::1]:1\n',
     '', ['submission/inet/smtpd_proxy_filter']),
    ('order', WELL.replace(OURS, 'unix:dkim ' + OURS, 1), SMTP, '',
     ['smtpd_milters: gatepost must stand before a DKIM signer']),
    ('protocol', WELL + 'milter_protocol = 4\n', SMTP, '', ['milter_protocol = 4 is too old']),
    ('protocol in braces', WELL.replace(OURS, '{ %s, protocol=2 }' % OURS, 1), SMTP, '',
     ['smtpd_milters: protocol = 2 is too old']),
    ('time-outs', WELL + 'milter_command_timeout = 9s\nmilter_content_timeout = 3\n', SMTP, '',
     ['milter_command_timeout = 9s: gatepost may need 10s', 'milter_content_timeout = 3']),
    ('time-out in minutes', WELL + 'milter_command_timeout = 1m\n', SMTP, '', []),
    ('time-outs and slow lists', WELL, SMTP, 'dnsbl_timeout = 30s\n',
     ['milter_connect_timeout = 30s: gatepost may need 35s', 'milter_command_timeout']),
    ('time-out in braces', WELL.replace(OURS, '{ %s, command_timeout=2s }' % OURS, 1), SMTP, '',
     ['smtpd_milters: command_timeout = 2s']),
    ('time-out of a service', WELL, SMTP + SUBMISSION + ' -o milter_connect_timeout=1s\n', '',
     ['submission/inet/milter_connect_timeout = 1s']),
    ('time-out of a service that asks none', WELL,
     SMTP + INNER + ' -o milter_connect_timeout=1s -o smtpd_milters=\n', '', []),
    ('macros overridden', WELL + 'milter_connect_macros = j\nmilter_mail_macros =\n', SMTP, '', []),
    ('Postfix in disguise', WELL + 'mail_name = Exchange\n', SMTP, '',
     ['milter_macro_v = Exchange .*takes this for Sendmail']),
    ('listeners', WELL + 'milter_macro_daemon_name = mx\n', SMTP + SUBMISSION,
     'submission_listeners = submission :587\n[listener mx]\nmode = monitor\n', []),
    ('listeners that are not there', WELL, SMTP + SUBMISSION,
     'untrusted_listeners = ONION\n[listener tor]\nmode = monitor\n',
     ['untrusted_listeners: no service .*=ONION', r'\[listener tor\]: no service .*=tor']),
    ('passwords in clear text', WELL, SMTP + SUBMISSION + ' -o smtpd_tls_auth_only=no\n', '',
     ['submission/inet: smtpd_tls_auth_only is not yes']),
    ('passwords over TLS', WELL, SMTP + SUBMISSION
     + ' -o smtpd_tls_auth_only=no -o smtpd_tls_security_level=encrypt\n', '', []),
    ('nobody can log in', WELL, SMTP + SUBMISSION + ' -o smtpd_sasl_auth_enable=no\n', '',
     ['submission/inet: smtpd_sasl_auth_enable is not yes: nobody can log in']),
    ('nobody can log in at a port', WELL, SMTP + '192.0.2.1:587 inet n - n - - smtpd\n'
     '  -o smtpd_sasl_auth_enable=no\n', '', ['192.0.2.1:587/inet: smtpd_sasl_auth_enable']),
    ('nobody need log in', WELL, SMTP + SUBMISSION + ' -o smtpd_sasl_auth_enable=no\n',
     'submission_listeners =\n', []),
    ('a certificate is as good', WELL, SMTP + SUBMISSION
     + ' -o smtpd_sasl_auth_enable=no -o smtpd_tls_ask_ccert=yes\n',
     'relay_clientcerts = inline:{x=y}\n', []),
    ('a certificate that nobody may relay by', WELL, SMTP + SUBMISSION
     + ' -o smtpd_sasl_auth_enable=no -o smtpd_tls_ask_ccert=yes\n', '',
     ['submission/inet: smtpd_sasl_auth_enable']),
    ('chroot', 'smtpd_milters = unix:/run/gp/s\nnon_smtpd_milters = unix:/run/gp/s\n', MASTER,
     UNIX % '/run/gp/s' + 'milter_socket_mode = 0666\n',
     ['smtp/inet runs chrooted in /var/spool/postfix and cannot see unix:/run/gp/s']),
    ('chroot of cleanup', WELL.replace(OURS, 'unix:/run/gp/s'),
     'smtp inet n - n - - smtpd\ncleanup unix n - y - 0 cleanup\n',
     UNIX % '/run/gp/s' + 'milter_socket_mode = 0666\n', ['cleanup/unix runs chrooted']),
    ('chroot, relative to the queue', WELL.replace(OURS, 'unix:gp/s'), MASTER,
     UNIX % '/var/spool/postfix/gp/s' + 'milter_socket_mode = 0666\n', []),
    ('group', WELL.replace(OURS, 'unix:/run/gp/s'), SMTP, UNIX % '/run/gp/s',
     ['the user postfix may not connect to /run/gp/s: .*milter_socket_group = postfix']),
    ('group of a user of another machine', WELL.replace(OURS, 'unix:/run/gp/s'), SMTP,
     UNIX % '/run/gp/s' + 'user = gp-is-not-here\n',
     [r'may not connect to /run/gp/s: .*\(adduser postfix gp-is-not-here\)']),
    ('group of the settings', WELL.replace(OURS, 'unix:/run/gp/s'), SMTP,
     UNIX % '/run/gp/s' + 'milter_socket_group = postfix\n', []),
    ('a socket of before', WELL.replace(OURS, OURS + ', unix:/run/gatepost/milter.sock', 1), SMTP,
     '', ['smtpd_milters has unix:/run/gatepost/milter.sock, where gatepost does not listen']),
    ('certificates by fingerprint', WELL + 'relay_clientcerts = hash:/etc/postfix/certs\n', SMTP,
     '', ['relay_clientcerts = hash:/etc/postfix/certs: .*by fingerprint']),
    ('certificates by name', WELL + 'relay_clientcerts = hash:/etc/postfix/certs\n', SMTP,
     'relay_clientcerts = inline:{x=y}\n', []),
    ('certificates of a service', WELL, SMTP + SUBMISSION + ' -o relay_clientcerts=hash:/x\n', '',
     ['submission/inet/relay_clientcerts = hash:/x: .*by fingerprint']),
    ('certificates of a service by name', WELL,
     SMTP + SUBMISSION + ' -o relay_clientcerts=hash:/x\n',
     '[listener submission]\nrelay_clientcerts = inline:{x=y}\n', []),
    ('certificates of a service that asks none', WELL,
     SMTP + INNER + ' -o smtpd_milters= -o relay_clientcerts=hash:/x\n', '', []),
    ('refusals made soft', WELL + 'soft_bounce = Yes\n', SMTP, '',
     ['note:soft_bounce = Yes: what gatepost refuses']),
    ('refusals of a service made soft', WELL, SMTP + SUBMISSION + ' -o soft_bounce=yes\n', '',
     ['note:submission/inet/soft_bounce = yes: what gatepost refuses']),
    ('refusals of others made soft', WELL, SMTP + INNER + ' -o smtpd_milters= -o soft_bounce=yes\n'
     + 'bounce unix - - n - 0 bounce -o soft_bounce=yes\n', '', []),
    ('milters of a service by client', WELL,
     SMTP + SUBMISSION + ' -o smtpd_milter_maps=static:DISABLE\n', '',
     ['submission/inet/smtpd_milter_maps = static:DISABLE']),
    ('passwords over TLS, written in capitals', WELL,
     SMTP + SUBMISSION + ' -o smtpd_tls_auth_only=YES -o smtpd_sasl_auth_enable=Yes\n', '', []),
    ('passwords in clear text that nobody minds', WELL,
     SMTP + SUBMISSION + ' -o smtpd_tls_auth_only=no\n', 'auth_min_ssf = 0\n', []),
    ('passwords in clear text that nobody minds there', WELL,
     SMTP + SUBMISSION + ' -o smtpd_tls_auth_only=no\n',
     '[listener :587]\nauth_min_ssf = 0\n', []),
    ('passwords in clear text that nobody minds elsewhere', WELL,
     SMTP + SUBMISSION + ' -o smtpd_tls_auth_only=no\n',
     '[listener :25]\nauth_min_ssf = 0\n', ['submission/inet: smtpd_tls_auth_only']),
    ('passwords in clear text that are minded by name, not by port', WELL,
     SMTP + SUBMISSION + ' -o smtpd_tls_auth_only=no\n',
     '[listener :587]\nauth_min_ssf = 0\n[listener submission]\nauth_min_ssf = 128\n',
     ['submission/inet: smtpd_tls_auth_only']),
    ('passwords in clear text that nobody minds by name', WELL,
     SMTP + SUBMISSION + ' -o smtpd_tls_auth_only=no\n',
     '[listener :587]\nauth_min_ssf = 128\n[listener submission]\nauth_min_ssf = 0\n', []),
    ('haste behind postscreen, in its section', WELL, POSTSCREEN % 'smtp',
     '[listener :25]\ndelay_checks = no\n', []),
    ('haste behind postscreen at another port, in its section', WELL, POSTSCREEN % '10030',
     '[listener :10030]\ndelay_checks = no\n', []),
    ('haste behind postscreen, in the section of another port', WELL, POSTSCREEN % 'smtp',
     '[listener :10030]\ndelay_checks = no\n',
     ['delay_checks, left at its default, is yes, that of smtpd/pass is no']),
    ('haste of a service in capitals', WELL,
     SMTP + SUBMISSION + ' -o smtpd_delay_reject=no\n',
     '[listener submission]\ndelay_checks = No\n', []),
    ('haste of a service', WELL, SMTP + SUBMISSION + ' -o smtpd_delay_reject=No\n', '',
     ['delay_checks, left at its default, is yes, that of submission/inet is no']),
    ('haste of a service in its section', WELL, SMTP + SUBMISSION + ' -o smtpd_delay_reject=no\n',
     '[listener submission]\ndelay_checks = no\n', []),
    ('haste where mail comes back', WELL,
     SMTP + INNER + ' -o smtpd_delay_reject=no -o receive_override_options=no_milters\n', '', []),
    ('a realm of a service', WELL, SMTP + SUBMISSION + ' -o smtpd_sasl_local_domain=a.example\n', '',
     ['sasl_local_realms, left at its default, lacks a.example, which submission/inet has']),
    ('a realm of a service in its section', WELL,
     SMTP + SUBMISSION + ' -o smtpd_sasl_local_domain=a.example\n',
     '[listener submission]\nsasl_local_realms = a.example\n', []),
    ('several instances', WELL + 'multi_instance_directories = /etc/postfix-out\n', SMTP, '',
     ['note:multi_instance_directories = /etc/postfix-out']),
]


@case('setup postfix --check tells what is wrong, and only that')
def postfix_check():
    for what, main, master, settings, expected in POSTFIX_ROWS:
        done = down(postfix_setup(settings, main, master, '--check', code=1))
        equal(done.stdout, '', what + ': stdout')
        warned(done, expected, what)


# What gatepost.conf lacks of what main.cf has; /FOLDER has the files below.
LACKING_FILES = {'domains': 'one.example x\ntwo.example y\n', 'list': 'three.example\n# no.example\n',
                 'ours': 'one.example two.example\n', 'nets': '198.51.100.0/24\n',
                 'senders': 'a@b.example a\n'}
LOCAL = 'local_domains = localhost mail.example.org localhost.example.org [127.0.0.1]'
LACKING_ROWS = [
    ('nothing', 'virtual_alias_domains = a.example\n', LOCAL + ' a.example\n', []),
    ('a domain', 'virtual_alias_domains = a.example b.example\n', LOCAL + ' a.example\n',
     ['local_domains lacks b.example, which Postfix has: gatepost refuses its mail with 550']),
    ('several', 'relay_domains = a.example\nvirtual_mailbox_domains = b.example\n', LOCAL + '\n',
     ['lacks b.example', 'lacks a.example', 'lacks .a.example']),
    ('what is below', 'relay_domains = a.example\n', LOCAL + ' a.example\n', ['lacks .a.example']),
    ('a table that is named', 'virtual_mailbox_domains = hash:/FOLDER/domains\n',
     LOCAL + ' proxy:texthash:/FOLDER/domains\n', []),
    ('a table whose names are in another file', 'virtual_mailbox_domains = hash:/FOLDER/domains\n',
     LOCAL + ' /FOLDER/ours\n', []),
    ('a table one of whose names is not', 'virtual_mailbox_domains = hash:/FOLDER/domains\n',
     LOCAL + ' one.example\n', ['lacks two.example']),
    ('a table that is not there', 'virtual_mailbox_domains = hash:/FOLDER/none\n', LOCAL + '\n',
     ['lacks hash:/.*/none']),
    ('patterns', 'virtual_mailbox_domains = pcre:/FOLDER/none\n', LOCAL + '\n',
     ['lacks pcre:/.*/none']),
    ('a file', 'virtual_mailbox_domains = /FOLDER/list\n', LOCAL + '\n', ['lacks three.example']),
    ('all of a table', 'virtual_mailbox_domains = static:all\n', LOCAL + '\n',
     ['lacks static:all']),
    ('many', 'virtual_alias_domains = %s\n' % ' '.join('d%d.example' % i for i in range(40)),
     LOCAL + '\n', ['lacks d%d.example' % i for i in range(10)] + ['lacks 30 more']),
    ('SQL', 'virtual_mailbox_domains = mysql:/FOLDER/x.cf\n', LOCAL + '\n',
     ['virtual_mailbox_domains has the table mysql:.*cannot read: list']),
    ('SQL, and domains by hand', 'virtual_mailbox_domains = mysql:/FOLDER/x.cf\n',
     LOCAL + ' a.example\n',
     ['note:local_domains has a.example, for which Postfix does not receive',
      'note:mysql:.*not compared']),
    ('no literal', '', LOCAL.replace(' [127.0.0.1]', '') + '\n',
     [r'note:lacks \[127.0.0.1\]: mail for user@\[ADDRESS\]']),
    ('a domain that was given up', '', LOCAL + ' old.example\n',
     ['note:has old.example, for which Postfix does not receive']),
    ('a network', 'mynetworks = 127.0.0.0/8 [::1]/128 192.0.2.0/24\n', LOCAL + '\n',
     ['mynetworks, left at its default, lacks 192.0.2.0/24']),
    ('a network that nobody comes from, as Debian has it',
     'mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128\n', LOCAL + '\n', []),
    ('half a network', 'mynetworks = 127.0.0.0/8 [::1]/128 192.0.2.0/24\n',
     LOCAL + '\nmynetworks = 127.0.0.0/8 [::1]/128 192.0.2.0/25\n', ['lacks 192.0.2.0/24']),
    ('a network of a file', 'mynetworks = 127.0.0.0/8 /FOLDER/nets\n', LOCAL + '\n',
     ['lacks 198.51.100.0/24']),
    ('the same file', 'mynetworks = 127.0.0.0/8 /FOLDER/nets\n',
     LOCAL + '\nmynetworks = 127.0.0.0/8 /FOLDER/nets\n', []),
    ('a network that is excluded', 'mynetworks = !192.0.2.7 192.0.2.0/24 127.0.0.0/8\n',
     LOCAL + '\nmynetworks = 127.0.0.0/8 192.0.2.0/24\n', ['lacks !192.0.2.7']),
    ('a table of networks', 'mynetworks = cidr:/FOLDER/none\n', LOCAL + '\n',
     ['lacks cidr:/.*none']),
    ('realm', 'smtpd_sasl_local_domain = example.org\n', LOCAL + '\n',
     ['sasl_local_realms, left at its default, lacks example.org']),
    ('the same realm', 'smtpd_sasl_local_domain = example.org\n',
     LOCAL + '\nsasl_local_realms = EXAMPLE.ORG\n', []),
    ('delimiter', 'recipient_delimiter = +-\n', LOCAL + '\nrecipient_delimiter = +\n',
     [r'recipient_delimiter is [+], that of Postfix is [+]-']),
    ('delimiter of one alone', '', LOCAL + '\nrecipient_delimiter = +\n',
     ['recipient_delimiter is [+], that of Postfix is empty']),
    ('owners', 'smtpd_sender_login_maps = hash:/FOLDER/senders\n', LOCAL + '\n',
     ['sender_login_maps, left at its default, lacks hash:']),
    ('owners in LDAP', 'smtpd_sender_login_maps = ldap:/x\n', LOCAL + '\n',
     ['smtpd_sender_login_maps has the table ldap:/x, which gatepost cannot read']),
    ('owners, and where they are', 'smtpd_sender_login_maps = hash:/FOLDER/senders\n',
     LOCAL + '\nsender_login_maps = hash:/FOLDER/senders\nlogin_domains = example.org\n',
     ['login_domains lacks mail.example.org', 'login_domains lacks localhost.example.org',
      'login_domains lacks localhost', 'origin, left at its default, is empty, that of Postfix is '
      'mail.example.org', r'note:login_domains lacks \[127[^ ]* a bare login owns no address there']),
    ('haste', 'smtpd_delay_reject = no\n', LOCAL + '\n', ['delay_checks.* is yes, that of .* no']),
    ('haste in capitals', 'smtpd_delay_reject = NO\n', LOCAL + '\ndelay_checks = No\n', []),
    ('patience in capitals', '', LOCAL + '\ndelay_checks = YES\n', []),
    ('patience', '', LOCAL + '\ndelay_checks = no\n', ['delay_checks is no, that of .* yes']),
    ('a list that cannot be read', '', 'local_domains = hash:/FOLDER/none\n',
     ['local_domains cannot be compared: see gatepostctl check']),
]


@case('setup postfix --check tells what gatepost.conf lacks')
def postfix_lacking():
    folder = place.folder('gatepost-lacking-')
    for name, text in LACKING_FILES.items():
        place.write(os.path.join(folder, name), text)
    for what, main, settings, expected in LACKING_ROWS:
        done = down(postfix_setup(settings.replace('/FOLDER', folder),
                                  WELL + main.replace('/FOLDER', folder), SMTP, '--check', code=1))
        warned(done, expected, what)


@case('setup postfix warns beside the lines, too, and exits 0')
def postfix_warnings():
    done = postfix_setup('untrusted_listeners = ONION\n', 'milter_default_action = accept\n')
    warned(done, ['milter_default_action = accept', 'untrusted_listeners'], 'warnings')


@case('the socket that is there decides who may connect')
def postfix_live_socket():
    folder = place.folder('gatepost-socket-')
    path = folder + '/s'
    server = socket.socket(socket.AF_UNIX)
    server.bind(path)
    main = WELL.replace(OURS, 'unix:' + path)
    for folder_mode, mode, expected in ((0o755, 0o666, []), (0o755, 0o600, ['may not connect']),
                                        (0o700, 0o666, ['may not enter %s' % folder])):
        os.chmod(folder, folder_mode)
        os.chmod(path, mode)
        done = postfix_setup(UNIX % path, main, SMTP, '--check', code=1)
        warned(done, expected, '%o %o' % (folder_mode, mode))
    server.close()


@case('setup postfix --remove prints how to take gatepost out, and nothing where it is not in')
def postfix_remove():
    main = ('smtpd_milters = %s, { unix:dkim, command_timeout=9s }\nnon_smtpd_milters = %s\n'
            % (OURS, OURS))
    master = SMTP + SUBMISSION + '  -o { smtpd_milters = unix:/run/gatepost/old.sock, unix:x }\n'
    done = postfix_setup('', main, master, '--remove')
    equal([words[3] for words in done.commands], ['-e', '-P'], 'options')
    equal([word.replace('{ ', '{').replace(' }', '}') for words in done.commands
           for word in words[4:]],
          ['smtpd_milters = {unix:dkim, command_timeout=9s}', 'non_smtpd_milters =',
           'submission/inet/smtpd_milters = unix:x'])
    match('(?m)^postfix -c .* reload$', done.stdout)
    equal(len(done.stdout.splitlines()), 3, done.stdout)
    for settings in ('', 'mode = banana\n'):
        done = postfix_setup(settings, 'smtpd_milters = unix:dkim\n', SMTP, '--remove')
        equal((done.stdout, done.stderr), ('', ''), 'it is not in')
    exits(ctl.Settings().run('setup', 'postfix', '--remove', '--check'), 64)
    match('Take the line of the filter gatepost out of .*sendmail.mc',
          Sendmail(GOOD).setup('', '--remove').stdout)
    equal(Sendmail(CF).setup('', '--remove').stdout, '', 'it is not in')


@case('what the timer runs tells what has changed, and that once')
def changes():
    script = os.path.join(os.environ['GATEPOST_BUILD'], 'packaging/systemd/check-setup')
    settings = ctl.Settings('local_domains = example.org\n')
    state = place.folder('gatepost-check-')

    def look():
        done = subprocess.run(['sh', script], capture_output=True, text=True, env=dict(
            os.environ, STATE_DIRECTORY=state,
            GATEPOSTCTL='%s -c %s' % (ctl.gatepost.CONTROL, settings.file)))
        equal(done.stderr, '', 'stderr')
        return done.returncode, done.stdout
    look()
    equal(look(), (0, ''), 'nothing has changed')
    mistake = settings.file + ':6: error: unknown parameter "moed"'
    place.write(settings.file, ctl.SURROUNDINGS + 'moed = monitor\n')
    code, text = look()
    equal(code, 1, 'exit, something new is wrong')
    match('(?m)^new: ' + re.escape(mistake), text)
    equal(look(), (0, ''), 'told once')
    place.write(settings.file, ctl.SURROUNDINGS + 'local_domains = example.org\n')
    match('(?m)^gone: ' + re.escape(mistake), look()[1])
    equal(os.listdir(state), ['last'], 'nothing is left behind')

    # what cannot be sorted into its file, for want of room, is not taken for what has gone
    os.mkdir(state + '/bin')
    place.write(state + '/bin/sort', '#!/bin/sh\nhead -n 1\nexit 2\n')
    os.chmod(state + '/bin/sort', 0o755)
    with open(state + '/last', encoding='utf-8') as handle:
        last = handle.read()
    done = subprocess.run(['sh', script], capture_output=True, text=True, env=dict(
        os.environ, STATE_DIRECTORY=state, PATH=state + '/bin:' + os.environ['PATH'],
        GATEPOSTCTL='%s -c %s' % (ctl.gatepost.CONTROL, settings.file)))
    equal((done.returncode, done.stdout), (1, ''), 'exit, said')
    with open(state + '/last', encoding='utf-8') as handle:
        equal(handle.read(), last, 'what is compared with next time')

    # a note is told, and is no failure
    place.write(state + '/ctl', '#!/bin/sh\necho "gatepostctl: note: as it is" >&2\n')
    os.chmod(state + '/ctl', 0o755)
    done = subprocess.run(['sh', script], capture_output=True, text=True,
                          env=dict(os.environ, STATE_DIRECTORY=state, GATEPOSTCTL=state + '/ctl'))
    equal(done.returncode, 0, 'exit, a note is new')
    match('(?m)^new: gatepostctl: note: as it is', done.stdout)


@case('setup postfix withstands any configuration')
def postfix_hostile():
    for main, master in (
            ('smtpd_milters = {\n', SMTP), ('smtpd_milters = }{ {{\n', SMTP),
            ('smtpd_milters = { }, {}, {,}, ,\n', SMTP), ('smtpd_milters = \x1b[31m\n', SMTP),
            ('smtpd_milters = \'$(touch /x)\', `x`\n', SMTP), ('nonsense\n', SMTP),
            ('mydestination = ' + 'x, ' * 20000 + '\n', SMTP), ('', ''), ('', 'smtp inet\n'),
            ('', 'a/b/c unix - - n - - smtpd -o a=b\n'), ('smtpd_milters = $smtpd_milters\n', SMTP),
            ('smtpd_milters = unix:\x9b31m unix:a\u202eb\n', SMTP), ('mydestination = a\x9bb\n', SMTP),
            ('', '\x1b[31mx inet n - n - - smtpd -o smtpd_delay_reject=no -o milter_macro_daemon_name=a\n'),
            ('', 'x inet n - n - - smtpd -o smtpd_delay_reject=no -o milter_macro_daemon_name=a\x9bb\n'),
            ('mynetworks = \x01\n', SMTP), ('', SMTP + ' -o\n'), ('', '\x00\x01\n')):
        if not shutil.which('postconf', path=os.environ.get('PATH', '') + ':/usr/sbin'):
            raise Skip('postconf is not here')
        folder = ctl.Postfix(main, master).folder
        done = ctl.Settings().run('setup', 'postfix', '--mta-config', folder)
        true(done.returncode in (0, 78), 'exit %d of %r %r' % (done.returncode, main[:40], master))
        absent('[\x1b\x9b\u202e]', done.stdout + done.stderr, 'an escape sequence')
        for line in done.stdout.splitlines():
            shlex.split(line, comments=True)


if __name__ == '__main__':
    run()
