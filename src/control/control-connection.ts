/** One client of the control socket: reads its one request, writes the answer, and goes. */

import type { Socket } from "node:net";
import type { Clock, Logger, Timer } from "../bgp/model/ports.ts";
import { answer } from "./answers.ts";
import {
  type ControlRequest,
  type ErrorKind,
  endFrame,
  errorFrame,
  MAX_REQUEST_BYTES,
  parseRequest,
  resultFrame,
  rowFrame,
} from "./protocol.ts";
import { redacted } from "./redact.ts";
import { streamRows } from "./row-stream.ts";
import { type DaemonView, UsageError } from "./views.ts";

const REQUEST_MILLISECONDS = 10_000;
/** How long a client that was told off may take to read it. */
const LINGER_MILLISECONDS = 1_000;
const NEWLINE = 0x0a;
const OPENING_BRACE = 0x7b;

export class ControlConnection {
  readonly #socket: Socket;
  readonly #view: DaemonView;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #gone = new AbortController();
  #chunks: Buffer[] = [];
  #length = 0;
  #timer: Timer;
  #progressAt: number;
  #isAnswering = false;

  constructor(socket: Socket, view: DaemonView, clock: Clock, log: Logger, closed: () => void) {
    this.#socket = socket;
    this.#view = view;
    this.#clock = clock;
    this.#log = log;
    this.#progressAt = clock.now();
    this.#timer = clock.after(REQUEST_MILLISECONDS, () => this.refuse("usage", "no request came within 10 seconds"));
    socket.on("data", this.#onData);
    socket.on("drain", () => {
      this.#progressAt = clock.now();
    });
    // A client that goes away mid-answer is no event: "close" follows and ends the work.
    socket.on("error", () => undefined);
    socket.on("end", () => {
      if (!this.#isAnswering) this.close();
    });
    socket.on("close", () => {
      this.#timer.cancel();
      this.#gone.abort();
      closed();
    });
  }

  /** Milliseconds since the client last read, if it has something to read. */
  get stalledFor(): number {
    return this.#socket.writableNeedDrain ? this.#clock.now() - this.#progressAt : 0;
  }

  close(): void {
    this.#socket.destroy();
  }

  /** Says why not, gives the client a moment to read it, and closes. */
  refuse(kind: ErrorKind, message: string): void {
    this.#isAnswering = true;
    this.#timer.cancel();
    this.#socket.off("data", this.#onData);
    this.#socket.end(errorFrame(kind, message));
    // What else the client sends is thrown away: unread input would turn the close into a reset that overtakes the message.
    this.#socket.resume();
    this.#timer = this.#clock.after(LINGER_MILLISECONDS, () => this.close());
  }

  readonly #onData = (chunk: Buffer): void => {
    const newline = chunk.indexOf(NEWLINE);
    const wanted = newline === -1 ? chunk : chunk.subarray(0, newline);
    if (this.#length === 0 && wanted.length > 0 && wanted[0] !== OPENING_BRACE) {
      this.refuse("usage", 'this is starling\'s control socket: it takes one line, {"method": ..., "params": {...}}');
      return;
    }
    this.#length += wanted.length;
    if (this.#length > MAX_REQUEST_BYTES) {
      this.refuse("usage", `a request has at most ${MAX_REQUEST_BYTES} bytes`);
      return;
    }
    this.#chunks.push(wanted);
    if (newline === -1) return;
    this.#timer.cancel();
    this.#isAnswering = true;
    this.#socket.off("data", this.#onData);
    this.#socket.resume();
    const line = Buffer.concat(this.#chunks).toString("utf8");
    this.#chunks = [];
    void this.#serve(line);
  };

  async #serve(line: string): Promise<void> {
    let request: ControlRequest | undefined;
    try {
      request = parseRequest(line);
      await this.#answer(request);
    } catch (error) {
      if (this.#gone.signal.aborted) return;
      if (error instanceof UsageError) return this.refuse("usage", error.message);
      const method = request?.method ?? "unknown";
      this.#log.error({ err: error, method }, "control request failed");
      this.refuse("internal", `starling failed to answer "${method}"; its log says why`);
    }
  }

  async #answer(request: ControlRequest): Promise<void> {
    const answered = await answer(this.#view, request);
    if (this.#gone.signal.aborted) return;
    if (answered.kind === "result") {
      this.#socket.end(resultFrame(JSON.stringify(answered.value ?? null, redacted)));
      return;
    }
    const count = await streamRows(
      answered.rows,
      (row) => rowFrame(JSON.stringify(row)),
      this.#socket,
      this.#clock,
      this.#gone.signal,
    );
    this.#socket.end(endFrame(count));
  }
}
