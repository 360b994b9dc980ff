/** AS4_PATH, RFC 6793 §3: the path in four octets, carried past speakers that know two. Malformed: discarded (§6). */

import type { AsPath } from "../../model/as-path.ts";
import { decodeSegments, encodeSegments, isConfederation } from "./as-path.ts";
import { type AttributeCodec, OPTIONAL_TRANSITIVE } from "./contract.ts";

export const as4Path: AttributeCodec<AsPath> = {
  type: 17,
  name: "AS4_PATH",
  flags: OPTIONAL_TRANSITIVE,
  length: "any",
  onError: "discard",
  twoOctetOnly: true,
  section: "RFC 6793 §6",
  decode(r) {
    // §6: too small to carry at least one AS number.
    if (r.remaining === 0) return undefined;
    // §6: confederation segments are not malformed but dropped.
    return decodeSegments(r, true)?.filter((segment) => !isConfederation(segment));
  },
  encode(path, w) {
    encodeSegments(
      path.filter((segment) => !isConfederation(segment)),
      w,
      true,
    );
  },
};
