/* SPDX-License-Identifier: MIT */
/* fallback.c - io_uring is forbidden: threads take its place and say why. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include "child.h"
#include "rig.h"

static int forbid(unsigned error)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = ARRAY_SIZE(filter), .filter = filter};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) ? -errno : 0;
}

static void without(int error, bool falls_back)
{
	struct decant_uring_options options = {.size = sizeof(options)};
	unsigned char bytes[1000], back[1000];
	struct decant_iter it = rig_buf(DECANT_SOURCE, bytes, 1000);
	struct rig rig;
	int err;

	rig_random(bytes, sizeof(bytes));
	rig_init(&rig, rig_dir(), DECANT_URING_DIRECT_AUTO);
	decant_uring_free(rig.ring);
	options.backend = DECANT_URING_RING;
	CHECK_EQ(decant_uring_new(&rig.ring, &options), -error);
	options.backend = DECANT_URING_AUTO;
	err = decant_uring_new(&rig.ring, &options);
	CHECK_EQ(err, falls_back ? 0 : -error);
	if (err) {
		rig.ring = NULL;
		rig_fini(&rig);
		return;
	}
	CHECK_EQ(decant_uring_backend(rig.ring), DECANT_URING_THREADS);
	CHECK(decant_uring_reason(rig.ring) != NULL);
	printf("# %s\n", decant_uring_reason(rig.ring));
	CHECK_EQ(rig_write(&rig, &it, 1000, 77), 1000);
	it = rig_buf(DECANT_DEST, back, 1000);
	CHECK_EQ(rig_read(&rig, &it, 1000, 77), 1000);
	CHECK(!memcmp(bytes, back, 1000));
	rig_fini(&rig);
}

/* What the kernel says in the child, and whether threads take over. */
static struct {
	int error;
	bool falls_back;
} answer;

static int forbidden(void)
{
	rig_backend = DECANT_URING_THREADS;
	if (forbid((unsigned)answer.error))
		return CHILD_CANNOT;
	without(answer.error, answer.falls_back);
	return 0;
}

static void answered(int error, bool falls_back)
{
	answer.error = error;
	answer.falls_back = falls_back;
	child_run(forbidden, "seccomp filters can't be had");
}

static void not_permitted(void)
{
	answered(EPERM, true);
}

static void not_implemented(void)
{
	answered(ENOSYS, true);
}

static void no_memory(void)
{
	answered(ENOMEM, true);
}

static void no_descriptors(void)
{
	answered(EMFILE, false);
}

int main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{"not permitted", not_permitted},
		{"not implemented", not_implemented},
		{"no memory", no_memory},
		{"no descriptors: an error", no_descriptors},
	};

	return rig_main(argc, argv, cases, ARRAY_SIZE(cases));
}
