/* SPDX-License-Identifier: MIT */
/*
 * crypto.c - everything that has a key, with each allocation failing (OpenSSL's as well)
 * and each system call of the kernel's algorithms; and what of keys and texts is left
 * behind: in memory that was given back, in memory that is still in use, on the stack.
 *
 * "crypto af_alg" runs what the kernel does, and nothing else.
 */
#include "crypto.h"
#include "crypto_files.h"

#define STACK (1u << 20)

static const struct family {
	const char *name;
	int (*life)(void);
	int algorithms;
	bool backends;
	int error; /* beside -ENOMEM */
} families[] = {
	{"AEADs", aead_life, 5, true, -ENOBUFS},
	{"storage ciphers", cipher_life, 6, true, -ENOBUFS},
	{"digests", hash_life, 6, true, -ENOBUFS},
	{"keys derived", kdf_life, 1, false, -ENOMEM},
	{"age files", age_life, 2, false, -EIO},
	{"files of fscrypt", fscrypt_life, 1, false, -ENOMEM},
};

#define FAMILIES (sizeof(families) / sizeof(*families))

static bool kernel_only;

static bool is_there(const struct family *family, enum decant_crypto_backend backend)
{
	if (kernel_only)
		return family->backends && backend == DECANT_CRYPTO_AF_ALG;
	return family->backends ? !decant_crypto_backend_check(backend)
				: backend == DECANT_CRYPTO_AUTO;
}

/* On every back end that has the algorithm; the first life warms OpenSSL up. */
static void each(const struct family *family, void (*fn)(const struct family *))
{
	/* An emulated kernel is slow: two of each kind there. */
	int step = kernel_only ? 3 : 1;
	size_t ran = 0;

	for (int b = 0; b <= DECANT_CRYPTO_AF_ALG; b++) {
		now.backend = (enum decant_crypto_backend)b;
		for (int a = 0; a < family->algorithms && !check_failed; a += step) {
			now.algorithm = a;
			if (is_there(family, now.backend) && family->life() != -ENOTSUP) {
				fn(family);
				ran++;
			}
			if (check_failed)
				printf("# algorithm %d, %s\n", a,
				       decant_crypto_backend_name(now.backend));
		}
	}
	CHECK(ran > 0);
}

static void fails(const struct family *family)
{
	fault_errno = ENOBUFS;
	with_each_failing(family->life, family->error);
}

static const struct family *living;
static bool lived;

static void live(void)
{
	CHECK_EQ(living->life(), 0);
	lived = true;
}

/* On a stack of its own, which is looked at after each step. */
static void leaves_nothing(const struct family *family)
{
	static uint8_t stack[STACK];

	memset(stack, 0, STACK);
	living = family;
	lived = false;
	looked_at = true;
	REQUIRE(!getcontext(&life));
	life.uc_stack.ss_sp = stack;
	life.uc_stack.ss_size = STACK;
	life.uc_link = &onlooker;
	makecontext(&life, live, 0);
	for (int step = 1; !lived && !check_failed; step++) {
		REQUIRE(!swapcontext(&onlooker, &life));
		CHECK_EQ(watch_in_use(), 0);
		CHECK_EQ(watch_on_stack(stack, STACK), 0);
		if (check_failed)
			printf("# step %d\n", step);
	}
	looked_at = false;
}

/* Twice for each family. */
static void run(void)
{
	static size_t at;
	size_t i = at++;

	each(&families[i / 2], i % 2 ? leaves_nothing : fails);
}

int main(int argc, char **argv)
{
	static struct check_case cases[2 * FAMILIES];
	static char names[2 * FAMILIES][80];

	(void)argv;
	kernel_only = argc > 1;
	REQUIRE(watch_openssl());
	for (size_t i = 0; i < 2 * FAMILIES; i++) {
		snprintf(names[i], sizeof(names[i]), "%s: %s", families[i / 2].name,
			 i % 2 ? "no secret is left anywhere"
			       : "each allocation and call fails");
		cases[i] = (struct check_case){names[i], run};
	}
	check_seed_init();
	files_begin();
	return check_run(cases, 2 * (kernel_only ? 3 : FAMILIES));
}
