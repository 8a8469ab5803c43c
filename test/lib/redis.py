# SPDX-License-Identifier: BSD-2-Clause
"""A Redis server of the tests' own, on a unix socket: started, asked, killed."""
import atexit
import contextlib
import os
import queue
import shutil
import signal
import socket
import subprocess
import threading
import time

import place
import tap


def missing():
    """Why there can be no server here, or ''."""
    return '' if shutil.which('redis-server') else 'redis-server is not installed'


def command(*words):
    """As it goes over the wire."""
    return b'*%d\r\n' % len(words) + b''.join(
        b'$%d\r\n%s\r\n' % (len(word.encode()), word.encode()) for word in words)


class Redis:
    def __init__(self, *options, port=None, conf=None, password=None):
        """conf: text of a redis.conf, to be used as it is but for port, address and folder."""
        self.folder = place.folder('gatepost-redis-')
        os.chmod(self.folder, 0o755)
        self.path = self.folder + '/socket'
        self.port = port
        self.options = options
        self.password = password
        self.conf = conf and place.write(self.folder + '/redis.conf', conf)
        self.process = None
        self.start()

    def start(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.process = subprocess.Popen(
            ['redis-server', *([self.conf] if self.conf else ['--save', '', '--appendonly', 'no']),
             '--port', str(self.port or 0), '--bind', '127.0.0.1', '--unixsocket', self.path,
             '--unixsocketperm', '777', '--dir', self.folder, *self.options],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
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
            client.settimeout(60)
            client.connect(self.path)
            with client.makefile('rb') as answer:
                if self.password:
                    client.sendall(command('AUTH', self.password))
                    answer.readline()
                client.sendall(command(*words))
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


class Front:
    """Stands before a server on a unix socket of its own, and answers in its place what `says` is:
    an error for every command that writes, None for none. Each answer comes `delay` seconds after
    its question, as over a long way: questions that are sent together wait together. `most`: so many
    of one client's waited at once."""

    def __init__(self, server):
        self.server = server
        self.path = server.folder + '/front'
        self.says = None
        self.delay = 0
        self.most = 0
        self.silenced = ('EVAL', 'EVALSHA', 'SET')
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.path)
        os.chmod(self.path, 0o777)
        listener.listen()
        threading.Thread(target=self.accept, args=(listener,), daemon=True).start()

    def accept(self, listener):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        due = queue.SimpleQueue()  # of (when, the answer or None: the server's); None at the end
        with client, client.makefile('rb') as questions, socket.socket(socket.AF_UNIX) as server:
            server.connect(self.server.path)
            answering = threading.Thread(target=self.answer, args=(client, server, due), daemon=True)
            answering.start()
            while question := message(questions):
                word = question.split(b'\r\n')[2].decode()
                silenced = self.says and word in self.silenced
                if not silenced:
                    server.sendall(question)
                due.put((time.monotonic() + self.delay,
                         b'-%s\r\n' % self.says.encode() if silenced else None))
                self.most = max(self.most, due.qsize())
            due.put(None)
            answering.join()

    @staticmethod
    def answer(client, server, due):
        with server.makefile('rb') as answers, contextlib.suppress(OSError):
            while entry := due.get():
                when, text = entry
                time.sleep(max(0, when - time.monotonic()))
                client.sendall(text or message(answers))


def message(stream):
    """One message of the protocol, whole."""
    line = stream.readline()
    number = int(line[1:]) if line[:1] in b'*$' and line else 0
    if line[:1] == b'$' and number >= 0:
        return line + stream.read(number + 2)
    return line + b''.join(message(stream) for _ in range(number if line[:1] == b'*' else 0))
