#include "bgp.h"

/* AS_TRANS: stands in the two octets of OPEN for a number that does not fit there (RFC 6793). */
enum { AS_TRANS = 23456 };
enum { CAPABILITIES = 2 };
enum { MULTIPROTOCOL = 1, REFRESH = 2, GRACEFUL_RESTART = 64, FOUR_OCTET_AS = 65 };
enum { UNICAST = 1 };
enum { MP_REACH_NLRI = 14, MP_UNREACH_NLRI = 15, EXTENDED_LENGTH = 0x10 };

static uint8_t *put16(uint8_t *at, unsigned value)
{
	*at++ = (uint8_t)(value >> 8);
	*at++ = (uint8_t)value;
	return at;
}

static uint8_t *put32(uint8_t *at, uint32_t value)
{
	return put16(put16(at, value >> 16), value & 0xffff);
}

static uint8_t *begin(uint8_t *out, uint8_t type)
{
	memset(out, 0xff, 16);
	out[18] = type;
	return out + HEADER_LENGTH;
}

static size_t finish(uint8_t *out, const uint8_t *end)
{
	size_t length = (size_t)(end - out);
	put16(out + 16, (unsigned)length);
	return length;
}

static uint8_t *put_multiprotocol(uint8_t *at, int family)
{
	*at++ = MULTIPROTOCOL;
	*at++ = 4;
	at = put16(at, (unsigned)family);
	return put16(at, UNICAST);
}

static uint8_t *put_capabilities(uint8_t *at, const struct open_fields *fields)
{
	if (fields->ipv4)
		at = put_multiprotocol(at, IPV4);
	if (fields->ipv6)
		at = put_multiprotocol(at, IPV6);
	*at++ = REFRESH;
	*at++ = 0;
	*at++ = FOUR_OCTET_AS;
	*at++ = 4;
	at = put32(at, fields->as);
	/* No families, no time: nothing is kept over a restart, but End-of-RIB is understood (RFC 4724, section 3). */
	*at++ = GRACEFUL_RESTART;
	*at++ = 2;
	return put16(at, 0);
}

size_t write_open(uint8_t *out, const struct open_fields *fields)
{
	uint8_t *at = begin(out, OPEN);
	*at++ = 4;
	at = put16(at, fields->as > 0xffff ? AS_TRANS : fields->as);
	at = put16(at, fields->hold);
	at = put32(at, fields->router_id);
	uint8_t *parameters = at;
	at += 3;
	uint8_t *end = put_capabilities(at, fields);
	parameters[0] = (uint8_t)(end - parameters - 1);
	parameters[1] = CAPABILITIES;
	parameters[2] = (uint8_t)(end - at);
	return finish(out, end);
}

size_t write_keepalive(uint8_t *out)
{
	return finish(out, begin(out, KEEPALIVE));
}

size_t write_notification(uint8_t *out, uint8_t code, uint8_t subcode)
{
	uint8_t *at = begin(out, NOTIFICATION);
	*at++ = code;
	*at++ = subcode;
	return finish(out, at);
}

size_t write_end_of_rib(uint8_t *out, int family)
{
	uint8_t *at = put16(begin(out, UPDATE), 0);
	if (family == IPV4)
		return finish(out, put16(at, 0));
	static const uint8_t nothing[] = {0x80, MP_UNREACH_NLRI, 3, 0, IPV6, UNICAST};
	at = put16(at, sizeof nothing);
	memcpy(at, nothing, sizeof nothing);
	return finish(out, at + sizeof nothing);
}

int whole_message(const uint8_t *at, size_t available)
{
	if (available < HEADER_LENGTH)
		return 0;
	if ((get64(at) & get64(at + 8)) != ~0ULL)
		return -1;
	unsigned length = get16(at + 16);
	if (length < HEADER_LENGTH || length > MAX_MESSAGE)
		return -1;
	return length <= available ? (int)length : 0;
}

static struct nlri run_of(const uint8_t *at, const uint8_t *end, int family)
{
	return (struct nlri){at, end, family};
}

/* AFI, SAFI, next hop with its length, a reserved octet, prefixes (RFC 4760, section 3). */
static bool split_reach(const uint8_t *at, const uint8_t *end, struct update *update)
{
	if (end - at < 5 || end - at < 5 + at[3])
		return false;
	if (at[2] == UNICAST)
		update->mp_announced = run_of(at + 5 + at[3], end, get16(at));
	return true;
}

static bool split_unreach(const uint8_t *at, const uint8_t *end, struct update *update)
{
	if (end - at < 3)
		return false;
	if (at[2] == UNICAST)
		update->mp_withdrawn = run_of(at + 3, end, get16(at));
	return true;
}

static bool split_attributes(const uint8_t *at, const uint8_t *end, struct update *update)
{
	while (at < end) {
		if (end - at < 3)
			return false;
		bool extended = at[0] & EXTENDED_LENGTH;
		if (extended && end - at < 4)
			return false;
		const uint8_t *value = at + (extended ? 4 : 3);
		size_t length = extended ? get16(at + 2) : at[2];
		if (length > (size_t)(end - value))
			return false;
		uint8_t type = at[1];
		at = value + length;
		if (type == MP_REACH_NLRI && !split_reach(value, at, update))
			return false;
		if (type == MP_UNREACH_NLRI && !split_unreach(value, at, update))
			return false;
	}
	return true;
}

bool split_update(const uint8_t *message, size_t length, struct update *update)
{
	*update = (struct update){0};
	const uint8_t *at = message + HEADER_LENGTH;
	const uint8_t *end = message + length;
	if (end - at < 4)
		return false;
	size_t withdrawn = get16(at);
	if (withdrawn > (size_t)(end - at) - 4)
		return false;
	update->withdrawn = run_of(at + 2, at + 2 + withdrawn, IPV4);
	at += 2 + withdrawn;
	size_t attributes = get16(at);
	at += 2;
	if (attributes > (size_t)(end - at))
		return false;
	update->announced = run_of(at + attributes, end, IPV4);
	if (!split_attributes(at, at + attributes, update))
		return false;
	bool is_empty_mp = attributes == 6 && update->mp_withdrawn.family != NO_FAMILY
		&& update->mp_withdrawn.at == update->mp_withdrawn.end;
	update->is_end_of_rib = withdrawn == 0 && at + attributes == end && (attributes == 0 || is_empty_mp);
	return true;
}
