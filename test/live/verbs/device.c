/* SPDX-License-Identifier: MIT */
#include "device.h"
#include "model.h"
#include <assert.h>
#include <pthread.h>
#include <rdma/rdma_cma.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#undef ibv_reg_mr
#undef ibv_query_port

struct device device = {
	.max_sge = 30, .max_sge_rd = 16, .max_inline = 200, .max_reads = 4};

static struct ibv_device the_device = {.name = "model0"};

/* It serves page faults for everything that a reliable connection does. */
static int query_ex(struct ibv_context *context,
		    const struct ibv_query_device_ex_input *input,
		    struct ibv_device_attr_ex *attr, size_t size)
{
	(void)input;
	assert(size == sizeof(*attr));
	*attr = (struct ibv_device_attr_ex){0};
	attr->odp_caps.general_caps = IBV_ODP_SUPPORT;
	attr->odp_caps.per_transport_caps.rc_odp_caps =
		IBV_ODP_SUPPORT_SEND | IBV_ODP_SUPPORT_RECV | IBV_ODP_SUPPORT_WRITE |
		IBV_ODP_SUPPORT_READ;
	return ibv_query_device(context, &attr->orig_attr);
}

static struct verbs_context the_verbs = {
	.sz = sizeof(the_verbs),
	.query_device_ex = query_ex,
	.context = {.device = &the_device, .abi_compat = __VERBS_ABI_IS_EXTENDED},
};
#define the_context the_verbs.context
static struct ibv_device *the_list[2] = {&the_device};

static void become(void)
{
	const char *iwarp = getenv("DECANT_TEST_IWARP");

	if (!iwarp)
		return;
	device.iwarp = 1;
	device.max_sge = 6;
	device.max_sge_rd = 1;
}

struct ibv_device **ibv_get_device_list(int *nr)
{
	become();
	the_device.transport_type = device.iwarp ? IBV_TRANSPORT_IWARP : IBV_TRANSPORT_IB;
	*nr = 1;
	return the_list;
}

void ibv_free_device_list(struct ibv_device **list)
{
	assert(list == the_list);
}

const char *ibv_get_device_name(struct ibv_device *dev)
{
	return dev->name;
}

struct ibv_context *ibv_open_device(struct ibv_device *dev)
{
	assert(dev == &the_device);
	the_context.ops.poll_cq = model_poll;
	the_context.ops.post_send = model_post_send;
	the_context.ops.post_recv = model_post_recv;
	the_context.ops.req_notify_cq = model_notify;
	return &the_context;
}

struct ibv_context *model_context(void)
{
	return &the_context;
}

int ibv_close_device(struct ibv_context *context)
{
	(void)context;
	return 0;
}

/* No connection manager, and none of its devices. */
struct ibv_context **rdma_get_devices(int *nr)
{
	*nr = 0;
	return NULL;
}

int ibv_query_device(struct ibv_context *context, struct ibv_device_attr *attr)
{
	(void)context;
	*attr = (struct ibv_device_attr){
		.max_sge = (int)device.max_sge,
		.max_sge_rd = (int)device.max_sge_rd,
		.max_qp_wr = 1000,
		.max_cqe = 100000,
		.max_mr = MODEL_REGIONS,
		.max_mr_size = UINT64_MAX,
		.max_qp_rd_atom = (int)device.max_reads,
		.max_qp_init_rd_atom = (int)device.max_reads,
		.phys_port_cnt = 1,
	};
	return 0;
}

int ibv_query_port(struct ibv_context *context, uint8_t port,
		   struct _compat_ibv_port_attr *compat)
{
	struct ibv_port_attr attr = {.state = IBV_PORT_ACTIVE,
				     .active_mtu = IBV_MTU_1024,
				     .max_msg_sz = 1u << 30,
				     .gid_tbl_len = 1,
				     .link_layer = IBV_LINK_LAYER_ETHERNET};

	(void)context;
	if (port != 1)
		return EINVAL;
	memcpy(compat, &attr, offsetof(struct ibv_port_attr, flags));
	return 0;
}

int _ibv_query_gid_ex(struct ibv_context *context, uint32_t port, uint32_t index,
		      struct ibv_gid_entry *entry, uint32_t flags, size_t size)
{
	(void)context;
	(void)flags;
	assert(port == 1 && index == 0 && size == sizeof(*entry));
	*entry = (struct ibv_gid_entry){.gid_type = IBV_GID_TYPE_ROCE_V2};
	return 0;
}

struct ibv_pd *ibv_alloc_pd(struct ibv_context *context)
{
	struct ibv_pd *pd = calloc(1, sizeof(*pd));

	if (pd)
		pd->context = context;
	device.domains += pd != NULL;
	return pd;
}

int ibv_dealloc_pd(struct ibv_pd *pd)
{
	/* nothing may be left in the last one */
	device.domains--;
	assert(device.domains || (!device.regions && !device.pairs));
	free(pd);
	return 0;
}

struct ibv_mr *ibv_reg_mr(struct ibv_pd *pd, void *addr, size_t len, int access)
{
	if (!len ||
	    ((access & IBV_ACCESS_REMOTE_WRITE) && !(access & IBV_ACCESS_LOCAL_WRITE))) {
		errno = EINVAL;
		return NULL;
	}
	if (device.unregistrable) {
		errno = device.unregistrable;
		return NULL;
	}
	if (!model_reachable(addr, len, access & IBV_ACCESS_LOCAL_WRITE)) {
		errno = EFAULT;
		return NULL;
	}
	device.registered++;
	return model_register(pd, addr, len, access);
}

struct ibv_mr *ibv_reg_mr_iova2(struct ibv_pd *pd, void *addr, size_t len, uint64_t iova,
				unsigned access)
{
	assert(iova == (uintptr_t)addr);
	return ibv_reg_mr(pd, addr, len, (int)access);
}

static void meanwhile(void)
{
	void *(*registering)(void *) = device.registering;
	pthread_t thread;

	device.registering = NULL;
	if (!registering)
		return;
	assert(!pthread_create(&thread, NULL, registering, NULL));
	assert(!pthread_join(thread, NULL));
}

struct ibv_mr *ibv_reg_dmabuf_mr(struct ibv_pd *pd, uint64_t offset, size_t len,
				 uint64_t iova, int fd, int access)
{
	struct stat stat;

	/* any file will do; the program has it mapped where its addresses say */
	if (fstat(fd, &stat) || offset + len > (uint64_t)stat.st_size) {
		errno = EINVAL;
		return NULL;
	}
	meanwhile();
	return model_register(pd, (void *)(uintptr_t)iova, len, access);
}

int ibv_dereg_mr(struct ibv_mr *mr)
{
	model_deregister(mr);
	return 0;
}

struct ibv_comp_channel *ibv_create_comp_channel(struct ibv_context *context)
{
	struct model_channel *channel = calloc(1, sizeof(*channel));
	int fds[2];

	if (!channel || pipe(fds)) {
		free(channel);
		return NULL;
	}
	channel->base.context = context;
	channel->base.fd = fds[0];
	channel->other_end = fds[1];
	return &channel->base;
}

int ibv_destroy_comp_channel(struct ibv_comp_channel *base)
{
	struct model_channel *channel = (struct model_channel *)base;

	close(base->fd);
	close(channel->other_end);
	free(channel);
	return 0;
}

struct ibv_cq *ibv_create_cq(struct ibv_context *context, int entries, void *user,
			     struct ibv_comp_channel *channel, int vector)
{
	(void)vector;
	return model_queue_new(context, entries, user, channel);
}

int ibv_destroy_cq(struct ibv_cq *cq)
{
	model_queue_free(cq);
	return 0;
}

int ibv_get_cq_event(struct ibv_comp_channel *channel, struct ibv_cq **cq, void **user)
{
	struct ibv_cq *which;

	if (read(channel->fd, &which, sizeof(which)) != sizeof(which))
		return -1;
	model_got_event(which);
	*cq = which;
	*user = which->cq_context;
	return 0;
}

void ibv_ack_cq_events(struct ibv_cq *cq, unsigned nr)
{
	model_acknowledge(cq, nr);
}

struct ibv_qp *ibv_create_qp(struct ibv_pd *pd, struct ibv_qp_init_attr *attr)
{
	/* as some devices, it has a budget that elements and inline data share */
	if (attr->cap.max_send_sge > device.max_sge ||
	    attr->cap.max_inline_data > device.max_inline) {
		errno = EINVAL;
		return NULL;
	}
	if (attr->cap.max_inline_data)
		attr->cap.max_inline_data += device.round_inline;
	return model_pair_new(pd, attr);
}

int ibv_modify_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int mask)
{
	return model_modify(qp, attr, mask);
}

int ibv_destroy_qp(struct ibv_qp *qp)
{
	model_pair_free(qp);
	return 0;
}
