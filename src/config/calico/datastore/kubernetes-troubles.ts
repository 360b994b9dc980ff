/** What is wrong between starling and the API server, kind by kind, as one sentence for people. */

import type { Clock, Timer } from "../../../bgp/model/ports.ts";

/** Milliseconds in which what happens to one kind mostly happens to the others too. */
const GATHER = 200;
/** Of kinds that a sentence names. */
const NAMED = 3;

interface Trouble {
  readonly message: string;
  /** Milliseconds since 1970. */
  readonly since: number;
}

export class Troubles {
  readonly #clock: Clock;
  readonly #tell: (reason: string | undefined) => void;
  readonly #byResource = new Map<string, Trouble>();
  #told: string | undefined;
  #timer: Timer | undefined;

  constructor(clock: Clock, tell: (reason: string | undefined) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** No name of a resource: what concerns all of them. */
  set(resource: string, message: string | undefined): void {
    const before = this.#byResource.get(resource);
    if (message === before?.message) return;
    if (message === undefined) this.#byResource.delete(resource);
    else this.#byResource.set(resource, { message, since: before?.since ?? this.#clock.wallTime() });
    this.#timer ??= this.#clock.after(GATHER, () => {
      this.#timer = undefined;
      this.#say();
    });
  }

  close(): void {
    this.#timer?.cancel();
  }

  #say(): void {
    const text = this.#byResource.size === 0 ? undefined : sentence(this.#byResource);
    if (text === this.#told) return;
    this.#told = text;
    this.#tell(text);
  }
}

/** "https://10.96.0.1: connect ECONNREFUSED (nodes, bgppeers and 7 more), since 2026-01-01T00:00:00.000Z". */
function sentence(troubles: ReadonlyMap<string, Trouble>): string {
  const byMessage = new Map<string, { resources: string[]; since: number }>();
  for (const [resource, { message, since }] of troubles) {
    const same = byMessage.get(message) ?? { resources: [], since };
    if (resource !== "") same.resources.push(resource);
    same.since = Math.min(same.since, since);
    byMessage.set(message, same);
  }
  return [...byMessage]
    .map(([message, { resources, since }]) => {
      const rest = resources.length - NAMED;
      const names = `${resources.slice(0, NAMED).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
      return `${message}${names === "" ? "" : ` (${names})`}, since ${new Date(since).toISOString()}`;
    })
    .join("; ");
}
