/* test_role_messages.c - floods of a role that was taken over: what the others log, begin and keep for them.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "link/link.h"
#include "roles/front/from_scanner.h"
#include "roles/keeper/configuration.h"

#define FLOOD 2000
/* Five at once, and what a busy machine's minutes may add. */
#define LINES_MAX 8
#define NO_PID 0x7ffffff0 /* of a process that cannot be */

/* Lines of the log from here on, in a pipe: what it does not take is dropped by the log itself. */
struct captured {
    int saved, pipe[2];
};

static struct captured capture_begin(void)
{
    struct captured captured = {.saved = dup(STDERR_FILENO)};
    assert_int_equal(pipe2(captured.pipe, O_NONBLOCK), 0);
    assert_true(dup2(captured.pipe[1], STDERR_FILENO) >= 0);
    return captured;
}

static size_t capture_end(struct captured *captured)
{
    char block[65536];
    size_t lines = 0;
    ssize_t got;
    dup2(captured->saved, STDERR_FILENO);
    while ((got = read(captured->pipe[0], block, sizeof block)) > 0)
        for (ssize_t i = 0; i < got; i++)
            lines += block[i] == '\n';
    close(captured->saved);
    close(captured->pipe[0]);
    close(captured->pipe[1]);
    return lines;
}

static void say(int end, enum message_kind kind, const void *body)
{
    assert_int_equal(link_send(end, kind, body, NULL, 0, -1, 1000, NULL), STATUS_OK);
}

static bool hear(int end, enum message_kind kind, struct message *ret)
{
    return link_receive(end, ret, 0, NULL) == STATUS_OK && ret->kind == kind;
}

static void test_a_scanner_floods_the_front(void **state)
{
    (void)state;
    int ends[2];
    struct front *front = calloc(1, sizeof *front);
    assert_int_equal(link_pair(ends, NULL), STATUS_OK);
    pthread_mutex_init(&front->lock, NULL);
    front->store = store_new(STORE_BYTES_MAX);
    front->peer = ends[1];
    struct message_group unsound = {.name = "unsound", .labels_count = 7}, sound = {.name = "sound"};
    struct captured captured = capture_begin();
    for (size_t i = 0; i < FLOOD; i++) {
        if (i % 2)
            say(ends[0], MESSAGE_GROUP, &unsound);
        else
            assert_true(write(ends[0], "no message at all", 17) == 17);
        front_serve_scanner(front);
    }
    assert_in_range(capture_end(&captured), 1, LINES_MAX);
    /* and the link serves on */
    say(ends[0], MESSAGE_GROUP, &sound);
    front_serve_scanner(front);
    scoped_view struct store_view view = {0};
    assert_int_equal(store_view(front->store, &view, NULL), STATUS_OK);
    assert_int_equal(view.group_count, 1);
    assert_string_equal(view.groups[0]->message.name, "sound");
    store_free(front->store);
    close(ends[0]);
    close(ends[1]);
    free(front);
}

/* A keeper whose children are the other ends of @front and @scanner. */
static struct keeper *new_keeper(const struct keeper_options *options, int *front, int *scanner)
{
    struct keeper *keeper = calloc(1, sizeof *keeper);
    int ends[2];
    keeper->options = options;
    keeper->config_fd = keeper->new_config_fd = keeper->signal_fd = -1;
    keeper->is_started = true;
    for (size_t i = 0; i < KEEPER_CHILDREN; i++) {
        assert_int_equal(link_pair(ends, NULL), STATUS_OK);
        keeper->children[i] = (struct child){.role = i == KEEPER_FRONT ? ROLE_FRONT : ROLE_SCANNER,
                                             .name = i == KEEPER_FRONT ? "front" : "scanner",
                                             .control = ends[1]};
        *(i == KEEPER_FRONT ? front : scanner) = ends[0];
    }
    return keeper;
}

static void free_keeper(struct keeper *keeper, int front, int scanner)
{
    for (size_t i = 0; i < KEEPER_CHILDREN; i++)
        close(keeper->children[i].control);
    close(front);
    close(scanner);
    free(keeper);
}

static void test_a_scanner_wants_helpers_without_end(void **state)
{
    (void)state;
    int front, scanner;
    const struct keeper_options options = {.config_file = "/nonexistent"};
    struct keeper *keeper = new_keeper(&options, &front, &scanner);
    struct message_want want = {.sequence = 1};
    keeper->helpers.count = HELPERS_MAX; /* as many as may run do */
    struct captured captured = capture_begin();
    for (size_t i = 0; i < FLOOD; i++) {
        scoped_message struct message answer = {.fd = -1};
        say(scanner, i % 2 ? MESSAGE_WANT_HOLDER : MESSAGE_WANT_RESOLVER, &want);
        dispatch_receive(keeper, &keeper->children[KEEPER_SCANNER]);
        assert_true(hear(scanner, MESSAGE_HELPER, &answer));
        assert_int_equal(answer.fd, -1);
    }
    assert_in_range(capture_end(&captured), 1, LINES_MAX);
    free_keeper(keeper, front, scanner);
}

static void test_a_verdict_that_was_not_asked_for(void **state)
{
    (void)state;
    int front, scanner;
    const struct keeper_options options = {.config_file = "/nonexistent"};
    struct keeper *keeper = new_keeper(&options, &front, &scanner);
    struct message_config_result result = {.is_ok = 1, .is_reload = 1};
    struct captured captured = capture_begin();
    say(scanner, MESSAGE_CONFIG_RESULT, &result);
    dispatch_receive(keeper, &keeper->children[KEEPER_SCANNER]);
    assert_int_equal(capture_end(&captured), 1); /* whoever says that is killed */
    assert_false(keeper->has_result);
    free_keeper(keeper, front, scanner);
}

static void test_a_front_reloads_without_end(void **state)
{
    (void)state;
    int front, scanner;
    const struct keeper_options options = {.config_file = "/nonexistent", .enable_lifecycle = true};
    struct keeper *keeper = new_keeper(&options, &front, &scanner);
    struct message_empty empty = {0};
    struct message_config_result result = {.is_ok = 1, .is_reload = 1};
    scoped_message struct message asked = {.fd = -1}, again = {.fd = -1};
    struct captured captured = capture_begin();
    keeper->reload_ns = 0;
    for (size_t i = 0; i < FLOOD; i++) {
        say(front, MESSAGE_RELOAD, &empty);
        dispatch_receive(keeper, &keeper->children[KEEPER_FRONT]);
    }
    assert_true(hear(scanner, MESSAGE_CONFIG, &asked));
    assert_false(hear(scanner, MESSAGE_CONFIG, &again)); /* one is under way */
    say(scanner, MESSAGE_CONFIG_RESULT, &result);
    dispatch_receive(keeper, &keeper->children[KEEPER_SCANNER]);
    configuration_check(keeper, keeper->reload_ns - 1);
    assert_false(hear(scanner, MESSAGE_CONFIG, &again)); /* and the next waits for its second */
    configuration_check(keeper, keeper->reload_ns);
    assert_true(hear(scanner, MESSAGE_CONFIG, &again)); /* but none is lost */
    configuration_check(keeper, UINT64_MAX);
    assert_true(keeper->is_reloading);
    /* the scanner's end is a verdict too: nothing waits for one that never comes */
    configuration_scanner_ended(keeper);
    assert_false(keeper->is_reloading);
    assert_false(keeper->result.is_ok);
    assert_int_equal(capture_end(&captured), 2);
    free_keeper(keeper, front, scanner);
}

/* Told of the wrong link, or of one whose other end is dead, the keeper ends nobody. */
static void test_a_link_that_is_called_broken(void **state)
{
    (void)state;
    int front, scanner;
    const struct keeper_options options = {.config_file = "/nonexistent"};
    struct keeper *keeper = new_keeper(&options, &front, &scanner);
    struct error err;
    struct captured captured = capture_begin();
    for (size_t i = 0; i < KEEPER_CHILDREN; i++)
        keeper->children[i].pid = NO_PID;
    assert_int_equal(pairing_connect(keeper, &err), STATUS_OK);
    scoped_message struct message peer = {.fd = -1};
    assert_true(hear(front, MESSAGE_PEER, &peer));
    struct message_peer lost = *(struct message_peer *)peer.body, other = {.epoch = lost.epoch - 1};
    say(front, MESSAGE_UNLINKED, &other);
    dispatch_receive(keeper, &keeper->children[KEEPER_FRONT]);
    pairing_check(keeper, UINT64_MAX);
    assert_int_equal(capture_end(&captured), 0);

    captured = capture_begin();
    say(scanner, MESSAGE_UNLINKED, &lost);
    dispatch_receive(keeper, &keeper->children[KEEPER_SCANNER]);
    keeper->children[KEEPER_FRONT].pid = 0; /* it had died of something else */
    pairing_check(keeper, UINT64_MAX);
    assert_int_equal(capture_end(&captured), 0);

    captured = capture_begin();
    keeper->children[KEEPER_FRONT].pid = NO_PID;
    pairing_check(keeper, keeper->pairing.broken_ns); /* the other end's death may still be heard of */
    assert_int_equal(capture_end(&captured), 0);
    captured = capture_begin();
    for (int i = 0; i < 2; i++)
        pairing_check(keeper, UINT64_MAX);
    assert_int_equal(capture_end(&captured), 1);
    free_keeper(keeper, front, scanner);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_scanner_floods_the_front),
        cmocka_unit_test(test_a_scanner_wants_helpers_without_end),
        cmocka_unit_test(test_a_verdict_that_was_not_asked_for),
        cmocka_unit_test(test_a_front_reloads_without_end),
        cmocka_unit_test(test_a_link_that_is_called_broken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
