/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Plots as SVG for a page of HTML: no script, nothing from elsewhere, text in the page's colour and
 * so readable on light and dark, a title on each mark for who cannot tell colours apart.
 *
 * Threads: all functions are pure but for OUT.
 */
#ifndef REPORT_CHART_H
#define REPORT_CHART_H

#include <glib.h>
#include <stdbool.h>

/* Text of a stranger for HTML and SVG, in an element or an attribute with double quotes; what is
 * not UTF-8, and control characters, become U+FFFD. NULL is nothing. */
void chart_text(GString *out, const char *text);

/* "1 234 567", with narrow spaces that do not break. The caller frees it. */
char *chart_number(double number);

/* What is stacked in each column, from below. */
struct chart_series {
    const char *name;
    const char *colour;   /* "#1b7837" */
    const double *values; /* one for each label; not negative */
};

struct chart {
    const char *title;
    const char *const *labels; /* of the columns */
    size_t count;
    const struct chart_series *series;
    size_t series_count;
    unsigned width; /* in units of text 11 high; 0: 720 */
    bool bare;      /* without legend, and the title for readers alone: the page has them */
    bool shares;    /* columns are as high as the plot, and show parts of 100 % */
};

/* Stacked columns with an axis and, for more than one series, a legend. Nothing for no columns. */
void chart_columns(GString *out, const struct chart *chart);

/* A moment of a strip. */
struct chart_cell {
    const char *colour;
    const char *words; /* its title */
};

/* A line of cells, the latest at the right: a history in the height of a line of text. */
void chart_strip(GString *out, const struct chart_cell *cells, size_t count);

#endif
