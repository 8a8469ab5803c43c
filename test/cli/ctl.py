# SPDX-License-Identifier: BSD-2-Clause
"""Running gatepostctl on settings of a test's own."""
import json
import os
import re
import shlex
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + '/../lib')
import gatepost  # noqa: E402
import place  # noqa: E402
import tap  # noqa: E402

# Tests run as anybody, where nothing is installed: all that is named exists.
SURROUNDINGS = '''user = root
milter_socket = inet:20025@127.0.0.1
control_socket = /tmp/gatepost-control.sock
pid_file =
state = memory:
'''


def run(*arguments, data=None, cwd=None):
    """Runs gatepostctl with arguments (strings); returns the finished process, text as str."""
    data = data.encode() if isinstance(data, str) else data
    done = subprocess.run([gatepost.CONTROL, *arguments], input=data or b'', capture_output=True,
                          timeout=60, cwd=cwd, env=gatepost.environment())
    done.stdout = done.stdout.decode('utf-8', 'surrogateescape')
    done.stderr = done.stderr.decode('utf-8', 'backslashreplace')
    if 'Sanitizer' in done.stderr or 'runtime error:' in done.stderr:
        raise AssertionError(done.stderr)
    return done


class Settings:
    """A gatepost.conf in a folder of its own, for which /FOLDER stands in it, and tables beside
    it."""

    def __init__(self, text='', **tables):
        self.folder = place.folder('gatepost-cli-')
        self.file = place.write(self.folder + '/gatepost.conf', SURROUNDINGS +
                                text.replace('/FOLDER', self.folder))
        for name, content in tables.items():
            place.write(os.path.join(self.folder, name), content)

    def run(self, *arguments, data=None):
        return run('-c', self.file, *arguments, data=data)

    def shell(self, line, data=None):
        """The same with arguments as one would type them."""
        return self.run(*shlex.split(line), data=data)

    def test(self, line, data=None):
        """gatepostctl test --json LINE: the object, and the exit code."""
        done = self.shell('test --json ' + line, data)
        if done.returncode not in (0, 1):
            raise AssertionError('exit %d: %s' % (done.returncode, done.stderr))
        return json.loads(done.stdout), done.returncode


def rows(title, settings, *lines, message='', **tables):
    """Makes a test case of each line, which judge() gets; the settings are one folder."""
    files = []  # made when the first case runs
    for line in lines:
        def one(line=line):
            if not files:
                files.append(Settings(settings, **tables))
            judge(files[0], message, *line)
        tap.CASES.append(('%s: %s' % (title, line[0].strip() or 'an outsider'), one))


def judge(settings, message, arguments, expected, reply=None, hits=None):
    """Takes an envelope, with "-" in ARGUMENTS the message too, through gatepostctl test. EXPECTED:
    "VERDICT STAGE CHECK" ("accept" alone will do). REPLY: the reply, or a compiled pattern for it.
    HITS: (zone, code, weight) of each DNS list that has somebody."""
    found, code = settings.test(arguments, message)
    words = '%s %s %s' % (found['verdict'], found['stage'], found['check'] or '-')
    if words.split()[:len(expected.split())] != expected.split():
        raise tap.Failure('expected %s, found %s: %s' % (expected, words, found['reply']))
    if isinstance(reply, re.Pattern):
        tap.match(reply, found['reply'], 'reply')
    elif reply is not None:
        tap.equal(found['reply'], reply, 'reply')
    if hits is not None:
        tap.equal([(h['zone'], h['code'], h['weight']) for h in found['dnsbl']['hits']], hits,
                  'hits')
        tap.equal(found['dnsbl']['score'], sum(h[2] for h in hits), 'score')
    tap.equal(code, 1 if found['verdict'] in ('reject', 'tempfail') else 0, 'exit')
    if len(found['recipients']) == 1:
        one = found['recipients'][0]
        tap.equal({k: one[k] for k in ('verdict', 'check', 'reply')},
                  {k: found[k] for k in ('verdict', 'check', 'reply')}, 'recipient')


class Postfix:
    """The configuration of a Postfix that never runs."""

    def __init__(self, main, master):
        self.folder = place.folder('gatepost-postfix-')
        place.write_old(self.folder + '/main.cf', 'compatibility_level = 3.6\n'
                        'queue_directory = /var/spool/postfix\n'
                        'myhostname = mail.example.org\n' + main)
        place.write_old(self.folder + '/master.cf', master)
