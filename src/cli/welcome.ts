/** The first screen of `starling run` without a file: what is running, and what to try next. */

import type { Paint } from "./terminal.ts";

export interface WelcomeFacts {
  readonly version: string;
  readonly asNumber: number;
  readonly routerId: string;
  readonly listen: readonly { readonly address: string; readonly port: number }[];
  /** Why not port 179, if it is not. */
  readonly portReason: string | undefined;
  /** Ranges from which internal peers are accepted as reflector clients. */
  readonly peerRanges: readonly string[];
  readonly kernel: { readonly enabled: boolean; readonly reason: string | undefined };
  readonly http: { readonly address: string; readonly port: number } | undefined;
  readonly socket: string;
  /** `--socket` has to be given to the client too. */
  readonly socketIsDefault: boolean;
  /** How this program was called: `starling` or `npx starling`. */
  readonly command: string;
}

export function welcome(facts: WelcomeFacts, paint: Paint): string {
  const lines: string[] = [
    `${paint.bold(`starling ${facts.version}`)}: a BGP speaker and route reflector. No file was given, so this is the built-in configuration.`,
    "",
    line("Speaker", `AS ${facts.asNumber}, router id ${facts.routerId}`),
    line("Listens on", facts.listen.map(({ address, port }) => `${hostText(address)}:${port}`).join(" and ")),
  ];
  if (facts.portReason !== undefined) lines.push(line("", facts.portReason));
  lines.push(
    line("Accepts", `internal peers (AS ${facts.asNumber}) from ${facts.peerRanges.join(", ")}`),
    line("", "as route reflector clients: each gets the routes of all others"),
    line("Kernel", kernelText(facts)),
  );
  if (facts.http !== undefined) {
    lines.push(
      line("HTTP", `http://${hostText(facts.http.address)}:${facts.http.port}  (metrics, health, JSON; shows only)`),
    );
  }
  lines.push(line("Control", facts.socket), "", "Try in another terminal:");
  const option = facts.socketIsDefault ? "" : ` --socket ${facts.socket}`;
  const commands: [string, string][] = [
    [`${facts.command} show peers${option}`, "the sessions, as they come up"],
    [`${facts.command} show routes${option}`, "every route, the best of each marked"],
    [`${facts.command} config show`, "this configuration in full, to start a file of your own from"],
  ];
  const width = Math.max(...commands.map(([command]) => command.length));
  for (const [command, what] of commands) {
    lines.push(`  ${paint.cyan(command)}${" ".repeat(width - command.length)}  ${paint.dim(what)}`);
  }
  return `${lines.join("\n")}\n\n`;
}

function line(name: string, value: string): string {
  return `  ${name.padEnd(10)}  ${value}`;
}

function kernelText({ kernel }: WelcomeFacts): string {
  if (kernel.enabled) return "routes are written to the main table";
  return `routes are not written${kernel.reason === undefined ? "" : `: ${kernel.reason}`}`;
}

function hostText(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}
