/** Reads whole tables. The kernel makes the next part of a dump when the last one is fetched, so the reader sets the pace. */

import type { Clock, Timer } from "../../bgp/model/ports.ts";
import { Errno } from "../../sys/errno.ts";
import { Flag, MessageType } from "./constants.ts";
import { doneCode, errorCode } from "./error-message.ts";
import { MessageCursor } from "./message.ts";
import { RECEIVE_BYTES, type RequestPort } from "./socket.ts";

const SLICE_MILLISECONDS = 3;
/** Parts read in one slice at most, whatever the clock says. */
const SLICE_PARTS = 32;
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
    const errno = this.#socket.send(request, request.length);
    if (errno !== 0) this.#again(step, done, errno);
    else this.#clock.soon(() => this.#slice(step, done));
  }

  #slice(step: DumpStep, done: () => void): void {
    if (this.#closed) return;
    const until = this.#clock.now() + SLICE_MILLISECONDS;
    for (let parts = 0; parts < SLICE_PARTS && (parts === 0 || this.#clock.now() < until); parts++) {
      const length = this.#socket.receive(this.#bytes);
      if (length === -Errno.EINTR) continue;
      if (length < 0) {
        this.#again(step, done, -length);
        return;
      }
      const end = this.#part(step, length);
      if (end === undefined) continue;
      // A table that does not exist (yet) is an empty one.
      if (end !== 0 && end !== Errno.ENOENT) this.#again(step, done, end);
      else if (this.#interrupted && this.#interruptions++ < MAX_INTERRUPTIONS) this.#again(step, done, Errno.EINTR);
      else step.end(done);
      return;
    }
    this.#clock.soon(() => this.#slice(step, done));
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
    this.#failed(step.name, errno);
    this.#retry = this.#clock.after(RETRY_MILLISECONDS, () => this.#start(step, done));
  }
}
