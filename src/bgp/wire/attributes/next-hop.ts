/** NEXT_HOP, RFC 4271 §5.1.3: of the prefixes in the NLRI field, never of those in MP_REACH_NLRI. */

import { type IpAddress, ipv4 } from "../../model/address.ts";
import { UpdateSubcode } from "../../model/messages.ts";
import { type AttributeCodec, WELL_KNOWN } from "./contract.ts";

export const nextHop: AttributeCodec<IpAddress> = {
  type: 3,
  name: "NEXT_HOP",
  flags: WELL_KNOWN,
  length: { exactly: 4 },
  onError: "withdraw",
  section: "RFC 7606 §7.3",
  subcode: UpdateSubcode.InvalidNextHop,
  // Whether the address can be a host's is asked where it is used: RFC 4760 §3 has NEXT_HOP ignored without NLRI.
  decode(r) {
    return ipv4(r.u32());
  },
  encode(value, w) {
    w.u32(value.w0);
  },
};
