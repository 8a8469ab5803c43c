/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A load driver that speaks the milter protocol itself, as Postfix does: what it sends, which
 * macros, which packets in one write, follows milter8.c's behaviour, so that filters can be
 * compared without an MTA. Many connections, one thread, epoll. It prints one line of JSON.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <libmilter/mfapi.h>
#include <libmilter/mfdef.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

enum {
    PROTOCOL_VERSION = 6,
    ALL_ACTIONS = 0x1ff,
    ALL_STEPS = 0x1fffff, /* what Postfix 3.7 offers */
    STALL_MS = 30 * 1000, /* no packet from anybody for so long: the filter hangs */
    STAGES = 7,           /* of macro lists, numbered as in SMFIR_SETSYMLIST */
    EVENTS = 256,
    PACKET_MAX = 1 << 20,
};

enum stage { STAGE_CONNECT, STAGE_HELO, STAGE_MAIL, STAGE_RCPT, STAGE_DATA, STAGE_EOM, STAGE_EOH };

struct step {
    char command;
    enum stage macros;
    uint32_t left_out; /* the SMFIP_NO* flag by which the filter declines it */
    uint32_t silent;   /* the SMFIP_NR_* flag by which it declines to answer */
};

enum {
    AT_CONNECT,
    AT_HELO,
    AT_MAIL,
    AT_RCPT,
    AT_DATA,
    AT_HEADER,
    AT_EOH,
    AT_BODY,
    AT_EOM,
    STEPS,
};

static const struct step steps[STEPS] = {
    [AT_CONNECT] = {SMFIC_CONNECT, STAGE_CONNECT, SMFIP_NOCONNECT, SMFIP_NR_CONN},
    [AT_HELO] = {SMFIC_HELO, STAGE_HELO, SMFIP_NOHELO, SMFIP_NR_HELO},
    [AT_MAIL] = {SMFIC_MAIL, STAGE_MAIL, SMFIP_NOMAIL, SMFIP_NR_MAIL},
    [AT_RCPT] = {SMFIC_RCPT, STAGE_RCPT, SMFIP_NORCPT, SMFIP_NR_RCPT},
    [AT_DATA] = {SMFIC_DATA, STAGE_DATA, SMFIP_NODATA, SMFIP_NR_DATA},
    [AT_HEADER] = {SMFIC_HEADER, STAGE_EOH, SMFIP_NOHDRS, SMFIP_NR_HDR},
    [AT_EOH] = {SMFIC_EOH, STAGE_EOH, SMFIP_NOEOH, SMFIP_NR_EOH},
    [AT_BODY] = {SMFIC_BODY, STAGE_EOM, SMFIP_NOBODY, SMFIP_NR_BODY},
    [AT_EOM] = {SMFIC_BODYEOB, STAGE_EOM, 0, 0},
};

static const char *const default_macros[STAGES] = {
    [STAGE_CONNECT] = "j {daemon_name} {daemon_addr} v _",
    [STAGE_HELO] = "{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer}",
    [STAGE_MAIL] =
        "i {auth_type} {auth_authen} {auth_author} {mail_addr} {mail_host} {mail_mailer}",
    [STAGE_RCPT] = "i {rcpt_addr} {rcpt_host} {rcpt_mailer}",
    [STAGE_DATA] = "i",
    [STAGE_EOM] = "i",
    [STAGE_EOH] = "i",
};

/* What a macro holds in the session that is played; those not named here are not sent. */
static const char *const macro_values[][2] = {
    {"j", "mail.lab.test"},
    {"_", "client.example.com [192.0.2.10]"},
    {"v", "Postfix 3.7.11"},
    {"i", "4F5A2741D2"},
    {"{client_addr}", "192.0.2.10"},
    {"{client_name}", "client.example.com"},
    {"{client_ptr}", "client.example.com"},
    {"{client_resolve}", "OK"},
    {"{client_port}", "45678"},
    {"{client_connections}", "1"},
    {"{daemon_name}", "mail.lab.test"},
    {"{daemon_addr}", "192.0.2.66"},
    {"{daemon_port}", "25"},
    {"{mail_addr}", "a@example.com"},
    {"{mail_host}", "example.com"},
    {"{mail_mailer}", "smtp"},
    {"{rcpt_addr}", "bob@lab.test"},
    {"{rcpt_host}", "lab.test"},
    {"{rcpt_mailer}", "local"},
};

struct connection {
    int fd;
    int step;          /* the one that is sent next */
    int header;        /* index of the header that is sent next */
    GPtrArray *fields; /* those of the message, borrowed; NULL: made up */
    int asked;         /* the step whose answer is awaited, -1: the negotiation's */
    int messages;      /* begun on this connection */
    bool paused;       /* before RCPT: it was */
    char address[16];
    gint64 connected_at, rcpt_at, resume_at; /* us of the monotonic clock */
    uint32_t wish;                           /* the filter's SMFIP_* flags */
    char *macros[STAGES];
    GByteArray *in;
    GByteArray *out;
};

struct load {
    /* the command line */
    int connections;
    int messages;
    int per_connection;
    int headers;
    int body;
    GPtrArray *from_file; /* of GPtrArray of char *, "Name: value": headers to be sent in turns */
    int hold;
    int pid;
    int port;      /* 0: a unix socket */
    int different; /* the number of the first client, each connection another; 0: all are one */
    int pause;     /* ms that a client lets pass before RCPT */
    int rate;      /* connections begun in a second; 0: as many as can be */
    const char *address;
    /* the state */
    int epoll;
    int begun; /* messages */
    int accepted;
    int rejected;
    int tempfailed;
    int changed; /* header and other modifications */
    int open;
    int held;
    char *body_text;
    GArray *waits;  /* of gint64, us from RCPT to its answer */
    GArray *totals; /* of gint64, us from CONNECT to the answer to RCPT, without the pause */
    GQueue resting; /* connections in their pause, the first to resume first */
    int opened;
};

static void die(const char *what)
{
    fprintf(stderr, "client: %s\n", what);
    exit(EX_UNAVAILABLE);
}

/* ---- what is sent ---- */

static void put_int(GByteArray *out, uint32_t value)
{
    uint32_t net = htonl(value);

    g_byte_array_append(out, (const guint8 *)&net, sizeof(net));
}

static void put_packet(GByteArray *out, char command, const char *data, size_t length)
{
    put_int(out, (uint32_t)length + 1);
    g_byte_array_append(out, (const guint8 *)&command, 1);
    g_byte_array_append(out, (const guint8 *)data, (guint)length);
}

static const char *macro_value(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(macro_values); i++)
        if (strcmp(macro_values[i][0], name) == 0)
            return macro_values[i][1];
    return NULL;
}

static void put_macros(struct connection *c, const struct step *step)
{
    const char *list =
        c->macros[step->macros] ? c->macros[step->macros] : default_macros[step->macros];
    g_auto(GStrv) names = g_strsplit_set(list, " ,", -1);
    g_autoptr(GString) data = g_string_new(NULL);

    g_string_append_c(data, step->command);
    for (size_t i = 0; names[i]; i++) {
        bool is_address = strcmp(names[i], "{client_addr}") == 0;
        const char *value = is_address ? c->address : macro_value(names[i]);

        if (value == NULL)
            continue;
        g_string_append_len(data, names[i], (gssize)strlen(names[i]) + 1);
        g_string_append_len(data, value, (gssize)strlen(value) + 1);
    }
    if (data->len > 1)
        put_packet(c->out, SMFIC_MACRO, data->str, data->len);
}

static void put_connect(struct connection *c)
{
    static const char name[] = "client.example.com\0004\262\156";
    g_autoptr(GString) data = g_string_new_len(name, sizeof(name) - 1);

    g_string_append(data, c->address);
    put_packet(c->out, SMFIC_CONNECT, data->str, data->len + 1);
    c->connected_at = g_get_monotonic_time();
}

static void put_header(struct connection *c)
{
    static const char *const known[][2] = {
        {"From", " Some Body <a@example.com>"},
        {"To", " bob@lab.test"},
        {"Subject", " =?utf-8?q?A_message_of_an_ordinary_sort?="},
        {"Message-Id", " <20261121010000.GA1@example.com>"},
        {"Date", " Sat, 21 Nov 2026 01:00:00 +0000"},
        {"Content-Type", " text/plain; charset=utf-8"},
    };
    static const char filler[] = " some eighty bytes, as lists and relays add them to a message\n\t"
                                 "and as a rule with a fold";
    size_t i = (size_t)c->header;
    const char *line = c->fields ? c->fields->pdata[i] : NULL;
    g_autofree char *name = line                      ? g_strndup(line, strcspn(line, ":"))
                            : i < G_N_ELEMENTS(known) ? g_strdup(known[i][0])
                                                      : g_strdup_printf("X-Filler-%zu", i);
    const char *value = line                      ? line + strlen(name) + 1
                        : i < G_N_ELEMENTS(known) ? known[i][1]
                                                  : filler;
    g_autoptr(GString) data = g_string_new(NULL);

    value += c->wish & SMFIP_HDR_LEADSPC ? 0 : 1;
    g_string_append_len(data, name, (gssize)strlen(name) + 1);
    g_string_append_len(data, value, (gssize)strlen(value) + 1);
    put_packet(c->out, SMFIC_HEADER, data->str, data->len);
}

static void put_step(const struct load *load, struct connection *c, int number)
{
    static const char helo[] = "client.example.com";
    static const char mail[] = "<a@example.com>\0SIZE=27000\0BODY=8BITMIME";
    static const char rcpt[] = "<bob@lab.test>";

    put_macros(c, &steps[number]);
    switch (number) {
    case AT_CONNECT:
        put_connect(c);
        break;
    case AT_HELO:
        put_packet(c->out, SMFIC_HELO, helo, sizeof(helo));
        break;
    case AT_MAIL:
        put_packet(c->out, SMFIC_MAIL, mail, sizeof(mail));
        break;
    case AT_RCPT:
        put_packet(c->out, SMFIC_RCPT, rcpt, sizeof(rcpt));
        c->rcpt_at = g_get_monotonic_time();
        break;
    case AT_HEADER:
        put_header(c);
        break;
    case AT_BODY:
        put_packet(c->out, SMFIC_BODY, load->body_text, (size_t)load->body);
        break;
    default:
        put_packet(c->out, steps[number].command, "", 0);
    }
}

static void put_negotiation(struct connection *c)
{
    GByteArray *data = g_byte_array_new();

    put_int(data, PROTOCOL_VERSION);
    put_int(data, ALL_ACTIONS);
    put_int(data, ALL_STEPS);
    put_packet(c->out, SMFIC_OPTNEG, (const char *)data->data, data->len);
    g_byte_array_unref(data);
}

/* Writes all that is pending; what the filter does not take at once is waited for. */
static void flush(struct connection *c)
{
    guint done = 0;

    while (done < c->out->len) {
        ssize_t n = send(c->fd, c->out->data + done, c->out->len - done, MSG_NOSIGNAL);

        if (n < 0 && errno == EAGAIN) {
            g_usleep(1000);
            continue;
        }
        if (n <= 0)
            die("the filter closed a connection");
        done += (guint)n;
    }
    g_byte_array_set_size(c->out, 0);
}

/* ---- the course of a connection ---- */

static void close_connection(struct load *load, struct connection *c)
{
    put_packet(c->out, SMFIC_QUIT, "", 0);
    flush(c);
    close(c->fd);
    for (int i = 0; i < STAGES; i++)
        g_free(c->macros[i]);
    g_byte_array_unref(c->in);
    g_byte_array_unref(c->out);
    g_free(c);
    load->open--;
}

static void next_step(const struct load *load, struct connection *c)
{
    int count = c->fields ? (int)c->fields->len : load->headers;

    if (c->step == AT_HEADER && ++c->header < count)
        return;
    c->step++;
}

/* The client takes its time. */
static void rest(struct load *load, struct connection *c)
{
    flush(c);
    c->paused = true;
    c->asked = STEPS;
    c->resume_at = g_get_monotonic_time() + (gint64)load->pause * 1000;
    g_queue_push_tail(&load->resting, c);
}

/* Sends packets up to the next one that the filter answers. False: the connection is over. */
static bool advance(struct load *load, struct connection *c)
{
    for (;;) {
        if (c->step == AT_MAIL && load->hold > 0) {
            flush(c);
            load->held++;
            c->asked = STEPS;
            return true;
        }
        if (c->step == AT_MAIL) {
            if (load->begun == load->messages || c->messages == load->per_connection) {
                close_connection(load, c);
                return false;
            }
            if (load->from_file)
                c->fields = load->from_file->pdata[(guint)load->begun % load->from_file->len];
            load->begun++;
            c->messages++;
            c->header = 0;
            c->paused = false;
        }
        if (c->step == AT_RCPT && load->pause > 0 && !c->paused) {
            rest(load, c);
            return true;
        }
        if (!(c->wish & steps[c->step].left_out)) {
            put_step(load, c, c->step);
            if (!(c->wish & steps[c->step].silent)) {
                c->asked = c->step;
                flush(c);
                return true;
            }
        }
        next_step(load, c);
    }
}

static bool end_message(struct load *load, struct connection *c, int *counter, bool abort)
{
    if (abort)
        put_packet(c->out, SMFIC_ABORT, "", 0);
    (*counter)++;
    c->step = AT_MAIL;
    return advance(load, c);
}

static void take_negotiation(struct connection *c, const guint8 *data, size_t length)
{
    uint32_t words[3];

    if (length < sizeof(words))
        die("bad answer to the negotiation");
    memcpy(words, data, sizeof(words));
    c->wish = ntohl(words[2]);
    for (size_t at = sizeof(words); at + 5 <= length;) {
        const char *list = (const char *)data + at + 4;
        size_t size = strnlen(list, length - at - 4);
        uint32_t stage;

        memcpy(&stage, data + at, sizeof(stage));
        if (ntohl(stage) < STAGES) {
            g_free(c->macros[ntohl(stage)]);
            c->macros[ntohl(stage)] = g_strndup(list, size);
        }
        at += 4 + size + 1;
    }
}

static void note_latency(struct load *load, const struct connection *c)
{
    gint64 now = g_get_monotonic_time(), wait = now - c->rcpt_at;
    gint64 total = now - c->connected_at - (gint64)load->pause * 1000;

    g_array_append_val(load->waits, wait);
    if (c->messages == 1)
        g_array_append_val(load->totals, total);
}

/* Takes one packet of the filter's. False: the connection is over. */
static bool take_packet(struct load *load, struct connection *c, const guint8 *data, size_t length)
{
    char code = (char)data[0];

    if (c->asked == -1) {
        if (code != SMFIC_OPTNEG)
            die("the filter does not negotiate");
        take_negotiation(c, data + 1, length - 1);
        c->step = AT_CONNECT;
        return advance(load, c);
    }
    if (c->asked == STEPS || code == SMFIR_PROGRESS)
        return true;
    if (c->asked == AT_RCPT)
        note_latency(load, c);
    if (c->asked == AT_EOM && strchr("+-2behimq", code)) {
        load->changed++;
        return true;
    }
    if (code == SMFIR_ACCEPT && c->asked < AT_MAIL)
        die("the filter accepts the whole connection: nothing to measure");
    if (code == SMFIR_ACCEPT || (code == SMFIR_CONTINUE && c->asked == AT_EOM))
        return end_message(load, c, &load->accepted, false);
    if (code == SMFIR_SKIP)
        c->step = c->asked == AT_HEADER ? AT_EOH : AT_EOM;
    else if (code == SMFIR_CONTINUE)
        next_step(load, c);
    else
        return end_message(load, c,
                           code == SMFIR_TEMPFAIL || (code == SMFIR_REPLYCODE && data[1] == '4')
                               ? &load->tempfailed
                               : &load->rejected,
                           c->asked != AT_EOM);
    return advance(load, c);
}

/* Takes the whole packets that are in. */
static void take_input(struct load *load, struct connection *c)
{
    guint at = 0;

    while (c->in->len - at >= 4) {
        uint32_t length;

        memcpy(&length, c->in->data + at, sizeof(length));
        length = ntohl(length);
        if (length == 0 || length > PACKET_MAX)
            die("bad packet length");
        if (c->in->len - at - 4 < length)
            break;
        if (!take_packet(load, c, c->in->data + at + 4, length))
            return;
        at += 4 + length;
    }
    g_byte_array_remove_range(c->in, 0, at);
}

static int connect_filter(const struct load *load)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    struct sockaddr_in inet = {.sin_family = AF_INET, .sin_port = htons((uint16_t)load->port)};
    int fd = socket(load->port ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(local.sun_path, load->address, sizeof(local.sun_path));
    if (load->port && inet_pton(AF_INET, load->address, &inet.sin_addr) != 1)
        die("not an IPv4 address");
    if (fd < 0 || connect(fd, load->port ? (struct sockaddr *)&inet : (struct sockaddr *)&local,
                          load->port ? sizeof(inet) : sizeof(local)) != 0)
        die("cannot connect to the filter");
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void open_connection(struct load *load)
{
    struct connection *c = g_new0(struct connection, 1);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};

    c->fd = connect_filter(load);
    unsigned number = load->different ? (unsigned)(load->different + load->opened) : 0;
    g_snprintf(c->address, sizeof(c->address), number ? "45.%u.%u.%u" : "192.0.2.10",
               number >> 16 & 255, number >> 8 & 255, number & 255);
    load->opened++;
    c->asked = -1;
    c->in = g_byte_array_new();
    c->out = g_byte_array_new();
    if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, c->fd, &event) != 0)
        die("epoll_ctl fails");
    load->open++;
    put_negotiation(c);
    flush(c);
}

/* ms until something is to be done without an answer. */
static int next_timeout(const struct load *load)
{
    const struct connection *c = g_queue_peek_head((GQueue *)&load->resting);
    gint64 left = c ? (c->resume_at - g_get_monotonic_time()) / 1000 + 1 : STALL_MS;

    if (load->rate > 0)
        left = MIN(left, 1 + 1000 / load->rate);
    return (int)CLAMP(left, 0, STALL_MS);
}

static void resume_rested(struct load *load)
{
    struct connection *c;

    while ((c = g_queue_peek_head(&load->resting)) && c->resume_at <= g_get_monotonic_time()) {
        g_queue_pop_head(&load->resting);
        advance(load, c);
    }
}

/* Waits for answers once and takes them. */
static void poll_once(struct load *load)
{
    struct epoll_event events[EVENTS];
    int timeout = next_timeout(load);
    int n = epoll_wait(load->epoll, events, EVENTS, timeout);

    if (n == 0 && timeout == STALL_MS)
        die("the filter answers nobody any more");
    resume_rested(load);
    for (int i = 0; i < n; i++) {
        struct connection *c = events[i].data.ptr;
        guint8 chunk[16384];
        ssize_t got = recv(c->fd, chunk, sizeof(chunk), 0);

        if (got == 0 || (got < 0 && errno != EAGAIN))
            die("the filter closed a connection");
        if (got > 0) {
            g_byte_array_append(c->in, chunk, (guint)got);
            take_input(load, c);
        }
    }
}

/* ---- the two modes ---- */

static gint compare_times(gconstpointer a, gconstpointer b)
{
    gint64 x = *(const gint64 *)a, y = *(const gint64 *)b;

    return x < y ? -1 : x > y;
}

static void print_percentiles(const char *name, GArray *times)
{
    static const int percents[] = {50, 90, 99, 100};

    g_array_sort(times, compare_times);
    printf(", \"%s\": {", name);
    for (size_t i = 0; i < G_N_ELEMENTS(percents) && times->len > 0; i++) {
        guint at = MIN(times->len * (guint)percents[i] / 100, times->len - 1);

        printf("%s\"p%d\": %.1f", i ? ", " : "", percents[i],
               (double)g_array_index(times, gint64, at) / 1000.0);
    }
    printf("}");
}

/* Whether the rate allows one more connection by now. */
static bool may_open(const struct load *load, gint64 begun)
{
    double passed = (double)(g_get_monotonic_time() - begun) / G_USEC_PER_SEC;

    return load->rate == 0 || load->opened <= passed * load->rate;
}

static void run_messages(struct load *load)
{
    gint64 begun = g_get_monotonic_time();
    double seconds;

    while (load->open > 0 || load->begun < load->messages) {
        while (load->open < load->connections && load->begun < load->messages &&
               may_open(load, begun))
            open_connection(load);
        poll_once(load);
    }
    seconds = (double)(g_get_monotonic_time() - begun) / G_USEC_PER_SEC;
    printf("{\"messages\": %d, \"seconds\": %.3f, \"per_second\": %.1f, \"accepted\": %d, "
           "\"rejected\": %d, \"tempfailed\": %d, \"changed\": %d",
           load->begun, seconds, load->begun / seconds, load->accepted, load->rejected,
           load->tempfailed, load->changed);
    print_percentiles("rcpt_ms", load->waits);
    print_percentiles("session_ms", load->totals);
    printf("}\n");
}

/* The resident memory of a process in kB; 0 when it cannot be told. */
static long resident(int pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/status", pid);
    g_autofree char *text = NULL;
    const char *line;

    if (!g_file_get_contents(path, &text, NULL, NULL) || !(line = strstr(text, "VmRSS:")))
        return 0;
    return strtol(line + strlen("VmRSS:"), NULL, 10);
}

static void run_hold(struct load *load)
{
    long before = resident(load->pid);
    long after;

    for (int i = 0; i < load->hold; i++) {
        open_connection(load);
        while (load->open - load->held > load->connections)
            poll_once(load);
    }
    while (load->held < load->hold)
        poll_once(load);
    after = resident(load->pid);
    printf("{\"held\": %d, \"rss_before_kb\": %ld, \"rss_after_kb\": %ld, "
           "\"kb_per_connection\": %.2f}\n",
           load->held, before, after, (double)(after - before) / load->held);
}

static void raise_files_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static bool set_option(struct load *load, int option, const char *text)
{
    const struct {
        int letter;
        int *place;
        int least;
    } numbers[] = {
        {'c', &load->connections, 1}, {'n', &load->messages, 1}, {'m', &load->per_connection, 1},
        {'H', &load->headers, 1},     {'b', &load->body, 1},     {'M', &load->hold, 1},
        {'p', &load->pid, 1},         {'P', &load->port, 1},     {'D', &load->different, 1},
        {'w', &load->pause, 0},       {'R', &load->rate, 1},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
        if (numbers[i].letter == option) {
            *numbers[i].place = atoi(text);
            return *numbers[i].place >= numbers[i].least;
        }
    return false;
}

/* Header fields as lines, an empty one behind each message's. */
static GPtrArray *read_headers(const char *path)
{
    g_autofree char *text = NULL;
    GPtrArray *all = g_ptr_array_new(), *fields = NULL;

    if (!g_file_get_contents(path, &text, NULL, NULL))
        die("cannot read the file of headers");
    for (char *p = text, *end; *p; p = end + 1) {
        for (end = p; *end && !(end[0] == '\n' && end[1] != ' ' && end[1] != '\t'); end++)
            ;
        if (!*end)
            die("the file of headers ends within a line");
        if (end == p) {
            fields = NULL;
            continue;
        }
        if (!memchr(p, ':', (size_t)(end - p)))
            die("the file of headers holds a line without a colon");
        if (!fields)
            g_ptr_array_add(all, fields = g_ptr_array_new());
        g_ptr_array_add(fields, g_strndup(p, (gsize)(end - p)));
    }
    if (all->len == 0)
        die("the file of headers is empty");
    return all;
}

int main(int argc, char **argv)
{
    struct load load = {
        .connections = 8, .messages = 5000, .per_connection = 10, .headers = 30, .body = 26000};
    int option;

    while ((option = getopt(argc, argv, "c:n:m:H:b:M:p:P:D:w:R:F:")) != -1)
        if (option == 'F')
            load.from_file = read_headers(optarg);
        else if (!set_option(&load, option, optarg))
            optind = argc;
    if (optind != argc - 1) {
        fputs("usage: client [-c connections] [-n messages] [-m messages per connection]\n"
              "              [-H headers | -F file of headers] [-b body bytes] [-P port]\n"
              "              SOCKET-PATH|ADDRESS\n"
              "              [-D number] each connection is another client's, from this one on\n"
              "              [-w ms] before RCPT  [-R connections in a second]\n"
              "       client -M connections -p PID [-P port] SOCKET-PATH|ADDRESS\n",
              stderr);
        return EX_USAGE;
    }
    load.address = argv[optind];
    load.body_text = g_strnfill((gsize)load.body, 'x');
    load.waits = g_array_new(FALSE, FALSE, sizeof(gint64));
    load.totals = g_array_new(FALSE, FALSE, sizeof(gint64));
    load.epoll = epoll_create1(EPOLL_CLOEXEC);
    raise_files_limit();
    if (load.hold > 0)
        run_hold(&load);
    else
        run_messages(&load);
    g_array_unref(load.waits);
    g_array_unref(load.totals);
    g_free(load.body_text);
    return EX_OK;
}
