/* SPDX-License-Identifier: MIT */
/* backed.c - regions that the library maps itself, and who holds what. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <decant/decant.h>
#include "check.h"

#define PAGE 4096

static bool is_mapped(const void *addr)
{
	unsigned char state;

	return !mincore((void *)(uintptr_t)addr, 1, &state);
}

static void by_memfd(void)
{
	struct decant_region *region = NULL;
	struct decant_span span;
	char back[6] = {0};
	int fd = -1;

	REQUIRE(!decant_region_memfd(&region, "decant-test", 3 * PAGE, &fd));
	span = decant_region_span(region);
	CHECK_EQ(span.len, 3 * PAGE);
	memcpy((char *)span.addr + PAGE, "poured", 6);
	CHECK_EQ(pread(fd, back, 6, PAGE), 6);
	CHECK(!memcmp(back, "poured", 6));
	decant_region_put(region);
	CHECK(!is_mapped(span.addr));
	close(fd);
	REQUIRE(!decant_region_memfd(&region, "decant-test", 1, NULL));
	decant_region_put(region);
	CHECK_EQ(decant_region_memfd(&region, "decant-test", 0, &fd), -EINVAL);
	CHECK_EQ(decant_region_memfd(&region, "decant-test", SIZE_MAX, &fd), -EOVERFLOW);
}

static int file_with(const char *text, size_t len)
{
	int fd = open(".", O_TMPFILE | O_RDWR, 0600);

	REQUIRE(fd >= 0 && !ftruncate(fd, 2 * PAGE));
	REQUIRE(pwrite(fd, text, len, PAGE) == (ssize_t)len);
	return fd;
}

static void by_file(void)
{
	int fd = file_with("decanted", 8);
	struct decant_region *region = (void *)&fd;
	struct decant_iter it;
	char back[8];

	CHECK_EQ(decant_region_file(&region, fd, 1, PAGE, DECANT_SOURCE), -EINVAL);
	CHECK_EQ(decant_region_file(&region, fd, 0, 0, DECANT_SOURCE), -EINVAL);
	CHECK_EQ(decant_region_file(&region, fd, UINT64_MAX, 1, DECANT_SOURCE),
		 -EOVERFLOW);
	CHECK_EQ(decant_region_file(&region, -1, 0, 1, DECANT_SOURCE), -EBADF);
	CHECK_EQ(decant_region_file(&region, fd, 0, 1, (enum decant_direction)7),
		 -EINVAL);
	CHECK(region == (void *)&fd);
	REQUIRE(!decant_region_file(&region, fd, PAGE, PAGE, DECANT_DEST));
	REQUIRE(!decant_iter_buf(&it, DECANT_SOURCE, decant_region_span(region).addr, 8));
	CHECK_EQ(decant_copy_to(back, &it, 8), 8);
	CHECK(!memcmp(back, "decanted", 8));
	memcpy(decant_region_span(region).addr, "D", 1);
	CHECK_EQ(pread(fd, back, 1, PAGE), 1);
	CHECK_EQ(back[0], 'D');
	close(fd);
	CHECK_EQ(((char *)decant_region_span(region).addr)[7], 'd');
	decant_region_put(region);
}

struct names {
	unsigned nr;
	const char *last;
};

static void note_name(void *user, const char *name)
{
	struct names *names = user;

	names->nr++;
	names->last = name;
}

static size_t holders_of(struct decant_region *region, struct names *names)
{
	*names = (struct names){0};
	return decant_region_holders(region, note_name, names);
}

static void holders(void)
{
	struct decant_hold hold = {.name = "a read"}, other = {0};
	struct decant_region *region;
	struct names names;

	REQUIRE(!decant_region_memfd(&region, "decant-test", PAGE, NULL));
	CHECK_EQ(holders_of(region, &names), 0);
	REQUIRE(!decant_hold_add(&other, region) && !decant_hold_add(&hold, region));
	CHECK_EQ(holders_of(region, &names), 2 * DEBUG_HOLDS);
	CHECK_EQ(names.nr, 2 * DEBUG_HOLDS);
	decant_hold_release(&other);
	CHECK_EQ(holders_of(region, &names), DEBUG_HOLDS);
	CHECK(!names.last || !strcmp(names.last, "a read"));
	decant_hold_truncate(&hold, 0);
	CHECK_EQ(holders_of(region, &names), 0);
	decant_hold_release(&hold);
	CHECK(!strcmp(hold.name, "a read"));
	decant_region_put(region);
}

static void poison(void)
{
	struct decant_pool_options options = {sizeof(options), PAGE, 1, true};
	struct decant_pool *pool;
	struct decant_span span;

	REQUIRE(!decant_pool_new(&pool, &options));
	span = decant_pool_get(pool);
	memset(span.addr, 1, span.len);
	decant_pool_put(pool, span.addr);
	CHECK_EQ(*(unsigned char *)span.addr, DEBUG_HOLDS ? 0xdb : 1);
	decant_pool_free(pool);
}

int main(void)
{
	static const struct check_case cases[] = {
		{"memory behind a descriptor", by_memfd},
		{"a part of a file", by_file},
		{"a debug build names who holds a region", holders},
		{"a debug build poisons what is given back", poison},
	};

	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
