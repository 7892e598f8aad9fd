/* test_signal_frame.c - a signal's frame is seen on the stack of its handler, and nowhere else. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "target/signal_frame.h"

static uint8_t stack[SIGNAL_FRAME_BELOW_BYTES] __attribute__((aligned(16)));
static volatile sig_atomic_t is_seen;

static void look_for_own_frame(int number)
{
    const uint8_t *here = __builtin_frame_address(0);
    (void)number;
    is_seen = signal_frame_is_in(here, (size_t)(stack + sizeof stack - here), sizeof(void *));
}

static void test_in_a_handler(void **state)
{
    stack_t own = {.ss_sp = stack, .ss_size = sizeof stack}, before;
    struct sigaction action = {.sa_handler = look_for_own_frame, .sa_flags = SA_ONSTACK}, old;
    (void)state;
    assert_false(signal_frame_is_in(stack, sizeof stack, sizeof(void *)));
    assert_int_equal(sigaltstack(&own, &before), 0);
    assert_int_equal(sigaction(SIGUSR1, &action, &old), 0);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(sigaction(SIGUSR1, &old, NULL), 0);
    assert_int_equal(sigaltstack(&before, NULL), 0);
    assert_true(is_seen);
}

static void test_on_a_stack_without(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof stack; i++)
        stack[i] = (uint8_t)(i * 37);
    assert_false(signal_frame_is_in(stack, sizeof stack, 8));
    assert_false(signal_frame_is_in(stack, sizeof stack, 4));
    assert_false(signal_frame_is_in(stack, 7, 8));
    assert_false(signal_frame_is_in(stack, 0, 8));
}

/* cs, flags, sp, ss at the very end of what could be read */
static void test_of_32_bit(void **state)
{
    const uint32_t words[] = {1, 0x23, 0x202, 0xffffd000, 0x2b};
    uint8_t bytes[sizeof words];
    (void)state;
    memcpy(bytes, words, sizeof words);
    assert_true(signal_frame_is_in(bytes, sizeof bytes, 4));
    assert_false(signal_frame_is_in(bytes, sizeof bytes - 1, 4));
    assert_false(signal_frame_is_in(bytes, sizeof bytes, 8));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_a_handler),
        cmocka_unit_test(test_on_a_stack_without),
        cmocka_unit_test(test_of_32_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
