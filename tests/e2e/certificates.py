"""Certificates of a test, made by openssl(1) into a directory: an authority, a server, clients."""
import os
import subprocess


# without it Python 3.13 takes no certificate that may sign
USAGE = ("-addext", "keyUsage=critical,digitalSignature,keyEncipherment,keyCertSign")


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=60)


class Certificates:
    """@directory/NAME.pem and NAME.key of each name that was made."""

    def __init__(self, directory):
        self.directory = directory
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                "-subj", "/CN=authority", *USAGE, "-keyout", self.key("authority"), "-out", self.pem("authority"))
        self.make("server", "IP:127.0.0.1,DNS:localhost", rsa=True)
        self.make("other", "IP:127.0.0.1,DNS:localhost", rsa=False)
        self.make("client", "DNS:good.example,email:who@good.example,IP:192.0.2.7,URI:spiffe://good/agent")
        self.make("stranger", "DNS:good.example", signer=None)

    def pem(self, name):
        return os.path.join(self.directory, name + ".pem")

    def key(self, name):
        return os.path.join(self.directory, name + ".key")

    def make(self, name, sans, rsa=False, signer="authority"):
        algorithm = ("rsa:2048",) if rsa else ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")
        ca = ("-CA", self.pem(signer), "-CAkey", self.key(signer)) if signer else ()
        openssl("req", "-x509", "-newkey", *algorithm, "-nodes", "-days", "30", "-subj", "/CN=" + name, "-addext",
                "subjectAltName=" + sans, *USAGE, "-keyout", self.key(name), "-out", self.pem(name), *ca)
        os.chmod(self.key(name), 0o644)  # the exporter runs as another user than the test
