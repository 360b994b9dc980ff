/** ATOMIC_AGGREGATE, RFC 4271 §5.1.6: it says all by being there. */

import { type AttributeCodec, WELL_KNOWN } from "./contract.ts";

export const atomicAggregate: AttributeCodec<boolean> = {
  type: 6,
  name: "ATOMIC_AGGREGATE",
  flags: WELL_KNOWN,
  length: { exactly: 0 },
  onError: "discard",
  section: "RFC 7606 §7.6",
  decode() {
    return true;
  },
  encode() {},
};
