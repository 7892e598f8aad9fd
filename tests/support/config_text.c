/* config_text.c - see config_text.h. */
#include "support/config_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "support/guard.h"

struct config *config_text_try(const char *text, size_t length, struct buffer *problems)
{
    struct config *config = NULL;
    struct error err = {0};
    enum status status = config_load("f", guard_copy(text, length), length, &config, problems, &err);
    if (status == STATUS_OK) {
        assert_non_null(config);
        assert_int_equal(problems->length, 0);
        return config;
    }
    assert_int_equal(status, STATUS_USAGE);
    assert_null(config);
    assert_true(problems->length > 0);
    assert_true(err.message[0] != '\0');
    return NULL;
}

struct config *config_text_load(const char *text)
{
    scoped_buffer struct buffer problems = {0};
    struct config *config = config_text_try(text, strlen(text), &problems);
    if (!config)
        fail_msg("%s", buffer_string(&problems));
    return config;
}

void config_text_refused(const char *text, const char *expected)
{
    scoped_buffer struct buffer problems = {0};
    assert_null(config_text_try(text, strlen(text), &problems));
    assert_string_equal(buffer_string(&problems), expected);
}
