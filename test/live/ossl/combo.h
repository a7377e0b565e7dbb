/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_OSSL_COMBO_H
#define DECANT_TEST_OSSL_COMBO_H
/*
 * combo.h - the same cases over every algorithm and every back end. What a back end does
 * not offer is left out; a back end that is not there is one skipped case.
 *
 * With the name of a back end as argument, a program runs that alone and shorter.
 */
#include "check.h"
#include <decant/crypto.h>

#define COMBO_BACKENDS 4

struct combo_case {
	const char *name;
	void (*run)(int algorithm, enum decant_crypto_backend backend);
};

struct combo {
	const struct combo_case *what;
	const char *algorithm_name;
	int algorithm;
	enum decant_crypto_backend backend;
	char name[160];
};

static struct combo combos[500];
static size_t combos_nr, combos_at;
static bool combo_alone;

/* Times as often where nobody waits for an emulated kernel. */
__attribute__((unused)) static size_t combo_cases(size_t standard)
{
	return check_cases(combo_alone ? (standard + 19) / 20 : standard);
}

static void combo_run(void)
{
	struct combo *c = &combos[combos_at++];

	if (!c->what)
		check_skip("it is not there");
	else
		c->what->run(c->algorithm, c->backend);
}

static void combo_add(const struct combo_case *what, int algorithm, const char *name,
		      enum decant_crypto_backend backend)
{
	struct combo *c = &combos[combos_nr++];

	REQUIRE(combos_nr <= sizeof(combos) / sizeof(*combos));
	*c = (struct combo){what, name, algorithm, backend, {0}};
	snprintf(c->name, sizeof(c->name), "%s, %s%s%s",
		 decant_crypto_backend_name(backend), name, what ? ": " : "",
		 what ? what->name : "");
}

/* Of one back end: offers() says whether it has the algorithm. */
static void
combo_backend(enum decant_crypto_backend backend, const struct combo_case *cases,
	      size_t cases_nr, const char *const *algorithms, size_t algorithms_nr,
	      bool (*offers)(int algorithm, enum decant_crypto_backend backend))
{
	if (decant_crypto_backend_check(backend)) {
		combo_add(NULL, 0, "all", backend);
		return;
	}
	for (size_t a = 0; a < algorithms_nr; a++)
		for (size_t i = 0; i < cases_nr && offers((int)a, backend); i++)
			combo_add(&cases[i], (int)a, algorithms[a], backend);
}

/* All of it, and then what does not depend on algorithm or back end. */
static int combo_main(int argc, char **argv, const struct combo_case *cases,
		      size_t cases_nr, const char *const *algorithms,
		      size_t algorithms_nr,
		      bool (*offers)(int, enum decant_crypto_backend),
		      const struct check_case *others, size_t others_nr)
{
	static struct check_case all[500];
	size_t nr = 0;

	combo_alone = argc > 1;
	for (int b = 0; b < COMBO_BACKENDS; b++)
		if (!combo_alone ||
		    !strcmp(argv[1],
			    decant_crypto_backend_name((enum decant_crypto_backend)b)))
			combo_backend((enum decant_crypto_backend)b, cases, cases_nr,
				      algorithms, algorithms_nr, offers);
	for (; nr < combos_nr; nr++)
		all[nr] = (struct check_case){combos[nr].name, combo_run};
	for (size_t i = 0; i < others_nr && !combo_alone; i++)
		all[nr++] = others[i];
	check_seed_init();
	return check_run(all, nr);
}
#endif
