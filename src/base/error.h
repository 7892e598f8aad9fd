/*
 * error.h - the one error type.
 *
 * A function that can fail returns enum status; the detail (what, where, the remedy) is written once, by
 * the function that saw the failure, into the caller's struct error. Layers above may put their context in
 * front (error_context) and otherwise pass it on. Success leaves the error untouched; failure leaves the
 * function's outputs untouched. A status that a caller is meant to handle is named in the header comment
 * of the function that returns it.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdint.h>

/*
 * One row a kind of failure: name, label (metrics and JSON code), HTTP code, exit code of a one-shot command.
 */
#define STATUS_TABLE(X)                                                                                     \
    X(OK, "ok", 200, 0)                                                                                     \
    X(SYSTEM, "error", 503, 1)                      /* a system call failed for a reason of its own */      \
    X(NO_MEMORY, "error", 503, 1)                   /* we are out of memory */                              \
    X(FAULT, "error", 503, 1)                       /* target memory could not be read */                   \
    X(BAD_DATA, "error", 503, 1)                    /* a file or message is not what it must be */          \
    X(NOT_FOUND, "not_found", 404, 1)               /* what was asked for does not exist */                 \
    X(GONE, "process_ended", 410, 4)                /* the process ended or exec'ed */                      \
    X(NO_PROCESS, "not_found", 404, 4)              /* there never was such a process, as far as we know */ \
    X(PERMISSION, "no_permission", 403, 3)          /* the kernel refuses to let us read the process */     \
    X(UNSUPPORTED, "unsupported_allocator", 415, 5) /* no glibc malloc in it */                             \
    X(TIMEOUT, "unavailable", 503, 1)               /* the time given ran out */                            \
    X(INCONSISTENT, "unavailable", 503, 1)          /* the heap moved too fast to get one picture of it */  \
    X(TRACED, "unavailable", 503, 1)                /* another tracer holds the process */                  \
    X(TOO_LARGE, "heap_too_large", 413, 1)          /* beyond a configured limit */                         \
    X(BUSY, "too_many_stops", 429, 1)               /* it was stopped for another request a moment ago */   \
    X(USAGE, "bad_parameter", 400, 2)               /* a flag, a parameter or a configuration is wrong */   \
    X(NOT_SELECTED, "not_selected", 404, 1)         /* exists, but the configuration does not select it */  \
    X(STOPPED, "ok", 200, 0)                        /* a sink asked the walk to end: not a failure */

enum status {
#define X(name, label, http, exit_code) STATUS_##name,
    STATUS_TABLE(X)
#undef X
        STATUS_COUNT
};

#define must_check __attribute__((warn_unused_result))

/** What went wrong. @status as returned; @os_errno the errno behind it or 0; @message one line for a person.
 */
struct error {
    enum status status;
    int os_errno;
    char message[320];
};

/** Label, HTTP code and exit code of a status, from STATUS_TABLE. */
const char *status_label(enum status status);
int status_http_code(enum status status);
int status_exit_code(enum status status);

/** Record a failure; returns @status, so that an origin reads `return error_set(err, …)`. @err may be NULL.
 */
enum status error_set(struct error *err, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/**
 * Record a failed system call: the text of @os_errno and its remedy are appended. EPERM and EACCES become
 * STATUS_PERMISSION, ESRCH STATUS_GONE, ENOMEM STATUS_NO_MEMORY, anything else STATUS_SYSTEM.
 */
enum status error_errno(struct error *err, int os_errno, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** What a person can do about @os_errno, where the cause is ours alone: " (raise …)", else "". error_errno()
 * appends it. */
const char *error_remedy(int os_errno);

/** Put context ("pid 12: ") in front of the message of a recorded error. Returns its status. */
enum status error_context(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
