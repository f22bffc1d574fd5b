/* SPDX-License-Identifier: MIT */
/*
 * embed.h - for programs that link hosts/embed instead of loading the library,
 * and want the test door (model/check.h) of what they created.
 */
#ifndef UIOMMU_HOSTS_EMBED_H
#define UIOMMU_HOSTS_EMBED_H

struct uim_model;

/* The model behind what uie_ops.create() returned. */
struct uim_model *uim_embed_model(void *m);

#endif
