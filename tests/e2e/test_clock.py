"""The wall clock jumps under the service: its timestamps follow, and nothing else."""
import os
import shutil
import struct
import subprocess
import tempfile
import time
import unittest

from service import BUILD, PROGRAM, Service, Target, value

CONFIG = """
scan: {interval: 200ms, timeout: 10s}
discovery: {interval: 200ms}
limits: {max_cpu: 6400%%}
process_names:
  - {name: g, pid: [%d]}
  - {name: "young {{.PID}}", pid: [%d], min_uptime: 10h}
"""
OK = 'malloc_scans_total{groupname="g",result="ok"}'
# Roles are started without an environment: the library comes by the loader's own file, in a copy of /etc.
INSIDE = 'cp -a /etc "$0/etc" && echo "$0/clock_preload.so" >"$0/etc/ld.so.preload" && mount --bind "$0/etc" /etc && exec "$@"'


def is_plain():
    with open(PROGRAM, "rb") as file:
        text = file.read()
    return b"libasan" not in text and b"libtsan" not in text


@unittest.skipUnless(os.geteuid() == 0 and shutil.which("unshare"), "needs a mount namespace")
@unittest.skipUnless(is_plain(), "a sanitizer wants to be the first library")
class Clock(unittest.TestCase):
    def setUp(self):
        self.place = self.enterContext(tempfile.TemporaryDirectory())
        os.chmod(self.place, 0o755)
        shutil.copy(os.path.join(BUILD, "tests", "oracle", "clock_preload.so"), self.place)
        self.set(0)
        self.wrapper = ["unshare", "--mount", "sh", "-c", INSIDE, self.place]
        if subprocess.run([*self.wrapper[:4], "exit", self.place], check=False).returncode:
            self.skipTest("no mount namespaces here")

    def set(self, seconds):
        with open(os.path.join(self.place, "offset"), "wb") as file:
            file.write(struct.pack("q", seconds))

    def jump(self, seconds):
        """In place: it is mapped."""
        with open(os.path.join(self.place, "offset"), "r+b") as file:
            file.write(struct.pack("q", seconds))

    def test_jumps(self):
        with Target("target_soak", "idle") as one, Target("target_soak", "idle") as young:
            with Service(CONFIG % (one.pid, young.pid), wrapper=self.wrapper) as service:
                for seconds in (0, 86400, -86400 * 400, 86400 * 365, 0):
                    self.jump(seconds)
                    count = service.metrics()[OK]
                    service.wait(lambda: self.look(service, one.pid)[OK] >= count + 4)
                    metrics = self.look(service, one.pid)
                    at = value(metrics, "malloc_last_scan_timestamp_seconds", one.pid)
                    self.assertLess(abs(at - time.time() - seconds), 60)
                    self.assertIsNone(value(metrics, "malloc_up", young.pid))
                    self.assertEqual(metrics['malloc_exporter_skipped_processes{reason="min_uptime"}'], 1)
                    self.assertEqual(service.get("/-/ready")[0], 200)
                self.assertEqual(service.metrics()['malloc_exporter_restarts_total{role="scanner"}'], 0)

    def look(self, service, pid):
        """A scrape, in which nothing is odd."""
        metrics = service.metrics()
        self.assertEqual(value(metrics, "malloc_up", pid), 1)
        self.assertLess(value(metrics, "malloc_last_scan_duration_seconds", pid), 60)
        self.assertLess(metrics["malloc_exporter_scan_lag_seconds"], 60)
        self.assertEqual(metrics['malloc_scan_interval_seconds{groupname="g"}'], 0.2)
        return metrics


if __name__ == "__main__":
    unittest.main(verbosity=2)
