/* SPDX-License-Identifier: MIT */
#include "base/text.h"
#include "pci/quirks.h"

/* ---- parts of a sentence ---------------------------------------------------- */

static const char *kind_of(const struct uim_pci_function *f)
{
    switch (f->port) {
    case PCI_EXP_TYPE_ROOT_PORT:
        return "root port";
    case PCI_EXP_TYPE_UPSTREAM_PORT:
        return "upstream port";
    case PCI_EXP_TYPE_DOWNSTREAM_PORT:
        return "switch port";
    case PCI_EXP_TYPE_PCIE_TO_PCI_BRIDGE:
        return "PCIe-to-PCI bridge";
    case PCI_EXP_TYPE_PCI_TO_PCIE_BRIDGE:
        return "PCI-to-PCIe bridge";
    default:
        return f->header == PCI_HEADER_BRIDGE ? "bridge" : "function";
    }
}

static void name(struct uim_text *t, const struct uim_pci_function *f)
{
    uim_text_f(t, "%s %04x:%02x:%02x.%u", kind_of(f), (unsigned)f->at.segment,
               (unsigned)f->at.bus, f->at.devfn >> 3u, f->at.devfn & 7u);
}

static void id(struct uim_text *t, uint16_t id)
{
    uim_text_f(t, "requester id %02x:%02x.%u", id >> 8u, id >> 3u & 0x1f,
               id & 7u);
}

/* What each bit of `missing` would have done. */
static void lacks(struct uim_text *t, uint16_t missing)
{
    static const struct {
        uint16_t bit;
        const char *text;
    } bits[] = {
        { PCI_ACS_SV, "validate requester ids (ACS SV)" },
        { PCI_ACS_TB, "block translated requests (ACS TB)" },
        { PCI_ACS_RR, "redirect requests (ACS RR)" },
        { PCI_ACS_CR, "redirect completions (ACS CR)" },
        { PCI_ACS_UF, "forward upstream (ACS UF)" },
    };
    const char *before = " does not ";

    for (unsigned i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
        if (!(missing & bits[i].bit))
            continue;
        missing &= (uint16_t)~bits[i].bit;
        uim_text_f(t, "%s%s", before, bits[i].text);
        before = missing & (missing - 1) ? ", " : " or ";
    }
}

static bool has_quirk(const struct uim_pci_function *f, unsigned kind)
{
    return uim_pci_quirk(f, 1u << kind) != NULL;
}

static const char *cause(const struct uim_pci_function *f, uint16_t missing)
{
    if (has_quirk(f, UIM_PCI_QUIRK_ISOLATED))
        return "its kind is known not to";
    if (has_quirk(f, UIM_PCI_QUIRK_ACS_PCH))
        return "its chipset is not known to be told so";
    if (f->port == UIM_PCI_NOT_PCIE)
        return "it is conventional PCI";
    if (f->acs == 0)
        return "it has no ACS capability";
    if (missing & f->acs_ctrl & PCI_ACS_RR)
        return "its egress control (ACS EC) lets some pass";
    return "it is switched off";
}

/* ---- sentences -------------------------------------------------------------- */

static void lacking(struct uim_text *t, const struct uim_pci_reason *r,
                    const char *so)
{
    name(t, r->at);
    lacks(t, r->missing);
    uim_text_f(t, ", as %s: %s", cause(r->at, r->missing), so);
}

static void about(struct uim_text *t, const struct uim_pci_function *f,
                  const char *what)
{
    name(t, f);
    uim_text_f(t, " %s", what);
}

static void sentence(struct uim_text *t, const struct uim_pci_reason *r)
{
    switch (r->why) {
    case UIM_PCI_APART:
        uim_text_f(t, "nothing joins them");
        break;
    case UIM_PCI_SAME_ID:
        uim_text_f(t, "the DMA of both may carry ");
        id(t, r->id);
        break;
    case UIM_PCI_ALIAS:
        about(t, r->at, "may do DMA under the other's ");
        id(t, r->id);
        break;
    case UIM_PCI_UNDER_PORT:
        lacking(t, r, "all below it can reach each other");
        break;
    case UIM_PCI_PORT_ITSELF:
        lacking(t, r, "what is below it can reach it");
        break;
    case UIM_PCI_CONVENTIONAL:
        about(t, r->at,
              "has a conventional bus, where requester ids and who may "
              "reach whom cannot be told apart");
        break;
    case UIM_PCI_SAME_DEVICE:
        lacking(t, r, "it can reach other functions of its device");
        break;
    case UIM_PCI_UNSEEN:
        about(t, r->at,
              "could not be read, so that nothing is known of what it "
              "keeps apart");
        break;
    case UIM_PCI_ACROSS:
        lacking(t, r, "what is below it can reach all of its switch");
        break;
    case UIM_PCI_PORT_MEMORY:
        about(t, r->at,
              "has registers in memory that others can reach, which no port "
              "blocks or redirects (ACS enhanced)");
        break;
    case UIM_PCI_NO_PREFIX:
        about(t, r->at,
              "does not pass end-end TLP prefixes, and with them no PASID");
        break;
    }
}

size_t uim_pci_reason_text(const struct uim_pci_reason *reason, char *buf,
                           size_t size)
{
    struct uim_text t;

    uim_text_init(&t, buf, size);
    sentence(&t, reason);
    return t.wanted;
}
