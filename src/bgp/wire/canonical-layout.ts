/**
 * A set of path attributes as bytes that two equal sets share: the key of interning, and what UPDATEs are copied from.
 *
 *   octet 0      length of the next hop: 4, 16, or 32 with a link-local one (RFC 2545 §3)
 *   octets 1-4   where the attributes after NEXT_HOP begin, from octet 0
 *   then         the next hop
 *   then         ORIGIN and AS_PATH
 *   then         MULTI_EXIT_DISC and all others, in ascending order of type
 *
 * Attributes look as they do on the wire of a session with four-octet AS numbers, the Partial bit set on those that are not
 * known (RFC 4271 §5) and on those that came with it, so that an UPDATE takes them as they are: with a NEXT_HOP put in between,
 * or with an MP_REACH_NLRI in front.
 */

/** Where it says where the attributes after NEXT_HOP begin. */
export const SPLIT_AT = 1;
/** Where the next hop stands. */
export const NEXT_HOP_AT = 5;
/**
 * A flag bit that RFC 4271 leaves unused: the length takes four octets. Policy can make an attribute longer than any UPDATE;
 * such a set still has its bytes, and the encoder of UPDATEs refuses them.
 */
export const GIANT_LENGTH = 0x01;
