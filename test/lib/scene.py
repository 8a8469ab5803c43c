# SPDX-License-Identifier: BSD-2-Clause
"""The usual scene of a test: a private Postfix, or Sendmail, with gatepost beside it. GATEPOST_MTA
says which of the two, so that one file of cases holds for both."""
import contextlib
import os

import gatepost
import postfix
import sendmail
import tap

MTA = os.environ.get('GATEPOST_MTA', 'postfix')
# Asked here, before a test starts anything: Sendmail's clients need a network of our own.
MISSING = {'postfix': postfix, 'sendmail': sendmail}[MTA].missing()
SHOWN = 25  # log lines of each daemon that a failed case shows

# Addresses that mean nothing to anybody here (RFC 5737); clients come from them by XCLIENT, or truly.
OUTSIDER = '203.0.113.9'


class Scene:
    def __init__(self, settings=None, more='', unix=False, main=None):
        """settings, more, unix: gatepost's. main: main.cf parameters that differ."""
        self.gatepost = gatepost.Gatepost(settings, more, unix)
        self.mta = (postfix.Postfix(self.gatepost.milter(), main) if MTA == 'postfix'
                    else behind_sendmail(self.gatepost))
        self.postfix = self.mta if MTA == 'postfix' else None
        self.sink = self.mta.sink

    def start(self):
        self.gatepost.start()
        self.mta.start()
        return self

    def stop(self):
        self.mta.stop()
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

    def expand(self, value):
        value = value.replace('TABLES', self.gatepost.folder)
        return value if self.postfix else value.replace('ROOT', self.mta.root)

    def dialog(self, service='mx', cert=None, **more):
        """A session with one of the MTA's services, TLS where it begins with TLS."""
        return self.mta.dialog(self.mta.ports[service], tls=service == 'smtps',
                               cert=self.certificate(cert), **more)

    def certificate(self, name):
        certs = self.mta.certs
        return name and (certs.file(name + '.pem'), certs.file(name + '.key'))

    def outsider(self, address=OUTSIDER, name='host.example', greet='client.example.com', **more):
        """A session of a client from elsewhere. address: IPV6:... for IPv6."""
        return self.mta.outsider(address, name, greet, **more)

    def logged_in(self, service='submission', user='bob'):
        """A session with TLS and a login."""
        dialog = self.dialog(service)
        if service != 'smtps':
            dialog.starttls()
        tap.match('^235', dialog.auth(user), 'AUTH')
        return dialog

    def show(self):
        for who, lines in (('gatepost', self.gatepost.log()),
                           (self.mta.name, self.mta.log().splitlines())):
            tap.note('--- the last lines of %s ---' % who)
            for line in lines[-SHOWN:]:
                tap.note(line)


def behind_sendmail(daemon):
    """A Sendmail with the lines that gatepostctl prints; a unix socket must lie in its root
    folder."""
    mta = sendmail.Sendmail()
    if not daemon.port:
        daemon.path = mta.path('/run/milter.sock')
        daemon.configure({**daemon.settings, 'milter_socket': daemon.milter()}, daemon.more)
    mta.filter_by(daemon)
    return mta


def first(settings=None, more='', unix=False, main=None, tables=None, prepare=None):
    """What tap.run wants as its setup. tables: file name -> text; TABLES in a setting's value
    stands for their folder, ROOT for Sendmail's root folder. prepare: called with the scene before
    anything starts."""
    why = MISSING or gatepost.missing()
    if why:
        tap.skip_all(why)

    def setup():
        scene = Scene(unix=unix, main=main)
        for name, text in (tables or {}).items():
            scene.gatepost.table(name, text)
        if prepare:
            prepare(scene)
        scene.gatepost.configure({key: value and scene.expand(value)
                                  for key, value in (settings or {}).items()}, more)
        return scene.start()
    return setup


def ends_well(scene):
    """The last case of every file: an orderly stop, and sanitizers found nothing."""
    scene.mta.stop()
    tap.equal(scene.gatepost.stop(), 0, 'exit code of gatepost')
    tap.equal(scene.gatepost.sanitizer_report(), '', 'sanitizer report')
    tap.absent(scene.mta.troubles, scene.mta.log(), "the log of " + scene.mta.name)


def run(troubles=None, **options):
    """troubles: what the MTA's log must not hold at the end, when it differs."""
    if troubles:
        {'postfix': postfix.Postfix, 'sendmail': sendmail.Sendmail}[MTA].troubles = troubles
    tap.case('gatepost stops in order')(ends_well)
    tap.run(first(**options), teardown=lambda scene: scene and scene.stop(),
            on_failure=lambda scene: scene.show())
