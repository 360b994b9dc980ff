/** ORIGINATOR_ID, RFC 4456 §8. */

import type { RouterId } from "../../model/ids.ts";
import { type AttributeCodec, OPTIONAL_NON_TRANSITIVE } from "./contract.ts";

export const originatorId: AttributeCodec<RouterId> = {
  type: 9,
  name: "ORIGINATOR_ID",
  flags: OPTIONAL_NON_TRANSITIVE,
  length: { exactly: 4 },
  onError: "withdraw",
  internalOnly: true,
  section: "RFC 7606 §7.9",
  decode(r) {
    return r.u32() as RouterId;
  },
  encode(value, w) {
    w.u32(value);
  },
};
