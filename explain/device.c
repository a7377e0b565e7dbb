/* SPDX-License-Identifier: MIT */
/* device.c - regions and their keys as a layout declares them, and the recording sink. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <decant/nvme.h>
#include <decant/registry.h>
#include "run.h"

/* Registered on the way (DECANT_REGISTER): the device knows it by its own address. */
static int map(struct decant_domain *domain, const struct decant_span *span,
	       struct decant_mapping *mapping)
{
	struct device *device = (struct device *)domain;
	const struct explain_layout *layout = device->layout;

	mapping->iova = (uintptr_t)span->addr;
	for (size_t i = 0; i < layout->nr_regions; i++)
		if (layout->regions[i].addr == mapping->iova) {
			mapping->iova = layout->regions[i].device;
			break;
		}
	mapping->lkey = device->next_key++;
	return 0;
}

static void unmap(struct decant_domain *domain, struct decant_mapping *mapping)
{
	(void)domain;
	(void)mapping;
}

static int add_region(struct device *device, size_t i)
{
	const struct explain_region *r = &device->layout->regions[i];
	int err = decant_region_new(&device->regions[i], (void *)(uintptr_t)r->addr,
				    r->len, NULL);

	if (!err)
		err = decant_space_add(device->space, device->regions[i]);
	if (!err)
		err = decant_domain_map(&device->domain, device->regions[i]);
	return err;
}

int device_init(struct device *device, const struct explain_layout *layout)
{
	static const struct decant_domain_ops ops = {"explain", map, unmap};
	int err;

	device->layout = layout;
	device->next_key = 1;
	decant_domain_init(&device->domain, &ops);
	device->regions = calloc(layout->nr_regions + 1, sizeof(*device->regions));
	err = device->regions ? decant_space_new(&device->space) : -ENOMEM;
	for (size_t i = 0; !err && i < layout->nr_regions; i++)
		err = add_region(device, i);
	return err;
}

void device_fini(struct device *device)
{
	decant_space_free(device->space);
	for (size_t i = 0; device->regions && i < device->layout->nr_regions; i++)
		decant_region_put(device->regions[i]);
	decant_domain_fini(&device->domain);
	free(device->regions);
}

const char *device_region_name(const struct device *device,
			       const struct decant_region *region)
{
	for (size_t i = 0; region && i < device->layout->nr_regions; i++)
		if (device->regions[i] == region)
			return device->layout->regions[i].name;
	return region ? "registered" : NULL;
}

static struct recorder *recorder_of(struct decant_sink *sink)
{
	return (struct recorder *)sink;
}

static void record_put(struct decant_sink *sink, size_t index,
		       const struct decant_element *el)
{
	struct recorder *r = recorder_of(sink);

	if (index == r->room) {
		size_t room = r->room ? 2 * r->room : 256;
		void *list = realloc(r->list, room * sizeof(*r->list));

		r->failed |= !list;
		if (!list)
			return;
		r->list = list;
		r->room = room;
	}
	if (index < r->room)
		r->list[index] = *el;
}

static void record_grow(struct decant_sink *sink, size_t index, size_t len)
{
	struct recorder *r = recorder_of(sink);

	if (index < r->room)
		r->list[index].len = len;
}

static struct decant_span record_span(const struct decant_sink *sink, size_t index)
{
	const struct decant_element *el = &((const struct recorder *)sink)->list[index];

	return (struct decant_span){(void *)(uintptr_t)el->device, el->len, el->region};
}

static const struct decant_sink_ops *find_sink(const char *name)
{
	const struct decant_sink_ops *ops;

	for (unsigned i = 0; (ops = decant_sink_get(i)); i++)
		if (!strcmp(ops->name, name))
			return ops;
	return NULL;
}

int recorder_init(struct recorder *r, const char *name, size_t page_size)
{
	const struct decant_sink_ops *ops = find_sink(name);

	if (!ops)
		return -EINVAL;
	r->format = calloc(1, ops->room + 2 * ops->element_size);
	if (!r->format)
		return -ENOMEM;
	ops->init(&r->sink, r->format, 1);
	if (!strcmp(name, "prp"))
		((struct decant_prp *)r->format)->page_size = page_size;
	r->ops = *ops;
	r->ops.put = record_put;
	r->ops.grow = record_grow;
	r->ops.span = record_span;
	r->ops.cut = NULL;
	r->sink.ops = &r->ops;
	r->sink.max = EXPLAIN_ELEMENTS;
	return 0;
}

void recorder_fini(struct recorder *r)
{
	free(r->list);
	free(r->format);
}
