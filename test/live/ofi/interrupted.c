/* SPDX-License-Identifier: MIT */
/* interrupted.c - signals while a connection is waited for. */
#include "pair.h"
#include <interrupt.h>

#define ATTEMPTS 2 /* siw takes its time to give up a call */
#define LONG	 (10 * 60 * 1000) /* far more than a case is given */
#define SHORT	 300

static struct decant_ofi *end_of(bool passive, int timeout)
{
	const struct decant_ofi_options options = {.size = sizeof(options),
						   .provider = PEER_MSG,
						   .node = PEER_NODE,
						   .passive = passive,
						   .timeout = timeout};
	struct decant_ofi *ofi;

	peer_new(&ofi, &options);
	return ofi;
}

/* Somebody who listens and never answers. */
static int call(struct decant_ofi *ofi, struct decant_ofi *deaf)
{
	unsigned char name[DECANT_OFI_ADDRESS_MAX];
	size_t len = sizeof(name);

	REQUIRE(!decant_ofi_address(deaf, name, &len));
	return decant_ofi_connect(ofi, name, len);
}

/*
 * Either ends as often as it is tried, also if the signal restarts system calls; leaves
 * nothing, and works when let alone.
 */
static void ended_alone(void)
{
	struct pair pair = {.end = {end_of(false, LONG), end_of(true, LONG)}};
	struct decant_ofi *deaf = end_of(true, LONG);
	size_t before = 0;

	for (int i = 0; i < ATTEMPTS; i++) {
		interrupt_begin(i ? SA_RESTART : 0);
		CHECK_EQ(decant_ofi_accept(pair.end[1], NULL, 0), -EINTR);
		CHECK_EQ(call(pair.end[0], deaf), -EINTR);
		interrupt_end();
		if (i)
			CHECK_EQ(interrupt_descriptors(), before);
		before = interrupt_descriptors();
	}
	CHECK(strstr(decant_ofi_error(pair.end[0]), "nterrupted"));
	pair_meet(&pair);
	decant_ofi_free(deaf);
	pair_close(&pair);
}

/* Signals that nobody handles are none. */
static void ignored_alone(void)
{
	struct decant_ofi *active = end_of(false, SHORT), *deaf = end_of(true, SHORT),
			  *lonely = end_of(true, SHORT);

	interrupt_begin(0);
	REQUIRE(signal(SIGUSR1, SIG_IGN) != SIG_ERR);
	/* that siw takes its time has been seen above */
	CHECK(PEER_IWARP || call(active, deaf) == -ETIMEDOUT);
	CHECK_EQ(decant_ofi_accept(lonely, NULL, 0), -ETIMEDOUT);
	interrupt_end();
	decant_ofi_free(active);
	decant_ofi_free(deaf);
	decant_ofi_free(lonely);
}

static void ended(void)
{
	peer_alone(ended_alone);
}

static void ignored(void)
{
	peer_alone(ignored_alone);
}

int main(void)
{
	static const struct check_case cases[] = {
		{"a signal ends connecting and accepting", ended},
		{"one that nobody handles doesn't", ignored},
	};

	check_seed_init();
	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
