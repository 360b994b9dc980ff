/** The file that Felix writes for a workload of this node that a BGPPeer selects. */

import { formatAddress } from "../../../bgp/model/address.ts";
import { parseAddress } from "../../addresses.ts";
import type { Place } from "../problem.ts";
import type { StoredObject } from "../stored-object.ts";
import { writtenCidr } from "./field-types.ts";
import { isMap, list, name, readFields, text } from "./fields.ts";

const net = text("an address with its length, such as 10.65.0.2/32", (written) => {
  const own = parseAddress(written.split("/")[0] ?? "");
  return own === undefined || (written.includes("/") && writtenCidr(written) === undefined)
    ? undefined
    : formatAddress(own);
});

const fields = { bgpPeerName: name("the name of a BGPPeer"), ipv4Nets: list(net), ipv6Nets: list(net) };

export interface EndpointStatus {
  /** The BGPPeer that selects it. */
  readonly bgpPeer: string;
  /** The first of each family counts. */
  readonly ipv4: string | undefined;
  readonly ipv6: string | undefined;
}

/** Undefined: a workload that nobody peers with. What else Felix writes is no mistake of anybody's. */
export function readEndpointStatus(object: StoredObject, place: Place): EndpointStatus | undefined {
  const { bgpPeerName, ipv4Nets, ipv6Nets } = isMap(object["spec"]) ? object["spec"] : {};
  const status = readFields(fields, { bgpPeerName, ipv4Nets, ipv6Nets }, place.at("spec"));
  if (status.bgpPeerName === undefined) return undefined;
  return { bgpPeer: status.bgpPeerName, ipv4: status.ipv4Nets?.[0], ipv6: status.ipv6Nets?.[0] };
}
