/* privileges.c - see privileges.h. */
#include "link/privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/securebits.h>
#include <stdbool.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"

#define CAPABILITY_COUNT 64

static void scoped_caps_run(cap_t *caps)
{
    cap_free(*caps);
}
#define scoped_caps scoped(scoped_caps_run)

uint64_t privileges_held(void)
{
    uint64_t held = 0;
    scoped_caps cap_t caps = cap_get_proc();
    for (int i = 0; caps && i < CAPABILITY_COUNT; i++) {
        cap_flag_value_t value = CAP_CLEAR;
        if (cap_get_flag(caps, i, CAP_PERMITTED, &value) == 0 && value == CAP_SET)
            held |= PRIVILEGE(i);
    }
    return held;
}

static enum status set_all(uint64_t kept, bool inherit, struct error *err)
{
    scoped_caps cap_t caps = cap_init();
    if (!caps)
        return error_set(err, STATUS_NO_MEMORY, "no memory for capabilities");
    for (int i = 0; i < CAPABILITY_COUNT; i++) {
        cap_value_t value = i;
        if (!(kept >> i & 1))
            continue;
        if (cap_set_flag(caps, CAP_PERMITTED, 1, &value, CAP_SET) != 0 ||
            cap_set_flag(caps, CAP_EFFECTIVE, 1, &value, CAP_SET) != 0 ||
            (inherit && cap_set_flag(caps, CAP_INHERITABLE, 1, &value, CAP_SET) != 0))
            return error_errno(err, errno, "capability %d", i);
    }
    return cap_set_proc(caps) == 0 ? STATUS_OK : error_errno(err, errno, "set the capabilities");
}

static enum status keep(uint64_t wanted, bool inherit, struct error *err)
{
    uint64_t kept = privileges_held() & wanted;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
        return error_errno(err, errno, "clear the ambient capabilities");
    enum status status = set_all(kept, inherit, err);
    for (int i = 0; status == STATUS_OK && inherit && i < CAPABILITY_COUNT; i++)
        if ((kept >> i & 1) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) != 0)
            status = error_errno(err, errno, "raise ambient capability %d", i);
    return status;
}

enum status privileges_keep(uint64_t wanted, struct error *err)
{
    enum status status = keep(wanted, false, err);
    if (status == STATUS_OK && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        status = error_errno(err, errno, "PR_SET_NO_NEW_PRIVS");
    return status;
}

enum status privileges_keep_over_exec(uint64_t wanted, struct error *err)
{
    return keep(wanted, true, err);
}

/* An exec as root gives all capabilities again, unless these bits are set. */
static enum status end_root_magic(struct error *err)
{
    unsigned long bits =
        SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED;
    if (prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) != 0)
        return error_errno(err, errno, "lock root's capabilities (PR_SET_SECUREBITS)");
    return STATUS_OK;
}

/* What an exec of a file with capabilities could give again. A container may not let us: then it has few. */
static void lower_bounds(uint64_t kept)
{
    for (int i = 0; i < CAPABILITY_COUNT; i++)
        if (!(kept >> i & 1))
            prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
}

enum status privileges_become(uid_t uid, gid_t gid, uint64_t wanted, struct error *err)
{
    lower_bounds(wanted);
    if (uid == 0) {
        enum status status = end_root_magic(err);
        return status != STATUS_OK ? status : keep(wanted, true, err);
    }
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0)
        return error_errno(err, errno, "PR_SET_KEEPCAPS");
    if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0)
        return error_errno(err, errno, "become user %u", (unsigned)uid);
    enum status status = keep(wanted, true, err);
    prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
    return status;
}
