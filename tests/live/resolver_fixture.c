/* resolver_fixture.c - see resolver_fixture.h. */
#include "resolver_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct forked_helper resolver = {.main = resolver_main};

static int find_libc(struct dl_phdr_info *info, size_t size, void *data)
{
    struct module *module = data;
    (void)size;
    if (!strstr(info->dlpi_name, "/libc.so.6"))
        return 0;
    module->bias = info->dlpi_addr;
    snprintf(module->path, sizeof module->path, "%s", info->dlpi_name);
    return 1;
}

int open_libc(struct module *module)
{
    if (!dl_iterate_phdr(find_libc, module))
        skip();
    int fd = open(module->path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(symbols_wanted_of(fd, &module->id, NULL), STATUS_OK);
    return fd;
}

enum status ask(struct resolver_client *client, int fd, const struct symbols_wanted *id,
                struct symbol_answer *ret)
{
    struct error err = {0};
    return client->source.resolve(&client->source, fd, id ? id->build_id : NULL, id ? id->build_id_length : 0,
                                  ret, &err);
}

void debug_file_of(const struct module *libc, char path[400])
{
    char hex[129] = "";
    for (uint32_t i = 0; i < libc->id.build_id_length; i++)
        snprintf(hex + 2 * (size_t)i, 3, "%02x", libc->id.build_id[i]);
    snprintf(path, 400, "/usr/lib/debug/.build-id/%.2s/%s.debug", hex, hex + 2);
    if (access(path, R_OK) != 0)
        skip();
}
