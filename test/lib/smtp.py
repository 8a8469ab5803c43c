# SPDX-License-Identifier: BSD-2-Clause
"""A client that sends exactly the bytes a test asks for, and remembers the whole dialog."""
import base64
import itertools
import socket
import ssl
import subprocess

serial = itertools.count(1)


def token(word='msg'):
    """A word that no other message of this run holds."""
    return '%s-%d-token' % (word, next(serial))


def message(text='', subject='a test', sender='a@example.com', more=''):
    """A small complete message. more: further header lines, each with CRLF."""
    return ('From: <%s>\r\nTo: <bob@lab.test>\r\nSubject: %s\r\n'
            'Date: Sat, 21 Nov 2026 01:00:00 +0000\r\nMessage-Id: <%s@example.com>\r\n%s'
            '\r\nhello\r\n%s\r\n' % (sender, subject, token('id'), more, text)).encode('latin-1')


class Dialog:
    """One SMTP connection. Replies are strings with LF between the lines; '' at end of file."""

    def __init__(self, port, source=None, tls=False, cert=None, greet='client.example.com',
                 timeout=120):
        self.log = []
        here = '::1' if source and ':' in source else '127.0.0.1'
        self.socket = socket.create_connection((here, port), timeout,
                                               (source, 0) if source else None)
        self.file = self.socket.makefile('rb')
        if tls:
            self.wrap(cert)
        self.banner = self.read()
        if greet:
            self.ehlo(greet)

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.close()

    def wrap(self, cert=None):
        """Begins TLS; cert: (certificate file, key file)."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if cert:
            context.load_cert_chain(*cert)
        self.socket = context.wrap_socket(self.socket)
        self.file = self.socket.makefile('rb')

    def read(self):
        lines = []
        while True:
            try:
                line = self.file.readline()
            except OSError as error:
                line = b''
                self.log.append('<! %r' % error)
            if not line:
                self.log.append('< end of file')
                return ''
            lines.append(line.rstrip(b'\r\n').decode('latin-1'))
            self.log.append('< ' + lines[-1])
            if line[3:4] != b'-':
                return '\n'.join(lines)

    def write(self, data):
        data = data.encode('latin-1') if isinstance(data, str) else data
        self.log.append('> ' + data[:200].decode('latin-1'))
        self.socket.sendall(data + b'\r\n')

    def send(self, data):
        """Sends one line and returns the reply."""
        try:
            self.write(data)
        except OSError as error:
            self.log.append('>! %r' % error)
            return ''
        return self.read()

    def ehlo(self, name='client.example.com'):
        return self.send('EHLO ' + name)

    def starttls(self, cert=None, ehlo=True):
        reply = self.send('STARTTLS')
        if reply.startswith('220'):
            self.wrap(cert)
            if ehlo:
                self.ehlo()
        return reply

    def auth(self, user='bob', password='secret'):
        return self.send('AUTH PLAIN ' + base64.b64encode(
            ('\0%s\0%s' % (user, password)).encode()).decode())

    def xclient(self, greet='client.example.com', **attributes):
        """Takes another client's place; smtpd then begins anew with its banner."""
        reply = self.send('XCLIENT ' + ' '.join('%s=%s' % pair for pair in attributes.items()))
        if greet and reply.startswith('220'):
            self.ehlo(greet)
        return reply

    def mail(self, sender, more=''):
        return self.send('MAIL FROM:<%s>%s' % (sender, more))

    def rcpt(self, recipient, more=''):
        return self.send('RCPT TO:<%s>%s' % (recipient, more))

    def data(self, content):
        """Sends a message; returns the reply to DATA when that refuses, else the final one."""
        reply = self.send('DATA')
        if not reply.startswith('354'):
            return reply
        stuffed = content.replace(b'\r\n.', b'\r\n..')
        return self.send(stuffed + (b'.' if stuffed.endswith(b'\n') else b'\r\n.'))

    def deliver(self, sender, recipients, content):
        """A whole transaction; the replies of MAIL, each RCPT and the message, while they are 2xx
        (recipients: one of them accepted is enough)."""
        replies = [self.mail(sender)]
        if not replies[0].startswith('2'):
            return replies
        replies += [self.rcpt(r) for r in recipients]
        if any(r.startswith('2') for r in replies[1:]):
            replies.append(self.data(content))
        return replies

    def close(self):
        try:
            self.send('QUIT')
            self.socket.close()
        except OSError:
            pass

    def drop(self):
        """Hangs up without a word."""
        self.file.close()
        self.socket.close()


def swaks(port, *options, data=None):
    """Runs swaks; returns its exit code and the dialog."""
    body = ['--data', data] if data else []
    done = subprocess.run(['swaks', '--server', '127.0.0.1', '--port', str(port), '--timeout', '40',
                           *options, *body], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=120)
    return done.returncode, done.stdout.decode('latin-1')
