# SPDX-License-Identifier: BSD-2-Clause
"""A Redis server of the tests' own, on a unix socket: started, asked, killed."""
import atexit
import os
import shutil
import signal
import socket
import subprocess

import place
import tap


def missing():
    """Why there can be no server here, or ''."""
    return '' if shutil.which('redis-server') else 'redis-server is not installed'


class Redis:
    def __init__(self, *options, port=None):
        self.folder = place.folder('gatepost-redis-')
        os.chmod(self.folder, 0o755)
        self.path = self.folder + '/socket'
        self.port = port
        self.options = options
        self.process = None
        self.start()

    def start(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.process = subprocess.Popen(
            ['redis-server', '--port', str(self.port or 0), '--bind', '127.0.0.1', '--unixsocket',
             self.path, '--unixsocketperm', '777', '--save', '', '--appendonly', 'no', '--dir',
             self.folder, *self.options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        atexit.register(self.stop)
        tap.until(lambda: self.answers(), 30, 'the Redis server')

    def answers(self):
        try:
            return self.ask('PING') == 'PONG'
        except OSError:
            return False

    def ask(self, *words):
        """Sends a command; the first line of its answer, or its text."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(self.path)
            client.sendall(b'*%d\r\n' % len(words) + b''.join(
                b'$%d\r\n%s\r\n' % (len(word.encode()), word.encode()) for word in words))
            with client.makefile('rb') as answer:
                line = answer.readline().decode().strip()
                if line[:1] == '$' and line != '$-1':
                    return answer.read(int(line[1:])).decode()
                return line[1:]

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        process, self.process = self.process, None
        if process:
            process.kill()
            process.wait()
