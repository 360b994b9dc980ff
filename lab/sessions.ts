/** The lab's sessions as they come up: who with whom, in which state, after how long. */

import { type Column, table } from "../src/cli/table.ts";
import type { Paint } from "../src/cli/terminal.ts";
import type { PeerView } from "../src/control/views.ts";
import { waitFor } from "../test/harness/wait-for.ts";
import { type Progress, seconds } from "./screen.ts";
import type { Starling } from "./starling.ts";

interface SessionRow {
  readonly speaker: string;
  /** Undefined while the speaker does not answer yet. */
  readonly peer: PeerView | undefined;
  /** Milliseconds from the beginning until it was established. */
  readonly after: number | undefined;
}

/** Waits until each speaker has all its sessions and has got what there is to get. Returns how many there are. */
export async function sessionsEstablished(
  speakers: readonly Starling[],
  started: number,
  progress: Progress,
  paint: Paint,
): Promise<number> {
  const told = new Set<string>();
  const rows = await waitFor(
    async () => {
      const seen = (await Promise.all(speakers.map((speaker) => rowsOf(speaker, started)))).flat();
      for (const { speaker, peer, after } of seen) {
        const session = `${speaker} - ${peer?.name}`;
        if (after === undefined || told.has(session)) continue;
        told.add(session);
        progress.event(`${session}: Established after ${seconds(after)}`);
      }
      progress.show(lines(seen, paint));
      const isComplete = seen.every(({ peer, after }) => after !== undefined && received(peer) > 0);
      // A daemon that has ended is not worth waiting for.
      return (isComplete || speakers.some((speaker) => speaker.hasEnded)) && seen;
    },
    { what: "all sessions to be established, with routes received on each", timeout: 20_000 },
  );
  progress.keep(...lines(rows, paint));
  for (const speaker of speakers) speaker.assertRunning();
  return rows.length;
}

async function rowsOf(speaker: Starling, started: number): Promise<SessionRow[]> {
  const peers = await speaker.peers().catch(() => [undefined]);
  return peers.map((peer) => ({
    speaker: speaker.name,
    peer,
    after: peer?.state === "Established" ? Date.parse(peer.since) - started : undefined,
  }));
}

function lines(rows: readonly SessionRow[], paint: Paint): string[] {
  return table(columns, rows, paint).trimEnd().split("\n");
}

const received = (peer: PeerView | undefined) => peer?.families["ipv4"]?.received ?? 0;

const columns: readonly Column<SessionRow>[] = [
  { title: "SPEAKER", cell: ({ speaker }) => speaker },
  { title: "PEER", cell: ({ peer }) => peer?.name ?? "-" },
  { title: "AS", align: "right", cell: ({ peer }) => String(peer?.asNumber ?? "-") },
  { title: "KIND", cell: ({ peer }) => kind(peer) },
  {
    title: "STATE",
    cell: ({ peer }) => peer?.state ?? "starting",
    paint: ({ after }, paint) => (after === undefined ? paint.yellow : paint.green),
  },
  { title: "AFTER", align: "right", cell: ({ after }) => (after === undefined ? "-" : seconds(after)) },
  { title: "RECEIVED", align: "right", cell: ({ peer }) => String(received(peer)) },
  { title: "ADVERTISED", align: "right", cell: ({ peer }) => String(peer?.families["ipv4"]?.advertised ?? 0) },
];

function kind(peer: PeerView | undefined): string {
  if (peer === undefined) return "-";
  if (peer.type === "external") return "eBGP";
  return peer.routeReflectorClient ? "iBGP, client" : "iBGP";
}
