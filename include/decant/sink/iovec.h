/* SPDX-License-Identifier: MIT */
/* sink iovec: what readv(2), sendmsg(2) and io_uring take. */
#ifdef DECANT_SINK
DECANT_SINK(IOVEC, iovec)
#else

static void sink_iovec_put(struct decant_sink *sink, size_t index,
			   const struct decant_element *el)
{
	((struct iovec *)sink->table)[index] = (struct iovec){el->addr, el->len};
}

static void sink_iovec_grow(struct decant_sink *sink, size_t index, size_t len)
{
	((struct iovec *)sink->table)[index].iov_len = len;
}

static struct decant_span sink_iovec_span(const struct decant_sink *sink, size_t index)
{
	const struct iovec *iov = (const struct iovec *)sink->table + index;

	return (struct decant_span){iov->iov_base, iov->iov_len, NULL};
}

static void sink_iovec_init(struct decant_sink *sink, void *table, size_t max)
{
	decant_sink_iovec(sink, table, max);
}

static const struct decant_sink_ops sink_iovec_ops = {
	.name = "iovec",
	.element_size = sizeof(struct iovec),
	.max_element_bytes = SIZE_MAX,
	.put = sink_iovec_put,
	.grow = sink_iovec_grow,
	.span = sink_iovec_span,
	.init = sink_iovec_init,
};
#endif
