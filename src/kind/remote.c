/* SPDX-License-Identifier: MIT */
#include "../kinds.h"
#include "../make.h"

static int check_window_range(const struct decant_window_range *range)
{
	struct decant_span all;
	size_t offset;
	int err = check_range(range->addr, range->len);

	if (err)
		return err;
	if (!range->len || range->len - 1 > UINT64_MAX - range->base)
		return -EINVAL;
	if (!range->region)
		return 0;
	all = decant_region_span(range->region);
	offset = (uintptr_t)range->addr - (uintptr_t)all.addr;
	return offset < all.len && range->len <= all.len - offset ? 0 : -EFAULT;
}

int decant_window_init(struct decant_window *window,
		       const struct decant_window_range *ranges, size_t nr)
{
	if (nr && !ranges)
		return -EFAULT;
	for (size_t i = 0; i < nr; i++) {
		const struct decant_window_range *before = &ranges[i - !!i];
		int err = check_window_range(&ranges[i]);

		if (err)
			return err;
		/* The last byte before: the end may be beyond all addresses. */
		if (i && ranges[i].base <= before->base + (before->len - 1))
			return -EINVAL;
	}
	*window = (struct decant_window){ranges, nr};
	return 0;
}

size_t decant_window_search(const struct decant_window *window, uint64_t addr)
{
	const struct decant_window_range *range = window->ranges;
	size_t nr = window->nr;

	while (nr > 1) {
		size_t half = nr / 2;

		if (range[half].base <= addr)
			range += half;
		nr -= half;
	}
	return (size_t)(range - window->ranges);
}

struct decant_span decant_window_find(const struct decant_window *window, uint64_t addr)
{
	size_t range = decant_window_search(window, addr);

	if (!decant_remote_in(window, range, addr))
		return span_stop(-EFAULT);
	return decant_window_span(&window->ranges[range], addr);
}

int decant_iter_remote(struct decant_iter *it, enum decant_direction direction,
		       const struct decant_window *window, const struct iovec *iov,
		       size_t nr)
{
	const volatile struct iovec *shared = iov;
	struct decant_iter made = {.kind = DECANT_KIND_REMOTE,
				   .direction = (uint8_t)direction,
				   .word = {(uintptr_t)window, (uintptr_t)iov, 0}};
	int err = check_direction(direction);

	if (!err && !window)
		err = -EINVAL;
	if (!err && nr && !iov)
		err = -EFAULT;
	if (!err && nr > DECANT_REMOTE_MAX)
		err = -EOVERFLOW;
	for (size_t i = 0; i < nr && !err; i++)
		err = add_len(&made.count, shared[i].iov_len);
	if (err)
		return err;
	if (nr) {
		made.word[2] = nr | DECANT_REMOTE_WHOLE;
		decant_remote_read(&made, 0);
	}
	kind_begin(it, &made);
	return 0;
}

/* A descriptor for each two spans, so that it spans adjacent ranges. */
int decant_remote_build(struct decant_iter *it, enum decant_direction direction,
			const struct decant_span *spans, size_t nr, void *room)
{
	struct decant_window *window = room;
	struct decant_window_range *ranges = (struct decant_window_range *)(window + 1);
	struct iovec *iov = (struct iovec *)(ranges + nr);
	size_t used = 0;
	uint64_t base = 0;

	for (size_t i = 0; i < nr; i++)
		base -= spans[i].len;
	for (size_t i = 0; i < nr; i++) {
		iov[i] =
			(struct iovec){(void *)(uintptr_t)base, i % 2 ? 0 : spans[i].len};
		if (i % 2 == 0 && i + 1 < nr)
			iov[i].iov_len += spans[i + 1].len;
		if (!spans[i].len)
			continue;
		ranges[used++] = (struct decant_window_range){
			base, spans[i].len, spans[i].addr, spans[i].region};
		base += spans[i].len;
	}
	if (decant_window_init(window, ranges, used))
		return -ENOTSUP;
	return decant_iter_remote(it, direction, window, iov, nr);
}
