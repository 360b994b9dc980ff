/** The client's end of the control socket. */

import { existsSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { type Frame, type Method, type Params, parseFrame, requestLine } from "../control/protocol.ts";
import { SYSTEM_SOCKET } from "../control/socket-path.ts";
import { UsageError } from "../control/views.ts";
import { CommandFailure } from "./terminal.ts";

/** A daemon that says nothing for so long is stuck. */
const SILENCE_MILLISECONDS = 60_000;

export class ControlClient {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** A daemon answers here. */
  async isListening(): Promise<boolean> {
    try {
      (await this.#connect()).destroy();
      return true;
    } catch (error) {
      if (error instanceof CommandFailure) return false;
      throw error;
    }
  }

  /** `Result` is what the view of that method's name returns: both ends are one program. */
  async call<Result>(method: Method, params: Params = {}): Promise<Result> {
    for await (const frames of this.#frames(method, params)) {
      for (const frame of frames) if (frame.kind === "result") return frame.value as Result;
    }
    throw this.#cutOff();
  }

  /** The rows' JSON texts, a bunch at a time. Leaving the loop ends the query. */
  async *rows(method: Method, params: Params = {}): AsyncGenerator<string[], void> {
    for await (const frames of this.#frames(method, params)) {
      const texts: string[] = [];
      let ended = false;
      for (const frame of frames) {
        if (frame.kind === "row") texts.push(frame.json);
        else ended = true;
      }
      if (texts.length > 0) yield texts;
      if (ended) return;
    }
    throw this.#cutOff();
  }

  async *#frames(method: Method, params: Params): AsyncGenerator<Frame[], void> {
    const socket = await this.#connect();
    try {
      socket.setEncoding("utf8");
      socket.setTimeout(SILENCE_MILLISECONDS, () => socket.destroy(new CommandFailure(this.#silent())));
      socket.write(requestLine(method, params));
      let rest = "";
      for await (const chunk of socket) {
        const lines = (rest + String(chunk)).split("\n");
        rest = lines.pop() ?? "";
        if (lines.length > 0) yield lines.map((line) => this.#frame(line));
      }
    } catch (error) {
      if (error instanceof CommandFailure || error instanceof UsageError) throw error;
      throw this.#cutOff();
    } finally {
      socket.destroy();
    }
  }

  #frame(line: string): Frame {
    const frame = parseFrame(line);
    if (frame === undefined) {
      throw new CommandFailure(`what answers at ${this.#path} is not starling, or another version of it`);
    }
    if (frame.kind !== "error") return frame;
    throw frame.error === "usage" ? new UsageError(frame.message) : new CommandFailure(frame.message);
  }

  #connect(): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.#path);
      const onError = (error: NodeJS.ErrnoException): void => reject(new CommandFailure(this.#unreachable(error)));
      socket.once("error", onError);
      socket.once("connect", () => {
        socket.off("error", onError);
        resolve(socket);
      });
    });
  }

  #unreachable(error: NodeJS.ErrnoException): string {
    const start = "Is it running? Start it with `starling run`, or name its socket with --socket";
    const head = `cannot reach starling at ${this.#path}`;
    switch (error.code) {
      case "ENOENT":
        if (this.#path !== SYSTEM_SOCKET && existsSync(SYSTEM_SOCKET))
          return `${head}: no such file. One runs at ${SYSTEM_SOCKET}: try again with sudo, or --socket ${SYSTEM_SOCKET}`;
        return `${head}: no such file. ${start}`;
      case "ECONNREFUSED":
        return `${head}: nobody answers; the process that made this socket is gone. ${start}`;
      case "EACCES":
      case "EPERM":
        return `${head}: permission denied. Only the user it runs as may talk to it: try again as that user, or with sudo`;
      case "ENOTSOCK":
      case "ENOTDIR":
        return `${head}: that is not a socket. Name the right one with --socket`;
      default:
        return `${head}: ${error.code ?? error.message}. ${start}`;
    }
  }

  #silent(): string {
    return `starling at ${this.#path} has said nothing for ${SILENCE_MILLISECONDS / 1000} seconds; its log may say why`;
  }

  #cutOff(): CommandFailure {
    return new CommandFailure(
      `starling at ${this.#path} closed the connection before it had answered; is it stopping?`,
    );
  }
}
