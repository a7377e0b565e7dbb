/* SPDX-License-Identifier: MIT */
#include <decant/base.h>

#define TEXT_OF(x) #x
#define TEXT(x)    TEXT_OF(x)

const char *decant_version(void)
{
	return TEXT(DECANT_VERSION_MAJOR) "." TEXT(DECANT_VERSION_MINOR) "." TEXT(
		DECANT_VERSION_PATCH);
}
