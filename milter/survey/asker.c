/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Questions that are waited for.
 */
#include "asker.h"

#include "interrupt.h"

/* The resolver has time limits of its own: PATIENCE_S is for a thread that died. */
enum { PATIENCE_S = 120, SECOND_TRY_US = 1500000 };

/* How often one looks whether the survey shall end. */
enum { LOOK_US = 500000 };

void asker_init(struct asker *asker, struct resolver *resolver, bool validates)
{
    *asker = (struct asker){.resolver = resolver, .validates = validates};
    waiting_init(&asker->waiting);
}

void asker_clear(struct asker *asker)
{
    waiting_clear(&asker->waiting);
}

static struct dns_question *begin(struct asker *asker, const char *name, enum dns_type type,
                                  unsigned flags)
{
    return resolver_ask_flags(asker->resolver, name, type, flags, asker->waiting.waker);
}

static const struct dns_answer *finish(struct asker *asker, struct dns_question *question,
                                       enum dns_type type)
{
    int64_t now, deadline = g_get_monotonic_time() + PATIENCE_S * G_USEC_PER_SEC;
    while (dns_question_state(question) == DNS_PENDING && !interrupt_came() &&
           (now = g_get_monotonic_time()) < deadline)
        waiting_sleep(&asker->waiting, MIN(deadline, now + LOOK_US));
    const struct dns_answer *answer = dns_question_answer(question);
    answer = answer ? dns_answer_ref(answer) : dns_answer_failed(type, DNS_FAIL_TIMEOUT);
    dns_question_drop(question);
    return answer;
}

/* Who asks thousands of questions at once is answered SERVFAIL now and then; there is time to ask
 * once more. */
static const struct dns_answer *insist(struct asker *asker, const struct dns_answer *answer,
                                       const char *name)
{
    enum dns_type type = answer->type;
    if (answer->state != DNS_FAILED || answer->failure == DNS_FAIL_NAME)
        return answer;
    dns_answer_unref(answer);
    interrupt_sleep(SECOND_TRY_US);
    return finish(asker, begin(asker, name, type, DNS_ASK_AD), type);
}

const struct dns_answer *asker_ask(struct asker *asker, const char *name, enum dns_type type)
{
    return insist(asker, finish(asker, begin(asker, name, type, DNS_ASK_AD), type), name);
}

void asker_ask_addresses(struct asker *asker, const char *name, const struct dns_answer **v4_r,
                         const struct dns_answer **v6_r)
{
    struct dns_question *v4 = begin(asker, name, DNS_A, DNS_ASK_AD);
    struct dns_question *v6 = begin(asker, name, DNS_AAAA, DNS_ASK_AD);
    *v4_r = insist(asker, finish(asker, v4, DNS_A), name);
    *v6_r = insist(asker, finish(asker, v6, DNS_AAAA), name);
}

enum asker_failure asker_why_failed(struct asker *asker, const char *name, enum dns_type type)
{
    const struct dns_answer *answer =
        finish(asker, begin(asker, name, type, DNS_ASK_AD | DNS_ASK_CD), type);
    bool bogus = asker->validates && answer->state != DNS_FAILED;
    dns_answer_unref(answer);
    return bogus ? ASKER_BOGUS : ASKER_LOOKUP_FAILED;
}

int asker_secure(const struct asker *asker, const struct dns_answer *answer)
{
    return asker->validates ? answer->authenticated : -1;
}

bool asker_probe(struct resolver *resolver, bool trusted, const char **why_r)
{
    if (!trusted && !resolver_is_local(resolver)) {
        *why_r = "the resolver is not on this machine (--trust-resolver believes it all the same)";
        return false;
    }
    struct asker asker;
    asker_init(&asker, resolver, true);
    const struct dns_answer *answer = asker_ask(&asker, ".", DNS_NS);
    bool validates = answer->state == DNS_ANSWERED && answer->authenticated;
    *why_r = answer->state == DNS_FAILED ? "the resolver does not answer for the root"
                                         : "the resolver does not validate";
    dns_answer_unref(answer);
    asker_clear(&asker);
    return validates;
}
