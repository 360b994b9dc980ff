/**
 * The short way from an attribute list to canonical bytes: nearly all lists that are sent need no more than to be checked and
 * copied. A list is plain when each of its attributes is known, stands there once, has the flags and the length that its rules ask
 * for and a value that means what it says; whatever is not plain, malformed or merely rare, goes the long way of attribute-list.ts,
 * which alone knows what RFC 7606 makes of it.
 */

import { asPath } from "./attributes/as-path.ts";
import {
  type AttributeContext,
  AttributeFlag,
  type AttributeLength,
  OPTIONAL_TRANSITIVE,
} from "./attributes/contract.ts";
import { nextHop } from "./attributes/next-hop.ts";
import { origin } from "./attributes/origin.ts";
import { attributeRow } from "./attributes/registry.ts";
import { NEXT_HOP_AT, SPLIT_AT } from "./canonical-layout.ts";

/** The rules of one attribute, put so that checking them takes a few comparisons. */
interface PlainRule {
  /** Its place in the order of types among those that can be plain. */
  readonly slot: number;
  readonly internalOnly: boolean;
  /** What of the flags counts, and what it must be. */
  readonly flagsMask: number;
  readonly flags: number;
  readonly least: number;
  readonly most: number;
  readonly multipleOf: number;
  readonly isPlain: ((bytes: Uint8Array, at: number, end: number) => boolean) | undefined;
}

/** The longest list that a message of 65535 octets holds, and the next hop in front of it. */
const LONGEST = 65_535 + NEXT_HOP_AT + 32;
/** Of the flags in canonical bytes; the others say how the length is written, or nothing. */
const KEPT_FLAGS = AttributeFlag.Optional | AttributeFlag.Transitive | AttributeFlag.Partial;

const TYPES: number[] = [];
const RULES: readonly (PlainRule | undefined)[] = Array.from({ length: 256 }, (_, type) => ruleOf(type));
const ORIGIN = slotOf(origin.type);
const AS_PATH = slotOf(asPath.type);
const NEXT_HOP = slotOf(nextHop.type);
/** From here on what follows NEXT_HOP. */
const REST = NEXT_HOP + 1;
const MANDATORY = (1 << ORIGIN) | (1 << AS_PATH);

export class PlainList {
  #bytes: Uint8Array = new Uint8Array(0);
  #internal = false;
  /** One bit for each slot that is taken. */
  #taken = 0;
  readonly #flags = new Uint8Array(TYPES.length);
  readonly #values = new Int32Array(TYPES.length);
  readonly #ends = new Int32Array(TYPES.length);

  /** Begins a list that stands in `bytes`. False: with this session none is plain. */
  begin(bytes: Uint8Array, { internal, fourOctetAs }: AttributeContext): boolean {
    this.#bytes = bytes;
    this.#internal = internal;
    this.#taken = 0;
    return fourOctetAs;
  }

  /** Takes one attribute, its value between `at` and `end`; false if that makes the list one that is not plain. */
  add(flags: number, type: number, at: number, end: number): boolean {
    const rule = RULES[type];
    if (rule === undefined || (flags & rule.flagsMask) !== rule.flags) return false;
    if (rule.internalOnly && !this.#internal) return false;
    const length = end - at;
    if (length < rule.least || length > rule.most) return false;
    if (rule.multipleOf > 1 && length % rule.multipleOf !== 0) return false;
    const bit = 1 << rule.slot;
    if ((this.#taken & bit) !== 0) return false;
    if (rule.isPlain !== undefined && !rule.isPlain(this.#bytes, at, end)) return false;
    this.#taken |= bit;
    this.#flags[rule.slot] = flags;
    this.#values[rule.slot] = at;
    this.#ends[rule.slot] = end;
    return true;
  }

  /** ORIGIN and AS_PATH are there. */
  get hasMandatory(): boolean {
    return (this.#taken & MANDATORY) === MANDATORY;
  }

  /** Where the value of NEXT_HOP stands; undefined if there is none. */
  get nextHopAt(): number | undefined {
    return (this.#taken & (1 << NEXT_HOP)) === 0 ? undefined : this.#values[NEXT_HOP];
  }

  /** Lays the list out with the next hop that stands between `nextHopAt` and `nextHopEnd`. Needs what is mandatory. */
  write(nextHopAt: number, nextHopEnd: number, out: Uint8Array): number {
    const bytes = this.#bytes;
    out[0] = nextHopEnd - nextHopAt;
    let at = NEXT_HOP_AT;
    for (let i = nextHopAt; i < nextHopEnd; i++) out[at++] = bytes[i] as number;
    at = this.#copy(ORIGIN, out, at);
    at = this.#copy(AS_PATH, out, at);
    for (let i = 0; i < 4; i++) out[SPLIT_AT + i] = at >>> (24 - 8 * i);
    for (let left = this.#taken >>> REST, slot = REST; left !== 0; left >>>= 1, slot++) {
      if ((left & 1) !== 0) at = this.#copy(slot, out, at);
    }
    return at;
  }

  #copy(slot: number, out: Uint8Array, to: number): number {
    const bytes = this.#bytes;
    const from = this.#values[slot] as number;
    const end = this.#ends[slot] as number;
    const flags = (this.#flags[slot] as number) & KEPT_FLAGS;
    const length = end - from;
    let at = to;
    out[at + 1] = TYPES[slot] as number;
    if (length > 0xff) {
      out[at] = flags | AttributeFlag.ExtendedLength;
      out[at + 2] = length >>> 8;
      out[at + 3] = length;
      at += 4;
    } else {
      out[at] = flags;
      out[at + 2] = length;
      at += 3;
    }
    for (let i = from; i < end; i++) out[at++] = bytes[i] as number;
    return at;
  }
}

/** A buffer that any list fits into. */
export function plainBuffer(): Uint8Array {
  return new Uint8Array(LONGEST);
}

function ruleOf(type: number): PlainRule | undefined {
  const row = attributeRow(type);
  if (row === undefined || row.rules.twoOctetOnly === true) return undefined;
  const { flags, length, internalOnly } = row.rules;
  // RFC 4271 §4.3: only what is optional and transitive may be partial.
  const flagsMask = flags === OPTIONAL_TRANSITIVE ? OPTIONAL_TRANSITIVE : KEPT_FLAGS;
  const slot = TYPES.push(type) - 1;
  return { slot, internalOnly: internalOnly === true, flagsMask, flags, ...boundsOf(length), isPlain: row.isPlain };
}

function boundsOf(length: AttributeLength): Pick<PlainRule, "least" | "most" | "multipleOf"> {
  if (length === "any") return { least: 0, most: 0xffff, multipleOf: 1 };
  if ("exactly" in length) return { least: length.exactly, most: length.exactly, multipleOf: 1 };
  return { least: length.nonZeroMultipleOf, most: 0xffff, multipleOf: length.nonZeroMultipleOf };
}

function slotOf(type: number): number {
  return TYPES.indexOf(type);
}
