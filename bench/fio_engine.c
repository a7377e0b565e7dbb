/* SPDX-License-Identifier: MIT */
/*
 * fio_engine.c - decant as an engine of fio(1): ioengine=external:PATH/decant-fio.so.
 * tools/fio-engine builds it against the source of the fio that is installed; a build
 * that is given away is under that source's licence.
 *
 * fio's memory becomes a region, and so a registered buffer unless buffers=never.
 */
#include <fio.h>
#include <optgroup.h>
#include <decant/uring.h>

struct settings {
	void *pad; /* no option may be the first */
	unsigned backend;
	unsigned buffers;
	unsigned batch;
};

static struct fio_option options[] = {
	{.name = "backend",
	 .lname = "who does the work",
	 .type = FIO_OPT_INT,
	 .off1 = offsetof(struct settings, backend),
	 .help = "0: io_uring or threads, 1: io_uring, 2: threads",
	 .def = "0",
	 .maxval = 2,
	 .category = FIO_OPT_C_ENGINE,
	 .group = FIO_OPT_G_INVALID},
	{.name = "buffers",
	 .lname = "registered buffers",
	 .type = FIO_OPT_INT,
	 .off1 = offsetof(struct settings, buffers),
	 .help = "0: if they can be had, 1: always, 2: never",
	 .def = "0",
	 .maxval = 2,
	 .category = FIO_OPT_C_ENGINE,
	 .group = FIO_OPT_G_INVALID},
	{.name = "batch",
	 .lname = "submit after",
	 .type = FIO_OPT_INT,
	 .off1 = offsetof(struct settings, batch),
	 .help = "how many begun operations are submitted; 0: as the library does",
	 .def = "0",
	 .category = FIO_OPT_C_ENGINE,
	 .group = FIO_OPT_G_INVALID},
	{.name = NULL},
};

struct engine {
	struct decant_uring *ring;
	struct decant_space *space;
	struct decant_region *region;
	struct decant_uring_event *events;
};

static void engine_cleanup(struct thread_data *td)
{
	struct engine *engine = td->io_ops_data;

	if (!engine)
		return;
	decant_uring_free(engine->ring);
	decant_space_free(engine->space);
	decant_region_put(engine->region);
	free(engine->events);
	free(engine);
	td->io_ops_data = NULL;
}

static int engine_init(struct thread_data *td)
{
	const struct settings *settings = td->eo;
	struct decant_uring_options ring = {.size = sizeof(ring)};
	struct engine *engine = calloc(1, sizeof(*engine));
	int err;

	if (!engine)
		return ENOMEM;
	td->io_ops_data = engine;
	engine->events = calloc(td->o.iodepth, sizeof(*engine->events));
	err = engine->events ? decant_space_new(&engine->space) : -ENOMEM;
	ring.depth = td->o.iodepth;
	ring.backend = (enum decant_uring_backend)settings->backend;
	ring.buffers = (enum decant_uring_buffers)settings->buffers;
	ring.batch = settings->batch;
	ring.one_thread = true;
	ring.space = engine->space;
	if (!err)
		err = decant_uring_new(&engine->ring, &ring);
	if (err)
		engine_cleanup(td);
	return -err;
}

/* fio has its memory by now. */
static int engine_post_init(struct thread_data *td)
{
	struct engine *engine = td->io_ops_data;
	int err;

	if (!td->orig_buffer || !td->orig_buffer_size)
		return 0;
	err = decant_region_new(&engine->region, td->orig_buffer, td->orig_buffer_size,
				NULL);
	if (!err)
		err = decant_space_add(engine->space, engine->region);
	return -err;
}

static int engine_open(struct thread_data *td, struct fio_file *f)
{
	enum decant_uring_direct direct =
		td->o.odirect ? DECANT_URING_DIRECT_ALWAYS : DECANT_URING_DIRECT_NEVER;
	struct decant_uring_file *file;
	int err = generic_open_file(td, f);

	if (err)
		return err;
	err = decant_uring_file_open(&file, f->fd, direct);
	if (err) {
		td_verror(td, -err, "decant_uring_file_open");
		if (generic_close_file(td, f))
			log_err("decant: %s: close failed\n", f->file_name);
		return -err;
	}
	FILE_SET_ENG_DATA(f, file);
	return 0;
}

static int engine_close(struct thread_data *td, struct fio_file *f)
{
	decant_uring_file_close(FILE_ENG_DATA(f));
	FILE_SET_ENG_DATA(f, NULL);
	return generic_close_file(td, f);
}

static int begin(struct engine *engine, struct io_u *io_u)
{
	struct decant_uring_file *file = FILE_ENG_DATA(io_u->file);
	bool writes = io_u->ddir == DDIR_WRITE;
	struct decant_iter it;
	int err;

	if (ddir_sync(io_u->ddir))
		return decant_uring_fsync(engine->ring, file, io_u);
	if (!writes && io_u->ddir != DDIR_READ)
		return -EINVAL;
	err = decant_iter_buf(&it, writes ? DECANT_SOURCE : DECANT_DEST, io_u->xfer_buf,
			      io_u->xfer_buflen);
	if (err)
		return err;
	if (writes)
		return decant_uring_write(engine->ring, file, &it, SIZE_MAX, io_u->offset,
					  io_u);
	return decant_uring_read(engine->ring, file, &it, SIZE_MAX, io_u->offset, io_u);
}

static enum fio_q_status engine_queue(struct thread_data *td, struct io_u *io_u)
{
	int err = begin(td->io_ops_data, io_u);

	if (!err)
		return FIO_Q_QUEUED;
	if (err == -EAGAIN)
		return FIO_Q_BUSY;
	io_u->error = -err;
	td_verror(td, -err, "decant");
	return FIO_Q_COMPLETED;
}

static int engine_commit(struct thread_data *td)
{
	struct engine *engine = td->io_ops_data;

	return decant_uring_submit(engine->ring);
}

static int engine_getevents(struct thread_data *td, unsigned int min, unsigned int max,
			    const struct timespec *t)
{
	int timeout = t ? (int)(t->tv_sec * 1000 + t->tv_nsec / 1000000) : -1;
	struct engine *engine = td->io_ops_data;
	unsigned int nr = 0;
	int n;

	do {
		n = decant_uring_wait(engine->ring, engine->events + nr, max - nr,
				      min ? timeout : 0);
		if (n < 0)
			return n;
		nr += (unsigned int)n;
	} while (n && nr < min);
	return (int)nr;
}

static struct io_u *engine_event(struct thread_data *td, int number)
{
	struct engine *engine = td->io_ops_data;
	const struct decant_uring_event *event = &engine->events[number];
	struct io_u *io_u = event->user;

	io_u->error = event->result < 0 ? (int)-event->result : 0;
	io_u->resid = 0;
	if (!io_u->error && !ddir_sync(io_u->ddir))
		io_u->resid = io_u->xfer_buflen - (unsigned long long)event->result;
	return io_u;
}

/* fio looks for this name. */
struct ioengine_ops ioengine = {
	.name = "decant",
	.version = FIO_IOOPS_VERSION,
	.init = engine_init,
	.post_init = engine_post_init,
	.queue = engine_queue,
	.commit = engine_commit,
	.getevents = engine_getevents,
	.event = engine_event,
	.cleanup = engine_cleanup,
	.open_file = engine_open,
	.close_file = engine_close,
	.get_file_size = generic_get_file_size,
	.option_struct_size = sizeof(struct settings),
	.options = options,
};
