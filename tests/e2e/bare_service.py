"""The service for tests that look at its log, or let it fail: it listens on a unix socket alone, and its stderr is what
the test makes of it."""
import os
import signal
import subprocess
import tempfile

from service import PROGRAM, Unix, parse_exposition, wait_until


class Bare:
    """@start(command, **arguments) makes the process: subprocess.Popen, or something like it with .process."""

    def __init__(self, config, *flags, stderr=None, start=subprocess.Popen, program=PROGRAM, **arguments):
        self.directory = tempfile.TemporaryDirectory(prefix="malloc_exporter-test-")
        os.chmod(self.directory.name, 0o755)
        self.file = os.path.join(self.directory.name, "config.yml")
        self.socket = os.path.join(self.directory.name, "http.sock")
        self.log = os.path.join(self.directory.name, "log")
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(config)
        command = [program, "--config.file", self.file, "--web.listen-address", "unix:" + self.socket, *flags]
        with open(self.log, "wb") as log:
            self.started = start(command, stdin=subprocess.DEVNULL, stderr=log if stderr is None else stderr, **arguments)
        self.process = getattr(self.started, "process", self.started)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.directory.cleanup()

    def lines(self):
        with open(self.log, "rb") as file:
            return file.read().split(b"\n")[:-1]

    def get(self, path, method="GET", seconds=30):
        """(code, body); code 0: no answer."""
        connection = Unix(self.socket)
        connection.timeout = seconds
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except Exception as error:  # pylint: disable=broad-except; http.client: it was cut off
            return 0, str(error).encode()
        finally:
            connection.close()

    def metrics(self):
        """{'name{labels}': value}; empty: no answer."""
        code, body = self.get("/metrics")
        return parse_exposition(body) if code == 200 else {}

    def wait(self, condition, seconds=90):
        def explain():
            return f"ended: {self.process.poll()}; the log:\n" + b"\n".join(self.lines()).decode("utf-8", "replace")
        return wait_until(condition, seconds, explain, may_come=lambda: self.process.poll() is None)

    def wait_ready(self):
        self.wait(lambda: self.get("/-/ready")[0] == 200)
        return self

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=20)
