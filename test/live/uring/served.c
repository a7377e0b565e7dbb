/* SPDX-License-Identifier: MIT */
/*
 * served.c - a file whose reads and writes are short, and fail where the test says, on
 * both back ends: the test is the file system.
 */
#include "child.h"
#include "server.h"

#define BYTES 262144u
#define BLOCK 4096u

static struct server server;
static unsigned char model[BYTES];

/* What both processes know: which bytes can't be read or written, whether to be short. */
static struct control {
	size_t bad_from, bad_to;
	bool bad_reads, bad_writes, shorten;
	_Atomic(bool) once;	   /* the next one gets one block */
	_Atomic(bool) stop, asked; /* and not before it may; somebody waits for it */
} * control;

static uint64_t state = 1;

/* The server's own numbers. */
static size_t draw(size_t n)
{
	uint64_t x = state += 0x9e3779b97f4a7c15ull;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	return (size_t)((x ^ (x >> 27)) >> 33) % n;
}

static ssize_t allow(bool writes, size_t pos, size_t len)
{
	bool bad = writes ? control->bad_writes : control->bad_reads;

	if (bad && pos < control->bad_to && pos + len > control->bad_from) {
		if (pos >= control->bad_from)
			return -EIO;
		len = control->bad_from - pos;
	}
	while (control->stop)
		control->asked = true;
	if (control->once)
		len = BLOCK;
	control->once = false;
	if (control->shorten && len > BLOCK && draw(2))
		len = (1 + draw(len / BLOCK)) * BLOCK;
	return (ssize_t)len;
}

static int (*served_case)(enum decant_uring_direct direct);

static int with_server(void)
{
	int status;

	control = server_shared(sizeof(*control));
	server = (struct server){.size = BYTES, .allow = allow};
	server.cached = rig_backend == DECANT_URING_RING;
	if (!child_mounts() || !server_start(&server))
		return CHILD_CANNOT;
	status = served_case(DECANT_URING_DIRECT_AUTO);
	if (rig_backend == DECANT_URING_THREADS)
		status |= served_case(DECANT_URING_DIRECT_NEVER);
	server_stop(&server);
	return status;
}

static void in_namespace(int (*run)(enum decant_uring_direct direct))
{
	served_case = run;
	child_run(with_server, "no fuse here, or mounting takes root");
}

static void begin(struct rig *rig, enum decant_uring_direct direct)
{
	struct decant_uring_file_info info;

	rig->ring = rig_ring(0, NULL);
	rig->fd = open(SERVER_FILE, O_RDWR | O_CLOEXEC);
	REQUIRE(rig->fd >= 0);
	REQUIRE(!decant_uring_file_open(&rig->file, rig->fd, direct));
	decant_uring_file_info(rig->file, &info);
	printf("# direct %d, offset %u, %s\n", info.direct, info.offset_align,
	       info.why ? info.why : "known");
	rig_random(model, BYTES);
	memcpy(server.bytes, model, BYTES);
}

static void read_one(struct rig *rig)
{
	size_t pos = check_below(BYTES), len = check_below(BYTES - pos);
	struct decant_iter it;
	struct cut cut;

	cut_init(&cut, len, (enum cut_style)check_below(CUT_BYTES));
	it = cut_iter(&cut, DECANT_DEST);
	CHECK_EQ(rig_read(rig, &it, len, pos), len);
	CHECK(cut_holds(&cut, model + pos, len));
	cut_fini(&cut);
}

static void write_one(struct rig *rig)
{
	size_t pos = check_below(BYTES), len = check_below(BYTES - pos);
	struct decant_iter it;
	struct cut cut;

	rig_random(model + pos, len);
	cut_init(&cut, len, (enum cut_style)check_below(CUT_BYTES));
	cut_fill(&cut, model + pos);
	it = cut_iter(&cut, DECANT_SOURCE);
	CHECK_EQ(rig_write(rig, &it, len, pos), len);
	CHECK(!memcmp(server.bytes, model, BYTES));
	cut_fini(&cut);
}

/* Short ones in whole blocks, as a disk's are. */
static int shortened(enum decant_uring_direct direct)
{
	struct decant_uring_stats stats;
	struct rig rig;

	begin(&rig, direct);
	control->shorten = true;
	for (size_t i = 0; i < check_cases(60); i++) {
		read_one(&rig);
		write_one(&rig);
	}
	control->shorten = false;
	decant_uring_stats(rig.ring, &stats);
	CHECK(stats.resumed > 0);
	rig_fini(&rig);
	return 0;
}

static void short_transfers(void)
{
	if (rig_backend == DECANT_URING_RING) {
		check_skip("the kernel goes on by itself, at the wrong place (server.h)");
		return;
	}
	in_namespace(shortened);
}

static void fail_between(size_t from, size_t to, bool reads, bool writes)
{
	control->bad_from = from;
	control->bad_to = to;
	control->bad_reads = reads;
	control->bad_writes = writes;
}

/* Everything ahead of a block that can't be read, and then the error. */
static int bad_block(enum decant_uring_direct direct)
{
	static unsigned char to[BYTES];
	struct decant_iter it;
	struct rig rig;

	begin(&rig, direct);
	fail_between(10 * BLOCK, 11 * BLOCK, true, false);
	for (size_t pos = 10 * BLOCK - 3; pos < 11 * BLOCK; pos += 1000) {
		size_t ahead = pos < 10 * BLOCK ? 10 * BLOCK - pos : 0;

		it = rig_buf(DECANT_DEST, to, BYTES);
		CHECK_EQ(rig_read(&rig, &it, 50000, pos), ahead ? (ssize_t)ahead : -EIO);
		CHECK(!memcmp(to, model + pos, ahead));
	}
	it = rig_buf(DECANT_DEST, to, BYTES);
	CHECK_EQ(rig_read(&rig, &it, SIZE_MAX, 1), 10 * BLOCK - 1);
	it = rig_buf(DECANT_DEST, to, BYTES);
	CHECK_EQ(rig_read(&rig, &it, SIZE_MAX, 11 * BLOCK + 5), BYTES - 11 * BLOCK - 5);
	fail_between(SIZE_MAX, SIZE_MAX, false, false);
	rig_fini(&rig);
	return 0;
}

static void reads_fail(void)
{
	in_namespace(bad_block);
}

/* The blocks before it are written, nothing behind counts. */
static int bad_write(enum decant_uring_direct direct)
{
	static unsigned char from[BYTES];
	struct decant_iter it;
	struct rig rig;

	begin(&rig, direct);
	rig_random(from, BYTES);
	fail_between(10 * BLOCK, 11 * BLOCK, false, true);
	it = rig_buf(DECANT_SOURCE, from, BYTES);
	CHECK_EQ(rig_write(&rig, &it, 100000, 5), 10 * BLOCK - 5);
	CHECK(!memcmp(server.bytes, model, 5));
	CHECK(!memcmp(server.bytes + 5, from, 10 * BLOCK - 5));
	CHECK(!memcmp(server.bytes + 10 * BLOCK, model + 10 * BLOCK, BLOCK));
	it = rig_buf(DECANT_SOURCE, from, BYTES);
	CHECK_EQ(rig_write(&rig, &it, 100000, 10 * BLOCK), -EIO);
	it = rig_buf(DECANT_SOURCE, from, BYTES);
	CHECK_EQ(rig_write(&rig, &it, 10, 11 * BLOCK - 5), -EIO);
	it = rig_buf(DECANT_SOURCE, from, BYTES);
	CHECK_EQ(rig_write(&rig, &it, 10, 10 * BLOCK - 5), 5);
	fail_between(SIZE_MAX, SIZE_MAX, false, false);
	rig_fini(&rig);
	return 0;
}

static void writes_fail(void)
{
	in_namespace(bad_write);
}

/* An edge that can't be read: what is ahead of it can be written all the same. */
static int bad_edge(enum decant_uring_direct direct)
{
	static unsigned char from[BYTES];
	struct decant_iter it;
	struct rig rig;

	if (direct == DECANT_URING_DIRECT_NEVER)
		return 0;
	begin(&rig, direct);
	rig_random(from, BYTES);
	fail_between(20 * BLOCK, 21 * BLOCK, true, false);
	it = rig_buf(DECANT_SOURCE, from, BYTES);
	CHECK_EQ(rig_write(&rig, &it, 10 * BLOCK, 10 * BLOCK + 5), 10 * BLOCK - 5);
	CHECK(!memcmp(server.bytes + 10 * BLOCK + 5, from, 10 * BLOCK - 5));
	CHECK(!memcmp(server.bytes, model, 10 * BLOCK + 5));
	CHECK(!memcmp(server.bytes + 20 * BLOCK, model + 20 * BLOCK, BYTES - 20 * BLOCK));
	it = rig_buf(DECANT_SOURCE, from, BYTES);
	CHECK_EQ(rig_write(&rig, &it, 10 * BLOCK, 20 * BLOCK + 5), -EIO);
	CHECK(!memcmp(server.bytes + 20 * BLOCK, model + 20 * BLOCK, BYTES - 20 * BLOCK));
	fail_between(SIZE_MAX, SIZE_MAX, false, false);
	rig_fini(&rig);
	return 0;
}

static void edges_fail(void)
{
	in_namespace(bad_edge);
}

/* A file that was cut in the meantime, read into pieces that are gathered. */
static int cut_short(enum decant_uring_direct direct)
{
	static unsigned char to[2 * 4 * BLOCK];
	struct iovec iov[32];
	struct decant_iter it;
	struct rig rig;
	size_t at = 0;

	rig_small_piece = 0;
	begin(&rig, direct);
	rig_small_piece = 1;
	it = rig_buf(DECANT_DEST, to, BLOCK);
	CHECK_EQ(rig_read(&rig, &it, BLOCK, BYTES - BLOCK), BLOCK);
	for (size_t i = 0; i < 32; i++)
		iov[i] = (struct iovec){to + i * 1024, 512};
	*server.now = BLOCK + 1904;
	control->once = true;
	REQUIRE(!decant_iter_iovec(&it, DECANT_DEST, iov, 32));
	CHECK_EQ(rig_read(&rig, &it, SIZE_MAX, 0), BLOCK + 1904);
	for (size_t i = 0; at < BLOCK + 1904; at += 512, i++)
		CHECK(!memcmp(to + i * 1024, model + at, at + 512 > 6000 ? 368 : 512));
	*server.now = BYTES;
	rig_fini(&rig);
	return 0;
}

static void gathered(void)
{
	in_namespace(cut_short);
}

/* A write that ends while a block that it changes in part is read leaves nothing. */
static int stopped(enum decant_uring_direct direct)
{
	static unsigned char bytes[2 * BLOCK];
	struct iovec iov[] = {{bytes + 1, 3000}, {bytes + 4000, 3001}};
	struct decant_iter it = rig_buf(DECANT_SOURCE, bytes, sizeof(bytes));
	struct decant_uring_stats before, after;
	struct rig rig;

	if (direct == DECANT_URING_DIRECT_NEVER)
		return 0;
	begin(&rig, direct);
	control->asked = false;
	control->once = control->stop = true;
	REQUIRE(!decant_uring_write(rig.ring, rig.file, &it, SIZE_MAX, 100, &rig));
	REQUIRE(!decant_uring_submit(rig.ring));
	while (!control->asked)
		usleep(1000);
	CHECK_EQ(decant_uring_cancel(rig.ring, &rig), 1);
	control->stop = false;
	CHECK_EQ(rig_event(rig.ring, &rig), -ECANCELED);
	REQUIRE(!decant_iter_iovec(&it, DECANT_DEST, iov, 2));
	decant_uring_stats(rig.ring, &before);
	CHECK_EQ(rig_read(&rig, &it, SIZE_MAX, 7), 6001);
	decant_uring_stats(rig.ring, &after);
	CHECK_EQ(after.submissions, before.submissions + 1);
	CHECK_EQ(after.edges, before.edges);
	CHECK(!memcmp(bytes + 1, server.bytes + 7, 3000));
	CHECK(!memcmp(bytes + 4000, server.bytes + 3007, 3001));
	rig_fini(&rig);
	return 0;
}

static void stopped_at_an_edge(void)
{
	if (rig_backend == DECANT_URING_RING)
		check_skip("the kernel reads such a file while it is submitted");
	else
		in_namespace(stopped);
}

int main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{"short transfers", short_transfers},
		{"a block that can't be read", reads_fail},
		{"a block that can't be written", writes_fail},
		{"an edge that can't be read", edges_fail},
		{"a cut file in gathered pieces", gathered},
		{"stopped while an edge is read", stopped_at_an_edge},
	};

	return rig_main(argc, argv, cases, ARRAY_SIZE(cases));
}
