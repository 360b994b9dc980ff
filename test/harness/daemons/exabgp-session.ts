/** What ExaBGP's JSON events say about a session: both OPEN messages, and why the last one ended. */

import { asJson, asList, asText, type FamilyName, type Json, type SeenNegotiation } from "./speaker.ts";

/** Capability codes, by the names that starling has for what they negotiate. */
const codes = {
  multiprotocol: 1,
  routeRefresh: 2,
  extendedNextHop: 5,
  extendedMessages: 6,
  gracefulRestart: 64,
  fourOctetAs: 65,
  addPath: 69,
  enhancedRouteRefresh: 70,
  longLived: 71,
} as const;

/** What it sends has names for keys, what it receives has codes. */
const sentNames: Readonly<Record<string, number>> = {
  multiprotocol: codes.multiprotocol,
  "route-refresh": codes.routeRefresh,
  nexthop: codes.extendedNextHop,
  "extended-message": codes.extendedMessages,
  "graceful-restart": codes.gracefulRestart,
  asn4: codes.fourOctetAs,
  "add-path": codes.addPath,
  "enhanced-route-refresh": codes.enhancedRouteRefresh,
};

export function exabgpNegotiation(events: readonly Json[], address: string): SeenNegotiation {
  const opens = events.filter((event) => event["type"] === "open").map((event) => asJson(event["neighbor"]));
  const last = (direction: string) =>
    asJson(opens.findLast((open) => peerOf(open) === address && open["direction"] === direction)?.["open"]);
  const sent = last("send");
  const received = last("receive");
  const local = capabilitiesOf(sent);
  const remote = capabilitiesOf(received);
  const both = (code: number) => local.has(code) && remote.has(code);
  const familiesOf = (capabilities: ReadonlyMap<number, Json>) =>
    asList(capabilities.get(codes.multiprotocol)?.["families"]).map(String);
  const families = (["ipv4", "ipv6"] as const).filter((family) =>
    [local, remote].every((side) => familiesOf(side).includes(`${family}/unicast`)),
  );
  const mode = (side: ReadonlyMap<number, Json>, family: FamilyName) =>
    asText(side.get(codes.addPath)?.[`${family}/unicast`]) ?? "";
  const addPath = (receiver: ReadonlyMap<number, Json>, sender: ReadonlyMap<number, Json>) =>
    families.filter((family) => mode(receiver, family).includes("receive") && mode(sender, family).includes("send"));
  return {
    families,
    holdTime: Math.min(Number(sent["hold_time"]), Number(received["hold_time"])),
    fourOctetAs: both(codes.fourOctetAs),
    routeRefresh: both(codes.routeRefresh),
    enhancedRouteRefresh: both(codes.enhancedRouteRefresh),
    extendedMessages: both(codes.extendedMessages),
    extendedNextHop: both(codes.extendedNextHop),
    gracefulRestart: both(codes.gracefulRestart),
    longLived: both(codes.longLived),
    addPath: { receive: addPath(local, remote), send: addPath(remote, local) },
    restartTime: Number(remote.get(codes.gracefulRestart)?.["time"] ?? 0),
  };
}

function capabilitiesOf(open: Json): ReadonlyMap<number, Json> {
  return new Map(
    Object.entries(asJson(open["capabilities"])).map(([key, value]) => [sentNames[key] ?? Number(key), asJson(value)]),
  );
}

/** A NOTIFICATION that came, with its text; else what it says itself. */
export function exabgpLastError(events: readonly Json[], address: string): string {
  const of = (type: string) =>
    events.filter((event) => event["type"] === type).map((event) => asJson(event["neighbor"]));
  const downs = of("state").filter((state) => peerOf(state) === address && state["state"] === "down");
  // Attempts that failed since say nothing of why.
  const down = downs.findLast((state) => /notification/.test(String(state["reason"]))) ?? downs.at(-1);
  const notification = of("notification").findLast((one) => peerOf(one) === address && one["direction"] === "receive");
  const { code, subcode, data, message } = asJson(notification?.["notification"]);
  const text = Buffer.from(String(data ?? "").replace(/^0x/, ""), "hex").toString("utf8", 1);
  const parts = [asText(down?.["reason"]), code && `${code}/${subcode}`, message || text];
  return parts.filter(Boolean).join(": ");
}

export const peerOf = (neighbor: Json) => String(asJson(neighbor["address"])["peer"]);
