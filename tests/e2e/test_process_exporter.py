"""The same file to process-exporter and to us: the same processes in the same groups."""
import ctypes
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

from service import TARGETS, Service

OTHER = shutil.which("prometheus-process-exporter") or shutil.which("process-exporter")
OURS = "scan: {interval: 1h}\ndiscovery: {interval: 200ms}\nlimits: {max_processes: 60000}\n"
MARK = f"pe{os.getpid()}"
# Facts of its documentation, tests and packages in our own words, and what else tells processes apart.
PACKAGE = "process_names:\n- {name: '{{.Comm}}', cmdline: [.+]}\n"
ENTRIES = f"""
process_names:
- comm: ["a b {MARK[-8:]}"]
- comm: ["x) R (y"]
  cmdline: [{MARK}]
  name: "paren-{{{{.Comm}}}}"
- comm: [told, other-told]
  cmdline: [{MARK}]
  name: told
- exe: [only-argv0-{MARK}]
- exe: [/opt/{MARK}/whole]
  name: "{{{{.ExeFull}}}}"
- exe: [base-{MARK}]
  cmdline: ['--port (?P<port>\\d+)', 'db=(?P<db>\\S+)$']
  name: "{{{{.ExeBase}}}}:{{{{.Matches.port}}}}/{{{{.Matches.db}}}}"
- exe: [base-{MARK}]
  cmdline: ['--port']
  name: no-db
- exe: [base-{MARK}]
- cmdline: ['worker (?P<kind>(slow|fast))? {MARK}']
  name: "worker-{{{{.Matches.kind}}}}"
- cmdline: ['^/bin/sh .*/script-{MARK}$']
  name: "script {{{{.Comm}}}} {{{{.ExeBase}}}}"
- cmdline: ['shell-{MARK}']
  name: "shell {{{{.Comm}}}}"
- cmdline: ['latin. {MARK} end$']
  name: latin
- cmdline: ['{MARK} user']
  name: "user-{{{{.Username}}}}"
- cmdline: ['{MARK} pid']
  name: "pid-{{{{.PID}}}}-{{{{.StartTime}}}}"
- cmdline: ['{MARK} cgroups']
  name: "cgroups-{{{{.Cgroups}}}}"
- cmdline: ['{MARK} (?:shared|same)-1$']
  name: together
- cmdline: ['{MARK} same-2$']
  name: together
- cmdline: ['{MARK} dollar$']
  name: dollar
- cmdline: ['^{MARK}  two$']
  name: two blanks
- comm: [noargs{MARK[-7:]}]
- comm: [{MARK[-8:]}kept]
  exe: [nothing-{MARK}]
  name: never
- cmdline: ['{MARK} unnamed$']
- cmdline: ['(?i){MARK.upper()} CASE$']
  name: case
"""


def file(directory, name):
    """A program of that name that idles."""
    path = os.path.join(directory, name)
    if not os.path.exists(path):
        shutil.copy(os.path.join(TARGETS, "target_soak"), path)
    return path


def comm_of(pid):
    with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as text:
        return text.read().rstrip("\n")


class Processes:
    """All kinds, started; ended with the block."""

    def __init__(self, directory):
        os.chmod(directory, 0o755)
        self.running = []
        soak = file(directory, "soak")
        self.idle(file(directory, "a b " + MARK[-8:]), "a")
        self.idle(file(directory, "x) R (y"), "x", MARK)
        self.idle(file(directory, "told"), "t", MARK)
        self.idle(file(directory, "other-told"), "t", MARK)
        self.idle(file(directory, "not-told"), "t", MARK)
        self.idle(soak, "/somewhere/only-argv0-" + MARK)
        self.idle(soak, f"/opt/{MARK}/whole")
        self.idle(soak, f"/elsewhere/{MARK}/whole")
        base = "/usr/bin/base-" + MARK
        self.idle(soak, base, "--port", "80", "db=a")
        self.idle(soak, base, "--port", "80", "db=a")
        self.idle(soak, base, "--port", "81", "db=a b")
        self.idle(soak, base, "--port")
        self.idle(soak, base)
        self.idle(soak, base + "/")
        self.idle(soak, "w", "worker", "slow", MARK)
        self.idle(soak, "w", "worker", "", MARK)
        script = os.path.join(directory, "script-" + MARK)
        with open(script, "w", encoding="ascii") as out:
            out.write("#!/bin/sh\nread line\n")
        os.chmod(script, 0o755)
        self.run([script])
        self.run(["/bin/sh", "-c", "read line; exit 0", "shell-" + MARK])
        self.run(["env", "nice", "/bin/sh", "-c", "read line; exit 0", "shell-" + MARK])
        self.idle(soak, b"l", b"latin\xe9", MARK.encode(), b"end")
        self.idle(soak, "u", MARK, "user")
        if os.geteuid() == 0:
            self.idle(soak, "u", MARK, "user", user=65534)
        self.idle(soak, "p", MARK, "pid")
        self.idle(soak, "p", MARK, "pid")
        self.idle(soak, "c", MARK, "cgroups")
        self.idle(soak, "s", MARK, "shared-1")
        self.idle(soak, "s", MARK, "same-1")
        self.idle(soak, "s", MARK, "same-2")
        self.idle(soak, "d", MARK, "dollar")
        self.idle(soak, "d", MARK, "dollar\n")
        self.idle(soak, "d", MARK, "dollar", "")
        self.idle(soak, "some/where/", MARK, "unnamed")
        self.idle(soak, "", MARK, "unnamed")
        self.idle(soak, "k", MARK, "case")
        name = "name = b'renamed (x)'; import ctypes, sys; ctypes.CDLL(None).prctl(15, name); sys.stdin.read()"
        self.run([sys.executable, "-c", name, MARK + " unnamed"])
        # the other exporter keeps the name that it saw first
        while comm_of(self.running[-1].pid) != "renamed (x)":
            assert self.running[-1].poll() is None, "the program that names itself has ended"
            time.sleep(0.01)
        shutil.copy(os.path.join(TARGETS, "demo"), os.path.join(directory, "noargs" + MARK[-7:]))
        self.without_arguments(os.path.join(directory, "noargs" + MARK[-7:]))

    def run(self, command, **options):
        self.running.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                             stderr=subprocess.DEVNULL, **options))

    def idle(self, program, argv0, *arguments, **options):
        # the program's kind is its first argument; "idle" stands before what is looked for
        command = [argv0, b"idle" if isinstance(argv0, bytes) else "idle", *arguments]
        self.run(command, executable=program, **options)

    def without_arguments(self, program):
        libc = ctypes.CDLL(None)

        def become():
            libc.execve(program.encode(), (ctypes.c_char_p * 1)(None), (ctypes.c_char_p * 1)(None))
        self.run(["/bin/false"], preexec_fn=become)

    def end(self):
        for process in self.running:
            process.kill()
            process.wait()
            process.stdin.close()


def unescape(text):
    return re.sub(r"\\(.)", lambda match: "\n" if match.group(1) == "n" else match.group(1), text)


def groups(body, name):
    pattern = re.compile(name + r'\{groupname="((?:[^"\\]|\\.)*)"\} (\S+)')
    found = {unescape(text): float(number) for text, number in pattern.findall(body)}
    return {text: number for text, number in found.items() if number}


class Other:
    """process-exporter with the same file."""

    def __init__(self, path):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen(
            [OTHER, "-config.path", path, "-children=false", "-recheck", "-threads=false", "-gather-smaps=false",
             "-web.listen-address", f"127.0.0.1:{self.port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def groups(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=30) as answer:
            return groups(answer.read().decode(), "namedprocess_namegroup_num_procs")


@unittest.skipUnless(OTHER, "prometheus-process-exporter is not installed")
class ProcessExporter(unittest.TestCase):
    maxDiff = None

    def compare(self, text, only=None, least=()):
        """Both groupings, once they are equal and have @least (pairs of name and count); @only: of these groups."""
        seen = {}

        def ours_and_theirs():
            ours = groups(service.get("/metrics")[2].decode(), "malloc_group_processes")
            theirs = other.groups()
            for name, found in (("ours", ours), ("theirs", theirs)):
                seen[name] = {key: value for key, value in found.items() if only is None or key in only}
            # programs that name themselves do it a moment after their start
            is_whole = all(seen["ours"].get(name, 0) >= count for name, count in least)
            return seen["ours"] == seen["theirs"] and is_whole and seen["ours"]
        with tempfile.TemporaryDirectory() as directory:
            processes = Processes(directory)
            try:
                with Service(OURS + text, ready=False) as service, Other(service.file) as other:
                    try:
                        return service.wait(ours_and_theirs)
                    except AssertionError:
                        self.assertEqual(seen["ours"], seen["theirs"])
                        raise
            finally:
                processes.end()

    def test_every_kind(self):
        counts = (("told", 2), (f"base-{MARK}:80/a", 2), ("no-db", 2), (f"base-{MARK}", 2), ("worker-slow", 1),
                  ("worker-", 1), ("latin", 1), ("together", 3), ("dollar", 2), (".", 2), ("where", 1),
                  ("shell sh", 2), ("paren-x) R (y", 1), (f"noargs{MARK[-7:]}", 0))
        found = self.compare(ENTRIES, least=counts)
        self.assertGreaterEqual(len(found), 20, found)
        for name, count in counts:
            self.assertEqual(found.get(name, 0), count, (name, found))

    def test_what_its_packages_install(self):
        # other processes come and go: those of ours are told by their comm
        found = self.compare(PACKAGE, {"a b " + MARK[-8:], "x) R (y", "told", "other-told", "not-told", "renamed (x)",
                                       "noargs" + MARK[-7:]}, least=(("told", 1), ("renamed (x)", 1)))
        self.assertIn("renamed (x)", found)


if __name__ == "__main__":
    unittest.main(verbosity=2)
