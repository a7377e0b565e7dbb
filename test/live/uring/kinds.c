/* SPDX-License-Identifier: MIT */
/*
 * kinds.c - every kind of iterator through a file and a socket, as a source and as a
 * destination. Iterator, lists and tables are overwritten as soon as the operation has
 * begun.
 */
#include <sys/mman.h>
#include <sys/wait.h>
#include <decant/custom.h>
#include <decant/pages.h>
#include <decant/queue.h>
#include <decant/window.h>
#include "sockets.h"

#define BYTES 20000u
#define PAGE  4096u

/* What an iterator is made of, and where its bytes are. */
struct made {
	struct cut cut;
	struct decant_iter it;
	bool listed; /* its list must stay until the event */
	struct decant_bvec *bvec;
	struct decant_iter parts[3];
	struct decant_queue queue;
	struct decant_segment *segments;
	struct decant_window window;
	struct decant_window_range range;
	struct decant_pages pages;
};

static void make_iovec(struct made *m, enum decant_direction d)
{
	m->it = cut_iter(&m->cut, d);
}

static void make_bvec(struct made *m, enum decant_direction d)
{
	m->bvec = calloc(m->cut.nr + 1, sizeof(*m->bvec));
	for (size_t i = 0; i < m->cut.nr; i++)
		m->bvec[i] = (struct decant_bvec){.addr = m->cut.iov[i].iov_base,
						  .len = m->cut.iov[i].iov_len};
	REQUIRE(!decant_iter_bvec(&m->it, d, m->bvec, m->cut.nr));
}

static void make_chain(struct made *m, enum decant_direction d)
{
	size_t third = m->cut.nr / 3;

	for (size_t i = 0; i < 3; i++)
		REQUIRE(!decant_iter_iovec(&m->parts[i], d, m->cut.iov + i * third,
					   i < 2 ? third : m->cut.nr - 2 * third));
	REQUIRE(!decant_iter_chain(&m->it, d, m->parts, 3));
}

static void make_queue(struct made *m, enum decant_direction d)
{
	m->segments = calloc(m->cut.nr + 1, sizeof(*m->segments));
	decant_queue_init(&m->queue, NULL, NULL);
	for (size_t i = 0; i < m->cut.nr; i++) {
		m->segments[i].span.addr = m->cut.iov[i].iov_base;
		m->segments[i].span.len = m->cut.iov[i].iov_len;
		REQUIRE(!decant_queue_append(&m->queue, &m->segments[i]));
	}
	REQUIRE(!decant_iter_queue(&m->it, d, &m->queue));
}

static void make_remote(struct made *m, enum decant_direction d)
{
	m->range = (struct decant_window_range){(uintptr_t)m->cut.arena, m->cut.size,
						m->cut.arena, NULL};
	REQUIRE(!decant_window_init(&m->window, &m->range, 1));
	REQUIRE(!decant_iter_remote(&m->it, d, &m->window, m->cut.iov, m->cut.nr));
}

static void make_process(struct made *m, enum decant_direction d)
{
	m->listed = d == DECANT_DEST;
	REQUIRE(!decant_iter_process(&m->it, d, getpid(), m->cut.iov, m->cut.nr));
}

/* Some bytes by address and some not. */
static void make_mixture(struct made *m, enum decant_direction d)
{
	size_t half = m->cut.nr / 2;

	m->listed = d == DECANT_DEST;
	REQUIRE(!decant_iter_iovec(&m->parts[0], d, m->cut.iov, half));
	REQUIRE(!decant_iter_process(&m->parts[1], d, getpid(), m->cut.iov + half,
				     m->cut.nr - half));
	REQUIRE(!decant_iter_chain(&m->it, d, m->parts, 2));
}

static struct decant_span custom_peek(void *state, const struct decant_place *place)
{
	const struct cut *cut = state;
	size_t i = 0, pos = place->pos;

	while (pos >= cut->iov[i].iov_len)
		pos -= cut->iov[i++].iov_len;
	return (struct decant_span){.addr = (char *)cut->iov[i].iov_base + pos,
				    .len = cut->iov[i].iov_len - pos};
}

static void make_custom(struct made *m, enum decant_direction d)
{
	static const struct decant_iter_ops ops = {.size = sizeof(ops),
						   .peek = custom_peek};

	REQUIRE(!decant_iter_custom(&m->it, d, &ops, &m->cut, m->cut.len));
}

/* Blocks of 5 bytes, 9 apart. */
static void make_strided(struct made *m, enum decant_direction d)
{
	m->cut.nr = m->cut.len / 5;
	m->cut.len = m->cut.nr * 5;
	for (size_t i = 0; i < m->cut.nr; i++)
		m->cut.iov[i] = (struct iovec){m->cut.arena + 9 * i, 5};
	REQUIRE(!decant_iter_strided(&m->it, d, m->cut.arena, 5, 9, m->cut.nr));
}

/* Every other page of the arena, from behind. */
static int find(void *user, uint64_t index, struct decant_span *page)
{
	const struct cut *cut = user;
	size_t last = cut->size / PAGE - 1;

	page->addr = cut->arena + (last - 2 * index) * PAGE;
	page->len = PAGE;
	page->region = NULL;
	return 0;
}

static void make_pages(struct made *m, enum decant_direction d)
{
	struct decant_span page;
	size_t left = m->cut.len, skip = 100;

	m->cut.nr = 0;
	while (left) {
		size_t n = PAGE - skip < left ? PAGE - skip : left;

		find(&m->cut, m->cut.nr, &page);
		m->cut.iov[m->cut.nr++] = (struct iovec){(char *)page.addr + skip, n};
		left -= n;
		skip = 0;
	}
	m->pages = (struct decant_pages){PAGE, find, &m->cut};
	REQUIRE(!decant_iter_pages(&m->it, d, &m->pages, 100, m->cut.len));
}

static void (*const makers[])(struct made *m, enum decant_direction d) = {
	make_iovec,   make_bvec,    make_chain,	 make_queue,   make_remote,
	make_process, make_mixture, make_custom, make_strided, make_pages,
};

static void make(struct made *m, size_t kind, size_t len, enum decant_direction d)
{
	enum cut_style style = (enum cut_style)check_below(CUT_STYLES);

	*m = (struct made){0};
	cut_init(&m->cut, len, style);
	makers[kind](m, d);
	CHECK_EQ(decant_iter_count(&m->it), m->cut.len);
}

/* What a caller may do as soon as the operation has begun. */
static void scribble(struct made *m, struct iovec **kept)
{
	size_t bytes = m->cut.nr * sizeof(struct iovec);

	*kept = malloc(bytes + 1);
	memcpy(*kept, m->cut.iov, bytes);
	memset(&m->it, 0xff, sizeof(m->it));
	if (m->listed)
		return;
	memset(m->cut.iov, 0xff, bytes);
	memset(m->parts, 0xff, sizeof(m->parts));
	if (m->bvec)
		memset(m->bvec, 0xff, m->cut.nr * sizeof(*m->bvec));
	memset(&m->pages, 0xff, sizeof(m->pages));
	memset(&m->range, 0xff, sizeof(m->range));
}

static void restore(struct made *m, struct iovec *kept)
{
	memcpy(m->cut.iov, kept, m->cut.nr * sizeof(struct iovec));
	free(kept);
}

static void unmake(struct made *m)
{
	if (m->segments)
		decant_queue_fini(&m->queue);
	free(m->segments);
	free(m->bvec);
	cut_fini(&m->cut);
}

static void file_once(struct rig *rig, size_t kind, unsigned char *model)
{
	size_t pos = check_below(3000), len = 1 + check_below(BYTES - 3000);
	bool writes = check_below(2);
	struct iovec *kept;
	struct made m;

	make(&m, kind, len, writes ? DECANT_SOURCE : DECANT_DEST);
	len = m.cut.len;
	if (writes) {
		rig_random(model + pos, len);
		cut_fill(&m.cut, model + pos);
		REQUIRE(!decant_uring_write(rig->ring, rig->file, &m.it, len, pos, rig));
	} else {
		REQUIRE(!decant_uring_read(rig->ring, rig->file, &m.it, len, pos, rig));
	}
	CHECK_EQ(decant_iter_count(&m.it), 0);
	scribble(&m, &kept);
	CHECK_EQ(rig_event(rig->ring, rig), len);
	restore(&m, kept);
	if (writes)
		CHECK(rig_file_holds(rig->fd, model, BYTES));
	else
		CHECK(cut_holds(&m.cut, model + pos, len));
	unmake(&m);
}

static void files(void)
{
	static unsigned char model[BYTES];
	struct rig rig;

	for (size_t d = 0; d < ARRAY_SIZE(rig_directs); d++) {
		rig_init(&rig, rig_dir(), rig_directs[d]);
		rig_random(model, BYTES);
		rig_put_content(rig.fd, model, BYTES);
		for (size_t i = 0; i < check_cases(200); i++)
			file_once(&rig, i % ARRAY_SIZE(makers), model);
		rig_fini(&rig);
	}
}

static void socket_once(struct ends *ends, size_t from_kind, size_t to_kind)
{
	static unsigned char bytes[BYTES];
	ssize_t sent = 0, received = 0;
	struct iovec *kept[2];
	struct made from, to;
	size_t len;

	make(&from, from_kind, 1 + check_below(BYTES - 1), DECANT_SOURCE);
	len = from.cut.len;
	make(&to, to_kind, len + 4, DECANT_DEST);
	rig_random(bytes, len);
	cut_fill(&from.cut, bytes);
	REQUIRE(!decant_uring_send(ends->ring, ends->from, &from.it, len, NULL, &sent));
	REQUIRE(!decant_uring_recv(ends->ring, ends->to, &to.it, len, NULL, &received));
	scribble(&from, &kept[0]);
	scribble(&to, &kept[1]);
	both_events(ends->ring, &sent, &received);
	restore(&from, kept[0]);
	restore(&to, kept[1]);
	CHECK_EQ(sent, len);
	CHECK_EQ(received, len);
	CHECK(cut_holds(&to.cut, bytes, len));
	unmake(&from);
	unmake(&to);
}

static void sockets(void)
{
	struct ends ends;

	for (int kind = TCP; kind <= UNIX_STREAM; kind++) {
		ends_init(&ends, (enum socket_kind)kind, 0);
		for (size_t a = 0; a < ARRAY_SIZE(makers); a++)
			for (size_t b = 0; b < ARRAY_SIZE(makers); b++)
				socket_once(&ends, a, b);
		ends_fini(&ends);
	}
}

static void zero_and_discard(void)
{
	static unsigned char zeroes[BYTES];
	struct decant_iter it;
	struct ends ends;

	ends_init(&ends, UNIX_STREAM, 0);
	REQUIRE(decant_iter_zero(&it, BYTES) == 0);
	CHECK_EQ(send_now(&ends, it, NULL), BYTES);
	CHECK(holds_exactly(ends.fd[1], zeroes, BYTES));
	CHECK_EQ(send_now(&ends, rig_buf(DECANT_SOURCE, zeroes, BYTES), NULL), BYTES);
	REQUIRE(decant_iter_discard(&it, BYTES) == 0);
	CHECK_EQ(recv_now(&ends, it, NULL), BYTES);
	ends_fini(&ends);
}

/* Another process, and one that has gone in the meantime. */
static void other_process(void)
{
	unsigned char *there = mmap(NULL, BYTES, PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct iovec iov[] = {{there + 7, 1000}, {there + 5000, 3000}};
	struct decant_iter it;
	struct rig rig;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	REQUIRE(pid >= 0);
	if (!pid)
		for (;;)
			pause();
	rig_init(&rig, rig_dir(), DECANT_URING_DIRECT_AUTO);
	memset(there, 5, BYTES);
	REQUIRE(!decant_iter_process(&it, DECANT_SOURCE, pid, iov, 2));
	CHECK_EQ(rig_write(&rig, &it, 4000, 0), 4000);
	memset(there, 0, BYTES);
	REQUIRE(!decant_iter_process(&it, DECANT_DEST, pid, iov, 2));
	CHECK_EQ(rig_read(&rig, &it, 4000, 0), 4000);
	CHECK(there[6] == 0 && there[7] == 5 && there[1006] == 5 && there[1007] == 0);
	CHECK(there[4999] == 0 && there[5000] == 5 && there[7999] == 5);
	REQUIRE(!decant_iter_process(&it, DECANT_DEST, pid, iov, 2));
	kill(pid, SIGKILL);
	REQUIRE(waitpid(pid, NULL, 0) == pid);
	CHECK_EQ(rig_read(&rig, &it, 4000, 0), -ESRCH);
	REQUIRE(!decant_iter_process(&it, DECANT_SOURCE, pid, iov, 2));
	CHECK(rig_write(&rig, &it, 4000, 0) < 0);
	CHECK_EQ(decant_iter_count(&it), 4000);
	rig_fini(&rig);
	munmap(there, BYTES);
}

int main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{"files", files},
		{"sockets", sockets},
		{"zero and discard", zero_and_discard},
		{"another process", other_process},
	};

	return rig_main(argc, argv, cases, ARRAY_SIZE(cases));
}
