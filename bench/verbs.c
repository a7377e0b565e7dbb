/* SPDX-License-Identifier: MIT */
/*
 * verbs.c - 1 MiB written to a peer: work requests, elements and completions, and what it
 * costs to get there, on a device that is done at once. Beside it the usual path, a
 * signalled request for each page piece, with its registration looked up and nothing
 * held; and decant's own with one element in a request.
 */
#include <decant/verbs.h>
#include <infiniband/verbs.h>
#include "bench.h"
#include "device.h"
#include "verbs_recorder.h"

#define PAGE	4096u
#define BYTES	((size_t)1 << 20)
#define SPACING 3 /* pages from one scattered piece to the next, and a bit */
#define PIECES	2048
#define BATCH	16

struct rig {
	struct decant_verbs_pair *pair;
	struct iovec iov[PIECES];
	size_t nr;
};

static struct {
	struct decant_verbs *verbs;
	struct decant_verbs_queue *queue;
	struct decant_space *space;
	struct decant_region *region, *there;
	struct decant_verbs_remote remote;
	unsigned char *memory;
	uint32_t lkey;
	struct ibv_pd *pd;
	struct ibv_cq *cq;
	struct ibv_qp *qp;
} bench;

static void raw_device(void)
{
	struct ibv_qp_init_attr attr = {0};
	struct ibv_context *context = ibv_open_device(ibv_get_device_list(&(int){0})[0]);

	bench.pd = ibv_alloc_pd(context);
	bench.cq = ibv_create_cq(context, 100, NULL, NULL, 0);
	attr.send_cq = attr.recv_cq = bench.cq;
	bench.qp = ibv_create_qp(bench.pd, &attr);
	bench_need(bench.qp, "a queue pair");
}

static void setup(void)
{
	size_t len = (SPACING + 1) * BYTES;
	struct decant_domain *domain;

	device.max_sge = 30;
	bench_need(!decant_verbs_open(&bench.verbs, NULL), "open");
	bench_need(!decant_verbs_queue_new(&bench.queue, bench.verbs, 0), "queue");
	bench_need(!decant_space_new(&bench.space), "space");
	bench.memory = aligned_alloc(PAGE, len);
	bench_need(bench.memory, "memory");
	memset(bench.memory, 1, len);
	bench_need(!decant_region_new(&bench.region, bench.memory, len, NULL), "region");
	bench_need(!decant_region_new(&bench.there, bench.memory, BYTES, NULL), "region");
	domain = decant_verbs_domain(bench.verbs, 0);
	bench_need(!decant_domain_map(domain, bench.region), "map");
	bench_need(!decant_space_add(bench.space, bench.region), "space");
	bench_need(!decant_verbs_grant(bench.verbs, DECANT_VERBS_PEER_WRITES, bench.there,
				       &bench.remote),
		   "grant");
	bench.lkey = decant_domain_mapping(domain, bench.region)->lkey;
	raw_device();
}

static struct decant_verbs_pair *pair_of(size_t elements, size_t request_bytes)
{
	const struct decant_verbs_pair_options options = {.size = sizeof(options),
							  .elements = elements,
							  .request_bytes = request_bytes,
							  .inline_bytes = SIZE_MAX,
							  .policy = DECANT_REFUSE,
							  .space = bench.space};
	struct decant_verbs_address self;
	struct decant_verbs_pair *pair;

	bench_need(!decant_verbs_pair_new(&pair, bench.queue, &options), "pair");
	bench_need(!decant_verbs_address(pair, &self), "address");
	bench_need(!decant_verbs_join(pair, &self), "join");
	return pair;
}

static void write_decant(void *arg)
{
	struct rig *rig = arg;
	struct decant_verbs_event event;
	struct decant_iter it;

	bench_need(!decant_iter_iovec(&it, DECANT_SOURCE, rig->iov, rig->nr), "iovec");
	bench_need(!decant_verbs_write(rig->pair, &it, SIZE_MAX, &bench.remote, 1, NULL,
				       NULL),
		   "write");
	while (!decant_verbs_poll(bench.queue, &event, 1))
		;
	bench_need(event.result == (ssize_t)BYTES, "all of it");
}

/* Whose memory it is: one registration, found by its range. */
static uint32_t find_key(uintptr_t addr, size_t len)
{
	uintptr_t start = (uintptr_t)bench_hide((uintptr_t)bench.memory);

	bench_need(addr >= start && addr + len <= start + (SPACING + 1) * BYTES, "key");
	return bench.lkey;
}

static void post_piece(uintptr_t addr, size_t len, uint64_t there)
{
	struct ibv_sge sge = {addr, (uint32_t)len, find_key(addr, len)};
	struct ibv_send_wr wr = {.sg_list = &sge,
				 .num_sge = 1,
				 .opcode = IBV_WR_RDMA_WRITE,
				 .send_flags = IBV_SEND_SIGNALED},
			   *bad;

	wr.wr.rdma.remote_addr = there;
	wr.wr.rdma.rkey = bench.remote.rkey;
	bench_need(!ibv_post_send(bench.qp, &wr, &bad), "post");
}

static void write_pages(void *arg)
{
	struct rig *rig = arg;
	uint64_t there = bench.remote.addr;
	struct ibv_wc wc[BATCH];
	size_t posted = 0;

	for (size_t i = 0; i < rig->nr; i++) {
		uintptr_t at = (uintptr_t)rig->iov[i].iov_base;
		uintptr_t end = at + rig->iov[i].iov_len;

		while (at < end) {
			size_t n = PAGE - at % PAGE;

			n = n < end - at ? n : end - at;
			post_piece(at, n, there);
			at += n;
			there += n;
			if (++posted % BATCH == 0)
				ibv_poll_cq(bench.cq, BATCH, wc);
		}
	}
	ibv_poll_cq(bench.cq, BATCH, wc);
}

/* Pieces of so many bytes, each behind a gap or where the one before it ends. */
static void cut(struct rig *rig, size_t each, size_t gap)
{
	rig->nr = 0;
	for (size_t at = 0, left = BYTES; left; at += each + gap) {
		size_t n = left < each ? left : each;

		bench_need(rig->nr < PIECES, "room");
		rig->iov[rig->nr++] = (struct iovec){bench.memory + at, n};
		left -= n;
	}
}

static void count(struct rig *rig, const char *name, void (*fn)(void *arg),
		  const char *whose, size_t requests, size_t elements)
{
	char what[64];

	recorder = (struct recorder){0};
	fn(rig);
	if (!bench_wanted(name))
		return;
	snprintf(what, sizeof(what), "%srequests/MiB", whose);
	bench_count(name, what, recorder.requests, requests);
	snprintf(what, sizeof(what), "%selements/MiB", whose);
	bench_count(name, what, recorder.elements, elements);
}

struct expected {
	size_t pages, requests, elements, singles;
};

static void compare(const char *name, struct rig *rig, size_t request_bytes,
		    struct expected e)
{
	struct rig *single = malloc(sizeof(*single));

	bench_need(single, "memory");
	*single = *rig;
	rig->pair = pair_of(0, request_bytes);
	single->pair = pair_of(1, request_bytes);
	count(rig, name, write_pages, "by pages: ", e.pages, e.pages);
	count(single, name, write_decant, "one element each: ", e.singles, e.singles);
	count(rig, name, write_decant, "", e.requests, e.elements);
	if (bench_wanted(name))
		bench_count(name, "completions/MiB", recorder.completions, 1);
	bench_run(&(struct bench_case){.name = name,
				       .unit = "ns/MiB",
				       .fn = write_decant,
				       .arg = rig,
				       .units = 1,
				       .bound_name = "a request per page",
				       .bound = write_pages,
				       .goal = e.requests > 1 ? 0.65 : 0.5,
				       .ratio_goal = true});
	bench_run(&(struct bench_case){.name = name,
				       .unit = "ns/request",
				       .fn = write_decant,
				       .arg = rig,
				       .units = (double)e.requests,
				       .bound_name = "one element each, as many bytes",
				       .bound = write_decant,
				       .bound_arg = single});
	decant_verbs_pair_free(rig->pair);
	decant_verbs_pair_free(single->pair);
	free(single);
}

int main(void)
{
	static struct rig rig;

	setup();
	bench_open("verbs");
	cut(&rig, BYTES, 0);
	compare("1 MiB in one piece", &rig, 0, (struct expected){256, 1, 1, 1});
	compare("1 MiB in one piece, 64 KiB a request", &rig, 65536,
		(struct expected){256, 16, 16, 16});
	cut(&rig, PAGE, 0);
	compare("256 pages that are neighbours", &rig, 0,
		(struct expected){256, 1, 1, 1});
	cut(&rig, PAGE, (SPACING - 1) * PAGE);
	compare("256 scattered pages", &rig, 0, (struct expected){256, 9, 256, 256});
	cut(&rig, 1340, 60);
	compare("783 pieces of 1,340 bytes", &rig, 0,
		(struct expected){1038, 27, 783, 783});
	bench_close();
	return 0;
}
