/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Evaluating a restriction list: a stack of lists, as a table's result may be a list again.
 */
#include "policy/evaluation.h"

#include <string.h>

#include "checks/limit.h"

struct frame {
    const struct restriction_list *list;
    struct restriction_list *owned; /* the same, when a table gave it */
    unsigned next;
    bool warn;                /* below warn_if_reject */
    bool one_of_several;      /* the check that gave it gave others, too: a permit ends it alone */
    bool pending;             /* not begun: those above it, which it does not hold, come first */
    bool never_permits;       /* a permit in it says nothing */
    const char *permit_reply; /* but this, if it is not NULL */
    const char *name;         /* the restriction whose table gave it */
    char *entry;              /* the entry of a table that gave it; NULL: none did */
    const char *subject;
    char *own_subject; /* the same, when it is the frame's */
    const char *class;
    GArray *ahead; /* of struct check_errand, one an item: what was asked ahead; or NULL */
};

static void clear_frame(void *data)
{
    struct frame *frame = data;
    restriction_list_free(frame->owned);
    g_free(frame->entry);
    g_free(frame->own_subject);
    if (frame->ahead)
        g_array_unref(frame->ahead);
}

static void clear_errand(void *data)
{
    check_errand_clear(data);
}

static void clear_note(void *data)
{
    struct check_note *note = data;
    g_free(note->text);
    g_free(note->entry);
    if (note->details)
        g_ptr_array_unref(note->details);
}

GArray *check_notes_new(void)
{
    GArray *notes = g_array_new(FALSE, FALSE, sizeof(struct check_note));
    g_array_set_clear_func(notes, clear_note);
    return notes;
}

/* What a plain "reject" in a list names. */
static struct frame list_frame(const struct restriction_list *list, const struct facts *facts)
{
    struct frame frame = {.list = list};
    switch (list->kind) {
    case LIST_CLIENT:
        frame.subject = frame.own_subject = facts_client_text(facts);
        frame.class = "Client host";
        break;
    case LIST_HELO:
        frame.subject = facts->helo ? facts->helo : "";
        frame.class = "Helo command";
        break;
    case LIST_SENDER:
        frame.subject = facts->sender.text ? facts->sender.text : "";
        frame.class = "Sender address";
        break;
    case LIST_MESSAGE:
        frame.subject = "END-OF-MESSAGE";
        frame.class = "End-of-data";
        break;
    default:
        frame.subject = facts->recipient.text ? facts->recipient.text : "";
        frame.class = "Recipient address";
        break;
    }
    return frame;
}

void evaluation_init(struct evaluation *evaluation, const struct restriction_list *list,
                     const struct check *given)
{
    *evaluation = (struct evaluation){.given = *given, .frames = evaluation->frames};
    if (!evaluation->frames) {
        evaluation->frames = g_array_new(FALSE, FALSE, sizeof(struct frame));
        g_array_set_clear_func(evaluation->frames, clear_frame);
    }
    struct frame frame = list_frame(list, given->facts);
    g_array_append_val(evaluation->frames, frame);
}

void evaluation_clear(struct evaluation *evaluation)
{
    if (evaluation->frames)
        g_array_set_size(evaluation->frames, 0);
    check_errand_clear(&evaluation->errand);
    g_free(evaluation->reply);
    g_free(evaluation->why);
    g_free(evaluation->entry);
    *evaluation = (struct evaluation){.frames = evaluation->frames};
}

void evaluation_free(struct evaluation *evaluation)
{
    evaluation_clear(evaluation);
    g_clear_pointer(&evaluation->frames, g_array_unref);
}

static struct frame *top(struct evaluation *evaluation)
{
    return &g_array_index(evaluation->frames, struct frame, evaluation->frames->len - 1);
}

static enum evaluation_result refuse(struct evaluation *evaluation, const char *check, char *reply,
                                     char *why)
{
    g_free(evaluation->reply);
    g_free(evaluation->why);
    evaluation->reply = reply;
    evaluation->check = check;
    evaluation->why = why;
    return EVALUATION_REFUSE;
}

static void rests_on(struct evaluation *evaluation, const char *entry)
{
    char *copy = g_strdup(entry);
    g_free(evaluation->entry);
    evaluation->entry = copy;
}

/* A refusal: only noted below warn_if_reject, put off where defer_if_reject was said before. */
static enum evaluation_result take_refusal(struct evaluation *evaluation, const char *check,
                                           char *reply, bool warn)
{
    const struct check_effects *effects = evaluation->given.effects;
    if (warn) {
        struct check_note note = {.action = ACTION_WARN,
                                  .check = check,
                                  .text = g_strdup_printf("%s would refuse: %s", check, reply)};
        g_array_append_val(evaluation->given.notes, note);
        g_free(reply);
        return EVALUATION_DUNNO;
    }
    if (effects->defer_if_reject && reply[0] == '5') {
        g_free(reply);
        rests_on(evaluation, effects->defer_if_reject_entry);
        return refuse(evaluation, effects->defer_if_reject_check,
                      g_strdup(effects->defer_if_reject), NULL);
    }
    return refuse(evaluation, check, reply, NULL);
}

/* Takes over what tables gave, a frame for each, the first on top. */
static enum evaluation_result take_more(struct evaluation *evaluation, struct check *check,
                                        const char *name, bool warn)
{
    const struct restriction_classes *classes = top(evaluation)->list->classes;
    bool several = check->more->len > 1;
    for (guint i = check->more->len; i-- > 0;) {
        struct check_more *more = &g_array_index(check->more, struct check_more, i);
        struct restriction_list *list =
            restriction_list_compile_result(more->text, check->list, classes);
        if (!list) {
            access_more_fault(check, more);
            return refuse(evaluation, name, g_strdup(REPLY_TEMPORARY_FAILURE),
                          g_steal_pointer(&check->why));
        }
        if (evaluation->frames->len >= EVALUATION_DEPTH_MAX) {
            restriction_list_free(list);
            return refuse(
                evaluation, name, g_strdup(REPLY_TEMPORARY_FAILURE),
                g_strdup_printf("a table says \"%s\" of \"%s\", which cannot be evaluated",
                                more->text, more->subject ? more->subject : ""));
        }
        struct frame frame = {.list = list,
                              .owned = list,
                              .warn = warn,
                              .one_of_several = several,
                              .pending = i > 0,
                              .never_permits = check->never_permits || several,
                              .permit_reply = check->permit_reply,
                              .name = name,
                              .entry = g_steal_pointer(&more->entry),
                              .subject = more->subject,
                              .own_subject = g_steal_pointer(&more->subject),
                              .class = more->class};
        g_array_append_val(evaluation->frames, frame);
    }
    return EVALUATION_DUNNO;
}

/* A permit ends the list, unless it came out of something that may not permit: then that alone
 * ends, and the evaluation goes on behind it. */
static enum evaluation_result take_permit(struct evaluation *evaluation, const struct check *check,
                                          const char *name)
{
    static const char why[] = "a table permits where it may not; DUNNO makes an exception";
    if (check->never_permits && check->permit_reply)
        return refuse(evaluation, name, g_strdup(check->permit_reply), g_strdup(why));
    if (check->never_permits)
        return EVALUATION_DUNNO;
    guint ends = evaluation->frames->len;
    for (guint i = 0; i < evaluation->frames->len; i++) {
        const struct frame frame = g_array_index(evaluation->frames, struct frame, i);
        bool outermost = ends == evaluation->frames->len;
        if (frame.pending || !frame.never_permits || !(outermost || frame.one_of_several))
            continue;
        if (frame.permit_reply)
            return refuse(evaluation, frame.name, g_strdup(frame.permit_reply), g_strdup(why));
        ends = i;
    }
    if (ends == evaluation->frames->len)
        return EVALUATION_PERMIT;
    g_array_set_size(evaluation->frames, ends);
    return EVALUATION_DUNNO;
}

/* Whose word a hold or deferral was, the first time it is said. */
static void remember_one(const char *said, const char *name, const char *entry,
                         const char **check_r, char **entry_r)
{
    if (!said || *check_r)
        return;
    *check_r = name;
    *entry_r = g_strdup(entry);
}

/* The same for all that the item said, and for its notes, which begin at FIRST_NOTE. */
static void remember_author(struct evaluation *evaluation, const char *name, const char *entry,
                            guint first_note)
{
    struct check_effects *effects = evaluation->given.effects;
    GArray *notes = evaluation->given.notes;
    remember_one(effects->hold, name, entry, &effects->hold_check, &effects->hold_entry);
    remember_one(effects->defer_if_permit, name, entry, &effects->defer_if_permit_check,
                 &effects->defer_if_permit_entry);
    remember_one(effects->defer_if_reject, name, entry, &effects->defer_if_reject_check,
                 &effects->defer_if_reject_entry);
    for (guint i = first_note; notes && entry && i < notes->len; i++) {
        struct check_note *note = &g_array_index(notes, struct check_note, i);
        if (!note->entry)
            note->entry = g_strdup(entry);
    }
}

/* What ITEM of the list of FRAME is asked with. */
static struct check item_check(const struct evaluation *evaluation, const struct frame *frame,
                               const struct restriction_item *item, struct check_errand *errand)
{
    struct check check = evaluation->given;
    check.name = item->row->name;
    check.argument = &item->argument;
    check.errand = errand;
    check.list = frame->list->kind;
    check.subject = frame->subject;
    check.subject_class = frame->class;
    check.warn_only = frame->warn || item->warn_if_reject;
    return check;
}

/* While one item waits, those behind it ask what they can: the list waits once, not once for each.
 */
static void ask_ahead(const struct evaluation *evaluation, struct frame *frame)
{
    if (frame->ahead)
        return;
    frame->ahead = g_array_new(FALSE, TRUE, sizeof(struct check_errand));
    g_array_set_clear_func(frame->ahead, clear_errand);
    g_array_set_size(frame->ahead, frame->list->items->len);
    const struct restriction_item *item;
    for (unsigned i = frame->next + 1; (item = restriction_list_item(frame->list, i)); i++) {
        struct check_errand *errand = &g_array_index(frame->ahead, struct check_errand, i);
        struct check check = item_check(evaluation, frame, item, errand);
        if (item->row->ask_ahead)
            item->row->ask_ahead(&check);
    }
}

/* Runs the item whose turn it is; what it says may be put off, noted, or end the list. */
static enum evaluation_result run_item(struct evaluation *evaluation)
{
    struct frame *frame = top(evaluation);
    const struct restriction_item *item = restriction_list_item(frame->list, frame->next);
    if (frame->ahead && !evaluation->errand.data) {
        struct check_errand *asked = &g_array_index(frame->ahead, struct check_errand, frame->next);
        evaluation->errand = *asked;
        *asked = (struct check_errand){0};
    }
    struct check check = item_check(evaluation, frame, item, &evaluation->errand);
    const char *name = check.name;
    bool warn = check.warn_only;
    guint first_note = check.notes ? check.notes->len : 0;
    g_autofree char *inherited = g_strdup(frame->entry);
    enum check_result result = check.oracle
                                   ? check.oracle->say(check.oracle->data, &check, item->row)
                                   : item->row->run(&check);
    if (result == CHECK_WAIT) {
        ask_ahead(evaluation, frame);
        evaluation->waits_for = check.waits_for;
        g_free(check.entry);
        return EVALUATION_WAIT;
    }
    check_errand_clear(&evaluation->errand);
    if (item->row->asks & (ASKS_STORE | ASKS_GUARD | ASKS_RULES))
        check_effects_asked(evaluation->given.effects, name,
                            item->argument.limit ? item->argument.limit->name : NULL, result,
                            result == CHECK_REFUSE ? check.reply : NULL);
    frame->next++;
    if (!check.entry)
        check.entry = g_steal_pointer(&inherited);
    rests_on(evaluation, check.entry);
    enum evaluation_result outcome = EVALUATION_DUNNO;
    switch (result) {
    case CHECK_PERMIT:
        outcome = take_permit(evaluation, &check, name);
        if (outcome == EVALUATION_PERMIT)
            evaluation->check = name;
        break;
    case CHECK_REFUSE:
        outcome = take_refusal(evaluation, name, g_steal_pointer(&check.reply), warn);
        break;
    case CHECK_CANNOT_TELL:
        outcome = refuse(evaluation, name, g_strdup(REPLY_TEMPORARY_FAILURE),
                         g_steal_pointer(&check.why));
        break;
    case CHECK_MORE:
        outcome = take_more(evaluation, &check, name, warn);
        break;
    default:
        break;
    }
    remember_author(evaluation, name, evaluation->entry, first_note);
    g_free(check.entry);
    g_free(check.reply);
    g_free(check.why);
    g_clear_pointer(&check.more, g_array_unref);
    return outcome;
}

enum evaluation_result evaluation_run(struct evaluation *evaluation)
{
    while (evaluation->frames->len > 0) {
        struct frame *frame = top(evaluation);
        if (!restriction_list_item(frame->list, frame->next)) {
            g_array_set_size(evaluation->frames, evaluation->frames->len - 1);
            continue;
        }
        frame->pending = false;
        enum evaluation_result result = run_item(evaluation);
        if (result != EVALUATION_DUNNO)
            return result;
        /* Both deferrals together decide already: whatever comes, the answer is 4xx. */
        if (evaluation->given.effects->defer_if_permit &&
            evaluation->given.effects->defer_if_reject)
            return EVALUATION_DUNNO;
    }
    return EVALUATION_DUNNO;
}
