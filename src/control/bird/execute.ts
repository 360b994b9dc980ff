/** From a command to the lines that answer it. */

import type { ReloadReport } from "../views.ts";
import type { BirdFamily, BirdView } from "./bird-view.ts";
import type { Command } from "./command.ts";
import { operateLines } from "./operate.ts";
import { interfaceLines, memoryLines, staticLines, statusLines, symbolLines } from "./other-lines.ts";
import { protocolLines } from "./protocol-lines.ts";
import { type Answer, Code, DONE, only } from "./reply.ts";
import { routeLines } from "./route-lines.ts";

export interface Surroundings {
  readonly view: BirdView;
  readonly family: BirdFamily;
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** After `restrict` nothing may be changed. */
  isRestricted: boolean;
}

export function execute(command: Command, at: Surroundings): Answer | Promise<Answer> {
  const { view, family } = at;
  if (at.isRestricted && changes(command)) return only({ code: Code.AccessDenied, text: "Access denied" });
  switch (command.kind) {
    case "status":
      return statusLines(view, at.version, at.now());
    case "protocols":
      return protocolLines({ view, family, now: at.now, which: command.which, withDetails: command.withDetails });
    case "routes":
      return routeLines({ view, family, command, now: at.now });
    case "interfaces":
      return interfaceLines(view, family, command.isSummary);
    case "memory":
      return memoryLines(view);
    case "symbols":
      return symbolLines(view, family, command.what);
    case "static":
      return staticLines(view, family, command.protocol);
    case "operate":
      return operateLines(view, family, command.operation, command.which);
    case "configure":
      return view.reload().then(reloadLines);
    case "confirm":
      return only({ code: Code.Confirmed, text: "Reconfiguration confirmed" });
    case "restrict":
      at.isRestricted = true;
      return only({ code: Code.Restricted, text: "Access restricted" });
    case "accepted":
      return only(DONE);
    default:
      return only(command.line);
  }
}

function changes(command: Command): boolean {
  switch (command.kind) {
    case "operate":
    case "configure":
    case "confirm":
      return true;
    case "refusal":
      return command.changes;
    default:
      return false;
  }
}

function* reloadLines({ ok, problems }: ReloadReport): Answer {
  yield { code: Code.Reading, text: "Reading configuration from starling's file" };
  const [first, ...others] = problems.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`));
  if (!ok) return { code: Code.ConfigurationError, text: [first ?? "nothing was changed", ...others].join("; ") };
  for (const problem of [first, ...others])
    if (problem !== undefined) yield { code: Code.Reading, text: `Left as it was: ${problem}` };
  return { code: Code.Reconfigured, text: "Reconfigured" };
}
