/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include "tls.h"

#define SUITE "TLS_AES_256_GCM_SHA384"

static const unsigned char suite_id[] = {0x13, 0x02}; /* RFC 8446, B.4 */
static const unsigned char protocol[] = {8, 'd', 'e', 'c', 'a', 'n', 't', '/', '1'};

struct tls {
	SSL_CTX *context;
	SSL *ssl;
	const struct psk_list *keys;
	int fd;
	bool server;
	char name[PSK_NAME_MOST + 1];
	const char *problem;
};

/* A pre-shared key is a session that never took place (RFC 8446, 4.2.11). */
static SSL_SESSION *session_of(SSL *ssl, const unsigned char *key)
{
	SSL_SESSION *session = SSL_SESSION_new();

	if (session && SSL_SESSION_set1_master_key(session, key, PSK_BYTES) &&
	    SSL_SESSION_set_cipher(session, SSL_CIPHER_find(ssl, suite_id)) &&
	    SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION))
		return session;
	SSL_SESSION_free(session);
	return NULL;
}

static int client_key(SSL *ssl, const EVP_MD *md, const unsigned char **name, size_t *len,
		      SSL_SESSION **session)
{
	struct tls *tls = SSL_get_app_data(ssl);
	const struct psk *psk = &tls->keys->keys[0];

	/* Asked again because the server wants another hash: there is none. */
	*session = md && !EVP_MD_is_a(md, "SHA384") ? NULL : session_of(ssl, psk->key);
	*name = (const unsigned char *)psk->name;
	*len = strlen(psk->name);
	return 1;
}

/* Who has no key learns nothing of which names there are: an unknown one gets a key too,
 * that nobody has. */
static int server_key(SSL *ssl, const unsigned char *name, size_t len,
		      SSL_SESSION **session)
{
	struct tls *tls = SSL_get_app_data(ssl);
	const struct psk *psk = psk_find(tls->keys, name, len);
	unsigned char key[PSK_BYTES];

	if (RAND_bytes(key, sizeof(key)) != 1)
		return 0;
	if (psk)
		strcpy(tls->name, psk->name);
	*session = session_of(ssl, psk ? psk->key : key);
	explicit_bzero(key, sizeof(key));
	return *session != NULL;
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *len,
			   const unsigned char *offered, unsigned offered_len, void *arg)
{
	unsigned char *chosen;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&chosen, len, protocol, sizeof(protocol), offered,
				  offered_len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

/* What holds for both sides; whatever the system's configuration of OpenSSL allows. */
static bool restrict_context(SSL_CTX *c)
{
	int group = NID_X25519;

	SSL_CTX_set_options(c, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
	SSL_CTX_clear_options(c, SSL_OP_ALLOW_NO_DHE_KEX | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	return SSL_CTX_set_min_proto_version(c, TLS1_3_VERSION) &&
	       SSL_CTX_set_max_proto_version(c, TLS1_3_VERSION) &&
	       SSL_CTX_set_ciphersuites(c, SUITE) && SSL_CTX_set1_groups(c, &group, 1) &&
	       SSL_CTX_set_num_tickets(c, 0) && SSL_CTX_set_max_early_data(c, 0) &&
	       SSL_CTX_set_recv_max_early_data(c, 0);
}

static bool set_side(struct tls *t)
{
	if (t->server) {
		SSL_CTX_set_psk_find_session_callback(t->context, server_key);
		SSL_CTX_set_alpn_select_cb(t->context, choose_protocol, NULL);
		return true;
	}
	SSL_CTX_set_psk_use_session_callback(t->context, client_key);
	/* A server that shows a certificate instead has not proved anything. */
	SSL_CTX_set_verify(t->context, SSL_VERIFY_PEER, NULL);
	return !SSL_CTX_set_alpn_protos(t->context, protocol, sizeof(protocol));
}

static bool prepare(struct tls *t)
{
	int flags = fcntl(t->fd, F_GETFL);

	t->context = SSL_CTX_new(t->server ? TLS_server_method() : TLS_client_method());
	if (!t->context || !restrict_context(t->context) || !set_side(t))
		return false;
	t->ssl = SSL_new(t->context);
	if (!t->ssl || !SSL_set_fd(t->ssl, t->fd) || !SSL_set_app_data(t->ssl, t))
		return false;
	if (t->server)
		SSL_set_accept_state(t->ssl);
	else
		SSL_set_connect_state(t->ssl);
	return flags >= 0 && !fcntl(t->fd, F_SETFL, flags | O_NONBLOCK);
}

/* The first error is the cause; what follows are its consequences. */
static unsigned long first_error(void)
{
	unsigned long error = ERR_get_error();

	ERR_clear_error();
	return error;
}

struct tls *tls_new(bool server, int fd, const struct psk_list *keys,
		    struct report *report)
{
	struct tls *t = calloc(1, sizeof(*t));
	const char *why;

	if (t) {
		*t = (struct tls){.fd = fd, .server = server, .keys = keys};
		if (!server)
			strcpy(t->name, keys->keys[0].name);
		if (prepare(t))
			return t;
		tls_free(t);
	}
	why = ERR_reason_error_string(first_error());
	report_set(report, EXIT_RESOURCES, "TLS: %s", why ? why : "no memory");
	return NULL;
}

void tls_free(struct tls *t)
{
	if (!t)
		return;
	/* An orderly end, if there is room for it; nobody waits. */
	if (t->ssl && SSL_is_init_finished(t->ssl) && !t->problem)
		SSL_shutdown(t->ssl);
	SSL_free(t->ssl);
	SSL_CTX_free(t->context);
	ERR_clear_error();
	free(t);
}

/* Wait for what OpenSSL wants: 1, 0 if the wait ended first, -1 if it wants nothing. */
static int await(struct tls *t, int result, deadline_t deadline)
{
	struct pollfd fd = {.fd = t->fd};
	int error = SSL_get_error(t->ssl, result), got;

	if (error == SSL_ERROR_WANT_READ)
		fd.events = POLLIN;
	else if (error == SSL_ERROR_WANT_WRITE)
		fd.events = POLLOUT;
	else
		return -1;
	got = poll(&fd, 1, deadline_left(deadline));
	return got < 0 && errno == EINTR ? 0 : got;
}

/* An alert that says that a key is not known or not the same. */
static bool is_about_key(int reason)
{
	switch (reason) {
	case SSL_R_BINDER_DOES_NOT_VERIFY:
	case SSL_R_CERTIFICATE_VERIFY_FAILED:
	case SSL_AD_REASON_OFFSET + SSL_AD_ILLEGAL_PARAMETER:
	case SSL_AD_REASON_OFFSET + SSL_AD_DECRYPT_ERROR:
	case SSL_AD_REASON_OFFSET + SSL_AD_UNKNOWN_PSK_IDENTITY:
		return true;
	default:
		return false;
	}
}

static bool is_about_records(int reason)
{
	return reason == SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC ||
	       reason == SSL_R_DIGEST_CHECK_FAILED ||
	       reason == SSL_AD_REASON_OFFSET + SSL_AD_BAD_RECORD_MAC;
}

static bool handshake_failed(const struct tls *t, const char *peer, struct report *report)
{
	unsigned long error = first_error();
	int reason = ERR_GET_REASON(error);
	const char *text = ERR_reason_error_string(error);

	if (!error || reason == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		return report_set(
			report, EXIT_PEER, "%s: hung up during the handshake%s", peer,
			t->server ? "" : "; it may be busy, or not want this host");
	if (is_about_key(reason))
		return report_set(report, EXIT_KEY, "%s: has not the same key%s%s%s",
				  peer, *t->name ? " named " : "", t->name,
				  t->server ? "" : "; compare the key files");
	if (is_about_records(reason))
		return report_set(report, EXIT_TAMPERED,
				  "%s: the handshake was changed on its way", peer);
	return report_set(report, EXIT_PEER, "%s: the handshake failed: %s", peer,
			  text ? text : "unknown");
}

static bool is_agreed(const struct tls *t)
{
	const unsigned char *chosen = NULL;
	unsigned len = 0;

	SSL_get0_alpn_selected(t->ssl, &chosen, &len);
	return SSL_session_reused(t->ssl) == 1 && SSL_version(t->ssl) == TLS1_3_VERSION &&
	       len == protocol[0] && !memcmp(chosen, protocol + 1, len);
}

bool tls_handshake(struct tls *t, const char *peer, deadline_t deadline,
		   struct report *report)
{
	int done, got = 1;

	ERR_clear_error();
	while ((done = SSL_do_handshake(t->ssl)) != 1) {
		got = await(t, done, deadline);
		if (got <= 0)
			break;
	}
	if (done == 1)
		return is_agreed(t) ||
		       report_set(report, EXIT_KEY, "%s: has not proved to have the key",
				  peer);
	t->problem = "no handshake";
	if (got < 0)
		return handshake_failed(t, peer, report);
	if (deadline_left(deadline))
		return report_set(report, EXIT_INTERRUPTED, "interrupted");
	return report_set(report, EXIT_PEER, "%s: did not finish the handshake in time",
			  peer);
}

const char *tls_name(const struct tls *t)
{
	return t->name;
}

/* Nothing was said wrong if the connection just ended. */
static void note_problem(struct tls *t, int error)
{
	unsigned long first = first_error();
	int reason = ERR_GET_REASON(first);

	if (error == SSL_ERROR_ZERO_RETURN || error == SSL_ERROR_SYSCALL || !first)
		t->problem = NULL;
	else if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		t->problem = NULL;
	else if (is_about_records(reason))
		t->problem = "what it said was changed on its way";
	else
		t->problem = ERR_reason_error_string(first);
}

ssize_t tls_read(struct tls *t, void *room, size_t max)
{
	size_t len = 0;
	int done, error;

	ERR_clear_error();
	done = SSL_read_ex(t->ssl, room, max, &len);
	if (done == 1)
		return (ssize_t)len;
	error = SSL_get_error(t->ssl, done);
	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
		return 0;
	note_problem(t, error);
	return -1;
}

bool tls_write(struct tls *t, const void *bytes, size_t len, deadline_t deadline)
{
	size_t done;
	int ok, got;

	ERR_clear_error();
	while ((ok = SSL_write_ex(t->ssl, bytes, len, &done)) != 1) {
		got = await(t, ok, deadline);
		if (got < 0 || (!got && !deadline_left(deadline)))
			return false;
	}
	return true;
}

const char *tls_problem(const struct tls *t)
{
	return t->problem;
}

bool tls_export(struct tls *t, const char *label, unsigned char key[32])
{
	return SSL_export_keying_material(t->ssl, key, 32, label, strlen(label), NULL, 0,
					  0) == 1;
}
