/* cgroup.h - what a process' control groups tell: its systemd unit, container and pod. */
#ifndef ROLES_SCANNER_CGROUP_H
#define ROLES_SCANNER_CGROUP_H

/** Names found in cgroup paths, "" where there is none. All are ASCII or what the path has, cleaned to UTF-8.
 */
struct cgroup_names {
    char unit[256];
    char container_id[80];
    char pod_uid[48];
};

/**
 * Look through @text, the lines of /proc/PID/cgroup (cgroups(7)). Unit: the last path component that ends in
 * ".service", else in ".scope". Container: 64 hexadecimal digits in a component, as docker, containerd and
 * CRI-O name theirs. Pod: the uid behind "pod" in a component of kubelet's.
 */
void cgroup_parse(const char *text, struct cgroup_names *ret);

#endif
