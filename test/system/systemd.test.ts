import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { findProgram, runCommand } from "../harness/process.ts";

const unit = fileURLToPath(new URL("../../deploy/systemd/starling.service", import.meta.url));

describe.skipIf(findProgram("systemd-analyze") === undefined)("the systemd unit", () => {
  it("is one that systemd finds no fault with", async () => {
    const folder = mkdtempSync(join(tmpdir(), "starling-unit-"));
    try {
      // It also looks for the program, which is not installed here.
      const text = readFileSync(unit, "utf8").replaceAll("/usr/local/bin/starling", "/bin/true");
      writeFileSync(join(folder, "starling.service"), text);
      const verify = 'exec systemd-analyze verify "$1" 2>&1';
      expect(await runCommand(["sh", "-c", verify, "sh", join(folder, "starling.service")])).toBe("");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
