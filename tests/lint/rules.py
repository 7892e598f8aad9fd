"""The one table of which room of src/ may include which."""

ROOMS = {
    "base": set(),
    "model": {"base"},
    "target": {"base"},
    "config": {"base", "snapshot", "model"},
    "symbols": {"base", "target", "allocator"},
    "allocator": {"base", "model", "target", "snapshot", "analysis"},
    "analysis": {"base", "model", "snapshot", "target"},
    "snapshot": {"base", "model"},
    "metrics": {"base", "model", "snapshot", "link"},
    "encode": {"base", "model", "snapshot", "metrics"},
    "link": {"base", "model", "snapshot", "config", "allocator", "target", "symbols"},
    "roles": {"base", "model", "target", "config", "symbols", "allocator", "analysis", "snapshot", "metrics",
              "encode", "link"},
}
# Beyond the rooms: why each is needed stands with it.
SEAMS = {
    ("symbols", "allocator"): {"allocator/symbol_source.h"},  # the question that the resolver answers
    ("link", "allocator"): {"allocator/symbol_source.h", "allocator/glibc/layout.h"},
    ("link", "target"): {"target/hold.h", "target/target.h", "target/maps.h"},
    ("metrics", "link"): {"link/messages.h"},  # a group's counters come as a message
    ("config", "snapshot"): {"snapshot/snapshot.h"},  # enum consistency
}
ALL = set(ROOMS) | {"cli"}
# The only users of a library.
LIBRARIES = {
    "microhttpd.h": "roles/front/http/",
    "libelf.h": "symbols/",
    "gelf.h": "symbols/",
    "elfutils/": "symbols/",
    "yaml.h": "config/",
    "sys/ptrace.h": "roles/holder/",
}
