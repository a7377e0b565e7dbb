/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_VERBS_FAULT_H
#define DECANT_TEST_VERBS_FAULT_H
/*
 * verbs_fault.h - what the verbs adapter asks of libibverbs, librdmacm and the system
 * fails when told to, beside what is in fault.h. A macro's own name in it is the
 * function. What gives things back can't fail.
 */
#include <errno.h>
#include <fcntl.h>
#include <infiniband/verbs.h>
#include <rdma/rdma_cma.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include "fault.h"

#ifndef FAULT_ITSELF
#define FAULT_NULL(name, call) (fault_fails(name, ENOMEM) ? NULL : (call))
#define FAULT_RC(name, call)   (fault_fails(name, ENOMEM) ? ENOMEM : (call))
#define FAULT_ONE(name, call)  (fault_fails(name, ENOMEM) ? -1 : (call))

#undef ibv_query_port
#undef ibv_reg_mr
#define ibv_get_device_list(n)	FAULT_NULL("ibv_get_device_list", ibv_get_device_list(n))
#define ibv_open_device(d)	FAULT_NULL("ibv_open_device", ibv_open_device(d))
#define ibv_query_device(c, a)	FAULT_RC("ibv_query_device", ibv_query_device(c, a))
#define ibv_query_port(c, p, a) FAULT_RC("ibv_query_port", ___ibv_query_port(c, p, a))
#define ibv_query_gid_ex(c, p, i, e, f)                                                  \
	FAULT_RC("ibv_query_gid_ex", ibv_query_gid_ex(c, p, i, e, f))
#define ibv_alloc_pd(c) FAULT_NULL("ibv_alloc_pd", ibv_alloc_pd(c))
#define ibv_reg_mr(p, a, l, f)                                                           \
	FAULT_NULL("ibv_reg_mr", ibv_reg_mr_iova2(p, a, l, (uintptr_t)(a), (unsigned)(f)))
#define ibv_create_comp_channel(c)                                                       \
	FAULT_NULL("ibv_create_comp_channel", ibv_create_comp_channel(c))
#define ibv_create_cq(c, n, u, h, v)                                                     \
	FAULT_NULL("ibv_create_cq", ibv_create_cq(c, n, u, h, v))
#define ibv_create_qp(p, a)	FAULT_NULL("ibv_create_qp", ibv_create_qp(p, a))
#define ibv_modify_qp(q, a, m)	FAULT_RC("ibv_modify_qp", ibv_modify_qp(q, a, m))
#define ibv_post_send(q, w, b)	FAULT_RC("ibv_post_send", ibv_post_send(q, w, b))
#define ibv_post_recv(q, w, b)	FAULT_RC("ibv_post_recv", ibv_post_recv(q, w, b))
#define ibv_poll_cq(c, n, w)	FAULT_ONE("ibv_poll_cq", ibv_poll_cq(c, n, w))
#define ibv_req_notify_cq(c, s) FAULT_RC("ibv_req_notify_cq", ibv_req_notify_cq(c, s))
#define fcntl(...)		FAULT_ONE("fcntl", fcntl(__VA_ARGS__))
#define epoll_create1(f)	FAULT_ONE("epoll_create1", epoll_create1(f))
#define epoll_ctl(e, o, f, v)	FAULT_ONE("epoll_ctl", epoll_ctl(e, o, f, v))
#define getrandom(b, n, f)	FAULT_ONE("getrandom", getrandom(b, n, f))
#define rdma_create_event_channel()                                                      \
	FAULT_NULL("rdma_create_event_channel", rdma_create_event_channel())
#define rdma_create_id(c, i, u, s) FAULT_ONE("rdma_create_id", rdma_create_id(c, i, u, s))
#define rdma_migrate_id(i, c)	   FAULT_ONE("rdma_migrate_id", rdma_migrate_id(i, c))
#define rdma_bind_addr(i, a)	   FAULT_ONE("rdma_bind_addr", rdma_bind_addr(i, a))
#define rdma_listen(i, n)	   FAULT_ONE("rdma_listen", rdma_listen(i, n))
#define rdma_resolve_addr(i, s, d, t)                                                    \
	FAULT_ONE("rdma_resolve_addr", rdma_resolve_addr(i, s, d, t))
#define rdma_init_qp_attr(i, a, m)                                                       \
	FAULT_ONE("rdma_init_qp_attr", rdma_init_qp_attr(i, a, m))
#define rdma_resolve_route(i, t) FAULT_ONE("rdma_resolve_route", rdma_resolve_route(i, t))
#define rdma_connect(i, p)	 FAULT_ONE("rdma_connect", rdma_connect(i, p))
#define rdma_accept(i, p)	 FAULT_ONE("rdma_accept", rdma_accept(i, p))
#define rdma_establish(i)	 FAULT_ONE("rdma_establish", rdma_establish(i))
#define rdma_getaddrinfo(n, s, h, r)                                                     \
	FAULT_ONE("rdma_getaddrinfo", rdma_getaddrinfo(n, s, h, r))
#endif
#endif
