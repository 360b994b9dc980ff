/** `starling show kernel`: what starling wants in the kernel beside what is there. */

import type { KernelTargetView, KernelView } from "../control/views.ts";
import type { CommandContext } from "./command-context.ts";
import { type Column, columnWidths, headLine, rowLine } from "./table.ts";
import type { Paint } from "./terminal.ts";

export async function showKernel(context: CommandContext): Promise<void> {
  if (context.json) return printArray(context);
  const counts = { ok: 0, missing: 0, different: 0, stale: 0 };
  let widths: number[] | undefined;
  for await (const texts of context.client.rows("kernel")) {
    const rows = texts.map((text) => JSON.parse(text) as KernelView);
    let text = "";
    if (widths === undefined) {
      widths = columnWidths(COLUMNS, rows);
      text += headLine(COLUMNS, widths, context.paint);
    }
    for (const row of rows) {
      counts[row.state]++;
      text += rowLine(COLUMNS, widths, row, context.paint);
    }
    await context.out.write(text);
    if (context.out.isGone) return;
  }
  const said = Object.entries(counts).map(([state, count]) => `${count} ${state}`);
  await context.err.write(widths === undefined ? "starling has no routes for the kernel\n" : `${said.join(", ")}\n`);
}

/** One document, though it may be long: it is written as its rows come. */
async function printArray(context: CommandContext): Promise<void> {
  let separator = "[\n  ";
  for await (const texts of context.client.rows("kernel")) {
    await context.out.write(separator + texts.join(",\n  "));
    separator = ",\n  ";
    if (context.out.isGone) return;
  }
  await context.out.write(separator.startsWith("[") ? "[]\n" : "\n]\n");
}

const COLUMNS: readonly Column<KernelView>[] = [
  { title: "STATE", cell: (row) => row.state, paint: statePaint },
  { title: "PREFIX", cell: (row) => row.prefix },
  { title: "WANTED", cell: (row) => targetText(row.wanted) },
  { title: "IN THE KERNEL", cell: (row) => (row.state === "ok" ? "the same" : targetText(row.present)) },
  { title: "REASON", cell: (row) => row.reason ?? "" },
];

function statePaint(row: KernelView, paint: Paint): (text: string) => string {
  switch (row.state) {
    case "ok":
      return paint.green;
    case "stale":
      return paint.yellow;
    default:
      return paint.red;
  }
}

function targetText(target: KernelTargetView | null): string {
  if (target === null) return "nothing";
  const hops = target.nextHops.map((hop) => {
    const parts: string[] = [];
    if (hop.gateway !== null) parts.push(`via ${hop.gateway}`);
    if (hop.interface !== null) parts.push(`dev ${hop.interface}`);
    if (target.nextHops.length > 1) parts.push(`weight ${hop.weight}`);
    if (hop.onlink) parts.push("onlink");
    return parts.join(" ");
  });
  const words = target.kind === "unicast" ? [hops.join(", ")] : [target.kind];
  if (target.metric !== null) words.push(`metric ${target.metric}`);
  if (target.preferredSource !== null) words.push(`src ${target.preferredSource}`);
  return words.join(" ");
}
