/* SPDX-License-Identifier: MIT */
/* error.c - the device's words, ours, and numbers for both. */
#include "internal.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int verbs_status_errno(unsigned status)
{
	static const int table[] = {
		[IBV_WC_SUCCESS] = 0,
		[IBV_WC_LOC_LEN_ERR] = -EMSGSIZE,
		[IBV_WC_LOC_QP_OP_ERR] = -EINVAL,
		[IBV_WC_LOC_PROT_ERR] = -EFAULT,
		[IBV_WC_WR_FLUSH_ERR] = -ECANCELED,
		[IBV_WC_BAD_RESP_ERR] = -EPROTO,
		[IBV_WC_LOC_ACCESS_ERR] = -EACCES,
		[IBV_WC_REM_INV_REQ_ERR] = -EMSGSIZE,
		[IBV_WC_REM_ACCESS_ERR] = -EACCES,
		[IBV_WC_REM_OP_ERR] = -EREMOTEIO,
		[IBV_WC_RETRY_EXC_ERR] = -EHOSTUNREACH,
		[IBV_WC_RNR_RETRY_EXC_ERR] = -ENOBUFS,
		[IBV_WC_REM_ABORT_ERR] = -ECONNABORTED,
		[IBV_WC_RESP_TIMEOUT_ERR] = -ETIMEDOUT,
	};

	if (status < sizeof(table) / sizeof(*table) && (table[status] || !status))
		return table[status];
	return -EIO;
}

const char *verbs_kind_name(enum decant_verbs_kind kind)
{
	static const char *const names[] = {"send", "receive", "write", "read",
					    "message"};

	return (size_t)kind < sizeof(names) / sizeof(*names) ? names[kind] : "operation";
}

/* Keep a text for decant_verbs_error(); @error, as a negative errno. */
int verbs_fail(struct decant_verbs_pair *pair, int error, const char *format, ...)
{
	va_list args;
	int n;

	error = verbs_errno(error);
	va_start(args, format);
	n = vsnprintf(pair->text, sizeof(pair->text), format, args);
	va_end(args);
	if (n >= 0 && (size_t)n < sizeof(pair->text))
		snprintf(pair->text + n, sizeof(pair->text) - (size_t)n, ": %s",
			 strerrordesc_np(-error) ? strerrordesc_np(-error) : "unknown");
	return error;
}

const char *decant_verbs_error(const struct decant_verbs_pair *pair)
{
	return pair ? pair->text : "";
}

static const char *outcome(const struct decant_verbs_event *event)
{
	if (event->status)
		return ibv_wc_status_str((enum ibv_wc_status)event->status);
	return event->result == -ECANCELED ? "never given to the device"
					   : strerrordesc_np((int)-event->result);
}

int decant_verbs_event_text(const struct decant_verbs_event *event, char *text,
			    size_t len)
{
	const char *kind = verbs_kind_name(event->kind);

	if (event->result >= 0)
		return snprintf(text, len, "%s: %zd bytes", kind, event->result);
	return snprintf(text, len, "%s: request %zu of %zu: %s (status %u)", kind,
			event->request + 1, event->requests, outcome(event),
			event->status);
}
