/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <unistd.h>
#include "progress.h"
#include "stats.h"
#include "text.h"

#define TICK_NS 100000000u

void progress_begin(struct progress *p, bool quiet, uint64_t total)
{
	*p = (struct progress){.on = !quiet && isatty(STDERR_FILENO),
			       .began = stats_now(),
			       .total = total};
	p->next = p->began + TICK_NS;
}

static void show_left(const struct progress *p, uint64_t done, double rate)
{
	uint64_t left = rate > 0 ? (uint64_t)((double)(p->total - done) / rate) : 0;

	fprintf(stderr, "%5.1f%%  %s of %s  %s/s  %llu:%02llu left",
		100.0 * (double)done / (double)p->total, text_of_size(done).text,
		text_of_size(p->total).text, text_of_size((uint64_t)rate).text,
		(unsigned long long)(left / 60), (unsigned long long)(left % 60));
}

void progress_show(struct progress *p, uint64_t done)
{
	uint64_t now;
	double rate;

	if (!p->on)
		return;
	now = stats_now();
	if (now < p->next)
		return;
	p->next = now + TICK_NS;
	rate = (double)done / ((double)(now - p->began) * 1e-9);
	fputs("\r\033[K", stderr);
	if (p->total && p->total != UINT64_MAX && done <= p->total)
		show_left(p, done, rate);
	else
		fprintf(stderr, "%s  %s/s", text_of_size(done).text,
			text_of_size((uint64_t)rate).text);
	fflush(stderr);
	p->shown = true;
}

void progress_end(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = false;
}
