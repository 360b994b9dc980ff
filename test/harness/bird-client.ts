/** A raw client of a control socket of BIRD's kind, as programs that read BIRD's answers have one: text in, lines out. */

import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

class RawClientError extends Error {
  override readonly name = "RawClientError";
}

export class RawBirdClient {
  readonly socket: Socket;
  /** Whole lines that nobody has taken, and the beginning of the next. */
  #lines: string[] = [];
  #rest = "";
  #isClosed = false;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding("utf8");
    socket.on("data", (chunk) => {
      const lines = (this.#rest + String(chunk)).split("\n");
      this.#rest = lines.pop() ?? "";
      for (const line of lines) this.#lines.push(line);
      this.#wake();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.#isClosed = true;
      this.#wake();
    });
  }

  /** After the greeting. */
  static async connect(path: string): Promise<RawBirdClient> {
    const client = new RawBirdClient(connect(path));
    client.greeting = await client.answer();
    return client;
  }

  greeting: readonly string[] = [];

  /** The lines of one answer: up to the one whose code a blank follows. */
  async answer(timeout = 20_000): Promise<string[]> {
    const until = performance.now() + timeout;
    let looked = 0;
    for (;;) {
      for (; looked < this.#lines.length; looked++)
        if (/^\d{4} /.test(this.#lines[looked] ?? "")) return this.#lines.splice(0, looked + 1);
      if (this.#isClosed) throw new RawClientError(`the connection was closed; so far: ${this.#lines.join("\n")}`);
      if (performance.now() > until) throw new RawClientError(`no answer; so far: ${this.#lines.join("\n")}`);
      await Promise.race([new Promise<void>((resolve) => (this.#wake = resolve)), sleep(200)]);
    }
  }

  ask(command: string): Promise<string[]> {
    this.socket.write(`${command}\n`);
    return this.answer();
  }

  close(): void {
    this.socket.destroy();
  }
}

/** Asks one question on a connection of its own. */
export async function askBird(path: string, command: string): Promise<string[]> {
  const client = await RawBirdClient.connect(path);
  try {
    return await client.ask(command);
  } finally {
    client.close();
  }
}
