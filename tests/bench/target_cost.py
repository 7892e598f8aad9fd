#!/usr/bin/env python3
"""What being scanned costs a server that lives off malloc: throughput and the 99th percentile of its requests, with
and without the exporter scanning it live once a second; and what one scan reads and marks. Each run of SECONDS that is
scanned is held against the mean of the two without, before and after it; how far these two lie apart is what the
machine does by itself: what is no more than that is not told from nothing.
Requests a second of the server's own processor time tell what scans slow down, also on a machine with other work;
throughput holds what they take away as well, which needs a machine without.

Usage: BUILD_ROOT=DIR tests/bench/target_cost.py [PAIRS [SECONDS [THREADS [MIB]]]]. It asserts nothing: the machine
decides. Needs root for the referenced bits (/proc/PID/clear_refs).
"""
import os
import statistics
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from service import PROGRAM, Service, Target  # noqa: E402  pylint: disable=wrong-import-position
import subprocess  # noqa: E402  pylint: disable=wrong-import-position

CONFIG = """
scan: {{interval: 1s}}
limits: {{max_cpu: 100%}}
process_names:
  - name: server
    pid: [{pid}]
"""


class Server(Target):
    """Commands and answers of tests/targets (truth.h)."""

    def answer(self):
        length = int(self.process.stdout.readline())
        return self.process.stdout.read(length).decode()

    def ask(self, command):
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()
        return self.answer()

    def run(self, seconds):
        """(requests a second, 99th percentile in microseconds, requests a second of processor time)"""
        requests, p99, cpu = map(int, self.ask(f"run {seconds * 1000}").split())
        return requests / seconds, p99 / 1000, requests / (cpu / 1e9)


SCANS = 'malloc_scans_total{groupname="server",result="ok"}'
READ = 'malloc_scan_read_bytes_total{groupname="server"}'
CPU = "process_cpu_seconds_total"
WARM_SCANS = 3  # then the processor time that is shown, at most a second old, holds the start


def run_scanned(server, seconds):
    """Of a service under way: its start, and what a first scan finds out, is over."""
    with Service(CONFIG.format(pid=server.pid)) as service:
        service.wait(lambda: service.metrics().get(SCANS, 0) >= WARM_SCANS)
        before = service.metrics()
        result = server.run(seconds)
        after = service.metrics()
    return result, *(after[name] - before[name] for name in (SCANS, READ, CPU))


def referenced_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("Referenced:"))


def show_marks(server):
    """The server rests: what one scan marks as referenced."""
    try:
        with open(f"/proc/{server.pid}/clear_refs", "w", encoding="ascii") as file:
            file.write("1")
        before = referenced_kib(server.pid)
        subprocess.run([PROGRAM, "scan", str(server.pid), "--format", "json"], check=True, stdout=subprocess.DEVNULL)
        print(f"referenced: {before / 1024:.1f} MiB at rest, {referenced_kib(server.pid) / 1024:.1f} MiB after one scan")
    except OSError as error:
        print(f"referenced bits: {error}")


def between(first, second):
    return tuple((one + other) / 2 for one, other in zip(first, second))


def change(pairs, index):
    """Median over the pairs of scanned against not, in percent."""
    return statistics.median((scanned[index] / alone[index] - 1) * 100 for alone, scanned in pairs)


def main():
    pairs, seconds, threads, mib = (int(sys.argv[i]) if len(sys.argv) > i else default
                                    for i, default in enumerate((7, 5, 2, 64), 1))
    with Server("target_server", str(threads), str(mib)) as server:
        server.answer()  # it is ready
        server.run(1)
        show_marks(server)
        results, drifts = [], []
        before = server.run(seconds)
        for _ in range(pairs):
            scanned, scans, read, cpu = run_scanned(server, seconds)
            after = server.run(seconds)
            alone = between(before, after)
            results.append((alone, scanned))
            drifts.append((before, after))
            for name, row in (("alone  ", alone), ("scanned", scanned)):
                print(f"{name} {row[0]:.0f} requests/s, p99 {row[1]:.3f} us, {row[2]:.0f} requests/CPU s")
            print(f"        {scans:.0f} scans, {read / max(scans, 1) / 1048576:.1f} MiB each, the exporter took "
                  f"{cpu / max(scans, 1) * 1000:.0f} ms of CPU a scan", flush=True)
            before = after
        print(f"median of {pairs} pairs: throughput {change(results, 0):+.2f} %, p99 {change(results, 1):+.2f} %, "
              f"throughput a second of processor time {change(results, 2):+.2f} %")
        noise = [statistics.median(abs(after[index] / before[index] - 1) * 100 for before, after in drifts)
                 for index in range(3)]
        print("one run alone against the next, as a median: throughput {:.2f} %, p99 {:.2f} %, throughput a second of "
              "processor time {:.2f} %".format(*noise))


main()
