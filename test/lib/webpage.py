# SPDX-License-Identifier: BSD-2-Clause
"""gatepost-web under test, and a client of HTTP that says what it is told."""
import atexit
import base64
import http.client
import os
import socket
import subprocess

import gatepost
import place
import tap

PROGRAM = os.environ.get('GATEPOST_WEB', gatepost.BUILD + '/milter/web/gatepost-web')
TOKEN = 'a-token-of-enough-characters'


def missing():
    if not os.access(PROGRAM, os.X_OK):
        return PROGRAM + ' is not built'
    return gatepost.missing()


class Web:
    """gatepost-web with the settings of a daemon, which get web_listen (a port, or unix) and a
    token."""

    def __init__(self, daemon, more='', token=True, unix=False, host='127.0.0.1',
                 **settings):
        self.daemon = daemon
        self.port = None if unix else place.port()
        self.path = daemon.folder + '/run/web.sock'
        self.process = None
        self.said = ''
        file = daemon.table('web-token', TOKEN + '\nanything else\n')
        os.chmod(file, 0o644)  # whoever it becomes
        daemon.configure({**daemon.settings,
                          'web_listen': 'unix:' + self.path if unix
                          else 'inet:%d@%s' % (self.port, host),
                          'web_token_file': file if token else None, **settings}, more)

    def start(self):
        self.process = subprocess.Popen([PROGRAM, '-c', self.daemon.file, '-f'],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True,
                                        env=gatepost.environment())
        atexit.register(self.stop)
        tap.until(lambda: self.process.poll() is not None or self.answers(), 20, 'gatepost-web')
        if self.process.poll() is not None:
            raise tap.Failure('gatepost-web ended with %d: %s' % (self.process.returncode,
                                                                  self.process.stderr.read()))
        return self

    def connect(self):
        connection = socket.socket(socket.AF_INET if self.port else socket.AF_UNIX)
        connection.connect(('127.0.0.1', self.port) if self.port else self.path)
        connection.settimeout(90)
        return connection

    def answers(self):
        try:
            self.connect().close()
            return True
        except OSError:
            return False

    def stop(self):
        """Returns the exit code."""
        if not self.process:
            return None
        process, self.process = self.process, None
        process.terminate()
        self.said = process.communicate(timeout=90)[1]
        return process.returncode

    def get(self, path='/', method='GET', token=None, **headers):
        """Status, headers and text. token: as a bearer."""
        if token:
            headers['Authorization'] = 'Bearer ' + token
        connection = http.client.HTTPConnection('localhost', self.port or 80, timeout=90)
        if not self.port:
            connection.sock = self.connect()
        connection.putrequest(method, path, skip_host='Host' in headers)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, answer.headers, text

    def send(self, data):
        """All that is answered to these bytes."""
        with self.connect() as connection:
            connection.sendall(data)
            return b''.join(iter(lambda: connection.recv(65536), b''))


def basic(password, name='me'):
    return 'Basic ' + base64.b64encode(('%s:%s' % (name, password)).encode()).decode()
