/* SPDX-License-Identifier: MIT */
/* options.c - the command line of `decant copy`. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "options.h"
#include "rails.h"
#include "text.h"

/* What has to be under way to encrypt or decrypt, also where armor takes a quarter. */
#define CRYPT_BYTES 100000u

enum {
	OPT_CHUNK = 256,
	OPT_DEPTH,
	OPT_DIRECT,
	OPT_IO,
	OPT_STATS,
	OPT_TRACE,
	OPT_RSH,
	OPT_REMOTE,
	OPT_FABRIC,
	OPT_KEY_FILE,
	OPT_RAILS,
	OPT_TIMEOUT,
	OPT_SEAL,
	OPT_ENCRYPT,
	OPT_ENCRYPT_TO,
	OPT_DECRYPT,
	OPT_DECRYPT_WITH,
	OPT_PASSPHRASE,
	OPT_THREADS,
	OPT_ARMOR
};

static const struct option long_options[] = {
	{"chunk", required_argument, NULL, OPT_CHUNK},
	{"depth", required_argument, NULL, OPT_DEPTH},
	{"direct", required_argument, NULL, OPT_DIRECT},
	{"io", required_argument, NULL, OPT_IO},
	{"stats", optional_argument, NULL, OPT_STATS},
	{"trace", required_argument, NULL, OPT_TRACE},
	{"rsh", required_argument, NULL, OPT_RSH},
	{"remote-decant", required_argument, NULL, OPT_REMOTE},
	{"fabric", required_argument, NULL, OPT_FABRIC},
	{"key-file", required_argument, NULL, OPT_KEY_FILE},
	{"rails", required_argument, NULL, OPT_RAILS},
	{"timeout", required_argument, NULL, OPT_TIMEOUT},
	{"seal", required_argument, NULL, OPT_SEAL},
	{"encrypt", no_argument, NULL, OPT_ENCRYPT},
	{"encrypt-to", required_argument, NULL, OPT_ENCRYPT_TO},
	{"decrypt", no_argument, NULL, OPT_DECRYPT},
	{"decrypt-with", required_argument, NULL, OPT_DECRYPT_WITH},
	{"passphrase-file", required_argument, NULL, OPT_PASSPHRASE},
	{"armor", no_argument, NULL, OPT_ARMOR},
	{"threads", required_argument, NULL, OPT_THREADS},
	{"quiet", no_argument, NULL, 'q'},
	{"help", no_argument, NULL, 'h'},
	{0},
};

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
	"  --timeout SECONDS  give up without a sign of life of the other side (never)\n"
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
	"  --trace FILE       when what was done, for Perfetto or chrome://tracing\n"
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

void copy_options_help(void)
{
	fputs(help_text, stdout);
}

/* The index of a word in a list that ends with NULL; -1 if it isn't there. */
static int word_index(const char *word, const char *const *words)
{
	for (int i = 0; words[i]; i++)
		if (!strcmp(word, words[i]))
			return i;
	return -1;
}

static bool parse_word(const char *option, const char *arg, const char *const *words,
		       int *value, struct report *report)
{
	int i = word_index(arg, words);

	if (i < 0)
		return report_set(report, EXIT_USAGE, "--%s=%s: expected %s, %s%s%s",
				  option, arg, words[0], words[1], words[2] ? " or " : "",
				  words[2] ? words[2] : "");
	*value = i;
	return true;
}

static bool parse_size(const char *option, const char *arg, uint64_t *value,
		       struct report *report)
{
	if (text_to_size(arg, value))
		return true;
	return report_set(report, EXIT_USAGE,
			  "--%s %s: not a number (such as 4096, 64K or 1M)", option, arg);
}

static bool parse_crypt(struct crypt_options *crypt, int option, const char *arg,
			struct report *report)
{
	switch (option) {
	case OPT_ENCRYPT:
		return crypt_set_way(crypt, CRYPT_ENCRYPT, report);
	case OPT_DECRYPT:
		return crypt_set_way(crypt, CRYPT_DECRYPT, report);
	case OPT_ENCRYPT_TO:
		return crypt_add_recipient(crypt, arg, report);
	case OPT_DECRYPT_WITH:
		return crypt_add_key_file(crypt, arg, report);
	case OPT_ARMOR:
		crypt->armor = true;
		return true;
	case OPT_PASSPHRASE:
		return crypt_add_passphrase_file(crypt, arg, report);
	default:
		return parse_size("threads", arg, &crypt->threads, report) &&
		       (crypt->threads ||
			report_set(report, EXIT_USAGE, "--threads 0: expected 1 to %u",
				   THREADS_MOST));
	}
}

/* What goes on between hosts, or what encrypts. */
static bool parse_fabric(struct copy_options *o, int option, const char *arg,
			 struct report *report)
{
	static const char *const seals[] = {"aes-256-gcm", "none", NULL, NULL};
	int value = 0;

	switch (option) {
	case OPT_FABRIC:
		o->fabric = arg;
		return true;
	case OPT_RAILS:
		return parse_size("rails", arg, &o->rails, report) &&
		       (o->rails - 1 < RAILS_MOST ||
			report_set(report, EXIT_USAGE, "--rails %s: expected 1 to %u",
				   arg, RAILS_MOST));
	case OPT_TIMEOUT:
		return parse_size("timeout", arg, &o->timeout, report) &&
		       (o->timeout <= TIMEOUT_MOST ||
			report_set(report, EXIT_USAGE,
				   "--timeout %s: expected at most %u seconds", arg,
				   TIMEOUT_MOST));
	case OPT_SEAL:
		if (!parse_word("seal", arg, seals, &value, report))
			return false;
		o->plain = value;
		return true;
	default:
		return parse_crypt(&o->crypt, option, arg, report);
	}
}

static bool parse_one(struct copy_options *o, int option, const char *arg,
		      struct report *report)
{
	static const char *const directs[] = {"auto", "always", "never", NULL};
	static const char *const ios[] = {"auto", "uring", "threads", NULL};
	static const char *const formats[] = {"text", "json", NULL, NULL};
	int value = 0;
	bool ok = true;

	switch (option) {
	case OPT_CHUNK:
		return parse_size("chunk", arg, &o->chunk, report);
	case OPT_DEPTH:
		return parse_size("depth", arg, &o->depth, report);
	case OPT_DIRECT:
		ok = parse_word("direct", arg, directs, &value, report);
		o->direct = (enum decant_uring_direct)value;
		return ok;
	case OPT_IO:
		ok = parse_word("io", arg, ios, &value, report);
		o->io = (enum decant_uring_backend)value;
		return ok;
	case OPT_STATS:
		if (arg)
			ok = parse_word("stats", arg, formats, &value, report);
		o->stats = value ? STATS_JSON : STATS_TEXT;
		return ok;
	case OPT_TRACE:
		o->trace = arg;
		return true;
	case OPT_RSH:
		o->rsh = arg;
		return true;
	case OPT_REMOTE:
		o->remote_decant = arg;
		return true;
	case OPT_KEY_FILE:
		o->key_file = arg;
		return true;
	case 'q':
		o->quiet = true;
		return true;
	default:
		return parse_fabric(o, option, arg, report);
	}
}

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

/* A letter may stand among others, so getopt says which one it is. */
static bool bad_option(const char *arg, int option, struct report *report)
{
	const char letter[] = {'-', (char)optopt, '\0'};
	bool is_letter = option == '?' && optopt > ' ' && optopt < 127;

	return report_set(report, EXIT_USAGE, "%s: %s; see decant copy --help",
			  is_letter ? letter : arg,
			  option == ':' ? "needs a value" : "unknown option");
}

bool copy_options_parse(struct copy_options *o, int argc, char **argv,
			struct report *report, bool *help)
{
	int option;

	*o = (struct copy_options){.chunk = COPY_CHUNK_DEFAULT,
				   .depth = COPY_DEPTH_DEFAULT,
				   .rails = 1,
				   .rsh = "ssh",
				   .remote_decant = "decant"};
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":qh", long_options, NULL)) != -1) {
		*help = option == 'h';
		if (*help)
			return false;
		if (option == '?' || option == ':')
			return bad_option(argv[optind - 1], option, report);
		if (!parse_one(o, option, optarg, report))
			return false;
	}
	if (argc - optind != 2)
		return report_set(report, EXIT_USAGE,
				  "expected SRC and DST, found %d arguments; see decant "
				  "copy --help",
				  argc - optind);
	o->source = argv[optind];
	o->target = argv[optind + 1];
	if (!copy_options_check(o, report) || !crypt_check(&o->crypt, report))
		return false;
	/* A chunk of the format and a byte behind it lie in whole chunks of the copy. */
	if (o->crypt.way && o->depth < 2 + CRYPT_BYTES / o->chunk)
		o->depth = 2 + CRYPT_BYTES / o->chunk;
	return true;
}
