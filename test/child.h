/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_CHILD_H
#define DECANT_TEST_CHILD_H
/*
 * child.h - a part of a case in a process of its own, which may change its limits, its
 * mounts and its user.
 */
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

#define CHILD_CANNOT 77 /* returned where the machine does not allow it */

/* The child's case must do well; if it can't be had here, the case is skipped. */
__attribute__((unused)) static void child_run(int (*run)(void), const char *without)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	REQUIRE(pid >= 0);
	if (!pid) {
		check_failed = false;
		status = run();
		fflush(stdout);
		_exit(check_failed ? 1 : status);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid);
	if (without && WIFEXITED(status) && WEXITSTATUS(status) == CHILD_CANNOT)
		check_skip(without);
	else
		CHECK_EQ(status, 0);
}

/* In the child: what is mounted from now on is nobody else's. */
__attribute__((unused)) static bool child_mounts(void)
{
	return !unshare(CLONE_NEWNS) &&
	       !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

#endif
