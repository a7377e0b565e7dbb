/* SPDX-License-Identifier: MIT */
/* family.c - every position, length and cut around the edges of blocks, against a model.
 */
#include "rig.h"

#define FILE_BYTES 12345u
#define MODEL_MAX  65536u

static const size_t positions[] = {0,	 1,    511,  512,   513,   4095,  4096,
				   4097, 8192, 8300, 12288, 12344, 12345, 20000};
static const size_t lengths[] = {0,    1,    511,  512,	 513,  1024, 4095,
				 4096, 4097, 8191, 8192, 8193, 20000};

static unsigned char content[FILE_BYTES];

static size_t expected(size_t len, size_t pos)
{
	size_t there = pos < FILE_BYTES ? FILE_BYTES - pos : 0;

	return len < there ? len : there;
}

static void read_one(struct rig *rig, size_t pos, size_t len, enum cut_style style)
{
	size_t want = expected(len, pos);
	struct cut cut;
	struct decant_iter it;
	ssize_t n;

	cut_init(&cut, len, style);
	it = cut_iter(&cut, DECANT_DEST);
	n = rig_read(rig, &it, len, pos);
	if (!CHECK_EQ(n, want) ||
	    !CHECK(cut_holds(&cut, content + (want ? pos : 0), want)))
		printf("# read at %zu of %zu, cut %d\n", pos, len, style);
	CHECK_EQ(decant_iter_count(&it), 0);
	cut_fini(&cut);
}

static void write_one(struct rig *rig, size_t pos, size_t len, enum cut_style style)
{
	static unsigned char model[MODEL_MAX];
	size_t size = len && pos + len > FILE_BYTES ? pos + len : FILE_BYTES;
	struct decant_iter it;
	struct cut cut;

	memset(model, 0, sizeof(model));
	memcpy(model, content, FILE_BYTES);
	rig_put_content(rig->fd, content, FILE_BYTES);
	rig_random(model + pos, len);
	if (pos + len < FILE_BYTES)
		memcpy(model + pos + len, content + pos + len, FILE_BYTES - pos - len);
	cut_init(&cut, len, style);
	cut_fill(&cut, model + pos);
	it = cut_iter(&cut, DECANT_SOURCE);
	if (!CHECK_EQ(rig_write(rig, &it, len, pos), len) ||
	    !CHECK(rig_file_holds(rig->fd, model, size)))
		printf("# write at %zu of %zu, cut %d\n", pos, len, style);
	cut_fini(&cut);
}

static void each(struct rig *rig,
		 void (*one)(struct rig *, size_t, size_t, enum cut_style))
{
	for (size_t p = 0; p < ARRAY_SIZE(positions); p++)
		for (size_t l = 0; l < ARRAY_SIZE(lengths); l++)
			for (unsigned s = 0; s < CUT_STYLES; s++)
				one(rig, positions[p], lengths[l], (enum cut_style)s);
}

static void family(const char *dir, enum decant_uring_direct direct,
		   void (*one)(struct rig *, size_t, size_t, enum cut_style))
{
	struct decant_uring_file_info info;
	struct rig rig;

	rig_init(&rig, dir, direct);
	rig_random(content, sizeof(content));
	rig_put_content(rig.fd, content, sizeof(content));
	decant_uring_file_info(rig.file, &info);
	printf("# %s: direct %d, memory %u, offset %u, %s\n", dir, info.direct,
	       info.mem_align, info.offset_align, info.why ? info.why : "known");
	each(&rig, one);
	rig_fini(&rig);
}

static void reads_direct(void)
{
	family(rig_dir(), DECANT_URING_DIRECT_AUTO, read_one);
}

static void reads_buffered(void)
{
	family(rig_dir(), DECANT_URING_DIRECT_NEVER, read_one);
}

static void reads_gathered(void)
{
	rig_small_piece = 0;
	family(rig_dir(), DECANT_URING_DIRECT_AUTO, read_one);
	rig_small_piece = 1;
}

static void writes_gathered(void)
{
	rig_small_piece = SIZE_MAX;
	family(rig_dir(), DECANT_URING_DIRECT_AUTO, write_one);
	rig_small_piece = 1;
}

static void writes_direct(void)
{
	family(rig_dir(), DECANT_URING_DIRECT_AUTO, write_one);
}

static void writes_buffered(void)
{
	family(rig_dir(), DECANT_URING_DIRECT_NEVER, write_one);
}

static void reads_tmpfs(void)
{
	family("/dev/shm", DECANT_URING_DIRECT_AUTO, read_one);
}

static void writes_tmpfs(void)
{
	family("/dev/shm", DECANT_URING_DIRECT_AUTO, write_one);
}

int main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{"reads, direct", reads_direct},
		{"reads, through the page cache", reads_buffered},
		{"reads, tmpfs", reads_tmpfs},
		{"reads, direct, small pieces gathered", reads_gathered},
		{"writes, direct", writes_direct},
		{"writes, direct, all pieces gathered", writes_gathered},
		{"writes, through the page cache", writes_buffered},
		{"writes, tmpfs", writes_tmpfs},
	};

	return rig_main(argc, argv, cases, ARRAY_SIZE(cases));
}
