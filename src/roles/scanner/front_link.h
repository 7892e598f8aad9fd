/*
 * front_link.h - the scanner's end of its link to the front, which may have been taken over; inside this
 * folder only.
 *
 * One thread sends, and holds no lock while it does: a front that does not read delays nothing but what it is
 * told. Once it has read nothing for long the link is closed, and the keeper replaces the front.
 */
#ifndef ROLES_SCANNER_FRONT_LINK_H
#define ROLES_SCANNER_FRONT_LINK_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

struct scanner;

/** For front_link_start(): a front whose main thread gets no processor for that long serves nobody either. */
#define FRONT_LINK_PATIENCE_MS 5000

/** A link; closed when the last who uses it lets go. */
struct front_link {
    atomic_uint references;
    int fd;
    uint64_t epoch; /* that the keeper calls it by */
};

/** Start the thread that sends. A front that reads nothing from a full link for @patience_ms does not read.
 */
enum status front_link_start(struct scanner *scanner, int patience_ms, struct error *err) must_check;

/** A new link, in place of the one before; @fd becomes its own. The front at its end is told all. */
enum status front_link_replace(struct scanner *scanner, int fd, uint64_t epoch, struct error *err) must_check;

/** The link in use, or NULL; front_link_unref() ends it. */
struct front_link *front_link_ref(struct scanner *scanner);
void front_link_unref(struct front_link *link);
static inline void scoped_front_link_run(struct front_link **link)
{
    front_link_unref(*link);
}
#define scoped_front_link scoped(scoped_front_link_run)

/** @link is broken: where it is the one in use, have the keeper renew it. */
void front_link_lost(struct scanner *scanner, const struct front_link *link);

#endif
