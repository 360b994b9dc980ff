/** Each rule of .dependency-cruiser.cjs is proven: a planted violation fires that very rule, and a clean tree none. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { cruise, type IConfiguration, type ICruiseResult } from "dependency-cruiser";
import { afterEach, describe, expect, it } from "vitest";

const configuration: IConfiguration = createRequire(import.meta.url)("../../../.dependency-cruiser.cjs");

type Tree = Readonly<Record<string, string>>;

const value = "export const value = 1;\n";
const packages = [
  "pino",
  "pino-pretty",
  "prom-client",
  "commander",
  "js-yaml",
  "koffi",
  "ip-address",
  "zod",
  "@kubernetes/client-node",
  "@grpc/grpc-js",
  "protobufjs",
];

const trees: string[] = [];
afterEach(() => {
  for (const tree of trees.splice(0)) rmSync(tree, { recursive: true, force: true });
});

/** Lays the files in a directory of their own and returns "rule: from -> to" for all that the rules object to. */
async function violations(files: Tree): Promise<string[]> {
  const root = mkdtempSync(join(tmpdir(), "starling-rules-"));
  trees.push(root);
  const planted: Record<string, string> = {
    ...files,
    "package.json": JSON.stringify({
      name: "planted",
      type: "module",
      dependencies: Object.fromEntries(packages.map((name) => [name, "1"])),
      devDependencies: { vitest: "1" },
    }),
    "tsconfig.json": JSON.stringify({ compilerOptions: { module: "nodenext", allowImportingTsExtensions: true } }),
  };
  for (const name of [...packages, "vitest"]) {
    planted[`node_modules/${name}/package.json`] = JSON.stringify({ name, version: "1.0.0", main: "main.js" });
    planted[`node_modules/${name}/main.js`] = "module.exports = {};\n";
  }
  for (const [path, text] of Object.entries(planted)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const result = await cruise(["src"], {
    ...configuration.options,
    baseDir: root,
    ruleSet: { forbidden: configuration.forbidden ?? [] },
    validate: true,
  });
  const { summary } = result.output as ICruiseResult;
  return summary.violations.map((violation) => `${violation.rule.name}: ${violation.from} -> ${violation.to}`);
}

/** One file that imports another; the import is of running code unless said otherwise. */
function importing(from: string, specifier: string, target: string | undefined, how = "import { value } from"): Tree {
  const tree: Record<string, string> = { [from]: `${how} "${specifier}";\nexport const use = value;\n` };
  if (target !== undefined) tree[target] = value;
  return tree;
}

const planted: readonly [rule: string, tree: Tree, what: string][] = [
  ["model-imports-nothing", importing("src/bgp/model/prefix.ts", "../wire/reader.ts", "src/bgp/wire/reader.ts"), ""],
  ["model-imports-nothing", importing("src/bgp/model/prefix.ts", "node:net", undefined), "a module of Node's"],
  ["model-imports-nothing", importing("src/bgp/model/prefix.ts", "zod", undefined), "a package"],
  [
    "model-imports-nothing",
    importing("src/bgp/model/prefix.ts", "../wire/reader.ts", "src/bgp/wire/reader.ts", "import type { value } from"),
    "even a type",
  ],
  ["columns-import-model-only", importing("src/columns/records.ts", "../rib/rib.ts", "src/rib/rib.ts"), ""],
  ["columns-import-model-only", importing("src/columns/records.ts", "node:fs", undefined), "a module of Node's"],
  ["wire-imports-model-only", importing("src/bgp/wire/open.ts", "../fsm.ts", "src/bgp/fsm.ts"), "the FSM"],
  ["wire-imports-model-only", importing("src/bgp/wire/open.ts", "node:net", undefined), "sockets"],
  ["wire-imports-model-only", importing("src/bgp/wire/open.ts", "../../rib/rib.ts", "src/rib/rib.ts"), "the RIB"],
  ["fsm-is-pure", importing("src/bgp/fsm.ts", "./session.ts", "src/bgp/session.ts"), "the session"],
  ["fsm-is-pure", importing("src/bgp/negotiation.ts", "node:timers", undefined), "timers"],
  ["fsm-is-pure", importing("src/bgp/collision.ts", "./transport.ts", "src/bgp/transport.ts"), "sockets"],
  ["fsm-is-pure", importing("src/bgp/fsm/established.ts", "../session.ts", "src/bgp/session.ts"), "from a folder"],
  ["bgp-knows-no-rib", importing("src/bgp/session.ts", "../rib/rib.ts", "src/rib/rib.ts"), "the RIB"],
  ["bgp-knows-no-rib", importing("src/bgp/listener.ts", "../fib/fib.ts", "src/fib/fib.ts"), "the kernel"],
  ["bgp-knows-no-rib", importing("src/bgp/transport.ts", "../config/model.ts", "src/config/model.ts"), "configuration"],
  ["bgp-knows-no-rib", importing("src/bgp/advertiser.ts", "zod", undefined), "a package"],
  ["rib-imports-model-only", importing("src/rib/rib.ts", "../bgp/wire/reader.ts", "src/bgp/wire/reader.ts"), "wire"],
  ["rib-imports-model-only", importing("src/rib/rib.ts", "../config/model.ts", "src/config/model.ts"), "configuration"],
  ["rib-imports-model-only", importing("src/rib/rib.ts", "../fib/fib.ts", "src/fib/fib.ts"), "the kernel"],
  ["rib-imports-model-only", importing("src/rib/policy/match.ts", "node:net", undefined), "sockets"],
  ["fib-knows-no-rib", importing("src/fib/reconcile.ts", "../rib/rib.ts", "src/rib/rib.ts"), "the RIB"],
  ["fib-knows-no-rib", importing("src/fib/reconcile.ts", "../bgp/wire/reader.ts", "src/bgp/wire/reader.ts"), "wire"],
  ["fib-knows-no-rib", importing("src/fib/reconcile.ts", "../config/model.ts", "src/config/model.ts"), "configuration"],
  ["sys-imports-model-only", importing("src/sys/libc.ts", "../fib/fib.ts", "src/fib/fib.ts"), ""],
  ["config-knows-options-only", importing("src/config/compile.ts", "../rib/rib.ts", "src/rib/rib.ts"), "the RIB"],
  [
    "config-knows-options-only",
    importing("src/config/compile.ts", "../bgp/session.ts", "src/bgp/session.ts", "import type { value } from"),
    "even a type that is no option",
  ],
  ["config-takes-types-only", importing("src/config/compile.ts", "../rib/options.ts", "src/rib/options.ts"), ""],
  ["control-shows-views-only", importing("src/control/http.ts", "../rib/rib.ts", "src/rib/rib.ts"), "the RIB"],
  ["control-shows-views-only", importing("src/control/http.ts", "../bgp/session.ts", "src/bgp/session.ts"), "sessions"],
  ["cli-shows-views-only", importing("src/cli/show.ts", "../rib/rib.ts", "src/rib/rib.ts"), "the RIB"],
  [
    "cli-shows-views-only",
    importing("src/cli/show.ts", "../control/log.ts", "src/control/log.ts"),
    "the daemon's side",
  ],
  ["cli-shows-views-only", importing("src/cli/show.ts", "../config/load.ts", "src/config/load.ts"), "configuration"],
  ["cli-config-reads-files-only", importing("src/cli/config-report.ts", "../rib/rib.ts", "src/rib/rib.ts"), ""],
  ["nobody-imports-the-top", importing("src/cli/show.ts", "../daemon.ts", "src/daemon.ts"), "the daemon"],
  ["nobody-imports-the-top", importing("src/control/http.ts", "../daemon/wire.ts", "src/daemon/wire.ts"), "its folder"],
  ["nobody-imports-the-top", importing("src/version.ts", "./main.ts", "src/main.ts"), "main"],
  ["one-door-pino", importing("src/control/http.ts", "pino", undefined), ""],
  ["one-door-pino-pretty", importing("src/control/http.ts", "pino-pretty", undefined), ""],
  ["one-door-prom-client", importing("src/control/http.ts", "prom-client", undefined), ""],
  ["one-door-commander", importing("src/cli/show.ts", "commander", undefined), ""],
  ["one-door-js-yaml", importing("src/config/validate.ts", "js-yaml", undefined), ""],
  ["one-door-koffi", importing("src/fib/netlink.ts", "koffi", undefined), ""],
  [
    "one-door-@grpc/grpc-js",
    importing("src/config/calico/datastore/etcd/client.ts", "@grpc/grpc-js", undefined),
    "in a neighbour",
  ],
  ["one-door-protobufjs", importing("src/config/calico/cluster.ts", "protobufjs/minimal.js", undefined), ""],
  [
    "clients-load-lazily",
    importing("src/config/calico/open.ts", "./datastore/etcd.ts", "src/config/calico/datastore/etcd.ts"),
    "",
  ],
  [
    "one-door-@kubernetes/client-node",
    importing("src/config/calico/cluster.ts", "@kubernetes/client-node", undefined),
    "",
  ],
  ["one-door-ip-address", importing("src/rib/rib.ts", "ip-address", undefined), ""],
  ["one-door-zod", importing("src/control/http.ts", "zod", undefined), ""],
  [
    "no-cycles",
    {
      "src/rib/a.ts": 'import { b } from "./b.ts";\nexport const a = () => b();\n',
      "src/rib/b.ts": 'import { a } from "./a.ts";\nexport const b = () => a();\n',
    },
    "",
  ],
  ["no-barrels", importing("src/rib/rib.ts", "./policy/index.ts", "src/rib/policy/index.ts"), ""],
  ["product-knows-no-tests", importing("src/daemon.ts", "../test/clock.ts", "test/clock.ts"), "a test's helper"],
  ["product-knows-no-tests", importing("src/daemon.ts", "../scripts/run.mjs", "scripts/run.mjs"), "a script"],
  ["product-knows-no-tests", importing("src/daemon.ts", "../lab/story.ts", "lab/story.ts"), "the lab"],
  ["product-uses-dependencies-only", importing("src/daemon.ts", "vitest", undefined), "a development package"],
  ["everything-resolves", importing("src/daemon.ts", "./missing.ts", undefined), ""],
];

describe("dependency rules, docs/architecture.md section 2", () => {
  it.each(planted.map(([rule, tree, what]) => ({ rule, tree, what })))("$rule fires $what", async ({ rule, tree }) => {
    const found = await violations(tree);
    expect(found.map((line) => line.split(":", 1)[0])).toContain(rule);
  });

  it("every rule is proven by a planted violation", () => {
    const rules = (configuration.forbidden ?? []).map((rule) => rule.name);
    expect([...new Set(planted.map(([rule]) => rule))].toSorted()).toEqual(rules.toSorted());
  });

  it("what the table allows passes", async () => {
    const found = await violations({
      "src/bgp/model/prefix.ts": value,
      "src/columns/records.ts": 'export { value } from "../bgp/model/prefix.ts";\n',
      "src/bgp/wire/reader.ts": 'export { value } from "../model/prefix.ts";\n',
      "src/bgp/options.ts": value,
      "src/bgp/fsm.ts": 'import type { value } from "./options.ts";\nexport type { value };\n',
      "src/sys/libc.ts": 'import koffi from "koffi";\nexport const libc = koffi;\n',
      "src/bgp/session.ts":
        'import net from "node:net";\nimport { libc } from "../sys/libc.ts";\nexport const session = [net, libc];\n',
      "src/rib/options.ts": value,
      "src/rib/rib.ts": 'export { value } from "../columns/records.ts";\nexport { value as v } from "./options.ts";\n',
      "src/fib/fib.ts": 'import fs from "node:fs";\nexport { libc } from "../sys/libc.ts";\nexport const f = fs;\n',
      "src/config/yaml.ts": 'import yaml from "js-yaml";\nimport zod from "zod";\nexport const doors = [yaml, zod];\n',
      "src/config/calico/datastore/etcd/grpc.ts": 'export { Client as value } from "@grpc/grpc-js";\n',
      "src/config/calico/datastore/etcd/messages.ts":
        'import protobuf from "protobufjs";\nexport const reader = protobuf.Reader;\n',
      "src/config/calico/datastore/etcd.ts":
        'export { value } from "./etcd/grpc.ts";\nexport { reader } from "./etcd/messages.ts";\n',
      "src/config/calico/datastore/open.ts": 'export const open = () => import("./etcd.ts");\n',
      "src/config/compile.ts":
        'import type { value } from "../rib/options.ts";\nimport ip from "ip-address";\nexport type { value };\nexport const i = ip;\n',
      "src/control/views.ts": value,
      "src/control/log.ts": 'import pino from "pino";\nexport const log = pino;\n',
      "src/cli/program.ts": 'import { Command } from "commander";\nexport const program = Command;\n',
      "src/cli/show.ts":
        'import type { Command } from "commander";\nexport { value } from "../control/views.ts";\nexport type C = Command;\n',
      "src/cli/config-report.ts": 'export { i } from "../config/compile.ts";\n',
      "src/daemon.ts":
        'import "./rib/rib.ts";\nimport "./bgp/session.ts";\nimport "./fib/fib.ts";\nimport "./config/compile.ts";\nimport "./control/log.ts";\n',
      "src/main.ts": 'import "./daemon.ts";\nimport "./cli/program.ts";\n',
    });
    expect(found).toEqual([]);
  });
});
