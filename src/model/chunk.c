/* chunk.c - names of the chunk states. */
#include "model/chunk.h"

#include <string.h>

static const struct {
    const char *name;
    bool is_free;
} STATES[CHUNK_STATE_COUNT] = {
#define X(name, label, is_free) [CHUNK_##name] = {label, is_free},
    CHUNK_STATE_TABLE(X)
#undef X
};

const char *chunk_state_name(enum chunk_state state)
{
    return STATES[state].name;
}

bool chunk_state_is_free(enum chunk_state state)
{
    return STATES[state].is_free;
}

int chunk_state_parse(const char *name)
{
    for (int state = 0; state < CHUNK_STATE_COUNT; state++)
        if (strcmp(STATES[state].name, name) == 0)
            return state;
    return -1;
}
