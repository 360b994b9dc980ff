/** An UPDATE without its prefixes: what stands before them and after them, and which lengths they alter (RFC 4271 §4.3). */

import type { Family } from "../model/family.ts";
import { SAFI_UNICAST } from "../model/family.ts";
import { MessageType } from "../model/messages.ts";
import type { PrefixBatch } from "../model/prefix-batch.ts";
import { AttributeFlag, OPTIONAL_NON_TRANSITIVE } from "./attributes/contract.ts";
import { beginMessage, HEADER_LENGTH, MARKER_LENGTH } from "./header.ts";
import { encodeNlri, NlriCursor } from "./nlri.ts";
import { Writer } from "./writer.ts";

/** The two length fields of an UPDATE; the second stands here when nothing is withdrawn. */
const WITHDRAWN_LENGTH_AT = HEADER_LENGTH;
const ATTRIBUTES_LENGTH_AT = HEADER_LENGTH + 2;
const ATTRIBUTES_AT = HEADER_LENGTH + 4;
/** Of an MP_REACH_NLRI or MP_UNREACH_NLRI that is the first attribute (RFC 7606 §5.1). */
const MP_LENGTH_AT = ATTRIBUTES_AT + 2;
const MP_VALUE_AT = ATTRIBUTES_AT + 4;

/** Where the prefixes go. */
export type PrefixPlace = "nlri" | "withdrawn" | "multiprotocol";

export class MessageTemplate {
  readonly #before = new Writer(256);
  readonly #after = new Writer(256);
  readonly #cursor = new NlriCursor();
  #place: PrefixPlace = "nlri";

  /** The first prefix that the last `fill` did not write. */
  get next(): number {
    return this.#cursor.index;
  }

  /** Octets of the message without prefixes. */
  get fixedLength(): number {
    return this.#before.length + this.#after.length;
  }

  /** Prefixes in the NLRI field. Write the attributes into what is returned, then `finish`. */
  beginNlri(): Writer {
    return this.#begin("nlri");
  }

  /** Prefixes in the Withdrawn Routes field. */
  makeWithdrawn(): void {
    this.#begin("withdrawn");
    this.#before.truncate(ATTRIBUTES_LENGTH_AT);
    this.#after.u16(0);
    this.finish();
  }

  /**
   * Prefixes in MP_REACH_NLRI or MP_UNREACH_NLRI. What of the attribute stands between SAFI and prefixes goes into
   * what is returned, the other attributes into `after`; then `finish`.
   */
  beginMultiprotocol(type: number, family: Family): Writer {
    const w = this.#begin("multiprotocol");
    w.u8(OPTIONAL_NON_TRANSITIVE | AttributeFlag.ExtendedLength);
    w.u8(type);
    w.u16(0);
    w.u16(family);
    w.u8(SAFI_UNICAST);
    return w;
  }

  get after(): Writer {
    return this.#after;
  }

  finish(): void {
    if (this.#place === "nlri") this.#before.patch16(ATTRIBUTES_LENGTH_AT, this.#before.length - ATTRIBUTES_AT);
  }

  /**
   * Writes whole messages of at most `maxLength` octets with the prefixes from `from` on. Returns where they end; `next` says
   * how far it came. `nlriLength` is the most that one prefix takes, and a message with one fits `maxLength`.
   */
  fill(
    prefixes: PrefixBatch,
    from: number,
    addPath: boolean,
    nlriLength: number,
    maxLength: number,
    out: Uint8Array,
    at: number,
  ): number {
    const cursor = this.#cursor;
    const before = this.#before;
    const after = this.#after;
    const fixed = this.fixedLength;
    let start = at;
    cursor.index = from;
    while (cursor.index < prefixes.count) {
      const room = Math.min(out.length - start, maxLength);
      if (room < maxLength && room < fixed + (prefixes.count - cursor.index) * nlriLength) break;
      cursor.at = before.copyTo(out, start);
      encodeNlri(prefixes, cursor, out, start + room - after.length, addPath);
      const prefixesEnd = cursor.at;
      const end = after.copyTo(out, prefixesEnd);
      this.#patch(out, start, prefixesEnd, end);
      start = end;
    }
    return start;
  }

  #begin(place: PrefixPlace): Writer {
    this.#place = place;
    this.#after.clear();
    const w = this.#before;
    // What is the same in all of them stays from the time before.
    w.truncate(ATTRIBUTES_AT);
    if (w.length === ATTRIBUTES_AT) return w;
    w.clear();
    beginMessage(w, MessageType.Update);
    w.u16(0);
    w.u16(0);
    return w;
  }

  #patch(out: Uint8Array, start: number, prefixesEnd: number, end: number): void {
    put16(out, start + MARKER_LENGTH, end - start);
    if (this.#place === "withdrawn") {
      put16(out, start + WITHDRAWN_LENGTH_AT, prefixesEnd - start - ATTRIBUTES_LENGTH_AT);
    } else if (this.#place === "multiprotocol") {
      put16(out, start + ATTRIBUTES_LENGTH_AT, end - start - ATTRIBUTES_AT);
      put16(out, start + MP_LENGTH_AT, prefixesEnd - start - MP_VALUE_AT);
    }
  }
}

function put16(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 8;
  out[at + 1] = value;
}
