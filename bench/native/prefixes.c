#include "prefixes.h"

#include <stdio.h>

struct prefix *known_prefixes;
uint32_t known_count;

static uint32_t capacity;
/* Open addressing: numbers plus one, 0 for a free slot; at most half of the slots are taken. */
static uint32_t *slots;
static uint32_t slot_mask;

void *allocate(void *old, size_t count, size_t size)
{
	void *memory = reallocarray(old, count, size);
	if (memory == NULL) {
		fprintf(stderr, "out of memory\n");
		exit(1);
	}
	return memory;
}

static uint32_t hash(const struct prefix *prefix)
{
	uint64_t mixed = (prefix->high ^ prefix->kind << 20) * 0x9e3779b97f4a7c15ULL;
	mixed = (mixed ^ mixed >> 32 ^ prefix->low) * 0xd6e8feb86659fd93ULL;
	return (uint32_t)(mixed >> 32);
}

static bool is_same(const struct prefix *a, const struct prefix *b)
{
	return a->high == b->high && a->low == b->low && a->kind == b->kind;
}

/* The slot that holds a prefix, or the free one where it belongs. */
static uint32_t *slot_of(const struct prefix *prefix)
{
	uint32_t at = hash(prefix) & slot_mask;
	while (slots[at] != 0 && !is_same(&known_prefixes[slots[at] - 1], prefix))
		at = (at + 1) & slot_mask;
	return &slots[at];
}

static void grow(void)
{
	capacity = capacity == 0 ? 1 << 14 : capacity * 2;
	known_prefixes = allocate(known_prefixes, capacity, sizeof *known_prefixes);
	slot_mask = capacity * 2 - 1;
	slots = allocate(slots, slot_mask + 1ULL, sizeof *slots);
	memset(slots, 0, (slot_mask + 1ULL) * sizeof *slots);
	for (uint32_t number = 0; number < known_count; number++)
		*slot_of(&known_prefixes[number]) = number + 1;
}

uint32_t find_prefix(const struct prefix *prefix)
{
	if (known_count == capacity)
		grow();
	uint32_t *slot = slot_of(prefix);
	if (*slot == 0) {
		known_prefixes[known_count] = *prefix;
		*slot = ++known_count;
	}
	return *slot - 1;
}

void bitmap_grow(struct bitmap *bitmap, uint32_t number)
{
	/* For all that are known by now: as a rule, that is all that there will be. */
	size_t size = (number > known_count ? number : known_count) / 64 + 1;
	if (size < bitmap->size + bitmap->size / 2)
		size = bitmap->size + bitmap->size / 2;
	bitmap->words = allocate(bitmap->words, size, sizeof *bitmap->words);
	memset(bitmap->words + bitmap->size, 0, (size - bitmap->size) * sizeof *bitmap->words);
	bitmap->size = size;
}

void bitmap_clear(struct bitmap *bitmap)
{
	if (bitmap->size > 0)
		memset(bitmap->words, 0, bitmap->size * sizeof *bitmap->words);
}

void bitmap_free(struct bitmap *bitmap)
{
	free(bitmap->words);
	*bitmap = (struct bitmap){0};
}
