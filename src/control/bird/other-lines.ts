/** What BIRD 1.6 says of itself, of interfaces, names and static routes. */

import type { BirdFamily, BirdInterface, BirdView } from "./bird-view.ts";
import { notAProtocol } from "./protocol-lines.ts";
import { type Answer, Code, DONE, type Line } from "./reply.ts";
import { dateAndTime } from "./times.ts";

export function* statusLines(view: BirdView, version: string, now: number): Answer {
  const { routerId, startedAt, configuredAt, recovery } = view.status();
  yield { code: Code.Version, text: `BIRD ${version}` };
  yield { code: Code.RouterFacts, text: `Router ID is ${routerId}` };
  yield { code: Code.RouterFacts, text: `Current server time is ${dateAndTime(now)}` };
  yield { code: Code.RouterFacts, text: `Last reboot on ${dateAndTime(startedAt)}` };
  yield { code: Code.RouterFacts, text: `Last reconfiguration on ${dateAndTime(configuredAt)}` };
  if (recovery !== undefined) {
    const { waitingFor, elapsedSeconds, totalSeconds } = recovery;
    yield { code: Code.RestartInProgress, text: "Graceful restart recovery in progress" };
    yield { code: Code.RestartInProgress, text: `  Waiting for ${waitingFor} protocols to recover` };
    yield { code: Code.RestartInProgress, text: `  Wait timer is ${totalSeconds - elapsedSeconds}/${totalSeconds}` };
  }
  return { code: Code.StatusEnd, text: "Daemon is up and running" };
}

export function* interfaceLines(view: BirdView, family: BirdFamily, isSummary: boolean): Answer {
  if (isSummary) yield { code: Code.InterfaceHeading, text: "interface state address" };
  for (const link of view.interfaces(family)) {
    if (isSummary) yield { code: Code.InterfaceSummary, text: summary(link) };
    else yield* interfaceDetails(link);
  }
  return DONE;
}

/** To BIRD an interface without an address of the family is down. */
function stateOf({ isUp, addresses }: Pick<BirdInterface, "isUp" | "addresses">): "up" | "DOWN" {
  return isUp && addresses.length > 0 ? "up" : "DOWN";
}

function summary({ name, isUp, addresses }: BirdInterface): string {
  const [first] = addresses;
  const address = first === undefined ? "" : `${first.address}/${first.length}`;
  return `${name.padEnd(9)} ${stateOf({ isUp, addresses }).padEnd(5)} ${address}`;
}

function* interfaceDetails({ name, index, isUp, addresses }: BirdInterface): Generator<Line> {
  yield { code: Code.Interface, text: `${name} ${stateOf({ isUp, addresses })} (index=${index})` };
  yield { code: Code.InterfaceFlags, text: `\t${isUp ? "AdminUp LinkUp" : "LinkDown"}` };
  for (const [i, { address, length, scope }] of addresses.entries()) {
    const rank = i === 0 ? "Primary" : "Secondary";
    yield { code: Code.InterfaceAddress, text: `\t${address}/${length} (${rank}, scope ${scope})` };
  }
}

export function* memoryLines(view: BirdView): Answer {
  const { process, heap, tables } = view.memory();
  yield { code: Code.Memory, text: "BIRD memory usage" };
  yield { code: Code.Memory, text: `Routing tables:   ${size(tables)}` };
  yield { code: Code.Memory, text: `Heap:             ${size(heap)}` };
  yield { code: Code.Memory, text: `Total:            ${size(process)}` };
  return DONE;
}

/** Four digits and a unit, as many octets as fit. */
function size(octets: number): string {
  const units = [" B", "kB", "MB", "GB"];
  let amount = octets;
  let unit = 0;
  while (amount >= 10_000 && unit < units.length - 1) {
    amount /= 1024;
    unit++;
  }
  return `${String(Math.round(amount)).padStart(4)} ${units[unit]}`;
}

const KINDS = ["table", "filter", "function", "protocol", "template", "roa"];

/** Starling's names are those of its protocols and of the one table. */
export function* symbolLines(view: BirdView, family: BirdFamily, what: string | undefined): Answer {
  if (what !== undefined && !KINDS.includes(what)) {
    const isProtocol = view.protocol(family, what) !== undefined;
    const kind = what === "master" ? "routing table" : isProtocol ? "protocol" : "undefined";
    return symbol(what, kind);
  }
  if (what === undefined || what === "table") yield symbol("master", "routing table");
  if (what === undefined || what === "protocol") {
    const protocols = view.protocols(family);
    for (let next = protocols.next(); next.done !== true; next = protocols.next())
      yield next.value === undefined ? undefined : symbol(next.value.name, "protocol");
  }
  return DONE;
}

function symbol(name: string, kind: string): Line {
  return { code: Code.Symbol, text: `${name.padEnd(8)}\t${kind}` };
}

export function* staticLines(view: BirdView, family: BirdFamily, name: string | undefined): Answer {
  const protocol = name === undefined ? undefined : view.protocol(family, name);
  if (name !== undefined && protocol === undefined) return notAProtocol(name);
  if (protocol !== undefined && protocol.kind !== "Static")
    return { code: Code.Wrong, text: `${name}: Not a Static protocol` };
  for (const { prefix, nextHop, isUnreachable } of view.statics(family)) {
    const way = nextHop !== undefined ? `via ${nextHop}` : isUnreachable ? "unreachable" : "blackhole";
    yield { code: Code.StaticRoute, text: `${prefix} ${way}` };
  }
  return DONE;
}
