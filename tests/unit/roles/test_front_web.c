/* test_front_web.c - the web configuration's parts: values, priorities, rate, logins. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/rate_limit.h"
#include "roles/front/web/logins.h"
#include "roles/front/web/web_tls.h"

/* of "secret" */
#define HASH "$2y$04$8XGNq8wruGVVbjfX5IzrOu53CQ1jEL03ryGKsejUptNqNkdg18Ph."

/* The priority string that @text leads to, or the problems, in *@ret. */
static enum status priority_of(const char *text, struct buffer *ret)
{
    scoped_problems struct problems problems = {.file = "web.yml"};
    scoped(web_config_deinit) struct web_config config;
    struct error err;
    enum status status = web_config_parse("web.yml", text, strlen(text), &config, &problems, &err);
    if (status == STATUS_OK)
        status = web_tls_priority(&config, ret, &problems, &err);
    problems_write(&problems, ret);
    return status;
}

static void test_priorities(void **state)
{
    (void)state;
    static const struct {
        const char *text, *has, *lacks;
    } cases[] = {
        {"", ":-RSA:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:", "VERS-TLS1.1"},
        {"tls_server_config: {min_version: TLS10, max_version: TLS11}", "+VERS-TLS1.1:+VERS-TLS1.0",
         "TLS1.2"},
        {"tls_server_config: {cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]}",
         "+AES-256-GCM:+AEAD:+ECDHE-RSA:-VERS-ALL:+VERS-TLS1.3", "AES-128"},
        /* no cipher of TLS 1.3 among them */
        {"tls_server_config: {cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA]}",
         "+AES-128-CBC:+SHA1:+ECDHE-RSA:-VERS-ALL:+VERS-TLS1.2", "TLS1.3"},
        /* a list that says nothing about TLS 1.3 alone */
        {"tls_server_config: {min_version: TLS13, cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA]}",
         "NORMAL:-RSA:-VERS-ALL:+VERS-TLS1.3", "CBC"},
        {"tls_server_config: {curve_preferences: [CurveP521, X25519]}",
         ":-GROUP-ALL:+GROUP-SECP521R1:+GROUP-X25519", "SECP256"},
        {"tls_server_config: {prefer_server_cipher_suites: false}", "NORMAL", "PRECEDENCE"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer priority scoped_buffer = {0};
        assert_int_equal(priority_of(cases[i].text, &priority), STATUS_OK);
        if (!strstr(buffer_string(&priority), cases[i].has) ||
            strstr(buffer_string(&priority), cases[i].lacks))
            fail_msg("%s: %s", cases[i].text, buffer_string(&priority));
    }
}

static void test_refused_names(void **state)
{
    (void)state;
    struct buffer lines scoped_buffer = {0};
    assert_int_equal(
        priority_of("tls_server_config:\n  cipher_suites: [X, TLS_RSA_WITH_AES_128_CBC_SHA]\n"
                    "  curve_preferences: [CurveP1]\n  min_version: TLS13\n  max_version: TLS12\n",
                    &lines),
        STATUS_USAGE);
    for (size_t i = 0; i < 4; i++) {
        static const char *const places[] = {
            "web.yml:2:19: ", "web.yml:2:22: ", "web.yml:3:23: ", "web.yml:5:16: "};
        assert_non_null(strstr(buffer_string(&lines), places[i]));
    }
}

static void test_bcrypt(void **state)
{
    (void)state;
    char hash[] = HASH;
    assert_true(web_config_is_bcrypt(hash));
    hash[2] = 'z';
    assert_false(web_config_is_bcrypt(hash));
    assert_false(web_config_is_bcrypt(""));
    assert_false(web_config_is_bcrypt(HASH "x"));
    assert_false(web_config_is_bcrypt("$2y$03$8XGNq8wruGVVbjfX5IzrOu53CQ1jEL03ryGKsejUptNqNkdg18Ph."));
    assert_false(web_config_is_bcrypt("$2y$32$8XGNq8wruGVVbjfX5IzrOu53CQ1jEL03ryGKsejUptNqNkdg18Ph."));
    assert_false(web_config_is_bcrypt("$2y$04$8XGNq8wruGVVbjfX5IzrOu53CQ1jEL03ryGKsejUptNqNkdg18P:."));
}

static void test_rate(void **state)
{
    (void)state;
    struct rate_limit limit = {0};
    for (int i = 0; i < 3; i++)
        assert_true(rate_limit_take(&limit, 100, 3, 1000));
    assert_false(rate_limit_take(&limit, 100, 3, 1000));
    assert_false(rate_limit_take(&limit, 100, 3, 1099));
    assert_true(rate_limit_take(&limit, 100, 3, 1100));
    assert_false(rate_limit_take(&limit, 100, 3, 1100));
    for (int i = 0; i < 3; i++)
        assert_true(rate_limit_take(&limit, 100, 3, 9000)); /* never more than the burst */
    assert_false(rate_limit_take(&limit, 100, 3, 9000));
    assert_true(rate_limit_take(&limit, UINT64_MAX, UINT32_MAX, UINT64_MAX - 1) == false);
}

struct waiter {
    struct login_waiter base; /* first */
    pthread_mutex_t lock;
    pthread_cond_t told;
    int result;
};

static void tell(struct login_waiter *base, enum login result)
{
    struct waiter *waiter = (struct waiter *)base;
    pthread_mutex_lock(&waiter->lock);
    waiter->result = (int)result;
    pthread_cond_signal(&waiter->told);
    pthread_mutex_unlock(&waiter->lock);
}

#define WAITER ((struct waiter){{tell, NULL}, PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, -1})

static enum login wait_for(struct waiter *waiter)
{
    pthread_mutex_lock(&waiter->lock);
    while (waiter->result < 0)
        pthread_cond_wait(&waiter->told, &waiter->lock);
    pthread_mutex_unlock(&waiter->lock);
    return (enum login)waiter->result;
}

static char user_name[] = "alice", user_hash[] = HASH;
static struct web_user users[] = {{user_name, user_hash}};
static const struct web_config config = {.users = users, .users_count = 1};

static enum login ask(struct logins *logins, const char *user, const char *password)
{
    struct waiter waiter = WAITER;
    enum login answer = logins_check(logins, &config, user, password, &waiter.base);
    return answer == LOGIN_PENDING ? wait_for(&waiter) : answer;
}

static void test_logins(void **state)
{
    (void)state;
    struct logins *logins = logins_new();
    assert_non_null(logins);
    assert_int_equal(logins_check(logins, &config, "alice", "secret", NULL), LOGIN_PENDING);
    assert_int_equal(ask(logins, "alice", "secret"), LOGIN_OK);
    assert_int_equal(ask(logins, "alice", "Secret"), LOGIN_DENIED);
    assert_int_equal(ask(logins, "alice", ""), LOGIN_DENIED);
    assert_int_equal(ask(logins, "bob", "secret"), LOGIN_DENIED);
    assert_int_equal(ask(logins, "", "secret"), LOGIN_DENIED);
    /* what was found is known, and the one that lets in outlives any number of others */
    for (int i = 0; i < 2 * LOGINS_CACHE_MAX; i++) {
        char password[16];
        snprintf(password, sizeof password, "wrong%d", i);
        assert_int_equal(ask(logins, "alice", password), LOGIN_DENIED);
    }
    assert_int_equal(logins_check(logins, &config, "alice", "secret", NULL), LOGIN_OK);
    assert_int_equal(logins_check(logins, &config, "alice", "wrong0", NULL), LOGIN_PENDING);
    assert_int_equal(logins_check(logins, &(struct web_config){0}, "alice", "secret", NULL), LOGIN_PENDING);
    logins_free(logins);
}

static void test_the_queue_is_short(void **state)
{
    (void)state;
    struct logins *logins = logins_new();
    static struct waiter waiters[LOGINS_QUEUE_MAX + 40];
    unsigned busy = 0;
    size_t count = 0;
    /* all at once, each a question of its own: the thread may be done with some meanwhile, but not with all
     */
    for (; count < sizeof waiters / sizeof *waiters; count++) {
        char password[16];
        waiters[count] = WAITER;
        snprintf(password, sizeof password, "%zu", count);
        enum login answer = logins_check(logins, &config, "alice", password, &waiters[count].base);
        if (answer == LOGIN_BUSY)
            busy++;
        if (answer != LOGIN_PENDING)
            waiters[count].result = (int)answer;
    }
    assert_true(busy > 0);
    logins_stop(logins);
    for (size_t i = 0; i < count; i++)
        assert_int_not_equal(wait_for(&waiters[i]), LOGIN_OK);
    assert_int_equal(ask(logins, "alice", "secret"), LOGIN_BUSY);
    logins_free(logins);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_priorities), cmocka_unit_test(test_refused_names),
        cmocka_unit_test(test_bcrypt),     cmocka_unit_test(test_rate),
        cmocka_unit_test(test_logins),     cmocka_unit_test(test_the_queue_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
