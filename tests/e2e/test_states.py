"""States of a process as the service tells them: each reason of a failure, another allocator, an exec, no one's own."""
import ctypes
import os
import platform
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from service import TARGETS, Service, Target, value

ROOT = os.environ.get("SOURCE_ROOT") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
LIBRARIES = f"/usr/lib/{platform.machine()}-linux-gnu"
PROCESS_VM_READV = {"x86_64": 310, "aarch64": 270}.get(platform.machine())
MARK = f"states-{os.getpid()}"
HEAD = "scan: {{interval: 200ms, timeout: {timeout}}}\ndiscovery: {{interval: 200ms}}\nlimits: {{max_cpu: 6400%{limits}}}\nprocess_names:\n"
WHILE_DOWN = {"malloc_up", "malloc_last_scan_failure", "malloc_process_info", "malloc_process_resident_memory_bytes",
              "malloc_process_start_time_seconds"}
AS_NOBODY = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "--bounding-set", "-all"]


def config(entries, timeout="1s", limits=""):
    return HEAD.format(timeout=timeout, limits=limits) + entries


def of_process(metrics, pid):
    return {key.split("{")[0] for key in metrics if f'pid="{pid}"' in key}


def hangs_in(service, pid):
    """Whether a thread of the scanner is in the kernel, in a read of the memory of process @pid."""
    scanner = service.roles().get("scanner")
    if not scanner:
        return False
    for tid in os.listdir(f"/proc/{scanner}/task"):
        with open(f"/proc/{scanner}/task/{tid}/syscall", encoding="ascii") as file:
            words = file.read().split()
        if words[0] == str(PROCESS_VM_READV) and int(words[1], 16) == pid:
            return True
    return False


class Down(unittest.TestCase):
    def check_down(self, service, pid, reason):
        service.wait(lambda: value(service.metrics(), "malloc_last_scan_failure", pid, reason=reason) == 1)
        metrics = service.metrics()
        self.assertEqual(value(metrics, "malloc_up", pid), 0)
        there = {name for name in of_process(metrics, pid) if not name.startswith("malloc_last_scan_")}
        self.assertEqual(there | {"malloc_last_scan_failure"}, WHILE_DOWN)
        self.assertEqual(metrics['malloc_group_scanned_processes{groupname="g"}'], 0)
        self.assertEqual(metrics['malloc_group_processes{groupname="g"}'], 1)

    def test_stale(self):
        with Target("target_soak", "idle", MARK) as one:
            with Service(config(f"  - {{name: g, pid: [{one.pid}]}}\n")) as service:
                self.assertEqual(value(service.metrics(), "malloc_up", one.pid), 1)
                scanner = service.roles()["scanner"]
                os.kill(scanner, signal.SIGSTOP)
                begin = time.monotonic()
                self.check_down(service, one.pid, "stale")
                # 2 x 200 ms + 1 s after the last result, which is younger than one interval
                self.assertGreater(time.monotonic() - begin, 1)
                self.assertGreater(value(service.metrics(), "malloc_last_scan_timestamp_seconds", one.pid), 1e9)
                os.kill(scanner, signal.SIGCONT)
                service.wait(lambda: value(service.metrics(), "malloc_up", one.pid) == 1)
                self.assertEqual(service.metrics()['malloc_group_scanned_processes{groupname="g"}'], 1)

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"), "needs a process of another user")
    def test_permission(self):
        with Target("target_soak", "idle", MARK) as one:
            with Service(config(f"  - {{name: g, pid: [{one.pid}]}}\n"), wrapper=AS_NOBODY) as service:
                self.check_down(service, one.pid, "permission")
                service.wait(lambda: service.metrics()['malloc_exporter_skipped_processes{reason="permission"}'] == 1)
                self.assertIsNone(value(service.metrics(), "malloc_last_scan_timestamp_seconds", one.pid))
                self.assertGreater(service.metrics()['malloc_scans_total{groupname="g",result="permission"}'], 0)

    def test_inconsistent(self):
        with Target("target_faults") as one:
            one.process.stdout.readline()
            with Service(config(f"  - {{name: g, pid: [{one.pid}]}}\n", "10s")) as service:
                self.assertEqual(value(service.metrics(), "malloc_up", one.pid), 1)
                last = value(service.metrics(), "malloc_last_scan_timestamp_seconds", one.pid)
                one.process.stdin.write(b"arena\n")
                one.process.stdin.flush()
                self.check_down(service, one.pid, "inconsistent")
                self.assertGreater(service.metrics()['malloc_scans_total{groupname="g",result="inconsistent"}'], 0)
                self.assertLess(value(service.metrics(), "malloc_last_scan_timestamp_seconds", one.pid) - last, 5)

    @unittest.skipUnless(os.geteuid() == 0, "needs to take descriptors from another process")
    def test_error(self):
        with Target("target_soak", "idle", MARK) as one:
            # a process may take from one of its own user
            with Service(config(f"  - {{name: g, pid: [{one.pid}]}}\n", "10s"), "--user", "root") as service:
                scanner = service.roles()["scanner"]
                hard = resource.prlimit(scanner, resource.RLIMIT_NOFILE)[1]
                used = max(map(int, os.listdir(f"/proc/{scanner}/fd"))) + 1
                # none to spare (but what poll(2) is given), and so few that /proc can be listed, and nobody in it be seen
                for spare in (4 - used, 1, 2):
                    limits = resource.prlimit(scanner, resource.RLIMIT_NOFILE, (used + spare, hard))
                    self.check_down(service, one.pid, "error")
                    count = service.metrics()['malloc_scans_total{groupname="g",result="error"}']
                    service.wait(lambda: service.metrics()['malloc_scans_total{groupname="g",result="error"}'] > count + 5)
                    self.check_down(service, one.pid, "error")
                    self.assertEqual(service.get(f"/api/v1/processes/{one.pid}")[0], 200)
                    resource.prlimit(scanner, resource.RLIMIT_NOFILE, limits)
                    service.wait(lambda: value(service.metrics(), "malloc_up", one.pid) == 1)
                self.assertEqual(service.metrics()['malloc_exporter_restarts_total{role="scanner"}'], 0)

    def test_a_broken_ring_is_no_failure_of_the_scan(self):
        """What is broken in the heap is said in numbers; the scan has succeeded."""
        with Target("target_faults") as one:
            one.process.stdout.readline()
            with Service(config(f"  - {{name: g, pid: [{one.pid}]}}\n")) as service:
                service.wait(lambda: value(service.metrics(), "malloc_reconciled", one.pid, check="arena_ring") == 1)
                one.process.stdin.write(b"ring\n")
                one.process.stdin.flush()
                service.wait(lambda: value(service.metrics(), "malloc_reconciled", one.pid, check="arena_ring") == 0)
                self.assertEqual(value(service.metrics(), "malloc_up", one.pid), 1)


@unittest.skipUnless(os.geteuid() == 0 and PROCESS_VM_READV, "needs to see where a scanner is")
class Quarantine(unittest.TestCase):
    interval = 5

    def test_who_crashes_the_scanner_twice(self):
        with Target("target_stuck") as culprit, Target("target_soak", "idle", MARK) as other:
            if culprit.process.stdout.readline() != b"stuck\n":
                self.skipTest("the kernel gives no userfaultfd")
            entries = f"  - {{name: g, pid: [{culprit.pid}]}}\n" \
                      f"  - {{name: other, pid: [{other.pid}], scan: {{interval: {self.interval}s}}}}\n"
            with Service(config(entries, "10m", ", concurrency: 2"), ready=False) as service:
                seen = set()

                def look():
                    metrics = service.metrics()
                    seen.add(value(metrics, "malloc_last_scan_timestamp_seconds", other.pid) or 0)
                    return metrics
                service.wait(lambda: value(look(), "malloc_up", other.pid) == 1)
                for _ in range(2):
                    service.wait(lambda: look() and hangs_in(service, culprit.pid))
                    os.kill(service.roles()["scanner"], signal.SIGSEGV)
                    service.wait(lambda: look() and not hangs_in(service, culprit.pid))
                service.wait(lambda: value(look(), "malloc_last_scan_failure", culprit.pid, reason="crashed") == 1)
                metrics = look()
                self.assertEqual(value(metrics, "malloc_up", culprit.pid), 0)
                self.assertEqual(metrics['malloc_exporter_skipped_processes{reason="quarantined"}'], 1)
                self.assertEqual(metrics['malloc_exporter_restarts_total{role="scanner"}'], 2)
                answer = service.json(f"/api/v1/processes/{culprit.pid}")[1]
                self.assertEqual(answer["last_scan_failure"], "crashed")
                self.assertIn("left alone until it execs", answer["message"])
                # whoever was scanned at the same time is not blamed, and no scan came later than by one interval
                ok = 'malloc_scans_total{groupname="other",result="ok"}'
                count = metrics[ok]
                service.wait(lambda: look()[ok] >= count + 2)
                self.assertEqual(value(service.metrics(), "malloc_up", other.pid), 1)
                times = sorted(seen - {0})
                gaps = [after - before for before, after in zip(times, times[1:])]
                self.assertLess(max(gaps), 2 * self.interval, gaps)
                self.assertFalse(hangs_in(service, culprit.pid))
                culprit.process.send_signal(signal.SIGUSR1)
                self.assertEqual(culprit.process.stdout.readline(), b"sound\n")
                service.wait(lambda: value(look(), "malloc_up", culprit.pid) == 1)
                self.assertEqual(service.metrics()['malloc_exporter_skipped_processes{reason="quarantined"}'], 0)


class Exec(unittest.TestCase):
    def test_what_was_before_goes_though_no_scan_is_due(self):
        program = "import os, sys; x = [bytes(1000) for _ in range(100000)]; print('big', flush=True); sys.stdin.readline(); " \
                  "os.execv(sys.executable, ['python3', '-c', 'print(\"small\", flush=True); input()'])"
        with Target(sys.executable, "-c", program) as one:
            one.process.stdout.readline()
            text = config(f"  - {{name: g, pid: [{one.pid}], scan: {{interval: 24h}}}}\n")
            with Service(text) as service:
                before = value(service.metrics(), "malloc_active_bytes", one.pid)
                self.assertGreater(before, 100e6)
                start = value(service.metrics(), "malloc_process_start_time_seconds", one.pid)
                one.process.stdin.write(b"\n")
                one.process.stdin.flush()
                self.assertEqual(one.process.stdout.readline(), b"small\n")
                service.wait(lambda: (value(service.metrics(), "malloc_active_bytes", one.pid) or before) < 50e6)
                self.assertEqual(value(service.metrics(), "malloc_process_start_time_seconds", one.pid), start)


class OtherAllocators(unittest.TestCase):
    def test_they_are_named_and_left_alone(self):
        started, expected = [], {}
        with tempfile.TemporaryDirectory() as place:
            def start(name, program, **environment):
                target = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                          env={**os.environ, **environment})
                started.append(target)
                self.assertEqual(target.stdout.read(7), b"5\nready", name)
                expected[target.pid] = name
            try:
                plain = os.path.join(TARGETS, "target_plain")
                for name, file in (("jemalloc", "libjemalloc.so.2"), ("tcmalloc", "libtcmalloc_minimal.so.4"),
                                   ("mimalloc", "libmimalloc.so.2.0")):
                    if os.path.exists(f"{LIBRARIES}/{file}"):
                        start(name, plain, LD_PRELOAD=f"{LIBRARIES}/{file}")
                if shutil.which("musl-gcc"):
                    subprocess.run(["musl-gcc", "-o", f"{place}/musl", f"{ROOT}/tests/targets/plain.c"], check=True)
                    start("musl", f"{place}/musl")
                if os.path.exists(os.path.join(TARGETS, "target_go_like")):
                    start("go", os.path.join(TARGETS, "target_go_like"))
                self.check(expected)
            finally:
                for target in started:
                    target.kill()
                    target.wait()
                    target.stdin.close()
                    target.stdout.close()

    def check(self, expected):
        pids = ", ".join(map(str, expected))
        with Service(config(f"  - {{name: g, pid: [{pids}]}}\n", "10s")) as service:
            key = 'malloc_exporter_skipped_processes{reason="unsupported"}'
            service.wait(lambda: service.metrics()[key] == len(expected))
            metrics = service.metrics()
            self.assertFalse([name for name in metrics if name.startswith("malloc_up")])
            self.assertFalse([name for name in metrics if name.startswith("malloc_last_scan_failure")])
            self.assertEqual(metrics['malloc_group_scanned_processes{groupname="g"}'], 0)
            for pid, name in expected.items():
                code, answer = service.json(f"/api/v1/processes/{pid}")
                self.assertEqual((code, answer["allocator"], answer["up"]), (200, name, None))
                self.assertEqual(service.json(f"/api/v1/processes/{pid}/sizes")[1]["error"]["code"], "unsupported_allocator")
                service.read_log(0)
                self.assertEqual(len([line for line in service.lines if f"pid={pid} " in line]), 1, name)


class Own(unittest.TestCase):
    def test_the_exporter_never_scans_itself(self):
        with Target("target_soak", "idle", MARK) as one, Service(config("  - {name: own, comm: [no-such]}\n")) as service:
            own = [service.process.pid, *service.roles().values()]
            pids = ", ".join(map(str, [*own, one.pid]))
            service.reload(config(f"  - {{name: own, pid: [{pids}], children: true}}\n"))
            service.wait(lambda: value(service.metrics(), "malloc_up", one.pid) == 1)
            metrics = service.metrics()
            self.assertEqual(metrics['malloc_group_processes{groupname="own"}'], 1)
            for pid in own:
                self.assertFalse(of_process(metrics, pid))
                self.assertEqual(service.json(f"/api/v1/processes/{pid}")[1]["error"]["code"], "not_selected")


if __name__ == "__main__":
    unittest.main(verbosity=2)
