/* resolver_fixture.h - what tests of the resolver share: a real one, and files to ask it about. */
#ifndef LIVE_RESOLVER_FIXTURE_H
#define LIVE_RESOLVER_FIXTURE_H

#include "link/resolver_client.h"
#include "roles/resolver/resolver.h"
#include "symbols/symbols.h"

/** Real resolvers, one at a time. */
extern struct forked_helper resolver;

/** The C library that this process runs with. */
struct module {
    uint64_t bias;
    char path[256];
    struct symbols_wanted id;
};

/** Open it, the caller's; skips the test where there is none. */
int open_libc(struct module *module);

/** Where the debug file of @libc lies; skips the test where it is not installed. */
void debug_file_of(const struct module *libc, char path[400]);

/** Ask for the heap's places in the file @fd (-1: none) with the build-id of @id (NULL: none). */
enum status ask(struct resolver_client *client, int fd, const struct symbols_wanted *id,
                struct symbol_answer *ret);

#endif
