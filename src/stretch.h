/* SPDX-License-Identifier: MIT */
#ifndef SRC_STRETCH_H
#define SRC_STRETCH_H
/*
 * stretch.h - the loop over an array of elements, one copy for each sink, with the sink's
 * functions in line: nothing is asked of a kind but where its array is.
 */
#include <decant/kind/vector.h>
#include "step.h"

/* Where in the array the loop stands, and what is left to do. */
struct stretch {
	const char *el;
	size_t offset;
	size_t left;
	size_t element; /* its size */
};

static ALWAYS_INLINE struct decant_bvec stretch_at(const struct stretch *at)
{
	const struct decant_bvec *bv = (const void *)at->el;
	bool owned = at->element == sizeof(*bv);

	/* As a number: an empty element may be at NULL. */
	return (struct decant_bvec){(void *)((uintptr_t)bv->addr + at->offset),
				    bv->len - at->offset, owned ? bv->region : NULL};
}

/* So many bytes of the n that are left in the element were taken. */
static ALWAYS_INLINE void stretch_took(struct stretch *at, size_t got, size_t n)
{
	at->left -= got;
	if (unlikely(got < n)) {
		at->offset += got;
		return;
	}
	at->offset = 0;
	at->el += at->element;
}

/* As long as it is one owner's memory; whether somebody else's comes next. */
static ALWAYS_INLINE bool stretch_one(struct step *s, struct loop *l,
				      const struct step_mode *mode, struct stretch *at)
{
	while (at->left) {
		struct decant_bvec bv = stretch_at(at);
		size_t got;

		if (unlikely(bv.len - 1 >= at->left))
			return false;
		if (!mode->one_owner &&
		    !step_owns(&s->owner, (uintptr_t)bv.addr, bv.len, bv.region))
			return true;
		got = step(s, l, mode, bv.addr, bv.len, !at->offset);
		if (unlikely(!got))
			return false;
		stretch_took(at, mode->plain ? bv.len : got, bv.len);
	}
	return false;
}

/* As much as needs no thought. Empty elements are left to the caller. */
static ALWAYS_INLINE void stretch_run(struct loop *l, struct step_mode mode,
				      struct stretch *array, size_t element)
{
	struct step s = step_load(l, &mode);
	struct stretch at = *array;

	at.element = element;
	if (mode.plain)
		at.offset = 0;
	while (stretch_one(&s, l, &mode, &at)) {
		struct decant_bvec bv = stretch_at(&at);
		size_t got = step_change(&s, l, &mode, bv.addr, bv.len, bv.region);

		if (!got)
			break;
		stretch_took(&at, got, bv.len);
	}
	step_store(&s, l, &mode);
	*array = at;
}

/*
 * The copies that a sink has, each a function: what one of them keeps in registers is no
 * business of the others.
 */
typedef void stretch_fn(struct loop *l, struct stretch *at);

struct stretch_copies {
	stretch_fn
		*rules[2]; /* for elements of struct iovec, and of struct decant_bvec */
	stretch_fn *owners[2]; /* no rules, but perhaps several owners */
	stretch_fn *plain;     /* struct iovec, and nobody owns anything */
};

static inline void stretch_choose(struct loop *l, const struct stretch_copies *copies,
				  struct stretch *at)
{
	bool owned = at->element == sizeof(struct decant_bvec);

	if (!step_possible(l))
		return;
	if (!l->plain || at->offset)
		copies->rules[owned](l, at);
	else if (!owned && l->owner.hi - l->owner.lo == UINTPTR_MAX)
		copies->plain(l, at);
	else
		copies->owners[owned](l, at);
}

/* With NULL for copies, element by element. */
static inline size_t stretch(struct loop *l, const struct stretch_copies *copies,
			     struct decant_iter *it, size_t len, size_t element)
{
	struct stretch at = {it->at.any, it->offset, len, element};
	const char *begun = NULL;

	while (at.left) {
		struct decant_bvec bv = stretch_at(&at);
		size_t n = min_size(bv.len, at.left), got = 0, merged = l->merged;

		if (n)
			got = loop_take(l, bv.addr, n, bv.region);
		if (n && !got)
			break;
		/* Only what goes on with an element by its first byte has merged. */
		if (at.el == begun)
			l->merged = merged;
		begun = at.el;
		stretch_took(&at, got, bv.len);
		if (at.left && copies)
			stretch_choose(l, copies, &at);
		if (at.offset)
			begun = at.el;
	}
	it->at.any = at.el;
	it->offset = at.offset;
	it->count -= len - at.left;
	it->consumed += len - at.left;
	if (at.left < len)
		decant_vector_settle(it, element);
	return len - at.left;
}
#endif
