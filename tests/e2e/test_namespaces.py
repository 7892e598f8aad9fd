"""Targets in other namespaces and roots, their libc deleted or replaced, and file systems that never answer."""
import ctypes
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

from rights import descendants
from service import PROGRAM, TARGETS

LIBC_VERSION = tuple(map(int, os.confstr("CS_GNU_LIBC_VERSION").split()[1].split(".")))

# Over the directory named, a FUSE file system of which nobody ever reads a request.
DEAD_FUSE = r"""
import ctypes, os, sys
fd = os.open("/dev/fuse", os.O_RDWR)
libc = ctypes.CDLL(None, use_errno=True)
options = f"fd={fd},rootmode=40000,user_id=0,group_id=0".encode()
if libc.mount(b"dead", sys.argv[1].encode(), b"fuse", 0, options) != 0:
    sys.exit(os.strerror(ctypes.get_errno()))
print("mounted", flush=True)
sys.stdin.read()
"""


def libraries(program):
    """The files that @program is linked with, its loader too."""
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return [word for line in listed.splitlines() for word in line.split() if word.startswith("/")]


@unittest.skipIf(os.geteuid() != 0, "needs root to make namespaces")
class Namespaces(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.place)
        self.root = os.path.join(self.place, "root")
        self.fill(self.root)

    def fill(self, root):
        plain = os.path.join(TARGETS, "target_plain")
        os.makedirs(root)
        shutil.copy(plain, os.path.join(root, "plain"))
        for path in libraries(plain):
            copy = root + os.path.realpath(os.path.dirname(path)) + "/" + os.path.basename(path)
            os.makedirs(os.path.dirname(copy), exist_ok=True)
            shutil.copy(path, copy)
        for name in ("lib", "lib64"):
            if not os.path.exists(os.path.join(root, name)):
                os.symlink("usr/" + name, os.path.join(root, name))

    def start(self, *command):
        """The pid of the program that says "ready", started by way of @command."""
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(lambda: [self.kill(pid) for pid in (*descendants(process.pid), process.pid)])
        self.addCleanup(process.stdin.close)
        if process.stdout.read(7) != b"5\nready":
            self.skipTest("this system does not let us: " + " ".join(command))
        return (descendants(process.pid) or [process.pid])[-1]

    @staticmethod
    def kill(pid):
        try:
            os.kill(pid, 9)
        except ProcessLookupError:
            pass

    def check(self, pid):
        """It is found and walked: the numbers of plain.c."""
        done = subprocess.run([PROGRAM, "scan", str(pid), "--format", "json"], capture_output=True, timeout=60,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        numbers = json.loads(done.stdout)
        # from 2.42 on a tcache comes with the first free
        self.assertIn(numbers["tcaches"], (1,) if LIBC_VERSION < (2, 42) else (0, 1))
        self.assertEqual(numbers["tcaches_missing"], 0)
        self.assertEqual(numbers["unread_bytes"], 0)
        self.assertGreaterEqual(numbers["chunks"]["in_use"], 1000)
        self.assertLess(numbers["chunks"]["in_use"], 1100)
        self.assertEqual(numbers["found_by"], "signature")
        return numbers

    def files(self, pid):
        """What --check-access says of its files."""
        done = subprocess.run([PROGRAM, "--check-access", str(pid)], capture_output=True, text=True, timeout=60,
                              check=False)
        return next(line[20:] for line in done.stdout.splitlines() if line.startswith("files"))

    def libc(self, root=None):
        for directory, _, names in os.walk((root or self.root) + "/usr"):
            if "libc.so.6" in names:
                return os.path.join(directory, "libc.so.6")
        raise AssertionError("no libc in the root")

    def test_mount_and_pid(self):
        pid = self.start("unshare", "-m", "-p", "-f", "chroot", self.root, "/plain")
        self.check(pid)
        self.assertEqual(self.files(pid), "yes")

    def test_user(self):
        pid = self.start("unshare", "-U", "-r", "-m", "-p", "-f", "chroot", self.root, "/plain")
        self.check(pid)
        self.assertEqual(self.files(pid), "yes")

    def test_overlay(self):
        place = os.path.join(self.place, "tmp")
        os.mkdir(place)
        pid = self.start("unshare", "-m", "sh", "-c", f"""
            mount -t tmpfs tmpfs {place} && cp -a {self.root} {place}/ && cd {place} && mkdir upper work merged &&
            mount -t overlay overlay -o lowerdir=root,upperdir=upper,workdir=work merged &&
            exec chroot merged /plain""")
        self.check(pid)
        self.assertEqual(self.files(pid), "yes")

    @unittest.skipIf(shutil.which("mkfs.btrfs") is None, "no mkfs.btrfs")
    def test_btrfs(self):
        """Its subvolumes have device numbers that maps does not tell."""
        image, place = os.path.join(self.place, "image"), os.path.join(self.place, "mounted")
        os.mkdir(place)
        with open(image, "wb") as file:
            file.truncate(256 << 20)
        pid = self.start("unshare", "-m", "sh", "-c", f"""
            exec 2>/dev/null; mkfs.btrfs -q {image} >&2 && mount -o loop {image} {place} && cd {place} &&
            btrfs subvolume create sub >&2 && cp -a {self.root}/. sub/ && mount --bind sub sub &&
            exec chroot sub /plain""")
        self.check(pid)
        self.assertEqual(self.files(pid), "yes")

    def test_explicit_loader(self):
        loader = next(path for path in libraries(os.path.join(TARGETS, "target_plain")) if "ld-linux" in path)
        pid = self.start("chroot", self.root, loader, "/plain")
        self.check(pid)

    def test_libc_deleted(self):
        pid = self.start("chroot", self.root, "/plain")
        os.unlink(self.libc())
        self.check(pid)

    def test_libc_replaced(self):
        libc = self.libc()
        pid = self.start("chroot", self.root, "/plain")

        def huge():
            with open(libc, "wb") as file:
                file.write(b"\x7fELF\x02\x01\x01")
                file.truncate(1 << 40)

        for replace in (lambda: os.symlink("/etc/shadow", libc), lambda: os.symlink("/proc/self/mem", libc),
                        lambda: os.mkfifo(libc), lambda: os.mknod(libc, 0o020666, os.makedev(1, 5)), huge):
            os.rename(libc, libc + ".old")
            os.unlink(libc + ".old")
            replace()
            self.check(pid)

    def test_dead_file_systems(self):
        """Whatever directory a FUSE that never answers lies on: the scan ends, with the right numbers."""
        pid = self.start("unshare", "-m", "--propagation", "private", "chroot", self.root, "/plain")
        for directory in (os.path.dirname(self.libc()), self.root + "/usr/lib/debug", self.root):
            os.makedirs(directory, exist_ok=True)
            helper = subprocess.Popen(["nsenter", f"--mount=/proc/{pid}/ns/mnt", sys.executable, "-c", DEAD_FUSE,
                                       directory], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            try:
                if helper.stdout.readline() != b"mounted\n":
                    self.skipTest("FUSE cannot be mounted here")
                self.check(pid)
            finally:
                helper.stdin.close()
                helper.stdout.close()
                helper.kill()
                helper.wait()


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
