/*
 * log.h - the one way to log: an event (a message that is always the same) with key=value fields, one line to
 * stderr, as logfmt or JSON.
 *
 * A line is written only where stderr takes it at once: a reader that has stopped must never stop a scan.
 * What had to be dropped is counted, and the count ("dropped_lines") is said with the next line that goes
 * through.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/error.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR }; /* least first */
enum log_format { LOG_LOGFMT, LOG_JSON };                    /* of a line */

/** Set once at start, before any thread: what to write, how, and the role's name in each line. */
void log_init(enum log_level level, enum log_format format, const char *role);

/** Whether lines of @level are written. */
int log_enabled(enum log_level level);

/**
 * Write one event. @fields is a list of key, value strings ended by NULL: log_event(LOG_INFO, "scan failed",
 * "pid", "12", "reason", "timeout", NULL). Values may hold any bytes. Safe in threads.
 */
void log_event(enum log_level level, const char *message, ...) __attribute__((sentinel));

/** log_event() with the fields of an error: status label and message. */
void log_error(enum log_level level, const char *message, const struct error *err);

/** log_event() for each line of @text, as "error": a list of problems. */
void log_lines(enum log_level level, const char *message, const char *text);

/** To be called now and then: say how many lines were dropped, where some were and stderr takes one again. */
void log_report_dropped(void);

/** "debug" … "error" and "logfmt", "json" to their values; -1 for anything else. */
int log_level_parse(const char *name);
int log_format_parse(const char *name);

#endif
