/* SPDX-License-Identifier: MIT */
#include <string.h>
#include "remote.h"

#define SCHEME	   "decant://"
#define REACH_MS   30000 /* to connect, and to prove who is who */
#define PATIENCE_S 60	 /* for an answer, without --timeout */

static bool set_path(struct remote *r, const char *path, struct report *report)
{
	if (strlen(path) >= sizeof(r->path))
		return report_set(report, EXIT_USAGE, "%s: the path is too long", path);
	/* As with rsync: host: alone is the home directory, or the root, there. */
	strcpy(r->path, *path ? path : ".");
	return true;
}

static void parse_url(struct remote *r, const char *arg, struct report *report)
{
	const char *host = arg + strlen(SCHEME), *slash = strchr(host, '/');
	size_t len = slash ? (size_t)(slash - host) : strlen(host);

	r->listens = true;
	if (!inet_split(host, len, r->host, r->port) || !*r->host)
		report_set(report, EXIT_USAGE,
			   "%s: expected decant://HOST/PATH or decant://HOST:PORT/PATH",
			   arg);
	else
		set_path(r, slash ? slash + 1 : "", report);
}

bool remote_parse(struct remote *r, const char *arg, struct report *report)
{
	const char *colon = strchr(arg, ':'), *slash = strchr(arg, '/');

	*r = (struct remote){0};
	if (!strncmp(arg, SCHEME, strlen(SCHEME))) {
		parse_url(r, arg, report);
		return true;
	}
	if (!colon || colon == arg || (slash && slash < colon) ||
	    (size_t)(colon - arg) >= sizeof(r->host))
		return false;
	memcpy(r->host, arg, (size_t)(colon - arg));
	if (*r->host == '-')
		report_set(report, EXIT_USAGE, "%s: a host can't begin with a dash",
			   r->host);
	set_path(r, colon + 1, report);
	return true;
}

static bool connect_to(const struct remote *r, struct control *control,
		       const struct psk_list *keys, struct report *report)
{
	deadline_t deadline = deadline_in(
		control->patience_ms < REACH_MS ? control->patience_ms : REACH_MS);
	int fd = inet_connect(r->host, r->port, deadline, report);

	if (fd < 0)
		return false;
	control->in = control->out = fd;
	control->tls = tls_new(false, fd, keys, report);
	return control->tls && tls_handshake(control->tls, r->host, deadline, report);
}

bool remote_reach(const struct remote *r, struct control *control,
		  const struct copy_options *options, struct report *report)
{
	struct psk_list keys;
	bool ok;

	if (!r->listens)
		return control_start(control, options->rsh, r->host,
				     options->remote_decant, report);
	*control = (struct control){
		.in = -1,
		.out = -1,
		.patience_ms =
			1000 * (int)(options->timeout ? options->timeout : PATIENCE_S),
	};
	strcpy(control->host, r->host);
	if (!options->key_file)
		return report_set(report, EXIT_USAGE,
				  SCHEME "%s: --key-file is needed; decant keygen --psk "
					 "makes one",
				  r->host);
	if (!psk_load(&keys, options->key_file, report))
		return false;
	ok = connect_to(r, control, &keys, report);
	psk_free(&keys);
	return ok;
}
