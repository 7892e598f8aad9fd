/* service_options.c - see service_options.h. Flags are --name=value, --name value, and -name as Go has them.
 */
#include "cli/service_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "cli/config_file.h"
#include "cli/explain.h"
#include "cli/help_text.h"
#include "roles/front/web/web.h"

#define DEFAULT_ADDRESS "127.0.0.1:10069"
#define DEFAULT_MAX_REQUESTS 40

typedef bool set_fn(struct service_options *options, const char *value);

static bool set_config(struct service_options *options, const char *value)
{
    options->keeper.config_file = value;
    options->keeper.is_config_given = true;
    return *value && strlen(value) < 1024;
}
static bool set_check(struct service_options *options, const char *value)
{
    (void)value;
    return options->check_config = true;
}
/* The value may be left out. */
static bool set_check_access(struct service_options *options, const char *value)
{
    char *end = NULL;
    long pid = value ? strtol(value, &end, 10) : 0;
    options->check_access = true;
    options->access_pid = (int32_t)pid;
    return !value || (*value >= '1' && *value <= '9' && !*end && pid <= INT32_MAX);
}
static bool set_explain(struct service_options *options, const char *value)
{
    char *end;
    long pid = strtol(value, &end, 10);
    options->explain_pid = (int32_t)pid;
    return *value >= '1' && *value <= '9' && !*end && pid <= INT32_MAX;
}
static bool set_address(struct service_options *options, const char *value)
{
    if (options->keeper.address_count == KEEPER_ADDRESSES_MAX)
        return false;
    options->keeper.addresses[options->keeper.address_count++] = value;
    return *value && strlen(value) < 256;
}
static bool set_telemetry_path(struct service_options *options, const char *value)
{
    options->keeper.telemetry_path = value;
    return value[0] == '/' && value[1] && strlen(value) < 256;
}
static bool set_web_config(struct service_options *options, const char *value)
{
    options->keeper.web_config_file = value;
    return strlen(value) < 4096;
}
static bool set_max_requests(struct service_options *options, const char *value)
{
    char *end;
    unsigned long number = strtoul(value, &end, 10);
    options->keeper.max_requests = (uint32_t)number;
    return *value >= '0' && *value <= '9' && !*end && number >= 1 && number <= 100000;
}
static bool set_systemd_socket(struct service_options *options, const char *value)
{
    (void)value;
    return options->keeper.systemd_socket = true;
}
static bool set_lifecycle(struct service_options *options, const char *value)
{
    (void)value;
    return options->keeper.enable_lifecycle = true;
}
static bool set_log_level(struct service_options *options, const char *value)
{
    int level = log_level_parse(value);
    options->keeper.log_level = (uint32_t)level;
    return level >= 0;
}
static bool set_log_format(struct service_options *options, const char *value)
{
    int format = log_format_parse(value);
    options->keeper.log_format = (uint32_t)format;
    return format >= 0;
}
static bool set_procfs(struct service_options *options, const char *value)
{
    options->keeper.procfs = value;
    return *value == '/';
}
static bool set_user(struct service_options *options, const char *value)
{
    options->keeper.user = value;
    return *value != '\0';
}
static bool set_help(struct service_options *options, const char *value)
{
    (void)value;
    return options->wants_help = true;
}
static bool set_version(struct service_options *options, const char *value)
{
    (void)value;
    return options->wants_version = true;
}

enum flag_group { GROUP_CONFIG, GROUP_WEB, GROUP_LOG, GROUP_PROCESS, GROUP_HIDDEN };
static const char *const GROUP_TITLES[GROUP_HIDDEN] = {"Configuration:", "HTTP:", "Log:", "The process:"};

static const struct flag {
    const char *name;
    bool has_value;
    set_fn *set;
    const char *allowed;
    enum flag_group group;
    const char *argument; /* as --help names it, NULL: none */
    const char *help;     /* ends in the default, where there is one */
} FLAGS[] = {
    {"config.file", true, set_config, "a path", GROUP_CONFIG, "PATH",
     "the YAML configuration (default " CONFIG_FILE_DEFAULT ")"},
    {"config.path", true, set_config, "a path", GROUP_CONFIG, "PATH", "the same"},
    {"config.check", false, set_check, "", GROUP_CONFIG, NULL,
     "check it, and the web configuration where one is given; print all that is wrong with file:line:column; "
     "exit 0 or 2"},
    {"explain", true, set_explain, "a pid, with --config.check", GROUP_CONFIG, "PID",
     "with --config.check: which entry takes that process, or why each does not"},
    {"web.listen-address", true, set_address, "HOST:PORT, [V6]:PORT, :PORT or unix:PATH, 64 at most",
     GROUP_WEB, "ADDRESS",
     "HOST:PORT, [V6]:PORT, :PORT or unix:PATH (mode 0600); may be given again (default " DEFAULT_ADDRESS
     ")"},
    {"web.systemd-socket", false, set_systemd_socket, "", GROUP_WEB, NULL,
     "listen on the sockets of a systemd .socket unit instead"},
    {"web.telemetry-path", true, set_telemetry_path, "a path that begins with /", GROUP_WEB, "PATH",
     "where the metrics are (default /metrics)"},
    {"web.config.file", true, set_web_config, "a path", GROUP_WEB, "PATH",
     "TLS, users, headers and a rate limit, as the exporter-toolkit has them (default none)"},
    {"web.max-requests", true, set_max_requests, "a number from 1 to 100000", GROUP_WEB, "N",
     "requests served at once; more get 503 (default 40)"},
    {"web.enable-lifecycle", false, set_lifecycle, "", GROUP_WEB, NULL,
     "POST or PUT /-/reload (default off)"},
    {"log.level", true, set_log_level, "debug, info, warn or error", GROUP_LOG, "LEVEL",
     "debug, info, warn or error (default info)"},
    {"log.format", true, set_log_format, "logfmt or json", GROUP_LOG, "FORMAT",
     "logfmt or json, to stderr (default logfmt)"},
    {"procfs", true, set_procfs, "an absolute path", GROUP_PROCESS, "PATH",
     "where procfs is mounted, of our own pid namespace (default /proc)"},
    {"user", true, set_user, "a user's name", GROUP_PROCESS, "NAME",
     "started as root: what all processes run as, with the capabilities that reading needs (default "
     "malloc_exporter, nobody where there is none)"},
    {"check-access", false, set_check_access, "a pid", GROUP_PROCESS, "[PID]",
     "print what may be read on this machine, and why not; exit 0 or 3"},
    {"version", false, set_version, "", GROUP_PROCESS, NULL, "print the version"},
    {"help", false, set_help, "", GROUP_PROCESS, NULL, "print this"},
    {"h", false, set_help, "", GROUP_HIDDEN, NULL, ""},
};
#define FLAG_COUNT (sizeof FLAGS / sizeof *FLAGS)

static const struct flag *find(const char *name, size_t length)
{
    for (size_t i = 0; i < FLAG_COUNT; i++)
        if (strlen(FLAGS[i].name) == length && strncmp(FLAGS[i].name, name, length) == 0)
            return &FLAGS[i];
    return NULL;
}

/* The flag at argv[*at]; *@at is moved over its value. */
static enum status take_flag(int argc, char **argv, int *at, struct service_options *options,
                             struct error *err)
{
    const char *text = argv[*at], *name = text + strspn(text, "-");
    size_t length = strcspn(name, "=");
    const struct flag *flag = *text == '-' ? find(name, length) : NULL;
    if (!flag)
        return error_set(err, STATUS_USAGE, "unknown argument %s: see --help", text);
    const char *value = name[length] == '=' ? name + length + 1 : NULL;
    bool is_optional = flag->set == set_check_access;
    if (is_optional && !value && *at + 1 < argc && argv[*at + 1][0] >= '0' && argv[*at + 1][0] <= '9')
        value = argv[++*at];
    if (!flag->has_value && !is_optional && value && strcmp(value, "true") != 0)
        return error_set(err, STATUS_USAGE, "--%s takes no value", flag->name);
    if (flag->has_value && !value) {
        if (*at + 1 >= argc)
            return error_set(err, STATUS_USAGE, "--%s needs a value: %s", flag->name, flag->allowed);
        value = argv[++*at];
    }
    if (!flag->set(options, value))
        return error_set(err, STATUS_USAGE, "--%s %s: must be %s", flag->name, value, flag->allowed);
    return STATUS_OK;
}

enum status service_options_parse(int argc, char **argv, struct service_options *ret, struct error *err)
{
    struct service_options options = {.keeper = {.config_file = CONFIG_FILE_DEFAULT,
                                                 .telemetry_path = "/metrics",
                                                 .web_config_file = "",
                                                 .procfs = "/proc",
                                                 .max_requests = DEFAULT_MAX_REQUESTS,
                                                 .log_level = LOG_INFO,
                                                 .log_format = LOG_LOGFMT}};
    for (int i = 0; i < argc; i++) {
        enum status status = take_flag(argc, argv, &i, &options, err);
        if (status != STATUS_OK)
            return status;
    }
    if (options.explain_pid && !options.check_config)
        return error_set(err, STATUS_USAGE, "--explain goes with --config.check");
    if (options.keeper.address_count == 0)
        options.keeper.addresses[options.keeper.address_count++] = DEFAULT_ADDRESS;
    *ret = options;
    return STATUS_OK;
}

void service_options_help(FILE *out)
{
    for (int group = 0; group < GROUP_HIDDEN; group++) {
        help_title(out, GROUP_TITLES[group]);
        for (size_t i = 0; i < FLAG_COUNT; i++) {
            char left[64];
            const struct flag *flag = &FLAGS[i];
            snprintf(left, sizeof left, "--%s%s%s", flag->name, flag->argument ? " " : "",
                     flag->argument ? flag->argument : "");
            if ((int)flag->group == group)
                help_row(out, left, flag->help);
        }
    }
}

static int check_web_config(const char *file)
{
    struct error err = {0};
    struct web *web = NULL;
    scoped_buffer struct buffer problems = {0};
    if (web_new(file, &web, &problems, &err) == STATUS_OK) {
        web_free(web);
        return 0;
    }
    fprintf(stderr, "%s%s\n", buffer_string(&problems), err.message);
    return 2;
}

static int check_config(const struct service_options *options)
{
    struct config *config = NULL;
    if (config_file_load(options->keeper.config_file, &config) != STATUS_OK)
        return 2;
    int code =
        options->explain_pid ? explain_process(config, options->keeper.procfs, options->explain_pid) : 0;
    config_free(config);
    return code;
}

int service_check_config(const struct service_options *options)
{
    bool is_web_alone = options->keeper.web_config_file[0] && !options->keeper.is_config_given &&
                        access(options->keeper.config_file, F_OK) != 0;
    int code = is_web_alone ? 0 : check_config(options);
    int web_code = check_web_config(options->keeper.web_config_file);
    return code ? code : web_code;
}
