/* symbols.c - symbols of all modules by name. */
#include <stdio.h>
#include <string.h>

#include "inspect/kinds.h"
#include "inspect/modules.h"

static const struct report_column COLUMNS[] = {
    {"address", "ADDRESS", 18, true}, {"size_bytes", "SIZE", 10, true}, {"type", "TYPE", 12, false},
    {"name", "NAME", 40, false},      {"object", "OBJECT", 0, false},
};

struct finder {
    const struct inspection *inspection;
    struct report *report;
    struct symbol_question question;
    const struct elf_image *image;
    uint64_t left, found, unknown; /* modules without symbols that could be read */
    enum status status;
    struct error *err;
    bool is_limited;
};

static bool take_symbol(void *context, const struct symbol_finding *finding)
{
    struct finder *finder = context;
    if (finder->left == 0) {
        finder->is_limited = true;
        return false;
    }
    bool is_tls = strcmp(finding->type, "thread_local") == 0;
    if (is_tls) /* its value is an offset in each thread's block */
        report_none(finder->report);
    else
        report_address(finder->report, finder->image->bias + finding->value);
    report_bytes(finder->report, finding->size_bytes);
    report_text(finder->report, finding->type);
    report_text(finder->report, finding->name);
    report_text(finder->report, finder->image->mapping->name);
    finder->left--;
    finder->found++;
    return true;
}

static bool search_module(void *context, const struct elf_image *image)
{
    struct finder *finder = context;
    finder->image = image;
    finder->question.limit = (uint32_t)finder->left + 1;
    enum status status =
        modules_lookup(finder->inspection, image, &finder->question, take_symbol, finder, NULL);
    finder->unknown += status != STATUS_OK;
    finder->status = inspect_go_on(finder->inspection, finder->report, 0, 0, finder->err);
    return finder->status == STATUS_OK && !finder->is_limited;
}

enum status inspect_symbols(const struct inspection *inspection, const struct inspection_question *question,
                            struct report *report, struct error *err)
{
    scoped_maps struct maps maps = {0};
    enum status status = target_maps(inspection->target, &maps, err);
    if (status != STATUS_OK)
        return status;
    struct finder finder = {.inspection = inspection,
                            .report = report,
                            .question = {.kind = SYMBOL_BY_NAME, .is_exact = question->is_exact},
                            .left = question->limit ? question->limit : INSPECTION_LIMIT_DEFAULT,
                            .err = err};
    if (finder.left >= INSPECTION_LIMIT_MAX)
        finder.left = INSPECTION_LIMIT_MAX - 1;
    snprintf(finder.question.text, sizeof finder.question.text, "%s", question->text);
    inspect_head(inspection, report);
    report_table(report, "symbols", COLUMNS, sizeof COLUMNS / sizeof *COLUMNS);
    uint64_t unread = modules_each(inspection, &maps, search_module, &finder);
    finder.unknown += unread;
    if (finder.status != STATUS_OK)
        return finder.status;
    report_table_end(report);
    report_key(report, "found", NULL);
    report_count(report, finder.found);
    report_key(report, "limited", NULL);
    report_bool(report, finder.is_limited);
    report_key(report, "objects_without_symbols", finder.unknown ? "objects without symbols" : NULL);
    report_count(report, finder.unknown);
    report_line(report, "%llu found%s", (unsigned long long)finder.found,
                finder.is_limited ? ", and there are more: raise --limit" : "");
    return STATUS_OK;
}
