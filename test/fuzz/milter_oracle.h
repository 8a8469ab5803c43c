/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A bystander of the milter protocol who knows what was agreed on: exactly one final answer to each
 * command whose answer is due, in order, and none to the others. What does not hold aborts.
 */
#ifndef MILTER_ORACLE_H
#define MILTER_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct milter_oracle {
    bool postfix, agreed; /* {v} said so at CONNECT; there was a negotiation */
    uint32_t offered_steps, offered_actions, steps, actions;
    char asked; /* the command whose answer is due; 0: none is */
    bool closed;
};

/* The MTA said a packet. */
void milter_oracle_said(struct milter_oracle *oracle, char letter, const unsigned char *data,
                        size_t length);

/* The filter said LENGTH bytes, whole packets. */
void milter_oracle_heard(struct milter_oracle *oracle, const unsigned char *bytes, size_t length);

/* Nothing more will be said until the MTA speaks: no answer is due. */
void milter_oracle_settled(const struct milter_oracle *oracle);

#endif
