/** Text from and to the wire: UTF-8 that is cut at a character and never carries control characters to a terminal. */

const decoder = new TextDecoder("utf-8", { fatal: true });
const encoder = new TextEncoder();

/** C0, DEL and C1 controls, line and paragraph separators, and the marks that turn the direction of writing. */
const UNSAFE = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** Undefined unless it is UTF-8; control characters become spaces (RFC 9003 §6 warns of them). */
export function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes).replace(UNSAFE, " ");
  } catch {
    return undefined;
  }
}

/** At most `limit` octets, cut between characters. */
export function encodeText(text: string, limit: number): Uint8Array {
  const bytes = encoder.encode(text);
  if (bytes.length <= limit) return bytes;
  let end = limit;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.slice(0, end);
}
