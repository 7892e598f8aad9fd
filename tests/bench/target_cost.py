#!/usr/bin/env python3
"""What being scanned costs a server that lives off malloc: throughput and the 99th percentile of its requests in a
second with one live scan, and in one with none; and what one scan reads and marks. The server works a second, rests for
a moment, works on, and every other second has a scan: each is held against the mean of the two beside it. Where these
two lie further apart than APART_MOST the machine had other work, and the three are left out. Requests a second of the
server's own processor time tell what scans slow down, also on a machine with other work; throughput holds what they
take away as well.

The same twice more, with another process in the scan's place: one that only reads what is in the server's memory, once,
and keeps nothing (the least that any reader does), and one that computes as long as that and reads nothing (what the
machine does to two processors at work).

Usage: BUILD_ROOT=DIR python3 target_cost.py [SECONDS [THREADS [MIB [BLOCKS]]]]: SECONDS with a scan, BLOCKS that a
request replaces. It asserts nothing: the machine decides. Needs root for the referenced bits (/proc/PID/clear_refs)
and for what is in memory (pagemap).
"""
import itertools
import os
import signal
import socket
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))
from bare_pass import Reader  # noqa: E402  pylint: disable=wrong-import-position
from service import PROGRAM, Service, Target  # noqa: E402  pylint: disable=wrong-import-position

CONFIG = """
scan: {{interval: 2s}}
limits: {{max_cpu: 100%}}
process_names:
  - name: server
    pid: [{pid}]
"""
APART_MOST = 0.05
TRIES = 3  # times as many seconds as are wanted


class Server(Target):
    def run(self):
        """Of a second: (requests, 99th percentile in microseconds, requests a second of processor time)"""
        requests, p99, cpu = map(int, self.ask("run 1000").split())
        return requests, p99 / 1000, requests / (cpu / 1e9)


SCANS = 'malloc_scans_total{groupname="server",result="ok"}'
READ = 'malloc_scan_read_bytes_total{groupname="server"}'
CPU = "process_cpu_seconds_total"
WARM_SCANS = 3  # then the processor time that is shown, at most a second old, holds the start
FIGURES = ("throughput", "99th percentile", "throughput a second of processor time")


def is_quiet(before, after):
    return abs(after[0] / before[0] - 1) <= APART_MOST


def triples_of(second, wanted):
    """
    ([(before, with, after)], how many were left out): seconds with one scan and the two beside it. @second is a second
    of the server: (scans in it, what it did).
    """
    triples, seconds, left_out = [], [], 0
    for _ in range(2 * TRIES * wanted):
        seconds.append(second())
        if [scans for scans, _ in seconds[-3:]] != [0, 1, 0]:
            continue
        triple = tuple(result for _, result in seconds[-3:])
        if is_quiet(triple[0], triple[2]):
            triples.append(triple)
        else:
            left_out += 1
        if len(triples) == wanted:
            break
    return triples, left_out


def beside_scans(server, wanted):
    """A name that tells what its scans took, and triples_of() under the service."""
    with Service(CONFIG.format(pid=server.pid)) as service:
        service.wait(lambda: service.metrics().get(SCANS, 0) >= WARM_SCANS)
        first = last = service.metrics()

        def second():
            nonlocal last
            before, result = last[SCANS], server.run()
            last = service.metrics()
            return last[SCANS] - before, result

        triples, left_out = triples_of(second, wanted)
    scans, read, cpu = (last[name] - first[name] for name in (SCANS, READ, CPU))
    name = f"scans of {read / scans / 1048576:.1f} MiB, {cpu / scans * 1000:.1f} ms of processor time each"
    return name, triples, left_out


class Helper:
    """A process that does @work when told to, in the midst of a second, and says how long it took, in nanoseconds."""

    def __init__(self, work):
        self.ours, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            self.ours.close()
            while theirs.recv(1):
                time.sleep(0.3)
                begin = time.monotonic_ns()
                work()
                theirs.send(b"%d" % (time.monotonic_ns() - begin))
            os._exit(0)
        theirs.close()

    def start(self):
        self.ours.send(b"1")

    def took_ns(self):
        return int(self.ours.recv(32))

    def end(self):
        self.ours.close()
        os.waitpid(self.pid, 0)


def beside_work(server, wanted, work, name):
    """How long it took, and as beside_scans() with @work in the place of scans."""
    helper, turns, took = Helper(work), itertools.cycle((0, 1)), []

    def second():
        has_work = next(turns)
        if has_work:
            helper.start()
        result = server.run()
        if has_work:
            took.append(helper.took_ns())
        return has_work, result

    try:
        triples, left_out = triples_of(second, wanted)
    finally:
        helper.end()
    took_ns = statistics.median(took)
    return took_ns, (f"{name}, {took_ns / 1e6:.1f} ms each", triples, left_out)


def compute(nanoseconds):
    end = time.monotonic_ns() + nanoseconds
    while time.monotonic_ns() < end:
        pass


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
        after = referenced_kib(server.pid)
        print(f"referenced: {before / 1024:.1f} MiB at rest, {after / 1024:.1f} MiB after one scan")
    except OSError as error:
        print(f"referenced bits: {error}")


def median_between(values):
    """(median, lower, upper bound of the interval that holds the true one 19 times of 20: the ranks of a binomial)"""
    values, reach = sorted(values), 0.98 * len(values) ** 0.5
    middle = (len(values) - 1) / 2
    return (statistics.median(values), values[max(0, int(middle - reach))],
            values[min(len(values) - 1, int(middle + reach + 1))])


def show(name, triples, left_out):
    print(f"{name}; {len(triples)} seconds, {left_out} left out")
    for index, figure in enumerate(FIGURES if triples else ()):
        changes = [(work[index] * 2 / (before[index] + after[index]) - 1) * 100 for before, work, after in triples]
        apart = statistics.median(abs(after[index] / before[index] - 1) * 100 for before, _, after in triples)
        print("  {}: {:+.2f} % ({:+.2f} to {:+.2f}), two without apart {:.2f} %".format(
            figure, *median_between(changes), apart), flush=True)


def main():
    wanted, threads, mib, blocks = (int(sys.argv[i]) if len(sys.argv) > i else default
                            for i, default in enumerate((60, 2, 64, 256), 1))
    with Server("target_server", str(threads), str(mib), str(blocks)) as server:
        server.answer()  # it is ready
        server.run()
        show_marks(server)
        show(*beside_scans(server, wanted))
        try:
            reader = Reader(server.pid)
        except OSError as error:
            print(f"bare reads: {error}")
            return
        took_ns, result = beside_work(server, wanted, reader.read_all, "bare reads")
        show(*result)
        show(*beside_work(server, wanted, lambda: compute(took_ns), "no reads")[1])


main()
