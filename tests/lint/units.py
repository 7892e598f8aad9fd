"""The systemd units of deploy/: systemd-analyze has nothing against them, and how exposed they are."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

DEPLOY = os.path.join(os.environ.get("SOURCE_ROOT", "."), "deploy")
# As shipped, for scraping from elsewhere; for this machine only; with the socket unit, where the service has no network;
# with real time for who holds a stop.
LIMITS = {None: 2.3, "loopback.conf": 2.0, "socket.conf": 2.0, "stops.conf": 2.3}


def analyze(*arguments):
    done = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def put(directory, dropin):
    for name in ("malloc_exporter.service.in", "malloc_exporter.socket"):
        with open(os.path.join(DEPLOY, name), encoding="utf-8") as file:
            text = file.read()
        with open(os.path.join(directory, name.removesuffix(".in")), "w", encoding="utf-8") as file:
            file.write(text.replace("@bindir@/malloc_exporter", "/bin/true"))  # one that is installed here
    if dropin:
        place = os.path.join(directory, "malloc_exporter.service.d")
        os.mkdir(place)
        shutil.copy(os.path.join(DEPLOY, "dropins", dropin), place)


def problems():
    for dropin, limit in LIMITS.items():
        with tempfile.TemporaryDirectory() as directory:
            put(directory, dropin)
            service = os.path.join(directory, "malloc_exporter.service")
            code, text = analyze("verify", "--man=no", service)
            if code or "malloc_exporter" in text:
                yield f"verify with {dropin}: {text}"
            _, text = analyze("security", "--offline=true", service)
            found = re.search(r"exposure level for \S+: ([0-9.]+)", text)
            if not found or float(found.group(1)) > limit:
                yield f"exposure with {dropin}: {found.group(1) if found else text}, more than {limit}"


if not shutil.which("systemd-analyze"):
    print("systemd-analyze is not installed")
    sys.exit(77)
found_problems = list(problems())
print("\n".join(found_problems))
sys.exit(1 if found_problems else 0)
