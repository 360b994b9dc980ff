/** Models of a Calico node for tests: one without anything, and short ways to give it something. */

import type { CalicoFamily, CalicoModel, CalicoPeer } from "../../../../src/config/calico/model.ts";

export const EMPTY_FAMILY: CalicoFamily = {
  enabled: true,
  listen: { port: 179, address: null },
  logLevel: "info",
  localAsNumber: 64512,
  normalRoutePriority: 1024,
  ignoredInterfaces: [],
  peers: [],
  blackholes: [],
  serviceRoutes: [],
  staticRoutes: [],
  aggregates: [],
  pendingBlocks: [],
  exportRejects: [],
  exportAccepts: [],
  communities: [],
  kernelRules: [],
  filters: [],
};

export function modelOf(ipv4: Partial<CalicoFamily> = {}, more: Partial<CalicoModel> = {}): CalicoModel {
  return {
    nodeName: "node-1",
    release: "3.33",
    routerId: "10.0.0.1",
    ipv4: { ...EMPTY_FAMILY, ...ipv4 },
    ipv6: { ...EMPTY_FAMILY, enabled: false, localAsNumber: null },
    ...more,
  };
}

/** A node of the mesh. */
export function calicoPeer(address: string, more: Partial<CalicoPeer> = {}): CalicoPeer {
  return {
    name: `Mesh_${address.replaceAll(/[.:]/g, "_")}`,
    address,
    port: 179,
    asNumber: 64512,
    localAsNumber: 64512,
    localAsOverride: false,
    localAddress: "10.0.0.1",
    passive: false,
    ttlSecurity: null,
    multihop: true,
    internal: true,
    gracefulRestartTime: null,
    keepaliveTime: null,
    routeReflectorClient: false,
    clusterId: null,
    passwordSet: false,
    password: null,
    nextHop: null,
    allowLocalAs: 0,
    importFilters: [],
    exportFilters: [],
    source: `calico:Node/${address}`,
    ...more,
  };
}
