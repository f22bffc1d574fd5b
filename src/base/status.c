/* SPDX-License-Identifier: MIT */
#include <uiommu/status.h>

const char *uiommu_status_name(enum uiommu_status status)
{
    switch (status) {
    case UIOMMU_OK:
        return "OK";
    case UIOMMU_INVAL:
        return "INVAL";
    case UIOMMU_BUSY:
        return "BUSY";
    case UIOMMU_PERM:
        return "PERM";
    case UIOMMU_NODEV:
        return "NODEV";
    case UIOMMU_OPNOTSUPP:
        return "OPNOTSUPP";
    case UIOMMU_NOENT:
        return "NOENT";
    case UIOMMU_EXIST:
        return "EXIST";
    case UIOMMU_OVERFLOW:
        return "OVERFLOW";
    case UIOMMU_AGAIN:
        return "AGAIN";
    case UIOMMU_NOMEM:
        return "NOMEM";
    case UIOMMU_NOSPC:
        return "NOSPC";
    case UIOMMU_TIMEDOUT:
        return "TIMEDOUT";
    case UIOMMU_IO:
        return "IO";
    }
    return "?";
}
