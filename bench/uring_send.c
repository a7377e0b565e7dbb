/* SPDX-License-Identifier: MIT */
/*
 * uring_send.c - sending without a copy beside sending with one, over sizes: where does
 * it begin to pay? On the loopback never, for the kernel copies when it delivers; it says
 * so, and a socket of which it said so often enough is no longer tried. So the crossing
 * point is taken from an interface that drops what it is given (ifb): there the
 * difference is the copy against the pages' references and the second completion.
 */
#include <arpa/inet.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>
#include <decant/uring_socket.h>
#include "bench.h"

#define SENDS  64u
#define WINDOW 16u
#define ROOM   65536u
#define LARGE  60000u /* as a datagram can be, and a packet has pages */

static unsigned char memory[WINDOW * ROOM] __attribute__((aligned(4096)));

struct sender {
	struct decant_uring *ring;
	struct decant_uring_file *file;
	size_t len;
	unsigned flags;
};

static void begin(const struct sender *s, unsigned nr)
{
	struct decant_iter it;
	struct decant_uring_operation what = {.size = sizeof(what),
					      .code = DECANT_URING_WRITE,
					      .flags = s->flags,
					      .file = s->file,
					      .it = &it,
					      .len = s->len};

	decant_iter_buf(&it, DECANT_SOURCE, memory + nr % WINDOW * ROOM, s->len);
	bench_need(!decant_uring_begin(s->ring, &what), "can't begin");
}

static void send_many(void *arg)
{
	const struct sender *s = arg;
	struct decant_uring_event events[WINDOW];
	unsigned begun = 0, done = 0;

	while (done < SENDS) {
		while (begun < SENDS && begun - done < WINDOW)
			begin(s, begun++);
		int n = decant_uring_wait(s->ring, events, WINDOW, -1);

		bench_need(n > 0, "no event");
		for (int i = 0; i < n; i++)
			bench_need(events[i].result == (ssize_t)s->len, "not sent");
		done += (unsigned)n;
	}
}

static uint64_t copied(struct decant_uring *ring)
{
	struct decant_uring_stats stats;

	decant_uring_stats(ring, &stats);
	return stats.zero_copied;
}

static void compare(struct sender *s, const char *where)
{
	static const size_t lengths[] = {1024, 4096, 8192, 16384, 32768, LARGE};
	uint64_t before = copied(s->ring);
	struct sender copies = *s;
	char name[100];

	s->flags = DECANT_URING_ZERO_COPY;
	copies.flags = DECANT_URING_COPY;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		s->len = copies.len = lengths[i];
		snprintf(name, sizeof(name), "%s, %zu bytes without a copy", where,
			 lengths[i]);
		bench_run(&(struct bench_case){.name = name,
					       .unit = "send",
					       .fn = send_many,
					       .arg = s,
					       .units = SENDS,
					       .bound_name = "with one",
					       .bound = send_many,
					       .bound_arg = &copies});
	}
	fprintf(stderr, "%s: %s\n", where,
		copied(s->ring) > before ? "the kernel copied all the same"
					 : "the kernel did not copy");
}

static void to(struct sender *s, const char *address, const char *where)
{
	struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(9999)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), room = 8 << 20;

	inet_pton(AF_INET, address, &peer.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	bench_need(!connect(fd, (struct sockaddr *)&peer, sizeof(peer)), "can't connect");
	bench_need(!decant_uring_file_open(&s->file, fd, DECANT_URING_DIRECT_AUTO),
		   "can't open the socket");
	compare(s, where);
	decant_uring_file_close(s->file);
	close(fd);
}

/* A receiver that reads nothing: what it has no room for is dropped. */
static void loopback(struct sender *s)
{
	struct sockaddr_in here = {.sin_family = AF_INET,
				   .sin_port = htons(9999),
				   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	bench_need(!bind(fd, (struct sockaddr *)&here, sizeof(here)), "can't bind");
	to(s, "127.0.0.1", "loopback");
	close(fd);
}

/* The memory in a region: its pages are known already. */
static void registered(struct decant_uring_options options)
{
	struct decant_region_options of_region = {.size = sizeof(of_region)};
	struct decant_region *region;
	struct sender s = {0};

	bench_need(!decant_space_new(&options.space), "no space");
	bench_need(!decant_region_new(&region, memory, sizeof(memory), &of_region) &&
			   !decant_space_add(options.space, region),
		   "no region");
	bench_need(!decant_uring_new(&s.ring, &options), "no io_uring");
	to(&s, "10.99.0.2", "registered, an interface that drops");
	decant_uring_free(s.ring);
	bench_need(!decant_space_remove(options.space, region), "not there");
	decant_region_put(region);
	decant_space_free(options.space);
}

/* In a network of its own, which goes with the process. */
static bool have_network(void)
{
	return !unshare(CLONE_NEWNET) && !system("ip link set lo up");
}

static bool have_drain(void)
{
	return !system("ip link add drain type ifb 2>/dev/null && "
		       "ip link set drain mtu 65535 up && "
		       "ip addr add 10.99.0.1/24 dev drain");
}

int main(void)
{
	struct decant_uring_options options = {.size = sizeof(options),
					       .backend = DECANT_URING_RING,
					       .one_thread = true};
	bool alone = have_network();
	struct sender s = {0};

	memset(memory, 1, sizeof(memory));
	bench_need(!decant_uring_new(&s.ring, &options), "no io_uring");
	bench_open("uring_send");
	loopback(&s);
	if (alone && have_drain()) {
		to(&s, "10.99.0.2", "an interface that drops");
		registered(options);
	} else {
		fprintf(stderr, "no interface that drops: takes root and ip(8)\n");
	}
	bench_close();
	decant_uring_free(s.ring);
	return 0;
}
