/** EXTENDED COMMUNITIES, RFC 4360. RFC 7606 §7.14: a type that is not known is no error. */

import type { ExtendedCommunity } from "../../model/community.ts";
import { type AttributeCodec, OPTIONAL_TRANSITIVE } from "./contract.ts";

export const extendedCommunities: AttributeCodec<readonly ExtendedCommunity[]> = {
  type: 16,
  name: "EXTENDED_COMMUNITIES",
  flags: OPTIONAL_TRANSITIVE,
  length: { nonZeroMultipleOf: 8 },
  onError: "withdraw",
  section: "RFC 7606 §7.14",
  decode(r) {
    const list: ExtendedCommunity[] = [];
    while (r.remaining > 0) list.push({ high: r.u32(), low: r.u32() });
    return list;
  },
  encode(list, w) {
    for (const { high, low } of list) {
      w.u32(high);
      w.u32(low);
    }
  },
};
