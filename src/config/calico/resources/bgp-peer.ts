/** BGPPeer: which nodes have a session with whom, and what it is like. */

import type { Place } from "../problem.ts";
import type { Selector } from "../selector/selector.ts";
import type { StoredObject } from "../stored-object.ts";
import {
  address,
  asNumber,
  canonicalAddress,
  duration,
  familyOf,
  type SecretKey,
  secretReference,
  selector,
} from "./field-types.ts";
import { choice, flag, integer, list, name, readFields, text, type Values } from "./fields.ts";

export interface PeerAddress {
  /** In its canonical form. */
  readonly address: string;
  readonly port: number | undefined;
}

export const bgpPeerFields = {
  asNumber: asNumber(),
  filters: list(name("the name of a BGPFilter")),
  keepOriginalNextHop: flag(),
  keepaliveTime: duration(),
  localASNumber: asNumber(),
  localWorkloadSelector: selector(),
  maxRestartTime: duration(),
  nextHopMode: choice("Auto", "Self", "Keep"),
  node: name("the name of a node"),
  nodeSelector: selector(),
  numAllowedLocalASNumbers: integer(0, 2147483647),
  password: secretReference(),
  peerIP: text("10.0.0.1, 10.0.0.1:1179, fd00::1 or [fd00::1]:1179", parsePeerAddress, 64),
  peerSelector: selector(),
  reachableBy: address(),
  reversePeering: choice("Auto", "Manual"),
  sourceAddress: choice("UseNodeIP", "None"),
  ttlSecurity: integer(0, 255),
};

export interface BgpPeer {
  readonly name: string;
  readonly node: string | undefined;
  readonly nodeSelector: Selector | undefined;
  readonly peerIp: PeerAddress | undefined;
  readonly peerSelector: Selector | undefined;
  /** Felix finds the workloads; what it finds comes as endpoint status. */
  readonly isForLocalWorkloads: boolean;
  readonly asNumber: number | undefined;
  readonly localAsNumber: number | undefined;
  readonly filters: readonly string[];
  readonly password: SecretKey | undefined;
  readonly usesNodeAddress: boolean;
  readonly maxRestartSeconds: number | undefined;
  readonly keepaliveSeconds: number | undefined;
  readonly nextHopMode: "Auto" | "Self" | "Keep" | undefined;
  readonly keepsOriginalNextHop: boolean;
  readonly allowLocalAs: number;
  readonly ttlSecurity: number | undefined;
  readonly reachableBy: string | undefined;
  readonly hasReverse: boolean;
}

/** The field of the restart time in the capability has 12 bits (RFC 4724 §3). */
const MAX_RESTART_SECONDS = 4095;

/** Undefined: there is no peer to be made of it. */
export function readBgpPeer({ metadata, ...object }: StoredObject, place: Place): BgpPeer | undefined {
  const at = place.at("spec");
  const spec = readFields(bgpPeerFields, object["spec"], at);
  checkTogether(spec, at);
  if (place.hasErrors) return undefined;
  return {
    name: metadata.name,
    node: spec.node,
    nodeSelector: spec.nodeSelector,
    peerIp: spec.peerIP,
    peerSelector: spec.peerSelector,
    isForLocalWorkloads: spec.localWorkloadSelector !== undefined,
    asNumber: spec.asNumber,
    localAsNumber: spec.localASNumber,
    filters: spec.filters ?? [],
    password: spec.password,
    usesNodeAddress: spec.sourceAddress !== "None",
    maxRestartSeconds: restartSeconds(spec.maxRestartTime, at),
    keepaliveSeconds: spec.keepaliveTime === 0 ? undefined : spec.keepaliveTime,
    nextHopMode: spec.nextHopMode,
    keepsOriginalNextHop: spec.keepOriginalNextHop ?? false,
    allowLocalAs: spec.numAllowedLocalASNumbers ?? 0,
    ttlSecurity: spec.ttlSecurity === 0 ? undefined : spec.ttlSecurity,
    reachableBy: spec.reachableBy,
    hasReverse: spec.reversePeering !== "Manual",
  };
}

type Spec = Values<typeof bgpPeerFields>;

/** What the API server checks between fields, and what BIRD would stumble over. */
function checkTogether(spec: Spec, at: Place): void {
  const { peerIP, peerSelector, localWorkloadSelector, reachableBy } = spec;
  const exclude = (field: keyof Spec, other: keyof Spec, why = "set one of them") => {
    if (spec[field] !== undefined && spec[other] !== undefined) {
      at.at(field).refuse(`cannot stand beside spec.${other}; ${why}`);
    }
  };
  exclude("nodeSelector", "node");
  exclude("peerSelector", "peerIP");
  exclude("asNumber", "peerSelector", "the nodes that are selected have AS numbers of their own");
  exclude("peerIP", "localWorkloadSelector");
  exclude("peerSelector", "localWorkloadSelector");
  if (peerIP === undefined && peerSelector === undefined && localWorkloadSelector === undefined) {
    if (!at.hasErrors) at.refuse("names no peer; accepted: peerIP, peerSelector or localWorkloadSelector");
  }
  if (localWorkloadSelector !== undefined && spec.asNumber === undefined && !at.hasErrors) {
    at.at("asNumber").refuse("is missing; workloads that are selected need the AS number that they have");
  }
  if (reachableBy !== undefined && peerIP === undefined) {
    at.at("reachableBy").refuse("needs spec.peerIP: it is the gateway on the way to that address");
  } else if (reachableBy !== undefined && peerIP !== undefined && familyOf(reachableBy) !== familyOf(peerIP.address)) {
    at.at("reachableBy").refuse(`is not of the family of spec.peerIP; accepted: an address such as ${peerIP.address}`);
  }
  if (spec.keepOriginalNextHop && spec.nextHopMode !== undefined) {
    at.at("keepOriginalNextHop").warn("has no effect beside spec.nextHopMode; leave it out");
  }
}

function restartSeconds(written: number | undefined, at: Place): number | undefined {
  if (written === undefined || written <= MAX_RESTART_SECONDS) return written;
  at.at("maxRestartTime").warn(`${written} s do not fit into the message; ${MAX_RESTART_SECONDS} s are announced`);
  return MAX_RESTART_SECONDS;
}

function parsePeerAddress(written: string): PeerAddress | undefined {
  const bracketed = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(written) ?? /^([^:]+):(\d{1,5})$/.exec(written);
  const address = canonicalAddress(bracketed?.[1] ?? written);
  const port = bracketed?.[2] === undefined ? undefined : Number(bracketed[2]);
  if (address === undefined || (port !== undefined && (port < 1 || port > 65535))) return undefined;
  return { address, port };
}
