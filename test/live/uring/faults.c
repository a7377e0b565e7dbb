/* SPDX-License-Identifier: MIT */
/*
 * faults.c - what is never the caller's problem: a kernel that can't take submissions at
 * the moment, a full submission queue, signals, calls that are interrupted, come back
 * short or are not possible without waiting. The adapter calls the functions of this file
 * instead of liburing's and the C library's.
 */
#include <dlfcn.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include "reads.h"
#include "sockets.h"

#define BYTES 400000u

struct io_uring;
struct io_uring_cqe;
struct __kernel_timespec;

DECANT_API int io_uring_submit(struct io_uring *ring);
DECANT_API int io_uring_submit_and_wait_timeout(struct io_uring *ring,
						struct io_uring_cqe **cqe, unsigned nr,
						struct __kernel_timespec *ts,
						sigset_t *mask);

static bool busy;     /* the kernel takes no submissions, mostly */
static bool cant_say; /* no call can be made without waiting */
static bool mischief; /* calls on sockets are interrupted and short */
static unsigned refused;
static uint64_t state = 1;

/* The threads' own numbers. */
static unsigned draw(unsigned n)
{
	uint64_t x = __atomic_add_fetch(&state, 0x9e3779b97f4a7c15ull, __ATOMIC_RELAXED);

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	return (unsigned)((x ^ (x >> 27)) >> 33) % n;
}

static int refusal(void)
{
	static const int errors[] = {-EAGAIN, -EBUSY, -EINTR};

	if (!busy || draw(8) == 0)
		return 0;
	refused++;
	return errors[draw(3)];
}

int io_uring_submit(struct io_uring *ring)
{
	int (*submit)(struct io_uring * ring);
	int err = refusal();

	*(void **)&submit = dlsym(RTLD_NEXT, "io_uring_submit");
	return err ? err : submit(ring);
}

int io_uring_submit_and_wait_timeout(struct io_uring *ring, struct io_uring_cqe **cqe,
				     unsigned nr, struct __kernel_timespec *ts,
				     sigset_t *mask)
{
	int (*submit)(struct io_uring *, struct io_uring_cqe **, unsigned,
		      struct __kernel_timespec *, sigset_t *);
	int err = refusal();

	*(void **)&submit = dlsym(RTLD_NEXT, "io_uring_submit_and_wait_timeout");
	return err ? err : submit(ring, cqe, nr, ts, mask);
}

/* Where the adapter looks for the calls that don't wait. */
ssize_t preadv2(int fd, const struct iovec *iov, int nr, off_t pos, int flags)
{
	if (cant_say)
		return errno = EOPNOTSUPP, -1;
	return syscall(SYS_preadv2, fd, iov, nr, pos, pos, flags);
}

ssize_t pwritev2(int fd, const struct iovec *iov, int nr, off_t pos, int flags)
{
	if (cant_say)
		return errno = EOPNOTSUPP, -1;
	return syscall(SYS_pwritev2, fd, iov, nr, pos, pos, flags);
}

static ssize_t message(long call, int fd, const struct msghdr *header, int flags)
{
	struct msghdr some = *header;
	struct iovec first;

	if (!mischief || draw(2) || !header->msg_iovlen)
		return syscall(call, fd, header, flags);
	if (draw(2))
		return errno = draw(2) ? EINTR : EAGAIN, -1;
	first = header->msg_iov[0];
	first.iov_len = first.iov_len ? 1 + draw((unsigned)first.iov_len) : 0;
	some.msg_iov = &first;
	some.msg_iovlen = 1;
	return syscall(call, fd, &some, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *header, int flags)
{
	return message(SYS_sendmsg, fd, header, flags);
}

ssize_t recvmsg(int fd, struct msghdr *header, int flags)
{
	return message(SYS_recvmsg, fd, header, flags);
}

static bool needs(enum decant_uring_backend backend, const char *why)
{
	if (rig_backend == backend)
		return true;
	check_skip(why);
	return false;
}

/* More is begun and cancelled than the queue has room for before the kernel takes any. */
static void busy_kernel(void)
{
	if (!needs(DECANT_URING_RING, "threads have no queue that can be full"))
		return;
	refused = 0;
	busy = true;
	reads_conserve(READS, check_cases(3000));
	busy = false;
	CHECK(refused > 0);
}

/* Deadlines want a place in the queue as well. */
static void busy_with_deadlines(void)
{
	static unsigned char to[READS];
	struct decant_uring_event event;
	struct stream s;
	unsigned n = 0;

	if (!needs(DECANT_URING_RING, "threads have no queue that can be full"))
		return;
	stream_init(&s, READS, 0);
	busy = true;
	for (unsigned i = 0; i < READS; i++) {
		struct decant_iter it = rig_buf(DECANT_DEST, to + i, 1);
		struct timespec t;

		clock_gettime(CLOCK_MONOTONIC, &t);
		REQUIRE(!decant_uring_begin(
			s.rig.ring,
			&(struct decant_uring_operation){
				.size = sizeof(struct decant_uring_operation),
				.code = DECANT_URING_READ,
				.file = s.rig.file,
				.it = &it,
				.len = 1,
				.deadline = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec +
					    30000000 - (int64_t)i * 900000}));
	}
	while (n < READS) {
		REQUIRE(decant_uring_wait(s.rig.ring, &event, 1, 10000) == 1);
		CHECK_EQ(event.result, -ETIMEDOUT);
		n++;
	}
	busy = false;
	stream_fini(&s);
}

static bool signalled; /* while something is transferred */

static void alarms(bool on)
{
	struct itimerval every = {{0, on ? 500 : 0}, {0, on ? 500 : 0}};

	if (signalled)
		REQUIRE(setitimer(ITIMER_REAL, &every, NULL) == 0);
}

/* As much as a pipe takes many times, both ends in one ring. */
static void pipe_through(void)
{
	static unsigned char from[BYTES], to[BYTES];
	struct decant_iter in = rig_buf(DECANT_DEST, to, BYTES);
	struct decant_iter out = rig_buf(DECANT_SOURCE, from, BYTES);
	struct ends ends = {.ring = rig_ring(0, NULL)};
	ssize_t sent = 0, received = 0;

	REQUIRE(pipe2(ends.fd, O_CLOEXEC) == 0);
	REQUIRE(!decant_uring_file_open(&ends.from, ends.fd[1], 0));
	REQUIRE(!decant_uring_file_open(&ends.to, ends.fd[0], 0));
	rig_random(from, BYTES);
	REQUIRE(!decant_uring_read(ends.ring, ends.to, &in, BYTES, 0, &received));
	REQUIRE(!decant_uring_write(ends.ring, ends.from, &out, BYTES, 0, &sent));
	alarms(true);
	both_events(ends.ring, &sent, &received);
	alarms(false);
	CHECK_EQ(sent, BYTES);
	CHECK_EQ(received, BYTES);
	CHECK(!memcmp(from, to, BYTES));
	ends_fini(&ends);
}

/* A kernel that knows no pipes that don't wait, and only tells when they are ready. */
static void old_kernel(void)
{
	if (!needs(DECANT_URING_THREADS, "only threads ask for it"))
		return;
	cant_say = true;
	pipe_through();
	reads_conserve(READS, check_cases(500));
	cant_say = false;
}

static void socket_through(enum socket_kind kind, size_t len)
{
	static unsigned char bytes[BYTES];
	ssize_t sent = 0, received = 0;
	struct decant_iter in, out;
	struct cut from, to;
	struct ends ends;

	ends_init(&ends, kind, 0);
	rig_random(bytes, len);
	cut_init(&from, len, (enum cut_style)check_below(CUT_STYLES));
	cut_init(&to, len, (enum cut_style)check_below(CUT_STYLES));
	cut_fill(&from, bytes);
	in = cut_iter(&to, DECANT_DEST);
	out = cut_iter(&from, DECANT_SOURCE);
	REQUIRE(!decant_uring_recv(ends.ring, ends.to, &in, len, NULL, &received));
	REQUIRE(!decant_uring_send(ends.ring, ends.from, &out, len, NULL, &sent));
	alarms(true);
	both_events(ends.ring, &sent, &received);
	alarms(false);
	CHECK_EQ(sent, len);
	CHECK_EQ(received, len);
	CHECK(cut_holds(&to, bytes, len));
	cut_fini(&from);
	cut_fini(&to);
	ends_fini(&ends);
}

static void short_calls(void)
{
	if (!needs(DECANT_URING_THREADS, "the kernel can't be made to"))
		return;
	mischief = true;
	for (size_t i = 0; i < check_cases(40); i++)
		socket_through(i & 1 ? TCP : UNIX_STREAM, 1 + check_below(BYTES / 10));
	mischief = false;
}

static void nothing(int signal)
{
	(void)signal;
}

/* A signal every half millisecond, and no call that is restarted. */
static void signals(void)
{
	struct sigaction action = {.sa_handler = nothing};

	REQUIRE(sigaction(SIGALRM, &action, NULL) == 0);
	signalled = true;
	for (size_t i = 0; i < check_cases(20); i++) {
		socket_through(i & 1 ? TCP : UNIX_STREAM, 1 + check_below(BYTES));
		pipe_through();
	}
	alarms(true);
	reads_conserve(READS, check_cases(1000));
	alarms(false);
}

int main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{"a busy kernel", busy_kernel},
		{"deadlines and a busy kernel", busy_with_deadlines},
		{"an old kernel", old_kernel},
		{"short calls", short_calls},
		{"signals", signals},
	};

	return rig_main(argc, argv, cases, ARRAY_SIZE(cases));
}
