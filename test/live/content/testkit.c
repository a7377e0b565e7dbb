/* SPDX-License-Identifier: MIT */
/*
 * testkit.c - the published vectors of the age format: each file opens, or fails where it
 * should, whatever the cuts, and hands out what was vouched for before. Those of the
 * hybrid type, which decant does not have, are refused as anybody else's files are.
 */
#include <dirent.h>
#include <errno.h>
#include <openssl/sha.h>
#include <zlib.h>
#include <decant/age.h>
#include "../ossl/cuts.h"

#define MOST_BYTES (20u << 20)

enum expect { SUCCESS, NO_MATCH, HMAC, HEADER, PAYLOAD, ARMOR, UNKNOWN };

static const char *const expectations[] = {
	"success",	  "no match",	     "HMAC failure",
	"header failure", "payload failure", "armor failure",
};

struct vector {
	const char *name;
	enum expect expect;
	char payload[65];
	bool armored, compressed;
	bool foreign; /* the identity is of a type that decant does not have */
	struct decant_age_keys *keys;
	uint8_t *file;
	size_t len;
};

static uint8_t *plain, *binary;

/* --- reading a vector --- */

/* Whoever has a key of another type is nobody here; a stranger tries in their place. */
static void add_identity(struct vector *v, const char *value)
{
	char identity[DECANT_AGE_IDENTITY_CHARS], recipient[DECANT_AGE_RECIPIENT_CHARS];
	int err = decant_age_keys_identity(v->keys, value);

	if (!err)
		return;
	REQUIRE(err == -EINVAL && !strncmp(value, "AGE-SECRET-KEY-PQ-1", 19));
	REQUIRE(!decant_age_identity_new(identity, recipient));
	REQUIRE(!decant_age_keys_identity(v->keys, identity));
	v->foreign = true;
}

static void set(struct vector *v, const char *key, const char *value)
{
	if (!strcmp(key, "expect"))
		for (v->expect = 0; v->expect < UNKNOWN; v->expect++)
			if (!strcmp(value, expectations[v->expect]))
				return;
	if (!strcmp(key, "payload"))
		snprintf(v->payload, sizeof(v->payload), "%s", value);
	v->armored |= !strcmp(key, "armored");
	v->compressed |= !strcmp(key, "compressed");
	if (!strcmp(key, "passphrase"))
		REQUIRE(!decant_age_keys_passphrase(v->keys, value, strlen(value)));
	if (!strcmp(key, "identity"))
		add_identity(v, value);
}

static void inflate_file(struct vector *v)
{
	uint8_t *out = malloc(MOST_BYTES);
	uLongf len = MOST_BYTES;

	REQUIRE(out && uncompress(out, &len, v->file, v->len) == Z_OK);
	free(v->file);
	v->file = out;
	v->len = len;
}

static void load(struct vector *v, const char *path)
{
	char line[4096], *colon;
	FILE *f = fopen(path, "rb");

	REQUIRE(f && !decant_age_keys_new(&v->keys));
	while (fgets(line, sizeof(line), f) && *line != '\n') {
		line[strcspn(line, "\n")] = '\0';
		colon = strstr(line, ": ");
		REQUIRE(colon);
		*colon = '\0';
		set(v, line, colon + 2);
	}
	v->file = malloc(1 << 20);
	REQUIRE(v->file);
	v->len = fread(v->file, 1, 1 << 20, f);
	fclose(f);
	if (v->compressed)
		inflate_file(v);
}

/* --- one way through it --- */

/* The armor off, with cuts on both sides. */
static ssize_t take_off(const struct cuts *from)
{
	struct decant_iter src = view(from, DECANT_SOURCE), some, dst;
	struct decant_age_armor *armor;
	ssize_t got = 0, len = 0;

	REQUIRE(!decant_age_armor_new(&armor, DECANT_AGE_ARMOR_DECODE));
	do {
		size_t n = check_below(200), left = decant_iter_count(&src);
		bool last = n >= left;

		n = last ? left : n;
		some = src;
		decant_iter_truncate(&some, n);
		decant_iter_buf(&dst, DECANT_DEST, binary + len, 1 + check_below(100));
		got = decant_age_armor_run(armor, &dst, &some, last);
		len += (ssize_t)decant_iter_consumed(&dst);
		REQUIRE(!decant_iter_advance(&src, n - decant_iter_count(&some)));
		if (last && !got)
			break;
	} while (got >= 0);
	decant_age_armor_free(armor);
	return got < 0 ? got : len;
}

static enum expect meaning(ssize_t err)
{
	if (err == -ENOKEY)
		return NO_MATCH;
	return err == -EBADMSG ? HMAC : HEADER;
}

/*
 * The vectors' authors hand out a chunk that is authentic before they find that the
 * file goes on behind the last one or ends before it. Here it is withheld; under the
 * other mark it is what they expect.
 */
static size_t withheld(struct decant_age *age, struct decant_iter *src, uint64_t chunk,
		       size_t at, ssize_t err)
{
	size_t n = decant_iter_count(src);
	struct decant_iter dst;

	if ((err != -ENODATA && err != -EFBIG) || n < DECANT_AGE_SEALED_BYTES)
		return 0;
	n = DECANT_AGE_SEALED_BYTES;
	decant_iter_buf(&dst, DECANT_DEST, plain + at, n);
	CHECK_EQ(decant_age_unseal(age, &dst, src, n, chunk, err == -EFBIG),
		 DECANT_AGE_CHUNK_BYTES);
	return DECANT_AGE_CHUNK_BYTES;
}

/* All chunks in calls of any size, as a pipe would bring them. */
static enum expect open_all(struct decant_age *age, struct decant_iter *src, size_t *len)
{
	struct decant_iter dst;
	uint64_t chunk = 0;

	*len = 0;
	for (;;) {
		size_t left = decant_iter_count(src), n = 1 + check_below(5);
		bool last = n * DECANT_AGE_SEALED_BYTES >= left;
		ssize_t got;

		n = last ? left : n * DECANT_AGE_SEALED_BYTES;
		decant_iter_buf(&dst, DECANT_DEST, plain + *len, n);
		got = decant_age_unseal(age, &dst, src, n, chunk, last);
		if (got < 0) {
			*len += withheld(age, src, chunk, *len, got);
			return PAYLOAD;
		}
		*len += (size_t)got;
		chunk += ((size_t)got + DECANT_AGE_CHUNK_BYTES - 1) /
			 DECANT_AGE_CHUNK_BYTES;
		if (!decant_iter_count(src))
			return SUCCESS;
		/* Fewer than asked for: the next call says why. */
	}
}

static void check_payload(const struct vector *v, size_t len)
{
	uint8_t hash[SHA256_DIGEST_LENGTH];
	char hex[65];

	SHA256(plain, len, hash);
	for (int i = 0; i < SHA256_DIGEST_LENGTH; i++)
		sprintf(hex + 2 * i, "%02x", hash[i]);
	if (strcmp(hex, v->payload))
		check_fail(__FILE__, __LINE__, "%s: payload is %s", v->name, hex);
}

/* The same by random access: what can't be opened whole can't be opened at all. */
static void check_file(const struct vector *v, const struct decant_iter *src)
{
	struct decant_age_file *file;
	struct decant_iter dst;
	int err = decant_age_file_open(&file, src, v->keys);
	size_t size;

	if (v->expect != SUCCESS && v->expect != PAYLOAD)
		CHECK(err);
	if (v->expect == SUCCESS)
		CHECK_EQ(err, 0);
	if (err)
		return;
	size = decant_age_file_size(file);
	REQUIRE(size < MOST_BYTES);
	decant_iter_buf(&dst, DECANT_DEST, plain, MOST_BYTES);
	if (v->expect == SUCCESS) {
		CHECK_EQ(decant_age_read(file, &dst, SIZE_MAX, 0), size);
		check_payload(v, size);
	} else {
		CHECK((size_t)decant_age_read(file, &dst, SIZE_MAX, 0) != size);
	}
	decant_age_file_close(file);
}

static enum expect open_binary(const struct vector *v, struct decant_iter src,
			       size_t *len)
{
	struct decant_age *age;
	enum expect result;
	ssize_t got;

	check_file(v, &src);
	got = decant_age_open(&age, &src, v->keys);
	if (got < 0)
		return meaning(got);
	result = open_all(age, &src, len);
	decant_age_free(age);
	return result;
}

static enum expect go_through(struct vector *v, const struct cuts *from, size_t *len)
{
	struct decant_iter src = view(from, DECANT_SOURCE);
	struct cuts cuts;
	enum expect result;
	ssize_t got;

	if (!v->armored)
		return open_binary(v, src, len);
	check_file(v, &src);
	got = take_off(from);
	if (got < 0)
		return ARMOR;
	cut(&cuts, (size_t)got, 90);
	scatter(&cuts, cuts.memory, binary);
	result = open_binary(v, view(&cuts, DECANT_SOURCE), len);
	free(cuts.memory);
	return result;
}

static void run_vector(struct vector *v)
{
	struct cuts cuts;
	size_t len = 0;
	enum expect got;

	cut(&cuts, v->len, v->len > 100000 ? 70000 : 100);
	scatter(&cuts, cuts.memory, v->file);
	got = go_through(v, &cuts, &len);
	if (got != v->expect)
		check_fail(__FILE__, __LINE__, "%s: %s instead of %s", v->name,
			   expectations[got], expectations[v->expect]);
	if (v->expect == SUCCESS || v->expect == PAYLOAD)
		check_payload(v, len);
	free(cuts.memory);
}

/*
 * What is inside stanzas of another type is nobody's business here: they do not match.
 * That all stanzas are lines of canonical base64, and that those of X25519 are what they
 * should be, is asked of any header.
 */
static enum expect without_the_type(const char *name)
{
	return !strcmp(name, "hybrid_not_canonical_body") ||
			       !strcmp(name, "hybrid_x25519_arg")
		       ? HEADER
		       : NO_MATCH;
}

static void run_file(size_t nr, const char *dir, const char *name)
{
	struct vector v = {.name = name, .expect = UNKNOWN};
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	load(&v, path);
	check_failed = false;
	if (v.foreign)
		v.expect = without_the_type(name);
	run_vector(&v);
	printf("%sok %zu - %s%s\n", check_failed ? "not " : "", nr, name,
	       v.foreign ? ", without the type" : "");
	decant_age_keys_free(v.keys);
	free(v.file);
}

static int is_vector(const struct dirent *entry)
{
	return !strchr(entry->d_name, '.');
}

int main(int argc, char **argv)
{
	struct dirent **names;
	bool failed = false;
	int nr;

	setvbuf(stdout, NULL, _IOLBF, 0);
	REQUIRE(argc == 2);
	plain = malloc(MOST_BYTES);
	binary = malloc(MOST_BYTES);
	nr = scandir(argv[1], &names, is_vector, alphasort);
	REQUIRE(plain && binary && nr > 0);
	check_seed_init();
	printf("1..%d\n", nr);
	for (int i = 0; i < nr; i++) {
		run_file((size_t)i + 1, argv[1], names[i]->d_name);
		failed |= check_failed;
		free(names[i]);
	}
	free(names);
	free(plain);
	free(binary);
	return failed;
}
