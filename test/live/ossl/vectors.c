/* SPDX-License-Identifier: MIT */
/*
 * vectors.c - test cases 13 to 16 of "The Galois/Counter Mode of Operation (GCM)",
 * D. McGrew and J. Viega, 2005, appendix B: those with AES-256 and a nonce of 96 bits.
 */
#include "reference.h"

#define KEY  "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
#define TEXT60 \
	"d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72" \
	"1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
#define CIPHER60 \
	"522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa" \
	"8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"

const struct vector vectors[] = {
	{"case 13", "0000000000000000000000000000000000000000000000000000000000000000",
	 "000000000000000000000000", "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
	{"case 14", "0000000000000000000000000000000000000000000000000000000000000000",
	 "000000000000000000000000", "", "00000000000000000000000000000000",
	 "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919"},
	{"case 15", KEY, "cafebabefacedbaddecaf888", "", TEXT60 "1aafd255",
	 CIPHER60 "898015ad", "b094dac5d93471bdec1a502270e3cc6c"},
	{"case 16", KEY, "cafebabefacedbaddecaf888",
	 "feedfacedeadbeeffeedfacedeadbeefabaddad2", TEXT60, CIPHER60,
	 "76fc6ece0f4e1768cddf8853bb2d551b"},
};
const size_t vectors_nr = sizeof(vectors) / sizeof(*vectors);
