/* SPDX-License-Identifier: MIT */
/*
 * refused.c - what a device may do and rarely does: it takes no more work requests, and
 * says so in either sign; it forgets some, or gives more than it was asked for.
 */
#include "alone.h"
#include "verbs_interrupted.h"
#include <unistd.h>

/* Which one of 12 operations is refused: all have an event, and later ones can be had. */
static void refuse_one(size_t nth, int refusal)
{
	struct decant_verbs_event event;
	unsigned seen[12] = {0}, begun = 0;

	rig_use((struct decant_verbs_pair_options){
		.requests = 16, .request_bytes = 700, .inline_bytes = SIZE_MAX});
	device.refuse = nth;
	device.refusal = refusal;
	for (size_t i = 0; i < 12; i++) {
		struct decant_iter it = rig_buf(i < 3 ? DECANT_DEST : DECANT_SOURCE,
						rig.memory + 2048 * i, 2000);
		int rc = i < 3 ? decant_verbs_recv(rig.pair, &it, 2000, NULL, &seen[i])
			       : decant_verbs_write(rig.pair, &it, 2000, &rig.remote, 1,
						    NULL, &seen[i]);

		CHECK(rc == 0 || rc == -ENOMEM);
		begun += !rc;
		CHECK_EQ(decant_iter_count(&it), rc ? 2000 : 0);
	}
	for (unsigned i = 0; i < begun && rig_event(&event); i++) {
		seen[(unsigned *)event.user - seen]++;
		CHECK(event.result == 2000 || event.result == -ENOMEM ||
		      event.result == -ECANCELED);
	}
	device.refuse = 0;
	for (unsigned i = 0; i < 12; i++)
		CHECK_EQ(seen[i], i < begun);
	CHECK(rig_quiet());
	CHECK_EQ(rig_info().error, -ENOMEM);
	CHECK(strstr(decant_verbs_error(rig.pair), "refused"));
	rig_let_go();
}

static void positive(void)
{
	for (size_t i = 1; i <= 30 && !check_failed; i++)
		refuse_one(i, ENOMEM);
}

static void negative(void)
{
	for (size_t i = 1; i <= 30 && !check_failed; i++)
		refuse_one(i, -ENOMEM);
}

/* A device that never answers lets go of the memory when the queue pair ends. */
static void stuck(void)
{
	struct decant_iter it = rig_buf(DECANT_SOURCE, rig.memory, 100000);

	rig_use((struct decant_verbs_pair_options){0});
	device.stuck = 1;
	CHECK_EQ(decant_verbs_write(rig.pair, &it, SIZE_MAX, &rig.remote, 1, NULL, NULL),
		 0);
	CHECK_EQ(decant_region_refs(rig.regions[0]), 3);
	rig_end();
	device.stuck = 0;
	rig_let_go();
}

/* A dead queue pair whose requests it forgets: their events come all the same. */
static void forgetful(void)
{
	struct decant_iter it = rig_buf(DECANT_SOURCE, rig.memory, 100000);
	struct decant_verbs_event event;
	unsigned seen[3] = {0};
	bool may_sleep = true;

	rig_use((struct decant_verbs_pair_options){.requests = 2, .request_bytes = 5000});
	device.stuck = device.forgetful = 1;
	for (size_t i = 0; i < 3; i++)
		CHECK_EQ(decant_verbs_write(rig.pair, &it, 30000, &rig.remote, 1, NULL,
					    &seen[i]),
			 0);
	CHECK_EQ(decant_verbs_disconnect(rig.pair), 0);
	decant_verbs_fd(rig.queue, &may_sleep);
	CHECK(!may_sleep);
	for (int i = 0; i < 3 && rig_event(&event); i++) {
		CHECK_EQ(event.result, -ECANCELED);
		seen[(unsigned *)event.user - seen]++;
	}
	CHECK(seen[0] == 1 && seen[1] == 1 && seen[2] == 1);
	CHECK(rig_quiet());
	device.stuck = device.forgetful = 0;
	CHECK_EQ(decant_verbs_pair_reset(rig.pair), 0);
	rig_let_go();
}

/* A second queue pair in place of the first: operations have room as for that one. */
static void rounds_up(void)
{
	size_t most;

	device.round_inline = 64;
	rig_use((struct decant_verbs_pair_options){.inline_bytes = 100});
	most = rig_info().inline_bytes;
	CHECK_EQ(most, 164);
	CHECK_EQ(decant_verbs_disconnect(rig.pair), 0);
	/* there is no way back for this one */
	device.iwarp = 1;
	CHECK_EQ(decant_verbs_pair_reset(rig.pair), 0);
	device.iwarp = 0;
	CHECK_EQ(rig_info().inline_bytes, most);
	rig_let_go();
	device.round_inline = 0;
}

/* That a device is out of keys is not taken for a queue that is full. */
static void out_of_keys(void)
{
	static const int errors[][2] = {
		{EAGAIN, -ENOMEM}, {ENOSPC, -ENOMEM}, {ENOMEM, -ENOMEM}, {EPERM, -EPERM}};
	struct decant_iter it;

	rig_use((struct decant_verbs_pair_options){.policy = DECANT_REGISTER});
	for (size_t i = 0; i < COUNT(errors); i++) {
		device.unregistrable = errors[i][0];
		it = rig_buf(DECANT_SOURCE, rig.plain, 4096);
		CHECK_EQ(decant_verbs_send(rig.pair, &it, 4096, NULL, NULL),
			 errors[i][1]);
		CHECK_EQ(decant_iter_count(&it), 4096);
	}
	device.unregistrable = 0;
	rig_let_go();
}

/* The same memory, as no dma-buf. */
static void *map_plainly(void *unused)
{
	struct decant_domain *domain =
		decant_verbs_domain(rig.verbs, DECANT_VERBS_PEER_READS);
	struct decant_region *region;
	size_t before = device.registered;

	(void)unused;
	REQUIRE(!decant_region_new(&region, rig.plain, 4096, NULL));
	CHECK_EQ(decant_domain_map(domain, region), 0);
	CHECK_EQ(device.registered, before + 1);
	decant_region_put(region);
	return NULL;
}

/* Which memory is a dma-buf's is a matter between one thread and its call. */
static void dmabuf_alone(void)
{
	int fd = memfd_create("dma-buf", MFD_CLOEXEC);
	struct decant_region *region;

	REQUIRE(fd >= 0 && !ftruncate(fd, 4096));
	REQUIRE(!decant_region_new(&region, rig.plain, 4096, NULL));
	device.registering = map_plainly;
	CHECK_EQ(decant_verbs_map_dmabuf(rig.verbs, RIG_USES, region, fd, 0), 0);
	CHECK(!device.registering);
	close(fd);
	decant_region_put(region);
}

int main(void)
{
	static const struct check_case cases[] = {
		{"every work request refused once, errno positive", positive},
		{"the same, errno negative", negative},
		{"a device that does nothing", stuck},
		{"a device that forgets", forgetful},
		{"a device that rounds up", rounds_up},
		{"a device that has no more keys", out_of_keys},
		{"connections that a signal interrupts", interrupted},
		{"a dma-buf is mapped, and other memory meanwhile", dmabuf_alone},
	};

	return alone_main(cases, COUNT(cases));
}
