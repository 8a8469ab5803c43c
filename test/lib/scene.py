# SPDX-License-Identifier: BSD-2-Clause
"""The usual scene of a test: a private Postfix with gatepost beside it."""
import contextlib

import gatepost
import postfix
import smtp
import tap

SHOWN = 25  # log lines of each daemon that a failed case shows

# Addresses that mean nothing to anybody here (RFC 5737); clients come from them by XCLIENT.
OUTSIDER = '203.0.113.9'


class Scene:
    def __init__(self, settings=None, more='', unix=False, main=None):
        """settings, more, unix: gatepost's. main: main.cf parameters that differ."""
        self.gatepost = gatepost.Gatepost(settings, more, unix)
        self.postfix = postfix.Postfix(self.gatepost.milter(), main)
        self.sink = self.postfix.sink

    def start(self):
        self.gatepost.start()
        self.postfix.start()
        return self

    def stop(self):
        self.postfix.stop()
        return self.gatepost.stop()

    @contextlib.contextmanager
    def settings(self, **changed):
        """Other settings for a while, in force by a reload; sections stay."""
        before, more = self.gatepost.settings, self.gatepost.more
        try:
            self.gatepost.reload({**before, **changed}, more)
            yield
        finally:
            self.gatepost.reload(before, more)

    def dialog(self, service='mx', cert=None, **more):
        """A session with one of Postfix's services, TLS where it begins with TLS."""
        return smtp.Dialog(self.postfix.ports[service], tls=service == 'smtps',
                           cert=self.certificate(cert), **more)

    def certificate(self, name):
        certs = self.postfix.certs
        return name and (certs.file(name + '.pem'), certs.file(name + '.key'))

    def outsider(self, address=OUTSIDER, name='host.example', greet='client.example.com', **more):
        """A session of a client from elsewhere. address: IPV6:... for IPv6."""
        dialog = self.dialog('xclient')
        reply = dialog.xclient(greet, NAME=name, ADDR=address, **more)
        tap.match('^220', reply, 'XCLIENT')
        return dialog

    def logged_in(self, service='submission', user='bob'):
        """A session with TLS and a login."""
        dialog = self.dialog(service)
        if service != 'smtps':
            dialog.starttls()
        tap.match('^235', dialog.auth(user), 'AUTH')
        return dialog

    def show(self):
        for who, lines in (('gatepost', self.gatepost.log()),
                           ('Postfix', self.postfix.log().splitlines())):
            tap.note('--- the last lines of %s ---' % who)
            for line in lines[-SHOWN:]:
                tap.note(line)


def first(settings=None, more='', unix=False, main=None, tables=None):
    """What tap.run wants as its setup. tables: file name -> text; TABLES in a setting's value
    stands for their folder."""
    why = postfix.missing() or gatepost.missing()
    if why:
        tap.skip_all(why)

    def setup():
        scene = Scene(unix=unix, main=main)
        for name, text in (tables or {}).items():
            scene.gatepost.table(name, text)
        scene.gatepost.configure({key: value and value.replace('TABLES', scene.gatepost.folder)
                                  for key, value in (settings or {}).items()}, more)
        return scene.start()
    return setup


def ends_well(scene):
    """The last case of every file: an orderly stop, and sanitizers found nothing."""
    scene.postfix.stop()
    tap.equal(scene.gatepost.stop(), 0, 'exit code of gatepost')
    tap.equal(scene.gatepost.sanitizer_report(), '', 'sanitizer report')
    tap.absent('panic:|milter8.*(bad state|unexpected)|malformed reply', scene.postfix.log(),
               "Postfix's log")


def run(**options):
    tap.case('gatepost stops in order')(ends_well)
    tap.run(first(**options), teardown=lambda scene: scene and scene.stop(),
            on_failure=lambda scene: scene.show())
