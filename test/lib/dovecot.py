# SPDX-License-Identifier: BSD-2-Clause
"""A private Dovecot that takes mail by LMTP and runs one Sieve script (Pigeonhole) on it. It reads
nothing of /etc/dovecot, and needs root, because its processes are of several users."""
import atexit
import os
import re
import shutil
import subprocess

import place
import tap

MASTER = '/usr/sbin/dovecot'
SIEVE = '/usr/lib/dovecot/modules/lib90_sieve_plugin.so'
USER = 'nobody'  # whose files the mail is; Dovecot refuses root

COMMON = '''
base_dir = {folder}/run
state_dir = {folder}/state
instance_name = gatepost-test
log_path = {folder}/log
protocols = lmtp
listen = 127.0.0.1
ssl = no
first_valid_uid = 1
mail_uid = {user}
mail_gid = {group}
lda_mailbox_autocreate = yes
recipient_delimiter = +
submission_host = {submission}
sendmail_path = {folder}/sendmail
service lmtp {{
  unix_listener lmtp {{
    mode = 0666
  }}
}}
'''
# How 2.3 and before say the rest, and how 2.4 does.
CONFIG_2_3 = COMMON + '''
auth_debug = no
mail_home = {folder}/mail/%n
mail_location = maildir:{folder}/mail/%n/Maildir
default_vsz_limit = 0
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/mail/%n allow_all_users=yes
}}
protocol lmtp {{
  mail_plugins = sieve
}}
plugin {{
  sieve = file:{folder}/script.sieve
  sieve_extensions = +vacation-seconds
  sieve_vacation_min_period = 0
  sieve_vacation_send_from_recipient = {from_recipient}
}}
'''
CONFIG_2_4 = '''
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
''' + COMMON + '''
mail_home = {folder}/mail/%{{user|username}}
mail_driver = maildir
mail_path = {folder}/mail/%{{user|username}}/Maildir
passdb static {{
  fields {{
    nopassword = yes
  }}
}}
userdb static {{
  userdb_static_allow_all_users = yes
  fields {{
    uid = {user}
    gid = {group}
    home = {folder}/mail/%{{user|username}}
  }}
}}
protocol lmtp {{
  mail_plugins = sieve
}}
sieve_script personal {{
  path = {folder}/script.sieve
}}
sieve_extensions {{
  vacation-seconds = yes
}}
sieve_vacation_min_period = 0
sieve_vacation_send_from_recipient = {from_recipient}
'''

# Postfix lets nobody but root use a configuration of his own: the reply is left in a folder, from
# which the test, which is root, hands it to sendmail(1).
SENDMAIL = '''#!/bin/sh
name={folder}/spool/$$-$(date +%s%N)
printf '%s\\n' "$@" >$name.arguments
cat >$name.new && mv $name.new $name.message
'''


def missing():
    """Why no Dovecot can be started here, or ''."""
    for path in (MASTER, SIEVE, '/usr/lib/dovecot/lmtp'):
        if not os.path.exists(path):
            return path + ' is missing'
    return ''


def config():
    """The configuration in the words of the release that is installed."""
    version = subprocess.run([MASTER, '--version'], capture_output=True, text=True).stdout
    numbers = [int(number) for number in re.findall(r'\d+', version)[:2]]
    return CONFIG_2_4 if numbers >= [2, 4] else CONFIG_2_3


class Dovecot:
    def __init__(self, submission='', from_recipient='no'):
        """submission: HOST:PORT of an SMTP server that vacation replies go to; '': sendmail(1).
        from_recipient: whether replies have an envelope sender."""
        self.folder = place.folder('gatepost-dovecot-')
        self.process = None
        for name in ('mail', 'spool'):
            os.mkdir(self.folder + '/' + name)
            shutil.chown(self.folder + '/' + name, USER)
        place.write(self.folder + '/sendmail', SENDMAIL.replace('{folder}', self.folder), 0o755)
        self.configure(submission, from_recipient)
        self.script('keep;\n')

    def configure(self, submission, from_recipient):
        place.write(self.folder + '/dovecot.conf', config().format(
            folder=self.folder, user=USER, group='nogroup', submission=submission,
            from_recipient=from_recipient))

    def script(self, text):
        """Another Sieve script for everybody."""
        place.write(self.folder + '/script.sieve', text)
        done = subprocess.run(['sievec', '-c', self.folder + '/dovecot.conf',
                               self.folder + '/script.sieve'], capture_output=True, text=True)
        tap.equal(done.returncode, 0, 'exit of sievec (%s)' % done.stderr.strip())

    def lmtp(self):
        """The address in Postfix's spelling."""
        return 'lmtp:unix:%s/run/lmtp' % self.folder

    def start(self):
        self.process = subprocess.Popen([MASTER, '-F', '-c', self.folder + '/dovecot.conf'],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True)
        atexit.register(self.stop)
        tap.until(lambda: os.path.exists(self.folder + '/run/lmtp'), 20, 'Dovecot')
        return self

    def stop(self):
        place.end(self.process)
        self.process = None

    def restart(self):
        """After configure()."""
        self.stop()
        if os.path.exists(self.folder + '/run/lmtp'):
            os.unlink(self.folder + '/run/lmtp')
        self.start()

    def log(self):
        try:
            with open(self.folder + '/log', errors='replace') as handle:
                return handle.read()
        except FileNotFoundError:
            return ''

    def mail(self, user, text=''):
        """The messages delivered to user that hold text."""
        found = []
        for base, _, files in os.walk('%s/mail/%s/Maildir' % (self.folder, user)):
            if os.path.basename(base) in ('new', 'cur'):
                for file in files:
                    with open(os.path.join(base, file), 'rb') as handle:
                        content = handle.read()
                    if text.encode() in content:
                        found.append(content)
        return found

    def replies(self):
        """What was given to sendmail since the last time: [(arguments, message)]."""
        spool = self.folder + '/spool/'
        found = []
        for name in sorted(os.listdir(spool)):
            if not name.endswith('.message'):
                continue
            with open(spool + name.replace('.message', '.arguments')) as handle:
                arguments = handle.read().splitlines()
            with open(spool + name, 'rb') as handle:
                found.append((arguments, handle.read()))
            os.unlink(spool + name)
        return found
