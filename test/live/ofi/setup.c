/* SPDX-License-Identifier: MIT */
/* Finding providers, opening end points and meeting a peer, or failing to. */
#include "peer.h"
#include <errno.h>
#include <signal.h>

#define TIMEOUT 500

static const char *provider;

static struct decant_ofi_options with(const char *name, bool passive)
{
	return (struct decant_ofi_options){.size = sizeof(struct decant_ofi_options),
					   .provider = name,
					   .node = PEER_NODE,
					   .passive = passive,
					   .timeout = TIMEOUT};
}

static int open_with(struct decant_ofi **ofi, const char *name, bool passive)
{
	struct decant_ofi_options o = with(name, passive);

	return decant_ofi_new(ofi, &o);
}

static void unknown_alone(void)
{
	static const char *const names[] = {"teleport", "",	   "TCP",
					    "tcp;",	"ofi_rxm", "tcp;ofi_rxd"};
	struct decant_ofi *ofi;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		CHECK_EQ(open_with(&ofi, names[i], false), -ENODATA);
		REQUIRE(ofi);
		CHECK(strstr(decant_ofi_error(ofi), names[i]));
		CHECK(strstr(decant_ofi_error(ofi), "\"shm\" (rdm)"));
		CHECK(decant_ofi_connect(ofi, "x", 1) < 0);
		if (i == 0)
			printf("# %s\n", decant_ofi_error(ofi));
		decant_ofi_free(ofi);
	}
}

static void options_alone(void)
{
	struct decant_ofi_options o = {.size = sizeof(o), .provider = PEER_RDM};
	struct decant_ofi *ofi = (struct decant_ofi *)&o;

	o.size--;
	CHECK_EQ(decant_ofi_new(&ofi, &o), -EINVAL);
	CHECK(!ofi);
	o.size++;
	o.depth = 1u << 20;
	CHECK_EQ(decant_ofi_new(&ofi, &o), -EINVAL);
	o.depth = 0;
	o.timeout = -1;
	CHECK_EQ(decant_ofi_new(&ofi, &o), -EINVAL);
	o.timeout = 0;
	o.node = "203.0.113.7";
	CHECK_EQ(decant_ofi_new(&ofi, &o), -EADDRNOTAVAIL);
	CHECK(strstr(decant_ofi_error(ofi), "203.0.113.7"));
	decant_ofi_free(ofi);
	decant_ofi_free(NULL);
	CHECK_EQ(decant_ofi_error(NULL)[0], 0);
}

struct walk {
	int nr;
	int stop_at;
	bool rdm;
	bool msg;
};

static int visit(void *user, const struct decant_ofi_info *info)
{
	struct walk *walk = user;

	printf("# %s %s iov %zu rma %zu inject %zu%s\n", info->provider, info->endpoint,
	       info->iov_limit, info->rma_iov_limit, info->inject_bytes,
	       info->manual_progress ? " manual" : "");
	CHECK(info->iov_limit && info->rma_iov_limit && info->max_msg_bytes);
	walk->rdm |= !strcmp(info->provider, PEER_RDM) && !strcmp(info->endpoint, "rdm");
	walk->msg |= !strcmp(info->provider, PEER_MSG) && !strcmp(info->endpoint, "msg");
	return ++walk->nr == walk->stop_at ? 42 : 0;
}

static void walk_alone(void)
{
	struct walk all = {0}, some = {.stop_at = 2};

	CHECK_EQ(decant_ofi_providers(visit, &all), 0);
	CHECK(all.rdm);
	CHECK(all.msg);
	CHECK(all.nr >= 3);
	CHECK_EQ(decant_ofi_providers(visit, &some), 42);
	CHECK_EQ(some.nr, 2);
}

/* Nobody named a provider: something between hosts, the same on both sides. */
static void best(struct peer *peer)
{
	struct decant_ofi_info info;

	decant_ofi_info(peer->ofi, &info);
	CHECK(strcmp(info.provider, "shm") && !strstr(info.provider, "rxd"));
	CHECK(info.address_bytes || (!strcmp(info.endpoint, "msg") && !peer->target));
	if (peer->target)
		printf("# best: %s\n", info.provider);
	peer_sync(peer);
}

static void best_alone(void)
{
	struct decant_ofi *ofi;

	CHECK_EQ(decant_ofi_new(&ofi, NULL), 0);
	printf("# without a node: %s\n", decant_ofi_error(ofi));
	decant_ofi_free(ofi);
}

/*
 * One byte is another. Of a name of shared memory it is the first one: another number
 * of a process may be that of a test beside this one, whose memory libfabric 1.17 then
 * walks through while it goes away.
 */
static void spoil(unsigned char *address, size_t len, bool is_name)
{
	if (is_name)
		address[0] ^= 0x40;
	else
		address[check_below(len)] ^= (unsigned char)(1 + check_below(255));
}

/* Addresses come from outside: whatever is wrong with them, it is an error, no more. */
static void addresses_alone(void)
{
	struct decant_ofi_options o = with(provider, true);
	unsigned char good[DECANT_OFI_ADDRESS_MAX], bad[2 * DECANT_OFI_ADDRESS_MAX];
	size_t len = sizeof(good);
	struct decant_ofi *ofi;

	peer_allow_leaks(provider);
	peer_new(&ofi, &o);
	CHECK_EQ(decant_ofi_address(ofi, good, &len), 0);
	decant_ofi_free(ofi);
	for (size_t i = 0; i < check_cases(60); i++) {
		size_t n = i < 4 ? i : i < 8 ? sizeof(bad) - i : check_below(2 * len);

		REQUIRE(!open_with(&ofi, provider, false));
		for (size_t k = 0; k < sizeof(bad); k++)
			bad[k] = (unsigned char)check_random();
		if (i % 3)
			memcpy(bad, good, len);
		if (i % 3 == 1)
			spoil(bad, len, !strcmp(provider, "shm"));
		if (n == len && i % 3 == 2)
			n++;
		if (i % 3 == 1) /* well formed but elsewhere: may or may not be refused */
			(void)!decant_ofi_connect(ofi, bad,
						  peer_is_msg(provider) ? 3 : len);
		else
			CHECK(decant_ofi_connect(ofi, bad, n) < 0);
		decant_ofi_free(ofi);
	}
	REQUIRE(!open_with(&ofi, provider, false));
	CHECK_EQ(decant_ofi_connect(ofi, NULL, 16), -EINVAL);
	decant_ofi_free(ofi);
}

/* Nobody answers, nobody calls. */
static void nobody_alone(void)
{
	unsigned char addr[DECANT_OFI_ADDRESS_MAX];
	size_t len = sizeof(addr), short_len = 3;
	long long begun = peer_now();
	struct decant_ofi *passive, *active;
	struct decant_iter it = {0};

	REQUIRE(!open_with(&passive, PEER_MSG, true));
	CHECK_EQ(decant_ofi_address(passive, addr, &short_len), -ENOSPC);
	CHECK_EQ(decant_ofi_address(passive, addr, &len), 0);
	CHECK(len);
	CHECK_EQ(decant_ofi_send(passive, &it, 0, NULL), -ENOTCONN);
	CHECK_EQ(decant_ofi_connect(passive, addr, len), -EINVAL);
	CHECK_EQ(decant_ofi_accept(passive, NULL, 0), -ETIMEDOUT);
	CHECK(peer_now() - begun >= TIMEOUT);
	printf("# %s\n", decant_ofi_error(passive));
	decant_ofi_free(passive);
	REQUIRE(!open_with(&active, PEER_MSG, false));
	len = 0;
	CHECK_EQ(decant_ofi_address(active, addr, &len), 0);
	CHECK_EQ(len, 0);
	CHECK(decant_ofi_connect(active, addr, sizeof(struct sockaddr *) * 2) < 0);
	printf("# %s\n", decant_ofi_error(active));
	decant_ofi_free(active);
}

/* A region gets its key once, ends with its end point, and may outlive it. */
static void keys_alone(void)
{
	static char memory[8192];
	struct decant_region *region;
	struct decant_ofi_remote remote = {0}, again = {0};
	struct decant_domain *domain;
	struct decant_ofi *ofi;

	REQUIRE(!open_with(&ofi, PEER_RDM, false));
	REQUIRE(!decant_region_new(&region, memory, sizeof(memory), NULL));
	domain = decant_ofi_domain(ofi);
	CHECK(!decant_domain_mapping(domain, region));
	CHECK_EQ(decant_ofi_grant(ofi, region, &remote), 0);
	REQUIRE(decant_domain_mapping(domain, region));
	CHECK_EQ(decant_domain_mapping(domain, region)->rkey, remote.key);
	CHECK_EQ(decant_domain_map(domain, region), 0);
	CHECK_EQ(decant_ofi_grant(ofi, region, &again), 0);
	CHECK(again.key == remote.key && again.addr == remote.addr);
	decant_ofi_free(ofi);
	CHECK_EQ(decant_region_refs(region), 1);
	decant_region_put(region);
}

static void keys(void)
{
	peer_alone(keys_alone);
}

static void on_signal(int signal)
{
	(void)signal;
}

/* What libfabric is linked with has handlers of its own. */
static void signals_alone(void)
{
	static const int numbers[] = {SIGTERM, SIGINT,	SIGSEGV, SIGBUS,
				      SIGILL,  SIGABRT, SIGHUP};
	struct sigaction ours = {.sa_handler = on_signal}, found;
	struct decant_ofi *ofi;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		sigaction(numbers[i], &ours, NULL);
	CHECK_EQ(open_with(&ofi, "teleport", false), -ENODATA);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		sigaction(numbers[i], NULL, &found);
		CHECK(found.sa_handler == on_signal);
	}
	decant_ofi_free(ofi);
}

static void signals(void)
{
	peer_alone(signals_alone);
}

static void unknown(void)
{
	peer_alone(unknown_alone);
}

static void options(void)
{
	peer_alone(options_alone);
}

static void walk(void)
{
	peer_alone(walk_alone);
}

static void pick(void)
{
	peer_run(&(struct peer_options){0}, best, best);
	peer_alone(best_alone);
}

static void nobody(void)
{
	peer_alone(nobody_alone);
}

PEER_PROVIDERS(PEER_ALONE, addresses)

int main(void)
{
	/* clang-format off */
	static const struct check_case cases[] = {
		{"what signals do is the program's", signals},
		{"unknown providers are named, and so are the known", unknown},
		{"options", options},
		{"walk over the providers", walk},
		{"best provider", pick},
		PEER_PROVIDERS(PEER_CASE, addresses)
		{"nobody there", nobody},
		{"keys of a region", keys},
	};
	/* clang-format on */

	check_seed_init();
	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
