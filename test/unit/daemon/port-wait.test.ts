import { createServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { PortWait } from "../../../src/daemon/port-wait.ts";
import { isPortTaken } from "../../../src/daemon/ports.ts";
import { MemoryLog } from "../../harness/memory-log.ts";
import { VirtualClock } from "../../harness/virtual-clock.ts";

const loopback = { family: 1, w0: 0x7f000001, w1: 0, w2: 0, w3: 0 } as const;
const config = { listen: { addresses: [loopback], port: 179 } };

describe("a port that somebody else has", () => {
  it("is waited for, which is said once, and then had", async () => {
    const clock = new VirtualClock();
    const log = new MemoryLog();
    let isTaken = true;
    const wait = new PortWait(clock, log, async () => isTaken);
    let looks = 0;
    const look = () => wait.obstacle(config, () => looks++);
    expect(await look()).toContain("port 179 is in use by another program");
    expect(await look()).toBeDefined();
    clock.advance(100);
    expect(looks).toBe(1);
    expect(await look()).toBeDefined();
    isTaken = false;
    clock.advance(100);
    expect(looks).toBe(2);
    expect(await look()).toBeUndefined();
    expect(log.lines.map(({ event }) => event)).toEqual([
      "the port is in use by another program: waiting for it to end",
      "the port is free",
    ]);
  });

  it("is not looked at any more once it is closed", async () => {
    const clock = new VirtualClock();
    const wait = new PortWait(clock, new MemoryLog(), async () => true);
    let looks = 0;
    await wait.obstacle(config, () => looks++);
    wait.close();
    clock.advance(1000);
    expect(looks).toBe(0);
  });

  it("is told from one that is free, and from an address that is not here", async () => {
    const server = createServer();
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    expect(await isPortTaken([loopback], port)).toBe(true);
    expect(await isPortTaken([{ ...loopback, w0: 0xcb007101 }], port)).toBe(false);
    await new Promise((resolve) => server.close(resolve));
    expect(await isPortTaken([loopback], port)).toBe(false);
  });
});
