"""Clients that mean no good, each in a process of its own: python3 attacks.py NAME PORT COUNT [PATH].

They go on until stdin is closed, and connect again when they are cut off. All say a line once all COUNT of them
have done their first step.
"""
import os
import random
import resource
import selectors
import socket
import sys
import time

HELLO = bytes.fromhex("16030100a5010000a10303") + bytes(64)


class Client:
    """One connection: what it sends at once, what it trickles, how much it reads."""

    def __init__(self, first=b"", trickle=b"", trickle_seconds=1.0, read_bytes=65536, read_seconds=0.0, receive=0,
                 close_after=None, half_close=False):
        self.first, self.trickle, self.trickle_seconds = first, trickle, trickle_seconds
        self.read_bytes, self.read_seconds = read_bytes, read_seconds
        self.receive, self.close_after, self.half_close = receive, close_after, half_close
        self.socket = None

    def connect(self, port, selector):
        self.socket = socket.socket()
        if self.receive:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.receive)
        self.socket.setblocking(False)
        self.socket.connect_ex(("127.0.0.1", port))
        self.left, self.begin, self.at = self.first, time.monotonic(), 0
        self.due = self.begin + random.random() * self.trickle_seconds
        self.read_due = 0.0
        selector.register(self.socket, selectors.EVENT_WRITE, self)

    def close(self, selector):
        if not self.read_due:
            selector.unregister(self.socket)
        self.socket.close()

    def write(self, selector):
        """False: it was cut off."""
        try:
            if self.left:
                self.left = self.left[self.socket.send(self.left[:262144]):]
            if not self.left:
                if self.half_close:
                    self.socket.shutdown(socket.SHUT_WR)
                selector.modify(self.socket, selectors.EVENT_READ, self)
        except BlockingIOError:
            pass
        except OSError:
            return False
        return True

    def read(self, selector):
        try:
            if not self.socket.recv(self.read_bytes):
                return False
        except BlockingIOError:
            return True
        except OSError:
            return False
        if self.read_seconds:
            self.read_due = time.monotonic() + self.read_seconds
            selector.unregister(self.socket)
        return True

    def tick(self, now, selector):
        if self.read_due and now >= self.read_due:
            self.read_due = 0.0
            selector.register(self.socket, selectors.EVENT_READ, self)
        if self.close_after and now - self.begin > self.close_after:
            return False
        if self.trickle and not self.left and now >= self.due:
            self.due = now + self.trickle_seconds
            self.left = self.trickle[self.at % len(self.trickle):][:1]
            self.at += 1
            try:
                self.socket.send(self.left)
            except BlockingIOError:
                pass
            except OSError:
                return False
            self.left = b""
        return True


def get(path, more=b""):
    return b"GET " + path.encode() + b" HTTP/1.1\r\nHost: x\r\n" + more + b"\r\n"


def random_bytes():
    return random.randbytes(random.randrange(1, 5000))


def body():
    return random.choice((b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000000\r\n\r\n" + bytes(100000),
                          b"GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n" + bytes(60000),
                          b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" +
                          b"8000\r\n" + bytes(0x8000) + b"\r\n" * 40,
                          b"POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
                          b"PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"))


def login(path):
    return get(path, b"Authorization: Basic " + random.randbytes(12).hex().encode() + b"\r\n")


# What each attack's clients are; @path is what they ask for.
ATTACKS = {
    "slowloris": lambda path: Client(b"GET /metrics HTTP/1.1\r\nHost: x\r\nX-", trickle=b"a: b\r\nX-"),
    "idle": lambda path: Client(),
    "greedy": lambda path: Client(get(path), read_bytes=1024, read_seconds=1, receive=2048),
    "never_reads": lambda path: Client(get(path), read_bytes=1, read_seconds=1000, receive=2048),
    "half_open": lambda path: Client(get(path), half_close=random.random() < 0.5, read_bytes=1, read_seconds=1000,
                                     receive=2048, close_after=random.random() * 2),
    "garbage": lambda path: Client(random_bytes(), close_after=random.random()),
    "huge_headers": lambda path: Client(get(path, b"X-A: " + b"a" * 1000000 + b"\r\n")),
    "many_headers": lambda path: Client(get(path, b"".join(b"X-%d: a\r\n" % i for i in range(60000)))),
    "pipelining": lambda path: Client(get(path) * 1000),
    "bodies": lambda path: Client(body(), close_after=1 + random.random()),
    "tls": lambda path: Client(HELLO, close_after=1 + random.random()),
    "logins": lambda path: Client(login(path)),
}


def run(make, port, count):
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    selector = selectors.DefaultSelector()
    clients, said, last = [], False, 0.0
    os.set_blocking(0, False)
    selector.register(0, selectors.EVENT_READ, None)
    while True:
        for _ in range(min(200, count - len(clients))):  # a share at a time, so that those that wait go on
            clients.append(make())
            clients[-1].connect(port, selector)
        if len(clients) == count and not said:
            said = print("all", flush=True) is None
        gone = set()
        for key, events in selector.select(0.05):
            if key.data is None:
                return
            client = key.data
            if events & selectors.EVENT_WRITE and not client.write(selector):
                gone.add(client)
            elif events & selectors.EVENT_READ and not client.read(selector):
                gone.add(client)
        now = time.monotonic()
        if now - last > 0.2:
            last = now
            gone.update(client for client in clients if not client.tick(now, selector))
        for client in gone:
            client.close(selector)
        if gone:
            clients = [client for client in clients if client not in gone]


if __name__ == "__main__":
    PATH = sys.argv[4] if len(sys.argv) > 4 else "/metrics"
    run(lambda: ATTACKS[sys.argv[1]](PATH), int(sys.argv[2]), int(sys.argv[3]))
