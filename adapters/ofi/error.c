/* SPDX-License-Identifier: MIT */
#include "fabric.h"
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

/* libfabric counts its own errors on from 256; callers get errno values only. */
static int own_errno(int error)
{
	switch (error) {
	case FI_ETOOSMALL:
	case FI_ETRUNC:
		return EMSGSIZE;
	case FI_ECRC:
		return EBADMSG;
	case FI_ENOKEY:
		return ENOKEY;
	case FI_EOVERRUN:
		return EOVERFLOW;
	case FI_ENORX:
		return ENOBUFS;
	default:
		return EIO;
	}
}

/* A provider's code, of either sign, as a negative errno; never 0. */
int fabric_errno(ssize_t rc)
{
	ssize_t error = rc < 0 ? -rc : rc;

	if (error >= FI_ERRNO_OFFSET)
		error = own_errno((int)error);
	return error > 0 ? -(int)error : -EIO;
}

/* Whether an error means that nothing will ever go through again. */
bool fabric_peer_gone(int error)
{
	switch (-error) {
	case ENOTCONN:
	case ECONNRESET:
	case ECONNREFUSED:
	case ECONNABORTED:
	case ESHUTDOWN:
	case EPIPE:
	case ENETDOWN:
	case ENETUNREACH:
	case EHOSTDOWN:
	case EHOSTUNREACH:
		return true;
	default:
		return false;
	}
}

/* Keep a text for decant_ofi_error(), with what @rc means behind it; the errno of @rc. */
int fabric_fail(struct decant_ofi *ofi, ssize_t rc, const char *format, ...)
{
	int error = fabric_errno(rc), n;
	va_list args;

	va_start(args, format);
	n = vsnprintf(ofi->error, sizeof(ofi->error), format, args);
	va_end(args);
	if (n >= 0 && (size_t)n < sizeof(ofi->error))
		snprintf(ofi->error + n, sizeof(ofi->error) - (size_t)n, ": %s",
			 fi_strerror((int)(rc < 0 ? -rc : rc)));
	return error;
}

/* Milliseconds that only go forward; never 0. */
int64_t fabric_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + 1;
}

const char *decant_ofi_error(const struct decant_ofi *ofi)
{
	return ofi ? ofi->error : "";
}
