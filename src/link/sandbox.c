/* sandbox.c - from the tables to a filter in the kernel. */
#include "link/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "link/sandbox_profiles.h"
#include "link/sandbox_trap.h"

/* Any of them makes an open more than a look. */
static const unsigned OPEN_FLAGS[] = {O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND};

/* libseccomp: with KILL_PROCESS. */
#define SECCOMP_API 3

#define LATER_LENGTH 3 /* instructions of refuse_later_calls() */

static struct sock_fprog programs[ROLE_COUNT];

static void filter_end(scmp_filter_ctx *filter)
{
    if (*filter)
        seccomp_release(*filter);
}

/* Kill where the bits @mask of the argument are @value. */
static int kill_where(scmp_filter_ctx filter, int call, unsigned argument, uint64_t mask, uint64_t value)
{
    return seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, call, 1,
                            SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, mask, value));
}

static int allow_where(scmp_filter_ctx filter, int call, unsigned argument, uint64_t mask, uint64_t value)
{
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
                            SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, mask, value));
}

static int add_read_only(scmp_filter_ctx filter, int call, unsigned argument)
{
    uint64_t all = 0;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof OPEN_FLAGS / sizeof *OPEN_FLAGS; i++) {
        rc = kill_where(filter, call, argument, OPEN_FLAGS[i], OPEN_FLAGS[i]);
        all |= OPEN_FLAGS[i];
    }
    return rc ? rc : allow_where(filter, call, argument, all, 0);
}

static int add_row(scmp_filter_ctx filter, int call, const struct sandbox_row *row)
{
    int rc = 0;
    switch (row->condition) {
    case SANDBOX_READ_ONLY:
        return add_read_only(filter, call, row->argument);
    case SANDBOX_NOT_EXEC:
        rc = kill_where(filter, call, row->argument, PROT_EXEC, PROT_EXEC);
        return rc ? rc : allow_where(filter, call, row->argument, PROT_EXEC, 0);
    case SANDBOX_THREAD:
        rc = kill_where(filter, call, row->argument, CLONE_THREAD, 0);
        return rc ? rc : allow_where(filter, call, row->argument, CLONE_THREAD, CLONE_THREAD);
    case SANDBOX_EQUALS: /* the lower half: libraries pass an int */
        return allow_where(filter, call, row->argument, row->value ? UINT32_MAX : UINT64_MAX, row->value);
    case SANDBOX_NOTHING_ELSE:
        rc = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, call, 1,
                              SCMP_CMP(row->argument, SCMP_CMP_NE, row->value));
        return rc ? rc : allow_where(filter, call, row->argument, UINT64_MAX, row->value);
    case SANDBOX_REFUSED:
        return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), call, 0);
    case SANDBOX_NO_SEEK:
        return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ESPIPE), call, 0);
    default:
        return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
    }
}

static int add_rows(scmp_filter_ctx filter, enum role role)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < SANDBOX_ROWS_COUNT; i++) {
        int call = seccomp_syscall_resolve_name(SANDBOX_ROWS[i].call);
        if (call >= 0 && (SANDBOX_ROWS[i].roles >> role & 1))
            rc = add_row(filter, call, &SANDBOX_ROWS[i]);
    }
    return rc;
}

static bool has_row(enum role role, const char *name, const struct sandbox_row **ret)
{
    for (size_t i = 0; i < SANDBOX_ROWS_COUNT; i++) {
        if (!(SANDBOX_ROWS[i].roles >> role & 1) || strcmp(SANDBOX_ROWS[i].call, name) != 0)
            continue;
        *ret = &SANDBOX_ROWS[i];
        return true;
    }
    return false;
}

/* Names that this machine's architecture lacks are passed over. */
static int add_kills(scmp_filter_ctx filter, enum role role, const char *const *names, size_t count)
{
    int rc = 0;
    const struct sandbox_row *row;
    for (size_t i = 0; rc == 0 && i < count; i++) {
        int call = seccomp_syscall_resolve_name(names[i]);
        if (call >= 0 && !has_row(role, names[i], &row))
            rc = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, call, 0);
    }
    return rc;
}

static bool is_request_allowed(enum role role, uint64_t request)
{
    for (size_t i = 0; i < SANDBOX_ROWS_COUNT; i++)
        if ((SANDBOX_ROWS[i].roles >> role & 1) && strcmp(SANDBOX_ROWS[i].call, "ptrace") == 0 &&
            SANDBOX_ROWS[i].value == request)
            return true;
    return false;
}

/* Requests of ptrace(2) that are not the role's own kill: they lie in two ranges, from 0 and from 0x4200. */
static int add_other_requests(scmp_filter_ctx filter, enum role role)
{
    const struct sandbox_row *row;
    int call = seccomp_syscall_resolve_name("ptrace"), rc = 0;
    if (!has_row(role, "ptrace", &row))
        return 0;
    for (uint64_t i = 0; rc == 0 && i < 64; i++) {
        uint64_t request = i < 32 ? i : 0x4200 + i - 32;
        if (!is_request_allowed(role, request))
            rc = kill_where(filter, call, 0, UINT32_MAX, request);
    }
    return rc;
}

static enum status fill(scmp_filter_ctx filter, enum role role, struct error *err)
{
    int rc = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (rc == 0)
        rc = add_kills(filter, role, SANDBOX_NEVER, SANDBOX_NEVER_COUNT);
    if (rc == 0 && role != ROLE_KEEPER)
        rc = add_kills(filter, role, SANDBOX_HARMFUL, SANDBOX_HARMFUL_COUNT);
    if (rc == 0 && role != ROLE_KEEPER)
        rc = add_rows(filter, role);
    if (rc == 0 && role != ROLE_KEEPER)
        rc = add_other_requests(filter, role);
    if (rc == 0)
        (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree; an old library has none */
    return rc == 0 ? STATUS_OK : error_errno(err, -rc, "make a filter of system calls");
}

/* Goes before what libseccomp makes, which knows calls by name only. */
static void refuse_later_calls(struct sock_filter code[LATER_LENGTH])
{
    const struct sock_filter later[LATER_LENGTH] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, SANDBOX_NEWEST_CALL, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
    };
    memcpy(code, later, sizeof later);
}

/* The filter as the kernel takes it, in memory of ours. */
static enum status write_down(scmp_filter_ctx filter, enum role role, struct sock_fprog *ret,
                              struct error *err)
{
    struct stat stat;
    scoped_fd int memory = memfd_create("filter", MFD_CLOEXEC);
    if (memory < 0)
        return error_errno(err, errno, "memory for a filter of system calls");
    int rc = seccomp_export_bpf(filter, memory);
    if (rc != 0 || fstat(memory, &stat) != 0)
        return error_errno(err, rc ? -rc : errno, "write down a filter of system calls");
    size_t begin = role == ROLE_KEEPER ? 0 : LATER_LENGTH;
    size_t length = (size_t)stat.st_size / sizeof(struct sock_filter);
    scoped_free struct sock_filter *code = calloc(begin + length, sizeof *code);
    if (!code || pread(memory, code + begin, (size_t)stat.st_size, 0) != (ssize_t)stat.st_size)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a filter of system calls");
    if (begin > 0)
        refuse_later_calls(code);
    *ret = (struct sock_fprog){.len = (unsigned short)(begin + length), .filter = code};
    code = NULL;
    return STATUS_OK;
}

enum status sandbox_prepare(enum role role, struct error *err)
{
    if (programs[role].len > 0)
        return STATUS_OK;
    /* what it would find out by seccomp(2), which may be forbidden: since Linux 4.14 */
    if (seccomp_api_get() < SECCOMP_API)
        (void)seccomp_api_set(SECCOMP_API);
    uint32_t otherwise = role == ROLE_KEEPER ? SCMP_ACT_ALLOW : SCMP_ACT_TRAP;
    scoped(filter_end) scmp_filter_ctx filter = seccomp_init(otherwise);
    if (!filter)
        return error_set(err, STATUS_NO_MEMORY, "no memory for a filter of system calls");
    enum status status = fill(filter, role, err);
    return status == STATUS_OK ? write_down(filter, role, &programs[role], err) : status;
}

enum status sandbox_enter(enum role role, struct error *err)
{
    enum status status = sandbox_prepare(role, err);
    if (status != STATUS_OK)
        return status;
    if (role != ROLE_KEEPER && !sandbox_trap_install())
        return error_errno(err, errno, "catch refused system calls");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return error_errno(err, errno, "PR_SET_NO_NEW_PRIVS");
    /* seccomp(2) itself is outside of a service manager's usual filters */
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &programs[role]) != 0)
        return error_errno(err, errno, "filter system calls (seccomp)");
    return STATUS_OK;
}

static bool is_in(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

enum sandbox_verdict sandbox_verdict(enum role role, const char *name)
{
    const struct sandbox_row *row;
    if (is_in(name, SANDBOX_NEVER, SANDBOX_NEVER_COUNT))
        return SANDBOX_KILLS;
    if (role == ROLE_KEEPER)
        return SANDBOX_ALLOWED;
    if (!has_row(role, name, &row))
        return is_in(name, SANDBOX_HARMFUL, SANDBOX_HARMFUL_COUNT) ? SANDBOX_KILLS : SANDBOX_UNKNOWN;
    return row->condition == SANDBOX_ALWAYS ? SANDBOX_ALLOWED : SANDBOX_DEPENDS;
}
