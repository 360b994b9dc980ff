/** One connection to a control socket of BIRD's kind: commands go in, answers come out line by line. */

import { connect, type Socket } from "node:net";

export interface AnswerLine {
  /** Undefined where it is that of the line before. */
  readonly code: string | undefined;
  readonly text: string;
  /** Nothing follows. */
  readonly isLast: boolean;
}

/** Whoever does not get an answer's end does not wait for ever for a daemon that hangs. */
const TIMEOUT_MILLISECONDS = 60_000;

export class BirdClientError extends Error {
  override readonly name = "BirdClientError";
}

export class BirdClient {
  readonly #socket: Socket;
  readonly #lines: AsyncIterator<string>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#lines = linesOf(socket);
  }

  /** Throws BirdClientError in the words of birdcl. */
  static connect(path: string): Promise<BirdClient> {
    return new Promise((resolve, reject) => {
      const socket = connect(path);
      const failed = (error: NodeJS.ErrnoException) =>
        reject(new BirdClientError(`Unable to connect to server control socket (${path}): ${wordsFor(error)}`));
      socket.setEncoding("utf8");
      socket.setTimeout(TIMEOUT_MILLISECONDS, () => socket.destroy(new BirdClientError("No answer from the server")));
      socket.once("error", failed);
      socket.once("connect", () => {
        socket.off("error", failed);
        resolve(new BirdClient(socket));
      });
    });
  }

  /** The greeting is an answer that nobody asked for. */
  async *answer(): AsyncGenerator<AnswerLine, void> {
    for (;;) {
      const next = await this.#lines.next();
      if (next.done === true) throw new BirdClientError("Connection closed by server");
      const line = parseLine(next.value);
      yield line;
      if (line.isLast) return;
    }
  }

  ask(command: string): AsyncGenerator<AnswerLine, void> {
    this.#socket.setTimeout(TIMEOUT_MILLISECONDS);
    this.#socket.write(`${command}\n`);
    return this.answer();
  }

  /** Nobody is asked until somebody types. */
  rest(): void {
    this.#socket.setTimeout(0);
  }

  close(): void {
    this.#socket.destroy();
  }
}

function parseLine(line: string): AnswerLine {
  const match = /^(\d{4})([- ])(.*)$/s.exec(line);
  if (match === null) return { code: undefined, text: line.startsWith(" ") ? line.slice(1) : line, isLast: false };
  const [, code, mark, text = ""] = match;
  return { code, text, isLast: mark === " " };
}

async function* linesOf(socket: Socket): AsyncGenerator<string, void> {
  let rest = "";
  for await (const chunk of socket as AsyncIterable<string>) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}

function wordsFor({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case "ENOENT":
      return "No such file or directory";
    case "ECONNREFUSED":
      return "Connection refused";
    case "EACCES":
      return "Permission denied";
    default:
      return code ?? message;
  }
}
