"""A process that a debugger has, that waits in vfork, or that has more threads than the time for a stop allows, is scanned
live, with the reason."""
import os
import re
import signal
import subprocess
import tempfile
import time
import unittest

from service import BUILD, Service, Target, value

PROGRAM = os.path.join(BUILD, "src", "malloc_exporter")
DEADLINE = 60
VFORK_CONFIG = """
discovery: {interval: 200ms}
scan: {interval: 200ms}
limits: {max_cpu: 6400%}
process_names:
  - {name: alone_snapshot, cmdline: [alone snapshot$], scan: {consistency: snapshot}}
  - {name: alone_sliced, cmdline: [alone sliced$], scan: {consistency: sliced}}
  - {name: among_snapshot, cmdline: [among snapshot$], scan: {consistency: snapshot}}
  - {name: among_sliced, cmdline: [among sliced$], scan: {consistency: sliced}}
"""


def tracer_of(pid, tid=None):
    with open(f"/proc/{pid}/task/{tid or pid}/status", encoding="utf-8") as file:
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


class InVfork(Case):
    """The kernel cannot stop a thread that waits for its vfork child; the others, where there are some, it can."""

    def setUp(self):
        self.groups = [f"{threads}_{consistency}" for threads in ("alone", "among") for consistency in ("snapshot", "sliced")]
        self.targets = {name: Target("target_vfork", *name.split("_")) for name in self.groups}
        for target in self.targets.values():
            self.addCleanup(target.__exit__)
        self.children = {name: int(target.process.stdout.readline()) for name, target in self.targets.items()}
        for name, target in self.targets.items():
            self.answers_at_last(name, target, is_in_vfork=True)

    @staticmethod
    def answers_at_last(name, target, is_in_vfork):
        """One that is alone says that it is ready only when its child has execed."""
        if name.startswith("among") == is_in_vfork:
            assert target.answer() == b"ready"

    def let_exec(self, name):
        """The child ends as its own code says, and so its parent saw it."""
        target = self.targets[name]
        os.kill(self.children[name], signal.SIGUSR1)
        self.answers_at_last(name, target, is_in_vfork=False)
        end = time.monotonic() + DEADLINE
        while (said := target.ask("child")) == b"waits":
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)
        self.assertEqual(said, b"exit 7")

    def assert_nobody_is_traced(self):
        for target in self.targets.values():
            for tid in os.listdir(f"/proc/{target.pid}/task"):
                self.assertEqual(tracer_of(target.pid, tid), 0)

    def numbers(self, metrics, name, mode, why):
        """What is said of the target once its last scan was in @mode, as @why has it, of one process; None: it was not."""
        pid = self.targets[name].pid
        labels = {"groupname": name, "mode": mode, "why": why}
        if value(metrics, "malloc_last_scan_mode", pid, **labels) != 1 or value(metrics, "malloc_up", pid) != 1:
            return None
        self.assertEqual(metrics[f'malloc_group_scanned_processes{{groupname="{name}"}}'], 1)
        return {key: number for key, number in metrics.items()
                if f'pid="{pid}"' in key and re.match(r"malloc_(chunks|chunk_bytes|system_bytes|active_bytes)\{", key)}

    def test_service(self):
        with Service(VFORK_CONFIG) as service:
            live = {name: service.wait(lambda name=name: self.numbers(service.metrics(), name, "live", "threads"))
                    for name in self.groups}
            metrics = service.metrics()
            for name in self.groups:
                # the child has the same memory, and is not counted beside it
                self.assertEqual(metrics[f'malloc_group_processes{{groupname="{name}"}}'], 2)
                count = f'malloc_scans_total{{groupname="{name}",result="ok"}}'
                service.wait(lambda count=count: service.metrics()[count] > metrics[count] + 2)
                if name.startswith("among"):  # its main thread goes on, if only between two attempts
                    self.assertEqual(self.targets[name].ask("child"), b"waits")
                    self.assertGreater(metrics[f'malloc_scan_pause_seconds_total{{groupname="{name}"}}'], 0)
            for name, target in self.targets.items():
                self.let_exec(name)
                stopped = service.wait(lambda name=name: self.numbers(service.metrics(), name, name.split("_")[1], "requested"))
                self.assertEqual(stopped, live[name])
                self.assertTrue(target.runs())
        self.assert_nobody_is_traced()

    def test_commands(self):
        for name, target in self.targets.items():
            self.await_live("threads", target.pid, name.split("_")[1])
        self.assert_nobody_is_traced()
        for name in self.groups:
            self.let_exec(name)


if __name__ == "__main__":
    unittest.main(verbosity=2)
