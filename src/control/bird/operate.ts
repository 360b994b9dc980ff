/** enable, disable, restart and reload: what BIRD's client changes, and what it is told of each protocol. */

import { type PeerAction, UsageError } from "../views.ts";
import type { BirdFamily, BirdProtocol, BirdView } from "./bird-view.ts";
import type { Operation, Which } from "./command.ts";
import { notAProtocol, selected } from "./protocol-lines.ts";
import { type Answer, Code, DONE, type Line } from "./reply.ts";

const ACTIONS: Readonly<Record<Exclude<Operation, "reload">, PeerAction>> = {
  enable: "enable",
  disable: "disable",
  restart: "reset",
  "reload in": "refresh-in",
  "reload out": "refresh-out",
};
const NO_MATCH: Line = { code: Code.NoProtocols, text: "No protocols match" };

export function* operateLines(view: BirdView, family: BirdFamily, operation: Operation, which: Which): Answer {
  let found = false;
  for (const protocol of selected(view, family, which)) {
    if (protocol === undefined) {
      yield undefined;
      continue;
    }
    found = true;
    yield operate(view, protocol, operation);
  }
  if (found) return DONE;
  return which.kind === "name" ? notAProtocol(which.name) : NO_MATCH;
}

function operate(view: BirdView, protocol: BirdProtocol, operation: Operation): Line {
  const { name, state, session } = protocol;
  const isDown = state === "down";
  if (operation === "enable" && !isDown) return say(Code.AlreadyEnabled, name, "already enabled");
  if (operation !== "enable" && isDown) return say(Code.AlreadyDisabled, name, "already disabled");
  if (session === undefined)
    return say(Code.ReloadFailed, name, "part of starling, which runs as long as starling itself");
  try {
    if (operation !== "reload") view.act(name, ACTIONS[operation]);
    else {
      view.act(name, "refresh-in");
      view.act(name, "refresh-out");
    }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return say(Code.ReloadFailed, name, `reload failed: ${error.message}`);
  }
  switch (operation) {
    case "enable":
      return say(Code.Enabled, name, "enabled");
    case "disable":
      return say(Code.Disabled, name, "disabled");
    case "restart":
      return say(Code.Restarted, name, "restarted");
    default:
      return say(Code.Reloading, name, "reloading");
  }
}

function say(code: Code, name: string, what: string): Line {
  return { code, text: `${name}: ${what}` };
}
