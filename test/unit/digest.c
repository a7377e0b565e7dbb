/* SPDX-License-Identifier: MIT */
/*
 * digest.c - the verbs of digests with an algorithm that remembers every byte, and one
 * that fails.
 */
#include "check.h"
#include <decant/decant.h>
#include <errno.h>
#include <unistd.h>

#define ROOM 200000

/* What the algorithm was told. */
static struct {
	uint8_t bytes[ROOM];
	size_t len, calls, begun, ended;
	int error; /* of the next update */
} seen;

static int toy_begin(struct decant_digest *digest)
{
	(void)digest;
	seen.len = seen.calls = 0;
	seen.begun++;
	return 0;
}

static int toy_update(struct decant_digest *digest, const void *addr, size_t len)
{
	(void)digest;
	CHECK(len > 0 && len <= ROOM - seen.len);
	memcpy(seen.bytes + seen.len, addr, len);
	seen.len += len;
	seen.calls++;
	return seen.error;
}

static int toy_final(struct decant_digest *digest, void *out)
{
	(void)digest;
	memcpy(out, &seen.len, sizeof(seen.len));
	return 0;
}

static int toy_clone(struct decant_digest *to, const struct decant_digest *from)
{
	*to = *from;
	to->word[0]++;
	return 0;
}

static void toy_fini(struct decant_digest *digest)
{
	(void)digest;
	seen.ended++;
}

static const struct decant_digest_ops toy = {"toy",	sizeof(size_t), 300,
					     true,	toy_begin,	toy_update,
					     toy_final, toy_clone,	toy_fini};

static struct decant_digest fresh(void)
{
	memset(&seen, 0, sizeof(seen));
	return (struct decant_digest){.ops = &toy};
}

static uint8_t text[ROOM];
static struct iovec pieces[ROOM];

static void fill(void)
{
	for (size_t i = 0; i < ROOM; i++)
		text[i] = (uint8_t)check_random();
}

/* A text of pieces of up to most bytes that are no neighbours; its length. */
static size_t cut(size_t nr, size_t most, uint8_t *flat)
{
	size_t at = 0, len = 0;

	for (size_t i = 0; i < nr; i++) {
		size_t n = check_below(most + 1);

		pieces[i] = (struct iovec){text + at, n};
		memcpy(flat + len, text + at, n);
		len += n;
		at += n + 1;
	}
	REQUIRE(at <= ROOM);
	return len;
}

static void cuts(void)
{
	static const size_t mosts[] = {1, 3, 20, 100, 700, 9000};
	static uint8_t flat[ROOM];
	size_t cases = check_cases(300);

	fill();
	for (size_t i = 0; i < cases && !check_failed; i++) {
		size_t most = mosts[check_below(6)], result;
		size_t len = cut(check_below(ROOM / (most + 1) / 2) % 1500, most, flat);
		struct decant_digest digest = fresh();
		struct decant_iter it;
		size_t nr = 0, done = 0;

		while (done < len)
			done += pieces[nr++].iov_len;
		REQUIRE(!decant_iter_iovec(&it, DECANT_SOURCE, pieces, nr));
		for (done = 0; done < len;) {
			size_t n = 1 + check_below(len - done);

			CHECK_EQ(decant_digest_update(&digest, &it, n), n);
			done += n;
		}
		CHECK_EQ(decant_digest_update(&digest, &it, 1), 0);
		CHECK_EQ(decant_digest_final(&digest, &result), 0);
		CHECK(result == len && !memcmp(seen.bytes, flat, len));
		CHECK_EQ(seen.begun, 1);
		decant_digest_fini(&digest);
		CHECK_EQ(seen.ended, 1);
	}
}

/* Small pieces come together, large ones as they lie. */
static void gathered(void)
{
	struct decant_digest digest = fresh();
	struct decant_iter it;

	for (size_t i = 0; i < 1000; i++)
		pieces[i] = (struct iovec){text + 20 * i, 8};
	REQUIRE(!decant_iter_iovec(&it, DECANT_SOURCE, pieces, 1000));
	CHECK_EQ(decant_digest_update(&digest, &it, SIZE_MAX), 8000);
	CHECK_EQ(seen.calls, 1);
	pieces[1] = (struct iovec){text + 1000, 5000};
	REQUIRE(!decant_iter_iovec(&it, DECANT_SOURCE, pieces, 3));
	CHECK_EQ(decant_digest_update(&digest, &it, SIZE_MAX), 5016);
	CHECK_EQ(seen.calls, 4);
	CHECK_EQ(decant_digest_bytes(&digest), sizeof(size_t));
	decant_digest_fini(&digest);
	decant_digest_fini(&digest);
	CHECK_EQ(seen.ended, 1);
}

static void copies(void)
{
	static uint8_t flat[ROOM], to[ROOM];
	size_t cases = check_cases(100);

	fill();
	for (size_t i = 0; i < cases && !check_failed; i++) {
		size_t len = cut(1 + check_below(200), 500, flat), half = len / 2;
		struct iovec out[] = {{to, half}, {to + half + 3, ROOM - half - 3}};
		struct decant_digest digest = fresh();
		struct decant_iter src, dst;
		size_t nr = 0, done = 0, asked = check_below(2 * len);

		while (done < len)
			done += pieces[nr++].iov_len;
		REQUIRE(!decant_iter_iovec(&src, DECANT_SOURCE, pieces, nr));
		REQUIRE(!decant_iter_iovec(&dst, DECANT_DEST, out, 2));
		asked = asked < len ? asked : len;
		CHECK_EQ(decant_digest_copy(&digest, &dst, &src, asked), asked);
		CHECK_EQ(decant_iter_consumed(&src), asked);
		CHECK_EQ(decant_iter_consumed(&dst), asked);
		CHECK(seen.len == asked && !memcmp(seen.bytes, flat, asked));
		done = asked < half ? asked : half;
		CHECK(!memcmp(to, flat, done));
		CHECK(!memcmp(to + half + 3, flat + done, asked - done));
	}
}

/* What can't be reached ends it after what can; the digest has just that. */
static void faults(void)
{
	static uint8_t to[5000];
	struct decant_digest digest = fresh();
	struct iovec there[] = {{text, 3000}, {(void *)(uintptr_t)4096, 100}};
	struct decant_iter src, dst, again;

	REQUIRE(!decant_iter_process(&src, DECANT_SOURCE, getpid(), there, 2));
	again = src;
	CHECK_EQ(decant_digest_update(&digest, &src, SIZE_MAX), 3000);
	CHECK(seen.len == 3000 && decant_iter_consumed(&src) == 3000);
	CHECK_EQ(decant_digest_update(&digest, &src, SIZE_MAX), -EFAULT);
	CHECK_EQ(seen.len, 3000);
	digest = fresh();
	REQUIRE(!decant_iter_buf(&dst, DECANT_DEST, to, sizeof(to)));
	CHECK_EQ(decant_digest_copy(&digest, &dst, &again, SIZE_MAX), 3000);
	CHECK(seen.len == 3000 && decant_iter_consumed(&dst) == 3000);
	CHECK_EQ(decant_digest_copy(&digest, &dst, &again, SIZE_MAX), -EFAULT);
	REQUIRE(!decant_iter_buf(&src, DECANT_SOURCE, text, 3100));
	REQUIRE(!decant_iter_process(&dst, DECANT_DEST, getpid(), there, 2));
	digest = fresh();
	CHECK_EQ(decant_digest_copy(&digest, &dst, &src, SIZE_MAX), 3000);
	CHECK(seen.len == 3000 && decant_iter_consumed(&src) == 3000);
}

static void errors(void)
{
	struct decant_digest digest = fresh(), clone = {0};
	struct decant_iter src, dst;
	struct decant_digest_ops no_clone = toy;
	size_t result;

	REQUIRE(!decant_iter_buf(&src, DECANT_SOURCE, text, 100));
	REQUIRE(!decant_iter_buf(&dst, DECANT_DEST, text + 200, 100));
	CHECK_EQ(decant_digest_update(&digest, &dst, 10), -EINVAL);
	CHECK_EQ(decant_digest_copy(&digest, &src, &dst, 10), -EINVAL);
	CHECK_EQ(decant_digest_copy(&digest, &dst, &src, 0), 0);
	CHECK_EQ(decant_digest_update(&digest, &src, 50), 50);
	CHECK_EQ(decant_digest_clone(&clone, &digest), 0);
	CHECK(clone.begun && clone.word[0] == 1);
	seen.error = -EIO;
	CHECK_EQ(decant_digest_update(&digest, &src, 10), -EIO);
	CHECK_EQ(decant_digest_copy(&digest, &dst, &src, 10), -EIO);
	seen.error = 0;
	CHECK_EQ(decant_digest_final(&digest, &result), 0);
	CHECK_EQ(decant_digest_final(&digest, &result), 0);
	CHECK_EQ(result, 0);
	no_clone.clone = NULL;
	digest.ops = &no_clone;
	CHECK_EQ(decant_digest_clone(&clone, &digest), -ENOTSUP);
}

int main(void)
{
	static const struct check_case cases[] = {
		{"any cut, any number of calls", cuts},
		{"small pieces are gathered", gathered},
		{"copied on the way", copies},
		{"bytes that can't be had", faults},
		{"errors", errors},
	};

	check_seed_init();
	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
