/* SPDX-License-Identifier: MIT */
/* serve_options.c - the command line of `decant serve`. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "serve.h"
#include "text.h"

#define CONNECTIONS	 16
#define CONNECTIONS_MOST 4096
#define GRACE_S		 10
#define HANDSHAKE_S	 10
#define SECONDS_MOST	 86400

enum {
	OPT_STDIO = 256,
	OPT_LISTEN,
	OPT_KEY_FILE,
	OPT_ROOT,
	OPT_READ_ONLY,
	OPT_CONNECTIONS,
	OPT_MEMORY,
	OPT_GRACE,
	OPT_HANDSHAKE
};

static const struct option long_options[] = {
	{"stdio", no_argument, NULL, OPT_STDIO},
	{"listen", required_argument, NULL, OPT_LISTEN},
	{"key-file", required_argument, NULL, OPT_KEY_FILE},
	{"root", required_argument, NULL, OPT_ROOT},
	{"read-only", no_argument, NULL, OPT_READ_ONLY},
	{"max-connections", required_argument, NULL, OPT_CONNECTIONS},
	{"max-memory", required_argument, NULL, OPT_MEMORY},
	{"grace", required_argument, NULL, OPT_GRACE},
	{"handshake", required_argument, NULL, OPT_HANDSHAKE},
	{"help", no_argument, NULL, 'h'},
	{0},
};

static const char help_text[] =
	"usage: decant serve --stdio [--root DIR [--read-only]]\n"
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
	"  --max-connections N  copies at a time (16)\n"
	"  --max-memory SIZE  for the buffers of all of them (half of the machine's)\n"
	"  --grace SECONDS    that copies have to finish in when it is stopped (10)\n"
	"  --handshake SECONDS  that a client has to prove its key in (10)\n"
	"  -h, --help         this text\n"
	"\n"
	"Exit status: 0 stopped; 2 wrong usage; 7 memory or another resource is "
	"missing;\n"
	"8 the key file can't be used; with --stdio those of decant copy.\n";

void serve_options_help(void)
{
	fputs(help_text, stdout);
}

static bool parse_number(const char *option, const char *arg, uint64_t least,
			 uint64_t most, uint64_t *value, struct report *report)
{
	if (text_to_size(arg, value) && *value >= least && *value <= most)
		return true;
	return report_set(report, EXIT_USAGE, "serve: --%s %s: expected %llu to %llu",
			  option, arg, (unsigned long long)least,
			  (unsigned long long)most);
}

static bool add_address(struct serve_options *o, const char *arg, struct report *report)
{
	if (o->nr_listen == INET_SOCKETS)
		return report_set(report, EXIT_USAGE, "serve: --listen: more than %u",
				  INET_SOCKETS);
	o->listen[o->nr_listen++] = arg;
	return true;
}

static bool parse_one(struct serve_options *o, int option, const char *arg,
		      struct report *report)
{
	switch (option) {
	case OPT_STDIO:
		o->stdio = true;
		return true;
	case OPT_LISTEN:
		return add_address(o, arg, report);
	case OPT_KEY_FILE:
		o->key_file = arg;
		return true;
	case OPT_ROOT:
		o->root = arg;
		return true;
	case OPT_READ_ONLY:
		o->read_only = true;
		return true;
	case OPT_CONNECTIONS:
		return parse_number("max-connections", arg, 1, CONNECTIONS_MOST,
				    &o->max_connections, report);
	case OPT_MEMORY:
		return parse_number("max-memory", arg, 1, UINT64_MAX, &o->max_memory,
				    report);
	case OPT_GRACE:
		return parse_number("grace", arg, 0, SECONDS_MOST, &o->grace, report);
	default:
		return parse_number("handshake", arg, 1, SECONDS_MOST, &o->handshake,
				    report);
	}
}

static bool check(const struct serve_options *o, struct report *report)
{
	bool listens = o->nr_listen || getenv("LISTEN_FDS");

	if (o->stdio && (o->nr_listen || o->key_file))
		return report_set(report, EXIT_USAGE,
				  "serve: --stdio goes without --listen and --key-file");
	if (o->read_only && !o->root)
		return report_set(report, EXIT_USAGE, "serve: --read-only needs --root");
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
	int option;

	*o = (struct serve_options){.max_connections = CONNECTIONS,
				    .grace = GRACE_S,
				    .handshake = HANDSHAKE_S};
	o->max_memory =
		(uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) / 2;
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
		o->help = option == 'h';
		if (o->help)
			return true;
		if (option == '?' || option == ':')
			return report_set(report, EXIT_USAGE,
					  "serve: %s: %s; see decant serve --help",
					  argv[optind - 1],
					  option == ':' ? "needs a value"
							: "unknown option");
		if (!parse_one(o, option, optarg, report))
			return false;
	}
	if (optind < argc)
		return report_set(report, EXIT_USAGE,
				  "serve: %s: is no option; see decant serve --help",
				  argv[optind]);
	return check(o, report);
}
