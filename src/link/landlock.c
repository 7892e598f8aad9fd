/* landlock.c - see landlock.h. Our own copy of the interface: the headers of Debian 12 know a part of it. */
#include "link/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

#define VERSION_FLAG 1u
#define RULE_PATH_BENEATH 1
#define READ_FILE (UINT64_C(1) << 2)
#define READ_DIRECTORY (UINT64_C(1) << 3)

/* What each version of the interface can forbid in addition. */
static const struct {
    uint64_t files, network, scope;
} VERSIONS[] = {
    {(UINT64_C(1) << 13) - 1, 0, 0}, /* 1: execute, write, read, remove, make … */
    {UINT64_C(1) << 13, 0, 0},       /* 2: refer */
    {UINT64_C(1) << 14, 0, 0},       /* 3: truncate */
    {0, 3, 0},                       /* 4: bind and connect of TCP */
    {UINT64_C(1) << 15, 0, 0},       /* 5: ioctl of devices */
    {0, 0, 3},                       /* 6: abstract unix sockets, signals */
};

struct ruleset {
    uint64_t files, network, scope;
};

struct beneath {
    uint64_t allowed;
    int32_t directory;
} __attribute__((packed));

static enum status allow(int rules, const char *directory, struct error *err)
{
    scoped_fd int fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return STATUS_OK;
    struct beneath rule = {.allowed = READ_FILE | READ_DIRECTORY, .directory = fd};
    if (syscall(SYS_landlock_add_rule, rules, RULE_PATH_BENEATH, &rule, 0) != 0)
        return error_errno(err, errno, "let %s be read (landlock)", directory);
    return STATUS_OK;
}

enum status landlock_enter(const char *const *directories, size_t count, bool *is_enforced, struct error *err)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, VERSION_FLAG);
    struct ruleset wanted = {0};
    *is_enforced = version >= 1;
    if (version < 1)
        return STATUS_OK;
    for (size_t i = 0; i < sizeof VERSIONS / sizeof *VERSIONS && (long)i < version; i++) {
        wanted.files |= VERSIONS[i].files;
        wanted.network |= VERSIONS[i].network;
        wanted.scope |= VERSIONS[i].scope;
    }
    scoped_fd int rules = (int)syscall(SYS_landlock_create_ruleset, &wanted, sizeof wanted, 0);
    if (rules < 0)
        return error_errno(err, errno, "make rules for files (landlock)");
    for (size_t i = 0; i < count; i++) {
        enum status status = allow(rules, directories[i], err);
        if (status != STATUS_OK)
            return status;
    }
    if (syscall(SYS_landlock_restrict_self, rules, 0) != 0)
        return error_errno(err, errno, "put rules for files in force (landlock)");
    return STATUS_OK;
}
