#!/usr/bin/env python3
"""Seeds of fuzz_symbols, fuzz_proc, fuzz_locate, fuzz_core, fuzz_web, fuzz_http and fuzz_link: `seeds_files.py TARGET DIRECTORY`.

ELF files are made by the compiler (CC, else cc) of a few lines; texts and processes are written here.
"""
import os
import struct
import subprocess
import sys
import tempfile

SOURCE = """
struct malloc_state { int mutex; void *top; void *bins[254]; struct malloc_state *next; };
struct malloc_par { unsigned long trim_threshold; char *sbrk_base; union { int a; float b; } u; unsigned f : 3; };
struct malloc_state main_arena = { .next = &main_arena };
struct malloc_par mp_;
__thread void *tcache;
int mallctl(void) { return tcache != (void *)mp_.sbrk_base; }
"""
FLAGS = (
    ["-shared", "-g"],
    ["-shared", "-g", "-gz=zlib", "-Wl,--build-id"],
    ["-shared", "-g", "-gdwarf-2", "-fdebug-types-section"],
    ["-shared", "-g", "-gdwarf-5", "-gsplit-dwarf"],
    ["-shared", "-s", "-Wl,--build-id=sha1"],
    ["-c", "-g"],
    ["-c", "-g0"],
)


def elf_files():
    compiler = os.environ.get("CC", "cc").split()
    with tempfile.TemporaryDirectory() as place:
        source, output = os.path.join(place, "x.c"), os.path.join(place, "x")
        with open(source, "w", encoding="ascii") as file:
            file.write(SOURCE)
        for flags in FLAGS:
            command = compiler + ["-nostdlib", "-fPIC", "-O0", *flags, "-Wl,-z,noseparate-code", "-o", output, source]
            if subprocess.run(command, cwd=place, stderr=subprocess.DEVNULL, check=False).returncode == 0:
                with open(output, "rb") as file:
                    data = file.read()
                yield data
                yield data[: len(data) // 2]


MAPS = b"""55d0-55d1 r--p 00000000 08:01 131 /usr/bin/cat
55d1-55d4 r-xp 00001000 08:01 131 /usr/bin/cat (deleted)
56d0000-56f1000 rw-p 00000000 00:00 0                          [heap]
7ffd000-7fff000 rw-s 00000000 00:05 12 /memfd:a\\012b (deleted)
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
"""
SMAPS = b"""56d0000-56f1000 rw-p 00000000 00:00 0                          [heap]
Size:                132 kB
Rss:                   4 kB
Swap:                 12 kB
SwapPss:              12 kB
VmFlags: rd wr mr mw me ac sd
"""
STAT = (b"1 (a) R 1 (b) S 0 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 10 11 12 13 14 15 16 17 18 19 20 21 22 "
        b"23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38\n")


def texts():
    for kind, text in ((0, MAPS), (1, SMAPS), (1, SMAPS + SMAPS), (2, STAT)):
        yield bytes([kind]) + text
        yield bytes([kind]) + text[: len(text) // 2]


BASE, PAGE = 0x10000, 4096
LAYOUTS = ((0x18, 0x840), (0x70, 0x898), (0x68, 0x890))


def put(memory, address, *words):
    struct.pack_into("<%dQ" % len(words), memory, address - BASE, *words)


def header(memory, data_address, data_bytes, texts_bytes):
    ident = b"\x7fELF\x02\x01\x01" + bytes(9)
    struct.pack_into("<16sHHIQQQIHHHHHH", memory, 0, ident, 3, 62, 1, 0, 64, 0, 0, 64, 56, 5, 64, 0, 0)
    rows = (
        (1, 4, 0, BASE, PAGE, PAGE, PAGE),  # PT_LOAD, read only
        (1, 6, PAGE, data_address, data_bytes, data_bytes, PAGE),  # PT_LOAD, data
        (7, 4, PAGE, data_address + 0x1000, 0, 0x80, 16),  # PT_TLS
        (4, 4, 0x400, BASE + 0x400, 0x24, 0x24, 4),  # PT_NOTE
        (2, 6, PAGE, data_address + 0x1100, 0x100, 0x100, 8),  # PT_DYNAMIC
    )
    for i, row in enumerate(rows):
        kind, flags, offset, address, file_bytes, memory_bytes, align = row
        struct.pack_into("<IIQQQQQQ", memory, 64 + 56 * i, kind, flags, offset, address, address, file_bytes,
                         memory_bytes, align)
    struct.pack_into("<III4s20s", memory, 0x400, 4, 20, 3, b"GNU\0", bytes(range(20)))
    memory[0x500:0x500 + len(texts_bytes)] = texts_bytes


def arena(memory, at, bins, size, top, is_used):
    put(memory, at + bins + 254 * 8 + 16, at, 0, 1, *((0x21000, 0x21000) if is_used else (0, 0)))
    if is_used:
        for head in range(127):
            place = at + bins + 16 * head
            put(memory, place, place - 16, place - 16)
        put(memory, at + bins - 16, top, 0)
        put(memory, top, 0, 0x20001)


def process(bins, size, is_used, version):
    memory = bytearray(10 * PAGE)
    data = BASE + PAGE
    text = b"GNU C Library (x) stable release version 2." + str(version).encode() + b".\0glibc.malloc.tcache_count\0"
    header(memory, data, 0x3000, text)
    arena(memory, data + 0x100, bins, size, BASE + 5 * PAGE, is_used)
    put(memory, data + 0xA00, 0x20000, 0x20000, 0x20000, 8, 0)
    # dynamic section, r_debug, link_map with the TLS of the module
    put(memory, data + 0x1100, 21, data + 0x1300, 0, 0)
    put(memory, data + 0x1300, 1, data + 0x1400)
    put(memory, data + 0x1400, 0, 0, 0, 0)
    put(memory, data + 0x1400 + 0x450, data + 0x1000, 0, 0x80, 16, 0, 0x80, 1)
    pointer = BASE + 8 * PAGE
    put(memory, pointer, pointer, pointer + 0x800, pointer)
    struct.pack_into("<i", memory, pointer + 0x2D0 - BASE, 1)
    put(memory, pointer + 0x7F0, 1, 0, 0, 0, pointer - 0x80, 0)
    tcache = BASE + 6 * PAGE + 16
    put(memory, tcache - 8, 0x291)
    put(memory, pointer - 0x80 + 0x48, tcache)
    put(memory, pointer - 0x80 + 0x58, data + 0x100)
    return b"\0" + struct.pack("<III", pointer + 0x2E0, 0, 0) + bytes(memory)


def processes():
    for (bins, size), version in zip(LAYOUTS, (44, 36, 24)):
        for is_used in (False, True):
            yield process(bins, size, is_used, version)


def note(kind, data, name=b"CORE\0"):
    pad = lambda text: text + b"\0" * (-len(text) % 4)
    return struct.pack("<III", len(name), len(data), kind) + pad(name) + pad(data)


def notes_of(word, mapped):
    wide = word == 8
    pack = lambda *words: struct.pack("<%d%s" % (len(words), "Q" if wide else "I"), *words)
    prstatus = bytearray(336 if wide else 144)
    struct.pack_into("<I", prstatus, 32 if wide else 24, 1)
    if wide:
        struct.pack_into("<Q", prstatus, 280, BASE + 8 * PAGE)
    psinfo = bytearray(136 if wide else 124)
    psinfo[40 if wide else 28:][:4] = b"seed"
    names = b"".join(name + b"\0" for *_, name in mapped)
    files = pack(len(mapped), PAGE, *(number for start, end, offset, _ in mapped for number in (start, end, offset))) + names
    return (note(1, bytes(prstatus)) + note(3, bytes(psinfo)) + note(6, pack(6, PAGE, 3, BASE + 64, 25, BASE, 0, 0)) +
            note(0x46494C45, files) + note(0x200, struct.pack("<IIII", 6, 0x7000, 0, 0), b"LINUX\0") + note(9, b"x" * 7))


def core(word, memory, mapped, filtered=0, headers=None, more=b""):
    """A core of one run of memory; @filtered bytes at its end are left out of the file."""
    wide = word == 8
    notes = more + notes_of(word, mapped)
    size, count = (56, 2) if wide else (32, 2)
    begin = (64 if wide else 52) + size * count
    load = begin + len(notes)
    kept = len(memory) - filtered
    if wide:
        head = b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 4, 62, 1, 0, 64, 0, 0, 64, 56, headers or 2, 0, 0, 0)
        table = struct.pack("<IIQQQQQQ", 4, 0, begin, 0, 0, len(notes), 0, 4)
        table += struct.pack("<IIQQQQQQ", 1, 6, load, BASE, 0, kept, len(memory), PAGE)
    else:
        head = b"\x7fELF\1\1\1" + bytes(9) + struct.pack("<HHIIIIIHHHHHH", 4, 3, 1, 0, 52, 0, 0, 52, 32, headers or 2, 0, 0, 0)
        table = struct.pack("<IIIIIIII", 4, begin, 0, 0, len(notes), 0, 0, 4)
        table += struct.pack("<IIIIIIII", 1, load, 0x10000, 0, kept, len(memory), 6, PAGE)
    return head + table + notes + bytes(memory[:kept])


def cores():
    heap = process(*LAYOUTS[1], True, 36)[13:]
    mapped = [(BASE, BASE + PAGE, 0, b"/bin/sh"), (BASE + PAGE, BASE + 5 * PAGE, 1, b"/bin/sh"),
              (BASE + 16 * PAGE, BASE + 20 * PAGE, 0, b"/etc/passwd (deleted)")]
    yield core(8, heap, mapped)
    yield core(8, heap, mapped[:1], filtered=4 * PAGE)
    yield core(8, heap, [], headers=0xFFFF)
    yield core(4, heap[:PAGE], mapped)
    empty = note(0x46494C45, struct.pack("<QQ", 0, PAGE))
    yield core(8, heap[:PAGE], mapped, more=empty + empty)
    whole = core(8, heap, mapped)
    for length in (3, 63, 64, 150, 180, 700, len(whole) // 2):
        yield whole[:length]


WEB = ("", "tls_server_config:\n  cert_file: a\n  key_file: /b\n  client_auth_type: RequireAndVerifyClientCert\n"
       "  client_ca: |\n    x\n  client_allowed_sans: [a, b]\n  min_version: TLS12\n  max_version: TLS13\n"
       "  cipher_suites: [TLS_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA]\n"
       "  curve_preferences: [X25519, CurveP256]\n  prefer_server_cipher_suites: off\n",
       "http_server_config: {http2: true, headers: {X-Frame-Options: deny, X-XSS-Protection: 1}}\n",
       "basic_auth_users: {a: $2y$04$8XGNq8wruGVVbjfX5IzrOu53CQ1jEL03ryGKsejUptNqNkdg18Ph., b: c}\n",
       "rate_limit: {interval: 1s, burst: 3}\n", "tls_server_config: &a {cert: *a}\n", "- [\n", "a: 1\na: 2\n")


def web():
    for text in WEB:
        yield text.encode()


def http():
    for kind in range(16):
        for query in (b"format=csv&state=free&state=top&arena=1&min_size=1&max_size=99&limit=5&content=16",
                      b"consistency=snapshot&top=5", b"match=malloc&exact=1&limit=3", b"at=0x7f00&length=16",
                      b"region=[heap]", b"bytes=00ff", b"text=abc", b"pointer=7f00", b"min=4", b"limit", b"&&=&a==b"):
            yield bytes([kind]) + query
    for accept in (b"application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                   b"gzip;q=0, *;q=1.000", b"text/*;q=\"0.5\" , a/b;q=2;c", b",;=,"):
        yield bytes([200]) + accept
    yield bytes([255])
    yield bytes([255]) + bytes(range(256)) * 4


MESSAGES = 27  # of the table in messages.h


def link():
    """Kind, how it goes (descriptor, memory file), what fills it, how many bytes are damaged: fuzz_link.c."""
    for kind in range(MESSAGES + 2):
        sound = bytes([kind, 0, 0, 0, 0])
        for how in (0, 1, 4, 5, 12, 20, 33, 65):
            yield b"\0\1" + bytes([kind, how, 0, 0, 0]) + b"\1" + sound
        for receiver in (1, 2, 3):
            yield bytes([receiver, 1]) + sound * 3
            yield bytes([receiver, 0]) + bytes([kind, 0, 0, 3]) + b"\x30\0\1\x99\0\xff\0\5\x80" + sound
    yield b"\0\0\0\1" + b"\0\5\1" + b"bytes"  # an empty packet, and a short one, with a descriptor each
    stream = MESSAGES - 2
    for what in range(5):
        for question in range(8):
            for selected in (0, 1):
                yield bytes([4, selected, stream, 1, 0, what, question, 0]) + bytes([stream, 33, 0, what, question, 0])
    # a format that is none, of a question whose answer has but one
    yield bytes([4, 1, stream, 1, 4, 2, 1, 42, 0, 0x21]) + bytes([stream, 1, 4, 0, 1, 40, 0, 0x80])
    for question in range(3):
        for kind in range(9):
            record = bytes([kind, 1]) + (8).to_bytes(8, "little") + b"\0\0"
            end = bytes([6, 0]) + bytes(8) + b"\0\0"
            yield bytes([5, question, 3]) + record * 4 + end
            yield bytes([5, question, 1]) + record + bytes([kind, 200]) + b"\xff" * 8 + b"\3\x0c\0\xff\x10\0\x80\x40\1\x41\0"
    for status in range(20):
        yield b"\6" + bytes([1, 12, status]) + b"\0" + b"\0\0" + b"\0\0"
    yield b"\6\0\0\0\0" + bytes([3, 24, 255, 31, 255, 0, 1]) + b"\0"


CONFIGS = (
    "scan: {interval: 1m, timeout: auto, consistency: snapshot, max_pause: 5ms, snapshot_max_pause: 1s,\n"
    "  read_swapped: true}\nlimits: {concurrency: 2, scan_threads: 1, max_cpu: 5%, max_processes: 10,\n"
    "  max_series: 5000, group_ttl: 1h}\ndiscovery: {interval: 5s}\nmetrics: {per_arena: true, max_arenas: 3,\n"
    "  size_histogram: no, residency: off}\napi: {access: local, memory: true, max_consistency: entry,\n"
    "  max_streams: 2, stream_timeout: 5m, snapshot_buffer: 64MiB}\n",
    "process_names:\n- name: '{{.Comm}}-{{.Matches.port}}-{{.ExeBase}}-{{.StartTime}}-{{.Cgroups}}'\n"
    "  comm: [a, b]\n  exe: [/usr/bin/a, a]\n  exe_path: [/usr/bin/a]\n  cmdline: ['--port (?P<port>\\d+)$', .]\n"
    "  user: [a]\n  unit: [a]\n  cgroup: ['^/kube']\n  pid: [7]\n  pid_file: /run/a.pid\n"
    "  exclude: {cmdline: [x], comm: [z]}\n  min_uptime: 1m\n  children: true\n  labels: {b: c, a: d}\n"
    "  identify_by: none\n  scan: {interval: 1m}\n",
    "a: &x [1, *x]\n", "process_names: &p [{comm: &c [a]}, {comm: *c, name: g}]\n",
    "process_names:\n- comm: [a]\n- comm: [a]\n  labels: {pid: 1}\n", "- ? [\n", "scan: {<<: {}}\n", "%YAML 1.1\n---\n...\n",
    "process_names:\n- {cmdline: ['(a*)*b', '\\C', '(?P<n>.)'], name: '{{ .Matches.n }}{{'}\n",
)
PROCESSES = (b"", b"a\0a\0a --port 80\0000::/kubepods/x\n", b"\xff\xfe\0/usr/bin/a\0\xc3 --port 1\n\0001:a:/b\n0:\n",)


def configs():
    for text in CONFIGS:
        for process in PROCESSES:
            yield text.encode() + b"\0" + process


def main():
    target, directory = sys.argv[1:]
    os.makedirs(directory, exist_ok=True)
    for number, data in enumerate({"config": configs, "symbols": elf_files, "proc": texts, "locate": processes, "core": cores, "web": web, "http": http, "link": link}[target]()):
        with open(os.path.join(directory, "%03d" % number), "wb") as file:
            file.write(data)


main()
