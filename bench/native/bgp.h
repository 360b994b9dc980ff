/* As much of BGP-4 (RFC 4271, RFC 4760) as it takes to load a daemon and to count what comes back. */
#pragma once

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { HEADER_LENGTH = 19, MAX_MESSAGE = 4096 };
enum { OPEN = 1, UPDATE = 2, NOTIFICATION = 3, KEEPALIVE = 4 };
/* Address families (AFI); the subsequent one is always unicast. */
enum { NO_FAMILY = 0, IPV4 = 1, IPV6 = 2 };

struct open_fields {
	uint32_t as;
	uint16_t hold;
	uint32_t router_id;
	bool ipv4;
	bool ipv6;
};

/* Each writes a whole message and returns its length; `out` has room for MAX_MESSAGE octets. */
size_t write_open(uint8_t *out, const struct open_fields *fields);
size_t write_keepalive(uint8_t *out);
size_t write_notification(uint8_t *out, uint8_t code, uint8_t subcode);
/* RFC 4724, section 2: an UPDATE that announces and withdraws nothing. */
size_t write_end_of_rib(uint8_t *out, int family);

/* The length of the message that begins at `at`; 0: more octets are needed to know it, or to have it whole; -1: not BGP. */
int whole_message(const uint8_t *at, size_t available);

/* A run of prefixes as they stand in a message: a length in bits, then as many octets as that takes, again and again. */
struct nlri {
	const uint8_t *at;
	const uint8_t *end;
	int family;
};

/* Where an UPDATE names prefixes: IPv4 at its ends, other families inside of the attributes MP_REACH_NLRI and MP_UNREACH_NLRI. */
struct update {
	struct nlri withdrawn;
	struct nlri announced;
	struct nlri mp_withdrawn;
	struct nlri mp_announced;
	bool is_end_of_rib;
};

/* False when the lengths inside contradict each other. */
bool split_update(const uint8_t *message, size_t length, struct update *update);

struct prefix {
	uint64_t high;
	uint64_t low;
	/* Family and length in bits: what tells 10.0.0.0/8 from 10.0.0.0/16 and from a00::/8. */
	uint64_t kind;
};

static inline uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint64_t get64(const uint8_t *at)
{
	uint64_t value;
	memcpy(&value, at, sizeof value);
	return be64toh(value);
}

static inline uint64_t leading_bits(unsigned count)
{
	return count == 0 ? 0 : count >= 64 ? ~0ULL : ~0ULL << (64 - count);
}

/* Takes the next prefix off a run. False at the end; a run that is not at its end then is malformed. */
static inline bool next_prefix(struct nlri *run, struct prefix *prefix)
{
	const uint8_t *at = run->at;
	if (at >= run->end)
		return false;
	unsigned bits = *at++;
	unsigned octets = (bits + 7) / 8;
	size_t left = (size_t)(run->end - at);
	if (bits > (run->family == IPV4 ? 32 : 128) || octets > left)
		return false;
	uint8_t padded[16] = {0};
	const uint8_t *from = at;
	/* Loads are of a fixed size where the run is long enough, because copies of a variable size are slow; what follows the
	   prefix is masked away, as bits behind its length have to be in any case (RFC 4271, section 4.3). */
	if (left < sizeof padded) {
		for (unsigned i = 0; i < octets; i++)
			padded[i] = at[i];
		from = padded;
	}
	prefix->high = get64(from) & leading_bits(bits);
	prefix->low = bits > 64 ? get64(from + 8) & leading_bits(bits - 64) : 0;
	prefix->kind = (uint64_t)run->family << 8 | bits;
	run->at = at + octets;
	return true;
}
