/* Every prefix ever seen has a number, and who holds which is a bitmap over these numbers. */
#pragma once

#include <stdlib.h>

#include "bgp.h"

extern struct prefix *known_prefixes;
extern uint32_t known_count;

/* The slow way to a prefix's number: by its hash. One that was never seen gets the next number. */
uint32_t find_prefix(const struct prefix *prefix);

/*
 * The number of a prefix. Daemons mostly repeat prefixes in the order that they came in, and that is the order of the numbers:
 * `guess`, the number after that of the prefix before, is right so often that the hash is hardly ever computed.
 */
static inline uint32_t prefix_number(const struct prefix *prefix, uint32_t guess)
{
	if (guess < known_count) {
		const struct prefix *there = &known_prefixes[guess];
		if (there->high == prefix->high && there->low == prefix->low && there->kind == prefix->kind)
			return guess;
	}
	return find_prefix(prefix);
}

struct bitmap {
	uint64_t *words;
	size_t size;
};

/* Makes room for the bit `number`. */
void bitmap_grow(struct bitmap *bitmap, uint32_t number);
void bitmap_clear(struct bitmap *bitmap);
void bitmap_free(struct bitmap *bitmap);

static inline bool bitmap_has(const struct bitmap *bitmap, uint32_t number)
{
	return number / 64 < bitmap->size && (bitmap->words[number / 64] >> number % 64 & 1);
}

/* True when it was not there. */
static inline bool bitmap_add(struct bitmap *bitmap, uint32_t number)
{
	if (number / 64 >= bitmap->size)
		bitmap_grow(bitmap, number);
	uint64_t bit = 1ULL << number % 64;
	uint64_t *word = &bitmap->words[number / 64];
	bool is_new = !(*word & bit);
	*word |= bit;
	return is_new;
}

/* True when it was there. */
static inline bool bitmap_remove(struct bitmap *bitmap, uint32_t number)
{
	if (!bitmap_has(bitmap, number))
		return false;
	bitmap->words[number / 64] &= ~(1ULL << number % 64);
	return true;
}

/* Memory, or the end of the program. */
void *allocate(void *old, size_t count, size_t size);
