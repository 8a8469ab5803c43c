/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What setup knows of a Postfix.
 */
#ifndef SETUP_POSTFIXFACTS_H
#define SETUP_POSTFIXFACTS_H

#include "postconf.h"
#include "task.h"

struct postfix_setup {
    struct setup_task *task;
    const struct postconf *postconf; /* NULL: there is no Postfix to ask */
    const char *folder;              /* for the text */
    const char *command;             /* "postconf", with -c if it must be told the folder */
    const char *path;                /* of gatepost's socket if that is a Unix socket, else NULL */
    unsigned any_port; /* gatepost listens on every address, at this port; 0: it does not */
    char *milter;      /* gatepost's socket in Postfix's words */
};

/* A parameter; "" without a Postfix. */
const char *postfix_get(const struct postfix_setup *setup, const char *name);

/* Whether a parameter that is yes or no is yes: Postfix does not mind the case. */
bool postfix_is_yes(const char *value);

/* Whether a list of Postfix's has WORD. */
bool postfix_has_word(const char *list, const char *word);

/* A milter of a list: its socket, and what braces say behind it, name -> value (NULL: no braces).
 * postfix_milter_clear frees both. */
struct postfix_milter {
    char *socket;
    GHashTable *options;
};
void postfix_milter_init(struct postfix_milter *milter, const char *word);
void postfix_milter_clear(struct postfix_milter *milter);

/* Whether a milter's socket is gatepost's. */
bool postfix_is_gatepost(const struct postfix_setup *setup, const char *socket);

/* The place of gatepost in a list of milters, from 1; 0: it is left out. */
unsigned postfix_place(const struct postfix_setup *setup, const char *list);

/* The list with gatepost at its beginning; the caller frees it. */
char *postfix_merge(const struct postfix_setup *setup, const char *list);

/* How much of what a service of Postfix's takes in is shown to gatepost. */
enum postfix_shown {
    POSTFIX_SHOWN,       /* smtpd_milters, in main.cf or its own list with gatepost in it */
    POSTFIX_OTHERS_ONLY, /* it has a list of its own, without gatepost */
    POSTFIX_NONE,        /* it has an empty list of its own, or no_milters */
    POSTFIX_NO_SMTPD,    /* it takes no mail by SMTP */
};
enum postfix_shown postfix_shown(const struct postfix_setup *setup,
                                 const struct postconf_service *service);

/* Whether a service that shows milters something has that {daemon_name}. */
bool postfix_is_called(const struct postfix_setup *setup, const char *name);

/* Whether WORD, as gatepost.conf has it ("NAME" or ":PORT"), stands for a service. */
bool postfix_is_listener(const struct postfix_setup *setup, const struct postconf_service *service,
                         const char *word);

/* The section of gatepost.conf for what a service takes in, as the daemon chooses it: one that
 * names the listener before one that names its port. NULL: none. */
const struct section *postfix_section(const struct postfix_setup *setup,
                                      const struct postconf_service *service);

/* Whether only this machine reaches the service: there mail comes back from content filters. */
bool postfix_is_inner(const struct postconf_service *service);

/* A name for a service that has none: its own, without an address. The caller frees it. */
char *postfix_name_for(const struct postconf_service *service);

/* Whether gatepost can read a table of Postfix's, by its type (postfixsite.c). */
bool postfix_can_read(const char *table);

/* Prints, as remarks, the restriction lists of main.cf and master.cf as gatepost.conf could have
 * them, and which of their words must stay there (postfixlists.c). */
void postfixlists_print(const struct postfix_setup *setup);

/* Prints the lines for gatepost.conf, or, when it is to be checked, tells where that falls short of
 * them (postfixsite.c). */
void postfixsite(const struct postfix_setup *setup);

/* The same for what single services say of their own (owners of addresses, realms, when they
 * refuse): the lines begin sections, so that nothing may follow them that is meant for all
 * (postfixsite.c). */
void postfixservices(const struct postfix_setup *setup);

/* Looks at what is there (postfixlook.c). */
void postfixlook(struct postfix_setup *setup);

/* Prints a comment among the lines to add: text of strangers' is escaped. */
void postfix_print_remark(const char *format, ...) G_GNUC_PRINTF(1, 2);

#endif
