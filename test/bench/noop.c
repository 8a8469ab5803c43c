/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A filter that does nothing, to compare real ones with: what it costs is libmilter's and the
 * MTA's share. `noop SOCKET` answers every callback and takes the whole body; `noop -n SOCKET`
 * negotiates away every reply that libmilter lets it, and the body.
 */
#include <libmilter/mfapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sysexits.h>
#include <unistd.h>

static int no_replies;
static char name[] = "noop", no_macros[] = "";

#define NO_REPLIES                                                                                 \
    (SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NR_RCPT | SMFIP_NR_DATA |               \
     SMFIP_NR_UNKN | SMFIP_NR_HDR | SMFIP_NR_EOH | SMFIP_NR_BODY | SMFIP_NOBODY)

static sfsistat answer(void)
{
    return no_replies ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

static sfsistat on_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps,
                             unsigned long unused2, unsigned long unused3, unsigned long *actions_r,
                             unsigned long *steps_r, unsigned long *unused2_r,
                             unsigned long *unused3_r)
{
    (void)unused2, (void)unused3;
    *actions_r = 0;
    /* as gatepost: no packet of macros before each field */
    if (no_replies && (actions & SMFIF_SETSYMLIST)) {
        *actions_r = SMFIF_SETSYMLIST;
        smfi_setsymlist(ctx, SMFIM_EOH, no_macros);
    }
    *steps_r = no_replies ? steps & NO_REPLIES : 0;
    *unused2_r = *unused3_r = 0;
    return SMFIS_CONTINUE;
}

static sfsistat on_connect(SMFICTX *ctx, char *host, _SOCK_ADDR *address)
{
    (void)ctx, (void)host, (void)address;
    return answer();
}

static sfsistat on_helo(SMFICTX *ctx, char *host)
{
    (void)ctx, (void)host;
    return answer();
}

static sfsistat on_mail(SMFICTX *ctx, char **arguments)
{
    (void)ctx, (void)arguments;
    return answer();
}

static sfsistat on_rcpt(SMFICTX *ctx, char **arguments)
{
    (void)ctx, (void)arguments;
    return answer();
}

static sfsistat on_data(SMFICTX *ctx)
{
    (void)ctx;
    return answer();
}

static sfsistat on_unknown(SMFICTX *ctx, const char *command)
{
    (void)ctx, (void)command;
    return answer();
}

static sfsistat on_header(SMFICTX *ctx, char *header, char *value)
{
    (void)ctx, (void)header, (void)value;
    return answer();
}

static sfsistat on_eoh(SMFICTX *ctx)
{
    (void)ctx;
    return answer();
}

static sfsistat on_body(SMFICTX *ctx, unsigned char *chunk, size_t length)
{
    (void)ctx, (void)chunk, (void)length;
    return answer();
}

static sfsistat on_eom(SMFICTX *ctx)
{
    (void)ctx;
    return SMFIS_CONTINUE;
}

static sfsistat on_abort(SMFICTX *ctx)
{
    (void)ctx;
    return SMFIS_CONTINUE;
}

int main(int argc, char **argv)
{
    struct smfiDesc filter = {
        .xxfi_name = name,
        .xxfi_version = SMFI_VERSION,
        .xxfi_connect = on_connect,
        .xxfi_helo = on_helo,
        .xxfi_envfrom = on_mail,
        .xxfi_envrcpt = on_rcpt,
        .xxfi_header = on_header,
        .xxfi_eoh = on_eoh,
        .xxfi_body = on_body,
        .xxfi_eom = on_eom,
        .xxfi_abort = on_abort,
        .xxfi_close = on_abort,
        .xxfi_unknown = on_unknown,
        .xxfi_data = on_data,
        .xxfi_negotiate = on_negotiate,
    };

    no_replies = argc == 3 && strcmp(argv[1], "-n") == 0;
    if (argc != 2 && !no_replies) {
        fputs("usage: noop [-n] SOCKET\n", stderr);
        return EX_USAGE;
    }
    if (smfi_register(filter) != MI_SUCCESS || smfi_setconn(argv[argc - 1]) != MI_SUCCESS ||
        smfi_opensocket(1) != MI_SUCCESS) {
        fprintf(stderr, "noop: cannot listen on %s\n", argv[argc - 1]);
        return EX_UNAVAILABLE;
    }
    return smfi_main() == MI_SUCCESS ? EX_OK : EX_SOFTWARE;
}
