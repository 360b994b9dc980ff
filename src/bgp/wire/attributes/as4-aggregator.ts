/** AS4_AGGREGATOR, RFC 6793 §3. Malformed: discarded (§6). */

import type { Aggregator } from "../../model/attributes.ts";
import type { Asn, RouterId } from "../../model/ids.ts";
import { type AttributeCodec, OPTIONAL_TRANSITIVE } from "./contract.ts";

export const as4Aggregator: AttributeCodec<Aggregator> = {
  type: 18,
  name: "AS4_AGGREGATOR",
  flags: OPTIONAL_TRANSITIVE,
  length: { exactly: 8 },
  onError: "discard",
  twoOctetOnly: true,
  section: "RFC 6793 §6",
  decode(r) {
    const asNumber = r.u32() as Asn;
    // RFC 7607 §2.
    return asNumber === 0 ? undefined : { asNumber, address: r.u32() as RouterId };
  },
  encode({ asNumber, address }, w) {
    w.u32(asNumber);
    w.u32(address);
  },
};
