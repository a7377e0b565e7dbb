/* SPDX-License-Identifier: MIT */
#ifndef DECANT_TEST_VERBS_DEVICE_H
#define DECANT_TEST_VERBS_DEVICE_H
/*
 * device.h - a device in this process, where libibverbs has its own: it checks every
 * rule that real ones have, and ends the program where one is broken that some of them
 * don't check. Requests are carried out some at a time, when completions are asked for.
 */
#include <stddef.h>

/**
 * struct device - what the test sets, and what came of it
 * @max_sge, @max_sge_rd, @max_inline, @max_reads: its limits, before it is opened
 * @iwarp: whether it is of that sort
 * @refuse: the how-manieth work request from now on is refused; 0: none
 * @refusal: what the call returns then, of either sign
 * @called: NULL, or what somebody does who is called (manager.c)
 * @stuck: carry nothing out
 * @forgetful: requests of a queue pair that ends are not answered
 * @round_inline: queue pairs get so many bytes of inline data more than they asked for
 * @registering: NULL, or what goes on meanwhile in another thread, once
 * @unregistrable: 0, or the errno that each registration of memory ends with
 * @registered: regions that were registered, without those of dma-bufs
 * @domains, @regions, @pairs: that exist
 */
struct device {
	unsigned max_sge, max_sge_rd, max_inline, max_reads;
	int iwarp;
	size_t refuse;
	int refusal;
	void (*called)(void);
	int stuck, forgetful;
	unsigned round_inline;
	void *(*registering)(void *);
	int unregistrable;
	size_t registered;
	size_t domains, regions, pairs;
};

extern struct device device;
#endif
