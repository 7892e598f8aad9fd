"""Hostile clients: who behaves well is served meanwhile. The full size is tests/chaos/network."""
import socket
import threading
import time
import unittest

import network
from certificates import Certificates
from service import Service, Target
from test_web_config import CONFIG, HASH, Files

# generous: what is claimed is that nobody is kept out, not how fast this machine is
LONGEST_SECONDS = 10


class Attacks(unittest.TestCase):
    def test_all(self):
        for name, longest, peak, left in network.all_attacks(1, scale=0.2):
            with self.subTest(name):
                self.assertLess(longest, LONGEST_SECONDS)
                self.assertLess(peak, 128 * 1024)
                self.assertLess(left, 32 * 1024)

    def test_max_requests(self):
        with Target("target_bench", "small", "16") as demo, \
                Service(network.config(demo.pid), "--web.max-requests", "1") as service, \
                socket.create_connection(("127.0.0.1", service.port)) as reader:
            service.wait(lambda: service.json(f"/api/v1/processes/{demo.pid}")[1]["up"] == 1)
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            reader.sendall(b"GET /api/v1/processes/%d/chunks HTTP/1.1\r\nHost: x\r\n\r\n" % demo.pid)
            reader.recv(1)  # the dump has begun and goes on as long as nobody reads
            code, headers, body = service.get("/metrics")
            self.assertEqual((code, headers["Retry-After"]), (503, "1"))
            self.assertIn(b"--web.max-requests", body)
            reader.close()
            service.wait(lambda: service.get("/metrics")[0] == 200)


class Logins(Files):
    def test_a_flood_of_passwords(self):
        """The known user is served, others wait or are told to come again; never more than one thread computes."""
        slow = "$2y$09$" + HASH[7:]
        with self.service(f"basic_auth_users: {{known: {HASH}, slow: {slow}}}\n") as service:
            self.assertEqual(service.get_auth("/metrics", "known", "secret")[0], 200)
            codes = []

            def ask(number):
                codes.append(service.get_auth("/metrics", "slow", f"wrong{number}")[0])
            threads = [threading.Thread(target=ask, args=(number,)) for number in range(40)]
            for thread in threads:
                thread.start()
            longest = 0
            while any(thread.is_alive() for thread in threads):
                begin = time.monotonic()
                self.assertEqual(service.get_auth("/metrics", "known", "secret")[0], 200)
                longest = max(longest, time.monotonic() - begin)
                time.sleep(0.05)  # the pace of the scraper
            for thread in threads:
                thread.join()
            self.assertLess(longest, LONGEST_SECONDS)
            self.assertEqual(set(codes), {401, 503})  # the queue is short
            # what is known stays known, however many wrong ones were kept
            for number in range(150):
                service.get_auth("/metrics", "known", f"other{number}")
            self.assertEqual(service.get_auth("/metrics", "known", "secret")[0], 200)

    def test_time_does_not_tell_who_exists(self):
        dear = HASH.replace("$04$", "$10$")  # so dear that leaving it out would show
        with self.service(f"basic_auth_users: {{user1: {dear}, user2: {dear}}}\n") as service:
            times = {}
            for number in range(8):
                for name in ("user1", "stranger"):
                    begin = time.monotonic()
                    self.assertEqual(service.get_auth("/metrics", name, f"wrong{number}")[0], 401)
                    times.setdefault(name, []).append(time.monotonic() - begin)
            known, unknown = (min(times[name]) for name in ("user1", "stranger"))
            # both compute bcrypt: without that the unknown one would be done in a fraction
            self.assertGreater(unknown, known / 3, times)
            self.assertGreater(known, unknown / 3, times)

    def test_ends_while_passwords_are_checked(self):
        dear = "$2y$16$" + HASH[7:]
        with self.service(f"basic_auth_users: {{dear: {dear}}}\n") as service:
            with socket.create_connection(("127.0.0.1", service.port)) as client:
                client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ZGVhcjp4\r\n\r\n")
                service.wait(lambda: service.get("/metrics", unix=True)[0] == 200)
                code, seconds = service.end()
            self.assertEqual(code, 0)
            self.assertLess(seconds, LONGEST_SECONDS)


class AttacksOnTls(Files):
    def test_handshakes(self):
        certificates = Certificates(self.directory.name)
        text = f"tls_server_config: {{cert_file: {certificates.pem('server')}, key_file: {certificates.key('server')}}}\n"
        with self.service(text, tls=self.client()) as service:
            for name in ("idle", "tls", "garbage", "slowloris"):
                times, _ = network.under(service, name, 300, "/metrics", 1)
                self.assertLess(max(times), LONGEST_SECONDS, name)


del Files  # its tests are none of this file
assert CONFIG

if __name__ == "__main__":
    unittest.main(verbosity=2)
