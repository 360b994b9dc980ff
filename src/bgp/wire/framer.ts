/** Cuts a byte stream into messages (RFC 4271 §4.1): incremental, bounded, and without copying what arrives whole. */

import type { MessageType } from "../model/messages.ts";
import { checkHeader, HEADER_LENGTH, MAX_LENGTH } from "./header.ts";

export interface Frame {
  readonly type: MessageType;
  /** Without the header; a view that is valid until the next push. */
  readonly body: Uint8Array;
  /** Of the whole message. */
  readonly length: number;
}

const NOTHING = new Uint8Array(0);

/**
 * Give it a chunk, take messages until there are none, give it the next. Each octet is copied once at most: whole messages
 * are views of the chunk, and only a message cut by the end of a chunk is put together in a buffer of its own. There are
 * two such buffers, because the tail of a chunk may have to be kept while the message that its beginning completed is in use.
 */
export class Framer {
  /** Raise it once extended messages are negotiated (RFC 8654 §4). */
  maxLength: number;
  #chunk: Uint8Array = NOTHING;
  #at = 0;
  #partial: Uint8Array = NOTHING;
  #spare: Uint8Array = NOTHING;
  #partialLength = 0;

  constructor(maxLength: number = MAX_LENGTH) {
    this.maxLength = maxLength;
  }

  /** There are octets that `next` has not looked at; a message that is merely incomplete does not count. */
  get hasInput(): boolean {
    return this.#at < this.#chunk.length;
  }

  /** The chunk is only lent if the messages are taken before it changes. Pushing before that costs a copy. */
  push(chunk: Uint8Array): void {
    if (this.#at < this.#chunk.length) {
      const rest = this.#chunk.length - this.#at;
      const joined = new Uint8Array(rest + chunk.length);
      joined.set(this.#chunk.subarray(this.#at));
      joined.set(chunk, rest);
      this.#chunk = joined;
    } else {
      this.#chunk = chunk;
    }
    this.#at = 0;
  }

  /** The next whole message. Throws NotificationError at a header that is wrong, and again if called again. */
  next(): Frame | undefined {
    if (this.#partialLength > 0) return this.#complete();
    const available = this.#chunk.length - this.#at;
    if (available < HEADER_LENGTH) return this.#keepTail();
    const header = checkHeader(this.#chunk, this.#at, this.maxLength);
    const length = header & 0xffff;
    if (available < length) return this.#keepTail();
    const from = this.#at;
    this.#at = from + length;
    return {
      type: (header >>> 16) as MessageType,
      body: this.#chunk.subarray(from + HEADER_LENGTH, from + length),
      length,
    };
  }

  #complete(): Frame | undefined {
    if (!this.#fill(HEADER_LENGTH)) return undefined;
    const header = checkHeader(this.#partial, 0, this.maxLength);
    const length = header & 0xffff;
    if (!this.#fill(length)) return undefined;
    const message = this.#partial;
    this.#partial = this.#spare;
    this.#spare = message;
    this.#partialLength = 0;
    return { type: (header >>> 16) as MessageType, body: message.subarray(HEADER_LENGTH, length), length };
  }

  #keepTail(): undefined {
    this.#fill(this.#chunk.length - this.#at);
    return undefined;
  }

  /** Moves octets of the chunk into the partial message until it has `wanted`. */
  #fill(wanted: number): boolean {
    const missing = wanted - this.#partialLength;
    if (missing <= 0) return true;
    const from = this.#at;
    const end = Math.min(from + missing, this.#chunk.length);
    const length = this.#partialLength + end - from;
    // Grown to what the header claims (which has been checked) only as those octets arrive.
    if (length > this.#partial.length) {
      const wider = new Uint8Array(Math.min(Math.max(length, 2 * this.#partial.length, 512), this.maxLength));
      wider.set(this.#partial.subarray(0, this.#partialLength));
      this.#partial = wider;
    }
    if (end > from) this.#partial.set(this.#chunk.subarray(from, end), this.#partialLength);
    this.#partialLength = length;
    this.#at = end;
    if (end === this.#chunk.length) this.#release();
    return length >= wanted;
  }

  /** A chunk that is used up must not be pinned by an idle session. */
  #release(): void {
    this.#chunk = NOTHING;
    this.#at = 0;
  }
}
