/* SPDX-License-Identifier: MIT */
#include <string.h>
#include "wire.h"

void wire_store_u64(void *at, uint64_t value)
{
	unsigned char *bytes = at;

	for (int i = 0; i < 8; i++)
		bytes[i] = (unsigned char)(value >> 8 * i);
}

uint64_t wire_load_u64(const void *at)
{
	const unsigned char *bytes = at;
	uint64_t value = 0;

	for (int i = 0; i < 8; i++)
		value |= (uint64_t)bytes[i] << 8 * i;
	return value;
}

static void put(struct wire *w, const void *bytes, size_t len)
{
	if (w->bad || len > sizeof(w->data) - w->len) {
		w->bad = true;
		return;
	}
	memcpy(w->data + w->len, bytes, len);
	w->len += len;
}

void wire_put_u64(struct wire *w, uint64_t value)
{
	unsigned char bytes[8];

	wire_store_u64(bytes, value);
	put(w, bytes, sizeof(bytes));
}

void wire_put_bytes(struct wire *w, const void *bytes, size_t len)
{
	wire_put_u64(w, len);
	put(w, bytes, len);
}

void wire_put_text(struct wire *w, const char *text)
{
	wire_put_bytes(w, text, strlen(text));
}

static bool get(struct wire *w, void *room, size_t len)
{
	if (w->bad || len > w->len - w->at) {
		w->bad = true;
		return false;
	}
	memcpy(room, w->data + w->at, len);
	w->at += len;
	return true;
}

uint64_t wire_get_u64(struct wire *w)
{
	unsigned char bytes[8];

	return get(w, bytes, sizeof(bytes)) ? wire_load_u64(bytes) : 0;
}

size_t wire_get_bytes(struct wire *w, void *room, size_t max)
{
	uint64_t len = wire_get_u64(w);

	if (len > max)
		w->bad = true;
	return get(w, room, len) ? len : 0;
}

void wire_get_text(struct wire *w, char *room, size_t max)
{
	size_t len = wire_get_bytes(w, room, max - 1);

	room[len] = '\0';
	if (memchr(room, '\0', len))
		w->bad = true;
}
