/* SPDX-License-Identifier: MIT */
/*
 * load.c - libfabric, loaded at its first use. What Debian's libfabric is linked with
 * sleeps a fifth of a second while it is loaded (libinfinipath measures the processor's
 * clock), and every program that is linked with this library would, whether it reaches a
 * fabric or not. These are libfabric's own names, seen only in here; everything else of
 * its interface is reached through its objects. In parentheses they are no macros,
 * should there be any.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include "fabric.h"

static struct {
	int (*getinfo)(uint32_t version, const char *node, const char *service,
		       uint64_t flags, const struct fi_info *hints,
		       struct fi_info **info);
	void (*freeinfo)(struct fi_info *info);
	struct fi_info *(*dupinfo)(const struct fi_info *info);
	int (*fabric)(struct fi_fabric_attr *attr, struct fid_fabric **fabric,
		      void *context);
	const char *(*strerror)(int error);
	bool loaded;
} libfabric;

/* ISO C has no conversion from what dlsym(3) gives to a function. */
static bool find(void *handle, const char *name, void *function)
{
	void *at = dlsym(handle, name);

	memcpy(function, &at, sizeof(at));
	return at;
}

/*
 * What it is linked with sets handlers of its own for SIGTERM, SIGINT and others while it
 * is loaded. At a program's start nobody minds; now they would replace the program's. A
 * signal that comes meanwhile waits, unless another thread takes it: these handlers end
 * the process.
 */
static void *open_library(void)
{
	struct sigaction before[NSIG];
	sigset_t all, mask;
	bool known[NSIG];
	void *handle;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &mask);
	for (int i = 1; i < NSIG; i++)
		known[i] = !sigaction(i, NULL, &before[i]);
	handle = dlopen(FABRIC_LIBRARY, RTLD_NOW | RTLD_LOCAL);
	for (int i = 1; i < NSIG; i++)
		if (known[i] && i != SIGKILL && i != SIGSTOP)
			sigaction(i, &before[i], NULL);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	return handle;
}

/* It stays: its providers may have threads. */
static void load(void)
{
	void *handle = open_library();

	libfabric.loaded = handle && find(handle, "fi_getinfo", &libfabric.getinfo) &&
			   find(handle, "fi_freeinfo", &libfabric.freeinfo) &&
			   find(handle, "fi_dupinfo", &libfabric.dupinfo) &&
			   find(handle, "fi_fabric", &libfabric.fabric) &&
			   find(handle, "fi_strerror", &libfabric.strerror);
}

bool fabric_loaded(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
	return libfabric.loaded;
}

int(fi_getinfo)(uint32_t version, const char *node, const char *service, uint64_t flags,
		const struct fi_info *hints, struct fi_info **info)
{
	return fabric_loaded()
		       ? libfabric.getinfo(version, node, service, flags, hints, info)
		       : -ELIBACC;
}

void(fi_freeinfo)(struct fi_info *info)
{
	if (fabric_loaded())
		libfabric.freeinfo(info);
}

struct fi_info *(fi_dupinfo)(const struct fi_info *info)
{
	return fabric_loaded() ? libfabric.dupinfo(info) : NULL;
}

int(fi_fabric)(struct fi_fabric_attr *attr, struct fid_fabric **fabric, void *context)
{
	return fabric_loaded() ? libfabric.fabric(attr, fabric, context) : -ELIBACC;
}

const char *(fi_strerror)(int error)
{
	return fabric_loaded() ? libfabric.strerror(error) : strerror(error);
}
