/* page.c - the status page: groups and their processes, each heap as a bar of its states. */
#include <string.h>

#include "base/clock.h"
#include "roles/front/http/access.h"
#include "roles/front/http/handlers.h"
#include "roles/front/http/html.h"

static const char page_head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
    "<title>malloc_exporter</title><style>"
    ":root{color-scheme:light dark;--line:#8883;--dim:#6b7280;--link:#2563eb;--bad:#b91c1c;--empty:#8882}"
    "@media(prefers-color-scheme:dark){:root{--dim:#9ca3af;--link:#7dabff;--bad:#f87171}}"
    "body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}"
    "h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:0}"
    "a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}"
    ".dim{color:var(--dim)}.bad{color:var(--bad)}nav a,.links a{margin-right:.9rem}"
    "section{margin-top:2rem}.head{display:flex;flex-wrap:wrap;gap:0 1rem;align-items:baseline}"
    ".p{border-top:1px solid var(--line);padding:.6rem 0;margin-top:.3rem}"
    ".row{display:flex;flex-wrap:wrap;gap:0 1.2rem;align-items:baseline}"
    ".row b{min-width:11rem;overflow-wrap:anywhere}.links{margin-left:auto}"
    "svg{display:block;width:100%;height:18px;border-radius:4px;margin:.35rem 0;background:var(--empty)}"
    ".key{margin:1rem 0 0}.key span{margin-right:1rem;white-space:nowrap}"
    ".key i{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.35em}"
    ".in_use{background:#2563eb;fill:#2563eb}.mmapped{background:#7c3aed;fill:#7c3aed}"
    ".tcache{background:#f59e0b;fill:#f59e0b}.fastbin{background:#ea7317;fill:#ea7317}"
    ".unsorted{background:#d9689b;fill:#d9689b}.small{background:#10b981;fill:#10b981}"
    ".large{background:#14a3a8;fill:#14a3a8}.top{background:#94a3b8;fill:#94a3b8}"
    "</style></head><body><h1>malloc_exporter</h1>";

/* What is used first, then what is free. */
static const enum chunk_state STATE_ORDER[] = {CHUNK_IN_USE,   CHUNK_MMAPPED, CHUNK_TCACHE, CHUNK_FASTBIN,
                                               CHUNK_UNSORTED, CHUNK_SMALL,   CHUNK_LARGE,  CHUNK_TOP};

/* Bytes of each state side by side. */
static void bar(struct buffer *body, const struct scan_numbers *numbers)
{
    double total = 0, x = 0;
    for (unsigned i = 0; i < CHUNK_STATE_COUNT; i++)
        total += (double)numbers->states[i].bytes;
    buffer_text(body, "<svg viewBox=\"0 0 1000 18\" preserveAspectRatio=\"none\" role=\"img\" "
                      "aria-label=\"bytes of the heap by state\">");
    for (unsigned i = 0; i < CHUNK_STATE_COUNT && total > 0; i++) {
        const struct tally *tally = &numbers->states[STATE_ORDER[i]];
        const char *name = chunk_state_name(STATE_ORDER[i]);
        double width = 1000 * (double)tally->bytes / total;
        buffer_printf(body, "<rect class=\"%s\" x=\"%.2f\" width=\"%.2f\" height=\"18\"><title>%s: ", name, x,
                      width, name);
        html_bytes(body, tally->bytes);
        buffer_text(body, " in ");
        html_count(body, tally->chunks, "chunk", "chunks");
        buffer_text(body, "</title></rect>");
        x += width;
    }
    buffer_text(body, "</svg>");
}

static void link_to(struct buffer *body, int32_t pid, const char *rest, const char *text)
{
    buffer_printf(body, "<a href=\"/api/v1/processes/%d%s\">%s</a>", pid, rest, text);
}

static void links(struct buffer *body, int32_t pid, bool has_heap, bool may_dump)
{
    buffer_text(body, "<span class=\"links\">");
    link_to(body, pid, "", "numbers");
    if (has_heap) {
        link_to(body, pid, "/sizes", "sizes");
        link_to(body, pid, "/advice", "advice");
    }
    if (has_heap && may_dump) {
        link_to(body, pid, "/arenas", "arenas");
        buffer_printf(body, "<a href=\"/api/v1/processes/%d/chunks\" download=\"chunks-%d.ndjson\">dump</a>",
                      pid, pid);
    } else if (has_heap) {
        buffer_text(body, "<span class=\"dim\" title=\"api.access does not let you ask for addresses\">dump: "
                          "see api.access</span>");
    }
    buffer_text(body, "</span>");
}

static void amount(struct buffer *body, const char *what, uint64_t bytes)
{
    buffer_printf(body, "<span>%s ", what);
    html_bytes(body, bytes);
    buffer_text(body, "</span>");
}

static void numbers_of(struct buffer *body, const struct scan_numbers *numbers)
{
    amount(body, "in use", numbers_active_bytes(numbers));
    amount(body, "free", numbers_free_bytes(numbers));
    if (numbers->has_trimmable)
        amount(body, "trimmable", numbers->trimmable_bytes);
    buffer_text(body, "<span class=\"dim\">");
    html_count(body, numbers->arenas, "arena", "arenas");
    buffer_text(body, "</span>");
    if (!numbers->is_complete)
        buffer_text(body, "<span class=\"bad\" title=\"a part could not be read: lower bounds\">not "
                          "complete</span>");
    if (numbers->completeness.corrupt_count > 0)
        buffer_text(body, "<span class=\"bad\">corrupt</span>");
}

static void one_process(struct buffer *body, const struct store_process *process, uint64_t now_ns,
                        bool may_dump)
{
    const struct snapshot *snapshot = process->snapshot;
    enum process_state state = store_state_at(process, now_ns);
    buffer_text(body, "<div class=\"p\"><div class=\"row\"><b>");
    html_text(body, snapshot->labels.comm);
    buffer_printf(body, " <span class=\"dim\">%d</span></b>", snapshot->pid);
    amount(body, "resident", snapshot->resident_bytes);
    if (state == PROCESS_STATE_OK) {
        numbers_of(body, &snapshot->numbers);
    } else if (state == PROCESS_STATE_FAILED) {
        buffer_text(body, "<span class=\"bad\">failed: ");
        html_text(body, failure_name(store_failure_at(process, now_ns)));
        buffer_text(body, "</span>");
    } else if (state == PROCESS_STATE_UNSUPPORTED) {
        buffer_text(body, "<span class=\"dim\">not glibc malloc: ");
        html_text(body, snapshot->labels.allocator);
        buffer_text(body, "</span>");
    } else {
        buffer_text(body, "<span class=\"dim\">not scanned yet</span>");
    }
    links(body, snapshot->pid, state == PROCESS_STATE_OK, may_dump);
    buffer_text(body, "</div>");
    if (state == PROCESS_STATE_OK)
        bar(body, &snapshot->numbers);
    if (state == PROCESS_STATE_FAILED) {
        buffer_text(body, "<div class=\"dim\">");
        html_text(body, process->message.message);
        buffer_text(body, "</div>");
    }
    buffer_text(body, "</div>");
}

static void head(struct buffer *body, const struct request *request, const struct store_view *view)
{
    buffer_text(body, page_head);
    buffer_text(body, "<p class=\"dim\">version " VERSION ", ");
    html_count(body, view->process_count, "process", "processes");
    buffer_text(body, " in ");
    html_count(body, view->group_count, "group", "groups");
    buffer_text(body, "</p><nav><a href=\"");
    html_text(body, request->front->start.telemetry_path);
    buffer_text(body, "\">metrics</a><a href=\"/api/v1/processes\">processes as JSON</a>"
                      "<a href=\"/-/ready\">ready</a></nav><div class=\"key\">");
    for (unsigned i = 0; i < CHUNK_STATE_COUNT; i++) {
        const char *name = chunk_state_name(STATE_ORDER[i]);
        buffer_printf(body, "<span><i class=\"%s\"></i>%s</span>", name, name);
    }
    buffer_text(body, "</div>");
    if (view->group_count == 0)
        buffer_text(body, view->has_round ? "<section class=\"dim\">The configuration selects nothing: see "
                                            "process_names in it.</section>"
                                          : "<section class=\"dim\">No process was looked at yet.</section>");
}

/* One group and its processes, which begin at @at; returns the place behind them. */
static size_t one_group(struct buffer *body, const struct store_view *view, const struct store_group *group,
                        size_t at, bool may_dump)
{
    const char *name = group->message.name;
    uint64_t now_ns = clock_monotonic_ns();
    size_t end = at;
    while (end < view->process_count && strcmp(view->processes[end]->message.group, name) == 0)
        end++;
    buffer_text(body, "<section><div class=\"head\"><h2>");
    html_text(body, name);
    buffer_text(body, "</h2><span class=\"dim\">");
    if (end == at)
        buffer_text(body, "no process");
    else
        html_count(body, end - at, "process", "processes");
    buffer_text(body, "</span></div>");
    for (; at < end; at++)
        one_process(body, view->processes[at], now_ns, may_dump);
    buffer_text(body, "</section>");
    return end;
}

static enum status render(struct request *request, struct buffer *body, struct error *err)
{
    struct store_view view scoped_view = {0};
    enum status status = store_view(request->front->store, &view, err);
    if (status != STATUS_OK)
        return status;
    bool may_dump = access_allowed(request);
    head(body, request, &view);
    size_t at = 0;
    for (size_t i = 0; i < view.group_count; i++) {
        /* processes of a group that is not known yet are left for the next time */
        while (at < view.process_count &&
               strcmp(view.processes[at]->message.group, view.groups[i]->message.name) < 0)
            at++;
        at = one_group(body, &view, view.groups[i], at, may_dump);
    }
    buffer_text(body, "</body></html>\n");
    return STATUS_OK;
}

enum MHD_Result handle_page(struct request *request)
{
    enum answer_kind kind = access_allowed(request) ? ANSWER_PAGE_WITH_DUMPS : ANSWER_PAGE;
    return request_share(request, kind, "text/html; charset=utf-8", render);
}
