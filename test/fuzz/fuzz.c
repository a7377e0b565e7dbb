/* SPDX-License-Identifier: MIT */
/* fuzz.c - the model's and the stage's cases, decided by bytes. */
#include "../matrix/stage_case.h"
#include "../model/machine.h"
#include "replay.h"

static struct stage_scene *scene;
static struct machine *machine;

static void clean_up(void)
{
	stage_scene_free(scene);
	machine_free(machine);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!scene) {
		scene = stage_scene_new();
		machine = machine_new();
		atexit(clean_up);
	}
	feed_data = data;
	feed_left = size;
	if (feed_below(4) == 3)
		stage_case(scene);
	else
		machine_run(machine, 64);
	if (check_failed)
		abort();
	return 0;
}
