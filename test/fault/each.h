/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_EACH_H
#define DECANT_TEST_EACH_H
/* each.h - an operation with its first call failing, then the second, until none is. */
#define FAULT_ITSELF
#include <errno.h>
#include "fault.h"
#include "check.h"

#define EACH_MOST 1000

/* The operation checks what it leaves behind; here, that it says why and that it ends. */
static void with_each_failing(int (*operation)(void), int expected)
{
	for (size_t n = 1; n < EACH_MOST; n++) {
		int err;

		fault_at = n;
		fault_calls = 0;
		err = operation();
		fault_at = 0;
		if (fault_calls < n) {
			CHECK_EQ(err, 0);
			printf("# %zu places to fail\n", n - 1);
			return;
		}
		if (err && err != expected && err != -ENOMEM)
			check_fail(__FILE__, __LINE__, "%s failed, and the result was %d",
				   fault_name, err);
	}
	CHECK(!"it ends");
}
#endif
