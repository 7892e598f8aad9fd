/* resolver_session.c - see resolver_session.h. */
#include "link/resolver_session.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "link/debug_file.h"
#include "link/resolver_channel.h"

/* An honest resolver asks for few files. */
#define FILES_MAX 4

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

static int find_debug_file(const struct resolver_session *session, const struct resolver_record *wanted)
{
    char directory[PATH_MAX];
    module_directory(session->module_fd, directory, sizeof directory);
    const char *debug_directory = session->client->debug_directory;
    scoped_fd int host_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = host_root >= 0 ? debug_file_open(host_root, true, debug_directory, directory, wanted) : -1;
    if (fd < 0 && session->client->target_root_fd >= 0)
        fd = debug_file_open(session->client->target_root_fd, false, debug_directory, directory, wanted);
    return fd;
}

static enum status hand_file(struct resolver_session *session, const struct resolver_record *wanted,
                             struct error *err)
{
    if (!is_wanted_sound(wanted) || session->files++ == FILES_MAX)
        return error_set(err, STATUS_BAD_DATA, "the resolver asks for files in a way that it must not");
    scoped_fd int fd = find_debug_file(session, wanted);
    struct resolver_file file = {.version = RESOLVER_VERSION, .has_file = fd >= 0};
    return resolver_channel_send(session->socket_fd, &file, sizeof file, fd, session->deadline_ns, err);
}

/* Take records up to the end record. */
static enum status take_records(struct resolver_session *session, struct resolver_record *end,
                                struct error *err)
{
    for (unsigned i = 0; i < session->records_max; i++) {
        struct resolver_record record;
        scoped_fd int unwanted = -1;
        enum status status = resolver_channel_receive(session->socket_fd, &record, sizeof record, &unwanted,
                                                      session->deadline_ns, err);
        if (status != STATUS_OK)
            return status;
        bool is_sound = record.version == RESOLVER_VERSION;
        if (is_sound && record.kind == RESOLVER_END) {
            *end = record;
            return STATUS_OK;
        }
        if (is_sound && record.kind == RESOLVER_WANT)
            status = hand_file(session, &record, err);
        else if (is_sound)
            status = session->take(session->context, &record, &is_sound);
        if (status != STATUS_OK)
            return status;
        if (!is_sound)
            return error_set(err, STATUS_BAD_DATA, "the resolver sent a record that cannot be");
    }
    return error_set(err, STATUS_BAD_DATA, "the resolver sends without an end");
}

void resolver_session_name(struct resolver_request *request, const uint8_t *build_id, uint32_t length)
{
    if (length > sizeof request->build_id || length == 0)
        return;
    request->build_id_length = length;
    memcpy(request->build_id, build_id, length);
}

enum status resolver_session_run(struct resolver_session *session, struct resolver_request *request,
                                 struct resolver_record *end, struct error *err)
{
    const struct helper_launcher *launcher = &session->client->launcher;
    request->version = RESOLVER_VERSION;
    session->socket_fd = -1;
    session->files = 0;
    session->deadline_ns = clock_monotonic_ns() + session->client->timeout_ns;
    if (session->client->deadline_ns && session->client->deadline_ns < session->deadline_ns)
        session->deadline_ns = session->client->deadline_ns;
    enum status status = launcher->start(launcher->context, &session->socket_fd, err);
    if (status != STATUS_OK)
        return status;
    status = resolver_channel_send(session->socket_fd, request, sizeof *request, session->module_fd,
                                   session->deadline_ns, err);
    if (status == STATUS_OK)
        status = take_records(session, end, err);
    close(session->socket_fd);
    if (launcher->end)
        launcher->end(launcher->context);
    if (status == STATUS_GONE)
        return error_set(err, STATUS_BAD_DATA, "the resolver ended without an answer");
    return status;
}
