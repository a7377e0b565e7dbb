/* SPDX-License-Identifier: MIT */
/*
 * path2022.c - one write as cifs over SMB Direct prepared it up to Linux 6.0, rebuilt
 * from its description, beside decant's.
 *
 * 2022: a reference on every page, listed in a page array of the write's own; each page
 * cut by itself into pieces of at most the payload; each piece a cleared scatterlist of
 * one entry, counted, turned into SGEs; a request of its own behind a header SGE; each
 * SGE synchronised, and unmapped on completion; pages put one by one. decant: owned once,
 * cut into requests in one walk, each of them sent behind the same header.
 */
#include <stdatomic.h>
#include <string.h>
#include "bench.h"
#include "memory.h"

#define PAGE	     4096u
#define HEADER	     24
#define BUFFER	     (4u << 20)
#define MAX_SGES     16
#define MAX_REQUESTS 4096
#define WINDOW	     64 /* requests from one call: what the first cache keeps */
#define LAST	     1u

struct page {
	_Alignas(64) _Atomic(uint32_t) refs;
};

/* As large as the kernel's, which also keeps the device's address and length. */
struct scatterlist {
	uint64_t page_link;
	uint32_t offset;
	uint32_t length;
	uint64_t dma_address;
	uint32_t dma_length;
	uint32_t reserved;
};

struct request {
	struct decant_sge sge[MAX_SGES];
	uint32_t nr;
	bool signalled;
};

struct rig {
	size_t payload;
	size_t bytes;
	size_t requests; /* of the last write */
	size_t data_sges;
	struct decant_iter iter;
};

static struct page pages[BUFFER / PAGE];
static struct request requests[MAX_REQUESTS];
static unsigned char headers[MAX_REQUESTS][HEADER];
static struct decant_sge sges[WINDOW * (MAX_SGES - 1)];
static size_t ends[WINDOW];
static struct bench_memory memory;
static uint64_t synchronised;
static uint32_t lkey;

static void setup(void)
{
	bench_memory_init(&memory, 1, BUFFER, NULL, bench_map_same);
	lkey = (uint32_t)((uintptr_t)memory.at >> 20);
	memset(memory.at, 1, BUFFER);
}

static struct decant_sge header_sge(size_t request)
{
	return (struct decant_sge){(uintptr_t)headers[request], HEADER, lkey};
}

/*
 * Each step of 2022 is a function of another module there, so none is inlined here; those
 * that decant's side needs as well are the same functions.
 */
#define STEP static __attribute__((noinline))

/* What a device driver does with each SGE before it is handed over: mapped one to one. */
STEP void synchronise(const struct decant_sge *sge)
{
	synchronised += sge->addr;
	bench_use(&synchronised);
}

STEP void post(struct request *r, size_t nr, bool signalled)
{
	r->nr = (uint32_t)nr;
	r->signalled = signalled;
	for (size_t i = 0; i < nr; i++)
		synchronise(&r->sge[i]);
	bench_use(r);
}

STEP void list_init(struct scatterlist *sg, size_t nr)
{
	memset(sg, 0, nr * sizeof(*sg));
	sg[nr - 1].page_link |= LAST;
	bench_use(sg);
}

STEP void list_set(struct scatterlist *sg, struct page *page, size_t offset, size_t len)
{
	sg->page_link = (sg->page_link & LAST) | (uintptr_t)page;
	sg->offset = (uint32_t)offset;
	sg->length = (uint32_t)len;
	bench_use(sg);
}

STEP size_t list_count(const struct scatterlist *sg)
{
	size_t nr = 1;

	for (; !(sg->page_link & LAST); sg++)
		nr++;
	return nr;
}

/* Device addresses into the list, then SGEs from it. */
STEP void list_map(struct scatterlist *sg, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		struct page *page = (struct page *)(sg[i].page_link & ~(uintptr_t)LAST);

		sg[i].dma_address = (uintptr_t)memory.at + (size_t)(page - pages) * PAGE +
				    sg[i].offset;
		sg[i].dma_length = sg[i].length;
	}
	bench_use(sg);
}

STEP void list_to_sges(const struct scatterlist *sg, size_t nr, struct decant_sge *sge)
{
	for (size_t i = 0; i < nr; i++)
		sge[i] = (struct decant_sge){sg[i].dma_address, sg[i].dma_length, lkey};
}

/* One piece of one page: a scatterlist of one entry, SGEs from it, a request. */
STEP void send_piece(struct rig *rig, struct page *page, size_t offset, size_t len)
{
	struct request *r = &requests[rig->requests];
	struct scatterlist sg[1];
	size_t nr;

	list_init(sg, 1);
	list_set(sg, page, offset, len);
	nr = list_count(sg);
	list_map(sg, nr);
	r->sge[0] = header_sge(rig->requests);
	list_to_sges(sg, nr, r->sge + 1);
	post(r, nr + 1, true);
	rig->requests++;
	rig->data_sges += nr;
}

STEP void unmap(const struct decant_sge *sge)
{
	synchronised -= sge->addr;
	bench_use(&synchronised);
}

STEP void complete(const struct request *r, size_t first)
{
	for (size_t i = first; i < r->nr; i++)
		unmap(&r->sge[i]);
}

static void write_2022(void *arg)
{
	struct rig *rig = arg;
	size_t nr = rig->bytes / PAGE;
	struct page **page_array = malloc(nr * sizeof(struct page *));

	bench_need(page_array, "memory");
	rig->requests = rig->data_sges = 0;
	for (size_t i = 0; i < nr; i++) {
		atomic_fetch_add_explicit(&pages[i].refs, 1, memory_order_relaxed);
		page_array[i] = &pages[i];
	}
	bench_use(page_array);
	for (size_t i = 0; i < nr; i++)
		for (size_t at = 0; at < PAGE; at += rig->payload)
			send_piece(rig, page_array[i], at,
				   PAGE - at < rig->payload ? PAGE - at : rig->payload);
	for (size_t i = 0; i < rig->requests; i++)
		complete(&requests[i], 0);
	for (size_t i = 0; i < nr; i++)
		atomic_fetch_sub_explicit(&page_array[i]->refs, 1, memory_order_release);
	free(page_array);
}

/* A request: the header, and the SGEs that the walk gave it. */
static void send_sges(struct rig *rig, const struct decant_sge *sge, size_t nr, bool last)
{
	struct request *r = &requests[rig->requests];

	r->sge[0] = header_sge(rig->requests++);
	for (size_t i = 0; i < nr; i++) {
		r->sge[1 + i] = sge[i];
		bench_use(r); /* one or two: not worth a call of memmove */
	}
	post(r, nr + 1, last);
	rig->data_sges += nr;
}

static void send_window(struct rig *rig, struct decant_iter *it, struct decant_sink *sink)
{
	ssize_t nr = decant_extract_requests(it, sink, SIZE_MAX, ends, WINDOW);
	bool last = !decant_iter_count(it);

	bench_need(nr > 0, "extract");
	for (size_t i = 0, first = 0; i < (size_t)nr; first = ends[i++])
		send_sges(rig, sges + first, ends[i] - first,
			  last && i == (size_t)nr - 1);
}

/*
 * The write is asynchronous, so its memory is owned first, once. Each request has room
 * for the payload, and for one element less than the device takes: the header.
 */
static void write_decant(void *arg)
{
	struct decant_own_options options = {
		.size = sizeof(options), .space = memory.space, .policy = DECANT_REFUSE};
	struct rig *rig = arg;
	struct decant_iter it = rig->iter;
	struct decant_owned *owned = decant_iter_own(&it, SIZE_MAX, &options);
	struct decant_sink sink;

	bench_need(owned, "own");
	it = decant_owned_iter(owned);
	rig->requests = rig->data_sges = 0;
	decant_sink_sge(&sink, sges, WINDOW * (MAX_SGES - 1));
	sink.limits.max_bytes = rig->payload;
	sink.limits.max_elements = MAX_SGES - 1;
	sink.domain = &memory.domain;
	while (decant_iter_count(&it)) {
		decant_sink_reset(&sink);
		send_window(rig, &it, &sink);
	}
	/* Only the headers: the data stays registered. */
	for (size_t i = 0; i < rig->requests; i++)
		unmap(&requests[i].sge[0]);
	decant_owned_put(owned);
}

/* The buffer as a list of cut bytes each, or in one piece. */
static struct iovec *list_of(size_t bytes, size_t cut, size_t *nr)
{
	struct iovec *iov;

	*nr = bytes / cut;
	iov = calloc(*nr, sizeof(*iov));
	bench_need(iov, "memory");
	for (size_t i = 0; i < *nr; i++)
		iov[i] = (struct iovec){memory.at + i * cut, cut};
	return iov;
}

static void compare(size_t payload, size_t bytes, size_t cut, size_t expected_2022,
		    size_t expected)
{
	struct rig rig = {.payload = payload, .bytes = bytes};
	const char *how = cut == PAGE ? "4 KiB pieces" : "one piece";
	char name[96];
	size_t nr;
	struct iovec *iov = list_of(bytes, cut, &nr);

	bench_need(!decant_iter_iovec(&rig.iter, DECANT_SOURCE, iov, nr), "iovec");
	snprintf(name, sizeof(name), "%zu KiB in %s, payload %zu", bytes >> 10, how,
		 payload);
	bench_run(&(struct bench_case){.name = name,
				       .unit = "ns/write",
				       .fn = write_decant,
				       .arg = &rig,
				       .units = 1,
				       .bound_name = "the 2022 path",
				       .bound = write_2022,
				       .goal = 0.5,
				       .ratio_goal = true});
	write_2022(&rig);
	bench_count(name, "2022 requests = data SGEs", rig.requests, expected_2022);
	bench_need(rig.requests == rig.data_sges, "one data SGE per request");
	write_decant(&rig);
	bench_count(name, "requests", rig.requests, expected);
	bench_count(name, "data SGEs", rig.data_sges, expected);
	free(iov);
}

/* The arithmetic: pieces per page times pages, and bytes by payload, rounded up. */
static void compare_all(size_t payload, size_t bytes)
{
	size_t before = bytes / PAGE * ((PAGE + payload - 1) / payload);
	size_t after = (bytes + payload - 1) / payload;

	compare(payload, bytes, PAGE, before, after);
	compare(payload, bytes, bytes, before, after);
}

int main(void)
{
	static const size_t payloads[] = {1340, 4072, 8168};
	static const size_t sizes[] = {64u << 10, 1u << 20, 4u << 20};

	setup();
	bench_open("path2022");
	for (size_t p = 0; p < sizeof(payloads) / sizeof(*payloads); p++)
		for (size_t s = 0; s < sizeof(sizes) / sizeof(*sizes); s++)
			compare_all(payloads[p], sizes[s]);
	bench_close();
	return 0;
}
