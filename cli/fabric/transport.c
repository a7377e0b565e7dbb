/* SPDX-License-Identifier: MIT */
#include "transport.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	const struct transport_ops *ops;
} transports[] = {
	{"tcp", &transport_tcp},
#ifdef HAVE_VERBS
	{"verbs", &transport_verbs},
#else
	{"verbs", NULL},
#endif
	{"ofi", &transport_ofi},
};

#define NR(array) (sizeof(array) / sizeof(*(array)))

const struct transport_ops *transport_find(const char *name, const char **what)
{
	size_t len = strcspn(name, ":");

	for (size_t i = 0; i < NR(transports); i++)
		if (strlen(transports[i].name) == len &&
		    !memcmp(transports[i].name, name, len)) {
			*what = name[len] ? name + len + 1 : "";
			return transports[i].ops;
		}
	*what = name;
	return &transport_ofi;
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
