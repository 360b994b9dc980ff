import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ControlSocket, openControlSocket } from "../../../src/control/control-socket.ts";
import { requestLine } from "../../../src/control/protocol.ts";
import { UsageError } from "../../../src/control/views.ts";
import { ExampleView, manyRoutes } from "../../harness/example-view.ts";
import { MemoryLog } from "../../harness/memory-log.ts";
import { systemClock } from "../../harness/system-clock.ts";

let directory: string;
let path: string;
let view: ExampleView;
let log: MemoryLog;
let server: ControlSocket | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "starling-control-"));
  path = join(directory, "run", "starling.sock");
  view = new ExampleView();
  log = new MemoryLog();
});

afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(directory, { recursive: true, force: true });
});

async function open(maxClients?: number): Promise<ControlSocket> {
  const options = { path, view, clock: systemClock, log };
  server = await openControlSocket(maxClients === undefined ? options : { ...options, maxClients });
  return server;
}

async function talk(text: string | Uint8Array): Promise<string> {
  const socket = connect(path);
  socket.setEncoding("utf8");
  socket.on("error", () => undefined);
  let answer = "";
  socket.on("data", (chunk) => {
    answer += String(chunk);
  });
  socket.write(text);
  await once(socket, "close");
  return answer;
}

const frames = (text: string): unknown[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("control socket: requests", () => {
  it("answers with one result", async () => {
    await open();
    expect(frames(await talk(requestLine("summary", {})))).toEqual([{ result: view.summary() }]);
  });

  it("streams rows and says when they end", async () => {
    await open();
    const answer = frames(await talk(requestLine("routes", { family: "ipv6" })));
    expect(answer).toEqual([{ row: expect.objectContaining({ prefix: "2001:db8:1::/64" }) }, { end: { rows: 1 } }]);
  });

  it.each([
    ["peer of no such name", "peer", { name: "tor-x" }, /no peer named "tor-x"; did you mean "tor-a"/],
    ["peer without a name", "peer", {}, /name the peer/],
    ["unknown filter", "routes", { famly: "ipv4" }, /unknown route filter "famly"; did you mean "family"/],
    ["view without a peer", "routes", { view: "received" }, /received needs a peer/],
    ["longer without a prefix", "routes", { longer: true }, /longer needs a prefix/],
    ["prefix and for", "routes", { prefix: "10.0.0.0/8", for: "10.0.0.1" }, /exclude each other/],
    ["wrong type", "routes", { longer: "yes", prefix: "10.0.0.0/8" }, /longer is true or false/],
    ["unknown action", "peerAction", { name: "tor-a", action: "kill" }, /an action is one of/],
    ["long message", "peerAction", { name: "tor-a", action: "reset", message: "é".repeat(128) }, /RFC 9003.*256/],
  ] as const)("refuses: %s", async (_name, method, params, message) => {
    await open();
    expect(frames(await talk(requestLine(method, params)))).toEqual([
      { error: { kind: "usage", message: expect.stringMatching(message) } },
    ]);
  });

  it("carries out a peer action with its message", async () => {
    await open();
    await talk(requestLine("peerAction", { name: "tor-a", action: "disable", message: "rack 4" }));
    expect(view.actions).toEqual([{ name: "tor-a", action: "disable", message: "rack 4" }]);
  });

  it("hides a secret that a view should not have held", async () => {
    view.configurationView = { peers: [{ name: "a", password: "hunter2", passwordSet: true }] };
    await open();
    const answer = await talk(requestLine("configuration", {}));
    expect(answer).not.toContain("hunter2");
    expect(answer).toContain('"passwordSet":true');
  });

  it("answers our own failures without their text, which goes to the log", async () => {
    view.summary = () => {
      throw new TypeError("internal detail");
    };
    await open();
    const answer = await talk(requestLine("summary", {}));
    expect(frames(answer)).toEqual([
      { error: { kind: "internal", message: expect.stringContaining("its log says why") } },
    ]);
    expect(answer).not.toContain("detail");
    expect(log.lines).toContainEqual(expect.objectContaining({ level: "error", event: "control request failed" }));
  });

  it("ends a stream that fails half-way with an error", async () => {
    view.makeRoutes = function* () {
      yield* manyRoutes(3);
      throw new UsageError("gone");
    };
    await open();
    expect(frames(await talk(requestLine("routes", {}))).at(-1)).toEqual({ error: { kind: "usage", message: "gone" } });
  });
});

describe("control socket: bad input", () => {
  it.each([
    ["HTTP", "GET / HTTP/1.1\r\n\r\n", /takes one line/],
    ["random bytes", Uint8Array.from([0xff, 0xfe, 0x00, 0x0a]), /takes one line/],
    ["broken JSON", '{"method": \n', /not JSON/],
    ["an array", "[]\n", /takes one line/],
    ["no method", "{}\n", /names its "method"/],
    ["unknown method", '{"method":"summry"}\n', /unknown method "summry"; did you mean "summary"/],
    ["parameters that are none", '{"method":"summary","params":[1]}\n', /"params" is a JSON object/],
    ["method of Object.prototype", '{"method":"constructor"}\n', /unknown method/],
    [
      "invalid UTF-8",
      Buffer.concat([Buffer.from('{"method":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}\n')]),
      /unknown/,
    ],
    ["too long", `{"method":"${"x".repeat(70_000)}"}\n`, /at most 65536 bytes/],
    ["too long without an end", `{${" ".repeat(200_000)}`, /at most 65536 bytes/],
  ])("%s: an error, then the end", async (_name, text, message) => {
    await open();
    expect(frames(await talk(text))).toEqual([{ error: { kind: "usage", message: expect.stringMatching(message) } }]);
    expect(frames(await talk(requestLine("readiness", {})))).toEqual([{ result: [] }]);
  });

  it("takes a request that arrives byte by byte", async () => {
    await open();
    const socket = connect(path);
    for (const letter of requestLine("readiness", {})) {
      socket.write(letter);
      await new Promise(setImmediate);
    }
    const [answer] = await once(socket, "data");
    expect(String(answer)).toBe('{"result":[]}\n');
  });

  it("serves a client that closes its sending side at once", async () => {
    await open();
    const socket = connect({ path, allowHalfOpen: true });
    socket.end(requestLine("routes", {}));
    let text = "";
    socket.on("data", (chunk) => {
      text += String(chunk);
    });
    await once(socket, "end");
    expect(frames(text).at(-1)).toEqual({ end: { rows: 7 } });
  });
});

describe("control socket: clients", () => {
  it("serves 100 at once, those beyond its bound with an answer too", async () => {
    await open();
    const answers = await Promise.all(Array.from({ length: 100 }, () => talk(requestLine("summary", {}))));
    const kinds = answers.map((text) => (text.startsWith('{"result"') ? "result" : JSON.parse(text).error.kind));
    expect(kinds.filter((kind) => kind === "result").length).toBeGreaterThanOrEqual(32);
    expect(new Set(kinds)).toSatisfy((set: Set<string>) =>
      [...set].every((kind) => kind === "result" || kind === "busy"),
    );
    expect(frames(await talk(requestLine("readiness", {})))).toEqual([{ result: [] }]);
  });

  it("says busy beyond its bound, and serves again when one leaves", async () => {
    await open(2);
    const idle = [await connected(), await connected()];
    expect(frames(await talk(requestLine("summary", {})))).toEqual([
      { error: { kind: "busy", message: expect.any(String) } },
    ]);
    idle[0]?.destroy();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(frames(await talk(requestLine("readiness", {})))).toEqual([{ result: [] }]);
    idle[1]?.destroy();
  });

  it("gives the place of a client that has not read for half a minute to another", async () => {
    let later = 0;
    const clock = { ...systemClock, now: () => systemClock.now() + later };
    view.makeRoutes = () => manyRoutes(1_000_000);
    server = await openControlSocket({ path, view, clock, log, maxClients: 1 });
    const stalled = await connected();
    stalled.pause();
    stalled.write(requestLine("routes", {}));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await talk(requestLine("readiness", {}))).toContain('"busy"');
    later = 30_000;
    expect(frames(await talk(requestLine("readiness", {})))).toEqual([{ result: [] }]);
    stalled.destroy();
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
    await open();
    const socket = await connected();
    socket.pause();
    socket.write(requestLine("routes", {}));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const whileStalled = made.count;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(made.count).toBe(whileStalled);
    expect(whileStalled).toBeLessThan(5_000);
    socket.destroy();
    await expect.poll(() => returned).toBe(true);
    expect(made.count).toBeLessThan(5_000);
  });

  async function connected(): Promise<Socket> {
    const socket = connect(path);
    await once(socket, "connect");
    await new Promise((resolve) => setTimeout(resolve, 5));
    return socket;
  }
});

describe("control socket: its file", () => {
  it("belongs to its owner alone, in a directory that it makes, and goes with the daemon", async () => {
    const opened = await open();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await opened.close();
    await opened.close();
    expect(existsSync(path)).toBe(false);
  });

  it("replaces one that a dead process left behind", async () => {
    mkdirSync(join(directory, "run"));
    await leaveBehind(path);
    await open();
    expect(frames(await talk(requestLine("readiness", {})))).toEqual([{ result: [] }]);
    expect(log.lines).toHaveLength(1);
  });

  it("leaves a living one alone", async () => {
    await open();
    const second = openControlSocket({ path, view, clock: systemClock, log });
    await expect(second).rejects.toThrow(/another starling answers on/);
    expect(frames(await talk(requestLine("readiness", {})))).toEqual([{ result: [] }]);
  });

  it.each([
    ["a file in its place", () => writeFileSync(path, "x"), /exists and is not a socket/],
    [
      "a file where the directory should be",
      () => {
        rmSync(join(directory, "run"), { recursive: true });
        writeFileSync(join(directory, "run"), "x");
      },
      /cannot make the directory.*not a directory/,
    ],
    [
      "a path that is too long",
      () => {
        path = join(directory, "x".repeat(120));
      },
      /at most 107/,
    ],
  ])("%s: a clear error", async (_name, prepare, message) => {
    mkdirSync(join(directory, "run"));
    prepare();
    const opened = openControlSocket({ path, view, clock: systemClock, log });
    await expect(opened).rejects.toThrow(UsageError);
    await expect(openControlSocket({ path, view, clock: systemClock, log })).rejects.toThrow(message);
  });
});

/** A socket file that nobody listens on: a hard link outlives the unlinking by its server. */
async function leaveBehind(at: string): Promise<void> {
  const { linkSync, renameSync } = await import("node:fs");
  const dying = createServer().listen(at);
  await once(dying, "listening");
  linkSync(at, `${at}.kept`);
  await new Promise((resolve) => dying.close(resolve));
  renameSync(`${at}.kept`, at);
}
