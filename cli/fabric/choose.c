/* SPDX-License-Identifier: MIT */
#include "choose.h"
#include <decant/ofi.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "rdma.h"
#include "route.h"

/*
 * Fastest first. What has hardware of its own, as far as it can be told from here; where
 * there is none, a plain connection is as fast as any provider over sockets, and needs
 * no start.
 */
static const char *const hardware[] = {"cxi", "efa", "opx", "psm3", "psm2"};

#define HARDWARE (sizeof(hardware) / sizeof(*hardware))

/* Stands behind the address of an RDMA device of that sort. */
#define IWARP "/iwarp"

/* An offer, growing. */
struct offer {
	char *room;
	size_t max, used;
};

static void add(struct offer *offer, const char *kind, const char *name, const char *more)
{
	size_t left = offer->max - offer->used;
	int n = snprintf(offer->room + offer->used, left, ",%s%s%s", kind, name, more);

	/* What does not fit whole is left out. */
	if (n > 0 && (size_t)n < left)
		offer->used += (size_t)n;
	else
		offer->room[offer->used] = '\0';
}

bool choose_is_auto(const char *fabric)
{
	return !*fabric || !strcmp(fabric, "auto");
}

/*
 * Who can share memory with this process, if it may make some: the same boot, the same
 * name spaces, the same user.
 */
static void identity(char *room, size_t max)
{
	struct stat shm = {0}, pids = {0};
	char boot[64] = "";
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (file && !fgets(boot, sizeof(boot), file))
		*boot = '\0';
	if (file)
		fclose(file);
	boot[strcspn(boot, "\n")] = '\0';
	if (stat("/dev/shm", &shm) || access("/dev/shm", R_OK | W_OK | X_OK) ||
	    stat("/proc/self/ns/pid", &pids))
		*boot = '\0';
	snprintf(room, max, "%s/%llx/%llx/%u", boot, (unsigned long long)shm.st_dev,
		 (unsigned long long)pids.st_ino, (unsigned)geteuid());
}

static int on_provider(void *user, const struct decant_ofi_info *info)
{
	for (size_t i = 0; i < HARDWARE; i++)
		if (!strcmp(info->provider, hardware[i]))
			add(user, "ofi:", info->provider, "");
	return 0;
}

static int is_shm(void *user, const struct decant_ofi_info *info)
{
	(void)user;
	return !strcmp(info->provider, "shm");
}

static void on_port(void *user, const struct rdma_port *port)
{
	char at[80];

	snprintf(at, sizeof(at), "=%s%s", port->address, port->iwarp ? IWARP : "");
	add(user, "verbs:", port->device, at);
}

/* libfabric takes its time to start: it is not asked where there is nothing to find. */
static bool may_have_hardware(void)
{
	return !access("/sys/class/infiniband", F_OK) || !access("/sys/class/cxi", F_OK);
}

void choose_offer(char *room, size_t max)
{
	struct offer offer = {room, max, 0};

	identity(room, max);
	offer.used = strlen(room);
	if (may_have_hardware()) {
		decant_ofi_providers(on_provider, &offer);
		rdma_ports(on_port, &offer);
	}
	add(&offer, "tcp", "", "");
}

/* The next name of an offer, in room; false at the end. */
static bool next_name(const char **at, char *room, size_t max)
{
	size_t len;

	*at += strcspn(*at, ",");
	if (!**at)
		return false;
	len = strcspn(++*at, ",");
	snprintf(room, max, "%.*s", (int)len, *at);
	return true;
}

/* Whether an offer has that name; of devices, the address behind it does not count. */
static bool has_name(const char *offer, const char *name)
{
	char other[CHOOSE_NAME + 80];

	while (next_name(&offer, other, sizeof(other)))
		if (!strcmp(other, name))
			return true;
	return false;
}

/* A port here through which the way to an address leads, of that address's sort. */
struct way {
	char from[80];
	bool iwarp;
	char device[CHOOSE_NAME];
};

static void on_own_port(void *user, const struct rdma_port *port)
{
	struct way *way = user;

	if (!strcmp(port->address, way->from) && port->iwarp == way->iwarp)
		snprintf(way->device, sizeof(way->device), "%s", port->device);
}

/* The way to an RDMA device of an offer; its name ends where its address begins. */
static bool find_way(char *name, struct way *way)
{
	char *at = strchr(name, '='), *sort;

	*way = (struct way){0};
	if (strncmp(name, "verbs:", 6) || !at)
		return false;
	*at++ = '\0';
	sort = strstr(at, IWARP);
	way->iwarp = sort != NULL;
	if (sort)
		*sort = '\0';
	if (route_to(at, way->from, NULL, sizeof(way->from)))
		rdma_ports(on_own_port, way);
	return *way->device;
}

static bool choose_verbs(const char *offer, struct choice *c)
{
	char name[CHOOSE_NAME + 80];
	struct way way;

	while (next_name(&offer, name, sizeof(name))) {
		if (!find_way(name, &way))
			continue;
		snprintf(c->here, sizeof(c->here), "verbs:%.50s", way.device);
		snprintf(c->there, sizeof(c->there), "%.63s", name);
		snprintf(c->why, sizeof(c->why),
			 "both sides have RDMA, and the way leads through it");
		return true;
	}
	return false;
}

static bool same_name(struct choice *c, const char *name, const char *why)
{
	snprintf(c->here, sizeof(c->here), "%s", name);
	snprintf(c->there, sizeof(c->there), "%s", name);
	snprintf(c->why, sizeof(c->why), "%s", why);
	return true;
}

static bool choose_hardware(const char *offer, const char *own, struct choice *c)
{
	char name[CHOOSE_NAME];

	for (size_t i = 0; i < HARDWARE; i++) {
		snprintf(name, sizeof(name), "ofi:%s", hardware[i]);
		if (has_name(offer, name) && has_name(own, name))
			return same_name(c, name, "both sides have its hardware");
	}
	return false;
}

void choose(const char *offer, bool ports, struct choice *c)
{
	char own[CHOOSE_OFFER], *end;
	size_t len;

	*c = (struct choice){0};
	choose_offer(own, sizeof(own));
	end = strchr(own, ',');
	len = end ? (size_t)(end - own) : 0;
	if (*own != '/' && !strncmp(own, offer, len + 1) &&
	    decant_ofi_providers(is_shm, NULL) == 1) {
		same_name(c, "ofi:shm", "both sides are one machine and one user");
		return;
	}
	if ((!ports && choose_hardware(offer, own, c)) || choose_verbs(offer, c))
		return;
	same_name(c, "tcp", "nothing faster is on both sides");
}
