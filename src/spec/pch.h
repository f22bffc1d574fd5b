/* SPDX-License-Identifier: MIT */
/*
 * pch.h - registers of Intel's platform controller hubs that keep what is below their
 * root ports apart, as ACS does elsewhere: Ibex Peak to Wildcat Point. From the data
 * sheets of these chips; tests/spec/pci-quirks.csv says the same in its notes.
 */
#ifndef UIM_SPEC_PCH_H
#define UIM_SPEC_PCH_H

#include "base/bits.h"
#include "spec/codes.h"

/* clang-format off */

/* RCBA is in configuration space of function 1f.0, MPC in that of the root port. The
   rest is in memory, from where RCBA says. X(name, offset, width) */
#define PCH_REGISTERS(X)                                                       \
    X(MPC,   0x00d8, 32)                                                       \
    X(RCBA,  0x00f0, 32)                                                       \
    X(UPDCR, 0x1014, 32)                                                       \
    X(BSPR,  0x1104, 32)

#define PCH_REG_ENUM(n, off, bits) PCH_REG_##n = (off),
enum pch_register { PCH_REGISTERS(PCH_REG_ENUM) };

/* Miscellaneous port configuration */
#define PCH_MPC(F, P) F(P, irbce, 26, 26) /* requester ids are checked */
/* Root complex base address */
#define PCH_RCBA(F, P)                                                         \
    F(P, base,   31, 14)                                                       \
    F(P, enable, 0, 0)
/* Upstream peer decode: what is not, goes to memory as all else */
#define PCH_UPDCR(F, P) F(P, peer_decode, 5, 0)
/* Backbone scratch pad: both set, and peers are not decoded whatever UPDCR says */
#define PCH_BSPR(F, P)                                                         \
    F(P, bppd,  9, 9) /* posted     */                                         \
    F(P, bpnpd, 8, 8) /* non-posted */
UIM_LAYOUT(pch_mpc, PCH_MPC);
UIM_LAYOUT(pch_rcba, PCH_RCBA);
UIM_LAYOUT(pch_updcr, PCH_UPDCR);
UIM_LAYOUT(pch_bspr, PCH_BSPR);

/* clang-format on */
#endif
