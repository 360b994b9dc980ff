import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createLogger, type LogOptions } from "../../../src/control/log.ts";

let directory: string;
let file: string;
let fd: number;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "starling-log-"));
  file = join(directory, "log");
  fd = openSync(file, "a");
});

afterEach(() => {
  closeSync(fd);
  rmSync(directory, { recursive: true });
});

const logger = (options: Partial<LogOptions> = {}) => createLogger({ level: "info", format: "json", fd, ...options });
const lines = (): string[] =>
  readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "");
const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe("log", () => {
  it("writes one JSON object a line", async () => {
    const log = await logger();
    log.info({ peer: "tor-a", from: "OpenConfirm", to: "Established" }, "session state");
    await expect.poll(lines).toHaveLength(1);
    expect(JSON.parse(lines()[0] ?? "")).toEqual({
      level: "info",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      peer: "tor-a",
      from: "OpenConfirm",
      to: "Established",
      msg: "session state",
    });
  });

  it("keeps the order, and flushes what is left", async () => {
    const log = await logger();
    for (let index = 0; index < 1000; index++) log.info({ index }, "event");
    await wait(50);
    log.info({ index: 1000 }, "event");
    log.flush();
    await wait(50);
    expect(lines().map((line) => JSON.parse(line).index)).toEqual(Array.from({ length: 1001 }, (_, index) => index));
  });

  it("has a level, and other levels for some peers, also after a reload", async () => {
    const log = await logger({ level: "warn", perPeerLevels: { noisy: "debug", muted: "silent" } });
    log.info({}, "general");
    log.info({ peer: "other" }, "other");
    log.debug({ peer: "noisy" }, "noisy");
    log.error({ peer: "muted" }, "muted");
    log.error({ peer: "constructor" }, "prototype");
    log.setLevels({ level: "info" });
    log.info({ peer: "muted" }, "now heard");
    log.debug({ peer: "noisy" }, "no more");
    log.flush();
    await wait(20);
    expect(lines().map((line) => JSON.parse(line).msg)).toEqual(["noisy", "prototype", "now heard"]);
  });

  it("never writes a secret", async () => {
    const log = await logger();
    log.info({ password: "hunter2", options: { password: "hunter2", deep: { token: "hunter2" } } }, "peer options");
    log.info({ peers: [{ md5Key: "hunter2" }], secret: { nested: "hunter2" } }, "peers");
    log.error({ err: Object.assign(new Error("no"), { request: { Authorization: "hunter2" } }) }, "request failed");
    log.flush();
    await wait(20);
    expect(readFileSync(file, "utf8")).not.toContain("hunter2");
    expect(lines().map((line) => line.split("[redacted]").length - 1)).toEqual([3, 2, 1]);
  });

  it("writes errors with their stack, and pretty lines for people without colour beside a terminal", async () => {
    const log = await logger({ format: "pretty" });
    log.error({ err: new TypeError("boom") }, "request failed");
    log.flush();
    await wait(20);
    const text = readFileSync(file, "utf8");
    expect(text).toMatch(/ERROR: request failed/);
    expect(text).toContain("TypeError: boom");
    expect(text).not.toContain("\u001b[");
  });
});

// A process of its own, whose standard error is what the case says; it logs much, then exits by itself.
const program = `
  import { createLogger } from ${JSON.stringify(fileURLToPath(new URL("../../../src/control/log.ts", import.meta.url)))};
  const log = await createLogger({ level: "info", format: "json" });
  let worst = 0;
  for (let index = 0; index < 20000; index++) {
    const start = performance.now();
    log.info({ index, padding: "x".repeat(100) }, "event");
    worst = Math.max(worst, performance.now() - start);
  }
  setTimeout(() => {
    log.info({}, "last");
    setTimeout(() => {
      log.flush();
      process.stdout.write(JSON.stringify({ worst }));
      process.exit(0);
    }, 300);
  }, 300);
`;

describe("log: whatever happens to it, the daemon lives", () => {
  it.each(["reader that stops", "reader that leaves", "full file system"])("%s", async (kind) => {
    const stderr = kind === "full file system" ? openSync("/dev/full", "w") : "pipe";
    const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program], {
      cwd: fileURLToPath(new URL("../../..", import.meta.url)),
      stdio: ["ignore", "pipe", stderr],
    });
    if (kind === "reader that leaves") child.stderr?.destroy();
    let said = "";
    child.stdout?.on("data", (chunk) => {
      said += String(chunk);
    });
    const status = await new Promise((resolve) => child.on("exit", resolve));
    if (typeof stderr === "number") closeSync(stderr);
    expect(status).toBe(0);
    expect(JSON.parse(said).worst).toBeLessThan(200);
  });

  it("says how many lines were lost once they go through again", async () => {
    const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program], {
      cwd: fileURLToPath(new URL("../../..", import.meta.url)),
      stdio: ["ignore", "ignore", "pipe"],
    });
    let text = "";
    child.stderr.on("data", (chunk) => {
      text += String(chunk);
    });
    await new Promise((resolve) => child.on("exit", resolve));
    await wait(20);
    const objects = text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    const lost = objects.find(({ msg }) => msg === "log lines lost");
    expect(lost.lines).toBeGreaterThan(0);
    expect(objects.length - 1 + lost.lines).toBe(20001);
  });
});
