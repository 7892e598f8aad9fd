#!/usr/bin/env python3
"""Seeds of fuzz_walk, written into the directory named: heaps of every glibc, sound and damaged.

The bytes are read by fuzz_walk.c: version, flags, chunks of three chains (0 ends one), pages, damage.
"""
import os
import random
import sys

VERSIONS = 28
MAIN, OWN, NEW, MMAPPED, THREAD, LIBC = range(6)
RAW, POINTER, MANGLED, ADD, WRAP, FLIP = range(6)
ARENA, PAR = 0x100, 0xC00


def chain(rng, most):
    out = bytearray()
    for _ in range(rng.randrange(most)):
        choice = rng.randrange(1, 256)
        out.append(choice)
        if choice % 8 == 7:
            out.append(rng.randrange(256))
    return bytes(out) + b"\0"


def long_lists(rng):
    """Every other chunk free, half of them in unsorted: both sides are long."""
    kinds = (8, 3, 8, 4)
    return bytes((rng.randrange(3) << 3) + kinds[i % 4] if kinds[i % 4] != 8 else 8 for i in range(300)) + b"\0"


def word(region, offset, kind, *rest):
    """One word overwritten: place, evenness, kind, what the kind takes."""
    return bytes([region]) + offset.to_bytes(2, "little") + bytes([0, kind]) + b"".join(rest)


def place(region, offset):
    return bytes([region]) + offset.to_bytes(2, "little")


def damages(rng):
    """What a hostile or broken process may hold: a list of (name, words)."""
    anywhere = [word(rng.randrange(6), rng.randrange(0, 32768, 8), kind, rng.randbytes(8))
                for kind in (RAW, POINTER, MANGLED, ADD, WRAP, FLIP) for _ in range(4)]
    heap = rng.randrange(0x300, 0x2000, 16)
    return [
        ("nothing", []),
        ("huge-size", [word(MAIN, heap + 8, WRAP, bytes([rng.randrange(256)]))]),
        ("zero-size", [word(MAIN, heap + 8, RAW, bytes(8))]),
        ("top-outside", [word(LIBC, ARENA + 0x60, RAW, (0x7FFFFFFFF000).to_bytes(8, "little"))]),
        ("top-in-heap", [word(LIBC, ARENA + 0x60, POINTER, place(MAIN, heap))]),
        ("bin-cycle", [word(LIBC, ARENA + 0x70, POINTER, place(MAIN, heap)),
                       word(MAIN, heap + 16, POINTER, place(MAIN, heap))]),
        ("bin-unaligned", [word(LIBC, ARENA + 0x70, POINTER, place(MAIN, heap + 5))]),
        ("tcache-cycle", [word(MAIN, 0x10 + 0x80, POINTER, place(MAIN, heap)),
                          word(MAIN, heap, MANGLED, place(MAIN, heap))]),
        ("tcache-pointer", [word(THREAD, 0x800 - 64, RAW, rng.randbytes(8))]),
        ("ring-of-one", [word(OWN, 0x30 + 0x870, POINTER, place(OWN, 0x30))]),
        ("ring-away", [word(LIBC, ARENA + 0x870, RAW, rng.randbytes(8))]),
        ("heaps-round", [word(OWN, 8, POINTER, place(NEW, 0))]),
        ("system-huge", [word(LIBC, ARENA + 0x888, WRAP, b"\0"), word(OWN, 0x30 + 0x888, WRAP, b"\0"),
                         word(OWN, 8, POINTER, place(NEW, 0))]),
        ("noncontiguous", [word(LIBC, ARENA, RAW, bytes([0, 0, 0, 0, 2, 0, 0, 0]))]),
        ("sbrk-base", [word(LIBC, PAR + 0x60, RAW, rng.randbytes(8))]),
        ("huge-pages", [word(LIBC, PAR + 0x30, RAW, (1 << rng.randrange(64)).to_bytes(8, "little"))]),
        ("mmapped-many", [word(LIBC, PAR + 0x3C, RAW, b"\xff" * 8)]),
        ("mmapped-wraps", [word(MMAPPED, 8, WRAP, bytes([253]))]),
        ("anywhere", anywhere),
    ]


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    rng = random.Random(1)
    for version in range(VERSIONS):
        for narrow in (0, 128):
            if version + narrow >= 256:
                continue
            # % 28 has to give the same release for both widths
            number = version if not narrow else next(n for n in range(128, 256) if n % VERSIONS == version)
            for name, words in damages(rng):
                flags = rng.randrange(32) & (0b1111 if name == "nothing" else 0b11111)
                late = bytes([rng.randrange(20)]) if flags & 16 else b""
                body = b"".join(chain(rng, 60) for _ in range(3))
                if rng.randrange(4) == 0:
                    body = long_lists(rng) + chain(rng, 60) + long_lists(rng)
                seed = bytes([number, flags]) + body + b"\0" + late + bytes([len(words)]) + b"".join(words)
                with open(os.path.join(folder, f"{version:02}-{narrow and 4 or 8}-{name}"), "wb") as file:
                    file.write(seed)


main()
