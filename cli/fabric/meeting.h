/* SPDX-License-Identifier: MIT */
#ifndef CLI_MEETING_H
#define CLI_MEETING_H
/*
 * meeting.h - where one side waits to be called, told to the other over the control
 * channel, with a token: who calls and does not know the token is sent away.
 */
#include <stdbool.h>
#include <stddef.h>

#define MEETING_TOKEN 32
#define MEETING_NAME  96

struct meeting {
	unsigned char token[MEETING_TOKEN];
	char name[MEETING_NAME]; /* "192.0.2.1 40000", also for the other side; or "" */
};

/* The one who waits: a fresh token. 0, or -EIO. */
int meeting_token(struct meeting *m);
/* ... and where: at node, or if it is NULL at an address that this machine has. */
void meeting_at(struct meeting *m, const char *node, unsigned port);
/* What the other side is told: nothing by who does not wait. */
int meeting_put(const struct meeting *m, void *room, size_t *len);

/* The one who calls: what it was told; false if that makes no sense. */
bool meeting_get(struct meeting *m, const void *bytes, size_t len);
/* Host and port, numeric, in room for a name; false as above. */
bool meeting_split(const struct meeting *m, char room[MEETING_NAME], const char **host,
		   const char **port);

/* Whether that is the token; takes as long either way. */
bool meeting_knows(const struct meeting *m, const void *said, size_t len);
#endif
