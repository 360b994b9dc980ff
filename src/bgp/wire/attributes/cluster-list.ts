/** CLUSTER_LIST, RFC 4456 §8. */

import type { RouterId } from "../../model/ids.ts";
import { type AttributeCodec, OPTIONAL_NON_TRANSITIVE } from "./contract.ts";

export const clusterList: AttributeCodec<readonly RouterId[]> = {
  type: 10,
  name: "CLUSTER_LIST",
  flags: OPTIONAL_NON_TRANSITIVE,
  length: { nonZeroMultipleOf: 4 },
  onError: "withdraw",
  internalOnly: true,
  section: "RFC 7606 §7.10",
  decode(r) {
    const list: RouterId[] = [];
    while (r.remaining > 0) list.push(r.u32() as RouterId);
    return list;
  },
  encode(list, w) {
    for (const id of list) w.u32(id);
  },
};
