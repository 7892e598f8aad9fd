/*
 * live_swap.c - where a process has swapped pages, for who may not read its pagemap: by mapping, from smaps,
 * which needs no more than maps does. status tells first whether there are any at all: smaps is slow.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "target/live_internal.h"
#include "target/proc_file.h"

static enum status read_file(const struct live *live, const char *name, size_t bytes_max, struct buffer *ret)
{
    char path[48];
    snprintf(path, sizeof path, "task/%d/%s", (int)live->read_tid, name);
    return proc_file_read(live->directory_fd, path, bytes_max, ret, NULL);
}

static bool has_swap(const struct live *live)
{
    scoped_buffer struct buffer text = {0};
    if (read_file(live, "status", PROC_STATUS_BYTES_MAX, &text) != STATUS_OK)
        return true;
    const char *line = strstr(buffer_string(&text), "\nVmSwap:");
    return !line || strtoull(line + strlen("\nVmSwap:"), NULL, 10) != 0;
}

static void log_once(void)
{
    static atomic_flag is_said = ATOMIC_FLAG_INIT;
    if (!atomic_flag_test_and_set(&is_said))
        log_event(LOG_WARN,
                  "pagemap may not be read: resident, swapped and trimmable bytes are absent, and a mapping "
                  "with swapped pages is left unread",
                  "remedy", "grant CAP_DAC_READ_SEARCH", NULL);
}

static enum status read_swapped(struct live *live)
{
    scoped_buffer struct buffer text = {0};
    enum status status = read_file(live, "smaps", PROC_SMAPS_BYTES_MAX, &text);
    if (status == STATUS_OK)
        status = smaps_swapped(text.data ? text.data : "", text.length, &live->swapped, &live->swapped_count,
                               NULL);
    return status;
}

void live_swapped(struct target *target, const struct address_range **ret, size_t *count_ret)
{
    struct live *live = live_of(target);
    if (!live->is_swap_known) {
        live->is_swap_known = true;
        if (live->base.trouble_errno == 0) /* else it was not refused */
            log_once();
        enum status status = has_swap(live) ? read_swapped(live) : STATUS_OK;
        /* what is swapped would be read as if it were not */
        if (status != STATUS_OK && status != STATUS_GONE)
            live_note_trouble(live, EIO, "which of its pages are swapped");
    }
    *ret = live->swapped;
    *count_ret = live->swapped_count;
}
