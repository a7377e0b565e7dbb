/* SPDX-License-Identifier: MIT */
/*
 * verbs_two.c - two machines that talk: here what is tested, there ("serve") the peer,
 * which is begun again whenever it ends (tools/guest --peer).
 */
#include "verbs_connections.h"
#include "verbs_flight.h"

/* There may be nobody yet, or not again. */
static bool await(struct decant_verbs_pair *pair, char what)
{
	time_t until = time(NULL) + 90;
	int rc;

	do {
		rc = connect_to(pair, peer.port, what, 2000);
	} while (rc && time(NULL) < until);
	if (!CHECK_EQ(rc, 0))
		printf("# %s\n", decant_verbs_error(pair));
	return !rc;
}

static void meet(void)
{
	struct decant_verbs_pair *pair =
		fresh_pair((struct decant_verbs_pair_options){0});

	if (await(pair, PEER_ECHO))
		echo(pair, 4096);
	decant_verbs_pair_free(pair);
}

static void flights(void)
{
	static const struct decant_verbs_pair_options ways[] = {
		{.policy = DECANT_STAGE},
		{.policy = DECANT_STAGE, .requests = 3, .elements = 2, .reads = 1},
	};

	for (size_t i = 0; i < COUNT(ways) && !check_failed; i++) {
		struct decant_verbs_pair *pair = fresh_pair(ways[i]);

		if (await(pair, PEER_ECHO))
			flight_run(pair, NULL, granted(pair), PEER_MESSAGE,
				   check_cases(1000) / 2);
		CHECK(rig_quiet());
		decant_verbs_pair_free(pair);
		rig_let_go();
	}
}

/* What is under way when the peer, or its machine, is gone ends, and once. */
static void gone(char what)
{
	struct decant_verbs_pair *pair =
		fresh_pair((struct decant_verbs_pair_options){.retries = 2});
	unsigned under_way = 2, failed = 0;
	struct decant_verbs_event event;
	struct decant_verbs_remote remote;
	struct decant_iter it;

	if (!await(pair, what))
		return;
	remote = granted(pair);
	tell(pair, 10);
	for (int i = 0; i < 20; i++) {
		it = rig_buf(DECANT_SOURCE, rig.memory, PEER_BYTES);
		under_way += !decant_verbs_write(pair, &it, PEER_BYTES, &remote, 1, NULL,
						 NULL);
	}
	CHECK_EQ(under_way, 22);
	for (; under_way && rig_event(&event); under_way--)
		failed += event.result < 0;
	CHECK(failed >= 1 && rig_quiet() && error_of(pair) < 0);
	rig_let_go();
	if (what == PEER_DIE) {
		CHECK_EQ(decant_verbs_pair_reset(pair), 0);
		if (await(pair, PEER_ECHO))
			echo(pair, 100);
	}
	decant_verbs_pair_free(pair);
}

static void dies(void)
{
	gone(PEER_DIE);
}

static void crashes(void)
{
	gone(PEER_CRASH);
}

int main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{"they meet", meet},
		{"connections by address", connected},
		{"connections refused", refused},
		{"many under way, every kind, held against a model", flights},
		{"a peer without receives", silent_peer},
		{"a peer that hangs up", peer_hangs_up},
		{"a message that is too long for the peer", too_long},
		{"memory that the peer takes back", withdrawn},
		{"a peer that dies", dies},
		{"a peer whose machine is gone", crashes},
	};
	const char *missing;
	int rc;

	setvbuf(stdout, NULL, _IOLBF, 0);
	peer.node = "10.78.0.2";
	strcpy(peer.port, "18515");
	if (argc > 1 && !strcmp(argv[1], "serve")) {
		peer_open();
		peer_answer();
	}
	missing = rig_open();
	if (missing) {
		printf("1..0 # SKIP %s\n", missing);
		return 0;
	}
	check_seed_init();
	rc = check_run(cases, COUNT(cases));
	rig_close();
	return rc;
}
