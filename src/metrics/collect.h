/* collect.h - the collectors that the catalogue's rows name: collect_NAME(source, sink). */
#ifndef METRICS_COLLECT_H
#define METRICS_COLLECT_H

#include "metrics/catalogue.h"

/*
 * One row a metric: name, collector, type, unit, scope, labels, help.
 */
#define LABELS(...) \
    {               \
        __VA_ARGS__ \
    }
#define METRIC_TABLE(X)                                                                                      \
    X(malloc_up, up, GAUGE, "", PROCESS, LABELS(NULL), "Whether the last scan of the process succeeded.")    \
    X(malloc_last_scan_failure, failure, GAUGE, "", PROCESS, LABELS("reason"),                               \
      "Why the last scan failed; 1 while malloc_up is 0.")                                                   \
    X(malloc_process_info, process_info, INFO, "", PROCESS,                                                  \
      LABELS("comm", "exe", "allocator", "libc_version", "found_by", "unit", "container_id", "pod_uid"),     \
      "What the process is and how its heap was found.")                                                     \
    X(malloc_last_scan_mode, mode, GAUGE, "", PROCESS, LABELS("mode", "why"),                                \
      "Consistency that the last scan really had, and why; always 1.")                                       \
    X(malloc_chunks, chunks, GAUGE, "", PROCESS, LABELS("state"), "Chunks by state.")                        \
    X(malloc_chunk_bytes, chunk_bytes, GAUGE, "bytes", PROCESS, LABELS("state"),                             \
      "Bytes of chunks by state, headers included.")                                                         \
    X(malloc_active_bytes, active, GAUGE, "bytes", PROCESS, LABELS(NULL),                                    \
      "Bytes handed to the program: in_use and mmapped.")                                                    \
    X(malloc_free_bytes, free, GAUGE, "bytes", PROCESS, LABELS(NULL),                                        \
      "Bytes of chunks that malloc holds free, top included.")                                               \
    X(malloc_system_bytes, system, GAUGE, "bytes", PROCESS, LABELS(NULL),                                    \
      "Bytes that the arenas have from the system.")                                                         \
    X(malloc_overhead_bytes, overhead, GAUGE, "bytes", PROCESS, LABELS(NULL),                                \
      "Bytes of headers, fenceposts, alignment and gaps in the heaps.")                                      \
    X(malloc_unread_bytes, unread, GAUGE, "bytes", PROCESS, LABELS(NULL),                                    \
      "Bytes of the heaps that the last scan could not read.")                                               \
    X(malloc_last_scan_complete, complete, GAUGE, "", PROCESS, LABELS(NULL),                                 \
      "Whether the last scan read everything; else counts and bytes are lower bounds.")                      \
    X(malloc_resident_bytes, resident, GAUGE, "bytes", PROCESS, LABELS(NULL),                                \
      "Bytes of the heaps and mmapped chunks that are in memory.")                                           \
    X(malloc_swapped_bytes, swapped, GAUGE, "bytes", PROCESS, LABELS(NULL),                                  \
      "Bytes of the heaps and mmapped chunks that are in swap.")                                             \
    X(malloc_free_resident_bytes, free_resident, GAUGE, "bytes", PROCESS, LABELS(NULL),                      \
      "Bytes of whole pages inside free chunks that are in memory.")                                         \
    X(malloc_free_swapped_bytes, free_swapped, GAUGE, "bytes", PROCESS, LABELS(NULL),                        \
      "Bytes of whole pages inside free chunks that are in swap.")                                           \
    X(malloc_trimmable_bytes, trimmable, GAUGE, "bytes", PROCESS, LABELS(NULL),                              \
      "Resident bytes that malloc_trim(0) would release, at least.")                                         \
    X(malloc_largest_free_chunk_bytes, largest, GAUGE, "bytes", PROCESS, LABELS(NULL),                       \
      "Size of the largest chunk in unsorted, small and large bins.")                                        \
    X(malloc_fragmentation_ratio, fragmentation, GAUGE, "ratio", PROCESS, LABELS(NULL),                      \
      "Share of binned bytes that lie outside each arena's largest binned chunk.")                           \
    X(malloc_unused_ratio, unused, GAUGE, "ratio", PROCESS, LABELS(NULL),                                    \
      "Free bytes divided by system bytes.")                                                                 \
    X(malloc_arenas, arenas, GAUGE, "", PROCESS, LABELS(NULL), "Arenas.")                                    \
    X(malloc_heaps, heaps, GAUGE, "", PROCESS, LABELS(NULL),                                                 \
      "Heap segments of the arenas and contiguous runs of the main heap.")                                   \
    X(malloc_tcaches, tcaches, GAUGE, "", PROCESS, LABELS(NULL), "Thread caches found.")                     \
    X(malloc_tcaches_missing, tcaches_missing, GAUGE, "", PROCESS, LABELS(NULL),                             \
      "Threads whose cache was not found.")                                                                  \
    X(malloc_chunk_size_bytes, sizes, HISTOGRAM, "bytes", PROCESS, LABELS("use"), "Chunks by size.")         \
    X(malloc_corrupt_chunks, corrupt, GAUGE, "", PROCESS, LABELS(NULL),                                      \
      "Places where a chain, size or list of the heap is broken.")                                           \
    X(malloc_reconciled, reconciled, GAUGE, "", PROCESS, LABELS("check"),                                    \
      "Whether what was walked agrees with the allocator's own books.")                                      \
    X(malloc_reconcile_difference_bytes, difference, GAUGE, "bytes", PROCESS, LABELS("check"),               \
      "By how much what was walked differs from the books.")                                                 \
    X(malloc_arenas_limit, arenas_limit, GAUGE, "", PROCESS, LABELS(NULL),                                   \
      "Limit on arenas, where one is set.")                                                                  \
    X(malloc_mmap_threshold_bytes, mmap_threshold, GAUGE, "bytes", PROCESS, LABELS(NULL),                    \
      "Size from which a request gets a mapping of its own.")                                                \
    X(malloc_trim_threshold_bytes, trim_threshold, GAUGE, "bytes", PROCESS, LABELS(NULL),                    \
      "Size of top above which free() gives memory back.")                                                   \
    X(malloc_system_peak_bytes, peak, GAUGE, "bytes", PROCESS, LABELS(NULL),                                 \
      "Sum of the most bytes that each arena ever had.")                                                     \
    X(malloc_process_resident_memory_bytes, rss, GAUGE, "bytes", PROCESS, LABELS(NULL),                      \
      "Resident memory of the process.")                                                                     \
    X(malloc_process_start_time_seconds, start_time, GAUGE, "seconds", PROCESS, LABELS(NULL),                \
      "Start time of the process since the epoch.")                                                          \
    X(malloc_last_scan_timestamp_seconds, timestamp, GAUGE, "seconds", PROCESS, LABELS(NULL),                \
      "When the last successful scan ended, since the epoch.")                                               \
    X(malloc_last_scan_duration_seconds, duration, GAUGE, "seconds", PROCESS, LABELS(NULL),                  \
      "Duration of the last scan.")                                                                          \
    X(malloc_last_scan_pause_seconds, pause, GAUGE, "seconds", PROCESS, LABELS(NULL),                        \
      "How long the last scan stopped the process in all.")                                                  \
    X(malloc_last_scan_max_pause_seconds, max_pause, GAUGE, "seconds", PROCESS, LABELS(NULL),                \
      "The longest single stop of the last scan.")                                                           \
    X(malloc_arena_system_bytes, arena_system, GAUGE, "bytes", PROCESS, LABELS("arena"),                     \
      "Bytes that the arena has from the system.")                                                           \
    X(malloc_arena_active_bytes, arena_active, GAUGE, "bytes", PROCESS, LABELS("arena"),                     \
      "Bytes of the arena handed to the program.")                                                           \
    X(malloc_arena_free_bytes, arena_free, GAUGE, "bytes", PROCESS, LABELS("arena"),                         \
      "Free bytes of the arena.")                                                                            \
    X(malloc_arena_free_resident_bytes, arena_free_resident, GAUGE, "bytes", PROCESS, LABELS("arena"),       \
      "Bytes of whole pages inside the arena's free chunks that are in memory.")                             \
    X(malloc_arena_heaps, arena_heaps, GAUGE, "", PROCESS, LABELS("arena"), "Heap segments of the arena.")   \
    X(malloc_arena_attached_threads, arena_threads, GAUGE, "", PROCESS, LABELS("arena"),                     \
      "Threads attached to the arena.")                                                                      \
    X(malloc_scans_total, scans, COUNTER, "", GROUP, LABELS("result"), "Scans by result.")                   \
    X(malloc_scan_resyncs_total, resyncs, COUNTER, "", GROUP, LABELS(NULL),                                  \
      "Windows read again because the heap moved.")                                                          \
    X(malloc_scan_read_bytes_total, read_bytes, COUNTER, "bytes", GROUP, LABELS(NULL),                       \
      "Bytes read from processes.")                                                                          \
    X(malloc_scan_pause_seconds_total, pauses, COUNTER, "seconds", GROUP, LABELS(NULL),                      \
      "How long scans stopped processes.")                                                                   \
    X(malloc_group_processes, group_processes, GAUGE, "", GROUP, LABELS(NULL), "Processes in the group.")    \
    X(malloc_group_scanned_processes, group_scanned, GAUGE, "", GROUP, LABELS(NULL),                         \
      "Processes in the group whose last scan succeeded.")                                                   \
    X(malloc_scan_interval_seconds, interval, GAUGE, "seconds", GROUP, LABELS(NULL),                         \
      "Interval at which the group is scanned.")                                                             \
    X(malloc_exporter_build_info, build, INFO, "", EXPORTER, LABELS("version"), "Build of the exporter.")    \
    X(malloc_exporter_config_last_reload_successful, reload_ok, GAUGE, "", EXPORTER, LABELS(NULL),           \
      "Whether the last load of the configuration succeeded.")                                               \
    X(malloc_exporter_config_last_reload_success_timestamp_seconds, reload_time, GAUGE, "seconds", EXPORTER, \
      LABELS(NULL), "When the configuration was last loaded with success.")                                  \
    X(malloc_exporter_restarts_total, restarts, COUNTER, "", EXPORTER, LABELS("role"),                       \
      "How often the exporter's own processes died.")                                                        \
    X(malloc_exporter_skipped_processes, skipped, GAUGE, "", EXPORTER, LABELS("reason"),                     \
      "Selected processes that are not scanned.")                                                            \
    X(malloc_exporter_series_left_out, left_out, GAUGE, "", EXPORTER, LABELS(NULL),                          \
      "Series left out because of limits.max_series.")                                                       \
    X(malloc_exporter_scan_lag_seconds, lag, GAUGE, "seconds", EXPORTER, LABELS(NULL),                       \
      "By how much the most overdue scan is late.")                                                          \
    X(malloc_exporter_http_requests_total, requests, COUNTER, "", EXPORTER, LABELS("code", "handler"),       \
      "HTTP requests by code and handler.")                                                                  \
    X(process_cpu_seconds_total, cpu, COUNTER, "seconds", EXPORTER, LABELS(NULL),                            \
      "Total user and system CPU time spent in seconds.")                                                    \
    X(process_open_fds, open_fds, GAUGE, "", EXPORTER, LABELS(NULL), "Number of open file descriptors.")     \
    X(process_max_fds, max_fds, GAUGE, "", EXPORTER, LABELS(NULL),                                           \
      "Maximum number of open file descriptors.")                                                            \
    X(process_virtual_memory_bytes, virtual, GAUGE, "bytes", EXPORTER, LABELS(NULL),                         \
      "Virtual memory size in bytes.")                                                                       \
    X(process_virtual_memory_max_bytes, virtual_max, GAUGE, "bytes", EXPORTER, LABELS(NULL),                 \
      "Maximum amount of virtual memory available in bytes.")                                                \
    X(process_resident_memory_bytes, own_resident, GAUGE, "bytes", EXPORTER, LABELS(NULL),                   \
      "Resident memory size in bytes.")                                                                      \
    X(process_start_time_seconds, own_start, GAUGE, "seconds", EXPORTER, LABELS(NULL),                       \
      "Start time of the process since unix epoch in seconds.")

#define X(name, collector, type, unit, scope, labels, help) \
    void collect_##collector(const struct metric_source *source, struct sample_sink *sink);
METRIC_TABLE(X)
#undef X

#endif
