/* facts.h - what matching and naming both make of a process: its executable's name, its cgroups' paths. */
#ifndef CONFIG_FACTS_H
#define CONFIG_FACTS_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"

/** A part of a text of the caller's. */
struct facts_part {
    const char *text;
    size_t length;
};

/** @text, "" for NULL. */
static inline const char *facts_text(const char *text)
{
    return text ? text : "";
}

/** argv[0]; of a process without argv its comm. */
const char *facts_exe(const struct process_facts *facts);

/** The base name of @path as Go's filepath.Base(): without slashes at its end; "/" of slashes alone, "." of
 * "". */
struct facts_part facts_base(const char *path);

/** The path of the next line of /proc/PID/cgroup at *@at, which moves behind it; false: no more. */
bool facts_next_cgroup(const char **at, struct facts_part *ret);

#endif
