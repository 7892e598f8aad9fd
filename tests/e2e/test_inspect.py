"""The commands that look into a process: each asked from outside, held against what the program knows of itself."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

from commands import ask, run
from service import Target

os.environ.pop("MALLOC_PERTURB_", None)  # that touches every page of a block

# A program that says where its things are: blocks of malloc, a mark across windows, a thread's stack, symbols.
KNOWS_ITSELF = r"""
import ctypes, sys, threading
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
small, freed, large = (libc.malloc(ctypes.c_size_t(n)) for n in (100, 5000, 8 << 20))
guard = libc.malloc(ctypes.c_size_t(16))
libc.free(ctypes.c_void_p(freed))
mark = bytes(b ^ 0x55 for b in b"8\x314!'>x:3x!=<&x7;0x4;&;!=0'")
def put(at, data): ctypes.memmove(at, data, len(data))
put(small, mark + b"\0")
windows = [large - 16 + n * (1 << 20) for n in range(1, 7)]
first_page = (large - 16) & ~4095
for n, at in enumerate(windows): put(at - 7 - n, mark)
put(large + (7 << 20), small.to_bytes(8, "little"))
put(large + (7 << 20) + 12, small.to_bytes(8, "little"))
tid, local = [], []
def stay():
    spot = ctypes.create_string_buffer(8)
    tid.append(threading.get_native_id()); ready.set(); threading.Event().wait()
ready = threading.Event()
threading.Thread(target=stay, daemon=True).start(); ready.wait()
address = ctypes.cast(libc.malloc_info, ctypes.c_void_p).value
print(small, large, address, tid[0], mark.hex(), *[at - 7 - n for n, at in enumerate(windows)], flush=True)
sys.stdin.read()
"""


class Commands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.target = Target(sys.executable, "-c", KNOWS_ITSELF)
        words = cls.target.process.stdout.readline().decode().split()
        cls.pid = cls.target.pid
        cls.small, cls.large, cls.function, cls.tid = map(int, words[:4])
        cls.mark = words[4]
        cls.marks = [int(word) for word in words[5:]]

    @classmethod
    def tearDownClass(cls):
        cls.target.__exit__()

    def test_maps(self):
        maps = ask("maps", self.pid)
        with open(f"/proc/{self.pid}/maps", encoding="ascii") as file:
            lines = [line.split() for line in file]
        self.assertEqual([(row["start"], row["end"], row["permissions"]) for row in maps["mappings"]],
                         [("0x%x" % int(line[0].split("-")[0], 16), "0x%x" % int(line[0].split("-")[1], 16), line[1])
                          for line in lines])
        kinds = {row["kind"] for row in maps["mappings"]}
        self.assertLessEqual({"heap", "mmapped", "stack", "code", "data", "file", "kernel", "reserved"}, kinds)
        self.assertIn(f"thread {self.tid}", [row["detail"] for row in maps["mappings"]])
        self.assertIn(f"thread {self.pid}", [row["detail"] for row in maps["mappings"] if row["file"] == "[stack]"])
        self.assertGreater(sum(row["resident_bytes"] for row in maps["mappings"]), 8 << 20)

    def test_status(self):
        status, maps = ask("status", self.pid), ask("maps", self.pid)
        for key in ("size_bytes", "resident_bytes", "swapped_bytes"):
            self.assertEqual(status[key], sum(kind[key] for kind in status["kinds"]))
        self.assertEqual(status["size_bytes"], sum(row["size_bytes"] for row in maps["mappings"]))
        self.assertEqual(status["threads"], 2)
        self.assertNotIn("0x", json.dumps(status))

    def test_address_of_a_chunk(self):
        at = ask("address", self.pid, "0x%x" % (self.small + 3))
        self.assertEqual((int(at["chunk_user_address"], 16), at["chunk_state"], at["arena"], at["kind"]),
                         (self.small, "in_use", 0, "heap"))
        self.assertEqual((at["chunk_size_bytes"], at["chunk_offset_bytes"]), (112, 19))
        at = ask("address", self.pid, "%x" % (self.large + 5000))
        self.assertEqual((int(at["chunk_user_address"], 16), at["chunk_state"]), (self.large, "mmapped"))
        self.assertNotIn("arena", at)

    def test_address_of_other_things(self):
        at = ask("address", self.pid, "%x" % (self.function + 1))
        self.assertEqual((at["symbol"].lstrip("_"), at["symbol_offset_bytes"], at["kind"]), ("malloc_info", 1, "code"))
        arenas = ask("arenas", self.pid)
        top = next(row for row in ask("struct", self.pid, "malloc_state")["fields"] if row["name"] == "top")
        at = ask("address", self.pid, top["value"])
        self.assertEqual(at["chunk_state"], "top")
        state = ask("struct", self.pid, "malloc_state")["address"]
        at = ask("address", self.pid, "%x" % (int(state, 16) + 96))
        self.assertEqual((at["struct"], at["struct_address"], at["struct_offset_bytes"]), ("malloc_state", state, 96))
        stack = next(row for row in ask("maps", self.pid)["mappings"] if row["detail"] == f"thread {self.tid}")
        self.assertEqual(ask("address", self.pid, "%x" % (int(stack["end"], 16) - 9000))["thread"], self.tid)
        self.assertGreaterEqual(len(arenas["arena_list"]), 1)
        self.assertIn(b"nothing is mapped", run("address", self.pid, "0x10", code=1).stderr)

    def test_struct(self):
        par = {row["name"]: row["value"] for row in ask("struct", self.pid, "malloc_par")["fields"]}
        scan = ask("scan", self.pid, "--format", "json")
        self.assertEqual((par["n_mmaps"], par["mmapped_mem"]),
                         (scan["chunks"]["mmapped"], scan["chunk_bytes"]["mmapped"]))
        self.assertEqual(par["mmap_threshold"], scan["mmap_threshold_bytes"])
        state = {row["name"]: row["value"] for row in ask("struct", self.pid, "malloc_state")["fields"]}
        self.assertEqual(state["system_mem"], ask("arenas", self.pid)["arena_list"][0]["system_bytes"])
        chunk = ask("struct", self.pid, "malloc_chunk", "%x" % (self.small - 16))
        self.assertEqual(next(row["value"] for row in chunk["fields"] if row["name"] == "mchunk_size") & ~7, 112)
        self.assertIn(b"address is missing", run("struct", self.pid, "malloc_chunk", code=2).stderr)
        self.assertIn(b"nothing can be read", run("struct", self.pid, "malloc_chunk", "10", code=1).stderr)
        self.assertIn(b"no_such_struct", run("struct", self.pid, "no_such_struct", "10", code=1).stderr)
        self.assertIn(b"there is no malloc_state", run("struct", self.pid, "malloc_state", "%x" % self.small,
                                                       code=1).stderr)

    def test_memory(self):
        memory = ask("memory", self.pid, "%x" % self.small, 28)
        self.assertEqual(memory["parts"][0]["hex"][:len(self.mark)], self.mark[:56])
        whole = ask("memory", self.pid, "%x" % self.large, 1 << 20)
        self.assertEqual(sum(part["length"] for part in whole["parts"]), 1 << 20)
        self.assertIn("never touched: zeros", {part["what"] for part in whole["parts"]})
        heap = ask("memory", self.pid, "[heap]")
        self.assertEqual(sum(part["length"] for part in heap["parts"]), heap["length"])
        text = run("memory", self.pid, "%x" % self.small, 28, "--format", "text").stdout.decode()
        self.assertIn(" ".join(self.mark[i:i + 2] for i in range(0, 16, 2)), text)
        self.assertIn(b"no region", run("memory", self.pid, "[nowhere]", code=1).stderr)
        self.assertIn(b"from 1 to", run("memory", self.pid, "1000", 0, code=2).stderr)

    def test_content_of_chunks(self):
        rows = [json.loads(line) for line in run("chunks", self.pid, "--content", 27).stdout.decode().splitlines()]
        by_user = {row["user_address"]: row for row in rows if row.get("user_address")}
        self.assertEqual(by_user["0x%x" % self.small]["content"], self.mark)
        self.assertEqual(by_user["0x%x" % self.large]["content"], "00" * 27)
        self.assertEqual({row["content"] for row in rows if row.get("state") == "top"}, {""})
        self.assertTrue(all(len(row["content"]) <= 54 for row in rows if "content" in row))
        csv = run("chunks", self.pid, "--content", 8, "--format", "csv").stdout.decode().splitlines()
        self.assertTrue(csv[0].endswith(",prev_in_use,content"))
        self.assertEqual({line.count(",") for line in csv}, {6})
        self.assertTrue(json.loads(run("chunks", self.pid, "--content", 4096, "--format", "json").stdout))
        self.assertIn("CONTENT", run("chunks", self.pid, "--content", 8, "--format", "text").stdout.decode())

    def test_search_across_windows(self):
        found = ask("search", self.pid, "--bytes", self.mark)
        places = [int(match["address"], 16) for match in found["matches"]]
        for place in [self.small, *self.marks]:
            self.assertEqual(places.count(place), 1, hex(place))
        by_place = {int(match["address"], 16): match for match in found["matches"]}
        self.assertEqual((by_place[self.small]["chunk_state"], by_place[self.small]["chunk_offset_bytes"]), ("in_use", 16))
        self.assertEqual({by_place[place]["chunk_state"] for place in self.marks}, {"mmapped"})
        self.assertFalse(found["limited"])
        limited = ask("search", self.pid, "--bytes", self.mark, "--limit", 2)
        self.assertEqual((len(limited["matches"]), limited["limited"]), (2, True))

    def test_search_for_pointers(self):
        found = ask("search", self.pid, "--pointer", "%x" % self.small)
        places = [int(match["address"], 16) for match in found["matches"]]
        self.assertIn(self.large + (7 << 20), places)
        self.assertNotIn(self.large + (7 << 20) + 12, places)
        self.assertIn(b"for what", run("search", self.pid, code=2).stderr)
        self.assertIn(b"hexadecimal", run("search", self.pid, "--bytes", "123", code=2).stderr)
        self.assertIn(b"once", run("search", self.pid, "--bytes", "12", "--text", "x", code=2).stderr)

    def test_strings(self):
        text = bytes.fromhex(self.mark)
        found = ask("strings", self.pid, "--min", 25)
        self.assertTrue(all(len(row["text"]) >= 25 for row in found["strings"]))
        printable = "".join(chr(byte) if 32 <= byte < 127 else "\0" for byte in text).split("\0")
        longest = max(printable, key=len)
        found = ask("strings", self.pid, "--min", max(4, len(longest)))
        self.assertTrue(any(longest in row["text"] for row in found["strings"]))

    def test_symbols(self):
        found = ask("symbols", self.pid, "--exact", "malloc_info")
        self.assertEqual([(int(row["address"], 16), row["type"]) for row in found["symbols"]],
                         [(self.function, "function")])
        self.assertIn("malloc_info", [row["name"] for row in ask("symbols", self.pid, "malloc_inf")["symbols"]])

    def test_text_has_no_wide_surprises(self):
        for command in (["maps"], ["status"], ["struct", "malloc_par"], ["search", "--bytes", self.mark],
                        ["symbols", "malloc_in"], ["address", "%x" % self.small]):
            text = run(command[0], self.pid, *command[1:], "--format", "text").stdout.decode()
            self.assertTrue(text.endswith("\n"))
            self.assertNotIn("\x1b", text)
            self.assertFalse([line for line in text.splitlines() if line != line.rstrip()])

    def test_chunks_of_a_process_that_stands_still(self):
        rows = [run("chunks", self.pid, "--consistency", mode, "--format", "csv", "--state", "in_use",
                    "--state", "mmapped").stdout for mode in ("live", "snapshot")]
        self.assertEqual(rows[0], rows[1])
        limited = run("chunks", self.pid, "--consistency", "snapshot", "--limit", 3).stdout.decode().splitlines()
        self.assertEqual((len(limited), json.loads(limited[-1])["summary"]["limited"]), (4, True))
        self.assertIn(b"live", run("chunks", self.pid, "--consistency", "snapshot", "--content", 4, code=2).stderr)

    def test_several_candidates_are_listed(self):
        with Target(sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read() # two_of_a_kind") as one, \
                Target(sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read() # two_of_a_kind") as two:
            for target in (one, two):
                target.process.stdout.readline()
            done = run("scan", "-P", "two_of_a_kind$", code=2)
            for target in (one, two):
                self.assertIn(f" {target.pid}  ".encode(), done.stderr)
            self.assertIn(b"means 2 processes", done.stderr)
            self.assertEqual(done.stdout, b"")

    def test_target_is_named_once(self):
        self.assertIn(b"name a process", run("maps", code=2).stderr)
        self.assertIn(b"name one process", run("maps", "-n", "x", "-P", "y", code=2).stderr)
        self.assertEqual(run("maps", "--core", __file__, code=1).stdout, b"")
        self.assertEqual(ask("symbols", "malloc_info", self.pid)["pid"], self.pid)
        run("maps", 2 ** 22 + 1, code=4)


class Advice(unittest.TestCase):
    """Each statement is one that the numbers of the same moment prove."""

    def test_bytes_are_those_of_the_scan(self):
        with Target("target_fragmented", "holes", "subheaps", "mmapped") as target:
            target.answer()
            scan, advice = ask("scan", target.pid, "--format", "json"), ask("advise", target.pid)
            found = {finding["code"]: finding for finding in advice["findings"]}
            self.assertEqual(found["in_use"]["bytes"], scan["active_bytes"])
            if "trimmable" in found:
                self.assertEqual(found["trimmable"]["bytes"], scan["trimmable_bytes"])
            self.assertNotIn("corrupt", found)
            self.assertNotIn("unread", found)
            self.assertEqual([finding["bytes"] for finding in advice["findings"]],
                             sorted((finding["bytes"] for finding in advice["findings"]), reverse=True))
            self.assertIn("malloc has", advice["verdict"])
            text = run("advise", target.pid, "--format", "text").stdout.decode()
            self.assertTrue(all(len(line) <= 96 for line in text.splitlines()[2:]), text)

    def advise_program(self, code, environment):
        code = "import ctypes, sys\nlibc = ctypes.CDLL(None)\nlibc.malloc.restype = ctypes.c_void_p\n" + code + \
            "\nprint('ready', flush=True)\nsys.stdin.read()"
        before = dict(os.environ)
        os.environ.update(environment)
        try:
            with Target(sys.executable, "-c", code) as target:
                target.process.stdout.readline()
                return {finding["code"]: finding for finding in ask("advise", target.pid)["findings"]}
        finally:
            os.environ.clear()
            os.environ.update(before)

    def test_threshold_that_moved(self):
        freed = "libc.free(ctypes.c_void_p(libc.malloc(ctypes.c_size_t(20 << 20))))"
        self.assertIn("mmap_threshold", self.advise_program(freed, {}))
        fixed = {"GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=262144"}
        self.assertNotIn("mmap_threshold", self.advise_program(freed, fixed))

    def test_free_memory_at_the_end_and_between(self):
        found = self.advise_program(
            "p = [libc.malloc(ctypes.c_size_t(100000)) for _ in range(300)]\n"
            "for q in p: ctypes.memset(q, 1, 100000)\n"
            "for q in p[:-1]: libc.free(ctypes.c_void_p(q))", {"GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=33554432"})
        self.assertGreater(found["trimmable"]["bytes"], 25 << 20)


class OfCxx(unittest.TestCase):
    @unittest.skipUnless(os.path.exists("/usr/bin/g++"), "g++ is not installed")
    def test_demangled_names_and_structures(self):
        with tempfile.TemporaryDirectory() as directory:
            source, program = os.path.join(directory, "x.cc"), os.path.join(directory, "x")
            with open(source, "w", encoding="ascii") as file:
                file.write("#include <unistd.h>\n#include <cstdio>\n#include <cstdlib>\nnamespace shop { struct price { int cents; char unit[8]; "
                           "double rate; struct { short a; const char *b; } inner; };\n"
                           "price one = {-42, \"euro\", 1.5, {7, \"x\"}};\n"
                           "int sum(price *p) { return p->cents; } }\n"
                           "int main() { free(malloc(10)); printf(\"%p %d\\n\", (void *)&shop::one, shop::sum(&shop::one)); "
                           "fflush(stdout); pause(); }\n")
            subprocess.run(["g++", "-g", "-O0", "-o", program, source], check=True)
            with Target(program) as target:
                place = target.process.stdout.readline().split()[0].decode()
                found = ask("symbols", target.pid, "shop::sum")["symbols"]
                self.assertEqual([row["name"] for row in found], ["shop::sum(shop::price*)"])
                fields = {row["name"]: row["value"] for row in ask("struct", target.pid, "shop::price", place)["fields"]}
                self.assertEqual((fields["cents"], fields["unit"], fields["rate"], fields["inner.a"]),
                                 (-42, "euro", "1.5", 7))
                self.assertEqual(ask("address", target.pid, place)["symbol"], "shop::one")


if __name__ == "__main__":
    unittest.main(verbosity=2)
