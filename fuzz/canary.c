/* SPDX-License-Identifier: MIT */
#include "fuzz/fuzz.h"

bool fuzz_canary;
