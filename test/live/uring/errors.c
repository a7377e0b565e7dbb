/* SPDX-License-Identifier: MIT */
/* errors.c - what is refused, what fails half-way, and which way files are opened. */
#include <sys/resource.h>
#include "child.h"
#include "rig.h"

#define BYTES 65536u

static unsigned char bytes[BYTES] __attribute__((aligned(4096)));

static void refused(void)
{
	struct decant_iter from = rig_buf(DECANT_SOURCE, bytes, 10);
	struct decant_iter to = rig_buf(DECANT_DEST, bytes, 10);
	struct rig rig;

	rig_init(&rig, rig_dir(), DECANT_URING_DIRECT_AUTO);
	CHECK_EQ(rig_read(&rig, &from, 10, 0), -EINVAL);
	CHECK_EQ(rig_write(&rig, &to, 10, 0), -EINVAL);
	CHECK_EQ(rig_read(&rig, &to, 10, UINT64_MAX), -EOVERFLOW);
	CHECK_EQ(rig_write(&rig, &from, 10, INT64_MAX - 9), -EOVERFLOW);
	CHECK_EQ(decant_iter_count(&from) + decant_iter_count(&to), 20);
	CHECK_EQ(rig_read(&rig, &to, SIZE_MAX, 0), 0);
	CHECK_EQ(decant_iter_count(&to), 0);
	rig_fini(&rig);
}

static void options(void)
{
	struct decant_uring_options good = {.size = sizeof(good)}, bad = good;
	struct decant_uring *ring = NULL;

	bad.size--;
	CHECK_EQ(decant_uring_new(&ring, &bad), -EINVAL);
	bad = good;
	bad.depth = 4097;
	CHECK_EQ(decant_uring_new(&ring, &bad), -EINVAL);
	bad = good;
	bad.backend = (enum decant_uring_backend)3;
	CHECK_EQ(decant_uring_new(&ring, &bad), -EINVAL);
	bad = good;
	bad.stage_bytes = SIZE_MAX;
	CHECK_EQ(decant_uring_new(&ring, &bad), -EINVAL);
	CHECK(!ring);
	good.depth = 4096;
	good.backend = rig_backend;
	CHECK_EQ(decant_uring_new(&ring, &good), 0);
	CHECK_EQ(decant_uring_backend(ring), rig_backend);
	CHECK(!decant_uring_reason(ring));
	decant_uring_free(ring);
	CHECK_EQ(decant_uring_new(&ring, NULL), 0);
	decant_uring_free(ring);
	decant_uring_free(NULL);
}

static int open_error(int fd, enum decant_uring_direct direct)
{
	struct decant_uring_file *file;
	int err = decant_uring_file_open(&file, fd, direct);

	if (!err)
		decant_uring_file_close(file);
	return err;
}

static void open_errors(void)
{
	int dir = open(".", O_RDONLY | O_CLOEXEC), fds[2];
	int path = open(".", O_PATH | O_CLOEXEC);

	REQUIRE(pipe2(fds, O_CLOEXEC) == 0);
	CHECK_EQ(open_error(-1, DECANT_URING_DIRECT_AUTO), -EBADF);
	CHECK_EQ(open_error(dir, DECANT_URING_DIRECT_AUTO), -EISDIR);
	CHECK_EQ(open_error(path, DECANT_URING_DIRECT_AUTO), -EBADF);
	CHECK_EQ(open_error(fds[0], DECANT_URING_DIRECT_ALWAYS), -EINVAL);
	CHECK_EQ(open_error(fds[0], DECANT_URING_DIRECT_AUTO), 0);
	CHECK_EQ(open_error(fds[0], (enum decant_uring_direct)3), -EINVAL);
	decant_uring_file_close(NULL);
	close(dir);
	close(path);
	close(fds[0]);
	close(fds[1]);
}

/* Write through a descriptor with @flags, off every edge, and read it back. */
static void through(int flags, enum decant_uring_direct direct, bool want_direct)
{
	struct rig rig = {.ring = rig_ring(0, NULL)};
	struct decant_uring_file_info info;
	struct decant_iter it;

	rig.fd = open(rig_dir(), O_TMPFILE | O_RDWR | O_CLOEXEC | flags, 0600);
	REQUIRE(rig.fd >= 0);
	REQUIRE(decant_uring_file_open(&rig.file, rig.fd, direct) == 0);
	decant_uring_file_info(rig.file, &info);
	CHECK_EQ(info.direct, want_direct);
	CHECK(info.direct || (info.why && info.mem_align == 1 && info.offset_align == 1));
	rig_random(bytes, BYTES);
	it = rig_buf(DECANT_SOURCE, bytes, 10000);
	CHECK_EQ(rig_write(&rig, &it, 10000, 0), 10000);
	it = rig_buf(DECANT_DEST, bytes + 20001, 10001);
	CHECK_EQ(rig_read(&rig, &it, 10001, 0), 10000);
	CHECK(!memcmp(bytes, bytes + 20001, 10000));
	rig_fini(&rig);
}

static void open_ways(void)
{
	through(0, DECANT_URING_DIRECT_AUTO, true);
	through(0, DECANT_URING_DIRECT_ALWAYS, true);
	through(0, DECANT_URING_DIRECT_NEVER, false);
	through(O_DIRECT, DECANT_URING_DIRECT_AUTO, true);
	through(O_DIRECT, DECANT_URING_DIRECT_ALWAYS, true);
	through(O_DIRECT, DECANT_URING_DIRECT_NEVER, false);
	through(O_APPEND, DECANT_URING_DIRECT_AUTO, false);
	through(O_APPEND | O_DIRECT, DECANT_URING_DIRECT_AUTO, false);
}

/* The access mode is kept. */
static void wrong_mode(int flags, bool writes)
{
	struct decant_iter it =
		rig_buf(writes ? DECANT_SOURCE : DECANT_DEST, bytes, 8192);
	struct rig rig = {.ring = rig_ring(0, NULL)};
	char path[64];
	int fd = rig_temporary(rig_dir());

	rig_put_content(fd, bytes, 8192);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	rig.fd = open(path, flags | O_CLOEXEC);
	REQUIRE(rig.fd >= 0);
	REQUIRE(!decant_uring_file_open(&rig.file, rig.fd, DECANT_URING_DIRECT_AUTO));
	CHECK_EQ(writes ? rig_write(&rig, &it, 8192, 0) : rig_read(&rig, &it, 8192, 0),
		 -EBADF);
	rig_fini(&rig);
	close(fd);
}

static void access_mode(void)
{
	wrong_mode(O_RDONLY, true);
	wrong_mode(O_WRONLY, false);
}

static ssize_t write_at(struct rig *rig, size_t len, uint64_t pos)
{
	struct decant_iter it = rig_buf(DECANT_SOURCE, bytes, len);

	return rig_write(rig, &it, len, pos);
}

static int size_limit(void)
{
	struct rlimit limit = {.rlim_cur = 20480, .rlim_max = 20480};
	struct rig rig;

	signal(SIGXFSZ, SIG_IGN);
	for (size_t i = 0; i < ARRAY_SIZE(rig_directs); i++) {
		rig_init(&rig, rig_dir(), rig_directs[i]);
		setrlimit(RLIMIT_FSIZE, &limit);
		CHECK_EQ(write_at(&rig, 8192, 20480), -EFBIG);
		CHECK_EQ(write_at(&rig, 1, 20480), -EFBIG);
		CHECK_EQ(write_at(&rig, 20480, 0), 20480);
		CHECK_EQ(write_at(&rig, 40000, 0), 20480);
		CHECK_EQ(write_at(&rig, 40000, 100), 20380);
		CHECK_EQ(write_at(&rig, 9000, 20479), 1);
		rig_fini(&rig);
	}
	return 0;
}

static void file_size_limit(void)
{
	child_run(size_limit, NULL);
}

static int full(void)
{
	struct rig rig;

	if (!child_mounts() || mount("decant", "/mnt", "tmpfs", 0, "size=32k"))
		return CHILD_CANNOT;
	for (size_t i = 0; i < ARRAY_SIZE(rig_directs); i++) {
		rig_init(&rig, "/mnt", rig_directs[i]);
		CHECK_EQ(write_at(&rig, BYTES, 0), 32768);
		CHECK_EQ(write_at(&rig, 4096, 32768), -ENOSPC);
		CHECK_EQ(write_at(&rig, 10000, 32767), 1);
		rig_fini(&rig);
	}
	return 0;
}

static void no_space(void)
{
	child_run(full, "mounting takes root");
}

static struct decant_uring_stats stats_of(struct iovec *iov, size_t nr)
{
	struct decant_uring_stats stats;
	struct decant_iter it;
	struct rig rig;

	REQUIRE(decant_iter_iovec(&it, DECANT_DEST, iov, nr) == 0);
	rig_init(&rig, rig_dir(), DECANT_URING_DIRECT_ALWAYS);
	rig_put_content(rig.fd, bytes, BYTES);
	CHECK_EQ(rig_read(&rig, &it, SIZE_MAX, 0), 4096);
	decant_uring_stats(rig.ring, &stats);
	CHECK_EQ(stats.operations, 1);
	CHECK_EQ(stats.submissions, 1);
	CHECK_EQ(stats.resumed + stats.buffered_bytes, 0);
	CHECK_EQ(stats.direct_bytes + stats.staged_bytes, 4096);
	rig_fini(&rig);
	return stats;
}

/* Only what is misaligned goes through scratch memory. */
static void statistics(void)
{
	static char to[16384] __attribute__((aligned(4096)));
	struct iovec halves[] = {{to, 2048}, {to + 2048, 2048}};
	struct iovec apart[] = {{to + 512, 1024}, {to, 0}, {to + 4096, 3072}};
	struct iovec ragged[] = {{to, 968}, {to + 4096, 3128}};
	struct iovec odd_end[] = {{to, 3584}, {to + 4097, 512}};
	struct decant_uring_stats stats = stats_of(halves, 2);

	CHECK_EQ(stats.elements, 1);
	CHECK_EQ(stats.staged_bytes, 0);
	stats = stats_of(apart, 3);
	CHECK_EQ(stats.elements, 2);
	CHECK_EQ(stats.staged_bytes, 0);
	stats = stats_of(ragged, 2);
	CHECK_EQ(stats.direct_bytes, 512);
	stats = stats_of(odd_end, 2);
	CHECK_EQ(stats.staged_bytes, 512);
	rig_small_piece = 0;
	stats = stats_of(apart, 3);
	CHECK_EQ(stats.elements, 1);
	CHECK_EQ(stats.staged_bytes, 4096);
	rig_small_piece = 1;
}

int main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{"refused", refused},
		{"options", options},
		{"files that can't be opened", open_errors},
		{"ways to open a file", open_ways},
		{"the access mode is kept", access_mode},
		{"file size limit", file_size_limit},
		{"no space", no_space},
		{"statistics", statistics},
	};

	return rig_main(argc, argv, cases, ARRAY_SIZE(cases));
}
