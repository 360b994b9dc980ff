/** What holds where the file says nothing: of starling itself, or on a Calico node what its resources come to. */

import type { IpAddress } from "../bgp/model/address.ts";
import { Family } from "../bgp/model/family.ts";
import type { Asn, RouterId } from "../bgp/model/ids.ts";
import type { LogLevel } from "./model.ts";

export interface Given {
  /** Undefined: the file must say. */
  readonly asNumber: Asn | undefined;
  /** Undefined: the machine's. */
  readonly routerId: RouterId | undefined;
  /** Undefined: the router id. */
  readonly clusterId: RouterId | undefined;
  readonly listen: { readonly addresses: readonly IpAddress[]; readonly port: number };
  readonly logLevel: LogLevel;
  /** Names of policies that peers may use beside those of the file. */
  readonly policies: readonly string[];
  readonly kernel: {
    readonly enabled: boolean;
    readonly learn: { readonly protocols: readonly (string | number)[]; readonly interfaces: readonly string[] };
    readonly excludeInterfaces: readonly string[];
    /** Whatever else the file names. */
    readonly alwaysExcluded: readonly string[];
  };
}

export const ANY_IPV4: IpAddress = { family: Family.Ipv4, w0: 0, w1: 0, w2: 0, w3: 0 };
export const ANY_IPV6: IpAddress = { family: Family.Ipv6, w0: 0, w1: 0, w2: 0, w3: 0 };

export const PLAIN: Given = {
  asNumber: undefined,
  routerId: undefined,
  clusterId: undefined,
  listen: { addresses: [ANY_IPV4, ANY_IPV6], port: 179 },
  logLevel: "info",
  policies: [],
  kernel: {
    enabled: true,
    learn: { protocols: ["boot", "static"], interfaces: ["cali*"] },
    excludeInterfaces: ["kube-ipvs*"],
    alwaysExcluded: [],
  },
};
