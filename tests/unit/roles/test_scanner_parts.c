/* test_scanner_parts.c - packed chunks, and what control groups tell. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "roles/scanner/cgroup.h"
#include "roles/scanner/chunk_pack.h"

#define COUNT 5000

struct compare {
    struct chunk_sink sink;
    const struct chunk *expected;
    size_t count;
};

static bool compare(struct chunk_sink *sink, const struct chunk *chunks, size_t count)
{
    struct compare *compare = (struct compare *)sink;
    for (size_t i = 0; i < count; i++) {
        const struct chunk *expected = &compare->expected[compare->count++];
        assert_int_equal(chunks[i].address, expected->address);
        assert_int_equal(chunks[i].size, expected->size);
        assert_int_equal(chunks[i].arena, expected->arena);
        assert_int_equal(chunks[i].state, expected->state);
        assert_int_equal(chunks[i].prev_in_use, expected->prev_in_use);
        assert_int_equal(chunks[i].header_bytes, expected->header_bytes);
    }
    return true;
}

/* Chunks as a walk gives them: neighbours mostly, gaps, arenas, mmapped ones, extreme sizes. */
static struct chunk *make_chunks(void)
{
    struct chunk *chunks = calloc(COUNT, sizeof *chunks);
    uint64_t at = 0x555555559000;
    srand(7);
    for (size_t i = 0; i < COUNT; i++) {
        uint64_t size = i % 97 == 0 ? UINT64_C(1) << (i % 40 + 5) : (uint64_t)(rand() % 1000 + 2) * 16;
        if (i % 53 == 0)
            at += (uint64_t)rand() * 4096;
        chunks[i] = (struct chunk){
            at, size, (uint32_t)(i / 600), (uint8_t)(i % CHUNK_STATE_COUNT), i % 3 == 0, i % 5 ? 16 : 8};
        if (i % 211 == 0)
            chunks[i].arena = CHUNK_NO_ARENA;
        at += size;
    }
    return chunks;
}

static void test_pack(void **state)
{
    (void)state;
    struct chunk_pack pack;
    struct chunk *chunks = make_chunks();
    assert_int_equal(chunk_pack_init(&pack, 1 << 20, NULL), STATUS_OK);
    assert_true(pack.sink.consume(&pack.sink, chunks, COUNT));
    pack.sink.restart(&pack.sink);
    for (size_t i = 0; i < COUNT; i += 100)
        assert_true(pack.sink.consume(&pack.sink, chunks + i, 100));
    struct compare seen = {.sink = {compare}, .expected = chunks};
    assert_true(chunk_pack_send(&pack, &seen.sink));
    assert_int_equal(seen.count, COUNT);
    assert_true(pack.used_bytes < 12 * COUNT);
    chunk_pack_deinit(&pack);
    free(chunks);
}

static void test_pack_is_bounded(void **state)
{
    (void)state;
    struct chunk_pack pack;
    struct chunk *chunks = make_chunks();
    assert_int_equal(chunk_pack_init(&pack, 4096, NULL), STATUS_OK);
    assert_false(pack.sink.consume(&pack.sink, chunks, COUNT));
    assert_true(pack.is_full && pack.used_bytes <= 4096);
    chunk_pack_deinit(&pack);
    free(chunks);
}

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_cgroups(void **state)
{
    (void)state;
    static const struct {
        const char *text, *unit, *container, *pod;
    } CASES[] = {
        {"0::/system.slice/nginx.service\n", "nginx.service", "", ""},
        {"0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-x.service\n", "app-x.service", "",
         ""},
        {"0::/user.slice/user-0.slice/session-1.scope\n", "session-1.scope", "", ""},
        {"12:memory:/docker/" ID "\n1:name=systemd:/docker/" ID "\n", "", ID, ""},
        {"0::/system.slice/docker-" ID ".scope\n", "docker-" ID ".scope", ID, ""},
        {"0::/kubepods.slice/kubepods-burstable.slice/"
         "kubepods-burstable-pod11111111_2222_3333_4444_555555555555.slice/cri-containerd-" ID ".scope\n",
         "cri-containerd-" ID ".scope", ID, "11111111-2222-3333-4444-555555555555"},
        {"0::/kubepods/besteffort/pod11111111-2222-3333-4444-555555555555/" ID "\n", "", ID,
         "11111111-2222-3333-4444-555555555555"},
        {"0::/../../kubepods/burstable/pod0123456789abcdef0123456789abcdef/" ID "\n", "", ID,
         "0123456789abcdef0123456789abcdef"},
        {"0::/kubepods/pod0123456789abcdef0123456789abcd-f\n", "", "", ""},
        {"0::/\n", "", "", ""},
        {"", "", "", ""},
        {"garbage", "", "", ""},
        {"0:", "", "", ""},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct cgroup_names names;
        cgroup_parse(CASES[i].text, &names);
        assert_string_equal(names.unit, CASES[i].unit);
        assert_string_equal(names.container_id, CASES[i].container);
        assert_string_equal(names.pod_uid, CASES[i].pod);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pack),
        cmocka_unit_test(test_pack_is_bounded),
        cmocka_unit_test(test_cgroups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
