/**
 * `npm run parity`: each of Calico's cases once in the parity lab (../shared/parity), and what starling's peers and kernel saw beside
 * what those of Calico's own BIRD saw. Differences that are meant stand in test/parity/allow.yaml, each with its reason.
 */

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { buildIfStale } from "./lib/build.mjs";
import { installDebianPackages } from "./lib/debian.mjs";
import { root, run } from "./lib/run.mjs";
import { setUp } from "./lib/setup.mjs";
import { fail, say } from "./lib/terminal.mjs";

const usage = `Usage: npm run parity -- [options]

Runs Calico's cases in namespaces, with exabgp as their peers, and compares with recordings of Calico's BIRD. Needs root, and
../shared/parity beside the checkout. Takes about 15 s a case.

  --only GLOB   these cases, such as 'mesh/*'
  --jobs N      so many at a time (default 2)
  --keep DIR    keep what was observed there
  --help        this text`;

const lab = join(root, "..", "shared", "parity");
const options = readOptions();
if (options.help) say(usage);
else process.exit(await parity());

async function parity() {
  if (process.getuid?.() !== 0)
    fail('the parity lab makes network namespaces: run `sudo env "PATH=$PATH" npm run parity`');
  if (!existsSync(join(lab, "lab.py"))) fail(`there is no parity lab at ${lab}`);
  await setUp();
  await installDebianPackages({ only: ["iproute2", "exabgp"], what: "parity" });
  await buildIfStale();
  const folder = options.keep ?? mkdtempSync(join(tmpdir(), "starling-parity-"));
  try {
    const dut = `${process.execPath} ${join(root, "bin", "starling.mjs")}`;
    const only = options.only === undefined ? [] : ["--only", options.only];
    const ran = await python("run-all", "--dut", dut, "--out-dir", folder, "--jobs", options.jobs, ...only);
    if (ran.status !== 0) return 1;
    const allow = join(root, "test", "parity", "allow.yaml");
    return (await python("diff-all", join(lab, "truth"), folder, "--allow", allow)).status;
  } finally {
    if (options.keep === undefined) rmSync(folder, { recursive: true, force: true });
  }
}

function python(...words) {
  return run(["python3", join(lab, "lab.py"), ...words], { cwd: lab, inherit: true });
}

function readOptions() {
  const text = { type: "string" };
  try {
    const known = { only: text, keep: text, jobs: { ...text, default: "2" }, help: { type: "boolean", short: "h" } };
    return parseArgs({ options: known }).values;
  } catch (error) {
    return fail(`${error.message}\n\n${usage}`, 2);
  }
}
