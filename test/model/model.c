/* SPDX-License-Identifier: MIT */
/* model.c - random sequences of calls on every kind against a slow, obvious model. */
#include "machine.h"

static void random_sequences(void)
{
	struct machine *m = machine_new();
	size_t cases = check_cases(40000), i;
	uint64_t seed = check_seed;

	for (i = 0; i < cases && !check_failed; i++) {
		seed = check_seed;
		machine_run(m, 40);
	}
	if (check_failed)
		printf("# sequence %zu: DECANT_TEST_SEED=%#llx\n", i - 1,
		       (unsigned long long)seed);
	printf("# %zu sequences\n", i);
	machine_free(m);
}

int main(void)
{
	static const struct check_case cases[] = {
		{"random sequences of calls do what the model does", random_sequences},
	};

	check_seed_init();
	return check_run(cases, 1);
}
