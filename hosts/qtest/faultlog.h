/* SPDX-License-Identifier: MIT */
/*
 * faultlog.h - what QEMU's IOMMU refused, from its trace log. NVMe controllers
 * do not notice, and fault records show one of many and may be switched off.
 */
#ifndef UIM_HOSTS_QTEST_FAULTLOG_H
#define UIM_HOSTS_QTEST_FAULTLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct qt_faultlog {
    int fd;
    off_t seen;
};

bool qt_faultlog_open(struct qt_faultlog *log, char *error, size_t size);
void qt_faultlog_close(struct qt_faultlog *log);

/** Whether there is something new; if so the first line of it, and all of it is
 *  seen.                                                                    */
bool qt_faultlog_news(struct qt_faultlog *log, char *line, size_t size);

#endif
