/* SPDX-License-Identifier: MIT */
/* owned.c - fragment lists that outlive what they were made from. */
#include <errno.h>
#include <malloc.h>
#include <decant/decant.h>
#include "check.h"

static unsigned char memory[8192];
static unsigned releases;

static void on_release(void *user, void *addr, size_t len)
{
	(void)user;
	(void)addr;
	(void)len;
	releases++;
}

static struct decant_region *region_at(size_t offset, size_t len)
{
	struct decant_region_options options = {sizeof(options), on_release, NULL};
	struct decant_region *region;

	releases = 0;
	REQUIRE(!decant_region_new(&region, memory + offset, len, &options));
	return region;
}

static void fill(void)
{
	for (size_t i = 0; i < sizeof(memory); i++)
		memory[i] = (unsigned char)(i * 7 + i / 256);
}

static bool reads_as(const struct decant_owned *owned, const void *bytes, size_t len)
{
	struct decant_iter it = decant_owned_iter(owned), flat;

	REQUIRE(!decant_iter_buf(&flat, DECANT_SOURCE, (void *)(uintptr_t)bytes, len));
	return decant_iter_count(&it) == len && decant_equal(&it, &flat, len) == 1;
}

static __attribute__((noinline)) struct decant_owned *
own_from_stack(struct decant_region *region)
{
	struct decant_bvec bv[20];
	struct decant_iter it;
	struct decant_owned *owned;

	for (size_t i = 0; i < 20; i++)
		bv[i] = (struct decant_bvec){memory + 100 * i, 50, region};
	REQUIRE(!decant_iter_bvec(&it, DECANT_SOURCE, bv, 20));
	owned = decant_iter_own(&it, 975, NULL);
	CHECK_EQ(decant_iter_consumed(&it), 975);
	memset(bv, 0xff, sizeof(bv));
	memset(&it, 0xff, sizeof(it));
	return owned;
}

static __attribute__((noinline)) void scribble(void)
{
	volatile unsigned char stack[4096];

	for (size_t i = 0; i < sizeof(stack); i++)
		stack[i] = 0xff;
}

static void survives_its_creator(void)
{
	struct decant_region *region = region_at(0, 4096);
	struct decant_owned *owned = own_from_stack(region);
	unsigned char want[1000];

	fill();
	for (size_t i = 0; i < 20; i++)
		memcpy(want + 50 * i, memory + 100 * i, 50);
	REQUIRE(owned);
	scribble();
	CHECK_EQ(decant_region_refs(region), 2);
	decant_region_put(region);
	CHECK_EQ(releases, 0);
	CHECK_EQ(decant_owned_elements(owned), 20);
	CHECK(reads_as(owned, want, 975));
	decant_owned_put(owned);
	CHECK_EQ(releases, 1);
}

static void slices_and_clones(void)
{
	struct decant_region *region = region_at(0, 4096);
	struct decant_owned *owned = own_from_stack(region), *slice, *inner, *clone;
	struct decant_iter view = decant_owned_iter(owned), foreign;
	unsigned char want[1000];

	fill();
	for (size_t i = 0; i < 20; i++)
		memcpy(want + 50 * i, memory + 100 * i, 50);
	decant_region_put(region);
	CHECK_EQ(decant_iter_advance(&view, 125), 0);
	slice = decant_owned_slice(owned, &view, 500);
	clone = decant_owned_get(owned);
	view = decant_owned_iter(owned);
	CHECK(!decant_owned_slice(slice, &view, 1)); /* begins before the slice */
	CHECK_EQ(decant_iter_advance(&view, 126), 0);
	CHECK(!decant_owned_slice(slice, &view, 1)); /* ends behind it */
	CHECK(clone == owned && slice);
	decant_owned_put(owned);
	decant_owned_put(clone);
	CHECK_EQ(releases, 0);
	CHECK(reads_as(slice, want + 125, 500));
	CHECK_EQ(decant_owned_elements(slice), 11);
	view = decant_owned_iter(slice);
	CHECK_EQ(decant_iter_revert(&view, 1), -EINVAL);
	CHECK_EQ(decant_iter_advance(&view, 30), 0);
	inner = decant_owned_slice(slice, &view, SIZE_MAX);
	decant_owned_put(slice);
	CHECK(inner && reads_as(inner, want + 155, 470));
	REQUIRE(!decant_iter_buf(&foreign, DECANT_SOURCE, memory, 10));
	CHECK(!decant_owned_slice(inner, &foreign, 5));
	view = decant_owned_iter(inner);
	CHECK_EQ(decant_iter_advance(&view, 470), 0);
	slice = decant_owned_slice(inner, &view, 5);
	CHECK(slice && reads_as(slice, want, 0));
	CHECK_EQ(decant_owned_elements(slice), 0);
	decant_owned_put(slice);
	CHECK_EQ(releases, 0);
	decant_owned_put(inner);
	CHECK_EQ(releases, 1);
	decant_owned_put(NULL);
}

static void policies(void)
{
	struct decant_own_options options = {.size = sizeof(options)};
	struct decant_region *region = region_at(0, 100);
	struct iovec iov[2] = {{memory + 50, 50}, {memory + 200, 50}};
	struct decant_space *space;
	struct decant_owned *owned;
	struct decant_iter it, before;
	unsigned char want[100];

	fill();
	memcpy(want, memory + 50, 50);
	memcpy(want + 50, memory + 200, 50);
	REQUIRE(!decant_space_new(&space) && !decant_space_add(space, region));
	REQUIRE(!decant_iter_iovec(&it, DECANT_SOURCE, iov, 2));
	before = it;
	options.space = space;
	options.policy = DECANT_REFUSE;
	CHECK(!decant_iter_own(&it, SIZE_MAX, &options));
	CHECK_EQ(options.error, -ENOKEY);
	CHECK(!memcmp(&it, &before, sizeof(it)));
	CHECK_EQ(decant_region_refs(region), 2);
	options.policy = DECANT_STAGE;
	owned = decant_iter_own(&it, SIZE_MAX, &options);
	CHECK_EQ(options.error, 0);
	REQUIRE(owned);
	CHECK_EQ(decant_region_refs(region), 3);
	memset(memory + 200, 0, 50);
	CHECK(reads_as(owned, want, 100));
	CHECK(decant_owned_iter(owned).count == 100);
	decant_owned_put(owned);
	/* A destination can't be copied ahead of time. */
	REQUIRE(!decant_iter_iovec(&it, DECANT_DEST, iov, 2));
	CHECK(!decant_iter_own(&it, SIZE_MAX, &options));
	CHECK_EQ(options.error, -ENOKEY);
	options.policy = DECANT_TRUST;
	owned = decant_iter_own(&it, SIZE_MAX, &options);
	CHECK(owned && !options.error);
	decant_owned_put(owned);
	CHECK_EQ(decant_region_refs(region), 2);
	decant_space_free(space);
	decant_region_put(region);
}

/* Bytes the heap has given out; always 0 under a sanitizer. */
static size_t heap_bytes(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* A header on the stack before registered data: only the header is copied. */
static void copies_what_it_must(void)
{
	struct decant_own_options options = {.size = sizeof(options),
					     .policy = DECANT_STAGE};
	size_t large = (size_t)64 << 20, before;
	unsigned char *data = calloc(1, large), *later = malloc(300000);
	unsigned char header[24] = "header";
	struct iovec iov[3] = {{header, 24}, {data, large}, {NULL, 0}};
	struct decant_region *region;
	struct decant_owned *owned;
	struct decant_iter it;

	REQUIRE(data && later);
	memset(later, 7, 300000);
	iov[2] = (struct iovec){later, 300000};
	REQUIRE(!decant_region_new(&region, data, large, NULL));
	REQUIRE(!decant_space_new(&options.space));
	REQUIRE(!decant_space_add(options.space, region));
	REQUIRE(!decant_iter_iovec(&it, DECANT_SOURCE, iov, 3));
	before = heap_bytes();
	owned = decant_iter_own(&it, SIZE_MAX, &options);
	REQUIRE(owned);
	CHECK(heap_bytes() - before < 1 << 20);
	CHECK_EQ(decant_owned_iter(owned).count, 24 + large + 300000);
	memset(header, 0, 24);
	memset(later, 0, 300000);
	it = decant_owned_iter(owned);
	CHECK(!memcmp(decant_iter_peek(&it).addr, "header", 7));
	REQUIRE(!decant_iter_advance(&it, 24 + large));
	for (size_t i = 0; i < 300000 && !check_failed; i += 999) {
		CHECK_EQ(*(unsigned char *)decant_iter_peek(&it).addr, 7);
		REQUIRE(!decant_iter_advance(&it, 300000 - i < 999 ? 300000 - i : 999));
	}
	decant_owned_put(owned);
	decant_space_free(options.space);
	decant_region_put(region);
	free(data);
	free(later);
}

static void bad_options(void)
{
	struct decant_own_options options = {.size = 3};
	struct decant_iter it;

	REQUIRE(!decant_iter_buf(&it, DECANT_SOURCE, memory, 10));
	CHECK(!decant_iter_own(&it, 10, &options));
	CHECK_EQ(options.error, -EINVAL);
	options.size = sizeof(options);
	options.policy = (enum decant_policy)9;
	CHECK(!decant_iter_own(&it, 10, &options));
	CHECK_EQ(options.error, -EINVAL);
	CHECK_EQ(decant_iter_count(&it), 10);
}

static void empty(void)
{
	struct decant_owned *owned, *slice;
	struct decant_iter it, view;

	REQUIRE(!decant_iter_buf(&it, DECANT_SOURCE, memory, 10));
	owned = decant_iter_own(&it, 0, NULL);
	REQUIRE(owned);
	CHECK_EQ(decant_owned_elements(owned), 0);
	view = decant_owned_iter(owned);
	CHECK_EQ(decant_iter_count(&view), 0);
	slice = decant_owned_slice(owned, &view, 1);
	CHECK(slice);
	decant_owned_put(owned);
	decant_owned_put(slice);
}

static void a_million_fragments(void)
{
	size_t nr = 1000000;
	struct decant_bvec *bv = malloc(nr * sizeof(*bv));
	struct decant_region *region = region_at(0, sizeof(memory));
	struct decant_owned *owned;
	struct decant_iter it;

	REQUIRE(bv);
	for (size_t i = 0; i < nr; i++)
		bv[i] = (struct decant_bvec){memory + 2 * (i % 4000), 1, region};
	REQUIRE(!decant_iter_bvec(&it, DECANT_DEST, bv, nr));
	owned = decant_iter_own(&it, SIZE_MAX, NULL);
	free(bv);
	REQUIRE(owned);
	CHECK_EQ(decant_owned_elements(owned), nr);
	CHECK_EQ(decant_region_refs(region), 2);
	it = decant_owned_iter(owned);
	CHECK_EQ(it.direction, DECANT_DEST);
	CHECK_EQ(decant_iter_seek(&it, nr - 1), 0);
	CHECK(decant_iter_peek(&it).addr == memory + 2 * ((nr - 1) % 4000));
	decant_owned_put(owned);
	CHECK_EQ(decant_region_refs(region), 1);
	decant_region_put(region);
}

int main(void)
{
	static const struct check_case cases[] = {
		{"survives its creator's lists and stack", survives_its_creator},
		{"slices, slices of slices, clones", slices_and_clones},
		{"trust, refuse, stage", policies},
		{"a copy is made of what must be copied, no more", copies_what_it_must},
		{"bad options", bad_options},
		{"empty", empty},
		{"a million fragments", a_million_fragments},
	};

	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
