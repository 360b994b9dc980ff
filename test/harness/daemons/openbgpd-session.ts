/** What OpenBGPD says about a session: `bgpctl -j show neighbor`. */

import { asJson, asList, type FamilyName, type Json, type SeenNegotiation } from "./speaker.ts";

const names: Readonly<Record<string, FamilyName>> = { "IPv4 unicast": "ipv4", "IPv6 unicast": "ipv6" };

/** It says what holds under "session"; but its own part in the restart is there only under "local". */
export function openbgpdNegotiation(neighbor: Json): SeenNegotiation {
  const session = asJson(neighbor["session"]);
  const capabilities = asJson(session["capabilities"]);
  const restart = (side: string) => asJson(asJson(asJson(session[side])["capabilities"])["graceful_restart"]);
  const addPath = (mode: string) =>
    asList(capabilities["add-path"])
      .map(asJson)
      .filter((entry) => entry["mode"] === "bidir" || entry["mode"] === mode)
      .map((entry) => names[String(entry["family"])])
      .filter((family) => family !== undefined);
  return {
    families: asList(capabilities["multiprotocol"])
      .map((name) => names[String(name)])
      .filter((family) => family !== undefined),
    holdTime: Number(session["holdtime"]),
    fourOctetAs: capabilities["as4byte"] === true,
    routeRefresh: capabilities["refresh"] === true,
    enhancedRouteRefresh: capabilities["enhanced_refresh"] === true,
    gracefulRestart: restart("local")["eor"] === true && restart("remote")["eor"] === true,
    addPath: { receive: addPath("recv"), send: addPath("send") },
    restartTime: Number(restart("remote")["timeout"] ?? 0),
  };
}

export function openbgpdLastError(neighbor: Json): string {
  const parts = ["last_error_received", "last_error_sent", "last_shutdown_reason"].map((name) => neighbor[name]);
  return parts.filter((part) => part !== undefined).join(": ");
}
