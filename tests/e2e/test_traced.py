"""A process that a debugger has, or that has more threads than the time for a stop allows, is scanned live, with the reason."""
import os
import re
import subprocess
import tempfile
import time
import unittest

from service import BUILD, Target

PROGRAM = os.path.join(BUILD, "src", "malloc_exporter")
DEADLINE = 60


def tracer_of(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return int(re.search(r"^TracerPid:\t(\d+)$", file.read(), re.M).group(1))


def mode_of(pid, *consistency):
    """(mode, why) of a scan"""
    done = subprocess.run([PROGRAM, "scan", str(pid), "--format", "prometheus", "--consistency", *consistency],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return re.search(r'^malloc_last_scan_mode\{.*mode="(\w+)",why="(\w+)".*\} 1$', done.stdout.decode(), re.M).groups()


class Case(unittest.TestCase):
    def await_live(self, why, pid, *consistency):
        """It is live in each scan; on a busy machine the holder may be too late to learn the reason of some."""
        end = time.monotonic() + DEADLINE
        while (had := mode_of(pid, *consistency)) != ("live", why):
            self.assertEqual(had[0], "live")
            self.assertLess(time.monotonic(), end, had)


class Traced(Case):
    def check(self, *debugger):
        with Target("demo") as demo:
            with subprocess.Popen([*debugger, "-p", str(demo.pid)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL) as tracer:
                try:
                    end = time.monotonic() + DEADLINE
                    while tracer_of(demo.pid) == 0:
                        self.assertTrue(tracer.poll() is None and time.monotonic() < end, "it does not attach")
                        time.sleep(0.01)
                    for consistency in ("snapshot", "sliced"):
                        self.await_live("traced", demo.pid, consistency)
                    self.assertEqual(tracer_of(demo.pid), tracer.pid)
                finally:
                    tracer.kill()
            self.assertTrue(demo.runs())

    def test_strace(self):
        self.check("strace", "-o", "/dev/null")

    def test_gdb(self):
        self.check("gdb", "-q", "-nx")


class Threads(Case):
    def test_more_than_the_budget_allows(self):
        with tempfile.NamedTemporaryFile() as beats:
            beats.write(bytes(4096))
            beats.flush()
            with subprocess.Popen([os.path.join(BUILD, "tests", "targets", "target_heartbeat"), beats.name, "4000", "1"],
                                  stdin=subprocess.DEVNULL) as target:
                try:
                    end = time.monotonic() + DEADLINE
                    while len(os.listdir(f"/proc/{target.pid}/task")) < 4000:
                        self.assertTrue(target.poll() is None and time.monotonic() < end, "no 4,000 threads")
                        time.sleep(0.01)
                    self.await_live("threads", target.pid, "snapshot", "--snapshot-max-pause", "20ms")
                    self.await_live("threads", target.pid, "sliced", "--max-pause", "5ms")
                    self.assertEqual(tracer_of(target.pid), 0)
                finally:
                    target.kill()


if __name__ == "__main__":
    unittest.main(verbosity=2)
