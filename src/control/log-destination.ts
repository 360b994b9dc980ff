/** Where log lines go: a file descriptor that may be slow, full or gone without the daemon stalling or dying of it. */

import { fstatSync, write, writeSync } from "node:fs";
import { Socket } from "node:net";

const MAX_QUEUED_BYTES = 1024 * 1024;
const RETRY_MILLISECONDS = 200;
const FLUSH_MILLISECONDS = 10;

type Written = (error: NodeJS.ErrnoException | null | undefined, octets: number) => void;
interface Writer {
  write(octets: Buffer, written: Written): void;
  /** Gives up what has not gone out. */
  abandon(): void;
}

/**
 * One write at a time, in order, never waiting: what does not fit into the queue is counted and dropped, and the next line that
 * goes through says so.
 */
export class LogDestination {
  readonly #fd: number;
  readonly #isPipe: boolean;
  readonly #writer: Writer;
  readonly #lostLine: (lines: number) => string;
  #queue: string[] = [];
  #queuedBytes = 0;
  #inFlight: Buffer | undefined;
  #dropped = 0;
  #retry: NodeJS.Timeout | undefined;

  /** `lostLine` words, in the log's own format, that lines were dropped. */
  constructor(fd: number, lostLine: (lines: number) => string) {
    this.#fd = fd;
    this.#lostLine = lostLine;
    this.#isPipe = isPipe(fd);
    this.#writer = this.#isPipe ? pipeWriter(fd) : fileWriter(fd);
  }

  write(line: string): void {
    if (this.#queuedBytes + line.length > MAX_QUEUED_BYTES) {
      this.#dropped++;
      return;
    }
    this.#queue.push(line);
    this.#queuedBytes += line.length;
    if (this.#inFlight === undefined && this.#retry === undefined) this.#next();
  }

  /** For the last moments of the process: what is queued goes out now, as far as the descriptor takes it. */
  flush(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    if (this.#isPipe && this.#inFlight !== undefined) {
      // A pipe that has not taken the last write is full: its reader has stopped. A write that waits would keep the process alive.
      this.#writer.abandon();
      return;
    }
    // A file's last write is on its way in another thread: it gets a moment to come first.
    if (this.#inFlight !== undefined) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FLUSH_MILLISECONDS);
    const rest = this.#take();
    try {
      for (let sent = 0; sent < rest.length; ) sent += writeSync(this.#fd, rest, sent);
    } catch {
      // The log is gone: nothing is left to tell it to.
    }
  }

  #next(): void {
    const text = this.#take();
    if (text.length === 0) return;
    this.#inFlight = text;
    this.#writer.write(text, this.#onWritten);
  }

  readonly #onWritten: Written = (error, octets) => {
    const text = this.#inFlight;
    if (text === undefined) return;
    if (!error && octets < text.length) {
      this.#inFlight = text.subarray(octets);
      this.#writer.write(this.#inFlight, this.#onWritten);
      return;
    }
    this.#inFlight = undefined;
    if (!error) return this.#next();
    // Full, or its reader gone: these lines are lost; later ones try again, not more often than the pause allows.
    for (const octet of text) if (octet === 0x0a) this.#dropped++;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#next();
    }, RETRY_MILLISECONDS);
    // A log that cannot be written is no reason to stay alive.
    this.#retry.unref();
  };

  #take(): Buffer {
    if (this.#dropped > 0 && this.#queue.length > 0) {
      this.#queue.unshift(this.#lostLine(this.#dropped));
      this.#dropped = 0;
    }
    const text = this.#queue.join("");
    this.#queue = [];
    this.#queuedBytes = 0;
    return Buffer.from(text);
  }
}

function isPipe(fd: number): boolean {
  try {
    const facts = fstatSync(fd);
    return facts.isFIFO() || facts.isSocket();
  } catch {
    return false;
  }
}

/**
 * A pipe whose reader stands still would block a thread of libuv's pool for good, and with it the process's exit; as a socket it
 * is non-blocking.
 */
function pipeWriter(fd: number): Writer {
  const socket = new Socket({ fd, readable: false, writable: true });
  // Each failed write reports itself through its callback too.
  socket.on("error", () => undefined);
  socket.unref();
  return {
    write: (octets, written) => void socket.write(octets, (error) => written(error, octets.length)),
    abandon: () => void socket.destroy(),
  };
}

/** Files and terminals: from libuv's threads, so that a slow disk does not stall the event loop. */
function fileWriter(fd: number): Writer {
  return { write: (octets, written) => write(fd, octets, 0, octets.length, null, written), abandon: () => undefined };
}
