/* SPDX-License-Identifier: MIT */
#include "route.h"
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

static bool numeric(const void *address, socklen_t len, char *room, size_t max)
{
	return !getnameinfo(address, len, room, (socklen_t)max, NULL, 0, NI_NUMERICHOST);
}

/* Connecting a datagram socket sends nothing, but looks for the way. */
bool route_to(const char *host, char *here, char *there, size_t max)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM},
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
