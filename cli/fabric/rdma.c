/* SPDX-License-Identifier: MIT */
#include "rdma.h"
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "route.h"

/* GIDs; of RoCE: an address of IPv4 in the form of IPv6, ::ffff:a.b.c.d. */
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

/* What stands beside a port's GIDs. */
static bool read_beside(const char *gid_path, const char *name, char *line, int max)
{
	char path[512];
	const char *end = strstr(gid_path, "/gids/");

	snprintf(path, sizeof(path), "%.*s/%s", (int)(end - gid_path), gid_path, name);
	return read_line(path, line, max);
}

/* "4: ACTIVE" */
static bool is_active(const char *gid_path)
{
	char line[64];

	return read_beside(gid_path, "state", line, sizeof(line)) &&
	       !strncmp(line, "4:", 2);
}

/* "4: RNIC" */
static bool is_iwarp(const char *gid_path)
{
	char line[64];

	return read_beside(gid_path, "../../node_type", line, sizeof(line)) &&
	       !strncmp(line, "4:", 2);
}

/* The GIDs of iWARP are no addresses: it has those of its network card. */
static bool card_address(const char *gid_path, char *room, size_t max)
{
	char line[64];

	if (!read_beside(gid_path, "gid_attrs/ndevs/0", line, sizeof(line)))
		return false;
	line[strcspn(line, "\n")] = '\0';
	return route_own(line, room, max);
}

static bool port_address(const char *gid_path, bool iwarp, char *room, size_t max)
{
	char line[128];

	if (iwarp)
		return card_address(gid_path, room, max);
	return read_line(gid_path, line, sizeof(line)) && mapped_address(line, room, max);
}

void rdma_ports(void (*fn)(void *user, const struct rdma_port *port), void *user)
{
	struct rdma_port port = {0}, last = {0};
	glob_t found;

	if (glob(GIDS, 0, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *path = found.gl_pathv[i];

		port.iwarp = is_iwarp(path);
		if (!port_address(path, port.iwarp, port.address, sizeof(port.address)) ||
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
