/** ONLY_TO_CUSTOMER, RFC 9234 §5. */

import type { Asn } from "../../model/ids.ts";
import { type AttributeCodec, OPTIONAL_TRANSITIVE } from "./contract.ts";

export const onlyToCustomer: AttributeCodec<Asn> = {
  type: 35,
  name: "ONLY_TO_CUSTOMER",
  flags: OPTIONAL_TRANSITIVE,
  length: { exactly: 4 },
  onError: "withdraw",
  section: "RFC 9234 §5",
  decode(r) {
    return r.u32() as Asn;
  },
  encode(value, w) {
    w.u32(value);
  },
};
