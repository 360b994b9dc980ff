/** A few of Calico's cases in the parity lab: what peers and kernel see of starling is what they saw of Calico's BIRD. All: npm run parity. */

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { built, executable } from "../harness/attacked-daemon.ts";
import { canMakeNetworks } from "../harness/netns.ts";
import { findProgram, runCommand } from "../harness/process.ts";

const lab = fileURLToPath(new URL("../../../shared/parity/", import.meta.url));
const allow = fileURLToPath(new URL("../parity/allow.yaml", import.meta.url));
const isPossible = canMakeNetworks() && existsSync(join(lab, "lab.py")) && findProgram("exabgp") !== undefined;
const why = isPossible
  ? ""
  : " (skipped: there is no ../shared/parity, no exabgp, or no right to make network namespaces)";

/** Each shows something that no other of them does. */
const CASES = [
  "mesh/restart-time/pcr-enabled",
  "explicit_peering/route_reflector",
  "bgpfilter/export_only/explicit_peer",
  "password/step2",
];

beforeAll(built);

describe.skipIf(!isPossible)(`parity with Calico's BIRD${why}`, () => {
  it.each(CASES)("%s", async (name) => {
    const folder = mkdtempSync(join(tmpdir(), "starling-parity-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const seen = join(folder, "seen.json");
    const dut = `${process.execPath} ${executable}`;
    const python = ["python3", join(lab, "lab.py")];
    await runCommand([...python, "run", name, "--dut", dut, "-o", seen], { timeout: 110_000 });
    const { notes, dutAlive } = JSON.parse(readFileSync(seen, "utf8")) as { notes: string[]; dutAlive: boolean };
    expect({ notes, dutAlive }).toEqual({ notes: [], dutAlive: true });
    const truth = join(lab, "truth", `${name.replaceAll("/", "__")}.json`);
    // Its status tells; what it prints is in the error.
    await runCommand([...python, "diff", truth, seen, "--allow", allow]);
  });

  it("every difference that is allowed has its reason", () => {
    const entries = readFileSync(allow, "utf8").split(/^- /m).slice(1);
    expect(entries.length).toBeGreaterThan(0);
    for (const entry of entries) expect(entry).toMatch(/^ {2}reason: \S.{20,}/m);
  });
});
