/* SPDX-License-Identifier: MIT */
/* af_alg_socket.c - requests to the kernel's algorithms, from and into iterators. */
#include <decant/registry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/if_alg.h>
#include <openssl/crypto.h>
#include <sys/socket.h>
#include "af_alg.h"
#include "internal.h"

#define PIECES 16    /* of one send: as many as a pipe has slots */
#define SPLICE 16384 /* from here on a piece is worth the detour by a pipe */
#define IV     64

static int failed(void)
{
	return errno == EAFNOSUPPORT || errno == ENOENT ? -ENOTSUP : -errno;
}

int af_alg_check(void)
{
	int fd = socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -ENOTSUP;
	close(fd);
	return 0;
}

/* --- sockets --- */

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void alg_close(struct alg *alg)
{
	shut(&alg->op);
	shut(&alg->key);
	shut(&alg->pipe[0]);
	shut(&alg->pipe[1]);
	state_free(alg->flat, ALG_FLAT);
	alg->flat = NULL;
}

int alg_reset(struct alg *alg)
{
	shut(&alg->op);
	shut(&alg->pipe[0]);
	shut(&alg->pipe[1]);
	alg->op = accept4(alg->key, NULL, NULL, SOCK_CLOEXEC);
	return alg->op < 0 || pipe2(alg->pipe, O_CLOEXEC) ? -errno : 0;
}

static int set_key(struct alg *alg, const struct alg_key *key)
{
	struct sockaddr_alg name = {.salg_family = AF_ALG};

	strncpy((char *)name.salg_type, key->type, sizeof(name.salg_type) - 1);
	strncpy((char *)name.salg_name, key->name, sizeof(name.salg_name) - 1);
	alg->key = socket(AF_ALG, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (alg->key < 0 || bind(alg->key, (struct sockaddr *)&name, sizeof(name)))
		return failed();
	if (key->key &&
	    setsockopt(alg->key, SOL_ALG, ALG_SET_KEY, key->key, (socklen_t)key->key_len))
		return failed();
	if (key->tag_len && setsockopt(alg->key, SOL_ALG, ALG_SET_AEAD_AUTHSIZE, NULL,
				       (socklen_t)key->tag_len))
		return failed();
	return 0;
}

/* All but the key's socket, which is there. */
static int complete(struct alg *alg)
{
	int err = alg_reset(alg);

	if (err)
		return err;
	alg->flat = state_new(ALG_FLAT);
	return alg->flat ? 0 : -ENOMEM;
}

int alg_open(struct alg *alg, const struct alg_key *key)
{
	int err;

	*alg = (struct alg){-1, -1, {-1, -1}, NULL};
	err = set_key(alg, key);
	if (!err)
		err = complete(alg);
	if (err)
		alg_close(alg);
	return err;
}

int alg_clone(struct alg *alg, const struct alg *from)
{
	int err;

	*alg = (struct alg){-1, -1, {-1, -1}, NULL};
	alg->key = fcntl(from->key, F_DUPFD_CLOEXEC, 0);
	err = alg->key < 0 ? -errno : complete(alg);
	if (err)
		alg_close(alg);
	return err;
}

/* --- there --- */

static struct cmsghdr *control(struct msghdr *msg, int type, size_t len)
{
	struct cmsghdr *c = (void *)((uint8_t *)msg->msg_control + msg->msg_controllen);

	c->cmsg_level = SOL_ALG;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	msg->msg_controllen += CMSG_SPACE(len);
	return c;
}

static void control_u32(struct msghdr *msg, int type, uint32_t value)
{
	memcpy(CMSG_DATA(control(msg, type, sizeof(value))), &value, sizeof(value));
}

static void control_iv(struct msghdr *msg, const uint8_t *iv, size_t len)
{
	uint32_t n = (uint32_t)len;
	uint8_t *at = CMSG_DATA(control(msg, ALG_SET_IV, sizeof(n) + len));

	memcpy(at, &n, sizeof(n));
	memcpy(at + sizeof(n), iv, len);
}

/* Not so if there was an error, and no new socket or pipe to be had after it. */
static bool is_whole(const struct alg *alg)
{
	return alg->op >= 0 && alg->pipe[0] >= 0;
}

int alg_begin(struct alg *alg, const struct alg_request *rq)
{
	_Alignas(struct cmsghdr)
		uint8_t room[2 * CMSG_SPACE(4) + CMSG_SPACE(4 + IV)] = {0};
	struct msghdr msg = {.msg_control = room};
	int err = is_whole(alg) ? 0 : alg_reset(alg);

	if (err)
		return err;
	control_u32(&msg, ALG_SET_OP, rq->encrypt ? ALG_OP_ENCRYPT : ALG_OP_DECRYPT);
	control_iv(&msg, rq->iv, rq->iv_len);
	if (rq->has_aad)
		control_u32(&msg, ALG_SET_AEAD_ASSOCLEN, (uint32_t)rq->aad_len);
	return sendmsg(alg->op, &msg, MSG_MORE) < 0 ? -errno : 0;
}

/* The socket's buffer must take it at once: nobody is there to make room. */
static int send_pieces(struct alg *alg, struct iovec *iov, size_t nr, size_t len,
		       bool more)
{
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = nr};
	ssize_t n = sendmsg(alg->op, &msg, MSG_DONTWAIT | (more ? MSG_MORE : 0));

	if (n < 0)
		return errno == EAGAIN ? -EMSGSIZE : -errno;
	return n == (ssize_t)len ? 0 : -EMSGSIZE;
}

/* The pages themselves, by way of a pipe. */
static int splice_piece(struct alg *alg, const struct iovec *iov, bool more)
{
	struct iovec left = *iov;

	while (left.iov_len) {
		ssize_t in = vmsplice(alg->pipe[1], &left, 1, 0), out;

		if (in <= 0)
			return in ? -errno : -EIO;
		left.iov_base = (uint8_t *)left.iov_base + in;
		left.iov_len -= (size_t)in;
		for (; in; in -= out) {
			out = splice(alg->pipe[0], NULL, alg->op, NULL, (size_t)in,
				     more || left.iov_len ? SPLICE_F_MORE : 0);
			if (out <= 0)
				return out ? -errno : -EIO;
		}
	}
	return 0;
}

/* The pieces of a window: runs of short ones at once, each long one alone. */
static int push_pieces(struct alg *alg, struct iovec *iov, size_t nr, bool more)
{
	size_t run = 0, len = 0;
	int err = 0;

	for (size_t i = 0; i < nr && !err; i++) {
		if (iov[i].iov_len < SPLICE) {
			len += iov[i].iov_len;
			continue;
		}
		if (i > run)
			err = send_pieces(alg, iov + run, i - run, len, true);
		if (!err)
			err = splice_piece(alg, &iov[i], more || i + 1 < nr);
		run = i + 1;
		len = 0;
	}
	return err || run == nr ? err : send_pieces(alg, iov + run, nr - run, len, more);
}

int alg_push_flat(struct alg *alg, const uint8_t *from, size_t len, bool more)
{
	struct iovec iov = {(void *)(uintptr_t)from, len};

	return send_pieces(alg, &iov, 1, len, more);
}

/* What can be pointed at as it lies, the rest by way of the flat memory. */
static ssize_t push_some(struct alg *alg, struct decant_iter *src, size_t len, bool more)
{
	struct decant_hold hold = {0};
	struct iovec iov[PIECES];
	struct decant_sink sink;
	ssize_t got;
	int err;

	decant_sink_iovec(&sink, iov, PIECES);
	sink.hold = &hold;
	got = decant_extract(src, &sink, len);
	if (got > 0) {
		err = push_pieces(alg, iov, sink.nr, more || (size_t)got < len);
	} else {
		got = decant_copy_to(alg->flat, src, least(len, ALG_TEXT));
		err = got > 0 ? alg_push_flat(alg, alg->flat, (size_t)got,
					      more || (size_t)got < len)
			      : (got ? (int)got : -EFAULT);
	}
	decant_hold_release(&hold);
	return err ? err : got;
}

int alg_push(struct alg *alg, struct decant_iter *src, size_t len, bool more)
{
	ssize_t got;

	for (; len; len -= (size_t)got) {
		got = push_some(alg, src, len, more);
		if (got < 0)
			return (int)got;
	}
	return 0;
}

/* --- and back --- */

static int receive(struct alg *alg, struct iovec *iov, size_t nr, size_t len)
{
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = nr};
	ssize_t n = recvmsg(alg->op, &msg, 0);

	if (n < 0)
		return -errno;
	return n == (ssize_t)len ? 0 : -EIO;
}

/* Whether what is written there is there to be pointed at. */
static bool is_memory(const struct decant_iter *it)
{
	return decant_kind_get(it->kind)->bytes == DECANT_BYTES_MEMORY;
}

static int pull_flat(struct alg *alg, struct iovec *iov, size_t nr, size_t all,
		     struct decant_iter *dst, size_t len)
{
	int err = receive(alg, iov, nr, all);
	ssize_t got;

	if (!err && !is_memory(dst) &&
	    decant_kind_get(dst->kind)->bytes == DECANT_BYTES_NONE) {
		err = decant_iter_advance(dst, len);
	} else if (!err) {
		got = decant_copy_from(dst, alg->flat, len);
		err = got == (ssize_t)len ? 0 : got < 0 ? (int)got : -EFAULT;
	}
	OPENSSL_cleanse(alg->flat, len);
	return err;
}

int alg_pull(struct alg *alg, size_t head, struct decant_iter *dst, size_t len,
	     uint8_t *tail, size_t tail_len)
{
	static const size_t before = 1, after = 1;
	struct decant_iter ahead = *dst;
	struct iovec iov[ALG_IOVS + 2] = {{NULL, 0}};
	struct decant_hold hold = {0};
	struct decant_sink sink;
	uint8_t waste[ALG_AAD];
	bool direct;
	int err;

	iov[0] = (struct iovec){waste, head};
	decant_sink_iovec(&sink, iov + before, ALG_IOVS);
	sink.hold = &hold;
	direct = is_memory(dst) && decant_extract(&ahead, &sink, len) == (ssize_t)len;
	if (!direct) {
		iov[before] = (struct iovec){alg->flat, len};
		sink.nr = 1;
	}
	iov[before + sink.nr] = (struct iovec){tail, tail_len};
	if (direct)
		err = receive(alg, iov, before + sink.nr + after, head + len + tail_len);
	else
		err = pull_flat(alg, iov, before + 1 + after, head + len + tail_len, dst,
				len);
	decant_hold_release(&hold);
	if (direct && !err)
		*dst = ahead;
	return err;
}
