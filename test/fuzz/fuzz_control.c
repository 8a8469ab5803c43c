/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The control socket, both sides of it: any bytes for a request, any bytes for an answer. What the
 * server answers the client reads as it was meant.
 */
#include <stdint.h>

#include "../../milter/control/control_client.c"
#include "../../milter/control/server.c"

static int run_echo(void *data, const char *const *words, GString *out)
{
    (void)data;
    for (; *words; words++)
        g_string_append_printf(out, "[%s]\n", *words);
    return out->len % 256;
}

static const struct control_command commands[] = {{.name = "echo", .run = run_echo},
                                                  {.name = NULL}};

static void check_request(const char *data, size_t size)
{
    struct control_server server = {.commands = commands};
    struct client client = {.in = g_string_new_len(data, (gssize)size)};
    look_at_request(&server, &client);
    g_assert((client.out == NULL) == (!memchr(data, '\n', size) && size < CONTROL_REQUEST_MAX));
    if (client.out) {
        int status = -1;
        g_autoptr(GString) text = g_string_new(NULL);
        g_assert(take_apart(client.out, &status, text));
        g_assert(status >= 0 && status <= 255 && g_utf8_validate(text->str, -1, NULL));
        g_string_free(client.out, TRUE);
    }
    g_string_free(client.in, TRUE);
}

static void check_answer(const char *data, size_t size)
{
    int status = -1;
    g_autoptr(GString) answer = g_string_new_len(data, (gssize)size);
    g_autoptr(GString) text = g_string_new(NULL);
    if (take_apart(answer, &status, text))
        g_assert(status >= 0 && status <= 255 && text->len < size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *copy = g_malloc(size + 1);
    memcpy(copy, data, size);
    check_request(copy, size);
    check_answer(copy, size);
    return 0;
}
