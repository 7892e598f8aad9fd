/* guard.c - see guard.h. In the order of the exporter-toolkit: a broken file, the rate, the user. */
#include "roles/front/http/guard.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "roles/front/http/access.h"
#include "roles/front/http/connections.h"

#define BUSY_RETRY_SECONDS 5

static void login_done(struct login_waiter *waiter, enum login result)
{
    struct request *request =
        (struct request *)(void *)((char *)waiter - offsetof(struct request, login_waiter));
    struct MHD_Connection *connection = request->connection;
    atomic_store(&request->login, (unsigned)result);
    MHD_resume_connection(connection);
}

static void wipe(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    MHD_free(text);
}

/* May the user of the request come in? LOGIN_DENIED where it names none. */
static enum login ask(struct request *request)
{
    struct logins *logins = request->front->logins;
    const struct web_config *config = &request->web->config;
    struct login_waiter *waiter = &request->login_waiter;
    char *password = NULL;
    char *user = MHD_basic_auth_get_username_password(request->connection, &password);
    enum login result = LOGIN_DENIED;
    if (user && password)
        result = logins_check(logins, config, user, password, NULL);
    if (result == LOGIN_PENDING) {
        waiter->done = login_done;
        /* before the question: the answer may come at once, from another thread */
        MHD_suspend_connection(request->connection);
        enum login answer = logins_check(logins, config, user, password, waiter);
        if (answer != LOGIN_PENDING)
            login_done(waiter, answer);
    }
    wipe(password);
    wipe(user);
    return result;
}

static enum guard refuse(struct request *request, enum login result, enum MHD_Result *ret)
{
    if (result == LOGIN_BUSY)
        *ret = request_error(request, 503, "unavailable", "too many passwords are being checked: ask again",
                             BUSY_RETRY_SECONDS);
    else
        *ret =
            request_error(request, 401, "unauthorized",
                          "a user and password of basic_auth_users in the web configuration are needed", 0);
    return GUARD_ANSWERED;
}

static enum guard check_user(struct request *request, enum MHD_Result *ret)
{
    enum login result = (enum login)atomic_load(&request->login);
    if (request->web->config.users_count == 0)
        return GUARD_PASS;
    if (!request->is_login_asked) {
        request->is_login_asked = true;
        result = ask(request);
        if (result == LOGIN_PENDING)
            return GUARD_WAIT;
        atomic_store(&request->login, (unsigned)result);
    }
    if (result != LOGIN_OK)
        return refuse(request, result, ret);
    request->is_authenticated = true;
    return GUARD_PASS;
}

enum guard guard_check(struct request *request, enum MHD_Result *ret)
{
    if (request->is_unix && access_is_trusted_peer(request)) {
        request->is_authenticated = true;
        return GUARD_PASS;
    }
    if (request->web->is_broken) {
        *ret = request_error(request, 500, "error", "the web configuration is broken: see the exporter's log",
                             0);
        return GUARD_ANSWERED;
    }
    if (!request->is_login_asked &&
        !web_rate_allows(request->front->web, request->web, clock_monotonic_ns())) {
        uint64_t seconds = (request->web->config.rate_interval_ns + NS_PER_SECOND - 1) / NS_PER_SECOND;
        *ret = request_error(request, 429, "too_many_requests", "more requests than rate_limit allows",
                             seconds < 3600 ? (unsigned)seconds : 3600);
        return GUARD_ANSWERED;
    }
    const union MHD_ConnectionInfo *session =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    const struct web_state *begun = connection_web(request->place);
    if (begun && begun->tls && session && session->tls_session)
        request->is_authenticated = web_tls_is_verified(begun->tls, session->tls_session);
    return check_user(request, ret);
}
