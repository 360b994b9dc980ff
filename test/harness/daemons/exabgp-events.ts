/** Adds up what ExaBGP's JSON events say: which sessions are up, and which routes were received and not withdrawn. */

import { peerOf } from "./exabgp-session.ts";
import {
  asCommunity,
  asJson,
  asList,
  asNumber,
  asOrigin,
  asText,
  type FamilyName,
  type Json,
  type SeenAttribute,
  type SeenRoute,
} from "./speaker.ts";

const stateNames: Readonly<Record<string, string>> = { up: "Established", connected: "OpenSent", down: "Idle" };

/** The state of each peer, by its address. */
export function exabgpSessions(events: readonly Json[]): Map<string, string> {
  const states = new Map<string, string>();
  for (const event of events) {
    if (event["type"] !== "state") continue;
    const neighbor = asJson(event["neighbor"]);
    states.set(peerOf(neighbor), stateNames[String(neighbor["state"])] ?? "Idle");
  }
  return states;
}

export function exabgpTable(events: readonly Json[], family: FamilyName): SeenRoute[] {
  const table = new Map<string, SeenRoute>();
  for (const event of events) {
    const neighbor = asJson(event["neighbor"]);
    const peer = peerOf(neighbor);
    if (event["type"] === "state" && neighbor["state"] === "down") {
      for (const [key, route] of table) if (route.peer === peer) table.delete(key);
    }
    if (event["type"] !== "update") continue;
    const update = asJson(asJson(neighbor["message"])["update"]);
    const name = `${family} unicast`;
    for (const entry of asList(asJson(update["withdraw"])[name])) table.delete(keyOf(peer, asJson(entry)));
    const byNextHop = Object.entries(asJson(asJson(update["announce"])[name]));
    for (const [nextHop, entries] of byNextHop) {
      // The same prefixes stand under the link-local address once more (RFC 2545 section 3).
      if (byNextHop.length > 1 && nextHop.startsWith("fe80:")) continue;
      for (const entry of asList(entries).map(asJson)) {
        table.set(keyOf(peer, entry), routeOf(peer, nextHop, entry, asJson(update["attribute"])));
      }
    }
  }
  return [...table.values()];
}

export function exabgpEvents(text: string): Json[] {
  // The last line may still be being written.
  const lines = text.split("\n").slice(0, -1);
  // It writes the bytes of a NOTIFICATION's data as they are.
  return lines.filter((line) => line.startsWith("{")).map((line) => asJson(JSON.parse(line.replace(/\p{Cc}/gu, " "))));
}

const keyOf = (peer: string, entry: Json) => `${peer} ${entry["nlri"]} ${entry["path-information"] ?? ""}`;

function routeOf(peer: string, nextHop: string, entry: Json, attributes: Json): SeenRoute {
  const pathId = asText(entry["path-information"]);
  return {
    prefix: String(entry["nlri"]),
    best: true,
    peer,
    // Written as an address: 0.0.0.7
    pathId: pathId?.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0),
    nextHop,
    asPath: asPathText(attributes["as-path"], attributes["as-set"]),
    origin: asOrigin(attributes["origin"]),
    med: asNumber(attributes["med"]),
    localPref: asNumber(attributes["local-preference"]),
    communities: asList(attributes["community"]).map((pair) => asCommunity(tuple(pair))),
    extendedCommunities: asList(attributes["extended-community"]).map((entry) => extendedText(asJson(entry))),
    largeCommunities: asList(attributes["large-community"]).map(tuple),
    originatorId: asText(attributes["originator-id"]),
    clusterList: asList(attributes["cluster-list"]).map(String),
    unknownAttributes: Object.entries(attributes).flatMap(unknownOf),
  };
}

const tuple = (value: unknown) => (Array.isArray(value) ? value.join(":") : String(value));

/** All AS_SEQUENCEs and all AS_SETs, each in one list. */
function asPathText(sequence: unknown, set: unknown): string {
  const numbers = asList(set).join(" ");
  return [...asList(sequence), ...(numbers === "" ? [] : [`{${numbers}}`])].join(" ");
}

/** "attribute-0x63-0xE0": "0xabcdef" */
function unknownOf([name, value]: [string, unknown]): SeenAttribute[] {
  const [, type, flags] = /^attribute-(0x[0-9A-F]+)-(0x[0-9A-F]+)$/i.exec(name) ?? [];
  if (type === undefined) return [];
  return [{ type: Number(type), flags: Number(flags), value: String(value).slice(2).toLowerCase() }];
}

/** "target:65000:1"; the address of "origin:1:10.0.0.1" stands last. */
function extendedText(entry: Json): string {
  const [kind = "", first = "", second = ""] = String(entry["string"]).split(":");
  const value = second.includes(".") ? `${second}:${first}` : `${first.replace("L", "")}:${second}`;
  return `${kind.replace(/^target4?$/, "rt").replace(/^origin4?$/, "ro")}:${value}`;
}
