/*
 * fuzz_http.c - what a client writes and what a scanner that was taken over sends: parameters of a request,
 * Accept headers, results for the store. The first byte says which.
 */
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "config/config.h"
#include "fuzz/input.h"
#include "inspect/inspection.h"
#include "link/link.h"
#include "roles/front/http/accept.h"
#include "roles/front/http/params.h"
#include "roles/front/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int __wrap_MHD_get_connection_values_n(struct MHD_Connection *connection, enum MHD_ValueKind kind,
                                       MHD_KeyValueIteratorN iterator, void *context);

static void require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "fuzz_http: %s\n", what);
        abort();
    }
}

/* The query: NAME=VALUE&NAME&…; a value's bytes may be any but &. */
static const char *query;
static size_t query_length;

int __wrap_MHD_get_connection_values_n(struct MHD_Connection *connection, enum MHD_ValueKind kind,
                                       MHD_KeyValueIteratorN iterator, void *context)
{
    int count = 0;
    (void)connection;
    for (const char *at = query, *end = query + query_length; at < end; count++) {
        const char *next = memchr(at, '&', (size_t)(end - at));
        size_t length = (size_t)((next ? next : end) - at);
        scoped_free char *pair = strndup(at, length);
        const char *equals = memchr(at, '=', length);
        size_t key_length = equals ? (size_t)(equals - at) : length;
        at += length + 1;
        if (!pair || strlen(pair) != length || !iterator)
            continue;
        pair[key_length] = '\0';
        if (iterator(context, kind, pair, key_length, equals ? pair + key_length + 1 : NULL,
                     equals ? length - key_length - 1 : 0) != MHD_YES)
            break;
    }
    return count;
}

static void try_params(uint8_t kind, const char *text, size_t length)
{
    struct request request = {.pid = 7};
    struct message_stream wanted;
    struct error err = {0};
    query = text;
    query_length = length;
    enum status status = kind < 3 ? params_read(&request, (enum stream_kind)kind, &wanted, &err)
                                  : params_read_inspection(&request, kind % INSPECTION_COUNT, &wanted, &err);
    if (status != STATUS_OK) {
        require(status == STATUS_USAGE && err.message[0], "a refusal without a reason");
        return;
    }
    require(wanted.pid == 7 && wanted.min_bytes <= wanted.max_bytes && wanted.format < DUMP_FORMAT_COUNT,
            "parameters out of range");
    require(wanted.consistency < CONSISTENCY_COUNT || wanted.consistency == UINT32_MAX,
            "a consistency that is none");
    require((wanted.states >> CHUNK_STATE_COUNT) == 0 && wanted.content_bytes <= 4096, "states or content");
    require(memchr(wanted.question.text, 0, sizeof wanted.question.text) != NULL, "a text without an end");
}

static void try_accept(const char *text)
{
    require(accept_exposition(text) < EXPOSITION_COUNT, "a format that is none");
    (void)accept_takes_gzip(text);
}

/* A sound frame, damaged by the input. */
static void try_store(struct input *input)
{
    struct error err = {0};
    struct store *store = store_new(STORE_BYTES_MAX);
    struct snapshot *snapshot = snapshot_new(1, 1, 1, 1);
    struct message_process process = {.state = PROCESS_STATE_OK, .group = "group"};
    struct message_group group = {.name = "group"};
    char labels[8] = "a\0b";
    require(store && snapshot, "no memory");
    size_t length = snapshot->total_bytes;
    snapshot->pid = 7;
    while (input->left > 3) {
        uint8_t what = input_u8(input);
        size_t at = input_u16(input);
        uint8_t value = input_u8(input);
        if (what < 64)
            ((uint8_t *)snapshot)[at % length] ^= value;
        else if (what < 128)
            ((uint8_t *)&process)[at % sizeof process] ^= value;
        else
            ((uint8_t *)&group)[at % sizeof group] ^= value;
    }
    require(store_group(store, &group, labels, 4, &err) == STATUS_OK || err.message[0], "no reason");
    if (store_process(store, &process, snapshot, length, &err) == STATUS_OK) {
        scoped_view struct store_view view = {0};
        require(store_view(store, &view, &err) == STATUS_OK && view.process_count == 1,
                "a result that is lost");
        const struct store_process *stored = view.processes[0];
        require(store_state_at(stored, UINT64_MAX) < PROCESS_STATE_COUNT, "a state that is none");
        require(store_failure_at(stored, 0) < FAILURE_COUNT, "a failure that is none");
        require(message_string_ok(stored->message.group, sizeof stored->message.group),
                "a group without an end");
    }
    free(snapshot);
    store_free(store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    uint8_t what = input_u8(&input);
    scoped_free char *text = calloc(1, input.left + 1);
    if (!text)
        return 0;
    memcpy(text, input.data, input.left);
    if (what < 200)
        try_params(what % 16, text, input.left);
    else if (what < 220)
        try_accept(text);
    else
        try_store(&input);
    return 0;
}
