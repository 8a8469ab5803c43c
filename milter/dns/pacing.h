/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How fast questions go to the servers, and when one that has no answer is asked again. The caller
 * tells the time: us of any clock that never goes back.
 *
 * Threads: one thread at a time.
 */
#ifndef MILTER_DNS_PACING_H
#define MILTER_DNS_PACING_H

#include <stdbool.h>
#include <stdint.h>

/* So many questions may wait in a server's own buffer, which is no larger (rbldnsd's holds some
 * 270): whenever so many are sent, each answer lets another one go. And time lets so many go
 * besides, as answers that take long say nothing of the buffer: after PACING_SLOW_US at first,
 * after half of that each time that nothing was lost by it, PACING_FAST_US in the end. When
 * something was lost all begins anew, and PACING_CLEAN times without a loss go before each step. */
enum {
    PACING_BURST = 128,
    PACING_SLOW_US = 40000,
    PACING_FAST_US = 4000,
    PACING_CLEAN = 64,
};

/* A question or answer that was lost is asked again when answers usually are there, by the measure
 * of RFC 6298; after so many of them, and not before so many microseconds. */
enum { PACING_MEASURED_LEAST = 16, PACING_AGAIN_LEAST_US = 40000 };

/* All zero: nothing was sent yet. */
struct pacing {
    unsigned allowance; /* how many may be sent before RENEWED_AT */
    int64_t renewed_at;
    int64_t every;                 /* us; 0: PACING_SLOW_US */
    bool used_up;                  /* the allowance, since it was renewed */
    unsigned clean, clean_wanted;  /* times that it was used up without a loss */
    int64_t round_trip, deviation; /* us, smoothed */
    unsigned measured;
};

/* Whether a question may be sent at NOW; if not, then at RENEWED_AT, or when one is over. */
bool pacing_allows(struct pacing *pacing, int64_t now);

/* A question was sent, which was allowed. */
void pacing_sent(struct pacing *pacing);

/* A question is over, by an answer or without. */
void pacing_over(struct pacing *pacing);

/* A question or its answer was lost on the way: another try was answered, and it was not. */
void pacing_lost(struct pacing *pacing);

/* An answer TOOK so many us. It must be known when its question was sent: of one that went out
 * several times under the same number nobody can tell which of them was answered (Karn's rule, RFC
 * 6298 3). */
void pacing_measure(struct pacing *pacing, int64_t took);

/* For how many us a question is left without an answer before it is asked again. */
int64_t pacing_patience(const struct pacing *pacing);

/* Whether that is measured, so that asking again makes sense. */
bool pacing_knows(const struct pacing *pacing);

/* Whether something was lost as yet. */
bool pacing_loses(const struct pacing *pacing);

#endif
