/* SPDX-License-Identifier: MIT */
/* device.c - block devices, file systems of several sorts, and devices that fail. */
#include "child.h"
#include "device.h"

#define BYTES  262144u
#define SECTOR 4096u

static unsigned char model[BYTES];

/* Around the edges of blocks and of everything. */
static size_t draw_edge(size_t max)
{
	static const size_t blocks[] = {512, 4096, 65536};
	size_t block = blocks[check_below(3)];
	size_t n = check_below(max / block + 1) * block + check_below(5);

	n = n < 2 ? n : n - 2;
	return n < max ? n : max;
}

static void draw(size_t *pos, size_t *len)
{
	*pos = draw_edge(BYTES - 1);
	*len = check_below(4) ? draw_edge(20000) : draw_edge(BYTES);
	if (*len > BYTES - *pos)
		*len = BYTES - *pos;
}

static void read_one(struct rig *rig)
{
	size_t pos, len;
	struct decant_iter it;
	struct cut cut;

	draw(&pos, &len);
	cut_init(&cut, len, (enum cut_style)check_below(CUT_BYTES));
	it = cut_iter(&cut, DECANT_DEST);
	if (!CHECK_EQ(rig_read(rig, &it, len, pos), len) ||
	    !CHECK(cut_holds(&cut, model + pos, len)))
		printf("# read at %zu of %zu\n", pos, len);
	cut_fini(&cut);
}

static void write_one(struct rig *rig)
{
	size_t pos, len;
	struct decant_iter it;
	struct cut cut;

	draw(&pos, &len);
	rig_random(model + pos, len);
	cut_init(&cut, len, (enum cut_style)check_below(CUT_BYTES));
	cut_fill(&cut, model + pos);
	it = cut_iter(&cut, DECANT_SOURCE);
	if (!CHECK_EQ(rig_write(rig, &it, len, pos), len))
		printf("# write at %zu of %zu\n", pos, len);
	cut_fini(&cut);
}

static bool holds_model(int fd)
{
	static unsigned char bytes[BYTES];

	return pread(fd, bytes, BYTES, 0) == (ssize_t)BYTES &&
	       !memcmp(bytes, model, BYTES);
}

/* Reads and writes of every sort against the model; what the file says of itself. */
static struct decant_uring_file_info hammer(int fd, struct decant_uring_stats *stats)
{
	struct decant_uring_file_info info;
	struct rig rig = {.ring = rig_ring(0, NULL), .fd = fd};

	rig_random(model, BYTES);
	REQUIRE(pwrite(fd, model, BYTES, 0) == (ssize_t)BYTES);
	REQUIRE(!decant_uring_file_open(&rig.file, fd, DECANT_URING_DIRECT_AUTO));
	decant_uring_file_info(rig.file, &info);
	printf("# direct %d, memory %u, offset %u, %s\n", info.direct, info.mem_align,
	       info.offset_align, info.why ? info.why : "known");
	for (size_t i = 0; i < check_cases(150); i++) {
		write_one(&rig);
		read_one(&rig);
		if (i % 10 == 9)
			CHECK(holds_model(fd));
	}
	decant_uring_stats(rig.ring, stats);
	decant_uring_free(rig.ring);
	decant_uring_file_close(rig.file);
	return info;
}

static void device(void)
{
	struct decant_uring_file_info info;
	struct decant_uring_stats stats;
	int fd = device_new(model, BYTES, SECTOR);

	if (fd < 0)
		return;
	info = hammer(fd, &stats);
	CHECK(info.direct && info.known);
	CHECK_EQ(info.offset_align, SECTOR);
	CHECK(stats.edges > 0);
	CHECK_EQ(stats.buffered_bytes, 0);
	close(fd);
}

/* Neither past the end nor across it, wherever in a block of the caller's it lies. */
static void device_end(void)
{
	static unsigned char bytes[3 * SECTOR];
	int fd = device_new(model, BYTES, SECTOR);
	struct rig rig = {.ring = rig_ring(0, NULL), .fd = fd};
	struct decant_iter it;

	if (fd < 0) {
		decant_uring_free(rig.ring);
		return;
	}
	REQUIRE(!decant_uring_file_open(&rig.file, fd, DECANT_URING_DIRECT_AUTO));
	for (size_t before = 0; before <= 2 * SECTOR; before += SECTOR / 2 + 1) {
		it = rig_buf(DECANT_DEST, bytes, sizeof(bytes));
		CHECK_EQ(rig_read(&rig, &it, SIZE_MAX, BYTES - before), before);
		it = rig_buf(DECANT_SOURCE, bytes, sizeof(bytes));
		CHECK_EQ(rig_write(&rig, &it, SIZE_MAX, BYTES - before),
			 before ? (ssize_t)before : -ENOSPC);
	}
	rig_fini(&rig);
}

/* A file on what is mounted at /mnt. */
static struct decant_uring_file_info hammer_mnt(struct decant_uring_stats *stats)
{
	int fd = rig_temporary("/mnt");
	struct decant_uring_file_info info = hammer(fd, stats);

	close(fd);
	return info;
}

static int on_overlay(void)
{
	char base[PATH_MAX], options[4 * PATH_MAX], command[2 * PATH_MAX];
	struct decant_uring_file_info info;
	struct decant_uring_stats stats;

	if (!realpath(rig_dir(), base))
		return CHILD_CANNOT;
	strcat(base, "/overlay-XXXXXX");
	if (!mkdtemp(base))
		return CHILD_CANNOT;
	snprintf(command, sizeof(command), "cd '%s' && mkdir lower upper work", base);
	snprintf(options, sizeof(options),
		 "lowerdir=%s/lower,upperdir=%s/upper,"
		 "workdir=%s/work",
		 base, base, base);
	if (!child_mounts() || system(command) ||
	    mount("overlay", "/mnt", "overlay", 0, options))
		return CHILD_CANNOT;
	info = hammer_mnt(&stats);
	CHECK(info.direct);
	CHECK(stats.edges > 0);
	umount("/mnt");
	snprintf(command, sizeof(command), "rm -rf '%s'", base);
	return system(command) ? 1 : 0;
}

static void overlay(void)
{
	child_run(on_overlay, "no overlay can be mounted here");
}

static int on_ramfs(void)
{
	struct decant_uring_file_info info;
	struct decant_uring_stats stats;

	if (!child_mounts() || mount("none", "/mnt", "ramfs", 0, NULL))
		return CHILD_CANNOT;
	info = hammer_mnt(&stats);
	CHECK(!info.direct);
	CHECK(info.why != NULL);
	CHECK_EQ(stats.direct_bytes + stats.staged_bytes + stats.edges, 0);
	CHECK(stats.buffered_bytes > 0);
	return 0;
}

static void without_direct(void)
{
	child_run(on_ramfs, "no ramfs can be mounted here");
}

/* An ext4 of @options on a device with large sectors, at /mnt; false: it can't be had. */
static bool mount_ext4(const char *options, size_t bytes)
{
	int backing = rig_temporary(rig_dir()), fd;
	char device[64], command[128];
	struct stat st;
	bool ok;

	REQUIRE(ftruncate(backing, (off_t)bytes) == 0);
	fd = device_over(backing, SECTOR);
	close(backing);
	if (fd < 0 || fstat(fd, &st))
		return false;
	snprintf(device, sizeof(device), "/dev/loop%u", minor(st.st_rdev));
	snprintf(command, sizeof(command), "mkfs.ext4 -q -m 0 %s >/dev/null 2>&1",
		 device);
	ok = !system(command) && !mount(device, "/mnt", "ext4", 0, options);
	close(fd);
	return ok;
}

static int on_ext4(void)
{
	struct decant_uring_file_info info;
	struct decant_uring_stats stats;

	if (!child_mounts() || !mount_ext4("", 16u << 20))
		return CHILD_CANNOT;
	info = hammer_mnt(&stats);
	CHECK(info.direct && info.known);
	CHECK_EQ(info.offset_align, SECTOR);
	umount("/mnt");
	return 0;
}

static void large_sectors(void)
{
	child_run(on_ext4, "no ext4 on a loop device can be had");
}

static int on_journal(void)
{
	struct decant_uring_file_info info;
	struct decant_uring_stats stats;

	if (!child_mounts() || !mount_ext4("data=journal", 16u << 20))
		return CHILD_CANNOT;
	info = hammer_mnt(&stats);
	CHECK(!info.direct);
	CHECK(info.why != NULL);
	CHECK_EQ(stats.direct_bytes + stats.staged_bytes, 0);
	umount("/mnt");
	return 0;
}

static void journal(void)
{
	child_run(on_journal, "no ext4 on a loop device can be had");
}

/* What was written of a write that failed is what it says. */
static void check_prefix(int fd, ssize_t n, size_t pos)
{
	static unsigned char bytes[4 * BYTES];

	if (n > 0)
		CHECK(pread(fd, bytes, (size_t)n, (off_t)pos) == n &&
		      !memcmp(bytes, model, (size_t)n));
}

static int fill_up(void)
{
	struct rig rig;
	struct decant_iter it;
	uint64_t pos = 100;
	ssize_t n;

	if (!child_mounts() || !mount_ext4("", 4u << 20))
		return CHILD_CANNOT;
	rig_init(&rig, "/mnt", DECANT_URING_DIRECT_AUTO);
	rig_random(model, BYTES);
	do {
		it = rig_buf(DECANT_SOURCE, model, BYTES);
		n = rig_write(&rig, &it, BYTES, pos);
		check_prefix(rig.fd, n, pos);
		pos += n > 0 ? (uint64_t)n : 0;
	} while (n == (ssize_t)BYTES);
	CHECK(n == -ENOSPC || n > 0);
	it = rig_buf(DECANT_SOURCE, model, BYTES);
	CHECK_EQ(rig_write(&rig, &it, BYTES, pos + SECTOR), -ENOSPC);
	printf("# full after %llu bytes\n", (unsigned long long)pos);
	rig_fini(&rig);
	umount("/mnt");
	return 0;
}

static void full_disk(void)
{
	child_run(fill_up, "no ext4 on a loop device can be had");
}

#define GOOD  (1024u * SECTOR) /* one request of pieces of a sector */
#define PARTS 1500u

/* A device over a file on a full tmpfs: only its first part can be written. */
static int device_half_good(unsigned char *bytes)
{
	int backing, other, fd;

	if (!child_mounts() || mount("none", "/mnt", "tmpfs", 0, "size=5m"))
		return -1;
	backing = rig_temporary("/mnt");
	other = rig_temporary("/mnt");
	REQUIRE(pwrite(backing, bytes, GOOD, 0) == (ssize_t)GOOD);
	REQUIRE(ftruncate(backing, 2 * GOOD) == 0);
	while (write(other, bytes, SECTOR) == SECTOR)
		;
	fd = device_over(backing, SECTOR);
	close(backing);
	return fd; /* the other one stays: it takes the room */
}

static void in_pieces(struct rig *rig, unsigned char *bytes)
{
	static struct iovec iov[PARTS];
	struct decant_iter it;

	for (size_t i = 0; i < PARTS; i++)
		iov[i] = (struct iovec){bytes + 2 * i * SECTOR, SECTOR};
	REQUIRE(!decant_iter_iovec(&it, DECANT_SOURCE, iov, PARTS));
	CHECK_EQ(rig_write(rig, &it, SIZE_MAX, 0), GOOD);
	CHECK_EQ(decant_iter_count(&it), 0);
}

static int fail_late(void)
{
	unsigned char *bytes = aligned_alloc(SECTOR, 2 * PARTS * SECTOR);
	struct decant_iter it;
	struct rig rig = {0};

	REQUIRE(bytes);
	rig_random(bytes, GOOD);
	rig.fd = device_half_good(bytes);
	if (rig.fd < 0)
		return CHILD_CANNOT;
	rig.ring = rig_ring(0, NULL);
	REQUIRE(!decant_uring_file_open(&rig.file, rig.fd, DECANT_URING_DIRECT_AUTO));
	in_pieces(&rig, bytes);
	/* A block of which a part changes is read, and then it can't be written. */
	it = rig_buf(DECANT_SOURCE, bytes, 100);
	CHECK_EQ(rig_write(&rig, &it, 100, GOOD + 50), -ENOSPC);
	it = rig_buf(DECANT_SOURCE, bytes, 100);
	CHECK_EQ(rig_write(&rig, &it, 100, GOOD - 150), 100);
	rig_fini(&rig);
	free(bytes);
	return 0;
}

static void failing_writes(void)
{
	child_run(fail_late, "no loop device on a tmpfs can be had");
}

int main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{"a block device with sectors of 4096 bytes", device},
		{"the end of a device", device_end},
		{"overlay", overlay},
		{"ext4 on large sectors", large_sectors},
		{"a file system without O_DIRECT", without_direct},
		{"a file that can't be direct", journal},
		{"a full disk", full_disk},
		{"a device that can't write everywhere", failing_writes},
	};

	return rig_main(argc, argv, cases, ARRAY_SIZE(cases));
}
