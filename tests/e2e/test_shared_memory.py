"""Two processes in one address space (clone with CLONE_VM): the service counts their heap once."""
import re
import sys
import unittest

from service import Service, Target

CONFIG = """
discovery: {{interval: 1s}}
scan: {{interval: 1s}}
process_names:
  - name: pair
    pid: [{}, {}]
"""


class Pair(unittest.TestCase):
    def test_counted_once(self):
        with Target("target_moments", "pair") as target:
            self.assertEqual(target.process.stdout.readline().strip().isdigit(), True)
            answer = b""
            while not re.fullmatch(rb"ready \d+", answer) or not self.is_child(target.pid, answer):
                answer += target.process.stdout.read1(1)
            child = int(answer.split()[1])
            with Service(CONFIG.format(target.pid, child)) as service:
                scanned = 'malloc_group_scanned_processes{groupname="pair"} 1\n'
                metrics = service.wait(lambda: self.with_text(service.get("/metrics")[2].decode(), scanned))
                self.assertEqual(re.findall(r'^malloc_up\{[^}]*pid="(\d+)"[^}]*\} 1$', metrics, re.M),
                                 [str(target.pid)])

    @staticmethod
    def with_text(metrics, text):
        return metrics if text in metrics else None

    @staticmethod
    def is_child(pid, answer):
        """Whether the number is complete."""
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return answer.split()[1].decode() in file.read().split()


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
