/** Long work in slices: everything else has its turn in between. */

import type { Clock } from "../bgp/model/ports.ts";

const SLICE_MILLISECONDS = 3;

export class Slices {
  readonly #clock: Pick<Clock, "now" | "soon">;
  #end: number;

  constructor(clock: Pick<Clock, "now" | "soon">) {
    this.#clock = clock;
    this.#end = clock.now() + SLICE_MILLISECONDS;
  }

  /** Look here between two pieces of work: `if (slices.isOver) await slices.next()`. */
  get isOver(): boolean {
    return this.#clock.now() >= this.#end;
  }

  async next(): Promise<void> {
    await new Promise<void>((resolve) => this.#clock.soon(resolve));
    this.#end = this.#clock.now() + SLICE_MILLISECONDS;
  }

  async run<T>(steps: Generator<undefined, T>): Promise<T> {
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
      if (this.isOver) await this.next();
    }
  }
}
