/* SPDX-License-Identifier: BSD-2-Clause
 *
 * SVG by hand: lengths are units of the viewBox, which the page scales.
 */
#include "report/chart.h"

#include <stdio.h>
#include <string.h>

enum {
    WIDTH = 720,
    HEIGHT = 260,
    LEFT = 48, /* room for the numbers of the axis, at least */
    DIGIT = 7,
    RIGHT = 130, /* for the legend */
    TOP = 30,    /* for the title */
    BOTTOM = 36, /* for labels */
    LABEL_WIDTH = 64,
    MARGIN = 20, /* of a bare plot, instead of legend and title: half a label */
    CELL = 9,
};

void chart_text(GString *out, const char *text)
{
    g_autofree char *valid = text ? g_utf8_make_valid(text, -1) : NULL;
    for (const char *p = valid; p && *p; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);
        if (c == '<')
            g_string_append(out, "&lt;");
        else if (c == '>')
            g_string_append(out, "&gt;");
        else if (c == '&')
            g_string_append(out, "&amp;");
        else if (c == '"')
            g_string_append(out, "&quot;");
        else if (c == '\'')
            g_string_append(out, "&#39;");
        else if (!g_unichar_isprint(c) && c != ' ' && c != '\n')
            g_string_append(out, "\xef\xbf\xbd");
        else
            g_string_append_unichar(out, c);
    }
}

char *chart_number(double number)
{
    g_autofree char *digits = g_strdup_printf("%.0f", number);
    size_t length = strlen(digits);
    GString *text = g_string_new(NULL);
    for (size_t i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            g_string_append(text, "\xe2\x80\xaf");
        g_string_append_c(text, digits[i]);
    }
    return g_string_free(text, FALSE);
}

/* A number with a point in every locale. */
static void put_number(GString *out, const char *name, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    g_string_append_printf(out, " %s=\"%s\"", name,
                           g_ascii_formatd(text, sizeof text, "%.1f", value));
}

static void put_label(GString *out, double x, double y, const char *anchor, const char *text)
{
    g_string_append(out, "<text");
    put_number(out, "x", x);
    put_number(out, "y", y);
    g_string_append_printf(out, " text-anchor=\"%s\" font-size=\"11\" fill=\"currentColor\">",
                           anchor);
    chart_text(out, text);
    g_string_append(out, "</text>");
}

static void put_rectangle(GString *out, double x, double y, double width, double height,
                          const char *colour, const char *title)
{
    g_string_append(out, "<rect");
    put_number(out, "x", x);
    put_number(out, "y", y);
    put_number(out, "width", width);
    put_number(out, "height", height);
    g_string_append_printf(out, " fill=\"%s\"><title>", colour);
    chart_text(out, title);
    g_string_append(out, "</title></rect>");
}

static double sum_of(const struct chart *chart, size_t column)
{
    double sum = 0;
    for (size_t i = 0; i < chart->series_count; i++)
        sum += chart->series[i].values[column];
    return sum;
}

/* The end of the axis, at least what the columns need. What is drawn is counted: its quarters,
 * where the lines are, are whole numbers. */
static double axis_end(const struct chart *chart)
{
    static const double steps[] = {4, 8, 12, 20};
    double most = 1, power = 1;
    for (size_t i = 0; i < chart->count; i++)
        most = MAX(most, sum_of(chart, i));
    for (;; power *= 10)
        for (size_t i = 0; i < G_N_ELEMENTS(steps); i++)
            if (steps[i] * power >= most)
                return steps[i] * power;
}

/* Where the columns are. */
struct frame {
    int width, left, right, top;
};

/* END: of the axis, whose number must have room. */
static struct frame frame_of(const struct chart *chart, double end)
{
    int width = chart->width ? (int)chart->width : WIDTH;
    g_autofree char *number = chart_number(end);
    int room = DIGIT * (int)g_utf8_strlen(number, -1) + 8;
    return (struct frame){width, MAX(LEFT, room), width - (chart->bare ? MARGIN : RIGHT),
                          chart->bare ? MARGIN : TOP};
}

static void put_axis(GString *out, const struct chart *chart, double end)
{
    struct frame frame = frame_of(chart, end);
    for (unsigned i = 0; i <= 4; i++) {
        double y = HEIGHT - BOTTOM - (HEIGHT - frame.top - BOTTOM) * i / 4.0;
        g_autofree char *number = chart_number(end * i / 4);
        g_autofree char *label = g_strconcat(number, chart->shares ? " %" : "", NULL);
        put_label(out, frame.left - 6, y + 4, "end", label);
        g_string_append(out, "<line");
        put_number(out, "x1", frame.left);
        put_number(out, "x2", frame.right);
        put_number(out, "y1", y);
        put_number(out, "y2", y);
        g_string_append(out, " stroke=\"currentColor\" stroke-opacity=\"0.25\"/>");
    }
}

static void put_column(GString *out, const struct chart *chart, size_t column, double end)
{
    struct frame frame = frame_of(chart, end);
    double step = (double)(frame.right - frame.left) / (double)chart->count;
    double x = frame.left + step * (double)column, y = HEIGHT - BOTTOM, sum = sum_of(chart, column);
    for (size_t i = 0; i < chart->series_count && sum > 0; i++) {
        double value = chart->series[i].values[column];
        double part = chart->shares ? value / sum : value / end;
        double height = (HEIGHT - frame.top - BOTTOM) * part;
        if (value <= 0)
            continue;
        g_autofree char *number = chart_number(value);
        g_autofree char *title =
            g_strdup_printf("%s, %s: %s", chart->labels[column], chart->series[i].name, number);
        y -= height;
        put_rectangle(out, x + step * 0.08, y, step * 0.84, height, chart->series[i].colour, title);
    }
}

void chart_columns(GString *out, const struct chart *chart)
{
    double end = chart->shares ? 100 : axis_end(chart);
    struct frame frame = frame_of(chart, end);
    if (chart->count == 0)
        return;
    g_string_append_printf(
        out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" width=\"%d\" class=\"chart\"><title>",
        frame.width, HEIGHT, frame.width);
    chart_text(out, chart->title);
    g_string_append(out, "</title>");
    if (!chart->bare)
        put_label(out, frame.left, 16, "start", chart->title);
    put_axis(out, chart, end);
    /* as many labels as there is room for, the last one among them */
    size_t room = (size_t)(frame.right - frame.left) / LABEL_WIDTH;
    size_t every = (chart->count + room - 1) / room;
    for (size_t i = 0; i < chart->count; i++) {
        double step = (double)(frame.right - frame.left) / (double)chart->count;
        put_column(out, chart, i, end);
        if ((chart->count - 1 - i) % every == 0)
            put_label(out, frame.left + step * ((double)i + 0.5), HEIGHT - BOTTOM + 18, "middle",
                      chart->labels[i]);
    }
    if (chart->series_count > 1 && !chart->bare) {
        for (size_t i = 0; i < chart->series_count; i++) {
            double y = TOP + 18.0 * (double)(chart->series_count - 1 - i);
            put_rectangle(out, WIDTH - RIGHT + 12, y, 12, 12, chart->series[i].colour,
                          chart->series[i].name);
            put_label(out, WIDTH - RIGHT + 30, y + 10, "start", chart->series[i].name);
        }
    }
    g_string_append(out, "</svg>\n");
}

void chart_strip(GString *out, const struct chart_cell *cells, size_t count)
{
    if (count == 0)
        return;
    g_string_append_printf(out,
                           "<svg viewBox=\"0 0 %zu 18\" width=\"%zu\" height=\"18\" "
                           "role=\"img\">",
                           count * CELL, count * CELL);
    for (size_t i = 0; i < count; i++)
        put_rectangle(out, (double)(i * CELL), 2, CELL - 1, 14, cells[i].colour, cells[i].words);
    g_string_append(out, "</svg>");
}
