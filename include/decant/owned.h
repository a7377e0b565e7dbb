/* SPDX-License-Identifier: MIT */
#ifndef DECANT_OWNED_H
#define DECANT_OWNED_H
#include <decant/extract.h>

DECANT_BEGIN

struct decant_owned;

/**
 * struct decant_own_options - how an iterator is decanted into an owned one
 * @size: sizeof(struct decant_own_options)
 * @space: where owners are looked up, or NULL
 * @policy: DECANT_TRUST: memory in no region stays the caller's to keep until completion;
 *	DECANT_REFUSE: it is an error; DECANT_STAGE: a source is copied now, a destination
 *	is refused
 * @error: out: 0, or why decant_iter_own() gave NULL: -ENOMEM, -ENOKEY, -EFAULT, -ENXIO,
 *	-EINVAL (unknown @size or @policy)
 *
 * Since: 0.1
 */
struct decant_own_options {
	size_t size;
	struct decant_space *space;
	enum decant_policy policy;
	int error;
};

/**
 * decant_iter_own - decant an iterator into a fragment list that outlives it
 * @it: the iterator; advanced by what was taken, unchanged on error
 * @len: bytes, or all that is left if that is less
 * @options: NULL for none; receives the error
 *
 * The result holds the regions of every fragment, and depends neither on @it nor on its
 * lists nor on its creator's stack. Adjacent fragments are merged.
 *
 * Return: the owned form with one reference, the caller's; NULL on error.
 * Since: 0.1
 */
DECANT_API DECANT_MUST struct decant_owned *
decant_iter_own(struct decant_iter *it, size_t len, struct decant_own_options *options);

/**
 * decant_owned_iter - look at an owned form
 * @owned: the owned form; must be kept while the iterator is in use
 *
 * Return: an iterator over all of it. Any number may be in use at a time.
 * Since: 0.1
 */
DECANT_API struct decant_iter decant_owned_iter(const struct decant_owned *owned);

/**
 * decant_owned_slice - a part of an owned form as an owned form of its own
 * @owned: the whole
 * @view: where the part begins: an iterator of @owned, advanced as wanted; not changed
 * @len: bytes, or all that is ahead of @view if that is less
 *
 * O(1): it shares the fragments and keeps the whole alive.
 *
 * Return: the part with one reference, the caller's; NULL if there is no memory or if
 * @view does not belong to @owned.
 * Since: 0.1
 */
DECANT_API DECANT_MUST struct decant_owned *
decant_owned_slice(struct decant_owned *owned, const struct decant_iter *view,
		   size_t len);

/**
 * decant_owned_get - clone: one more reference, O(1)
 * @owned: the owned form
 *
 * Return: @owned.
 * Since: 0.1
 */
DECANT_API struct decant_owned *decant_owned_get(struct decant_owned *owned);

/**
 * decant_owned_put - drop a reference; the last one gives back everything that was held
 * @owned: the owned form, or NULL
 *
 * Since: 0.1
 */
DECANT_API void decant_owned_put(struct decant_owned *owned);

/**
 * decant_owned_elements - how many fragments the list has
 * @owned: the owned form
 *
 * Return: the number; 0 for an empty one.
 * Since: 0.1
 */
DECANT_API size_t decant_owned_elements(const struct decant_owned *owned);

DECANT_END
#endif
