/* SPDX-License-Identifier: MIT */
/*
 * flight.c - DMA that was translated may arrive later: the last read and the last
 * write of any device are under way until an invalidation of their translation
 * drains them (VT-d 6.5.4, DR and DW). One that does not lets them arrive after
 * it: in memory that belongs to somebody else by then. Only late units are so.
 */
#include "private.h"

void sim_flight_begin(struct sim *s, const struct sim_request *r, uint64_t iova,
                      uint32_t domain)
{
    struct sim_flight *f = &s->flight[r->write];

    if (!s->late) {
        return;
    }
    pthread_mutex_lock(&s->text_lock);
    *f = (struct sim_flight){
        .under_way = true, .dev = r->dev, .domain = domain, .iova = iova
    };
    pthread_mutex_unlock(&s->text_lock);
}

static bool concerns(const struct sim_flight *f,
                     const struct uim_check_inval *inval)
{
    if (!f->under_way) {
        return false;
    }
    if (inval->scope == UIM_CHECK_GLOBAL) {
        return true;
    }
    if (inval->did != f->domain) {
        return false;
    }
    return inval->scope != UIM_CHECK_PAGE ||
           (f->iova >> 12 >> inval->am) == (inval->addr >> 12 >> inval->am);
}

/* Commands with a PASID always drain. */
static bool drains(const struct uim_check_inval *inval, bool write)
{
    if (inval->kind == UIM_CHECK_PASID_IOTLB) {
        return true;
    }
    return write ? inval->drain_write : inval->drain_read;
}

void sim_flight_invalidate(struct sim *s, const struct uim_check_inval *inval)
{
    for (unsigned write = 0; write < 2; write++) {
        struct sim_flight f;

        if (inval->kind != UIM_CHECK_IOTLB &&
            inval->kind != UIM_CHECK_PASID_IOTLB) {
            return;
        }
        pthread_mutex_lock(&s->text_lock);
        f = s->flight[write];
        if (concerns(&f, inval)) {
            s->flight[write].under_way = false;
        }
        pthread_mutex_unlock(&s->text_lock);
        if (concerns(&f, inval) && !drains(inval, write)) {
            sim_report(s,
                       "a %s of device %u at 0x%llx may arrive after the "
                       "invalidation of its page, which does not drain %ss",
                       write ? "write" : "read", f.dev,
                       (unsigned long long)f.iova, write ? "write" : "read");
        }
    }
}
