/* SPDX-License-Identifier: MIT */
/* kind_process.c - a child's memory: copied both ways, with holes, after its death. */
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <decant/decant.h>
#include "check.h"

#define PAGE  ((size_t)4096)
#define PAGES 16

static unsigned char *area;
static unsigned char flat[PAGES * 4096], other[PAGES * 4096];
static struct iovec pieces[8192];

static unsigned char byte_at(size_t pos)
{
	return (unsigned char)(pos * 5 + pos / 256 + 1);
}

/* A child with the same layout, its own bytes, and perhaps a page out of reach. */
static pid_t begin(size_t hole)
{
	int ready[2];
	char byte;
	pid_t pid;

	if (!area)
		area = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	REQUIRE(area != MAP_FAILED && !pipe(ready));
	pid = fork();
	REQUIRE(pid >= 0);
	if (pid) {
		REQUIRE(read(ready[0], &byte, 1) == 1);
		close(ready[0]);
		close(ready[1]);
		return pid;
	}
	for (size_t i = 0; i < PAGES * PAGE; i++)
		area[i] = byte_at(i);
	if (hole < PAGES && mprotect(area + hole * PAGE, PAGE, PROT_NONE))
		_exit(1);
	if (write(ready[1], "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void finish(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static size_t cut(size_t len, size_t step)
{
	size_t nr = 0;

	for (size_t at = 0; at < len; at += step)
		pieces[nr++] =
			(struct iovec){area + at, len - at < step ? len - at : step};
	return nr;
}

static bool may(pid_t pid)
{
	struct decant_iter it;
	struct iovec iov = {area, 1};
	ssize_t n;

	REQUIRE(!decant_iter_process(&it, DECANT_SOURCE, pid, &iov, 1));
	n = decant_copy_to(flat, &it, 1);
	if (n == -EPERM || n == -ENOSYS)
		check_skip("process_vm_readv(2) is not allowed here");
	return n == 1;
}

static void all_cuts(void)
{
	static const size_t steps[] = {9, 100, 4096, 5000, 1 << 20};
	static struct iovec local[8192];
	pid_t pid = begin(PAGES);
	struct decant_iter src, dst;

	for (size_t i = 0; i < 25 && may(pid); i++) {
		size_t nr = 0, step = steps[i / 5];

		for (size_t at = 0; at < sizeof(flat); at += step)
			local[nr++] = (struct iovec){
				flat + at,
				sizeof(flat) - at < step ? sizeof(flat) - at : step};
		memset(flat, 0, sizeof(flat));
		REQUIRE(!decant_iter_process(&src, DECANT_SOURCE, pid, pieces,
					     cut(sizeof(flat), steps[i % 5])));
		REQUIRE(!decant_iter_iovec(&dst, DECANT_DEST, local, nr));
		errno = 77;
		CHECK_EQ(decant_copy(&dst, &src, SIZE_MAX), sizeof(flat));
		CHECK_EQ(errno, 77);
		for (size_t j = 0; j < sizeof(flat); j++)
			if (flat[j] != byte_at(j))
				check_fail(__FILE__, __LINE__, "byte %zu", j);
		/* Changed, and back into the child. */
		for (size_t j = 0; j < sizeof(flat); j++)
			flat[j] ^= 0xff;
		REQUIRE(!decant_iter_process(&dst, DECANT_DEST, pid, pieces,
					     cut(sizeof(flat), steps[i % 5])));
		REQUIRE(!decant_iter_iovec(&src, DECANT_SOURCE, local, nr));
		CHECK_EQ(decant_copy(&dst, &src, SIZE_MAX), sizeof(flat));
		CHECK_EQ(decant_iter_revert(&dst, sizeof(flat)), 0);
		CHECK_EQ(decant_iter_revert(&src, sizeof(flat)), 0);
		dst.direction = DECANT_SOURCE;
		CHECK_EQ(decant_equal(&dst, &src, sizeof(flat)), 1);
		for (size_t j = 0; j < sizeof(flat); j++)
			flat[j] ^= 0xff;
		dst.direction = DECANT_DEST;
		CHECK_EQ(decant_copy(&dst, &src, SIZE_MAX), sizeof(flat));
	}
	finish(pid);
}

/* Every byte before the hole, however it is cut; then -EFAULT; then what is behind it. */
static void a_hole(void)
{
	static const size_t steps[] = {9, 100, 4096, 5000, 1 << 20};
	struct decant_iter it, into;

	for (size_t hole = 0; hole < PAGES; hole += 5) {
		pid_t pid = begin(hole);

		for (size_t i = 0; i < 5 && (!hole || may(pid)); i++) {
			size_t nr = cut(sizeof(flat), steps[i]), done = 0;
			ssize_t n;

			REQUIRE(!decant_iter_process(&it, DECANT_SOURCE, pid, pieces,
						     nr));
			memset(flat, 0, sizeof(flat));
			while ((n = decant_copy_to(flat + done, &it, SIZE_MAX)) > 0)
				done += (size_t)n;
			if (n == -EPERM || n == -ENOSYS)
				break;
			CHECK_EQ(n, -EFAULT);
			CHECK_EQ(done, hole * PAGE);
			CHECK_EQ(decant_iter_consumed(&it), done);
			CHECK(!done || flat[done - 1] == byte_at(done - 1));
			CHECK(!decant_iter_advance(&it, PAGE));
			CHECK_EQ(decant_copy_to(flat, &it, SIZE_MAX),
				 sizeof(flat) - (hole + 1) * PAGE);
			REQUIRE(!decant_iter_process(&into, DECANT_DEST, pid, pieces,
						     nr));
			CHECK_EQ(decant_zero(&into, 0), 0);
			if (hole) {
				CHECK_EQ(decant_copy_from(&into, flat, 1), 1);
				flat[0] = byte_at(0);
				CHECK(!decant_iter_seek(&into, 0));
				CHECK_EQ(decant_copy_from(&into, flat, 1), 1);
			} else {
				CHECK_EQ(decant_zero(&into, 9), -EFAULT);
			}
		}
		finish(pid);
	}
}

static void one_child_to_another(void)
{
	pid_t from = begin(PAGES), to = begin(9);
	struct decant_iter src, dst;
	size_t done = 0;
	ssize_t n;

	if (may(from)) {
		size_t nr = cut(PAGES * PAGE, 1111);

		REQUIRE(!decant_iter_process(&dst, DECANT_DEST, to, pieces, nr));
		CHECK_EQ(decant_fill(&dst, 0xee, SIZE_MAX), 9 * PAGE);
		CHECK_EQ(decant_fill(&dst, 0xee, SIZE_MAX), -EFAULT);
		CHECK(!decant_iter_seek(&dst, 0));
		REQUIRE(!decant_iter_process(&src, DECANT_SOURCE, from, pieces, nr));
		while ((n = decant_copy(&dst, &src, SIZE_MAX)) > 0)
			done += (size_t)n;
		CHECK_EQ(n, -EFAULT);
		CHECK_EQ(done, 9 * PAGE);
		CHECK_EQ(decant_iter_consumed(&src), done);
		REQUIRE(!decant_iter_process(&dst, DECANT_SOURCE, to, pieces, nr));
		CHECK(!decant_iter_seek(&src, 0));
		CHECK_EQ(decant_equal(&src, &dst, done), 1);
		CHECK_EQ(decant_equal(&src, &dst, done + 1), -EFAULT);
	}
	finish(from);
	finish(to);
}

static void dead(void)
{
	struct iovec iov = {flat, 8};
	struct decant_iter it;
	pid_t pid = begin(PAGES);
	bool allowed = may(pid);

	finish(pid);
	REQUIRE(!decant_iter_process(&it, DECANT_SOURCE, pid, &iov, 1));
	if (!allowed)
		return;
	CHECK_EQ(decant_copy_to(other, &it, 8), -ESRCH);
	CHECK_EQ(decant_iter_count(&it), 8);
	it.direction = DECANT_DEST;
	CHECK_EQ(decant_zero(&it, 8), -ESRCH);
}

/* Staged both ways around a hole. */
static void through_a_stage(void)
{
	static unsigned char scratch[PAGES * 4096] __attribute__((aligned(4096)));
	struct decant_span memory = {scratch, sizeof(scratch), NULL};
	struct decant_staged records[64];
	struct decant_stage stage;
	struct decant_sink sink;
	struct decant_iter it;
	struct iovec table[64];
	pid_t pid = begin(5);
	size_t nr = cut(PAGES * PAGE, 777);

	decant_stage_init(&stage, memory, records, 64);
	decant_sink_iovec(&sink, table, 64);
	REQUIRE(!decant_iter_process(&it, DECANT_SOURCE, pid, pieces, nr));
	CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), -EFAULT);
	CHECK_EQ(sink.stop, DECANT_STOP_FAULT);
	CHECK(!decant_iter_own(&it, SIZE_MAX, NULL));
	if (may(pid)) {
		sink.stage = &stage;
		sink.limits.len_align = 512;
		CHECK_EQ(decant_extract(&it, &sink, SIZE_MAX), 5 * PAGE);
		CHECK_EQ(sink.stop, DECANT_STOP_FAULT);
		CHECK_EQ(sink.nr, 1);
		for (size_t i = 0; i < 5 * PAGE; i++)
			if (scratch[i] != byte_at(i))
				check_fail(__FILE__, __LINE__, "byte %zu", i);
		decant_stage_reset(&stage);
		decant_sink_reset(&sink);
		REQUIRE(!decant_iter_process(&it, DECANT_DEST, pid, pieces, nr));
		CHECK_EQ(decant_extract(&it, &sink, 6 * PAGE), 6 * PAGE);
		memset(scratch, 0x42, 6 * PAGE);
		CHECK_EQ(decant_stage_scatter(&stage, 6 * PAGE), 5 * PAGE);
	}
	finish(pid);
}

static void what_is_refused(void)
{
	struct iovec iov = {flat, 8}, wraps = {flat, SIZE_MAX}, null = {NULL, 1};
	struct decant_iter it;

	CHECK_EQ(decant_iter_process(&it, DECANT_SOURCE, 0, &iov, 1), -EINVAL);
	CHECK_EQ(decant_iter_process(&it, DECANT_SOURCE, -1, &iov, 1), -EINVAL);
	CHECK_EQ(decant_iter_process(&it, (enum decant_direction)9, 1, &iov, 1), -EINVAL);
	CHECK_EQ(decant_iter_process(&it, DECANT_SOURCE, 1, NULL, 1), -EFAULT);
	CHECK_EQ(decant_iter_process(&it, DECANT_SOURCE, 1, &wraps, 1), -EFAULT);
	CHECK_EQ(decant_iter_process(&it, DECANT_SOURCE, 1, &null, 1), -EFAULT);
	CHECK_EQ(decant_iter_process(&it, DECANT_SOURCE, 1, NULL, 0), 0);
}

int main(void)
{
	static const struct check_case cases[] = {
		{"a child's memory, any cut on either side, both ways", all_cuts},
		{"every byte before a hole, then -EFAULT", a_hole},
		{"one child's memory into another's", one_child_to_another},
		{"a dead process is -ESRCH", dead},
		{"through a stage, both ways, up to a hole", through_a_stage},
		{"bad arguments are refused", what_is_refused},
	};

	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
