/** COMMUNITIES, RFC 1997. */

import { type AttributeCodec, OPTIONAL_TRANSITIVE } from "./contract.ts";

export const communities: AttributeCodec<readonly number[]> = {
  type: 8,
  name: "COMMUNITIES",
  flags: OPTIONAL_TRANSITIVE,
  length: { nonZeroMultipleOf: 4 },
  onError: "withdraw",
  section: "RFC 7606 §7.8",
  decode(r) {
    const list: number[] = [];
    while (r.remaining > 0) list.push(r.u32());
    return list;
  },
  encode(list, w) {
    for (const community of list) w.u32(community);
  },
};
