/* SPDX-License-Identifier: MIT */
#ifndef SRC_STOP_H
#define SRC_STOP_H
/* stop.h - what a call returns when it stopped without progress. */
#include <errno.h>
#include <decant/sink.h>

static inline ssize_t stop_error(const struct decant_sink *sink)
{
	static const int errors[] = {
		[DECANT_STOP_END] = 0,
		[DECANT_STOP_FULL] = -ENOSPC,
		[DECANT_STOP_LIMIT] = -ENOSPC,
		[DECANT_STOP_HOLE] = -ENXIO,
		[DECANT_STOP_FAULT] = -EFAULT,
		[DECANT_STOP_UNREGISTERED] = -ENOKEY,
		[DECANT_STOP_ALIGNMENT] = -EINVAL,
		[DECANT_STOP_MEMORY] = -ENOMEM,
	};

	if (sink->stop == DECANT_STOP_UNREGISTERED && sink->error)
		return sink->error;
	return errors[sink->stop];
}
#endif
