/*
 * resolver.c - see resolver.h. The module's own file first; a debug file is asked for only where that lacks
 * main_arena or the layout.
 */
#include "roles/resolver/resolver.h"

#include <string.h>

#include "allocator/symbol_source.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "link/resolver_channel.h"
#include "link/resolver_messages.h"
#include "link/sandbox.h"
#include "roles/resolver/confine.h"
#include "roles/resolver/lookup.h"
#include "roles/resolver/module.h"
#include "symbols/symbols.h"

/* Longer than any client waits: only to end if one never sends. */
#define DEADLINE_NS (30 * NS_PER_SECOND)

#define ROWS_COUNT (FIELD_COUNT + STRUCT_COUNT)

static const struct {
    const char *name;
    bool is_tls;
} SYMBOLS[RESOLVER_SYMBOL_COUNT] = {
#define X(name, label, is_tls) [RESOLVER_SYMBOL_##name] = {label, is_tls},
    RESOLVER_SYMBOL_TABLE(X)
#undef X
};

/* Fields, then sizes. */
static const struct symbols_member ROWS[ROWS_COUNT] = {
#define X(name, structure_, member_) [FIELD_##name] = {.structure = structure_, .member = member_},
    SYMBOL_FIELD_TABLE(X)
#undef X
#define X(name, structure_) [FIELD_COUNT + STRUCT_##name] = {.structure = structure_},
        SYMBOL_STRUCT_TABLE(X)
#undef X
};

/* What is known so far of one module. */
struct findings {
    struct symbols_query symbols[RESOLVER_SYMBOL_COUNT];
    struct symbols_member rows[ROWS_COUNT];
    bool has_layout;
    bool from_debuginfo;
    enum status status; /* why not, where nothing was found */
};

static bool has_symbols(const struct findings *findings)
{
    return findings->symbols[RESOLVER_SYMBOL_MAIN_ARENA].is_found;
}

/* Symbols that are not known yet; whether there were any. */
static bool take_symbols(struct findings *findings, int fd)
{
    struct symbols_query queries[RESOLVER_SYMBOL_COUNT];
    bool is_new = false;
    for (int i = 0; i < RESOLVER_SYMBOL_COUNT; i++)
        queries[i] = (struct symbols_query){.name = SYMBOLS[i].name};
    enum status status = symbols_lookup(fd, queries, RESOLVER_SYMBOL_COUNT, NULL);
    if (status != STATUS_OK)
        findings->status = status;
    for (int i = 0; status == STATUS_OK && i < RESOLVER_SYMBOL_COUNT; i++) {
        if (findings->symbols[i].is_found || !queries[i].is_found || queries[i].is_tls != SYMBOLS[i].is_tls)
            continue;
        findings->symbols[i] = queries[i];
        is_new = true;
    }
    return is_new;
}

static void take_layout(struct findings *findings, int fd)
{
    struct symbols_member rows[ROWS_COUNT];
    memcpy(rows, ROWS, sizeof rows);
    if (symbols_layout(fd, rows, ROWS_COUNT, NULL) != STATUS_OK || !rows[FIELD_COUNT + STRUCT_STATE].is_found)
        return;
    memcpy(findings->rows, rows, sizeof rows);
    findings->has_layout = true;
}

static void examine(int socket_fd, const struct resolver_request *request, int module_fd,
                    struct findings *findings, uint64_t deadline_ns)
{
    struct symbols_wanted wanted;
    if (module_identify(request, module_fd, &wanted) && module_fd >= 0) {
        take_symbols(findings, module_fd);
        take_layout(findings, module_fd);
    }
    scoped_fd int fd = -1;
    if ((has_symbols(findings) && findings->has_layout) ||
        module_ask_file(socket_fd, &wanted, deadline_ns, &fd) != STATUS_OK)
        return;
    findings->from_debuginfo = take_symbols(findings, fd);
    if (!findings->has_layout)
        take_layout(findings, fd);
}

static enum status send_record(int socket_fd, enum resolver_kind kind, unsigned index, int64_t value,
                               uint64_t deadline_ns)
{
    struct resolver_record record = {
        .version = RESOLVER_VERSION, .kind = kind, .index = index, .value = value};
    return resolver_channel_send(socket_fd, &record, sizeof record, -1, deadline_ns, NULL);
}

static enum status send_findings(int socket_fd, const struct findings *findings, uint64_t deadline_ns)
{
    enum status status = STATUS_OK;
    for (unsigned i = 0; i < RESOLVER_SYMBOL_COUNT && status == STATUS_OK; i++)
        if (findings->symbols[i].is_found)
            status =
                send_record(socket_fd, RESOLVER_SYMBOL, i, (int64_t)findings->symbols[i].value, deadline_ns);
    for (unsigned i = 0; i < ROWS_COUNT && findings->has_layout && status == STATUS_OK; i++) {
        bool is_field = i < FIELD_COUNT;
        status = send_record(socket_fd, is_field ? RESOLVER_OFFSET : RESOLVER_SIZE,
                             is_field ? i : i - FIELD_COUNT, findings->rows[i].offset, deadline_ns);
    }
    if (status != STATUS_OK)
        return status;
    bool is_found = has_symbols(findings) || findings->has_layout;
    return send_record(socket_fd, RESOLVER_END, is_found ? STATUS_OK : findings->status,
                       findings->from_debuginfo, deadline_ns);
}

/* The allocator whose symbols the module's own file defines. */
static enum status answer_other(int socket_fd, int module_fd, uint64_t deadline_ns)
{
    static const enum other_allocator OTHERS[] = {
#define X(other, symbol) OTHER_##other,
        RESOLVER_OTHER_TABLE(X)
#undef X
    };
    struct symbols_query queries[] = {
#define X(other, symbol) {.name = symbol},
        RESOLVER_OTHER_TABLE(X)
#undef X
    };
    unsigned count = sizeof queries / sizeof *queries;
    enum status found = symbols_lookup(module_fd, queries, count, NULL), status = STATUS_OK;
    bool is_named = false;
    for (unsigned i = 0; found == STATUS_OK && i < count && !is_named; i++) {
        is_named = queries[i].is_found && !queries[i].is_tls;
        if (is_named)
            status = send_record(socket_fd, RESOLVER_OTHER, OTHERS[i], 0, deadline_ns);
    }
    if (status != STATUS_OK)
        return status;
    enum status end = found == STATUS_OK && !is_named ? STATUS_NOT_FOUND : found;
    return send_record(socket_fd, RESOLVER_END, end, 0, deadline_ns);
}

static enum status serve(int socket_fd, struct error *err)
{
    uint64_t deadline_ns = clock_monotonic_ns() + DEADLINE_NS;
    struct resolver_request request;
    struct findings findings = {.status = STATUS_NOT_FOUND};
    scoped_fd int module_fd = -1;
    enum status status =
        resolver_channel_receive(socket_fd, &request, sizeof request, &module_fd, deadline_ns, err);
    if (status != STATUS_OK)
        return status;
    if (request.version != RESOLVER_VERSION || request.build_id_length > sizeof request.build_id)
        return error_set(err, STATUS_BAD_DATA, "a request that cannot be");
    if (request.question >= RESOLVER_LOOKUP)
        return lookup_answer(socket_fd, &request, module_fd, deadline_ns, err);
    if (request.question == RESOLVER_ALLOCATOR)
        return answer_other(socket_fd, module_fd, deadline_ns);
    examine(socket_fd, &request, module_fd, &findings, deadline_ns);
    return send_findings(socket_fd, &findings, deadline_ns);
}

int resolver_main(int socket_fd)
{
    struct error err = {0};
    enum status status = confine(socket_fd, &err);
    if (status == STATUS_OK)
        status = serve(CONFINE_SOCKET_FD, &err);
    sandbox_report();
    if (status == STATUS_OK || status == STATUS_GONE)
        return 0;
    log_error(LOG_WARN, "resolver failed", &err);
    return 1;
}
