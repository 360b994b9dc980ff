/**
 * `npm run lab`: builds a network in namespaces, lets starling and BIRD route it, shows what happens when something fails or
 * changes hands, and cleans up after itself. docs/lab.md describes them. `npm run lab -- --help` lists labs and options.
 */

import { delimiter } from "node:path";
import { parseArgs } from "node:util";
import { buildIfStale } from "./lib/build.mjs";
import { which } from "./lib/run.mjs";
import { setUp } from "./lib/setup.mjs";
import { fail, say } from "./lib/terminal.mjs";

const usage = `Usage: npm run lab -- [lab] [options]

Builds a network in network namespaces of its own, shows what becomes of it, and cleans up. Needs root. The labs:

  rack              two nodes, a route reflector, a switch that runs BIRD, and workloads: sessions and kernel routes come up,
                    packets cross, a node's daemon is killed and shut down; this one unless another is named
  calico-migration  a Calico mesh of four nodes whose BIRD is replaced by starling node by node, and back, while packets
                    between all pods are counted
  calico-racks      two racks with a cluster id, two reflectors and two switches each: a reflector fails, a switch fails

  --keep   leave it running at the end, until Ctrl-C, and say how to look around
  --fast   fewer packets, shorter pauses
  --bird16 calico-migration: with BIRD 1.6, which Calico's is made from, fetched from Debian and unpacked beside the installed one
  --release 3.31 | 3.33
           calico-migration: of Calico, whose behaviour both have; default 3.33
  --help   this text`;

const programs = [
  { name: "ip", package: "iproute2" },
  { name: "ping", package: "iputils-ping" },
  { name: "bird", package: "bird2" },
];

const options = readOptions();
if (options.help) {
  say(usage);
} else {
  checkMachine();
  await setUp();
  await buildIfStale();
  // The lab is TypeScript, and it shares its networks with the tests.
  const { register } = await import("tsx/esm/api");
  register();
  const { playLab } = await import("../lab/main.ts");
  // What an interrupted step still waits for must not hold up the end.
  process.exit(await playLab(options));
}

function readOptions() {
  const boolean = { type: "boolean", default: false };
  try {
    const { values, positionals } = parseArgs({
      options: {
        keep: boolean,
        fast: boolean,
        bird16: boolean,
        release: { type: "string", default: "3.33" },
        help: { ...boolean, short: "h" },
      },
      allowPositionals: true,
    });
    if (!["3.31", "3.33"].includes(values.release))
      fail(`--release is 3.31 or 3.33, not ${values.release}\n\n${usage}`, 2);
    if (positionals.length > 1) fail(`one lab at a time: ${positionals.join(", ")}\n\n${usage}`, 2);
    return { ...values, name: positionals[0] ?? "rack" };
  } catch (error) {
    return fail(`${error.message}\n\n${usage}`, 2);
  }
}

/** Says all that is missing at once, before anything is installed or built. */
function checkMachine() {
  if (process.platform !== "linux") fail("the lab needs Linux: it is made of network namespaces");
  if (process.getuid?.() !== 0) {
    fail('the lab makes network namespaces, and that needs root: run `sudo env "PATH=$PATH" npm run lab`');
  }
  const missing = programs.filter(({ name }) => which(name) === undefined);
  if (missing.length > 0) {
    const names = missing.map((program) => program.name).join(", ");
    const packages = missing.map((program) => program.package).join(" ");
    fail(
      `the lab needs ${names}: on Debian, run \`apt-get install ${packages}\` (or \`npm test\`, which installs it too)`,
    );
  }
  // Not every root has the folders of system administration on its PATH; bird is there.
  process.env.PATH = [process.env.PATH, "/usr/local/sbin", "/usr/sbin", "/sbin"].join(delimiter);
}
