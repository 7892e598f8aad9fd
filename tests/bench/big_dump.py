#!/usr/bin/env python3
"""A dump of a large heap: streamed to curl in bounded memory, its summary last; a reader that hangs up ends the walk.

Usage: BUILD_ROOT=DIR python3 big_dump.py [MIB]. 730 MiB are five million chunks. It asserts what each process of the
exporter holds in memory meanwhile, never a time; the suite runs a small one.
"""
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from service import Service, Target, is_sanitized  # noqa: E402  pylint: disable=wrong-import-position

PSS_MAX_KIB = 40 * 1024
BLOCK = 1 << 20
BLOCKS_A_LOOK = 8
CONFIG = """
scan: {{interval: 1h}}
api: {{access: local, stream_timeout: 30m}}
process_names:
  - name: big
    pid: [{pid}]
"""


def pss_kib(pids):
    """Sum of Pss; a role that was replaced meanwhile has none."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            total += next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    return total


def curl(service, pid):
    return subprocess.Popen(["curl", "-sS", "--unix-socket", service.socket,
                             f"http://localhost/api/v1/processes/{pid}/chunks"], stdout=subprocess.PIPE)


def dump_whole(service, target):
    """(records, bytes of the answer, most Pss, seconds)"""
    pids = [service.process.pid, *service.roles().values()]
    lines = size = most = 0
    tail = b""
    begin = time.monotonic()
    with curl(service, target.pid) as reader:
        for number, block in enumerate(iter(lambda: reader.stdout.read(BLOCK), b"")):
            lines += block.count(b"\n")
            size += len(block)
            tail = (tail + block)[-4096:]
            if number % BLOCKS_A_LOOK == 0:
                most = max(most, pss_kib(pids))
        seconds = time.monotonic() - begin
    assert reader.returncode == 0, f"curl exits {reader.returncode}"
    summary = json.loads(tail.splitlines()[-1])["summary"]
    assert summary["complete"] is True, summary
    assert summary["chunks"] == lines - 1, (summary, lines)
    assert most <= PSS_MAX_KIB or is_sanitized(), f"the exporter's processes had {most} KiB in memory"
    service.wait_line(rf'msg="stream ended" pid={target.pid} status=ok records={summary["chunks"]}$')
    return summary["chunks"], size, most, seconds


def hang_up(service, target, chunks):
    """Records that had been made when the walk ended, after the reader was killed at the first block."""
    begin = len(service.lines)
    with curl(service, target.pid) as reader:
        assert reader.stdout.read(BLOCK)
        reader.kill()
    line = service.wait_line(rf'msg="stream ended" pid={target.pid} status=(?!ok)\w+ records=(\d+)$', begin=begin)
    made = int(line.group(1))
    assert made < chunks, f"all {made} records were made"
    return made


def main():
    mib = sys.argv[1] if len(sys.argv) > 1 else "730"
    with Target("target_bench", "small", mib) as target:
        target.process.stdout.readline()  # it is ready
        with Service(CONFIG.format(pid=target.pid), "--log.level=debug") as service:
            chunks, size, most, seconds = dump_whole(service, target)
            print(f"{chunks} chunks, {size / 1048576:.0f} MiB in {seconds:.1f} s, most Pss {most / 1024:.1f} MiB")
            print(f"hung up after the first MiB: the walk ended at {hang_up(service, target, chunks)} records")
            assert target.runs()


main()
