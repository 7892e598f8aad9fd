/*
 * scan_process.h - one scan of one running process, from opening it to its labels: what the scanner does on
 * its schedule, for a dump, and what a one-shot command does.
 */
#ifndef ROLES_SCANNER_SCAN_PROCESS_H
#define ROLES_SCANNER_SCAN_PROCESS_H

#include "allocator/allocator.h"
#include "link/resolver_client.h"

/** What is scanned, and how. */
struct scan_job {
    const char *procfs;
    pid_t pid;
    uint64_t start_time_ticks;        /* 0: whatever process has that pid now */
    uint64_t address_space;           /* proc_stat_address_space(); counts where start_time_ticks does */
    uint64_t timeout_ns;              /* 0: 10 s and 1 s a GiB of its resident memory */
    unsigned threads;                 /* that are wanted to walk it; up to 1: the scan's own is enough */
    struct resolver_client *resolver; /* or NULL: by signature only */
    struct scan_request request;      /* deadline_ns and symbols are set by the scan */
};

/** The time that a scan may take where it was not said: 10 s and 1 s a GiB of resident memory. */
uint64_t scan_timeout_ns(uint64_t resident_bytes);

/** Seconds since 1970 at which a process began that has @ticks in /proc/PID/stat. */
double scan_start_time_seconds(uint64_t ticks);

/**
 * Scan. On success *@ret is the result with pid, start time, resident bytes and the labels comm, exe,
 * allocator and libc_version; snapshot_unref() ends it. Statuses as of allocator_scan(); STATUS_GONE where
 * the process is not the one that was meant, before or after. @allocator gets the name of one that cannot be
 * walked.
 */
enum status scan_process(const struct scan_job *job, char allocator[32], struct snapshot **ret,
                         struct error *err) must_check;

/** Open the process that @job means; the caller closes it. STATUS_GONE where it is another one by now. */
enum status scan_open(const struct scan_job *job, struct target **ret, struct error *err) must_check;

/** The same of a running process that is open. */
enum status scan_live(const struct scan_job *job, struct target *target, char allocator[32],
                      struct snapshot **ret, struct error *err) must_check;

/** The same of a target in which nothing moves; pid, start time and the labels comm and exe are not set. */
enum status scan_frozen(const struct scan_job *job, struct target *target, char allocator[32],
                        struct snapshot **ret, struct error *err) must_check;

#endif
