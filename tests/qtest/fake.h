/* SPDX-License-Identifier: MIT */
/*
 * fake.h - programs that are called as QEMU is and behave badly. The test
 * program is all of them: it runs itself with FAKE_QEMU in the environment.
 */
#ifndef UIM_TESTS_QTEST_FAKE_H
#define UIM_TESTS_QTEST_FAKE_H

#define FAKE_VARIABLE "FAKE_QEMU"

/** This program, to be started in place of QEMU. */
const char *fake_binary(void);

/** What main() does when FAKE_QEMU is set. */
int fake_main(const char *kind, char **argv);

#endif
