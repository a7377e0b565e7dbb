/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_FUZZ_REPLAY_H
#define DECANT_TEST_FUZZ_REPLAY_H
/*
 * replay.h - a fuzzer's main. With clang's libFuzzer (DECANT_LIBFUZZER) it searches;
 * otherwise it replays the files and directories named on its command line, which is how
 * the corpus runs as a test.
 */
#include <dirent.h>
#include <sys/stat.h>
#include "check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifndef DECANT_LIBFUZZER
static size_t replayed;

static void replay_file(const char *path)
{
	static uint8_t data[1 << 16];
	FILE *file = fopen(path, "rb");
	size_t len;

	REQUIRE(file);
	len = fread(data, 1, sizeof(data), file);
	fclose(file);
	LLVMFuzzerTestOneInput(data, len);
	replayed++;
}

static void replay(const char *path)
{
	char name[4096];
	struct dirent *entry;
	struct stat st;
	DIR *dir;

	REQUIRE(!stat(path, &st));
	if (!S_ISDIR(st.st_mode)) {
		replay_file(path);
		return;
	}
	dir = opendir(path);
	REQUIRE(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		replay_file(name);
	}
	closedir(dir);
}

int main(int argc, char **argv)
{
	printf("1..1\n");
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	printf("# %zu inputs\n%sok 1 - the corpus replays\n", replayed,
	       replayed ? "" : "not ");
	return !replayed;
}
#endif
#endif
