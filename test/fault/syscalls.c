/* SPDX-License-Identifier: MIT */
/*
 * syscalls.c - the n-th system call of the core fails, for every n and several reasons,
 * or does less than asked: what was not done is as it was, and nothing leaks.
 */
#include "each.h"
#include "../unit/fake.h"

#define PAGE   4096
#define LEN    10000
#define PIECES 40

static unsigned char there[LEN], here[LEN], expected[LEN];
static struct iovec cuts[2][PIECES];

static size_t cut(struct iovec *iov, unsigned char *memory, size_t seed)
{
	size_t nr = 0;

	for (size_t at = 0, n; at < LEN; at += n, nr++) {
		n = nr == PIECES - 1 ? LEN - at : (seed * (nr + 1) * 37) % 700;
		n = n < LEN - at ? n : LEN - at;
		iov[nr] = (struct iovec){memory + at, n};
	}
	return nr;
}

static void fill_lists(void)
{
	for (size_t i = 0; i < LEN; i++) {
		there[i] = (unsigned char)(i * 11 + i / 256);
		here[i] = 0x5a;
	}
	memcpy(expected, there, LEN);
}

static struct decant_iter process(enum decant_direction direction)
{
	struct decant_iter it;
	size_t nr = cut(cuts[0], there, 3);

	REQUIRE(!decant_iter_process(&it, direction, getpid(), cuts[0], nr));
	return it;
}

static struct decant_iter memory(enum decant_direction direction)
{
	struct decant_iter it;
	size_t nr = cut(cuts[1], here, 5);

	REQUIRE(!decant_iter_iovec(&it, direction, cuts[1], nr));
	return it;
}

/* Whether this process may read itself in this way. */
static bool may(void)
{
	struct decant_iter it = process(DECANT_SOURCE);
	unsigned char byte;
	ssize_t n = decant_copy_to(&byte, &it, 1);

	if (n == -EPERM || n == -ENOSYS)
		check_skip("process_vm_readv(2) is not allowed here");
	return n == 1;
}

/* Until the end or the first error; what was done is right, and nothing else was. */
static int read_process(void)
{
	struct decant_iter src = process(DECANT_SOURCE), dst = memory(DECANT_DEST);
	ssize_t n, done = 0;

	fill_lists();
	while ((n = decant_copy(&dst, &src, SIZE_MAX)) > 0)
		done += n;
	CHECK_EQ(decant_iter_consumed(&src), done);
	CHECK_EQ(decant_iter_consumed(&dst), done);
	CHECK(!memcmp(here, expected, (size_t)done));
	for (size_t i = (size_t)done; i < LEN; i++)
		CHECK(here[i] == 0x5a);
	/* It was but one call: the rest can be had now. */
	done += decant_copy(&dst, &src, SIZE_MAX);
	CHECK_EQ(done, LEN);
	CHECK(!memcmp(here, expected, LEN));
	return (int)n;
}

static int write_process(void)
{
	struct decant_iter dst = process(DECANT_DEST), src = memory(DECANT_SOURCE);
	ssize_t n, done = 0;

	fill_lists();
	while ((n = decant_copy(&dst, &src, SIZE_MAX)) > 0)
		done += n;
	CHECK_EQ(decant_iter_consumed(&src), done);
	CHECK_EQ(decant_iter_consumed(&dst), done);
	for (size_t i = 0; i < LEN; i++)
		CHECK(there[i] == (i < (size_t)done ? 0x5a : expected[i]));
	done += decant_copy(&dst, &src, SIZE_MAX);
	CHECK_EQ(done, LEN);
	CHECK(!memcmp(here, there, LEN));
	return (int)n;
}

static int fill_process(void)
{
	struct decant_iter dst = process(DECANT_DEST);
	ssize_t n, done = 0;

	fill_lists();
	while ((n = decant_fill(&dst, 0x77, SIZE_MAX)) > 0)
		done += n;
	CHECK_EQ(decant_iter_consumed(&dst), done);
	for (size_t i = 0; i < LEN; i++)
		CHECK(there[i] == (i < (size_t)done ? 0x77 : expected[i]));
	return (int)n;
}

/* Neither moves unless both sides could be read. */
static int compare_process(void)
{
	struct decant_iter a = process(DECANT_SOURCE), b = memory(DECANT_SOURCE);
	int equal;

	fill_lists();
	memcpy(here, there, LEN);
	equal = decant_equal(&a, &b, LEN);
	CHECK(equal < 0 || equal == 1);
	return equal < 0 ? equal : 0;
}

/* A stage that was given back what it did not need, and a sink without half elements. */
static int stage_process(void)
{
	static unsigned char scratch[4 * PAGE] __attribute__((aligned(4096)));
	struct decant_span room = {scratch, sizeof(scratch), NULL};
	struct decant_iter src = process(DECANT_SOURCE);
	struct decant_stage stage;
	struct decant_sink sink;
	struct iovec table[8];
	ssize_t got;

	fill_lists();
	decant_stage_init(&stage, room, NULL, 0);
	decant_sink_iovec(&sink, table, 8);
	sink.stage = &stage;
	sink.limits.len_align = 8;
	got = decant_extract_all(&src, &sink, SIZE_MAX);
	if (got > 0) {
		CHECK_EQ(got, LEN);
		CHECK(!memcmp(scratch, expected, LEN));
		return 0;
	}
	CHECK_EQ(sink.nr + sink.bytes + stage.used + stage.nr, 0);
	CHECK_EQ(sink.stop, DECANT_STOP_FAULT);
	CHECK_EQ(decant_iter_consumed(&src), 0);
	return (int)got;
}

/* What a device wrote into the stage, on its way to the process. */
static int scatter_process(void)
{
	static unsigned char scratch[4 * PAGE] __attribute__((aligned(4096)));
	struct decant_span room = {scratch, sizeof(scratch), NULL};
	struct decant_iter dst = process(DECANT_DEST);
	struct decant_staged records[PIECES];
	struct decant_stage stage;
	struct decant_sink sink;
	struct iovec table[8];
	ssize_t n;

	fill_lists();
	decant_stage_init(&stage, room, records, PIECES);
	decant_sink_iovec(&sink, table, 8);
	sink.stage = &stage;
	REQUIRE(decant_extract_all(&dst, &sink, SIZE_MAX) == LEN);
	memset(scratch, 0x33, sizeof(scratch));
	n = decant_stage_scatter(&stage, LEN);
	for (size_t i = 0; i < LEN; i++)
		CHECK(there[i] == ((ssize_t)i < n ? 0x33 : expected[i]));
	return n == LEN ? 0 : n < 0 ? (int)n : -fault_errno;
}

static void every_verb(void)
{
	static int (*const verbs[])(void) = {read_process, write_process, fill_process,
					     compare_process, scatter_process};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		with_each_failing(verbs[i], -fault_errno);
	/* An extraction tells but this reason of all. */
	with_each_failing(stage_process, -EFAULT);
}

/*
 * EFAULT is tried again with less, which tells a hole from a refusal; nothing moved at
 * all is a fault as well.
 */
static void process_errors(void)
{
	static const int errors[] = {EFAULT, EPERM, ESRCH, EINVAL, ENOMEM, ENOSYS};

	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors) && may(); i++) {
		fault_errno = errors[i];
		every_verb();
	}
	fault_errno = ENOMEM;
}

static void process_short(void)
{
	static const size_t most[] = {1, 7, 700, 4095, 4096};

	for (size_t i = 0; i < sizeof(most) / sizeof(*most) && may(); i++) {
		fault_most = most[i];
		CHECK_EQ(read_process(), 0);
		CHECK_EQ(write_process(), 0);
		CHECK_EQ(fill_process(), 0);
		CHECK_EQ(compare_process(), 0);
		CHECK_EQ(stage_process(), 0);
		CHECK_EQ(scatter_process(), 0);
	}
	/* Less than all, and then an error. */
	fault_most = 700;
	fault_errno = ESRCH;
	for (fault_at = 1; fault_at < 16 && may(); fault_at++) {
		fault_calls = 0;
		(void)read_process();
		fault_calls = 0;
		(void)write_process();
	}
	fault_at = fault_most = 0;
	fault_errno = ENOMEM;
}

static int memfd(void)
{
	struct decant_region *region = (void *)here;
	long files = fault_files, mapped = fault_mapped;
	int fd = -7, err = decant_region_memfd(&region, "decant-fault", LEN, &fd);

	if (err) {
		CHECK(region == (void *)here && fd == -7);
	} else {
		decant_region_put(region);
		CHECK_EQ(fault_files, files + 1);
		fault_close(fd);
	}
	CHECK_EQ(fault_files, files);
	CHECK_EQ(fault_mapped - fault_kept, mapped);
	fault_mapped -= fault_kept;
	fault_kept = 0;
	return err;
}

/* Without a descriptor for the caller, the library closes its own. */
static int memfd_alone(void)
{
	struct decant_region *region = (void *)here;
	long files = fault_files;
	int err = decant_region_memfd(&region, "decant-fault", LEN, NULL);

	if (err)
		CHECK(region == (void *)here);
	else
		decant_region_put(region);
	CHECK_EQ(fault_files, files);
	fault_mapped -= fault_kept;
	fault_kept = 0;
	return err;
}

static int file(void)
{
	struct decant_region *region = (void *)here;
	int fd = memfd_create("decant-fault", 0);
	int err;

	REQUIRE(fd >= 0 && !ftruncate(fd, LEN));
	err = decant_region_file(&region, fd, 0, LEN, DECANT_DEST);
	if (err)
		CHECK(region == (void *)here);
	else
		decant_region_put(region);
	close(fd);
	fault_mapped -= fault_kept;
	fault_kept = 0;
	CHECK_EQ(fault_mapped, 0);
	return err;
}

static void backed(void)
{
	static const int errors[] = {EMFILE, ENFILE, ENOSPC, EFBIG,
				     EINTR,  EACCES, ENODEV};

	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		fault_errno = errors[i];
		with_each_failing(memfd, -errors[i]);
		with_each_failing(memfd_alone, -errors[i]);
		with_each_failing(file, -errors[i]);
	}
	fault_errno = ENOMEM;
}

static struct decant_space *space;

/* Memory of nobody, registered a run at a time; the device refuses the n-th mapping. */
static int map_or_fail(struct decant_domain *domain, const struct decant_span *span,
		       struct decant_mapping *mapping)
{
	if (++fault_calls == fault_at) {
		fault_name = "map";
		return -EIO;
	}
	return fake_map(domain, span, mapping);
}

static ssize_t registering(ssize_t (*extract)(struct decant_iter *from,
					      struct decant_sink *into, size_t len))
{
	static const struct decant_domain_ops ops = {"fault", map_or_fail, fake_unmap};
	struct decant_hold hold = {0};
	struct fake_domain fake;
	struct decant_sge table[PIECES];
	struct decant_sink sink;
	struct decant_iter it;
	struct iovec iov[PIECES];
	ssize_t got;

	fake_init(&fake);
	decant_domain_init(&fake.domain, &ops);
	for (size_t i = 0; i < PIECES; i++)
		iov[i] = (struct iovec){here + i * 200, 100};
	REQUIRE(!decant_iter_iovec(&it, DECANT_SOURCE, iov, PIECES));
	decant_sink_sge(&sink, table, PIECES);
	sink.space = space;
	sink.domain = &fake.domain;
	sink.hold = &hold;
	sink.policy = DECANT_REGISTER;
	got = extract(&it, &sink, SIZE_MAX);
	CHECK_EQ(decant_iter_consumed(&it), got > 0 ? got : 0);
	CHECK_EQ(sink.bytes, got > 0 ? got : 0);
	CHECK_EQ(sink.nr, hold.nr);
	CHECK_EQ(fake.maps - fake.unmaps, hold.nr);
	decant_hold_release(&hold);
	CHECK_EQ(fake.maps, fake.unmaps);
	decant_domain_fini(&fake.domain);
	return got;
}

/* The device's reason is its own, that of an allocation is memory. */
static int reason(ssize_t got)
{
	bool device = fault_name && !strcmp(fault_name, "map");

	CHECK_EQ(got, device ? -EIO : -ENOMEM);
	return -ENOMEM;
}

static int register_some(void)
{
	ssize_t got = registering(decant_extract);

	/* Progress wins: why it stopped shows in the next call. */
	return got > 0 ? 0 : reason(got);
}

static int register_all(void)
{
	ssize_t got = registering(decant_extract_all);

	CHECK(got < 0 || got == 100 * PIECES);
	return got < 0 ? reason(got) : 0;
}

/* The loop says why the bytes of nobody could not be used. */
static void registration(void)
{
	REQUIRE(!decant_space_new(&space));
	with_each_failing(register_some, -ENOMEM);
	with_each_failing(register_all, -ENOMEM);
	decant_space_free(space);
}

int main(void)
{
	static const struct check_case cases[] = {
		{"another process: each call fails, for six reasons", process_errors},
		{"another process: each call moves less", process_short},
		{"memfds and files: each call fails, for seven reasons", backed},
		{"registration: each allocation and mapping fails", registration},
	};

	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
