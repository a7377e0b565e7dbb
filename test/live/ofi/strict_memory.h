/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_OFI_STRICT_MEMORY_H
#define DECANT_TEST_OFI_STRICT_MEMORY_H
/* strict_memory.h - between the two files of strict.h's layer. */
#include "strict.h"

/* strict.c */
bool strict_rule(bool kept, const char *rule);
bool strict_one_in(unsigned nr);
bool strict_asks(int bit);
bool strict_real(int bit);
size_t strict_key_bytes(void);

/* strict_memory.c */
void strict_memory_reset(void);
void strict_forget(const struct fid *mr);
/* Whether memory is bound to an end point. */
bool strict_bound(const struct fid *ep);
/* Whether an element may be used like this; the provider's own descriptor of it. */
bool strict_local(const struct iovec *iov, const void *desc, uint64_t access,
		  bool injected, const struct fid_ep *ep, void **real);
/* Whether the peer has that and allows it; as the provider itself calls it. */
bool strict_remote(const struct fi_rma_iov *at, uint64_t access, struct fi_rma_iov *real);
#endif
