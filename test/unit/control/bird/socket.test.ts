import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, linkSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { birdcl } from "../../../../src/cli/birdcl.ts";
import { type BirdSocket, openBirdSocket } from "../../../../src/control/bird/bird-socket.ts";
import { askBird, RawBirdClient } from "../../../harness/bird-client.ts";
import { birdRoute, ExampleBirdView } from "../../../harness/example-bird-view.ts";
import { MemoryLog } from "../../../harness/memory-log.ts";
import { systemClock } from "../../../harness/system-clock.ts";
import { waitFor } from "../../../harness/wait-for.ts";

const GREETING = "0001 BIRD v1.6.8+starling-0 ready.";
let directory: string;
let path: string;
let view: ExampleBirdView;
let log: MemoryLog;
let server: BirdSocket | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "starling-bird-"));
  path = join(directory, "bird.ctl");
  view = new ExampleBirdView();
  log = new MemoryLog();
});

afterEach(async () => {
  await server?.close();
  server = undefined;
  rmSync(directory, { recursive: true, force: true });
});

async function open(maxClients = 64): Promise<void> {
  const version = "v1.6.8+starling-0";
  server = await openBirdSocket({ path, family: "ipv4", view, version, clock: systemClock, log, maxClients });
}

/** As a process that is killed leaves it. */
async function leaveBehind(at: string): Promise<void> {
  const dying = createServer().listen(at);
  await once(dying, "listening");
  linkSync(at, `${at}.kept`);
  await new Promise((resolve) => dying.close(resolve));
  renameSync(`${at}.kept`, at);
}

describe("BIRD's control socket", () => {
  it("greets, answers one question after the other and stays", async () => {
    await open();
    const client = await RawBirdClient.connect(path);
    expect(client.greeting).toEqual([GREETING]);
    expect((await client.ask("show status")).at(-1)).toBe("0013 Daemon is up and running");
    expect((await client.ask("show protocols")).at(-1)).toBe("0000 ");
    client.close();
  });

  it("answers what came together one after the other, also after the client's end", async () => {
    await open();
    const socket = connect(path);
    socket.setEncoding("utf8");
    socket.end("show memory\r\nfrob\nshow status\nunfinished");
    let text = "";
    for await (const chunk of socket) text += String(chunk);
    const ends = text.split("\n").filter((line) => /^\d{4} /.test(line));
    expect(ends).toEqual([GREETING, "0000 ", "9001 syntax error", "0013 Daemon is up and running"]);
  });

  it("restricts one connection and no other", async () => {
    await open();
    const client = await RawBirdClient.connect(path);
    await client.ask("restrict");
    expect(await client.ask("disable Mesh_10_0_0_2")).toEqual(["8007 Access denied"]);
    expect(await askBird(path, "disable Mesh_10_0_0_2")).toEqual(["0009-Mesh_10_0_0_2: disabled", "0000 "]);
    client.close();
  });

  it("is for its owner and group, stands in the place of a stale one, and goes with its file", async () => {
    await leaveBehind(path);
    await open();
    expect(log.lines).toHaveLength(1);
    const second = openBirdSocket({ path, family: "ipv6", view, version: "", clock: systemClock, log });
    await expect(second).rejects.toThrow(/stop it first.*control\.bird6Socket/);
    await server?.close();
    writeFileSync(path, "");
    await expect(open()).rejects.toThrow(/not a socket.*control\.birdSocket/);
    rmSync(path);
    await open();
    expect(statSync(path).mode & 0o777).toBe(0o660);
    await server?.close();
    await server?.close();
    expect(existsSync(path)).toBe(false);
  });

  it("says when it is full, and drops nobody who is at work", async () => {
    await open(2);
    const clients = [await RawBirdClient.connect(path), await RawBirdClient.connect(path)];
    const third = await RawBirdClient.connect(path);
    expect(third.greeting).toEqual(["9001 starling serves 2 clients here already"]);
    for (const client of clients) expect((await client.ask("show status")).at(-1)).toMatch(/^0013/);
    clients[0]?.close();
    await waitFor(async () => (await askBird(path, "show status")).length > 0, { what: "a place" });
    for (const client of clients) client.close();
  });
});

describe("BIRD's control socket: clients that are slow or hostile", () => {
  it("keeps little for one that asks for much and reads nothing", async () => {
    let made = 0;
    view.makeRoutes = function* () {
      for (; made < 1_000_000; made++) yield birdRoute();
    };
    await open();
    const stuck = connect(path);
    await once(stuck, "connect");
    stuck.pause();
    stuck.write("show route\n".repeat(1000));
    let before = -1;
    await waitFor(
      () => {
        const isAtRest = made === before && made > 0;
        before = made;
        return isAtRest;
      },
      { what: "the socket to be full", interval: 200 },
    );
    // A socket's buffers, and one slice more: hundreds of kilobytes, thousands of rows.
    expect(made).toBeLessThan(20_000);
    expect((await askBird(path, "show status")).at(-1)).toMatch(/^0013/);
    stuck.destroy();
    const last = made;
    await askBird(path, "show status");
    expect(made).toBe(last);
  });

  it("gives others their turn while a long table goes out", async () => {
    view.makeRoutes = function* () {
      for (let i = 0; i < 100_000; i++) yield birdRoute();
    };
    await open();
    const long = await RawBirdClient.connect(path);
    let isDone = false;
    const table = long.ask("show route").then((lines) => {
      isDone = true;
      return lines;
    });
    let answered = 0;
    while (!isDone) {
      await askBird(path, "show protocols");
      if (!isDone) answered++;
    }
    expect((await table).length).toBe(100_001);
    expect(answered).toBeGreaterThan(5);
    long.close();
  });

  it("refuses a line that is too long, and goes on", async () => {
    await open();
    const client = await RawBirdClient.connect(path);
    expect(await client.ask("x".repeat(5000))).toEqual(["9000 Command too long"]);
    client.socket.write("y".repeat(1_000_000));
    expect(await client.ask("z")).toEqual(["9000 Command too long"]);
    expect((await client.ask("show status")).at(-1)).toMatch(/^0013/);
    client.close();
  });

  it("answers each line of whatever comes, with one end each", async () => {
    await open();
    const line = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 10))),
      fc
        .constantFrom("show route", "show protocols all", "configure", 'enable "', "show route for 1.2.3.4 all")
        .map((text) => Buffer.from(text)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 20 }), async (lines) => {
        const client = await RawBirdClient.connect(path);
        client.socket.write(Buffer.concat(lines.flatMap((each) => [each, Buffer.from("\n")])));
        for (const _ of lines) expect((await client.answer()).at(-1)).toMatch(/^[089]\d{3} |^1010 /);
        client.close();
      }),
      { numRuns: 60 },
    );
    expect(log.lines.filter(({ level }) => level === "error")).toEqual([]);
  });

  it("survives a flood of garbage and of clients that go away", async () => {
    await open();
    await Promise.all(
      Array.from({ length: 40 }, async () => {
        const socket = connect(path);
        socket.on("error", () => undefined);
        socket.write(randomBytes(200_000));
        socket.write("show route\nshow protocols all\n");
        await new Promise((resolve) => setTimeout(resolve, 5));
        socket.destroy();
      }),
    );
    expect((await askBird(path, "show status")).at(-1)).toMatch(/^0013/);
  });

  it("says that it failed where it has a bug, and writes it to the log", async () => {
    view.makeRoutes = () => {
      throw new TypeError("a bug");
    };
    await open();
    expect(await askBird(path, "show route")).toEqual(["9001 starling failed to answer; its log says why"]);
    expect(log.lines.some(({ level }) => level === "error")).toBe(true);
  });
});

describe("birdcl", () => {
  async function run(args: readonly string[], input?: string, name: "birdcl" | "birdcl6" = "birdcl") {
    const sink = () => {
      const chunks: string[] = [];
      const stream = new Writable({
        write: (chunk, _encoding, done) => {
          chunks.push(String(chunk));
          done();
        },
      });
      return { stream, text: () => chunks.join("") };
    };
    const [out, err] = [sink(), sink()];
    const stdin = new PassThrough();
    stdin.end(input ?? "");
    const status = await birdcl(name, args, { stdin, stdout: out.stream, stderr: err.stream });
    return { status, out: out.text().split("\n"), err: err.text() };
  }

  const hello = "BIRD v1.6.8+starling-0 ready.";

  it("prints an answer without codes, and with -v with them", async () => {
    await open();
    const plain = await run(["-s", path, "show", "static"]);
    expect(plain).toEqual({
      status: 0,
      out: [hello, "10.244.0.0/26 blackhole", "10.97.0.0/24 via 10.0.0.2", ""],
      err: "",
    });
    const verbose = await run([`-vrs${path}`, "sh stati"]);
    expect(verbose.out).toEqual([
      `0001 ${hello}`,
      "0016 Access restricted",
      "1009-10.244.0.0/26 blackhole",
      "     10.97.0.0/24 via 10.0.0.2",
      "",
    ]);
  });

  it.each([
    ["show nope", ["No such command. Press `?' for help."]],
    ["help", ["syntax error"]],
    ["show protocols nope", ["nope is not a protocol"]],
  ])("ends with 1: %s", async (command, lines) => {
    await open();
    expect(await run(["-s", path, command])).toEqual({ status: 1, out: [hello, ...lines, ""], err: "" });
  });

  it("lists what an abbreviation may mean", async () => {
    await open();
    const { status, out } = await run(["-s", path, "show st"]);
    expect(status).toBe(1);
    expect(out.slice(1, 4).map((line) => line.slice(0, 11))).toEqual(["Ambiguous c", "show status", "show static"]);
  });

  it("reads commands from a pipe", async () => {
    await open();
    const { status, out } = await run(["-s", path], "show static\nreload ?\n\nquit\nshow static\n");
    expect(status).toBe(0);
    expect(out.slice(0, 5)).toEqual([
      hello,
      "bird> show static",
      "10.244.0.0/26 blackhole",
      "10.97.0.0/24 via 10.0.0.2",
      "bird> reload ?",
    ]);
    expect(out.at(-2)).toBe("bird> quit");
  });

  it("says in birdcl's words what it cannot", async () => {
    expect(await run(["-s", join(directory, "none"), "show status"])).toEqual({
      status: 1,
      out: [""],
      err: `Unable to connect to server control socket (${directory}/none): No such file or directory\n`,
    });
    expect((await run(["-x"], "", "birdcl6")).err).toMatch(/^birdcl6: invalid option -- 'x'\nUsage: birdcl6 /);
    expect((await run(["-s"])).err).toMatch(/requires an argument/);
    await open();
    const dying = run(["-s", path], undefined);
    expect((await dying).status).toBe(0);
  });
});
