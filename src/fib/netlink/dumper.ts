/** Reads whole tables. The kernel makes the next part of a dump when the last one is fetched, so the reader sets the pace. */

import type { Clock, Timer } from "../../bgp/model/ports.ts";
import { Errno } from "../../sys/errno.ts";
import { Flag, MessageType } from "./constants.ts";
import { doneCode, errorCode } from "./error-message.ts";
import { MessageCursor } from "./message.ts";
import { RECEIVE_BYTES, type RequestPort } from "./socket.ts";

const RETRY_MILLISECONDS = 100;
/** A table that changes all the time is taken as it is after so many attempts; notifications tell the rest. */
const MAX_INTERRUPTIONS = 5;

export interface DumpStep {
  readonly name: string;
  request(sequence: number): Uint8Array;
  begin(): void;
  message(cursor: MessageCursor): void;
  /** `next` goes on, at once or later. */
  end(next: () => void): void;
}

export class Dumper {
  readonly #socket: RequestPort;
  readonly #clock: Clock;
  readonly #bytes = new Uint8Array(RECEIVE_BYTES);
  readonly #cursor = new MessageCursor(this.#bytes);
  readonly #failed: (step: string, errno: number) => void;
  #sequence = 1;
  #interrupted = false;
  #interruptions = 0;
  #closed = false;
  #retry: Timer | undefined;

  /** `failed` is told of each attempt that came to nothing; it is made again. */
  constructor(socket: RequestPort, clock: Clock, failed: (step: string, errno: number) => void) {
    this.#socket = socket;
    this.#clock = clock;
    this.#failed = failed;
  }

  /** One step after the other. Not again before `done`. */
  run(steps: readonly DumpStep[], done: () => void): void {
    const [step, ...rest] = steps;
    if (step === undefined) {
      done();
      return;
    }
    this.#interruptions = 0;
    this.#start(step, () => this.run(rest, done));
  }

  close(): void {
    this.#closed = true;
    this.#retry?.cancel();
  }

  #start(step: DumpStep, done: () => void): void {
    if (this.#closed) return;
    this.#sequence = (this.#sequence + 1) >>> 0;
    this.#interrupted = false;
    step.begin();
    const request = step.request(this.#sequence);
    this.#socket.send(request, request.length, (errno) => {
      if (errno !== 0) this.#again(step, done, errno);
      else this.#next(step, done);
    });
  }

  #next(step: DumpStep, done: () => void): void {
    if (this.#closed) return;
    this.#socket.receiveLater(this.#bytes, (length) => {
      if (length === -Errno.EINTR) this.#next(step, done);
      else if (length < 0) this.#again(step, done, -length);
      else this.#received(step, length, done);
    });
  }

  #received(step: DumpStep, length: number, done: () => void): void {
    const end = this.#part(step, length);
    if (end === undefined) this.#next(step, done);
    // A table that does not exist (yet) is an empty one.
    else if (end !== 0 && end !== Errno.ENOENT) this.#again(step, done, end);
    else if (this.#interrupted && this.#interruptions++ < MAX_INTERRUPTIONS) this.#again(step, done, Errno.EINTR);
    else step.end(done);
  }

  /** The errno (0: none) with which the dump ended; undefined if it goes on. */
  #part(step: DumpStep, length: number): number | undefined {
    const cursor = this.#cursor;
    cursor.reset(length);
    while (cursor.next()) {
      if (cursor.sequence !== this.#sequence) continue;
      if ((cursor.flags & Flag.DumpInterrupted) !== 0) this.#interrupted = true;
      if (cursor.type === MessageType.Done) return doneCode(cursor);
      if (cursor.type === MessageType.Error) return errorCode(cursor);
      step.message(cursor);
    }
    return undefined;
  }

  #again(step: DumpStep, done: () => void, errno: number): void {
    if (this.#closed) return;
    this.#failed(step.name, errno);
    this.#retry = this.#clock.after(RETRY_MILLISECONDS, () => this.#start(step, done));
  }
}
