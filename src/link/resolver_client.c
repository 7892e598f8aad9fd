/* resolver_client.c - see resolver_client.h. Every field of a record is checked before it is taken. */
#include "link/resolver_client.h"

#include <string.h>

#include "base/clock.h"
#include "link/resolver_session.h"

#define TIMEOUT_NS (15 * NS_PER_SECOND)
/* No struct of an allocator is larger; offsets lie inside. */
#define STRUCT_BYTES_MAX (1 << 20)
/* An honest resolver sends each row once and asks for few files. */
#define RECORDS_MAX (4 * (RESOLVER_SYMBOL_COUNT + FIELD_COUNT + STRUCT_COUNT))

static void answer_init(struct symbol_answer *answer)
{
    *answer = (struct symbol_answer){0};
    for (int i = 0; i < FIELD_COUNT; i++)
        answer->offsets[i] = -1;
    for (int i = 0; i < STRUCT_COUNT; i++)
        answer->sizes[i] = -1;
}

static bool take_symbol(struct symbol_answer *answer, const struct resolver_record *record)
{
    uint64_t value = (uint64_t)record->value;
    switch (record->index) {
    case RESOLVER_SYMBOL_MAIN_ARENA:
        answer->main_arena = value;
        return true;
    case RESOLVER_SYMBOL_MP:
        answer->mp = value;
        return true;
    case RESOLVER_SYMBOL_TCACHE:
        answer->tcache_tls = value;
        answer->has_tcache_tls = true;
        return true;
    case RESOLVER_SYMBOL_THREAD_ARENA:
        answer->thread_arena_tls = value;
        answer->has_thread_arena_tls = true;
        return true;
    default:
        return false;
    }
}

static bool take_row(struct symbol_answer *answer, const struct resolver_record *record)
{
    bool is_offset = record->kind == RESOLVER_OFFSET;
    if (record->index >= (is_offset ? (uint32_t)FIELD_COUNT : (uint32_t)STRUCT_COUNT) || record->value < -1 ||
        record->value > STRUCT_BYTES_MAX)
        return false;
    if (is_offset)
        answer->offsets[record->index] = (int32_t)record->value;
    else
        answer->sizes[record->index] = (int32_t)record->value;
    answer->has_layout = true;
    return true;
}

/* What one resolution for the heap has got so far. */
struct collecting {
    struct symbol_answer answer;
};

static enum status take_heap(void *context, const struct resolver_record *record, bool *is_sound)
{
    struct collecting *collecting = context;
    if (record->kind == RESOLVER_SYMBOL)
        *is_sound = take_symbol(&collecting->answer, record);
    else
        *is_sound = (record->kind == RESOLVER_OFFSET || record->kind == RESOLVER_SIZE) &&
                    take_row(&collecting->answer, record);
    return STATUS_OK;
}

static enum status resolve(struct symbol_source *source, int module_fd, const uint8_t *build_id,
                           uint32_t build_id_length, struct symbol_answer *ret, struct error *err)
{
    const struct resolver_client *client = (const struct resolver_client *)source;
    struct collecting collecting;
    struct resolver_request request = {.question = RESOLVER_HEAP};
    struct resolver_record end;
    answer_init(&collecting.answer);
    struct resolver_session session = {.client = client,
                                       .module_fd = module_fd,
                                       .records_max = RECORDS_MAX,
                                       .take = take_heap,
                                       .context = &collecting};
    resolver_session_name(&request, build_id, build_id_length);
    enum status status = resolver_session_run(&session, &request, &end, err);
    if (status != STATUS_OK)
        return status;
    collecting.answer.from_debuginfo = end.value == 1;
    bool has_any = collecting.answer.main_arena != 0 || collecting.answer.has_layout;
    if (end.index == STATUS_OK && has_any) {
        *ret = collecting.answer;
        return STATUS_OK;
    }
    if (end.index == STATUS_OK || end.index == STATUS_NOT_FOUND)
        return error_set(err, STATUS_NOT_FOUND, "no file of the module has symbols or debug information");
    return error_set(err, STATUS_BAD_DATA, "the resolver could not read the files of the module");
}

/* The allocator that was named, OTHER_COUNT before. */
static enum status take_other(void *context, const struct resolver_record *record, bool *is_sound)
{
    enum other_allocator *other = context;
    *is_sound = record->kind == RESOLVER_OTHER && record->index < OTHER_COUNT;
    if (*is_sound)
        *other = (enum other_allocator)record->index;
    return STATUS_OK;
}

static enum status find_other(struct symbol_source *source, int module_fd, enum other_allocator *ret,
                              struct error *err)
{
    enum other_allocator other = OTHER_COUNT;
    struct resolver_request request = {.question = RESOLVER_ALLOCATOR};
    struct resolver_record end;
    struct resolver_session session = {.client = (const struct resolver_client *)source,
                                       .module_fd = module_fd,
                                       .records_max = 2,
                                       .take = take_other,
                                       .context = &other};
    enum status status = resolver_session_run(&session, &request, &end, err);
    if (status != STATUS_OK)
        return status;
    if (end.index == STATUS_OK && other != OTHER_COUNT) {
        *ret = other;
        return STATUS_OK;
    }
    if (end.index == STATUS_OK || end.index == STATUS_NOT_FOUND)
        return error_set(err, STATUS_NOT_FOUND, "the module defines no allocator that is known");
    return error_set(err, STATUS_BAD_DATA, "the resolver could not read the module's file");
}

/* A lookup under way. */
struct looking {
    symbol_take *take;
    void *context;
    uint32_t limit;
};

static enum status take_finding(void *context, const struct resolver_record *record, bool *is_sound)
{
    struct looking *looking = context;
    struct symbol_finding finding = {.value = (uint64_t)record->value,
                                     .size_bytes = record->size_bytes,
                                     .count = (uint32_t)record->count,
                                     .form = (enum symbol_form)record->index};
    *is_sound = record->kind == RESOLVER_FINDING && record->index < FORM_COUNT &&
                record->count <= UINT32_MAX && memchr(record->name, '\0', sizeof record->name) &&
                memchr(record->type, '\0', sizeof record->type);
    if (!*is_sound)
        return STATUS_OK;
    _Static_assert(sizeof finding.name == sizeof record->name && sizeof finding.type == sizeof record->type,
                   "texts of one length");
    memcpy(finding.name, record->name, sizeof finding.name);
    memcpy(finding.type, record->type, sizeof finding.type);
    if (looking->limit == 0 || !looking->take(looking->context, &finding))
        return STATUS_STOPPED;
    looking->limit--;
    return STATUS_OK;
}

static enum status lookup(struct symbol_source *source, int module_fd, const uint8_t *build_id,
                          uint32_t build_id_length, const struct symbol_question *question, symbol_take *take,
                          void *context, struct error *err)
{
    const struct resolver_client *client = (const struct resolver_client *)source;
    struct looking looking = {.take = take, .context = context, .limit = question->limit};
    struct resolver_request request = {.question = RESOLVER_LOOKUP + question->kind,
                                       .is_exact = question->is_exact,
                                       .limit = question->limit,
                                       .address = question->address};
    struct resolver_record end;
    _Static_assert(sizeof request.text == sizeof question->text, "texts of one length");
    memcpy(request.text, question->text, sizeof request.text);
    struct resolver_session session = {.client = client,
                                       .module_fd = module_fd,
                                       .records_max = RESOLVER_FINDINGS_MAX + 8,
                                       .take = take_finding,
                                       .context = &looking};
    resolver_session_name(&request, build_id, build_id_length);
    enum status status = resolver_session_run(&session, &request, &end, err);
    if (status == STATUS_STOPPED)
        return STATUS_OK;
    if (status == STATUS_OK && end.index == STATUS_NOT_FOUND)
        return error_set(err, STATUS_NOT_FOUND,
                         "no file of the module has symbols or debug information for it");
    if (status == STATUS_OK && end.index != STATUS_OK)
        return error_set(err, STATUS_BAD_DATA, "the resolver could not read the files of the module");
    return status;
}

void resolver_client_init(struct resolver_client *client, struct helper_launcher launcher)
{
    *client = (struct resolver_client){
        .source = {.resolve = resolve, .lookup = lookup, .find_other = find_other},
        .launcher = launcher,
        .debug_directory = "/usr/lib/debug",
        .target_root_fd = -1,
        .timeout_ns = TIMEOUT_NS,
    };
}
