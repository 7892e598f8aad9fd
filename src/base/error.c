/* error.c - the one error type: rows of STATUS_TABLE and the three functions that write an error. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *label;
    int http_code;
    int exit_code;
} STATUS_ROWS[STATUS_COUNT] = {
#define X(name, label, http, exit_code) [STATUS_##name] = {label, http, exit_code},
    STATUS_TABLE(X)
#undef X
};

const char *status_label(enum status status)
{
    return STATUS_ROWS[status].label;
}

int status_http_code(enum status status)
{
    return STATUS_ROWS[status].http_code;
}

int status_exit_code(enum status status)
{
    return STATUS_ROWS[status].exit_code;
}

enum status error_set(struct error *err, enum status status, const char *format, ...)
{
    if (!err)
        return status;
    va_list args;
    va_start(args, format);
    err->status = status;
    err->os_errno = 0;
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    return status;
}

static enum status status_of_errno(int os_errno)
{
    switch (os_errno) {
    case EPERM:
    case EACCES:
        return STATUS_PERMISSION;
    case ESRCH:
        return STATUS_GONE;
    case ENOMEM:
        return STATUS_NO_MEMORY;
    default:
        return STATUS_SYSTEM;
    }
}

const char *error_remedy(int os_errno)
{
    return os_errno == EMFILE   ? " (raise the limit of open files: LimitNOFILE=, ulimit -n)"
           : os_errno == ENFILE ? " (raise that of the whole machine: sysctl fs.file-max)"
                                : "";
}

enum status error_errno(struct error *err, int os_errno, const char *format, ...)
{
    enum status status = status_of_errno(os_errno);
    if (!err)
        return status;
    va_list args;
    va_start(args, format);
    int used = vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    err->status = status;
    err->os_errno = os_errno;
    if (used >= 0 && (size_t)used < sizeof err->message)
        snprintf(err->message + used, sizeof err->message - (size_t)used, ": %s%s", strerror(os_errno),
                 error_remedy(os_errno));
    return status;
}

enum status error_context(struct error *err, const char *format, ...)
{
    if (!err)
        return STATUS_SYSTEM;
    char inner[sizeof err->message];
    memcpy(inner, err->message, sizeof inner);
    va_list args;
    va_start(args, format);
    int used = vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    if (used >= 0 && (size_t)used < sizeof err->message)
        snprintf(err->message + used, sizeof err->message - (size_t)used, "%.*s",
                 (int)(sizeof err->message - (size_t)used - 1), inner);
    return err->status;
}
