/** What a term does to the attributes of a route that it matches. */

import { type IpAddress, sameAddress } from "../../bgp/model/address.ts";
import { type AsPath, neighborAs, prependAs } from "../../bgp/model/as-path.ts";
import type { PathAttributes } from "../../bgp/model/attributes.ts";
import { type Asn, asn } from "../../bgp/model/ids.ts";
import { editAttributes } from "../edit-attributes.ts";
import { changeCommunities } from "./community-patterns.ts";
import type { Changes } from "./policy.ts";

interface Remembered {
  readonly changes: Changes;
  readonly self: IpAddress | undefined;
  readonly repeatAs: Asn | undefined;
  readonly result: PathAttributes;
}

/** The last change made to each set: the prefixes of one UPDATE share their attributes, and so the changed ones are one object too. */
const remembered = new WeakMap<PathAttributes, Remembered>();

/** The same object when nothing changes. `repeatAs`: see PolicyContext. */
export function applyChanges(
  attributes: PathAttributes,
  changes: Changes,
  self: IpAddress | undefined,
  repeatAs: Asn | undefined,
): PathAttributes {
  const last = remembered.get(attributes);
  if (last !== undefined && last.changes === changes && last.self === self && last.repeatAs === repeatAs) {
    return last.result;
  }
  const result = change(attributes, changes, self, repeatAs);
  remembered.set(attributes, { changes, self, repeatAs, result });
  return result;
}

function change(
  attributes: PathAttributes,
  changes: Changes,
  self: IpAddress | undefined,
  repeatAs: Asn | undefined,
): PathAttributes {
  const wanted = changes.nextHop === "self" ? self : changes.nextHop;
  const keepsNextHop = wanted === undefined || sameAddress(wanted, attributes.nextHop);
  return editAttributes(attributes, {
    localPref: changes.localPref ?? attributes.localPref,
    med: changes.med ?? attributes.med,
    nextHop: keepsNextHop ? attributes.nextHop : wanted,
    // The link-local address went with the global one (RFC 2545 §3).
    linkLocalNextHop: keepsNextHop ? attributes.linkLocalNextHop : undefined,
    asPath: prepended(attributes.asPath, changes.prependAs, repeatAs),
    ...changeCommunities(attributes, changes.addCommunities, changes.removeCommunities),
  });
}

/** A list reads as it will stand in front of the path. */
function prepended(path: AsPath, prepend: Changes["prependAs"], repeatAs: Asn | undefined): AsPath {
  if (prepend === undefined) return path;
  if (typeof prepend !== "number") return prepend.reduceRight<AsPath>((longer, as) => prependAs(longer, as), path);
  const repeated = repeatAs ?? asn(neighborAs(path));
  return repeated === 0 ? path : prependAs(path, repeated, prepend);
}
