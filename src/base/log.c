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

/* POSIX keeps writes up to PIPE_BUF whole: values are cut to stay below, with room for the fields of all
 * lines. */
#define LOG_LINE_MAX 4096u
#define LOG_VALUES_MAX (LOG_LINE_MAX - 256u)
#define CUT_MARK "..."

static const char *const LEVEL_NAMES[] = {"debug", "info", "warn", "error"};
static const char *const FORMAT_NAMES[] = {"logfmt", "json"};

static enum log_level log_threshold = LOG_INFO;
static enum log_format log_shape = LOG_LOGFMT;
static char log_role[24] = "main";
static atomic_uint_fast64_t log_dropped;
static atomic_bool log_is_torn; /* the last line went out in part: the next begins with a line's end */

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

/* The longest part of escaped text that has at most @most bytes and ends behind a character or an escape. */
static size_t cut_length(const char *text, size_t length, size_t most)
{
    size_t at = 0;
    for (;;) {
        size_t step = at >= length          ? 0
                      : text[at] != '\\'    ? utf8_sequence_length(text + at, length - at)
                      : text[at + 1] == 'u' ? 6
                                            : 2;
        if (step == 0 || at + step > most)
            return at;
        at += step;
    }
}

static void append_value(struct buffer *line, const char *value)
{
    size_t begin = line->length, most = LOG_VALUES_MAX > begin ? LOG_VALUES_MAX - begin : 0;
    buffer_json_escaped(line, value);
    if (line->length - begin <= most)
        return;
    line->length = begin + cut_length(line->data + begin, line->length - begin, most);
    buffer_text(line, CUT_MARK);
}

static void append_field(struct buffer *line, const char *key, const char *value)
{
    if (log_shape == LOG_JSON) {
        buffer_printf(line, "%s\"%s\":\"", line->length > 1 ? "," : "", key);
        append_value(line, value);
        buffer_text(line, "\"");
        return;
    }
    bool plain = *value != '\0' && strpbrk(value, " \"=\\") == NULL;
    for (const char *c = value; plain && *c; c++)
        plain = (unsigned char)*c > ' ' && (unsigned char)*c < 0x7f;
    buffer_printf(line, plain ? "%s%s=" : "%s%s=\"", line->length ? " " : "", key);
    append_value(line, value);
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
static ssize_t write_now(const char *data, size_t length)
{
    struct iovec part = {.iov_base = (char *)(uintptr_t)data, .iov_len = length};
    ssize_t written = pwritev2(STDERR_FILENO, &part, 1, -1, RWF_NOWAIT);
    if (written >= 0 || errno == EAGAIN)
        return written;
    struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&ready, 1, 0) != 1 || !(ready.revents & POLLOUT))
        return -1;
    return write(STDERR_FILENO, data, length);
}

/* One line; false: nothing of it went out. A socket may take a part of it. */
static bool write_line(const struct buffer *line)
{
    if (atomic_load(&log_is_torn)) {
        if (write_now("\n", 1) != 1)
            return false;
        atomic_store(&log_is_torn, false);
    }
    ssize_t written = write_now(line->data, line->length);
    if (written > 0 && (size_t)written < line->length)
        atomic_store(&log_is_torn, true);
    return written > 0;
}

/* Put the line together and write it; false: it is lost, and what was lost before is still to be said. */
static bool emit(enum log_level level, const char *message, va_list *fields)
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
    while (fields && (key = va_arg(*fields, const char *)) != NULL && line.length < LOG_VALUES_MAX)
        append_field(&line, key, va_arg(*fields, const char *));
    uint64_t dropped = atomic_exchange(&log_dropped, 0);
    if (dropped)
        buffer_printf(
            &line, log_shape == LOG_JSON ? ",\"dropped_lines\":\"%" PRIu64 "\"" : " dropped_lines=%" PRIu64,
            dropped);
    buffer_text(&line, log_shape == LOG_JSON ? "}\n" : "\n");
    bool is_written = !line.failed && write_line(&line);
    if (!is_written)
        atomic_fetch_add(&log_dropped, dropped);
    errno = saved_errno;
    return is_written;
}

void log_event(enum log_level level, const char *message, ...)
{
    if (!log_enabled(level))
        return;
    va_list fields;
    va_start(fields, message);
    if (!emit(level, message, &fields))
        atomic_fetch_add(&log_dropped, 1);
    va_end(fields);
}

void log_report_dropped(void)
{
    if (atomic_load(&log_dropped) > 0)
        emit(LOG_WARN, "lines of the log were lost: whoever reads it did not, or its disk is full", NULL);
}

void log_lines(enum log_level level, const char *message, const char *text)
{
    while (*text) {
        char line[1024];
        size_t length = strcspn(text, "\n");
        snprintf(line, sizeof line, "%.*s", (int)length, text);
        if (length > 0)
            log_event(level, message, "error", line, NULL);
        text += length + (text[length] == '\n');
    }
}

void log_error(enum log_level level, const char *message, const struct error *err)
{
    log_event(level, message, "status", status_label(err->status), "err", err->message, NULL);
}
