/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_VERBS_ALONE_H
#define DECANT_TEST_VERBS_ALONE_H
/* alone.h - programs that have the device to themselves and leave nothing in it. */
#include "device.h"
#include "verbs_rig.h"

static int alone_main(const struct check_case *cases, size_t nr)
{
	int rc;

	REQUIRE(!rig_open());
	check_seed_init();
	rc = check_run(cases, nr);
	rig_close();
	CHECK(!device.regions && !device.pairs);
	return rc || check_failed;
}

#endif
