/* module.c - see module.h. */
#include "roles/resolver/module.h"

#include <string.h>

#include "base/cleanup.h"
#include "link/resolver_channel.h"

/* A debug file is the module's where the build-ids say so; a module without one names its file's checksum. */
static enum status check_file(int fd, const struct symbols_wanted *wanted)
{
    return wanted->build_id_length > 0 ? symbols_check_build_id(fd, wanted->build_id, wanted->build_id_length)
                                       : symbols_check_crc(fd, wanted->debuglink_crc);
}

enum status module_ask_file(int socket_fd, const struct symbols_wanted *wanted, uint64_t deadline_ns,
                            int *fd_ret)
{
    if (wanted->build_id_length == 0 && !wanted->debuglink[0])
        return STATUS_NOT_FOUND;
    struct resolver_record record = {
        .version = RESOLVER_VERSION, .kind = RESOLVER_WANT, .build_id_length = wanted->build_id_length};
    struct resolver_file file;
    _Static_assert(sizeof record.build_id == sizeof wanted->build_id, "build-ids of one length");
    _Static_assert(sizeof record.debuglink == sizeof wanted->debuglink, "names of one length");
    memcpy(record.build_id, wanted->build_id, sizeof record.build_id);
    memcpy(record.debuglink, wanted->debuglink, sizeof record.debuglink);
    scoped_fd int fd = -1;
    enum status status = resolver_channel_send(socket_fd, &record, sizeof record, -1, deadline_ns, NULL);
    if (status == STATUS_OK)
        status = resolver_channel_receive(socket_fd, &file, sizeof file, &fd, deadline_ns, NULL);
    if (status == STATUS_OK)
        status = fd >= 0 ? check_file(fd, wanted) : STATUS_NOT_FOUND;
    if (status == STATUS_OK)
        *fd_ret = take_fd(&fd);
    return status;
}

bool module_identify(const struct resolver_request *request, int module_fd, struct symbols_wanted *ret)
{
    bool is_read = module_fd >= 0 && symbols_wanted_of(module_fd, ret, NULL) == STATUS_OK;
    if (!is_read)
        *ret = (struct symbols_wanted){0};
    if (request->build_id_length == 0)
        return true;
    bool is_same = !is_read || ret->build_id_length == 0 ||
                   (ret->build_id_length == request->build_id_length &&
                    memcmp(ret->build_id, request->build_id, request->build_id_length) == 0);
    ret->build_id_length = request->build_id_length;
    memcpy(ret->build_id, request->build_id, sizeof ret->build_id);
    return is_same;
}
