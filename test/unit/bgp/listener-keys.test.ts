import { describe, expect, it } from "vitest";
import { Listener } from "../../../src/bgp/listener.ts";
import { formatAddress, ipv4 } from "../../../src/bgp/model/address.ts";
import type { PeerId } from "../../../src/bgp/model/ids.ts";
import type { Transport } from "../../../src/bgp/transport.ts";
import { peerOptions } from "../../harness/peer-options.ts";
import { silentLogger } from "../../harness/silent-logger.ts";
import { VirtualClock } from "../../harness/virtual-clock.ts";

const P = 1 as PeerId;

describe("a TCP MD5 key that the system does not take (RFC 2385)", () => {
  it("leaves its peer unprotected until it is set or no longer wanted", async () => {
    let refuses = true;
    const transport: Transport = {
      dial: () => ({ cancel: () => {} }),
      listen: async (address, port) => ({
        address,
        port,
        setKey: () => {
          if (refuses) throw new TypeError("ENOMEM");
        },
        close: () => {},
      }),
      settled: async () => {},
    };
    const gatekeeper = { admits: () => "stranger" as const, accept: () => {} };
    const listener = new Listener({ transport, clock: new VirtualClock(), logger: silentLogger, gatekeeper });
    const signing = peerOptions({ id: P, password: "secret" });
    await listener.listen([{ address: ipv4(0x0a000001), port: 179 }]);
    expect(listener.keys.isProtected(P)).toBe(true);
    listener.keys.set(signing);
    expect(listener.keys.isProtected(P)).toBe(false);
    refuses = false;
    listener.keys.set({ ...signing, password: "another" });
    expect(listener.keys.isProtected(P)).toBe(true);
    refuses = true;
    listener.keys.set({ ...signing, password: "a third" });
    expect(listener.keys.isProtected(P)).toBe(false);
    listener.keys.forget(P);
    expect(listener.keys.isProtected(P)).toBe(true);
  });
});

describe("the keys of many peers", () => {
  const world = async () => {
    const kernel = new Map<string, string>();
    let most = 0;
    const transport: Transport = {
      dial: () => ({ cancel: () => {} }),
      listen: async (address, port) => ({
        address,
        port,
        setKey: (from, length, key) => {
          const text = `${formatAddress(from)}/${length}`;
          if (key === undefined) kernel.delete(text);
          else kernel.set(text, key);
          most = Math.max(most, kernel.size);
        },
        close: () => {},
      }),
      settled: async () => {},
    };
    const clock = new VirtualClock();
    const gatekeeper = { admits: () => "stranger" as const, accept: () => {} };
    const listener = new Listener({ transport, clock, logger: silentLogger, gatekeeper });
    await listener.listen([{ address: ipv4(0x0a000001), port: 179 }]);
    const set = (i: number, password: string | undefined) =>
      listener.keys.set(peerOptions({ id: i as PeerId, to: `10.0.${i >> 8}.${i & 255}`, password }));
    return { kernel, listener, clock, set, most: () => most };
  };

  it("are a few, which follow as passwords change and others come", async () => {
    const { kernel, listener, clock, set, most } = await world();
    for (let i = 1; i <= 1000; i++) set(i, "mesh");
    clock.advance(100);
    expect([kernel.size, most()]).toEqual([1, 100]);
    for (let i = 1; i <= 1000; i++) expect(listener.keys.isProtected(i as PeerId)).toBe(true);
    // One that does not sign, and one that signs otherwise.
    set(1001, undefined);
    set(500, "other");
    expect(listener.keys.isProtected(500 as PeerId)).toBe(false);
    clock.advance(100);
    expect(kernel.size).toBeLessThan(20);
    for (let i = 1; i <= 1001; i++) expect(listener.keys.isProtected(i as PeerId)).toBe(true);
    expect([kernel.get("10.0.1.244/32"), [...kernel.keys()].some((text) => text.startsWith("10.0.3.233/"))]).toEqual([
      "other",
      false,
    ]);
    for (let i = 11; i <= 1001; i++) listener.keys.forget(i as PeerId);
    clock.advance(100);
    expect(kernel.size).toBe(10);
    set(3, undefined);
    expect(kernel.size).toBe(9);
  });

  it("a key that two peers of one address share stays until both are gone", async () => {
    const { kernel, listener } = await world();
    for (const id of [1, 2]) listener.keys.set(peerOptions({ id: id as PeerId, to: "10.0.0.9", password: "p" }));
    listener.keys.forget(1 as PeerId);
    expect(kernel.size).toBe(1);
    listener.keys.forget(2 as PeerId);
    expect(kernel.size).toBe(0);
  });
});
