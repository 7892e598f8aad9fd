/* completeness.c - see completeness.h. */
#include "model/completeness.h"

static const char *const TEXTS[NOTE_COUNT] = {
#define X(name, text) [NOTE_##name] = text,
    NOTE_TABLE(X)
#undef X
};

const char *note_text(enum note_kind kind)
{
    return TEXTS[kind];
}

void completeness_note(struct completeness *completeness, enum note_kind kind, uint64_t address,
                       uint32_t arena)
{
    if (completeness->notes_count < COMPLETENESS_NOTES_MAX)
        completeness->notes[completeness->notes_count] =
            (struct completeness_note){.address = address, .kind = kind, .arena = arena};
    completeness->notes_count++;
}
