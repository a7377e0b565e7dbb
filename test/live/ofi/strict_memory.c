/* SPDX-License-Identifier: MIT */
/* strict_memory.c - memory as the layer of strict.h has it registered: see fi_mr(3). */
#define STRICT_ITSELF
#include "strict_memory.h"
#include <string.h>

#define MOST_MEMORY 256

/* One registration; its address is the descriptor that the adapter gets. */
struct memory {
	struct fid_mr *mr; /* NULL: free */
	const unsigned char *addr;
	size_t len;
	uint64_t access;
	uint64_t key;
	const struct fid *ep; /* FI_MR_ENDPOINT: what it is bound to */
	bool enabled;
};

static struct memory memories[MOST_MEMORY];
static uint64_t next_key;
static unsigned in_a_row; /* keys that were said to be taken */

void strict_memory_reset(void)
{
	memset(memories, 0, sizeof(memories));
}

static struct memory *find(const void *mr)
{
	for (size_t i = 0; i < MOST_MEMORY; i++)
		if (memories[i].mr == mr)
			return &memories[i];
	return NULL;
}

static struct memory *find_key(uint64_t key)
{
	for (size_t i = 0; i < MOST_MEMORY; i++)
		if (memories[i].mr && memories[i].key == key)
			return &memories[i];
	return NULL;
}

/* The key it shall have: the adapter's if that may choose, and nobody has it. */
static int choose(uint64_t requested, uint64_t *key)
{
	size_t bits = 8 * strict_key_bytes();

	if (strict_asks(FI_MR_PROV_KEY)) {
		*key = UINT64_C(0xfeed) << 32 | ++next_key;
		return 0;
	}
	if (!strict_rule(bits >= 64 || !(requested >> bits), "a key is mr_key_size wide"))
		return -FI_EKEYREJECTED;
	*key = requested;
	in_a_row = find_key(requested) || (in_a_row < 3 && strict_one_in(3))
			   ? in_a_row + 1
			   : 0;
	return in_a_row ? -FI_ENOKEY : 0;
}

int strict_mr_reg(struct fid_domain *domain, const void *addr, size_t len,
		  uint64_t access, uint64_t offset, uint64_t key, uint64_t flags,
		  struct fid_mr **mr, void *context)
{
	struct memory *memory = find(NULL);
	int rc = choose(key, &key);

	if (rc)
		return rc;
	if (!strict_rule(memory && len && !offset && !flags, "memory of some bytes"))
		return -FI_EINVAL;
	rc = fi_mr_reg(domain, addr, len, access, 0, ++next_key, 0, mr, context);
	if (rc)
		return rc;
	*memory = (struct memory){
		*mr, addr, len, access, key, NULL, !strict_asks(FI_MR_ENDPOINT)};
	strict.memory++;
	return 0;
}

int strict_mr_bind(struct fid_mr *mr, struct fid *fid, uint64_t flags)
{
	struct memory *memory = find(mr);

	if (!strict_rule(memory && fid && fid->fclass == FI_CLASS_EP && !flags,
			 "memory is bound to an end point") ||
	    !strict_rule(strict_asks(FI_MR_ENDPOINT) && !memory->ep,
			 "memory is bound if the provider asks, and once"))
		return -FI_EINVAL;
	memory->ep = fid;
	return 0;
}

int strict_mr_enable(struct fid_mr *mr)
{
	struct memory *memory = find(mr);

	if (!strict_rule(memory && memory->ep && !memory->enabled,
			 "memory is bound before it is enabled, and that once"))
		return -FI_EINVAL;
	memory->enabled = true;
	return 0;
}

uint64_t strict_mr_key(struct fid_mr *mr)
{
	struct memory *memory = find(mr);

	return strict_rule(memory && memory->enabled, "a key of memory that is enabled")
		       ? memory->key
		       : FI_KEY_NOTAVAIL;
}

void *strict_mr_desc(struct fid_mr *mr)
{
	struct memory *memory = find(mr);

	return strict_rule(memory, "a descriptor of what is registered") ? memory : NULL;
}

void strict_forget(const struct fid *mr)
{
	struct memory *memory = find(mr);

	if (strict_rule(memory, "memory is closed once")) {
		memset(memory, 0, sizeof(*memory));
		strict.memory--;
	}
}

bool strict_bound(const struct fid *ep)
{
	for (size_t i = 0; i < MOST_MEMORY; i++)
		if (memories[i].mr && memories[i].ep == ep)
			return true;
	return false;
}

static bool inside(const struct memory *memory, const void *at, size_t len)
{
	size_t from = (uintptr_t)at - (uintptr_t)memory->addr;

	return from <= memory->len && len <= memory->len - from;
}

bool strict_local(const struct iovec *iov, const void *desc, uint64_t access,
		  bool injected, const struct fid_ep *ep, void **real)
{
	uintptr_t from = (uintptr_t)desc - (uintptr_t)memories;
	struct memory *memory = NULL;

	*real = NULL;
	if (from < sizeof(memories) && from % sizeof(*memory) == 0)
		memory = &memories[from / sizeof(*memory)];
	if (!desc && (injected || !strict_asks(FI_MR_LOCAL)))
		return true;
	if (!strict_rule(memory && memory->mr &&
				 inside(memory, iov->iov_base, iov->iov_len),
			 "what is used locally lies in its registration") ||
	    !strict_rule((memory->access & access) == access && memory->enabled,
			 "the registration is for that") ||
	    !strict_rule(!strict_asks(FI_MR_ENDPOINT) || memory->ep == &ep->fid,
			 "the registration is the end point's"))
		return false;
	*real = fi_mr_desc(memory->mr);
	return true;
}

bool strict_remote(const struct fi_rma_iov *at, uint64_t access, struct fi_rma_iov *real)
{
	struct memory *memory = find_key(at->key);
	uint64_t offset;

	if (!strict_rule(memory && memory->enabled && memory->access & access,
			 "a key is one that was granted for that"))
		return false;
	offset = at->addr -
		 (strict_asks(FI_MR_VIRT_ADDR) ? (uintptr_t)memory->addr : UINT64_C(0));
	if (!strict_rule(inside(memory, memory->addr + offset, at->len),
			 "remote bytes lie in their grant"))
		return false;
	*real = (struct fi_rma_iov){offset, at->len, fi_mr_key(memory->mr)};
	if (strict_real(FI_MR_VIRT_ADDR))
		real->addr += (uintptr_t)memory->addr;
	return true;
}
