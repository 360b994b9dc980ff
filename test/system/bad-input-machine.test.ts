/** A machine that does not play along: addresses taken, leftovers, full file systems, a full log pipe, clocks that jump, signals at any moment. */

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import { AttackedDaemon, executable, freePort } from "../harness/attacked-daemon.ts";
import { runCommand } from "../harness/process.ts";
import { KEEPALIVE } from "../harness/raw-bytes.ts";
import { RawTcpPeer } from "../harness/raw-tcp-peer.ts";
import { waitFor } from "../harness/wait-for.ts";

const isRoot = process.getuid?.() === 0;
let daemon: AttackedDaemon;

afterEach(async () => {
  await daemon[Symbol.asyncDispose]();
});

/** A second starling on the same machine, to its end. */
function second(file: string): Promise<{ status: number | null; firstLine: string }> {
  const child = spawn(process.execPath, [executable, "run", "-c", file], {
    stdio: ["ignore", "ignore", "pipe"],
    timeout: 20_000,
  });
  let text = "";
  child.stderr.on("data", (chunk) => {
    text += chunk;
  });
  return new Promise((resolve) =>
    child.on("close", (status) => {
      const firstLine = text.split("\n").find((line) => line.startsWith("error:")) ?? text;
      resolve({ status, firstLine });
    }),
  );
}

const NOISY = {
  name: "noisy",
  address: "127.6.0.1",
  asNumber: "external",
  passive: true,
  timers: { idleHold: "100ms" },
};

/** Sessions of NOISY's that come up and break off, each for several lines of log. */
async function makeNoise(port: number, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const peer = await RawTcpPeer.establish({ port, localAddress: NOISY.address, asNumber: 65001 });
    peer.send(KEEPALIVE);
    peer.reset();
  }
}

/** The configuration of `daemon` with other keys, as a file of its own. */
function variant(keys: object): string {
  const file = join(daemon.folder, "second.yaml");
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(daemon.file, "utf8")), ...keys }));
  return file;
}

/** A file system of so many blocks and files, gone with the test. */
async function smallFileSystem(options: string): Promise<string> {
  const folder = scratch();
  await runCommand(["mount", "-t", "tmpfs", "-o", options, "starling-test", folder]);
  // Before the folder goes: what is registered last runs first.
  onTestFinished(async () => void (await runCommand(["umount", "-l", folder]).catch(() => "")));
  return folder;
}

/** A folder that goes with the test. */
function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), "starling-bad-machine-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe("addresses and sockets that are taken", () => {
  it("a port in use, for BGP or HTTP: status 2, what and where, and nothing is left behind", async () => {
    daemon = await AttackedDaemon.start("port");
    const socket = join(daemon.folder, "second.sock");
    const bgp = await second(variant({ control: { socket } }));
    expect(bgp).toEqual({
      status: 2,
      firstLine: `error: 127.0.0.1 port ${daemon.port} is in use by another program: stop that one, or choose another port`,
    });
    const port = await freePort();
    const http = { address: "127.0.0.1", port: daemon.port };
    const taken = await second(variant({ control: { socket }, listen: { addresses: ["127.0.0.1"], port }, http }));
    expect(taken.status).toBe(2);
    expect(taken.firstLine).toContain(
      `cannot serve HTTP on 127.0.0.1 port ${daemon.port}: another process listens there`,
    );
    expect([existsSync(socket), existsSync(`${socket}.restart`)]).toEqual([false, false]);
    console.log(await daemon.expectUnharmed(16));
  });

  it("the control socket of a daemon that lives is left alone; of one that was killed it is taken over", async () => {
    daemon = await AttackedDaemon.start("socket");
    const listen = { addresses: ["127.0.0.1"], port: await freePort() };
    const { status, firstLine } = await second(variant({ listen }));
    expect(status).toBe(2);
    expect(firstLine).toContain(`another starling answers on ${daemon.socket}; stop it first`);
    await daemon.expectUnharmed(16);
    await daemon.process.stop("SIGKILL");
    expect(existsSync(daemon.socket)).toBe(true);
    await daemon.run();
    expect(daemon.log().some(({ msg }) => msg === "removed the control socket of a process that is gone")).toBe(true);
    await daemon.connectHealthyPeer();
    expect((await daemon.peer("healthy")).state).toBe("Established");
  });

  it("what is not a socket is not touched", async () => {
    daemon = await AttackedDaemon.start("file");
    const listen = { addresses: ["127.0.0.1"], port: await freePort() };
    const socket = join(daemon.folder, "precious");
    writeFileSync(socket, "data");
    const file = await second(variant({ listen, control: { socket } }));
    expect(file).toEqual({
      status: 2,
      firstLine: `error: ${socket} exists and is not a socket; remove it or name another control.socket or --socket`,
    });
    expect(readFileSync(socket, "utf8")).toBe("data");
    const below = await second(variant({ listen, control: { socket: join(socket, "below.sock") } }));
    expect(below.status).toBe(2);
    expect(below.firstLine).toContain("a part of the path is not a directory");
  });
});

describe.skipIf(!isRoot)("file systems that are full", () => {
  it("where the control socket belongs: status 2, in words", async () => {
    daemon = await AttackedDaemon.start("full-socket");
    const folder = await smallFileSystem("size=4k,nr_inodes=1");
    const listen = { addresses: ["127.0.0.1"], port: await freePort() };
    const { status, firstLine } = await second(variant({ listen, control: { socket: join(folder, "starling.sock") } }));
    expect(status).toBe(2);
    expect(firstLine).toMatch(/cannot open the control socket .*: the file system is full/);
  });

  it("where the restart mark belongs: it is missed in the log, and all goes on", async () => {
    daemon = await AttackedDaemon.start("full-mark");
    const folder = await smallFileSystem("size=4k,nr_inodes=2");
    await daemon.process.stop("SIGKILL");
    daemon.healthy.stop();
    daemon.write({ control: { socket: join(folder, "starling.sock") } });
    const child = spawn(process.execPath, [executable, "run", "-c", daemon.file], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    let text = "";
    child.stderr.on("data", (chunk) => {
      text += chunk;
    });
    await waitFor(() => text.includes("starling is running"), { what: "the daemon to run" });
    expect(text).toContain("cannot leave the restart mark");
    expect(text).toContain("ENOSPC");
    await daemon.connectHealthyPeer();
    child.kill("SIGTERM");
    expect(await new Promise((resolve) => child.once("close", resolve))).toBe(0);
  });

  it("where the log goes: lines are lost and counted, sessions are not", async () => {
    const folder = await smallFileSystem("size=8k");
    writeFileSync(join(folder, "ballast"), "x".repeat(4000));
    const launcher = ["sh", "-c", `exec "$@" 2>>${folder}/log`, "sh"];
    daemon = await AttackedDaemon.start("full-log", { launcher, peers: [NOISY] });
    await makeNoise(daemon.port, 60);
    expect(readFileSync(`${folder}/log`).length).toBeLessThanOrEqual(4096);
    console.log(await daemon.expectUnharmed(64));
    rmSync(join(folder, "ballast"));
    await makeNoise(daemon.port, 1);
    await waitFor(() => readFileSync(`${folder}/log`, "utf8").includes('"msg":"log lines lost"'), {
      what: "the loss to be told",
    });
  });

  it("a log pipe that nobody reads: the sessions stand, and the end comes at once", async () => {
    const folder = scratch();
    await runCommand(["mkfifo", `${folder}/log`]);
    // Open for both: nobody reads, and the pipe has an end all the same.
    const launcher = ["sh", "-c", `exec "$@" 2<>${folder}/log`, "sh"];
    daemon = await AttackedDaemon.start("full-pipe", { launcher, peers: [NOISY] });
    await makeNoise(daemon.port, 200);
    console.log(await daemon.expectUnharmed(64));
    const asked = performance.now();
    expect(await daemon.process.stop("SIGTERM")).toBe(0);
    expect(performance.now() - asked).toBeLessThan(5000);
  });
});

describe("clocks", () => {
  it("the wall clock jumps by years, both ways: only what is shown changes", async () => {
    const folder = scratch();
    const preload = join(folder, "jump.mjs");
    const year = 365 * 24 * 3600 * 1000;
    writeFileSync(
      preload,
      `const RealDate = Date; let offset = 0; let jumps = 0;
globalThis.Date = class extends RealDate {
  constructor(...words) { if (words.length === 0) super(RealDate.now() + offset); else super(...words); }
  static now() { return RealDate.now() + offset; }
};
process.on("SIGUSR2", () => { offset = (jumps++ % 2 === 0 ? 10 : -20) * ${year}; });
`,
    );
    daemon = await AttackedDaemon.start("wall", { env: { NODE_OPTIONS: `--import=file://${preload}` } });
    for (let i = 0; i < 6; i++) {
      daemon.process.signal("SIGUSR2");
      await sleep(700);
      daemon.process.signal("SIGHUP");
    }
    const years = new Set(daemon.process.output().match(/(?<="time":")\d{4}/g));
    expect(years.size).toBe(3);
    expect((await daemon.summary()).uptime).toBeLessThan(60);
    console.log(await daemon.expectUnharmed(32));
  });

  it.skipIf(!isRoot)("a monotonic clock that is ten years ahead", async () => {
    const launcher = ["unshare", "--time", "--fork", "--kill-child", "--monotonic=315360000", "--boottime=315360000"];
    daemon = await AttackedDaemon.start("monotonic", { launcher });
    await sleep(4000);
    expect((await daemon.summary()).uptime).toBeLessThan(60);
    daemon.healthy.expectUntouched();
    expect(await daemon.peer("healthy")).toMatchObject({ state: "Established", transitions: 1 });
  });

  it("a pause of the whole process beyond the hold time: what came meanwhile counts (RFC 4271 §6.5)", async () => {
    daemon = await AttackedDaemon.start("pause");
    daemon.process.signal("SIGSTOP");
    await sleep(4500);
    daemon.process.signal("SIGCONT");
    await sleep(1500);
    expect(await daemon.peer("healthy")).toMatchObject({ state: "Established", transitions: 1, lastError: null });
    expect(daemon.healthy.raw.notification).toBeUndefined();
  });
});

describe("signals", () => {
  it("SIGTERM at any moment of the start leaves nothing behind that answers or is in the way", async () => {
    daemon = await AttackedDaemon.start("term");
    const port = await freePort();
    const socket = join(daemon.folder, "second.sock");
    const file = variant({ listen: { addresses: ["127.0.0.1"], port }, control: { socket } });
    const ends: string[] = [];
    for (let delay = 40; delay < 400; delay += 15) {
      const child = spawn(process.execPath, [executable, "run", "-c", file], { stdio: "ignore" });
      await sleep(delay);
      child.kill("SIGTERM");
      const [status, signal] = await new Promise<[number | null, string | null]>((resolve) =>
        child.once("close", (...words) => resolve(words)),
      );
      // Before the program has begun, the signal ends it as it would any other.
      ends.push(String(status ?? signal));
      expect(existsSync(socket)).toBe(false);
    }
    expect(new Set(ends)).toEqual(new Set(["SIGTERM", "0"]));
    const free: Server = createServer();
    await new Promise<void>((resolve, reject) => free.once("error", reject).listen(port, "127.0.0.1", resolve));
    free.close();
  });

  it("a storm of signals that ask for nothing, and two that end it", async () => {
    daemon = await AttackedDaemon.start("signals");
    for (let i = 0; i < 500; i++) {
      daemon.process.signal("SIGHUP");
      daemon.process.signal("SIGPIPE");
      daemon.process.signal("SIGCONT");
    }
    await waitFor(() => daemon.log().some(({ msg }) => msg === "configuration reloaded"), { what: "a reload" });
    console.log(await daemon.expectUnharmed(48));
    daemon.process.signal("SIGHUP");
    daemon.process.signal("SIGTERM");
    daemon.process.signal("SIGINT");
    expect(await daemon.process.exited).toBe(0);
    expect(existsSync(daemon.socket)).toBe(false);
  });
});
