/* SPDX-License-Identifier: MIT */
#ifndef DECANT_DECANT_H
#define DECANT_DECANT_H
/*
 * decant - I/O iterators for user space: one description of a buffer through the whole
 * stack, one loop that extracts it into whatever the device takes.
 */
#include <decant/base.h>
#include <decant/span.h>
#include <decant/region.h>
#include <decant/domain.h>
#include <decant/space.h>
#include <decant/hold.h>
#include <decant/limits.h>
#include <decant/iter.h>
#include <decant/pages.h>
#include <decant/queue.h>
#include <decant/window.h>
#include <decant/custom.h>
#include <decant/sink.h>
#include <decant/tables.h>
#include <decant/nvme.h>
#include <decant/sglist.h>
#include <decant/extract.h>
#include <decant/stage.h>
#include <decant/owned.h>
#include <decant/copy.h>
#include <decant/digest.h>
#include <decant/pool.h>
#include <decant/registry.h>
#endif
