/* SPDX-License-Identifier: MIT */
/* register.c - memory in no region, registered for as long as it is held. */
#include "check.h"
#include "fake.h"

static unsigned char memory[8192];

struct rig {
	struct fake_domain fake;
	struct decant_space *space;
	struct decant_region *region; /* over the second half of the memory */
	struct decant_hold hold;
	struct decant_sge sges[16];
	struct decant_sink sink;
};

static void rig_init(struct rig *rig)
{
	memset(rig, 0, sizeof(*rig));
	fake_init(&rig->fake);
	REQUIRE(!decant_space_new(&rig->space));
	REQUIRE(!decant_region_new(&rig->region, memory + 4096, 4096, NULL));
	REQUIRE(!decant_space_add(rig->space, rig->region));
	REQUIRE(!decant_domain_map(&rig->fake.domain, rig->region));
	decant_sink_sge(&rig->sink, rig->sges, 16);
	rig->sink.domain = &rig->fake.domain;
	rig->sink.space = rig->space;
	rig->sink.hold = &rig->hold;
	rig->sink.policy = DECANT_REGISTER;
}

static void rig_fini(struct rig *rig)
{
	decant_hold_release(&rig->hold);
	CHECK_EQ(rig->fake.maps - rig->fake.unmaps, 1);
	decant_space_free(rig->space);
	decant_region_put(rig->region);
	CHECK_EQ(rig->fake.maps, rig->fake.unmaps);
	decant_domain_fini(&rig->fake.domain);
}

static struct decant_iter over(const struct iovec *iov, size_t nr)
{
	struct decant_iter it;

	REQUIRE(!decant_iter_iovec(&it, DECANT_SOURCE, iov, nr));
	return it;
}

/* Adjacent pieces are one registration and one element, and end where a region begins. */
static void runs(void)
{
	const struct iovec iov[] = {{memory, 1},	 {memory + 1, 99},
				    {memory, 0},	 {memory + 100, 3996},
				    {memory + 4096, 10}, {memory + 200, 8}};
	struct decant_iter it = over(iov, 6);
	struct rig rig;

	rig_init(&rig);
	CHECK_EQ(decant_extract(&it, &rig.sink, SIZE_MAX), 4114);
	CHECK_EQ(rig.sink.nr, 3);
	CHECK_EQ(rig.fake.maps, 2);
	CHECK_EQ(rig.sges[0].length, 4096);
	CHECK_EQ(rig.sges[0].lkey, 2);
	CHECK_EQ(rig.sges[0].addr, 2 * FAKE_IOVA);
	CHECK_EQ(rig.sges[1].lkey, 1);
	/* Part of the run again: it is registered already. */
	CHECK_EQ(rig.sges[2].lkey, 2);
	CHECK_EQ(rig.sges[2].addr, 2 * FAKE_IOVA + 200);
	CHECK_EQ(rig.hold.nr, 2);
	rig_fini(&rig);
}

static void apart(void)
{
	const struct iovec iov[] = {{memory, 10}, {memory + 11, 10}, {memory + 5, 2}};
	struct decant_iter it = over(iov, 3);
	struct rig rig;

	rig_init(&rig);
	CHECK_EQ(decant_extract(&it, &rig.sink, SIZE_MAX), 22);
	CHECK_EQ(rig.sink.nr, 3);
	CHECK_EQ(rig.fake.maps, 3);
	CHECK_EQ(rig.sges[0].lkey, 2);
	CHECK_EQ(rig.sges[1].lkey, 3);
	CHECK_EQ(rig.sges[2].lkey, 2);
	rig_fini(&rig);
}

/*
 * What can't be registered stops the extraction as memory that is refused does, and why
 * is the error: whichever form of the call it was.
 */
static void refused(void)
{
	const struct iovec iov[] = {{memory + 4000, 200}, {memory, 5}};
	struct decant_iter it = over(iov, 2);
	struct rig rig;
	size_t ends[2];

	rig_init(&rig);
	rig.fake.error = -ENOMEM;
	CHECK_EQ(decant_extract(&it, &rig.sink, SIZE_MAX), -ENOMEM);
	CHECK_EQ(rig.sink.stop, DECANT_STOP_UNREGISTERED);
	CHECK_EQ(rig.sink.error, -ENOMEM);
	rig.fake.error = -EPERM;
	CHECK_EQ(decant_extract_all(&it, &rig.sink, SIZE_MAX), -EPERM);
	CHECK_EQ(decant_extract_requests(&it, &rig.sink, SIZE_MAX, ends, 2), -EPERM);
	rig.sink.limits.block = 8;
	CHECK_EQ(decant_extract(&it, &rig.sink, SIZE_MAX), -EPERM);
	CHECK_EQ(rig.sink.error, -EPERM);
	rig.sink.limits.block = 0;
	CHECK_EQ(decant_iter_count(&it), 205);
	rig.fake.error = 0;
	rig.sink.hold = NULL;
	CHECK_EQ(decant_extract(&it, &rig.sink, SIZE_MAX), -ENOKEY);
	CHECK_EQ(rig.sink.error, 0);
	rig.sink.hold = &rig.hold;
	CHECK_EQ(decant_extract(&it, &rig.sink, 150), 150);
	CHECK_EQ(rig.hold.nr, 2);
	rig_fini(&rig);
}

/* All or nothing: what was registered for nothing is not registered any more. */
static void taken_back(void)
{
	const struct iovec iov[] = {{memory, 5}, {memory + 10, 5}};
	struct decant_iter it = over(iov, 2);
	struct rig rig;

	rig_init(&rig);
	rig.sink.max = 1;
	CHECK_EQ(decant_extract_all(&it, &rig.sink, SIZE_MAX), -ENOSPC);
	CHECK_EQ(rig.hold.nr, 0);
	CHECK_EQ(rig.fake.maps - rig.fake.unmaps, 1);
	CHECK_EQ(decant_iter_count(&it), 10);
	rig_fini(&rig);
}

/* However the bytes are cut, the table is the same. */
static void cuts(void)
{
	for (size_t n = 0; n < 200 && !check_failed; n++) {
		struct iovec iov[64];
		struct decant_iter it;
		struct rig rig;
		size_t nr = 0, at = 3000;

		while (at < 5000 && nr < 63) {
			size_t len = check_below(300);

			if (at + len > 5000)
				len = 5000 - at;
			iov[nr++] = (struct iovec){memory + at, len};
			at += len;
		}
		iov[nr++] = (struct iovec){memory + at, 5000 - at};
		it = over(iov, nr);
		rig_init(&rig);
		CHECK_EQ(decant_extract(&it, &rig.sink, SIZE_MAX), 2000);
		CHECK_EQ(rig.sink.nr, 2);
		CHECK_EQ(rig.sges[0].length, 1096);
		CHECK_EQ(rig.sges[1].length, 904);
		rig_fini(&rig);
	}
}

int main(void)
{
	static const struct check_case cases[] = {
		{"adjacent pieces are registered as one", runs},
		{"pieces apart are registered apart, once", apart},
		{"what can't be registered is refused", refused},
		{"all or nothing", taken_back},
		{"any cut gives the same table", cuts},
	};

	check_seed_init();
	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
