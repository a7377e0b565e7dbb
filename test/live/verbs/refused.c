/* SPDX-License-Identifier: MIT */
/* refused.c - the device takes no more work requests, and says so in either sign. */
#include "device.h"
#include "verbs_rig.h"

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

int main(void)
{
	static const struct check_case cases[] = {
		{"every work request refused once, errno positive", positive},
		{"the same, errno negative", negative},
		{"a device that does nothing", stuck},
		{"a device that forgets", forgetful},
	};
	int rc;

	REQUIRE(!rig_open());
	check_seed_init();
	rc = check_run(cases, COUNT(cases));
	rig_close();
	CHECK(!device.regions && !device.pairs);
	return rc || check_failed;
}
