/* SPDX-License-Identifier: MIT */
#ifndef CLI_RDMA_H
#define CLI_RDMA_H
#include <stdbool.h>

/* rdma.h - RDMA ports that are up and have an address of the network, as sysfs says. */

struct rdma_port {
	char device[64];
	char address[64]; /* numeric, of IPv4 */
	bool iwarp;	  /* which RoCE can't talk to */
};

/* Calls fn for each; the port is valid during the call. */
void rdma_ports(void (*fn)(void *user, const struct rdma_port *port), void *user);
#endif
