/* SPDX-License-Identifier: MIT */
#ifndef PROBES_PROBES_H
#define PROBES_PROBES_H
/*
 * probes.h - points where tracers can look: USDT probes (sys/sdt.h), see docs/probes.md.
 *
 * One that nobody looks at is a nop. Built without them, all of this is nothing.
 */
#include <stdint.h>
#include <sys/types.h>

#if DECANT_PROBES
#include <sys/sdt.h>
#define PROBE2(provider, name, a, b)	   DTRACE_PROBE2(provider, name, a, b)
#define PROBE3(provider, name, a, b, c)	   DTRACE_PROBE3(provider, name, a, b, c)
#define PROBE4(provider, name, a, b, c, d) DTRACE_PROBE4(provider, name, a, b, c, d)
#define PROBE6(provider, name, a, b, c, d, e, f)                                         \
	DTRACE_PROBE6(provider, name, a, b, c, d, e, f)
#else
#define PROBE2(provider, name, a, b)	   ((void)(a), (void)(b))
#define PROBE3(provider, name, a, b, c)	   ((void)(a), (void)(b), (void)(c))
#define PROBE4(provider, name, a, b, c, d) ((void)(a), (void)(b), (void)(c), (void)(d))
#define PROBE6(provider, name, a, b, c, d, e, f)                                         \
	((void)(a), (void)(b), (void)(c), (void)(d), (void)(e), (void)(f))
#endif

/* Where it is called, so that it costs no call. */
#define PROBE static inline __attribute__((always_inline))

/* What <sys/sdt.h> makes of them is not ISO C. */
#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wgnu-zero-variadic-macro-arguments"
#endif

/* A walk of the loop is over: what it began at, what it was to take, what came of it. */
PROBE void probe_extract(unsigned kind, const char *sink, size_t wanted, size_t done,
			 size_t elements, unsigned stop)
{
	PROBE6(decant, extract, kind, sink, wanted, done, elements, stop);
}

/* Bytes go through scratch memory; @used is how much of it is in use then. */
PROBE void probe_stage(const void *stage, size_t len, size_t at, size_t used)
{
	PROBE4(decant, stage, stage, len, at, used);
}

PROBE void probe_hold(const void *hold, const void *region, const void *addr, size_t len)
{
	PROBE4(decant, hold, hold, region, addr, len);
}

PROBE void probe_release(const void *hold, const void *region)
{
	PROBE2(decant, release, hold, region);
}

/* A request goes to the kernel or to a thread; an operation may need several. */
PROBE void probe_uring_submit(const void *ring, const void *user, unsigned code, int fd,
			      int64_t offset, unsigned elements)
{
	PROBE6(decant_uring, submit, ring, user, code, fd, offset, elements);
}

/* An operation's event is handed out. */
PROBE void probe_uring_complete(const void *ring, const void *user, ssize_t result)
{
	PROBE3(decant_uring, complete, ring, user, result);
}

/* An operation has been posted, in as many requests as it needed. */
PROBE void probe_ofi_submit(const void *ofi, const void *user, unsigned kind, size_t len)
{
	PROBE4(decant_ofi, submit, ofi, user, kind, len);
}

PROBE void probe_ofi_complete(const void *ofi, const void *user, unsigned kind,
			      ssize_t result)
{
	PROBE4(decant_ofi, complete, ofi, user, kind, result);
}

PROBE void probe_verbs_submit(const void *pair, const void *user, unsigned kind,
			      size_t len)
{
	PROBE4(decant_verbs, submit, pair, user, kind, len);
}

PROBE void probe_verbs_complete(const void *pair, const void *user, unsigned kind,
				ssize_t result)
{
	PROBE4(decant_verbs, complete, pair, user, kind, result);
}

#ifdef __clang__
#pragma clang diagnostic pop
#endif
#endif
