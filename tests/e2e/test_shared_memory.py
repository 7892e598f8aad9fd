"""Processes in one address space (clone with CLONE_VM): the service counts their heap once, and only theirs."""
import os
import re
import sys
import unittest

from service import Service, Target, value

CONFIG = """
discovery: {{interval: 200ms}}
scan: {{interval: 200ms}}
limits: {{max_cpu: 6400%}}
process_names:
  - name: pair
    pid: [{}, {}]
"""
# Two children that have this process' memory, though they are no threads (CLONE_VM | SIGCHLD), their stacks in it.
SIBLINGS = """
import ctypes, os, sys
libc = ctypes.CDLL(None)
stacks = [ctypes.create_string_buffer(1 << 16) for _ in range(2)]
for stack in stacks:
    print(libc.clone(ctypes.cast(libc.pause, ctypes.c_void_p), ctypes.c_void_p(ctypes.addressof(stack) + 65520), 0x100 | 17, None))
sys.stdout.flush()
sys.stdin.readline()
os._exit(0)
"""
# Two children of fork: the same addresses, each a memory of its own. Their leaders have exited.
LEADERLESS = """
import ctypes, os, sys, threading
libc = ctypes.CDLL(None)
def stay():
    libc.prctl(1, 9, 0, 0, 0)
    libc.pause()
for _ in range(2):
    pid = os.fork()
    if pid == 0:
        threading.Thread(target=stay).start()
        libc.pthread_exit(None)
    print(pid)
sys.stdout.flush()
sys.stdin.readline()
"""


class Shared(unittest.TestCase):
    def test_a_pair_is_counted_once(self):
        with Target("target_moments", "pair") as target:
            self.assertEqual(target.process.stdout.readline().strip().isdigit(), True)
            answer = b""
            while not re.fullmatch(rb"ready \d+", answer) or not self.is_child(target.pid, answer):
                answer += target.process.stdout.read1(1)
            self.scanned([target.pid, int(answer.split()[1])], [target.pid])

    def test_siblings_whose_parent_is_gone_are_counted_once(self):
        with Target(sys.executable, "-c", SIBLINGS) as target:
            pids = [int(target.process.stdout.readline()) for _ in range(2)]
            try:
                target.process.stdin.write(b"\n")
                target.process.stdin.flush()
                target.process.wait()
                self.scanned(pids, [min(pids)])
            finally:
                for pid in pids:
                    os.kill(pid, 9)

    def test_forks_without_a_leader_are_two(self):
        with Target(sys.executable, "-c", LEADERLESS) as target:
            pids = [int(target.process.stdout.readline()) for _ in range(2)]
            try:
                while not all(self.has_no_leader(pid) for pid in pids):
                    pass
                self.scanned(pids, pids)
            finally:
                for pid in pids:
                    os.kill(pid, 9)

    def scanned(self, pids, expected):
        """Of the two @pids exactly those that are @expected are scanned."""
        with Service(CONFIG.format(*pids)) as service:
            scanned = 'malloc_group_scanned_processes{groupname="pair"}'
            metrics = service.wait(lambda: self.where(service.metrics(), scanned, len(expected)))
            self.assertEqual([pid for pid in pids if value(metrics, "malloc_up", pid) == 1], expected)
            self.assertEqual(metrics['malloc_group_processes{groupname="pair"}'], 2)
            count = metrics['malloc_scans_total{groupname="pair",result="ok"}']
            service.wait(lambda: service.metrics()['malloc_scans_total{groupname="pair",result="ok"}'] >= count + 4)
            self.assertEqual(service.metrics()[scanned], len(expected))

    @staticmethod
    def where(metrics, key, number):
        return metrics if metrics[key] == number else None

    @staticmethod
    def has_no_leader(pid):
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] == "Z"

    @staticmethod
    def is_child(pid, answer):
        """Whether the number is complete."""
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return answer.split()[1].decode() in file.read().split()


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
