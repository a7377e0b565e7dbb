/* SPDX-License-Identifier: MIT */
/*
 * filter.c - the age format between two hops.
 *
 * Chunks of the copy come in order and are one stretch of bytes, and so are those that go
 * out; the format's chunks lie across their borders, which is what iterators are for.
 * Jobs of some of the format's chunks each are done by a crew; they are begun and given
 * on in order, so nothing leaves that was not verified.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "crew.h"
#include "filter.h"
#include "lane.h"

#define JOBS	   32
#define JOB_CHUNKS 8
#define PIECES	   40
#define PLAIN	   ((uint64_t)DECANT_AGE_CHUNK_BYTES)
#define SEALED	   ((uint64_t)DECANT_AGE_SEALED_BYTES)
#define HEADER	   (DECANT_AGE_HEADER_MOST)

struct job {
	struct decant_age *own; /* its context, with chunks assigned to it */
	struct decant_age *age; /* the one it uses */
	struct iovec in[PIECES], out[PIECES];
	struct decant_iter src, dst;
	size_t len;	/* bytes of src */
	size_t text;	/* of these, or of what comes out */
	uint64_t chunk; /* number of the first */
	bool last;
	uint64_t in_end, out_end;
	ssize_t result;
	struct trace_job work;
};

struct filter {
	struct endpoint ep;
	struct decant_age_keys *keys;
	bool encrypts;
	char *path;
	struct decant_age *age; /* NULL: the header is still to come */
	struct decant_age_armor *armor;
	char *header; /* to be written */
	size_t header_len, header_at;
	struct lane in, out;
	uint64_t in_done;     /* bytes that are not needed any more */
	uint64_t next_number; /* of the chunks that go out */
	uint64_t next_chunk;  /* of the format's */
	bool looked;	      /* at what the source begins with */
	bool ended;	      /* everything has come in */
	bool all_begun;	      /* the last job was handed in */
	bool over;	      /* and taken back */
	struct job jobs[JOBS];
	struct crew crew;
	bool has_crew;
};

static struct filter *filter_of(struct endpoint *ep)
{
	return (struct filter *)ep;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static struct report *report_of(const struct filter *f)
{
	return f->ep.engine->report;
}

/* --- what went wrong --- */

static bool fail(struct filter *f, enum exit_code code, const char *what)
{
	return report_set(report_of(f), code, "%s: %s", f->path, what);
}

static bool header_failed(struct filter *f, int err)
{
	switch (err) {
	case -ENOMSG:
		return fail(f, EXIT_SOURCE, "is no age file");
	case -EPROTONOSUPPORT:
		return fail(f, EXIT_SOURCE, "is an age file of another version than v1");
	case -EILSEQ:
		return fail(f, EXIT_SOURCE, "its age header is malformed");
	case -ENODATA:
		return fail(f, EXIT_SOURCE, "ends within its age header");
	case -E2BIG:
		return fail(f, EXIT_SOURCE, "its age header is too long");
	case -ERANGE:
		return fail(f, EXIT_SOURCE,
			    "trying a passphrase would take more work than is allowed");
	case -ENOKEY:
		return fail(f, EXIT_KEY, "it was encrypted to others: no key fits");
	case -EBADMSG:
		return fail(f, EXIT_TAMPERED, "its age header is not authentic");
	default:
		return fail(f, EXIT_RESOURCES, strerror(-err));
	}
}

static bool chunk_failed(struct filter *f, uint64_t chunk, int err)
{
	unsigned long long pos = chunk * PLAIN;

	if (err == -ENODATA)
		return report_set(report_of(f), EXIT_TAMPERED,
				  "%s: was cut short: its last chunk is missing",
				  f->path);
	if (err == -EFBIG)
		return report_set(report_of(f), EXIT_TAMPERED,
				  "%s: something was added behind its last chunk",
				  f->path);
	if (err == -EBADMSG)
		return report_set(report_of(f), EXIT_TAMPERED,
				  "%s: the chunk at byte %llu of the text is not "
				  "authentic; nothing from there on was written",
				  f->path, pos);
	return report_set(report_of(f), EXIT_RESOURCES, "%s: %s at byte %llu: %s",
			  f->path, f->encrypts ? "encrypting" : "decrypting", pos,
			  strerror(-err));
}

static bool armor_failed(struct filter *f, ssize_t err)
{
	return fail(f, EXIT_SOURCE,
		    err == -ENODATA ? "ends within its armor" : "its armor is malformed");
}

/* --- jobs --- */

static void run_job(void *user, unsigned slot)
{
	struct filter *f = user;
	struct job *job = &f->jobs[slot];

	job->work.began = stats_now();
	job->work.thread = (uintptr_t)pthread_self();
	if (f->encrypts)
		job->result = decant_age_seal(job->age, &job->dst, &job->src, job->len,
					      job->last);
	else
		job->result = decant_age_unseal(job->age, &job->dst, &job->src, job->len,
						job->chunk, job->last);
	job->work.ended = stats_now();
}

static int prepare_job(struct filter *f, struct job *job, uint64_t chunks)
{
	int err = 0;

	job->age = f->age;
	/* The last chunk is the file's own; all others may be any part's. */
	if (!job->last || !f->encrypts) {
		if (!job->own)
			err = decant_age_part(&job->own, f->age);
		job->age = job->own;
	}
	if (!err && f->encrypts && !job->last)
		err = decant_age_assign(job->own, f->age, chunks);
	return err;
}

/* Hand in a job of so many bytes; false if they lie in too many pieces. */
static bool begin_job(struct filter *f, uint64_t chunks, uint64_t len, uint64_t out,
		      bool last)
{
	struct job *job = &f->jobs[crew_next_slot(&f->crew)];
	size_t in_nr = lane_pieces(&f->in, f->in.at, len, job->in, PIECES);
	size_t out_nr = lane_pieces(&f->out, f->out.at, out, job->out, PIECES);
	int err;

	if ((len && !in_nr) || (out && !out_nr))
		return false;
	job->len = (size_t)len;
	job->text = (size_t)(f->encrypts ? len : out);
	job->chunk = f->next_chunk;
	job->last = last;
	f->next_chunk += chunks;
	f->in.at += len;
	f->out.at += out;
	job->in_end = f->in.at;
	job->out_end = f->out.at;
	err = decant_iter_iovec(&job->src, DECANT_SOURCE, job->in, in_nr);
	if (!err)
		err = decant_iter_iovec(&job->dst, DECANT_DEST, job->out, out_nr);
	if (!err)
		err = prepare_job(f, job, chunks);
	if (err) {
		chunk_failed(f, job->chunk, err);
		return true;
	}
	f->all_begun = last;
	stage_begin(f->ep.stage, f->crew.handed_in);
	crew_hand_in(&f->crew);
	return true;
}

/* What is left when nothing comes any more, and less than a whole chunk and one byte. */
static bool begin_last(struct filter *f, uint64_t have, uint64_t room)
{
	uint64_t out = have + SEALED - PLAIN;

	if (!f->encrypts)
		out = have > SEALED - PLAIN ? have - (SEALED - PLAIN) : 0;
	return f->out.nr && out <= room && begin_job(f, 1, have, out, true);
}

/*
 * Hand in a job of whole chunks that something follows, or of the last one. Whether there
 * was one.
 */
static bool begin_next(struct filter *f)
{
	uint64_t from = f->encrypts ? PLAIN : SEALED, to = PLAIN + SEALED - from;
	uint64_t have = lane_left(&f->in), room = lane_left(&f->out);
	uint64_t whole = have ? (have - 1) / from : 0;
	uint64_t n = least(least(whole, room / to), JOB_CHUNKS);

	if (f->all_begun || report_of(f)->code || !crew_has_room(&f->crew))
		return false;
	/* Fewer, if they lie in too many pieces. */
	for (uint64_t some = n; some; some /= 2)
		if (begin_job(f, some, some * from, some * to, false))
			return true;
	if (n)
		return fail(f, EXIT_RESOURCES, "a chunk lies in too many pieces");
	return f->ended && !whole && begin_last(f, have, room);
}

/* --- giving on --- */

static void release(struct filter *f)
{
	struct chunk *chunk;

	while ((chunk = lane_take(&f->in, f->in_done)))
		engine_emptied(chunk);
}

static void give(struct filter *f, uint64_t out_end, bool last)
{
	struct engine *engine = f->ep.engine;

	/* A chunk that is full at the very end is the last one. */
	lane_give(&f->out, engine, last ? out_end - !!out_end : out_end);
	if (!last)
		return;
	f->over = true;
	if (!lane_finish(&f->out, engine, out_end))
		fail(f, EXIT_RESOURCES, "there is no room for its end");
}

/* Take the oldest job back if it is done. */
static bool take_back(struct filter *f)
{
	int slot = crew_finished(&f->crew);
	struct job *job = &f->jobs[slot < 0 ? 0 : slot];

	if (slot < 0 || report_of(f)->code)
		return false;
	/* Fewer bytes than there were: the next chunk is bad, and says why. */
	while (job->result >= 0 && (size_t)job->result < job->text) {
		job->chunk += (uint64_t)job->result / PLAIN;
		job->text -= (size_t)job->result;
		job->len = decant_iter_count(&job->src);
		run_job(f, (unsigned)slot);
	}
	stage_worked(f->ep.stage, &job->work, f->crew.taken_back, job->text);
	stage_end(f->ep.stage, f->crew.taken_back, job->text);
	if (job->result < 0)
		return chunk_failed(f, job->chunk, (int)job->result);
	crew_take_back(&f->crew);
	f->in_done = job->in_end;
	release(f);
	give(f, job->out_end, job->last);
	return true;
}

/* --- the header --- */

static bool put_header(struct filter *f)
{
	size_t n = (size_t)least(lane_left(&f->out), f->header_len - f->header_at);
	struct iovec iov[PIECES];
	struct decant_iter dst;
	size_t nr = 0;

	/* As much as lies in so many pieces: the next call goes on. */
	for (; n && !nr; n = nr ? n : n / 2)
		nr = lane_pieces(&f->out, f->out.at, n, iov, PIECES);
	if (!n || decant_iter_iovec(&dst, DECANT_DEST, iov, nr) ||
	    decant_copy_from(&dst, f->header + f->header_at, n) != (ssize_t)n)
		return false;
	f->header_at += n;
	f->out.at += n;
	give(f, f->out.at, false);
	return true;
}

static bool is_full(const struct lane *lane)
{
	return lane->nr == lane->depth;
}

static bool read_header(struct filter *f)
{
	struct iovec *iov = calloc(f->in.depth, sizeof(*iov));
	uint64_t have = lane_left(&f->in);
	struct decant_iter src;
	ssize_t got = -ENOMEM;

	if (iov &&
	    !decant_iter_iovec(&src, DECANT_SOURCE, iov,
			       lane_pieces(&f->in, f->in.at, have, iov, f->in.depth)))
		got = decant_age_open(&f->age, &src, f->keys);
	free(iov);
	if (got == -ENODATA && !f->ended && !is_full(&f->in))
		return false;
	if (got < 0)
		return header_failed(f, got == -ENODATA && !f->ended ? -E2BIG : (int)got);
	f->in.at += (uint64_t)got;
	f->in_done = f->in.at;
	release(f);
	return true;
}

/* A header that has to pass before anything else; whether there was any of it. */
static bool pass_header(struct filter *f)
{
	if (report_of(f)->code)
		return false;
	if (f->encrypts)
		return f->header_at < f->header_len && put_header(f);
	return !f->age && (lane_left(&f->in) || f->ended) && read_header(f);
}

static bool header_passed(const struct filter *f)
{
	return f->encrypts ? f->header_at == f->header_len : f->age != NULL;
}

/* --- as an end point --- */

static bool go_on(struct filter *f)
{
	bool moved = pass_header(f);

	while (header_passed(f) && begin_next(f))
		moved = true;
	return moved;
}

/* Take the armor off in place: there is less below it, and it is read first. */
static bool take_armor_off(struct filter *f, struct chunk *chunk)
{
	struct decant_iter src = chunk_iter(chunk, DECANT_SOURCE), dst;
	ssize_t got;

	decant_iter_buf(&dst, DECANT_DEST, chunk->buffer.addr, f->ep.engine->chunk_bytes);
	do {
		got = decant_age_armor_run(f->armor, &dst, &src, chunk->last);
	} while (got > 0);
	chunk->len = decant_iter_consumed(&dst);
	return !got || armor_failed(f, got);
}

static bool look(struct filter *f, const struct chunk *chunk)
{
	const struct decant_iter it = chunk_iter(chunk, DECANT_SOURCE);

	f->looked = true;
	if (f->encrypts || f->age || !decant_age_is_armored(&it))
		return true;
	return !decant_age_armor_new(&f->armor, DECANT_AGE_ARMOR_DECODE) ||
	       fail(f, EXIT_RESOURCES, "no memory");
}

static bool filter_write(struct endpoint *ep, struct chunk *chunk)
{
	struct filter *f = filter_of(ep);

	if (!f->looked && !look(f, chunk))
		return false;
	if (f->armor && !take_armor_off(f, chunk))
		return false;
	lane_put(&f->in, chunk);
	f->ended = chunk->last;
	release(f);
	go_on(f);
	return true;
}

static enum start filter_read(struct endpoint *ep, struct chunk *chunk)
{
	struct filter *f = filter_of(ep);

	if (f->over)
		return START_ENDED;
	/* No more than the next jobs need: what was used last is still in the cache. */
	if (lane_left(&f->out) >= ep->engine->chunk_bytes + SEALED)
		return START_NOT_NOW;
	chunk->number = f->next_number++;
	chunk->len = ep->engine->chunk_bytes;
	chunk->pos = chunk->number * chunk->len;
	lane_put(&f->out, chunk);
	go_on(f);
	return START_DONE;
}

static bool filter_poll(struct endpoint *ep)
{
	struct filter *f = filter_of(ep);
	bool moved = go_on(f);

	moved |= crew_help(&f->crew);
	while (take_back(f))
		moved = true;
	return moved;
}

static unsigned filter_sleep(struct endpoint *ep, struct pollfd *fds, int *timeout)
{
	struct filter *f = filter_of(ep);

	*fds = (struct pollfd){.fd = f->crew.fd, .events = POLLIN};
	if (!crew_may_sleep(&f->crew))
		*timeout = 0;
	return !crew_is_idle(&f->crew);
}

static void filter_close(struct endpoint *ep)
{
	struct filter *f = filter_of(ep);

	if (f->has_crew)
		crew_fini(&f->crew);
	for (unsigned i = 0; i < JOBS; i++)
		decant_age_free(f->jobs[i].own);
	decant_age_free(f->age);
	decant_age_armor_free(f->armor);
	lane_fini(&f->in);
	lane_fini(&f->out);
	free(f->header);
	free(f->path);
	free(f);
}

static const struct endpoint_ops filter_ops = {
	.name = "filter",
	.in_order = true,
	.read = filter_read,
	.write = filter_write,
	.poll = filter_poll,
	.sleep = filter_sleep,
	.close = filter_close,
};

/* --- opening --- */

static bool make_header(struct filter *f)
{
	struct decant_iter dst;
	ssize_t got = -ENOMEM;

	f->header = malloc(HEADER);
	if (f->header && !decant_iter_buf(&dst, DECANT_DEST, f->header, HEADER))
		got = decant_age_create(&f->age, &dst, f->keys, 0);
	if (got < 0)
		return report_set(report_of(f), EXIT_RESOURCES, "the age header: %s",
				  strerror((int)-got));
	f->header_len = (size_t)got;
	if (f->ep.meta.size != SIZE_UNKNOWN)
		f->ep.meta.size = f->header_len + decant_age_sealed_size(f->ep.meta.size);
	return true;
}

/* A source that can be looked into, as an iterator. */
static struct decant_span no_address(void *state, const struct decant_place *place)
{
	(void)state;
	return (struct decant_span){NULL, place->left, NULL};
}

static ssize_t peek(void *state, const struct decant_place *place,
		    const struct iovec *local, size_t nr)
{
	struct endpoint *source = state;

	return source->ops->peek(source, local, (int)nr, place->pos);
}

/* The header before anything else is opened, so that the size is known. */
static bool peek_header(struct filter *f, struct endpoint *source)
{
	static const struct decant_iter_ops ops = {
		.size = sizeof(ops), .peek = no_address, .move = peek};
	struct decant_iter src;
	ssize_t got;

	if (decant_iter_custom(&src, DECANT_SOURCE, &ops, source, f->ep.meta.size) ||
	    decant_age_is_armored(&src)) {
		f->ep.meta.size = SIZE_UNKNOWN;
		return true;
	}
	got = decant_age_open(&f->age, &src, f->keys);
	if (got < 0)
		return header_failed(f, (int)got);
	f->in.at = f->in_done = (uint64_t)got;
	/* SIZE_UNKNOWN if it can't be: opening the chunks will tell why. */
	f->ep.meta.size = decant_age_plain_size(decant_iter_count(&src));
	return true;
}

static bool open_header(struct filter *f, struct endpoint *source)
{
	if (f->encrypts)
		return make_header(f);
	if (source && source->ops->peek && f->ep.meta.size != SIZE_UNKNOWN)
		return peek_header(f, source);
	f->ep.meta.size = SIZE_UNKNOWN;
	return true;
}

static bool open_crew(struct filter *f, uint64_t threads)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	int err;

	if (!threads)
		threads =
			processors < 1 ? 1 : least((uint64_t)processors, THREADS_DEFAULT);
	err = crew_init(&f->crew, (unsigned)threads, JOBS, run_job, f);
	f->has_crew = true;
	return !err || report_set(report_of(f), EXIT_RESOURCES, "%llu threads: %s",
				  (unsigned long long)threads, strerror(-err));
}

struct endpoint *filter_open(struct engine *engine, const struct crypt_options *crypt,
			     const struct file_meta *meta, struct endpoint *source,
			     const char *path)
{
	struct filter *f = calloc(1, sizeof(*f));

	if (!f) {
		report_set(engine->report, EXIT_RESOURCES, "no memory");
		return NULL;
	}
	f->ep = (struct endpoint){.ops = &filter_ops, .engine = engine, .meta = *meta};
	f->encrypts = crypt->way == CRYPT_ENCRYPT;
	f->keys = crypt->keys;
	f->path = strdup(strcmp(path, "-") ? path : "standard input");
	f->ep.stage = stats_stage(&engine->stats, TRACE_NO_HOP,
				  f->encrypts ? "encrypt" : "decrypt");
	stage_has_workers(f->ep.stage);
	if (!lane_init(&f->in, engine->depth) || !lane_init(&f->out, engine->depth) ||
	    !f->path)
		fail(f, EXIT_RESOURCES, "no memory");
	else if (open_header(f, source) && open_crew(f, crypt->threads))
		return &f->ep;
	filter_close(&f->ep);
	return NULL;
}
