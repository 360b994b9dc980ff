import { describe, expect, it } from "vitest";
import { Listener } from "../../../src/bgp/listener.ts";
import { ipv4 } from "../../../src/bgp/model/address.ts";
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
    await listener.start([{ address: ipv4(0x0a000001), port: 179 }]);
    expect(listener.isProtected(P)).toBe(true);
    listener.setKeyOf(signing);
    expect(listener.isProtected(P)).toBe(false);
    refuses = false;
    listener.setKeyOf({ ...signing, password: "another" });
    expect(listener.isProtected(P)).toBe(true);
    refuses = true;
    listener.setKeyOf({ ...signing, password: "a third" });
    expect(listener.isProtected(P)).toBe(false);
    listener.forgetKeyOf(P);
    expect(listener.isProtected(P)).toBe(true);
  });
});
