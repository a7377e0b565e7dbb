/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_URING_SERVER_H
#define DECANT_TEST_URING_SERVER_H
/*
 * server.h - a file system of one file that a process of the test's own serves (fuse(4)):
 * what a read or write of it comes to is the test's to say. Were it a thread, a test that
 * is killed while it waits for its own file could not end.
 */
#include <linux/fuse.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include "rig.h"

#define SERVER_DIR  "/mnt"
#define SERVER_FILE SERVER_DIR "/file"
#define SERVER_NODE 2u
#define SERVER_MAX  (1u << 20)

/**
 * struct server - the file system
 * @bytes: the file's content
 * @size: bytes of it at most
 * @now: bytes of it
 * @cached: not past the page cache by the server's word
 * @allow: how many of the @len bytes at @pos a call transfers; or a negative errno
 */
struct server {
	unsigned char *bytes; /* shared */
	size_t size;
	size_t *now; /* shared */
	bool cached;
	ssize_t (*allow)(bool writes, size_t pos, size_t len);
	int fd;
	pid_t pid;
	char request[SERVER_MAX + 65536];
};

static void server_reply(struct server *s, int error, const void *data, size_t len)
{
	const struct fuse_in_header *in = (const void *)s->request;
	struct fuse_out_header out = {.unique = in->unique, .error = error};
	struct iovec iov[] = {{&out, sizeof(out)}, {(void *)(uintptr_t)data, len}};

	out.len = (uint32_t)(sizeof(out) + len);
	if (writev(s->fd, iov, len ? 2 : 1) < 0 && errno != ENOENT)
		perror("# server");
}

static struct fuse_attr server_attr(const struct server *s, uint64_t node)
{
	struct fuse_attr attr = {.ino = node, .nlink = 1, .blksize = 4096};

	attr.mode = node == SERVER_NODE ? S_IFREG | 0600 : S_IFDIR | 0700;
	attr.size = node == SERVER_NODE ? *s->now : 0;
	return attr;
}

static void server_read(struct server *s, const struct fuse_read_in *in)
{
	size_t size = *s->now, pos = in->offset < size ? in->offset : size;
	size_t len = in->size < size - pos ? in->size : size - pos;
	ssize_t n = len ? s->allow(false, pos, len) : 0;

	server_reply(s, n < 0 ? (int)n : 0, s->bytes + pos, n < 0 ? 0 : (size_t)n);
}

static void server_write(struct server *s, const struct fuse_write_in *in)
{
	struct fuse_write_out out = {0};
	ssize_t n = in->offset + in->size > s->size
			    ? -ENOSPC
			    : s->allow(true, in->offset, in->size);

	if (n > 0)
		memcpy(s->bytes + in->offset, in + 1, (size_t)n);
	out.size = n < 0 ? 0 : (uint32_t)n;
	server_reply(s, n < 0 ? (int)n : 0, &out, n < 0 ? 0 : sizeof(out));
}

/* Without FUSE_ASYNC_DIO, with which the kernel takes a short write for an error. */
static void server_init(struct server *s)
{
	struct fuse_init_out out = {.major = FUSE_KERNEL_VERSION,
				    .minor = FUSE_KERNEL_MINOR_VERSION,
				    .max_readahead = 0,
				    .flags = FUSE_ASYNC_READ | FUSE_BIG_WRITES |
					     FUSE_MAX_PAGES,
				    .max_write = SERVER_MAX,
				    .max_pages = SERVER_MAX / 4096};

	server_reply(s, 0, &out, sizeof(out));
}

static void server_attributes(struct server *s, uint64_t node, bool entry)
{
	struct fuse_attr_out attr = {.attr = server_attr(s, node)};
	struct fuse_entry_out found = {.nodeid = node, .attr = attr.attr};

	if (entry)
		server_reply(s, 0, &found, sizeof(found));
	else
		server_reply(s, 0, &attr, sizeof(attr));
}

/*
 * Past the page cache by the server's word, io_uring goes on with a short read by itself
 * and at the wrong place (fuse_direct_read_iter() of Linux 6.18 does not advance the
 * position); so there the file is past it by O_DIRECT only.
 */
static void server_open(struct server *s)
{
	struct fuse_open_out out = {0};

	if (!s->cached)
		out.open_flags = FOPEN_DIRECT_IO;

	server_reply(s, 0, &out, sizeof(out));
}

static void server_answer(struct server *s)
{
	const struct fuse_in_header *in = (const void *)s->request;
	const void *body = in + 1;

	switch (in->opcode) {
	case FUSE_INIT:
		server_init(s);
		break;
	case FUSE_LOOKUP:
		if (strcmp(body, "file"))
			server_reply(s, -ENOENT, NULL, 0);
		else
			server_attributes(s, SERVER_NODE, true);
		break;
	case FUSE_GETATTR:
	case FUSE_SETATTR:
		server_attributes(s, in->nodeid, false);
		break;
	case FUSE_OPEN:
		server_open(s);
		break;
	case FUSE_READ:
		server_read(s, body);
		break;
	case FUSE_WRITE:
		server_write(s, body);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	case FUSE_FLUSH:
	case FUSE_RELEASE:
	case FUSE_FSYNC:
		server_reply(s, 0, NULL, 0);
		break;
	default:
		server_reply(s, -ENOSYS, NULL, 0);
	}
}

static void server_run(struct server *s)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(s->fd, s->request, sizeof(s->request)) > 0 || errno == EINTR ||
	       errno == ENOENT)
		server_answer(s);
	_exit(0);
}

RIG_UNUSED void *server_shared(size_t len)
{
	void *addr = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			  -1, 0);

	REQUIRE(addr != MAP_FAILED);
	return addr;
}

/* False: there is no fuse here. In a mount namespace of its own. */
RIG_UNUSED bool server_start(struct server *s)
{
	char options[128];

	s->fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (s->fd < 0)
		return false;
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0",
		 s->fd);
	if (mount("decant", SERVER_DIR, "fuse", MS_NOSUID | MS_NODEV, options)) {
		close(s->fd);
		return false;
	}
	s->bytes = server_shared(s->size);
	s->now = server_shared(sizeof(*s->now));
	*s->now = s->size;
	fflush(stdout);
	s->pid = fork();
	REQUIRE(s->pid >= 0);
	if (!s->pid)
		server_run(s);
	close(s->fd);
	return true;
}

RIG_UNUSED void server_stop(struct server *s)
{
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	umount2(SERVER_DIR, MNT_DETACH);
	munmap(s->bytes, s->size);
	munmap(s->now, sizeof(*s->now));
}

#endif
