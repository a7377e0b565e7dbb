/* SPDX-License-Identifier: MIT */
#include "meeting.h"
#include <decant/decant.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include "route.h"

int meeting_token(struct meeting *m)
{
	return getrandom(m->token, sizeof(m->token), 0) == sizeof(m->token) ? 0 : -EIO;
}

void meeting_at(struct meeting *m, const char *node, unsigned port)
{
	char own[64];

	if (!node)
		node = route_own(NULL, own, sizeof(own)) ? own : "127.0.0.1";
	snprintf(m->name, sizeof(m->name), "%s %u", node, port);
}

int meeting_put(const struct meeting *m, void *room, size_t *len)
{
	size_t text = strlen(m->name) + 1;

	if (!*m->name) {
		*len = 0;
		return 0;
	}
	if (*len < sizeof(m->token) + text)
		return -ENOSPC;
	memcpy(room, m->token, sizeof(m->token));
	memcpy((char *)room + sizeof(m->token), m->name, text);
	*len = sizeof(m->token) + text;
	return 0;
}

bool meeting_get(struct meeting *m, const void *bytes, size_t len)
{
	const char *name = (const char *)bytes + sizeof(m->token);
	size_t text = len - sizeof(m->token);

	if (len <= sizeof(m->token) || text > sizeof(m->name) || name[text - 1])
		return false;
	memcpy(m->token, bytes, sizeof(m->token));
	memcpy(m->name, name, text);
	return true;
}

bool meeting_split(const struct meeting *m, char room[MEETING_NAME], const char **host,
		   const char **port)
{
	char *space;

	memcpy(room, m->name, MEETING_NAME);
	space = strchr(room, ' ');
	if (!space)
		return false;
	*space = '\0';
	*host = room;
	*port = space + 1;
	return true;
}

bool meeting_knows(const struct meeting *m, const void *said, size_t len)
{
	unsigned char ours[MEETING_TOKEN], theirs[MEETING_TOKEN];
	struct decant_iter a, b;

	if (len < MEETING_TOKEN)
		return false;
	memcpy(ours, m->token, sizeof(ours));
	memcpy(theirs, said, sizeof(theirs));
	decant_iter_buf(&a, DECANT_SOURCE, ours, sizeof(ours));
	decant_iter_buf(&b, DECANT_SOURCE, theirs, sizeof(theirs));
	return decant_equal_ct(&a, &b, sizeof(ours)) == 1;
}
