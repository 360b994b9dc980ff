/** `show protocols` as BIRD 1.6 prints it: one row each, and with `all` what lies behind it. */

import type {
  BirdCounts,
  BirdFamily,
  BirdProtocol,
  BirdSession,
  BirdTimer,
  BirdUpdateCounts,
  BirdView,
} from "./bird-view.ts";
import type { Which } from "./command.ts";
import { matcher } from "./pattern.ts";
import { type Answer, Code, DONE, type Line } from "./reply.ts";
import { since } from "./times.ts";

const HEADING: Line = { code: Code.ProtocolHeading, text: "name     proto    table    state  since       info" };
const NO_MATCH: Line = { code: Code.NoProtocols, text: "No protocols match" };

/** BIRD's preferences of its protocols. */
const PREFERENCES = { Static: 200, Kernel: 10, Device: 240, Direct: 240, BGP: 100 } as const;
/** Of those that are not sessions: who sends routes into the table, and who takes them out of it. */
const FILTERS = { Static: "REJECT", Kernel: "ACCEPT", Device: "REJECT", Direct: "REJECT", BGP: "ACCEPT" } as const;

export interface ProtocolsRequest {
  readonly view: BirdView;
  readonly family: BirdFamily;
  readonly which: Which;
  readonly withDetails: boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export function* protocolLines(request: ProtocolsRequest): Answer {
  const { view, family, which, withDetails, now } = request;
  if (which.kind === "name" && view.protocol(family, which.name) === undefined) return notAProtocol(which.name);
  const counts = withDetails ? view.counts(family) : undefined;
  let found = false;
  for (const protocol of selected(view, family, which)) {
    if (protocol === undefined) {
      yield undefined;
      continue;
    }
    if (!found) yield HEADING;
    found = true;
    yield { code: Code.Protocol, text: row(protocol, now()) };
    if (counts === undefined) continue;
    for (const text of details(protocol, counts)) yield { code: Code.ProtocolDetails, text };
    yield { code: Code.ProtocolDetails, text: "" };
  }
  return found ? DONE : NO_MATCH;
}

/** Those that are meant, in the order of the list. */
export function* selected(view: BirdView, family: BirdFamily, which: Which): Generator<BirdProtocol | undefined> {
  if (which.kind === "name") {
    const protocol = view.protocol(family, which.name);
    if (protocol !== undefined) yield protocol;
    return;
  }
  const isMeant = which.kind === "all" ? () => true : matcher(which.pattern);
  const protocols = view.protocols(family);
  for (let next = protocols.next(); next.done !== true; next = protocols.next()) {
    const protocol = next.value;
    if (protocol === undefined || isMeant(protocol.name)) yield protocol;
  }
}

export function notAProtocol(name: string): Line {
  return { code: Code.NotAProtocol, text: `${name} is not a protocol` };
}

function row(protocol: BirdProtocol, now: number): string {
  const { name, kind, state } = protocol;
  const fixed = `${name.padEnd(8)} ${kind.padEnd(8)} master   ${state.padEnd(6)} ${since(protocol.since, now).padEnd(10)}`;
  return `${fixed}  ${info(protocol)}`;
}

/** The column that readiness checks read: the state, and why it is not Established. */
function info({ state, session }: BirdProtocol): string {
  if (session === undefined || state === "down") return "";
  const error = session.established === undefined ? session.lastError : undefined;
  return `${session.state.padEnd(14)}${shortly(error ?? "")}`;
}

/** What comes after the first clause would make the table unreadable; it stands in the details. */
function shortly(error: string): string {
  return error.split("; ", 1)[0] ?? "";
}

function* details(protocol: BirdProtocol, counts: BirdCounts): Generator<string> {
  const { name, kind, session, state } = protocol;
  const { imported, preferred } = counts.of(name);
  yield field("Preference", String(PREFERENCES[kind]));
  yield field("Input filter", session?.importFilter ?? "ACCEPT");
  yield field("Output filter", session?.exportFilter ?? FILTERS[kind]);
  if (session?.importLimit !== undefined) {
    const { limit, isHit, action } = session.importLimit;
    yield field("Import limit", `${limit}${isHit ? " [HIT]" : ""}`);
    yield field("  Action", action);
  }
  if (state !== "down") {
    const exported = session?.exported ?? (kind === "Kernel" ? counts.forwarded : 0);
    // BIRD has this part only where it keeps what was filtered; scripts for Calico do not expect it.
    const filtered = session === undefined || session.filtered === 0 ? "" : `${session.filtered} filtered, `;
    yield field("Routes", `${imported} imported, ${filtered}${exported} exported, ${preferred} preferred`);
    yield* changes(session?.updates ?? settled(imported));
  }
  if (session !== undefined) yield* sessionDetails(session);
}

/** What was announced less what was filtered or was there already; of exports nothing is counted. */
function* changes(counts: BirdUpdateCounts): Generator<string> {
  const { announced, filtered, unchanged, withdrawn, withdrawnUnknown } = counts;
  yield columns("  Route change stats:", ["received", "rejected", "filtered", "ignored", "accepted"]);
  yield change("Import updates", [announced, 0, filtered, unchanged, announced - filtered - unchanged]);
  yield change("Import withdraws", [withdrawn, 0, undefined, withdrawnUnknown, withdrawn - withdrawnUnknown]);
  yield change("Export updates", [undefined, undefined, undefined, undefined, undefined]);
  yield change("Export withdraws", [undefined, undefined, undefined, undefined, undefined]);
}

function settled(announced: number): BirdUpdateCounts {
  return { announced, filtered: 0, unchanged: 0, withdrawn: 0, withdrawnUnknown: 0 };
}

function change(name: string, counts: readonly (number | undefined)[]): string {
  return columns(
    `    ${name}:`,
    counts.map((count) => (count === undefined ? "---" : String(count))),
  );
}

function columns(name: string, texts: readonly string[]): string {
  return `${name.padEnd(24)}${texts.map((text) => text.padStart(10)).join(" ")}`;
}

function* sessionDetails(session: BirdSession): Generator<string> {
  const { state, address, asNumber, established, lastError } = session;
  yield `  BGP state:          ${state}`;
  yield detail("Neighbor address", address ?? "---");
  yield detail("Neighbor AS", asNumber === undefined ? "---" : String(asNumber));
  if (established !== undefined) {
    yield detail("Neighbor ID", established.routerId);
    yield detail("Neighbor caps", established.capabilities.join(" "));
    yield detail("Session", established.traits.join(" "));
    if (established.sourceAddress !== undefined) yield detail("Source address", established.sourceAddress);
    if (established.hold !== undefined) yield detail("Hold timer", timer(established.hold));
    if (established.keepalive !== undefined) yield detail("Keepalive timer", timer(established.keepalive));
  } else if (lastError !== undefined) yield detail("Last error", lastError);
}

function timer({ remaining, total }: BirdTimer): string {
  return `${remaining}/${total}`;
}

function field(name: string, value: string): string {
  return `  ${`${name}:`.padEnd(16)}${value}`;
}

function detail(name: string, value: string): string {
  return `    ${`${name}:`.padEnd(18)}${value}`;
}
