import { describe, expect, it } from "vitest";
import { Listener } from "../../../src/bgp/listener.ts";
import { formatAddress } from "../../../src/bgp/model/address.ts";
import { ListenError, type Transport } from "../../../src/bgp/transport.ts";
import { address } from "../../harness/peer-options.ts";
import { silentLogger } from "../../harness/silent-logger.ts";
import { VirtualClock } from "../../harness/virtual-clock.ts";

describe("where to listen", () => {
  it("changes, and sockets that are there already stay", async () => {
    const calls: string[] = [];
    let refused = "";
    const transport: Transport = {
      dial: () => ({ cancel: () => {} }),
      listen: async (at, port) => {
        const place = `${formatAddress(at)} ${port}`;
        if (place === refused) throw new ListenError("EADDRINUSE", `${place} is in use`);
        calls.push(`+${place}`);
        return { address: at, port, setKey: () => {}, close: () => calls.push(`-${place}`) };
      },
      settled: async () => {},
    };
    const gatekeeper = { admits: () => "stranger" as const, accept: () => {} };
    const listener = new Listener({ transport, clock: new VirtualClock(), logger: silentLogger, gatekeeper });
    const listen = async (...places: string[]) => {
      calls.length = 0;
      const { listening, failures } = await listener.listen(
        places.map((text) => ({ address: address(text), port: 179 })),
      );
      return [calls.join(" "), listening.length, failures.map(({ code }) => code).join()];
    };
    expect(await listen("0.0.0.0")).toEqual(["+0.0.0.0 179", 1, ""]);
    expect(await listen("0.0.0.0", "::")).toEqual(["+:: 179", 2, ""]);
    refused = "10.0.0.1 179";
    expect(await listen("10.0.0.1", "::")).toEqual(["-0.0.0.0 179", 1, "EADDRINUSE"]);
    refused = "";
    expect(await listen("10.0.0.1", "::")).toEqual(["+10.0.0.1 179", 2, ""]);
    calls.length = 0;
    listener.stop();
    expect(calls.sort()).toEqual(["-10.0.0.1 179", "-:: 179"]);
  });
});
