/* fuzz_web.c - the web configuration's text, and what its names of suites and curves become. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "roles/front/web/web_config.h"
#include "roles/front/web/web_tls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "fuzz_web: %s\n", what);
        abort();
    }
}

static void check(const struct web_config *config)
{
    require(config->client_auth < CLIENT_AUTH_COUNT, "a policy that is none");
    require(config->min_version < TLS_VERSION_COUNT && config->max_version < TLS_VERSION_COUNT,
            "a version that is none");
    require(config->rate_interval_ns == 0 || config->rate_burst > 0, "a rate without a burst");
    for (size_t i = 0; i < config->users_count; i++)
        require(config->users[i].name && web_config_is_bcrypt(config->users[i].hash),
                "a user without a hash");
    require(!config->cert_file.text || config->cert_file.text[0] == '/',
            "a file that is not next to its own");
    for (size_t i = 0; i < WEB_HEADER_COUNT; i++)
        require(!config->headers[i].text || !strpbrk(config->headers[i].text, "\r\n"),
                "a header of two lines");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scoped_problems struct problems problems = {.file = "/directory/web.yml"};
    scoped_buffer struct buffer lines = {0};
    scoped_buffer struct buffer priority = {0};
    struct error err = {0};
    scoped(web_config_deinit) struct web_config config;
    enum status status = web_config_parse(problems.file, (const char *)data, size, &config, &problems, &err);
    require((status == STATUS_OK) == (problems.found == 0), "a verdict without its reason");
    if (status == STATUS_OK) {
        check(&config);
        status = web_tls_priority(&config, &priority, &problems, &err);
        require((status == STATUS_OK) == (problems.found == 0), "a refusal without its reason");
    }
    problems_write(&problems, &lines);
    require((problems.found > 0) == (lines.length > 0), "problems that are not said");
    return 0;
}
