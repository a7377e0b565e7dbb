/* SPDX-License-Identifier: MIT */
#include "transport.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What is there under a name of its own; any other name is a provider of libfabric's. */
static const struct {
	const char *name;
	const struct transport_ops *ops;
	int ports;
} transports[] = {
	{"tcp", &transport_tcp, 1},
#ifdef HAVE_VERBS
	{"verbs", &transport_verbs, 0},
#else
	{"verbs", NULL, 0},
#endif
	{"ofi", &transport_ofi, -1},
};

/* Providers that can be told which ports to take, or take none. Those of datagrams over
 * TCP connect back to the client as well. */
static const struct {
	const char *name;
	int ports;
} providers[] = {{"tcp", 1}, {"shm", 0}};

#define NR(array) (sizeof(array) / sizeof(*(array)))

/* The index of what a name begins with, and what follows in it; libfabric's if none. */
static size_t find(const char *name, const char **what)
{
	size_t len = strcspn(name, ":");

	for (size_t i = 0; i < NR(transports); i++)
		if (strlen(transports[i].name) == len &&
		    !memcmp(transports[i].name, name, len)) {
			*what = name[len] ? name + len + 1 : "";
			return i;
		}
	*what = name;
	return NR(transports) - 1;
}

const struct transport_ops *transport_find(const char *name, const char **what)
{
	return transports[find(name, what)].ops;
}

int transport_ports(const char *name)
{
	const char *what;
	int ports = transports[find(name, &what)].ports;

	for (size_t i = 0; i < NR(providers) && ports < 0; i++)
		if (!strcmp(what, providers[i].name))
			ports = providers[i].ports;
	return ports;
}

int transport_fail(struct transport *t, int err, const char *format, ...)
{
	va_list args;
	size_t used;

	va_start(args, format);
	vsnprintf(t->error, sizeof(t->error), format, args);
	va_end(args);
	used = strlen(t->error);
	snprintf(t->error + used, sizeof(t->error) - used, ": %s", strerror(-err));
	return err;
}

const char *transport_error(const struct transport *t)
{
	return t->ops->error ? t->ops->error(t) : t->error;
}
