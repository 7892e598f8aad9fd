/*
 * web.h - the web configuration in force: loaded at start, looked at again when its files change.
 *
 * A request holds the state that it began with. A file that is broken later makes a state that is broken:
 * every request is answered 500 until it is mended, while handshakes go on with the last certificate that was
 * good.
 */
#ifndef ROLES_FRONT_WEB_WEB_H
#define ROLES_FRONT_WEB_WEB_H

#include <stdatomic.h>

#include "roles/front/web/web_config.h"
#include "roles/front/web/web_tls.h"

/** One version of it; immutable. */
struct web_state {
    atomic_uint references;
    struct web_config config; /* empty where broken */
    struct web_tls *tls;      /* NULL: plain HTTP */
    bool is_broken;
};

struct web;

/**
 * Load @file, "" for none: then nothing is on. STATUS_USAGE: it is wrong; lines "FILE:LINE:COLUMN: what" are
 * appended to @problems.
 */
enum status web_new(const char *file, struct web **ret, struct buffer *problems,
                    struct error *err) must_check;
/** NULL is allowed. */
void web_free(struct web *web);

/** The state of now, to be released by web_state_unref(). The files' times are looked at once a second at
 * most. */
struct web_state *web_current(struct web *web);
struct web_state *web_state_ref(struct web_state *state);
/** NULL is allowed. */
void web_state_unref(struct web_state *state);

/** Whether TLS was on at start: it cannot be turned on or off later. */
bool web_has_tls(const struct web *web);

/** Take one request off rate_limit's bucket at @now_ns; false: there is none left. */
bool web_rate_allows(struct web *web, const struct web_state *state, uint64_t now_ns);

/**
 * Each directory that must stay readable for the files of now to be read again: those of the files as they
 * are named, and those that symbolic links lead to. A directory may come more than once.
 */
void web_directories(const struct web *web, void (*visit)(void *context, const char *directory),
                     void *context);

#endif
