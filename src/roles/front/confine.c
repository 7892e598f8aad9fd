/* confine.c - see confine.h. */
#include "roles/front/confine.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "link/landlock.h"
#include "link/sandbox.h"

/* twice four files: as they are named, and where links lead to */
#define PLACES_MAX 8

/* Of the web configuration's files. */
struct places {
    char *names[PLACES_MAX];
    size_t count;
};

static void add_place(void *context, const char *directory)
{
    struct places *places = context;
    if (places->count < PLACES_MAX && (places->names[places->count] = strdup(directory)) != NULL)
        places->count++;
}

static void places_deinit(struct places *places)
{
    for (size_t i = 0; i < places->count; i++)
        free(places->names[i]);
}

enum status front_confine(const struct front *front, struct error *err)
{
    scoped(places_deinit) struct places places = {0};
    bool is_enforced;
    web_directories(front->web, add_place, &places);
    enum status status = landlock_enter((const char *const *)places.names, places.count, &is_enforced, err);
    log_event(LOG_DEBUG, "landlock", "is_enforced", is_enforced ? "yes" : "no", NULL);
    return status == STATUS_OK ? sandbox_enter(ROLE_FRONT, err) : status;
}
