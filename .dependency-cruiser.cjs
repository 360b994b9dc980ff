/**
 * Who may import what: the table of docs/architecture.md section 2, one rule a row.
 * Each rule is proven by a planted violation in test/unit/tooling/dependency-rules.test.ts.
 */

/** Only these of a layer's files hold the shape of its options, and only their types leave the layer. */
const optionTypes = "(bgp/options|rib/options|rib/policy/policy|fib/fib|fib/options)\\.ts$";

/** One door each: the packages that a single file may load. */
const doors = {
  pino: "^src/control/log\\.ts$",
  "pino-pretty": "^src/control/log\\.ts$",
  "prom-client": "^src/control/process-metrics\\.ts$",
  commander: "^src/cli/program\\.ts$",
  "js-yaml": "^src/config/yaml\\.ts$",
  koffi: "^src/sys/libc\\.ts$",
  "@grpc/grpc-js": "^src/config/calico/datastore/etcd/grpc\\.ts$",
  protobufjs: "^src/config/calico/datastore/etcd/messages\\.ts$",
  "@kubernetes/client-node": "^src/config/calico/datastore/kubernetes-access\\.ts$",
  "ip-address": "^src/(config|cli)/",
  zod: "^src/config/",
};

/** A folder may import the listed parts of src; `outside` opens Node's modules ("core") and packages ("npm") as well. */
function only(name, comment, from, allowed, outside = []) {
  const to = { pathNot: allowed.map((path) => `^src/${path}`) };
  if (outside.length > 0) to.dependencyTypesNot = outside;
  return { name, comment, severity: "error", from: { path: from }, to };
}

const layers = [
  only("model-imports-nothing", "The vocabulary depends on nothing.", "^src/bgp/model/", ["bgp/model/"]),
  only("columns-import-model-only", "Columns know prefixes and families, nothing else.", "^src/columns/", [
    "columns/",
    "bgp/model/",
  ]),
  only("wire-imports-model-only", "Bytes and model, pure: no sockets, no FSM, no log.", "^src/bgp/wire/", [
    "bgp/wire/",
    "bgp/model/",
  ]),
  only(
    "fsm-is-pure",
    "FSM, negotiation and collision decide; sockets, timers and the clock belong to the session.",
    "^src/bgp/(fsm|negotiation|collision)[./-]",
    ["bgp/(fsm|negotiation|collision)[./-]", "bgp/model/", "bgp/wire/", "bgp/options\\.ts$"],
  ),
  only(
    "bgp-knows-no-rib",
    "BGP meets the RIB through ports alone, and never sees configuration.",
    "^src/bgp/",
    ["bgp/", "sys/"],
    ["core"],
  ),
  only("rib-imports-model-only", "The RIB computes: no wire, no sockets, no configuration, no kernel.", "^src/rib/", [
    "rib/",
    "bgp/model/",
    "columns/",
  ]),
  only(
    "fib-knows-no-rib",
    "The kernel's side knows routes to install, not how they were chosen.",
    "^src/fib/",
    ["fib/", "bgp/model/", "columns/", "sys/"],
    ["core"],
  ),
  only(
    "sys-imports-model-only",
    "The door to libc serves every layer and knows none.",
    "^src/sys/",
    ["sys/", "bgp/model/"],
    ["core", "npm"],
  ),
  only(
    "config-knows-options-only",
    "Configuration translates into each layer's options and touches nothing else of it.",
    "^src/config/",
    ["config/", "bgp/model/", optionTypes],
    ["core", "npm"],
  ),
  {
    name: "config-takes-types-only",
    comment: "Of another layer's options configuration takes the types, never running code.",
    severity: "error",
    from: { path: "^src/config/" },
    to: { path: `^src/${optionTypes}`, dependencyTypesNot: ["type-only"] },
  },
  {
    name: "clients-load-lazily",
    comment:
      "The clients of etcd and of the Kubernetes API cost memory and time: only a daemon that needs one loads it.",
    severity: "error",
    from: { path: "^src/", pathNot: "^src/config/calico/datastore/(etcd|kubernetes)" },
    to: {
      path: "^src/config/calico/datastore/(etcd|kubernetes)",
      dependencyTypesNot: ["type-only", "dynamic-import"],
    },
  },
  only(
    "control-shows-views-only",
    "Control shows what the facades hand out and never owns state.",
    "^src/control/",
    ["control/", "bgp/model/", "version\\.ts$"],
    ["core", "npm"],
  ),
  only(
    "cli-shows-views-only",
    "The client's side talks over the control socket: it shares its protocol and its views, not the daemon.",
    "^src/cli/(?!config-)",
    [
      "cli/",
      "control/(views|answers|protocol|socket-path|nearest|bird/command-words)\\.ts$",
      "bgp/model/",
      "version\\.ts$",
    ],
    ["core", "npm"],
  ),
  only(
    "cli-config-reads-files-only",
    "`check` and `config` judge a file without a daemon: they know configuration and the rest of the command line.",
    "^src/cli/config-",
    ["cli/", "config/", "control/views\\.ts$", "bgp/model/"],
    ["core", "npm"],
  ),
  {
    name: "nobody-imports-the-top",
    comment: "main and daemon join the layers; nothing below knows them.",
    severity: "error",
    from: { path: "^src/", pathNot: "^src/(main|daemon)[./]" },
    to: { path: "^src/(main|daemon)[./]" },
  },
];

const oneDoorEach = Object.entries(doors).map(([name, door]) => ({
  name: `one-door-${name}`,
  comment: `${name} is loaded by one file; others may name its types.`,
  severity: "error",
  from: { path: "^src/", pathNot: door },
  to: { path: `^(node_modules/)?${name}(/|$)`, dependencyTypesNot: ["type-only"] },
}));

module.exports = {
  forbidden: [
    ...layers,
    ...oneDoorEach,
    {
      name: "no-cycles",
      comment: "Two files that need each other are one idea, or hide a third.",
      severity: "error",
      from: { path: "^(src|test|bench|lab)/" },
      to: { circular: true },
    },
    {
      name: "no-barrels",
      comment: "Import the file that owns the idea.",
      severity: "error",
      from: {},
      to: { path: "/index\\.ts$", pathNot: "^node_modules/" },
    },
    {
      name: "product-knows-no-tests",
      comment: "What ships never reaches for tests, benchmarks, the lab or scripts.",
      severity: "error",
      from: { path: "^src/" },
      to: { path: "^(test|bench|lab|scripts)/" },
    },
    {
      name: "product-uses-dependencies-only",
      comment: "What ships imports `dependencies` only: development packages are not in the image.",
      severity: "error",
      from: { path: "^src/" },
      to: { dependencyTypes: ["npm-dev", "npm-optional", "npm-no-pkg", "npm-unknown"] },
    },
    {
      name: "everything-resolves",
      comment: "An import that cannot be found.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: "^node_modules/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default", "types"] },
  },
};
