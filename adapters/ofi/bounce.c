/* SPDX-License-Identifier: MIT */
#include "fabric.h"
#include <stdlib.h>
#include <string.h>

/* The sink behind struct fabric_table: descriptors lie beside the iovecs. */
static void table_put(struct decant_sink *sink, size_t index,
		      const struct decant_element *el)
{
	struct fabric_table *table = sink->table;

	table->iov[index] = (struct iovec){el->addr, el->len};
	table->desc[index] = el->mapping ? el->mapping->desc : NULL;
}

static void table_grow(struct decant_sink *sink, size_t index, size_t len)
{
	struct fabric_table *table = sink->table;

	table->iov[index].iov_len = len;
}

static struct decant_span table_span(const struct decant_sink *sink, size_t index)
{
	const struct fabric_table *table = sink->table;

	return (struct decant_span){table->iov[index].iov_base, table->iov[index].iov_len,
				    NULL};
}

static const struct decant_sink_ops table_ops = {
	.name = "ofi",
	.element_size = sizeof(struct iovec),
	.max_element_bytes = SIZE_MAX,
	.put = table_put,
	.grow = table_grow,
	.span = table_span,
};

void fabric_table_init(struct decant_ofi *ofi)
{
	struct decant_sink *sink = &ofi->table.sink;

	sink->ops = &table_ops;
	sink->table = &ofi->table;
	sink->limits.max_bytes = ofi->info->ep_attr->max_msg_size;
}

/* A message that the provider copies at once: it needs no key. */
bool fabric_injected(const struct decant_ofi *ofi, const struct fabric_op *op)
{
	return op->kind == DECANT_OFI_SEND && op->len <= ofi->info->tx_attr->inject_size;
}

bool fabric_needs_keys(const struct decant_ofi *ofi, const struct fabric_op *op)
{
	return fabric_asks(ofi, FI_MR_LOCAL) && !fabric_injected(ofi, op);
}

/* The table, empty, for as many elements as an operation's requests may have. */
struct decant_sink *fabric_sink(struct decant_ofi *ofi, const struct fabric_op *op)
{
	struct decant_sink *sink = &ofi->table.sink;
	bool keys = fabric_needs_keys(ofi, op);

	decant_sink_reset(sink);
	sink->max = ofi->limit[op->kind];
	sink->domain = keys ? &ofi->domain : NULL;
	sink->policy = keys ? DECANT_REFUSE : DECANT_TRUST;
	return sink;
}

static int give_key(struct decant_ofi *ofi, struct decant_region *region)
{
	return fabric_asks(ofi, FI_MR_LOCAL) ? decant_domain_map(&ofi->domain, region)
					     : 0;
}

static void *desc_of(struct decant_ofi *ofi, struct decant_region *region)
{
	const struct decant_mapping *mapping =
		decant_domain_mapping(&ofi->domain, region);

	return mapping ? mapping->desc : NULL;
}

/* The first message in many pieces makes the pool; most end points never need one. */
static int pool_begin(struct decant_ofi *ofi)
{
	struct decant_pool_options options = {.size = sizeof(options),
					      .buffer_bytes = FABRIC_BOUNCE_BYTES,
					      .buffers = FABRIC_BOUNCES,
					      .small_pages = true};
	struct decant_pool *pool;
	int rc = decant_pool_new(&pool, &options);

	if (rc)
		return rc;
	rc = give_key(ofi, decant_pool_region(pool));
	if (rc)
		decant_pool_free(pool);
	else
		ofi->pool = pool;
	return rc;
}

static bool from_pool(struct decant_ofi *ofi, struct fabric_bounce *bounce)
{
	if (!ofi->pool && pool_begin(ofi))
		return false;
	bounce->addr = decant_pool_get(ofi->pool).addr;
	if (!bounce->addr)
		return false;
	bounce->desc = desc_of(ofi, decant_pool_region(ofi->pool));
	return true;
}

static void release(void *user, void *addr, size_t len)
{
	(void)user;
	(void)len;
	free(addr);
}

/* The slow way, for messages that are large and in many pieces: memory for this one. */
static int for_once(struct decant_ofi *ofi, struct fabric_bounce *bounce, size_t len)
{
	struct decant_region_options options = {.size = sizeof(options),
						.release = release};
	struct decant_region *region;
	void *addr = malloc(len);
	int rc = addr ? decant_region_new(&region, addr, len, &options) : -ENOMEM;

	if (rc) {
		free(addr);
		return rc;
	}
	rc = give_key(ofi, region);
	if (rc) {
		decant_region_put(region);
		return rc;
	}
	*bounce = (struct fabric_bounce){addr, desc_of(ofi, region), region};
	return 0;
}

int fabric_bounce_get(struct decant_ofi *ofi, struct fabric_bounce *bounce, size_t len,
		      bool pool_only)
{
	if (len <= FABRIC_BOUNCE_BYTES && from_pool(ofi, bounce))
		return 0;
	return pool_only ? -ENOBUFS : for_once(ofi, bounce, len);
}

void fabric_bounce_put(struct decant_ofi *ofi, struct fabric_bounce *bounce)
{
	if (bounce->region)
		decant_region_put(bounce->region);
	else if (bounce->addr)
		decant_pool_put(ofi->pool, bounce->addr);
	memset(bounce, 0, sizeof(*bounce));
}
