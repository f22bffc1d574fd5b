/* SPDX-License-Identifier: MIT */
#ifndef UIM_TOOLS_AUDIT_H
#define UIM_TOOLS_AUDIT_H

/* `uiommu audit`; argv[0] is "audit". 0: everybody is confined; 1: there are findings, or
 * the machine failed; 2: usage. */
int tool_audit(int argc, char **argv);

#endif
