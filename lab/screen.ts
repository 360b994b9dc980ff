/** What the lab prints: steps with marks and times; on a terminal the step that runs is redrawn in place. */

import type { Writable } from "node:stream";
import { displayWidth } from "../src/cli/table.ts";
import { type Paint, paintFor } from "../src/cli/terminal.ts";
import { LabError } from "./lab-error.ts";

export interface ScreenOutput extends Writable {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** A step that runs says here what it is at. */
export interface Progress {
  /** Beside the step's name: what is being done, and at last what came of it. */
  note(text: string): void;
  /** Lines that stand below the step while it runs; shown on a terminal only. */
  show(lines: readonly string[]): void;
  /** Something that happened: shown where nothing is redrawn. */
  event(text: string): void;
  /** Lines that stay below the step when it has ended. */
  keep(...lines: readonly string[]): void;
}

const redrawMilliseconds = 100;
const titleWidth = 36;

export class Screen {
  readonly paint: Paint;
  readonly #out: ScreenOutput;
  readonly #isLive: boolean;
  /** Lines of the step that runs, to be drawn over. */
  #drawn = 0;
  #isClosed = false;

  constructor(out: ScreenOutput, environment: Readonly<Record<string, string | undefined>>) {
    this.#out = out;
    this.paint = paintFor(out, environment);
    this.#isLive = out.isTTY === true && environment["TERM"] !== "dumb" && !environment["CI"];
  }

  say(text: string): void {
    if (!this.#isClosed) this.#out.write(`${text}\n`);
  }

  /** A step that still runs prints nothing more, and none begins. */
  close(): void {
    this.#erase();
    this.#isClosed = true;
  }

  /** Runs a step and says how it went. */
  async step<Result>(title: string, work: (progress: Progress) => Promise<Result>): Promise<Result> {
    if (this.#isClosed) throw new LabError(`the lab is over: nothing more to show (${title})`);
    const started = performance.now();
    const kept: string[] = [];
    let note = "";
    let below: readonly string[] = [];
    const draw = () => this.#redraw([this.#line(this.paint.cyan("~"), title, started, note), ...below]);
    const timer = this.#isLive ? setInterval(draw, redrawMilliseconds) : undefined;
    const progress: Progress = {
      note: (text) => {
        note = text;
        if (this.#isLive) draw();
      },
      show: (lines) => {
        below = lines;
        if (this.#isLive) draw();
      },
      event: (text) => {
        if (!this.#isLive) this.say(`    ${text}`);
      },
      keep: (...lines) => {
        kept.push(...lines);
      },
    };
    let mark = this.paint.red("✗");
    try {
      const result = await work(progress);
      mark = this.paint.green("✓");
      return result;
    } finally {
      clearInterval(timer);
      this.#erase();
      this.say([this.#line(mark, title, started, note), ...kept.map((line) => `    ${line}`)].join("\n"));
    }
  }

  #line(mark: string, title: string, started: number, note: string): string {
    const time = this.paint.dim(seconds(performance.now() - started).padStart(7));
    return `${mark} ${title.padEnd(titleWidth)} ${time}${note === "" ? "" : `  ${note}`}`;
  }

  /** Lines that would wrap cannot be drawn over: they are cut. */
  #redraw(lines: readonly string[]): void {
    if (this.#isClosed) return;
    const width = (this.#out.columns ?? 80) - 1;
    const text = lines.map((line) => `${cut(line, width)}\n`).join("");
    this.#out.write(`${this.#up()}${text}`);
    this.#drawn = lines.length;
  }

  #erase(): void {
    if (this.#isClosed || this.#drawn === 0) return;
    this.#out.write(this.#up());
    this.#drawn = 0;
  }

  /** To the first line that was drawn, and everything below it gone. */
  #up(): string {
    return this.#drawn === 0 ? "" : `\u001b[${this.#drawn}A\u001b[J`;
  }
}

/** "0.31 s", "12.4 s". */
export function seconds(milliseconds: number): string {
  const total = milliseconds / 1000;
  return `${total.toFixed(total < 10 ? 2 : 1)} s`;
}

export function milliseconds(time: number): string {
  return `${Math.round(time)} ms`;
}

/** Colours take no place, and are switched off where a line is cut. */
function cut(line: string, width: number): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape that begins a colour
  const plain = line.replace(/\u001b\[\d+m/g, "");
  return displayWidth(plain) <= width ? line : plain.slice(0, width);
}
