"""A service under attack: well-behaved scrapes go on, and what the attack took comes back."""
import os
import subprocess
import sys
import time

from service import Service, Target, is_sanitized

HERE = os.path.dirname(os.path.abspath(__file__))
# large enough an answer that slow readers really hold it up: two megabytes of groups without processes
GROUPS = 2000
CONFIG = """
scan: {interval: 1s}
api: {access: local}
process_names:
  - {name: demo, pid: [%d]}
"""
# attack, its clients, what they ask for: short and long
ATTACKS = (
    ("slowloris", 1000, "/metrics"),
    ("idle", 10000, "/metrics"),
    ("greedy", 600, "/metrics"),
    ("never_reads", 300, "/metrics"),
    ("half_open", 50, "/api/v1/processes/PID/chunks"),
    ("never_reads", 50, "/api/v1/processes/PID/chunks"),
    ("garbage", 200, "/metrics"),
    ("huge_headers", 50, "/metrics"),
    ("many_headers", 50, "/metrics"),
    ("pipelining", 20, "/-/healthy"),
    ("bodies", 100, "/metrics"),
    ("tls", 200, "/metrics"),
)


def config(pid):
    return CONFIG % pid + "".join(f"  - {{name: group-{i}, pid: [1073741823]}}\n" for i in range(GROUPS))


class Attack:
    """One attack's process, from its first full load on."""

    def __init__(self, name, port, count, path):
        self.process = subprocess.Popen([sys.executable, os.path.join(HERE, "attacks.py"), name, str(port), str(count),
                                         path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


def front_use(service):
    """(descriptors, resident KiB) of the front."""
    pid = service.roles()["front"]
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        resident = next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))
    return len(os.listdir(f"/proc/{pid}/fd")), resident


def scrape(service, path="/metrics", unix=False):
    """Seconds that one took, connection included; what it says is looked at."""
    begin = time.monotonic()
    code, _, body = service.get(path, unix=unix)
    if code != 200 or (path == "/metrics" and b"\nmalloc_exporter_build_info" not in body):
        raise AssertionError(f"a well-behaved scrape got {code}: {body[:200]}")
    return time.monotonic() - begin


def under(service, name, count, path, seconds):
    """Scrape for @seconds while the attack runs; the times, the largest use of memory in KiB."""
    times, peak = [], 0
    with Attack(name, service.port, count, path):
        limit = time.monotonic() + seconds
        while time.monotonic() < limit or len(times) < 3:
            times.append(scrape(service))
            peak = max(peak, front_use(service)[1])
            time.sleep(0.05)  # the pace of the scraper
    return times, peak


def all_attacks(seconds, scale=1.0, report=print):
    """Run each; yields (name, the longest scrape, peak KiB, KiB that did not come back)."""
    with Target("demo") as demo, Service(config(demo.pid)) as service:
        for _ in range(5):
            scrape(service)
        descriptors, resident = front_use(service)
        knows_memory = not is_sanitized()
        for name, count, path in ATTACKS:
            times, peak = under(service, name, max(1, int(count * scale)), path.replace("PID", str(demo.pid)), seconds)
            service.wait(lambda: front_use(service)[0] <= descriptors, seconds=30)
            left = front_use(service)[1] - resident
            report(f"{name} {path}: {len(times)} scrapes, longest {max(times):.3f} s, peak {peak // 1024} MiB, "
                   f"{left} KiB more than before")
            yield name, max(times), peak if knows_memory else 0, left if knows_memory else 0
        if service.metrics()['malloc_exporter_restarts_total{role="front"}'] != 0:
            raise AssertionError("the front died")
