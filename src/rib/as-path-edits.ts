/** What happens to AS_PATH towards an external peer besides prepending: private numbers removed, the peer's own replaced. */

import type { AsPath, AsPathSegment } from "../bgp/model/as-path.ts";
import type { Asn } from "../bgp/model/ids.ts";

/** RFC 6996 §5: both ranges are for private use. */
function isPrivateAs(asn: number): boolean {
  return (asn >= 64512 && asn <= 65534) || (asn >= 4200000000 && asn <= 4294967294);
}

/** The same path if it has none to remove. Those in `kept` stay: the peer's own, or it could not see a loop (RFC 4271 §9.1.2). */
export function removePrivateAs(path: AsPath, kept: readonly Asn[]): AsPath {
  const goes = (asn: Asn): boolean => isPrivateAs(asn) && !kept.includes(asn);
  if (!path.some((segment) => segment.asns.some(goes))) return path;
  const left: AsPathSegment[] = [];
  for (const { type, asns } of path) {
    const stay = asns.filter((asn) => !goes(asn));
    if (stay.length > 0) left.push({ type, asns: stay });
  }
  return left;
}

/** The same path if `from` does not stand in it. */
export function replaceAs(path: AsPath, from: Asn, to: Asn): AsPath {
  if (!path.some((segment) => segment.asns.includes(from))) return path;
  return path.map(({ type, asns }) => ({ type, asns: asns.map((asn) => (asn === from ? to : asn)) }));
}
