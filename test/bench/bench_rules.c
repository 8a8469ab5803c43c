/* SPDX-License-Identifier: BSD-2-Clause
 *
 * CPU time per message of matching and scoring rules: "bench-rules ROUNDS RULES... -- MESSAGE...".
 * Prints "cpu MICROSECONDS" and what was loaded. test/bench/rules sets it beside SpamAssassin.
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mail/message.h"
#include "ruleset/ruleset.h"

static double cpu_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

struct sample {
    char *data;
    struct header_list *headers;
    size_t body, size;
};

static struct sample read_sample(const char *path)
{
    struct sample sample = {NULL, header_list_new(), 0, 0};
    gsize size = 0;
    if (!g_file_get_contents(path, &sample.data, &size, NULL))
        exit(66);
    sample.size = size;
    sample.body = message_parse(sample.data, size, sample.headers);
    return sample;
}

static void judge(const struct ruleset *ruleset, const struct sample *sample, size_t *hits,
                  uint64_t *work)
{
    struct ruleset_message message = {.headers = sample->headers,
                                      .envelope_sender = "bounce@example.com",
                                      .body = sample->data + sample->body,
                                      .body_length = sample->size - sample->body};
    struct ruleset_matches *matches = ruleset_match(ruleset, &message, NULL, 0);
    struct ruleset_result result;
    ruleset_score(ruleset, matches, NULL, &result);
    *hits += result.hit_count;
    *work += ruleset_matches_work(matches);
    ruleset_result_clear(&result);
    ruleset_matches_free(matches);
}

int main(int argc, char **argv)
{
    g_autoptr(GPtrArray) paths = g_ptr_array_new();
    g_autoptr(GArray) samples = g_array_new(FALSE, FALSE, sizeof(struct sample));
    struct ruleset_options options = {.keep_subrules = g_getenv("ALL_RULES") != NULL,
                                      .no_prefilter = g_getenv("NO_PREFILTER") != NULL,
                                      .timeless = g_getenv("TIMELESS") != NULL};
    struct problems *problems = problems_new();
    size_t hits = 0;
    uint64_t work = 0;
    int at = 2;
    for (; at < argc && strcmp(argv[at], "--") != 0; at++)
        g_ptr_array_add(paths, argv[at]);
    g_ptr_array_add(paths, NULL);
    for (at++; at < argc; at++) {
        struct sample sample = read_sample(argv[at]);
        g_array_append_val(samples, sample);
    }
    if (samples->len == 0)
        return 64;
    double loading = cpu_now();
    struct ruleset *ruleset = ruleset_load((const char *const *)paths->pdata, &options, problems);
    double begin = cpu_now();
    int rounds = atoi(argv[1]);
    for (int round = 0; round < rounds; round++)
        for (guint i = 0; i < samples->len; i++)
            judge(ruleset, &g_array_index(samples, struct sample, i), &hits, &work);
    double used = (cpu_now() - begin) / rounds / samples->len;
    printf("cpu %.1f us a message (%zu rules, %u messages, %.1f hits and %" G_GUINT64_FORMAT
           " units of work a message, loaded in %.0f ms)\n",
           used, ruleset_rule_count(ruleset), samples->len, (double)hits / rounds / samples->len,
           work / (unsigned)rounds / samples->len, (begin - loading) / 1e3);
    ruleset_unref(ruleset);
    problems_free(problems);
    return 0;
}
