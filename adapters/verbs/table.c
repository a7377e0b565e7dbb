/* SPDX-License-Identifier: MIT */
/* table.c - a queue pair's operations, and room for what they are made of. */
#include "internal.h"
#include <stdlib.h>
#include <string.h>

struct verbs_op *verbs_list_pop(struct verbs_list *list)
{
	struct verbs_op *op = STAILQ_FIRST(list);

	if (op)
		STAILQ_REMOVE_HEAD(list, next);
	return op;
}

static size_t elements_of(const struct decant_verbs_pair *pair)
{
	size_t most = pair->limits.max_elements, read = pair->read_limits.max_elements;

	return most > read ? most : read;
}

static void share_out(struct decant_verbs_pair *pair, size_t nr)
{
	size_t elements = elements_of(pair);

	for (size_t i = 0; i < nr; i++) {
		struct verbs_op *op = &pair->ops[i];
		bool tx = i < pair->options.depth;

		op->pair = pair;
		op->own_sges = pair->sges + i * elements;
		if (tx && pair->inline_bytes)
			op->bytes = pair->bytes + i * pair->inline_bytes;
		STAILQ_INSERT_TAIL(tx ? &pair->free_tx : &pair->free_rx, op, next);
	}
}

int verbs_tables_new(struct decant_verbs_pair *pair)
{
	const struct decant_verbs_pair_options *o = &pair->options;
	size_t nr = (size_t)o->depth + o->receives;

	STAILQ_INIT(&pair->free_tx);
	STAILQ_INIT(&pair->free_rx);
	STAILQ_INIT(&pair->tx);
	STAILQ_INIT(&pair->rx);

	pair->ops = calloc(nr, sizeof(*pair->ops));
	pair->sges = calloc(nr * elements_of(pair), sizeof(*pair->sges));
	pair->bytes = calloc(o->depth, pair->inline_bytes + 1);
	pair->slots = calloc(o->requests, sizeof(*pair->slots));
	pair->receives = calloc(o->receives, sizeof(struct verbs_op *));
	pair->spare = calloc(o->receives, sizeof(*pair->spare));
	if (!pair->ops || !pair->sges || !pair->bytes || !pair->slots ||
	    !pair->receives || !pair->spare)
		return -ENOMEM;
	share_out(pair, nr);
	while (pair->nr_spare < o->receives) {
		pair->spare[pair->nr_spare] = (uint32_t)pair->nr_spare;
		pair->nr_spare++;
	}
	return 0;
}

void verbs_tables_free(struct decant_verbs_pair *pair)
{
	free(pair->ops);
	free(pair->sges);
	free(pair->bytes);
	free(pair->slots);
	free(pair->receives);
	free(pair->spare);
}

static void clear(struct verbs_op *op)
{
	struct decant_sge *sges = op->own_sges;
	unsigned char *bytes = op->bytes;
	struct decant_verbs_pair *pair = op->pair;

	memset(op, 0, sizeof(*op));
	op->pair = pair;
	op->own_sges = op->sges = sges;
	op->bytes = bytes;
	op->cuts = op->own_cuts;
	op->max_sges = elements_of(pair);
	op->max_cuts = VERBS_CUTS;
	op->hold.name = "decant_verbs";
}

/* NULL if so many are under way. */
struct verbs_op *verbs_op_get(struct decant_verbs_pair *pair, enum decant_verbs_kind kind,
			      void *user)
{
	struct verbs_op *op =
		verbs_list_pop(verbs_is_receive(kind) ? &pair->free_rx : &pair->free_tx);

	if (!op)
		return NULL;
	clear(op);
	op->kind = kind;
	op->user = user;
	op->busy = true;
	op->counted = kind != DECANT_VERBS_MESSAGE;
	pair->handed += op->counted;
	return op;
}

/* Let go of memory: nobody reads or writes it for this operation any more. */
void verbs_op_let_go(struct verbs_op *op)
{
	verbs_scratch_free(op);
	decant_hold_release(&op->hold);
	if (op->sges != op->own_sges)
		free(op->sges);
	if (op->cuts != op->own_cuts)
		free(op->cuts);
	op->sges = op->own_sges;
	op->cuts = op->own_cuts;
	op->max_sges = elements_of(op->pair);
	op->max_cuts = VERBS_CUTS;
}

void verbs_op_put(struct verbs_op *op)
{
	struct decant_verbs_pair *pair = op->pair;

	verbs_op_let_go(op);
	op->busy = false;
	pair->handed -= op->counted;
	/* the pool has a buffer for it, or will have */
	pair->queue->needy |= op->kind == DECANT_VERBS_MESSAGE;
	STAILQ_INSERT_TAIL(verbs_is_receive(op->kind) ? &pair->free_rx : &pair->free_tx,
			   op, next);
}

/* Four times the room; what is there moves along. */
static void *grow(void *table, const void *own, size_t *max, size_t each)
{
	void *more, *old = table == own ? NULL : table;

	if (*max > SIZE_MAX / 4 / each)
		return NULL;
	more = realloc(old, 4 * *max * each);
	if (!more)
		return NULL;
	if (!old)
		memcpy(more, own, *max * each);
	*max *= 4;
	return more;
}

int verbs_more_sges(struct verbs_op *op)
{
	void *more = grow(op->sges, op->own_sges, &op->max_sges, sizeof(*op->sges));

	if (more)
		op->sges = more;
	return more ? 0 : -ENOMEM;
}

int verbs_more_cuts(struct verbs_op *op)
{
	void *more = grow(op->cuts, op->own_cuts, &op->max_cuts, sizeof(*op->cuts));

	if (more)
		op->cuts = more;
	return more ? 0 : -ENOMEM;
}
