/* html.c - see html.h. */
#include "roles/front/http/html.h"

void html_text(struct buffer *body, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '<':
            buffer_text(body, "&lt;");
            break;
        case '>':
            buffer_text(body, "&gt;");
            break;
        case '&':
            buffer_text(body, "&amp;");
            break;
        case '"':
            buffer_text(body, "&quot;");
            break;
        case '\'':
            buffer_text(body, "&#39;");
            break;
        default:
            buffer_append(body, text, 1);
        }
    }
}

void html_bytes(struct buffer *body, uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes;
    unsigned unit = 0;
    for (; value >= 1024 && unit < 6; unit++)
        value /= 1024;
    buffer_printf(body, unit && value < 100 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

void html_count(struct buffer *body, uint64_t count, const char *one, const char *many)
{
    buffer_u64(body, count);
    buffer_printf(body, " %s", count == 1 ? one : many);
}
