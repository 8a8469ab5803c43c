#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Who may do what: settings, a session as `gatepostctl test` takes it, what must come of it. Each
row is a test case: arguments, "VERDICT STAGE CHECK" ("accept" alone will do), the reply."""
import itertools
import shlex
import sys
sys.path.insert(0, sys.path[0])
import ctl
from tap import run

SITE = '''
local_domains = example.org, .sub.example.org, [192.0.2.1], b\u00fccher.example
mynetworks = 127.0.0.0/8 [::1]/128 !192.0.2.99 192.0.2.0/24
sender_login_maps = inline:{bob@example.org=bob, root@example.org=root, carol=carol,
    {team@example.org = bob, carol}, @alias.example=bob}
sasl_local_realms = example.org
recipient_delimiter = +
relay_clientcerts = inline:{laptop=x, alice+20phone=x}
untrusted_listeners = ONION :9025
'''
DENIED = '550 5.7.1 <%s>: Relaying denied; authenticate first'
RELAY = 'reject rcpt reject_unauth_destination'
WEAK = 'reject rcpt reject_cleartext_auth'
OUT_OF_ORDER = '451 4.3.0 Temporary failure; try again later'
ENCRYPT = '538 5.7.11 Encryption required for authentication; use STARTTLS'
MECHANISM = '534 5.7.9 Authentication mechanism not allowed here; use another one'
SUBMISSION = 'reject rcpt submission_listeners'
AUTHENTICATE = '530 5.7.0 Authentication required'
OWNED = '553 5.7.1 <%s>: Sender address rejected: not owned by user %s'
NOT_LOGGED_IN = '553 5.7.1 <%s>: Sender address rejected: not logged in'
AUTHENTICATED = 'reject rcpt reject_authenticated_sender_login_mismatch'
UNAUTHENTICATED = 'reject rcpt reject_unauthenticated_sender_login_mismatch'
FAR = '--rcpt x@far.example'
BOB = '--auth bob --tls TLSv1.3 --from bob@example.org '


def denied(address, words=''):
    return ("%s --rcpt '%s'" % (words, address), RELAY, DENIED % address)


def local(address):
    return ("--rcpt '%s'" % address, 'accept')


MESSAGE = '''Return-Path: <writer@far.example>
From: Writer <writer@elsewhere.example>
To: bob@example.org
Subject: hello

body
'''


def rows(title, settings, *lines, **tables):
    ctl.rows(title, settings, *lines, message=MESSAGE, **tables)


rows('where a recipient is', SITE,
     ('', 'accept rcpt -'),
     ('-', 'accept message -'),
     local('bob@example.org'),
     local('BOB@EXAMPLE.ORG'),
     local('bob@example.org.'),
     local('"bob"@example.org'),
     local('"b ob"@example.org'),
     local('bob+x@example.org'),
     local('a@b.sub.example.org'),
     local('postmaster'),
     local('Postmaster'),
     local('user@[192.0.2.1]'),
     local('bob@B\u00dcCHER.example'),
     local('@far.example:bob@example.org'),
     local('@far.example,@farther.example:bob@example.org'),
     local('<bob@example.org>'),
     denied('x@far.example'),
     denied('x@FAR.EXAMPLE'),
     denied('x@far.example.'),
     denied('x@sub.example.org'),
     denied('x@notexample.org'),
     denied('x@example.org.far.example'),
     denied('x@org'),
     denied('x@[192.0.2.2]'),
     denied('x@[IPv6:2001:db8::1]'),
     denied('x@192.0.2.1'),
     denied('x@[example.org]'),
     denied('x@[192.0.2.1'))

# Postfix takes comments and names off an address: whose it is must not depend on them.
rows('a sender in disguise', SITE,
     *[("--from '%s' --rcpt bob@example.org" % sender, UNAUTHENTICATED, NOT_LOGGED_IN % sender)
       for sender in ('bob(x)@example.org', '(x)bob@example.org', 'bob @ example.org',
                      'bob@example.org(x)', 'Bob <bob@example.org>', 'bob@example.org,',
                      'x:bob@example.org', 'bob@(x)example.org', 'nobody@example..org')],
     ("--from 'Bob <bob@example.org>' --auth bob --mech PLAIN --tls TLSv1.3 --bits 256 "
      '--rcpt bob@example.org', 'accept'),
     ("--from 'bob(x)@example.org' --auth carol --mech PLAIN --tls TLSv1.3 --bits 256 "
      '--rcpt bob@example.org', AUTHENTICATED, OWNED % ('bob(x)@example.org', 'carol')))

rows('a blocked sender in disguise',
     SITE + 'sender_restrictions = check_sender_access inline:{spam.example=REJECT}\n',
     *[("--from '%s' --rcpt bob@example.org" % sender, 'reject rcpt check_sender_access')
       for sender in ('a@spam.example', 'a@spam.example(x)', 'a@ spam.example', 'a@spam.example,',
                      'A <a@spam.example>')],
     ("--from 'a@spam..example' --rcpt bob@example.org", 'accept'))

rows('sender-specified routing', SITE,
     denied('x%far.example@example.org'),
     denied('x%far.example@[192.0.2.1]'),
     denied('x%example.org@example.org'),
     denied('far.example!x@example.org'),
     denied('far.example!example.org!x@example.org'),
     denied('far.example!x'),
     denied('x%far.example'),
     denied('"x@far.example"@example.org'),
     denied('"x%far.example"@example.org'),
     denied('"far.example!x"@example.org'),
     denied(r'x\@far.example@example.org'),
     denied('x@far.example@example.org'),
     denied('x@example.org@far.example'),
     denied('bob@example.org,x@far.example'),
     denied('x%far.example@a.sub.example.org'),
     ("--rcpt '@example.org:x@far.example'", RELAY, DENIED % 'x@far.example'),
     ("--rcpt '@example.org:x%far.example@example.org'", RELAY,
      DENIED % 'x%far.example@example.org'),
     ("--rcpt 'bob@example.org x@far.example'", RELAY),
     ("--rcpt ''", RELAY),
     ("--rcpt '@'", RELAY),
     ("--rcpt '@example.org'", RELAY),
     ("--client 127.0.0.1 --rcpt 'x%far.example@example.org'", 'accept'),
     (BOB + "--rcpt 'far.example!x@example.org'", 'accept'))

rows('networks', SITE,
     ('--client 127.0.0.1 ' + FAR, 'accept'),
     ('--client 127.255.255.254 ' + FAR, 'accept'),
     ('--client ::1 ' + FAR, 'accept'),
     ('--client IPv6:::1 ' + FAR, 'accept'),
     ('--client 192.0.2.5 ' + FAR, 'accept'),
     ('--client ::ffff:192.0.2.5 ' + FAR, 'accept'),
     ('--client ::ffff:c000:0205 ' + FAR, 'accept'),
     denied('x@far.example', '--client 192.0.2.99'),
     denied('x@far.example', '--client ::ffff:192.0.2.99'),
     denied('x@far.example', '--client ::ffff:203.0.113.9'),
     denied('x@far.example', '--client 2001:db8::1'),
     denied('x@far.example', '--client ::2'),
     denied('x@far.example', '--client ::127.0.0.1'),
     denied('x@far.example', '--client 64:ff9b::7f00:1'),
     denied('x@far.example', '--name localhost'),
     denied('x@far.example', '--name 127.0.0.1'),
     denied('x@far.example', '--helo localhost --name mail.example.org'),
     denied('x@far.example', '--from bob@elsewhere.example --helo 127.0.0.1'))

rows('logins', SITE,
     (BOB + FAR, 'accept'),
     (BOB + '--bits 128 ' + FAR, 'accept'),
     (BOB + '--mech CRAM-MD5 ' + FAR, 'accept'),
     ('--auth BOB --tls TLSv1.3 --from Bob@EXAMPLE.org ' + FAR, 'accept'),
     ('--auth bob@example.org --tls TLSv1.3 --from bob@example.org ' + FAR, 'accept'),
     ('--auth bob@EXAMPLE.ORG --tls TLSv1.3 --from bob@example.org ' + FAR, 'accept'),
     ('--auth bob --tls TLSv1.3 --from bob+list@example.org ' + FAR, 'accept'),
     ('--auth bob --tls TLSv1.3 --from "" ' + FAR, 'accept'),
     ('--auth bob --tls TLSv1.3 --from team@example.org ' + FAR, 'accept'),
     ('--auth carol --tls TLSv1.3 --from team@example.org ' + FAR, 'accept'),
     ('--auth carol --tls TLSv1.3 --from carol@example.org ' + FAR, 'accept'),
     ('--auth bob --tls TLSv1.3 --from anything@alias.example ' + FAR, 'accept'),
     ('--auth bob --from bob@example.org ' + FAR, WEAK, ENCRYPT),
     ('--auth bob --from bob@example.org', WEAK, ENCRYPT),
     ('--auth bob --from bob@example.org --client 127.0.0.1', WEAK, ENCRYPT),
     (BOB + '--bits 127 ' + FAR, WEAK, ENCRYPT),
     (BOB + '--bits 0 ' + FAR, WEAK, ENCRYPT),
     (BOB + '--bits 99999999999999999999 ' + FAR, WEAK, ENCRYPT),
     ('--auth bob --tls TLSv1.3 --from root@example.org ' + FAR, AUTHENTICATED,
      OWNED % ('root@example.org', 'bob')),
     ('--auth bob --tls TLSv1.3 --from root@example.org', AUTHENTICATED),
     ('--auth bob --tls TLSv1.3 --from ROOT@example.org.', AUTHENTICATED),
     ('--auth bob --tls TLSv1.3 --from \'"root"@example.org\'', AUTHENTICATED),
     ('--auth bob --tls TLSv1.3 --from root+x@example.org', AUTHENTICATED),
     ('--auth bob --tls TLSv1.3 --from @far.example:root@example.org', AUTHENTICATED),
     ('--auth bob --tls TLSv1.3 --client 127.0.0.1 --from root@example.org', AUTHENTICATED),
     ('--auth bob --tls TLSv1.3 --from stranger@far.example ' + FAR, AUTHENTICATED,
      OWNED % ('stranger@far.example', 'bob')),
     ('--auth dave --tls TLSv1.3 --from team@example.org ' + FAR, AUTHENTICATED,
      OWNED % ('team@example.org', 'dave')),
     ('--auth bob@other.example --tls TLSv1.3 --from bob@example.org ' + FAR, AUTHENTICATED,
      OWNED % ('bob@example.org', 'bob@other.example')),
     ('--auth carol --tls TLSv1.3 --from carol@far.example ' + FAR, AUTHENTICATED),
     ('--auth "" --tls TLSv1.3 --from bob@example.org ' + FAR, AUTHENTICATED),
     ('--from bob@example.org', UNAUTHENTICATED, NOT_LOGGED_IN % 'bob@example.org'),
     ('--from BOB@example.org.', UNAUTHENTICATED),
     ('--from anything@alias.example', UNAUTHENTICATED),
     ('--from bob@example.org --client 127.0.0.1 ' + FAR, 'accept'),
     ('--from stranger@example.org', 'accept'),
     ('--from ""', 'accept'),
     denied('x@far.example', '--from ""'))

rows('mechanisms', SITE + 'auth_mechanisms = !LOGIN, !CRAM-MD5\n',
     (BOB + FAR, 'accept'),
     (BOB + '--mech scram-sha-256 ' + FAR, 'accept'),
     (BOB + '--mech LOGIN ' + FAR, WEAK, MECHANISM),
     (BOB + '--mech login ' + FAR, WEAK, MECHANISM),
     (BOB + '--mech CRAM-MD5', WEAK, MECHANISM),
     (BOB + '--mech PLAIN --mech LOGIN ' + FAR, WEAK, MECHANISM),
     ('--auth bob --mech LOGIN --from bob@example.org ' + FAR, WEAK, ENCRYPT))
rows('one mechanism', SITE + 'auth_mechanisms = EXTERNAL\n',
     (BOB + '--mech EXTERNAL ' + FAR, 'accept'),
     (BOB + FAR, WEAK, MECHANISM))

rows('clear text allowed', SITE + 'auth_min_ssf = 0\n',
     ('--auth bob --from bob@example.org ' + FAR, 'accept'),
     ('--auth bob --from root@example.org ' + FAR, AUTHENTICATED))
rows('strong ciphers alone', SITE + 'auth_min_ssf = 256\n',
     (BOB + FAR, 'accept'),
     (BOB + '--bits 128 ' + FAR, WEAK, ENCRYPT))

rows('a weak login counts for no permit', SITE + 'sender_restrictions =\n'
     'recipient_restrictions = permit_sasl_authenticated, reject\n',
     (BOB + FAR, 'accept'),
     ('--auth bob --from bob@example.org ' + FAR, RELAY, DENIED % 'x@far.example'),
     ('--auth bob --from bob@example.org', 'reject rcpt reject'))
rows('to log in is no advice to who has', SITE + 'relay_restrictions = reject_unauth_destination\n',
     denied('x@far.example'),
     (BOB + FAR, RELAY, '550 5.7.1 <x@far.example>: Relaying denied'))
rows('check_sasl_access', SITE + 'sender_restrictions =\n'
     'relay_restrictions = check_sasl_access inline:{bob=OK, dave=REJECT}, '
     'reject_unauth_destination\n',
     (BOB + FAR, 'accept'),
     ('--auth bob@example.org --tls TLSv1.3 ' + FAR, 'accept'),
     ('--auth bob ' + FAR, RELAY),
     ('--auth dave --tls TLSv1.3', 'reject rcpt check_sasl_access',
      '554 5.7.1 <dave>: SASL login name rejected: Access denied'),
     ('--auth dave', 'reject rcpt check_sasl_access'),
     ('--auth carol --tls TLSv1.3 ' + FAR, RELAY))

rows('submission', SITE,
     ('--listener submission', SUBMISSION, AUTHENTICATE),
     ('--listener SUBMISSION', SUBMISSION, AUTHENTICATE),
     ('--listener submissions', SUBMISSION, AUTHENTICATE),
     ('--listener :587', SUBMISSION, AUTHENTICATE),
     ('--listener 587', SUBMISSION, AUTHENTICATE),
     ('--listener :465 ' + FAR, SUBMISSION, AUTHENTICATE),
     ('--listener submission --client 127.0.0.1', SUBMISSION, AUTHENTICATE),
     ('--listener submission --client 127.0.0.1 --from bob@example.org', SUBMISSION, AUTHENTICATE),
     (BOB + '--listener submission ' + FAR, 'accept'),
     ('--auth bob --listener submission --from bob@example.org ' + FAR, WEAK, ENCRYPT),
     ('--auth bob --tls TLSv1.3 --listener :587 --from root@example.org ' + FAR, AUTHENTICATED),
     ('--listener submission --ccert-subject laptop ' + FAR, 'accept'),
     ('--listener submission --ccert-subject stranger ' + FAR, SUBMISSION, AUTHENTICATE),
     ('--listener submission --tls TLSv1.3 ' + FAR, SUBMISSION, AUTHENTICATE),
     ('--listener submission --local ' + FAR, 'accept'),
     ('--listener smtpd', 'accept'),
     ('--listener :25', 'accept'),
     ('--listener :5870', 'accept'))

rows('client certificates', SITE,
     ('--ccert-subject laptop ' + FAR, 'accept'),
     ("--ccert-subject 'alice phone' " + FAR, 'accept'),
     denied('x@far.example', '--ccert-subject LAPTOP2'),
     denied('x@far.example', '--ccert-subject alice+20phone'),
     denied('x@far.example', "--ccert-subject ''"),
     denied('x@far.example', "--tls '' --ccert-subject laptop"),
     ('--ccert-subject laptop --listener ONION ' + FAR, 'accept'))
rows('any verified certificate', SITE +
     'relay_restrictions = permit_tls_all_clientcerts reject_unauth_destination\n',
     ('--ccert-subject anybody ' + FAR, 'accept'),
     denied('x@far.example', '--tls TLSv1.3'))
rows('check_ccert_access', SITE + 'client_restrictions = check_ccert_access inline:{lost=REJECT}\n',
     ('--ccert-subject lost', 'reject rcpt check_ccert_access',
      '554 5.7.1 <lost>: Client certificate rejected: Access denied'),
     ('--ccert-subject laptop', 'accept'),
     ('', 'accept'))

rows('listeners that hide the client', SITE +
     'client_restrictions = check_client_access inline:{127=REJECT, localhost=REJECT}\n',
     ('--listener ONION --client 127.0.0.1', 'accept'),
     ('--client 127.0.0.1', 'reject rcpt check_client_access',
      '554 5.7.1 <unknown[127.0.0.1]>: Client host rejected: Access denied'),
     denied('x@far.example', '--listener ONION --client 127.0.0.1 --name localhost'),
     denied('x@far.example', '--listener onion --client ::1'),
     denied('x@far.example', '--listener :9025 --client 127.0.0.1'),
     ('--listener ONION --client 127.0.0.1 --from bob@example.org', UNAUTHENTICATED),
     (BOB + '--listener ONION --client 127.0.0.1 ' + FAR, 'accept'))

rows('local_domains not set', 'mynetworks = 192.0.2.0/24\n',
     ('--rcpt bob@example.org', 'tempfail rcpt reject_unauth_destination', OUT_OF_ORDER),
     ('', 'accept'),
     ('--rcpt postmaster', 'accept'),
     denied('x%far.example@example.org'),
     ('--client 192.0.2.1 ' + FAR, 'accept'),
     ('--auth u --tls TLSv1.3 ' + FAR, 'accept'),
     ('--local ' + FAR, 'tempfail message reject_unauth_destination', OUT_OF_ORDER),
     ('--local --from "" ' + FAR, 'tempfail message reject_unauth_destination', OUT_OF_ORDER))
rows('local_domains set and empty', 'local_domains =\n',
     denied('bob@example.org'),
     ('--rcpt postmaster', 'accept'))
rows('local_domains in tables', 'local_domains = inline:{table.example=x} pcre:domains\n',
     local('a@table.example'),
     local('a@TABLE.example.'),
     local('a@mx7.example.org'),
     denied('a@b.table.example'),
     denied('a@mx.example.org'),
     denied('x%far.example@table.example'),
     domains='/^mx\\d\\.example\\.org$/ x\n')
rows('a domain table that cannot tell', 'local_domains = example.org fail:x\n',
     local('bob@example.org'),
     ('--rcpt bob@far.example', 'tempfail rcpt reject_unauth_destination', OUT_OF_ORDER),
     ('--client 127.0.0.1 ' + FAR, 'accept'))
rows('a network table that cannot tell', SITE + 'mynetworks = fail:x\n',
     (FAR, 'tempfail rcpt permit_mynetworks', OUT_OF_ORDER))

rows('no whitelist opens a relay', SITE +
     'client_restrictions = check_client_access inline:{203.0.113.1=OK} permit\n'
     'helo_restrictions = permit\n'
     'sender_restrictions = check_sender_access inline:{friend@far.example=OK} permit\n'
     'recipient_restrictions = check_recipient_access inline:{far.example=OK} permit\n',
     denied('x@far.example'),
     denied('x@far.example', '--helo friend --from friend@far.example'),
     local('bob@example.org'))
rows('a relay list of the site', SITE + 'relay_restrictions = permit_mynetworks, '
     'check_recipient_access inline:{far.example=OK, {bad@example.org=REJECT}}, '
     'reject_unauth_destination\n',
     (FAR, 'accept'),
     ('--rcpt x@sub.far.example', 'accept'),
     denied('x@farther.example'),
     denied('x%farther.example@far.example'),
     denied('farther.example!x@far.example'),
     denied('"x@farther.example"@far.example'),
     ('--rcpt bad@example.org', 'reject rcpt check_recipient_access',
      '554 5.7.1 <bad@example.org>: Recipient address rejected: Access denied'))
rows('other words of relay lists', SITE + 'relay_restrictions = permit_auth_destination, reject\n',
     local('bob@example.org'),
     (FAR, 'reject rcpt reject', '554 5.7.1 <x@far.example>: Recipient address rejected: '
      'Access denied'),
     ('--client 127.0.0.1 ' + FAR, 'reject rcpt reject'))
rows('defer_unauth_destination', SITE + 'relay_restrictions = permit_mynetworks, '
     'defer_unauth_destination\n',
     (FAR, 'tempfail rcpt defer_unauth_destination', '454 4.7.1 <x@far.example>: Relay access '
      'denied'),
     local('bob@example.org'))
rows('defer', SITE + 'recipient_restrictions = defer\n',
     ('', 'tempfail rcpt defer', '450 4.3.2 <user@example.org>: Recipient address rejected: '
      'Try again later'))

rows('access tables', SITE + '''
client_restrictions = check_client_access cidr:clients, check_client_access hash:names
helo_restrictions = check_helo_access inline:{evil.example=REJECT, {friend.example=OK}}
sender_restrictions = check_sender_access texthash:senders
recipient_restrictions = check_recipient_access pcre:recipients
''',
     ('--client 198.51.100.1', 'reject rcpt check_client_access',
      '554 5.7.1 <unknown[198.51.100.1]>: Client host rejected: Access denied'),
     ('--client 198.51.100.2', 'reject rcpt check_client_access',
      '550 5.7.1 <unknown[198.51.100.2]>: Client host rejected: go away'),
     ('--client 198.51.100.3', 'tempfail rcpt check_client_access',
      '450 4.7.1 <unknown[198.51.100.3]>: Client host rejected: later'),
     ('--client 198.51.100.4', 'tempfail rcpt check_client_access',
      '421 4.7.5 <unknown[198.51.100.4]>: Client host rejected: overloaded'),
     ('--client 198.51.100.5', 'accept'),
     ('--client 198.51.100.6 -', 'hold message check_client_access'),
     ('--client 198.51.100.6 ' + FAR, RELAY),
     ('--client 198.51.100.7', 'tempfail rcpt check_client_access', OUT_OF_ORDER),
     ('--client 198.51.100.8', 'tempfail rcpt check_client_access', OUT_OF_ORDER),
     ('--client 198.51.100.9', 'accept'),
     ('--client 198.51.100.10 --rcpt bob@example.org', 'tempfail rcpt check_client_access',
      '450 4.7.1 <unknown[198.51.100.10]>: Client host rejected: Service unavailable'),
     ('--client 198.51.100.10 ' + FAR, RELAY),
     ('--client 198.51.100.11 ' + FAR, RELAY),
     ('--client 198.51.100.11', 'accept'),
     ('--client ::ffff:198.51.100.1', 'reject rcpt check_client_access'),
     ('--client 2001:db8::66', 'reject rcpt check_client_access',
      '554 5.7.1 <unknown[2001:db8::66]>: Client host rejected: Access denied'),
     ('--name bad.example', 'reject rcpt check_client_access',
      '554 5.7.1 <bad.example[203.0.113.1]>: Client host rejected: Access denied'),
     ('--name BAD.Example', 'reject rcpt check_client_access'),
     ('--name www.bad.example', 'reject rcpt check_client_access'),
     ('--name notbad.example', 'accept'),
     ('--helo evil.example', 'reject rcpt check_helo_access',
      '554 5.7.1 <evil.example>: Helo command rejected: Access denied'),
     ('--helo EVIL.example', 'reject rcpt check_helo_access'),
     ('--helo friend.example ' + FAR, RELAY),
     ('--from spam@spam.example', 'reject rcpt check_sender_access',
      '554 5.7.1 <spam@spam.example>: Sender address rejected: no spam'),
     ('--from SPAM+x@spam.example', 'reject rcpt check_sender_access'),
     ('--from other@spam.example', 'accept'),
     ('--from a@deep.evil.example', 'reject rcpt check_sender_access'),
     ('--from ""', 'tempfail rcpt check_sender_access',
      '450 4.7.1 <>: Sender address rejected: no bounces now'),
     ('--from newsletter@any.example', 'reject rcpt check_sender_access'),
     ('--rcpt closed-7@example.org', 'reject rcpt check_recipient_access',
      '550 5.1.1 <closed-7@example.org>: Recipient address rejected: list 7 is closed'),
     ('--rcpt CLOSED-7@example.org', 'reject rcpt check_recipient_access'),
     ('--rcpt open@example.org', 'accept'),
     ('--rcpt tagged@example.org', 'accept rcpt -'),
     clients='''198.51.100.1 REJECT
198.51.100.2 550 go away
198.51.100.3 DEFER later
198.51.100.4 421 4.7.5 overloaded
198.51.100.5 DUNNO
198.51.100.6 HOLD look at it
198.51.100.7 nonsense
198.51.100.8 check_sender_access texthash:senders
198.51.100.9 OK
198.51.100.10 DEFER_IF_PERMIT
198.51.100.11 DEFER_IF_REJECT busy
2001:db8::66 REJECT
''',
     names='bad.example REJECT\n',
     senders='spam@spam.example REJECT no spam\nevil.example REJECT\n<> DEFER no bounces now\n'
     'newsletter@ REJECT\n',
     recipients='/^closed-(\\d+)@/ 550 5.1.1 list $1 is closed\n/^tagged@/ PREPEND X-Tagged: yes\n')

rows('tables that cannot be asked', SITE + 'client_restrictions = check_client_access fail:x\n',
     ('', 'tempfail rcpt check_client_access', OUT_OF_ORDER),
     ('-', 'tempfail rcpt check_client_access', OUT_OF_ORDER),
     ('--local', 'tempfail message check_client_access', OUT_OF_ORDER),
     ('--local --from ""', 'tempfail message check_client_access', OUT_OF_ORDER))
rows('a login table that cannot be asked', SITE + 'sender_login_maps = fail:x\n',
     ('', 'tempfail rcpt reject_unauthenticated_sender_login_mismatch', OUT_OF_ORDER),
     (BOB + FAR, 'tempfail rcpt reject_authenticated_sender_login_mismatch', OUT_OF_ORDER),
     ('--client 127.0.0.1 ' + FAR, 'accept'))
rows('a certificate table that cannot be asked', SITE + 'relay_clientcerts = fail:x\n',
     ('--ccert-subject laptop ' + FAR, 'tempfail rcpt permit_tls_clientcerts', OUT_OF_ORDER),
     (FAR, RELAY),
     ('--ccert-subject laptop --listener submission', 'tempfail rcpt submission_listeners',
      OUT_OF_ORDER))

rows('a word below warn_if_reject', SITE +
     'client_restrictions = warn_if_reject reject\n'
     'recipient_restrictions = warn_if_reject reject_unauth_destination, warn_if_reject '
     'check_client_access inline:{203.0.113.1=REJECT}\n',
     ('', 'accept'),
     ('-', 'accept message -'),
     (FAR, RELAY))
rows('warn_if_reject in the relay list', SITE +
     'relay_restrictions = warn_if_reject reject_unauth_destination, permit_mynetworks, '
     'reject_unauth_destination\n',
     (FAR, RELAY))
rows('defer_if_permit', SITE + 'client_restrictions = defer_if_permit\n',
     ('', 'tempfail rcpt defer_if_permit'),
     (FAR, RELAY))
rows('defer_if_reject', SITE + 'client_restrictions = defer_if_reject\n',
     ('', 'accept'),
     (FAR, RELAY))
# It ends with its list; relay and recipient restrictions are one, as in Postfix.
for name in ('client', 'helo', 'sender'):
    rows('defer_if_reject in %s_restrictions' % name,
         SITE + name + '_restrictions = defer_if_reject\n', (FAR, RELAY))
    rows('defer_if_reject in %s_restrictions, before a refusal' % name,
         SITE + name + '_restrictions = defer_if_reject reject\n',
         (FAR, 'tempfail rcpt defer_if_reject'))
rows('defer_if_reject in relay_restrictions', SITE +
     'relay_restrictions = defer_if_reject permit_mynetworks reject_unauth_destination\n'
     'recipient_restrictions = reject\n',
     (FAR, 'tempfail rcpt defer_if_reject'),
     ('', 'tempfail rcpt defer_if_reject'))

rows('checks that are not delayed', SITE + '''
delay_checks = no
client_restrictions = check_client_access inline:{198.51.100.1=REJECT, 198.51.100.2=HOLD}
helo_restrictions = reject_invalid_helo_hostname
''',
     ('--client 198.51.100.1', 'reject mail check_client_access',
      '554 5.7.1 <unknown[198.51.100.1]>: Client host rejected: Access denied'),
     ('--client 198.51.100.1 -', 'reject mail check_client_access'),
     ('--client 198.51.100.2 -', 'hold message check_client_access'),
     ('--helo a_b!', 'reject mail reject_invalid_helo_hostname',
      '501 5.5.2 <a_b!>: Helo command rejected: Invalid name'),
     ('--from bob@example.org', 'reject mail reject_unauthenticated_sender_login_mismatch'),
     ('--auth bob --from bob@example.org', 'reject mail reject_cleartext_auth', ENCRYPT),
     (FAR, RELAY),
     ('--client 198.51.100.1 --local', 'reject message check_client_access'))

rows('the syntax of names', SITE + '''
helo_restrictions = permit_mynetworks reject_invalid_helo_hostname reject_non_fqdn_helo_hostname
sender_restrictions = reject_non_fqdn_sender
recipient_restrictions = reject_non_fqdn_recipient
''',
     ('', 'accept'),
     ('--client 2001:db8::1', 'accept'),
     ('--helo nodots', 'reject rcpt reject_non_fqdn_helo_hostname',
      '504 5.5.2 <nodots>: Helo command rejected: need fully-qualified hostname'),
     ('--helo bad..name', 'reject rcpt reject_invalid_helo_hostname',
      '501 5.5.2 <bad..name>: Helo command rejected: Invalid name'),
     ('--helo [192.0.2.300]', 'reject rcpt reject_invalid_helo_hostname'),
     ('--helo [192.0.2.3]', 'accept'),
     ('--helo mail.far.example.', 'accept'),
     ('--helo nodots --client 127.0.0.1', 'accept'),
     ('--from nodomain', 'reject rcpt reject_non_fqdn_sender',
      '504 5.5.2 <nodomain>: Sender address rejected: need fully-qualified address'),
     ('--from a@nodots', 'reject rcpt reject_non_fqdn_sender'),
     ('--from ""', 'accept'),
     ('--client 127.0.0.1 --rcpt a@nodots', 'reject rcpt reject_non_fqdn_recipient',
      '504 5.5.2 <a@nodots>: Recipient address rejected: need fully-qualified address'),
     ('--rcpt postmaster', 'accept'))

rows('a session in clear text', SITE + 'client_restrictions = reject_plaintext_session\n',
     ('--tls TLSv1.2', 'accept'),
     ('', 'tempfail rcpt reject_plaintext_session',
      '450 4.7.1 Session encryption is required'))

rows('local mail', SITE + 'mynetworks =\n',
     ('--local', 'accept'),
     ('--local -', 'accept message -'),
     ('--local ' + FAR, 'reject message reject_unauth_destination', DENIED % 'x@far.example'),
     ('--local --from "" ' + FAR, 'hold message reject_unauth_destination'),
     ('--local --from "" - ' + FAR, 'hold message reject_unauth_destination'),
     ('--local --from root@example.org',
      'reject message reject_unauthenticated_sender_login_mismatch'))
rows('local mail on this machine', SITE,
     ('--local ' + FAR, 'accept'),
     ('--local --from root@example.org ' + FAR, 'accept'),
     ('--local --from ""', 'accept'))

rows('monitor mode', SITE + 'mode = monitor\n',
     (FAR, 'accept rcpt reject_unauth_destination', DENIED % 'x@far.example'),
     ('- ' + FAR, 'accept rcpt reject_unauth_destination', DENIED % 'x@far.example'),
     ('--auth bob', 'accept rcpt reject_cleartext_auth', ENCRYPT),
     ('--local --from "" ' + FAR, 'accept'),
     ('', 'accept rcpt -'))

rows('settings of one listener', SITE + '''
[listener inside]
mynetworks = 203.0.113.0/24
client_restrictions = check_client_access inline:{203.0.113.66=REJECT}

[listener :2525]
mode = monitor
local_domains = other.example

[listener closed]
relay_restrictions = reject
''',
     ('--listener inside ' + FAR, 'accept'),
     ('--listener INSIDE ' + FAR, 'accept'),
     denied('x@far.example', '--listener outside'),
     denied('x@far.example'),
     ('--listener inside --client 203.0.113.66', 'reject rcpt check_client_access'),
     ('--client 203.0.113.66', 'accept'),
     ('--listener :2525 ' + FAR, 'accept rcpt reject_unauth_destination'),
     ('--listener :2525 --rcpt bob@other.example', 'accept rcpt -'),
     ('--listener :2525 --rcpt bob@example.org', 'accept rcpt reject_unauth_destination'),
     ('--listener closed --client 127.0.0.1', 'reject rcpt reject'),
     ('--local --listener closed', 'accept'))

rows('the message', SITE + 'message_restrictions = check_from_access '
     'inline:{elsewhere.example=REJECT} check_header_access Subject pcre:subjects\n',
     ('', 'accept rcpt -'),
     ('-', 'reject message check_from_access'),
     ('--local --from "" -', 'hold message check_from_access'),
     subjects='/money/ REJECT\n')
rows('a message refused', SITE + 'message_restrictions = permit_mynetworks reject\n',
     ('', 'accept rcpt -'),
     ('-', 'reject message reject'),
     ('--client 127.0.0.1 -', 'accept message -'))
rows('header_limit', SITE + 'header_limit = 100\n',
     ('-', 'reject message header_limit', '552 5.3.4 Message header too large'),
     ('--local -', 'reject message header_limit'),
     ('', 'accept rcpt -'))

rows('who writes, when nobody says', SITE + 'sender_restrictions = check_sender_access '
     'inline:{writer@far.example=REJECT, <>=HOLD}\n',
     ('-', 'reject rcpt check_sender_access',
      '554 5.7.1 <writer@far.example>: Sender address rejected: Access denied'),
     ('--from other@far.example -', 'accept'),
     ('--from "" -', 'hold message check_sender_access'),
     ('--from "<>" -', 'hold message check_sender_access'),
     ('--from a@b --from writer@far.example', 'reject rcpt check_sender_access'))

# Whose an address is, as the MTA will deliver it: no way of writing it makes it another.
BOSSES = ['boss@lab.test', 'boss', '"boss"', 'boss%lab.test', 'lab.test!boss', '@lab.test:boss',
          'boss@lab.test@lab.test', '"boss@lab.test"@lab.test', 'boss@lab.test.', 'boss@LAB.TEST ',
          'boss%lab.test%lab.test', '@lab.test,@mail.lab.test:boss', 'lab.test!boss@lab.test',
          '"boss@lab.test"', '"boss%lab.test"', '"lab.test!boss"@lab.test', 'BOSS%Lab.Test',
          'boss+x%lab.test', '@a.test,@b.test:"boss%lab.test"@lab.test', r'boss\@lab.test@lab.test',
          '"b\\oss"', 'boss(it is me)', 'Boss <boss>', 'lab.test!boss%lab.test', ' boss ',
          '"boss"%lab.test', 'boss,', '<@x:boss>', 'boss@(x)lab.test']
# All of them are somebody's at a domain from elsewhere.
AWAY = ['x@away.test', 'x%away.test', 'away.test!x', 'x%away.test@lab.test', 'away.test!x@lab.test',
        '"x@away.test"@lab.test', 'x@away.test@lab.test', '"x%away.test"', '@lab.test:x%away.test',
        'x%away.test%lab.test@lab.test', 'lab.test!x%away.test', 'x%AWAY.test.@lab.test']
WHOSE = """
local_domains = lab.test virtual.test
login_domains = lab.test mail.lab.test
mynetworks = 127.0.0.0/8
recipient_delimiter = +
sender_login_maps = inline:{boss@lab.test=boss, alice=carol}
"""
ORIGINS = {'an origin': WHOSE + 'origin = lab.test\n', 'no origin': WHOSE}
NETWORK = '--client 127.0.0.1 '


def by(address, more=''):
    return "--from %s %s --rcpt alice@lab.test" % (shlex.quote(address), more)


for title, settings in ORIGINS.items():
    rows('a sender of another spelling, with ' + title, settings,
         *[(by(boss), UNAUTHENTICATED) for boss in BOSSES],
         *[(by(boss, '--auth bob --mech PLAIN --tls TLSv1.3 --bits 256'), AUTHENTICATED)
           for boss in BOSSES],
         *[(by(boss, '--auth boss --mech PLAIN --tls TLSv1.3 --bits 256'), 'accept')
           for boss in BOSSES],
         *[(by(away), 'accept') for away in AWAY],
         (by('bosss'), 'accept'),
         (by('x@lab.test'), 'accept'),
         (by('boss@virtual.test'), 'accept'),
         (by('boss%lab.test@virtual.test'), 'accept'))
    rows('tables of senders, with ' + title,
         settings + 'sender_restrictions = check_sender_access '
         'inline:{boss@lab.test=REJECT, away.test=REJECT}\n',
         *[(by(who), 'reject rcpt check_sender_access') for who in BOSSES + AWAY],
         (by('other'), 'accept'))
    rows('a domain of senders that was not meant, with ' + title,
         settings + 'sender_restrictions = check_sender_access inline:{lab.test=REJECT}\n',
         *[(by(away), 'accept') for away in AWAY],
         *[(by(boss), 'reject rcpt check_sender_access') for boss in BOSSES])
    rows('tables of recipients, with ' + title, settings + 'recipient_restrictions = '
         'check_recipient_access inline:{boss@lab.test=REJECT, away.test=REJECT}\n',
         *[(NETWORK + '--rcpt ' + shlex.quote(who), 'reject rcpt check_recipient_access')
           for who in BOSSES + AWAY],
         (NETWORK + '--rcpt other', 'accept'),
         (NETWORK + '--rcpt other@virtual.test', 'accept'))
    rows('profiles of recipients, with ' + title,
         settings + 'recipient_profiles = inline:{boss@lab.test=strict}\n'
         'mixed_recipients = split\n[profile strict]\n',
         *[('--rcpt alice@lab.test --rcpt ' + shlex.quote(boss),
            'tempfail rcpt mixed_recipients') for boss in
           ('boss@lab.test', 'boss', '"boss"', '@lab.test:boss', 'boss@lab.test.', 'boss+x')],
         ('--rcpt alice@lab.test --rcpt other', 'accept'))
    rows('relaying by the spelling, with ' + title, settings,
         *[("--rcpt " + shlex.quote(away), RELAY) for away in AWAY])

rows('a table that permits what is not understood', WHOSE + 'sender_restrictions = '
     'check_sender_access inline:{boss@lab.test=OK, boss=OK} reject\n',
     (by('boss@lab.test'), 'accept'),
     (by('boss%lab.test'), 'accept'),
     (by('boss'), 'reject rcpt reject'),
     (by('Boss <boss@lab.test>'), 'reject rcpt reject'))

# A key without a domain owns the address where login_domains say, and nowhere else.
CAROL = '--auth carol --mech PLAIN --tls TLSv1.3 --bits 256'
rows('a bare key of sender_login_maps', WHOSE,
     (by('alice@lab.test', CAROL), 'accept'),
     (by('alice@mail.lab.test', CAROL), 'accept'),
     (by('alice+x@mail.lab.test', CAROL), 'accept'),
     (by('alice%mail.lab.test@lab.test', CAROL), 'accept'),
     (by('alice@virtual.test', CAROL), AUTHENTICATED),
     (by('alice@sub.lab.test', CAROL), AUTHENTICATED),
     (by('alice@far.test', CAROL), AUTHENTICATED),
     (by('alice@lab.test'), UNAUTHENTICATED),
     (by('alice@virtual.test'), 'accept'))
rows('login_domains by default', WHOSE.replace('login_domains = lab.test mail.lab.test\n', ''),
     (by('alice@virtual.test', CAROL), 'accept'),
     (by('alice@lab.test', CAROL), 'accept'),
     (by('alice@mail.lab.test', CAROL), AUTHENTICATED))
rows('login_domains of a listener', WHOSE + '[listener inner]\nlogin_domains = virtual.test\n'
     'origin = virtual.test\n',
     (by('alice@virtual.test', CAROL + ' --listener inner'), 'accept'),
     (by('alice', CAROL + ' --listener inner'), 'accept'),
     (by('alice@lab.test', CAROL + ' --listener inner'), AUTHENTICATED))
rows('login_domains that cannot be asked', WHOSE.replace('= lab.test mail', '= fail:x mail'),
     (by('alice@lab.test', CAROL), 'tempfail rcpt', OUT_OF_ORDER),
     (by('boss%lab.test@lab.test'), 'tempfail rcpt', OUT_OF_ORDER))
rows('an address without a domain where nobody knows which it may have',
     WHOSE.replace('login_domains = lab.test mail.lab.test', 'login_domains = .lab.test'),
     (by('anybody'), UNAUTHENTICATED),
     (by('anybody', NETWORK), 'accept'))
rows('no login_domains, no local_domains', 'sender_login_maps = inline:{boss@lab.test=boss}\n',
     (NETWORK + by('boss%lab.test@lab.test') + ' --listener x', 'accept'),
     (by('boss'), UNAUTHENTICATED),
     (by('boss%lab.test@lab.test'), UNAUTHENTICATED),
     (by('boss@lab.test'), UNAUTHENTICATED))

rows('a bare postmaster', SITE + 'client_restrictions = reject\nrecipient_restrictions = reject\n'
     'relay_restrictions = reject\n',
     *[("--rcpt " + shlex.quote(name), 'accept')
       for name in ('postmaster', 'PostMaster', '"postmaster"', '@far.example:postmaster')],
     *[("--rcpt " + shlex.quote(name), 'reject rcpt reject')
       for name in ('postmaster@example.org', 'postmaster+x', 'postmaster@', 'postmaster%far.example',
                    'far.example!postmaster', 'abuse', 'postmaster(x)')],
     ('--rcpt postmaster --listener submission', SUBMISSION, AUTHENTICATE),
     ('--rcpt postmaster --rcpt bob@example.org', 'reject rcpt reject'))
rows('a bare postmaster and what was put off before', SITE + 'delay_checks = no\n'
     'client_restrictions = defer_if_permit\n',
     ('--rcpt postmaster', 'accept'),
     ('', 'tempfail rcpt defer_if_permit'))

# Restriction classes
CLASSES = SITE + '''
strict = check_sender_access inline:{{bad.example=REJECT no, thanks}, good.example=permit} reject
restriction_classes = strict, outer, relay, watched, loop, message_class, plain
outer = permit_mynetworks strict
relay = permit_mynetworks reject_unauth_destination
watched = warn_if_reject strict
loop = check_recipient_access inline:{l@example.org=back, back=x, l=loop}
message_class = reject_spam
plain = inline:{{p@example.org=REJECT plain}, {q.example=REJECT plain}}
relay_restrictions = relay
'''
STRICT = '554 5.7.1 <%s>: Sender address rejected: %s'
rows('a class that a list names', CLASSES + 'recipient_restrictions = outer defer\n',
     ('--from a@bad.example', 'reject rcpt check_sender_access', STRICT % ('a@bad.example', 'no, thanks')),
     ('--from a@good.example', 'accept'),
     ('--from a@other.example', 'reject rcpt reject'),
     ('--from a@bad.example --client 127.0.0.1', 'accept'),
     ('--from a@good.example ' + FAR, RELAY))
rows('a class below warn_if_reject', CLASSES + 'recipient_restrictions = warn_if_reject strict defer\n',
     ('--from a@bad.example', 'tempfail rcpt defer'),
     ('--from a@good.example', 'accept'))
rows('a class that warns', CLASSES + 'recipient_restrictions = watched defer\n',
     ('--from a@bad.example', 'tempfail rcpt defer'),
     ('--from a@good.example', 'accept'))
rows('classes that tables name', CLASSES + 'recipient_restrictions = check_recipient_access inline:'
     '{s@example.org=strict, {t@example.org=permit_mynetworks, outer}, l@example.org=loop, '
     'u@example.org=STRICT, m@example.org=message_class, {w@example.org=warn_if_reject strict}, '
     '{c@example.org=reject_unauth_destination relay}, p@example.org=plain} defer\n',
     ('--from a@bad.example --rcpt s@example.org', 'reject rcpt check_sender_access',
      STRICT % ('a@bad.example', 'no, thanks')),
     ('--from a@good.example --rcpt s@example.org', 'accept'),
     ('--from a@other.example --rcpt s@example.org', 'reject rcpt reject'),
     ('--from a@bad.example --rcpt t@example.org', 'reject rcpt check_sender_access'),
     ('--from a@bad.example --rcpt t@example.org --client 127.0.0.1', 'accept'),
     ('--from a@bad.example --rcpt w@example.org', 'tempfail rcpt defer'),
     ('--rcpt l@example.org', 'tempfail rcpt', OUT_OF_ORDER),
     ('--rcpt u@example.org', 'tempfail rcpt', OUT_OF_ORDER),
     ('--rcpt m@example.org', 'tempfail rcpt', OUT_OF_ORDER),
     ('--rcpt c@example.org', 'tempfail rcpt defer'),
     ('--rcpt p@example.org', 'reject rcpt check_recipient_access',
      '554 5.7.1 <p@example.org>: Recipient address rejected: plain'),
     ('--rcpt other@example.org', 'tempfail rcpt defer', '450 4.3.2 <other@example.org>: '
      'Recipient address rejected: Try again later'))
rows('a circle that a table closes', CLASSES.replace('l=loop}', 'example.org=loop}') +
     'recipient_restrictions = loop\n',
     ('--rcpt x@example.org', 'tempfail rcpt check_recipient_access', OUT_OF_ORDER))
rows('a bare table in a class asks what its list asks', CLASSES + 'sender_restrictions = plain\n'
     'recipient_restrictions = plain\n',
     ('--from a@q.example', 'reject rcpt check_sender_access',
      STRICT % ('a@q.example', 'plain')),
     ('--from a@r.example --rcpt p@example.org', 'reject rcpt check_recipient_access'),
     ('--from a@r.example', 'accept'))
rows('a class of a listener', CLASSES + 'recipient_restrictions = strict\n[listener inner]\n'
     'strict = permit\n',
     ('--from a@bad.example', 'reject rcpt check_sender_access'),
     ('--from a@bad.example --listener inner', 'accept'))
rows('classes of the message', SITE + 'restriction_classes = a b\na = check_from_access inline:'
     '{elsewhere.example=b}\nb = check_header_access Subject inline:{hello=REJECT}\n'
     'message_restrictions = a\n',
     ('-', 'reject message check_header_access'),
     ('', 'accept'))
rows('a class that nothing says', SITE + 'restriction_classes = a\nrecipient_restrictions = a defer\n',
     ('', 'tempfail rcpt defer'))

REVERSE = '451 4.3.5 Server configuration error'
for warn, result in itertools.product(('', 'warn_if_reject '), ('OK', 'permit', '12345', 'RELAY', 'warn_if_reject reject permit')):
    rows('check_reverse_client_hostname_access may not permit by ' + warn + result, SITE +
         'client_restrictions = %scheck_reverse_client_hostname_access static:{%s}\n'
         % (warn, result), ('--name h.example', 'tempfail rcpt check_reverse_client_hostname_access', REVERSE))
rows('check_reverse_client_hostname_access may say nothing', SITE + 'client_restrictions = '
     'check_reverse_client_hostname_access inline:{h.example=DUNNO, i.example=REJECT}\n',
     ('--name h.example', 'accept'),
     ('--name i.example', 'reject rcpt check_reverse_client_hostname_access'))

# What RFC 3463 codes about addresses become for whom they are said of, as smtpd changes them.
SENDERS = '0787707780'
rows('codes about addresses', SITE + 'sender_restrictions = check_sender_access texthash:codes\n',
     *[('--from a@n%d.test' % n, 'reject rcpt check_sender_access',
        '550 5.1.%s <a@n%d.test>: Sender address rejected: text' % (SENDERS[n], n))
       for n in range(10)],
     ('--from a@t.test', 'tempfail rcpt check_sender_access',
      '450 4.1.7 <a@t.test>: Sender address rejected: text'),
     ('--from a@bare.test', 'reject rcpt check_sender_access',
      '521 5.7.1 <a@bare.test>: Sender address rejected: Access denied'),
     codes=''.join('n%d.test 550 5.1.%d text\n' % (n, n) for n in range(10)) +
     't.test 450 4.1.1 text\nbare.test 521 5.7.1\n')

HELO = 'reject rcpt reject_invalid_helo_hostname'
rows('addresses in HELO', SITE + 'helo_restrictions = reject_invalid_helo_hostname\n',
     *[("--helo '%s'" % helo, 'accept')
       for helo in ('1.2.3.4', '[1.2.3.4]', '[010.1.2.3]', '1.2.3.04', 'a:a:a:a:a:1.2.3.4',
                    '0.0.0.0', '[IPv6:::1]', '[ipv6:::1]', '1:2:3', '::', '[IPv6:1:2:3]',
                    '1.2.3.4.', '00000001.2.3.4', '::1.2.3.4', '2001:db8::')],
     *[("--helo '%s'" % helo, HELO, '501 5.5.2 <%s>: Helo command rejected: %s'
        % (helo, 'invalid ip address' if helo[0] == '[' else 'Invalid name'))
       for helo in ('0.255.255.255', '[0.255.255.255]', '[::1]', '1:2', '256.1.1.1', '1.2.3',
                    '[IPv6:12345::]', '1.2.3.4.5', '1::2::3', '[1.2.3.4]x', '[]')])

# IPv4 and IPv6 are two.
rows('patterns in the form of IPv6', 'local_domains = lab.test [127.0.0.1]\n'
     'mynetworks = [::ffff:0:0]/96 [::]/0\nrelay_restrictions = permit_mynetworks '
     'check_client_access cidr:mapped reject_unauth_destination\n',
     *[('--client %s --rcpt x@far.example' % client, RELAY)
       for client in ('127.0.0.1', '203.0.113.9', '::ffff:203.0.113.9')],
     ('--client 2001:db8::1 --rcpt x@far.example', 'accept'),
     ("--rcpt 'u@[127.0.0.1]'", 'accept'),
     denied('u@[IPv6:::ffff:127.0.0.1]'),
     denied('u@[IPv6:::ffff:7f00:1]'),
     mapped='::ffff:0:0/96 OK\n::ffff:203.0.113.9 OK\n')

# What cannot be read behind a "!" keeps out everybody it might mean.
OUT = 'tempfail rcpt permit_mynetworks'
for text in ('!203.0.113.9/30\n', '!/nowhere/excluded\n', '!inline:{\n', '!nix:x\n', '!\n',
             '!2001:db8::1\n', '!203.0.113\n', '!203.0.113.9/\n', '!!!203.0.113.9/33\n',
             '/nowhere/excluded\n', '!fail:x\n', '!cidr:/nowhere/x\n'):
    rows('a line of a file of mynetworks that cannot be read: %r' % text,
         'local_domains = lab.test\nmynetworks = /FOLDER/nets\n',
         ('--client 203.0.113.9 ' + FAR, OUT, OUT_OF_ORDER),
         ('--client 192.0.2.1 ' + FAR, 'accept'),
         nets='192.0.2.1\n' + text + '203.0.113.0/24\n')
rows('braces over several lines', 'local_domains = lab.test\nmynetworks = /FOLDER/nets\n',
     ('--client 203.0.113.9 ' + FAR, RELAY),
     ('--client 203.0.113.8 ' + FAR, 'accept'),
     nets='!inline:{\n  203.0.113.9=x\n}\n203.0.113.0/24\n')

if __name__ == '__main__':
    run()
