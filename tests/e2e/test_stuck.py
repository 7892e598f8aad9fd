"""A process that hangs whoever reads it: it is named, its scanner is replaced, and all others go on."""
import os
import signal
import unittest

from service import Service, Target, value

CONFIG = """
scan: {{interval: 200ms, timeout: 100ms, consistency: {consistency}}}
limits: {{max_cpu: 6400%}}
discovery: {{interval: 200ms}}
process_names:
  - {{name: stuck, pid: [{stuck}]}}
  - {{name: demo, pid: [{demo}], scan: {{timeout: 30s}}}}
"""
OK = 'malloc_scans_total{groupname="demo",result="ok"}'


class Stuck(unittest.TestCase):
    def check(self, consistency):
        with Target("target_stuck") as stuck, Target("demo") as demo:
            if stuck.process.stdout.readline() != b"stuck\n":
                self.skipTest("the kernel gives no userfaultfd")
            config = CONFIG.format(stuck=stuck.pid, demo=demo.pid, consistency=consistency)
            with Service(config, ready=False) as service:
                service.wait_line("a read of a process hangs", seconds=120)
                service.wait(lambda: value(service.metrics(), "malloc_last_scan_failure", stuck.pid,
                                           reason="timeout") == 1, seconds=120)
                before = service.metrics()[OK]
                service.wait(lambda: service.metrics()[OK] > before + 3, seconds=120)
                metrics = service.metrics()
                self.assertEqual(value(metrics, "malloc_up", stuck.pid), 0)
                self.assertEqual(value(metrics, "malloc_up", demo.pid), 1)
                self.assertGreaterEqual(metrics['malloc_exporter_restarts_total{role="scanner"}'], 1)
                with open(f"/proc/{stuck.pid}/status", encoding="utf-8") as file:
                    self.assertIn("TracerPid:\t0\n", file.read())
            self.assertTrue(stuck.runs() and demo.runs())

    def test_live(self):
        self.check("live")

    def test_while_it_stands_still(self):
        self.check("snapshot")


class Roles(unittest.TestCase):
    def test_a_scanner_that_stands_still_is_replaced(self):
        with Target("demo") as demo:
            config = CONFIG.format(stuck=0x7fffffff, demo=demo.pid, consistency="snapshot")
            with Service(config) as service:
                first = service.roles()["scanner"]
                os.kill(first, signal.SIGSTOP)
                service.wait_line("role gives no sign of life", seconds=120)
                service.wait(lambda: service.roles().get("scanner") not in (None, first), seconds=60)
                before = service.metrics()[OK]
                service.wait(lambda: service.metrics()[OK] > before, seconds=60)
                self.assertTrue(demo.runs())


if __name__ == "__main__":
    unittest.main(verbosity=2)
