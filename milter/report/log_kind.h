/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Kinds of lines, as the journal tells them apart: each has a MESSAGE_ID, and an entry in
 * packaging/systemd/gatepost.catalog that says what it means and what to do (journalctl -x). An id
 * is never changed and never used for anything else.
 *
 * Threads: constant data.
 */
#ifndef REPORT_LOG_KIND_H
#define REPORT_LOG_KIND_H

#include "policy/engine.h"
#include "report/log.h"

/* 32 hexadecimal digits; static. */
const char *log_kind_message_id(enum log_kind kind);

/* The kind of a line about an event, and of a line without one. */
enum log_kind log_kind_of_action(enum action action);
enum log_kind log_kind_of_level(enum engine_level level);

/* How loud it is. */
enum engine_level log_kind_level(enum log_kind kind);

#endif
