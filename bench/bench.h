/* SPDX-License-Identifier: MIT */
#ifndef UIM_BENCH_BENCH_H
#define UIM_BENCH_BENCH_H

/* `uiommu bench`; argv[0] is "bench". 0: measured; 1: could not; 2: usage. */
int uim_bench_main(int argc, char **argv);

#endif
