/* SPDX-License-Identifier: MIT */
/*
 * hash_vectors.h - FIPS 180-4's examples; RFC 7693, appendix A, and the first keyed one
 * of BLAKE2's own; RFC 4231, cases 1 to 4, 6 and 7; RFC 8439, A.3, and edge cases of the
 * reduction. Text in quotes is itself, after x it is hexadecimal, after a number and a
 * star it is a byte so many times.
 */
#include <decant/hash.h>

#define IETF                                                                             \
	"'Any submission to the IETF intended by the Contributor for publication as "    \
	"all or "                                                                        \
	"part of an IETF Internet-Draft or RFC and any statement made within the "       \
	"context "                                                                       \
	"of an IETF activity is considered an \"IETF Contribution\". Such statements "   \
	"include oral statements in IETF sessions, as well as written and electronic "   \
	"communications made at any time or place, which are addressed to"
#define LARGER                                                                           \
	"'This is a test using a larger than block-size key and a larger than "          \
	"block-size "                                                                    \
	"data. The key needs to be hashed before being used by the HMAC algorithm."
#define SHA_256	 DECANT_HASH_SHA_256
#define SHA_512	 DECANT_HASH_SHA_512
#define HMAC_256 DECANT_HASH_HMAC_SHA_256
#define HMAC_512 DECANT_HASH_HMAC_SHA_512
#define POLY	 DECANT_HASH_POLY1305
#define LONG_448 "'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"

static const struct hash_vector {
	enum decant_hash hash;
	const char *key, *text, *result;
} hash_vectors[] = {
	{SHA_256, "'", "'abc",
	 "xba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	{SHA_256, "'", "'",
	 "xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	{SHA_256, "'", LONG_448,
	 "x248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	{SHA_512, "'", "'abc",
	 "xddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
	 "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
	{SHA_512, "'", "'",
	 "xcf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
	 "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"},
	{DECANT_HASH_BLAKE2B, "'", "'abc",
	 "xba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
	 "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"},
	{DECANT_HASH_BLAKE2B,
	 "x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	 "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
	 "'",
	 "x10ebb67700b1868efb4417987acf4690ae9d972fb7a590c2f02871799aaa4786"
	 "b5e996e8f0f4eb981fc214b005f42d2ff4233499391653df7aefcbc13fc51568"},
	{HMAC_256, "20*11", "'Hi There",
	 "xb0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
	{HMAC_512, "20*11", "'Hi There",
	 "x87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
	 "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"},
	{HMAC_256, "'Jefe", "'what do ya want for nothing?",
	 "x5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
	{HMAC_512, "'Jefe", "'what do ya want for nothing?",
	 "x164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
	 "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
	{HMAC_256, "20*170", "50*221",
	 "x773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
	{HMAC_512, "20*170", "50*221",
	 "xfa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39"
	 "bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb"},
	{HMAC_256, "x0102030405060708090a0b0c0d0e0f10111213141516171819", "50*205",
	 "x82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
	{HMAC_512, "x0102030405060708090a0b0c0d0e0f10111213141516171819", "50*205",
	 "xb0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3db"
	 "a91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd"},
	{HMAC_512, "131*170", "'Test Using Larger Than Block-Size Key - Hash Key First",
	 "x80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
	 "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"},
	{HMAC_512, "131*170", LARGER,
	 "xe37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944"
	 "b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58"},
	{POLY, "32*0", "64*0", "x00000000000000000000000000000000"},
	{POLY, "x0000000000000000000000000000000036e5f6b5c5e06070f0efca96227a863e", IETF,
	 "x36e5f6b5c5e06070f0efca96227a863e"},
	{POLY, "x36e5f6b5c5e06070f0efca96227a863e00000000000000000000000000000000", IETF,
	 "xf3477e7cd95417af89a6b8794c310cf0"},
	{POLY, "x1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0",
	 "'\'Twas brillig, and the slithy toves\nDid gyre and gimble in the wabe:\nAll "
	 "mimsy "
	 "were the borogoves,\nAnd the mome raths outgrabe.",
	 "x4541669a7eaaee61e708dc7cbcc5eb62"},
	{POLY, "x0200000000000000000000000000000000000000000000000000000000000000",
	 "16*255", "x03000000000000000000000000000000"},
	{POLY, "x02000000000000000000000000000000ffffffffffffffffffffffffffffffff",
	 "x02000000000000000000000000000000", "x03000000000000000000000000000000"},
	{POLY, "x0100000000000000000000000000000000000000000000000000000000000000",
	 "xfffffffffffffffffffffffffffffffff0ffffffffffffffffffffffffffffff"
	 "11000000000000000000000000000000",
	 "x05000000000000000000000000000000"},
	{POLY, "x0100000000000000000000000000000000000000000000000000000000000000",
	 "xfffffffffffffffffffffffffffffffffbfefefefefefefefefefefefefefefe"
	 "01010101010101010101010101010101",
	 "x00000000000000000000000000000000"},
	{POLY, "x85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b",
	 "'Cryptographic Forum Research Group", "xa8061dc1305136c6c22b8baf0c0127a9"},
};
