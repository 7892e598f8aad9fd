# Debian packages by use, and how they are installed; read by deploy/demo and tests/run.
BUILD_PACKAGES="gcc libc6-dev meson ninja-build pkg-config libmicrohttpd-dev libelf-dev libdw-dev libiberty-dev libyaml-dev
libpcre2-dev libcap-dev libseccomp-dev zlib1g-dev libcrypt-dev libgnutls28-dev libcmocka-dev"
# what the built program is linked with, on Debian 12
RUN_PACKAGES="libmicrohttpd12 libelf1 libdw1 libyaml-0-2 libpcre2-8-0 libcap2 libseccomp2 zlib1g libcrypt1 libgnutls30"
TEST_PACKAGES="procps python3 prometheus-process-exporter python3-prometheus-client python3-yaml clang-format clang-tidy prometheus nginx memcached strace curl jq git systemd gdb openssl
libjemalloc2 libtcmalloc-minimal4 libmimalloc2.0 musl-tools busybox-static redis-server btrfs-progs"
# programs of 32 bits for the glibc matrix
[ "$(dpkg --print-architecture)" != amd64 ] || TEST_PACKAGES="$TEST_PACKAGES gcc-multilib"

# Install what is missing of "$@"; needs root or sudo only where something is.
install_packages() {
    missing=
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    as_root=
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || {
            echo "these packages are missing and there is neither root nor sudo:$missing" >&2
            exit 1
        }
        as_root=sudo
    fi
    # The services of prometheus, nginx and memcached are not wanted running, only their programs.
    $as_root apt-get update -qq || { echo "apt-get update failed" >&2; exit 1; }
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends $missing || {
        echo "apt-get could not install:$missing" >&2
        exit 1
    }
}
