"""The one table of which room of src/ may include which; the table of src/README.md says the same."""

ROOMS = {
    "base": set(),
    "model": {"base"},
    "target": {"base"},
    "config": {"base"},
    "symbols": {"base"},
    "allocator": {"base", "model", "target", "snapshot", "analysis"},
    "analysis": {"base", "model", "snapshot"},
    "snapshot": {"base", "model"},
    "metrics": {"base", "model", "snapshot"},
    "encode": {"base", "model", "snapshot", "metrics"},
    "inspect": {"base", "model", "target", "snapshot", "allocator", "encode"},
    "link": {"base", "model", "snapshot", "allocator", "target"},
    "roles": {"base", "model", "target", "config", "symbols", "allocator", "analysis", "snapshot", "metrics",
              "encode", "inspect", "link"},
}
# Of these rooms only the seams: the question that a resolver answers, the stops that a holder gives.
SEAMS = {
    ("link", "allocator"): {"allocator/symbol_source.h"},
    ("link", "target"): {"target/hold.h"},
}
# A room that parses what others made, and the one role without power that may include it.
USERS = {"symbols": "roles/resolver/"}
ALL = set(ROOMS) | {"cli"}
# The only users of a library.
LIBRARIES = {
    "microhttpd.h": "roles/front/http/",
    "gnutls/": "roles/front/web/",
    "crypt.h": "roles/front/web/",
    "libelf.h": "symbols/",
    "gelf.h": "symbols/",
    "elfutils/": "symbols/",
    "libiberty/": "symbols/",
    "yaml.h": "config/",
    "sys/ptrace.h": ("roles/holder/", "link/sandbox_profiles.c"),
    "seccomp.h": "link/sandbox",
}
