/* facts.c - see facts.h. */
#include "config/facts.h"

#include <string.h>

const char *facts_exe(const struct process_facts *facts)
{
    return facts->argv0 ? facts->argv0 : facts_text(facts->comm);
}

struct facts_part facts_base(const char *path)
{
    if (*path == '\0')
        path = ".";
    size_t end = strlen(path);
    while (end > 1 && path[end - 1] == '/')
        end--;
    size_t start = end;
    while (start > 0 && path[start - 1] != '/')
        start--;
    if (start == end && end > 0)
        start = end - 1;
    return (struct facts_part){path + start, end - start};
}

bool facts_next_cgroup(const char **at, struct facts_part *ret)
{
    while (**at) {
        const char *line = *at;
        size_t length = strcspn(line, "\n");
        *at = line + length + (line[length] != '\0');
        /* hierarchy:controllers:path */
        const char *path = memchr(line, ':', length);
        path = path ? memchr(path + 1, ':', length - (size_t)(path + 1 - line)) : NULL;
        if (path) {
            *ret = (struct facts_part){path + 1, length - (size_t)(path + 1 - line)};
            return true;
        }
    }
    return false;
}
