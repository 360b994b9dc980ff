/** docs/configuration.md from the file's schema: every key, what it accepts, its default, what it means. */

import { type JsonSchema, jsonSchema } from "../src/config/json-schema.ts";

const INTRODUCTION = `# The configuration file

This page is generated from the schema (\`npx tsx scripts/docs-configuration.ts\`); \`starling config schema\` prints the schema itself
as JSON Schema, with which an editor completes and checks the file. Write it to a file and name it in the first line:

\`\`\`yaml
# yaml-language-server: $schema=starling.schema.json
asNumber: 64512
peers:
  - {address: 10.0.0.254, asNumber: 65001}
\`\`\`

\`starling check -c FILE\` says what is wrong: file, line, column, key, what is accepted. \`starling config show -c FILE\` prints what the
file comes to, every default written out. Complete files stand in \`deploy/examples\`.

- The file is YAML 1.2, one document, at most 16 MiB. Anchors and aliases work; merge keys (\`<<\`) do not: use \`templates\`.
- Every key but \`asNumber\` has a default. A key with nothing after it, or \`null\`, means the default.
- Durations are \`90s\`, \`300ms\`, \`2m\`, \`1h\`; a bare number is seconds. Prefixes are in CIDR form; host bits draw a warning and are cleared.
- AS numbers may be written as asdot (\`1.10\`, RFC 5396).
- Communities are \`65000:1\` (standard), \`65000:1:2\` (large), \`rt:65000:1\` and \`ro:65000:1\` (extended), or names: \`no-export\`, \`no-advertise\`,
  \`no-export-subconfed\`, \`no-peer\`, \`blackhole\`, \`graceful-shutdown\`, \`accept-own\`, \`llgr-stale\`, \`no-llgr\`.
- An unknown key is an error that names the nearest known one.
- One wrong peer never stops the others: a reload leaves that peer as it was and reports it. Anything else that is wrong makes a
  reload change nothing. The first start and \`starling check\` refuse the file in both cases.
- External peers without policies import and export everything, where RFC 8212 would have nothing; \`check\` and the log recommend policies.
- Peers inherit: \`peerDefaults\`, above it the templates named by \`use\` in their order, above them the peer's own keys. \`timers\`, \`families\`
  and \`gracefulRestart\` are inherited key by key, all else as a whole; \`null\` takes the default again.
- Not in this version, and refused with a message that says so: \`bmp\`, \`bfd\`.
`;

/** Keys of the root in the order in which a reader meets them. */
const ORDER = [
  "listen",
  "routeReflector",
  "peers",
  "peerDefaults",
  "templates",
  "policies",
  "originate",
  "aggregates",
  "kernel",
  "calico",
  "control",
  "http",
  "log",
];

export function configurationReference(): string {
  const root = jsonSchema();
  const properties = root.properties ?? {};
  const scalars = Object.entries(properties).filter(([key]) => !ORDER.includes(key));
  const parts = [INTRODUCTION, "## The node\n", table(scalars.flatMap(([key, node]) => rows(key, node, root)))];
  for (const key of ORDER) {
    const node = properties[key];
    if (node !== undefined) parts.push(section(key, node, root));
  }
  return `${parts.join("\n")}`;
}

function section(key: string, node: JsonSchema, root: JsonSchema): string {
  const description = resolved(node, root).description ?? node.description ?? "";
  const about = [`## ${key}\n`, `${description}${defaultOf(node)}\n`];
  if (key === "peerDefaults" || key === "templates") {
    const what = key === "templates" ? "Each template takes" : "It takes";
    return [
      ...about,
      `${what} every key of [peers](#peers) but \`name\`, \`address\`, \`range\`, \`rangeLimit\` and \`interface\`.\n`,
    ].join("\n");
  }
  if (key === "peers") {
    return [...about, bodyOf("peer", root), "### family of a peer\n", bodyOf("family", root)].join("\n");
  }
  if (key === "policies") return [...about, described("policy", root), bodyOf("term", root)].join("\n");
  const item = node.items ?? node;
  return [...about, table(mappingRows("", resolved(item, root), root))].join("\n");
}

function bodyOf(name: string, root: JsonSchema): string {
  const node = root.$defs?.[name] ?? {};
  return [`${node.description ?? ""}\n`, table(mappingRows("", node, root))].join("\n");
}

function described(name: string, root: JsonSchema): string {
  return `${root.$defs?.[name]?.description ?? ""}\n`;
}

/** A text, or a text without a default. */
function defaultOf(node: JsonSchema): string {
  return node.default === undefined ? "" : ` Default: \`${JSON.stringify(node.default)}\`.`;
}

function table(lines: readonly string[]): string {
  return ["| key | accepted | default | meaning |", "| --- | --- | --- | --- |", ...lines, ""].join("\n");
}

function mappingRows(prefix: string, node: JsonSchema, root: JsonSchema): readonly string[] {
  // Of several kinds each has its own keys.
  if (node.oneOf !== undefined) return node.oneOf.flatMap((kind) => mappingRows(prefix, kind, root));
  const mapping = node.properties === undefined ? node.anyOf?.find((one) => one.properties !== undefined) : node;
  return Object.entries(mapping?.properties ?? {}).flatMap(([key, inner]) => rows(`${prefix}${key}`, inner, root));
}

/** One row for the key, and one for each key below it. */
function rows(key: string, node: JsonSchema, root: JsonSchema): readonly string[] {
  const isFamily = node.$ref?.endsWith("/family") === true;
  const below = isFamily ? [] : mappingRows(`${key}.`, node, root);
  const value = node.default === undefined ? "" : `\`${JSON.stringify(node.default)}\``;
  const examples = (node.examples ?? []).map((example) => `\`${exampleText(example)}\``).join(", ");
  const meaning = `${node.description ?? ""}${examples === "" ? "" : ` For example ${examples}.`}`;
  const accepted = isFamily ? "a [family](#family-of-a-peer)" : acceptedBy(node, root);
  return [`| \`${key}\` | ${[accepted, value, meaning].map(cell).join(" | ")} |`, ...below];
}

function acceptedBy(node: JsonSchema, root: JsonSchema): string {
  if (node.$ref !== undefined) return acceptedBy(resolved(node, root), root);
  if (node.$comment !== undefined) return node.$comment;
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.enum !== undefined) return node.enum.filter((value) => value !== null).join(", ");
  if (node.oneOf !== undefined) return "one of the mappings below, told apart by `type`";
  if (node.anyOf !== undefined) return node.anyOf.map((one) => acceptedBy(one, root)).join("; or ");
  if (node.items !== undefined) return `a list of: ${acceptedBy(node.items, root)}`;
  if (node.properties !== undefined) return "a mapping";
  if (typeof node.additionalProperties === "object")
    return `names, each with one of: ${acceptedBy(node.additionalProperties, root)}`;
  if (node.minimum !== undefined) return `${node.minimum} to ${node.maximum}`;
  return node.type === "boolean" ? "true, false" : node.type === "string" ? "text" : String(node.type);
}

function resolved(node: JsonSchema, root: JsonSchema): JsonSchema {
  const name = node.$ref?.replace("#/$defs/", "");
  return name === undefined ? node : (root.$defs?.[name] ?? {});
}

function exampleText(example: unknown): string {
  return typeof example === "string" ? example : JSON.stringify(example);
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}
