/* SPDX-License-Identifier: MIT */
/* limits_local.c - what this kernel's io_uring has, and who does which cryptography. */
#include <errno.h>
#include <liburing.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <decant/aead.h>
#include <decant/cipher.h>
#include "real.h"

#define NR(array) (sizeof(array) / sizeof(*(array)))

/* Bits of struct io_uring_params.features, see io_uring_setup(2). */
static const char *const features[] = {
	"single_mmap",	   "nodrop",	     "submit_stable",	"rw_cur_pos",
	"cur_personality", "fast_poll",	     "poll_32bits",	"sqpoll_nonfixed",
	"ext_arg",	   "native_workers", "rsrc_tags",	"cqe_skip",
	"linked_file",	   "reg_reg_ring",   "recvsend_bundle", "min_timeout",
	"rw_attr",	   "no_iowait",
};

/* Operations that libdecant-uring uses, by number: headers may not know the newest. */
static const struct {
	const char *name;
	unsigned opcode;
	const char *what;
} operations[] = {
	{"readv", 1, "reads and writes of many elements"},
	{"read_fixed", 4, "registered buffers, one element"},
	{"readv_fixed", 60, "registered buffers, many elements"},
	{"fsync", 3, "syncing"},
	{"sendmsg", 9, "sockets"},
	{"sendmsg_zc", 48, "sends without a copy"},
	{"async_cancel", 14, "cancellation"},
	{"timeout", 11, "deadlines"},
};

struct probe {
	int err;
	unsigned features;
	bool has[NR(operations)];
	unsigned nr; /* operations in all */
};

static struct probe probe_ring(void)
{
	struct io_uring_params params = {0};
	struct probe probe = {0};
	struct io_uring_probe *list;
	struct io_uring ring;

	probe.err = io_uring_queue_init_params(4, &ring, &params);
	if (probe.err)
		return probe;
	probe.features = params.features;
	list = io_uring_get_probe_ring(&ring);
	for (unsigned i = 0; list && i < list->ops_len; i++)
		probe.nr += list->ops[i].flags & IO_URING_OP_SUPPORTED;
	for (size_t i = 0; list && i < NR(operations); i++)
		probe.has[i] =
			operations[i].opcode <= list->last_op &&
			list->ops[operations[i].opcode].flags & IO_URING_OP_SUPPORTED;
	io_uring_free_probe(list);
	io_uring_queue_exit(&ring);
	return probe;
}

static const struct decant_limits ring_limits = {.max_elements = IOV_MAX,
						 .max_bytes = REQUEST_BYTES};

bool limits_of_uring(const char *name, struct decant_limits *limits,
		     struct report *report)
{
	(void)name;
	(void)report;
	*limits = ring_limits;
	return true;
}

static void uring_json(struct limits_request *r, const struct probe *probe)
{
	bool any = false;

	fprintf(r->out, "\"io_uring\":{\"available\":%s", probe->err ? "false" : "true");
	if (probe->err)
		fprintf(r->out, ",\"why\":\"%s\"", strerror(-probe->err));
	fprintf(r->out, ",\"features\":[");
	for (size_t i = 0; i < NR(features); i++) {
		if (!(probe->features & 1u << i))
			continue;
		fprintf(r->out, "%s\"%s\"", any ? "," : "", features[i]);
		any = true;
	}
	fprintf(r->out, "],\"operations\":%u", probe->nr);
	for (size_t i = 0; i < NR(operations); i++)
		fprintf(r->out, ",\"%s\":%s", operations[i].name,
			probe->has[i] ? "true" : "false");
	fprintf(r->out, ",");
	limits_print_json(r->out, "limits", &ring_limits);
	fprintf(r->out, "}");
}

static void uring_text(struct limits_request *r, const struct probe *probe)
{
	unsigned nr = 0;

	if (probe->err) {
		fprintf(r->out, "io_uring         no: %s; decant uses threads\n",
			strerror(-probe->err));
		return;
	}
	fprintf(r->out, "io_uring         yes, %u operations\n", probe->nr);
	for (size_t i = 0; i < NR(operations); i++)
		fprintf(r->out, "  %-14s %-4s %s\n", operations[i].name,
			probe->has[i] ? "yes" : "no", operations[i].what);
	fprintf(r->out, "  features       ");
	for (size_t i = 0; i < NR(features); i++)
		if (probe->features & 1u << i)
			fprintf(r->out, "%s%s",
				!nr++	      ? ""
				: nr % 5 == 1 ? "\n                 "
					      : " ",
				features[i]);
	fprintf(r->out, "\n  a request has at most %d elements and %u bytes\n", IOV_MAX,
		REQUEST_BYTES);
}

bool limits_uring(struct limits_request *r)
{
	struct probe probe = probe_ring();

	(r->json ? uring_json : uring_text)(r, &probe);
	return true;
}

/* Lengths at which it is asked who does it. */
static const size_t lengths[] = {16, 256, 4096, 65536, 1048576};

static const struct {
	const char *name;
	bool aead;
	int algorithm;
	size_t key;
} ciphers[] = {
	{"aes-256-gcm", true, DECANT_AEAD_AES_256_GCM, 32},
	{"aes-128-gcm", true, DECANT_AEAD_AES_128_GCM, 16},
	{"chacha20-poly1305", true, DECANT_AEAD_CHACHA20_POLY1305, 32},
	{"aes-256-xts", false, DECANT_CIPHER_AES_256_XTS, 64},
	{"aes-128-xts", false, DECANT_CIPHER_AES_128_XTS, 32},
	{"aes-256-cbc", false, DECANT_CIPHER_AES_256_CBC, 32},
	{"aes-256-cts", false, DECANT_CIPHER_AES_256_CTS, 32},
};

/* Who would do each length; false if nobody here can. */
static bool ask_cipher(size_t i, const char *names[NR(lengths)])
{
	size_t unit = strstr(ciphers[i].name, "xts") ? 4096 : 0;
	struct decant_cipher *cipher = NULL;
	struct decant_aead *aead = NULL;
	unsigned char key[64];
	int err;

	for (size_t n = 0; n < sizeof(key); n++)
		key[n] = (unsigned char)n; /* the halves of an XTS key must differ */
	if (ciphers[i].aead)
		err = decant_aead_new(&aead,
				      (enum decant_aead_algorithm)ciphers[i].algorithm,
				      key, ciphers[i].key);
	else
		err = decant_cipher_new(
			&cipher, (enum decant_cipher_algorithm)ciphers[i].algorithm, key,
			ciphers[i].key, unit, NULL);
	for (size_t n = 0; !err && n < NR(lengths); n++)
		names[n] = decant_crypto_backend_name(
			aead ? decant_aead_backend(aead, lengths[n])
			     : decant_cipher_backend(cipher, lengths[n]));
	decant_aead_free(aead);
	decant_cipher_free(cipher);
	return !err;
}

static const enum decant_crypto_backend backends[] = {
	DECANT_CRYPTO_OPENSSL, DECANT_CRYPTO_IPSEC_MB, DECANT_CRYPTO_AF_ALG};

static void crypto_json(struct limits_request *r)
{
	const char *names[NR(lengths)];
	bool any = false;

	fprintf(r->out, "\"crypto\":{\"backends\":{");
	for (size_t i = 0; i < NR(backends); i++)
		fprintf(r->out, "%s\"%s\":%s", i ? "," : "",
			decant_crypto_backend_name(backends[i]),
			decant_crypto_backend_check(backends[i]) ? "false" : "true");
	fprintf(r->out, "},\"chosen\":{");
	for (size_t i = 0; i < NR(ciphers); i++) {
		if (!ask_cipher(i, names))
			continue;
		fprintf(r->out, "%s\"%s\":{", any ? "," : "", ciphers[i].name);
		any = true;
		for (size_t n = 0; n < NR(lengths); n++)
			fprintf(r->out, "%s\"%zu\":\"%s\"", n ? "," : "", lengths[n],
				names[n]);
		fprintf(r->out, "}");
	}
	fprintf(r->out, "}}");
}

static void crypto_text(struct limits_request *r)
{
	const char *names[NR(lengths)];

	fprintf(r->out, "%-20s", "cryptography");
	for (size_t i = 0; i < NR(backends); i++)
		fprintf(r->out, "%s%s: %s", i ? ", " : "",
			decant_crypto_backend_name(backends[i]),
			decant_crypto_backend_check(backends[i]) ? "no" : "yes");
	fprintf(r->out, "\n  %-18s", "text of bytes");
	for (size_t n = 0; n < NR(lengths); n++)
		fprintf(r->out, "%10zu", lengths[n]);
	fprintf(r->out, "\n");
	for (size_t i = 0; i < NR(ciphers); i++) {
		if (!ask_cipher(i, names))
			continue;
		fprintf(r->out, "  %-18s", ciphers[i].name);
		for (size_t n = 0; n < NR(lengths); n++)
			fprintf(r->out, "%10s", names[n]);
		fprintf(r->out, "\n");
	}
}

bool limits_crypto(struct limits_request *r)
{
	(r->json ? crypto_json : crypto_text)(r);
	return true;
}
