/** ORIGIN, RFC 4271 §5.1.1. */

import { Origin } from "../../model/attributes.ts";
import { UpdateSubcode } from "../../model/messages.ts";
import { type AttributeCodec, WELL_KNOWN } from "./contract.ts";

export const origin: AttributeCodec<Origin> = {
  type: 1,
  name: "ORIGIN",
  flags: WELL_KNOWN,
  length: { exactly: 1 },
  onError: "withdraw",
  section: "RFC 7606 §7.1",
  subcode: UpdateSubcode.InvalidOrigin,
  decode(r) {
    const value = r.u8();
    return value <= Origin.Incomplete ? (value as Origin) : undefined;
  },
  isPlain(bytes, at) {
    return (bytes[at] as number) <= Origin.Incomplete;
  },
  encode(value, w) {
    w.u8(value);
  },
};
