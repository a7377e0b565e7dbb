/* SPDX-License-Identifier: MIT */
#include <unistd.h>
#include "../kinds.h"
#include "../make.h"

#define REMOTE_PIECES 256
#define LEAST_PAGE    4096

int decant_iter_process(struct decant_iter *it, enum decant_direction direction,
			pid_t pid, const struct iovec *iov, size_t nr)
{
	struct decant_iter made = {.kind = DECANT_KIND_PROCESS,
				   .direction = (uint8_t)direction,
				   .at.iov = iov,
				   .word = {(uintptr_t)pid}};
	int err = check_direction(direction);

	if (!err && pid <= 0)
		err = -EINVAL;
	if (!err && nr && !iov)
		err = -EFAULT;
	for (size_t i = 0; i < nr && !err; i++)
		err = add_element(&made.count, iov[i].iov_base, iov[i].iov_len);
	if (!err)
		begin_array(it, &made, nr, sizeof(*iov));
	return err;
}

/* One call; errno stays as it was. */
static ssize_t transfer(const struct decant_iter *it, const struct iovec *local,
			size_t nr, const struct iovec *remote, size_t nr_remote)
{
	pid_t pid = (pid_t)it->word[0];
	int kept = errno;
	ssize_t n;

	if (it->direction == DECANT_SOURCE)
		n = process_vm_readv(pid, local, nr, remote, nr_remote, 0);
	else
		n = process_vm_writev(pid, local, nr, remote, nr_remote, 0);
	if (n < 0)
		n = -errno;
	errno = kept;
	return n ? n : -EFAULT;
}

/* The pieces at the cursor, at most len bytes of them. */
static size_t gather(const struct decant_iter *it, size_t len, struct iovec *remote)
{
	const struct iovec *iov = it->at.iov;
	size_t nr = 0, offset = it->offset;

	len = min_size(len, it->count);
	for (; len && nr < REMOTE_PIECES; iov++, offset = 0) {
		size_t n = min_size(iov->iov_len - offset, len);

		if (!n)
			continue;
		remote[nr++] = (struct iovec){(unsigned char *)iov->iov_base + offset, n};
		len -= n;
	}
	return nr;
}

/*
 * Where something in a call can't be reached, the kernel may refuse all of it: then what
 * lies in the first page is tried by itself, so that every byte before a hole arrives.
 */
ssize_t decant_process_move(const struct decant_iter *it, const struct iovec *local,
			    size_t nr)
{
	struct iovec remote[REMOTE_PIECES];
	size_t wanted = 0, nr_remote, ahead;
	ssize_t n;

	for (size_t i = 0; i < nr; i++)
		wanted += local[i].iov_len;
	nr_remote = gather(it, wanted, remote);
	if (!nr_remote)
		return -EFAULT;
	n = transfer(it, local, nr, remote, nr_remote);
	ahead = LEAST_PAGE - ((uintptr_t)remote[0].iov_base & (LEAST_PAGE - 1));
	if (n != -EFAULT || (nr_remote == 1 && remote[0].iov_len <= ahead))
		return n;
	remote[0].iov_len = min_size(remote[0].iov_len, ahead);
	return transfer(it, local, nr, remote, 1);
}

/* For tests: this process, if it may read itself that way. */
int decant_process_build(struct decant_iter *it, enum decant_direction direction,
			 const struct decant_span *spans, size_t nr, void *room)
{
	struct iovec *iov = room;
	char from = 0, to = 0;
	struct iovec local = {&to, 1}, remote = {&from, 1};
	struct decant_iter self = {.direction = DECANT_SOURCE,
				   .word = {(uintptr_t)getpid()}};

	if (transfer(&self, &local, 1, &remote, 1) != 1)
		return -ENOTSUP;
	for (size_t i = 0; i < nr; i++)
		iov[i] = (struct iovec){spans[i].addr, spans[i].len};
	return decant_iter_process(it, direction, getpid(), iov, nr);
}
