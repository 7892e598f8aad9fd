"""Core files: the numbers of a process that stood still, to the byte; cut ones, broken ones, foreign ones."""
import errno
import json
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import unittest

from commands import ask, run
from service import PROGRAM, TARGETS, Target

# What a core cannot say, or what is of the scan and not of the heap.
NOT_IN_A_CORE = {"resident_bytes", "swapped_bytes", "free_resident_bytes", "free_swapped_bytes", "trimmable_bytes",
                 "process_resident_memory_bytes", "process_start_time_seconds", "last_scan_timestamp_seconds",
                 "last_scan_duration_seconds", "last_scan_pause_seconds", "last_scan_max_pause_seconds", "exe"}


def numbers(*arguments):
    return {key: value for key, value in ask("scan", *arguments, "--format", "json").items()
            if key not in NOT_IN_A_CORE}


def gcore(pid, directory):
    subprocess.run(["gcore", "-o", os.path.join(directory, "core"), str(pid)], capture_output=True, timeout=120,
                   check=True, stdin=subprocess.DEVNULL)
    return os.path.join(directory, f"core.{pid}")


def kernel_core(directory, *command):
    """A core as the kernel writes it, and the numbers just before; None where it goes to another program."""
    with open("/proc/sys/kernel/core_pattern", encoding="ascii") as file:
        if file.read().strip() != "core":
            return None
    process = subprocess.Popen(command, cwd=directory, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (-1, -1)))
    process.stdout.read(int(process.stdout.readline()))
    before = numbers(process.pid)
    os.kill(process.pid, signal.SIGABRT)
    process.wait()
    process.stdin.close()
    process.stdout.close()
    for name in os.listdir(directory):
        if name.startswith("core"):
            return before, os.path.join(directory, name)
    return None


@unittest.skipUnless(shutil.which("gcore"), "gcore (of gdb) is not installed")
class OfGcore(unittest.TestCase):
    def compare(self, *command):
        with Target(*command) as target, tempfile.TemporaryDirectory() as directory:
            target.answer()
            core = gcore(target.pid, directory)
            live = numbers(target.pid, "--consistency", "snapshot")
            self.assertEqual(numbers("--core", core), live)
            self.assertEqual(ask("arenas", "--core", core)["arena_list"], ask("arenas", target.pid)["arena_list"])
            self.assertEqual(ask("arenas", "--core", core)["tcache_list"], ask("arenas", target.pid)["tcache_list"])
            chunks = [run("chunks", *which, "--format", "csv").stdout for which in (("--core", core), (target.pid,))]
            self.assertEqual(chunks[0], chunks[1])
            self.assertGreater(live["tcaches"], 0)
            self.assertEqual(live["tcaches_missing"], 0)

    def test_single(self):
        self.compare("target_single")

    def test_threads(self):
        self.compare("target_threads")

    def test_fragmented(self):
        self.compare("target_fragmented", "holes", "subheaps", "sbrk", "memalign", "mmapped", "mremap", "trim")

    @unittest.skipUnless(os.geteuid() == 0, "only root makes pid namespaces")
    def test_of_another_pid_namespace(self):
        command = os.path.join(TARGETS, "target_threads")
        with Target("/usr/bin/unshare", "--fork", "--pid", "--kill-child", command) as outer, \
                tempfile.TemporaryDirectory() as directory:
            outer.answer()
            with open(f"/proc/{outer.pid}/task/{outer.pid}/children", encoding="ascii") as file:
                pid = int(file.read())
            core = gcore(pid, directory)
            live = numbers(pid, "--consistency", "snapshot")
            self.assertEqual(numbers("--core", core), live)
            self.assertEqual((live["tcaches"] > 4, live["tcaches_missing"]), (True, 0))

    def test_cut_off(self):
        with Target("target_threads") as target, tempfile.TemporaryDirectory() as directory:
            target.answer()
            core = gcore(target.pid, directory)
            whole = numbers("--core", core)
            # the kernel writes its notes first, gcore last: what is cut here has lost its threads too
            os.truncate(core, os.path.getsize(core) * 2 // 3)
            done = subprocess.run([PROGRAM, "scan", "--core", core, "--format", "json"], capture_output=True,
                                  timeout=60, check=False)
            self.assertIn(b"was cut off", done.stderr)
            self.assertIn(done.returncode, (0, 1))
            if done.returncode == 0:
                cut = json.loads(done.stdout)
                self.assertLessEqual(cut["active_bytes"], whole["active_bytes"])
                self.assertEqual(cut["last_scan_complete"], 0)

    def test_exe_that_is_another(self):
        with Target("target_single") as target, tempfile.TemporaryDirectory() as directory:
            target.answer()
            core = gcore(target.pid, directory)
            self.assertIn(b"not the program", run("scan", "--core", core, "--exe", PROGRAM, code=2).stderr)
            moved = shutil.copy(os.path.join(TARGETS, "target_single"), directory)
            self.assertEqual(numbers("--core", core, "--exe", moved), numbers("--core", core))


SMALL = """
#include <stdio.h>
#include <stdlib.h>
#include <pthread.h>
#include <unistd.h>
static pthread_barrier_t ready;
static void fill(void) { void *p[300]; for (int i = 0; i < 300; i++) p[i] = malloc(i * 17 + 1);
    for (int i = 0; i < 300; i += 2) free(p[i]); }
static void *stay(void *none) { fill(); pthread_barrier_wait(&ready); pause(); return none; }
int main(void) { pthread_t t; pthread_barrier_init(&ready, NULL, 4);
    for (int i = 0; i < 3; i++) pthread_create(&t, NULL, stay, NULL);
    fill(); (void)malloc(900000); pthread_barrier_wait(&ready); puts("ready"); fflush(stdout); pause(); }
"""


@unittest.skipUnless(shutil.which("gcore"), "gcore (of gdb) is not installed")
class OfOtherPrograms(unittest.TestCase):
    def compare(self, *flags):
        with tempfile.TemporaryDirectory() as directory:
            program = os.path.join(directory, "x")
            done = subprocess.run(["gcc", "-O1", "-fno-builtin", "-pthread", "-x", "c", "-", "-o", program, *flags],
                                  input=SMALL.encode(), capture_output=True, check=False)
            if done.returncode:
                self.skipTest("this compiler does not make such programs")
            try:
                target = Target(program)
            except OSError as error:
                if error.errno != errno.ENOEXEC:
                    raise
                self.skipTest("this kernel does not run such programs")
            with target:
                target.process.stdout.readline()
                core = gcore(target.pid, directory)
                live = numbers(target.pid, "--consistency", "snapshot")
                self.assertEqual(numbers("--core", core), live)
                self.assertEqual(live["last_scan_complete"], 1)
                return live

    def test_of_32_bits(self):
        self.assertEqual(self.compare("-m32")["tcaches"], 4)

    def test_static(self):
        self.compare("-static")

    def test_static_and_position_independent(self):
        self.compare("-static-pie")


class OfTheKernel(unittest.TestCase):
    def test_same_numbers(self):
        with tempfile.TemporaryDirectory() as directory:
            made = kernel_core(directory, os.path.join(TARGETS, "target_threads"))
            if not made:
                self.skipTest("the kernel's cores go elsewhere")
            before, core = made
            now = numbers("--core", core)
            # the process was not held: how it was scanned differs, what was found does not
            for key in ("last_scan_mode", "last_scan_why"):
                before.pop(key), now.pop(key)
            self.assertEqual(now, before)

    def test_what_is_missing_is_unread(self):
        with tempfile.TemporaryDirectory() as directory:
            made = kernel_core(directory, os.path.join(TARGETS, "target_fragmented"), "subheaps", "mmapped")
            if not made:
                self.skipTest("the kernel's cores go elsewhere")
            before, core = made
            heaps = ask("arenas", "--core", core)["heap_list"]
            last = max(int(heap["start"], 16) for heap in heaps)
            with open(core, "r+b") as file:
                head = file.read(64)
                at = int.from_bytes(head[32:40], "little")
                for _ in range(int.from_bytes(head[56:58], "little")):
                    file.seek(at)
                    header = file.read(56)
                    start, length = (int.from_bytes(header[k:k + 8], "little") for k in (16, 40))
                    if header[0] == 1 and start <= last < start + length:
                        file.seek(at + 32)
                        file.write((65536).to_bytes(8, "little"))
                    at += 56
            cut = ask("scan", "--core", core, "--format", "json")
            self.assertEqual(cut["last_scan_complete"], 0)
            self.assertGreater(cut["unread_bytes"], 0)
            self.assertEqual(cut["system_bytes"], before["system_bytes"])
            self.assertNotIn("fragmentation_ratio", cut)
            os.truncate(core, os.path.getsize(core) // 8)
            self.assertIn(b"was cut off before", run("scan", "--core", core, code=1).stderr)


class WhatACoreCannotSay(unittest.TestCase):
    @unittest.skipUnless(shutil.which("gcore"), "gcore (of gdb) is not installed")
    def test_is_absent(self):
        with Target("target_single") as target, tempfile.TemporaryDirectory() as directory:
            target.answer()
            core = gcore(target.pid, directory)
            exposition = run("scan", "--core", core, "--format", "prometheus").stdout.decode()
            for name in ("process_resident_memory_bytes", "process_start_time_seconds", "resident_bytes",
                         "trimmable_bytes", "free_resident_bytes"):
                self.assertNotIn(f"\nmalloc_{name}{{", exposition)
            self.assertIn("\nmalloc_up{", exposition)
            maps = ask("maps", "--core", core)["mappings"]
            self.assertEqual({row["resident_bytes"] for row in maps}, {None})


class Hostile(unittest.TestCase):
    def refused(self, data, *words):
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            stderr = run("scan", "--core", file.name, code=1).stderr.decode()
            for word in (file.name, *words):
                self.assertIn(word, stderr)

    def test_no_core(self):
        self.refused(b"", "too short")
        self.refused(b"x" * 4096, "no ELF file", "gcore")
        with open(PROGRAM, "rb") as file:
            self.refused(file.read(65536), "no core", "gcore")
        self.assertIn(b"no such file", run("scan", "--core", "/nonexistent/core", code=2).stderr)
        self.assertIn(b"no regular file", run("scan", "--core", "/dev/zero", code=1).stderr)

    def test_headers_that_lie(self):
        head = bytearray(64)
        head[:16] = b"\x7fELF\x02\x01\x01" + bytes(9)
        head[16:20] = (4).to_bytes(2, "little") + (62).to_bytes(2, "little")
        head[54:58] = (56).to_bytes(2, "little") + (1).to_bytes(2, "little")
        head[32:40] = (1 << 40).to_bytes(8, "little")
        self.refused(bytes(head), "beyond its end")
        head[32:40] = (64).to_bytes(8, "little")
        load = bytearray(56)
        load[:4] = (1).to_bytes(4, "little")
        load[16:24] = ((1 << 64) - 4096).to_bytes(8, "little")
        load[40:48] = (1 << 63).to_bytes(8, "little")
        self.refused(bytes(head + load), "impossible size")
        head[18] = 8
        self.refused(bytes(head + load), "machine")


if __name__ == "__main__":
    unittest.main(verbosity=2)
