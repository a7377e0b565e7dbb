/* SPDX-License-Identifier: MIT */
/* options.c - the command line of `decant copy`. */
#include <unistd.h>
#include "args.h"
#include "options.h"
#include "rails.h"
#include "text.h"

/* What has to be under way to encrypt or decrypt, also where armor takes a quarter. */
#define CRYPT_BYTES 100000u

static const char help_text[] =
	"usage: decant copy [options] SRC DST\n"
	"\n"
	"Copy a file with direct asynchronous I/O, locally or to or from another host.\n"
	"SRC and DST: a path, - for a pipe, or one of the two [user@]host:path, reached\n"
	"through ssh, or decant://host[:port]/path, where decant serve --listen runs.\n"
	"\n"
	"  --chunk SIZE       bytes of a chunk, a power of two from 4K (1M)\n"
	"  --depth N          chunks under way at a time, 1 to 512 (8)\n"
	"  --direct WHEN      past the page cache: auto, always, never (auto)\n"
	"  --io HOW           auto, uring, threads (auto: io_uring if it is allowed)\n"
	"  --fabric NAME      what carries the data: auto, tcp, verbs[:DEVICE] or a\n"
	"                     provider of libfabric, see `decant limits fabric` (auto)\n"
	"  --rails N          connections that share the data, 1 to 8 (1)\n"
	"  --timeout SECONDS  give up without a sign of life of the other side (never;\n"
	"                     60 with decant://)\n"
	"  --seal HOW         aes-256-gcm, or none: in the clear, not authenticated\n"
	"                     (aes-256-gcm)\n"
	"  --rsh COMMAND      how to reach the other host (ssh); run as COMMAND HOST "
	"...\n"
	"  --remote-decant P  path of decant there (decant)\n"
	"  --key-file F       the key that decant:// is proved with, see keygen --psk\n"
	"  --encrypt-to R     write an age file for recipient R (age1...), or several\n"
	"  --decrypt-with K   read an age file with the identities in file K\n"
	"  --passphrase-file F  the first line of F is a passphrase, to --encrypt or to\n"
	"                     --decrypt\n"
	"  --encrypt          with a passphrase\n"
	"  --decrypt          with a passphrase\n"
	"  --armor            write the age file as text\n"
	"  --threads N        threads that encrypt or decrypt (processors, at most 4)\n"
	"  --stats[=FORMAT]   what was done, as text or json, on standard output\n"
	"                     (standard error if DST is -)\n"
	"  --trace FILE       when what was done, on both hosts, for Perfetto or\n"
	"                     chrome://tracing\n"
	"  -q, --quiet        no progress\n"
	"  -h, --help         this text\n"
	"\n"
	"The target appears under its name when it is complete and synced; on an error\n"
	"an old target stays as it was. Mode and times are kept. Data between hosts is\n"
	"sealed with AES-256-GCM under a key of this session.\n"
	"\n"
	"Exit status: 0 done; 2 wrong usage; 3 the source can't be read or changed;\n"
	"4 the target can't be written; 5 the other host or the fabric failed;\n"
	"6 something was not authentic, or cut off; 7 memory or another resource is\n"
	"missing; 8 no key fits, or a key file can't be used; 9 the copy is done, but\n"
	"its trace could not be written; 130 interrupted.\n";

static bool take_way(const struct args_option *option, void *field, const char *value,
		     struct report *report)
{
	(void)value;
	return crypt_set_way(field, (enum crypt_way)option->least, report);
}

static bool take_recipient(const struct args_option *option, void *field,
			   const char *value, struct report *report)
{
	(void)option;
	return crypt_add_recipient(field, value, report);
}

static bool take_identities(const struct args_option *option, void *field,
			    const char *value, struct report *report)
{
	(void)option;
	return crypt_add_key_file(field, value, report);
}

static bool take_passphrase(const struct args_option *option, void *field,
			    const char *value, struct report *report)
{
	(void)option;
	return crypt_add_passphrase_file(field, value, report);
}

#define FIELD(name) offsetof(struct copy_options, name)

static const char *const directs[] = {"auto", "always", "never", NULL};
static const char *const ios[] = {"auto", "uring", "threads", NULL};
static const char *const formats[] = {"text", "json", NULL};
static const char *const seals[] = {"aes-256-gcm", "none", NULL};

static const struct args_option options[] = {
	{"chunk", required_argument, args_number, FIELD(chunk)},
	{"depth", required_argument, args_number, FIELD(depth)},
	{"direct", required_argument, args_word, FIELD(direct), .words = directs},
	{"io", required_argument, args_word, FIELD(io), .words = ios},
	{"stats", optional_argument, args_word, FIELD(stats), .words = formats,
	 .least = STATS_TEXT},
	{"trace", required_argument, args_text, FIELD(trace)},
	{"rsh", required_argument, args_text, FIELD(rsh)},
	{"remote-decant", required_argument, args_text, FIELD(remote_decant)},
	{"fabric", required_argument, args_text, FIELD(fabric)},
	{"key-file", required_argument, args_text, FIELD(key_file)},
	{"rails", required_argument, args_number, FIELD(rails), .least = 1,
	 .most = RAILS_MOST},
	{"timeout", required_argument, args_number, FIELD(timeout), .most = TIMEOUT_MOST},
	{"seal", required_argument, args_word, FIELD(seal), .words = seals},
	{"encrypt", no_argument, take_way, FIELD(crypt), .least = CRYPT_ENCRYPT},
	{"encrypt-to", required_argument, take_recipient, FIELD(crypt)},
	{"decrypt", no_argument, take_way, FIELD(crypt), .least = CRYPT_DECRYPT},
	{"decrypt-with", required_argument, take_identities, FIELD(crypt)},
	{"passphrase-file", required_argument, take_passphrase, FIELD(crypt)},
	{"armor", no_argument, args_flag, FIELD(crypt.armor)},
	{"threads", required_argument, args_number, FIELD(crypt.threads), .least = 1,
	 .most = THREADS_MOST},
	{"quiet", no_argument, args_flag, FIELD(quiet), .letter = 'q'},
};

static const struct args args = {"copy",	help_text, options, ARGS_NR(options),
				 "SRC and DST", 2,	   2};

bool copy_options_check(const struct copy_options *o, struct report *report)
{
	uint64_t memory =
		(uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t need, most = o->memory ? o->memory : memory / 2;

	if (o->depth < 1 || o->depth > COPY_DEPTH_MOST)
		return report_set(report, EXIT_USAGE, "--depth %llu: expected 1 to %u",
				  (unsigned long long)o->depth, COPY_DEPTH_MOST);
	if (o->chunk < COPY_CHUNK_LEAST || (o->chunk & (o->chunk - 1)))
		return report_set(
			report, EXIT_USAGE,
			"--chunk %llu: expected a power of two of at least %u bytes",
			(unsigned long long)o->chunk, COPY_CHUNK_LEAST);
	/* Plain and sealed buffers, and half of the memory for everything else. */
	if (__builtin_mul_overflow(
		    o->chunk, 2 * o->depth * (1 + crypt_filters(&o->crypt)), &need) ||
	    need > most)
		return report_set(report, EXIT_RESOURCES,
				  "--chunk %s with --depth %llu: the buffers don't fit "
				  "into %s, %s; take a smaller chunk or depth",
				  text_of_size(o->chunk).text,
				  (unsigned long long)o->depth, text_of_size(most).text,
				  o->memory ? "which a connection has"
					    : "half of the memory");
	return true;
}

bool copy_options_parse(struct copy_options *o, int argc, char **argv,
			struct report *report)
{
	int at;

	*o = (struct copy_options){.chunk = COPY_CHUNK_DEFAULT,
				   .depth = COPY_DEPTH_DEFAULT,
				   .rails = 1,
				   .rsh = "ssh",
				   .remote_decant = "decant"};
	at = args_parse(&args, argc, argv, o, report);
	if (!at)
		return false;
	o->source = argv[at];
	o->target = argv[at + 1];
	if (!copy_options_check(o, report) || !crypt_check(&o->crypt, report))
		return false;
	/* A chunk of the format and a byte behind it lie in whole chunks of the copy. */
	if (o->crypt.way && o->depth < 2 + CRYPT_BYTES / o->chunk)
		o->depth = 2 + CRYPT_BYTES / o->chunk;
	return true;
}
