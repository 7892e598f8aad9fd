"""The built service in the hands of a test: started on ports of its own, asked over HTTP, ended in any case."""
import base64
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

BUILD = os.environ["BUILD_ROOT"]
PROGRAM = os.path.join(BUILD, "src", "malloc_exporter")
TARGETS = os.path.join(BUILD, "tests", "targets")


# A test that is ended for its time ends what it has started.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


LOG_SHOWN = 200  # lines of it, where a test fails


class Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self.path)


class Target:
    """A program of tests/targets (or @command) that says a line when it is ready; @arguments are subprocess.Popen's."""

    def __init__(self, *command, **arguments):
        if not os.path.isabs(command[0]):
            command = (os.path.join(TARGETS, command[0]),) + command[1:]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, **arguments)
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def runs(self):
        return self.process.poll() is None

    def answer(self):
        """The next answer of a program of tests/targets: the length of a text, then the text."""
        return self.process.stdout.read(int(self.process.stdout.readline()))

    def ask(self, command):
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()
        return self.answer()


def is_sanitized():
    """Under a sanitizer freed memory stays for a while, by design, and more is asked of the kernel than a unit allows."""
    with open(PROGRAM, "rb") as file:
        text = file.read()
    return b"__asan_init" in text or b"__tsan_init" in text


class Log:
    """The lines of a program's stderr as they come: whoever reads late makes the service drop lines."""

    def __init__(self, stream):
        self.lines = []
        self.seen = 0
        self.is_ended = False
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self.read, args=(stream,), daemon=True)
        self.thread.start()

    def read(self, stream):
        for line in stream:
            with self.changed:
                self.lines.append(line.rstrip(b"\n").decode("utf-8", "replace"))
                self.changed.notify_all()
        with self.changed:
            self.is_ended = True
            self.changed.notify_all()

    def wait(self, seconds):
        """Whether lines have come since the last call, waiting for the first of them."""
        with self.changed:
            self.changed.wait_for(lambda: len(self.lines) > self.seen or self.is_ended, seconds)
            has_come = len(self.lines) > self.seen
            self.seen = len(self.lines)
        return has_come


class Service:
    """The exporter with the configuration @config (YAML text); asked over TLS where there is a @tls context;
    started by the command @wrapper."""

    def __init__(self, config, *flags, ready=True, tls=None, wrapper=()):
        self.tls = tls
        self.directory = tempfile.TemporaryDirectory(prefix="malloc_exporter-test-")
        os.chmod(self.directory.name, 0o777 if wrapper else 0o755)
        self.file = os.path.join(self.directory.name, "config.yml")
        self.socket = os.path.join(self.directory.name, "http.sock")
        self.write(config)
        self.process = subprocess.Popen(
            [*wrapper, PROGRAM, "--config.file", self.file, "--web.listen-address", "127.0.0.1:0", "--web.listen-address",
             "unix:" + self.socket, *flags], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        self.log = Log(self.process.stderr)
        try:
            self.port = int(self.wait_line(r"msg=listening address=127\.0\.0\.1:(\d+)").group(1))
            if ready:
                self.wait(lambda: self.get("/-/ready", unix=True)[0] == 200)
        except BaseException:
            self.process.kill()
            raise

    @property
    def lines(self):
        return self.log.lines

    def __enter__(self):
        return self

    def __exit__(self, kind=None, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.log.thread.join()
        self.process.stderr.close()
        self.directory.cleanup()
        # whatever a test is about: no role makes a call that its sandbox does not know, or forbids
        refused = [line for line in self.lines if "the sandbox does not know" in line or "forbidden system call" in line]
        assert kind or not refused, refused

    def write(self, config):
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(config)

    def reload(self, config):
        """Ask for @config; when it is in force is for the caller to see."""
        self.write(config)
        self.process.send_signal(signal.SIGHUP)

    def read_log(self, seconds):
        """Whether lines have come since the last call, or come within @seconds."""
        return self.log.wait(seconds)

    def wait_line(self, pattern, seconds=90, begin=0):
        """The first line of the log, from number @begin on, that matches."""
        limit = time.monotonic() + seconds
        while True:
            for line in self.lines[begin:]:
                match = re.search(pattern, line)
                if match:
                    return match
            left = limit - time.monotonic()
            if left <= 0 or (not self.read_log(left) and self.process.poll() is not None):
                raise AssertionError(f"no line {pattern} in the log:\n" + "\n".join(self.lines[-LOG_SHOWN:]))

    def wait(self, condition, seconds=90):
        return wait_until(condition, seconds, lambda: "\n".join(self.lines[-LOG_SHOWN:]), rest=self.read_log)

    def connection(self, unix=False):
        if unix:
            return Unix(self.socket)
        if self.tls:
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=self.tls)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def get(self, path, method="GET", headers=None, unix=False):
        """(code, headers, body)"""
        connection = self.connection(unix)
        try:
            connection.request(method, path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def get_auth(self, path, user, password, **arguments):
        word = base64.b64encode(f"{user}:{password}".encode()).decode()
        return self.get(path, headers={"Authorization": "Basic " + word}, **arguments)

    def json(self, path, **arguments):
        code, _, body = self.get(path, **arguments)
        return code, json.loads(body)

    def metrics(self):
        """parse_exposition() of a scrape."""
        return parse_exposition(self.get("/metrics")[2])

    def roles(self):
        """{'front': pid, 'scanner': pid}"""
        found = {}
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as file:
            for pid in file.read().split():
                try:
                    with open(f"/proc/{pid}/cmdline", encoding="utf-8") as line:
                        match = re.search(r"--role=(\w+)", line.read())
                except OSError:
                    continue
                if match:
                    found[match.group(1)] = int(pid)
        return found

    def everyone(self):
        """{role: pid}, the keeper too."""
        return {"keeper": self.process.pid, **self.roles()}

    def pss(self):
        """{role: bytes}"""
        pss = {}
        for role, pid in self.everyone().items():
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                pss[role] = 1024 * int(re.search(r"^Pss:\s+(\d+)", file.read(), re.M).group(1))
        return pss

    def descriptors(self):
        """{role: count}"""
        return {role: len(os.listdir(f"/proc/{pid}/fd")) for role, pid in self.everyone().items()}

    def starved_seconds(self):
        """For how long its threads have waited for a processor, summed: the machine's doing, not the service's."""
        starved_ns = 0
        for pid in self.everyone().values():
            try:
                for tid in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{tid}/schedstat", encoding="ascii") as file:
                        starved_ns += int(file.read().split()[1])
            except OSError:
                pass
        return starved_ns / 1e9

    def end(self):
        """SIGTERM; the exit code and the seconds that it took."""
        begin = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=10)
        return code, time.monotonic() - begin


def explain(service, pid, code=0):
    """What --config.check --explain says of @pid with the service's configuration."""
    done = subprocess.run([PROGRAM, "--config.check", "--explain", str(pid), "--config.file", service.file],
                          capture_output=True, stdin=subprocess.DEVNULL, timeout=60, check=False)
    assert done.returncode == code, done
    return done.stdout.decode()


def wait_until(condition, seconds, explain, rest=time.sleep, may_come=lambda: True):
    """What @condition() is once it is true; an OSError counts as not yet. What it looks at is another process' state, of
    which nobody tells: between two looks there is a @rest of 20 ms. Where the time is over, or @may_come() is false,
    @explain() says more."""
    limit = time.monotonic() + seconds
    while True:
        try:
            result = condition()
        except OSError:
            result = None
        if result:
            return result
        if time.monotonic() > limit or not may_come():
            raise AssertionError("it did not come true in time:\n" + explain())
        rest(0.02)


def parse_exposition(body):
    """{'name{labels}': value} of Prometheus' text."""
    rows = (line.rsplit(" ", 1) for line in body.decode().split("\n") if line and not line.startswith("#"))
    return {key: float(number) for key, number in rows}


def value(metrics, name, pid, **labels):
    """The one series of @name with that pid and these labels, or None."""
    found = [number for key, number in metrics.items()
             if key.startswith(name + "{") and f'pid="{pid}"' in key and
             all(f'{label}="{text}"' in key for label, text in labels.items())]
    assert len(found) <= 1, found
    return found[0] if found else None
