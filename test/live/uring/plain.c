/* SPDX-License-Identifier: MIT */
/*
 * plain.c - operations of one piece that a file takes as it lies: they take a short way,
 * and nobody must see which way it was.
 */
#include "rig.h"

#define BYTES 16384u
#define BLOCK 4096u

static _Alignas(BLOCK) unsigned char memory[2 * BYTES];
static unsigned char content[BYTES];

struct fixture {
	struct rig rig;
	struct decant_space *space;
	struct decant_region *regions[2];
};

/* Regions over one half of the memory each, if @nr is two. */
static void fixture_init(struct fixture *f, enum decant_uring_direct direct, size_t nr)
{
	*f = (struct fixture){0};
	REQUIRE(!decant_space_new(&f->space));
	for (size_t i = 0; i < nr; i++) {
		REQUIRE(!decant_region_new(&f->regions[i], memory + i * BYTES, BYTES,
					   NULL));
		REQUIRE(!decant_space_add(f->space, f->regions[i]));
	}
	f->rig.ring = rig_ring(0, f->space);
	f->rig.fd = rig_temporary(rig_dir());
	rig_random(content, BYTES);
	rig_put_content(f->rig.fd, content, BYTES);
	memset(memory, RIG_CANARY, sizeof(memory));
	REQUIRE(!decant_uring_file_open(&f->rig.file, f->rig.fd, direct));
}

static void fixture_fini(struct fixture *f)
{
	rig_fini(&f->rig);
	for (size_t i = 0; i < ARRAY_SIZE(f->regions); i++) {
		if (f->regions[i])
			CHECK_EQ(decant_region_refs(f->regions[i]), 2);
		decant_region_put(f->regions[i]);
	}
	decant_space_free(f->space);
}

static void memory_holds(size_t at, size_t pos, size_t len)
{
	CHECK(!memcmp(memory + at, content + pos, len));
	memset(memory + at, RIG_CANARY, len);
	for (size_t i = 0; i < sizeof(memory); i++)
		CHECK(memory[i] == RIG_CANARY);
}

static struct decant_uring_stats stats_of(const struct fixture *f)
{
	struct decant_uring_stats stats;

	decant_uring_stats(f->rig.ring, &stats);
	return stats;
}

static void read_at(struct fixture *f, struct decant_iter *it, size_t at, size_t pos,
		    size_t len)
{
	CHECK_EQ(rig_read(&f->rig, it, len, pos), len);
	memory_holds(at, pos, len);
}

/* From the middle of what they walk, with empty elements before it. */
static void kinds(enum decant_uring_direct direct)
{
	struct decant_bvec bvec[] = {{memory + 5, 100, NULL}, {memory + BLOCK, BLOCK}};
	struct iovec iov[] = {{NULL, 0}, {memory, BYTES}, {NULL, 0}};
	struct decant_iter it = rig_buf(DECANT_DEST, memory, sizeof(memory));
	struct fixture f;

	fixture_init(&f, direct, 2);
	CHECK_EQ(decant_iter_advance(&it, BYTES), 0);
	read_at(&f, &it, BYTES, BLOCK, 2 * BLOCK);
	CHECK_EQ(decant_iter_consumed(&it), BYTES + 2 * BLOCK);
	REQUIRE(!decant_iter_iovec(&it, DECANT_DEST, iov, 3));
	CHECK_EQ(decant_iter_advance(&it, 2 * BLOCK), 0);
	read_at(&f, &it, 2 * BLOCK, 0, BLOCK);
	CHECK_EQ(decant_iter_count(&it), BYTES - 3 * BLOCK);
	bvec[1].region = f.regions[0];
	REQUIRE(!decant_iter_bvec(&it, DECANT_DEST, bvec, 2));
	CHECK_EQ(decant_iter_advance(&it, 100), 0);
	read_at(&f, &it, BLOCK, BYTES - BLOCK, BLOCK);
	CHECK_EQ(decant_iter_count(&it), 0);
	CHECK_EQ(stats_of(&f).elements, 3);
	CHECK_EQ(stats_of(&f).submissions, 3);
	CHECK_EQ(stats_of(&f).direct_bytes + stats_of(&f).buffered_bytes, 4 * BLOCK);
	/* What begins as they do, and does not lie in one piece. */
	bvec[0] = (struct decant_bvec){memory + BYTES, BLOCK};
	REQUIRE(!decant_iter_bvec(&it, DECANT_DEST, bvec, 2));
	CHECK_EQ(rig_read(&f.rig, &it, 2 * BLOCK, 0), 2 * BLOCK);
	CHECK(!memcmp(memory + BYTES, content, BLOCK));
	memset(memory + BYTES, RIG_CANARY, BLOCK);
	memory_holds(BLOCK, BLOCK, BLOCK);
	CHECK_EQ(stats_of(&f).resumed, 0);
	fixture_fini(&f);
}

static void all_kinds(void)
{
	kinds(DECANT_URING_DIRECT_AUTO);
	kinds(DECANT_URING_DIRECT_NEVER);
}

/* What begins in one region may end in another, or in none; all are held. */
static void owners(void)
{
	struct decant_iter it = rig_buf(DECANT_DEST, memory + BYTES - BLOCK, 2 * BLOCK);
	struct decant_bvec bvec;
	struct fixture f;

	fixture_init(&f, DECANT_URING_DIRECT_AUTO, 2);
	REQUIRE(!decant_uring_read(f.rig.ring, f.rig.file, &it, SIZE_MAX, 0, &f));
	CHECK_EQ(decant_region_refs(f.regions[0]), 3);
	CHECK_EQ(decant_region_refs(f.regions[1]), 3);
	CHECK_EQ(rig_event(f.rig.ring, &f), 2 * BLOCK);
	memory_holds(BYTES - BLOCK, 0, 2 * BLOCK);
	bvec = (struct decant_bvec){memory + BYTES, BLOCK, f.regions[1]};
	REQUIRE(!decant_iter_bvec(&it, DECANT_DEST, &bvec, 1));
	REQUIRE(!decant_uring_read(f.rig.ring, f.rig.file, &it, SIZE_MAX, 0, &f));
	CHECK_EQ(decant_region_refs(f.regions[0]), 2);
	CHECK_EQ(decant_region_refs(f.regions[1]), 3);
	CHECK_EQ(rig_event(f.rig.ring, &f), BLOCK);
	memory_holds(BYTES, 0, BLOCK);
	fixture_fini(&f);
	fixture_init(&f, DECANT_URING_DIRECT_AUTO, 1);
	it = rig_buf(DECANT_DEST, memory + BYTES - BLOCK, 2 * BLOCK);
	REQUIRE(!decant_uring_read(f.rig.ring, f.rig.file, &it, SIZE_MAX, 0, &f));
	CHECK_EQ(decant_region_refs(f.regions[0]), 3);
	CHECK_EQ(rig_event(f.rig.ring, &f), 2 * BLOCK);
	memory_holds(BYTES - BLOCK, 0, 2 * BLOCK);
	fixture_fini(&f);
}

/* The file ends within it, or has been cut: what is there, and no more is touched. */
static void end_of_file(enum decant_uring_direct direct)
{
	struct decant_iter it = rig_buf(DECANT_DEST, memory, sizeof(memory));
	struct fixture f;

	fixture_init(&f, direct, 1);
	CHECK_EQ(rig_read(&f.rig, &it, 2 * BLOCK, BYTES - BLOCK), BLOCK);
	memory_holds(0, BYTES - BLOCK, BLOCK);
	CHECK_EQ(rig_read(&f.rig, &it, BLOCK, BYTES), 0);
	REQUIRE(!ftruncate(f.rig.fd, BLOCK));
	it = rig_buf(DECANT_DEST, memory, sizeof(memory));
	CHECK_EQ(rig_read(&f.rig, &it, 2 * BLOCK, 0), BLOCK);
	memory_holds(0, 0, BLOCK);
	CHECK_EQ(rig_read(&f.rig, &it, BLOCK, BLOCK), 0);
	fixture_fini(&f);
}

static void ends_of_file(void)
{
	end_of_file(DECANT_URING_DIRECT_AUTO);
	end_of_file(DECANT_URING_DIRECT_NEVER);
}

/* Begin to write three bytes in the first block, then all of it. */
static void begin_both(struct fixture *f)
{
	struct decant_iter it = rig_buf(DECANT_SOURCE, memory, 3);

	rig_random(memory, sizeof(memory));
	memcpy(content + 1000, memory, 3);
	REQUIRE(!decant_uring_write(f->rig.ring, f->rig.file, &it, 3, 1000, content));
	it = rig_buf(DECANT_SOURCE, memory + BLOCK, BLOCK);
	REQUIRE(!decant_uring_write(f->rig.ring, f->rig.file, &it, BLOCK, 0, memory));
}

/* The results of the two, in whichever order they come. */
static void gather_both(struct fixture *f, ssize_t whole)
{
	struct decant_uring_event event;

	for (int i = 0; i < 2; i++) {
		REQUIRE(decant_uring_wait(f->rig.ring, &event, 1, 60000) == 1);
		CHECK_EQ(event.result, event.user == memory ? whole : 3);
	}
	CHECK(rig_file_holds(f->rig.fd, content, BYTES));
}

/* It waits for a write that changes a part of a block of its, and may be called off. */
static void behind_an_edge(void)
{
	struct fixture f;

	fixture_init(&f, DECANT_URING_DIRECT_AUTO, 1);
	for (size_t i = 0; i < check_cases(50); i++) {
		begin_both(&f);
		memcpy(content, memory + BLOCK, BLOCK);
		gather_both(&f, BLOCK);
		begin_both(&f);
		CHECK_EQ(decant_uring_cancel(f.rig.ring, memory), 1);
		gather_both(&f, -ECANCELED);
	}
	CHECK(stats_of(&f).edges > 0);
	fixture_fini(&f);
}

/* Pieces of @each bytes that are not adjacent, from the beginning of both regions. */
static size_t lay_pieces(struct iovec *iov, size_t len, size_t each)
{
	size_t nr = 0;

	for (size_t at = 0; at < len; at += each, nr++) {
		iov[nr].iov_base = memory + nr % 2 * BYTES + 2 * each * (nr / 2);
		iov[nr].iov_len = len - at < each ? len - at : each;
	}
	return nr;
}

static void pieces_hold(const struct iovec *iov, size_t nr, size_t pos, size_t len)
{
	for (size_t i = 0, n; i < nr && len; i++, pos += n, len -= n) {
		n = iov[i].iov_len < len ? iov[i].iov_len : len;
		CHECK(!memcmp(iov[i].iov_base, content + pos, n));
		memset(iov[i].iov_base, RIG_CANARY, n);
	}
	memory_holds(0, 0, 0);
}

static void read_pieces(struct fixture *f, size_t each, size_t pos, size_t len)
{
	struct iovec iov[BYTES / 64], kept[BYTES / 64];
	size_t there = BYTES - pos < len ? BYTES - pos : len;
	size_t nr = lay_pieces(iov, len, each);
	struct decant_iter it;

	memcpy(kept, iov, sizeof(kept));
	REQUIRE(!decant_iter_iovec(&it, DECANT_DEST, iov, nr));
	REQUIRE(!decant_uring_read(f->rig.ring, f->rig.file, &it, SIZE_MAX, pos, f));
	CHECK_EQ(decant_iter_count(&it), 0);
	CHECK_EQ(decant_region_refs(f->regions[0]), 3);
	CHECK_EQ(decant_region_refs(f->regions[1]), 3);
	memset(iov, 0xff, sizeof(iov));
	CHECK_EQ(rig_event(f->rig.ring, f), there);
	pieces_hold(kept, nr, pos, there);
	CHECK_EQ(decant_region_refs(f->regions[0]), 2);
	CHECK_EQ(decant_region_refs(f->regions[1]), 2);
}

static void write_pieces(struct fixture *f, size_t each, size_t pos, size_t len)
{
	struct iovec iov[BYTES / 64];
	size_t nr = lay_pieces(iov, len, each);
	struct decant_iter it;

	rig_random(memory, sizeof(memory));
	REQUIRE(!decant_iter_iovec(&it, DECANT_SOURCE, iov, nr));
	for (size_t i = 0, at = pos; i < nr; at += iov[i++].iov_len)
		memcpy(content + at, iov[i].iov_base, iov[i].iov_len);
	CHECK_EQ(rig_write(&f->rig, &it, SIZE_MAX, pos), len);
	CHECK_EQ(decant_iter_count(&it), 0);
	CHECK(rig_file_holds(f->rig.fd, content, BYTES));
	memset(memory, RIG_CANARY, sizeof(memory));
}

/* With a ring that gathers pieces up to this size. */
static void fixture_gathering(struct fixture *f, enum decant_uring_direct direct,
			      size_t small, size_t regions)
{
	size_t before = rig_small_piece;

	rig_small_piece = small;
	fixture_init(f, direct, regions);
	rig_small_piece = before;
}

/* Small ones are gathered, few or many of them: the disk sees one. */
static void small_pieces(enum decant_uring_direct direct)
{
	static const size_t sizes[] = {64, 500, 512, 1000};
	struct decant_uring_stats stats;
	struct fixture f;

	fixture_gathering(&f, direct, 2048, 2);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		read_pieces(&f, sizes[i], BLOCK, BLOCK);
		read_pieces(&f, sizes[i], 0, BYTES);
		write_pieces(&f, sizes[i], 2 * BLOCK, BLOCK);
		write_pieces(&f, sizes[i], 0, BYTES);
	}
	stats = stats_of(&f);
	if (direct == DECANT_URING_DIRECT_NEVER) {
		/* Up to sixteen stay as they are: of one block all but the smallest. */
		CHECK_EQ(stats.elements, 2 * (1 + 9 + 8 + 5 + 4));
	} else {
		CHECK_EQ(stats.elements, 4 * ARRAY_SIZE(sizes));
		CHECK_EQ(stats.staged_bytes, 2 * ARRAY_SIZE(sizes) * (BYTES + BLOCK));
		CHECK_EQ(stats.direct_bytes, 0);
	}
	read_pieces(&f, 500, BYTES - BLOCK, 2 * BLOCK);
	REQUIRE(!ftruncate(f.rig.fd, BYTES - 100));
	REQUIRE(!ftruncate(f.rig.fd, BYTES));
	memset(content + BYTES - 100, 0, 100);
	read_pieces(&f, 500, BYTES - BLOCK, BLOCK);
	fixture_fini(&f);
}

static void all_small_pieces(void)
{
	small_pieces(DECANT_URING_DIRECT_AUTO);
	small_pieces(DECANT_URING_DIRECT_NEVER);
}

/* Each in a region of its own, of which an operation has room for a few. */
static void pieces_of_regions(void)
{
	struct decant_region *regions[16];
	struct iovec iov[16];
	struct decant_iter it;
	struct fixture f;

	fixture_gathering(&f, DECANT_URING_DIRECT_AUTO, 2048, 0);
	for (size_t i = 0; i < 16; i++) {
		iov[i] = (struct iovec){memory + 1024 * i, 256};
		REQUIRE(!decant_region_new(&regions[i], iov[i].iov_base, 512, NULL));
		REQUIRE(!decant_space_add(f.space, regions[i]));
	}
	REQUIRE(!decant_iter_iovec(&it, DECANT_DEST, iov, 16));
	CHECK_EQ(rig_read(&f.rig, &it, SIZE_MAX, 0), BLOCK);
	CHECK_EQ(stats_of(&f).elements, 1);
	pieces_hold(iov, 16, 0, BLOCK);
	for (size_t i = 0; i < 16; i++) {
		CHECK_EQ(decant_region_refs(regions[i]), 2);
		decant_region_put(regions[i]);
	}
	fixture_fini(&f);
}

/* Left to itself a ring gathers what is read, and what is written if it must. */
static void choice(void)
{
	struct decant_uring_buffers_info info;
	struct fixture f;

	fixture_gathering(&f, DECANT_URING_DIRECT_AUTO, 0, 2);
	read_pieces(&f, 1024, 0, BLOCK);
	CHECK_EQ(stats_of(&f).staged_bytes, BLOCK);
	write_pieces(&f, 1024, 0, BLOCK);
	decant_uring_buffers_info(f.rig.ring, &info);
	CHECK_EQ(stats_of(&f).staged_bytes, info.vectored ? BLOCK : 2 * BLOCK);
	CHECK_EQ(stats_of(&f).direct_bytes, info.vectored ? BLOCK : 0);
	write_pieces(&f, 2 * 1024, 0, BLOCK);
	CHECK_EQ(stats_of(&f).direct_bytes, info.vectored ? 2 * BLOCK : BLOCK);
	fixture_fini(&f);
}

/* A deadline that is over ends it before it began. */
static void too_late(void)
{
	struct decant_iter it = rig_buf(DECANT_DEST, memory, BLOCK);
	struct decant_uring_operation what = {
		.size = sizeof(what), .it = &it, .len = BLOCK, .deadline = 1};
	struct fixture f;

	fixture_init(&f, DECANT_URING_DIRECT_AUTO, 1);
	what.file = f.rig.file;
	what.user = &f;
	REQUIRE(!decant_uring_begin(f.rig.ring, &what));
	CHECK_EQ(rig_event(f.rig.ring, &f), -ETIMEDOUT);
	CHECK_EQ(stats_of(&f).submissions, 0);
	fixture_fini(&f);
}

int main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{"kinds", all_kinds},
		{"owners", owners},
		{"the end of the file", ends_of_file},
		{"behind an edge", behind_an_edge},
		{"too late", too_late},
		{"small pieces", all_small_pieces},
		{"small pieces of many regions", pieces_of_regions},
		{"choice", choice},
	};

	return rig_main(argc, argv, cases, ARRAY_SIZE(cases));
}
