/** The BGP Identifier of a node: CALICO_ROUTER_ID, or its IPv4 address. */

import { createHash } from "node:crypto";
import { Family } from "../../../bgp/model/family.ts";
import { parseAddress } from "../../addresses.ts";
import type { Place } from "../problem.ts";
import { canonicalAddress } from "../resources/field-types.ts";
import type { ClusterNode } from "../resources/node.ts";

/** `written`: an identifier, `hash`, or nothing. */
export function routerIdOf(written: string, node: ClusterNode, place: Place): string {
  if (written === "hash") return hashedRouterId(node.name);
  const id = canonicalAddress(written);
  if (id !== undefined && parseAddress(id)?.family === Family.Ipv4 && id !== "0.0.0.0") return id;
  if (written !== "") {
    place.warn(
      `CALICO_ROUTER_ID "${written.slice(0, 60)}" is not accepted; accepted: an identifier such as 10.0.0.1, or hash`,
    );
  }
  if (node.ipv4 !== undefined) return node.ipv4.address;
  // BIRD would not start.
  place.warn("has no IPv4 address to be its router id: it gets one by its name, as CALICO_ROUTER_ID=hash gives");
  return hashedRouterId(node.name);
}

/** As Calico: what would be a multicast address or beyond is moved below. */
function hashedRouterId(nodeName: string): string {
  const [first = 0, second = 0, third = 0, fourth = 0] = createHash("sha256").update(nodeName).digest();
  return [first > 223 ? first - 32 : first, second, third, fourth].join(".");
}
