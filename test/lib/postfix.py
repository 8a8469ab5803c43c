# SPDX-License-Identifier: BSD-2-Clause
"""A private Postfix: its own configuration, queue, data and log under one folder, its own ports on
loopback. It never reads or writes /etc/postfix, and needs root because Postfix does."""
import atexit
import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess

import place
import sink
import smtp
import tap

MASTER = '/usr/lib/postfix/sbin/master'
QUEUES = ('active', 'bounce', 'corrupt', 'defer', 'deferred', 'flush', 'hold', 'incoming',
          'private', 'saved', 'trace')

MAIN = '''
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
shlib_directory = /usr/lib/postfix
meta_directory = {folder}/etc
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/maillog
maillog_file_prefixes = {folder}
myhostname = mail.lab.test
mydomain = lab.test
myorigin = lab.test
mydestination = lab.test, mail.lab.test, localhost
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = all
alias_maps =
alias_database =
recipient_delimiter = +
# Postfix itself relays everything: what stays out, gatepost has kept out.
smtpd_relay_restrictions =
smtpd_recipient_restrictions = check_client_access static:OK, reject_unauth_destination
local_recipient_maps = regexp:{folder}/etc/local_recipients
# All that is delivered goes to the sink, where it can be counted.
local_transport = smtp:[127.0.0.1]:{sink}
relayhost = [127.0.0.1]:{sink}
smtp_dns_support_level = disabled
smtp_tls_security_level = none
smtpd_peername_lookup = yes
smtpd_client_connection_count_limit = 0
# Postfix would wait before each reply that says no.
smtpd_error_sleep_time = 0
header_size_limit = 4096000
message_size_limit = 51200000
milter_protocol = 6
milter_default_action = tempfail
milter_connect_timeout = 30s
milter_command_timeout = 30s
milter_content_timeout = 60s
smtpd_milters = {milter}
non_smtpd_milters = {milter}
smtpd_tls_security_level = may
smtpd_tls_cert_file = {certs}/server.pem
smtpd_tls_key_file = {certs}/server.key
smtpd_tls_CAfile = {certs}/ca.pem
smtpd_tls_ask_ccert = yes
smtpd_tls_session_cache_database =
smtpd_sasl_type = cyrus
smtpd_sasl_path = smtpd
cyrus_sasl_config_path = {folder}/etc/sasl
smtpd_sasl_local_domain = lab.test
smtpd_sasl_security_options = noanonymous
'''

# name -> what master.cf adds to smtpd. The first line of each is told to the milter as
# {daemon_name}, the way an administrator names listeners.
SERVICES = {
    'mx': '',
    'submission': '-o milter_macro_daemon_name=submission -o smtpd_sasl_auth_enable=yes'
                  ' -o smtpd_tls_auth_only=yes',
    'clearauth': '-o milter_macro_daemon_name=clearauth -o smtpd_sasl_auth_enable=yes',
    'clearsubmission': '-o milter_macro_daemon_name=submission -o smtpd_sasl_auth_enable=yes',
    'smtps': '-o milter_macro_daemon_name=submissions -o smtpd_sasl_auth_enable=yes'
             ' -o smtpd_tls_wrappermode=yes',
    'onion': '-o milter_macro_daemon_name=ONION -o mynetworks=',
    'xclient': '-o milter_macro_daemon_name=xclient -o smtpd_sasl_auth_enable=yes'
               ' -o smtpd_authorized_xclient_hosts=127.0.0.0/8,192.0.2.0/24',
}

MASTER_REST = '''
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - - smtp
lmtp      unix  - - n - - lmtp
relay     unix  - - n - - smtp
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
local     unix  - n n - - local
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
'''


def missing():
    """Why no Postfix can be started here, or ''."""
    if os.geteuid() != 0:
        return 'Postfix can be started by root only'
    for program in (MASTER, '/usr/sbin/postsuper', '/usr/sbin/saslpasswd2', '/usr/bin/openssl'):
        if not os.path.exists(program):
            return program + ' is missing'
    return ''


class Postfix:
    name = 'Postfix'
    dialog = smtp.Dialog
    # What its log must not hold after any test.
    troubles = 'panic:|milter8.*(bad state|unexpected)|malformed reply'

    def __init__(self, milter='', settings=None, services=SERVICES):
        """milter: as in smtpd_milters. settings: main.cf parameters that differ."""
        self.folder = place.folder('gatepost-postfix-')
        self.ports = {name: place.port() for name in services}
        self.services = services
        self.sink = sink.Sink(place.port())
        self.certs = place.Certificates(self.folder + '/certs')
        self.process = None
        self.make_folders()
        self.configure(milter, settings or {})
        self.make_logins()

    def make_folders(self):
        postfix = pwd.getpwnam('postfix')
        postdrop = grp.getgrnam('postdrop').gr_gid
        for name in ('etc/sasl', 'queue/pid', 'data'):
            os.makedirs(os.path.join(self.folder, name))
        for name in QUEUES + ('maildrop', 'public'):
            path = os.path.join(self.folder, 'queue', name)
            os.makedirs(path, 0o700)
            os.chown(path, postfix.pw_uid, -1)
        for name, mode in (('maildrop', 0o1730), ('public', 0o2710)):
            path = os.path.join(self.folder, 'queue', name)
            os.chown(path, postfix.pw_uid, postdrop)
            os.chmod(path, mode)
        os.chown(self.folder + '/data', postfix.pw_uid, postfix.pw_gid)

    def configure(self, milter, settings):
        etc = self.folder + '/etc/'
        main = MAIN.format(folder=self.folder, certs=self.certs.path, milter=milter,
                           sink=self.sink.server_address[1])
        # A parameter that stands twice has every daemon warn, until the log's socket is full.
        kept = [line for line in main.splitlines() if line.split('=')[0].strip() not in settings]
        place.write_old(etc + 'main.cf', '\n'.join(
            kept + ['%s = %s' % item for item in settings.items()]) + '\n')
        place.write_old(etc + 'master.cf', ''.join(
            '127.0.0.1:%d inet n - n - - smtpd\n  -o syslog_name=postfix/%s %s\n'
            % (self.ports[name], name, options)
            for name, options in self.services.items()) + MASTER_REST)
        place.write_old(etc + 'dynamicmaps.cf', '')
        place.write_old(etc + 'local_recipients', '!/^unknown/ known\n')

    def make_logins(self):
        """Cyrus SASL's smallest backend: a file, read in process."""
        etc = self.folder + '/etc/'
        place.write(etc + 'sasl/smtpd.conf',
                    'pwcheck_method: auxprop\nauxprop_plugin: sasldb\n'
                    'mech_list: PLAIN LOGIN CRAM-MD5\nsasldb_path: %ssasldb2\n' % etc)
        for user in ('bob', 'carol', 'root'):
            subprocess.run(['saslpasswd2', '-p', '-c', '-f', etc + 'sasldb2', '-u', 'lab.test',
                            user], input=b'secret', check=True, capture_output=True)
        shutil.chown(etc + 'sasldb2', 'postfix')

    def outsider(self, address, name, greet='client.example.com', **more):
        """A session of a client from elsewhere, by XCLIENT. address: IPV6:... for IPv6. name:
        unknown for none."""
        dialog = self.dialog(self.ports['xclient'])
        if name == 'unknown':
            name = '[UNAVAILABLE]'
            more = {'REVERSE_NAME': name, **more}
        reply = dialog.xclient(greet, NAME=name, ADDR=address, **more)
        tap.match('^220', reply, 'XCLIENT')
        return dialog

    def environment(self):
        return dict(os.environ, MAIL_CONFIG=self.folder + '/etc',
                    PATH='/usr/sbin:/usr/bin:/sbin:/bin')

    def command(self, *arguments, data=b'', check=True):
        """Runs one of Postfix's commands on this instance."""
        return subprocess.run(arguments, input=data, env=self.environment(), check=check,
                              capture_output=True, timeout=60)

    def start(self):
        self.process = subprocess.Popen([MASTER], env=self.environment(), start_new_session=True,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        atexit.register(self.stop)
        for name in self.services:
            tap.until(lambda: listening(self.ports[name]), 20, 'Postfix listening as ' + name)
        return self

    def stop(self):
        place.end(self.process)
        self.process = None

    def set(self, **settings):
        """Changes main.cf; valid for connections from now on."""
        mark = self.log_mark()
        self.command('postconf', '-e', *['%s=%s' % item for item in settings.items()])
        self.process.send_signal(signal.SIGHUP)
        tap.until(lambda: 'reload -- version' in self.log_after(mark), 10, 'reload of Postfix')

    def sendmail(self, data, *arguments):
        """Local submission, as a program of this machine does it."""
        return self.command('/usr/sbin/sendmail', *arguments, data=data, check=False)

    def queue(self, *names):
        """The queue files in these queues, all by default but the held ones."""
        names = names or ('maildrop', 'incoming', 'active', 'deferred')
        return [os.path.join(base, file) for name in names
                for base, _, files in os.walk(os.path.join(self.folder, 'queue', name))
                for file in files]

    def held(self, text):
        """The queue ids of held messages that contain text."""
        return [os.path.basename(file) for file in self.queue('hold')
                if text.encode() in open(file, 'rb').read()]

    def wait_empty(self, seconds=20):
        """Nothing under way any more."""
        tap.until(lambda: not self.queue(), seconds, 'an empty queue')

    def log(self):
        try:
            with open(self.folder + '/maillog', errors='replace') as handle:
                return handle.read()
        except FileNotFoundError:
            return ''

    def log_mark(self):
        return len(self.log())

    def log_after(self, mark):
        return self.log()[mark:]


def listening(port):
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex(('127.0.0.1', port)) == 0
