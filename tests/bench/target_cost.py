#!/usr/bin/env python3
"""What being scanned costs a server that lives off malloc: throughput and the 99th percentile of its requests with a
live scan a second and with none; and what one scan reads and marks. Under a service that scans every other second the
server works a second, rests for a moment, works on: each second with a scan is held against the mean of the two beside
it, which have none. How far these two lie apart is what the machine does by itself; with the square root of their
number that is how exact the medians are. Requests a second of the server's own processor time tell what scans slow
down, also on a machine with other work; throughput holds what they take away as well, which needs a machine without.

Usage: BUILD_ROOT=DIR tests/bench/target_cost.py [SCANS [THREADS [MIB]]]. It asserts nothing: the machine decides.
Needs root for the referenced bits (/proc/PID/clear_refs).
"""
import os
import statistics
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from service import PROGRAM, Service, Target  # noqa: E402  pylint: disable=wrong-import-position
import subprocess  # noqa: E402  pylint: disable=wrong-import-position

CONFIG = """
scan: {{interval: 2s}}
limits: {{max_cpu: 100%}}
process_names:
  - name: server
    pid: [{pid}]
"""


class Server(Target):
    def run(self):
        """Of a second: (requests, 99th percentile in microseconds, requests a second of processor time)"""
        requests, p99, cpu = map(int, self.ask("run 1000").split())
        return requests, p99 / 1000, requests / (cpu / 1e9)


SCANS = 'malloc_scans_total{groupname="server",result="ok"}'
READ = 'malloc_scan_read_bytes_total{groupname="server"}'
CPU = "process_cpu_seconds_total"
WARM_SCANS = 3  # then the processor time that is shown, at most a second old, holds the start
FIGURES = ("throughput", "p99", "throughput a second of processor time")


def run_seconds(server, wanted):
    """(seconds with a scan, each between the two without beside it; what @wanted such scans took)"""
    triples, seconds = [], []
    with Service(CONFIG.format(pid=server.pid)) as service:
        service.wait(lambda: service.metrics().get(SCANS, 0) >= WARM_SCANS)
        first = metrics = service.metrics()
        while len(triples) < wanted:
            before = metrics[SCANS]
            result = server.run()
            metrics = service.metrics()
            seconds.append((metrics[SCANS] - before, result))
            if [scans for scans, _ in seconds[-3:]] == [0, 1, 0]:
                triples.append(tuple(result for _, result in seconds[-3:]))
    return triples, {name: metrics[name] - first[name] for name in (SCANS, READ, CPU)}


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


def median_change(triples, index):
    """Of a second with a scan against the mean of those beside it, in percent."""
    return statistics.median((scanned[index] * 2 / (before[index] + after[index]) - 1) * 100
                             for before, scanned, after in triples)


def median_noise(triples, index):
    return statistics.median(abs(after[index] / before[index] - 1) * 100 for before, _, after in triples)


def main():
    wanted, threads, mib = (int(sys.argv[i]) if len(sys.argv) > i else default
                            for i, default in enumerate((60, 2, 64), 1))
    with Server("target_server", str(threads), str(mib)) as server:
        server.answer()  # it is ready
        server.run()
        show_marks(server)
        triples, took = run_seconds(server, wanted)
    print(f"{wanted} seconds with a scan, each between two without; a scan read {took[READ] / took[SCANS] / 1048576:.1f} MiB "
          f"and took {took[CPU] / took[SCANS] * 1000:.0f} ms of the exporter's processor time")
    for index, name in enumerate(FIGURES):
        print(f"{name}: {median_change(triples, index):+.2f} %, two without apart {median_noise(triples, index):.2f} %")


main()
