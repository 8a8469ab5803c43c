# SPDX-License-Identifier: BSD-2-Clause
"""The survey and real MTAs: Postfix and Sendmail as MX hosts, and Postfix that sends to onion
services by the recipe "onion"."""
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + '/../lib')
import gatepost  # noqa: E402
import maillab  # noqa: E402
import place  # noqa: E402
import postfix  # noqa: E402
import sendmail  # noqa: E402
import sink  # noqa: E402
import tap  # noqa: E402
from maillab import Forward, Socks, self_signed, tlsa  # noqa: E402
from tap import Skip, case, equal, match, true, until  # noqa: E402

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WEAK = '-o tls_medium_cipherlist=ALL:@SECLEVEL=0 -o smtpd_tls_ciphers=medium'
# name: master.cf's options, what the survey says of it
POSTFIX = {
    'good': ('', {'state': 'ok', 'tls': 'TLS 1.3', 'names': False}),
    'twelve': ('-o smtpd_tls_protocols=TLSv1.2', {'state': 'ok', 'tls': 'TLS 1.2'}),
    'old': ('-o smtpd_tls_protocols=TLSv1 ' + WEAK, {'state': 'ok', 'tls': 'TLS 1.0'}),
    'none': ('-o smtpd_tls_security_level=none', {'state': 'no-starttls'}),
    'nocert': ('-o smtpd_tls_cert_file=none -o smtpd_tls_key_file=none '
               '-o smtpd_tls_ask_ccert=no '
               '-o smtpd_tls_protocols=TLSv1.2', {'state': 'ok', 'tls': 'TLS 1.2', 'sha256': None}),
    'reject': ('-o smtpd_client_restrictions=reject -o smtpd_delay_reject=no',
               {'state': 'blocked'}),
}
TRUSTED = {'chain': 'trusted', 'expired': False, 'self_signed': False, 'name_matches': True}
# name: how the certificate for the host mNAME.lab is made, what the survey says of it, and of all
CERTIFICATES = {
    'cgood': (lambda w, host: w.ca.issue(host), TRUSTED, r'1 server: TLS 1\.[23]$'),
    'cself': (lambda w, host: self_signed(w.folder, host),
              dict(TRUSTED, chain='self-signed', self_signed=True), 'self-signed certificate$'),
    'cexpired': (lambda w, host: w.ca.issue(host, expired=True), dict(TRUSTED, expired=True),
                 r'certificate expired on 20\d\d-\d\d-\d\d$'),
    'cother': (lambda w, host: w.ca.issue('mail.elsewhere.lab'), dict(TRUSTED, name_matches=False),
               'certificate of another name$'),
    'cown': (lambda w, host: w.own.issue(host), dict(TRUSTED, chain='untrusted'),
             r'certificate of an unknown authority \(CN=Provider CA\)$'),
    # what DANE's "3 1 1" says of the key counts, not name and dates
    'cdane': (lambda w, host: self_signed(w.folder, 'another.name', expired=True),
              dict(TRUSTED, chain='self-signed', self_signed=True, expired=True,
                   name_matches=False), 'DANE ok'),
}


class World:
    def __init__(self):
        self.folder = place.folder('gatepost-mtas-')
        self.ca = maillab.Authority(self.folder)
        self.own = maillab.Authority(self.folder, 'Provider CA')
        self.certificates = {name: row[0](self, 'm%s.lab' % name)
                             for name, row in CERTIFICATES.items()}
        services = {name: row[0] for name, row in POSTFIX.items()}
        services.update((name, '-o smtpd_tls_cert_file=%s -o smtpd_tls_key_file=%s' % (file, file))
                        for name, file in self.certificates.items())
        self.postfix = postfix.Postfix(services=services)
        self.postfix.start()
        self.forwards = {}
        lab = 'survey A 192.0.2.240\n'
        for number, name in enumerate(services, 200):
            self.forwards[name] = Forward('192.0.2.%d' % number, self.postfix.ports[name])
            lab += '%s MX 10 m%s\nm%s A 192.0.2.%d\n' % (name, name, name, number)
        lab += '_25._tcp.mcdane TLSA %s\n' % tlsa(self.certificates['cdane'], 3)
        self.dns = maillab.Dns(self.folder)
        self.dns.zone('', '')
        self.dns.zone('lab', lab)
        self.dns.start()
        self.conf = place.write(self.folder + '/gatepost.conf', 'user = root\n'
                                'dns_servers = 127.0.0.1\n')

    def survey(self, *words):
        return {f['domain']: f for f in map(json.loads, self.text('--json', *words).splitlines())}

    def text(self, *words):
        done = subprocess.run([gatepost.CONTROL, '-c', self.conf, 'survey', '--helo',
                               'survey.lab', '--ca-file', self.ca.file, '--confirm', '0', '--db',
                               self.folder + '/survey.db', *words],
                              capture_output=True, text=True, timeout=120)
        equal(done.returncode, 0, done.stderr)
        return done.stdout

    def check_certificates(self, *names):
        """What is said of them, in JSON and in words."""
        domains = [name + '.lab' for name in names]
        found = self.survey(*domains)
        text = self.text(*domains)
        for name in names:
            one = found[name + '.lab']
            equal(one['state'], 'ok', name)
            equal({fact: one['certificate'][fact] for fact in TRUSTED}, CERTIFICATES[name][1], name)
            equal(one['dane']['state'], 'ok' if name == 'cdane' else 'none', name)
            match(r'(?m)^%s\.lab: .*%s' % (name, CERTIFICATES[name][2]), text)
        return [found[domain] for domain in domains]


@case('Postfix, set up in each way')
def postfixes(world):
    mark = world.postfix.log_mark()
    found = world.survey(*[name + '.lab' for name in POSTFIX])
    for name, (_, wanted) in POSTFIX.items():
        one = found[name + '.lab']
        equal(one['state'], wanted['state'], name)
        equal(one['tls']['version'], wanted.get('tls'), name)
        if 'sha256' in wanted:
            equal(one['certificate']['sha256'], None, name)
    equal(found['good.lab']['certificate']['name_matches'], False)
    # it heard no MAIL, and was not left without a word
    log = world.postfix.log_after(mark)
    match('disconnect from .* ehlo=1 starttls=1 quit=1 commands=3', log)
    tap.absent('mail=1|lost connection after', log)


@case('Postfix with certificates of every kind')
def postfix_certificates(world):
    for found in world.check_certificates(*CERTIFICATES):
        match('Postfix', found['banner'])


@case('Sendmail with certificates of every kind')
def sendmails(world):
    reason = sendmail.missing()
    if reason:
        raise Skip(reason)
    mta = sendmail.Sendmail(services={'mx': sendmail.SERVICES['mx']})
    try:
        for name in CERTIFICATES:
            mta.stop()
            for file in ('server.pem', 'server.key'):
                shutil.copy(world.certificates[name], mta.path('/etc/mail/certs/' + file))
            os.chmod(mta.path('/etc/mail/certs/server.key'), 0o600)
            mta.start()
            world.forwards[name].port = mta.ports['mx']
            found = world.check_certificates(name)[0]
            match('^TLS 1.[23]$', found['tls']['version'])
            match('Sendmail', found['banner'])
    finally:
        mta.stop()


@case('the recipe onion: mail goes to the onion service that the map names, and nowhere else')
def onion_sending(world):
    if not shutil.which('torsocks'):
        raise Skip('torsocks is missing')
    recipe = TOP + '/packaging/recipes/onion/'
    name = 'pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion'
    end = sink.Sink(place.port())
    socks = Socks({name + ':25': end.server_address[1]})
    daemons = world.folder + '/daemons'
    os.mkdir(daemons)
    for file in os.listdir('/usr/lib/postfix/sbin'):
        os.symlink('/usr/lib/postfix/sbin/' + file, daemons + '/' + file)
    shutil.copy(recipe + 'smtp-tor', daemons + '/smtp-tor')
    map_file = place.write(world.folder + '/onion',
                           'far.example smtptor:[%s]\nlost.example smtptor:[%s]:2525\n'
                           % (name, name))
    sending = open(recipe + 'sending-main.cf').read()
    setting = [line for line in sending.splitlines() if not line.startswith('#')][0].split(' = ')
    site = postfix.Postfix(settings={'daemon_directory': daemons, 'smtpd_milters': '',
                                     'non_smtpd_milters': '',
                                     setting[0]: setting[1].replace('/etc/postfix/onion', map_file)})
    with open(recipe + 'sending-master.cf') as lines, open(site.folder + '/etc/master.cf', 'a') as to:
        to.write(lines.read())
    os.utime(site.folder + '/etc/master.cf', (1e9, 1e9))
    site.start()
    try:
        site.sendmail(b'Subject: over Tor\n\nhello\n', '-f', 'a@lab.test', 'bob@far.example')
        site.sendmail(b'Subject: lost\n\nhello\n', '-f', 'a@lab.test', 'bob@lost.example')
        site.sendmail(b'Subject: in clear\n\nhello\n', '-f', 'a@lab.test', 'bob@clear.example')
        until(lambda: end.messages('over Tor'), 30, 'the mail at the service')
        until(lambda: site.sink.messages('in clear'), 30, 'the other mail')
        until(lambda: 'status=deferred' in site.log(), 30, 'the mail for a port that nobody has')
        equal(sorted(set(socks.asked)), [name + ':25', name + ':2525'], 'what Tor was asked for')
        equal(len(site.sink.messages()), 1, 'what went in clear')
    except tap.Failure:
        tap.note(site.log()[-3000:])
        raise
    finally:
        site.stop()


if __name__ == '__main__':
    reason = gatepost.missing() or maillab.missing() or postfix.missing()
    if reason:
        tap.skip_all(reason)
    tap.run(setup=World)
