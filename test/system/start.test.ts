import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { BackgroundProcess } from "../harness/process.ts";
import { waitFor } from "../harness/wait-for.ts";

const checkout = fileURLToPath(new URL("../..", import.meta.url));
const start = join(checkout, "scripts", "start.mjs");

const folder = mkdtempSync(join(tmpdir(), "starling-start-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function node(args: readonly string[], env: Record<string, string> = {}): Promise<{ status: unknown; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env: { ...process.env, ...env } }, (error, _stdout, stderr) => {
      resolve({ status: error?.code ?? 0, stderr });
    });
  });
}

describe("npm start", () => {
  it("hands its arguments to `starling run`, and files are relative to where the user stands", async () => {
    const { status, stderr } = await node([start, "-c", "missing.yaml"], { INIT_CWD: folder });
    expect(status).toBe(2);
    expect(stderr).toContain("missing.yaml");
  });

  it("becomes the daemon, which a signal ends", async () => {
    const file = join(folder, "starling.yaml");
    const socket = join(folder, "starling.sock");
    writeFileSync(
      file,
      JSON.stringify({
        asNumber: 64512,
        routerId: "10.0.0.1",
        listen: { addresses: [] },
        control: { socket },
        http: false,
      }),
    );
    const daemon = new BackgroundProcess("start", [process.execPath, start, "-c", file], join(folder, "start.log"));
    await waitFor(() => daemon.output().includes("starling is running"), { what: "starling to run", timeout: 30_000 });
    expect(await daemon.stop()).toBe(0);
  });
});

describe("the executable", () => {
  it("says what to do where nothing was built", async () => {
    cpSync(join(checkout, "bin"), join(folder, "bin"), { recursive: true });
    expect(await node([join(folder, "bin", "starling.mjs"), "show", "summary"])).toEqual({
      status: 1,
      stderr: "error: starling is not built yet: run `npm run build` in its checkout\n",
    });
  });
});
