/* SPDX-License-Identifier: MIT */
#include "tools/client.h"

static const unsigned RW = UIOMMU_READ | UIOMMU_WRITE;

static bool ok(struct client *c, enum uiommu_status status)
{
    if (status != UIOMMU_OK)
        c->status = status;
    return status == UIOMMU_OK;
}

static bool on_fault(void *ctx, const struct uiommu_fault *fault)
{
    struct client *c = ctx;

    c->faults++;
    c->fault = *fault;
    (void)uiommu_explain_fault(fault, c->sentence, sizeof(c->sentence));
    return true;
}

/* ---- DMA, and what came of it ------------------------------------------------------ */

static uint64_t new_word(struct client *c)
{
    c->word = c->word * UINT64_C(6364136223846793005) + 1;
    return c->word;
}

/* Both ways, and that page alone. */
static bool reaches(struct client *c, uint64_t iova, unsigned page)
{
    uint64_t put = new_word(c), got = 0, other = *c->mem[!page];

    if (!c->dma(c->ctx, true, iova, &put) || *c->mem[page] != put)
        return false;
    *c->mem[page] = new_word(c);
    return c->dma(c->ctx, false, iova, &got) && got == *c->mem[page] &&
           *c->mem[!page] == other;
}

static bool is_refused(struct client *c, uint64_t iova)
{
    uint64_t put = new_word(c), got = 0, one = *c->mem[0], two = *c->mem[1];
    bool wrote = c->dma(c->ctx, true, iova, &put);
    bool read = c->dma(c->ctx, false, iova, &got);

    return !wrote && !read && got == 0 && *c->mem[0] == one &&
           *c->mem[1] == two;
}

/* ---- what he is promised ------------------------------------------------------------- */

static bool at_rest(struct client *c)
{
    return uiommu_endpoint_domain(c->ep) == uiommu_core_domain(c->ep) &&
           is_refused(c, c->iova);
}

static bool claim(struct client *c)
{
    c->claimed = c->owner && ok(c, uiommu_claim(c->ep, c->owner));
    return c->claimed || !c->owner;
}

/* A domain of his with one page of his. */
static bool make(struct client *c, unsigned n)
{
    if (!ok(c, uiommu_domain_create(c->ep, NULL, &c->domain[n])))
        return false;
    uiommu_fault_handler(c->domain[n], on_fault, c);
    return ok(c,
              uiommu_map(c->domain[n], c->iova, c->phys[n], CLIENT_PAGE, RW));
}

static bool made(struct client *c)
{
    return make(c, 0) && is_refused(c, c->iova);
}

static bool see(struct client *c, struct uiommu_domain *domain)
{
    return ok(c, uiommu_set_domain(c->ep, domain, c->owner)) &&
           uiommu_endpoint_domain(c->ep) == domain;
}

static bool seen(struct client *c)
{
    return see(c, c->domain[0]) && reaches(c, c->iova, 0);
}

static bool mapped_later(struct client *c)
{
    const uint64_t iova = c->iova + CLIENT_PAGE;

    return ok(c, uiommu_map(c->domain[0], iova, c->phys[1], CLIENT_PAGE, RW)) &&
           reaches(c, iova, 1) && reaches(c, c->iova, 0);
}

static bool is_told(const struct client *c, uint64_t iova)
{
    return c->fault.domain == c->domain[0] && c->fault.has_iova &&
           c->fault.iova / CLIENT_PAGE == iova / CLIENT_PAGE &&
           c->sentence[0] != '\0';
}

/* Units have room for a few faults: those from before are heard first. */
static bool unmapped(struct client *c)
{
    const uint64_t iova = c->iova + CLIENT_PAGE;

    if (!ok(c, uiommu_unmap(c->domain[0], iova, CLIENT_PAGE, NULL)))
        return false;
    (void)uiommu_poll(c->u);
    c->faults = 0;
    if (!is_refused(c, iova) || !reaches(c, c->iova, 0))
        return false;
    (void)uiommu_poll(c->u);
    return c->faults == 0 || is_told(c, iova);
}

static bool replaced(struct client *c)
{
    return make(c, 1) && reaches(c, c->iova, 0) && see(c, c->domain[1]) &&
           reaches(c, c->iova, 1);
}

/* Who claimed it leaves it as it is. */
static bool release(struct client *c)
{
    if (!c->claimed)
        return see(c, uiommu_core_domain(c->ep));
    c->claimed = !ok(c, uiommu_release(c->ep, c->owner));
    return !c->claimed;
}

static const struct promise {
    const char *what;
    bool (*is_kept)(struct client *c);
} promises[] = {
    { "nothing is reached before it is claimed", at_rest },
    { "it is claimed", claim },
    { "nothing is reached once it is claimed", at_rest },
    { "a domain that is not seen shows nothing", made },
    { "what is mapped is reached", seen },
    { "so is what is mapped later", mapped_later },
    { "what is unmapped is refused, and told", unmapped },
    { "another domain takes the place of the first", replaced },
    { "it is released", release },
    { "nothing is reached once it is released", at_rest },
};

enum { PROMISES = sizeof(promises) / sizeof(promises[0]) };

static void tidy(struct client *c)
{
    if (c->claimed)
        (void)!uiommu_release(c->ep, c->owner);
    else if (!c->owner)
        (void)!uiommu_set_domain(c->ep, uiommu_core_domain(c->ep), NULL);
    for (unsigned i = 0; i < CLIENT_PAGES; i++)
        if (c->domain[i])
            uiommu_domain_put(c->domain[i]);
}

const char *client_run(struct client *c)
{
    unsigned kept = 0;

    c->status = UIOMMU_OK;
    c->faults = 0;
    c->sentence[0] = '\0';
    c->domain[0] = c->domain[1] = NULL;
    c->claimed = false;
    while (kept < PROMISES && promises[kept].is_kept(c))
        kept++;
    tidy(c);
    return kept < PROMISES ? promises[kept].what : NULL;
}
