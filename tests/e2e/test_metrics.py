"""Each metric: README's table, the live exposition and what Python's parsers make of it say the same."""
import os
import re
import subprocess
import sys
import unittest

from service import PROGRAM, TARGETS, Service, Target, value

try:
    import prometheus_client.parser
except ImportError:  # another Python than Debian's runs this
    sys.path.append("/usr/lib/python3/dist-packages")
try:
    import prometheus_client.openmetrics.parser
    import prometheus_client.parser
except ImportError:
    prometheus_client = None

ROOT = os.environ.get("SOURCE_ROOT") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
CONFIG = """
scan: {{interval: 200ms}}
limits: {{max_cpu: 6400%}}
discovery: {{interval: 200ms}}
metrics: {{per_arena: true}}
process_names:
  - {{name: sound, pid: [{sound}], labels: {{team: "a\\"b\\\\c"}}}}
  - {{name: broken, pid: [{broken}]}}
  - {{name: failing, pid: [{failing}], scan: {{timeout: 10ms}}}}
  - {{name: sums, pid: [{first}, {second}], identify_by: none}}
"""
# Labels of a family beside those of its group and process; README's words for those of the exporter's own.
OWN = {
    "malloc_exporter_build_info": {"version"}, "malloc_exporter_restarts_total": {"role"},
    "malloc_exporter_skipped_processes": {"reason"}, "malloc_exporter_http_requests_total": {"code", "handler"},
}
OF_GROUPS = {"malloc_scans_total", "malloc_scan_resyncs_total", "malloc_scan_read_bytes_total",
             "malloc_scan_pause_seconds_total", "malloc_group_processes", "malloc_group_scanned_processes",
             "malloc_scan_interval_seconds"}
NOT_IN_SUMS = {"malloc_process_info", "malloc_arenas_limit", "malloc_mmap_threshold_bytes",
               "malloc_trim_threshold_bytes"}
WHILE_DOWN = {"malloc_up", "malloc_last_scan_failure", "malloc_process_info", "malloc_process_resident_memory_bytes",
              "malloc_process_start_time_seconds"}
STATES = ("in_use", "tcache", "fastbin", "unsorted", "small", "large", "top", "mmapped")


def documented():
    """{name: (type, labels)} of README's tables."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        text = file.read()
    found = {}
    for names, kind, labels in re.findall(r"^\| (`malloc_[^|]*) \| (gauge|counter|histogram)[^|]* \|([^|]*)\|", text,
                                          re.M):
        words = set(re.findall(r"[a-z_]+", re.sub(r"\([^)]*\)", "", labels)))
        for name in re.findall(r"`(\w+)`", names):
            found[name] = (kind, words)
    for name in re.findall(r"`(malloc_exporter_\w+)", text):
        if name not in found:
            found[name] = ("counter" if name.endswith("_total") else "gauge", OWN.get(name, set()))
    return {name: row for name, row in found.items() if not name.endswith("_")}


def families(body):
    return {family.name: family for family in prometheus_client.parser.text_string_to_metric_families(body)}


def by_name(body):
    """{family's name in the exposition: [(labels, value)]}, a histogram's rows together."""
    rows, types = {}, {}
    for line in body.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            types[name] = kind
    for family in families(body).values():
        for sample in family.samples:
            name = re.sub(r"_(bucket|sum|count)$", "", sample.name)
            name = name if types.get(name) == "histogram" else sample.name
            rows.setdefault(name, []).append((sample.labels, sample.value))
    return rows, types


@unittest.skipUnless(prometheus_client, "python3-prometheus-client is not installed")
class Metrics(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.targets = []

        def start(*command):
            target = Target(*command)
            cls.targets.append(target)
            return target
        environment = dict(os.environ)
        os.environ["MALLOC_ARENA_MAX"] = "7"
        sound = start("target_threads")
        os.environ.clear()
        os.environ.update(environment)
        broken = start("target_faults")
        for target in (sound, broken):
            target.process.stdout.readline()
        broken.process.stdin.write(b"size\n")
        broken.process.stdin.flush()
        broken.process.stdout.readline()
        failing = start("target_bench", "small", "512")
        failing.process.stdout.readline()
        first, second = start("target_threads"), start("target_fragmented")
        for target in (first, second):
            target.process.stdout.readline()
        cls.pids = {"sound": sound.pid, "broken": broken.pid, "failing": failing.pid, "first": first.pid,
                    "second": second.pid}
        cls.service = Service(CONFIG.format(**cls.pids))
        cls.service.wait(lambda: value(cls.service.metrics(), "malloc_up", failing.pid) == 0)
        cls.service.wait(lambda: (value(cls.service.metrics(), "malloc_corrupt_chunks", broken.pid) or 0) > 0)
        cls.service.wait(lambda: cls.service.metrics().get('malloc_group_scanned_processes{groupname="sums"}') == 2)
        cls.body = cls.service.get("/metrics")[2].decode()
        cls.rows, cls.types = by_name(cls.body)

    @classmethod
    def tearDownClass(cls):
        cls.service.__exit__()
        for target in cls.targets:
            target.__exit__()

    def test_what_is_documented_is_there_and_the_other_way_round(self):
        table = documented()
        seen = {name for name in self.rows if name.startswith("malloc_")}
        self.assertEqual(seen, set(table))
        for name, (kind, labels) in table.items():
            self.assertEqual(self.types[name], kind, name)
            base = {"groupname"} if name in OF_GROUPS else set() if name.startswith("malloc_exporter_") else {
                "groupname", "pid"}
            for own, _ in self.rows[name]:
                expected = set(base | labels)
                if own.get("groupname") == "sound":
                    expected.add("team")
                if own.get("groupname") == "sums":
                    expected.discard("pid")
                self.assertEqual(set(own) - {"le"}, expected, name)
                self.assertEqual(own.get("team", "a\"b\\c"), "a\"b\\c")

    def test_process_metrics_are_those_of_client_libraries(self):
        self.assertEqual({name for name in self.rows if name.startswith("process_")},
                         {"process_cpu_seconds_total", "process_open_fds", "process_max_fds", "process_virtual_memory_bytes",
                          "process_virtual_memory_max_bytes", "process_resident_memory_bytes",
                          "process_start_time_seconds"})

    def test_openmetrics_is_strict_and_says_the_same(self):
        code, headers, body = self.service.get("/metrics", headers={"Accept": "application/openmetrics-text"})
        self.assertEqual((code, headers["Content-Type"]),
                         (200, "application/openmetrics-text; version=1.0.0; charset=utf-8"))
        names = set()
        for family in prometheus_client.openmetrics.parser.text_string_to_metric_families(body.decode()):
            names |= {sample.name for sample in family.samples}
        names = {re.sub(r"_(bucket|gsum|gcount)$", "", name) if name.startswith("malloc_chunk_size") else name
                 for name in names}
        self.assertEqual(names, set(self.rows))

    def test_integers_print_as_integers(self):
        for line in self.body.splitlines():
            if re.match(r"malloc_\w*(bytes|chunks|processes|arenas|heaps)(_total)?[{ ]", line) and "le=" not in line:
                self.assertRegex(line, r" \d+$")

    def test_what_stays_while_a_process_is_down(self):
        pid = str(self.pids["failing"])
        there = {name for name, rows in self.rows.items() if any(own.get("pid") == pid for own, _ in rows)}
        self.assertEqual({name for name in there if not name.startswith("malloc_last_scan_")} | {"malloc_last_scan_failure"},
                         WHILE_DOWN)
        self.assertEqual([own["reason"] for own, _ in self.rows["malloc_last_scan_failure"]], ["timeout"])

    def of(self, name, **wanted):
        found = [number for own, number in self.rows.get(name, [])
                 if all(own.get(key) == str(text) for key, text in wanted.items())]
        self.assertLessEqual(len(found), 1, (name, wanted))
        return found[0] if found else None

    def test_sums_of_states(self):
        for where in ({"pid": self.pids["sound"]}, {"groupname": "sums"}):
            states = {state: self.of("malloc_chunk_bytes", state=state, **where) for state in STATES}
            free = sum(states[state] for state in STATES if state not in ("in_use", "mmapped"))
            self.assertEqual(self.of("malloc_active_bytes", **where), states["in_use"] + states["mmapped"])
            self.assertEqual(self.of("malloc_free_bytes", **where), free)
            self.assertEqual(self.of("malloc_system_bytes", **where), states["in_use"] + free + self.of(
                "malloc_overhead_bytes", **where) + self.of("malloc_unread_bytes", **where))
            self.assertAlmostEqual(self.of("malloc_unused_ratio", **where), free / self.of("malloc_system_bytes", **where))
        self.assertEqual(self.of("malloc_arenas_limit", pid=self.pids["sound"]), 7)
        self.assertIsNone(self.of("malloc_arenas_limit", pid=self.pids["broken"]))

    def test_arenas(self):
        pid = self.pids["sound"]
        for name, of_all in (("malloc_arena_system_bytes", "malloc_system_bytes"), ("malloc_arena_free_bytes",
                             "malloc_free_bytes"), ("malloc_arena_heaps", "malloc_heaps")):
            parts = [number for own, number in self.rows[name] if own.get("pid") == str(pid)]
            self.assertEqual(len(parts), self.of("malloc_arenas", pid=pid))
            self.assertEqual(sum(parts), self.of(of_all, pid=pid), name)

    def test_what_unread_bytes_take_away(self):
        pid = self.pids["broken"]
        self.assertGreater(self.of("malloc_unread_bytes", pid=pid), 0)
        self.assertEqual(self.of("malloc_last_scan_complete", pid=pid), 0)
        for name in ("malloc_fragmentation_ratio", "malloc_unused_ratio", "malloc_largest_free_chunk_bytes",
                     "malloc_trimmable_bytes"):
            self.assertIsNone(self.of(name, pid=pid), name)

    def test_a_sum_has_no_series_of_single_processes(self):
        there = {name for name, rows in self.rows.items() if any(own.get("groupname") == "sums" for own, _ in rows)}
        self.assertFalse(there & NOT_IN_SUMS)
        self.assertFalse([name for name in there if name.startswith("malloc_arena_")])
        self.assertEqual(self.of("malloc_up", groupname="sums"), 1)
        self.assertGreater(self.of("malloc_arenas", groupname="sums"), 2)
        for pid, name in ((self.pids["first"], "first"), (self.pids["second"], "second")):
            self.assertIsNone(self.of("malloc_up", pid=pid), name)

    def test_histogram(self):
        pid = str(self.pids["sound"])
        for use, states in (("used", ("in_use", "mmapped")), ("free", STATES[1:6])):
            rows = [(own["le"], number) for own, number in self.rows["malloc_chunk_size_bytes"]
                    if own.get("pid") == pid and own["use"] == use and "le" in own]
            self.assertEqual([le for le, _ in rows], [f"{32 * 4 ** i}.0" for i in range(11)] + ["+Inf"])
            self.assertEqual(sorted(number for _, number in rows), [number for _, number in rows])
            self.assertEqual(rows[-1][1], sum(self.of("malloc_chunks", pid=pid, state=state) for state in states))


HOLES = """
import ctypes, sys
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1])
resident()
blocks = [libc.malloc(ctypes.c_size_t(20000)) for _ in range(4000)]
for block in blocks:
    ctypes.memset(block, 1, 20000)
for i, block in enumerate(blocks):
    if i % 10:
        libc.free(ctypes.c_void_p(block))
print(resident(), flush=True)
sys.stdin.readline()
before = resident()
libc.malloc_trim(ctypes.c_size_t(0))
print(before - resident(), flush=True)
sys.stdin.readline()
"""


class Trim(unittest.TestCase):
    def test_trimmable_is_what_trim_gives_back(self):
        with Target(sys.executable, "-c", HOLES) as target:
            target.process.stdout.readline()
            done = subprocess.run([PROGRAM, "scan", str(target.pid), "--format", "prometheus"], capture_output=True,
                                  stdin=subprocess.DEVNULL, timeout=60, check=True)
            said = int(re.search(rb"^malloc_trimmable_bytes\{.*\} (\d+)$", done.stdout, re.M).group(1))
            target.process.stdin.write(b"\n")
            target.process.stdin.flush()
            given = int(target.process.stdout.readline()) * os.sysconf("SC_PAGE_SIZE")
            self.assertGreater(said, 40 << 20)
            self.assertLess(abs(said - given), 64 * os.sysconf("SC_PAGE_SIZE"), (said, given))


if __name__ == "__main__":
    unittest.main(verbosity=2)
