/** MULTI_EXIT_DISC, RFC 4271 §5.1.4. */

import { type AttributeCodec, OPTIONAL_NON_TRANSITIVE } from "./contract.ts";

export const multiExitDisc: AttributeCodec<number> = {
  type: 4,
  name: "MULTI_EXIT_DISC",
  flags: OPTIONAL_NON_TRANSITIVE,
  length: { exactly: 4 },
  onError: "withdraw",
  section: "RFC 7606 §7.4",
  decode(r) {
    return r.u32();
  },
  encode(value, w) {
    w.u32(value);
  },
};
