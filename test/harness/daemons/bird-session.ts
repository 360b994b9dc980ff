/** What BIRD says about a session: `show protocols all`. */

import type { FamilyName, SeenNegotiation } from "./speaker.ts";

/** It lists what each side offered; what holds is what both did. */
export function parseBirdNegotiation(text: string): SeenNegotiation {
  const offers = ["Local", "Neighbor"].map((side) => capabilitiesOf(text, side));
  const both = (name: string) => offers.every((offer) => offer.has(name));
  const [local, neighbor] = offers;
  const families = (offer: ReadonlyMap<string, string> | undefined, name: string) =>
    (offer?.get(name)?.split(" ").filter(Boolean) ?? []) as FamilyName[];
  const common = (name: string) => {
    const theirs = families(neighbor, name);
    return families(local, name).filter((family) => theirs.includes(family));
  };
  const addPath = (receiver: ReadonlyMap<string, string> | undefined, sender: typeof receiver) =>
    families(receiver, "RX").filter((family) => families(sender, "TX").includes(family));
  return {
    families: common("AF announced"),
    holdTime: Number(/Hold timer: +[\d.]+\/(\d+)/.exec(text)?.[1]),
    fourOctetAs: both("4-octet AS numbers"),
    routeRefresh: both("Route refresh"),
    enhancedRouteRefresh: both("Enhanced refresh"),
    extendedMessages: both("Extended message"),
    extendedNextHop: both("Extended next hop"),
    gracefulRestart: both("Graceful restart"),
    longLived: both("Long-lived graceful restart"),
    addPath: { receive: addPath(local, neighbor), send: addPath(neighbor, local) },
    restartTime: Number(neighbor?.get("Restart time") ?? 0),
    hostName: neighbor?.get("Hostname") ?? "",
  };
}

function capabilitiesOf(text: string, side: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const block = new RegExp(`^    ${side} capabilities\n((?:      .*\n)*)`, "m").exec(text)?.[1] ?? "";
  for (const line of block.split("\n")) {
    const [name = "", value = ""] = line.trim().split(/: */, 2);
    found.set(name, value);
  }
  return found;
}
