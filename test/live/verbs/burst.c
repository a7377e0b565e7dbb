/* SPDX-License-Identifier: MIT */
/*
 * burst.c - more completions at once than are read at once. The device works when any of
 * its queues is polled: that of the peer fills the other one.
 */
#include "alone.h"

#define WRITES 300

static void fill_queue(void)
{
	struct decant_verbs_event event;

	for (int i = 0; i < 500; i++)
		CHECK_EQ(decant_verbs_poll(rig.peer_queue, &event, 1), 0);
}

static struct decant_pool *pool_of(size_t buffers)
{
	struct decant_pool_options options = {
		.size = sizeof(options), .buffer_bytes = 4096, .buffers = buffers};
	struct decant_pool *pool;

	REQUIRE(!decant_pool_new(&pool, &options));
	return pool;
}

/* All of them are back. */
static void drop_pool(struct decant_pool *pool, size_t buffers)
{
	for (size_t i = 0; i < buffers; i++)
		CHECK(decant_pool_get(pool).addr);
	decant_pool_free(pool);
}

static void send_some(unsigned nr)
{
	for (unsigned i = 0; i < nr; i++) {
		struct decant_iter it = rig_buf(DECANT_SOURCE, rig.memory, 40);

		CHECK_EQ(decant_verbs_send(rig.pair, &it, 40, NULL, NULL), 0);
	}
	fill_queue();
}

/* How many messages there are; their buffers go back. */
static unsigned take_messages(struct decant_pool *pool)
{
	struct decant_verbs_event events[16];
	int n = decant_verbs_poll(rig.queue, events, 16);
	unsigned messages = 0;

	for (int i = 0; i < n; i++) {
		if (events[i].kind != DECANT_VERBS_MESSAGE)
			continue;
		messages++;
		decant_pool_put(pool, events[i].buffer.addr);
	}
	return messages;
}

static void bursts_of(unsigned receives)
{
	struct decant_pool *pool = pool_of(2 * receives);

	rig_use((struct decant_verbs_pair_options){.pool = pool, .receives = receives});
	for (int i = 0; i < 4; i++) {
		send_some(receives);
		CHECK_EQ(take_messages(pool), receives);
		CHECK_EQ(take_messages(pool), 0);
	}
	rig_end();
	drop_pool(pool, 2 * receives);
}

static void bursts(void)
{
	bursts_of(1);
	bursts_of(4);
}

/* Received, and then nobody asked for them. */
static void untaken(void)
{
	struct decant_verbs_event event;
	struct decant_pool *pool = pool_of(4);

	rig_use((struct decant_verbs_pair_options){.pool = pool, .receives = 4});
	send_some(4);
	/* all are read, one is handed out */
	do {
		CHECK_EQ(decant_verbs_poll(rig.queue, &event, 1), 1);
	} while (event.kind != DECANT_VERBS_MESSAGE && !check_failed);
	decant_pool_put(pool, event.buffer.addr);
	rig_end();
	drop_pool(pool, 4);
}

/* Behind 256 completions that are nobody's event there is one that is somebody's. */
static void unread(void)
{
	struct decant_pool *pool = pool_of(256);
	struct decant_verbs_event event;
	struct decant_verbs_pair *other;
	struct decant_iter it = rig_buf(DECANT_SOURCE, rig.memory, 1000);
	bool may_sleep = true;

	rig_use((struct decant_verbs_pair_options){.pool = pool, .receives = 256});
	other = rig.pair;
	rig.pair = NULL;
	rig_use((struct decant_verbs_pair_options){0});
	CHECK_EQ(decant_verbs_disconnect(other), 0);
	CHECK_EQ(decant_verbs_write(rig.pair, &it, 1000, &rig.remote, 1, NULL, NULL), 0);
	fill_queue();
	decant_verbs_fd(rig.queue, &may_sleep);
	CHECK(!may_sleep);
	CHECK(rig_event(&event) && event.result == 1000);
	decant_verbs_fd(rig.queue, &may_sleep);
	CHECK(may_sleep);
	decant_verbs_pair_free(other);
	drop_pool(pool, 256);
}

/* As many completions as the queue has room for. */
static void many_writes(void)
{
	for (int i = 0; i < WRITES; i++) {
		struct decant_iter it = rig_buf(DECANT_SOURCE, rig.memory, 100);

		CHECK_EQ(decant_verbs_write(rig.pair, &it, 100, &rig.remote, 1, NULL,
					    NULL),
			 0);
	}
	fill_queue();
}

/* The device takes the queue pair's place away before they are read. */
static void writes_unread(void)
{
	struct decant_iter it = rig_buf(DECANT_DEST, rig.memory, 100);

	many_writes();
	device.refuse = 1;
	device.refusal = ENOMEM;
	CHECK_EQ(decant_verbs_recv(rig.pair, &it, 100, NULL, NULL), 0);
	CHECK_EQ(rig_info().error, -ENOMEM);
}

/* Their room is given to others: an overrun queue ends this program. */
static void outlived(void)
{
	struct decant_verbs_pair_options options = {
		.depth = WRITES, .requests = WRITES, .receives = 1};
	struct decant_verbs_event events[WRITES + 1];
	struct decant_verbs_queue *queue = rig.queue;

	rig_end();
	REQUIRE(!decant_verbs_queue_new(&rig.queue, rig.verbs, WRITES + 1));
	rig_use(options);
	writes_unread();
	rig_use(options);
	writes_unread();
	CHECK_EQ(decant_verbs_poll(rig.queue, events, WRITES + 1), WRITES + 1);
	CHECK_EQ(decant_verbs_pair_reset(rig.pair), 0);
	rig_join();
	many_writes();
	for (int i = 0; i < WRITES; i++)
		CHECK(rig_event(events) && events->result == 100);
	CHECK(rig_quiet());
	rig_end();
	decant_verbs_queue_free(rig.queue);
	rig.queue = queue;
}

int main(void)
{
	static const struct check_case cases[] = {
		{"as many messages at once as there are receives", bursts},
		{"messages that nobody took", untaken},
		{"completions that are not read yet", unread},
		{"completions that outlive their queue pair", outlived},
	};

	return alone_main(cases, COUNT(cases));
}
