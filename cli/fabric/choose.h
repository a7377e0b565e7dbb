/* SPDX-License-Identifier: MIT */
#ifndef CLI_CHOOSE_H
#define CLI_CHOOSE_H
/*
 * choose.h - --fabric auto: the fastest that both sides have and that leads from one to
 * the other.
 */
#include <stdbool.h>
#include <stddef.h>

#define CHOOSE_OFFER 1024 /* bytes of what a side has */
#define CHOOSE_NAME  64
#define CHOOSE_WHY   160

struct choice {
	char here[CHOOSE_NAME];	 /* the name on the side that chooses */
	char there[CHOOSE_NAME]; /* and on the other */
	char why[CHOOSE_WHY];
};

/* Whether a name leaves the choice to us. */
bool choose_is_auto(const char *fabric);

/* What this side has, for the other one: who it is, then names, separated by commas. */
void choose_offer(char *room, size_t max);

/* The best of what the other side offers; nothing that can't be told which ports to take
 * if they matter. */
void choose(const char *offer, bool ports, struct choice *choice);
#endif
