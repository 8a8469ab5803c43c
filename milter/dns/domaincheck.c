/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Domains and host names that exist. The likely question goes first (MX for mail, addresses for
 * hosts), the others only if it does not settle the matter.
 */
#include "dns/domaincheck.h"

#include <glib.h>

#include "mail/hostname.h"

struct domaincheck {
    struct resolver *resolver;
    char *name; /* NULL: can be no name */
    enum domaincheck_kind kind;
    struct waker waker;
    bool asked_second;
    struct dns_question *mx;
    struct dns_question *a;
    struct dns_question *aaaa;
};

static void ask_mx(struct domaincheck *check)
{
    check->mx = resolver_ask(check->resolver, check->name, DNS_MX, check->waker);
}

static void ask_addresses(struct domaincheck *check)
{
    check->a = resolver_ask(check->resolver, check->name, DNS_A, check->waker);
    check->aaaa = resolver_ask(check->resolver, check->name, DNS_AAAA, check->waker);
}

struct domaincheck *domaincheck_new(struct resolver *resolver, const char *name,
                                    enum domaincheck_kind kind, struct waker waker)
{
    struct domaincheck *check = g_new0(struct domaincheck, 1);
    check->resolver = resolver;
    g_autofree char *ascii = hostname_to_ascii(name);
    check->name = ascii && dns_name_valid(ascii) ? g_steal_pointer(&ascii) : NULL;
    check->kind = kind;
    check->waker = waker;
    if (!check->name)
        return check;
    if (kind == DOMAINCHECK_MAIL)
        ask_mx(check);
    else
        ask_addresses(check);
    return check;
}

void domaincheck_free(struct domaincheck *check)
{
    if (!check)
        return;
    dns_question_drop(check->mx);
    dns_question_drop(check->a);
    dns_question_drop(check->aaaa);
    g_free(check->name);
    g_free(check);
}

static enum dns_state state_of(const struct dns_question *question)
{
    return question ? dns_question_state(question) : DNS_NO_DATA;
}

static enum domaincheck_result addresses(const struct domaincheck *check)
{
    enum dns_state a = state_of(check->a), aaaa = state_of(check->aaaa);
    if (a == DNS_ANSWERED || aaaa == DNS_ANSWERED)
        return DOMAINCHECK_EXISTS;
    if (a == DNS_PENDING || aaaa == DNS_PENDING)
        return DOMAINCHECK_PENDING;
    return a == DNS_FAILED || aaaa == DNS_FAILED ? DOMAINCHECK_CANNOT_TELL : DOMAINCHECK_NOT_FOUND;
}

/* A host that is no host name is no host; of several MX records one good one is enough. */
static bool has_host(const struct dns_answer *answer)
{
    for (size_t i = 0; i < answer->count; i++)
        if (hostname_valid(answer->mx[i].host))
            return true;
    return false;
}

static enum domaincheck_result exchangers(const struct domaincheck *check)
{
    switch (state_of(check->mx)) {
    case DNS_PENDING:
        return DOMAINCHECK_PENDING;
    case DNS_FAILED:
        return DOMAINCHECK_CANNOT_TELL;
    case DNS_ANSWERED:
        break;
    default:
        return DOMAINCHECK_NOT_FOUND;
    }
    const struct dns_answer *answer = dns_question_answer(check->mx);
    if (dns_answer_is_null_mx(answer))
        return DOMAINCHECK_NULL_MX;
    return has_host(answer) ? DOMAINCHECK_EXISTS : DOMAINCHECK_MALFORMED;
}

/* What the first questions say; that is all, unless *OPEN_R. */
static enum domaincheck_result first_result(const struct domaincheck *check, bool *open_r)
{
    *open_r = false;
    if (!check->name)
        return DOMAINCHECK_NOT_FOUND;
    enum domaincheck_result first =
        check->kind == DOMAINCHECK_MAIL ? exchangers(check) : addresses(check);
    *open_r = first == DOMAINCHECK_NOT_FOUND || first == DOMAINCHECK_CANNOT_TELL;
    return first;
}

void domaincheck_advance(struct domaincheck *check)
{
    bool open;
    first_result(check, &open);
    if (!open || check->asked_second)
        return;
    check->asked_second = true;
    if (check->kind == DOMAINCHECK_MAIL)
        ask_addresses(check);
    else
        ask_mx(check);
}

enum domaincheck_result domaincheck_result(const struct domaincheck *check)
{
    bool mail = check->kind == DOMAINCHECK_MAIL, open;
    enum domaincheck_result first = first_result(check, &open);
    if (!open)
        return first;
    if (!check->asked_second)
        return DOMAINCHECK_PENDING;
    enum domaincheck_result second = mail ? addresses(check) : exchangers(check);
    if (!mail && second == DOMAINCHECK_NULL_MX)
        return DOMAINCHECK_EXISTS; /* a host that sends mail may well accept none */
    /* The first questions found nothing; what the second ones add. A failure of either leaves it
     * open unless the other one found something. */
    if (first == DOMAINCHECK_CANNOT_TELL && second == DOMAINCHECK_NOT_FOUND)
        return first;
    return second;
}
