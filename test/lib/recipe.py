# SPDX-License-Identifier: BSD-2-Clause
"""A recipe of packaging/recipes at work: its files as they stand, behind a private Postfix that is
otherwise as a site has it, or a Sendmail. Only ports, paths and the name of the CA are put in place
of those in the files."""
import contextlib
import os
import re
import shutil
import subprocess

import gatepost
import place
import postfix
import scene
import sendmail
import tap

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDER = TOP + '/packaging/recipes'
DOMAIN = 'example.org'
DAEMON = re.compile(r"DAEMON_OPTIONS\(`Name=(\w+),(?: Addr=127\.0\.0\.1,)? Port=\d+(.*)'\)dnl$")
XCLIENT = ' -o smtpd_authorized_xclient_hosts=127.0.0.0/8'

# A Postfix as Debian ships it, for this domain.
STOCK = {'myhostname': 'mail.example.org', 'mydomain': DOMAIN, 'myorigin': DOMAIN,
         'mydestination': 'example.org, mail.example.org, localhost',
         'smtpd_sasl_local_domain': DOMAIN, 'smtpd_recipient_restrictions': '',
         'smtpd_relay_restrictions': 'permit_mynetworks, permit_sasl_authenticated, '
                                     'defer_unauth_destination'}
# The same of Sendmail, whose test configuration relays for everybody.
STOCK_MC = 'undefine(`_PROMISCUOUS_RELAY_\')dnl\nLOCAL_DOMAIN(`%s\')dnl\n'
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


def main_cf(name, file='main.cf'):
    """The parameters of a recipe's main.cf."""
    return dict(re.match(r'(\S+)\s*=\s*(.*)', line).groups()
                for line in logical_lines(read(name, file)))


def master_cf(name):
    """The services of a recipe's master.cf, by the names of the listeners: their options. Port 25,
    which is always there, is called mx."""
    services = {'smtp': '-o milter_macro_daemon_name=smtp'}
    for line in logical_lines(read(name, 'master.cf')):
        words = line.split(None, 8)
        tap.equal((words[1], words[7]), ('inet', 'smtpd'), 'a line of master.cf')
        services[re.search(r'milter_macro_daemon_name=(\S+)', words[8])[1]] = words[8]
    services['mx'] = services.pop('smtp')
    return {service: options + XCLIENT for service, options in services.items()}


def sendmail_mc(name):
    """The listeners of a recipe's sendmail.mc, likewise, and its other lines."""
    services, lines = {'smtp': 'Name=smtp'}, []
    for line in read(name, 'sendmail.mc').splitlines():
        daemon = DAEMON.match(line)
        if daemon:
            services[daemon[1]] = 'Name=' + daemon[1] + daemon[2]
        elif line != "FEATURE(`no_default_msa')dnl":  # it is there already
            lines.append(line.replace('/etc/mail/tls/our-ca', '/etc/mail/certs/ca')
                         .replace('/etc/mail/tls', '/etc/mail/certs') + '\n')
    services['mx'] = services.pop('smtp')
    return services, ''.join(lines)


class Recipe:
    """name: the folder. file: its settings; main.cf is for gatepost.conf's host. more: settings
    that a test alone needs, a DNS server. careless: the MTA itself refuses nothing. instead: what
    stands in the test for words of the file."""

    def __init__(self, name, file='gatepost.conf', more='', careless=False, instead=()):
        own = {'local_domains': None, 'sasl_local_realms': None}
        if '\nstate = ' in read(name, file):
            own['state'] = None
        self.gatepost = gatepost.Gatepost(own)
        self.instead = {'/etc/gatepost/': self.gatepost.folder + '/',
                        '/usr/share/gatepost/rules': TOP + '/rules', **dict(instead)}
        shutil.copytree(os.path.join(FOLDER, name), self.gatepost.folder, dirs_exist_ok=True)
        own = ''.join('%s = %s\n' % item for item in self.gatepost.settings.items() if item[1])
        self.gatepost.write(own + more + self.substituted(read(name, file)))
        self.mta = (self.behind_postfix(name, file, careless) if scene.MTA == 'postfix'
                    else self.behind_sendmail(name, careless))
        self.postfix = self.mta if scene.MTA == 'postfix' else None
        self.certs, self.sink = self.mta.certs, self.mta.sink

    def behind_postfix(self, name, file, careless):
        services = master_cf(name)
        if careless:
            services = {service: options.replace('level=encrypt', 'level=may')
                        for service, options in services.items()}
        mta = postfix.Postfix(self.gatepost.milter(), services=services)
        main = {**STOCK, **(main_cf(name) if file == 'gatepost.conf' else {}),
                **(CARELESS if careless else {}),
                'relay_transport': 'smtp:[127.0.0.1]:%d' % mta.sink.server_address[1]}
        mta.configure(self.gatepost.milter(), {
            key: value.replace('/etc/postfix/our-ca.pem', mta.certs.file('ca.pem'))
            for key, value in main.items()})
        for user in ('bob', 'carol'):
            subprocess.run(['saslpasswd2', '-p', '-c', '-f', mta.folder + '/etc/sasldb2', '-u',
                            DOMAIN, user], input=b'secret', check=True, capture_output=True)
        return mta

    def behind_sendmail(self, name, careless):
        services, lines = sendmail_mc(name)
        if careless:
            services = {service: options.replace('M=Ea', 'M=E')
                        for service, options in services.items()}
            lines = re.sub('define.`confAUTH_OPTIONS.*', '', lines)
        else:
            lines += STOCK_MC % ('mx2.example.net' if 'RELAY_DOMAIN' in lines else DOMAIN)
        mta = sendmail.Sendmail(lines, services)
        mta.filter_by(self.gatepost, lambda printed: lines + printed)
        if 'access_db' in lines:
            self.make_access(mta, read(name, 'access'))
        return mta

    @staticmethod
    def make_access(mta, text):
        """The access table, for the CA of the tests."""
        text = text.replace('/O=Example/CN=Our+20CA', '/O=Gatepost+20Test/CN=Test+20Root+20CA')
        subprocess.run([sendmail.TREE + '/usr/libexec/sendmail/makemap', '-C', '/dev/null', '-s',
                        'hash', mta.path('/etc/mail/access')], input=text.encode(), check=True,
                       capture_output=True)

    def substituted(self, text):
        for word, mine in self.instead.items():
            text = text.replace(word, mine)
        return text

    def __enter__(self):
        self.gatepost.start()
        self.mta.start()
        return self

    def __exit__(self, *ignored):
        self.mta.stop()
        tap.equal(self.gatepost.stop(), 0, 'exit code of gatepost')
        tap.equal(self.gatepost.sanitizer_report(), '', 'sanitizer report')
        self.sink.stop()

    def check(self):
        """gatepostctl check, on the very file that the daemon reads: (exit code, messages)."""
        done = self.gatepost.control('check')
        return done.returncode, done.stderr.strip()

    @contextlib.contextmanager
    def session(self, service='mx', address=None, cert=None, login=None, tls=False):
        """A session with a listener of the recipe. address: of the client."""
        wrapped = self.wrapped(service)
        pair = cert and (self.certs.file(cert + '.pem'), self.certs.file(cert + '.key'))
        source = self.source(address)
        dialog = self.mta.dialog(self.mta.ports[service], source, tls=wrapped, cert=pair)
        try:
            if address and not source:
                tap.match('^220', dialog.xclient(NAME='host.example', ADDR=address), 'XCLIENT')
            if (tls or cert or login) and not wrapped:
                tap.match('^220', dialog.starttls(pair), 'STARTTLS')
            if login:
                tap.match('^235', dialog.auth(login), 'AUTH')
            yield dialog
        finally:
            dialog.close()

    def wrapped(self, service):
        """Whether TLS begins at once."""
        return bool(re.search('wrappermode=yes|M=[A-Za-z]*s', self.mta.services[service]))

    def source(self, address):
        """Where a client binds to come from there truly, as Sendmail's do."""
        if self.postfix or not address:
            return None
        address = address.replace('IPV6:', '')
        self.mta.host(address, 'host.example')
        return address
