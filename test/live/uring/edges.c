/* SPDX-License-Identifier: MIT */
/* edges.c - several writers of one block through one file lose nothing. */
#include <pthread.h>
#include "device.h"

#define FILE_BYTES 65536u
#define WRITERS	   4u
#define DEPTH	   32u

static unsigned char model[FILE_BYTES];
static unsigned char before[FILE_BYTES];

/* A piece of the file and who writes it. */
struct piece {
	size_t pos;
	size_t len;
	unsigned writer;
};

static struct piece pieces[FILE_BYTES];
static size_t nr_pieces;

/* Cut the file into pieces that are written once each, in no order. */
static void cut_file(size_t longest)
{
	nr_pieces = 0;
	for (size_t pos = 0, len; pos < FILE_BYTES; pos += len) {
		len = 1 + check_below((unsigned)longest);
		if (len > FILE_BYTES - pos)
			len = FILE_BYTES - pos;
		pieces[nr_pieces++] =
			(struct piece){pos, len, (unsigned)check_below(WRITERS)};
	}
	for (size_t i = nr_pieces - 1; i; i--) {
		size_t j = check_below((unsigned)i + 1);
		struct piece piece = pieces[i];

		pieces[i] = pieces[j];
		pieces[j] = piece;
	}
}

struct writer {
	unsigned number; /* WRITERS: writes everything */
	struct decant_uring *ring;
	struct decant_uring_file *file;
	size_t wrong;
	pthread_t thread;
};

static void gather(struct writer *w)
{
	struct decant_uring_event events[DEPTH];
	int n = decant_uring_wait(w->ring, events, DEPTH, 60000);

	for (int i = 0; i < n; i++) {
		const struct piece *piece = events[i].user;

		w->wrong += events[i].result != (ssize_t)piece->len;
	}
	w->wrong += n < 1;
}

static void write_piece(struct writer *w, struct piece *piece)
{
	struct decant_iter it;
	int err = decant_iter_buf(&it, DECANT_SOURCE, model + piece->pos, piece->len);

	while (!err) {
		err = decant_uring_write(w->ring, w->file, &it, piece->len, piece->pos,
					 piece);
		if (err != -EAGAIN)
			break;
		gather(w);
		err = 0;
	}
	w->wrong += err != 0;
}

static void *write_pieces(void *arg)
{
	struct writer *w = arg;
	struct decant_uring_event event;
	int n;

	for (size_t i = 0; i < nr_pieces; i++)
		if (w->number == WRITERS || pieces[i].writer == w->number)
			write_piece(w, &pieces[i]);
	while ((n = decant_uring_wait(w->ring, &event, 1, 60000)) > 0)
		w->wrong += event.result != (ssize_t)((struct piece *)event.user)->len;
	w->wrong += n < 0;
	return NULL;
}

static void one_ring(struct decant_uring_file *file)
{
	struct decant_uring_stats stats;
	struct writer w = {.number = WRITERS, .file = file};

	w.ring = rig_ring(DEPTH, NULL);
	write_pieces(&w);
	CHECK_EQ(w.wrong, 0);
	decant_uring_stats(w.ring, &stats);
	printf("# %zu pieces: %llu edges, %llu of %llu bytes through the page cache\n",
	       nr_pieces, (unsigned long long)stats.edges,
	       (unsigned long long)stats.buffered_bytes, (unsigned long long)FILE_BYTES);
	decant_uring_free(w.ring);
}

static void four_rings(struct decant_uring_file *file)
{
	struct writer writers[WRITERS];

	for (unsigned i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){.number = i, .file = file};
		writers[i].ring = rig_ring(DEPTH, NULL);
		REQUIRE(!pthread_create(&writers[i].thread, NULL, write_pieces,
					&writers[i]));
	}
	for (unsigned i = 0; i < WRITERS; i++) {
		pthread_join(writers[i].thread, NULL);
		CHECK_EQ(writers[i].wrong, 0);
		decant_uring_free(writers[i].ring);
	}
}

static void write_all(int fd, size_t longest, void (*run)(struct decant_uring_file *file))
{
	struct decant_uring_file *file;

	rig_random(model, FILE_BYTES);
	cut_file(longest);
	REQUIRE(!decant_uring_file_open(&file, fd, DECANT_URING_DIRECT_AUTO));
	run(file);
	decant_uring_file_close(file);
	CHECK(rig_file_holds(fd, model, FILE_BYTES));
}

static void on_file(const char *dir, size_t size, size_t longest,
		    void (*run)(struct decant_uring_file *file))
{
	int fd = rig_temporary(dir);

	rig_random(before, FILE_BYTES);
	rig_put_content(fd, before, size);
	write_all(fd, longest, run);
	close(fd);
}

/* A file that is there, one that grows, one on a file system without alignments. */
static void on_files(size_t longest, void (*run)(struct decant_uring_file *file))
{
	on_file(rig_dir(), FILE_BYTES, longest, run);
	on_file(rig_dir(), FILE_BYTES / 2 + 100, longest, run);
	on_file(rig_dir(), 0, longest, run);
	on_file("/dev/shm", FILE_BYTES, longest, run);
}

static void small_one_ring(void)
{
	on_files(300, one_ring);
}

static void small_four_rings(void)
{
	on_files(300, four_rings);
}

static void large_one_ring(void)
{
	on_files(9000, one_ring);
}

static void large_four_rings(void)
{
	on_files(9000, four_rings);
}

static void on_device(void (*run)(struct decant_uring_file *file))
{
	int fd;

	rig_random(before, FILE_BYTES);
	fd = device_new(before, FILE_BYTES, 4096);
	if (fd < 0)
		return;
	write_all(fd, 700, run);
	write_all(fd, 9000, run);
	close(fd);
}

static void device_one_ring(void)
{
	on_device(one_ring);
}

static void device_four_rings(void)
{
	on_device(four_rings);
}

/* Writes that overlap at an edge happen in the order in which they began. */
static void order(void)
{
	static unsigned char bytes[DEPTH][700];
	struct decant_iter it;
	struct rig rig;

	rig_init(&rig, rig_dir(), DECANT_URING_DIRECT_AUTO);
	rig_random(before, FILE_BYTES);
	rig_put_content(rig.fd, before, FILE_BYTES);
	for (size_t round = 0; round < 20; round++) {
		for (size_t i = 0; i < DEPTH; i++) {
			rig_random(bytes[i], sizeof(bytes[i]));
			it = rig_buf(DECANT_SOURCE, bytes[i], sizeof(bytes[i]));
			REQUIRE(!decant_uring_write(rig.ring, rig.file, &it, SIZE_MAX,
						    1000 + i, &rig));
			before[1000 + i] = bytes[i][0];
		}
		memcpy(before + 1000 + DEPTH - 1, bytes[DEPTH - 1], 700);
		for (size_t i = 0; i < DEPTH; i++)
			CHECK_EQ(rig_event(rig.ring, &rig), 700);
		CHECK(rig_file_holds(rig.fd, before, FILE_BYTES));
	}
	rig_fini(&rig);
}

static struct decant_uring_stats stats_of(int flags, size_t pos, size_t len)
{
	struct decant_uring_stats stats;
	struct decant_iter it = rig_buf(DECANT_SOURCE, model, len);
	struct rig rig = {.ring = rig_ring(0, NULL)};
	char path[64];
	int fd = rig_temporary(rig_dir());

	rig_put_content(fd, before, FILE_BYTES);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	rig.fd = open(path, flags | O_CLOEXEC);
	close(fd);
	REQUIRE(!decant_uring_file_open(&rig.file, rig.fd, DECANT_URING_DIRECT_ALWAYS));
	CHECK_EQ(rig_write(&rig, &it, len, pos), len);
	decant_uring_stats(rig.ring, &stats);
	CHECK_EQ(stats.direct_bytes + stats.staged_bytes + stats.buffered_bytes, len);
	rig_fini(&rig);
	return stats;
}

/* Edges are read once, together if they are near, and only where they are needed. */
static void requests(void)
{
	struct decant_uring_stats stats = stats_of(O_RDWR, 4096, 8192);

	CHECK_EQ(stats.edges, 0);
	CHECK_EQ(stats.submissions, 1);
	stats = stats_of(O_RDWR, 1000, 3);
	CHECK_EQ(stats.edges, 1);
	CHECK_EQ(stats.submissions, 2);
	stats = stats_of(O_RDWR, 1000, 5000);
	CHECK_EQ(stats.edges, 2);
	CHECK_EQ(stats.submissions, 2);
	CHECK_EQ(stats.buffered_bytes, 0);
	stats = stats_of(O_RDWR, 1000, 50000);
	CHECK_EQ(stats.edges, 2);
	CHECK_EQ(stats.submissions, 3);
	stats = stats_of(O_RDWR, FILE_BYTES - 4096, 4097);
	CHECK_EQ(stats.edges, 0);
	CHECK_EQ(stats.buffered_bytes, 1);
	stats = stats_of(O_WRONLY, 1000, 5000);
	CHECK_EQ(stats.edges, 0);
	CHECK(stats.buffered_bytes > 0);
}

int main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{"small pieces, one ring", small_one_ring},
		{"small pieces, four rings", small_four_rings},
		{"large pieces, one ring", large_one_ring},
		{"large pieces, four rings", large_four_rings},
		{"a device, one ring", device_one_ring},
		{"a device, four rings", device_four_rings},
		{"order", order},
		{"requests", requests},
	};

	return rig_main(argc, argv, cases, ARRAY_SIZE(cases));
}
