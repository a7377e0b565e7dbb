/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_OFI_PEER_H
#define DECANT_TEST_OFI_PEER_H
/*
 * peer.h - two processes with an end point each, and a socket beside it. All in the
 * header, as in check.h, whose state is each source file's own. The process that runs the
 * cases never touches libfabric, so that every fork begins clean.
 */
#include <check.h>
#include <decant/ofi.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/*
 * Unless we are told others, as in test/guest: where the two meet, when a case that
 * hangs is killed (sanitizers are slow), milliseconds without any progress after which a
 * peer counts as gone in cases about peers that go, whether it goes over iWARP, where a
 * write may be complete before it has arrived, and the providers that every machine can
 * run: those with counters, those without, one of either type of end point, and which
 * modes of memory all insist on.
 */
#ifndef PEER_NODE
#define PEER_NODE    "127.0.0.1"
#define PEER_SECONDS 90
#define PEER_TIMEOUT 2000
#define PEER_IWARP   false
#define PEER_COUNTING(X, name)                                                           \
	X(name, rxm, "tcp;ofi_rxm")                                                      \
	X(name, tcp, "tcp")                                                              \
	X(name, sockets, "sockets")                                                      \
	X(name, shm, "shm")
#define PEER_UNCOUNTED(X, name) X(name, net, "net")
#define PEER_RDM		"tcp;ofi_rxm"
#define PEER_MSG		"tcp"
#define PEER_MODES		0
#endif
#define PEER_PROVIDERS(X, name) PEER_COUNTING(X, name) PEER_UNCOUNTED(X, name)
/* One case for each of them. */
#define PEER_CASE(name, tag, text) {#name " over " text, name##_##tag},
/* What it runs, if that is in one process: @name_alone(), for the file's @provider. */
#define PEER_ALONE(name, tag, text)                                                      \
	static void name##_##tag(void)                                                   \
	{                                                                                \
		provider = text;                                                         \
		peer_alone(name##_alone);                                                \
	}
#define PEER_FN __attribute__((unused)) static

struct peer {
	struct decant_ofi *ofi;
	struct decant_space *space;
	unsigned char *memory; /* peer_memory() */
	const char *provider;
	int socket;
	bool target;
};

/* The end points of a case; zeroes are the library's defaults. */
struct peer_options {
	const char *provider;
	unsigned depth;
	int timeout;
	bool tagged;
	bool peer_reads;
	bool target_dies;     /* killed by SIGKILL, on purpose */
	bool connection_dies; /* while the target looks on: see crashed_in_rxm() */
};

typedef void peer_fn(struct peer *peer);

#define SKIPPED 77

struct name {
	size_t len;
	unsigned char addr[DECANT_OFI_ADDRESS_MAX];
};

/*
 * libfabric 1.17's net provider loses what it allocates for end points. Of all others,
 * and of ourselves, every leak is an error.
 */
extern void __lsan_disable(void) __attribute__((weak));

PEER_FN void peer_allow_leaks(const char *provider)
{
	if (provider && !strcmp(provider, "net") && __lsan_disable)
		__lsan_disable();
}

/* Message end points have no tags, and nothing that memory could be bound to. */
PEER_FN bool peer_is_msg(const char *provider)
{
	return !strcmp(provider, PEER_MSG);
}

PEER_FN bool peer_counts(const char *provider)
{
#define PEER_IS(x, tag, text) || !strcmp(provider, text)
	return false PEER_COUNTING(PEER_IS, );
#undef PEER_IS
}

/* Milliseconds. */
PEER_FN long long peer_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ll + t.tv_nsec / 1000000;
}

/* Bytes that depend on @seed and position alone. */
PEER_FN unsigned char peer_byte(uint64_t seed, size_t at)
{
	return (unsigned char)((seed + at) * 0x9e3779b97f4a7c15ull >> 56);
}

PEER_FN void peer_fill(unsigned char *to, size_t len, uint64_t seed)
{
	for (size_t i = 0; i < len; i++)
		to[i] = peer_byte(seed, i);
}

PEER_FN bool peer_holds(const unsigned char *at, size_t len, uint64_t seed)
{
	for (size_t i = 0; i < len; i++)
		if (at[i] != peer_byte(seed, i))
			return false;
	return true;
}

/* The same of what was written here: if that may be late, within some seconds. */
PEER_FN bool peer_arrived(const unsigned char *at, size_t len, uint64_t seed)
{
	for (int tries = 0; PEER_IWARP && tries < 10000; tries++) {
		if (peer_holds(at, len, seed))
			break;
		usleep(1000);
	}
	return peer_holds(at, len, seed);
}

static int compare(const void *a, const void *b)
{
	const size_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Cut @len bytes at @addr into @nr pieces, some of them empty. */
PEER_FN void peer_cut(struct iovec *iov, size_t nr, unsigned char *addr, size_t len)
{
	size_t *at = calloc(nr + 1, sizeof(*at));

	REQUIRE(at);
	for (size_t i = 1; i < nr; i++)
		at[i] = check_below(8) ? check_below(len + 1) : 0;
	at[nr] = len;
	qsort(at, nr, sizeof(*at), compare);
	for (size_t i = 0; i < nr; i++)
		iov[i] = (struct iovec){addr + at[i], at[i + 1] - at[i]};
	free(at);
}

/* Memory in which it shows what was not written. */
PEER_FN unsigned char *peer_buffer(size_t len)
{
	unsigned char *p = malloc(len);

	REQUIRE(p);
	memset(p, 0xee, len);
	return p;
}

PEER_FN struct decant_iter peer_over(void *at, size_t len,
				     enum decant_direction direction)
{
	struct decant_iter it;

	REQUIRE(!decant_iter_buf(&it, direction, at, len));
	return it;
}

PEER_FN struct decant_iter peer_over_cut(struct iovec *iov, size_t nr, unsigned char *at,
					 size_t len, enum decant_direction direction)
{
	struct decant_iter it;

	peer_cut(iov, nr, at, len);
	REQUIRE(!decant_iter_iovec(&it, direction, iov, nr));
	return it;
}

/* Both directions without waiting, so that one-sided operations go on meanwhile. */
static void transfer(struct peer *peer, void *data, size_t len, bool out)
{
	unsigned char *at = data;

	while (len) {
		ssize_t n = out ? send(peer->socket, at, len, MSG_DONTWAIT | MSG_NOSIGNAL)
				: recv(peer->socket, at, len, MSG_DONTWAIT);

		if (n > 0) {
			at += n;
			len -= (size_t)n;
		} else if (n == 0 || errno != EAGAIN) {
			printf("# the peer is gone\n");
			exit(check_failed ? 1 : 2);
		} else if (peer->ofi && decant_ofi_poll(peer->ofi, NULL, 0) < 0) {
			usleep(1000);
		}
	}
}

PEER_FN void peer_put(struct peer *peer, const void *data, size_t len)
{
	unsigned char copy[4096];

	REQUIRE(len <= sizeof(copy));
	memcpy(copy, data, len);
	transfer(peer, copy, len, true);
}

PEER_FN void peer_get(struct peer *peer, void *data, size_t len)
{
	transfer(peer, data, len, false);
}

/* Wait until the peer is here, too; both make progress meanwhile. */
PEER_FN void peer_sync(struct peer *peer)
{
	char token = 0;

	peer_put(peer, &token, 1);
	peer_get(peer, &token, 1);
}

/* Memory that the peer may write to, and is told so. */
PEER_FN struct decant_region *peer_share(struct peer *peer, void *at, size_t len)
{
	struct decant_region *region;
	struct decant_ofi_remote remote;

	REQUIRE(!decant_region_new(&region, at, len, NULL));
	REQUIRE(!decant_ofi_grant(peer->ofi, region, &remote));
	peer_put(peer, &remote, sizeof(remote));
	return region;
}

/* A key for a side's own memory, where operations need one; whether they do. */
PEER_FN bool peer_key(struct decant_ofi *ofi, struct decant_region *region)
{
	struct decant_ofi_info info;

	decant_ofi_info(ofi, &info);
	if (info.mr_local)
		REQUIRE(!decant_domain_map(decant_ofi_domain(ofi), region));
	return info.mr_local;
}

/*
 * A side's own memory for operations, until its end point goes; once. Where operations
 * need no key it is in no region that they could find.
 */
PEER_FN unsigned char *peer_memory(struct peer *peer, size_t len)
{
	struct decant_region *region;

	REQUIRE(!peer->memory);
	peer->memory = peer_buffer(len);
	REQUIRE(!decant_region_new(&region, peer->memory, len, NULL));
	if (peer_key(peer->ofi, region))
		REQUIRE(!decant_space_add(peer->space, region));
	decant_region_put(region);
	return peer->memory;
}

/* The next event, or the error of the end point. */
PEER_FN int peer_wait(struct peer *peer, struct decant_ofi_event *event)
{
	int n;

	while (!(n = decant_ofi_poll(peer->ofi, event, 1)))
		;
	return n;
}

/* An end point; or the process ends, and the case is skipped if it has no provider. */
PEER_FN void peer_new(struct decant_ofi **ofi, const struct decant_ofi_options *options)
{
	int rc = decant_ofi_new(ofi, options);

	if (!rc)
		return;
	printf("# new: %s\n", decant_ofi_error(*ofi));
	decant_ofi_free(*ofi);
	REQUIRE(rc == -ENODATA);
	fflush(stdout);
	_exit(SKIPPED); /* not for a leak to be looked for */
}

static int join(struct peer *peer)
{
	struct name mine = {.len = sizeof(mine.addr)}, other;
	int rc = decant_ofi_address(peer->ofi, mine.addr, &mine.len);

	CHECK_EQ(rc, 0);
	peer_put(peer, &mine, sizeof(mine));
	peer_get(peer, &other, sizeof(other));
	if (peer->target)
		return decant_ofi_accept(peer->ofi, other.addr, other.len);
	return decant_ofi_connect(peer->ofi, other.addr, other.len);
}

static void child(const struct peer_options *options, peer_fn *fn, int socket,
		  bool target)
{
	struct peer peer = {
		.provider = options->provider, .socket = socket, .target = target};
	struct decant_ofi_options o = {.size = sizeof(o),
				       .provider = options->provider,
				       .node = PEER_NODE,
				       .depth = options->depth,
				       .timeout = options->timeout,
				       .tagged = options->tagged,
				       .peer_reads = options->peer_reads,
				       .passive = target};
	int rc;

	peer_allow_leaks(options->provider);
	REQUIRE(!decant_space_new(&peer.space));
	o.space = peer.space;
	peer_new(&peer.ofi, &o);
	rc = join(&peer);
	if (rc)
		printf("# join: %s\n", decant_ofi_error(peer.ofi));
	REQUIRE(rc == 0);
	fn(&peer);
	if (check_failed)
		printf("# %s: %s: %s\n", target ? "target" : "initiator",
		       options->provider, decant_ofi_error(peer.ofi));
	decant_ofi_free(peer.ofi);
	decant_space_free(peer.space);
	free(peer.memory);
	exit(check_failed);
}

/*
 * libfabric's verbs reads the names of all symbols of the kernel in each process, to look
 * for one: that takes longer than most cases. Who may do so gives it none to read.
 */
static void hide_symbols(void)
{
	if (!unshare(CLONE_NEWNS) &&
	    !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	    mount("/dev/null", "/proc/kallsyms", NULL, MS_BIND, NULL))
		printf("# the kernel's symbols can't be hidden: slow\n");
}

/* A process of its own, in which nothing of libfabric is yet; 0 in there. */
static pid_t process(void)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	REQUIRE(pid >= 0);
	if (pid)
		return pid;
	alarm(PEER_SECONDS);
	hide_symbols();
	return 0;
}

static pid_t begin(const struct peer_options *options, peer_fn *fn, int sockets[2],
		   bool target)
{
	pid_t pid = process();

	if (pid)
		return pid;
	close(sockets[target]);
	child(options, fn, sockets[!target], target);
	_exit(1);
}

static void judge(int status, const char *who)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED) {
		check_skip("no such provider here");
		return;
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		check_fail(__FILE__, __LINE__, "%s: %s %d", who,
			   WIFEXITED(status) ? "exit" : "signal",
			   WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

/*
 * libfabric 1.17's RxM over verbs now and then closes an end point twice when a
 * connection ends, in its progress, and crashes (seen over siw).
 */
static bool crashed_in_rxm(const struct peer_options *options, int status)
{
	return options->connection_dies && !strcmp(options->provider, "verbs;ofi_rxm") &&
	       WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
}

static void finish_target(const struct peer_options *options, pid_t pid)
{
	int status;

	REQUIRE(waitpid(pid, &status, 0) == pid);
	if (crashed_in_rxm(options, status))
		check_skip("libfabric crashed when the connection ended");
	else if (!options->target_dies || !WIFSIGNALED(status) ||
		 WTERMSIG(status) != SIGKILL)
		judge(status, "target");
}

static void finish(pid_t pid, const char *who)
{
	int status;

	REQUIRE(waitpid(pid, &status, 0) == pid);
	judge(status, who);
}

/* Run a case in two new processes; what they find wrong fails the case here. */
PEER_FN void peer_run(const struct peer_options *options, peer_fn *target,
		      peer_fn *initiator)
{
	int sockets[2];
	pid_t one, two;

	REQUIRE(!socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	one = begin(options, target, sockets, true);
	two = begin(options, initiator, sockets, false);
	close(sockets[0]);
	close(sockets[1]);
	finish_target(options, one);
	finish(two, "initiator");
}

/* Run something in one new process without a peer. */
PEER_FN void peer_alone(void (*fn)(void))
{
	pid_t pid = process();

	if (!pid) {
		fn();
		exit(check_failed);
	}
	finish(pid, "process");
}

#endif
