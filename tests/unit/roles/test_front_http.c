/* test_front_http.c - what the front decides of a request: format, packing, path, place among others. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/clock.h"
#include "roles/front/http/accept.h"
#include "roles/front/http/answers.h"
#include "roles/front/http/connections.h"
#include "roles/front/http/gzip.h"
#include "roles/front/http/router.h"

static void test_accept(void **state)
{
    (void)state;
    static const struct {
        const char *accept;
        enum exposition_format format;
    } cases[] = {
        {NULL, EXPOSITION_TEXT},
        {"", EXPOSITION_TEXT},
        {"*/*", EXPOSITION_TEXT},
        {"application/openmetrics-text", EXPOSITION_OPENMETRICS},
        {"application/openmetrics-text;q=0.5, text/plain;q=0.5", EXPOSITION_OPENMETRICS},
        {"text/plain;q=0.5, application/openmetrics-text;q=0.5", EXPOSITION_TEXT},
        {"application/openmetrics-text;q=0", EXPOSITION_TEXT},
        {"application/openmetrics-text;q=1.001, text/plain;q=0.1", EXPOSITION_TEXT},
        {"application/openmetrics-text;q=nan", EXPOSITION_TEXT},
        {"application/openmetrics-text;version=2.0.0", EXPOSITION_TEXT},
        {";;;,,,===", EXPOSITION_TEXT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(accept_exposition(cases[i].accept), cases[i].format);
    assert_true(accept_takes_gzip("br, gzip"));
    assert_true(accept_takes_gzip("*;q=0.1"));
    assert_false(accept_takes_gzip("gzip;q=0.000"));
    assert_false(accept_takes_gzip("gzipped"));
    assert_false(accept_takes_gzip(NULL));
}

static void test_gzip(void **state)
{
    (void)state;
    struct buffer body scoped_buffer = {0};
    buffer_text(&body, "short");
    assert_false(gzip_pack(&body));
    buffer_clear(&body);
    for (unsigned i = 0; i < 100000; i++)
        buffer_printf(&body, "series{number=\"%u\"} %u\n", i, i * i);
    size_t length = body.length;
    char *before = malloc(length), *after = malloc(length);
    memcpy(before, body.data, length);
    assert_true(gzip_pack(&body));
    assert_true(body.length < length / 2);
    z_stream stream = {.next_in = (unsigned char *)body.data,
                       .avail_in = (unsigned)body.length,
                       .next_out = (unsigned char *)after,
                       .avail_out = (unsigned)length};
    assert_int_equal(inflateInit2(&stream, 31), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.total_out, length);
    assert_memory_equal(before, after, length);
    inflateEnd(&stream);
    free(before);
    free(after);
}

static void test_answers(void **state)
{
    (void)state;
    struct answers *answers = answers_new();
    struct buffer body = {0};
    buffer_text(&body, "text");
    assert_null(answers_find(answers, ANSWER_PAGE, false, 0));
    /* it took from 100 to 110: it serves until 140 */
    struct answer *made = answers_put(answers, ANSWER_PAGE, false, &body, 100, 110);
    assert_null(body.data);
    assert_null(answers_find(answers, ANSWER_PAGE, true, 120));
    assert_null(answers_find(answers, ANSWER_PROCESSES, false, 120));
    struct answer *found = answers_find(answers, ANSWER_PAGE, false, 140);
    assert_ptr_equal(found, made);
    assert_null(answers_find(answers, ANSWER_PAGE, false, 141));
    answers_free(answers);
    assert_memory_equal(answer_data(found), "text", answer_length(found));
    answer_unref(found);
    answer_unref(made);
}

static void test_router(void **state)
{
    (void)state;
    struct front *front = calloc(1, sizeof *front);
    strcpy(front->start.telemetry_path, "/numbers");
    static const struct {
        const char *url, *name;
        int32_t pid;
    } cases[] = {
        {"/", "/", 0},
        {"/numbers", "/metrics", 0},
        {"/metrics", NULL, 0},
        {"/api/v1/processes/2147483647", "/api/v1/processes/{pid}", 2147483647},
        {"/api/v1/processes/2147483648", NULL, 0},
        {"/api/v1/processes/18446744073709551617", NULL, 0},
        {"/api/v1/processes/0", NULL, 0},
        {"/api/v1/processes/007", NULL, 0},
        {"/api/v1/processes/+7", NULL, 0},
        {"/api/v1/processes/7/", NULL, 0},
        {"/api/v1/processes/7/chunks", "/api/v1/processes/{pid}/chunks", 7},
        {"/api/v1/processes/7/chunksx", NULL, 0},
        {"", NULL, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct request request = {.front = front, .url = cases[i].url};
        router_find(&request);
        if (!cases[i].name) {
            assert_null(request.route);
            continue;
        }
        assert_string_equal(router_name(router_index(request.route)), cases[i].name);
        assert_int_equal(request.pid, cases[i].pid);
    }
    free(front);
}

/* Whether the other end of the pair was shut down. */
static bool is_shut(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

struct pairs {
    int ends[CONNECTIONS_MAX + 2][2];
    struct connection *connections[CONNECTIONS_MAX + 2];
};

static void open_one(struct pairs *pairs, struct connections *all, size_t i)
{
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pairs->ends[i]), 0);
    pairs->connections[i] = connection_opened(all, pairs->ends[i][0], NULL);
    assert_non_null(pairs->connections[i]);
}

static void close_all(struct pairs *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        connection_closed(pairs->connections[i]);
        close(pairs->ends[i][0]);
        close(pairs->ends[i][1]);
    }
}

static void test_the_slowest_makes_room(void **state)
{
    (void)state;
    struct pairs *pairs = calloc(1, sizeof *pairs);
    struct connections *all = connections_new();
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        open_one(pairs, all, i);
    connection_enter(pairs->connections[0], CONNECTION_WORKING); /* it waits for us */
    connection_enter(pairs->connections[1], CONNECTION_READING); /* it made a step: the last in the row */
    open_one(pairs, all, CONNECTIONS_MAX);
    assert_false(is_shut(pairs->ends[0][1]));
    assert_false(is_shut(pairs->ends[1][1]));
    assert_true(is_shut(pairs->ends[2][1]));
    assert_false(is_shut(pairs->ends[3][1]));
    open_one(pairs, all, CONNECTIONS_MAX + 1);
    assert_true(is_shut(pairs->ends[3][1]));
    assert_false(is_shut(pairs->ends[4][1]));
    connection_enter(pairs->connections[2], CONNECTION_IDLE); /* after its end: nothing */
    close_all(pairs, CONNECTIONS_MAX + 2);
    connections_free(all);
    free(pairs);
}

static void test_the_slowest_reader_makes_room(void **state)
{
    (void)state;
    struct pairs *pairs = calloc(1, sizeof *pairs);
    struct connections *all = connections_new();
    struct answers *answers = answers_new();
    struct buffer body = {0};
    buffer_text(&body, "shared");
    struct answer *shared = answers_put(answers, ANSWER_PAGE, false, &body, 0, 1);
    for (size_t i = 0; i < 5; i++)
        open_one(pairs, all, i);
    connection_send(pairs->connections[0], CONNECTIONS_SENDING_BYTES_MAX / 2, NULL);
    connection_send(pairs->connections[1], CONNECTIONS_SENDING_BYTES_MAX / 2, NULL);
    assert_false(is_shut(pairs->ends[0][1]));
    connection_send(pairs->connections[2], 0, shared); /* these few bytes are too many, once */
    assert_true(is_shut(pairs->ends[0][1]));
    connection_send(pairs->connections[3], 0, shared);
    assert_false(is_shut(pairs->ends[1][1]));
    connection_enter(pairs->connections[1], CONNECTION_IDLE); /* it has read all */
    connection_send(pairs->connections[4], CONNECTIONS_SENDING_BYTES_MAX - 6, NULL);
    assert_false(is_shut(pairs->ends[2][1]));
    connection_send(pairs->connections[1], 1, NULL);
    assert_true(is_shut(pairs->ends[2][1]));
    assert_true(is_shut(pairs->ends[3][1]));
    assert_false(is_shut(pairs->ends[4][1]));
    close_all(pairs, 5);
    connections_free(all);
    answers_free(answers);
    answer_unref(shared);
    free(pairs);
}

/* A connection over TCP as pair @i: only there the kernel tells what a reader has taken. */
static void open_over_tcp(struct pairs *pairs, struct connections *all, size_t i, int receive_bytes)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof name;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pairs->ends[i][1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_bytes)
        assert_int_equal(setsockopt(pairs->ends[i][1], SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof(int)),
                         0);
    assert_int_equal(bind(listener, (struct sockaddr *)&name, sizeof name), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&name, &length), 0);
    assert_int_equal(connect(pairs->ends[i][1], (struct sockaddr *)&name, sizeof name), 0);
    pairs->ends[i][0] = accept(listener, NULL, NULL);
    close(listener);
    pairs->connections[i] = connection_opened(all, pairs->ends[i][0], NULL);
    assert_non_null(pairs->connections[i]);
}

/* Send @length bytes over the pair, read at once at its other end. */
static void send_and_read(int ends[2], size_t length)
{
    static char block[16384];
    for (size_t sent = 0; sent < length; sent += sizeof block) {
        assert_int_equal(send(ends[0], block, sizeof block, 0), sizeof block);
        assert_int_equal(recv(ends[1], block, sizeof block, MSG_WAITALL), sizeof block);
    }
}

/* Whether our end was shut: told by that end, since over TCP the other one may learn it later. */
static bool is_cut_off(int fd)
{
    return send(fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno == EPIPE;
}

static void test_a_reader_that_goes_on_is_kept(void **state)
{
    (void)state;
    static char block[65536];
    struct pairs *pairs = calloc(1, sizeof *pairs);
    struct connections *all = connections_new();
    for (size_t i = 0; i < 4; i++)
        open_over_tcp(pairs, all, i, i == 1 ? 2048 : 0);
    /* the first is the oldest and the largest, and reads; the second takes its small window full and no more
     */
    connection_send(pairs->connections[0], CONNECTIONS_SENDING_BYTES_MAX / 2, NULL);
    connection_send(pairs->connections[1], CONNECTIONS_SENDING_BYTES_MAX / 4, NULL);
    send_and_read(pairs->ends[0], 4 << 20);
    assert_true(send(pairs->ends[1][0], block, sizeof block, MSG_DONTWAIT) > 0);
    connection_send(pairs->connections[2], CONNECTIONS_SENDING_BYTES_MAX / 4 + 1, NULL);
    assert_true(is_cut_off(pairs->ends[1][0]));
    assert_false(is_cut_off(pairs->ends[0][0]));
    assert_false(is_cut_off(pairs->ends[2][0]));
    /* bytes of an answer before count for nothing */
    connection_enter(pairs->connections[0], CONNECTION_IDLE);
    connection_send(pairs->connections[3], CONNECTIONS_SENDING_BYTES_MAX / 4 - 1, NULL);
    send_and_read(pairs->ends[2], 4 << 20);
    send_and_read(pairs->ends[3], 4 << 20);
    connection_send(pairs->connections[0], CONNECTIONS_SENDING_BYTES_MAX / 2, NULL);
    open_over_tcp(pairs, all, 4, 0);
    connection_send(pairs->connections[4], 1, NULL);
    assert_true(is_cut_off(pairs->ends[0][0]));
    assert_false(is_cut_off(pairs->ends[2][0]));
    close_all(pairs, 5);
    connections_free(all);
    free(pairs);
}

static void test_a_crowd_pushes_out_its_own(void **state)
{
    (void)state;
    struct pairs *pairs = calloc(1, sizeof *pairs);
    struct connections *all = connections_new();
    open_over_tcp(pairs, all, 0, 0);
    connection_send(pairs->connections[0], 1 << 20,
                    NULL); /* the oldest of all, and it waits for its client */
    for (size_t i = 1; i <= CONNECTIONS_MAX; i++)
        open_one(pairs, all, i);
    assert_false(is_cut_off(pairs->ends[0][0]));
    assert_true(is_shut(pairs->ends[1][1]));
    /* now nearly all read: one that is new is safe, the slowest reader is not */
    for (size_t i = 2; i <= CONNECTIONS_MAX; i++)
        connection_send(pairs->connections[i], 1 << 10, NULL);
    send_and_read(pairs->ends[0], 4 << 20);
    open_one(pairs, all, CONNECTIONS_MAX + 1);
    assert_false(is_cut_off(pairs->ends[0][0]));
    assert_true(is_shut(pairs->ends[2][1]));
    assert_false(is_shut(pairs->ends[CONNECTIONS_MAX + 1][1]));
    close_all(pairs, CONNECTIONS_MAX + 2);
    connections_free(all);
    free(pairs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accept),
        cmocka_unit_test(test_gzip),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_router),
        cmocka_unit_test(test_the_slowest_makes_room),
        cmocka_unit_test(test_the_slowest_reader_makes_room),
        cmocka_unit_test(test_a_reader_that_goes_on_is_kept),
        cmocka_unit_test(test_a_crowd_pushes_out_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
