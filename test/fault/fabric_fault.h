/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_FABRIC_FAULT_H
#define DECANT_TEST_FABRIC_FAULT_H
/*
 * fabric_fault.h - libfabric's calls fail when told to, beside those of fault.h, and what
 * they open is counted. A macro's own name in it is the function. Binding does not fail:
 * rxm (libfabric 1.17) crashes when it closes an end point that is not bound.
 */
#include <rdma/fabric.h>
#include <rdma/fi_cm.h>
#include <rdma/fi_domain.h>
#include <rdma/fi_endpoint.h>
#include <rdma/fi_eq.h>
#include <rdma/fi_rma.h>
#include "fault.h"

extern long fault_fids;	   /* objects that are open at the moment */
extern int fault_endpoint; /* what making an end point says that fails */

int fault_opened(int rc);
int fault_closed(int rc);

#ifndef FAULT_ITSELF
#define FAULT_OPEN(name, call)                                                           \
	(fault_fails(name, ENOMEM) ? -FI_ENOMEM : fault_opened(call))
#define FAULT_NULL(name, call) (fault_fails(name, ENOMEM) ? NULL : (call))
#define FAULT_RC(name, call)   (fault_fails(name, ENOMEM) ? -FI_ENOMEM : (call))
#define FAULT_EP(name, call)   (fault_fails(name, ENOMEM) ? -fault_endpoint : (call))

#define fi_fabric(a, f, c)	  FAULT_OPEN("fi_fabric", fi_fabric(a, f, c))
#define fi_domain(f, i, d, c)	  FAULT_OPEN("fi_domain", fi_domain(f, i, d, c))
#define fi_cq_open(d, a, q, c)	  FAULT_OPEN("fi_cq_open", fi_cq_open(d, a, q, c))
#define fi_cntr_open(d, a, n, c)  FAULT_OPEN("fi_cntr_open", fi_cntr_open(d, a, n, c))
#define fi_av_open(d, a, v, c)	  FAULT_OPEN("fi_av_open", fi_av_open(d, a, v, c))
#define fi_eq_open(f, a, q, c)	  FAULT_OPEN("fi_eq_open", fi_eq_open(f, a, q, c))
#define fi_passive_ep(f, i, p, c) FAULT_OPEN("fi_passive_ep", fi_passive_ep(f, i, p, c))
#define fi_endpoint(d, i, e, c)                                                          \
	FAULT_EP("fi_endpoint", fault_opened(fi_endpoint(d, i, e, c)))
#define fi_mr_reg(d, b, l, a, o, k, f, m, c)                                             \
	FAULT_OPEN("fi_mr_reg", fi_mr_reg(d, b, l, a, o, k, f, m, c))
#define fi_pep_bind(p, f, n)	     FAULT_RC("fi_pep_bind", fi_pep_bind(p, f, n))
#define fi_listen(p)		     FAULT_RC("fi_listen", fi_listen(p))
#define fi_enable(e)		     FAULT_EP("fi_enable", fi_enable(e))
#define fi_control(f, c, a)	     FAULT_RC("fi_control", fi_control(f, c, a))
#define fi_getinfo(v, n, s, f, h, i) FAULT_RC("fi_getinfo", fi_getinfo(v, n, s, f, h, i))
#define fi_dupinfo(i)		     FAULT_NULL("fi_dupinfo", fi_dupinfo(i))
#define fi_allocinfo()		     FAULT_NULL("fi_allocinfo", fi_allocinfo())
#define fi_close(f)		     fault_closed(fi_close(f))
#endif
#endif
