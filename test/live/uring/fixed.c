/* SPDX-License-Identifier: MIT */
/* fixed.c - regions as registered buffers: they come, go, and are refused. */
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include "child.h"
#include "rig.h"

#define FILE_BYTES   65536u
#define REGION_BYTES (1u << 20)

static unsigned char content[FILE_BYTES];

static void unmap(void *user, void *addr, size_t len)
{
	if (user)
		++*(int *)user;
	munmap(addr, len);
}

static struct decant_region *region_new(size_t len, int *released)
{
	struct decant_region_options options = {
		.size = sizeof(options), .release = unmap, .user = released};
	void *addr = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	struct decant_region *region;

	REQUIRE(addr != MAP_FAILED);
	REQUIRE(!decant_region_new(&region, addr, len, &options));
	return region;
}

static unsigned char *start_of(struct decant_region *region)
{
	return decant_region_span(region).addr;
}

static struct decant_uring_buffers_info info_of(struct decant_uring *ring)
{
	struct decant_uring_buffers_info info;

	decant_uring_buffers_info(ring, &info);
	return info;
}

static uint64_t fixed_of(struct decant_uring *ring)
{
	struct decant_uring_stats stats;

	decant_uring_stats(ring, &stats);
	return stats.fixed;
}

/* A ring of @mode with a space, a file with content, a region in the space. */
struct fixture {
	struct rig rig;
	struct decant_space *space;
	struct decant_region *region;
	int released;
};

static int try_ring(struct fixture *f, enum decant_uring_buffers mode, unsigned regions)
{
	struct decant_uring_options options = {.size = sizeof(options),
					       .backend = rig_backend,
					       .one_thread = rig_one_thread,
					       .space = f->space,
					       .buffers = mode,
					       .regions = regions};

	return decant_uring_new(&f->rig.ring, &options);
}

static void fixture_init(struct fixture *f, enum decant_uring_buffers mode,
			 unsigned regions)
{
	*f = (struct fixture){0};
	REQUIRE(!decant_space_new(&f->space));
	f->region = region_new(REGION_BYTES, &f->released);
	REQUIRE(!decant_space_add(f->space, f->region));
	REQUIRE(!try_ring(f, mode, regions));
	f->rig.fd = rig_temporary(rig_dir());
	rig_random(content, FILE_BYTES);
	rig_put_content(f->rig.fd, content, FILE_BYTES);
	REQUIRE(!decant_uring_file_open(&f->rig.file, f->rig.fd,
					DECANT_URING_DIRECT_AUTO));
}

static void fixture_fini(struct fixture *f)
{
	decant_space_free(f->space);
	decant_region_put(f->region);
	rig_fini(&f->rig);
	CHECK_EQ(f->released, 1);
}

static bool has_buffers(void)
{
	if (rig_backend == DECANT_URING_RING)
		return true;
	check_skip("threads have no registered buffers");
	return false;
}

static void read_one(struct fixture *f, unsigned char *to, size_t len, size_t pos)
{
	struct decant_iter it = rig_buf(DECANT_DEST, to, len);

	memset(to, RIG_CANARY, len);
	CHECK_EQ(rig_read(&f->rig, &it, len, pos), len);
	CHECK(!memcmp(to, content + pos, len));
}

static void write_one(struct fixture *f, unsigned char *from, size_t len, size_t pos)
{
	struct decant_iter it = rig_buf(DECANT_SOURCE, from, len);

	rig_random(from, len);
	memcpy(content + pos, from, len);
	CHECK_EQ(rig_write(&f->rig, &it, len, pos), len);
	CHECK(rig_file_holds(f->rig.fd, content, FILE_BYTES));
}

static void single(void)
{
	struct fixture f;
	bool ring = rig_backend == DECANT_URING_RING;

	fixture_init(&f, DECANT_URING_BUFFERS_AUTO, 0);
	read_one(&f, start_of(f.region) + 4096, 8192, 4096);
	CHECK_EQ(fixed_of(f.rig.ring), ring ? 1 : 0);
	CHECK_EQ(info_of(f.rig.ring).regions, ring ? 1 : 0);
	CHECK_EQ(info_of(f.rig.ring).locked, ring ? REGION_BYTES : 0);
	CHECK_EQ(info_of(f.rig.ring).possible, ring);
	CHECK(ring == !info_of(f.rig.ring).why);
	write_one(&f, start_of(f.region), 4096, 8192);
	write_one(&f, start_of(f.region) + REGION_BYTES - 512, 512, 512);
	CHECK_EQ(fixed_of(f.rig.ring), ring ? 3 : 0);
	fixture_fini(&f);
}

/* All of it in one region: one request, whatever the cut. */
static void vectored(void)
{
	struct iovec iov[8];
	struct decant_iter it;
	struct fixture f;

	if (!has_buffers())
		return;
	fixture_init(&f, DECANT_URING_BUFFERS_ALWAYS, 0);
	for (size_t i = 0; i < 8; i++)
		iov[i] = (struct iovec){start_of(f.region) + i * 8192, 512};
	REQUIRE(!decant_iter_iovec(&it, DECANT_DEST, iov, 8));
	CHECK_EQ(rig_read(&f.rig, &it, 4096, 4096), 4096);
	for (size_t i = 0; i < 8; i++)
		CHECK(!memcmp(iov[i].iov_base, content + 4096 + 512 * i, 512));
	REQUIRE(!decant_iter_iovec(&it, DECANT_SOURCE, iov, 8));
	CHECK_EQ(rig_write(&f.rig, &it, 4096, 512), 4096);
	memmove(content + 512, content + 4096, 4096);
	CHECK(rig_file_holds(f.rig.fd, content, FILE_BYTES));
	CHECK_EQ(fixed_of(f.rig.ring), info_of(f.rig.ring).vectored ? 2 : 0);
	printf("# vectors in registered buffers: %d\n", info_of(f.rig.ring).vectored);
	fixture_fini(&f);
}

/* Two regions in one request, and memory in none: the plain way, the same bytes. */
static void mixed(void)
{
	struct decant_region *other = region_new(REGION_BYTES, NULL);
	static unsigned char plain[4096] __attribute__((aligned(4096)));
	struct iovec iov[3];
	struct decant_iter it;
	struct fixture f;

	fixture_init(&f, DECANT_URING_BUFFERS_AUTO, 0);
	REQUIRE(!decant_space_add(f.space, other));
	iov[0] = (struct iovec){start_of(f.region), 4096};
	iov[1] = (struct iovec){start_of(other) + 8192, 4096};
	iov[2] = (struct iovec){plain, 4096};
	for (size_t nr = 2; nr <= 3; nr++) {
		REQUIRE(!decant_iter_iovec(&it, DECANT_DEST, iov, nr));
		CHECK_EQ(rig_read(&f.rig, &it, SIZE_MAX, 0), 4096 * nr);
		for (size_t i = 0; i < nr; i++)
			CHECK(!memcmp(iov[i].iov_base, content + 4096 * i, 4096));
	}
	CHECK_EQ(fixed_of(f.rig.ring), 0);
	decant_region_put(other);
	fixture_fini(&f);
}

/* A region goes while it is read into: it stays until the event, and then it is gone. */
static void removed(void)
{
	struct decant_uring_event event;
	struct decant_region *region;
	struct decant_iter it;
	unsigned char *to;
	int released = 0;
	struct fixture f;

	fixture_init(&f, DECANT_URING_BUFFERS_AUTO, 0);
	for (size_t round = 0; round < 50; round++) {
		region = region_new(FILE_BYTES, &released);
		REQUIRE(!decant_space_add(f.space, region));
		to = start_of(region);
		for (size_t i = 0; i < 16; i++) {
			it = rig_buf(DECANT_DEST, to + i * 4096, 4096);
			CHECK_EQ(decant_uring_read(f.rig.ring, f.rig.file, &it, 4096,
						   i * 4096, &f),
				 0);
		}
		if (round & 1)
			CHECK_EQ(decant_uring_submit(f.rig.ring), 0);
		CHECK_EQ(decant_space_remove(f.space, region), 0);
		for (size_t i = 0; i < 16; i++) {
			CHECK_EQ(decant_uring_wait(f.rig.ring, &event, 1, 60000), 1);
			CHECK_EQ(event.result, 4096);
		}
		CHECK(!memcmp(to, content, FILE_BYTES));
		CHECK_EQ(released, round);
		decant_region_put(region);
		CHECK_EQ(released, round + 1);
		CHECK_EQ(info_of(f.rig.ring).regions, 0);
	}
	fixture_fini(&f);
}

static void *drop(void *region)
{
	decant_region_put(region);
	return NULL;
}

/* The last reference goes in another thread; a small table shows that slots come back. */
static void dropped_elsewhere(void)
{
	struct fixture f;
	pthread_t thread;

	fixture_init(&f, DECANT_URING_BUFFERS_AUTO, 2);
	for (unsigned round = 0; round < 20; round++) {
		struct decant_region *region = region_new(FILE_BYTES, NULL);

		REQUIRE(!decant_space_add(f.space, region));
		read_one(&f, start_of(region), 4096, 4096);
		CHECK_EQ(decant_space_remove(f.space, region), 0);
		REQUIRE(!pthread_create(&thread, NULL, drop, region));
		pthread_join(thread, NULL);
	}
	if (rig_backend == DECANT_URING_RING)
		CHECK_EQ(fixed_of(f.rig.ring), 20);
	fixture_fini(&f);
}

static void by_hand(void)
{
	struct decant_domain *domain;
	struct fixture f;

	if (!has_buffers())
		return;
	fixture_init(&f, DECANT_URING_BUFFERS_AUTO, 0);
	domain = decant_uring_domain(f.rig.ring);
	CHECK_EQ(decant_domain_map(domain, f.region), 0);
	CHECK_EQ(info_of(f.rig.ring).regions, 1);
	read_one(&f, start_of(f.region), 4096, 0);
	CHECK_EQ(fixed_of(f.rig.ring), 1);
	CHECK_EQ(decant_domain_unmap(domain, f.region), 0);
	CHECK_EQ(info_of(f.rig.ring).regions, 0);
	CHECK_EQ(info_of(f.rig.ring).locked, 0);
	fixture_fini(&f);
}

static void never(void)
{
	struct fixture f;

	fixture_init(&f, DECANT_URING_BUFFERS_NEVER, 0);
	read_one(&f, start_of(f.region), 4096, 0);
	CHECK_EQ(fixed_of(f.rig.ring), 0);
	CHECK_EQ(decant_domain_map(decant_uring_domain(f.rig.ring), f.region),
		 -EOPNOTSUPP);
	CHECK(info_of(f.rig.ring).why != NULL);
	fixture_fini(&f);
}

/* More than a slot holds: two in a row; what lies across goes the plain way. */
static void large(void)
{
	size_t gib = (size_t)1 << 30, len = gib + (1 << 20);
	unsigned char *addr = mmap(NULL, len, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct decant_region_options options = {.size = sizeof(options)};
	struct decant_region *region;
	struct fixture f;

	if (!has_buffers())
		return;
	REQUIRE(addr != MAP_FAILED);
	options.release = unmap;
	REQUIRE(!decant_region_new(&region, addr, len, &options));
	fixture_init(&f, DECANT_URING_BUFFERS_AUTO, 0);
	if (madvise(addr, len, MADV_HUGEPAGE) ||
	    decant_domain_map(decant_uring_domain(f.rig.ring), region)) {
		check_skip("a GiB can't be locked");
	} else {
		REQUIRE(!decant_space_add(f.space, region));
		read_one(&f, addr + gib - 4096, 4096, 0);
		read_one(&f, addr + gib, 4096, 4096);
		CHECK_EQ(fixed_of(f.rig.ring), 2);
		read_one(&f, addr + gib - 4096, 8192, 0);
		CHECK_EQ(fixed_of(f.rig.ring), 2);
		CHECK_EQ(decant_space_remove(f.space, region), 0);
	}
	decant_region_put(region);
	fixture_fini(&f);
}

/* As nobody, with little memory to lock. */
static int little_memory(void)
{
	struct rlimit limit = {.rlim_cur = REGION_BYTES / 2,
			       .rlim_max = REGION_BYTES / 2};
	struct decant_uring_buffers_info info;
	struct decant_iter it;
	struct fixture f;

	if (setrlimit(RLIMIT_MEMLOCK, &limit))
		return CHILD_CANNOT;
	fixture_init(&f, DECANT_URING_BUFFERS_AUTO, 0);
	/* What a ring may lock is its creator's. */
	decant_uring_free(f.rig.ring);
	if (setuid(65534) || try_ring(&f, DECANT_URING_BUFFERS_AUTO, 0))
		return CHILD_CANNOT;
	read_one(&f, start_of(f.region), 4096, 0);
	CHECK_EQ(fixed_of(f.rig.ring), 0);
	info = info_of(f.rig.ring);
	CHECK_EQ(info.limit, REGION_BYTES / 2);
	CHECK_EQ(info.needed, REGION_BYTES);
	CHECK_EQ(info.regions, 0);
	decant_uring_free(f.rig.ring);
	if (try_ring(&f, DECANT_URING_BUFFERS_ALWAYS, 0))
		return CHILD_CANNOT;
	it = rig_buf(DECANT_DEST, start_of(f.region), 4096);
	CHECK_EQ(rig_read(&f.rig, &it, 4096, 0), -ENOMEM);
	CHECK_EQ(decant_iter_count(&it), 4096);
	CHECK_EQ(info_of(f.rig.ring).needed, REGION_BYTES);
	fixture_fini(&f);
	return 0;
}

static void limited(void)
{
	if (has_buffers())
		child_run(little_memory, "the user can't be changed");
}

/* Memory that the kernel does not lock: a file's. */
static void refused_memory(void)
{
	int fd = rig_temporary(rig_dir());
	struct decant_region *region;
	struct fixture f;

	REQUIRE(!ftruncate(fd, 65536));
	REQUIRE(!decant_region_file(&region, fd, 0, 65536, DECANT_DEST));
	close(fd);
	fixture_init(&f, DECANT_URING_BUFFERS_AUTO, 0);
	REQUIRE(!decant_space_add(f.space, region));
	for (size_t i = 0; i < 3; i++)
		read_one(&f, start_of(region), 4096, 4096);
	CHECK_EQ(info_of(f.rig.ring).regions, fixed_of(f.rig.ring) ? 1 : 0);
	CHECK_EQ(decant_space_remove(f.space, region), 0);
	decant_region_put(region);
	fixture_fini(&f);
}

static void registered_file(void)
{
	struct decant_uring_file *file;
	struct decant_uring *other;
	struct fixture f;

	fixture_init(&f, DECANT_URING_BUFFERS_AUTO, 0);
	file = f.rig.file;
	other = rig_ring(0, NULL);
	CHECK_EQ(decant_uring_file_unregister(f.rig.ring, file), -ENOENT);
	for (size_t i = 0; i < 3; i++) {
		CHECK_EQ(decant_uring_file_register(f.rig.ring, file), 0);
		CHECK_EQ(decant_uring_file_register(f.rig.ring, file), 0);
		CHECK_EQ(decant_uring_file_register(other, file), -EBUSY);
		read_one(&f, start_of(f.region), 8192, 4096);
		read_one(&f, start_of(f.region) + 1, 5000, 100);
		write_one(&f, start_of(f.region) + 1, 5000, 100 + i);
		if (i)
			CHECK_EQ(decant_uring_file_unregister(f.rig.ring, file), 0);
	}
	read_one(&f, start_of(f.region), 8192, 4096);
	/* The ring ends first, and the file is good for another. */
	CHECK_EQ(decant_uring_file_register(other, file), 0);
	decant_uring_free(other);
	CHECK_EQ(decant_uring_file_register(f.rig.ring, file), 0);
	read_one(&f, start_of(f.region), 8192, 4096);
	decant_uring_file_close(file);
	REQUIRE(!decant_uring_file_open(&f.rig.file, f.rig.fd,
					DECANT_URING_DIRECT_NEVER));
	CHECK_EQ(decant_uring_file_register(f.rig.ring, f.rig.file), 0);
	read_one(&f, start_of(f.region), 8000, 4096);
	fixture_fini(&f);
}

/* What is registered is open until it is closed here, whoever else has closed it. */
static void registered_elsewhere(void)
{
	struct fixture f;
	int fd;

	if (!has_buffers())
		return;
	fixture_init(&f, DECANT_URING_BUFFERS_AUTO, 0);
	decant_uring_file_close(f.rig.file);
	REQUIRE(!decant_uring_file_open(&f.rig.file, f.rig.fd,
					DECANT_URING_DIRECT_NEVER));
	CHECK_EQ(decant_uring_file_register(f.rig.ring, f.rig.file), 0);
	fd = dup(f.rig.fd);
	close(f.rig.fd); /* so that only the ring's own place leads to the file */
	rig_random(content, 10);
	CHECK_EQ(pwrite(fd, content, 10, 0), 10);
	read_one(&f, start_of(f.region), 8192, 4096);
	f.rig.fd = dup2(fd, f.rig.fd);
	close(fd);
	fixture_fini(&f);
}

static void too_many_files(void)
{
	struct decant_uring_file *files[65];
	struct decant_uring *ring = rig_ring(0, NULL);
	int fd = rig_temporary(rig_dir());

	for (size_t i = 0; i < 65; i++) {
		REQUIRE(!decant_uring_file_open(&files[i], fd,
						DECANT_URING_DIRECT_NEVER));
		CHECK_EQ(decant_uring_file_register(ring, files[i]),
			 i < 64 ? 0 : -ENOSPC);
	}
	decant_uring_file_close(files[5]);
	CHECK_EQ(decant_uring_file_register(ring, files[64]), 0);
	for (size_t i = 0; i < 65; i++)
		if (i != 5)
			decant_uring_file_close(files[i]);
	decant_uring_free(ring);
	close(fd);
}

static struct fixture *parents;

static int gives_up(void)
{
	struct fixture *f = parents;

	decant_uring_file_close(f->rig.file);
	decant_space_free(f->space);
	decant_region_put(f->region);
	decant_uring_free(f->rig.ring);
	return 0;
}

/* What a child gives up stays registered for its parent. */
static void after_fork(void)
{
	struct fixture f;

	fixture_init(&f, DECANT_URING_BUFFERS_AUTO, 0);
	CHECK_EQ(decant_uring_file_register(f.rig.ring, f.rig.file), 0);
	read_one(&f, start_of(f.region), 8192, 4096);
	parents = &f;
	child_run(gives_up, NULL);
	read_one(&f, start_of(f.region), 8192, 4096);
	CHECK_EQ(fixed_of(f.rig.ring), rig_backend == DECANT_URING_RING ? 2 : 0);
	fixture_fini(&f);
}

int main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{"one element", single},
		{"several elements", vectored},
		{"several regions", mixed},
		{"removed while in flight", removed},
		{"dropped in another thread", dropped_elsewhere},
		{"mapped by hand", by_hand},
		{"never", never},
		{"more than a GiB", large},
		{"too little memory may be locked", limited},
		{"memory of a file", refused_memory},
		{"a registered file", registered_file},
		{"a registered file that is closed elsewhere", registered_elsewhere},
		{"too many files", too_many_files},
		{"after fork", after_fork},
	};

	return rig_main(argc, argv, cases, ARRAY_SIZE(cases));
}
