/* SPDX-License-Identifier: MIT */
/* faultlog.c - see faultlog.h. */
#include "hosts/qtest/faultlog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

bool qt_faultlog_open(struct qt_faultlog *log, char *error, size_t size)
{
    log->seen = 0;
    log->fd = memfd_create("qemu-log", MFD_CLOEXEC);
    if (log->fd < 0) {
        (void)snprintf(error, size, "memfd_create: %s", strerror(errno));
        return false;
    }
    return true;
}

void qt_faultlog_close(struct qt_faultlog *log)
{
    if (log->fd >= 0) {
        (void)close(log->fd);
    }
}

bool qt_faultlog_news(struct qt_faultlog *log, char *line, size_t size)
{
    struct stat st;
    ssize_t n;

    if (fstat(log->fd, &st) != 0 || st.st_size <= log->seen) {
        return false;
    }
    n = pread(log->fd, line, size - 1, log->seen);
    line[n > 0 ? n : 0] = '\0';
    line[strcspn(line, "\n")] = '\0';
    log->seen = st.st_size;
    /* A page that is refused is a thousand lines: give the memory back. QEMU
     * writes on where it was.                                               */
    (void)fallocate(log->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
                    log->seen);
    return true;
}
