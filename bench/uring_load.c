/* SPDX-License-Identifier: MIT */
/*
 * uring_load.c - what fio does with one job and no time stamps, done by decant: as many
 * operations under way as the depth, for some seconds. Prints one JSON object.
 * bench/uring runs it by turns with fio.
 *
 *	bench-uring-load FILE read|write random|sequential BYTES DEPTH SECONDS
 *			 [pieces=N] [staged] [small=N] [plain] [offset=N] [threads]
 *			 [batch=N] [files] [memory=FILE]
 *
 * pieces: each block in N pieces that are not adjacent. staged: one buffer for each
 * operation and a copy between it and the pieces, done here; where what is read belongs
 * is decanted, since a caller's iterator has gone by then. plain: no registered
 * buffers. files: a registered file. offset: positions are off a block by so much. small
 * and batch: as in the ring's options. memory: blocks in one piece lie in a mapping of
 * this file, as large as they are, from its beginning.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <decant/uring.h>
#include "bench.h"

#define PIECES_MAX 64u
#define EVENTS	   128u

struct job {
	bool writes;
	bool random;
	size_t bytes;
	unsigned depth;
	double seconds;
	unsigned pieces;
	bool staged;
	bool plain;
	bool files;
	bool threads;
	const char *memory;
	size_t small;
	unsigned batch;
	uint64_t offset;
	uint64_t blocks;
	uint64_t next;
	uint64_t state;
	struct decant_uring *ring;
	struct decant_uring_file *file;
	struct decant_space *space;
	struct slot *slots;
};

struct slot {
	unsigned char *buffer;
	struct iovec iov[PIECES_MAX];
	struct decant_owned *owned;
};

static double processor(void)
{
	struct rusage use;

	getrusage(RUSAGE_THREAD, &use);
	return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
	       (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1e-6;
}

static uint64_t position(struct job *job)
{
	uint64_t x = job->state += 0x9e3779b97f4a7c15ull;

	if (!job->random)
		return job->next++ % job->blocks * job->bytes + job->offset;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return (x >> 32) * job->blocks / 0x100000000 * job->bytes + job->offset;
}

static struct decant_iter pieces_of(const struct job *job, struct slot *slot)
{
	enum decant_direction direction = job->writes ? DECANT_SOURCE : DECANT_DEST;
	struct decant_iter it;
	int err;

	if (job->pieces == 1)
		err = decant_iter_buf(&it, direction, slot->iov->iov_base, job->bytes);
	else
		err = decant_iter_iovec(&it, direction, slot->iov, job->pieces);
	bench_need(!err, "iterator");
	return it;
}

/* The pieces' turn, and the buffer in place of them. */
static void stage(struct job *job, struct slot *slot, struct decant_iter *it)
{
	enum decant_direction direction = job->writes ? DECANT_SOURCE : DECANT_DEST;
	struct decant_own_options options = {.size = sizeof(options),
					     .space = job->space};

	if (job->writes)
		decant_copy_to(slot->buffer, it, job->bytes);
	else
		slot->owned = decant_iter_own(it, job->bytes, &options);
	bench_need(job->writes || slot->owned, "owned form");
	bench_need(!decant_iter_buf(it, direction, slot->buffer, job->bytes), "buffer");
}

static void begin(struct job *job, struct slot *slot)
{
	struct decant_iter it = pieces_of(job, slot);
	int err;

	if (job->staged)
		stage(job, slot, &it);
	if (job->writes)
		err = decant_uring_write(job->ring, job->file, &it, job->bytes,
					 position(job), slot);
	else
		err = decant_uring_read(job->ring, job->file, &it, job->bytes,
					position(job), slot);
	bench_need(!err, "operation");
}

static void end(struct job *job, const struct decant_uring_event *event)
{
	struct slot *slot = event->user;
	struct decant_iter it;

	bench_need(event->result == (ssize_t)job->bytes, "transfer");
	if (!job->staged || job->writes)
		return;
	it = decant_owned_iter(slot->owned);
	decant_copy_from(&it, slot->buffer, job->bytes);
	decant_owned_put(slot->owned);
}

static uint64_t run(struct job *job, double until)
{
	struct decant_uring_event events[EVENTS];
	uint64_t done = 0;

	for (unsigned round = 0; round % 16 || bench_wall() < until; round++) {
		int n = decant_uring_wait(job->ring, events, EVENTS, -1);

		bench_need(n > 0, "wait");
		for (int i = 0; i < n; i++) {
			end(job, &events[i]);
			begin(job, events[i].user);
		}
		done += (uint64_t)n;
	}
	return done;
}

static void add_memory(struct job *job, unsigned char *addr, size_t len)
{
	struct decant_region *region;

	bench_need(!decant_region_new(&region, addr, len, NULL) &&
			   !decant_space_add(job->space, region),
		   "region");
}

/* Ordinary pages, of a file or nobody's. */
static unsigned char *map_memory(const struct job *job, size_t len)
{
	int fd = job->memory ? open(job->memory, O_RDWR | O_CLOEXEC) : -1;
	int flags = job->memory ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
	unsigned char *at;

	bench_need(fd >= 0 || !job->memory, "file for memory");
	at = mmap(NULL, len, PROT_READ | PROT_WRITE, flags | MAP_POPULATE, fd, 0);
	bench_need(at != MAP_FAILED, "memory");
	memset(at, 1, len);
	return at;
}

/* Blocks one behind the other, as fio has them, or pieces in every other place. */
static void lay_memory(struct job *job)
{
	size_t apart = job->pieces == 1 ? 1 : 2, each = apart * job->bytes;
	size_t piece = job->bytes / job->pieces, len = each * job->depth;
	size_t all = len + (job->staged ? job->bytes * job->depth : 0);
	unsigned char *at = map_memory(job, all);

	job->slots = calloc(job->depth, sizeof(*job->slots));
	bench_need(job->slots && !decant_space_new(&job->space), "memory");
	add_memory(job, at, all);
	for (unsigned i = 0; i < job->depth; i++) {
		struct slot *slot = &job->slots[i];

		slot->buffer = at + len + i * job->bytes;
		for (unsigned p = 0; p < job->pieces; p++)
			slot->iov[p] =
				(struct iovec){at + i * each + apart * p * piece, piece};
	}
}

static void open_ring(struct job *job, const char *path)
{
	struct decant_uring_options options = {
		.size = sizeof(options), .depth = job->depth, .space = job->space};
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat st;

	options.small_piece = job->small;
	options.batch = job->batch;
	options.one_thread = true;
	options.backend = job->threads ? DECANT_URING_THREADS : DECANT_URING_RING;
	options.buffers =
		job->plain ? DECANT_URING_BUFFERS_NEVER : DECANT_URING_BUFFERS_ALWAYS;
	bench_need(fd >= 0 && !fstat(fd, &st), "file");
	job->blocks = ((uint64_t)st.st_size - job->offset) / job->bytes;
	bench_need(!decant_uring_new(&job->ring, &options), "ring");
	bench_need(!decant_uring_file_open(&job->file, fd, DECANT_URING_DIRECT_ALWAYS),
		   "direct file");
	if (job->files)
		bench_need(!decant_uring_file_register(job->ring, job->file),
			   "registered file");
}

static void parse(struct job *job, char **argv)
{
	job->writes = !strcmp(argv[2], "write");
	job->random = !strcmp(argv[3], "random");
	job->bytes = strtoul(argv[4], NULL, 0);
	job->depth = (unsigned)strtoul(argv[5], NULL, 0);
	job->seconds = strtod(argv[6], NULL);
	job->pieces = 1;
	job->state = (uint64_t)getpid() * 0x2545f4914f6cdd1dull;
	for (argv += 7; *argv; argv++) {
		job->staged |= !strcmp(*argv, "staged");
		job->plain |= !strcmp(*argv, "plain");
		job->files |= !strcmp(*argv, "files");
		job->threads |= !strcmp(*argv, "threads");
		if (!strncmp(*argv, "memory=", 7))
			job->memory = *argv + 7;
		if (!strncmp(*argv, "pieces=", 7))
			job->pieces = (unsigned)strtoul(*argv + 7, NULL, 0);
		if (!strncmp(*argv, "small=", 6))
			job->small = strtoul(*argv + 6, NULL, 0);
		if (!strncmp(*argv, "batch=", 6))
			job->batch = (unsigned)strtoul(*argv + 6, NULL, 0);
		if (!strncmp(*argv, "offset=", 7))
			job->offset = strtoul(*argv + 7, NULL, 0);
	}
	bench_need(job->depth && job->pieces && job->pieces <= PIECES_MAX &&
			   job->bytes % job->pieces == 0,
		   "numbers");
}

int main(int argc, char **argv)
{
	static struct job job;
	struct decant_uring_stats stats;
	double start, used;
	uint64_t done;

	bench_need(argc >= 7, "FILE read|write random|sequential BYTES DEPTH SECONDS");
	parse(&job, argv);
	lay_memory(&job);
	open_ring(&job, argv[1]);
	for (unsigned i = 0; i < job.depth; i++)
		begin(&job, &job.slots[i]);
	run(&job, bench_wall() + job.seconds / 10);
	used = processor();
	start = bench_wall();
	done = run(&job, start + job.seconds);
	used = processor() - used;
	start = bench_wall() - start;
	decant_uring_stats(job.ring, &stats);
	printf("{\"iops\": %.1f, \"us\": %.4f, \"fixed\": %llu, \"staged\": %llu}\n",
	       (double)done / start, used / (double)done * 1e6,
	       (unsigned long long)stats.fixed, (unsigned long long)stats.staged_bytes);
	return 0;
}
