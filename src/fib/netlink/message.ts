/** Framing of netlink messages and their attributes (netlink(7)): one cursor over what the kernel sent, nothing allocated per message. */

import { HEADER_BYTES } from "./constants.ts";

/** Attribute types above are not of interest to anybody here; they are stepped over. */
const MAX_ATTRIBUTE = 32;
const NESTED_MASK = 0x3fff;

/**
 * Points at one message after the other: `next()`, then the header's fields, then `parseAttributes` and the getters. A message that
 * overruns the buffer ends it; an attribute that overruns its message ends the attributes.
 */
export class MessageCursor {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  type = 0;
  flags = 0;
  sequence = 0;
  /** Port of the socket whose request caused a notification; 0 when the kernel acted by itself. */
  port = 0;
  /** First byte after the header. */
  payload = 0;
  end = 0;
  #next = 0;
  #limit = 0;
  /** Offset of each attribute's value, 0 where there is none. */
  readonly #offsets = new Int32Array(MAX_ATTRIBUTE);
  readonly #lengths = new Int32Array(MAX_ATTRIBUTE);

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The buffer holds `length` valid bytes, from its start. */
  reset(length: number): void {
    this.#next = 0;
    this.#limit = length;
  }

  next(): boolean {
    const at = this.#next;
    if (at + HEADER_BYTES > this.#limit) return false;
    const length = this.view.getUint32(at, true);
    if (length < HEADER_BYTES || at + length > this.#limit) return false;
    this.type = this.view.getUint16(at + 4, true);
    this.flags = this.view.getUint16(at + 6, true);
    this.sequence = this.view.getUint32(at + 8, true);
    this.port = this.view.getUint32(at + 12, true);
    this.payload = at + HEADER_BYTES;
    this.end = at + length;
    this.#next = at + ((length + 3) & ~3);
    return true;
  }

  /** The attributes from `start` to `end`; of equal types the last one counts, as in the kernel. */
  parseAttributes(start: number, end = this.end): void {
    this.#offsets.fill(0);
    let at = start;
    while (at + 4 <= end) {
      const length = this.view.getUint16(at, true);
      if (length < 4 || at + length > end) return;
      const type = this.view.getUint16(at + 2, true) & NESTED_MASK;
      if (type < MAX_ATTRIBUTE) {
        this.#offsets[type] = at + 4;
        this.#lengths[type] = length - 4;
      }
      at += (length + 3) & ~3;
    }
  }

  /** Offset of the value, 0 if it is not there or shorter than `minimum`. */
  attribute(type: number, minimum = 0): number {
    const offset = this.#offsets[type] ?? 0;
    return offset !== 0 && (this.#lengths[type] ?? 0) >= minimum ? offset : 0;
  }

  attributeLength(type: number): number {
    return this.attribute(type) === 0 ? 0 : (this.#lengths[type] ?? 0);
  }

  u32(type: number, absent: number): number {
    const offset = this.attribute(type, 4);
    return offset === 0 ? absent : this.view.getUint32(offset, true);
  }

  /** Text up to its terminating zero; undefined if it is not there. */
  text(type: number): string | undefined {
    const offset = this.attribute(type);
    if (offset === 0) return undefined;
    const end = offset + this.attributeLength(type);
    const zero = this.bytes.indexOf(0, offset);
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength).toString(
      "utf8",
      offset,
      zero >= 0 && zero < end ? zero : end,
    );
  }
}
