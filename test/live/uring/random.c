/* SPDX-License-Identifier: MIT */
/* random.c - several operations at a time, of any shape, against a model file. */
#include "rig.h"

#define LANES	   8u
#define LANE_BYTES 131072u
#define FILE_MAX   (LANES * LANE_BYTES)

/* Operations share no page: each has a lane of the file. */
struct lane {
	struct cut cut;
	size_t pos;
	size_t len;
	bool write;
	ssize_t result;
};

static unsigned char model[FILE_MAX];
static size_t size;

static size_t any_length(size_t max)
{
	switch (check_below(4)) {
	case 0:
		return check_below(max + 1);
	case 1:
		return (check_below(max + 1)) & ~(size_t)511;
	default:
		return check_below((max < 9000 ? max : 9000) + 1);
	}
}

static void lane_begin(struct rig *rig, struct lane *lane, unsigned index)
{
	size_t at = check_below(2) ? check_below(LANE_BYTES) : check_below(128) * 512;
	struct decant_iter it;
	int err;

	*lane = (struct lane){.pos = index * LANE_BYTES + at % LANE_BYTES};
	lane->len = any_length((index + 1) * LANE_BYTES - lane->pos);
	lane->write = check_below(2);
	cut_init(&lane->cut, lane->len, (enum cut_style)check_below(CUT_STYLES));
	it = cut_iter(&lane->cut, lane->write ? DECANT_SOURCE : DECANT_DEST);
	if (lane->write) {
		unsigned char *bytes = malloc(lane->len + 1);

		REQUIRE(bytes);
		rig_random(bytes, lane->len);
		cut_fill(&lane->cut, bytes);
		memcpy(model + lane->pos, bytes, lane->len);
		free(bytes);
		err = decant_uring_write(rig->ring, rig->file, &it, lane->len, lane->pos,
					 lane);
	} else {
		err = decant_uring_read(rig->ring, rig->file, &it, lane->len, lane->pos,
					lane);
	}
	REQUIRE(err == 0);
}

static void lane_check(struct lane *lane)
{
	size_t there = lane->pos < size ? size - lane->pos : 0;
	size_t want = lane->write || lane->len < there ? lane->len : there;

	if (!CHECK_EQ(lane->result, want) ||
	    (!lane->write && !CHECK(cut_holds(&lane->cut, model + lane->pos, want))))
		printf("# %s at %zu of %zu\n", lane->write ? "write" : "read", lane->pos,
		       lane->len);
	if (lane->write && want && lane->pos + want > size)
		size = lane->pos + want;
	cut_fini(&lane->cut);
}

static void gather(struct rig *rig, unsigned nr)
{
	struct decant_uring_event events[3];

	while (nr) {
		int n = decant_uring_wait(rig->ring, events, 3, 60000);

		REQUIRE(n > 0 && (unsigned)n <= nr);
		for (int i = 0; i < n; i++)
			((struct lane *)events[i].user)->result = events[i].result;
		nr -= (unsigned)n;
	}
}

static void round_of_lanes(struct rig *rig)
{
	struct lane lanes[LANES];

	for (unsigned i = 0; i < LANES; i++)
		lane_begin(rig, &lanes[i], i);
	gather(rig, LANES);
	for (unsigned i = 0; i < LANES; i++)
		lane_check(&lanes[i]);
}

/* Opened anew: behind the end of a file that shrank, memory may be touched. */
static void new_content(struct rig *rig, enum decant_uring_direct direct)
{
	memset(model, 0, sizeof(model));
	size = FILE_MAX - LANE_BYTES + check_below(LANE_BYTES);
	rig_random(model, size);
	rig_put_content(rig->fd, model, size);
	decant_uring_file_close(rig->file);
	REQUIRE(decant_uring_file_open(&rig->file, rig->fd, direct) == 0);
}

static void rounds(const char *dir, enum decant_uring_direct direct)
{
	size_t nr = check_cases(60);
	struct rig rig;

	rig_init(&rig, dir, direct);
	for (size_t i = 0; i < nr; i++) {
		if (i % 16 == 0)
			new_content(&rig, direct);
		round_of_lanes(&rig);
		if (!CHECK(rig_file_holds(rig.fd, model, size)))
			break;
		CHECK_EQ(decant_uring_fsync(rig.ring, rig.file, &rig), 0);
		CHECK_EQ(rig_event(rig.ring, &rig), 0);
	}
	rig_fini(&rig);
}

static void direct(void)
{
	rounds(rig_dir(), DECANT_URING_DIRECT_AUTO);
}

static void buffered(void)
{
	rounds(rig_dir(), DECANT_URING_DIRECT_NEVER);
}

static void tmpfs(void)
{
	rounds("/dev/shm", DECANT_URING_DIRECT_AUTO);
}

int main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{"direct", direct},
		{"through the page cache", buffered},
		{"tmpfs", tmpfs},
	};

	return rig_main(argc, argv, cases, ARRAY_SIZE(cases));
}
