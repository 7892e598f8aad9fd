/*
 * malloc_info_text.h - what malloc_info(3) and mallinfo2(3) of glibc 2.31 to 2.44 would say, rebuilt from the
 * numbers of a scan: the same text, line by line.
 */
#ifndef SUPPORT_MALLOC_INFO_TEXT_H
#define SUPPORT_MALLOC_INFO_TEXT_H

#include "snapshot/snapshot.h"

/**
 * The XML of malloc_info(3), then the fields of mallinfo2(3), a line `name value` each. @snapshot was made
 * with want_details. @minor is that of the glibc, 36 for 2.36; 0: as the scan found it. The caller frees it;
 * NULL without memory or a version.
 */
char *malloc_info_text(const struct snapshot *snapshot, unsigned minor);

#endif
