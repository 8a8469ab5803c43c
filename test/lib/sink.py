# SPDX-License-Identifier: BSD-2-Clause
"""The end of all mail in the tests: an SMTP server that keeps what it is given, to be counted."""
import socketserver
import threading

import tap


class Message:
    def __init__(self, sender, recipients, data):
        self.sender = sender          # the path as sent, without the angle brackets
        self.recipients = recipients  # likewise
        self.data = data              # header and body, CRLF line ends

    def header(self):
        return self.data.split(b'\r\n\r\n', 1)[0].decode('latin-1')

    def __contains__(self, text):
        return text.encode() in self.data


class Session(socketserver.StreamRequestHandler):
    """Speaks just enough SMTP for Postfix's smtp(8)."""

    def handle(self):
        self.sender, self.recipients = None, []
        self.say('220 sink.lab.test ESMTP')
        for line in self.rfile:
            verb = line.split(b' ', 1)[0].strip().upper()
            if verb == b'QUIT':
                return self.say('221 bye')
            self.command(verb, line)

    def say(self, text):
        self.wfile.write(text.encode() + b'\r\n')

    def command(self, verb, line):
        if verb == b'EHLO':
            self.say('250-sink.lab.test\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE')
        elif verb == b'DATA':
            self.data()
        else:
            if verb == b'MAIL':
                self.sender, self.recipients = path(line), []
            elif verb == b'RCPT':
                self.recipients.append(path(line))
            self.say('250 ok')

    def data(self):
        self.say('354 go on')
        lines = []
        for line in self.rfile:
            if line == b'.\r\n':
                break
            lines.append(line[1:] if line.startswith(b'.') else line)
        else:
            return
        self.server.keep(Message(self.sender, self.recipients, b''.join(lines)))
        self.say('250 stored')


def path(line):
    return line.decode('latin-1').split('<', 1)[-1].rsplit('>', 1)[0]


class Sink(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 100

    def __init__(self, port):
        super().__init__(('127.0.0.1', port), Session)
        self.lock = threading.Lock()
        self.kept = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """A client that hangs up is nothing to tell."""

    def keep(self, message):
        with self.lock:
            self.kept.append(message)

    def messages(self, text=''):
        """The messages that hold text anywhere."""
        with self.lock:
            return [message for message in self.kept if text in message]

    def wait(self, text, seconds=20):
        """Waits for a message that holds text and returns it."""
        return tap.until(lambda: self.messages(text), seconds, 'delivery of %r' % text)[0]

    def stop(self):
        self.shutdown()
        self.server_close()
