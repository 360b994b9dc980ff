/** `starling show summary`. */

import type { CalicoView, SummaryView } from "../control/views.ts";
import { type CommandContext, printJson } from "./command-context.ts";
import { fields, table } from "./table.ts";
import type { Paint } from "./terminal.ts";
import { bytes, duration } from "./words.ts";

export async function showSummary(context: CommandContext): Promise<void> {
  const summary = await context.client.call<SummaryView>("summary");
  if (context.json) return printJson(context, summary);
  await context.out.write(summaryText(summary, context.paint));
}

function summaryText(summary: SummaryView, paint: Paint): string {
  const { peers, kernel, calico } = summary;
  const sessions = `${peers.established} of ${peers.configured} established`;
  const head = fields(
    [
      ["AS", String(summary.asNumber)],
      ["Router id", summary.routerId],
      ["Up for", duration(summary.uptime)],
      ["Sessions", sessions],
      ["Kernel", kernel.enabled ? "written" : `not written${kernel.reason === null ? "" : `: ${kernel.reason}`}`],
      ...(calico === null ? [] : [["Calico", calicoText(calico)] as const]),
      ...summary.waitingFor.map((what) => ["Not ready", what] as const),
      ["Memory", bytes(summary.memory)],
    ],
    "",
  );
  const counts = [
    { what: "Prefixes", ...summary.prefixes },
    { what: "Paths", ...summary.paths },
    ...(kernel.enabled ? [{ what: "Kernel routes", ...kernel.routes }] : []),
  ];
  const numbers = table(
    [
      { title: "", cell: (row) => row.what },
      { title: "IPV4", align: "right", cell: (row) => String(row.ipv4) },
      { title: "IPV6", align: "right", cell: (row) => String(row.ipv6) },
    ],
    counts,
    paint,
  );
  return `${paint.bold(`starling ${summary.version}`)}\n${head}\n${numbers}`;
}

function calicoText({ nodeName, release, datastore, problems }: CalicoView): string {
  const whose = release === null ? "" : `, as release ${release}`;
  const state = datastore.current ? "current" : `not current: ${datastore.reason ?? "it is away"}`;
  const wrong = problems === 0 ? "" : `; ${problems} ${problems === 1 ? "problem" : "problems"} (see config show)`;
  return `node ${nodeName}${whose}; ${datastore.type} ${state}${wrong}`;
}
