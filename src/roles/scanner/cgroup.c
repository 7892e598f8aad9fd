/* cgroup.c - see cgroup.h. */
#include "roles/scanner/cgroup.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

#define CONTAINER_DIGITS 64
#define POD_LENGTH 36        /* 8-4-4-4-12 */
#define STATIC_POD_LENGTH 32 /* of a pod that kubelet has from a file: a hash */

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length > end_length && strcmp(text + length - end_length, end) == 0;
}

/* The first run of exactly 64 hexadecimal digits. */
static void find_container(const char *component, struct cgroup_names *names)
{
    for (const char *at = component; *at;) {
        size_t run = strspn(at, "0123456789abcdef");
        if (run == CONTAINER_DIGITS)
            snprintf(names->container_id, sizeof names->container_id, "%.*s", (int)run, at);
        at += run;
        at += *at != '\0';
    }
}

/* "pod" and a uid, whose hyphens systemd's naming turns into underscores, or a hash. */
static void find_pod(const char *component, struct cgroup_names *names)
{
    for (const char *at = component; (at = strstr(at, "pod")) != NULL; at += strlen("pod")) {
        char uid[POD_LENGTH + 1];
        size_t length = strspn(at + strlen("pod"), "0123456789abcdef-_");
        bool is_hash =
            length == STATIC_POD_LENGTH && strspn(at + strlen("pod"), "0123456789abcdef") == length;
        if (length != POD_LENGTH && !is_hash)
            continue;
        memcpy(uid, at + strlen("pod"), length);
        uid[length] = '\0';
        for (char *c = uid; *c; c++)
            *c = *c == '_' ? '-' : *c;
        memcpy(names->pod_uid, uid, length + 1);
    }
}

static void take_component(const char *component, struct cgroup_names *names)
{
    char clean[sizeof names->unit];
    utf8_clean(clean, sizeof clean, component);
    if (ends_with(clean, ".service") || (ends_with(clean, ".scope") && !ends_with(names->unit, ".service")))
        memcpy(names->unit, clean, sizeof names->unit);
    find_container(component, names);
    find_pod(component, names);
}

static void take_path(char *path, struct cgroup_names *names)
{
    for (char *component; (component = strsep(&path, "/")) != NULL;)
        if (*component)
            take_component(component, names);
}

void cgroup_parse(const char *text, struct cgroup_names *ret)
{
    *ret = (struct cgroup_names){0};
    while (*text) {
        char line[4096];
        size_t length = strcspn(text, "\n");
        snprintf(line, sizeof line, "%.*s", (int)(length < sizeof line ? length : sizeof line - 1), text);
        text += length;
        text += *text != '\0';
        char *path = strchr(line, ':');
        path = path ? strchr(path + 1, ':') : NULL;
        /* the unified hierarchy, and systemd's own of version 1; others repeat these */
        bool is_wanted =
            strncmp(line, "0:", 2) == 0 || strstr(line, ":name=systemd:") || strstr(line, ":memory:");
        if (path && is_wanted)
            take_path(path + 1, ret);
    }
}
