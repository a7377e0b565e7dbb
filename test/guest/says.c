/* SPDX-License-Identifier: MIT */
/* says.c - what the first RDMA device says of itself, as JSON: by libibverbs alone. */
#include <infiniband/verbs.h>
#include <stdio.h>

int main(void)
{
	struct ibv_device **list = ibv_get_device_list(NULL);
	struct ibv_context *context = list && *list ? ibv_open_device(*list) : NULL;
	struct ibv_device_attr device;
	struct ibv_port_attr port;

	if (!context || ibv_query_device(context, &device) ||
	    ibv_query_port(context, 1, &port))
		return 1;
	printf("{\"device\":\"%s\",\"max_sge\":%d,\"max_sge_rd\":%d,\"max_qp_wr\":%d,"
	       "\"max_cqe\":%d,\"max_qp_init_rd_atom\":%d,\"max_qp_rd_atom\":%d,"
	       "\"max_mr\":%d,\"max_mr_size\":%llu,\"max_msg_sz\":%u}\n",
	       ibv_get_device_name(*list), device.max_sge, device.max_sge_rd,
	       device.max_qp_wr, device.max_cqe, device.max_qp_init_rd_atom,
	       device.max_qp_rd_atom, device.max_mr,
	       (unsigned long long)device.max_mr_size, port.max_msg_sz);
	return 0;
}
