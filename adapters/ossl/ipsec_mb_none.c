/* SPDX-License-Identifier: MIT */
/* ipsec_mb_none.c - a build without Intel's multi-buffer library. */
#include <errno.h>
#include "internal.h"
#include "modes.h"

const struct aead_ops *const aead_ipsec_mb;
const struct cipher_ops *const cipher_xts_ipsec_mb;

int ipsec_mb_check(void)
{
	return -ENOTSUP;
}

bool ipsec_mb_is_wide(void)
{
	return false;
}
