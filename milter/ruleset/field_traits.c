/* SPDX-License-Identifier: BSD-2-Clause */
#include "field_traits.h"

struct field_traits {
    const GArray *sources;
    const struct ruleset_message *message;
    const struct traits *traits;
    struct work *work;
    struct script_counts **scripts; /* [place]; NULL: not counted yet */
    struct charset_scan **charsets; /* [place]; NULL: not looked at yet */
};

struct field_traits *field_traits_new(const GArray *sources, const struct ruleset_message *message,
                                      const struct traits *traits, struct work *work)
{
    struct field_traits *fields = g_new(struct field_traits, 1);
    *fields = (struct field_traits){.sources = sources,
                                    .message = message,
                                    .traits = traits,
                                    .work = work,
                                    .scripts = g_new0(struct script_counts *, sources->len),
                                    .charsets = g_new0(struct charset_scan *, sources->len)};
    return fields;
}

void field_traits_free(struct field_traits *fields)
{
    for (guint i = 0; i < fields->sources->len; i++) {
        g_free(fields->scripts[i]);
        if (fields->charsets[i])
            charset_scan_clear(fields->charsets[i]);
        g_free(fields->charsets[i]);
    }
    g_free(fields->scripts);
    g_free(fields->charsets);
    g_free(fields);
}

/* The source at PLACE; NULL: there is no work left for it. */
static const struct source *take_source(struct field_traits *fields, unsigned place)
{
    const struct source *source = &g_array_index(fields->sources, struct source, place);
    return work_take(fields->work, source_size(source, fields->message) * WORK_GATHER) ? source
                                                                                       : NULL;
}

const struct script_counts *field_traits_scripts(struct field_traits *fields, unsigned place)
{
    const struct source *source;
    if (fields->scripts[place] || !(source = take_source(fields, place)))
        return fields->scripts[place];
    struct ruleset_message message = *fields->message;
    g_autoptr(GString) text = g_string_new(NULL);
    if (fields->traits->readable)
        message.headers = fields->traits->readable;
    fields->scripts[place] = g_new0(struct script_counts, 1);
    if (source_text(source, &message, text))
        script_count(text->str, text->len, fields->scripts[place]);
    return fields->scripts[place];
}

const struct charset_scan *field_traits_charsets(struct field_traits *fields, unsigned place)
{
    const struct source *source;
    if (fields->charsets[place] || !(source = take_source(fields, place)))
        return fields->charsets[place];
    fields->charsets[place] = g_new(struct charset_scan, 1);
    charset_scan_init(fields->charsets[place]);
    charset_scan_source(source, fields->message, fields->charsets[place]);
    return fields->charsets[place];
}
