/** Commands that make the running daemon do something: reload, peer, cleanup. */

import { type PeerAction, type ReloadReport, UsageError } from "../control/views.ts";
import { type CommandContext, printJson } from "./command-context.ts";
import { printable } from "./table.ts";
import { plural } from "./words.ts";

/** A configuration that was refused, wholly or in part, is a wrong configuration: exit status 2. */
export async function reload(context: CommandContext): Promise<void> {
  const report = await context.client.call<ReloadReport>("reload");
  if (context.json) await printJson(context, report);
  else {
    const lines = report.changes.length > 0 ? report.changes : report.ok ? ["nothing changed"] : [];
    await context.out.write(lines.map((line) => `${printable(line)}\n`).join(""));
  }
  if (report.ok && report.problems.length === 0) return;
  // What is wrong in a file says where by itself.
  const problems = report.problems.map(({ path, message }) =>
    message.includes(path) ? message : `${path}: ${message}`,
  );
  const head = report.ok
    ? "reloaded in part: what is wrong stays as it was"
    : "nothing was changed, because the configuration is wrong";
  throw new UsageError([head, ...problems.map((problem) => `  ${problem}`)].join("\n"));
}

export async function actOnPeer(
  context: CommandContext,
  name: string,
  action: PeerAction,
  message: string | undefined,
): Promise<void> {
  if (message !== undefined && action !== "disable" && action !== "reset") {
    throw new UsageError(
      `--message goes to the peer when its session is closed: with disable and reset, not with ${action}`,
    );
  }
  const params = message === undefined ? { name, action } : { name, action, message };
  await context.out.write(`${printable(await context.client.call<string>("peerAction", params))}\n`);
}

/** Through the daemon where one runs, so that it does not put them back; `directly` otherwise. */
export async function cleanup(context: CommandContext, directly: () => Promise<number>): Promise<void> {
  const removed = (await context.client.isListening())
    ? await context.client.call<number>("cleanup")
    : await directly();
  if (context.json) return printJson(context, { removed });
  await context.out.write(`removed ${plural(removed, "route")} of starling from the kernel\n`);
}
