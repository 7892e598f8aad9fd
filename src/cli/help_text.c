/* help_text.c - see help_text.h. */
#include "cli/help_text.h"

#include <string.h>

#define LEFT_WIDTH 30
#define RIGHT_WIDTH (80 - LEFT_WIDTH)

void help_title(FILE *out, const char *title)
{
    fprintf(out, "\n%s\n", title);
}

/* How much of @text goes into one line: up to the last blank that is in time, or a word that is too long. */
static size_t line_length(const char *text)
{
    size_t length = strlen(text);
    if (length <= RIGHT_WIDTH)
        return length;
    for (length = RIGHT_WIDTH; length > 0 && text[length] != ' '; length--)
        ;
    return length > 0 ? length : strcspn(text, " ");
}

void help_row(FILE *out, const char *left, const char *text)
{
    int used = fprintf(out, "  %s", left);
    if (used >= LEFT_WIDTH) {
        fputc('\n', out);
        used = 0;
    }
    while (*text) {
        size_t length = line_length(text);
        fprintf(out, "%*s%.*s\n", used < LEFT_WIDTH ? LEFT_WIDTH - used : 0, "", (int)length, text);
        text += length + strspn(text + length, " ");
        used = 0;
    }
}
