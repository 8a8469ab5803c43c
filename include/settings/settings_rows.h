/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Every parameter of gatepost.conf, a row each. The parser, `gatepostctl config` and the man page
 * gatepost.conf(5) read these rows: a new parameter is a row here, and an example of it in
 * packaging/man/parameters, which the man page shows.
 *
 *   SETTING(ID, NAME, TYPE, DEFAULT, LIMITS, WHERE, MEANING)
 *
 * ID       SETTING_<ID> is its name in the code
 * TYPE     an enum setting_type without SETTING_
 * DEFAULT  as one would write it in the file ($name works); NULL: not set, which differs from empty
 * LIMITS   BETWEEN("1s", "1h"): least and largest, in the words of the type; CHOICES("a b c"): the
 *          words of a CHOICE, settings_integer gives the place; NOT_EMPTY: a text that must not be
 *          empty; ANY
 * WHERE    MAIN, LISTENER, PROFILE, LIMIT, joined by |: where it may stand. A section without any
 *          row does not exist. KEYED: written `NAME KEY = value`, once for each KEY
 * MEANING  for administrators: what it does, what happens, why one would change it. Whole
 *          sentences; `...` is set in bold type; \n begins a paragraph
 *
 * No include guard: the file is read several times, with different meanings of SETTING.
 */

/* The service */
SETTING(MILTER_SOCKET, "milter_socket", SOCKET, "unix:" GATEPOST_RUNDIR "/milter.sock", NOT_EMPTY,
        MAIN,
        "Where the MTA connects: `unix:PATH`, `inet:PORT@HOST` or `inet6:PORT@HOST`. PATH is "
        "absolute and at most 107 bytes long. The host must be named, because whoever reaches the "
        "socket is believed in everything; `0.0.0.0` or `::` opens it to every interface. A change "
        "takes a restart.")
SETTING(
    MILTER_SOCKET_MODE, "milter_socket_mode", OCTAL, "0660", BETWEEN("0", "0777"), MAIN,
    "Permissions of a `unix:` socket. The MTA needs to read and write. A change takes a restart.")
SETTING(MILTER_SOCKET_GROUP, "milter_socket_group", TEXT, "", ANY, MAIN,
        "The group that a `unix:` socket is given to, so that the MTA's user, who is a member of "
        "it, may connect. Empty: the group that gatepost runs with. A change takes a restart.")
SETTING(MILTER_ENGINE, "milter_engine", CHOICE, "libmilter", CHOICES("libmilter native"), MAIN,
        "What speaks the milter protocol with the MTA: `libmilter`, the library of Sendmail, or "
        "`native`, gatepost's own, which serves all connections by a few threads: for busy sites, "
        "and where DNS lists are asked, since a connection that waits holds up no other one. What "
        "they answer is the same; what differs stands in gatepost(8). A change takes a restart.")
SETTING(MILTER_THREADS, "milter_threads", INTEGER, "0", BETWEEN("0", "256"), MAIN,
        "How many threads the native engine serves the MTA's connections by, and as many again for "
        "what takes long to compute; 0: one for each core that gatepost may use. libmilter makes "
        "its own. A change takes a restart.")
SETTING(CONTROL_SOCKET, "control_socket", PATH, GATEPOST_RUNDIR "/control.sock", NOT_EMPTY, MAIN,
        "The socket over which `gatepostctl` speaks to the daemon. A change takes a restart.")
SETTING(READ_SOCKET, "read_socket", PATH, GATEPOST_RUNDIR "/read.sock", ANY, MAIN,
        "The socket over which gatepost-web(8) asks the daemon: it answers status, metrics and "
        "bounded searches, changes nothing, and mail never waits for it. Empty: there is none. A "
        "change takes a restart.")
SETTING(READ_SOCKET_GROUP, "read_socket_group", TEXT, "gatepost-web", ANY, MAIN,
        "The group whose members may ask there. It is not gatepost's own, whose members may read "
        "its state. Where there is no such group, or the socket cannot be given to it, the "
        "daemon's user alone may ask. A change takes a restart.")
SETTING(WEB_LISTEN, "web_listen", SOCKET, "inet:9797@127.0.0.1", NOT_EMPTY, MAIN,
        "Where gatepost-web(8) serves its page and `/metrics`, by HTTP: `inet:PORT@HOST`, "
        "`inet6:PORT@HOST` or `unix:PATH`. Another host than loopback's is served with "
        "`web_token_file` alone. It speaks no TLS: that is for a proxy in front.")
SETTING(
    WEB_TOKEN_FILE, "web_token_file", TEXT, "", ANY, MAIN,
    "The regular file whose first line is what a reader must know, 16 characters at least, to see "
    "decisions, keys of limits, and the search: sent as `Authorization: Bearer`, or as the "
    "password that a browser asks for. Empty: these are shown to nobody, and numbers, plots, "
    "lists, tables and the store to everybody who can connect.")
SETTING(WEB_NAMES, "web_names", LIST, "", ANY, MAIN,
        "Names of hosts by which gatepost-web(8) is asked for besides `localhost`, loopback's "
        "addresses and the host of `web_listen`: those of the proxy in front. Others are answered "
        "400, so that no page of somebody else's can have a browser ask.")
SETTING(PID_FILE, "pid_file", PATH, GATEPOST_RUNDIR "/gatepost.pid", ANY, MAIN,
        "The file that holds the daemon's process id while it runs. Empty: none is written. A "
        "change takes a restart.")
SETTING(USER, "user", TEXT, "gatepost", NOT_EMPTY, MAIN,
        "Whom the daemon becomes when root starts it, after its sockets are bound. Started by "
        "anybody else it stays who it is. A change takes a restart.")
SETTING(STATE, "state", STATE_PLACE, "sqlite:" GATEPOST_STATEDIR "/gatepost.db", NOT_EMPTY, MAIN,
        "Where is kept what outlives the daemon: `sqlite:PATH`, a file that only the daemon's user "
        "may read; `redis://HOST[:PORT][/DB]` or `redis+unix:PATH`, a Redis or Valkey server that "
        "several machines may share (of several hosts, separated by commas, the first that is "
        "master), with TLS as `rediss://`, where hiredis is 1.0 or later; or `memory:`, nowhere. "
        "It holds the counters of limits, the marks of greylisting "
        "and, in a file, the memory of bounces by which the auto-reply guard knows bare pastes "
        "(see LIMITS and AUTO-REPLIES). Beside the file, PATH.key holds the secret of this "
        "installation. While neither can be written, mail is served all the same, and the "
        "log warns. A change takes a restart.")
SETTING(
    HISTORY, "history", SQLITE_PLACE, "sqlite:" GATEPOST_STATEDIR "/history.db", ANY, MAIN,
    "Where is kept what was decided, and by which facts, for `gatepostctl trace`, `replay` and "
    "`report`: `sqlite:PATH`, a file that only the daemon's user may read. It holds personal "
    "data (see THE HISTORY). Empty: no history is kept. A history that cannot be written is warned "
    "of, and mail is served all the same. A change takes a restart.")
SETTING(HISTORY_KEEP, "history_keep", TIME, "30d", BETWEEN("1h", "3660d"), MAIN,
        "How long the history keeps a decision.")
SETTING(HISTORY_SIZE, "history_size", SIZE, "1g", BETWEEN("1m", "1000g"), MAIN,
        "The most that the file of the history holds. The oldest decisions make room: first those "
        "of refusals before DATA, which have no more than half of it, so that nobody can wash out "
        "what was decided of mail by being refused often.")
SETTING(HISTORY_HEADERS, "history_headers", BOOL, "no", ANY, MAIN,
        "Whether the history keeps the header of each message too, up to 32 kB of it, so that "
        "`gatepostctl replay` can judge anew what looks at the header. Subjects and all addresses "
        "that a header names are personal data.")
SETTING(
    STATE_CA_FILE, "state_ca_file", TEXT, "", ANY, MAIN,
    "For `rediss://`: the file (PEM) of the authorities, one of which must have signed the Redis "
    "server's certificate; empty: the system's. The certificate must name the host as `state` "
    "writes it. The file is read at each connection. A change takes a restart.")
SETTING(STATE_CERT_FILE, "state_cert_file", TEXT, "", ANY, MAIN,
        "For `rediss://`: the file (PEM) with the certificate, its chain and its key that gatepost "
        "shows to the Redis server, which wants one unless its `tls-auth-clients` says otherwise; "
        "empty: none. Only `user` should be able to read it; it is read at each connection. A "
        "change takes a restart.")
SETTING(STATE_USER, "state_user", TEXT, "", ANY, MAIN,
        "Who gatepost is for the Redis server (its ACL); empty: the default user. A change takes a "
        "restart.")
SETTING(STATE_PASSWORD_FILE, "state_password_file", TEXT, "", ANY, MAIN,
        "The regular file (no FIFO, no device) whose first line is the password for the Redis "
        "server; empty: none. A change takes a restart.")
SETTING(STATE_PREFIX, "state_prefix", TEXT, "gp1:", NOT_EMPTY, MAIN,
        "What all keys on the Redis server begin with. Daemons with the same prefix count "
        "together. A change takes a restart.")
SETTING(STATE_TIMEOUT, "state_timeout", TIME, "200ms", BETWEEN("1ms", "10s"), MAIN,
        "How long a message may wait for an answer of the Redis server. After three such waits in "
        "a row, nobody waits: each daemon counts by itself, until the server is back. A change "
        "takes a restart.")
SETTING(STOP_TIMEOUT, "stop_timeout", TIME, "30s", BETWEEN("0", "10m"), MAIN,
        "How long a stop waits for the messages that are being received. What is not done by then "
        "is cut off, and the MTA answers as it does when a milter fails.")
SETTING(LOG_TARGET, "log_target", CHOICE, "syslog", CHOICES("syslog stderr journal"), MAIN,
        "Where the log goes: to `syslog`, to `stderr` (which systemd collects as well), or to the "
        "`journal` with each key as a field of its own. Under `gatepost -f`, as the packaged unit "
        "for systemd runs it, `syslog` means `stderr`. Where there is no journal, its lines go to "
        "syslog, or under `-f` to standard error.")
SETTING(LOG_FORMAT, "log_format", CHOICE, "text", CHOICES("text json"), MAIN,
        "How a log line is written: as `key=value` pairs (`text`) or as one JSON object.")
SETTING(LOG_FACILITY, "log_facility", CHOICE, "mail",
        CHOICES("mail daemon user auth authpriv local0 local1 local2 local3 local4 local5 local6 "
                "local7"),
        MAIN, "The facility under which lines go to syslog.")
SETTING(MODE, "mode", CHOICE, "enforce", CHOICES("enforce monitor"), MAIN | LISTENER,
        "With `monitor` everything is decided and logged as usual, but nothing is refused, tagged, "
        "changed or held: the way to try a configuration on live mail.")

/* Who is who */
SETTING(MYNETWORKS, "mynetworks", NETWORKS, "127.0.0.0/8 [::1]/128", ANY, MAIN | LISTENER,
        "The clients that `permit_mynetworks` permits, as in Postfix: addresses and networks, the "
        "first match decides. `!` before an entry excludes it, `/path` is a file of such entries, "
        "`cidr:FILE` a table. With an entry too many the site is an open relay.")
SETTING(LOCAL_DOMAINS, "local_domains", DOMAINS, NULL, ANY, MAIN | LISTENER,
        "The domains that this site receives mail for: names, `.example.org` for everything below "
        "example.org (though not for itself), `/path` for a file of such entries (Sendmail's "
        "local-host-names and relay-domains fit), or tables. While it is not set, gatepost cannot "
        "tell whether a recipient is local, and `reject_unauth_destination` answers `451 4.3.0`. "
        "Set and empty, nothing is local. `gatepostctl setup` prints the MTA's own list.")
SETTING(ORIGIN, "origin", TEXT, "", ANY, MAIN | LISTENER,
        "The domain that the MTA adds to an address without one: Postfix's myorigin. `gatepostctl "
        "setup` prints it. Postfix itself tells what it makes of a sender or recipient; behind "
        "Sendmail, and where nothing is told, this is needed to know whose such an address is. "
        "While it is empty, the address may be of any of `login_domains`.")
SETTING(LOGIN_DOMAINS, "login_domains", DOMAINS, "$local_domains", ANY, MAIN | LISTENER,
        "The domains whose addresses a key without a domain in `sender_login_maps` owns, and whose "
        "addresses the MTA takes apart itself (user%host@domain, host!user@domain): Postfix's "
        "mydestination, myorigin and host name, Sendmail's class w. Where `local_domains` holds "
        "relayed or virtual domains too, name the others alone here, or the user `alice` may write "
        "as alice of each of them. `gatepostctl setup` prints the MTA's own list.")
SETTING(RECIPIENT_DELIMITER, "recipient_delimiter", TEXT, "", ANY, MAIN | LISTENER,
        "The characters that separate a user from an extension (`user+extension`), as in Postfix. "
        "Tables and sender logins are then searched for the address without the extension, too.")
SETTING(UNTRUSTED_LISTENERS, "untrusted_listeners", LISTENERS, "", ANY, MAIN | LISTENER,
        "Listeners behind a relay that hides the client, such as a Tor onion service or stunnel. "
        "Address and name of their clients say nothing, and no network, table, DNS list or "
        "restriction on names matches them, so that nobody is trusted for coming from 127.0.0.1. "
        "Where the MTA does not send what an entry is told by - {daemon_name} for a name, "
        "{daemon_port} for a port - each listener may be the one, and counts as untrusted.")
SETTING(SUBMISSION_LISTENERS, "submission_listeners", LISTENERS, "submission submissions :587 :465",
        ANY, MAIN | LISTENER,
        "Listeners on which nobody is served without authentication; a certificate that "
        "`relay_clientcerts` lists counts as one. A listener is named by its {daemon_name}, or by "
        "its port as `:587`.")
SETTING(SENDER_LOGIN_MAPS, "sender_login_maps", TABLES, "", ANY, MAIN | LISTENER,
        "Tables that give the logins which own a sender address, as Postfix's "
        "smtpd_sender_login_maps. While it is empty, the restrictions that end in "
        "`_login_mismatch` do nothing.")
SETTING(SASL_LOCAL_REALMS, "sasl_local_realms", LIST, "", ANY, MAIN | LISTENER,
        "Realms that are cut off a login, so that `bob@realm` counts as `bob`. Postfix with Cyrus "
        "SASL appends a realm; Sendmail passes on what the user typed.")
SETTING(RELAY_CLIENTCERTS, "relay_clientcerts", TABLES, "", ANY, MAIN | LISTENER,
        "Tables of the client certificates that `permit_tls_clientcerts` permits. The key is the "
        "subject of a verified certificate as the MTA gives it: the common name behind Postfix, "
        "the distinguished name behind Sendmail, in Sendmail's encoding (a space is `+20`) with "
        "both. What the key maps to does not matter. Fingerprints never reach a milter.")
SETTING(AUTH_MIN_SSF, "auth_min_ssf", INTEGER, "128", BETWEEN("0", "1024"), MAIN | LISTENER,
        "The weakest TLS, in bits of its cipher, over which a client may authenticate. A login "
        "that came over less counts for no permit, and `reject_cleartext_auth` refuses it. `0` "
        "allows clear text.")
SETTING(AUTH_MECHANISMS, "auth_mechanisms", LIST, "", ANY, MAIN | LISTENER,
        "The SASL mechanisms by which a client may authenticate; `!PLAIN` forbids one and leaves "
        "the others. Empty: any. A login by a forbidden mechanism counts for no permit, and "
        "`reject_cleartext_auth` refuses it.")

/* What is asked, and when */
SETTING(DELAY_CHECKS, "delay_checks", BOOL, "yes", ANY, MAIN | LISTENER,
        "As Postfix's smtpd_delay_reject: the restrictions on client, HELO and sender are "
        "evaluated at RCPT, so that the log names the recipient and old clients understand the "
        "reply. With `no`, a sender is refused at MAIL, and so are client and HELO, because an MTA "
        "drops the text of an earlier refusal.")
SETTING(CLIENT_RESTRICTIONS, "client_restrictions", RESTRICTIONS, "", ANY, MAIN | LISTENER,
        "What is asked of the client's address and name.")
SETTING(HELO_RESTRICTIONS, "helo_restrictions", RESTRICTIONS, "", ANY, MAIN | LISTENER,
        "What is asked of the name in HELO or EHLO.")
SETTING(SENDER_RESTRICTIONS, "sender_restrictions", RESTRICTIONS,
        "reject_cleartext_auth reject_authenticated_sender_login_mismatch permit_mynetworks "
        "reject_unauthenticated_sender_login_mismatch",
        ANY, MAIN | LISTENER,
        "What is asked of the envelope sender. The default keeps a user from sending in the name "
        "of another, and serves local programs that cannot log in.")
SETTING(RELAY_RESTRICTIONS, "relay_restrictions", RESTRICTIONS,
        "permit_mynetworks permit_sasl_authenticated permit_tls_clientcerts "
        "reject_unauth_destination",
        ANY, MAIN | LISTENER,
        "Who may send to recipients that are not local. It is decided apart from "
        "`recipient_restrictions`, so that no whitelist there opens a relay. A list that names "
        "none of `reject_unauth_destination`, `defer_unauth_destination`, `reject` and `defer` "
        "would be one, and is an error.")
SETTING(RECIPIENT_RESTRICTIONS, "recipient_restrictions", RESTRICTIONS,
        "permit_mynetworks permit_sasl_authenticated reject_dnsbl", ANY, MAIN | LISTENER,
        "What is asked for each recipient, after everything else about the envelope.")
SETTING(MESSAGE_RESTRICTIONS, "message_restrictions", RESTRICTIONS,
        "guard_autoreply permit_mynetworks permit_sasl_authenticated reject_spam", ANY,
        MAIN | LISTENER, "What is asked of the message itself, when its header is in.")
SETTING(
    RESTRICTION_CLASSES, "restriction_classes", LIST, "", ANY, MAIN | LISTENER,
    "Names that stand for lists of restrictions. What each holds is a parameter of its name, "
    "`NAME = RESTRICTION...`, which a `[listener]` section may override; a section may have "
    "classes of its own, in the place of these (or beside them, with `+=`). A class may stand in "
    "every list, in another class, and as the result of an access table; see RESTRICTION "
    "CLASSES.")
SETTING(
    HEADER_LIMIT, "header_limit", SIZE, "1m", BETWEEN("1", "256m"), MAIN | LISTENER,
    "The most that the header of one message may hold. A larger one is refused with `552 5.3.4 "
    "Message header too large`, since no rule could judge it whole. Where nothing reads a header "
    "(no message_restrictions), the MTA is not asked for it, unless this is set.")

SETTING(MAX_VISIBLE_RECIPIENTS, "max_visible_recipients", INTEGER, "0", BETWEEN("0", "10000"),
        MAIN | LISTENER | PROFILE,
        "The most addresses in To: and Cc: together that `reject_visible_recipients` lets pass; "
        "`0` is no limit. Of a message for recipients of several profiles the mildest counts.")

/* DNS lists */
SETTING(DNSBL_SITES, "dnsbl_sites", LIST, "", ANY, MAIN | LISTENER,
        "Lists that are asked about the client's address, in the syntax of postscreen_dnsbl_sites: "
        "`zen.spamhaus.org=127.0.0.[2..11]*3 list.dnswl.org=127.0.[0..255].[1..3]*-2`. The weights "
        "of those that have it are summed up for `reject_dnsbl`; without one the weight is 1. "
        "Without a filter any address in 127.0.0.0/8 counts but 127.0.0.1 and 127.255.255.0/24, by "
        "which lists say that they do not serve you.")
SETTING(RHSBL_SITES, "rhsbl_sites", WORDS, "", ANY, MAIN | LISTENER,
        "Lists that are asked about domains: `dbl.example=127.0.1.[2..99]*3/sender,helo,ptr,from,"
        "reply-to`. The places behind the slash say which domains; without them it is that of the "
        "envelope sender. Entries are separated by white space alone.")
SETTING(HASHBL_SITES, "hashbl_sites", WORDS, "", ANY, MAIN | LISTENER,
        "Lists that are asked about e-mail addresses, by their hash: `ebl.example*5/sender,from,"
        "reply-to:sha1` (or `sha256`, `md5`). Separated, and without places understood, like "
        "`rhsbl_sites`.")
SETTING(DNSBL_THRESHOLD, "dnsbl_threshold", INTEGER, "3", BETWEEN("-1000000", "1000000"),
        MAIN | LISTENER | PROFILE, "The sum of weights at which `reject_dnsbl` refuses.")
SETTING(DNSBL_REPLY_MAP, "dnsbl_reply_map", TABLES, "", ANY, MAIN | LISTENER,
        "Tables from the name of a list to the name that a refused client is shown, for lists "
        "whose name holds a key that is not everybody's. The list's own text is left out then.")
SETTING(DNSBL_TIMEOUT, "dnsbl_timeout", TIME, "5s", BETWEEN("0", "1m"), MAIN | LISTENER,
        "No message is held longer than this for the DNS, all waits together, and a connection on "
        "which it once ran out is held no more. What has not answered by then is taken to list "
        "nothing. Keep it below the MTA's own patience: 30s in "
        "Postfix, 10s in Sendmail unless its filter line says otherwise.")
SETTING(DNS_SERVERS, "dns_servers", LIST, "", ANY, MAIN,
        "The resolvers that are asked, `127.0.0.1:5353 [::1]:53`; empty: those of the system "
        "(/etc/resolv.conf, read again when it changes). "
        "Large lists refuse to serve public resolvers; one of your own is best.")

/* Spam by rules */
SETTING(RULE_FILES, "rule_files", LIST, GATEPOST_DATADIR "/rules " GATEPOST_SYSCONFDIR "/rules",
        ANY, MAIN | LISTENER,
        "Rule files in SpamAssassin's syntax, see gatepost-rules(5); a folder stands for its *.cf "
        "files in the order of their names.")
SETTING(TAG_SCORE, "tag_score", SCORE, "5.0", BETWEEN("-1000000", "1000000"),
        MAIN | LISTENER | PROFILE,
        "From this score on a message is marked by the fields X-Spam-Flag, X-Spam-Score and "
        "X-Spam-Status. If it is not set, `required_score` of the rule files counts.")
SETTING(REJECT_SCORE, "reject_score", SCORE, "10.0", BETWEEN("-1000000", "1000000"),
        MAIN | LISTENER | PROFILE, "From this score on `reject_spam` refuses a message.")
SETTING(
    TRUSTED_FILTERS, "trusted_filters", NETWORKS, "", ANY, MAIN | LISTENER,
    "Clients from outside that filter for this site, such as a secondary MX, in the syntax of "
    "`mynetworks`. Where `message_restrictions` name `reject_spam`, the fields X-Spam-Flag, "
    "X-Spam-Score, X-Spam-Status and X-Spam-Level of mail from outside are taken out, whether or "
    "not a rule is asked: who reads them takes them for this site's own. Those that these "
    "clients bring stay, unless reject_spam judges the message itself.")
SETTING(RECIPIENT_PROFILES, "recipient_profiles", TABLES, "", ANY, MAIN | LISTENER,
        "Tables from a recipient (user@domain, domain, .domain) to the name of a `[profile]` "
        "section, whose scores and thresholds hold for that recipient's mail.")
SETTING(MIXED_RECIPIENTS, "mixed_recipients", CHOICE, "lenient", CHOICES("lenient split"),
        MAIN | LISTENER,
        "A message for recipients of several profiles: with `lenient` it is judged once for each "
        "profile, and the mildest outcome counts. With `split` recipients of another profile than "
        "the first are put off with `452 4.5.3` and come back in a transaction of their own; never "
        "for authenticated clients and mynetworks, since a mail program does not come back.")
SETTING(RULE_SCORE, "score", SCORE, "0", BETWEEN("-1000000", "1000000"), PROFILE | KEYED,
        "What the rule adds in this profile, instead of what the rule files say.")

/* Limits */
SETTING(LIMIT_KEY, "key", TEXT, NULL, NOT_EMPTY, LIMIT,
        "What is counted by: one of `sasl_user`, `sender`, `sender_domain`, `client` (an IPv4 "
        "address or an IPv6 /64), `client/24`, `listener`, `recipient`, `recipient_domain`, "
        "`from`, `from_domain` (of the From: field) and `header:NAME` (the first line of that "
        "field, of `X-PHP-Originating-Script` what stands before the first colon), or several "
        "joined by `+`. In lower case, and without address extension. Must be set. A part that "
        "does not exist (no login, the null sender, no such field) means that the limit does not "
        "apply.")
SETTING(LIMIT_COUNT, "count", CHOICE, "recipients", CHOICES("recipients messages bytes clients"),
        LIMIT,
        "What is counted: `recipients`, `messages`, `bytes`, or `clients`, the different networks "
        "(IPv4 /24, IPv6 /64) that one key comes from, by which a stolen password shows itself.")
SETTING(LIMIT_MAX, "max", TEXT, NULL, NOT_EMPTY, LIMIT,
        "The most that passes in one window, from 1; of bytes with `k`, `m` or `g`. Must be set.")
SETTING(
    LIMIT_PER, "per", WINDOW, NULL, NOT_EMPTY, LIMIT,
    "The window: a time from 1m to 366d, which slides, or `day`, `week` (from Monday) or `month` "
    "of the calendar in `limit_timezone`. Must be set.")
SETTING(LIMIT_ACTION, "action", CHOICE, "defer", CHOICES("defer reject hold"), LIMIT,
        "What happens with what is over the limit: `defer` answers 450, `reject` 550; `hold` puts "
        "the message into the hold queue, where it counts as held, apart from `max`. Mail without "
        "SMTP is held instead of deferred.")
SETTING(LIMIT_FOR, "for", CHOICE, "authenticated",
        CHOICES("authenticated mynetworks local outgoing all"), LIMIT,
        "Whose mail is counted: that of `authenticated` clients (a `relay_clientcerts` certificate "
        "counts as one), of `mynetworks` (what is submitted without SMTP included), `local` "
        "(without SMTP alone), `outgoing` (those three), or `all`.")
SETTING(LIMIT_OVERRIDES, "overrides", TABLES, "", ANY, LIMIT,
        "Tables that give another `max` for a key: a number or `unlimited`. They are asked for the "
        "whole key and, where it is one address, domain or client, then for what access(5) asks "
        "for: its domain, its network. A key of several parts is asked for as a whole alone.")
SETTING(LIMIT_WARN, "limit_warn", PERCENT, "80%", ANY, MAIN,
        "When a key has used so much of a limit, the log says so in a line with `action=info`, "
        "once a window; and again at 100 %. `0%`: at 100 % alone.")
SETTING(LIMIT_NOTICE, "limit_notice", TEXT, "", ANY, MAIN,
        "An address that is told by mail when a key nears a limit and when it has reached it: one "
        "mail a key and hour at most, 20 an hour in all, then one that sums up. Empty: nobody. No "
        "limit counts these mails.")
SETTING(NOTICE_SERVER, "notice_server", SOCKET, "inet:25@127.0.0.1", NOT_EMPTY, MAIN,
        "The SMTP server that takes the mails of `limit_notice`: an address and a port.")
SETTING(LIMIT_TIMEZONE, "limit_timezone", TEXT, "", ANY, MAIN,
        "The time zone of limits by calendar days, weeks and months, such as `Europe/Athens`; "
        "empty: the system's. Daemons that share a store must have the same.")

/* Greylisting */
SETTING(GREYLIST_WHEN, "greylist_when", CHOICE, "suspicious", CHOICES("suspicious always"),
        MAIN | LISTENER,
        "Whom `greylist` asks to come again: `suspicious` clients (DNS lists that sum up to more "
        "than 0 and less than `dnsbl_threshold`, no verified name, a name with the address in it, "
        "a HELO that is no full name), or `always` whom it does not know.")
SETTING(GREYLIST_DELAY, "greylist_delay", TIME, "1m", BETWEEN("1s", "1d"), MAIN | LISTENER,
        "How long `greylist` lets a stranger wait.")
SETTING(GREYLIST_WINDOW, "greylist_window", TIME, "24h", BETWEEN("1m", "30d"), MAIN | LISTENER,
        "How long a stranger that was asked to come again may take until he does.")
SETTING(GREYLIST_KEEP, "greylist_keep", TIME, "36d", BETWEEN("1h", "366d"), MAIN | LISTENER,
        "How long who came again is known, since he was seen last.")
SETTING(PROFILE_GREYLIST, "greylist", BOOL, "yes", ANY, PROFILE,
        "With `no` the recipients of this profile are not greylisted.")

/* Auto-replies */
SETTING(AUTOREPLY_GUARD, "autoreply_guard", CHOICE, "reject", CHOICES("reject strip tag off"),
        MAIN | LISTENER,
        "What `guard_autoreply` does with an auto-reply to a bounce sender that quotes the message "
        "it answers: `reject` refuses it; `strip` sends it without the quotation; `tag` adds the "
        "field X-Gatepost-Autoreply: quotes-original.")
SETTING(BOUNCE_SENDERS, "bounce_senders", WORDS,
        "<> postmaster mailer-daemon double-bounce bounce bounces noreply no-reply do-not-reply "
        "donotreply *-bounces bounces+* prvs=*",
        ANY, MAIN | LISTENER,
        "Local parts that answer no human: patterns with * and ?, with an @ for a whole address; "
        "`<>` is the null sender and what stands for it.")
SETTING(SUPPRESS_AUTOREPLIES, "suppress_autoreplies", BOOL, "no", ANY, MAIN | LISTENER,
        "Adds X-Auto-Response-Suppress: OOF, AutoReply to delivery reports that come in, so that "
        "auto-responders that mind it stay silent.")
