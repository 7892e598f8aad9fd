/*
 * lookup.c - see lookup.h. The module's own file serves where it has a .symtab (or DWARF, for a structure),
 * else its debug file, else what the module exports. Where a better one was there but could not be read, what
 * the others have is sent, and the end says so.
 */
#include "roles/resolver/lookup.h"

#include <stdio.h>
#include <string.h>

#include "allocator/symbol_source.h"
#include "base/cleanup.h"
#include "link/resolver_channel.h"
#include "roles/resolver/module.h"

struct sender {
    int socket_fd;
    uint64_t deadline_ns;
    uint32_t left;
    enum status status;
};

_Static_assert((int)SYMBOLS_OTHER == (int)FORM_OTHER && (int)SYMBOLS_POINTER == (int)FORM_POINTER &&
                   (int)SYMBOLS_FLOAT == (int)FORM_FLOAT,
               "forms of one order");

/* A name that is too long is cut, and ends in dots. */
static void copy_name(char *ret, size_t size, const char *text)
{
    if ((size_t)snprintf(ret, size, "%s", text) >= size)
        memcpy(ret + size - 4, "...", 4);
}

static bool send_finding(void *context, const struct symbols_found *found)
{
    struct sender *sender = context;
    struct resolver_record record = {.version = RESOLVER_VERSION,
                                     .kind = RESOLVER_FINDING,
                                     .index = found->form,
                                     .value = (int64_t)found->value,
                                     .size_bytes = found->size_bytes,
                                     .count = found->count};
    copy_name(record.name, sizeof record.name, found->name);
    copy_name(record.type, sizeof record.type, found->type);
    sender->status =
        resolver_channel_send(sender->socket_fd, &record, sizeof record, -1, sender->deadline_ns, NULL);
    return sender->status == STATUS_OK && --sender->left > 0;
}

/* The structure itself comes last, without a name. */
static enum status send_structure(const struct resolver_request *request, int fd, struct sender *sender)
{
    struct symbols_found whole = {.name = "", .type = "", .count = 1, .form = SYMBOLS_OTHER};
    enum status status = symbols_structure(fd, request->text, send_finding, sender, &whole.size_bytes, NULL);
    if (status == STATUS_OK && sender->left > 0)
        send_finding(sender, &whole);
    return status;
}

static enum status search_file(const struct resolver_request *request, int fd, struct sender *sender)
{
    switch (request->question - RESOLVER_LOOKUP) {
    case SYMBOL_BY_NAME:
        return symbols_by_name(fd, request->text, request->is_exact, send_finding, sender, NULL);
    case SYMBOL_BY_ADDRESS:
        return symbols_by_address(fd, request->address, send_finding, sender, NULL);
    case SYMBOL_STRUCT:
        return send_structure(request, fd, sender);
    default:
        return STATUS_NOT_FOUND;
    }
}

static bool is_struct(const struct resolver_request *request)
{
    return request->question == RESOLVER_LOOKUP + SYMBOL_STRUCT;
}

/* Only if it has more than what it exports. */
static enum status search_own_file(const struct resolver_request *request, int fd, struct sender *sender)
{
    bool has_symtab = is_struct(request);
    enum status status = has_symtab ? STATUS_OK : symbols_has_symtab(fd, &has_symtab, NULL);
    if (status == STATUS_OK && !has_symtab)
        status = STATUS_NOT_FOUND;
    return status == STATUS_OK ? search_file(request, fd, sender) : status;
}

static enum status search_debug_file(const struct resolver_request *request,
                                     const struct symbols_wanted *wanted, struct sender *sender)
{
    scoped_fd int fd = -1;
    enum status status = module_ask_file(sender->socket_fd, wanted, sender->deadline_ns, &fd);
    return status == STATUS_OK ? search_file(request, fd, sender) : status;
}

/* Whether another file is to be searched after one gave @status. */
static bool must_go_on(const struct resolver_request *request, const struct sender *sender,
                       enum status status)
{
    return status != STATUS_OK && sender->status == STATUS_OK && sender->left == request->limit;
}

static enum status search_module(const struct resolver_request *request, int module_fd, struct sender *sender)
{
    struct symbols_wanted wanted;
    enum status own = STATUS_NOT_FOUND;
    if (!module_identify(request, module_fd, &wanted))
        module_fd = -1;
    if (module_fd >= 0)
        own = search_own_file(request, module_fd, sender);
    if (!must_go_on(request, sender, own))
        return own;
    enum status debug = search_debug_file(request, &wanted, sender);
    if (!must_go_on(request, sender, debug))
        return debug;
    enum status exported =
        !is_struct(request) && module_fd >= 0 ? search_file(request, module_fd, sender) : STATUS_NOT_FOUND;
    enum status better = own != STATUS_NOT_FOUND ? own : debug;
    return better != STATUS_NOT_FOUND ? better : exported;
}

enum status lookup_answer(int socket_fd, const struct resolver_request *request, int module_fd,
                          uint64_t deadline_ns, struct error *err)
{
    if (!memchr(request->text, '\0', sizeof request->text) || request->limit == 0 ||
        request->limit > RESOLVER_FINDINGS_MAX)
        return error_set(err, STATUS_BAD_DATA, "a request that cannot be");
    struct sender sender = {.socket_fd = socket_fd, .deadline_ns = deadline_ns, .left = request->limit};
    enum status status = search_module(request, module_fd, &sender);
    /* a finding was lost: without an end the client knows */
    if (sender.status != STATUS_OK)
        return error_set(err, sender.status, "a finding could not be sent");
    struct resolver_record end = {.version = RESOLVER_VERSION, .kind = RESOLVER_END, .index = status};
    return resolver_channel_send(socket_fd, &end, sizeof end, -1, deadline_ns, err);
}
