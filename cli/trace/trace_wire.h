/* SPDX-License-Identifier: MIT */
#ifndef CLI_TRACE_WIRE_H
#define CLI_TRACE_WIRE_H
/*
 * trace_wire.h - a trace in messages: its head, then its events, a block in each message.
 * What is read was said by somebody else: everything is checked.
 */
#include "trace.h"
#include "wire.h"

void trace_put_head(struct wire *wire, const struct trace *trace);
void trace_put_block(struct wire *wire, const struct trace_block *block);

/* Into a new trace; *left is how many events will follow. False if it makes no sense. */
bool trace_get_head(struct wire *wire, struct trace *trace, uint32_t *left);
/* What the next message brings; *left goes down. */
bool trace_get_block(struct wire *wire, struct trace *trace, uint32_t *left);
#endif
