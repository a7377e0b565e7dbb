/* SPDX-License-Identifier: MIT */
/* limits_block.c - what block devices demand: queues in sysfs, and NVMe's numbers. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <decant/nvme.h>
#include <input.h>
#include "real.h"
#include "text.h"

#define BLOCK_DIRECTORY "/sys/class/block"
#define PATH_ROOM	4096

struct queue {
	uint64_t max_segments;
	uint64_t max_segment_size;
	uint64_t max_sectors_kb;
	uint64_t max_hw_sectors_kb;
	uint64_t virt_boundary_mask;
	uint64_t dma_alignment;
	uint64_t logical_block_size;
	uint64_t physical_block_size;
};

static const struct {
	const char *name;
	size_t offset;
	bool needed;
	uint64_t otherwise; /* what kernels did that don't say */
} attributes[] = {
	{"max_segments", offsetof(struct queue, max_segments), true, 0},
	{"max_segment_size", offsetof(struct queue, max_segment_size), true, 0},
	{"max_sectors_kb", offsetof(struct queue, max_sectors_kb), true, 0},
	{"max_hw_sectors_kb", offsetof(struct queue, max_hw_sectors_kb), false, 0},
	{"virt_boundary_mask", offsetof(struct queue, virt_boundary_mask), false, 0},
	{"dma_alignment", offsetof(struct queue, dma_alignment), false, 511},
	{"logical_block_size", offsetof(struct queue, logical_block_size), true, 0},
	{"physical_block_size", offsetof(struct queue, physical_block_size), false, 0},
};

#define NR_ATTRIBUTES (sizeof(attributes) / sizeof(*attributes))

static bool read_attribute(const char *directory, size_t i, struct queue *queue)
{
	uint64_t *value = (uint64_t *)(void *)((char *)queue + attributes[i].offset);
	char path[PATH_ROOM + 64], text[32] = "";
	FILE *file;
	char *end;

	snprintf(path, sizeof(path), "%s/queue/%s", directory, attributes[i].name);
	file = fopen(path, "re");
	if (!file) {
		*value = attributes[i].otherwise;
		return !attributes[i].needed;
	}
	if (!fgets(text, sizeof(text), file))
		text[0] = 0;
	fclose(file);
	errno = 0;
	*value = strtoull(text, &end, 10);
	if (!errno && end > text && (*end == '\n' || !*end))
		return true;
	errno = EBADMSG;
	return false;
}

/* A partition's queue is its disk's. */
static bool find_directory(const char *name, char directory[PATH_ROOM])
{
	char path[PATH_ROOM + 16];
	struct stat st;

	if (!strncmp(name, "/dev/", 5) && !stat(name, &st) && S_ISBLK(st.st_mode))
		snprintf(directory, PATH_ROOM, "/sys/dev/block/%u:%u", major(st.st_rdev),
			 minor(st.st_rdev));
	else if (strchr(name, '/'))
		snprintf(directory, PATH_ROOM, "%s", name);
	else
		snprintf(directory, PATH_ROOM, BLOCK_DIRECTORY "/%s", name);
	snprintf(path, sizeof(path), "%s/queue", directory);
	if (!stat(path, &st))
		return true;
	snprintf(path, sizeof(path), "%s/partition", directory);
	if (stat(path, &st) || strlen(directory) + 4 > PATH_ROOM)
		return false;
	strcat(directory, "/..");
	return true;
}

static bool read_queue(const char *name, struct queue *queue, struct report *report)
{
	char directory[PATH_ROOM];

	if (!find_directory(name, directory))
		return report_set(
			report, EXIT_PEER,
			"block:%s: no such device here; see decant limits block", name);
	for (size_t i = 0; i < NR_ATTRIBUTES; i++)
		if (!read_attribute(directory, i, queue))
			return report_set(report, EXIT_SOURCE, "%.300s/queue/%s: %s",
					  directory, attributes[i].name, strerror(errno));
	return true;
}

static struct decant_limits limits_of_queue(const struct queue *q)
{
	return (struct decant_limits){
		.max_elements = q->max_segments,
		.max_element_bytes = q->max_segment_size,
		.max_bytes = q->max_sectors_kb * 1024,
		.gap = q->virt_boundary_mask ? q->virt_boundary_mask + 1 : 0,
		.addr_align = q->dma_alignment + 1,
		.len_align = q->logical_block_size,
	};
}

bool limits_of_block(const char *name, struct decant_limits *limits,
		     struct report *report)
{
	struct queue queue;

	if (!name)
		return report_set(report, EXIT_USAGE,
				  "--limits block: expected block:NAME");
	if (!read_queue(name, &queue, report))
		return false;
	*limits = limits_of_queue(&queue);
	return true;
}

static void show_json(struct limits_request *r, const char *name, const struct queue *q)
{
	struct decant_limits limits = limits_of_queue(q);

	fprintf(r->out, "%s{\"device\":", r->found ? "," : "");
	text_json(r->out, name);
	for (size_t i = 0; i < NR_ATTRIBUTES; i++)
		fprintf(r->out, ",\"%s\":%llu", attributes[i].name,
			*(const unsigned long long *)(const void *)((const char *)q +
								    attributes[i]
									    .offset));
	fprintf(r->out, ",");
	limits_print_json(r->out, "limits", &limits);
	fprintf(r->out, "}");
}

static void show_text(struct limits_request *r, const char *name, const struct queue *q)
{
	struct decant_limits limits = limits_of_queue(q);

	if (!r->found)
		fprintf(r->out, "%-16s %8s %12s %12s %8s %8s %8s\n", "block device",
			"elements", "bytes each", "bytes", "memory", "block", "gap");
	fprintf(r->out, "%-16s %8zu %12s %12s %8zu %8zu %8zu\n", name,
		limits.max_elements, text_of_size(limits.max_element_bytes).text,
		text_of_size(limits.max_bytes).text, limits.addr_align, limits.len_align,
		limits.gap);
}

static bool show(struct limits_request *r, const char *name)
{
	struct queue queue;

	if (!read_queue(name, &queue, r->report))
		return false;
	(r->json ? show_json : show_text)(r, name, &queue);
	r->found++;
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct dirent *const *)a)[0]->d_name,
		      ((const struct dirent *const *)b)[0]->d_name);
}

/* Whole disks. */
static int is_disk(const struct dirent *entry)
{
	char path[PATH_ROOM];
	struct stat st;

	snprintf(path, sizeof(path), BLOCK_DIRECTORY "/%s/queue", entry->d_name);
	return entry->d_name[0] != '.' && !stat(path, &st);
}

static void show_disks(struct limits_request *r)
{
	struct dirent **list;
	int nr = scandir(BLOCK_DIRECTORY, &list, is_disk, NULL);

	if (nr < 0)
		return;
	qsort(list, (size_t)nr, sizeof(*list), by_name);
	for (int i = 0; i < nr; i++) {
		if (!r->report->code)
			show(r, list[i]->d_name);
		free(list[i]);
	}
	free(list);
}

bool limits_block(struct limits_request *r)
{
	if (r->json)
		fprintf(r->out, "\"block\":[");
	if (r->name)
		show(r, r->name);
	else
		show_disks(r);
	if (r->json)
		fprintf(r->out, "]");
	if (r->found || r->report->code)
		return !r->report->code;
	if (!r->all)
		return report_set(r->report, EXIT_PEER, "block: no devices in %s",
				  BLOCK_DIRECTORY);
	if (!r->json)
		fprintf(r->out, "no block devices\n");
	return true;
}

/* Numbers that Identify Controller and Identify Namespace give. */
struct controller {
	uint64_t mdts;
	uint64_t page;
	uint64_t block;
	uint64_t sgls;
};

static bool parse_number(struct explain_text *t, struct controller *c, bool *has_sgls)
{
	size_t at = explain_pos(t);
	uint64_t *to = NULL;
	char name[16];

	if (!explain_word(t, "nvme", name, sizeof(name)))
		return false;
	if (!strcmp(name, "mdts"))
		to = &c->mdts;
	else if (!strcmp(name, "page"))
		to = &c->page;
	else if (!strcmp(name, "block"))
		to = &c->block;
	else if (!strcmp(name, "sgls"))
		to = &c->sgls;
	if (!to)
		return explain_fail(t->error, at,
				    "%s: expected mdts, page, block or sgls", name);
	*has_sgls |= to == &c->sgls;
	if (explain_next(t) != '=')
		return explain_fail(t->error, explain_pos(t), "%s: expected =", name);
	t->at++;
	return explain_number(t, name, to);
}

static bool parse_controller(struct explain_text *t, struct controller *c, bool *has_sgls)
{
	while (t->at < t->end) {
		if (!parse_number(t, c, has_sgls))
			return false;
		if (t->at == t->end)
			break;
		if (explain_next(t) != ',')
			return explain_fail(t->error, explain_pos(t), "expected a comma");
		t->at++;
	}
	if (c->page < 4096 || c->page > 1u << 27 || c->page & (c->page - 1))
		return explain_fail(t->error, 0,
				    "page: %zu is no power of two from 4096 to 128M",
				    (size_t)c->page);
	if (c->block < 512 || c->block & (c->block - 1))
		return explain_fail(t->error, 0, "block: %zu is no power of two from 512",
				    (size_t)c->block);
	if (c->mdts > 32)
		return explain_fail(t->error, 0, "mdts: %zu is more than 32",
				    (size_t)c->mdts);
	return true;
}

bool limits_of_nvme(const char *name, struct decant_limits *limits, struct report *report)
{
	struct controller c = {.page = 4096, .block = 512};
	struct explain_error error = {0};
	struct explain_text t = {name, name, name + strlen(name), &error};
	bool has_sgls = false;

	if (!parse_controller(&t, &c, &has_sgls))
		return report_set(report, EXIT_USAGE, "--limits nvme:%.200s: at %zu: %s",
				  name, error.at, error.text);
	*limits = (struct decant_limits){.block = c.block};
	/* 0: no limit. */
	if (c.mdts)
		limits->max_bytes = c.page << c.mdts;
	if (has_sgls && decant_nvme_sgl_limits((uint32_t)c.sgls, limits))
		return report_set(report, EXIT_USAGE,
				  "--limits nvme:%.200s: sgls: the controller takes no "
				  "SGLs",
				  name);
	return true;
}
