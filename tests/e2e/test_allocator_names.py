"""The service names another allocator, by symbols of a file that it opens and a resolver reads; it logs that once."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

from service import TARGETS, Service

JEMALLOC = "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2"
CONFIG = """
discovery: {{interval: 1s}}
scan: {{interval: 1s}}
process_names:
  - name: other
    pid: [{}]
"""


@unittest.skipIf(not os.path.exists(JEMALLOC), "no jemalloc")
class Names(unittest.TestCase):
    def test_jemalloc_under_another_name(self):
        with tempfile.TemporaryDirectory() as place:
            library = shutil.copy(JEMALLOC, os.path.join(place, "x.so"))
            target = subprocess.Popen([os.path.join(TARGETS, "target_plain")], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, env={**os.environ, "LD_PRELOAD": library})
            try:
                self.assertEqual(target.stdout.read(7), b"5\nready")
                with Service(CONFIG.format(target.pid)) as service:
                    row = service.wait(lambda: self.named(service))
                    self.assertEqual((row["allocator"], row.get("up")), ("jemalloc", None))
                    scans = self.scans(service)
                    service.wait(lambda: self.scans(service) > scans)
                    service.read_log(0)
                    lines = [line for line in service.lines if f"pid={target.pid}" in line]
                    self.assertEqual(len(lines), 1, lines)
                    self.assertIn("uses jemalloc, not glibc malloc", lines[0])
                    self.assertNotIn("malloc_up{", service.get("/metrics")[2].decode())
            finally:
                target.kill()
                target.wait()
                target.stdin.close()
                target.stdout.close()

    @staticmethod
    def named(service):
        rows = json.loads(service.get("/api/v1/processes", unix=True)[2])["processes"]
        return next((row for row in rows if row.get("allocator")), None)

    @staticmethod
    def scans(service):
        metrics = service.get("/metrics")[2].decode()
        return sum(float(line.split()[-1]) for line in metrics.splitlines()
                   if line.startswith("malloc_scans_total") and 'result="unsupported"' in line)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
