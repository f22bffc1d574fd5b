/* SPDX-License-Identifier: MIT */
/*
 * process.c - faults, accesses and events of a followed process.
 *
 * A translation is granted in this order: the mapping is registered, so that its end
 * will be told; then it is looked at; then the page is made present; and the grant
 * takes place if no event was read since, or waits. So a mapping that ended after it
 * was registered has an event that nobody has read, which will invalidate what was
 * granted.
 */
#include "hosts/process/private.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "hosts/process/kernel.h"

enum { RIGHTS = UIOMMU_READ | UIOMMU_WRITE | UIOMMU_EXEC, EVENTS = 16 };
enum { AGAIN_MS = 10 };

static uint64_t page_of(const struct process *p, uint64_t va)
{
    return va & ~(uint64_t)(p->page - 1);
}

static uint64_t last_of_page(const struct process *p, uint64_t va)
{
    return va | (p->page - 1);
}

void process_wake(struct process *p)
{
    const uint64_t one = 1;

    (void)!write(p->wake, &one, sizeof(one));
}

static enum process_status gone(struct process *p)
{
    if (!atomic_exchange(&p->dead, true))
        process_wake(p);
    return PROCESS_GONE;
}

/* Nothing is there, or nobody. */
static enum process_status refused(struct process *p)
{
    return process_has_thread(p->pid, p->tid) ? PROCESS_REFUSED : gone(p);
}

/* ---- events ------------------------------------------------------------------ */

/* What lies between two of them may be invalidated as well: it is granted again. */
static void owe(struct process *p, uint64_t first, uint64_t last)
{
    (void)pthread_mutex_lock(&p->owing);
    p->owed_first = first < p->owed_first ? first : p->owed_first;
    p->owed_last = last > p->owed_last ? last : p->owed_last;
    (void)pthread_mutex_unlock(&p->owing);
}

void process_owe_nothing(struct process *p)
{
    p->owed_first = UINT64_MAX;
    p->owed_last = 0;
}

/* Under the lock. */
static void invalidate(struct process *p, uint64_t first, uint64_t last)
{
    if (p->ops->invalidate(p->ctx, first, last))
        return;
    owe(p, first, last);
    p->put_off = true;
}

/*
 * With the first byte that is read the process goes on, and may use the range for
 * something else: no access may be under way then, nor begin before the translations
 * of the range are gone.
 */
static void serve_events(struct process *p)
{
    struct process_event event[EVENTS];
    unsigned n;

    p->ops->stop(p->ctx);
    (void)pthread_mutex_lock(&p->lock);
    n = process_uffd_read(p->uffd, event, EVENTS);
    for (unsigned i = 0; i < n; i++)
        invalidate(p, event[i].first, event[i].last);
    p->changes++;
    (void)pthread_mutex_unlock(&p->lock);
    p->ops->go(p->ctx);
}

/* Where accesses were refused, and what was put off. The device is stopped, as whoever stops
 * it himself, to suspend the machine, wants nobody to invalidate meanwhile. */
static void serve_owed(struct process *p)
{
    uint64_t first, last, times;

    (void)!read(p->wake, &times, sizeof(times));
    (void)pthread_mutex_lock(&p->owing);
    first = p->owed_first;
    last = p->owed_last;
    process_owe_nothing(p);
    (void)pthread_mutex_unlock(&p->owing);
    p->put_off = false;
    if (first > last)
        return;
    p->ops->stop(p->ctx);
    (void)pthread_mutex_lock(&p->lock);
    invalidate(p, first, last);
    (void)pthread_mutex_unlock(&p->lock);
    p->ops->go(p->ctx);
}

/*
 * Somebody who shares the address space may be left, and unmap: nobody reads that any
 * more. The number stays taken, as a fault may be about to use it.
 */
static void let_go(struct process *p)
{
    (void)dup3(p->wake, p->uffd, O_CLOEXEC);
}

bool process_end(struct process *p, bool exited)
{
    bool all;

    if (p->over)
        return true;
    p->ops->stop(p->ctx);
    (void)pthread_mutex_lock(&p->lock);
    if (!p->ended)
        let_go(p);
    p->ended = true;
    all = p->ops->invalidate(p->ctx, 0, UINT64_MAX);
    (void)pthread_mutex_unlock(&p->lock);
    if (exited)
        all = p->ops->exited(p->ctx) && all;
    p->ops->go(p->ctx);
    p->over = all;
    return all;
}

/* The agent's end of the socket, whatever was said on it. */
static bool hung_up(short revents)
{
    return (revents & (POLLHUP | POLLRDHUP | POLLERR)) != 0;
}

/* Whether the process is gone. */
static bool serve(struct process *p, int timeout_ms)
{
    struct pollfd fds[] = {
        { .fd = p->uffd, .events = POLLIN },
        { .fd = p->life, .events = POLLIN },
        { .fd = p->socket, .events = POLLRDHUP },
        { .fd = p->wake, .events = POLLIN },
    };

    if (poll(fds, 4, timeout_ms) < 0)
        return false;
    if (fds[0].revents)
        serve_events(p);
    if (fds[3].revents || p->put_off)
        serve_owed(p);
    return fds[1].revents || atomic_load(&p->dead) || hung_up(fds[2].revents);
}

/* Nobody says when what was put off can be done. */
static int until_then(const struct process *p, int timeout_ms)
{
    return p->put_off && (timeout_ms < 0 || timeout_ms > AGAIN_MS) ? AGAIN_MS
                                                                   : timeout_ms;
}

static void wait_to_end(struct process *p, int timeout_ms)
{
    uint64_t times;
    struct pollfd wake = { .fd = p->wake, .events = POLLIN };

    if (poll(&wake, 1, timeout_ms) > 0)
        (void)!read(p->wake, &times, sizeof(times));
}

enum process_status process_step(struct process *p, int timeout_ms)
{
    bool gone = p->ended; /* which only steps change */

    if (p->over)
        return PROCESS_GONE;
    timeout_ms = until_then(p, timeout_ms);
    if (gone)
        wait_to_end(p, timeout_ms);
    else
        gone = serve(p, timeout_ms);
    if (!gone)
        return PROCESS_OK;
    atomic_store(&p->dead, true);
    p->put_off = !process_end(p, true);
    return p->put_off ? PROCESS_OK : PROCESS_GONE;
}

/* ---- faults ------------------------------------------------------------------ */

static uint64_t changes(struct process *p)
{
    uint64_t n;

    (void)pthread_mutex_lock(&p->lock);
    n = p->changes;
    (void)pthread_mutex_unlock(&p->lock);
    return n;
}

/* Whether the mapping is another by now than it was found. */
static bool has_changed(struct process *p, const struct process_vma *was)
{
    struct process_vma vma;

    return !process_vma_find(p->maps, was->first, &vma) ||
           vma.first != was->first || vma.last != was->last;
}

/* All of the mapping, so that it is not cut into pages. */
static enum process_status follow_mapping(struct process *p, uint64_t page)
{
    struct process_vma vma;

    if (!process_vma_find(p->maps, page, &vma))
        return refused(p);
    if (vma.shm)
        return PROCESS_REFUSED;
    if (process_uffd_register(p->uffd, vma.first, vma.last) == 0)
        return PROCESS_OK;
    return has_changed(p, &vma) ? PROCESS_AGAIN : refused(p);
}

/*
 * What is registered already is registered once more, which changes nothing but tells
 * whether it is by our descriptor: the process may have one of its own. Of huge pages one
 * page cannot be.
 */
static enum process_status follow(struct process *p, uint64_t page)
{
    uint64_t last = last_of_page(p, page);

    if (process_pages_followed(p->pagemap, page, last) &&
        process_uffd_register(p->uffd, page, last) == 0)
        return PROCESS_OK;
    return follow_mapping(p, page);
}

/*
 * Makes the kernel resolve the fault. For a write the page is looked up as one to be
 * written, and copied if it has to be, but then there is nothing to write: what the
 * process stores at the same time is not lost. Whether it is there then is seen by a
 * read, or where that may not be, by what Linux counts as a page, which guard pages are
 * as well.
 */
static bool touch(struct process *p, uint64_t page, unsigned access,
                  unsigned rights)
{
    struct iovec remote = { (void *)(uintptr_t)page, 1 };
    struct iovec local = { p->nowhere, 1 };
    char byte;

    if (access & UIOMMU_WRITE)
        (void)process_vm_writev(p->tid, &local, 1, &remote, 1, 0);
    if ((access & UIOMMU_WRITE) && !(rights & UIOMMU_READ))
        return process_page_there(p->pagemap, page);
    local.iov_base = &byte;
    return process_vm_readv(p->tid, &local, 1, &remote, 1, 0) == 1;
}

static enum process_status grant(struct process *p, uint64_t page,
                                 unsigned rights, uint64_t since)
{
    enum process_status status = PROCESS_AGAIN;

    (void)pthread_mutex_lock(&p->lock);
    if (p->ended) {
        status = PROCESS_GONE;
    } else if (p->changes == since && !process_uffd_waiting(p->uffd)) {
        p->ops->grant(p->ctx, page, last_of_page(p, page), rights);
        status = PROCESS_OK;
    }
    (void)pthread_mutex_unlock(&p->lock);
    return status;
}

enum process_status process_fault(struct process *p, uint64_t va,
                                  unsigned access, unsigned *rights)
{
    const uint64_t page = page_of(p, va), since = changes(p);
    enum process_status status;
    struct process_vma vma;

    if (atomic_load(&p->dead))
        return PROCESS_GONE;
    if (access == 0 || (access & ~(unsigned)RIGHTS) != 0 || va > UINTPTR_MAX)
        return PROCESS_REFUSED;
    status = follow(p, page);
    if (status != PROCESS_OK)
        return status;
    if (!process_vma_find(p->maps, page, &vma) || (access & ~vma.rights) != 0)
        return refused(p);
    if (!touch(p, page, access, vma.rights))
        return refused(p);
    status = grant(p, page, vma.rights, since);
    if (status == PROCESS_OK && rights)
        *rights = vma.rights;
    return status;
}

/* ---- accesses ---------------------------------------------------------------- */

/* The device is to ask anew: by whoever steps, as nobody may be kept waiting here. */
static void refuse(struct process *p, uint64_t first, uint64_t last)
{
    owe(p, first, last);
    process_wake(p);
}

/*
 * The kernel is asked whether it is all still followed: there are ways to unmap that
 * it has no event for (docs/process.md).
 */
static size_t transfer(struct process *p, uint64_t va, void *data, size_t size,
                       bool write)
{
    struct iovec local = { data, size };
    struct iovec remote = { (void *)(uintptr_t)va, size };
    ssize_t n;

    if (!process_pages_followed(p->pagemap, page_of(p, va),
                                last_of_page(p, va + size - 1)))
        return 0;
    n = write ? process_vm_writev(p->tid, &local, 1, &remote, 1, 0)
              : process_vm_readv(p->tid, &local, 1, &remote, 1, 0);
    return n < 0 ? 0 : (size_t)n;
}

static enum process_status do_access(struct process *p, uint64_t va, void *data,
                                     size_t size, bool write, size_t *done)
{
    size_t n = 0;

    if (done)
        *done = 0;
    if (atomic_load(&p->dead))
        return PROCESS_GONE;
    if (size == 0)
        return PROCESS_OK;
    if (va > UINTPTR_MAX || size - 1 > UINTPTR_MAX - va)
        return PROCESS_REFUSED;
    n = transfer(p, va, data, size, write);
    if (done)
        *done = n;
    if (n == size)
        return PROCESS_OK;
    refuse(p, page_of(p, va + n), last_of_page(p, va + size - 1));
    return refused(p);
}

enum process_status process_read(struct process *p, uint64_t va, void *data,
                                 size_t size, size_t *done)
{
    return do_access(p, va, data, size, false, done);
}

enum process_status process_write(struct process *p, uint64_t va,
                                  const void *data, size_t size, size_t *done)
{
    return do_access(p, va, (void *)(uintptr_t)data, size, true, done);
}
