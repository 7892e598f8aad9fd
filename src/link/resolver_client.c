/* resolver_client.c - see resolver_client.h. Every field of a record is checked before it is taken. */
#include "link/resolver_client.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "link/debug_file.h"
#include "link/resolver_channel.h"
#include "link/resolver_messages.h"

#define TIMEOUT_NS (15 * NS_PER_SECOND)
/* No struct of an allocator is larger; offsets lie inside. */
#define STRUCT_BYTES_MAX (1 << 20)
/* An honest resolver sends each row once and asks for few files. */
#define RECORDS_MAX (4 * (RESOLVER_SYMBOL_COUNT + FIELD_COUNT + STRUCT_COUNT))
#define FILES_MAX 4

/* One resolution. */
struct session {
    const struct resolver_client *client;
    int socket_fd;
    int module_fd;
    unsigned files;
    uint64_t deadline_ns;
    struct symbol_answer answer;
};

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

static bool is_wanted_sound(const struct resolver_record *record)
{
    return record->build_id_length <= RESOLVER_BUILD_ID_MAX &&
           memchr(record->debuglink, '\0', sizeof record->debuglink) != NULL;
}

/* The directory of the module as its descriptor's name says; "" where it does not. */
static void module_directory(int module_fd, char *directory, size_t size)
{
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", module_fd);
    ssize_t length = module_fd >= 0 ? readlink(link, directory, size - 1) : -1;
    directory[length > 0 ? length : 0] = '\0';
    char *slash = directory[0] == '/' ? strrchr(directory, '/') : NULL;
    *(slash ? slash : directory) = '\0';
}

static int find_debug_file(const struct session *session, const struct resolver_record *wanted)
{
    char directory[PATH_MAX];
    module_directory(session->module_fd, directory, sizeof directory);
    const char *debug_directory = session->client->debug_directory;
    scoped_fd int host_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = host_root >= 0 ? debug_file_open(host_root, debug_directory, directory, wanted) : -1;
    if (fd < 0 && session->client->target_root_fd >= 0)
        fd = debug_file_open(session->client->target_root_fd, debug_directory, directory, wanted);
    return fd;
}

static enum status hand_file(struct session *session, const struct resolver_record *wanted, struct error *err)
{
    if (!is_wanted_sound(wanted) || session->files++ == FILES_MAX)
        return error_set(err, STATUS_BAD_DATA, "the resolver asks for files in a way that it must not");
    scoped_fd int fd = find_debug_file(session, wanted);
    struct resolver_file file = {.version = RESOLVER_VERSION, .has_file = fd >= 0};
    return resolver_channel_send(session->socket_fd, &file, sizeof file, fd, session->deadline_ns, err);
}

static enum status send_request(struct session *session, const uint8_t *build_id, uint32_t length,
                                struct error *err)
{
    struct resolver_request request = {.version = RESOLVER_VERSION};
    if (length <= sizeof request.build_id && length > 0) {
        request.build_id_length = length;
        memcpy(request.build_id, build_id, length);
    }
    return resolver_channel_send(session->socket_fd, &request, sizeof request, session->module_fd,
                                 session->deadline_ns, err);
}

static enum status take_end(struct session *session, const struct resolver_record *record, struct error *err)
{
    session->answer.from_debuginfo = record->value == 1;
    if (record->index == STATUS_OK && (session->answer.main_arena != 0 || session->answer.has_layout))
        return STATUS_OK;
    if (record->index == STATUS_OK || record->index == STATUS_NOT_FOUND)
        return error_set(err, STATUS_NOT_FOUND, "no file of the module has symbols or debug information");
    return error_set(err, STATUS_BAD_DATA, "the resolver could not read the files of the module");
}

/* Take records up to the end record. */
static enum status take_records(struct session *session, struct error *err)
{
    for (int i = 0; i < RECORDS_MAX; i++) {
        struct resolver_record record;
        scoped_fd int unwanted = -1;
        enum status status = resolver_channel_receive(session->socket_fd, &record, sizeof record, &unwanted,
                                                      session->deadline_ns, err);
        if (status != STATUS_OK)
            return status;
        bool is_sound = record.version == RESOLVER_VERSION;
        if (is_sound && record.kind == RESOLVER_END)
            return take_end(session, &record, err);
        if (is_sound && record.kind == RESOLVER_WANT)
            status = hand_file(session, &record, err);
        else if (is_sound && record.kind == RESOLVER_SYMBOL)
            is_sound = take_symbol(&session->answer, &record);
        else
            is_sound = is_sound && record.kind <= RESOLVER_SIZE && take_row(&session->answer, &record);
        if (status != STATUS_OK)
            return status;
        if (!is_sound)
            return error_set(err, STATUS_BAD_DATA, "the resolver sent a record that cannot be");
    }
    return error_set(err, STATUS_BAD_DATA, "the resolver sends without an end");
}

static enum status resolve(struct symbol_source *source, int module_fd, const uint8_t *build_id,
                           uint32_t build_id_length, struct symbol_answer *ret, struct error *err)
{
    const struct resolver_client *client = (const struct resolver_client *)source;
    const struct resolver_launcher *launcher = &client->launcher;
    struct session session = {.client = client, .module_fd = module_fd, .socket_fd = -1};
    session.deadline_ns = clock_monotonic_ns() + client->timeout_ns;
    answer_init(&session.answer);
    enum status status = launcher->start(launcher->context, &session.socket_fd, err);
    if (status != STATUS_OK)
        return status;
    status = send_request(&session, build_id, build_id_length, err);
    if (status == STATUS_OK)
        status = take_records(&session, err);
    close(session.socket_fd);
    if (launcher->stop)
        launcher->stop(launcher->context);
    if (status == STATUS_GONE)
        return error_set(err, STATUS_BAD_DATA, "the resolver ended without an answer");
    if (status == STATUS_OK)
        *ret = session.answer;
    return status;
}

void resolver_client_init(struct resolver_client *client, const struct resolver_launcher *launcher)
{
    *client = (struct resolver_client){
        .source = {.resolve = resolve},
        .launcher = *launcher,
        .debug_directory = "/usr/lib/debug",
        .target_root_fd = -1,
        .timeout_ns = TIMEOUT_NS,
    };
}
