/** LARGE_COMMUNITY, RFC 8092. */

import type { LargeCommunity } from "../../model/community.ts";
import { type AttributeCodec, OPTIONAL_TRANSITIVE } from "./contract.ts";

export const largeCommunities: AttributeCodec<readonly LargeCommunity[]> = {
  type: 32,
  name: "LARGE_COMMUNITY",
  flags: OPTIONAL_TRANSITIVE,
  length: { nonZeroMultipleOf: 12 },
  onError: "withdraw",
  section: "RFC 8092 §6",
  decode(r) {
    const list: LargeCommunity[] = [];
    while (r.remaining > 0) list.push({ global: r.u32(), local1: r.u32(), local2: r.u32() });
    return list;
  },
  encode(list, w) {
    for (const { global, local1, local2 } of list) {
      w.u32(global);
      w.u32(local1);
      w.u32(local2);
    }
  },
};
