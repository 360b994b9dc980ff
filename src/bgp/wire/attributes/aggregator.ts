/** AGGREGATOR, RFC 4271 §5.1.7: six octets, or eight with four-octet AS numbers (RFC 6793 §4.1). */

import type { Aggregator } from "../../model/attributes.ts";
import { AS_TRANS, type Asn, type RouterId } from "../../model/ids.ts";
import { isNonZero } from "./as-path.ts";
import { type AttributeCodec, OPTIONAL_TRANSITIVE } from "./contract.ts";

export const aggregator: AttributeCodec<Aggregator> = {
  type: 7,
  name: "AGGREGATOR",
  flags: OPTIONAL_TRANSITIVE,
  length: "any",
  onError: "discard",
  section: "RFC 7606 §7.7",
  decode(r, { fourOctetAs }) {
    if (r.remaining !== (fourOctetAs ? 8 : 6)) return undefined;
    const asNumber = (fourOctetAs ? r.u32() : r.u16()) as Asn;
    // RFC 7607 §2.
    return asNumber === 0 ? undefined : { asNumber, address: r.u32() as RouterId };
  },
  isPlain(bytes, at, end) {
    return end - at === 8 && isNonZero(bytes, at);
  },
  encode({ asNumber, address }, w, { fourOctetAs }) {
    if (fourOctetAs) w.u32(asNumber);
    else w.u16(asNumber > 0xffff ? AS_TRANS : asNumber);
    w.u32(address);
  },
};
