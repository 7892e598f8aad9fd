/*
 * messages.h - what the roles say to each other: one fixed struct a kind of message.
 *
 * Both ends are the same binary (exec of /proc/self/exe), so structs travel as they are; link.h frames them,
 * checks version, kind and length, and carries descriptors. Every string in a message is NUL-terminated
 * inside its array; the receiver checks that, as it checks every number, before use: a peer may have been
 * taken over.
 */
#ifndef LINK_MESSAGES_H
#define LINK_MESSAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "model/dump_format.h"
#include "model/question.h"
#include "snapshot/outcome.h"
#include "snapshot/snapshot.h"

#define LINK_VERSION 1

/** Constant labels of a group: no configuration holds more text. */
#define LABELS_BYTES_MAX (1024 * 1024)
/** A snapshot: beyond, whatever it says of its length. */
#define SNAPSHOT_BYTES_MAX (32 * 1024 * 1024)

/*
 * Kind, its struct, how many bytes may follow it at most, whether a descriptor may come along; who sends it
 * to whom. Whoever receives more refuses it (link.h).
 */
#define MESSAGE_TABLE(X)                                                                                     \
    X(PING, struct message_empty, 0, false)       /* keeper -> front, scanner: answer with PONG */           \
    X(PONG, struct message_empty, 0, false)       /* front, scanner -> keeper */                             \
    X(PEER, struct message_peer, 0, true)         /* keeper -> front, scanner: the new other end */          \
    X(START, struct message_start, 0, false)      /* keeper -> front, scanner: first of all */               \
    X(LISTENER, struct message_listener, 0, true) /* keeper -> front: after START */                         \
    X(READY, struct message_empty, 0, false)      /* front, scanner -> keeper: started */                    \
    X(CONFIG, struct message_config, 0, true)     /* keeper -> scanner: memfd of the YAML */                 \
    X(CONFIG_RESULT, struct message_config_result, 0, false) /* scanner -> keeper, keeper -> front */        \
    X(RELOAD, struct message_empty, 0, false)                /* front -> keeper: asked for over HTTP */      \
    X(RESTARTS, struct message_restarts, 0, false)          /* keeper -> front: how often roles restarted */ \
    X(USAGE, struct message_usage, 0, false)                /* keeper -> front: each second */               \
    X(SCAN_BEGIN, struct message_process_id, 0, false)      /* scanner -> keeper: before each scan */        \
    X(SCAN_END, struct message_process_id, 0, false)        /* scanner -> keeper */                          \
    X(SCAN_STUCK, struct message_process_id, 0, false)      /* scanner -> keeper, then it ends */            \
    X(QUARANTINE, struct message_quarantine, 0, false)      /* keeper -> scanner: how to treat it */         \
    X(WANT_HOLDER, struct message_want, 0, false)           /* scanner -> keeper */                          \
    X(WANT_RESOLVER, struct message_want, 0, false)         /* scanner -> keeper */                          \
    X(HELPER, struct message_want, 0, true)                 /* keeper -> scanner: its socket, or none */     \
    X(SETTINGS, struct message_settings, 0, false)          /* scanner -> front: of the configuration */     \
    X(GROUP, struct message_group, LABELS_BYTES_MAX, false) /* scanner -> front */                           \
    X(GROUP_GONE, struct message_group_gone, 0, false)      /* scanner -> front: its ttl ended, or reload */ \
    X(PROCESS, struct message_process, SNAPSHOT_BYTES_MAX, false) /* scanner -> front: latest result */      \
    X(PROCESS_GONE, struct message_process_gone, 0, false) /* scanner -> front: ended, or not selected */    \
    X(ROUND, struct message_round, 0, false)               /* scanner -> front: after each discovery */      \
    X(STREAM_REQUEST, struct message_stream, 0, true)      /* front -> scanner: a dump into that pipe */     \
    X(STREAM_REPLY, struct message_stream_reply, 0, false) /* scanner -> front: it begins, or why not */     \
    X(STREAM_END, struct message_stream_reply, 0, false)   /* scanner -> front: how it ended */              \
    X(UNLINKED, struct message_peer, 0, false)             /* front, scanner -> keeper: a PEER is lost */    \
    X(LEDGER, struct message_empty, 0, true) /* keeper -> scanner: link/ledger.h, before CONFIG */

struct message_empty { /* of kinds that say all by their name */
    uint32_t reserved;
};

/** The peer of a pair, new or lost; @epoch rises with each. */
struct message_peer {
    uint64_t epoch;
};

/** What a role needs to know from the command line. */
struct message_start {
    int32_t keeper_pid;
    uint32_t log_level;
    uint32_t log_format;
    uint32_t enable_lifecycle; /* --web.enable-lifecycle */
    uint32_t max_requests;     /* --web.max-requests */
    uint32_t listener_count;   /* LISTENER messages that follow */
    double start_time_seconds; /* of the keeper, since 1970 */
    char procfs[256];
    char telemetry_path[256];
    char web_config_file[4096]; /* "" for none */
    char web_config_reserved[8];
};

struct message_listener {
    uint32_t is_unix;
    uint32_t reserved;
    char address[256]; /* as it was given, for messages */
};

struct message_config {
    uint64_t length_bytes; /* of the memfd */
    uint32_t is_reload;
    uint32_t is_default; /* there is no file: no memfd contents */
    char file[1024];
};

struct message_config_result {
    uint32_t is_ok;
    uint32_t is_reload;
    double at_seconds; /* since 1970 */
    char message[512]; /* the first problem */
};

enum role { ROLE_KEEPER, ROLE_FRONT, ROLE_SCANNER, ROLE_RESOLVER, ROLE_HOLDER, ROLE_COUNT }; /* processes */

/** Of holder and resolver, which are started for each task: how many a signal has ended. */
struct message_restarts {
    uint64_t counts[ROLE_COUNT];
};

/** Sums over the keeper and its children. */
struct message_usage {
    uint64_t cpu_ns; /* ended children included */
    uint64_t virtual_bytes;
    uint64_t resident_bytes;
};

/**
 * @address_space tells one program from the next after an exec (proc_stat_address_space). @in_discovery: it
 * was not its heap that was read, but what /proc tells of it.
 */
struct message_process_id {
    int32_t pid;
    uint32_t in_discovery;
    uint64_t start_time_ticks;
    uint64_t address_space;
};

struct message_quarantine {
    struct message_process_id process;
    uint64_t until_ns;   /* CLOCK_MONOTONIC, the same in all roles; 0: it is not left alone */
    uint32_t failure;    /* enum failure: CRASHED or TIMEOUT */
    uint32_t is_suspect; /* a scanner died in a scan of it */
};

/** @sequence tells answers apart. HELPER without a descriptor: it could not be started. */
struct message_want {
    uint64_t sequence;
    uint32_t role; /* enum role */
    uint32_t reserved;
};

/** What the front needs of the configuration. */
struct message_settings {
    uint32_t api_access; /* enum api_access of config/config.h */
    uint32_t api_memory;
    uint32_t max_streams;
    uint32_t max_series;
    uint32_t per_arena;
    uint32_t max_arenas;
    uint32_t size_histogram;
    uint32_t residency;
    uint64_t stream_timeout_ns;
    uint64_t group_ttl_ns;
};

/**
 * A group. Behind the struct: its constant labels as NUL-terminated name, value, name, value …
 */
struct message_group {
    char name[256];
    uint64_t interval_ns; /* effective, of its entry */
    uint32_t processes;
    uint32_t scanned;
    uint32_t identify_by; /* enum identify_by */
    uint32_t labels_count;
    uint32_t is_templated;
    uint32_t reserved;
    struct group_counters totals; /* since the service began, or the group */
};

struct message_group_gone { /* a group that has ended, and its counters with it */
    char name[256];
};

/**
 * The latest of one process. Behind the struct: one struct snapshot. In state OK all of it is set; else only
 * pid, start time, resident bytes, labels and timing (of the last attempt; end_realtime_ns of the last
 * success).
 */
struct message_process {
    uint64_t valid_until_ns; /* CLOCK_MONOTONIC: beyond it the front calls it stale */
    uint64_t address_space;  /* as in struct message_process_id */
    uint32_t state;          /* enum process_state */
    uint32_t failure;        /* enum failure */
    uint32_t failure_status; /* enum status behind it: for HTTP codes */
    uint32_t reserved;
    char message[320]; /* of the failure */
    char group[256];
};

struct message_process_gone {
    int32_t pid;
    uint32_t has_ended; /* 0: selected no more */
};

struct message_round {
    uint64_t skipped[SKIPPED_COUNT];
    uint64_t scan_lag_ns; /* by how much the scan that is most overdue is late */
    uint32_t all_tried;   /* every selected process was tried once */
    uint32_t reserved;
};

enum stream_kind { STREAM_CHUNKS, STREAM_SIZES, STREAM_ARENAS, STREAM_HEAPMAP, STREAM_INSPECTION };

/** What a dump is asked for; encode/dump.h has the same filter. Its bytes go into the pipe that comes along.
 */
struct message_stream {
    uint64_t id;
    int32_t pid;
    uint32_t kind;   /* enum stream_kind */
    uint32_t format; /* enum dump_format */
    uint32_t states; /* bit i: enum chunk_state i; 0: all */
    uint32_t has_arena;
    uint32_t arena;
    uint64_t min_bytes;
    uint64_t max_bytes;   /* UINT64_MAX: none */
    uint64_t limit;       /* 0: none */
    uint32_t consistency; /* enum consistency, or UINT32_MAX: as configured */
    uint32_t content_bytes;
    uint32_t top;                        /* sizes */
    uint32_t cells;                      /* heapmap */
    struct inspection_question question; /* inspection */
};

struct message_stream_reply {
    uint64_t id;
    uint32_t status;              /* enum status; OK: clean */
    uint32_t retry_after_seconds; /* 0: not said */
    char code[40];                /* JSON error code where it is not the status' own, else "" */
    char message[320];
};

enum message_kind {
    MESSAGE_NONE,
#define X(name, type, more_bytes_max, may_have_fd) MESSAGE_##name,
    MESSAGE_TABLE(X)
#undef X
        MESSAGE_COUNT
};

#endif
