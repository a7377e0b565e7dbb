/* SPDX-License-Identifier: MIT */
/* fork.c - a ring, and what is under way in it, stay the parent's. */
#include <sys/mman.h>
#include <sys/wait.h>
#include "child.h"
#include "pipe.h"

#define BYTES 65536u

static unsigned char *bytes;

static struct stream *parents_stream;

static int childs_view(void)
{
	struct stream *s = parents_stream;
	struct decant_iter it = rig_buf(DECANT_DEST, bytes, 5);
	struct decant_uring_event event;

	CHECK_EQ(decant_uring_wait(s->rig.ring, &event, 1, -1), -ECHILD);
	CHECK_EQ(decant_uring_submit(s->rig.ring), -ECHILD);
	CHECK_EQ(decant_uring_fd(s->rig.ring), -ECHILD);
	CHECK_EQ(decant_uring_read(s->rig.ring, s->rig.file, &it, 5, 0, s), -ECHILD);
	CHECK_EQ(decant_iter_count(&it), 5);
	CHECK_EQ(decant_uring_fsync(s->rig.ring, s->rig.file, s), -ECHILD);
	CHECK_EQ(decant_uring_cancel(s->rig.ring, s), 0);
	CHECK_EQ(decant_uring_cancel_all(s->rig.ring), 0);
	decant_uring_free(s->rig.ring);
	decant_uring_file_close(s->rig.file);
	return 0;
}

static void belongs_to_parent(void)
{
	struct decant_iter it = rig_buf(DECANT_DEST, bytes, 5);
	struct stream s;

	stream_init(&s, 0, 0);
	parents_stream = &s;
	REQUIRE(!decant_uring_read(s.rig.ring, s.rig.file, &it, 5, 0, &s));
	child_run(childs_view, NULL);
	REQUIRE(!decant_uring_submit(s.rig.ring));
	child_run(childs_view, NULL);
	REQUIRE(write(s.to, "hello", 5) == 5);
	CHECK_EQ(rig_event(s.rig.ring, &s), 5);
	CHECK(!memcmp(bytes, "hello", 5));
	child_run(childs_view, NULL);
	stream_fini(&s);
}

/* A child that lives on does not keep the parent's ring alive. */
static void child_lives_on(void)
{
	struct decant_iter it = rig_buf(DECANT_DEST, bytes, 5);
	struct stream s;
	int gate[2], status;
	char byte;
	pid_t pid;

	REQUIRE(pipe2(gate, O_CLOEXEC) == 0);
	stream_init(&s, 0, 0);
	REQUIRE(!decant_uring_read(s.rig.ring, s.rig.file, &it, 5, 0, &s));
	REQUIRE(!decant_uring_submit(s.rig.ring));
	fflush(stdout);
	pid = fork();
	REQUIRE(pid >= 0);
	if (!pid) {
		close(gate[1]);
		_exit(read(gate[0], &byte, 1) != 0);
	}
	stream_fini(&s);
	close(gate[1]);
	REQUIRE(waitpid(pid, &status, 0) == pid);
	CHECK_EQ(status, 0);
	close(gate[0]);
}

struct owner {
	struct rig rig;
	struct decant_space *space;
	struct decant_region *region;
};

static struct owner *parents;

static int drop(void)
{
	struct owner *o = parents;

	CHECK(!decant_space_remove(o->space, o->region));
	decant_region_put(o->region);
	decant_uring_free(o->rig.ring);
	decant_space_free(o->space);
	return 0;
}

static void read_once(struct owner *o)
{
	struct decant_iter it = rig_buf(DECANT_DEST, bytes, 4096);

	memset(bytes, 0, 4096);
	CHECK_EQ(rig_read(&o->rig, &it, 4096, 4096), 4096);
	CHECK(bytes[0] == 7 && bytes[4095] == 7);
}

/* A child gives its regions up; the parent's stay registered. */
static void regions(void)
{
	struct decant_region_options options = {.size = sizeof(options)};
	struct decant_uring_stats before, after;
	struct owner o;

	REQUIRE(decant_space_new(&o.space) == 0);
	REQUIRE(decant_region_new(&o.region, bytes, BYTES, &options) == 0);
	REQUIRE(decant_space_add(o.space, o.region) == 0);
	rig_init(&o.rig, rig_dir(), DECANT_URING_DIRECT_AUTO);
	decant_uring_free(o.rig.ring);
	o.rig.ring = rig_ring(0, o.space);
	memset(bytes, 7, BYTES);
	rig_put_content(o.rig.fd, bytes, BYTES);
	read_once(&o);
	decant_uring_stats(o.rig.ring, &before);
	parents = &o;
	child_run(drop, NULL);
	read_once(&o);
	decant_uring_stats(o.rig.ring, &after);
	CHECK_EQ(after.fixed, 2 * before.fixed);
	CHECK_EQ(decant_region_refs(o.region), 2);
	decant_uring_free(o.rig.ring);
	o.rig.ring = NULL;
	rig_fini(&o.rig);
	REQUIRE(decant_space_remove(o.space, o.region) == 0);
	decant_region_put(o.region);
	decant_space_free(o.space);
}

static int nothing(void)
{
	return 0;
}

/* What a device is busy with arrives in the parent's memory, not in a copy. */
static void in_flight(void)
{
	enum { NR = 16 };
	struct decant_uring_event event;
	struct decant_iter it;
	struct rig rig;

	rig_init(&rig, rig_dir(), DECANT_URING_DIRECT_AUTO);
	for (unsigned i = 0; i < NR; i++)
		memset(bytes + i * 4096, (int)i + 1, 4096);
	rig_put_content(rig.fd, bytes, NR * 4096);
	for (int round = 0; round < 20; round++) {
		memset(bytes, 0, NR * 4096);
		for (unsigned i = 0; i < NR; i++) {
			it = rig_buf(DECANT_DEST, bytes + i * 4096, 4096);
			REQUIRE(!decant_uring_read(rig.ring, rig.file, &it, 4096,
						   i * 4096, NULL));
		}
		REQUIRE(!decant_uring_submit(rig.ring));
		child_run(nothing, NULL);
		for (unsigned i = 0; i < NR; i++) {
			REQUIRE(decant_uring_wait(rig.ring, &event, 1, 10000) == 1);
			CHECK_EQ(event.result, 4096);
		}
		for (unsigned i = 0; i < NR; i++)
			CHECK(bytes[i * 4096] == i + 1 &&
			      bytes[i * 4096 + 4095] == i + 1);
	}
	rig_fini(&rig);
}

int main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{"the ring belongs to the parent", belongs_to_parent},
		{"a child that lives on", child_lives_on},
		{"regions in a child", regions},
		{"in flight", in_flight},
	};

	bytes = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		     0);
	REQUIRE(bytes != MAP_FAILED);
	return rig_main(argc, argv, cases, ARRAY_SIZE(cases));
}
