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
	decant_verbs_pair_free(rig.pair);
	rig.pair = NULL;
	device.stuck = 0;
	rig_let_go();
}

int main(void)
{
	static const struct check_case cases[] = {
		{"every work request refused once, errno positive", positive},
		{"the same, errno negative", negative},
		{"a device that does nothing", stuck},
	};
	int rc;

	REQUIRE(!rig_open());
	check_seed_init();
	rc = check_run(cases, COUNT(cases));
	rig_close();
	CHECK(!device.regions && !device.pairs);
	return rc || check_failed;
}
