/* SPDX-License-Identifier: MIT */
#ifndef CLI_TLS_H
#define CLI_TLS_H
/*
 * tls.h - a connected socket made confidential and authentic on both sides: TLS 1.3
 * (RFC 8446) with a key that both have in common, and an ephemeral X25519 exchange, so
 * that the key found later opens nothing that was recorded. One cipher suite, no tickets,
 * no early data, no certificates; the protocol's name (ALPN) is part of what is proved.
 */
#include <sys/types.h>
#include "deadline.h"
#include "psk.h"

struct tls;

/*
 * What the client proves with is the list's first key; a server takes all of them. The
 * list and the socket, which does not block from now on, stay the caller's: the list is
 * needed until the handshake is over. NULL: see report.
 */
struct tls *tls_new(bool server, int fd, const struct psk_list *keys,
		    struct report *report);
void tls_free(struct tls *tls);

/*
 * Whether each side has proved to the other that it has the key. Nothing of the caller's
 * is sent or received before.
 */
bool tls_handshake(struct tls *tls, const char *peer, deadline_t deadline,
		   struct report *report);
/* The name of the key that was used. */
const char *tls_name(const struct tls *tls);

/* Bytes, 0 if there are none now, -1 if there won't be any: see tls_problem(). */
ssize_t tls_read(struct tls *tls, void *room, size_t max);
/* All of them, or false: the other side is gone, or the deadline has passed. */
bool tls_write(struct tls *tls, const void *bytes, size_t len, deadline_t deadline);
/* What tls_read() said -1 for, if it wasn't an orderly end; else NULL. */
const char *tls_problem(const struct tls *tls);

/* 32 bytes that both sides get and nobody else (RFC 8446, 7.5), different for each
 * handshake and label. */
bool tls_export(struct tls *tls, const char *label, unsigned char key[32]);
#endif
