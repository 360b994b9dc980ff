/** Route leak prevention by roles and the Only to Customer attribute (RFC 9234 §5); for external peers that have a role. */

import type { PathAttributes } from "../bgp/model/attributes.ts";
import type { Asn } from "../bgp/model/ids.ts";
import type { AttributeView } from "../bgp/model/ports.ts";
import { editAttributes } from "./edit-attributes.ts";

/** Our own role towards the peer (RFC 9234 §4.1). */
export const Role = { Provider: 0, RouteServer: 1, RouteServerClient: 2, Customer: 3, Peer: 4 } as const;

type Marked = Pick<AttributeView, "onlyToCustomer">;

/** RFC 9234 §5, ingress 1 and 2: OTC from a customer or a client of ours, or another's OTC from a lateral peer, is a leak. */
export function isLeak(set: Marked, role: number | undefined, peerAs: Asn): boolean {
  const otc = set.onlyToCustomer;
  if (otc === undefined) return false;
  return role === Role.Provider || role === Role.RouteServer || (role === Role.Peer && otc !== peerAs);
}

/** Ingress 3: what a provider, a lateral peer or a route server sends goes to customers only from here on. */
export function isMarkedOnIngress(set: Marked, role: number | undefined): boolean {
  const comesFromAbove = role === Role.Customer || role === Role.Peer || role === Role.RouteServerClient;
  return comesFromAbove && set.onlyToCustomer === undefined;
}

export function markOnIngress(attributes: PathAttributes, role: number | undefined, peerAs: Asn): PathAttributes {
  return isMarkedOnIngress(attributes, role) ? editAttributes(attributes, { onlyToCustomer: peerAs }) : attributes;
}

/** Egress 2: a route with OTC must not go to providers, lateral peers or route servers. */
export function mayNotLeave(set: Pick<AttributeView, "onlyToCustomer">, role: number | undefined): boolean {
  const goesUp = role === Role.Customer || role === Role.Peer || role === Role.RouteServerClient;
  return goesUp && set.onlyToCustomer !== undefined;
}

/** Egress 1: what goes to a customer, a lateral peer or a client of our route server carries this OTC, if none before. */
export function otcOnEgress(role: number | undefined, localAs: Asn): Asn | undefined {
  const goesDown = role === Role.Provider || role === Role.Peer || role === Role.RouteServer;
  return goesDown ? localAs : undefined;
}
