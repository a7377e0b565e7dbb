/* SPDX-License-Identifier: MIT */
#include "route.h"
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool numeric(const void *address, socklen_t len, char *room, size_t max)
{
	return !getnameinfo(address, len, room, (socklen_t)max, NULL, 0, NI_NUMERICHOST);
}

/* Connecting a datagram socket sends nothing, but looks for the way. */
bool route_to(const char *host, char *here, char *there, size_t max)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC,
				 .ai_socktype = SOCK_DGRAM,
				 .ai_flags = there ? 0 : AI_NUMERICHOST},
			*list = NULL;
	struct sockaddr_storage local;
	socklen_t len = sizeof(local);
	bool ok = false;
	int fd;

	if (getaddrinfo(host, "9", &hints, &list))
		return false;
	fd = socket(list->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && !connect(fd, list->ai_addr, list->ai_addrlen) &&
	    !getsockname(fd, (struct sockaddr *)&local, &len))
		ok = numeric(&local, len, here, max) &&
		     (!there || numeric(list->ai_addr, list->ai_addrlen, there, max));
	if (fd >= 0)
		close(fd);
	freeaddrinfo(list);
	return ok;
}

static bool usable(const struct ifaddrs *at, const char *card)
{
	if (!at->ifa_addr || at->ifa_addr->sa_family != AF_INET ||
	    !(at->ifa_flags & IFF_UP))
		return false;
	return card ? !strcmp(at->ifa_name, card) : !(at->ifa_flags & IFF_LOOPBACK);
}

bool route_own(const char *card, char *room, size_t max)
{
	struct ifaddrs *list = NULL, *at;
	bool found;

	if (getifaddrs(&list))
		return false;
	for (at = list; at && !usable(at, card); at = at->ifa_next)
		;
	found = at && numeric(at->ifa_addr, sizeof(struct sockaddr_in), room, max);
	freeifaddrs(list);
	return found;
}
