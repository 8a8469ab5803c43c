# SPDX-License-Identifier: BSD-2-Clause
"""A recipe of packaging/recipes at work: its files as they stand, behind a private Postfix that is
otherwise as a site has it. Only hosts' ports and paths are put in place of those in the files."""
import contextlib
import os
import re
import shutil
import subprocess

import gatepost
import place
import postfix
import smtp
import tap

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDER = TOP + '/packaging/recipes'
DOMAIN = 'example.org'
XCLIENT = ' -o smtpd_authorized_xclient_hosts=127.0.0.0/8'

# A Postfix as Debian ships it, for this domain.
STOCK = {'myhostname': 'mail.example.org', 'mydomain': DOMAIN, 'myorigin': DOMAIN,
         'mydestination': 'example.org, mail.example.org, localhost',
         'smtpd_sasl_local_domain': DOMAIN, 'smtpd_recipient_restrictions': '',
         'smtpd_relay_restrictions': 'permit_mynetworks, permit_sasl_authenticated, '
                                     'defer_unauth_destination'}
# One that refuses nothing: what it refuses is gatepost's doing. XCLIENT needs a restriction.
CARELESS = {'smtpd_relay_restrictions': '',
            'smtpd_recipient_restrictions': 'check_client_access static:OK, reject',
            'smtpd_tls_auth_only': 'no'}


def names():
    return sorted(name for name in os.listdir(FOLDER) if os.path.isdir(os.path.join(FOLDER, name)))


def read(name, file):
    """A file of a recipe; '' if it has none."""
    try:
        with open(os.path.join(FOLDER, name, file), encoding='utf-8') as handle:
            return handle.read()
    except FileNotFoundError:
        return ''


def logical_lines(text):
    """Lines without comments, those that continue one joined to it."""
    lines = []
    for line in text.splitlines():
        if line.startswith((' ', '\t')) and lines:
            lines[-1] += ' ' + line.strip()
        elif line and not line.startswith('#'):
            lines.append(line)
    return lines


def main_cf(name):
    """The parameters of a recipe's main.cf."""
    return dict(re.match(r'(\S+)\s*=\s*(.*)', line).groups()
                for line in logical_lines(read(name, 'main.cf')))


def master_cf(name):
    """The services of a recipe's master.cf: name -> options. Port 25 is always there."""
    services = {'smtp': '-o milter_macro_daemon_name=smtp'}
    for line in logical_lines(read(name, 'master.cf')):
        words = line.split(None, 8)
        tap.equal((words[1], words[7]), ('inet', 'smtpd'), 'a line of master.cf')
        services[words[0]] = words[8]
    return {service: options + XCLIENT for service, options in services.items()}


class Recipe:
    """name: the folder. file: its settings; main.cf is for gatepost.conf's host. more: settings that a
    test alone needs, a DNS server. careless: Postfix itself refuses nothing."""

    def __init__(self, name, file='gatepost.conf', more='', careless=False):
        self.gatepost = gatepost.Gatepost({'local_domains': None, 'sasl_local_realms': None})
        shutil.copytree(os.path.join(FOLDER, name), self.gatepost.folder, dirs_exist_ok=True)
        own = ''.join('%s = %s\n' % item for item in self.gatepost.settings.items() if item[1])
        self.gatepost.write(own + more + self.substituted(read(name, file)))
        services = master_cf(name)
        if careless:
            services = {service: options.replace('level=encrypt', 'level=may')
                        for service, options in services.items()}
        self.postfix = postfix.Postfix(self.gatepost.milter(), services=services)
        self.certs, self.sink = self.postfix.certs, self.postfix.sink
        main = {**STOCK, **(main_cf(name) if file == 'gatepost.conf' else {}),
                **(CARELESS if careless else {}),
                'relay_transport': 'smtp:[127.0.0.1]:%d' % self.sink.server_address[1]}
        self.postfix.configure(self.gatepost.milter(), {
            key: value.replace('/etc/postfix/our-ca.pem', self.certs.file('ca.pem'))
            for key, value in main.items()})
        self.make_logins()

    @staticmethod
    def substituted(text):
        return text.replace('/usr/share/gatepost/rules', TOP + '/rules')

    def make_logins(self):
        for user in ('bob', 'carol'):
            subprocess.run(['saslpasswd2', '-p', '-c', '-f', self.postfix.folder + '/etc/sasldb2',
                            '-u', DOMAIN, user], input=b'secret', check=True, capture_output=True)

    def __enter__(self):
        self.gatepost.start()
        self.postfix.start()
        return self

    def __exit__(self, *ignored):
        self.postfix.stop()
        tap.equal(self.gatepost.stop(), 0, 'exit code of gatepost')
        tap.equal(self.gatepost.sanitizer_report(), '', 'sanitizer report')
        self.sink.stop()

    def check(self):
        """gatepostctl check, on the very file that the daemon reads: (exit code, messages)."""
        done = self.gatepost.control('check')
        return done.returncode, done.stderr.strip()

    @contextlib.contextmanager
    def session(self, service='smtp', address=None, cert=None, login=None, tls=False):
        """A session with a service of the recipe. address: of the client, by XCLIENT."""
        wrapped = 'wrappermode=yes' in self.postfix.services[service]
        pair = cert and (self.certs.file(cert + '.pem'), self.certs.file(cert + '.key'))
        dialog = smtp.Dialog(self.postfix.ports[service], tls=wrapped, cert=pair)
        try:
            if address:
                tap.match('^220', dialog.xclient(NAME='host.example', ADDR=address), 'XCLIENT')
            if (tls or cert or login) and not wrapped:
                tap.match('^220', dialog.starttls(pair), 'STARTTLS')
            if login:
                tap.match('^235', dialog.auth(login), 'AUTH')
            yield dialog
        finally:
            dialog.close()
