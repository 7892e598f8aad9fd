/* advice.c - see advice.h. */
#include "inspect/advice.h"

#include <stdio.h>

#include "inspect/findings.h"

static void put_verdict(const struct findings *all, struct report *report)
{
    char text[400];
    uint64_t active = numbers_active_bytes(all->numbers), free_bytes = numbers_free_bytes(all->numbers);
    unsigned percent = all->held_bytes ? (unsigned)(active * 100 / all->held_bytes) : 0;
    snprintf(text, sizeof text,
             "malloc has %s from the system: the program uses %s (%u %%), %s are free in malloc's hands.",
             human_bytes(all->held_bytes).text, human_bytes(active).text, percent,
             human_bytes(free_bytes).text);
    report_key(report, "verdict", NULL);
    report_text(report, text);
    report_line(report, "%s", text);
}

/* Words into lines of a terminal. */
static void put_wrapped(struct report *report, const char *first, const char *text)
{
    const char *indent = "              ";
    while (*text) {
        size_t length = 0, last = 0;
        for (; text[length] && length <= 80; length++)
            if (text[length] == ' ')
                last = length;
        size_t end = text[length] && last ? last : length;
        report_line(report, "%-13s %.*s", first, (int)end, text);
        text += end;
        while (*text == ' ')
            text++;
        first = indent + 1;
    }
}

void advice_put(const struct snapshot *snapshot, struct report *report)
{
    static const struct report_column COLUMNS[] = {{"code", NULL, 0, false},
                                                   {"bytes", NULL, 0, false},
                                                   {"text", NULL, 0, false},
                                                   {"remedy", NULL, 0, false}};
    struct findings all;
    findings_make(snapshot, &all);
    put_verdict(&all, report);
    report_table(report, "findings", COLUMNS, 4);
    for (unsigned i = 0; i < all.count; i++) {
        const struct finding *finding = &all.rows[i];
        if (report->format == REPORT_TEXT) {
            report_line(report, "%s", "");
            put_wrapped(report, finding->bytes ? human_bytes(finding->bytes).text : "-", finding->text);
            put_wrapped(report, "", finding->remedy);
            continue;
        }
        report_text(report, finding->code);
        report_bytes(report, finding->bytes);
        report_text(report, finding->text);
        report_text(report, finding->remedy[0] ? finding->remedy : NULL);
    }
    report_table_end(report);
}
