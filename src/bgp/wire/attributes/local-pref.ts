/** LOCAL_PREF, RFC 4271 §5.1.5. */

import { type AttributeCodec, WELL_KNOWN } from "./contract.ts";

export const localPref: AttributeCodec<number> = {
  type: 5,
  name: "LOCAL_PREF",
  flags: WELL_KNOWN,
  length: { exactly: 4 },
  onError: "withdraw",
  internalOnly: true,
  section: "RFC 7606 §7.5",
  decode(r) {
    return r.u32();
  },
  encode(value, w) {
    w.u32(value);
  },
};
