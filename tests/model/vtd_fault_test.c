/* SPDX-License-Identifier: MIT */
/*
 * Every fault reason that the VT-d model can give, a row each: what a guest has
 * to write to get it, what the device is told, and whether FPD hides the record
 * (the sheets' tables "order of checks" and "fault reasons").
 */
#include <stdio.h>

#include "tests/model/vm.h"

enum {
    A = VM_CONTEXT + VM_A * 16,       /* legacy context entry of A */
    SA = VM_CONTEXT + VM_A * 32,      /* scalable */
    E_RID = VM_PASID_TABLE + VM_RID_PASID * 64,
    E_SS = VM_PASID_TABLE + VM_PASID_SS * 64,
    E_FS = VM_PASID_TABLE + VM_PASID_FS * 64,
    E_PT = VM_PASID_TABLE + VM_PASID_PT * 64,
    SS1 = VM_SS + 0x1000,
    SS2 = VM_SS + 0x2000,
    SS3 = VM_SS + 0x3000,
    FS1 = VM_FS + 0x1000,
    FS3 = VM_FS + 0x3000,
    LEAF_X = VM_X >> 12 << 3,
    PAGE_X = VM_PAGES + VM_X,
    ATS_TT = 1 << 2,
    PT_TT = 2 << 2,
    NOBODY = VM_OUTSIDE,
    R = UIE_R,
    W = UIE_W,
    CA = UIE_ERR_CA,
    UR = UIE_ERR_UR,
    ATS = UIE_REQ_ATS,
    XLATED = UIE_REQ_XLATED,
};

#define S      "scalable=1"
#define FEE    UINT64_C(0xfee00000)
#define B39    UINT64_C(0x8000000000)
#define B48    UINT64_C(0x1000000000000)
#define B52    UINT64_C(0x10000000000000)
#define TTM(n) (VM_ROOT | (uint64_t)(n) << 10)

struct row {
    unsigned reason;    /* 0: nothing recorded                             */
    bool qualified;     /* FPD=1 hides it                                  */
    int answer;
    const char *args;
    struct {
        uint64_t at, value;
    } poke[3];
    uint64_t rtaddr;    /* 0: as usual */
    uint32_t pasid;     /* 0: none     */
    uint32_t access, flags;
    uint64_t iova;
    bool cas_fails;
};

/* clang-format off */
static const struct row rows[] = {
    /* legacy mode */
    { 0x01, 0, UR, "", { { VM_ROOT, 0 } }, 0, 0, R, 0, VM_X, 0 },
    { 0x01, 0, UR, "", { { VM_ROOT, 0 } }, 0, 0, R, ATS, VM_X, 0 },
    { 0x02, 1, UR, "", { { A, 0 } }, 0, 0, R, 0, VM_X, 0 },
    { 0x02, 1, UR, "", { { A, 0 } }, 0, 0, R, ATS, VM_X, 0 },
    { 0x03, 1, UR, "", { { A + 8, VM_DID_A << 8 | 4 } }, 0, 0, R, 0, VM_X, 0 },
    { 0x03, 1, UR, "bits=39", { { A, VM_SS | 1 } }, 0, 0, R, 0, VM_X, 0 },
    { 0x03, 1, UR, "", { { A, VM_SS | 1 | 3 << 2 } }, 0, 0, R, 0, VM_X, 0 },
    { 0x03, 1, UR, "dt=0", { { A, VM_SS | 1 | ATS_TT } }, 0, 0, R, 0, VM_X, 0 },
    { 0x03, 1, UR, "", { { A, NOBODY | 1 } }, 0, 0, R, 0, VM_X, 0 },
    { 0x03, 1, CA, "", { { A, NOBODY | 1 | ATS_TT } }, 0, 0, R, ATS, VM_X, 0 },
    { 0x04, 1, UR, "", { { 0, 0 } }, 0, 0, R, 0, B48, 0 },
    { 0x04, 1, UR, "", { { A + 8, VM_DID_A << 8 | 1 } }, 0, 0, R, 0, B39, 0 },
    { 0,    0, 0,  "", { { A, VM_SS | 1 | ATS_TT } }, 0, 0, R, ATS, B48, 0 },
    { 0x04, 1, UR, "", { { A, 1 | PT_TT } }, 0, 0, R, 0, B48, 0 },
    { 0x04, 1, UR, "", { { A, VM_SS | 1 | ATS_TT } }, 0, 0, R, XLATED, B48, 0 },
    { 0x05, 1, UR, "", { { 0, 0 } }, 0, 0, W, 0, VM_READ_ONLY, 0 },
    { 0x05, 1, UR, "", { { 0, 0 } }, 0, 0, W, 0, VM_HOLE, 0 },
    { 0x05, 1, UR, "", { { 0, 0 } }, 0, 0, R | W, 0, VM_READ_ONLY, 0 },
    { 0x05, 1, UR, "", { { SS1, SS2 | 1 } }, 0, 0, W, 0, VM_X, 0 },
    { 0x06, 1, UR, "", { { 0, 0 } }, 0, 0, R, 0, VM_WRITE_ONLY, 0 },
    { 0x06, 1, UR, "", { { 0, 0 } }, 0, 0, R, 0, VM_HOLE, 0 },
    { 0x06, 1, UR, "", { { 0, 0 } }, 0, 0, R | W, 0, VM_WRITE_ONLY, 0 },
    { 0x06, 1, UR, "", { { SS1, SS2 | 2 }, { SS2, SS3 | 1 } }, 0, 0, R, 0, VM_X, 0 },
    { 0,    0, 0,  "", { { A, VM_SS | 1 | ATS_TT } }, 0, 0, R, ATS, VM_HOLE, 0 },
    { 0x07, 1, UR, "", { { SS1, NOBODY | 3 } }, 0, 0, R, 0, VM_X, 0 },
    { 0x07, 1, CA, "", { { SS1, NOBODY | 3 }, { A, VM_SS | 1 | ATS_TT } }, 0, 0, R, ATS, VM_X, 0 },
    { 0x08, 0, UR, "", { { 0, 0 } }, NOBODY, 0, R, 0, VM_X, 0 },
    { 0x08, 0, CA, "", { { 0, 0 } }, NOBODY, 0, R, ATS, VM_X, 0 },
    { 0x08, 0, UR, "", { { 0, 0 } }, NOBODY, 0, R, XLATED, VM_X, 0 },
    { 0x09, 0, UR, "", { { VM_ROOT, NOBODY | 1 } }, 0, 0, R, 0, VM_X, 0 },
    { 0x09, 0, CA, "", { { VM_ROOT, NOBODY | 1 } }, 0, 0, R, ATS, VM_X, 0 },
    { 0x0a, 0, UR, "", { { VM_ROOT, VM_CONTEXT | 3 } }, 0, 0, R, 0, VM_X, 0 },
    { 0x0a, 0, UR, "", { { VM_ROOT + 8, 1 } }, 0, 0, R, 0, VM_X, 0 },
    { 0x0a, 0, CA, "", { { VM_ROOT, VM_CONTEXT | 1 | B48 } }, 0, 0, R, ATS, VM_X, 0 },
    { 0x0b, 1, UR, "", { { A, VM_SS | 1 | 1 << 4 } }, 0, 0, R, 0, VM_X, 0 },
    { 0x0b, 1, UR, "", { { A, VM_SS | 1 | B48 } }, 0, 0, R, 0, VM_X, 0 },
    { 0x0b, 1, UR, "", { { A + 8, VM_DID_A << 8 | 2 | 1 << 7 } }, 0, 0, R, 0, VM_X, 0 },
    { 0x0b, 1, CA, "", { { A + 8, VM_DID_A << 8 | 2 | 1 << 24 } }, 0, 0, R, ATS, VM_X, 0 },
    { 0x0c, 1, UR, "", { { SS3 + LEAF_X, PAGE_X | 3 | UIM_BIT(62) } }, 0, 0, R, 0, VM_X, 0 },
    { 0x0c, 1, UR, "", { { SS1, SS2 | 3 | 1 << 11 } }, 0, 0, R, 0, VM_X, 0 },
    { 0x0c, 1, UR, "", { { VM_SS, SS1 | 3 | 1 << 7 } }, 0, 0, R, 0, VM_X, 0 },
    { 0x0c, 1, UR, "", { { SS2 + 8, VM_LARGE | 3 | 0x80 | 1 << 12 } }, 0, 0, R, 0, VM_LARGE, 0 },
    { 0x0c, 1, UR, "", { { SS3 + LEAF_X, PAGE_X | 3 | B48 } }, 0, 0, R, 0, VM_X, 0 },
    { 0x0c, 1, CA, "", { { SS1, SS2 | 3 | 1 << 11 }, { A, VM_SS | 1 | ATS_TT } }, 0, 0, R, ATS, VM_X, 0 },
    { 0x0d, 1, UR, "", { { 0, 0 } }, 0, 0, R, ATS, VM_X, 0 },
    { 0x0d, 1, UR, "", { { A, 1 | PT_TT } }, 0, 0, R, ATS, VM_X, 0 },
    { 0x0d, 1, UR, "", { { 0, 0 } }, 0, 0, R, XLATED, VM_X, 0 },
    { 0x0e, 1, UR, "", { { SS3 + LEAF_X, FEE | 3 } }, 0, 0, W, 0, VM_X, 0 },
    { 0x0e, 1, CA, "", { { SS3 + LEAF_X, FEE | 3 }, { A, VM_SS | 1 | ATS_TT } }, 0, 0, W, ATS, VM_X, 0 },
    { 0x0e, 1, UR, "", { { A, VM_SS | 1 | ATS_TT } }, 0, 0, W, XLATED, FEE, 0 },
    { 0x29, 0, UR, "", { { 0, 0 } }, 0, 0, R, 0, FEE, 0 },
    { 0x29, 0, UR, "", { { 0, 0 } }, 0, 0, R | W, 0, FEE + 0x123, 0 },

    /* modes */
    { 0x30, 0, UR, "", { { 0, 0 } }, TTM(1), 0, R, 0, VM_X, 0 },
    { 0x30, 0, UR, "", { { 0, 0 } }, TTM(2), 0, R, 0, VM_X, 0 },
    { 0x30, 0, CA, "", { { 0, 0 } }, TTM(3), 0, R, ATS, VM_X, 0 },
    { 0x30, 0, UR, S,  { { 0, 0 } }, TTM(2), 0, R, 0, VM_X, 0 },
    { 0x31, 0, UR, "", { { 0, 0 } }, 0, 5, R, 0, VM_X, 0 },
    { 0x31, 0, UR, "", { { 0, 0 } }, 0, 5, R, ATS, VM_X, 0 },
    { 0x33, 0, UR, S,  { { 0, 0 } }, TTM(3), 0, R, 0, VM_X, 0 },
    { 0x33, 0, UR, S,  { { 0, 0 } }, TTM(3), 5, R, ATS, VM_X, 0 },

    /* scalable mode, tables */
    { 0x38, 0, UR, S, { { 0, 0 } }, NOBODY | TTM(1), 0, R, 0, VM_X, 0 },
    { 0x38, 0, CA, S, { { 0, 0 } }, NOBODY | TTM(1), 0, R, ATS, VM_X, 0 },
    { 0x39, 0, UR, S, { { VM_ROOT, 0 } }, 0, 0, R, 0, VM_X, 0 },
    { 0x3a, 0, UR, S, { { VM_ROOT, VM_CONTEXT | 3 } }, 0, 0, R, 0, VM_X, 0 },
    { 0x3a, 0, CA, S, { { VM_ROOT, VM_CONTEXT | 3 } }, 0, 0, R, ATS, VM_X, 0 },
    { 0x40, 0, UR, S, { { VM_ROOT, NOBODY | 1 } }, 0, 0, R, 0, VM_X, 0 },
    { 0x40, 0, CA, S, { { VM_ROOT, NOBODY | 1 } }, 0, 0, R, ATS, VM_X, 0 },
    { 0x41, 1, UR, S, { { SA, 0 } }, 0, 0, R, 0, VM_X, 0 },
    { 0x42, 1, UR, S, { { SA, VM_PASID_DIR | 1 | 1 << 7 } }, 0, 0, R, 0, VM_X, 0 },
    { 0x42, 1, UR, S, { { SA, VM_PASID_DIR | 1 | 1 << 4 } }, 0, 0, R, 0, VM_X, 0 },
    { 0x42, 1, UR, S, { { SA, VM_PASID_DIR | 1 | 1 << 6 } }, 0, 0, R, 0, VM_X, 0 },
    { 0x42, 1, UR, S ",dt=0", { { 0, 0 } }, 0, 0, R, 0, VM_X, 0 },
    { 0x42, 1, UR, S, { { SA + 8, VM_RID_PASID | 1 << 20 } }, 0, 0, R, 0, VM_X, 0 },
    { 0x42, 1, CA, S, { { SA + 24, 1 } }, 0, 0, R, ATS, VM_X, 0 },
    { 0x43, 1, UR, S, { { SA + 8, 0x2000 } }, 0, 0, R, 0, VM_X, 0 },
    { 0x43, 1, CA, S, { { SA + 8, 0x2000 } }, 0, 0, R, ATS, VM_X, 0 },
    { 0x44, 1, UR, S, { { SA, VM_PASID_DIR | 1 } }, 0, 0, R, ATS, VM_X, 0 },
    { 0x44, 1, UR, S, { { SA, VM_PASID_DIR | 1 } }, 0, 0, R, XLATED, VM_X, 0 },
    { 0x45, 1, UR, S, { { SA, VM_PASID_DIR | 1 } }, 0, 5, R, 0, VM_X, 0 },
    { 0x46, 1, UR, S, { { 0, 0 } }, 0, 0x2000, R, 0, VM_X, 0 },
    { 0x48, 1, UR, S, { { 0, 0 } }, 0, VM_RID_PASID, R, 0, VM_X, 0 },
    { 0x49, 1, UR, S, { { 0, 0 } }, 0, 5, R, XLATED, VM_X, 0 },
    { 0x50, 0, UR, S, { { SA, NOBODY | 1 | 12 } }, 0, 5, R, 0, VM_X, 0 },
    { 0x50, 0, CA, S, { { SA, NOBODY | 1 | 12 } }, 0, 5, R, ATS, VM_X, 0 },
    { 0x50, 0, CA, S, { { SA, NOBODY | 1 | 12 } }, 0, 0, R, XLATED, VM_X, 0 },
    { 0x51, 1, UR, S, { { VM_PASID_DIR, 0 } }, 0, 5, R, 0, VM_X, 0 },
    { 0,    0, 0,  S, { { VM_PASID_DIR, 0 } }, 0, 5, R, ATS, VM_X, 0 },
    { 0x52, 1, UR, S, { { VM_PASID_DIR, VM_PASID_TABLE | 1 | 4 } }, 0, 5, R, 0, VM_X, 0 },
    { 0x52, 1, CA, S, { { VM_PASID_DIR, VM_PASID_TABLE | 1 | B48 } }, 0, 0, R, XLATED, VM_X, 0 },
    { 0x58, 0, UR, S, { { VM_PASID_DIR, NOBODY | 1 } }, 0, 5, R, 0, VM_X, 0 },
    { 0x58, 0, CA, S, { { VM_PASID_DIR, NOBODY | 1 } }, 0, 5, R, ATS, VM_X, 0 },
    { 0x59, 1, UR, S, { { E_SS, 0 } }, 0, VM_PASID_SS, R, 0, VM_X, 0 },
    { 0,    0, 0,  S, { { E_SS, 0 } }, 0, VM_PASID_SS, R, ATS, VM_X, 0 },
    { 0x5a, 1, UR, S, { { E_RID + 8, VM_DID_A | 1 << 16 } }, 0, 0, R, 0, VM_X, 0 },
    { 0x5a, 1, UR, S, { { E_RID + 8, VM_DID_A | 1 << 25 } }, 0, 0, R, 0, VM_X, 0 },
    { 0x5a, 1, UR, S, { { E_RID, VM_SS | 1 | 2 << 2 | 2 << 6 | 1 << 5 } }, 0, 0, R, 0, VM_X, 0 },
    { 0x5a, 1, UR, S, { { E_RID, VM_SS | 1 | 2 << 2 | 2 << 6 | 1 << 9 } }, 0, 0, R, 0, VM_X, 0 },
    { 0x5a, 1, UR, S, { { E_FS + 16, VM_FS | 1 << 7 } }, 0, VM_PASID_FS, R, 0, VM_X, 0 },
    { 0x5a, 1, CA, S, { { E_FS + 24, 1 } }, 0, VM_PASID_FS, R, ATS, VM_X, 0 },
    { 0x5a, 1, UR, S ",coherent=0", { { 0, 0 } }, 0, VM_PASID_FS, R, 0, VM_X, 0 },
    { 0x5b, 1, UR, S, { { E_RID, VM_SS | 1 | 2 << 2 | 5 << 6 } }, 0, 0, R, 0, VM_X, 0 },
    { 0x5b, 1, UR, S, { { E_RID, VM_SS | 1 | 2 << 2 | 3 << 6 } }, 0, 0, R, 0, VM_X, 0 },
    { 0x5b, 1, UR, S, { { E_RID, VM_SS | 1 | 3 << 2 | 2 << 6 } }, 0, 0, R, 0, VM_X, 0 },
    { 0x5b, 1, UR, S, { { E_FS + 16, VM_FS | 1 << 2 } }, 0, VM_PASID_FS, R, 0, VM_X, 0 },
    { 0x5b, 1, CA, S, { { E_RID, VM_SS | 1 | 5 << 6 } }, 0, 0, R, ATS, VM_X, 0 },
    { 0x5b, 1, UR, S ",fs=0", { { E_FS + 16, 0 }, { E_FS, 1 | 1 << 6 } }, 0, VM_PASID_FS, R, 0, VM_X, 0 },
    { 0x5c, 1, UR, S, { { 0, 0 } }, 0, VM_PASID_FS, R | UIE_X, 0, VM_X, 0 },
    { 0x5d, 1, UR, S, { { E_FS + 16, VM_FS } }, 0, VM_PASID_FS, R | UIE_PRIV, 0, VM_X, 0 },
    { 0,    0, 0,  S, { { E_FS + 16, VM_FS } }, 0, VM_PASID_FS, R | UIE_PRIV, ATS, VM_X, 0 },

    /* scalable mode, first stage */
    { 0x70, 1, UR, S, { { FS1, NOBODY | 7 } }, 0, VM_PASID_FS, R, 0, VM_X, 0 },
    { 0,    0, 0,  S, { { FS1, NOBODY | 7 } }, 0, VM_PASID_FS, R, ATS, VM_X, 0 },
    { 0x71, 1, UR, S, { { 0, 0 } }, 0, VM_PASID_FS, R, 0, VM_HOLE, 0 },
    { 0,    0, 0,  S, { { 0, 0 } }, 0, VM_PASID_FS, R, ATS, VM_HOLE, 0 },
    { 0x72, 1, UR, S, { { VM_FS, FS1 | 7 | 0x80 } }, 0, VM_PASID_FS, R, 0, VM_X, 0 },
    { 0x72, 1, UR, S, { { FS3 + LEAF_X, PAGE_X | 7 | B48 } }, 0, VM_PASID_FS, R, 0, VM_X, 0 },
    { 0x73, 1, UR, S, { { E_FS + 16, NOBODY | 1 } }, 0, VM_PASID_FS, R, 0, VM_X, 0 },
    { 0x80, 1, UR, S, { { 0, 0 } }, 0, VM_PASID_FS, R, 0, UIM_BIT(47), 0 },
    { 0,    0, 0,  S, { { 0, 0 } }, 0, VM_PASID_FS, R, ATS, UIM_BIT(47), 0 },
    { 0x81, 1, UR, S, { { 0, 0 } }, 0, VM_PASID_FS, R, 0, VM_WRITE_ONLY, 0 },
    { 0x81, 1, UR, S, { { FS1, (FS1 + 0x1000) | 3 } }, 0, VM_PASID_FS, R, 0, VM_X, 0 },
    { 0x85, 1, UR, S, { { 0, 0 } }, 0, VM_PASID_FS, W, 0, VM_READ_ONLY, 0 },
    { 0x85, 1, UR, S, { { FS1, (FS1 + 0x1000) | 5 } }, 0, VM_PASID_FS, W, 0, VM_X, 0 },
    { 0x87, 1, UR, S, { { FS3 + LEAF_X, FEE | 7 } }, 0, VM_PASID_FS, W, 0, VM_X, 0 },
    { 0x90, 1, UR, S, { { E_FS + 8, VM_DID_FS } }, 0, VM_PASID_FS, R, 0, VM_X, 0 },
    { 0,    0, 0,  S, { { E_FS + 8, VM_DID_FS } }, 0, VM_PASID_FS, R, ATS, VM_X, 0 },
    { 0x91, 1, UR, S, { { 0, 0 } }, 0, VM_PASID_FS, R, 0, VM_X, 1 },
    { 0x91, 1, 0,  S, { { 0, 0 } }, 0, VM_PASID_FS, R, ATS, VM_X, 1 },

    /* scalable mode, second stage and pass-through */
    { 0x78, 1, UR, S, { { SS1, NOBODY | 3 } }, 0, 0, R, 0, VM_X, 0 },
    { 0x78, 1, CA, S, { { SS1, NOBODY | 3 } }, 0, 0, R, ATS, VM_X, 0 },
    { 0x79, 1, UR, S, { { 0, 0 } }, 0, 0, R, 0, VM_HOLE, 0 },
    { 0x79, 1, UR, S, { { SS1, SS2 | 2 }, { SS2, SS3 | 1 } }, 0, 0, R, 0, VM_X, 0 },
    { 0,    0, 0,  S, { { 0, 0 } }, 0, 0, R, ATS, VM_HOLE, 0 },
    { 0x7a, 1, UR, S, { { SS1, SS2 | 3 | 1 << 11 } }, 0, 0, R, 0, VM_X, 0 },
    { 0x7a, 1, CA, S, { { SS1, SS2 | 3 | 1 << 11 } }, 0, 0, R, ATS, VM_X, 0 },
    { 0x7b, 1, UR, S, { { E_RID, NOBODY | 1 | 2 << 2 | 2 << 6 } }, 0, 0, R, 0, VM_X, 0 },
    { 0x83, 1, UR, S, { { 0, 0 } }, 0, VM_PASID_PT, R, 0, B48, 0 },
    { 0,    0, 0,  S, { { 0, 0 } }, 0, VM_PASID_PT, R, ATS, B48, 0 },
    { 0x83, 1, UR, S, { { 0, 0 } }, 0, 0, R, XLATED, B48, 0 },
    { 0x84, 1, UR, S, { { 0, 0 } }, 0, 0, R, 0, B48, 0 },
    { 0x85, 1, UR, S, { { 0, 0 } }, 0, 0, W, 0, VM_READ_ONLY, 0 },
    { 0x86, 1, UR, S, { { 0, 0 } }, 0, 0, R, 0, VM_WRITE_ONLY, 0 },
    { 0x87, 1, UR, S, { { 0, 0 } }, 0, VM_PASID_PT, W, 0, FEE, 0 },
    { 0x87, 1, UR, S, { { SS3 + LEAF_X, FEE | 3 } }, 0, 0, W, 0, VM_X, 0 },
    { 0x87, 1, UR, S, { { 0, 0 } }, 0, 0, W, XLATED, FEE, 0 },
    /* Qualified, but no entry was read that could hold FPD. */
    { 0x89, 0, UR, S, { { 0, 0 } }, 0, 0x100000, R, 0, VM_X, 0 },
    { 0x89, 0, UR, S, { { 0, 0 } }, 0, UIE_ANY_PASID, R, 0, VM_X, 0 },
};
/* clang-format on */

static struct vm *prepare(const struct row *r, bool fpd)
{
    struct vm *vm = vm_create(r->args);
    uint64_t context = vm->scalable ? SA : A;

    for (unsigned i = 0; i < 3; i++) {
        if (r->poke[i].at)
            vm_poke(vm, r->poke[i].at, r->poke[i].value);
    }
    if (fpd)
        vm_poke(vm, context, vm_peek(vm, context) | 2);
    vm->cas_fails = r->cas_fails;
    vm_start(vm);
    if (r->rtaddr)
        vm_set_root(vm, r->rtaddr);
    vm_forget(vm);
    return vm;
}

static int ask(struct vm *vm, const struct row *r, uint32_t flags,
               struct uie_xlat *x)
{
    return vm_ask(vm, VM_A, r->pasid ? r->pasid : UIE_NO_PASID, r->access,
                  r->flags | flags, r->iova, x);
}

static uint64_t expected_type(const struct row *r)
{
    if (r->flags & ATS)
        return VTD_FAULT_READ;
    if ((r->access & (R | W)) == (R | W))
        return VTD_FAULT_ATOMIC;
    return r->access & W ? VTD_FAULT_WRITE : VTD_FAULT_READ;
}

static void check_record(struct vm *vm, const struct row *r)
{
    struct vtd_frcd_lo lo = { vm_rd(vm, 0x220) };
    struct vtd_frcd_hi hi = { vm_rd(vm, 0x228) };
    struct vtd_fsts fsts = { vm_rd(vm, VTD_REG_FSTS) };
    uint64_t at = r->flags & ATS ? 1 : r->flags & XLATED ? 2 : 0;

    assert_int_equal(vtd_frcd_hi_fr(hi), r->reason);
    assert_int_equal(vtd_frcd_hi_f(hi), 1);
    assert_int_equal(vtd_frcd_lo_fi(lo), r->iova >> 12);
    assert_int_equal(vtd_frcd_hi_sid(hi), VM_A);
    assert_int_equal(vtd_frcd_hi_pp(hi), r->pasid != 0);
    assert_int_equal(vtd_frcd_hi_pv(hi), r->pasid & 0xfffff);
    assert_int_equal(vtd_frcd_hi_t1(hi) << 1 | vtd_frcd_hi_t2(hi),
                     expected_type(r));
    if (vtd_ecap_dt((struct vtd_ecap){ vm_rd(vm, VTD_REG_ECAP) }))
        assert_int_equal(vtd_frcd_hi_at(hi), at);
    assert_int_equal(vtd_frcd_hi_priv(hi), (r->access & UIE_PRIV) != 0);
    assert_int_equal(vtd_frcd_hi_exe(hi), (r->access & UIE_X) != 0);
    assert_int_equal(vtd_fsts_ppf(fsts), 1);
    assert_int_equal(vtd_fsts_fri(fsts), 0);
    assert_int_equal(vm_fault(vm, 1), 0);
}

static void run_row(const struct row *r, bool fpd)
{
    struct vm *vm = prepare(r, fpd);
    struct uie_xlat x;

    /* A probe is answered alike and leaves nothing behind; but as it sets no
     * A bit, it cannot find out that setting one fails. */
    assert_int_equal(ask(vm, r, UIE_REQ_PROBE, &x),
                     r->cas_fails ? 0 : r->answer);
    assert_int_equal(vm_rd(vm, VTD_REG_FSTS), 0);
    assert_int_equal(ask(vm, r, 0, &x), r->answer);
    if (r->answer == 0)
        assert_int_equal(x.perm, 0);
    if (r->reason && !(fpd && r->qualified))
        check_record(vm, r);
    else
        assert_int_equal(vm_rd(vm, VTD_REG_FSTS), 0);
    assert_int_equal(vm->n_log[UIE_LOG_ERROR], 0);
    vm_destroy(vm);
}

static void every_reason_is_answered_and_recorded(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        print_message("row %zu: reason %02x\n", i, rows[i].reason);
        run_row(&rows[i], false);
    }
}

static void fpd_hides_qualified_faults_only(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        print_message("row %zu: reason %02x with FPD\n", i, rows[i].reason);
        run_row(&rows[i], true);
    }
}

/* Of the unit: adversarial caches answer the same as none. */
static void caches_do_not_change_answers(void **state)
{
    static const char *const modes[] = { "cache=none", "cache=adversarial",
                                         "cache=adversarial,cm=1" };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        for (unsigned k = 0; k < 3; k++) {
            char args[64];
            struct row r = rows[i];

            snprintf(args, sizeof(args), "%s%s%s", r.args, *r.args ? "," : "",
                     modes[k]);
            r.args = args;
            run_row(&r, false);
        }
    }
}

/* FPD of the directory and of the table entry count as well, and those of an
 * entry that is not present (5.3, 5.5, 5.6 of the sheet). */
static void fpd_counts_wherever_it_is(void **state)
{
    static const struct {
        uint64_t at, value;
    } pokes[] = {
        { VM_PASID_DIR, VM_PASID_TABLE | 3 },  { VM_PASID_DIR, 2 }, { E_SS, 2 },
        { E_SS, VM_SS | 3 | 2 << 2 | 2 << 6 }, { SA, 2 },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(pokes) / sizeof(*pokes); i++) {
        struct vm *vm = vm_create(S);

        vm_poke(vm, pokes[i].at, pokes[i].value);
        vm_start(vm);
        assert_int_equal(vm_go_pasid(vm, VM_PASID_SS, R, VM_HOLE), 0);
        assert_int_equal(vm_rd(vm, VTD_REG_FSTS), 0);
        assert_int_equal(vm_counter(vm, "faults"), 1);
        vm_destroy(vm);
    }
}

/* ---- records ------------------------------------------------------------------ */

static void eight_records_then_overflow(void **state)
{
    struct vm *vm = vm_create("");

    (void)state;
    vm_start(vm);
    for (unsigned i = 0; i < 8; i++) {
        vm_go(vm, R, VM_HOLE);
        assert_int_equal(vm_fault(vm, i), 6);
        assert_int_equal(vm_rd(vm, VTD_REG_FSTS), 2);
    }
    vm_go(vm, R, VM_HOLE);
    assert_int_equal(vm_rd(vm, VTD_REG_FSTS), 3); /* PFO */
    assert_int_equal(vm_counter(vm, "faults_lost"), 1);

    /* While PFO is set nothing is recorded, room or not. */
    vm_clear_fault(vm, 0);
    vm_go(vm, R, VM_HOLE);
    assert_int_equal(vm_fault(vm, 0), 0);
    assert_int_equal(vm_rd(vm, VTD_REG_FSTS), 3 | 1 << 8); /* FRI: the next */
    vm_wr(vm, VTD_REG_FSTS, 1);
    vm_go(vm, W, VM_HOLE);
    assert_int_equal(vm_fault(vm, 0), 5);

    /* PPF cannot be written; it goes with the last F. */
    vm_wr(vm, VTD_REG_FSTS, 2);
    assert_int_equal(vm_rd(vm, VTD_REG_FSTS) & 2, 2);
    for (unsigned i = 0; i < 8; i++)
        vm_clear_fault(vm, i);
    assert_int_equal(vm_rd(vm, VTD_REG_FSTS), 0);
    vm_destroy(vm);
}

static void records_start_over_when_translation_stops(void **state)
{
    struct vm *vm = vm_create("");

    (void)state;
    vm_start(vm);
    vm_go(vm, R, VM_HOLE);
    vm_clear_fault(vm, 0);
    vm_go(vm, R, VM_HOLE);
    assert_int_equal(vm_fault(vm, 1), 6);
    assert_int_equal(vm_rd(vm, VTD_REG_FSTS), 2 | 1 << 8);
    vm_clear_fault(vm, 1);
    vm_gcmd(vm, 31, false);
    vm_gcmd(vm, 31, true);
    vm_go(vm, R, VM_HOLE);
    assert_int_equal(vm_fault(vm, 0), 6);
    vm_destroy(vm);
}

/* F is cleared by the dword that holds it, and only by a one. */
static void records_are_cleared_by_halves(void **state)
{
    struct vm *vm = vm_create("");

    (void)state;
    vm_start(vm);
    vm_go(vm, R, VM_HOLE);
    vm->ops->mmio_write(vm->m, 0, 0x228, UINT32_MAX, 4);
    vm->ops->mmio_write(vm->m, 0, 0x220, UINT64_MAX, 8);
    vm->ops->mmio_write(vm->m, 0, 0x22c, 0x7fffffff, 4);
    assert_int_equal(vm_fault(vm, 0), 6);
    assert_int_equal(vm->ops->mmio_read(vm->m, 0, 0x228, 4), VM_A);
    vm->ops->mmio_write(vm->m, 0, 0x22c, 0x80000000, 4);
    assert_int_equal(vm_fault(vm, 0), 0);
    assert_int_equal(vm_rd(vm, VTD_REG_FSTS), 0);
    vm_destroy(vm);
}

/* ---- events --------------------------------------------------------------------- */

static void fault_message_once_until_cleared(void **state)
{
    struct vm *vm = vm_create("");

    (void)state;
    vm_start(vm);
    vm_wr(vm, VTD_REG_FEDATA, 0xffff4041);
    vm_wr(vm, VTD_REG_FEADDR, 0xfee01003);
    vm_go(vm, R, VM_HOLE);
    assert_int_equal(vm->n_msi, 0); /* masked after reset */
    assert_int_equal(vm_rd(vm, VTD_REG_FECTL), 0xc0000000);
    vm_wr(vm, VTD_REG_FECTL, 0);
    assert_int_equal(vm->n_msi, 1);
    assert_int_equal(vm->msi[0].addr, 0xfee01000);
    assert_int_equal(vm->msi[0].data, 0x4041);
    assert_int_equal(vm_rd(vm, VTD_REG_FECTL), 0);

    vm_go(vm, R, VM_HOLE); /* a second fault while the first is pending */
    assert_int_equal(vm->n_msi, 1);
    vm_clear_fault(vm, 0);
    vm_go(vm, R, VM_HOLE); /* still one pending */
    assert_int_equal(vm->n_msi, 1);
    vm_clear_fault(vm, 1);
    vm_clear_fault(vm, 2);
    vm_go(vm, R, VM_HOLE);
    assert_int_equal(vm->n_msi, 2);

    /* Clearing the last status bit withdraws a message that was masked. */
    vm_clear_fault(vm, 3);
    vm_wr(vm, VTD_REG_FECTL, 0x80000000);
    vm_go(vm, R, VM_HOLE);
    assert_int_equal(vm_rd(vm, VTD_REG_FECTL), 0xc0000000);
    vm_clear_fault(vm, 4);
    assert_int_equal(vm_rd(vm, VTD_REG_FECTL), 0x80000000);
    vm_wr(vm, VTD_REG_FECTL, 0);
    assert_int_equal(vm->n_msi, 2);
    vm_destroy(vm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_is_answered_and_recorded),
        cmocka_unit_test(fpd_hides_qualified_faults_only),
        cmocka_unit_test(caches_do_not_change_answers),
        cmocka_unit_test(fpd_counts_wherever_it_is),
        cmocka_unit_test(eight_records_then_overflow),
        cmocka_unit_test(records_start_over_when_translation_stops),
        cmocka_unit_test(records_are_cleared_by_halves),
        cmocka_unit_test(fault_message_once_until_cleared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
