"""A process with many heaps, walked by several threads: what users get is the same to the byte, in one-shot commands,
in the service and after a reload; and the service has the threads that it was told to have."""
import os
import signal
import unittest

from commands import run
from service import Service, Target, value

CONFIG = """
scan: {{interval: 1s, consistency: {consistency}}}
limits: {{scan_threads: {threads}, max_cpu: 100%}}
api: {{access: open}}
process_names:
  - name: many
    pid: [{pid}]
"""


def threads_of(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


class ScanThreads(unittest.TestCase):
    def setUp(self):
        self.target = Target("target_threads")
        self.target.answer()
        self.addCleanup(self.target.__exit__)

    def test_commands(self):
        for command in (("chunks", "--format", "csv"), ("chunks", "--format", "ndjson", "--limit", "1000"),
                        ("sizes", "--format", "json"), ("arenas", "--format", "json")):
            for consistency in ("live", "sliced", "snapshot"):
                one, many = (run(command[0], self.target.pid, *command[1:], "--consistency", consistency,
                                 "--max-pause", "1s", "--snapshot-max-pause", "60s", "--timeout", "100s",
                                 "--scan-threads", threads).stdout
                             for threads in (1, 4))
                self.assertTrue(len(one) > 100)
                self.assertEqual(one, many, (command, consistency))
        self.assertIn(b"--scan-threads", run("scan", self.target.pid, "--scan-threads", 0, code=2).stderr)

    def test_service(self):
        for consistency in ("live", "snapshot"):
            path = f"/api/v1/processes/{self.target.pid}/chunks"
            text = {threads: CONFIG.format(consistency=consistency, threads=threads, pid=self.target.pid)
                    for threads in (1, 5)}
            with Service(text[1]) as service:
                def scans():
                    return sum(count for name, count in service.metrics().items()
                               if name.startswith("malloc_scans_total{") and 'result="ok"' in name)
                service.wait(lambda: value(service.metrics(), "malloc_up", self.target.pid) == 1)
                one, before = service.get(path)[2], threads_of(service.roles()["scanner"])
                states = [value(service.metrics(), "malloc_chunks", self.target.pid, state=state)
                          for state in ("in_use", "tcache", "unsorted", "small", "large", "top")]
                service.write(text[5])
                begin = len(service.lines)
                service.process.send_signal(signal.SIGHUP)
                service.wait_line("configuration reloaded", begin=begin)
                service.wait(lambda: threads_of(service.roles()["scanner"]) >= before + 5)
                done = scans()
                service.wait(lambda: scans() > done)
                self.assertEqual(service.get(path)[2], one)
                self.assertEqual([value(service.metrics(), "malloc_chunks", self.target.pid, state=state)
                                  for state in ("in_use", "tcache", "unsorted", "small", "large", "top")], states)
                self.assertEqual(value(service.metrics(), "malloc_up", self.target.pid), 1)


if __name__ == "__main__":
    unittest.main()
