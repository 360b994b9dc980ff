/** Clients of the control socket and of HTTP that send garbage, hold on, or never read: the sessions and honest clients do not notice. */

import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AttackedDaemon, freePort, ownAs } from "../harness/attacked-daemon.ts";
import { rawAttributes, rawTable } from "../harness/raw-bytes.ts";
import { RawTcpPeer } from "../harness/raw-tcp-peer.ts";
import { waitFor } from "../harness/wait-for.ts";

/** MiB. */
const GROWTH = 288;
const ROUTES = 50_000;

let daemon: AttackedDaemon;
let http: number;

beforeAll(async () => {
  http = await freePort();
  const feeder = { name: "feeder", address: "127.5.0.1", asNumber: ownAs, passive: true };
  const file = { http: { address: "127.0.0.1", port: http } };
  daemon = await AttackedDaemon.start("clients", { peers: [feeder], file });
  const peer = await RawTcpPeer.establish({ port: daemon.port, localAddress: "127.5.0.1", asNumber: ownAs });
  peer.keepAlive();
  peer.send(rawTable(ROUTES, 0x0a000000, rawAttributes("192.0.2.1", [], 100)));
  await waitFor(async () => (await daemon.summary()).paths.ipv4 > ROUTES, { what: "the routes" });
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
});

interface Client {
  readonly socket: Socket;
  readonly text: () => string;
  readonly closed: Promise<void>;
}

function dial(to: "control" | "http", ...sends: readonly (string | Buffer)[]): Client {
  const socket = to === "http" ? connect(http, "127.0.0.1") : connect(daemon.socket);
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
  });
  socket.on("error", () => undefined);
  for (const bytes of sends) socket.write(bytes);
  return { socket, text: () => text, closed: new Promise((resolve) => socket.once("close", () => resolve())) };
}

const noise = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 7919) & 0xff));
const get = (path: string, more = "") => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`;

describe("the control socket", () => {
  it.each<[string, (string | Buffer)[], RegExp]>([
    ["noise", [noise], /"kind":"usage".*starling's control socket/],
    ["HTTP", [get("/")], /"kind":"usage"/],
    ["a line that is no JSON", ["{nothing\n"], /"kind":"usage"/],
    ["a list", ["[]\n"], /"kind":"usage"/],
    ["no method", ["{}\n"], /a request names its \\"method\\"/],
    ["an unknown method", ['{"method":"summery"}\n'], /unknown method.*summary/],
    ["a method of the prototype", ['{"method":"constructor"}\n'], /unknown method/],
    ["parameters that are none", ['{"method":"routes","params":[1]}\n'], /"kind":"usage"/],
    ["an unknown peer", ['{"method":"peer","params":{"name":"nobody"}}\n'], /"kind":"usage"/],
    ["a prefix that is none", ['{"method":"routes","params":{"prefix":"10.0.0.0/99"}}\n'], /"kind":"usage"/],
    ["a request without end", [`{"method":"${"x".repeat(70_000)}`], /a request has at most 65536 bytes/],
    ["nested 20,000 deep", [`${'{"params":'.repeat(5000)}\n`], /"kind":"usage"/],
  ])("%s is answered in words", async (_name, sends, expected) => {
    const client = dial("control", ...sends);
    await client.closed;
    expect(client.text()).toMatch(expected);
    expect(client.text()).not.toContain('"internal"');
  });

  it("clients that say nothing, or half a line, lose their place after ten seconds; one too many is told so", async () => {
    // Clients of before may still be on their way out.
    await sleep(1500);
    const holders = Array.from({ length: 31 }, (_, i) => dial("control", ...(i % 2 === 0 ? [] : ['{"method":'])));
    await sleep(100);
    // The last place is enough for an honest client.
    expect((await daemon.summary()).asNumber).toBe(ownAs);
    await sleep(100);
    const last = dial("control");
    await sleep(100);
    const late = dial("control", '{"method":"summary"}\n');
    await late.closed;
    expect(late.text()).toContain("starling serves 32 control clients already");
    const many = Array.from({ length: 500 }, () => dial("control", '{"method":"summary"}\n'));
    await Promise.all(many.map((client) => client.closed));
    await Promise.all([...holders, last].map((client) => client.closed));
    for (const holder of holders) expect(holder.text()).toContain("no request came within 10 seconds");
    console.log(await daemon.expectUnharmed(GROWTH));
    for (const { socket } of [...holders, last]) socket.destroy();
  }, 30_000);

  it("clients that ask for all routes and do not read, or read an octet at a time, or leave, stall nobody", async () => {
    const request = '{"method":"routes"}\n';
    const stuck = Array.from({ length: 20 }, () => dial("control", request));
    for (const { socket } of stuck) socket.pause();
    for (let i = 0; i < 100; i++) {
      const leaver = dial("control", request);
      if (i % 2 === 0) await new Promise((resolve) => leaver.socket.once("data", resolve));
      leaver.socket.destroy();
    }
    let count = 0;
    for await (const rows of daemon.client.rows("routes")) count += rows.length;
    expect(count).toBeGreaterThan(ROUTES);
    console.log(await daemon.expectUnharmed(GROWTH));
    for (const { socket } of stuck) socket.destroy();
  });
});

describe("HTTP", () => {
  const status = async (...sends: (string | Buffer)[]) => {
    const client = dial("http", ...sends);
    await Promise.race([client.closed, new Promise((resolve) => client.socket.once("data", resolve)), sleep(8000)]);
    client.socket.destroy();
    return /^HTTP\/1\.1 (\d+)/.exec(client.text())?.[1] ?? client.text();
  };

  it.each<[string, (string | Buffer)[], string]>([
    ["noise", [noise], "400"],
    ["BGP", [Buffer.from(`${"ff".repeat(16)}001304`, "hex")], "400"],
    ["headers of 100 KB", [get("/healthz", `X: ${"y".repeat(100_000)}\r\n`)], "431"],
    ["a path of 100 KB", [get(`/${"x".repeat(100_000)}`)], "431"],
    ["another method", ["DELETE /api/v1/peers HTTP/1.1\r\nHost: localhost\r\n\r\n"], "405"],
    ["a body", ["POST /api/v1/summary HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n", noise], "405"],
    [
      "lengths that contradict",
      ["GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"],
      "400",
    ],
    ["a way out", [get("/../../../etc/passwd")], "404"],
    ["percent signs without meaning", [get("/api/v1/peers/%E0%A4%A")], "400"],
    ["a peer that is none", [get("/api/v1/peers/nobody")], "404"],
    ["a filter that is none", [get("/api/v1/routes?prefix=nothing")], "400"],
    ["a page of a million", [get("/api/v1/routes?limit=1000000000")], "400"],
    ["a foreign host name", ["GET /api/v1/summary HTTP/1.1\r\nHost: example.com\r\n\r\n"], "403"],
    ["HTTP/2 at once", ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"], "400"],
  ])("%s", async (_name, sends, expected) => {
    expect(await status(...sends)).toBe(expected);
  });

  it("clients that never finish a request, pipeline without reading, or listen to events without reading, stall nobody", async () => {
    const slow = Array.from({ length: 60 }, () => dial("http", "GET / HTTP/1.1\r\nHost: loc"));
    const pipelining = Array.from({ length: 10 }, () => dial("http", get("/api/v1/peers").repeat(5000)));
    const greedy = Array.from({ length: 10 }, () => dial("http", get("/api/v1/routes")));
    const deaf = Array.from({ length: 10 }, () => dial("http", get("/api/v1/events")));
    for (const { socket } of [...pipelining, ...greedy, ...deaf]) socket.pause();
    await sleep(500);
    expect(await status(get("/healthz"))).toBe("200");
    // Something for the events to say.
    const peer = await RawTcpPeer.connect({ port: daemon.port, localAddress: "127.5.0.1", asNumber: ownAs });
    peer.reset();
    for (let i = 0; i < 10; i++) {
      daemon.healthy.announce("198.51.100.192/26");
      daemon.healthy.withdraw("198.51.100.192/26");
    }
    await Promise.all(slow.map((client) => client.closed));
    for (const client of slow) expect(client.text()).toMatch(/^HTTP\/1\.1 408/);
    console.log(await daemon.expectUnharmed(GROWTH));
    for (const { socket } of [...pipelining, ...greedy, ...deaf]) socket.destroy();
    expect(await status(get("/metrics"))).toBe("200");
  }, 40_000);

  it("1000 connections at once: some are closed, and there is room again when they are gone", async () => {
    const many = Array.from({ length: 1000 }, () => dial("http"));
    await sleep(300);
    for (const { socket } of many) socket.destroy();
    await waitFor(async () => (await status(get("/healthz"))) === "200", { what: "room for an honest client" });
    console.log(await daemon.expectUnharmed(GROWTH));
  });
});
