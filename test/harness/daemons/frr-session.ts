/** What FRR says about a session: `show bgp neighbors json`. */

import { asJson, type FamilyName, type Json, type SeenNegotiation } from "./speaker.ts";

const both = "advertisedAndReceived";
const names = { ipv4: "ipv4Unicast", ipv6: "ipv6Unicast" } as const;

export function frrNegotiation(neighbor: Json): SeenNegotiation {
  const capabilities = asJson(neighbor["neighborCapabilities"]);
  const has = (name: string) => String(capabilities[name] ?? "").startsWith(both);
  const familiesWhere = (test: (name: string) => boolean) =>
    (Object.keys(names) as FamilyName[]).filter((family) => test(names[family]));
  const addPath = (family: string) => asJson(asJson(capabilities["addPath"])[family]);
  return {
    families: familiesWhere((name) => asJson(asJson(capabilities["multiprotocolExtensions"])[name])[both] === true),
    holdTime: Number(neighbor["bgpTimerHoldTimeMsecs"]) / 1000,
    fourOctetAs: has("4byteAs"),
    routeRefresh: has("routeRefresh"),
    enhancedRouteRefresh: has("enhancedRouteRefresh"),
    extendedMessages: has("extendedMessage"),
    extendedNextHop: has("extendedNexthop"),
    gracefulRestart: has("gracefulRestart"),
    longLived: has("longLivedGracefulRestart"),
    addPath: {
      receive: familiesWhere((name) => addPath(name)["rxAdvertisedAndReceived"] === true),
      send: familiesWhere((name) => addPath(name)["txAdvertisedAndReceived"] === true),
    },
    restartTime: Number(capabilities["gracefulRestartRemoteTimerMsecs"] ?? 0) / 1000,
    hostName: String(asJson(capabilities["hostName"])["rcvHostName"] ?? ""),
  };
}
