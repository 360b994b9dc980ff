/** Where commands write: standard output and error, with the reader's pace, colour where it is wanted, and readers that leave. */

import type { Writable } from "node:stream";

export interface Terminal {
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since 1970. */
  readonly wallTime: () => number;
}

/** The command could not do what was asked; exit status 1. The first line says what is wrong and what to do. */
export class CommandFailure extends Error {
  override readonly name = "CommandFailure";
}

export class Output {
  readonly #stream: Writable;
  #isGone = false;
  #failure: NodeJS.ErrnoException | undefined;
  #wake: (() => void) | undefined;

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on("error", (error: NodeJS.ErrnoException) => {
      this.#isGone = true;
      if (error.code !== "EPIPE") this.#failure = error;
      this.#wake?.();
    });
    stream.on("drain", () => this.#wake?.());
  }

  /** Nobody reads any more (`| head`): there is no point in going on, and nothing to complain about. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** Returns when there is room for more. */
  async write(text: string): Promise<void> {
    if (!this.#isGone && text !== "" && !this.#stream.write(text)) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    this.#check();
  }

  /** Waits until everything has left the process. */
  async finish(): Promise<void> {
    if (!this.#isGone && this.#stream.writableLength > 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#stream.write("", () => resolve());
      });
      this.#wake = undefined;
    }
    this.#check();
  }

  #check(): void {
    if (this.#failure === undefined) return;
    const why = this.#failure.code === "ENOSPC" ? "no space is left on the device" : this.#failure.message;
    throw new CommandFailure(`cannot write the output: ${why}`);
  }
}

const CODES = { bold: "1", dim: "2", red: "31", green: "32", yellow: "33", cyan: "36" } as const;
export type Paint = Readonly<Record<keyof typeof CODES, (text: string) => string>>;

/** Colour only on a terminal that wants it (https://no-color.org). */
export function paintFor(
  stream: { readonly isTTY?: boolean },
  environment: Readonly<Record<string, string | undefined>>,
): Paint {
  const wanted = stream.isTTY === true && !environment["NO_COLOR"] && environment["TERM"] !== "dumb";
  return wanted ? coloured : plain;
}

const coloured = Object.fromEntries(
  Object.entries(CODES).map(([name, code]) => [name, (text: string) => `\u001b[${code}m${text}\u001b[0m`]),
) as unknown as Paint;

const plain = Object.fromEntries(Object.keys(CODES).map((name) => [name, (text: string) => text])) as unknown as Paint;
