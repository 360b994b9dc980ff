import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type HttpServer, openHttpServer } from "../../../src/control/http-server.ts";
import { UsageError } from "../../../src/control/views.ts";
import { ExampleView, manyRoutes } from "../../harness/example-view.ts";
import { MemoryLog } from "../../harness/memory-log.ts";
import { systemClock } from "../../harness/system-clock.ts";

let view: ExampleView;
let log: MemoryLog;
let server: HttpServer;

beforeEach(async () => {
  view = new ExampleView();
  log = new MemoryLog();
  server = await openHttpServer({ address: "127.0.0.1", port: 0, view, clock: systemClock, log });
});

afterEach(() => server.close());

const get = (path: string, init?: RequestInit): Promise<Response> =>
  fetch(`http://127.0.0.1:${server.port}${path}`, init);

describe("HTTP: endpoints", () => {
  it.each([
    ["/healthz", 200, { live: true }],
    ["/readyz", 200, { ready: true, missing: [] }],
    ["/api/v1/peers/tor-a", 200, expect.objectContaining({ name: "tor-a", asNumber: 65001 })],
    ["/api/v1/summary", 200, expect.objectContaining({ asNumber: 64512 })],
    ["/api/v1/peers", 200, expect.arrayContaining([expect.objectContaining({ name: "node-1" })])],
    ["/api/v1/routes?count", 200, { count: 7 }],
    ["/api/v1/routes?count=true&family=ipv6", 200, { count: 1 }],
    ["/api/v1/peers/tor-x", 404, { error: expect.stringContaining('did you mean "tor-a"') }],
    ["/api/v1/peers/%ff", 400, { error: expect.stringContaining("percent-encoded") }],
    ["/api/v1/nothing", 404, { error: "nothing is at /api/v1/nothing" }],
    ["/api/v1/explain?prefix=10.0.0.0/8", 404, { error: "nothing is at /api/v1/explain" }],
    ["/api/v1/routes?famly=ipv4", 400, { error: expect.stringContaining('did you mean "family"') }],
    ["/api/v1/routes?peer=tor-x", 400, { error: expect.stringContaining("tor-x") }],
    ["/api/v1/routes?received", 400, { error: expect.stringContaining("needs a peer") }],
    ["/api/v1/routes?limit=0", 400, { error: expect.stringContaining("limit") }],
    ["/api/v1/routes?cursor=used", 410, { error: expect.stringContaining("expired") }],
    ["/api/v1/routes?longer=maybe&prefix=::/0", 400, { error: "longer is true or false" }],
    ["/api/v1/events?kind=all", 400, { error: "kind is session or route" }],
  ])("GET %s: %i", async (path, status, body) => {
    const response = await get(path);
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toContain("application/json");
    expect(await response.json()).toEqual(body);
  });

  it("is not ready while something is missing, and says what", async () => {
    view.missing = ["kernel: first reconciliation"];
    const response = await get("/readyz");
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ ready: false, missing: ["kernel: first reconciliation"] });
  });

  it("serves metrics in the text format", async () => {
    const response = await get("/metrics");
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(await response.text()).toBe("starling_ready 1\n");
  });

  it("lists the endpoints where there is nothing", async () => {
    const response = await get("/");
    expect(response.status).toBe(404);
    expect(await response.text()).toContain("/api/v1/routes");
  });

  it.each(["POST", "PUT", "DELETE", "PATCH"])("only shows: %s is refused", async (method) => {
    const response = await get("/api/v1/summary", { method });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("GET, HEAD");
  });

  it("answers HEAD without a body", async () => {
    for (const path of ["/api/v1/summary", "/api/v1/routes", "/api/v1/events"]) {
      const response = await get(path, { method: "HEAD" });
      expect(response.status).toBe(200);
      expect(await response.text()).toBe("");
    }
  });

  it("streams routes as NDJSON", async () => {
    const response = await get("/api/v1/routes?peer=tor-a&advertised");
    expect(response.headers.get("content-type")).toContain("application/x-ndjson");
    const rows = (await response.text())
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(rows).toHaveLength(7);
    expect(rows[0].advertised).toEqual({ nextHop: "10.0.0.1" });
  });

  it("pages with limit and cursor: each row once, each cursor once", async () => {
    view.makeRoutes = () => manyRoutes(25);
    const prefixes: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await get(`/api/v1/routes?limit=10${cursor === null ? "" : `&cursor=${cursor}`}`);
      const { routes, next } = (await page.json()) as { routes: { prefix: string }[]; next: string | null };
      prefixes.push(...routes.map(({ prefix }) => prefix));
      if (cursor !== null) expect((await get(`/api/v1/routes?cursor=${cursor}`)).status).toBe(410);
      cursor = next;
    } while (cursor !== null);
    expect(prefixes).toHaveLength(25);
    expect(new Set(prefixes).size).toBe(25);
  });

  it("keeps a bounded number of cursors and lets the oldest go", async () => {
    view.makeRoutes = () => manyRoutes(100);
    const cursors: string[] = [];
    for (let index = 0; index < 20; index++) {
      cursors.push(((await (await get("/api/v1/routes?limit=1")).json()) as { next: string }).next);
    }
    expect((await get(`/api/v1/routes?cursor=${cursors[0]}`)).status).toBe(410);
    expect((await get(`/api/v1/routes?cursor=${cursors[19]}`)).status).toBe(200);
  });

  it("cuts a stream short when it fails half-way", async () => {
    view.makeRoutes = function* () {
      yield* manyRoutes(1000);
      throw new TypeError("broken");
    };
    const response = await get("/api/v1/routes");
    await expect(response.text()).rejects.toThrow();
    expect(log.lines).toContainEqual(expect.objectContaining({ event: "http request failed" }));
  });
});

describe("HTTP: bad input", () => {
  it.each([
    ["no HTTP at all", "\u0000\u0001garbage\r\n\r\n", /^HTTP\/1.1 400/],
    ["headers without end", `GET / HTTP/1.1\r\nX: ${"x".repeat(20_000)}`, /^HTTP\/1.1 431/],
    ["two lengths", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", /^HTTP\/1.1 400/],
    [
      "a host of another site",
      "GET /healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
      /^HTTP\/1.1 403/,
    ],
    ["localhost", "GET /healthz HTTP/1.1\r\nHost: localhost:9179\r\nConnection: close\r\n\r\n", /^HTTP\/1.1 200/],
    ["an IPv6 host", "GET /healthz HTTP/1.1\r\nHost: [::1]:9179\r\nConnection: close\r\n\r\n", /^HTTP\/1.1 200/],
    ["an absolute target", "GET http://[ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", /^HTTP\/1.1 400/],
  ])("%s", async (_name, text, answer) => {
    const socket = connect(server.port, "127.0.0.1");
    socket.on("error", () => undefined);
    let received = "";
    socket.on("data", (chunk) => {
      received += String(chunk);
    });
    socket.write(text);
    await once(socket, "close");
    expect(received).toMatch(answer);
    expect((await get("/healthz")).status).toBe(200);
  });

  it("answers our own failure with 500, and its text goes to the log alone", async () => {
    view.peers = () => {
      throw new TypeError("internal detail");
    };
    const response = await get("/api/v1/peers");
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain("detail");
  });

  it("serves 100 clients at once, and drops those beyond its bound of connections", async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, async () => (await open("/api/v1/peers")).statusCode),
    );
    expect(new Set(answers)).toEqual(new Set([200]));
    const sockets = Array.from({ length: 300 }, () => connect(server.port, "127.0.0.1"));
    for (const socket of sockets) socket.on("error", () => undefined);
    await expect
      .poll(() => sockets.filter((socket) => socket.destroyed || socket.readyState !== "open").length)
      .toBeGreaterThan(170);
    for (const socket of sockets) socket.destroy();
    await expect.poll(async () => (await get("/healthz").catch(() => undefined))?.status).toBe(200);
  });

  it("says what to do when the port is taken", async () => {
    const second = openHttpServer({ address: "127.0.0.1", port: server.port, view, clock: systemClock, log });
    await expect(second).rejects.toThrow(UsageError);
    await expect(second).rejects.toThrow(/another process listens there; set http.port/);
  });

  it("pulls no more rows than a client reads, and stops when it leaves", async () => {
    const made = { count: 0 };
    let returned = false;
    view.makeRoutes = function* () {
      try {
        yield* manyRoutes(1_000_000, made);
      } finally {
        returned = true;
      }
    };
    const response = await open("/api/v1/routes");
    response.pause();
    let before = -1;
    await expect
      .poll(
        () => {
          const isStill = made.count === before;
          before = made.count;
          return isStill;
        },
        { interval: 200 },
      )
      .toBe(true);
    // What the two kernel buffers of a TCP connection hold, and a slice.
    expect(made.count).toBeLessThan(40_000);
    response.destroy();
    await expect.poll(() => returned).toBe(true);
  });
});

describe("HTTP: events", () => {
  const session = {
    kind: "session",
    peer: "a",
    from: "Idle",
    to: "Connect",
    reason: null,
    at: "2026-03-05T12:00:00Z",
  } as const;
  const route = { kind: "route", prefix: "10.0.0.0/8", change: "best", peer: "a", at: "2026-03-05T12:00:00Z" } as const;

  it("are sent to those who listen, by kind, and nobody subscribes for nobody", async () => {
    expect(view.listeners.size).toBe(0);
    const all = await listening("/api/v1/events");
    const sessions = await listening("/api/v1/events?kind=session");
    expect(view.listeners.size).toBe(1);
    view.emit(route);
    view.emit(session);
    await expect.poll(() => all.text()).toContain(`event: route\ndata: ${JSON.stringify(route)}\n\nevent: session`);
    await expect.poll(() => sessions.text()).toContain(`event: session\ndata: ${JSON.stringify(session)}\n\n`);
    expect(sessions.text()).not.toContain("event: route");
    all.close();
    sessions.close();
    await expect.poll(() => view.listeners.size).toBe(0);
  });

  it("a client that does not keep up is told how many it missed, and the daemon holds no more than the bound", async () => {
    const slow = await listening("/api/v1/events");
    const before = process.memoryUsage().arrayBuffers;
    slow.pause();
    for (let round = 0; round < 20; round++) {
      for (let index = 0; index < 20_000; index++) view.emit(route);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024);
    slow.resume();
    await expect.poll(() => slow.text(), { timeout: 5000 }).toMatch(/event: lost\ndata: \{"events":\d+\}/);
    slow.close();
  });

  async function listening(path: string): Promise<{
    text: () => string;
    pause: () => void;
    resume: () => void;
    close: () => void;
  }> {
    const response = await open(path);
    let text = "";
    response.on("error", () => undefined);
    response.on("data", (chunk) => {
      text += String(chunk);
    });
    await expect.poll(() => text).toContain("retry");
    return {
      text: () => text,
      pause: () => response.pause(),
      resume: () => response.resume(),
      close: () => response.destroy(),
    };
  }
});

function open(path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request({ host: "127.0.0.1", port: server.port, path }, resolve).on("error", reject).end();
  });
}
