/** Many route requests in one datagram, and what the kernel answered to each. The last one alone asks for an acknowledgement. */

import { Family } from "../bgp/model/family.ts";
import { Errno } from "../sys/errno.ts";
import { AF_INET, AF_INET6, Flag, MessageType, RouteAttribute } from "./netlink/constants.ts";
import { errorCode, errorText } from "./netlink/error-message.ts";
import { MessageCursor } from "./netlink/message.ts";
import { RECEIVE_BYTES, type RequestPort } from "./netlink/socket.ts";
import type { EncodedTarget } from "./netlink/target-codec.ts";
import type { RouteTable } from "./route-table.ts";

export const Operation = { Add: 0, Replace: 1, Delete: 2 } as const;
export type Operation = (typeof Operation)[keyof typeof Operation];

/** Some six milliseconds of the kernel's, during which it needs nobody to hand it more. */
const CAPACITY = 2048;
const BUFFER_BYTES = 1 << 18;
const REQUEST = Flag.Request << 16;
// An addition that must not replace anything is refused where somebody was quicker: a foreign route is never overwritten unseen.
const TYPES: Readonly<Record<Operation, number>> = {
  [Operation.Add]: MessageType.NewRoute | REQUEST | ((Flag.Create | Flag.Exclusive) << 16),
  [Operation.Replace]: MessageType.NewRoute | REQUEST | ((Flag.Create | Flag.Replace) << 16),
  [Operation.Delete]: MessageType.DelRoute | REQUEST,
};

/** How the kernel took the whole datagram. */
export type Answer =
  | { readonly kind: "answered" }
  /** Nothing of it was done. */
  | { readonly kind: "refused"; readonly errno: number }
  /** It was done, but an answer is missing (its queue overflowed): nobody knows which of it succeeded. */
  | { readonly kind: "lost" };

export class RequestBatch {
  count = 0;
  readonly ids = new Int32Array(CAPACITY);
  readonly operations = new Uint8Array(CAPACITY);
  /** The target number that an addition writes or a deletion removes. */
  readonly targets = new Int32Array(CAPACITY);
  /** 1 if the route's state was in doubt when the request was made. */
  readonly doubts = new Uint8Array(CAPACITY);
  /** 0 where it succeeded. */
  readonly errnos = new Int32Array(CAPACITY);
  /** What the kernel said to its refusals, where it did. */
  readonly texts = new Map<number, string>();
  readonly #words = new Int32Array(BUFFER_BYTES / 4);
  readonly #bytes = new Uint8Array(this.#words.buffer);
  readonly #answers = new Uint8Array(RECEIVE_BYTES);
  readonly #cursor = new MessageCursor(this.#answers);
  #used = 0;
  #last = 0;
  #sequence: number;

  /** Batches that take turns on one socket begin far from each other: an answer that comes late must not be another's. */
  constructor(firstSequence = 1) {
    this.#sequence = firstSequence;
  }

  clear(): void {
    this.#sequence = (this.#sequence + this.count) >>> 0;
    this.count = 0;
    this.#used = 0;
    this.errnos.fill(0);
    this.texts.clear();
  }

  /** False if the batch is full; then nothing was added. */
  add(table: RouteTable, id: number, operation: Operation, targetId: number, encoded: EncodedTarget): boolean {
    const target = operation === Operation.Delete ? encoded.remove : encoded.add;
    const wide = table.family === Family.Ipv6;
    const length = table.length(id);
    const start = this.#used;
    if (this.count === CAPACITY || start + 12 + target.length > this.#words.length) return false;
    const words = this.#words;
    words[start + 1] = TYPES[operation];
    words[start + 2] = this.#sequence + this.count;
    words[start + 3] = 0;
    words[start + 4] = (wide ? AF_INET6 : AF_INET) | (length << 8);
    words[start + 5] = target[0] ?? 0;
    words[start + 6] = target[1] ?? 0;
    let at = start + 7;
    if (length > 0) {
      words[at++] = (wide ? 20 : 8) | (RouteAttribute.Destination << 16);
      words[at++] = swap(table.w0(id));
      if (wide) {
        words[at++] = swap(table.w1(id));
        words[at++] = swap(table.w2(id));
        words[at++] = swap(table.w3(id));
      }
    }
    for (let i = 2; i < target.length; i++) words[at++] = target[i] ?? 0;
    words[start] = (at - start) * 4;
    this.#last = start;
    this.#used = at;
    const index = this.count++;
    this.ids[index] = id;
    this.operations[index] = operation;
    this.targets[index] = targetId;
    return true;
  }

  /** The bytes as they would be sent; for tests. */
  encoded(): Uint8Array {
    return this.#bytes.subarray(0, this.#used * 4);
  }

  /** Sends, and reads the answers: the kernel has them ready when it has taken the requests. The batch is left alone until `done`. */
  submit(socket: RequestPort, done: (answer: Answer) => void): void {
    this.#words[this.#last + 1] = (this.#words[this.#last + 1] ?? 0) | (Flag.Ack << 16);
    socket.send(this.#bytes, this.#used * 4, (errno) => {
      done(errno === 0 ? this.#readAnswers(socket) : { kind: "refused", errno });
    });
  }

  #readAnswers(socket: RequestPort): Answer {
    const cursor = this.#cursor;
    let tries = 0;
    for (;;) {
      const length = socket.receive(this.#answers);
      if (length < 0) {
        if ((length === -Errno.EINTR || length === -Errno.ENOBUFS) && tries++ < 8) continue;
        return { kind: "lost" };
      }
      cursor.reset(length);
      while (cursor.next()) {
        const index = (cursor.sequence - this.#sequence) >>> 0;
        if (cursor.type !== MessageType.Error || index >= this.count) continue;
        const code = errorCode(cursor);
        this.errnos[index] = code;
        if (code !== 0) {
          const text = errorText(cursor);
          if (text !== undefined) this.texts.set(index, text);
        }
        if (index === this.count - 1) return { kind: "answered" };
      }
    }
  }
}

function swap(word: number): number {
  return ((word & 255) << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}
