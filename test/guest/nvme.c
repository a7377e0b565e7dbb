/* SPDX-License-Identifier: MIT */
#include "../check.h"
#include "rig.h"

static struct rig rig;

static void fill(unsigned char *data, size_t len)
{
	for (size_t i = 0; i + 8 <= len; i += 8) {
		uint64_t word = check_random();

		memcpy(data + i, &word, sizeof(word));
	}
}

/* The disk, written and read back by hand: the controller and the domain work. */
static void by_hand(void)
{
	fill(rig.disk, RIG_DISK_LEN);
	REQUIRE(!rig_flat(&rig, NVME_WRITE, rig.disk));
	REQUIRE(!rig_flat(&rig, NVME_READ, rig.wanted));
	CHECK(!memcmp(rig.wanted, rig.disk, RIG_DISK_LEN));
}

int main(void)
{
	static const struct check_case cases[] = {
		{"pages named by hand", by_hand},
	};
	const char *missing;
	int failed;

	if (!getenv("DECANT_GUEST")) {
		printf("1..0 # SKIP only in a guest of tools/guest: it overwrites the disk\n");
		return 0;
	}
	check_seed_init();
	missing = rig_open(&rig, check_random());
	if (missing) {
		printf("Bail out! %s\n", missing);
		return 1;
	}
	failed = check_run(cases, sizeof(cases) / sizeof(*cases));
	rig_close(&rig);
	return failed;
}
