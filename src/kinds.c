/* SPDX-License-Identifier: MIT */
#include "kinds.h"

#define DECANT_KIND(NAME, name) &decant_##name##_kind,
static const struct decant_kind *const kinds[] = {
#include <decant/kinds.def>
};
#undef DECANT_KIND

const struct decant_kind *decant_kind_get(unsigned id)
{
	return id < DECANT_KIND_COUNT ? kinds[id] : NULL;
}
