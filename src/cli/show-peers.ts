/** `starling show peers`: one line a session, and one more for each further family. */

import type { PeerView, SummaryView } from "../control/views.ts";
import { type CommandContext, printJson } from "./command-context.ts";
import { type Column, table } from "./table.ts";
import type { Paint } from "./terminal.ts";
import { since } from "./words.ts";

interface PeerLine {
  /** Undefined on the lines of further families. */
  readonly peer: PeerView | undefined;
  readonly family: string;
  readonly counts: PeerView["families"][string] | undefined;
}

export async function showPeers(context: CommandContext): Promise<void> {
  const peers = await context.client.call<readonly PeerView[]>("peers");
  if (context.json) return printJson(context, peers);
  if (peers.length === 0) {
    const { waitingFor } = await context.client.call<SummaryView>("summary");
    const why =
      waitingFor.length === 0
        ? "the configuration names them under `peers`; those of a range appear when they connect"
        : `starling has not begun to speak (${waitingFor.join("; ")})`;
    await context.err.write(`there are no peers: ${why}\n`);
    return;
  }
  await context.out.write(table(columns(context.now), peers.flatMap(linesOf), context.paint));
}

export function stateText(peer: PeerView): string {
  return peer.enabled ? peer.state : `${peer.state} (disabled)`;
}

export function statePaint(peer: PeerView, paint: Paint): (text: string) => string {
  if (peer.state === "Established") return paint.green;
  return peer.enabled ? paint.red : paint.yellow;
}

function linesOf(peer: PeerView): PeerLine[] {
  const families = Object.entries(peer.families);
  if (families.length === 0) return [{ peer, family: "-", counts: undefined }];
  return families.map(([family, counts], index) => ({ peer: index === 0 ? peer : undefined, family, counts }));
}

function columns(now: number): Column<PeerLine>[] {
  const ofPeer = (text: (peer: PeerView) => string) => (line: PeerLine) =>
    line.peer === undefined ? "" : text(line.peer);
  const ofFamily = (key: "received" | "accepted" | "advertised") => (line: PeerLine) =>
    line.counts === undefined ? "-" : String(line.counts[key]);
  return [
    { title: "PEER", cell: ofPeer((peer) => peer.name) },
    { title: "ADDRESS", cell: ofPeer((peer) => peer.address ?? "-") },
    { title: "AS", align: "right", cell: ofPeer((peer) => (peer.asNumber === null ? "-" : String(peer.asNumber))) },
    {
      title: "STATE",
      cell: ofPeer(stateText),
      paint: (line, paint) => (line.peer === undefined ? undefined : statePaint(line.peer, paint)),
    },
    { title: "FOR", align: "right", cell: ofPeer((peer) => since(peer.since, now)) },
    { title: "FAMILY", cell: (line) => line.family },
    { title: "RECEIVED", align: "right", cell: ofFamily("received") },
    { title: "ACCEPTED", align: "right", cell: ofFamily("accepted") },
    { title: "ADVERTISED", align: "right", cell: ofFamily("advertised") },
    { title: "LAST ERROR", cell: ofPeer((peer) => peer.lastError ?? "") },
  ];
}
