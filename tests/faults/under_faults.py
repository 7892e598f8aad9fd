"""The service of which one system call after the other fails, while it scans, is dumped and reloads."""
import os
import re
import signal
import subprocess
import time

from bare_service import Bare
from injector import Injected
from service import PROGRAM

CONFIG = """
scan: {{interval: 100ms, consistency: {consistency}}}
limits: {{max_cpu: 6400%}}
discovery: {{interval: 100ms}}
api: {{access: open}}
process_names:
  - {{name: target, pid: [{pid}]}}
"""
# Two processes of one memory, of which one may be scanned.
CONFIG_OF_PAIR = CONFIG + "  - {{name: pair, pid: {pair}}}\n"
OWN = 'groupname="target"'
PAIR = 'malloc_group_scanned_processes{groupname="pair"}'
NUMBERS = re.compile(r"malloc_(chunks|chunk_bytes|active_bytes|free_bytes|system_bytes|overhead_bytes|tcaches|arenas|heaps)\{")
LOOSE = re.compile(r"malloc_tcaches\{")
CRASH = re.compile(rb'.*by="?signal (?!9\b).*')  # 9: the keeper ends a role that it cannot talk to
ROLES = ("main", "front", "scanner", "helper")


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


class UnderFaults(Bare):
    def __init__(self, target, consistency="live", start=Injected, program=PROGRAM, pair=None):
        self.target = target
        config = CONFIG_OF_PAIR if pair else CONFIG
        super().__init__(config.format(pid=target.pid, consistency=consistency, pair=pair), start=start, program=program)
        self.injected = self.started
        try:
            self.wait_ready()
            self.ok = f'malloc_scans_total{{groupname="target",result="ok"}}'
            self.wait(self.is_well)
            self.truth = {key: number for key, number in self.metrics().items() if NUMBERS.match(key) and OWN in key}
            assert len(self.truth) > 10, self.truth
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *arguments):
        self.injected.end()
        super().__exit__(*arguments)

    def own(self, metrics, name):
        found = [number for key, number in metrics.items() if key.startswith(name + "{") and OWN in key]
        return found[0] if found else None

    def how_it_is(self):
        """What is_well() looks at, and the end of the log: for who reads of a failure."""
        said = {key: number for key, number in self.metrics().items() if number and re.match(
            r"malloc_(up|last_scan_(failure|complete|mode)|tcaches_missing|exporter_(restarts|skipped)\w+)\{", key)}
        return f"{said}; {b' | '.join(self.lines()[-5:]).decode()}"

    def is_well(self):
        metrics = self.metrics()
        return self.own(metrics, "malloc_up") == 1 and self.own(metrics, "malloc_last_scan_complete") == 1

    def lie(self, metrics):
        """What is not true in a scrape that claims to be complete."""
        if metrics.get(PAIR, 0) > 1:
            return f"{PAIR} is {metrics[PAIR]}"
        if self.own(metrics, "malloc_up") != 1 or self.own(metrics, "malloc_last_scan_complete") != 1 or \
                self.own(metrics, "malloc_tcaches_missing"):
            return None
        return [f"{key} is {metrics[key]}, in truth {number}" for key, number in self.truth.items()
                if key in metrics and metrics[key] != number and not LOOSE.match(key)] or None

    def cycle(self):
        """Whatever makes calls: a scrape, dumps, a question, a reload."""
        path = f"/api/v1/processes/{self.target.pid}"
        lies = self.lie(self.metrics())
        for question in ("/chunks", "/sizes", "/status", "/symbols?match=malloc"):
            self.get(path + question)
        self.process_keeper_signal()
        return lies

    def keeper(self):
        return self.injected.command_pid()

    def process_keeper_signal(self):
        try:
            os.kill(self.keeper(), signal.SIGHUP)
        except (OSError, IndexError):
            pass

    def count_calls(self, role, call=""):
        self.injected.arm(role, 0, 0, call)
        before = self.metrics().get(self.ok, 0)
        self.cycle()
        self.wait(lambda: self.metrics().get(self.ok, 0) > before + 1)
        return self.injected.count()

    def try_fault(self, role, nth, fault, call=""):
        """(what was planted or None, what is wrong or None)"""
        begin = len(self.lines())
        self.injected.arm(role, nth, fault, call)
        lies = None
        limit = time.monotonic() + 20
        planted = None
        while planted is None and time.monotonic() < limit and self.process.poll() is None:
            lies = lies or self.cycle()
            planted = self.injected.line(0.05)
        if self.process.poll() is not None:
            return planted, f"the service has ended with {self.process.returncode}"
        if planted is None:
            self.injected.arm(role, 0, 0)
            return None, lies
        before = self.metrics().get(self.ok, 0)
        recovers = time.monotonic() + 60
        while not (self.is_well() and self.metrics().get(self.ok, 0) > before):
            lies = lies or self.lie(self.metrics())
            if self.process.poll() is not None:
                return planted, f"the service has ended with {self.process.returncode}"
            if time.monotonic() > recovers:
                return planted, f"it does not recover: {self.how_it_is()}"
        crashes = [line for line in self.lines()[begin:] if CRASH.search(line)]
        if not self.target.runs():
            return planted, "the target has ended"
        return planted, lies or crashes or None


def start_with_fault(target, nth, fault, call=""):
    """A service whose start has a fault: (what was planted or None, what is wrong or None)."""
    with Bare(CONFIG.format(pid=target.pid, consistency="live"),
              start=lambda command, **arguments: Injected(command, nth, fault, "any", call, **arguments)) as service:
        limit = time.monotonic() + 60
        ok = f'malloc_scans_total{{groupname="target",result="ok"}}'
        while time.monotonic() < limit:
            ended = service.process.poll()
            if ended is not None or service.metrics().get(ok, 0) > 0:
                break
        else:
            ended = "nothing"
        planted = service.started.line(0) or ""
        log = b"\n".join(service.lines())
        if not planted.startswith(("fired", "none", "skipped")):
            planted = None
        service.started.end()
        if ended is None:
            return planted, CRASH.findall(log) or None
        if ended in (1, 2, 127) and log.strip():
            return planted, None
        return planted, f"it came to {ended}: {log[-300:]}"
