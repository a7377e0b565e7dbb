/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_URING_RIG_H
#define DECANT_TEST_URING_RIG_H
/*
 * rig.h - a ring, a file and memory in pieces. Every program runs once for each back end,
 * which is its argument: ring, threads; some also for a ring of one thread: one.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>
#include <decant/uring.h>
#include "check.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define RIG_CANARY    0xee
#define RIG_UNUSED    __attribute__((unused)) static

static enum decant_uring_backend rig_backend;
static bool rig_one_thread;
/* 1: what can go directly does; 0: what a ring does by itself. */
__attribute__((unused)) static size_t rig_small_piece = 1;
static const enum decant_uring_direct rig_directs[] = {DECANT_URING_DIRECT_AUTO,
						       DECANT_URING_DIRECT_NEVER};

struct rig {
	struct decant_uring *ring;
	struct decant_uring_file *file;
	int fd;
};

RIG_UNUSED struct decant_uring *rig_ring(unsigned depth, struct decant_space *space)
{
	struct decant_uring_options options = {.size = sizeof(options),
					       .depth = depth,
					       .backend = rig_backend,
					       .one_thread = rig_one_thread,
					       .space = space,
					       .small_piece = rig_small_piece};
	struct decant_uring *ring;

	REQUIRE(decant_uring_new(&ring, &options) == 0);
	return ring;
}

RIG_UNUSED const char *rig_dir(void)
{
	const char *dir = getenv("DECANT_TEST_DIR");

	return dir ? dir : ".";
}

RIG_UNUSED void rig_put_content(int fd, const void *content, size_t len)
{
	REQUIRE(ftruncate(fd, 0) == 0);
	REQUIRE(pwrite(fd, content, len, 0) == (ssize_t)len);
}

/* A file without a name in @dir. */
RIG_UNUSED int rig_temporary(const char *dir)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/decant-XXXXXX", dir);
	fd = mkostemp(path, O_CLOEXEC);
	REQUIRE(fd >= 0);
	unlink(path);
	return fd;
}

RIG_UNUSED void rig_init(struct rig *rig, const char *dir,
			 enum decant_uring_direct direct)
{
	rig->ring = rig_ring(0, NULL);
	rig->fd = rig_temporary(dir);
	REQUIRE(decant_uring_file_open(&rig->file, rig->fd, direct) == 0);
}

RIG_UNUSED void rig_fini(struct rig *rig)
{
	decant_uring_free(rig->ring);
	decant_uring_file_close(rig->file);
	close(rig->fd);
}

RIG_UNUSED ssize_t rig_event(struct decant_uring *ring, void *user)
{
	struct decant_uring_event event = {0};

	REQUIRE(decant_uring_wait(ring, &event, 1, 60000) == 1);
	CHECK(event.user == user);
	return event.result;
}

RIG_UNUSED ssize_t rig_read(struct rig *rig, struct decant_iter *it, size_t len,
			    uint64_t pos)
{
	int err = decant_uring_read(rig->ring, rig->file, it, len, pos, rig);

	return err ? err : rig_event(rig->ring, rig);
}

RIG_UNUSED ssize_t rig_write(struct rig *rig, struct decant_iter *it, size_t len,
			     uint64_t pos)
{
	int err = decant_uring_write(rig->ring, rig->file, it, len, pos, rig);

	return err ? err : rig_event(rig->ring, rig);
}

RIG_UNUSED void rig_random(unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (unsigned char)check_random();
}

RIG_UNUSED struct decant_iter rig_buf(enum decant_direction direction, void *addr,
				      size_t len)
{
	struct decant_iter it;

	REQUIRE(decant_iter_buf(&it, direction, addr, len) == 0);
	return it;
}

/* How memory is cut into pieces. */
enum cut_style {
	CUT_WHOLE,
	CUT_ODD,
	CUT_BLOCKS,
	CUT_TAIL,
	CUT_RANDOM,
	CUT_BYTES,
	CUT_STYLES
};

struct cut {
	unsigned char *arena;
	size_t size;
	size_t len;
	struct iovec *iov;
	size_t nr;
};

RIG_UNUSED size_t cut_piece(enum cut_style style, size_t nr, size_t left)
{
	size_t n = left;

	if (style == CUT_BLOCKS)
		n = 512 * (1 + nr % 3);
	else if (style == CUT_TAIL)
		n = nr ? left : 968;
	else if (style == CUT_RANDOM)
		n = check_below(4) ? check_below(1500) : 0;
	else if (style == CUT_BYTES)
		n = 1;
	return n < left ? n : left;
}

/* Where a piece starts: behind a gap, so that pieces are not adjacent by luck. */
RIG_UNUSED size_t cut_place(enum cut_style style, size_t at)
{
	if (style == CUT_WHOLE || style == CUT_BLOCKS || style == CUT_TAIL)
		return ((at + 511) & ~(size_t)511) + 512;
	if (style == CUT_ODD)
		return at + 4097;
	return at + check_below(3);
}

RIG_UNUSED void cut_init(struct cut *cut, size_t len, enum cut_style style)
{
	size_t at = 0, left = len;

	*cut = (struct cut){.size = 3 * len + 32768, .len = len};
	REQUIRE(!posix_memalign((void **)&cut->arena, 4096, cut->size));
	cut->iov = calloc(2 * len + 64, sizeof(*cut->iov));
	REQUIRE(cut->iov);
	memset(cut->arena, RIG_CANARY, cut->size);
	while (left) {
		size_t n = cut_piece(style, cut->nr, left);

		at = cut_place(style, at);
		REQUIRE(at + n <= cut->size && cut->nr < 2 * len + 64);
		cut->iov[cut->nr++] = (struct iovec){cut->arena + at, n};
		at += n;
		left -= n;
	}
}

RIG_UNUSED void cut_fini(struct cut *cut)
{
	free(cut->iov);
	free(cut->arena);
}

RIG_UNUSED struct decant_iter cut_iter(const struct cut *cut,
				       enum decant_direction direction)
{
	struct decant_iter it;

	REQUIRE(decant_iter_iovec(&it, direction, cut->iov, cut->nr) == 0);
	return it;
}

RIG_UNUSED void cut_fill(struct cut *cut, const unsigned char *flat)
{
	for (size_t i = 0; i < cut->nr; i++) {
		memcpy(cut->iov[i].iov_base, flat, cut->iov[i].iov_len);
		flat += cut->iov[i].iov_len;
	}
}

/* Take the expected bytes away; what is left must be untouched. */
RIG_UNUSED bool cut_holds(struct cut *cut, const unsigned char *flat, size_t len)
{
	bool ok = true;

	for (size_t i = 0; i < cut->nr && len; i++) {
		size_t n = cut->iov[i].iov_len < len ? cut->iov[i].iov_len : len;

		ok &= !memcmp(cut->iov[i].iov_base, flat, n);
		memset(cut->iov[i].iov_base, RIG_CANARY, n);
		flat += n;
		len -= n;
	}
	for (size_t i = 0; i < cut->size; i++)
		ok &= cut->arena[i] == RIG_CANARY;
	return ok;
}

RIG_UNUSED bool rig_file_holds(int fd, const unsigned char *model, size_t len)
{
	unsigned char *bytes = malloc(len + 1);
	bool ok;

	REQUIRE(bytes);
	ok = pread(fd, bytes, len + 1, 0) == (ssize_t)len && !memcmp(bytes, model, len);
	free(bytes);
	return ok;
}

RIG_UNUSED int rig_main(int argc, char **argv, const struct check_case *cases, size_t nr)
{
	struct decant_uring_options options = {.size = sizeof(options)};
	struct decant_uring *ring;

	rig_backend = argc > 1 && !strcmp(argv[1], "threads") ? DECANT_URING_THREADS
							      : DECANT_URING_RING;
	rig_one_thread = argc > 1 && !strcmp(argv[1], "one");
	options.backend = rig_backend;
	if (decant_uring_new(&ring, &options)) {
		printf("1..0 # SKIP io_uring can't be had\n");
		return 0;
	}
	decant_uring_free(ring);
	check_seed_init();
	return check_run(cases, nr);
}

#endif
