/* SPDX-License-Identifier: BSD-2-Clause
 *
 * DNS lists: the sets of configured lists, their health, lookups in them.
 */
#ifndef DNS_DNSBL_H
#define DNS_DNSBL_H

#include "dns/dnsbl_filter.h"
#include "dns/dnsbl_key.h"
#include "dns/dnsbl_lookup.h"
#include "dns/dnsbl_set.h"
#include "dns/dnsbl_state.h"

#endif
