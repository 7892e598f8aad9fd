"""--web.config.file: verdicts as promtool gives them, and what each setting does to clients."""
import os
import random
import shutil
import ssl
import subprocess
import tempfile
import unittest

from certificates import Certificates
from service import PROGRAM, Service

CONFIG = "process_names: [{name: never, comm: [no_such_process]}]\n"
# of the password "secret"
HASH = "$2y$04$8XGNq8wruGVVbjfX5IzrOu53CQ1jEL03ryGKsejUptNqNkdg18Ph."
PAIR = "cert_file: server.pem, key_file: server.key"
TLS = "tls_server_config: {" + PAIR + "%s}\n"
SUITES = ["TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
          "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
          "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
          "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
          "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
          "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"]

# text, whether it is good; and what promtool says where it differs: "new" where its releases do.
CASES = [
    ("", True),
    ("# nothing\n", True),
    ("junk\nof lines\n", False),
    ("- a\n", False),
    ("tls_server_config:\n", True),
    ("tls_server_config: {cert_filse: server.pem}\n", False),
    ("tls_server: {}\n", False),
    (TLS % "", True),
    (TLS % ", client_auth_type: x", False),
    (TLS % ", client_auth_type: ''", True),
    (TLS % ", client_auth_type: NoClientCert", True),
    (TLS % ", client_auth_type: RequestClientCert", True),
    (TLS % ", client_auth_type: RequireClientCert", True),
    (TLS % ", client_auth_type: RequireAnyClientCert", True),
    (TLS % ", client_auth_type: VerifyClientCertIfGiven", True),
    (TLS % ", client_auth_type: RequireAndVerifyClientCert", True),
    (TLS % ", client_auth_type: RequireAndVerifyClientCert, client_ca_file: authority.pem", True),
    (TLS % ", client_ca_file: authority.pem", False),
    (TLS % ", client_ca_file: authority.pem, client_auth_type: NoClientCert", False),
    (TLS % ", client_ca_file: missing.pem, client_auth_type: RequireAndVerifyClientCert", False),
    ("tls_server_config: {cert_file: '', key_file: server.key}\n", False),
    ("tls_server_config: {cert_file: server.pem}\n", False),
    ("tls_server_config: {cert_file: server.pem, key_file: ''}\n", False),
    ("tls_server_config: {key_file: server.key}\n", False),
    ("tls_server_config: {cert_file: '', key_file: '', client_auth_type: x}\n", False),
    ("tls_server_config: {cert_file: missing, key_file: server.key}\n", False),
    ("tls_server_config: {cert_file: server.pem, key_file: missing}\n", False),
    ("tls_server_config: {cert_file: missing, key_file: missing}\n", False),
    ("tls_server_config: {cert_file: server.pem, key_file: other.key}\n", False),
    ("tls_server_config: {cert_file: server.key, key_file: server.key}\n", False),
    ("tls_server_config: {cert_file: [a], key_file: server.key}\n", False),
    ("tls_server_config: {client_auth_type: NoClientCert}\n", False),
    ("tls_server_config: {cert_file: server.pem, cert_file: server.pem, key_file: server.key}\n", False),
    (TLS % ", min_version: TLS13", True),
    (TLS % ", min_version: TLS10, max_version: TLS11", True),
    (TLS % ", min_version: TLS111", False),
    (TLS % ", max_version: tls13", False),
    (TLS % ", min_version: [TLS12]", False),
    (TLS % (", cipher_suites: [" + ", ".join(SUITES) + "]"), True),
    (TLS % ", cipher_suites: []", True),
    (TLS % ", cipher_suites: TLS_AES_128_GCM_SHA256", False),
    (TLS % ", cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA2048]", False),
    (TLS % ", curve_preferences: [CurveP256, CurveP384, CurveP521, X25519]", True),
    (TLS % ", curve_preferences: [CurveP257]", False),
    (TLS % ", prefer_server_cipher_suites: false", True),
    (TLS % ", prefer_server_cipher_suites: perhaps", False),
    ("tls_server_config: {cipher_suites: [nonsense]}\n", False),
    ("http_server_config: {http2: true}\n", True),
    ("http_server_config: {http2: off}\n", True),
    ("http_server_config: {http2: 'true'}\n", False),
    ("http_server_config: {http3: true}\n", False),
    ("http_server_config: {headers: {X-Frame-Options: deny, Strict-Transport-Security: max-age=31536000, "
     "X-Content-Type-Options: nosniff, X-XSS-Protection: 1, Content-Security-Policy: \"default-src 'self'\"}}\n", True),
    ("http_server_config: {headers: {X-Content-Type-Options: sniff}}\n", False),
    ("http_server_config: {headers: {X-Frame-Options: foo}}\n", False),
    ("http_server_config: {headers: {X-Frame-Options: ''}}\n", False),
    ("http_server_config: {headers: {x-frame-options: deny}}\n", False),
    ("http_server_config: {headers: {Content-Type: foo}}\n", False),
    ("http_server_config: {headers: [a]}\n", False),
    (f"basic_auth_users: {{alice: {HASH}}}\n", True),
    (f"basic_auth_users: {{alice: '{HASH.replace('2y', '2b')}', 7: {HASH}}}\n", True),
    (f"basic_auth_users: {{alice: {HASH}, alice: {HASH}}}\n", False),
    ("basic_auth_users: {john: doe}\n", False),
    ("basic_auth_users: {john: }\n", False),
    (f"basic_auth_users: {{john: '{HASH.replace('$04$', '$03$')}'}}\n", False),
    (f"basic_auth_users: {{john: '{HASH.replace('$04$', '$32$')}'}}\n", False),
    (f"basic_auth_users: {{john: '{HASH.replace('$04$', '$xx$')}'}}\n", False),
    (f"basic_auth_users: {{john: '{HASH.replace('$2', '$9')}'}}\n", False),
    ("basic_auth_users: [john]\n", False),
    (TLS % "" + f"basic_auth_users: {{alice: {HASH}}}\n", True),
    # Debian's promtool does not know these keys yet
    ("rate_limit: {interval: 1s, burst: 3}\n", True, "new"),
    ("rate_limit: {interval: 0}\n", True, "new"),
    ("rate_limit: {interval: fast, burst: 3}\n", False, "new"),
    ("rate_limit: {interval: 1s, burst: many}\n", False, "new"),
    (TLS % ", client_allowed_sans: [a, b]", True, "new"),
    ("tls_server_config: {cert: '', key_file: server.key}\n", False, "new"),
    ("tls_server_config: {cert_file: server.pem, key: ''}\n", False, "new"),
    ("tls_server_config: {cert_file: server.pem, key: nonsense}\n", False, "new"),
    # ours is stricter: what cannot work, or would not do what it says
    (TLS % ", min_version: TLS13, max_version: TLS12", False, True),
    (TLS % ", client_ca_file: server.key, client_auth_type: RequireAndVerifyClientCert", False, True),
    (TLS % ", cipher_suites: [TLS_RSA_WITH_AES_128_GCM_SHA256]", False, "new"),
    ("rate_limit: {interval: 1s}\n", False, "new"),
    (f"basic_auth_users: {{john: '{HASH}x'}}\n", False, True),
    ("---\n{}\n---\n{}\n", False, True),
]


class Files(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(prefix="malloc_exporter-test-")
        cls.addClassCleanup(cls.directory.cleanup)
        os.chmod(cls.directory.name, 0o755)
        cls.certificates = Certificates(cls.directory.name)
        cls.file = os.path.join(cls.directory.name, "web.yml")

    def write(self, text):
        """A new file in its place, as tools do that know that others read."""
        with open(self.file + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.file + ".new", 0o644)
        os.rename(self.file + ".new", self.file)

    def service(self, text, *flags, **arguments):
        self.write(text)
        return Service(CONFIG, "--web.config.file", self.file, *flags, **arguments)

    def client(self, name=None, **limits):
        context = ssl.create_default_context(cafile=self.certificates.pem("authority"))
        if name:
            context.load_cert_chain(self.certificates.pem(name), self.certificates.key(name))
        for key, value in limits.items():
            setattr(context, key, value)
        return context


class Verdicts(Files):
    def ours(self, text):
        self.write(text)
        done = subprocess.run([PROGRAM, "--config.check", "--web.config.file", self.file, "--config.file", os.devnull],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
        self.assertIn(done.returncode, (0, 2), done.stderr)
        return done.returncode == 0, done.stderr.decode()

    def promtool(self, text):
        self.write(text)
        return subprocess.run(["promtool", "check", "web-config", self.file], stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=60, check=False).returncode == 0

    def test_cases(self):
        for text, is_good, *other in CASES:
            with self.subTest(text=text):
                verdict, problems = self.ours(text)
                self.assertEqual(verdict, is_good, problems)
                if not verdict:
                    self.assertRegex(problems, r"web\.yml:\d+:\d+: ")
                if shutil.which("promtool") and other != ["new"]:
                    self.assertEqual(self.promtool(text), other[0] if other else is_good)

    @unittest.skipUnless(shutil.which("promtool"), "promtool is not installed")
    def test_generated(self):
        """Files put together at random, good and bad parts of them: the same verdict as promtool's."""
        choose = random.Random(20261125)
        tls = ["cert_file: server.pem", "cert_file: other.pem", "key_file: server.key", "key_file: missing",
               "client_ca_file: authority.pem", "min_version: TLS12", "min_version: SSL3", "max_version: TLS13",
               "cipher_suites: [TLS_AES_128_GCM_SHA256]", "cipher_suites: [X]", "curve_preferences: [X25519]",
               "curve_preferences: [x25519]", "client_auth_type: RequireAnyClientCert", "colour: red",
               "client_auth_type: VerifyClientCertIfGiven", "prefer_server_cipher_suites: no"]
        http = ["http2: true", "http2: 3", "headers: {X-Frame-Options: sameorigin}", "headers: {X-Frame-Options: no}",
                "headers: {Server: x}", "headers: {Strict-Transport-Security: x}"]
        users = [f"a: {HASH}", f"b: {HASH}", "c: plain", "d: ''"]
        for _ in range(30):
            parts = []
            for name, lines, share in (("tls_server_config", tls, 0.3), ("http_server_config", http, 0.3),
                                       ("basic_auth_users", users, 0.4)):
                chosen = [line for line in lines if choose.random() < share * choose.random()]
                if name == "tls_server_config" and choose.random() < 0.7:
                    chosen = [PAIR] + [line for line in chosen if "_file: s" not in line]
                if chosen:
                    parts.append(name + ": {" + ", ".join(chosen) + "}\n")
            text = "".join(parts)
            with self.subTest(text=text):
                verdict, problems = self.ours(text)
                self.assertEqual(verdict, self.promtool(text), problems)

    def test_inline(self):
        with open(self.certificates.pem("server"), encoding="ascii") as pem:
            cert = "".join("    " + line for line in pem)
        with open(self.certificates.key("server"), encoding="ascii") as pem:
            key = "".join("    " + line for line in pem)
        text = "tls_server_config:\n  cert: |\n" + cert + "  key: |\n" + key
        with self.service(text, tls=self.client()) as service:
            self.assertEqual(service.get("/metrics")[0], 200)

    def test_all_problems_with_their_places(self):
        verdict, problems = self.ours("tls_server_config:\n  cert_filse: a\n  min_version: TLS9\nbasic_auth_users:\n"
                                      "  a: b\ncolour: red\n")
        self.assertFalse(verdict)
        for place in (":2:3: ", ":3:16: ", ":5:6: ", ":6:1: "):
            self.assertIn("web.yml" + place, problems)

    def test_start_is_refused(self):
        self.write("basic_auth_users: {a: b}\n")
        processes = os.path.join(self.directory.name, "config.yml")
        with open(processes, "w", encoding="utf-8") as file:
            file.write(CONFIG)
        done = subprocess.run([PROGRAM, "--config.file", processes, "--web.config.file", self.file,
                               "--web.listen-address", "127.0.0.1:0"], stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=60, check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn(b"web.yml:1:23: ", done.stderr)


class Tls(Files):
    def refused(self, service, context):
        service.tls = context
        with self.assertRaises(OSError):
            service.get("/metrics")

    def test_versions_and_suites(self):
        text = TLS % (", min_version: TLS12, max_version: TLS12, cipher_suites: "
                      "[TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]")
        with self.service(text, tls=self.client()) as service:
            self.assertEqual(service.get("/metrics")[0], 200)
            connection = service.connection()
            connection.connect()
            self.assertEqual(connection.sock.cipher()[:2], ("ECDHE-RSA-AES128-GCM-SHA256", "TLSv1.2"))
            connection.close()
            only = self.client()
            only.set_ciphers("ECDHE-RSA-AES256-SHA")
            self.refused(service, only)
            self.refused(service, self.client(minimum_version=ssl.TLSVersion.TLSv1_3))

    def test_tls_11_is_refused(self):
        with self.service(TLS % "", tls=self.client()) as service:
            self.assertEqual(service.get("/metrics")[0], 200)
            old = self.client(minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)
            old.set_ciphers("ALL:@SECLEVEL=0")
            self.refused(service, old)
            self.assertEqual(service.get("/metrics", unix=True)[0], 200)

    def test_curves(self):
        with self.service(TLS % ", min_version: TLS13, curve_preferences: [CurveP521]", tls=self.client()) as service:
            context = self.client()
            context.set_ecdh_curve("secp521r1")
            service.tls = context
            self.assertEqual(service.get("/metrics")[0], 200)
            context = self.client()
            context.set_ecdh_curve("secp384r1")
            self.refused(service, context)

    def test_http_on_tls_and_the_reverse(self):
        with self.service(TLS % "", tls=self.client()) as service:
            self.refused(service, None)
        with self.service("") as service:
            self.refused(service, self.client())
            service.tls = None
            self.assertEqual(service.get("/metrics")[0], 200)

    def test_client_certificates(self):
        ca = ", client_ca_file: authority.pem, client_auth_type: "
        # per policy: who gets in without a certificate, with one of the authority, with one of its own
        for policy, without, known, stranger in (
                (", client_auth_type: RequestClientCert", True, True, True),
                (", client_auth_type: RequireAnyClientCert", False, True, True),
                (ca + "VerifyClientCertIfGiven", True, True, False),
                (ca + "RequireAndVerifyClientCert", False, True, False)):
            with self.subTest(policy=policy), self.service(TLS % policy) as service:
                for name, may in ((None, without), ("client", known), ("stranger", stranger)):
                    if may:
                        service.tls = self.client(name)
                        self.assertEqual(service.get("/metrics")[0], 200)
                    else:
                        self.refused(service, self.client(name))

    def test_allowed_sans(self):
        policy = ", client_ca_file: authority.pem, client_auth_type: RequireAndVerifyClientCert, client_allowed_sans: "
        for sans, may in (("[x, good.example]", True), ("[who@good.example]", True), ("[192.0.2.7]", True),
                          ("['spiffe://good/agent']", True), ("[bad.example, ood.example]", False), ("[]", False)):
            with self.subTest(sans=sans), self.service(TLS % (policy + sans)) as service:
                if may:
                    service.tls = self.client("client")
                    self.assertEqual(service.get("/metrics")[0], 200)
                else:
                    self.refused(service, self.client("client"))

    def test_verified_certificates_may_ask_for_addresses(self):
        path = "/api/v1/processes/1/chunks"  # 404 for who may ask, 403 for others
        with self.service(TLS % ", client_ca_file: authority.pem, client_auth_type: VerifyClientCertIfGiven") as service:
            for name, code in ((None, 403), ("client", 404)):
                service.tls = self.client(name)
                self.assertEqual(service.get(path)[0], code)
        with self.service(TLS % ", client_auth_type: RequestClientCert", tls=self.client("stranger")) as service:
            self.assertEqual(service.get(path)[0], 403)  # it was not verified

    def serial(self, service):
        connection = service.connection()
        connection.connect()
        try:
            return connection.sock.getpeercert()["serialNumber"]
        finally:
            connection.close()

    def test_rotation(self):
        self.certificates.make("rotating", "IP:127.0.0.1", rsa=True)
        with self.service(TLS.replace("server.", "rotating.") % "", tls=self.client()) as service:
            before = self.serial(service)
            self.certificates.make("rotating", "IP:127.0.0.1")
            service.wait(lambda: self.serial(service) != before)
            self.assertEqual(service.get("/metrics")[0], 200)
            rotated = self.serial(service)
            self.write(TLS.replace("server.", "other.") % ", min_version: TLS13")
            service.wait(lambda: self.serial(service) != rotated)
            self.refused(service, self.client(maximum_version=ssl.TLSVersion.TLSv1_2))


class Plain(Files):
    def test_headers(self):
        with self.service("http_server_config: {http2: true, headers: {X-Frame-Options: deny, "
                          "Content-Security-Policy: default-src x, X-Content-Type-Options: nosniff}}\n") as service:
            service.wait_line("HTTP/2 is not supported")
            for path in ("/", "/metrics", "/nowhere"):
                headers = service.get(path)[1]
                self.assertEqual(headers.get_all("X-Frame-Options"), ["deny"])
                self.assertEqual(headers.get_all("Content-Security-Policy"), ["default-src x"])
                self.assertEqual(headers.get_all("X-Content-Type-Options"), ["nosniff"])

    def test_users(self):
        with self.service(f"basic_auth_users: {{alice: {HASH}}}\n") as service:
            code, headers, body = service.get("/metrics")
            self.assertEqual(code, 401)
            self.assertTrue(headers["WWW-Authenticate"].startswith("Basic"))
            self.assertIn(b'"code": "unauthorized"', body)
            for _ in range(2):  # the second time from the cache
                self.assertEqual(service.get_auth("/metrics", "alice", "secret")[0], 200)
                self.assertEqual(service.get_auth("/metrics", "alice", "wrong")[0], 401)
                self.assertEqual(service.get_auth("/metrics", "bob", "secret")[0], 401)
                self.assertEqual(service.get_auth("/metrics", "alice", "")[0], 401)
                self.assertEqual(service.get_auth("/metrics", "alice", "x" * 5000)[0], 401)
            self.assertEqual(service.get("/metrics", headers={"Authorization": "Basic ???"})[0], 401)
            self.assertEqual(service.get("/-/healthy")[0], 401)
            self.assertEqual(service.get_auth("/api/v1/processes/1/chunks", "alice", "secret")[0], 404)
            if os.geteuid() == 0:  # the peer of a unix listener is known without
                self.assertEqual(service.get("/metrics", unix=True)[0], 200)
            self.write("basic_auth_users: {}\n")
            service.wait(lambda: service.get("/metrics")[0] == 200)
            self.assertEqual(service.get("/api/v1/processes/1/chunks")[0], 403)

    def test_rate_limit(self):
        with self.service(f"rate_limit: {{interval: 1h, burst: 3}}\nbasic_auth_users: {{a: {HASH}}}\n") as service:
            answers = [service.get("/metrics") for _ in range(5)]
            self.assertEqual([answer[0] for answer in answers], [401, 401, 401, 429, 429])
            self.assertEqual(answers[4][1]["Retry-After"], "3600")

    def test_broken_until_mended(self):
        with self.service("") as service:
            self.assertEqual(service.get("/metrics")[0], 200)
            begin = len(service.lines)
            self.write("colour: red\n")
            service.wait(lambda: service.get("/metrics")[0] == 500)
            service.wait_line(r"web\.yml:1:1: ", begin=begin)
            self.assertEqual(service.get("/-/healthy")[0], 500)
            self.write("http_server_config: {headers: {X-Frame-Options: deny}}\n")
            service.wait(lambda: service.get("/metrics")[0] == 200)
            self.assertEqual(service.get("/metrics")[1]["X-Frame-Options"], "deny")
            os.unlink(self.file)
            service.wait(lambda: service.get("/metrics")[0] == 500)
            self.write("")
            service.wait(lambda: service.get("/metrics")[0] == 200)
            self.write(TLS % "")
            service.wait(lambda: service.get("/metrics")[0] == 500)
            service.wait_line("TLS cannot be turned on or off", begin=begin)


if __name__ == "__main__":
    unittest.main(verbosity=2)
