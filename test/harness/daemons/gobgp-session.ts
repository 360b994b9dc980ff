/** What GoBGP says about a session: `gobgp neighbor ADDRESS`, and its log for why one ended. */

import { asJson, asText, type FamilyName, type SeenNegotiation } from "./speaker.ts";

/** It lists each capability with who announced it, and below some what each side said. */
export function gobgpNegotiation(text: string): SeenNegotiation {
  const capabilities = /Neighbor capabilities:\n([\s\S]*?)\n {2}Message statistics/.exec(text)?.[1] ?? "";
  const both = (name: string) => new RegExp(`^ +${name}:\tadvertised and received$`, "m").test(capabilities);
  const families = ["ipv4", "ipv6"] as const;
  const below = (name: string, side: string) => sideOf(blockOf(capabilities, name), side);
  const mode = (side: string, family: FamilyName) =>
    new RegExp(`${family}-unicast:\t(.*)`).exec(below("add-path", side))?.[1] ?? "";
  const addPath = (receiver: string, sender: string) =>
    families.filter((family) => mode(receiver, family).includes("receive") && mode(sender, family).includes("send"));
  return {
    families: families.filter((family) => both(`${family}-unicast`)),
    holdTime: Number(/Hold time is (\d+)/.exec(text)?.[1]),
    fourOctetAs: both("4-octet-as"),
    routeRefresh: both("route-refresh"),
    enhancedRouteRefresh: both("enhanced-route-refresh"),
    // It has no name for the capability.
    extendedMessages: both("UnknownCapability\\(6\\)"),
    extendedNextHop: both("extended-nexthop"),
    gracefulRestart: both("graceful-restart"),
    longLived: both("long-lived-graceful-restart"),
    addPath: { receive: addPath("Local", "Remote"), send: addPath("Remote", "Local") },
    restartTime: Number(/restart time (\d+) sec/.exec(below("graceful-restart", "Remote"))?.[1] ?? 0),
    hostName: /name: ([^,]*)/.exec(below("fqdn", "Remote"))?.[1] ?? "",
  };
}

/** The lines of one capability, up to the next. */
function blockOf(capabilities: string, name: string): string {
  const lines = capabilities.split("\n");
  const start = lines.findIndex((line) => line.startsWith(`    ${name}:`));
  const length = lines.slice(start + 1).findIndex((line) => /^ {4}\S/.test(line));
  return lines.slice(start + 1, length < 0 ? undefined : start + 1 + length).join("\n");
}

function sideOf(block: string, side: string): string {
  return new RegExp(`${side}:([\\s\\S]*?)(?=\\n +(?:Local|Remote):|$)`).exec(block)?.[1] ?? "";
}

/** The last line about the end of a session with this peer, with the text of RFC 9003 if there is one. */
export function gobgpLastError(log: string, address: string): string {
  const lines = log
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => asJson(JSON.parse(line)))
    .filter((line) => line["Key"] === address);
  const notification = lines.findLast((line) => /notification/.test(String(line["msg"])));
  const down = lines.findLast((line) => line["msg"] === "Peer Down");
  return [asText(down?.["Reason"]), communication(notification ?? {})].filter(Boolean).join(": ");
}

/** Decoded by GoBGP where it is the text alone; within a hard reset (RFC 8538) it shows bytes. */
function communication(line: Readonly<Record<string, unknown>>): string | undefined {
  const decoded = asText(line["Communicated-Reason"]);
  if (decoded) return decoded;
  const data = Buffer.from(asText(line["Data"]) ?? "", "base64");
  const length = data[2] ?? 0;
  return line["Subcode"] === 9 ? data.toString("utf8", 3, 3 + length) : undefined;
}
