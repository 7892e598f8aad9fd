"""What of a process is in memory of its own, and one bare pass over it by process_vm_readv(2): as little as any reader
of it can do."""
import array
import ctypes

PAGE = 4096
WINDOW = 1 << 20


class Part(ctypes.Structure):
    """struct iovec of readv(2)"""
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def present_runs(pid):
    """[(start, end)] of at most WINDOW each: pages that are present, of anonymous mappings that can be written to"""
    runs = []
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, open(f"/proc/{pid}/pagemap", "rb") as pagemap:
        for line in maps:
            words = line.split()
            if words[1] != "rw-p" or words[4] != "0":
                continue
            start, end = (int(word, 16) for word in words[0].split("-"))
            pagemap.seek(start // PAGE * 8)
            entries = array.array("Q", pagemap.read((end - start) // PAGE * 8))
            for at, entry in zip(range(start, end, PAGE), entries):
                if not entry >> 63:
                    continue
                if runs and runs[-1][1] == at and at - runs[-1][0] < WINDOW:
                    runs[-1] = (runs[-1][0], at + PAGE)
                else:
                    runs.append((at, at + PAGE))
    return runs


class Reader:
    def __init__(self, pid):
        self.pid = pid
        self.runs = present_runs(pid)
        self.buffer = ctypes.create_string_buffer(WINDOW)
        self.call = ctypes.CDLL(None).process_vm_readv

    def read_all(self):
        """One pass; the bytes read."""
        ours = Part(ctypes.addressof(self.buffer), WINDOW)
        one, none = ctypes.c_ulong(1), ctypes.c_ulong(0)
        done = 0
        for start, end in self.runs:
            theirs = Part(start, end - start)
            done += self.call(self.pid, ctypes.byref(ours), one, ctypes.byref(theirs), one, none)
        return done
