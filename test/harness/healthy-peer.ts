/** The peer in good standing beside every attack: it announces routes, is told routes, and measures how long the daemon is ever silent. */

import { expect } from "vitest";
import { KEEPALIVE, rawAttributes, rawPrefixes, rawUpdate, readUpdate } from "./raw-bytes.ts";
import { RawTcpPeer } from "./raw-tcp-peer.ts";
import { waitFor } from "./wait-for.ts";

/** The shortest that RFC 4271 §4.2 allows: whoever stays silent so long has lost the session. */
const HOLD_SECONDS = 3;

export class HealthyPeer {
  static readonly address = "127.0.2.1";
  static readonly prefixes = ["198.51.100.0/26", "198.51.100.128/26", "198.51.100.64/26"];
  readonly raw: RawTcpPeer;
  /** Told, and not withdrawn since. */
  readonly known = new Set<string>();
  readonly #expected: readonly string[];
  readonly #withdrawn: string[] = [];
  #heardAt = performance.now();
  #longest = 0;

  private constructor(raw: RawTcpPeer, expected: readonly string[]) {
    this.raw = raw;
    this.#expected = expected;
    raw.socket.on("data", () => this.#heard());
    raw.onUpdate = (body) => this.#update(body);
  }

  /** `expected`: the routes that it must be told and that must stay. */
  static async start(port: number, expected: readonly string[]): Promise<HealthyPeer> {
    const raw = await RawTcpPeer.connect({
      port,
      localAddress: HealthyPeer.address,
      asNumber: 64512,
      holdTime: HOLD_SECONDS,
    });
    const peer = new HealthyPeer(raw, expected);
    expect(await raw.open(), "the healthy peer's session").toBe(true);
    raw.keepAlive(500);
    raw.send(rawUpdate(rawAttributes(HealthyPeer.address, [], 100), rawPrefixes(...HealthyPeer.prefixes)), KEEPALIVE);
    await waitFor(() => expected.every((prefix) => peer.known.has(prefix)), { what: "the healthy peer's routes" });
    return peer;
  }

  /** The longest time in milliseconds in which nothing came. */
  get longestSilence(): number {
    return Math.max(this.#longest, performance.now() - this.#heardAt);
  }

  expectUntouched(): void {
    expect(this.raw.end, "the healthy peer's connection").toBeUndefined();
    expect(this.raw.notification).toBeUndefined();
    expect(this.#withdrawn, "routes taken from the healthy peer").toEqual([]);
    expect(this.longestSilence).toBeLessThan(HOLD_SECONDS * 1000);
  }

  /** Another route besides its own. */
  announce(prefix: string): void {
    this.raw.send(rawUpdate(rawAttributes(HealthyPeer.address, [], 100), rawPrefixes(prefix)));
  }

  withdraw(prefix: string): void {
    this.raw.send(rawUpdate(Buffer.of(), Buffer.of(), rawPrefixes(prefix)));
  }

  stop(): void {
    this.raw.reset();
  }

  #heard(): void {
    const now = performance.now();
    this.#longest = Math.max(this.#longest, now - this.#heardAt);
    this.#heardAt = now;
  }

  #update(body: Buffer): void {
    const { announced, withdrawn } = readUpdate(body);
    for (const prefix of withdrawn) {
      this.known.delete(prefix);
      if (this.#expected.includes(prefix)) this.#withdrawn.push(prefix);
    }
    for (const prefix of announced) this.known.add(prefix);
  }
}
