/* page.c - the status page: groups and their processes, each heap as a bar of its states. */
#include <string.h>

#include "base/clock.h"
#include "roles/front/http/access.h"
#include "roles/front/http/handlers.h"

static const char page_head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
    "<title>malloc_exporter</title><style>"
    ":root{color-scheme:light dark;--line:#8884;--dim:#8a8f98}"
    "body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}"
    "h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .4rem}"
    "a{color:#3b82f6;text-decoration:none}a:hover{text-decoration:underline}"
    "nav a,.links a{margin-right:1rem}.dim{color:var(--dim)}"
    ".p{border-top:1px solid var(--line);padding:.7rem 0}"
    ".row{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;align-items:baseline}.row b{min-width:11rem}"
    "svg{display:block;width:100%;height:18px;border-radius:4px;margin:.35rem 0;background:var(--line)}"
    ".fail{color:#dc2626}.key{margin:1rem 0}.key span{margin-right:1rem;white-space:nowrap}"
    ".key i{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.35em}"
    ".in_use{background:#2563eb;fill:#2563eb}.mmapped{background:#7c3aed;fill:#7c3aed}"
    ".tcache{background:#f59e0b;fill:#f59e0b}.fastbin{background:#f97316;fill:#f97316}"
    ".unsorted{background:#ef4444;fill:#ef4444}.small{background:#10b981;fill:#10b981}"
    ".large{background:#14b8a6;fill:#14b8a6}.top{background:#94a3b8;fill:#94a3b8}"
    "</style></head><body><h1>malloc_exporter</h1>";

static void html(struct buffer *body, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '<':
            buffer_text(body, "&lt;");
            break;
        case '>':
            buffer_text(body, "&gt;");
            break;
        case '&':
            buffer_text(body, "&amp;");
            break;
        case '"':
            buffer_text(body, "&quot;");
            break;
        case '\'':
            buffer_text(body, "&#39;");
            break;
        default:
            buffer_append(body, text, 1);
        }
    }
}

static void human(struct buffer *body, uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes;
    unsigned unit = 0;
    for (; value >= 1024 && unit < 6; unit++)
        value /= 1024;
    buffer_printf(body, unit && value < 100 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

/* Bytes of each state side by side; the order puts what is used first. */
static void bar(struct buffer *body, const struct scan_numbers *numbers)
{
    static const enum chunk_state order[] = {CHUNK_IN_USE,   CHUNK_MMAPPED, CHUNK_TCACHE, CHUNK_FASTBIN,
                                             CHUNK_UNSORTED, CHUNK_SMALL,   CHUNK_LARGE,  CHUNK_TOP};
    double total = 0, x = 0;
    for (unsigned i = 0; i < CHUNK_STATE_COUNT; i++)
        total += (double)numbers->states[i].bytes;
    buffer_text(body, "<svg viewBox=\"0 0 1000 18\" preserveAspectRatio=\"none\" role=\"img\">");
    for (unsigned i = 0; i < CHUNK_STATE_COUNT && total > 0; i++) {
        const struct tally *tally = &numbers->states[order[i]];
        const char *name = chunk_state_name(order[i]);
        double width = 1000 * (double)tally->bytes / total;
        buffer_printf(body, "<rect class=\"%s\" x=\"%.2f\" width=\"%.2f\" height=\"18\"><title>%s: ", name, x,
                      width, name);
        human(body, tally->bytes);
        buffer_printf(body, " in %llu chunks</title></rect>", (unsigned long long)tally->chunks);
        x += width;
    }
    buffer_text(body, "</svg>");
}

static void links(struct buffer *body, int32_t pid, bool may_dump)
{
    buffer_printf(body,
                  "<div class=\"links\"><a href=\"/api/v1/processes/%d\">numbers</a>"
                  "<a href=\"/api/v1/processes/%d/sizes\">sizes</a>",
                  pid, pid);
    if (may_dump)
        buffer_printf(body,
                      "<a href=\"/api/v1/processes/%d/arenas\">arenas</a>"
                      "<a href=\"/api/v1/processes/%d/chunks\" download=\"chunks-%d.ndjson\">dump</a>",
                      pid, pid, pid);
    else
        buffer_text(body, "<span class=\"dim\" title=\"api.access does not let you ask for addresses\">dump: "
                          "see api.access</span>");
    buffer_text(body, "</div>");
}

static void outcome(struct buffer *body, const struct store_process *process)
{
    const struct scan_numbers *numbers = &process->snapshot->numbers;
    uint64_t now = clock_monotonic_ns();
    switch (store_state_at(process, now)) {
    case PROCESS_STATE_OK:
        buffer_text(body, "<span>active ");
        human(body, numbers_active_bytes(numbers));
        buffer_text(body, "</span><span>free ");
        human(body, numbers_free_bytes(numbers));
        buffer_text(body, "</span><span>system ");
        human(body, numbers->system_bytes);
        buffer_printf(body, "</span><span class=\"dim\">%llu arenas</span>%s</div>",
                      (unsigned long long)numbers->arenas,
                      numbers->is_complete ? "" : "<span class=\"fail\">not complete</span>");
        bar(body, numbers);
        return;
    case PROCESS_STATE_FAILED:
        buffer_text(body, "<span class=\"fail\">failed: ");
        html(body, failure_name(store_failure_at(process, now)));
        buffer_text(body, "</span><span class=\"dim\">");
        html(body, process->message.message);
        buffer_text(body, "</span></div>");
        return;
    case PROCESS_STATE_UNSUPPORTED:
        buffer_text(body, "<span class=\"dim\">not glibc malloc: ");
        html(body, process->snapshot->labels.allocator);
        buffer_text(body, "</span></div>");
        return;
    default:
        buffer_text(body, "<span class=\"dim\">not scanned yet</span></div>");
    }
}

static void one_process(struct buffer *body, const struct store_process *process, bool may_dump)
{
    buffer_text(body, "<div class=\"p\"><div class=\"row\"><b>");
    html(body, process->snapshot->labels.comm);
    buffer_printf(body, " <span class=\"dim\">%d</span></b><span>resident ", process->snapshot->pid);
    human(body, process->snapshot->resident_bytes);
    buffer_text(body, "</span>");
    outcome(body, process);
    links(body, process->snapshot->pid, may_dump);
    buffer_text(body, "</div>");
}

static void head(struct buffer *body, struct request *request, const struct store_view *view)
{
    buffer_text(body, page_head);
    buffer_printf(body, "<p class=\"dim\">version %s, %zu processes in %zu groups</p><nav><a href=\"",
                  VERSION, view->process_count, view->group_count);
    html(body, request->front->start.telemetry_path);
    buffer_text(body, "\">metrics</a><a href=\"/api/v1/processes\">processes as JSON</a>"
                      "<a href=\"/-/ready\">ready</a></nav><div class=\"key\">");
    for (unsigned i = 0; i < CHUNK_STATE_COUNT; i++) {
        const char *name = chunk_state_name((enum chunk_state)i);
        buffer_printf(body, "<span><i class=\"%s\"></i>%s</span>", name, name);
    }
    buffer_text(body, "</div>");
}

static enum status render(struct request *request, struct buffer *body, struct error *err)
{
    struct store_view view scoped_view = {0};
    enum status status = store_view(request->front->store, &view, err);
    if (status != STATUS_OK)
        return status;
    bool may_dump = access_allowed(request);
    head(body, request, &view);
    for (size_t i = 0; i < view.process_count; i++) {
        const char *group = view.processes[i]->message.group;
        if (i == 0 || strcmp(group, view.processes[i - 1]->message.group) != 0) {
            buffer_text(body, "<h2>");
            html(body, group);
            buffer_text(body, "</h2>");
        }
        one_process(body, view.processes[i], may_dump);
    }
    buffer_text(body, "</body></html>\n");
    return STATUS_OK;
}

enum MHD_Result handle_page(struct request *request)
{
    enum answer_kind kind = access_allowed(request) ? ANSWER_PAGE_WITH_DUMPS : ANSWER_PAGE;
    return request_share(request, kind, "text/html; charset=utf-8", render);
}
