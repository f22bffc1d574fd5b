/* SPDX-License-Identifier: MIT */
/*
 * queue.h - between queue.c and queue_errors.c. All but vtd_queue_answered()
 * are called with queue.lock held.
 */
#ifndef UIM_DRV_VTD_QUEUE_H
#define UIM_DRV_VTD_QUEUE_H

#include "drv/vtd/vtd.h"

/* Was its status word written? */
bool vtd_queue_answered(const struct vtd_queue *q, const struct vtd_waiter *w);
/* Write it, because hardware will not. */
void vtd_queue_answer(struct vtd_queue *q, const struct vtd_waiter *w);

void vtd_queue_put_nop(struct vtd_queue *q, uint32_t position);
/* Tell hardware the tail. */
void vtd_queue_ring(struct vtd_unit *v);
void vtd_queue_read_head(struct vtd_unit *v);

#endif
