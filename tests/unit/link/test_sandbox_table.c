/* test_sandbox_table.c - the table of SECURITY.md says what the filters do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "link/sandbox.h"

static const char *const WORDS[] = {[SANDBOX_ALLOWED] = "yes",
                                    [SANDBOX_DEPENDS] = "in part",
                                    [SANDBOX_KILLS] = "kills",
                                    [SANDBOX_UNKNOWN] = "refused"};

static void assert_row(const char *call, const char *line)
{
    char expected[256];
    int length = snprintf(expected, sizeof expected, "| `%s` |", call);
    for (enum role role = ROLE_KEEPER; role <= ROLE_HOLDER; role++) {
        /* the columns are keeper, front, scanner, resolver, holder: the order of the enumeration */
        length += snprintf(expected + length, sizeof expected - (size_t)length, " %s |",
                           WORDS[sandbox_verdict(role, call)]);
    }
    assert_string_equal(line, expected);
}

static void test_security_md(void **state)
{
    (void)state;
    char path[4096], line[512], call[64];
    unsigned rows = 0;
    snprintf(path, sizeof path, "%s/SECURITY.md", getenv("SOURCE_ROOT"));
    scoped_file FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        if (sscanf(line, "| `%63[a-z0-9_]` |", call) != 1)
            continue;
        assert_row(call, line);
        rows++;
    }
    assert_true(rows >= 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_security_md)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
