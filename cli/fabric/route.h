/* SPDX-License-Identifier: MIT */
#ifndef CLI_ROUTE_H
#define CLI_ROUTE_H
/* route.h - the way to another host. */
#include <stdbool.h>
#include <stddef.h>

/*
 * The local address from which host is reached, and host's own; both numeric, each at
 * most max bytes. Without there, host is numeric as well: a stranger's names are not
 * looked up. False if it is not known or not reached.
 */
bool route_to(const char *host, char *here, char *there, size_t max);

/*
 * An address of IPv4 that this machine has, numeric: that network card's, or with NULL
 * any but the loopback's.
 */
bool route_own(const char *card, char *room, size_t max);
#endif
