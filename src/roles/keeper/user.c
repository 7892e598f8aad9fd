/* user.c - see user.h. */
#include "roles/keeper/user.h"

#include <linux/capability.h>
#include <pwd.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "link/privileges.h"

#define DEFAULT_USER "malloc_exporter"
#define FALLBACK_USER "nobody"

static const struct passwd *find_default(void)
{
    const struct passwd *row = getpwnam(DEFAULT_USER);
    if (row)
        return row;
    row = getpwnam(FALLBACK_USER);
    if (row)
        log_event(LOG_WARN,
                  "there is no user " DEFAULT_USER ": running as another one, which other services "
                  "may run as too",
                  "user", FALLBACK_USER, NULL);
    return row;
}

enum status user_find(const char *name, uid_t *uid_ret, gid_t *gid_ret, struct error *err)
{
    *uid_ret = geteuid();
    *gid_ret = getegid();
    if (geteuid() != 0 && !name)
        return STATUS_OK;
    const struct passwd *row = name ? getpwnam(name) : find_default();
    if (!row)
        return error_set(err, STATUS_USAGE, "--user: there is no user %s", name ? name : FALLBACK_USER);
    if (geteuid() != 0 && row->pw_uid != geteuid())
        return error_set(err, STATUS_USAGE, "--user %s: only root can become another user", name);
    *uid_ret = row->pw_uid;
    *gid_ret = row->pw_gid;
    return STATUS_OK;
}

enum status user_become(uid_t uid, gid_t gid, struct error *err)
{
    const uint64_t wanted = PRIVILEGE(CAP_SYS_PTRACE) | PRIVILEGE(CAP_DAC_READ_SEARCH);
    enum status status =
        geteuid() == 0 ? privileges_become(uid, gid, wanted, err) : privileges_keep_over_exec(wanted, err);
    uint64_t held = privileges_held();
    if (status == STATUS_OK && !(held & PRIVILEGE(CAP_SYS_PTRACE)))
        log_event(LOG_WARN, "CAP_SYS_PTRACE is missing: only processes of our own user may be read", NULL);
    if (status == STATUS_OK && !(held & PRIVILEGE(CAP_DAC_READ_SEARCH)))
        log_event(LOG_WARN,
                  "CAP_DAC_READ_SEARCH is missing: of other users' processes resident, swapped "
                  "and trimmable bytes cannot be known",
                  NULL);
    return status;
}
