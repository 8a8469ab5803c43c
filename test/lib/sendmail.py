# SPDX-License-Identifier: BSD-2-Clause
"""A private Sendmail, the sister of postfix.py: Debian's own program, unpacked by
test/tools/unpack-sendmail, in a small root folder of copies (nothing is mounted), with submit.cf
for local submission, .forward files, its own queues, log and ports. It relays everything by itself:
what stays out, gatepost has kept out. Clients from elsewhere need a network of our own."""
import atexit
import glob
import os
import re
import shutil
import socket
import stat
import subprocess
import threading

import place
import sink
import smtp
import tap

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TREE = os.environ.get('GATEPOST_SENDMAIL', TOP + '/build-test/sendmail')
PROGRAM = '/usr/libexec/sendmail/sendmail'
MACROS = '/usr/share/sendmail/cf'
# What the private root folder holds beside Sendmail: a .forward file runs programs.
TOOLS = ('/bin/sh', '/bin/cat', '/bin/sed', '/bin/date', '/bin/rm', '/usr/bin/vacation')
PLUGINS = '/usr/lib/*/sasl2/*.so'
# Numbers of users and groups inside the root folder, which has its own passwd.
USERS = {'root': 0, 'smmsp': 25101, 'smmta': 25102, 'bob': 25103, 'carol': 25104, 'dave': 25105,
         'nobody': 65534}

MC = '''divert(-1)
divert(0)dnl
include(`{tree}/m4/cf.m4')
OSTYPE(`linux')
define(`confDOMAIN_NAME', `mail.lab.test')
define(`confCF_VERSION', `test')
define(`QUEUE_DIR', `/var/spool/mqueue')
define(`confPID_FILE', `/run/sendmail.pid')
define(`STATUS_FILE', `/dev/null')
define(`ALIAS_FILE', `/etc/mail/aliases')
define(`HELP_FILE', `-')
define(`confCW_FILE', `/etc/mail/local-host-names')
define(`confCR_FILE', `-o /etc/mail/relay-domains')
define(`confSERVICE_SWITCH_FILE', `/etc/mail/service.switch')
define(`confCONTROL_SOCKET_NAME', `')
define(`confLOG_LEVEL', `10')
define(`confDONT_PROBE_INTERFACES', `True')
define(`confTO_IDENT', `0')
define(`confTO_INITIAL', `20s')
define(`confTO_ICONNECT', `20s')
define(`confDELIVERY_MODE', `background')
define(`confFORWARD_PATH', `$z/.forward')
define(`confDONT_BLAME_SENDMAIL', `GroupReadableSASLDBFile,InsufficientEntropy')
define(`confCACERT_PATH', `/etc/mail/certs')
define(`confCACERT', `/etc/mail/certs/ca.pem')
define(`confSERVER_CERT', `/etc/mail/certs/server.pem')
define(`confSERVER_KEY', `/etc/mail/certs/server.key')
define(`confAUTH_MECHANISMS', `PLAIN LOGIN CRAM-MD5')
define(`confAUTH_REALM', `lab.test')
define(`RELAY_MAILER_ARGS', `TCP $h {sink}')
define(`SMART_HOST', `relay:[127.0.0.1]')
define(`LOCAL_MAILER_PATH', `/usr/bin/deliver')
define(`LOCAL_MAILER_ARGS', `deliver $u')
FEATURE(`no_default_msa')
FEATURE(`use_cw_file')
FEATURE(`promiscuous_relay')
FEATURE(`accept_unresolvable_domains')
FEATURE(`accept_unqualified_senders')
{daemons}{more}MAILER(`local')
MAILER(`smtp')
LOCAL_RULE_0
# All that is delivered goes to the sink, where it can be counted, but dave's mail.
Runknown < @ $=w . >	$#error $@ 5.1.1 $: "550 5.1.1 User unknown"
Rdave < @ $=w . >	$#local $: dave
R$+ < @ $=w . >	$#relay $@ [127.0.0.1] $: $1 < @ $2 . >
LOCAL_RULESETS
SLocal_check_rcpt
R$* own-rule.test $*	$#error $@ 5.7.1 $: "550 5.7.1 Sendmail's own rule"
'''

SUBMIT = '''divert(-1)
divert(0)dnl
include(`{tree}/m4/cf.m4')
OSTYPE(`linux')
define(`confCF_VERSION', `Submit')
define(`confDOMAIN_NAME', `mail.lab.test')
define(`confTIME_ZONE', `USE_TZ')
define(`confSERVICE_SWITCH_FILE', `/etc/mail/service.switch')
define(`MSP_QUEUE_DIR', `/var/spool/mqueue-client')
define(`confPID_FILE', `/run/sm-client.pid')
define(`STATUS_FILE', `/dev/null')
define(`RELAY_MAILER_ARGS', `TCP $h {port}')
FEATURE(`accept_unresolvable_domains')
FEATURE(`msp', `[127.0.0.1]')
'''

# name -> DaemonPortOptions beside the port. Name= is told to the milter as {daemon_name}. M=A: no
# AUTH; M=s: TLS from the first byte.
SERVICES = {
    'mx': 'Name=MTA, M=A',
    'submission': 'Name=submission, M=E',
    'clearauth': 'Name=clearauth, M=E',
    'clearsubmission': 'Name=submission, M=E',
    'smtps': 'Name=submissions, M=s',
    'onion': 'Name=ONION, M=A',
    'xclient': 'Name=xclient, M=E',
}

def missing():
    """Why no Sendmail can be started here, or ''."""
    if os.geteuid() != 0:
        return 'Sendmail can be started by root only'
    if not os.path.exists(TREE + PROGRAM):
        return 'Sendmail is not unpacked: test/tools/unpack-sendmail build-test/sendmail'
    for program in ('/usr/bin/m4', '/usr/sbin/saslpasswd2', '/usr/bin/openssl'):
        if not os.path.exists(program):
            return program + ' is missing'
    if libraries(TREE + PROGRAM) is None:
        return 'Sendmail lacks a shared library'
    return no_root_folder() or place.private_network()


def no_root_folder():
    """Why temporary folders cannot be a root folder, or ''."""
    folder = place.folder()
    if os.statvfs(folder).f_flag & os.ST_NOSUID:
        return folder + ' is on a file system without setgid programs, which submission needs'
    try:
        device(folder + '/null', 'null')
        with open(folder + '/null', 'wb') as null:
            null.write(b'x')
    except OSError as error:
        return 'no device files: %s' % error
    return ''


def device(path, name):
    os.mknod(path, 0o666 | stat.S_IFCHR, os.stat('/dev/' + name).st_rdev)
    os.chmod(path, 0o666)


def libraries(program):
    """The shared libraries of a program; None if one is missing."""
    text = subprocess.run(['ldd', program], capture_output=True, text=True).stdout
    return None if 'not found' in text else re.findall(r'(/\S+) \(0x', text)


class Dialog(smtp.Dialog):
    """Sendmail puts "<address>... " before some replies of a filter to MAIL and RCPT; it is cut off
    here, so that one statement holds for both MTAs, and kept in raw."""
    raw = ''

    def mail(self, sender, more=''):
        return self.cut(super().mail(sender, more))

    def rcpt(self, recipient, more=''):
        return self.cut(super().rcpt(recipient, more))

    def cut(self, reply):
        self.raw = reply
        return re.sub(r'^((?:450|550|553)[ -](?:[245]\.\d+\.\d+ )?)<[^\n]*?>\.\.\. ', r'\1', reply)


class Sendmail:
    """Its folder holds root/, Sendmail's root folder."""
    name = 'Sendmail'
    dialog = Dialog
    # What its log must not hold after a test in which the filter was never taken away.
    troubles = r'Milter \(.*(error|timeout)|panic|savemail'

    def __init__(self, more='', services=SERVICES):
        """more: lines for sendmail.mc."""
        self.folder = place.folder('gatepost-sendmail-')
        self.root = self.folder + '/root'
        self.ports = {name: place.port() for name in services}
        self.services = services
        self.sink = sink.Sink(place.port())
        self.certs = place.Certificates(self.folder + '/certs')
        self.process = None
        self.lines = []
        self.lock = threading.Lock()
        self.hosts = {'127.0.0.1': 'localhost', '::1': 'localhost'}
        self.make_root()
        self.make_files()
        self.make_logins()
        self.configure(more)
        self.log_to_us()

    # The root folder

    def path(self, name):
        return self.root + name

    def make_root(self):
        for name in ('dev', 'etc/mail/certs', 'etc/sasl2', 'bin', 'usr/bin', 'usr/sbin', 'usr/lib',
                     'run', 'var/spool', 'home'):
            os.makedirs(self.path('/' + name), 0o755)
        os.symlink('usr/lib', self.path('/lib'))
        os.symlink('usr/lib64', self.path('/lib64'))
        self.folder_of('/tmp', 'root', 0o1777)
        self.folder_of('/var/mail', 'root', 0o1777)
        self.folder_of('/var/spool/mqueue', 'root', 0o700)
        self.folder_of('/var/spool/mqueue-client', 'smmsp', 0o770)
        for name in ('null', 'urandom', 'random', 'zero'):
            device(self.path('/dev/' + name), name)
        for tool in TOOLS:
            if os.path.exists(tool):
                self.copy(tool, tool)
        self.copy(TREE + PROGRAM, '/usr/sbin/sendmail')
        for name in ('/usr/lib/sendmail', '/usr/bin/mailq'):
            os.symlink('../sbin/sendmail', self.path(name))
        os.chown(self.path('/usr/sbin/sendmail'), 0, USERS['smmsp'])
        os.chmod(self.path('/usr/sbin/sendmail'), 0o2755)
        for plugin in glob.glob(PLUGINS):
            self.copy(plugin, plugin)

    def folder_of(self, name, user, mode):
        os.mkdir(self.path(name))
        os.chown(self.path(name), USERS[user], USERS[user])
        os.chmod(self.path(name), mode)

    def copy(self, file, to):
        """A program or library, and the libraries that it needs."""
        target = self.path(to)
        if os.path.exists(target):
            return
        os.makedirs(os.path.dirname(target), exist_ok=True)
        shutil.copy(file, target)
        for library in libraries(file) or []:
            self.copy(library, '/usr' + library if library.startswith('/lib') else library)

    def write(self, name, text, mode=0o644, user=None):
        place.write(self.path(name), text, mode)
        if user:
            os.chown(self.path(name), USERS[user], USERS[user])

    def make_files(self):
        self.write('/etc/passwd', ''.join(
            '%s:x:%d:%d::%s:/bin/sh\n' % (user, number, number,
                                          '/root' if user == 'root' else '/home/' + user)
            for user, number in USERS.items()))
        self.write('/etc/group', ''.join('%s:x:%d:\n' % item for item in USERS.items()))
        self.write('/etc/shells', '/bin/sh\n')
        self.write('/etc/nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files\n')
        self.write('/etc/host.conf', 'multi on\n')
        self.write('/etc/mail/service.switch', 'hosts files\naliases files\n')
        self.write('/etc/mail/local-host-names', 'lab.test\nmail.lab.test\nlocalhost\n')
        self.write('/etc/mail/aliases', 'postmaster: bob\nMAILER-DAEMON: postmaster\n')
        # Called with -f SENDER and the user's name, maybe with a backslash before it.
        self.write('/usr/bin/deliver', '#!/bin/sh\nfor user; do :; done\n'
                   '/bin/cat >>"/var/mail/${user#\\\\}"\n', 0o755)
        for user in ('bob', 'carol', 'dave'):
            self.folder_of('/home/' + user, user, 0o755)
        for name in os.listdir(self.certs.path):
            if name in ('ca.pem', 'server.pem', 'server.key'):
                shutil.copy(self.certs.file(name), self.path('/etc/mail/certs/' + name))
        os.chmod(self.path('/etc/mail/certs/server.key'), 0o600)
        self.write_hosts()

    def write_hosts(self):
        name = socket.gethostname()
        lines = ['%s %s' % item for item in self.hosts.items() if item[1] != 'unknown']
        # An own name without a dot has Sendmail wait for a minute.
        lines.append('127.0.0.1 mail.lab.test %s.lab.test %s' % (name, name))
        self.write('/etc/hosts', '\n'.join(lines) + '\n')

    def host(self, address, name):
        """From now on the client at address is called name."""
        with self.lock:
            self.hosts[address] = name
            self.write_hosts()

    def outsider(self, address, name, greet='client.example.com'):
        """A session of a client from elsewhere: in the private network it truly comes from there.
        address: IPV6:... for IPv6. name: unknown for none."""
        address = address.replace('IPV6:', '')
        self.host(address, name)
        return self.dialog(self.ports['xclient'], source=address, greet=greet)

    def make_logins(self):
        self.write('/etc/sasl2/Sendmail.conf', 'pwcheck_method: auxprop\nauxprop_plugin: sasldb\n'
                   'mech_list: PLAIN LOGIN CRAM-MD5\nsasldb_path: /etc/sasldb2\n')
        for user in ('bob', 'carol', 'root'):
            subprocess.run(['saslpasswd2', '-p', '-c', '-f', self.path('/etc/sasldb2'), '-u',
                            'lab.test', user], input=b'secret', check=True, capture_output=True)
        os.chmod(self.path('/etc/sasldb2'), 0o600)

    def forward(self, user, text):
        """What becomes of a user's mail; dave's alone is delivered here at all."""
        self.write_home(user, '.forward', text)

    def write_home(self, user, name, text):
        self.write('/home/%s/%s' % (user, name), text, 0o644, user)

    # The configuration

    def configure(self, more=''):
        """Writes sendmail.cf and submit.cf anew."""
        daemons = ''
        for name, options in self.services.items():
            for family in ('Family=inet, Addr=127.0.0.1', 'Family=inet6, Addr=::1'):
                daemons += "DAEMON_OPTIONS(`%s, Port=%d, %s')\n" % (family, self.ports[name],
                                                                    options)
        self.compile('sendmail', MC.format(
            tree=TREE + MACROS, sink=self.sink.server_address[1], daemons=daemons, more=more))
        self.compile('submit', SUBMIT.format(
            tree=TREE + MACROS, port=self.ports['mx'] if 'mx' in self.ports else 25))

    def setup(self, daemon, *options):
        """What gatepostctl prints for this Sendmail."""
        done = daemon.control('setup', 'sendmail', '--mta-config', self.path('/etc/mail'),
                              *options)
        return done.returncode, done.stdout.replace(self.root, ''), done.stderr

    def filter_by(self, daemon, change=lambda line: line):
        """Appends what gatepostctl prints to sendmail.mc, as it tells administrators to."""
        code, lines, errors = self.setup(daemon)
        tap.equal(code, 0, 'exit of gatepostctl setup sendmail (%s)' % errors)
        self.configure(change(lines))

    def compile(self, name, text):
        source = place.write('%s/%s.mc' % (self.folder, name), text)
        done = subprocess.run(['m4', '-D_CF_DIR_=%s%s/' % (TREE, MACROS), source],
                              capture_output=True, cwd=TREE + MACROS)
        # It warns of promiscuous_relay, which is meant.
        tap.equal((done.returncode, 'm4:' in done.stderr.decode()), (0, False),
                  'm4 of %s.mc: %s' % (name, done.stderr.decode()))
        self.write('/etc/mail/%s.cf' % name, done.stdout)

    # Its life

    def log_to_us(self):
        """Sendmail knows syslog alone."""
        receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        receiver.bind(self.path('/dev/log'))
        os.chmod(self.path('/dev/log'), 0o666)

        def read():
            while True:
                line = receiver.recv(65536).decode('latin-1')
                self.lines.append(re.sub(r'^<\d+>', '', line).rstrip('\0\n'))
        threading.Thread(target=read, daemon=True).start()

    def enter(self, user=None):
        """What a child does before it becomes a program inside the root folder."""
        def change():
            os.chroot(self.root)
            os.chdir('/')
            if user:
                os.setgroups([])
                os.setresgid(*[USERS[user]] * 3)
                os.setresuid(*[USERS[user]] * 3)
        # Leaks are looked for in /proc, which there is none of.
        return {'preexec_fn': change,
                'env': {'PATH': '/usr/sbin:/usr/bin:/bin', 'ASAN_OPTIONS': 'detect_leaks=0'}}

    def run(self, *arguments, data=b'', user=None, check=True):
        """Runs a program inside the root folder."""
        return subprocess.run(arguments, input=data, check=check, capture_output=True, timeout=60,
                              **self.enter(user))

    def popen(self, *arguments, user=None):
        return subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                **self.enter(user))

    def command(self, *arguments, data=b'', check=True):
        return self.run(*arguments, data=data, check=check)

    def start(self):
        self.run('/usr/sbin/sendmail', '-bi')
        self.process = subprocess.Popen(
            ['/usr/sbin/sendmail', '-bD', '-q1h'], start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            **self.enter())
        atexit.register(self.stop)
        for name in self.services:
            tap.until(lambda: listening(self.ports[name]), 20, 'Sendmail listening as ' + name)
        return self

    def stop(self):
        place.end(self.process)
        self.process = None

    def restart(self):
        """After configure()."""
        self.stop()
        return self.start()

    def sendmail(self, data, *arguments, user='bob'):
        """Local submission, as a program of this machine does it: by submit.cf."""
        return self.run('/usr/sbin/sendmail', *arguments, data=data, user=user, check=False)

    def mailbox(self, user):
        """What was delivered to a user of this machine: dave's mail, and what has no domain."""
        try:
            with open(self.path('/var/mail/' + user), encoding='latin-1') as handle:
                return handle.read()
        except FileNotFoundError:
            return ''

    def flush(self):
        """Tries the queued mail again, of both queues."""
        self.run('/usr/sbin/sendmail', '-Ac', '-q', check=False)
        self.run('/usr/sbin/sendmail', '-q', check=False)

    # What it did

    def files(self, kind):
        return glob.glob(self.path('/var/spool/mqueue*/%s*' % kind))

    def queue(self):
        """The queue files, but for the held ones."""
        held = {file.rsplit('/hf', 1)[-1] for file in self.files('hf')}
        return [file for kind in ('qf', 'df', 'Qf', 'tf', 'xf') for file in self.files(kind)
                if os.path.basename(file)[2:] not in held]

    def held(self, text):
        """The queue ids of held (quarantined) messages that contain text."""
        found = []
        for file in self.files('hf'):
            name = os.path.basename(file)[2:]
            with open(file, 'rb') as envelope:
                content = envelope.read()
            body = os.path.dirname(file) + '/df' + name
            if os.path.exists(body):
                with open(body, 'rb') as handle:
                    content += handle.read()
            if text.encode() in content:
                found.append(name)
        return found

    def forget(self, ids):
        """Removes held messages."""
        for name in ids:
            for kind in ('hf', 'df'):
                for file in self.files(kind + name):
                    os.unlink(file)

    def wait_empty(self, seconds=20):
        tap.until(lambda: not self.queue(), seconds, 'an empty queue')

    def log(self):
        return ''.join(line + '\n' for line in list(self.lines))

    def log_mark(self):
        return len(self.log())

    def log_after(self, mark):
        return self.log()[mark:]


def listening(port):
    with socket.socket() as probe:
        probe.settimeout(2)
        return probe.connect_ex(('127.0.0.1', port)) == 0
