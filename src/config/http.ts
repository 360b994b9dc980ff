/** Where metrics, health and the read-only API are served. */

import type { IpAddress } from "../bgp/model/address.ts";
import { Family } from "../bgp/model/family.ts";
import { parseAddress } from "./addresses.ts";
import type { HttpConfig } from "./model.ts";
import type { ProblemList } from "./problem.ts";
import type { Surroundings } from "./surroundings.ts";

/** For machines that share one file, each to listen on an address of its own: in Kubernetes, the pod's `status.hostIP`. */
const ADDRESS_VARIABLE = "STARLING_HTTP_ADDRESS";
const LOOPBACK: IpAddress = { family: Family.Ipv4, w0: 0x7f000001, w1: 0, w2: 0, w3: 0 };
const DEFAULT_PORT = 9179;

export interface HttpInput {
  readonly address?: IpAddress | undefined;
  readonly port?: number | undefined;
}

export function resolveHttp(
  http: HttpInput | false,
  surroundings: Pick<Surroundings, "environment">,
  problems: ProblemList,
): HttpConfig | undefined {
  if (http === false) return undefined;
  return {
    address: http.address ?? addressOfEnvironment(surroundings, problems) ?? LOOPBACK,
    port: http.port ?? DEFAULT_PORT,
  };
}

function addressOfEnvironment(
  { environment }: Pick<Surroundings, "environment">,
  problems: ProblemList,
): IpAddress | undefined {
  const text = environment(ADDRESS_VARIABLE);
  if (text === undefined || text === "") return undefined;
  const address = parseAddress(text);
  if (address === undefined) {
    problems.error(["http", "address"], `${ADDRESS_VARIABLE} is ${JSON.stringify(text)}; accepted: an address`);
  }
  return address;
}
