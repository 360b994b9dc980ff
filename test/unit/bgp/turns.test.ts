import { describe, expect, it } from "vitest";
import type { Clock } from "../../../src/bgp/model/ports.ts";
import { type Task, Turns } from "../../../src/bgp/turns.ts";

/** Time passes by working: each step of a task takes a tenth of a millisecond. */
class WorkClock implements Clock {
  time = 0;
  readonly later: (() => void)[] = [];
  now(): number {
    return this.time;
  }
  wallTime(): number {
    return this.time;
  }
  after(): { cancel(): void } {
    return { cancel: () => {} };
  }
  soon(run: () => void): void {
    this.later.push(run);
  }
  /** One round of the event loop. Returns how long it took. */
  round(): number {
    const from = this.time;
    for (const run of this.later.splice(0)) run();
    return this.time - from;
  }
}

class Steps implements Task {
  left: number;
  done = 0;
  readonly #clock: WorkClock;
  constructor(clock: WorkClock, steps: number) {
    this.#clock = clock;
    this.left = steps;
  }
  work(until: number): boolean {
    while (this.left > 0) {
      this.left--;
      this.done++;
      this.#clock.time += 0.1;
      if (this.#clock.now() >= until) return this.left > 0;
    }
    return false;
  }
}

describe("turns", () => {
  it("let nobody hold the event loop, and everybody have a share", () => {
    const clock = new WorkClock();
    const turns = new Turns(clock);
    const flood = new Steps(clock, 10_000);
    const others = Array.from({ length: 20 }, () => new Steps(clock, 5));
    turns.wake(flood);
    for (const task of others) turns.wake(task);
    const rounds: number[] = [];
    while (others.some((task) => task.left > 0)) rounds.push(clock.round());
    expect(Math.max(...rounds)).toBeLessThan(3.2);
    // 20 tasks of half a millisecond, and the flood between them no more than the same again.
    expect(rounds.length).toBeLessThanOrEqual(7);
    expect(flood.done).toBeLessThan(60);
    while (flood.left > 0) expect(clock.round()).toBeLessThan(3.2);
  });

  it("do at once what there is time for, and no more than a turn's worth before the event loop comes round", () => {
    const clock = new WorkClock();
    const turns = new Turns(clock);
    const small = Array.from({ length: 100 }, () => new Steps(clock, 1));
    const atOnce = small.filter((task) => turns.run(task)).length;
    expect(atOnce).toBeGreaterThanOrEqual(19);
    expect(atOnce).toBeLessThanOrEqual(21);
    const flood = new Steps(clock, 1000);
    expect(turns.run(flood)).toBe(false);
    for (let i = 0; i < 100; i++) expect(clock.round()).toBeLessThan(3.2);
    expect([...small, flood].every((task) => task.left === 0)).toBe(true);
  });

  it("forget whom they are told to forget", () => {
    const clock = new WorkClock();
    const turns = new Turns(clock);
    const task = new Steps(clock, 1);
    turns.wake(task);
    turns.forget(task);
    clock.round();
    expect(task.done).toBe(0);
  });
});
