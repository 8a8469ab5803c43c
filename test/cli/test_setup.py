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


if __name__ == '__main__':
    run()
