/** `starling show peer NAME`: all about one session. */

import type { PeerView } from "../control/views.ts";
import { type CommandContext, printJson } from "./command-context.ts";
import { statePaint, stateText } from "./show-peers.ts";
import { fields, printable, table } from "./table.ts";
import type { Paint } from "./terminal.ts";
import { since } from "./words.ts";

type Negotiated = NonNullable<PeerView["negotiated"]>;

export async function showPeer(context: CommandContext, name: string): Promise<void> {
  const peer = await context.client.call<PeerView>("peer", { name });
  if (context.json) return printJson(context, peer);
  await context.out.write(peerText(peer, context.now, context.paint));
}

function peerText(peer: PeerView, now: number, paint: Paint): string {
  const state = statePaint(peer, paint)(`${stateText(peer)} for ${since(peer.since, now)}`);
  const sections = [
    `${paint.bold(`Peer ${printable(peer.name)}`)}: ${state}\n${fields(about(peer))}`,
    peer.negotiated === null
      ? `${paint.bold("Negotiated")}: nothing, since no session is up\n`
      : `${paint.bold("Negotiated")}\n${fields(negotiated(peer.negotiated))}`,
    families(peer, paint),
    messages(peer, paint),
  ];
  return sections.filter((section) => section !== "").join("\n");
}

function about(peer: PeerView): [string, string][] {
  const as = peer.asNumber === null ? "any" : String(peer.asNumber);
  return [
    ["Address", peer.address === null ? "not known yet" : `${peer.address} port ${peer.port}`],
    ["AS", `${as} (${peer.type}), ours ${peer.localAsNumber}`],
    ["Router id", peer.routerId ?? "not known yet"],
    ["Reflector client", peer.routeReflectorClient ? "yes" : "no"],
    ["Transitions", String(peer.transitions)],
    ["Last error", peer.lastError ?? "none"],
  ];
}

function negotiated(facts: Negotiated): [string, string][] {
  const timers =
    facts.holdTime === 0
      ? "none: the session is held without keepalives"
      : `hold ${facts.holdTime} s, keepalive ${facts.keepaliveTime} s`;
  const addPath = Object.entries(facts.addPath).filter(([, mode]) => mode !== "off");
  return [
    ["Timers", timers],
    ["Families", facts.families.join(", ")],
    ["Add-path", addPath.length === 0 ? "off" : addPath.map(([family, mode]) => `${family} ${mode}`).join(", ")],
    ["Capabilities", capabilities(facts)],
    ["Graceful restart", gracefulRestart(facts)],
    ["Host name", facts.hostName ?? "not told"],
  ];
}

function capabilities(facts: Negotiated): string {
  const words: [boolean, string][] = [
    [facts.fourOctetAs, "4-octet AS"],
    [facts.routeRefresh, "route refresh"],
    [facts.enhancedRouteRefresh, "enhanced route refresh"],
    [facts.extendedMessages, "extended messages"],
    [facts.extendedNextHop, "extended next hop"],
  ];
  const named = words.filter(([has]) => has).map(([, word]) => word);
  return named.length === 0 ? "none" : named.join(", ");
}

function gracefulRestart(facts: Negotiated): string {
  const { gracefulRestart: restart, longLivedGracefulRestart } = facts;
  if (restart === null) return "off";
  const kept = restart.families.length === 0 ? "no family" : restart.families.join(", ");
  const notification = restart.notification ? ", also after a notification" : "";
  return `${restart.time} s for ${kept}${notification}${longLivedGracefulRestart ? ", long-lived" : ""}`;
}

function families(peer: PeerView, paint: Paint): string {
  const rows = Object.entries(peer.families).map(([family, counts]) => ({ family, ...counts }));
  if (rows.length === 0) return "";
  return table(
    [
      { title: "PREFIXES", cell: (row) => `  ${row.family}` },
      { title: "RECEIVED", align: "right", cell: (row) => String(row.received) },
      { title: "ACCEPTED", align: "right", cell: (row) => String(row.accepted) },
      { title: "ADVERTISED", align: "right", cell: (row) => String(row.advertised) },
      { title: "LIMIT", align: "right", cell: (row) => (row.limit === null ? "none" : String(row.limit)) },
    ],
    rows,
    paint,
  );
}

function messages(peer: PeerView, paint: Paint): string {
  const { received, sent } = peer.messages;
  const types = [...new Set([...Object.keys(received), ...Object.keys(sent)])];
  if (types.length === 0) return "";
  return table(
    [
      { title: "MESSAGES", cell: (type) => `  ${type}` },
      { title: "RECEIVED", align: "right", cell: (type) => String(received[type] ?? 0) },
      { title: "SENT", align: "right", cell: (type) => String(sent[type] ?? 0) },
    ],
    types,
    paint,
  );
}
