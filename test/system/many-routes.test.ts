import { mkdtempSync, rmSync } from "node:fs";
import { get } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ControlSocket, openControlSocket } from "../../src/control/control-socket.ts";
import { type HttpServer, openHttpServer } from "../../src/control/http-server.ts";
import { requestLine } from "../../src/control/protocol.ts";
import { ExampleView, manyRoutes } from "../harness/example-view.ts";
import { MemoryLog } from "../harness/memory-log.ts";
import { systemClock } from "../harness/system-clock.ts";

const ROUTES = 1_000_000;
/** Far less than a million routes, and far more than a slice: what the garbage collector leaves lying about. */
const MEMORY_BOUND = 256 * 1024 * 1024;

const directory = mkdtempSync(join(tmpdir(), "starling-many-"));
const path = join(directory, "starling.sock");
let control: ControlSocket;
let http: HttpServer;

beforeAll(async () => {
  const view = new ExampleView();
  view.makeRoutes = () => manyRoutes(ROUTES);
  const common = { view, clock: systemClock, log: new MemoryLog() };
  control = await openControlSocket({ ...common, path });
  http = await openHttpServer({ ...common, address: "127.0.0.1", port: 0 });
});

afterAll(async () => {
  await control.close();
  await http.close();
  rmSync(directory, { recursive: true });
});

/** Runs `read` and reports what it cost; the reader runs in the same event loop, so its lag counts too. */
async function measured(name: string, read: () => Promise<number>): Promise<void> {
  const before = process.memoryUsage().rss;
  let peak = before;
  const sampler = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss);
  }, 20);
  const lag = monitorEventLoopDelay({ resolution: 1 });
  lag.enable();
  const start = performance.now();
  const lines = await read();
  const seconds = (performance.now() - start) / 1000;
  lag.disable();
  clearInterval(sampler);
  const milliseconds = (nanoseconds: number): string => (nanoseconds / 1e6).toFixed(1);
  console.log(
    `${name}: ${lines} lines in ${seconds.toFixed(2)} s, memory +${((peak - before) / 2 ** 20).toFixed(0)} MiB, ` +
      `loop turn p99 ${milliseconds(lag.percentile(99))} ms, worst ${milliseconds(lag.max)} ms`,
  );
  expect(peak - before).toBeLessThan(MEMORY_BOUND);
}

function countLines(stream: NodeJS.ReadableStream): Promise<number> {
  return new Promise((resolve, reject) => {
    let lines = 0;
    stream.on("data", (chunk: Buffer) => {
      for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines++;
    });
    stream.on("end", () => resolve(lines));
    stream.on("error", reject);
  });
}

describe("a million routes", () => {
  it("stream through the control socket", async () => {
    await measured("control socket", async () => {
      const socket = connect(path);
      socket.write(requestLine("routes", {}));
      const lines = await countLines(socket);
      expect(lines).toBe(ROUTES + 1);
      return lines;
    });
  });

  it("stream over HTTP", async () => {
    await measured("HTTP", async () => {
      const response = await new Promise<NodeJS.ReadableStream>((resolve, reject) => {
        get(`http://127.0.0.1:${http.port}/api/v1/routes`, resolve).on("error", reject);
      });
      const lines = await countLines(response);
      expect(lines).toBe(ROUTES);
      return lines;
    });
  });

  it("to ten clients at once, of which half stop reading", async () => {
    await measured("ten clients", async () => {
      const sockets = Array.from({ length: 10 }, () => connect(path));
      for (const socket of sockets) socket.write(requestLine("routes", {}));
      const readers = sockets.slice(0, 5).map(async (socket) => {
        let lines = 0;
        for await (const chunk of socket) {
          lines += String(chunk).split("\n").length - 1;
          if (lines > 50_000) break;
        }
        return lines;
      });
      const lines = await Promise.all(readers);
      for (const socket of sockets) socket.destroy();
      for (const each of lines) expect(each).toBeGreaterThan(50_000);
      return lines.reduce((sum, each) => sum + each, 0);
    });
  });
});
