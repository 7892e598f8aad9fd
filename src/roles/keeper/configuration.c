/* configuration.c - see configuration.h. */
#include "roles/keeper/configuration.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "link/link.h"
#include "roles/keeper/notify.h"

/* From one begin of a reload to the next: a front, or its clients, can ask as often as they like. */
#define RELOAD_INTERVAL_NS NS_PER_SECOND

void configuration_tell_front(struct keeper *keeper)
{
    if (keeper->has_result)
        (void)child_send(&keeper->children[KEEPER_FRONT], MESSAGE_CONFIG_RESULT, &keeper->result, -1);
}

static void end_reload(struct keeper *keeper, bool is_ok)
{
    if (!keeper->is_reloading)
        return;
    keeper->is_reloading = false;
    if (is_ok) {
        scoped_fd_run(&keeper->config_fd);
        keeper->config_fd = take_fd(&keeper->new_config_fd);
        keeper->config = keeper->new_config;
        keeper->config.is_reload = 0;
    }
    scoped_fd_run(&keeper->new_config_fd);
    keeper->new_config_fd = -1;
    notify("READY=1");
}

static void take(struct keeper *keeper, const struct message_config_result *result)
{
    if (!result->is_reload && !result->is_ok && !keeper->is_started) {
        keeper_end(keeper, 2);
        return;
    }
    /* a restarted scanner took the same configuration again: no news */
    if (!result->is_reload && keeper->has_result)
        return;
    keeper->result = *result;
    keeper->has_result = true;
    configuration_tell_front(keeper);
    if (result->is_reload) {
        log_event(result->is_ok ? LOG_INFO : LOG_ERROR,
                  result->is_ok ? "configuration reloaded" : "configuration refused: the old one stays",
                  result->is_ok ? NULL : "error", result->message, NULL);
        end_reload(keeper, result->is_ok != 0);
    }
    dispatch_check_started(keeper);
}

static void begin_reload(struct keeper *keeper)
{
    const struct keeper_options *options = keeper->options;
    struct error err = {0};
    notify_reloading();
    enum status status = config_file_read(options->config_file, !options->is_config_given,
                                          &keeper->new_config, &keeper->new_config_fd, &err);
    keeper->is_reloading = true;
    keeper->new_config.is_reload = 1;
    if (status == STATUS_OK)
        status = child_send(&keeper->children[KEEPER_SCANNER], MESSAGE_CONFIG, &keeper->new_config,
                            keeper->new_config_fd);
    if (status == STATUS_OK)
        return;
    struct message_config_result result = {.is_reload = 1};
    snprintf(result.message, sizeof result.message, "%s",
             err.message[0] ? err.message : "the scanner is not running");
    take(keeper, &result);
}

void configuration_reload(struct keeper *keeper)
{
    keeper->is_reload_wanted = true;
    configuration_check(keeper, clock_monotonic_ns());
}

void configuration_check(struct keeper *keeper, uint64_t now_ns)
{
    if (!keeper->is_reload_wanted || keeper->is_reloading || !keeper->is_started ||
        now_ns < keeper->reload_ns)
        return;
    keeper->is_reload_wanted = false;
    keeper->reload_ns = now_ns + RELOAD_INTERVAL_NS;
    begin_reload(keeper);
}

enum status configuration_judged(struct keeper *keeper, const struct message_config_result *result,
                                 struct error *err)
{
    if (!message_string_ok(result->message, sizeof result->message))
        return error_set(err, STATUS_BAD_DATA, "CONFIG_RESULT is not sound");
    if (result->is_reload && !keeper->is_reloading)
        return error_set(err, STATUS_BAD_DATA, "CONFIG_RESULT of a reload that was not asked for");
    take(keeper, result);
    return STATUS_OK;
}

void configuration_scanner_ended(struct keeper *keeper)
{
    struct message_config_result result = {.is_reload = 1,
                                           .message = "the scanner ended before it had read it: ask again"};
    if (keeper->is_reloading)
        take(keeper, &result);
}
