/* SPDX-License-Identifier: MIT */
/* copy.c - the verbs: copy, zero, equal, for_each, to and from flat memory. */
#include <errno.h>
#include <decant/decant.h>
#include "check.h"

static unsigned char a[4096], b[4096];

static void fill(void)
{
	for (size_t i = 0; i < sizeof(a); i++) {
		a[i] = (unsigned char)(i * 3 + 1);
		b[i] = 0xcc;
	}
}

static struct decant_iter flat(enum decant_direction direction, unsigned char *addr,
			       size_t len)
{
	struct decant_iter it;

	REQUIRE(!decant_iter_buf(&it, direction, addr, len));
	return it;
}

static size_t cut(struct iovec *iov, unsigned char *addr, size_t len, size_t step)
{
	size_t nr = 0;

	for (size_t at = 0; at < len; at += step) {
		iov[nr++] = (struct iovec){addr + at, len - at < step ? len - at : step};
		iov[nr++] = (struct iovec){NULL, 0};
	}
	return nr;
}

/* The sixteen of 32 bytes that an empty element cost elsewhere, and all other cuts. */
static void any_cut_into_any_other(void)
{
	static struct iovec from[2048], to[2048];
	static const size_t steps[] = {1, 2, 3, 7, 16, 64, 512, 1000, 4096};
	struct decant_iter src, dst;

	for (size_t i = 0; i < 9; i++)
		for (size_t j = 0; j < 9; j++) {
			fill();
			REQUIRE(!decant_iter_iovec(&src, DECANT_SOURCE, from,
						   cut(from, a, 1000, steps[i])));
			REQUIRE(!decant_iter_iovec(&dst, DECANT_DEST, to,
						   cut(to, b, 1000, steps[j])));
			CHECK_EQ(decant_copy(&dst, &src, 999), 999);
			CHECK(!memcmp(a, b, 999) && b[999] == 0xcc);
			CHECK_EQ(decant_iter_count(&src), 1);
			CHECK_EQ(decant_copy(&dst, &src, SIZE_MAX), 1);
			CHECK_EQ(decant_copy(&dst, &src, SIZE_MAX), 0);
		}
}

static void the_least_of_three(void)
{
	struct decant_iter src = flat(DECANT_SOURCE, a, 100),
			   dst = flat(DECANT_DEST, b, 60);

	fill();
	CHECK_EQ(decant_copy(&dst, &src, SIZE_MAX), 60);
	CHECK_EQ(decant_iter_count(&src), 40);
	CHECK_EQ(b[60], 0xcc);
}

static void wrong_directions(void)
{
	struct decant_iter src = flat(DECANT_SOURCE, a, 10),
			   dst = flat(DECANT_DEST, b, 10);

	CHECK_EQ(decant_copy(&src, &src, 1), -EINVAL);
	CHECK_EQ(decant_copy(&dst, &dst, 1), -EINVAL);
	CHECK_EQ(decant_zero(&src, 1), -EINVAL);
	CHECK_EQ(decant_equal(&src, &dst, 1), -EINVAL);
	CHECK_EQ(decant_copy_to(b, &dst, 1), -EINVAL);
	CHECK_EQ(decant_copy_from(&src, b, 1), -EINVAL);
	CHECK_EQ(decant_copy_to(NULL, &src, 1), -EFAULT);
	CHECK_EQ(decant_copy_from(&dst, NULL, 1), -EFAULT);
	CHECK_EQ(decant_iter_count(&src) + decant_iter_count(&dst), 20);
	CHECK_EQ(decant_copy_to(NULL, &src, 0), 0);
}

static void zero_and_discard(void)
{
	struct decant_iter dst = flat(DECANT_DEST, b, 100), zero, discard;
	struct decant_iter src = flat(DECANT_SOURCE, b, 100);
	size_t huge = ((size_t)1 << 33) + 5;

	fill();
	REQUIRE(!decant_iter_zero(&zero, 1 << 20) &&
		!decant_iter_discard(&discard, huge));
	CHECK_EQ(decant_zero(&dst, 50), 50);
	CHECK(b[49] == 0 && b[50] == 0xcc);
	CHECK_EQ(decant_equal(&src, &zero, 50), 1);
	CHECK_EQ(decant_equal(&src, &zero, 51), 0);
	CHECK_EQ(decant_copy(&dst, &zero, SIZE_MAX), 50);
	CHECK_EQ(b[99], 0);
	CHECK_EQ(decant_copy(&discard, &src, SIZE_MAX), 100);
	CHECK_EQ(decant_iter_seek(&discard, 0), 0);
	REQUIRE(!decant_iter_zero(&zero, huge));
	CHECK_EQ(decant_copy(&discard, &zero, SIZE_MAX), huge);
}

static void equality(void)
{
	struct iovec x[3] = {{a, 1}, {NULL, 0}, {a + 1, 99}},
		     y[2] = {{b, 60}, {b + 60, 40}};
	struct decant_iter s, t;

	fill();
	memcpy(b, a, 100);
	REQUIRE(!decant_iter_iovec(&s, DECANT_SOURCE, x, 3));
	REQUIRE(!decant_iter_iovec(&t, DECANT_SOURCE, y, 2));
	CHECK_EQ(decant_equal(&s, &t, 100), 1);
	CHECK_EQ(decant_equal(&s, &t, 101), 0);
	CHECK_EQ(decant_equal(&s, &t, 0), 1);
	b[99] ^= 1;
	CHECK_EQ(decant_equal(&s, &t, 100), 0);
	CHECK_EQ(decant_equal(&s, &t, 99), 1);
	CHECK_EQ(decant_iter_count(&s), 100);
}

struct walk {
	size_t seen, calls, end_at;
	int with;
};

static int step(void *user, struct decant_span span)
{
	struct walk *walk = user;

	CHECK(span.len);
	if (walk->calls == walk->end_at)
		return walk->with;
	walk->calls++;
	walk->seen += span.len;
	return 0;
}

static void for_each(void)
{
	struct iovec iov[4] = {{a, 10}, {NULL, 0}, {a + 50, 20}, {a + 100, 30}};
	struct walk walk = {.end_at = 2, .with = -EIO};
	struct decant_iter it;

	REQUIRE(!decant_iter_iovec(&it, DECANT_SOURCE, iov, 4));
	CHECK_EQ(decant_for_each(&it, SIZE_MAX, step, &walk), 30);
	CHECK_EQ(walk.seen, 30);
	CHECK_EQ(decant_iter_consumed(&it), 30);
	CHECK_EQ(decant_for_each(&it, SIZE_MAX, step, &walk), -EIO);
	walk.with = 1;
	CHECK_EQ(decant_for_each(&it, SIZE_MAX, step, &walk), 0);
	walk.end_at = 10;
	CHECK_EQ(decant_for_each(&it, 7, step, &walk), 7);
	CHECK_EQ(decant_iter_count(&it), 23);
}

static void to_and_from(void)
{
	struct iovec iov[3] = {{b, 3}, {NULL, 0}, {b + 10, 4}};
	struct decant_iter it;
	unsigned char got[8] = {0};

	fill();
	REQUIRE(!decant_iter_iovec(&it, DECANT_DEST, iov, 3));
	CHECK_EQ(decant_copy_from(&it, "abcdefgh", 8), 7);
	CHECK(!memcmp(b, "abc", 3) && b[3] == 0xcc && !memcmp(b + 10, "defg", 4));
	REQUIRE(!decant_iter_iovec(&it, DECANT_SOURCE, iov, 3));
	CHECK_EQ(decant_copy_to(got, &it, 8), 7);
	CHECK(!memcmp(got, "abcdefg", 8));
}

static void in_place(void)
{
	static struct iovec from[2048], to[2048];
	unsigned char before[1000];
	struct decant_iter src, dst;

	fill();
	memcpy(before, a, 1000);
	REQUIRE(!decant_iter_iovec(&src, DECANT_SOURCE, from, cut(from, a, 1000, 7)));
	REQUIRE(!decant_iter_iovec(&dst, DECANT_DEST, to, cut(to, a, 1000, 64)));
	CHECK_EQ(decant_copy(&dst, &src, SIZE_MAX), 1000);
	CHECK(!memcmp(a, before, 1000));
}

int main(void)
{
	static const struct check_case cases[] = {
		{"any cut into any other", any_cut_into_any_other},
		{"the least of three lengths", the_least_of_three},
		{"wrong directions", wrong_directions},
		{"zero and discard", zero_and_discard},
		{"equality", equality},
		{"for_each and its early end", for_each},
		{"to and from flat memory", to_and_from},
		{"in place", in_place},
	};

	return check_run(cases, sizeof(cases) / sizeof(*cases));
}
