/** Reads an attribute list and applies RFC 7606 to it: flags, lengths, duplicates and malformed values end as outcomes. */

import {
  type AttributeOutcome,
  type AttributeProblem,
  NotificationCode,
  NotificationError,
  UpdateSubcode,
} from "../model/messages.ts";
import { mergeAs4 } from "./attributes/as4-merge.ts";
import {
  type AttributeContext,
  AttributeFlag,
  type AttributeRules,
  OPTIONAL_TRANSITIVE,
} from "./attributes/contract.ts";
import { AttributeDraft, markPartial } from "./attributes/draft.ts";
import { attributeRow } from "./attributes/registry.ts";
import { Reader } from "./reader.ts";

export interface DecodedList {
  readonly draft: AttributeDraft;
  readonly problems: readonly AttributeProblem[];
  /** Set when an attribute makes its UPDATE treat-as-withdraw: what to send if there is no prefix to withdraw (RFC 7606 §5.2). */
  readonly withdraw: NotificationError | undefined;
}

/** The Optional and Transitive bits, which must be the attribute's own. */
const FIXED_FLAGS = AttributeFlag.Optional | AttributeFlag.Transitive;

/** Types seen in the list being read: equal to `generation`. */
const seen = new Uint32Array(256);
let generation = 0;

/** Reads `bytes` from 0 to `end`: all attributes of an UPDATE but MP_REACH_NLRI and MP_UNREACH_NLRI. Throws NotificationError. */
export function decodeAttributeList(bytes: Uint8Array, end: number, context: AttributeContext): DecodedList {
  const draft = new AttributeDraft();
  const problems: AttributeProblem[] = [];
  let withdraw: NotificationError | undefined;
  generation = (generation + 1) >>> 0;
  const r = new Reader(bytes, 0, end);
  for (let at = 0; at < end; ) {
    const size = sizeOfAttribute(bytes, at, end);
    if (size === undefined) {
      problems.push(overrun());
      withdraw ??= updateError(UpdateSubcode.MalformedAttributeList, "an attribute overruns the attribute list");
      break;
    }
    const from = at;
    const type = bytes[at + 1] ?? 0;
    at += size;
    if (seen[type] === generation) {
      problems.push(duplicate(type));
      continue;
    }
    seen[type] = generation;
    const fault = decodeAttribute(bytes, from, at, r, context, draft);
    if (fault === undefined) continue;
    problems.push(fault.problem);
    if (fault.problem.outcome === "withdraw") {
      withdraw ??= updateError(fault.subcode, fault.problem.reason, bytes.slice(from, at));
    }
  }
  if (!context.fourOctetAs) mergeAs4(draft);
  return { draft, problems, withdraw };
}

/** Octets of the attribute at `at`, header included; undefined if it does not end before `end` (RFC 7606 §4). */
export function sizeOfAttribute(bytes: Uint8Array, at: number, end: number): number | undefined {
  const header = headerLength(bytes[at] ?? 0);
  if (at + header > end) return undefined;
  const length = header === 4 ? ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0) : (bytes[at + 2] ?? 0);
  return at + header + length > end ? undefined : header + length;
}

/** Octets of flags, type and length. */
export function headerLength(flags: number): number {
  return (flags & AttributeFlag.ExtendedLength) !== 0 ? 4 : 3;
}

/** RFC 7606 §3 c. RFC 4271 §4.3: the Partial bit, too, is fixed at 0 for all but optional transitive attributes. */
export function hasWrongFlags(flags: number, rules: AttributeRules): boolean {
  return (
    ((flags ^ rules.flags) & FIXED_FLAGS) !== 0 ||
    ((flags & AttributeFlag.Partial) !== 0 && rules.flags !== OPTIONAL_TRANSITIVE)
  );
}

export function wrongFlags(flags: number, rules: AttributeRules): AttributeProblem {
  const reason = `${rules.name} has the flags 0x${flags.toString(16)} (RFC 7606 §3 c)`;
  return { type: rules.type, name: rules.name, outcome: "withdraw", reason };
}

export function updateError(subcode: number, message: string, data?: Uint8Array): NotificationError {
  return new NotificationError(NotificationCode.Update, subcode, message, data);
}

interface Fault {
  readonly problem: AttributeProblem;
  readonly subcode: number;
}

/** Reads the attribute between `at` and `end`, header included. */
function decodeAttribute(
  bytes: Uint8Array,
  at: number,
  end: number,
  r: Reader,
  context: AttributeContext,
  draft: AttributeDraft,
): Fault | undefined {
  const flags = bytes[at] ?? 0;
  const type = bytes[at + 1] ?? 0;
  r.window(at + headerLength(flags), end);
  const row = attributeRow(type);
  if (row === undefined) {
    // RFC 4271 §6.3: all that are not optional must be known.
    if ((flags & AttributeFlag.Optional) === 0) {
      const message = `the well-known attribute ${type} is not known (RFC 4271 §6.3)`;
      throw updateError(UpdateSubcode.UnrecognizedWellKnown, message, bytes.slice(at, end));
    }
    decodeUnknown(flags, type, r, draft);
    return undefined;
  }
  const { rules } = row;
  if (hasWrongFlags(flags, rules)) return { problem: wrongFlags(flags, rules), subcode: UpdateSubcode.AttributeFlags };
  if (rules.internalOnly === true && !context.internal) return fault(rules, "discard", "comes from an external peer");
  if (rules.twoOctetOnly === true && context.fourOctetAs) {
    return fault(rules, "discard", "comes from a peer that has no need of it, RFC 6793 §3");
  }
  const length = r.remaining;
  if (!isLength(length, rules)) {
    return fault(rules, rules.onError, `has ${length} octets`, UpdateSubcode.AttributeLength);
  }
  if (row.decodeInto(r, context, draft)) {
    if ((flags & AttributeFlag.Partial) !== 0 && rules.twoOctetOnly !== true) markPartial(type, draft);
    return undefined;
  }
  return fault(rules, rules.onError, `is malformed: ${hex(bytes.subarray(end - length, end))}`, rules.subcode);
}

/** RFC 4271 §5, §9: optional transitive ones are kept, other optional ones dropped. */
function decodeUnknown(flags: number, type: number, r: Reader, draft: AttributeDraft): void {
  if ((flags & AttributeFlag.Transitive) === 0) return;
  draft.unknown ??= [];
  draft.unknown.push({
    type,
    flags: flags & (FIXED_FLAGS | AttributeFlag.Partial),
    value: r.bytes(r.remaining).slice(),
  });
}

function fault(
  rules: AttributeRules,
  outcome: AttributeOutcome,
  what: string,
  subcode: number = UpdateSubcode.OptionalAttribute,
): Fault {
  const { type, name, section } = rules;
  return { problem: { type, name, outcome, reason: `${name} ${what} (${section})` }, subcode };
}

/** RFC 7606 §3 g. */
function duplicate(type: number): AttributeProblem {
  const name = attributeRow(type)?.rules.name ?? `attribute ${type}`;
  return { type, name, outcome: "discard", reason: `${name} is there twice (RFC 7606 §3 g)` };
}

function isLength(length: number, { length: rule }: AttributeRules): boolean {
  if (rule === "any") return true;
  return "exactly" in rule ? length === rule.exactly : length > 0 && length % rule.nonZeroMultipleOf === 0;
}

function overrun(): AttributeProblem {
  const reason = "an attribute overruns the attribute list (RFC 7606 §4)";
  return { type: 0, name: "attribute list", outcome: "withdraw", reason };
}

/** The beginning of a value, for the log. */
function hex(value: Uint8Array): string {
  const shown = Array.from(value.subarray(0, 16), (octet) => octet.toString(16).padStart(2, "0")).join("");
  return value.length > 16 ? `${shown}...` : shown;
}
