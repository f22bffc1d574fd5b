/* SPDX-License-Identifier: MIT */
/* kernel.c - see kernel.h. */
#include "hosts/process/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/userfaultfd.h>

#include <uiommu/types.h>

/* Numbers that headers of Linux 6.1 lack. */
#define FEATURE_WP_ASYNC UINT64_C(0x8000) /* 6.7 */

enum {
    USER_MODE_ONLY = 1,
    LIFE_OF_THREAD = O_EXCL, /* PIDFD_THREAD, 6.9 */
};

struct page_region {
    uint64_t start, end, categories;
};

struct pm_scan_arg {
    uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
    uint64_t category_inverted, category_mask, category_anyof_mask;
    uint64_t return_mask;
};

struct procmap_query {
    uint64_t size, query_flags, query_addr;
    uint64_t vma_start, vma_end, vma_flags, vma_page_size, vma_offset, inode;
    uint32_t dev_major, dev_minor, vma_name_size, build_id_size;
    uint64_t vma_name_addr, build_id_addr;
};

#define IOCTL_PAGEMAP_SCAN  _IOWR('f', 16, struct pm_scan_arg)   /* 6.7 */
#define IOCTL_PROCMAP_QUERY _IOWR('f', 17, struct procmap_query) /* 6.11 */

enum {
    PAGE_FOLLOWED = 1 << 0, /* PAGE_IS_WPALLOWED */
    PAGE_PRESENT = 1 << 3,
    PAGE_SWAPPED = 1 << 4,
    VMA_READ = 1 << 0,
    VMA_WRITE = 1 << 1,
    VMA_EXEC = 1 << 2,
};

uint64_t process_page_size(void)
{
    return (uint64_t)sysconf(_SC_PAGESIZE);
}

/* ---- userfaultfd ----------------------------------------------------------- */

#define FEATURES                                                               \
    (UFFD_FEATURE_EVENT_UNMAP | UFFD_FEATURE_EVENT_REMOVE |                    \
     UFFD_FEATURE_EVENT_REMAP | FEATURE_WP_ASYNC)

int process_uffd_open(void)
{
    long fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | USER_MODE_ONLY);

    return fd < 0 ? -errno : (int)fd;
}

bool process_uffd_enable(int uffd, char *error, size_t size)
{
    struct uffdio_api api = { .api = UFFD_API, .features = FEATURES };

    if (ioctl(uffd, UFFDIO_API, &api) == 0)
        return true;
    if (errno == EINVAL) /* which is how it says "some of these not" */
        snprintf(error, size,
                 "userfaultfd of this kernel lacks asynchronous write "
                 "protection (Linux 6.7 and later have it)");
    else
        snprintf(error, size, "userfaultfd: %s", strerror(errno));
    return false;
}

int process_uffd_register(int uffd, uint64_t first, uint64_t last)
{
    struct uffdio_register r = {
        .range = { .start = first, .len = last - first + 1 },
        .mode = UFFDIO_REGISTER_MODE_WP,
    };

    return ioctl(uffd, UFFDIO_REGISTER, &r) == 0 ? 0 : errno;
}

bool process_uffd_waiting(int uffd)
{
    struct pollfd fd = { .fd = uffd, .events = POLLIN };

    return poll(&fd, 1, 0) == 1;
}

static struct process_event event(const struct uffd_msg *m)
{
    uint64_t first = 0, last = UINT64_MAX; /* what was not asked for */

    if (m->event == UFFD_EVENT_UNMAP || m->event == UFFD_EVENT_REMOVE) {
        first = m->arg.remove.start;
        last = m->arg.remove.end - 1;
    } else if (m->event == UFFD_EVENT_REMAP) {
        first = m->arg.remap.from;
        last = first + m->arg.remap.len - 1;
    }
    return (struct process_event){ first, last };
}

unsigned process_uffd_read(int uffd, struct process_event *out, unsigned n)
{
    struct uffd_msg messages[16];
    ssize_t got;

    n = n < 16 ? n : 16;
    got = read(uffd, messages, n * sizeof(*messages));
    n = got < 0 ? 0 : (unsigned)((size_t)got / sizeof(*messages));
    for (unsigned i = 0; i < n; i++)
        out[i] = event(&messages[i]);
    return n;
}

/* ---- /proc/PID/pagemap ----------------------------------------------------- */

/* The first run of pages in [first, last] that have one of the categories. */
static bool scan(int pagemap, uint64_t first, uint64_t last,
                 unsigned categories, struct page_region *out)
{
    struct pm_scan_arg arg = {
        .size = sizeof(arg),
        .start = first,
        .end = last + 1,
        .vec = (uintptr_t)out,
        .vec_len = 1,
        .category_anyof_mask = categories,
        .return_mask = categories & PAGE_FOLLOWED,
    };

    return ioctl(pagemap, IOCTL_PAGEMAP_SCAN, &arg) == 1;
}

bool process_pages_followed(int pagemap, uint64_t first, uint64_t last)
{
    struct page_region region;

    return scan(pagemap, first, last, PAGE_FOLLOWED, &region) &&
           region.start <= first && region.end > last;
}

bool process_page_there(int pagemap, uint64_t page)
{
    struct page_region region;

    return scan(pagemap, page, page + process_page_size() - 1,
                PAGE_PRESENT | PAGE_SWAPPED, &region);
}

/* ---- /proc/PID/maps -------------------------------------------------------- */

static bool is_shm(const char *name)
{
    return strncmp(name, "/SYSV", 5) == 0;
}

static unsigned rights_of(uint64_t flags)
{
    return (flags & VMA_READ ? UIOMMU_READ : 0u) |
           (flags & VMA_WRITE ? UIOMMU_WRITE : 0u) |
           (flags & VMA_EXEC ? UIOMMU_EXEC : 0u);
}

bool process_vma_query(int maps, uint64_t va, struct process_vma *out,
                       bool *known)
{
    char name[4096] = "";
    struct procmap_query q = {
        .size = sizeof(q),
        .query_addr = va,
        .vma_name_size = sizeof(name),
        .vma_name_addr = (uintptr_t)name,
    };
    bool found = ioctl(maps, IOCTL_PROCMAP_QUERY, &q) == 0;

    *known = found || errno == ENOENT || errno == ESRCH;
    if (found)
        *out = (struct process_vma){
            .first = q.vma_start,
            .last = q.vma_end - 1,
            .rights = rights_of(q.vma_flags),
            .shm = is_shm(name),
        };
    return found;
}

/* "5581-5582 rw-p 0000 08:01 42      /a/path", which may be cut off. */
static bool parse_line(const char *line, struct process_vma *out)
{
    uint64_t end;
    char rights[5] = "";
    int name = 0;

    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*s %*s %*s %n", &out->first,
               &end, rights, &name) != 3)
        return false;
    out->last = end - 1;
    out->rights = (rights[0] == 'r' ? UIOMMU_READ : 0u) |
                  (rights[1] == 'w' ? UIOMMU_WRITE : 0u) |
                  (rights[2] == 'x' ? UIOMMU_EXEC : 0u);
    out->shm = name > 0 && is_shm(line + name);
    return true;
}

/* Lines of a file, the first bytes of each. */
struct lines {
    int fd;
    off_t offset;
    char data[4096];
    size_t at, n;
};

static bool next_char(struct lines *l, char *c)
{
    if (l->at == l->n) {
        ssize_t got = pread(l->fd, l->data, sizeof(l->data), l->offset);

        if (got <= 0)
            return false;
        l->offset += got;
        l->n = (size_t)got;
        l->at = 0;
    }
    *c = l->data[l->at++];
    return true;
}

static bool next_line(struct lines *l, char *line, size_t size)
{
    size_t n = 0;
    char c;

    while (next_char(l, &c) && c != '\n')
        if (n + 1 < size)
            line[n++] = c;
    line[n] = '\0';
    return n > 0;
}

bool process_vma_read(int maps, uint64_t va, struct process_vma *out)
{
    struct lines l = { .fd = maps };
    struct process_vma vma;
    char line[160];

    while (next_line(&l, line, sizeof(line))) {
        if (!parse_line(line, &vma) || va < vma.first || va > vma.last)
            continue;
        *out = vma;
        return true;
    }
    return false;
}

bool process_vma_find(int maps, uint64_t va, struct process_vma *out)
{
    bool known;

    return process_vma_query(maps, va, out, &known) ||
           (!known && process_vma_read(maps, va, out));
}

/* ---- life ------------------------------------------------------------------ */

int process_life_open(pid_t pid, pid_t tid)
{
    long fd = syscall(SYS_pidfd_open, tid, LIFE_OF_THREAD);

    if (fd < 0 && errno == EINVAL)
        fd = syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0)
        return -errno;
    (void)fcntl((int)fd, F_SETFD, FD_CLOEXEC);
    return (int)fd;
}

bool process_has_thread(pid_t pid, pid_t tid)
{
    return pid > 0 && tid > 0 && syscall(SYS_tgkill, pid, tid, 0) == 0;
}
