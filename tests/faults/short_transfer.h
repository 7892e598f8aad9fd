/* short_transfer.h - a read or write that moves less than was asked for. */
#ifndef FAULTS_SHORT_TRANSFER_H
#define FAULTS_SHORT_TRANSFER_H

#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * Do the first half of @call (read, pread64, write, process_vm_readv) in the place of @process, which waits
 * in it. The bytes moved; -1 where this cannot be done for it.
 */
int64_t short_transfer(pid_t process, const struct seccomp_data *call);

#endif
