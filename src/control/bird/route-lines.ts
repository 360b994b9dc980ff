/** `show route` as BIRD 1.6 prints it: a row for each route, and with `all` its attributes. */

import type { BirdAttributes, BirdCounts, BirdFamily, BirdRoute, BirdView } from "./bird-view.ts";
import type { RouteCommand } from "./command.ts";
import { notAProtocol } from "./protocol-lines.ts";
import { type Answer, Code, DONE, type Line } from "./reply.ts";
import { since } from "./times.ts";

const ORIGIN_LETTERS = { igp: "i", egp: "e", incomplete: "?" } as const;
const ORIGIN_WORDS = { igp: "IGP", egp: "EGP", incomplete: "Incomplete" } as const;
const REACH = { near: "/0", far: "/?", none: "/-" } as const;

export interface RoutesRequest {
  readonly view: BirdView;
  readonly family: BirdFamily;
  readonly command: RouteCommand;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export function* routeLines(request: RoutesRequest): Answer {
  const { view, family, command } = request;
  const refusal = refusalOf(view, family, command);
  if (refusal !== undefined) return refusal;
  const isLookup = command.prefix !== undefined || command.address !== undefined;
  // BIRD counts over whole tables alone.
  if (command.show === "count" && isLookup) return DONE;
  if (command.show === "count") return yield* countLine(request);
  let rows = 0;
  let prefix = "";
  for (const route of view.routes({ family, ...command })) {
    if (route === undefined) {
      yield undefined;
      continue;
    }
    rows++;
    yield* lines(route, route.prefix === prefix, command.withAttributes, request.now());
    prefix = route.prefix;
  }
  if (rows === 0 && isLookup) return { code: Code.NoRoute, text: "Network not in table" };
  if (command.show !== "stats" || isLookup) return DONE;
  return counted(rows, view.counts(family));
}

function refusalOf(view: BirdView, family: BirdFamily, { protocol, selection }: RouteCommand): Line | undefined {
  if (protocol !== undefined && view.protocol(family, protocol) === undefined)
    return { ...notAProtocol(protocol), code: Code.Wrong };
  if (!("to" in selection)) return undefined;
  const target = view.protocol(family, selection.to);
  if (target === undefined) return { ...notAProtocol(selection.to), code: Code.Wrong };
  return target.state === "up" ? undefined : { code: Code.ProtocolDown, text: "Protocol is down" };
}

function* countLine({ view, family, command }: RoutesRequest): Answer {
  const counts = view.counts(family);
  const { protocol, isPrimary, selection } = command;
  if (selection.kind === "table") {
    const of = protocol === undefined ? undefined : counts.of(protocol);
    const all = of === undefined ? counts.routes : of.imported;
    const best = of === undefined ? counts.networks : of.preferred;
    return counted(isPrimary ? best : all, counts);
  }
  let rows = 0;
  for (const route of view.routes({ family, ...command })) {
    if (route === undefined) yield undefined;
    // Others have their turn now and then although nothing is printed.
    else if (++rows % 256 === 0) yield undefined;
  }
  return counted(rows, counts);
}

function counted(rows: number, { routes, networks }: BirdCounts): Line {
  return { code: Code.RouteCount, text: `${rows} of ${routes} routes for ${networks} networks` };
}

function* lines(route: BirdRoute, isSamePrefix: boolean, withAttributes: boolean, now: number): Generator<Line> {
  const start = (isSamePrefix ? "" : route.prefix).padEnd(18);
  const { hops, destination } = route;
  const way = destination !== "unicast" ? destination : hops.length > 1 ? "multipath" : hopText(hops[0]);
  yield { code: Code.Route, text: `${start} ${way} ${source(route, now)}${merits(route)}` };
  if (way === "multipath") for (const hop of hops) yield { code: Code.Route, text: `\t${hopText(hop)} weight 1` };
  if (!withAttributes) return;
  yield { code: Code.RouteType, text: `\tType: ${route.kind} unicast univ` };
  const attributes = route.attributes();
  const texts = attributes === undefined ? [] : [...attributeTexts(attributes)];
  if (route.kernel !== undefined)
    texts.push(`Kernel.source: ${route.kernel.protocol}`, `Kernel.metric: ${route.kernel.metric}`);
  for (const text of texts) yield { code: Code.RouteAttributes, text: `\t${text}` };
}

/** What readers of these lines take apart is there even where nothing is known of the interface. */
function hopText(hop: BirdRoute["hops"][number] | undefined): string {
  const device = hop?.interface ?? "unknown";
  return hop?.gateway === undefined ? `dev ${device}` : `via ${hop.gateway} on ${device}`;
}

/** `from` where the peer is not itself the gateway. */
function source({ protocol, since: at, from, hops, destination }: BirdRoute, now: number): string {
  const isGateway = destination === "unicast" && hops.length === 1 && hops[0]?.gateway === from;
  return `[${protocol} ${since(at, now)}${from === undefined || isGateway ? "" : ` from ${from}`}]`;
}

function merits({ isBest, preference, isStale, reach, kind, origin, originAs }: BirdRoute): string {
  const star = isBest ? " *" : "";
  if (kind !== "BGP") return `${star} (${preference})`;
  const as = originAs === undefined ? "" : `AS${originAs}`;
  const distance = reach === undefined ? "" : REACH[reach];
  return `${star} (${preference}${isStale ? "s" : ""}${distance}) [${as}${ORIGIN_LETTERS[origin]}]`;
}

function* attributeTexts(a: BirdAttributes): Generator<string> {
  yield `BGP.origin: ${ORIGIN_WORDS[a.origin]}`;
  yield `BGP.as_path: ${a.asPath}`;
  const nextHops = [a.nextHop, a.linkLocalNextHop].filter((hop) => hop !== undefined);
  if (nextHops.length > 0) yield `BGP.next_hop: ${nextHops.join(" ")}`;
  if (a.med !== undefined) yield `BGP.med: ${a.med}`;
  if (a.localPref !== undefined) yield `BGP.local_pref: ${a.localPref}`;
  if (a.atomicAggregate) yield "BGP.atomic_aggr: ";
  if (a.aggregator !== undefined) yield `BGP.aggregator: ${a.aggregator.address} AS${a.aggregator.asNumber}`;
  if (a.communities.length > 0) yield `BGP.community: ${a.communities.map((c) => `(${c.join(",")})`).join(" ")}`;
  if (a.originatorId !== undefined) yield `BGP.originator_id: ${a.originatorId}`;
  if (a.clusterList.length > 0) yield `BGP.cluster_list: ${a.clusterList.join(" ")}`;
  if (a.extendedCommunities.length > 0) yield `BGP.ext_community: ${a.extendedCommunities.join(" ")}`;
  if (a.largeCommunities.length > 0)
    yield `BGP.large_community: ${a.largeCommunities.map((c) => `(${c.join(", ")})`).join(" ")}`;
  for (const { type, value } of a.unknown) yield `BGP.${type.toString(16).padStart(2, "0")} [t]: ${value}`;
}
