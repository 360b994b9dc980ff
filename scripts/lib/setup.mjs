/** What every script needs before it starts: a Node that is new enough, and the packages of package-lock.json. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root, run } from "./run.mjs";
import { fail, marks, say, stepLine } from "./terminal.mjs";

const oldest = [20, 11];

/** Idempotent, and silent where nothing is to do. Uses Node's own modules only: it runs in a fresh clone. */
export async function setUp() {
  checkNode(process.versions.node);
  const missing = missingPackages();
  if (missing.length === 0) return;
  say(`Installing ${missing.length} packages (npm ci); this needs the network once ...`);
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ["npm"];
  const options = ["--include=dev", "--no-audit", "--no-fund"];
  const { status, milliseconds } = await run([...npm, "ci", ...options], { inherit: true });
  if (status === 127) fail("npm is not there: it comes with Node, and in Debian's own packages as `npm`");
  if (status !== 0) fail("npm ci failed: see above. A proxy or a registry of your own is set with `npm config`.");
  const still = missingPackages();
  if (still.length > 0) fail(`npm ci ended, and yet these are missing: ${still.slice(0, 5).join(", ")}`);
  say(stepLine(marks.passed, "packages", milliseconds));
}

/**
 * Ends the script where Node is too old, in words.
 * @param {string} version
 */
function checkNode(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return;
  fail(`starling needs Node ${oldest.join(".")} or newer; this is ${version}. Debian 12: nodejs.org has packages.`);
}

/**
 * The packages of package-lock.json that are not installed in that version. npm writes down what it installed only once
 * all of it is there, so an interrupted installation counts as none. Optional packages are other platforms'.
 */
function missingPackages() {
  const wanted = packagesOf("package-lock.json");
  const installed = packagesOf(join("node_modules", ".package-lock.json"));
  return Object.entries(wanted)
    .filter(([path, entry]) => path !== "" && !entry.optional && installed[path]?.version !== entry.version)
    .map(([path, entry]) => `${path.replace(/^.*node_modules\//, "")}@${entry.version}`);
}

function packagesOf(lockFile) {
  try {
    return JSON.parse(readFileSync(join(root, lockFile), "utf8")).packages ?? {};
  } catch (error) {
    if (error.code === "ENOENT") return {};
    throw error;
  }
}
