/* front_link.c - see front_link.h. */
#include "roles/scanner/front_link.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "link/link.h"
#include "roles/scanner/report.h"

#define AGAIN_MS 100

void front_link_unref(struct front_link *link)
{
    if (!link || atomic_fetch_sub(&link->references, 1) != 1)
        return;
    close(link->fd);
    free(link);
}

/* The lock is held. */
static struct front_link *ref(struct scanner *scanner)
{
    if (scanner->front)
        atomic_fetch_add(&scanner->front->references, 1);
    return scanner->front;
}

struct front_link *front_link_ref(struct scanner *scanner)
{
    pthread_mutex_lock(&scanner->lock);
    struct front_link *link = ref(scanner);
    pthread_mutex_unlock(&scanner->lock);
    return link;
}

enum status front_link_replace(struct scanner *scanner, int fd, uint64_t epoch, struct error *err)
{
    struct front_link *link = malloc(sizeof *link);
    if (!link) {
        close(fd);
        return error_set(err, STATUS_NO_MEMORY, "no memory for a link");
    }
    atomic_init(&link->references, 1);
    link->fd = fd;
    link->epoch = epoch;
    pthread_mutex_lock(&scanner->lock);
    struct front_link *old = scanner->front;
    scanner->front = link;
    report_all(scanner);
    pthread_mutex_unlock(&scanner->lock);
    front_link_unref(old);
    return STATUS_OK;
}

void front_link_lost(struct scanner *scanner, const struct front_link *link)
{
    struct message_peer lost = {.epoch = link->epoch};
    struct error err = {0};
    struct front_link *in_use = NULL;
    pthread_mutex_lock(&scanner->lock);
    if (scanner->front == link)
        in_use = take_ptr(scanner->front);
    pthread_mutex_unlock(&scanner->lock);
    if (!in_use)
        return;
    front_link_unref(in_use);
    if (scanner_tell_keeper(scanner, MESSAGE_UNLINKED, &lost, &err) != STATUS_OK)
        log_error(LOG_WARN, "the keeper could not be told", &err);
}

/* What it needs of memory and descriptors may come back in a moment. */
static enum status send(const struct front_link *link, const struct letter *letter, int patience_ms,
                        struct error *err)
{
    uint64_t limit_ns = clock_monotonic_ns() + (uint64_t)patience_ms * NS_PER_MS;
    for (;;) {
        enum status status = link_send(link->fd, letter->kind, letter_body(letter), letter->extra,
                                       letter->extra_length, -1, patience_ms, err);
        if ((status != STATUS_SYSTEM && status != STATUS_NO_MEMORY) || clock_monotonic_ns() > limit_ns)
            return status;
        nanosleep(&(struct timespec){.tv_nsec = AGAIN_MS * (long)NS_PER_MS}, NULL);
    }
}

/* Wait until there is something to tell and a front to tell it to. */
static enum status await_letter(struct scanner *scanner, struct letter *letter, struct front_link **link,
                                struct error *err)
{
    enum status status = STATUS_NOT_FOUND;
    pthread_mutex_lock(&scanner->lock);
    for (;;) {
        if (scanner->front)
            status = untold_next(scanner, letter, err);
        if (status != STATUS_NOT_FOUND)
            break;
        pthread_cond_wait(&scanner->is_untold, &scanner->lock);
    }
    *link = ref(scanner);
    pthread_mutex_unlock(&scanner->lock);
    return status;
}

static void *run(void *context)
{
    struct scanner *scanner = context;
    for (;;) {
        struct letter letter scoped_letter = {0};
        scoped_front_link struct front_link *link = NULL;
        struct error err = {0};
        enum status status = await_letter(scanner, &letter, &link, &err);
        if (status == STATUS_OK)
            status = send(link, &letter, scanner->front_patience_ms, &err);
        bool is_left_out = status == STATUS_TOO_LARGE && letter.kind != MESSAGE_NONE;
        if (status != STATUS_OK && status != STATUS_GONE)
            log_error(LOG_WARN, "the front could not be told", &err);
        if (status != STATUS_OK && !is_left_out)
            front_link_lost(scanner, link);
    }
    return NULL;
}

enum status front_link_start(struct scanner *scanner, int patience_ms, struct error *err)
{
    scanner->front_patience_ms = patience_ms;
    pthread_t thread;
    int code = pthread_create(&thread, NULL, run, scanner);
    if (code != 0)
        return error_errno(err, code, "start the thread that tells the front");
    pthread_detach(thread);
    return STATUS_OK;
}
