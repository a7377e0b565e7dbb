/* SPDX-License-Identifier: MIT */
/* serve_options.c - the command line of `decant serve`. */
#include <stdlib.h>
#include <unistd.h>
#include "args.h"
#include "serve.h"

#define CONNECTIONS	 16
#define CONNECTIONS_MOST 4096
#define GRACE_S		 10
#define HANDSHAKE_S	 10
#define SECONDS_MOST	 86400

static const char help_text[] =
	"usage: decant serve --stdio [--root DIR [--read-only]] [--data-ports PORTS]\n"
	"                    [--timeout SECONDS]\n"
	"       decant serve --listen [ADDR:]PORT --key-file FILE --root DIR [options]\n"
	"\n"
	"The other side of `decant copy`. With --stdio it is started by that on the "
	"other\n"
	"host, through ssh or what --rsh names, and serves one copy. With --listen it\n"
	"serves decant://HOST:PORT/PATH to those who have the key, until it is stopped.\n"
	"\n"
	"  --stdio            on standard input and output\n"
	"  --listen [ADDR:]PORT  on this port; several times, or on the sockets that "
	"the\n"
	"                     service manager passes\n"
	"  --key-file FILE    keys of clients, see decant keygen --psk\n"
	"  --root DIR         nothing outside of it is read or written\n"
	"  --read-only        nothing is written\n"
	"  --data-ports PORTS  the data comes in on these, PORT or LOW-HIGH, for a\n"
	"                     firewall (any)\n"
	"  --max-connections N  copies at a time (16)\n"
	"  --max-memory SIZE  for the buffers of all of them (half of the machine's)\n"
	"  --grace SECONDS    that copies have to finish in when it is stopped (10)\n"
	"  --handshake SECONDS  that a client has to prove its key in (10)\n"
	"  --timeout SECONDS  that a client may be silent, or less if it asks for less\n"
	"                     (600; with --stdio as it asks)\n"
	"  -h, --help         this text\n"
	"\n"
	"Exit status: 0 stopped; 2 wrong usage; 7 memory or another resource is "
	"missing;\n"
	"8 the key file can't be used; with --stdio those of decant copy.\n";

static bool take_listen(const struct args_option *option, void *field, const char *value,
			struct report *report)
{
	struct serve_options *o = field;

	(void)option;
	if (o->nr_listen == INET_SOCKETS)
		return report_set(report, EXIT_USAGE, "--listen: more than %u",
				  INET_SOCKETS);
	o->listen[o->nr_listen++] = value;
	return true;
}

static bool take_ports(const struct args_option *option, void *field, const char *value,
		       struct report *report)
{
	return inet_ports(value, field) ||
	       report_set(report, EXIT_USAGE,
			  "--%s %s: expected PORT or LOW-HIGH, from 1 to 65535",
			  option->name, value);
}

#define FIELD(name) offsetof(struct serve_options, name)

static const struct args_option options[] = {
	{"stdio", no_argument, args_flag, FIELD(stdio)},
	{"listen", required_argument, take_listen, 0},
	{"key-file", required_argument, args_text, FIELD(key_file)},
	{"root", required_argument, args_text, FIELD(root)},
	{"read-only", no_argument, args_flag, FIELD(read_only)},
	{"data-ports", required_argument, take_ports, FIELD(ports)},
	{"max-connections", required_argument, args_number, FIELD(max_connections),
	 .least = 1, .most = CONNECTIONS_MOST},
	{"max-memory", required_argument, args_number, FIELD(max_memory), .least = 1},
	{"grace", required_argument, args_number, FIELD(grace), .most = SECONDS_MOST},
	{"handshake", required_argument, args_number, FIELD(handshake), .least = 1,
	 .most = SECONDS_MOST},
	{"timeout", required_argument, args_number, FIELD(timeout), .least = 1,
	 .most = SECONDS_MOST},
};

static const struct args args = {"serve",	 help_text, options, ARGS_NR(options),
				 "only options", 0,	    0};

static bool check(const struct serve_options *o, struct report *report)
{
	bool listens = o->nr_listen || getenv("LISTEN_FDS");

	if (o->stdio && (o->nr_listen || o->key_file))
		return report_set(report, EXIT_USAGE,
				  "serve: --stdio goes without --listen and --key-file");
	if (o->read_only && !o->root)
		return report_set(report, EXIT_USAGE, "serve: --read-only needs --root");
	if (o->max_memory < o->max_connections)
		return report_set(report, EXIT_USAGE,
				  "serve: --max-memory %llu: nothing for each of %llu "
				  "connections",
				  (unsigned long long)o->max_memory,
				  (unsigned long long)o->max_connections);
	if (o->stdio)
		return true;
	if (!listens)
		return report_set(report, EXIT_USAGE,
				  "serve: expected --stdio or --listen; see decant serve "
				  "--help");
	return (o->key_file && o->root) ||
	       report_set(report, EXIT_USAGE, "serve: --listen needs %s",
			  o->root	? "--key-file; decant keygen --psk makes one"
			  : o->key_file ? "--root, a directory to serve"
					: "--key-file and --root");
}

bool serve_options_parse(struct serve_options *o, int argc, char **argv,
			 struct report *report)
{
	*o = (struct serve_options){.max_connections = CONNECTIONS,
				    .grace = GRACE_S,
				    .handshake = HANDSHAKE_S};
	o->max_memory =
		(uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) / 2;
	return args_parse(&args, argc, argv, o, report) && check(o, report);
}
