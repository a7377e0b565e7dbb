/* SPDX-License-Identifier: MIT */
#include "rdma.h"
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* GIDs of RoCE: an address of IPv4 in the form of IPv6, ::ffff:a.b.c.d. */
#define GIDS "/sys/class/infiniband/*/ports/*/gids/*"

static bool read_line(const char *path, char *line, int max)
{
	FILE *file = fopen(path, "re");
	bool ok = file && fgets(line, max, file);

	if (file)
		fclose(file);
	return ok;
}

static bool mapped_address(const char *gid, char *room, size_t max)
{
	unsigned high, low;

	if (sscanf(gid, "0000:0000:0000:0000:0000:ffff:%4x:%4x", &high, &low) != 2)
		return false;
	snprintf(room, max, "%u.%u.%u.%u", high >> 8, high & 255, low >> 8, low & 255);
	return true;
}

/* The port's state stands beside its GIDs: "4: ACTIVE". */
static bool is_active(const char *gid_path)
{
	char path[512], line[64];
	const char *end = strstr(gid_path, "/gids/");

	snprintf(path, sizeof(path), "%.*s/state", (int)(end - gid_path), gid_path);
	return read_line(path, line, sizeof(line)) && !strncmp(line, "4:", 2);
}

void rdma_ports(void (*fn)(void *user, const struct rdma_port *port), void *user)
{
	struct rdma_port port, last = {{0}, {0}};
	char line[128];
	glob_t found;

	if (glob(GIDS, 0, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *path = found.gl_pathv[i];

		if (!read_line(path, line, sizeof(line)) ||
		    !mapped_address(line, port.address, sizeof(port.address)) ||
		    sscanf(path, "/sys/class/infiniband/%63[^/]", port.device) != 1 ||
		    !is_active(path))
			continue;
		/* RoCE has each address twice, for its two versions. */
		if (!strcmp(port.device, last.device) &&
		    !strcmp(port.address, last.address))
			continue;
		last = port;
		fn(user, &port);
	}
	globfree(&found);
}
