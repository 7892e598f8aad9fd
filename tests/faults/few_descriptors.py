"""Few descriptors (RLIMIT_NOFILE): a command or a service that has too few of them says so, or what it says is true."""
import re
import resource
import subprocess
import time

from bare_service import Bare
from under_faults import CONFIG, NUMBERS, LOOSE

SAYS = re.compile(rb"Too many open files|limit of open files|Error 24")
DUMPS = ("/chunks", "/sizes", "/symbols?match=malloc", "/status")
ENOUGH = 64  # with so many all works
PATIENCE = 3  # seconds for one that has said it
SECONDS = 25  # for a service to serve, or to have said why not


def limited(limit):
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))


def try_command(command, limit):
    """What is wrong with @command (oneshot.Command); None: nothing."""
    done = subprocess.run(command.line, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False,
                          preexec_fn=limited(limit))
    if done.returncode not in (0, 3) and not SAYS.search(done.stderr):
        return f"exit code {done.returncode}, and it says only {done.stderr[-300:]}"
    return command.verdict(done.returncode, done.stdout, done.stderr)


def numbers_of(metrics):
    return {key: number for key, number in metrics.items() if NUMBERS.match(key) and not LOOSE.match(key)}


def truth_of(target):
    """What a service with descriptors enough says of @target."""
    with Bare(CONFIG.format(pid=target.pid, consistency="live")) as service:
        service.wait(lambda: numbers_of(service.metrics()))
        return numbers_of(service.metrics())


def lies(metrics, truth):
    is_whole = all(number == (not key.startswith("malloc_tcaches_missing")) for key, number in metrics.items()
                   if key.startswith(("malloc_up{", "malloc_last_scan_complete{", "malloc_tcaches_missing{")))
    return is_whole and [f"{key} is {metrics[key]}, in truth {truth[key]}" for key in numbers_of(metrics)
                         if key in truth and metrics[key] != truth[key]]


def try_service(target, truth, limit):
    """What is wrong with a service that may have @limit descriptors a process; None: nothing."""
    with Bare(CONFIG.format(pid=target.pid, consistency="live"), preexec_fn=limited(limit)) as service:
        begin = time.monotonic()
        until = begin + SECONDS
        while time.monotonic() < until and service.process.poll() is None:
            if time.monotonic() > begin + PATIENCE and SAYS.search(b"\n".join(service.lines())):
                return None
            metrics = service.metrics()
            wrong = lies(metrics, truth)
            if wrong:
                return wrong
            if numbers_of(metrics):
                answers = [service.get(f"/api/v1/processes/{target.pid}{dump}") for dump in DUMPS]
                hangs = any(code == 0 and b"timed out" in body for code, body in answers)
                codes = [code for code, _ in answers]
                return f"dumps come to {codes}" if hangs or (limit >= ENOUGH and codes != [200] * 4) else None
            time.sleep(0.1)
        log = b"\n".join(service.lines())
        if service.process.poll() not in (None, 1, 2, 127) or not SAYS.search(log):
            return f"it came to {service.process.poll()}: {log[-300:]}"
        return None
