/** A client of BIRD's control socket: its lines are answered one after the other, for as long as it stays. */

import type { Socket } from "node:net";
import type { Clock, Logger } from "../../bgp/model/ports.ts";
import { streamRows } from "../row-stream.ts";
import { UsageError } from "../views.ts";
import { parseCommand } from "./command.ts";
import { execute, type Surroundings } from "./execute.ts";
import { type Answer, Code, type Line, Reply } from "./reply.ts";

/** Of a line, as BIRD has it. */
const MAX_LINE_BYTES = 4096;
const NEWLINE = 0x0a;

export class BirdConnection {
  readonly #socket: Socket;
  readonly #at: Surroundings;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #gone = new AbortController();
  /** What has come of the line that is under way. */
  #input: Buffer = Buffer.alloc(0);
  /** The rest of a line that was too long is thrown away. */
  #isSkipping = false;
  #isAnswering = false;
  #hasEnded = false;
  #progressAt: number;

  constructor(socket: Socket, at: Surroundings, clock: Clock, log: Logger, closed: () => void) {
    this.#socket = socket;
    this.#at = at;
    this.#clock = clock;
    this.#log = log;
    this.#progressAt = clock.now();
    socket.on("data", (chunk) => this.#received(chunk));
    socket.on("drain", () => {
      this.#progressAt = clock.now();
    });
    // A client that goes away amid an answer is no event: "close" follows and ends the work.
    socket.on("error", () => undefined);
    socket.on("end", () => {
      this.#hasEnded = true;
      this.#next();
    });
    socket.on("close", () => {
      this.#gone.abort();
      closed();
    });
    socket.write(new Reply().end({ code: Code.Welcome, text: `BIRD ${at.version} ready.` }));
  }

  /** Milliseconds since the client last read, if it has something to read. */
  get stalledFor(): number {
    return this.#socket.writableNeedDrain ? this.#clock.now() - this.#progressAt : 0;
  }

  /** Milliseconds since something was asked or read. */
  get idleFor(): number {
    return this.#isAnswering ? 0 : this.#clock.now() - this.#progressAt;
  }

  close(): void {
    this.#socket.destroy();
  }

  #received(chunk: Buffer): void {
    this.#progressAt = this.#clock.now();
    this.#input = this.#input.length === 0 ? chunk : Buffer.concat([this.#input, chunk]);
    this.#next();
  }

  /** The next line, when the one before is answered. Meanwhile nothing is read, so that input does not pile up. */
  #next(): void {
    if (this.#isAnswering || this.#gone.signal.aborted) return;
    const end = this.#input.indexOf(NEWLINE);
    if (end === -1) {
      if (this.#input.length > MAX_LINE_BYTES) {
        this.#isSkipping = true;
        this.#input = Buffer.alloc(0);
      }
      if (this.#hasEnded) this.#socket.end();
      else this.#socket.resume();
      return;
    }
    const line = this.#input.subarray(0, end);
    this.#input = this.#input.subarray(end + 1);
    const isTooLong = this.#isSkipping || line.length > MAX_LINE_BYTES;
    this.#isSkipping = false;
    this.#isAnswering = true;
    this.#socket.pause();
    // Lines that came together are answered with turns for others in between.
    this.#clock.soon(() => {
      void this.#serve(isTooLong ? undefined : line.toString("utf8").trim()).then(() => {
        this.#isAnswering = false;
        this.#next();
      });
    });
  }

  /** Never rejects. */
  async #serve(line: string | undefined): Promise<void> {
    try {
      if (line === undefined) this.#end({ code: Code.TooLong, text: "Command too long" });
      else await this.#stream(await execute(parseCommand(line, this.#at.family), this.#at));
    } catch (error) {
      if (error instanceof UsageError) return this.#end({ code: Code.Wrong, text: error.message });
      this.#log.error({ err: error, command: line }, "request on BIRD's control socket failed");
      this.#end({ code: Code.Wrong, text: "starling failed to answer; its log says why" });
    }
  }

  async #stream(answer: Answer): Promise<void> {
    if (this.#gone.signal.aborted) return;
    const reply = new Reply();
    const lines = new Lines(answer);
    await streamRows(lines, (line) => reply.line(line), this.#socket, this.#clock, this.#gone.signal);
    if (lines.last === undefined || this.#gone.signal.aborted) return;
    this.#end(lines.last);
    if (this.#socket.writableNeedDrain) await this.#drained();
  }

  #end(line: Line): void {
    if (!this.#gone.signal.aborted && this.#socket.writable) this.#socket.write(new Reply().end(line));
  }

  /** Whoever asks without reading is not answered further. */
  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const { signal } = this.#gone;
      this.#socket.once("drain", resolve);
      signal.addEventListener("abort", () => resolve(), { once: true });
      if (signal.aborted) resolve();
    });
  }
}

/** The lines of an answer but the last, and then the last. */
class Lines implements Iterator<Line | undefined, void> {
  last: Line | undefined;
  readonly #answer: Answer;

  constructor(answer: Answer) {
    this.#answer = answer;
  }

  next(): IteratorResult<Line | undefined, void> {
    const next = this.#answer.next();
    if (next.done !== true) return next;
    this.last = next.value;
    return { done: true, value: undefined };
  }

  return(): IteratorResult<Line | undefined, void> {
    // The line that would have ended it is never written.
    this.#answer.return({ code: Code.Done, text: "" });
    return { done: true, value: undefined };
  }
}
