/** Octets on real sockets: what goes straight to the kernel and what has to wait arrive as one stream. */

import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { ipv4 } from "../../../src/bgp/model/address.ts";
import { SocketConnection } from "../../../src/bgp/socket-connection.ts";
import type { ConnectionHandler } from "../../../src/bgp/transport.ts";
import { systemClock } from "../../harness/system-clock.ts";
import { waitFor } from "../../harness/wait-for.ts";

const ends = { local: ipv4(0x7f000001), remote: ipv4(0x7f000001), interface: undefined };
const opened: { server: Server; far: Socket }[] = [];

async function setUp(handler: Partial<ConnectionHandler> = {}) {
  const server = createServer({ noDelay: true, pauseOnConnect: true });
  const accepted = new Promise<Socket>((resolve) => server.once("connection", resolve));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  const far = connect(typeof bound === "object" && bound !== null ? bound.port : 0, "127.0.0.1");
  const near = await accepted;
  opened.push({ server, far });
  const connection = new SocketConnection(near, ends, systemClock);
  connection.start({ received: () => {}, drained: () => {}, closed: () => {}, ...handler });
  return { connection, near, far };
}

afterEach(() => {
  for (const { server, far } of opened.splice(0)) {
    far.destroy();
    server.close();
  }
});

/** Octets that tell their place in the stream. */
function pattern(from: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (from + i) % 251);
}

function collect(far: Socket): Buffer[] {
  const chunks: Buffer[] = [];
  far.on("data", (chunk: Buffer) => chunks.push(chunk));
  return chunks;
}

const total = (chunks: readonly Buffer[]) => chunks.reduce((sum, chunk) => sum + chunk.length, 0);

describe("what is written", () => {
  it("goes out at once while the kernel has room: nothing waits in Node's queue", async () => {
    const { connection, near, far } = await setUp();
    const chunks = collect(far);
    connection.write(pattern(0, 100));
    expect([connection.unsent, near.bytesWritten]).toEqual([0, 0]);
    await waitFor(() => total(chunks) === 100, { what: "what was written" });
    expect(Buffer.concat(chunks)).toEqual(Buffer.from(pattern(0, 100)));
  });

  it("arrives whole and in order at a peer that begins to read late, and the owner hears that there is room again", async () => {
    let drained = 0;
    const { connection, far } = await setUp({ drained: () => drained++ });
    far.pause();
    const piece = 65_536;
    let written = 0;
    while (!connection.isBlocked) {
      connection.write(pattern(written, piece));
      written += piece;
    }
    // More than the kernel has room for goes to the queue, behind what is there.
    connection.cork();
    connection.write(pattern(written, 10));
    connection.write(pattern(written + 10, piece));
    connection.uncork();
    written += piece + 10;
    expect(connection.unsent).toBeGreaterThan(piece);
    expect(drained).toBe(0);
    const chunks = collect(far);
    far.resume();
    await waitFor(() => total(chunks) === written, { what: "everything" });
    expect(Buffer.concat(chunks).equals(pattern(0, written))).toBe(true);
    await waitFor(() => drained === 1 && connection.unsent === 0, { what: "the event" });
    connection.write(pattern(0, 1));
    expect(connection.unsent).toBe(0);
  });

  it("in pieces while corked comes as one stretch", async () => {
    const { connection, far } = await setUp();
    const chunks = collect(far);
    connection.cork();
    for (let at = 0; at < 30; at += 10) connection.write(pattern(at, 10));
    expect(connection.unsent).toBe(10);
    connection.uncork();
    expect(connection.unsent).toBe(0);
    await waitFor(() => total(chunks) === 30, { what: "the pieces" });
    expect(chunks).toEqual([Buffer.from(pattern(0, 30))]);
  });

  it("to a peer that is gone ends the connection with the reason", async () => {
    const reasons: string[] = [];
    const { connection, far } = await setUp({ closed: (reason) => reasons.push(reason) });
    far.resetAndDestroy();
    await waitFor(
      () => {
        connection.write(pattern(0, 1000));
        return reasons.length > 0;
      },
      { what: "the end", interval: 1 },
    );
    expect(reasons).toEqual([expect.stringMatching(/^the peer (reset|closed) the connection$/)]);
    connection.write(pattern(0, 1));
    expect(connection.unsent).toBe(0);
  });
});
