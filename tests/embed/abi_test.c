/* SPDX-License-Identifier: MIT */
/*
 * The embedding ABI does not move: sizes and offsets of version 1, as numbers.
 * All of it happens when this file is compiled; LP64 and ILP32 with 8-byte
 * alignment of 64-bit integers agree on every struct without pointers.
 */
#include <uiommu/embed.h>

#define OFFSET(type, member, at)                                               \
    _Static_assert(offsetof(struct type, member) == (at), #type "." #member)
#define SIZE(type, n)   _Static_assert(sizeof(struct type) == (n), #type)
#define IS(constant, n) _Static_assert((constant) == (n), #constant)

IS(UIE_ABI, 1);
IS(UIE_NO_PASID, 0xffffffff);
IS(UIE_ANY_PASID, 0xfffffffe);
IS(UIE_R, 1);
IS(UIE_W, 2);
IS(UIE_X, 4);
IS(UIE_PRIV, 8);
IS(UIE_INV_ALL, 0);
IS(UIE_INV_DOMAIN, 1);
IS(UIE_INV_RID, 2);
IS(UIE_INV_DEVTLB, 3);
IS(UIE_INV_MSI, 4);
IS(UIE_LOG_ERROR, 0);
IS(UIE_LOG_WARN, 1);
IS(UIE_LOG_INFO, 2);
IS(UIE_LOG_DEBUG, 3);
IS(UIE_REQ_PROBE, 1);
IS(UIE_REQ_ATS, 2);
IS(UIE_REQ_XLATED, 4);
IS(UIE_XLAT_MSI, 1);
IS(UIE_XLAT_U, 2);
IS(UIE_XLAT_GLOBAL, 4);
IS(UIE_XLAT_NOSNOOP, 8);
IS(UIE_ERR_UR, -1);
IS(UIE_ERR_CA, -2);
IS(UIE_STALLED, 1);

SIZE(uie_inval, 40);
OFFSET(uie_inval, size, 0);
OFFSET(uie_inval, what, 4);
OFFSET(uie_inval, rid, 8);
OFFSET(uie_inval, pasid, 12);
OFFSET(uie_inval, domain, 16);
OFFSET(uie_inval, tag, 20);
OFFSET(uie_inval, iova, 24);
OFFSET(uie_inval, len, 32);

SIZE(uie_map, 40);
OFFSET(uie_map, size, 0);
OFFSET(uie_map, rid, 4);
OFFSET(uie_map, pasid, 8);
OFFSET(uie_map, perm, 12);
OFFSET(uie_map, iova, 16);
OFFSET(uie_map, gpa, 24);
OFFSET(uie_map, len, 32);

SIZE(uie_page_response, 24);
OFFSET(uie_page_response, size, 0);
OFFSET(uie_page_response, rid, 4);
OFFSET(uie_page_response, pasid, 8);
OFFSET(uie_page_response, group, 12);
OFFSET(uie_page_response, code, 16);
OFFSET(uie_page_response, flags, 20);

SIZE(uie_req, 32);
OFFSET(uie_req, size, 0);
OFFSET(uie_req, rid, 4);
OFFSET(uie_req, pasid, 8);
OFFSET(uie_req, access, 12);
OFFSET(uie_req, flags, 16);
OFFSET(uie_req, reserved, 20);
OFFSET(uie_req, iova, 24);

SIZE(uie_xlat, 40);
OFFSET(uie_xlat, size, 0);
OFFSET(uie_xlat, perm, 4);
OFFSET(uie_xlat, gpa, 8);
OFFSET(uie_xlat, mask, 16);
OFFSET(uie_xlat, domain, 24);
OFFSET(uie_xlat, flags, 28);
OFFSET(uie_xlat, tag, 32);
OFFSET(uie_xlat, reserved, 36);

SIZE(uie_page_request, 48);
OFFSET(uie_page_request, size, 0);
OFFSET(uie_page_request, rid, 4);
OFFSET(uie_page_request, pasid, 8);
OFFSET(uie_page_request, access, 12);
OFFSET(uie_page_request, group, 16);
OFFSET(uie_page_request, flags, 20);
OFFSET(uie_page_request, iova, 24);
OFFSET(uie_page_request, priv, 32);

SIZE(uie_window, 16);
OFFSET(uie_window, size, 0);
OFFSET(uie_window, preferred_base, 8);

SIZE(uie_info, 104);
OFFSET(uie_info, size, 0);
OFFSET(uie_info, n_windows, 4);
OFFSET(uie_info, window, 8);
OFFSET(uie_info, n_irqs, 72);
OFFSET(uie_info, address_bits, 76);
OFFSET(uie_info, page_sizes, 80);
OFFSET(uie_info, msi_base, 88);
OFFSET(uie_info, msi_len, 96);

#if UINTPTR_MAX == UINT64_MAX
SIZE(uie_host, 112);
OFFSET(uie_host, abi, 0);
OFFSET(uie_host, size, 4);
OFFSET(uie_host, opaque, 8);
OFFSET(uie_host, mem_read, 16);
OFFSET(uie_host, mem_write, 24);
OFFSET(uie_host, mem_cas, 32);
OFFSET(uie_host, mem_map, 40);
OFFSET(uie_host, raise_msi, 48);
OFFSET(uie_host, raise_own, 56);
OFFSET(uie_host, set_irq, 64);
OFFSET(uie_host, notify, 72);
OFFSET(uie_host, notify_map, 80);
OFFSET(uie_host, page_response, 88);
OFFSET(uie_host, now_ns, 96);
OFFSET(uie_host, log, 104);

SIZE(uie_ops, 144);
OFFSET(uie_ops, abi, 0);
OFFSET(uie_ops, size, 4);
OFFSET(uie_ops, names, 8);
OFFSET(uie_ops, create, 16);
OFFSET(uie_ops, destroy, 24);
OFFSET(uie_ops, reset, 32);
OFFSET(uie_ops, info, 40);
OFFSET(uie_ops, acpi, 48);
OFFSET(uie_ops, mmio_read, 56);
OFFSET(uie_ops, mmio_write, 64);
OFFSET(uie_ops, translate, 72);
OFFSET(uie_ops, remap_msi, 80);
OFFSET(uie_ops, page_request, 88);
OFFSET(uie_ops, devtlb_done, 96);
OFFSET(uie_ops, memory_changed, 104);
OFFSET(uie_ops, save, 112);
OFFSET(uie_ops, load, 120);
OFFSET(uie_ops, counters, 128);
OFFSET(uie_ops, shadow, 136);
#endif

int main(void)
{
    return 0;
}
