/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_GUEST_VERBS_ERRORS_H
#define DECANT_TEST_GUEST_VERBS_ERRORS_H
/* verbs_errors.h - what is special, what is refused, and what goes wrong on the way. */
#include <poll.h>
#include "verbs_rig.h"

static void inline_data(void)
{
	struct decant_iter it;
	struct decant_verbs_event event;
	unsigned char few[64];
	size_t most;

	rig_use((struct decant_verbs_pair_options){.policy = DECANT_REFUSE});
	most = rig_info().inline_bytes;
	if (!most) {
		check_skip("this device sends nothing inline");
		return;
	}
	rig_fill(few, sizeof(few));
	it = rig_buf(DECANT_SOURCE, few, sizeof(few));
	CHECK_EQ(decant_verbs_write(rig.pair, &it, 64, &rig.remote, 1, NULL, NULL), 0);
	CHECK(rig_event(&event) && event.result == 64);
	rig_arrived();
	CHECK(!memcmp(rig.there, few, 64));
	it = rig_buf(DECANT_SOURCE, rig.plain, most);
	rig_fill(rig.plain, most);
	CHECK_EQ(decant_verbs_write(rig.pair, &it, most, &rig.remote, 1, NULL, NULL), 0);
	CHECK(rig_event(&event) && event.result == (ssize_t)most);
	rig_arrived();
	CHECK(!memcmp(rig.there, rig.plain, most));
	it = rig_buf(DECANT_SOURCE, rig.plain, most + 1);
	CHECK_EQ(decant_verbs_write(rig.pair, &it, SIZE_MAX, &rig.remote, 1, NULL, NULL),
		 -ENOKEY);
	CHECK_EQ(decant_iter_count(&it), most + 1);
}

/* The caller's key for everything, whatever region it lies in. */
static void one_key(void)
{
	struct decant_verbs_how how = {.size = sizeof(how), .one_key = true};
	struct decant_domain *domain = decant_verbs_domain(rig.verbs, 0);
	struct decant_verbs_event event;
	struct decant_region *region;
	struct iovec iov[64];
	struct decant_iter it;

	rig_use((struct decant_verbs_pair_options){.policy = DECANT_REFUSE,
						   .inline_bytes = SIZE_MAX});
	REQUIRE(!decant_region_new(&region, rig.plain, RIG_MEMORY_LEN, NULL));
	REQUIRE(!decant_domain_map(domain, region));
	how.lkey = decant_domain_mapping(domain, region)->lkey;
	rig_fill(rig.plain, 64 * 64);
	for (size_t i = 0; i < 64; i++)
		iov[i] = (struct iovec){rig.plain + 64 * i, 60};
	for (int send = 0; send < 2; send++) {
		struct decant_iter to = rig_buf(DECANT_DEST, rig.memory, 4096);

		REQUIRE(!decant_iter_iovec(&it, DECANT_SOURCE, iov, 64));
		if (send)
			CHECK_EQ(decant_verbs_recv(rig_receiver(), &to, 4096, NULL, NULL),
				 0);
		CHECK_EQ(send ? decant_verbs_send(rig.pair, &it, SIZE_MAX, &how, NULL)
			      : decant_verbs_write(rig.pair, &it, SIZE_MAX, &rig.remote,
						   1, &how, NULL),
			 0);
		for (int i = 0; i <= send; i++)
			CHECK(rig_event(&event) && event.result == 64 * 60);
		rig_arrived();
		for (size_t i = 0; i < 64; i++)
			CHECK(!memcmp((send ? rig.memory : rig.there) + 60 * i,
				      rig.plain + 64 * i, 60));
	}
	decant_region_put(region);
}

static void immediate(void)
{
	struct decant_verbs_how how = {
		.size = sizeof(how), .with_imm = true, .imm = 0x01020304};
	struct decant_verbs_event event;
	struct decant_iter it, to;
	unsigned seen = 0;

	rig_use((struct decant_verbs_pair_options){.request_bytes = 4096});
	to = rig_buf(DECANT_DEST, rig.memory + RIG_REGION_LEN, 4096);
	it = rig_buf(DECANT_SOURCE, rig.memory, 10000);
	rig_fill(rig.memory, 10000);
	if (!decant_verbs_caps(rig.verbs)->write_imm) {
		CHECK_EQ(decant_verbs_write(rig.pair, &it, 10000, &rig.remote, 1, &how,
					    NULL),
			 -EOPNOTSUPP);
		return;
	}
	CHECK_EQ(decant_verbs_recv(rig_receiver(), &to, 4096, NULL, NULL), 0);
	CHECK_EQ(decant_verbs_write(rig.pair, &it, 10000, &rig.remote, 1, &how, NULL), 0);
	for (int i = 0; i < 2 && rig_event(&event); i++) {
		seen |= 1u << event.kind;
		if (event.kind == DECANT_VERBS_RECV)
			CHECK(event.written && event.with_imm && event.imm == 0x01020304);
		else
			CHECK_EQ(event.requests, 3);
		CHECK(event.result >= 0);
	}
	CHECK_EQ(seen, 1u << DECANT_VERBS_RECV | 1u << DECANT_VERBS_WRITE);
	CHECK(!memcmp(rig.there, rig.memory, 10000));
}

/* No bytes: messages have none, writes and reads are over at once. */
static void nothing(void)
{
	struct decant_verbs_how how = {.size = sizeof(how), .with_imm = true, .imm = 7};
	struct decant_iter from, to;
	struct decant_verbs_event event;

	rig_use((struct decant_verbs_pair_options){0});
	from = rig_buf(DECANT_SOURCE, rig.memory, 100);
	to = rig_buf(DECANT_DEST, rig.memory + 100, 100);
	CHECK_EQ(decant_verbs_write(rig.pair, &from, 0, &rig.remote, 1, NULL, NULL), 0);
	CHECK(rig_event(&event) && event.result == 0);
	CHECK_EQ(decant_verbs_read(rig.pair, &to, 100, NULL, 0, NULL, NULL), 0);
	CHECK(rig_event(&event) && event.result == 0);
	for (int imm = 0; imm < 1 + rig_writes_imm(); imm++) {
		CHECK_EQ(decant_verbs_recv(rig_receiver(), &to, 0, NULL, NULL), 0);
		CHECK_EQ(imm ? decant_verbs_write(rig.pair, &from, 0, &rig.remote, 1,
						  &how, NULL)
			     : decant_verbs_send(rig.pair, &from, 0, NULL, NULL),
			 0);
		CHECK(rig_event(&event) && event.result == 0);
		CHECK(rig_event(&event) && event.result == 0);
	}
	CHECK_EQ(decant_iter_count(&from), 100);
}

/* The events that are left are of no interest. */
static void hear_out(struct decant_verbs_pair *pair)
{
	struct decant_verbs_pair_info info;
	struct decant_verbs_event event;

	decant_verbs_disconnect(pair);
	do {
		if (rig_poll(&event) > 0)
			CHECK_EQ(event.result, -ECANCELED);
		decant_verbs_pair_info(pair, &info);
	} while (info.under_way);
}

/* The peer ends connections over what it refuses, sometimes without another word. */
static void until_dead(void)
{
	time_t until = time(NULL) + RIG_PATIENCE;
	struct decant_verbs_event event;

	while (!rig_info().error && time(NULL) < until)
		CHECK(rig_poll(&event) == 0 || event.result < 0);
}

/* Dead: the same error for whatever is begun, until it is reset. */
static void dead_then_alive(int error)
{
	struct decant_verbs_event event;
	struct decant_iter it = rig_buf(DECANT_SOURCE, rig.memory, 1000);

	CHECK_EQ(rig_info().error, error);
	CHECK(!rig_info().connected && decant_verbs_error(rig.pair)[0]);
	CHECK_EQ(decant_verbs_write(rig.pair, &it, 1000, &rig.remote, 1, NULL, NULL),
		 error);
	if (rig.peer)
		hear_out(rig.peer);
	CHECK(rig_quiet());
	CHECK_EQ(decant_verbs_pair_reset(rig.pair), 0);
	if (rig.peer)
		CHECK_EQ(decant_verbs_pair_reset(rig.peer), 0);
	rig_meet();
	CHECK_EQ(decant_verbs_write(rig.pair, &it, 1000, &rig.remote, 1, NULL, NULL), 0);
	CHECK(rig_event(&event) && event.result == 1000);
	rig_let_go();
}

static void wrong_keys(void)
{
	struct decant_verbs_event event;
	char text[200];

	for (int i = 0; i < 4 && !check_failed; i++) {
		struct decant_verbs_remote to = rig.remote;
		struct decant_iter it =
			rig_buf(i & 2 ? DECANT_DEST : DECANT_SOURCE, rig.memory, 10000);

		rig_use_two((struct decant_verbs_pair_options){.request_bytes = 4096});
		to.rkey ^= i & 1 ? 0x5555 : 0;
		to.addr += i & 1 ? 0 : RIG_THERE_LEN - 5000;
		CHECK_EQ(i & 2 ? decant_verbs_read(rig.pair, &it, 10000, &to, 1, NULL,
						   NULL)
			       : decant_verbs_write(rig.pair, &it, 10000, &to, 1, NULL,
						    NULL),
			 0);
		CHECK(rig_event(&event));
		if (rig_is_iwarp()) {
			/* what has left is complete; then the connection ends */
			CHECK(event.result < 0 || !(i & 2));
			until_dead();
			dead_then_alive(rig_info().error);
			continue;
		}
		CHECK_EQ(event.result, -EACCES);
		CHECK_EQ(event.status, 10);
		CHECK_EQ(event.request, i & 1 ? 0 : 1);
		CHECK_EQ(event.requests, 3);
		decant_verbs_event_text(&event, text, sizeof(text));
		CHECK(strstr(text, i & 2 ? "read: request" : "write: request") &&
		      strstr(text, "of 3: remote access error"));
		dead_then_alive(-EACCES);
	}
}

static void too_short(void)
{
	struct decant_iter it, to;
	struct decant_verbs_event event;

	rig_use((struct decant_verbs_pair_options){.retries = 1});
	it = rig_buf(DECANT_SOURCE, rig.memory, 1000);
	to = rig_buf(DECANT_DEST, rig.memory + 1000, 100);
	CHECK_EQ(decant_verbs_recv(rig_receiver(), &to, 100, NULL, NULL), 0);
	CHECK_EQ(decant_verbs_send(rig.pair, &it, 1000, NULL, NULL), 0);
	for (int i = 0; i < 2 && rig_event(&event); i++)
		CHECK(event.result < 0 || (rig_is_iwarp() && event.pair == rig.pair));
	until_dead();
	dead_then_alive(rig_info().error);
}

static void no_receive(void)
{
	struct decant_iter it;
	struct decant_verbs_event event;

	if (rig_is_iwarp()) {
		check_skip("TCP keeps what nobody asked for");
		return;
	}
	rig_use((struct decant_verbs_pair_options){.rnr_retries = 1});
	it = rig_buf(DECANT_SOURCE, rig.memory, 1000);
	CHECK_EQ(decant_verbs_send(rig.pair, &it, 1000, NULL, NULL), 0);
	CHECK(rig_event(&event) && event.result == -ENOBUFS && event.status == 13);
	dead_then_alive(-ENOBUFS);
}

/* Requests posted, requests waiting for room, receives: one event for each of them. */
static void all_end_once(void)
{
	unsigned seen[40] = {0};
	struct decant_verbs_event event;

	rig_use_two((struct decant_verbs_pair_options){
		.requests = 8, .request_bytes = 256, .inline_bytes = SIZE_MAX});
	for (size_t i = 0; i < 40; i++) {
		struct decant_verbs_remote to = rig.remote;
		struct decant_iter it = rig_buf(i < 20 ? DECANT_DEST : DECANT_SOURCE,
						rig.memory + i * 2048, 2048);

		to.rkey ^= i == 25 ? 0x5555 : 0;
		CHECK_EQ(i < 20 ? decant_verbs_recv(rig.pair, &it, 2048, NULL, &seen[i])
				: decant_verbs_write(rig.pair, &it, 2048, &to, 1, NULL,
						     &seen[i]),
			 0);
	}
	for (int i = 0; i < 40 && rig_event(&event); i++) {
		size_t nr = (size_t)((unsigned *)event.user - seen);

		seen[nr]++;
		if (rig_is_iwarp() && nr >= 20)
			CHECK(event.result == 2048 || event.result < 0);
		else
			CHECK_EQ(event.result, nr < 20	 ? -ECANCELED
					       : nr < 25 ? 2048
					       : nr > 25 ? -ECANCELED
							 : -EACCES);
	}
	for (size_t i = 0; i < 40; i++)
		CHECK_EQ(seen[i], 1);
	CHECK_EQ(rig_info().under_way, 0);
	dead_then_alive(rig_is_iwarp() ? rig_info().error : -EACCES);
	CHECK_EQ(decant_verbs_disconnect(rig.pair), 0);
	CHECK_EQ(decant_verbs_pair_reset(rig.pair), 0);
	CHECK_EQ(decant_verbs_disconnect(rig.pair), -ENOTCONN);
}

static void begun_wrongly(void)
{
	struct decant_verbs_how how = {.size = 1};
	struct decant_verbs_remote wraps = {UINT64_MAX, 2, 1};
	struct decant_verbs_pair_options options = {.size = sizeof(options)};
	struct decant_iter source, dest;
	struct decant_verbs_pair *pair;

	rig_use((struct decant_verbs_pair_options){0});
	source = rig_buf(DECANT_SOURCE, rig.memory, 1000);
	dest = rig_buf(DECANT_DEST, rig.memory, 1000);
	CHECK_EQ(decant_verbs_send(rig.pair, &dest, 1, NULL, NULL), -EINVAL);
	CHECK_EQ(decant_verbs_recv(rig.pair, &source, 1, NULL, NULL), -EINVAL);
	CHECK_EQ(decant_verbs_send(rig.pair, &source, 1, &how, NULL), -EINVAL);
	CHECK_EQ(decant_verbs_write(rig.pair, &source, 1, &wraps, 1, NULL, NULL),
		 -EOVERFLOW);
	how = (struct decant_verbs_how){.size = sizeof(how), .with_imm = true};
	CHECK_EQ(decant_verbs_read(rig.pair, &dest, 1, &rig.remote, 1, &how, NULL),
		 -EINVAL);
	CHECK_EQ(decant_iter_count(&source), 1000);
	options.policy = (enum decant_policy)9;
	CHECK_EQ(decant_verbs_pair_new(&pair, rig.queue, &options), -EINVAL);
	options.policy = DECANT_REFUSE;
	options.requests = 65536;
	CHECK(decant_verbs_pair_new(&pair, rig.queue, &options) < 0);
	options.requests = 0;
	REQUIRE(!decant_verbs_pair_new(&pair, rig.queue, &options));
	CHECK_EQ(decant_verbs_send(pair, &source, 1, NULL, NULL), -ENOTCONN);
	CHECK_EQ(decant_verbs_disconnect(pair), -ENOTCONN);
	decant_verbs_pair_free(pair);
}

static void pool(void)
{
	struct decant_pool_options size = {
		.size = sizeof(size), .buffer_bytes = 4096, .buffers = 8};
	struct decant_verbs_event event;
	struct decant_pool *buffers;
	unsigned sent = 0, got = 0;

	REQUIRE(!decant_pool_new(&buffers, &size));
	rig_use((struct decant_verbs_pair_options){.pool = buffers, .receives = 4});
	rig_fill(rig.memory, 100 * 40);
	while (got < 100 && !check_failed) {
		struct decant_iter it =
			rig_buf(DECANT_SOURCE, rig.memory + 40 * sent, 40);

		if (sent < 100 && sent <= got + 2) {
			CHECK_EQ(decant_verbs_send(rig.pair, &it, 40, NULL, NULL), 0);
			sent++;
		}
		if (!rig_event(&event) || event.kind == DECANT_VERBS_SEND)
			continue;
		CHECK_EQ(event.kind, DECANT_VERBS_MESSAGE);
		CHECK(event.result == 40 && event.buffer.len == 4096);
		CHECK(!memcmp(event.buffer.addr, rig.memory + 40 * got, 40));
		decant_pool_put(buffers, event.buffer.addr);
		got++;
	}
	rig_end();
	for (int i = 0; i < 8; i++)
		CHECK(decant_pool_get(buffers).addr != NULL);
	decant_pool_free(buffers);
}

/* More operations than the depth are refused, and work when some are done. */
static void full(void)
{
	struct decant_verbs_event event;
	struct decant_iter it;

	rig_use((struct decant_verbs_pair_options){.depth = 2, .receives = 1});
	it = rig_buf(DECANT_SOURCE, rig.memory, 40000);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(decant_verbs_write(rig.pair, &it, 10000, &rig.remote, 1, NULL,
					    NULL),
			 i < 2 ? 0 : -EAGAIN);
	CHECK_EQ(decant_iter_count(&it), 20000);
	CHECK_EQ(rig_info().under_way, 2);
	CHECK(rig_event(&event) && event.result == 10000);
	CHECK_EQ(decant_verbs_write(rig.pair, &it, 10000, &rig.remote, 1, NULL, NULL), 0);
	CHECK(rig_event(&event) && rig_event(&event));
}

static void count_release(void *user, void *addr, size_t len)
{
	(void)addr;
	(void)len;
	++*(int *)user;
}

/* The caller's reference may go; the memory stays until the event. */
static void removed(void)
{
	int released = 0;
	const struct decant_region_options options = {
		.size = sizeof(options), .release = count_release, .user = &released};
	struct decant_domain *domain = decant_verbs_domain(rig.verbs, RIG_USES);
	struct decant_region *region;
	struct decant_verbs_event event;
	struct decant_bvec bvec;
	struct decant_iter it;

	rig_use((struct decant_verbs_pair_options){.request_bytes = 4096});
	REQUIRE(!decant_region_new(&region, rig.plain, 100000, &options));
	REQUIRE(!decant_domain_map(domain, region));
	rig_fill(rig.plain, 100000);
	bvec = (struct decant_bvec){rig.plain, 100000, region};
	REQUIRE(!decant_iter_bvec(&it, DECANT_SOURCE, &bvec, 1));
	CHECK_EQ(decant_verbs_write(rig.pair, &it, 100000, &rig.remote, 1, NULL, NULL),
		 0);
	decant_region_put(region);
	CHECK_EQ(released, 0);
	CHECK(rig_event(&event) && event.result == 100000);
	CHECK_EQ(released, 1);
	rig_arrived();
	CHECK(!memcmp(rig.there, rig.plain, 100000));
}

static void sleeping(void)
{
	struct pollfd fd = {.events = POLLIN};
	struct decant_verbs_event event;
	struct decant_iter it;
	bool may_sleep = false;

	rig_use((struct decant_verbs_pair_options){0});
	for (int i = 0; i < 5; i++) {
		it = rig_buf(DECANT_SOURCE, rig.memory, 10000);
		fd.fd = decant_verbs_fd(rig.queue, &may_sleep);
		CHECK(fd.fd >= 0 && may_sleep);
		CHECK_EQ(decant_verbs_write(rig.pair, &it, 10000, &rig.remote, 1, NULL,
					    NULL),
			 0);
		CHECK_EQ(poll(&fd, 1, 20000), 1);
		CHECK(rig_event(&event) && event.result == 10000);
	}
}
#endif
