/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_VERBS_MODEL_H
#define DECANT_TEST_VERBS_MODEL_H
/* model.h - what device.c puts libibverbs' names to. */
#include <errno.h>
#include <infiniband/verbs.h>
#include <stdbool.h>

#define MODEL_REGIONS 4096

struct model_channel {
	struct ibv_comp_channel base; /* first */
	int other_end;
};

bool model_reachable(void *addr, size_t len, bool write);
struct ibv_mr *model_register(struct ibv_pd *pd, void *addr, size_t len, int access);
void model_forget(struct ibv_mr *mr);
bool model_lkey_covers(const struct ibv_sge *sge, int access);
bool model_rkey_covers(uint32_t rkey, uint64_t addr, size_t len, int access);
void model_deregister(struct ibv_mr *mr);

struct ibv_cq *model_queue_new(struct ibv_context *context, int entries, void *user,
			       struct ibv_comp_channel *channel);
void model_queue_free(struct ibv_cq *cq);
void model_got_event(struct ibv_cq *cq);
void model_acknowledge(struct ibv_cq *cq, unsigned nr);
int model_poll(struct ibv_cq *cq, int max, struct ibv_wc *wc);
int model_notify(struct ibv_cq *cq, int solicited);

struct ibv_context *model_context(void);
void model_join(uint32_t number, uint32_t peer);
struct ibv_qp *model_pair_new(struct ibv_pd *pd, struct ibv_qp_init_attr *attr);
void model_pair_free(struct ibv_qp *qp);
int model_modify(struct ibv_qp *qp, struct ibv_qp_attr *attr, int mask);
int model_post_send(struct ibv_qp *qp, struct ibv_send_wr *wr, struct ibv_send_wr **bad);
int model_post_recv(struct ibv_qp *qp, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad);
#endif
