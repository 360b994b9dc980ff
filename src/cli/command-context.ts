/** What every command that asks the daemon is handed. */

import type { ControlClient } from "./control-client.ts";
import type { Output, Paint } from "./terminal.ts";

export interface CommandContext {
  readonly client: ControlClient;
  readonly out: Output;
  readonly err: Output;
  readonly paint: Paint;
  readonly json: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export async function printJson(context: CommandContext, value: unknown): Promise<void> {
  await context.out.write(`${JSON.stringify(value, null, 2)}\n`);
}
