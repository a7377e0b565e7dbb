/* SPDX-License-Identifier: MIT */
/*
 * header.c - the text before the payload: a version, stanzas, and a code over all of it.
 *
 * It comes from whoever made the file: every line is checked against the grammar of
 * c2sp.org/age before anything is done with it.
 */
#include <errno.h>
#include <string.h>
#include "internal.h"

#define MAGIC	"age-encryption.org/"
#define VERSION "v1"
#define MARK	"---"
#define ARROW	"-> "

static bool begins(struct text text, const char *with)
{
	size_t len = strlen(with);

	return text.len >= len && !memcmp(text.at, with, len);
}

bool text_is(struct text text, const char *word)
{
	return text.len == strlen(word) && begins(text, word);
}

static void skip(struct text *text, size_t n)
{
	text->at += n;
	text->len -= n;
}

/* Up to the next line feed; -ENODATA if there is none. */
static int take_line(struct text *rest, struct text *line)
{
	const char *end = rest->len ? memchr(rest->at, '\n', rest->len) : NULL;

	if (!end)
		return -ENODATA;
	*line = (struct text){rest->at, (size_t)(end - rest->at)};
	skip(rest, line->len + 1);
	return 0;
}

/* Whether the text may be the beginning of a file that has the magic word. */
static bool may_begin(struct text text)
{
	size_t len = text.len < strlen(MAGIC) ? text.len : strlen(MAGIC);

	return !memcmp(text.at, MAGIC, len);
}

static int parse_version(struct text *rest)
{
	struct text line;
	int err;

	if (rest->len && !may_begin(*rest))
		return -ENOMSG;
	err = take_line(rest, &line);
	if (err)
		return err;
	skip(&line, strlen(MAGIC));
	return text_is(line, VERSION) ? 0 : -EPROTONOSUPPORT;
}

/* Words of visible characters with one blank between two. */
static int parse_args(struct stanza *stanza)
{
	bool word = false;

	stanza->nr_args = 1;
	for (size_t i = 0; i < stanza->args.len; i++) {
		char c = stanza->args.at[i];

		if (c == ' ' ? !word : c < 33 || c > 126)
			return -EILSEQ;
		word = c != ' ';
		stanza->nr_args += !word;
	}
	return word ? 0 : -EILSEQ;
}

/* Lines of 64 characters, and one that is shorter. */
static int parse_body(struct stanza *stanza, struct text *rest)
{
	uint8_t room[LINE_BYTES];
	struct text line;
	ssize_t n;
	int err;

	stanza->body_len = 0;
	do {
		err = take_line(rest, &line);
		if (err)
			return err;
		if (line.len > LINE_CHARS)
			return -EILSEQ;
		n = base64_decode(stanza->body_len ? room : stanza->body, line);
		if (n < 0)
			return -EILSEQ;
		stanza->body_len += (size_t)n;
	} while (line.len == LINE_CHARS);
	return 0;
}

int stanza_parse(struct stanza *stanza, struct text *rest)
{
	int err = take_line(rest, &stanza->args);

	if (err)
		return err;
	if (!begins(stanza->args, ARROW))
		return -EILSEQ;
	skip(&stanza->args, strlen(ARROW));
	err = parse_args(stanza);
	return err ? err : parse_body(stanza, rest);
}

struct text stanza_arg(const struct stanza *stanza, unsigned i)
{
	struct text rest = stanza->args, arg;
	const char *end;

	for (;; i--) {
		end = memchr(rest.at, ' ', rest.len);
		arg = (struct text){rest.at, end ? (size_t)(end - rest.at) : rest.len};
		if (!i)
			return arg;
		if (!end)
			return (struct text){rest.at, 0};
		skip(&rest, arg.len + 1);
	}
}

static int parse_end(struct header *header, struct text rest)
{
	struct text line;
	int err = take_line(&rest, &line);

	if (err)
		return err;
	skip(&line, strlen(MARK));
	if (line.len != 1 + BASE64_CHARS(KEY_BYTES) || *line.at != ' ')
		return -EILSEQ;
	skip(&line, 1);
	return base64_decode(header->mac, line) == KEY_BYTES ? 0 : -EILSEQ;
}

int header_parse(struct header *header, struct text text)
{
	struct text rest = text;
	struct stanza stanza;
	int err = parse_version(&rest);

	if (err)
		return err;
	header->stanzas.at = rest.at;
	for (header->nr_stanzas = 0; !begins(rest, MARK); header->nr_stanzas++) {
		err = stanza_parse(&stanza, &rest);
		if (err)
			return err;
	}
	if (!header->nr_stanzas)
		return -EILSEQ;
	header->stanzas.len = (size_t)(rest.at - header->stanzas.at);
	header->marked = (size_t)(rest.at - text.at) + strlen(MARK);
	header->len = header->marked + 1 + BASE64_CHARS(KEY_BYTES) + 1;
	return parse_end(header, rest);
}

int header_mac(uint8_t mac[KEY_BYTES], const uint8_t file_key[FILE_KEY_BYTES],
	       struct text marked)
{
	uint8_t key[KEY_BYTES];
	int err = hkdf_sha256(key, file_key, FILE_KEY_BYTES, NULL, 0, "header");

	if (!err)
		err = hmac_sha256(mac, key, marked);
	wipe(key, sizeof(key));
	return err;
}
