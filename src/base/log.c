/* log.c - see log.h. */
#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/utf8.h"

/* POSIX keeps writes up to PIPE_BUF whole; a longer line is cut there, at a character. */
#define LOG_LINE_MAX 4096

static const char *const LEVEL_NAMES[] = {"debug", "info", "warn", "error"};
static const char *const FORMAT_NAMES[] = {"logfmt", "json"};

static enum log_level log_threshold = LOG_INFO;
static enum log_format log_shape = LOG_LOGFMT;
static char log_role[24] = "main";
static atomic_uint_fast64_t log_dropped;

static int index_of(const char *name, const char *const *names, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

int log_level_parse(const char *name)
{
    return index_of(name, LEVEL_NAMES, 4);
}

int log_format_parse(const char *name)
{
    return index_of(name, FORMAT_NAMES, 2);
}

void log_init(enum log_level level, enum log_format format, const char *role)
{
    log_threshold = level;
    log_shape = format;
    utf8_clean(log_role, sizeof log_role, role);
}

int log_enabled(enum log_level level)
{
    return level >= log_threshold;
}

static void append_field(struct buffer *line, const char *key, const char *value)
{
    if (log_shape == LOG_JSON) {
        buffer_printf(line, "%s\"%s\":\"", line->length > 1 ? "," : "", key);
        buffer_json_escaped(line, value);
        buffer_text(line, "\"");
        return;
    }
    bool plain = *value != '\0' && strpbrk(value, " \"=\\") == NULL;
    for (const char *c = value; plain && *c; c++)
        plain = (unsigned char)*c > ' ' && (unsigned char)*c < 0x7f;
    buffer_printf(line, plain ? "%s%s=" : "%s%s=\"", line->length ? " " : "", key);
    buffer_json_escaped(line, value);
    if (!plain)
        buffer_text(line, "\"");
}

static void append_time(struct buffer *line)
{
    struct timespec now;
    struct tm utc;
    char text[40], day[24];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text, sizeof text, "%s.%03ldZ", day, now.tv_nsec / 1000000);
    append_field(line, "time", text);
}

/* Write without ever waiting: RWF_NOWAIT where the file supports it, else only if poll(2) says so. */
static bool write_now(const char *data, size_t length)
{
    struct iovec part = {.iov_base = (char *)(uintptr_t)data, .iov_len = length};
    ssize_t written = pwritev2(STDERR_FILENO, &part, 1, -1, RWF_NOWAIT);
    if (written >= 0)
        return true;
    if (errno == EAGAIN)
        return false;
    struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&ready, 1, 0) != 1 || !(ready.revents & POLLOUT))
        return false;
    return write(STDERR_FILENO, data, length) >= 0;
}

static void emit(enum log_level level, const char *message, va_list *fields)
{
    int saved_errno = errno;
    scoped_buffer struct buffer line = {0};
    if (log_shape == LOG_JSON)
        buffer_text(&line, "{");
    append_time(&line);
    append_field(&line, "level", LEVEL_NAMES[level]);
    append_field(&line, "role", log_role);
    append_field(&line, "msg", message);
    const char *key;
    while ((key = va_arg(*fields, const char *)) != NULL)
        append_field(&line, key, va_arg(*fields, const char *));
    uint64_t dropped = atomic_exchange(&log_dropped, 0);
    if (dropped) {
        char count[24];
        snprintf(count, sizeof count, "%" PRIu64, dropped);
        append_field(&line, "dropped_lines", count);
    }
    const char *end = log_shape == LOG_JSON ? "}\n" : "\n";
    if (line.length > LOG_LINE_MAX - 8) {
        end = log_shape == LOG_JSON ? "\"}\n" : "\"\n";
        line.length = LOG_LINE_MAX - 8;
        while (line.length && ((unsigned char)line.data[line.length] & 0xc0) == 0x80)
            line.length--;
    }
    buffer_text(&line, end);
    if (line.failed || !write_now(line.data, line.length))
        atomic_fetch_add(&log_dropped, dropped + 1);
    errno = saved_errno;
}

void log_event(enum log_level level, const char *message, ...)
{
    if (!log_enabled(level))
        return;
    va_list fields;
    va_start(fields, message);
    emit(level, message, &fields);
    va_end(fields);
}

void log_error(enum log_level level, const char *message, const struct error *err)
{
    log_event(level, message, "status", status_label(err->status), "err", err->message, NULL);
}
