/* SPDX-License-Identifier: MIT */
/*
 * kind pages: a page cache. word[0] is the cache, word[1] how far to shift a position for
 * its index, offset the position. Each span comes with a reference.
 */
#ifdef DECANT_KIND
DECANT_KIND(PAGES, pages)
#else
#include <decant/pages.h>

/* A page as the cache promised it. */
static inline bool decant_page_good(const struct decant_pages *pages,
				    const struct decant_span *page)
{
	return page->addr && page->len >= pages->page_bytes &&
	       !(page->len & (page->len - 1));
}

static inline struct decant_span decant_pages_peek(const struct decant_iter *it)
{
	const struct decant_pages *pages = (const struct decant_pages *)it->word[0];
	struct decant_span page = {NULL, 0, NULL};
	int err = pages->find(pages->user, it->offset >> it->word[1], &page);
	size_t skip;

	if (err)
		return decant_span_stop(err < 0 ? err : -EFAULT);
	if (!decant_page_good(pages, &page)) {
		decant_region_put(page.region);
		return decant_span_stop(-EFAULT);
	}
	skip = it->offset & (page.len - 1);
	page.addr = (unsigned char *)page.addr + skip;
	page.len -= skip;
	page.len = page.len < it->count ? page.len : it->count;
	return page;
}

static inline void decant_pages_advance(struct decant_iter *it, size_t n)
{
	it->offset += n;
}

static inline void decant_pages_retreat(struct decant_iter *it, size_t n)
{
	it->offset -= n;
}

static inline void decant_pages_put(const struct decant_iter *it,
				    const struct decant_span *span)
{
	(void)it;
	decant_region_put(span->region);
}

/* pages.c: a cache of one-byte indexes, whose pages are as large as the spans allow. */
struct decant_pages_entry {
	struct decant_span span;
	size_t begin;
};

struct decant_pages_table {
	struct decant_pages pages;
	size_t nr;
	struct decant_pages_entry *entries;
};

int decant_pages_build(struct decant_iter *it, enum decant_direction direction,
		       const struct decant_span *spans, size_t nr, void *room);

static const struct decant_kind decant_pages_kind = {
	.name = "pages",
	.bytes = DECANT_BYTES_MEMORY,
	.peek = decant_pages_peek,
	.advance = decant_pages_advance,
	.retreat = decant_pages_retreat,
	.put = decant_pages_put,
	.build = decant_pages_build,
	.room_base = sizeof(struct decant_pages_table),
	.room_each = sizeof(struct decant_pages_entry),
};
#endif
