import { spawn } from "node:child_process";
import { mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ControlSocket, openControlSocket } from "../../src/control/control-socket.ts";
import { ExampleView, manyRoutes } from "../harness/example-view.ts";
import { MemoryLog } from "../harness/memory-log.ts";
import { systemClock } from "../harness/system-clock.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const directory = mkdtempSync(join(tmpdir(), "starling-cli-process-"));
const path = join(directory, "starling.sock");
let control: ControlSocket;

beforeAll(async () => {
  const view = new ExampleView();
  view.makeRoutes = () => manyRoutes(200_000);
  control = await openControlSocket({ path, view, clock: systemClock, log: new MemoryLog() });
});

afterAll(async () => {
  await control.close();
  rmSync(directory, { recursive: true });
});

interface Ended {
  readonly status: number | null;
  readonly firstLine: string;
  readonly stderr: string;
}

/** The real executable in a process of its own; after the first line its reader may leave. */
function starling(words: readonly string[], options: { leave: boolean; stdout?: number }): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["--import", "tsx", "src/main.ts", ...words], {
      cwd: root,
      env: { ...process.env, STARLING_SOCKET: path },
      stdio: ["ignore", options.stdout ?? "pipe", "pipe"],
    });
    let text = "";
    let stderr = "";
    child.stdout?.on("data", (chunk) => {
      text += String(chunk);
      if (options.leave && text.includes("\n")) child.stdout?.destroy();
    });
    child.stderr?.on("data", (chunk) => {
      stderr += String(chunk);
    });
    child.on("close", (status) => resolve({ status, firstLine: text.split("\n")[0] ?? "", stderr }));
  });
}

describe("starling as a process", () => {
  it.each([
    ["show routes", /^\* best/],
    ["show routes --json", /^\{"prefix"/],
    ["show peers", /^PEER/],
    ["config schema", /^\{/],
    ["--help", /^Usage/],
  ])("%s | head -1: ends in silence with status 0", async (command, first) => {
    const { status, firstLine, stderr } = await starling(command.split(" "), { leave: true });
    expect(firstLine).toMatch(first);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });

  it("says that the file system is full", async () => {
    const { status, stderr } = await starling(["show", "routes"], { leave: false, stdout: openSync("/dev/full", "w") });
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: "error: cannot write the output: no space is left on the device\n",
    });
  });

  it.each([
    [["--version"], 0],
    [["show", "peers", "--socket", "/nonexistent"], 1],
    [["shw"], 2],
    [["show", "peer", "nobody"], 2],
  ])("%j: exit status %i", async (words, want) => {
    expect((await starling(words, { leave: false })).status).toBe(want);
  });
});
