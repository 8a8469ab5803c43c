#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The recipes of packaging/recipes keep what they promise: each runs as it stands behind a Postfix
of its own, or a Sendmail; what passes there, and what gatepost refuses even if the MTA lets it
through."""
import contextlib
import shutil
import sys
sys.path.insert(0, sys.path[0] + '/../lib')
import gatepost
import lists
import place
import postfix
import recipe
import redis
import scene
import tap
from recipe import Recipe
from smtp import message, token
from tap import absent, case, equal, match, true

OK = '^250'
FAR = 'someone@far.example'
STRANGER, WEBMAIL, SECONDARY = lists.UNKNOWN, '192.0.2.25', '192.0.2.2'
DENIED = '^550 5\\.7\\.1 <.*>: Relaying denied; authenticate first$'
NEED_LOGIN = '^530 5\\.7\\.0 Authentication required$'
NOT_OWNED = '^553 5\\.7\\.1 <%s>: Sender address rejected: not owned by user bob(@example\\.org)?$'
NOT_LOGGED_IN = '^553 5\\.7\\.1 <%s>: Sender address rejected: not logged in$'
KOI8 = '=?koi8-r?B?8NLJ18XU?='      # a Russian word
UTF8 = '=?utf-8?B?0J/RgNC40LLQtdGC?='  # the same
FACTS = 'The turnover of the third quarter was 4.71 million euros, the loss was 380 thousand.'


@contextlib.contextmanager
def at_work(*arguments, **options):
    """A recipe, running; its logs are shown when something fails."""
    if scene.MISSING or gatepost.missing():
        raise tap.Skip(scene.MISSING or gatepost.missing())
    with Recipe(*arguments, **options) as site:
        try:
            yield site
        except Exception:
            for line in site.gatepost.log()[-15:] + site.mta.log().splitlines()[-15:]:
                tap.note(line)
            raise


def rcpt(dialog, sender, recipient):
    """The reply that settles the envelope; the session is ready for the next."""
    reply = dialog.mail(sender)
    if reply.startswith('2'):
        reply = dialog.rcpt(recipient)
    dialog.send('RSET')
    return reply


def passes(site, dialog, sender, recipient, content=None):
    """A message that must be delivered, as it was delivered."""
    word = token()
    replies = dialog.deliver(sender, [recipient], content(word) if content else message(word))
    match(OK, replies[-1], '%s to %s' % (sender, recipient))
    return site.sink.wait(word)


def no_relay(site, service='mx', address=STRANGER):
    """Nobody sends on from there, in whatever way he asks."""
    with site.session(service, address) as dialog:
        for recipient in (FAR, 'x%far.example@example.org', 'far.example!x@example.org',
                          '"x@far.example"@example.org', '@example.org:x@far.example'):
            match(DENIED, rcpt(dialog, 'a@far.example', recipient), recipient)


@case('gatepostctl check has nothing against any recipe')
def check_all():
    true(len(recipe.names()) >= 8, 'the recipes are not where they were')
    for name in recipe.names():
        for file in ('gatepost.conf', 'primary.conf'):
            if recipe.read(name, file):
                equal(Recipe(name, file).check(), (0, ''), '%s/%s' % (name, file))


@case('everyday: a sender domain is refused for one recipient, and a mailbox is for this site')
def everyday():
    with at_work('everyday', careless=True) as site:
        no_relay(site)
        with site.session('mx', STRANGER) as dialog:
            match('^554 5\\.7\\.1 .*He has asked you to stop$',
                  rcpt(dialog, 'a@offers.example', 'bob@example.org'))
            match(OK, rcpt(dialog, 'a@offers.example', 'carol@example.org'))
            match('^554 5\\.7\\.1 .*Access denied$', rcpt(dialog, FAR, 'staff@example.org'))
            match('^554 5\\.7\\.1 .*Access denied$', rcpt(dialog, FAR, 'orders@example.org'))
            passes(site, dialog, 'a@partner.example', 'orders@example.org')


@case('submission: a login over TLS sends, from its own addresses')
def submission():
    with at_work('submission') as site:
        for service in ('submission', 'submissions'):
            with site.session(service, STRANGER, login='bob') as dialog:
                for sender in ('bob@example.org', 'bob+list@example.org', 'office@example.org'):
                    passes(site, dialog, sender, FAR)
                match(NOT_OWNED % 'carol@example\\.org', rcpt(dialog, 'carol@example.org', FAR))
                match(NOT_OWNED % 'x@other\\.example', rcpt(dialog, 'x@other.example', FAR))
        with site.session(address=STRANGER) as dialog:
            passes(site, dialog, 'a@far.example', 'bob@example.org')
            match(NOT_LOGGED_IN % '.*', rcpt(dialog, 'bob@example.org', 'carol@example.org'))
        with site.session('submission') as dialog:
            match('^530 5\\.7\\.0 ', dialog.mail('bob@example.org'))
            match('^5', dialog.auth('bob'), 'AUTH without TLS')


@case('submission: gatepost demands login and TLS when the MTA no longer does')
def submission_careless():
    with at_work('submission', careless=True) as site:
        no_relay(site)
        for service in ('submission', 'submissions'):
            for recipient in (FAR, 'carol@example.org'):
                with site.session(service, tls=True) as dialog:
                    match(NEED_LOGIN, rcpt(dialog, 'bob@example.org', recipient), service)
        with site.session('submission') as dialog:
            match('^235', dialog.auth('bob'), 'AUTH without TLS')
            match('^538 5\\.7\\.11 ', rcpt(dialog, 'bob@example.org', FAR))


@case('stolen-passwords: 200 people a day, five places an hour, and no more')
def stolen_passwords():
    more = 'notice_server = inet:%d@127.0.0.1\n' % place.port()  # nobody listens there
    with at_work('stolen-passwords', more=more) as site:
        with site.session('submission', STRANGER, login='bob') as dialog:
            for start in (0, 50, 100, 150):
                word = token()
                replies = dialog.deliver('bob@example.org', ['to%d@far.example' % (start + number)
                                                             for number in range(50)], message(word))
                match(OK, replies[-1], 'the first 200 recipients')
            match(r'^450 4\.7\.0 bob: sending limit reached \(200 recipients in 1d\); '
                  r'try again in 2[45]h$', rcpt(dialog, 'bob@example.org', FAR))
        site.gatepost.wait_log(0, 'action=info', 'limit=recipients', 'key=bob', 'used=200')
        with site.session('submission', STRANGER, login='carol') as dialog:
            passes(site, dialog, 'carol@example.org', FAR)
        if scene.MTA != 'postfix':
            return  # clients of Sendmail's come from three networks alone
        for number in range(5):
            with site.session('submission', '203.0.%d.7' % (100 + number), login='carol') as dialog:
                reply = rcpt(dialog, 'carol@example.org', FAR)
                if number < 4:
                    match(OK, reply)
                    passes(site, dialog, 'carol@example.org', FAR)
        match(r'^550 5\.7\.1 carol: sending limit reached \(5 networks in 1h\)', reply)


@case('web-applications: each site by its pinned sender; what is too much waits on hold and is lost by '
      'nobody, and delays nobody')
def web_applications():
    if scene.MTA != 'postfix':
        raise tap.Skip('Sendmail does not say that mail came without SMTP')
    if not shutil.which('php'):
        raise tap.Skip('php is not installed')

    def mail(site, sender, word):
        script = 'mail("x@far.example", "%s", "hello", "From: a@example.org", "-fother@example.org");'
        done = site.mta.command('php', '-d', 'sendmail_path=/usr/sbin/sendmail -t -i', '-d',
                                'mail.force_extra_parameters=-f' + sender, '-d',
                                'mail.add_x_header=On', '-r', script % word, check=False)
        equal(done.returncode, 0, done.stderr)
    with at_work('web-applications') as site:
        words = [token() for _ in range(53)]
        for word in words[:50]:
            mail(site, 'site1@example.org', word)
        for word in words[:50]:
            equal(site.sink.wait(word).sender, 'site1@example.org', 'PHP pins the sender')
        held = []
        for word in words[50:]:  # one by one: pickup takes what lies there in any order
            mail(site, 'site1@example.org', word)
            held.append(tap.until(lambda: site.mta.held(word), 20, 'on hold')[0])
        word = token()
        mail(site, 'site2@example.org', word)
        site.sink.wait(word)
        site.mta.wait_empty()
        equal(site.gatepost.control('limits', 'release').stdout, '', 'nothing fits yet')
        equal(site.gatepost.control('limits', 'allow', 'sites', 'site1@example.org', '2', '1h')
              .returncode, 0)
        fits = site.gatepost.control('limits', 'release').stdout.split()
        equal(fits, held[:2], 'the oldest first')
        site.mta.command('postsuper', '-H', '-', data=''.join(x + '\n' for x in fits).encode())
        site.mta.command('postqueue', '-f')
        for word in words[50:52]:
            site.sink.wait(word)
        equal(site.mta.held(words[52]), held[2:], 'the third waits')


@case('web-logins: each application by its login and its address, and so much a day')
def web_logins():
    more = 'notice_server = inet:%d@127.0.0.1\n' % place.port()  # nobody listens there
    with at_work('web-logins', more=more) as site:
        with site.session('submission', STRANGER, login='bob') as dialog:
            for start in (0, 50):
                replies = dialog.deliver('shop@example.org', ['to%d@far.example' % (start + number)
                                                              for number in range(50)],
                                         message(token()))
                match(OK, replies[-1], 'the first 100 recipients')
            match(r'^450 4\.7\.0 bob: sending limit reached \(100 recipients in 1d\)',
                  rcpt(dialog, 'shop@example.org', FAR))
            match(NOT_OWNED % '.*', rcpt(dialog, 'forum@example.org', FAR))
        with site.session('submission', STRANGER, login='carol') as dialog:
            passes(site, dialog, 'forum@example.org', FAR)
    with at_work('web-logins', more=more, careless=True) as site:
        no_relay(site, address='127.0.0.1')


@case('intermediate-queue: what is over the limit waits in the queue of a second Postfix, and delays '
      'nobody')
def intermediate_queue():
    if scene.MTA != 'postfix':
        raise tap.Skip('it is about a second Postfix')
    with at_work('intermediate-queue') as site:
        main = recipe.main_cf('intermediate-queue', 'web-main.cf')
        main['relayhost'] = main['relayhost'].replace('10025', str(site.mta.ports['web']))
        web = postfix.Postfix('', {**recipe.STOCK, **main}, services={})

        def submit(sender, *recipients):
            word = token()
            done = web.sendmail(message(word), '-f', sender, *recipients)
            equal(done.returncode, 0, done.stderr)
            return word
        web.start()
        try:
            site.sink.wait(submit('site1@example.org', *['to%d@far.example' % number
                                                         for number in range(48)]))
            site.sink.wait(submit('site1@example.org', FAR))
            site.sink.wait(submit('site1@example.org', FAR))
            word = submit('site1@example.org', FAR)
            tap.until(lambda: web.queue('deferred'), 20, 'a message that waits')
            match(r'said: 450 4\.7\.0 site1@example\.org: sending limit reached \(50 recipients in 1d\)',
                  web.log().replace('\n', ' ').split('status=deferred')[1])
            site.sink.wait(submit('site2@example.org', FAR))
            equal(site.sink.messages(word), [], 'it waits')
            equal(site.gatepost.control('limits', 'allow', 'sites', 'site1@example.org', '5', '1h')
                  .returncode, 0)
            web.command('postqueue', '-f')
            site.sink.wait(word)
            web.wait_empty()
        finally:
            web.stop()
            web.sink.stop()


@case('fleet: three machines count together, and go on with the replica')
def fleet():
    if redis.missing():
        raise tap.Skip(redis.missing())
    ports = [place.port(), place.port()]
    password = recipe.read('fleet', 'redis-password').strip()
    servers = []
    with contextlib.ExitStack() as stack:
        for port, file in zip(ports, ('redis.conf', 'replica.conf')):
            conf = recipe.read('fleet', file).replace('replicaof 192.0.2.11 6379',
                                                      'replicaof 127.0.0.1 %d' % ports[0])
            servers.append(redis.Redis(port=port, conf=conf, password=password))
            stack.callback(servers[-1].stop)
        hosts = {'192.0.2.11,192.0.2.12': '127.0.0.1:%d,127.0.0.1:%d' % tuple(ports)}
        sites = [stack.enter_context(at_work('fleet', instead=hosts)) for _ in range(3)]

        def counts_on(site, port):
            status = site.gatepost.control('status').stdout
            return '127.0.0.1:%d: up' % port in status

        def full(site):
            with site.session('submission', STRANGER, login='bob') as dialog:
                match(r'^450 4\.7\.0 bob: sending limit reached \(200 recipients in 1d\)',
                      rcpt(dialog, 'bob@example.org', FAR))
        for site in sites:
            tap.until(lambda: counts_on(site, ports[0]), 20, 'the first server')
            equal(site.check(), (0, ''))
        for site, count in zip(sites, (80, 80, 40)):
            with site.session('submission', STRANGER, login='bob') as dialog:
                match(OK, dialog.deliver('bob@example.org', ['to%d@far.example' % number for number in
                                                             range(count)], message(token()))[-1])
        full(sites[0])
        tap.until(lambda: servers[1].ask('EXISTS', 'gp1:l:recipients|86400|bob') == '1', 10,
                  'replication')
        servers[0].stop()
        servers[1].ask('REPLICAOF', 'NO', 'ONE')
        for site in sites:
            tap.until(lambda: counts_on(site, ports[1]), 20, 'the second server')
            full(site)


@case('onion: its clients write to us and to nobody else, though they seem to be local')
def onion():
    onion = 'ONION'
    with at_work('onion') as site:
        with site.session(onion) as dialog:
            passes(site, dialog, 'a@far.example', 'bob@example.org')
        with site.session() as dialog:
            passes(site, dialog, 'root@example.org', FAR)
    with at_work('onion', careless=True) as site:
        no_relay(site, onion, address=None)
        no_relay(site)


@case('webmail: it sends in the name of its users, and the host by itself not at all')
def webmail():
    with at_work('webmail') as site:
        with site.session('submission', WEBMAIL, login='bob') as dialog:
            for sender in ('bob@example.org', 'office@example.org'):
                passes(site, dialog, sender, FAR, lambda word: message(word, sender=sender))
            match(NOT_OWNED % '.*', rcpt(dialog, 'carol@example.org', FAR))
            forged = message(sender='carol@example.org')
            match('^553 5\\.7\\.1 <carol@example\\.org>: .*not owned by user bob',
                  dialog.deliver('bob@example.org', [FAR], forged)[-1], 'From:')
        with site.session(address=WEBMAIL) as dialog:
            match(NOT_LOGGED_IN % '.*', rcpt(dialog, 'bob@example.org', 'carol@example.org'))
    with at_work('webmail', careless=True) as site:
        no_relay(site, address=WEBMAIL)
        with site.session('submission', WEBMAIL, tls=True) as dialog:
            match(NEED_LOGIN, rcpt(dialog, 'bob@example.org', FAR))


@case('webmail: a script on the machine itself is nobody else, and cron still writes')
def webmail_local():
    with at_work('webmail') as site:
        with site.session() as dialog:
            match(NOT_LOGGED_IN % '.*', rcpt(dialog, 'carol@example.org', FAR))
            passes(site, dialog, 'www-data@example.org', 'bob@example.org')
        word = token()
        site.mta.sendmail(message(subject=word), '-f', 'carol@example.org', FAR)
        told = site.sink.wait(word)
        equal((told.sender, told.recipients), ('', ['carol@example.org']), 'the refusal goes to')
        word = token()
        site.mta.sendmail(message(word), '-f', 'root@example.org', FAR)
        equal(site.sink.wait(word).recipients, [FAR], 'recipients')


@case('client certificates: the one of the table may send on, others may not')
def certificates():
    with at_work('client-certificates') as site:
        branch(site)
        with site.session(address=STRANGER, cert='branch') as dialog:
            passes(site, dialog, 'bob@example.org', FAR)
    with at_work('client-certificates', careless=True) as site:
        branch(site)
        for cert in ('carol', 'impostor', 'expired', 'selfsigned', 'stranger'):
            with site.session(address=STRANGER, cert=cert) as dialog:
                match(DENIED, rcpt(dialog, 'a@far.example', FAR), cert)
                match(NOT_LOGGED_IN % '.*',
                      rcpt(dialog, 'bob@example.org', 'carol@example.org'), cert)
        no_relay(site)


def branch(site):
    """The certificate of the recipe, and one with the same name of another CA."""
    for name, ca in (('branch', 'ca'), ('impostor', 'otherca')):
        site.certs.leaf(name, ca, '/O=Example/CN=branch.example.org', 'clientAuth')


def served_by(server):
    return 'dns_servers = %s\n' % server.address()


def rbldnsd(**more):
    if lists.missing():
        raise tap.Skip(lists.missing())
    return lists.Lists(**more).start()


@case('secondary MX: known recipients alone, and no mail that the primary would refuse')
def secondary():
    server = rbldnsd()
    with at_work('secondary-mx', more=served_by(server)) as site:
        with site.session(address=STRANGER) as dialog:
            for user in ('bob', 'postmaster'):
                passes(site, dialog, 'a@far.example', user + '@example.org')
            match('^550 5\\.1\\.1 <nobody@example\\.org>: Recipient address rejected: User unknown',
                  rcpt(dialog, 'a@far.example', 'nobody@example.org'))
        with site.session(address=lists.LISTED) as dialog:
            match('^554 5\\.7\\.1 ', rcpt(dialog, 'a@far.example', 'bob@example.org'))
    with at_work('secondary-mx', more=served_by(server), careless=True) as site:
        no_relay(site)
    server.stop()


@case('secondary MX: the primary takes what it brings, and judges what others bring')
def primary():
    server = rbldnsd(datasets=['bl.example.com:ip4set:secondary'], secondary=SECONDARY + '\n')
    rules = place.write(place.folder() + '/test.cf', 'header ALL_SPAM Subject =~ /./\n'
                        'score ALL_SPAM 20\n')
    tagged = 'X-Spam-Flag: YES\r\nX-Spam-Status: Yes, score=7.0 required=5.0 tests=X\r\n'
    with at_work('secondary-mx', file='primary.conf',
                 more=served_by(server) + 'rule_files = %s\n' % rules) as site:
        with site.session(address=SECONDARY) as dialog:
            taken = passes(site, dialog, 'a@far.example', 'bob@example.org',
                           lambda word: message(word, more=tagged))
            match('X-Spam-Flag: YES', taken.header(), 'what the secondary said of it')
        with site.session(address=STRANGER) as dialog:
            match('^550 5\\.7\\.1 Message refused: spam score 20', dialog.deliver(
                'a@far.example', ['bob@example.org'], message())[-1])
        with site.session(address=lists.LISTED) as dialog:
            match('^554 ', rcpt(dialog, 'a@far.example', 'bob@example.org'))
    with at_work('secondary-mx', file='primary.conf', more=served_by(server),
                 careless=True) as site:
        no_relay(site, address=SECONDARY)
    server.stop()


@case('charsets: refused, tagged, and as the profile of a recipient has it')
def charset():
    with at_work('charset') as site, site.session(address=STRANGER) as dialog:
        def send(recipients, subject, **words):
            word = token()
            return word, dialog.deliver('a@far.example', recipients,
                                        message(word, subject, **words))[-1]

        def fields(word):
            return [line for line in site.sink.wait(word).header().split('\r\n')
                    if line.startswith('X-Spam-')]

        bob, olga, support = ('%s@example.org' % user for user in ('bob', 'olga', 'support'))
        equal(send([bob], KOI8)[1], '550 5.7.1 Message refused: spam score 10.0 '
              '(CHARSET_CYRILLIC, SCRIPT_CYRILLIC)')
        cyrillic = 'Content-Type: text/plain; charset=cp1251\r\n'
        for subject, more in ((UTF8, ''), ('hello', cyrillic)):
            word, reply = send([bob], subject, more=more)
            match(OK, reply, subject)
            equal(fields(word)[:2], ['X-Spam-Flag: YES', 'X-Spam-Score: 5.0'], subject)
        for recipients in ([olga], [support], [bob, olga]):
            word, reply = send(recipients, KOI8)
            match(OK, reply, str(recipients))
            equal(fields(word), [], str(recipients))
        for subject in ('hello', '=?iso-8859-2?q?Dzie=F1_dobry?=', '=?utf-8?q?caf=C3=A9?='):
            word, reply = send([bob], subject)
            match(OK, reply, subject)
            equal(fields(word), [], subject)


@case('own list: who is on it is refused, but may write to postmaster, and log in')
def own_dnsbl():
    server = rbldnsd()
    with at_work('own-dnsbl', more=served_by(server)) as site:
        def reply(address, sender='a@far.example', recipient='bob@example.org'):
            with site.session(address=address) as dialog:
                return rcpt(dialog, sender, recipient)

        match(r'^554 5\.7\.1 Service unavailable; Client host \[203\.0\.113\.9\] blocked using '
              r'bl\.example\.com; 203\.0\.113\.9 sent spam to us', reply(lists.LISTED))
        match('^554 ', reply('IPV6:' + lists.LISTED6), 'IPv6')
        for address in (lists.UNKNOWN, lists.EXCLUDED, lists.FRIEND, lists.DIALUP):
            match(OK, reply(address), address)
        for user in ('postmaster', 'abuse'):
            match(OK, reply(lists.LISTED, recipient=user + '@example.org'), user)
        match(r'^554 .*Sender address \[a@spam\.example\] blocked using dbl\.example\.com',
              reply(lists.UNKNOWN, 'a@spam.example'))
        match(r'^554 .*Sender address .* blocked using ebl\.example\.com',
              reply(lists.UNKNOWN, 'offer@spammer.example'))
        equal(site.gatepost.control('dnsbl', lists.LISTED).returncode, 1, 'gatepostctl dnsbl')
        equal(site.gatepost.control('dnsbl', '--probe').returncode, 0, 'gatepostctl dnsbl --probe')
        with site.session(address=lists.UNKNOWN) as dialog:
            tagged = passes(site, dialog, 'a@far.example', 'bob@example.org',
                            lambda word: message(word, sender='x@spam.example'))
            match('X-Spam-Status: Yes, score=6.0 .*LOCAL_FROM_LISTED', tagged.header())
    server.stop()


def auto_reply(word, more=''):
    return message(more, subject='Away', sender='bob@example.org',
                   more='Auto-Submitted: auto-replied\r\nX-Word: %s\r\n' % word)


@case('vacation: no quotation leaves for postmaster or a robot; a person may quote')
def vacation():
    quotes = 'On Monday you wrote:\r\n> %s\r\n' % FACTS
    with at_work('vacation') as site:
        with site.session('submission', STRANGER, login='bob') as dialog:
            match('^550 5\\.7\\.1 Auto-reply to <postmaster@far\\.example> quotes the original',
                  dialog.deliver('bob@example.org', ['postmaster@far.example'],
                                 auto_reply('none', quotes))[-1])
            passes(site, dialog, 'bob@example.org', 'postmaster@far.example',
                   lambda word: auto_reply(word))
            passes(site, dialog, 'bob@example.org', FAR, lambda word: auto_reply(word, quotes))
            passes(site, dialog, 'bob@example.org', 'postmaster@far.example',
                   lambda word: message(word + '\r\n' + quotes, 'Re: figures'))
        for sender in ('bob@example.org', '<>'):
            word = token()
            site.mta.sendmail(auto_reply(word, quotes), '-f', sender, 'postmaster@far.example')
            sent = site.sink.wait(word)
            absent('turnover', sent.data.decode(), 'the stripped reply')
            match('X-Gatepost-Autoreply: quotation-removed; ', sent.header())
        with site.session(address=STRANGER) as dialog:
            bounce = passes(site, dialog, '', 'bob@example.org', lambda word: message(
                word, 'Undelivered', more='MIME-Version: 1.0\r\nContent-Type: multipart/report; '
                'report-type=delivery-status; boundary=b\r\n'))
            match('X-Auto-Response-Suppress: OOF, AutoReply', bounce.header())


tap.run()
