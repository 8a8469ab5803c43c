#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The recipe's files for nginx and Apache, as they stand but for ports and folders, with TLS, in front
of gatepost-web: the token by the reader or by the proxy, the name, what is not passed on."""
import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
sys.path.insert(0, sys.path[0] + '/../lib')
import gatepost
import place
import tap
import webpage
from tap import Skip, case, equal, match, true
from webpage import TOKEN, basic

RECIPE = os.path.dirname(os.path.abspath(__file__)) + '/../../packaging/recipes/monitoring/'
NAME = 'gatepost.example.org'
MODULES = '/usr/lib/apache2/modules/mod_%s.so'
# What /etc has of its own around the recipe's files.
NGINX = '''pid FOLDER/pid;
error_log FOLDER/error.log;
user nobody nogroup;
events {}
http {
    access_log off;
    client_body_temp_path FOLDER/a; proxy_temp_path FOLDER/b; fastcgi_temp_path FOLDER/c;
    uwsgi_temp_path FOLDER/d; scgi_temp_path FOLDER/e;
    include FOLDER/site;
}
'''
APACHE = '''ServerRoot FOLDER
PidFile FOLDER/pid
ErrorLog FOLDER/error.log
DefaultRuntimeDir FOLDER
User nobody
Group nogroup
ServerName localhost
Mutex file:FOLDER
%s
Listen PORT
Include FOLDER/site
''' % '\n'.join('LoadModule %s_module %s' % (name, MODULES % name) for name in (
    'mpm_event', 'authn_core', 'authn_file', 'authz_core', 'authz_user', 'auth_basic', 'alias', 'headers',
    'proxy', 'proxy_http', 'socache_shmcb', 'ssl'))
site = {}


class Proxy:
    """nginx or Apache with the recipe's file; own: what is commented there is in force."""

    def __init__(self, name, own=False):
        self.folder, self.port = place.folder('gatepost-proxy-'), place.port()
        os.chmod(self.folder, 0o755)
        with open(RECIPE + name + '.conf', encoding='ascii') as handle:
            text = handle.read()
        if own:
            text = re.sub(r'(?m)^( *)#(?=\S|    )', r'\1', text)
        for pattern, value in ((r'listen 443', 'listen 127.0.0.1:%d' % self.port),
                               (r'\*:443', '127.0.0.1:%d' % self.port),
                               (r'127\.0\.0\.1:9797', '127.0.0.1:%d' % site['web'].port),
                               (r'/etc/ssl/\S*/%s' % re.escape(NAME), site['folder'] + '/site'),
                               (r'/etc/\S*/gatepost-users', site['folder'] + '/users'),
                               ('Bearer TOKEN', 'Bearer ' + TOKEN)):
            text = re.sub(pattern, value, text)
        place.write(self.folder + '/site', text)
        self.file = place.write(self.folder + '/main', {'nginx': NGINX, 'apache': APACHE}[name].replace(
            'FOLDER', self.folder).replace('PORT', '127.0.0.1:%d' % self.port))
        command = (['nginx', '-e', self.folder + '/error.log', '-c', self.file, '-g', 'daemon off;']
                   if name == 'nginx' else ['apache2', '-f', self.file, '-DFOREGROUND'])
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True)
        tap.until(lambda: self.process.poll() is not None or self.answers(), 20, name)
        if self.process.poll() is not None:
            raise tap.Failure('%s: %s %s' % (name, self.process.stderr.read(), self.log()))

    def answers(self):
        with socket.socket() as probe:
            return probe.connect_ex(('127.0.0.1', self.port)) == 0

    def log(self):
        with open(self.folder + '/error.log', encoding='utf-8') as handle:
            return handle.read()

    def get(self, path, **headers):
        context = ssl.create_default_context(cafile=site['folder'] + '/site.pem')
        connection = http.client.HTTPSConnection('127.0.0.1', self.port, timeout=30, context=context)
        connection.sock = context.wrap_socket(
            socket.create_connection(('127.0.0.1', self.port), 30), server_hostname=NAME)
        connection.putrequest('GET', path, skip_host=True)
        for key, value in {'Host': NAME, **headers}.items():
            connection.putheader(key, value)
        connection.endheaders()
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, answer.headers, text

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate(timeout=20)


def rows(function):
    for name, program in (('nginx', 'nginx'), ('apache', 'apache2')):
        def run(name=name, program=program):
            if not shutil.which(program):
                raise Skip('no ' + program)
            function(name)
        case('%s: %s' % (name, function.__doc__))(run)
    return function


@rows
def token(name):
    """the reader gives the token; the proxy passes it on, and the name"""
    with Proxy(name) as proxy:
        status, headers, text = proxy.get('/')
        equal(status, 200, 'the page: ' + text[:500])
        true('The last 24 hours' in text and '<form' not in text, 'without what is personal')
        match("^default-src 'none'", headers['Content-Security-Policy'], 'headers')
        equal(proxy.get('/style.css')[0], 200, 'what stands beside it')
        status, headers, _ = proxy.get('/login')
        equal((status, headers['WWW-Authenticate'] is not None), (401, True), 'asked for')
        status, headers, _ = proxy.get('/login', Authorization=basic(TOKEN))
        equal(status, 303, 'given')
        true(headers['Location'] in ('/', 'https://%s/' % NAME), 'back to %s' % headers['Location'])
        equal(proxy.get('/search?q=x', Authorization=basic('wrong'))[0], 401, 'a wrong one')
        equal(proxy.get('/search?q=x%40y.example', Authorization=basic(TOKEN))[0], 200, 'a search')
        status, _, text = proxy.get('/', Authorization='Bearer ' + TOKEN)
        true(status == 200 and '<form' in text, 'as a bearer')
        equal(proxy.get('/metrics')[0], 404, 'metrics are not for others')
        equal(proxy.get('/', Host='evil.example')[0], 400, 'another name')
        equal(proxy.get('/', **{'X-Forwarded-For': '127.0.0.1'})[0], 200, 'whoever it is for')


@rows
def users(name):
    """with users of the proxy's own, who do not know the token"""
    with Proxy(name, own=True) as proxy:
        equal(proxy.get('/')[0], 401, 'nobody')
        equal(proxy.get('/', Authorization=basic('wrong', 'ann'))[0], 401, 'a wrong password')
        equal(proxy.get('/', Authorization='Bearer ' + TOKEN)[0], 401, 'the token, but no user')
        status, _, text = proxy.get('/', Authorization=basic('anns-password', 'ann'))
        true(status == 200 and '<form' in text, '%s sees all' % status)
        true(TOKEN not in text, 'the token is not shown')
        equal(proxy.get('/search?q=x%40y.example', Authorization=basic('anns-password', 'ann'))[0], 200,
              'a search')


@case('the recipe is without fault')
def check():
    done = subprocess.run([gatepost.CONTROL, '-c', RECIPE + 'gatepost.conf', 'check'], text=True,
                          capture_output=True, check=False)
    equal(done.returncode, 0, done.stderr)


def setup():
    if webpage.missing():
        tap.skip_all(webpage.missing())
    folder = site['folder'] = place.folder('gatepost-proxies-')
    os.chmod(folder, 0o755)
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj',
                    '/CN=' + NAME, '-addext', 'subjectAltName=DNS:' + NAME, '-keyout',
                    folder + '/site.key', '-out', folder + '/site.pem'], check=True, capture_output=True)
    password = subprocess.run(['openssl', 'passwd', '-apr1', 'anns-password'], check=True, text=True,
                              capture_output=True).stdout
    os.chmod(place.write(folder + '/users', 'ann:' + password), 0o644)
    daemon = gatepost.Gatepost({'rule_files': ''})
    site['daemon'], site['web'] = daemon, webpage.Web(daemon, web_names=NAME)
    daemon.start()
    site['web'].start()


if __name__ == '__main__':
    tap.run(setup, teardown=lambda _: [site[name].stop() for name in ('web', 'daemon') if name in site])
