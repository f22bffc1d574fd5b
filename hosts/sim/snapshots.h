/* SPDX-License-Identifier: MIT */
/*
 * snapshots.h - a VMM that is moved all the time: before each call the model is
 * saved, reset and loaded, and now and then saved again, which must give the same
 * state. What goes wrong ends the process with a sentence.
 *
 * Calls may come from several threads; none that comes while another is under way
 * is preceded by a snapshot, since the ABI forbids that.
 */
#ifndef UIM_HOSTS_SIM_SNAPSHOTS_H
#define UIM_HOSTS_SIM_SNAPSHOTS_H

#include <uiommu/embed.h>

/* The ABI of version 1, for models of uiommu_embed(). */
const struct uie_ops *sim_snapshots(void);

/* Around a call that goes through another door. */
void sim_snapshot_enter(void *m);
void sim_snapshot_leave(void);

#endif
