/* SPDX-License-Identifier: MIT */
/* keys.c - identities, recipients and passphrases, and sets of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>
#include "internal.h"

#define RECIPIENT_PREFIX "age"
#define IDENTITY_PREFIX	 "AGE-SECRET-KEY-"

int decant_age_identity_new(char identity[DECANT_AGE_IDENTITY_CHARS],
			    char recipient[DECANT_AGE_RECIPIENT_CHARS])
{
	struct identity id;
	int err = random_bytes(id.secret, KEY_BYTES);

	if (!err)
		err = x25519(id.point, id.secret, NULL);
	if (!err) {
		bech32_encode(identity, IDENTITY_PREFIX, true, id.secret);
		bech32_encode(recipient, RECIPIENT_PREFIX, false, id.point);
	}
	OPENSSL_cleanse(&id, sizeof(id));
	return err;
}

static int identity_parse(struct identity *id, const char *text)
{
	if (!text || !bech32_decode(id->secret, IDENTITY_PREFIX, true, text))
		return -EINVAL;
	return x25519(id->point, id->secret, NULL);
}

int decant_age_identity_recipient(const char *identity,
				  char recipient[DECANT_AGE_RECIPIENT_CHARS])
{
	struct identity id;
	int err = identity_parse(&id, identity);

	if (!err)
		bech32_encode(recipient, RECIPIENT_PREFIX, false, id.point);
	OPENSSL_cleanse(&id, sizeof(id));
	return err;
}

int decant_age_keys_new(struct decant_age_keys **out)
{
	struct decant_age_keys *keys = calloc(1, sizeof(*keys));

	if (!keys)
		return -ENOMEM;
	*out = keys;
	return 0;
}

void decant_age_keys_free(struct decant_age_keys *keys)
{
	if (!keys)
		return;
	for (size_t i = 0; i < keys->nr_phrases; i++)
		OPENSSL_clear_free(keys->phrases[i].bytes, keys->phrases[i].len);
	OPENSSL_clear_free(keys->identities,
			   keys->nr_identities * sizeof(*keys->identities));
	OPENSSL_free(keys->recipients);
	OPENSSL_free(keys->phrases);
	free(keys);
}

/* One more element; what was there is wiped where it was. */
static void *append(void *list, size_t *nr, const void *element, size_t size)
{
	char *grown = OPENSSL_clear_realloc(list, *nr * size, (*nr + 1) * size);

	if (grown)
		memcpy(grown + (*nr)++ * size, element, size);
	return grown;
}

int decant_age_keys_recipient(struct decant_age_keys *keys, const char *recipient)
{
	uint8_t point[KEY_BYTES];
	void *grown;

	if (!recipient || !bech32_decode(point, RECIPIENT_PREFIX, false, recipient))
		return -EINVAL;
	grown = append(keys->recipients, &keys->nr_recipients, point, sizeof(point));
	if (!grown)
		return -ENOMEM;
	keys->recipients = grown;
	return 0;
}

int decant_age_keys_identity(struct decant_age_keys *keys, const char *identity)
{
	struct identity id;
	int err = identity_parse(&id, identity);
	void *grown;

	if (!err) {
		grown = append(keys->identities, &keys->nr_identities, &id, sizeof(id));
		if (grown)
			keys->identities = grown;
		else
			err = -ENOMEM;
	}
	OPENSSL_cleanse(&id, sizeof(id));
	return err;
}

int decant_age_keys_passphrase(struct decant_age_keys *keys, const void *passphrase,
			       size_t len)
{
	struct phrase phrase = {NULL, len};
	void *grown;

	if (!passphrase || !len)
		return -EINVAL;
	phrase.bytes = OPENSSL_memdup(passphrase, len);
	if (!phrase.bytes)
		return -ENOMEM;
	grown = append(keys->phrases, &keys->nr_phrases, &phrase, sizeof(phrase));
	if (!grown) {
		OPENSSL_clear_free(phrase.bytes, len);
		return -ENOMEM;
	}
	keys->phrases = grown;
	return 0;
}
