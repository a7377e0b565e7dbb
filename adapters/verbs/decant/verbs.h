/* SPDX-License-Identifier: MIT */
#ifndef DECANT_VERBS_H
#define DECANT_VERBS_H
/*
 * verbs.h - RDMA through libibverbs and librdmacm, from and into iterators.
 *
 *  verbs_device.h   devices, their limits, protection domains, keys
 *  verbs_pair.h     completion queues, queue pairs; send, receive, read, write
 *  verbs_cache.h    registrations that outlive an operation
 *  verbs_connect.h  connections by address (rdma_cm(7))
 */
#include <decant/verbs_device.h>
#include <decant/verbs_pair.h>
#include <decant/verbs_cache.h>
#include <decant/verbs_connect.h>
#endif
