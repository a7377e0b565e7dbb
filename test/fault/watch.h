/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_WATCH_H
#define DECANT_TEST_WATCH_H
/*
 * watch.h - memory that is looked through for secrets when it is given back, and system
 * calls around the kernel's algorithms that fail when told to, beside those of fault.h.
 * What is looked at is compiled into the test with this file included first. A macro's
 * own name in it is the function.
 */
#include <fcntl.h>
#include <sys/socket.h>
#include "fault.h"

/*
 * watch.c: secrets are 16 bytes each. Keys may be in memory in use, and texts that
 * are kept; only keys are looked for on a stack.
 */
enum watch { WATCH_TEXT, WATCH_KEPT_TEXT, WATCH_KEY };

void watch_secret(const void *at, enum watch what);
void watch_forget(void);
/*
 * Secrets that were found in memory that was given back, since the last time; that are in
 * memory in use and should not be; keys that are on a stack.
 */
size_t watch_spilled(void);
size_t watch_in_use(void);
size_t watch_on_stack(const void *at, size_t len);
/* Blocks that the code under test, not OpenSSL, has at the moment. */
extern long watch_blocks;
/* OpenSSL's memory goes this way as well: for main() to begin with. */
bool watch_openssl(void);

void *watch_malloc(size_t size);
void *watch_calloc(size_t nr, size_t size);
void *watch_realloc(void *old, size_t size);
void *watch_aligned_alloc(size_t alignment, size_t size);
void watch_free(void *at);
int watch_fd(int fd);
int watch_pipe(int fds[2], int flags);

#ifndef FAULT_ITSELF
#undef malloc
#undef calloc
#undef realloc
#define malloc(size)		   watch_malloc(size)
#define calloc(nr, size)	   watch_calloc(nr, size)
#define realloc(old, size)	   watch_realloc(old, size)
#define aligned_alloc(align, size) watch_aligned_alloc(align, size)
#define free			   watch_free
#define WATCH(name, call)	   (fault_fails(name, fault_errno) ? -1 : (call))
#define socket(a, b, c)		   WATCH("socket", watch_fd(socket(a, b, c)))
#define accept4(a, b, c, d)	   WATCH("accept4", watch_fd(accept4(a, b, c, d)))
#define fcntl(a, b, c)		   WATCH("fcntl", watch_fd(fcntl(a, b, c)))
#define pipe2(a, b)		   WATCH("pipe2", watch_pipe(a, b))
#define bind(a, b, c)		   WATCH("bind", bind(a, b, c))
#define setsockopt(a, b, c, d, e)  WATCH("setsockopt", setsockopt(a, b, c, d, e))
#define send(a, b, c, d)	   WATCH("send", send(a, b, c, d))
#define recv(a, b, c, d)	   WATCH("recv", recv(a, b, c, d))
#define sendmsg(a, b, c)	   WATCH("sendmsg", sendmsg(a, b, c))
#define recvmsg(a, b, c)	   WATCH("recvmsg", recvmsg(a, b, c))
#define vmsplice(a, b, c, d)	   WATCH("vmsplice", vmsplice(a, b, c, d))
#define splice(a, b, c, d, e, f)   WATCH("splice", splice(a, b, c, d, e, f))
#endif
#endif
