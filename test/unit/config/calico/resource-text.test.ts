import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { piecesOf, resourcesOf } from "../../../../src/config/calico/datastore/resource-text.ts";
import { formatYaml } from "../../../../src/config/yaml.ts";

/** "line: Kind name", or "line: what is wrong". */
function read(text: string): string[] {
  const found: string[] = [];
  for (const piece of piecesOf(text)) {
    if (piece === undefined) continue;
    for (const { form, line } of resourcesOf(piece)) {
      const at = piece.line + line;
      if (form.kind === "object") found.push(`${at}: ${form.object.kind} ${form.object.metadata.name}`);
      else if (form.kind === "wrong") found.push(`${at}: ${form.message}`);
    }
  }
  return found;
}

const peer = (name: string, extra = "") => `apiVersion: projectcalico.org/v3
kind: BGPPeer
metadata:
  name: ${name}
spec:
  peerIP: 10.0.0.1
${extra}`;

describe("resources in YAML", () => {
  it("are read from every document, with the line of each", () => {
    expect(read(`# a comment\n---\n${peer("a")}---\n${peer("b")}...\n---\n# nothing\n---\n`)).toEqual([
      "3: BGPPeer a",
      "10: BGPPeer b",
    ]);
  });

  it("do not end at what only looks like a marker", () => {
    expect(read(peer("a", "  description: |\n    ---\n    ...\n  note: ---x\n"))).toEqual(["1: BGPPeer a"]);
  });

  it.each([
    ["items at the margin, as kubectl has them", ""],
    ["items indented", "  "],
  ])("are read from lists: %s", (_what, indent) => {
    const item = (name: string) =>
      `${indent}- apiVersion: projectcalico.org/v3\n${indent}  kind: BGPPeer\n${indent}  metadata:\n${indent}    name: ${name}\n` +
      `${indent}    note: |\n${indent}      - apiVersion: x\n\n${indent}  spec: {}\n`;
    const text = `apiVersion: v1\nitems:\n# one\n${item("a")}${item("b")}\nkind: List\nmetadata:\n  resourceVersion: ""\n`;
    expect(read(text)).toEqual(["4: BGPPeer a", "12: BGPPeer b"]);
  });

  it("leave alone the others of their list when one is broken", () => {
    const item = (name: string, selector: string) =>
      `- apiVersion: projectcalico.org/v3\n  kind: BGPPeer\n  metadata:\n    name: ${name}\n  spec:\n    nodeSelector: ${selector}\n`;
    const text = `kind: BGPPeerList\napiVersion: projectcalico.org/v3\nitems:\n${item("a", "all()")}${item("b", "!has(rr)")}${item("c", "'!has(rr)'")}`;
    expect(read(text)).toEqual([
      "4: BGPPeer a",
      "15: not valid YAML: tags are not accepted; quote a value that begins with !",
      "16: BGPPeer c",
    ]);
  });

  it("are read as a whole where an item names the anchor of another", () => {
    const text =
      "kind: List\nitems:\n- apiVersion: projectcalico.org/v3\n  kind: BGPPeer\n  metadata: {name: a}\n  spec: &s {peerIP: 10.0.0.1}\n" +
      "- apiVersion: projectcalico.org/v3\n  kind: BGPPeer\n  metadata: {name: b}\n  spec: *s\n";
    expect(read(text)).toEqual(["3: BGPPeer a", "7: BGPPeer b"]);
  });

  it("take kind and version from a list of the API itself, whose items have none", () => {
    const text = "apiVersion: projectcalico.org/v3\nkind: IPPoolList\nitems:\n- metadata: {name: p}\n  spec: {}\n";
    expect(read(text)).toEqual(["4: IPPool p"]);
  });

  it("are found in a list whose last line, its kind, was not copied", () => {
    const text =
      "apiVersion: projectcalico.org/v3\nitems:\n  - apiVersion: projectcalico.org/v3\n    kind: IPPool\n    metadata: {name: p}\n";
    expect(read(text)).toEqual(["3: IPPool p"]);
  });

  it("have labels that are texts, as calicoctl takes them", () => {
    const [piece] = piecesOf("apiVersion: v1\nkind: Node\nmetadata: {name: n, labels: {rr: true, rack: 7, empty: }}\n");
    const [found] = piece === undefined ? [] : resourcesOf(piece);
    expect(found?.form).toMatchObject({ object: { metadata: { labels: { rr: "true", rack: "7", empty: "" } } } });
  });

  it("are found in lists of lists, as calicoctl prints several kinds", () => {
    const text = `- kind: BGPPeerList\n  apiVersion: projectcalico.org/v3\n  items:\n  - apiVersion: projectcalico.org/v3\n    kind: BGPPeer\n    metadata: {name: a}\n- kind: IPPoolList\n  apiVersion: projectcalico.org/v3\n  items: []\n`;
    expect(read(text)).toEqual(["4: BGPPeer a"]);
  });

  it("may have Windows' line ends, and a byte order mark", () => {
    const text = `\ufeff${`kind: List\nitems:\n- ${peer("a").trimEnd().split("\n").join("\n  ")}\n`.replaceAll("\n", "\r\n")}`;
    expect(read(text)).toEqual(["3: BGPPeer a"]);
  });
});

describe("resources in JSON", () => {
  const a = { apiVersion: "projectcalico.org/v3", kind: "BGPPeer", metadata: { name: 'a "]}{[' }, spec: { x: "\\" } };
  const b = { ...a, metadata: { name: "b" } };
  it.each<[string, unknown, string[]]>([
    ["one", a, ['1: BGPPeer a "]}{[']],
    ["a list", { apiVersion: "v1", kind: "List", items: [a, b] }, ['5: BGPPeer a "]}{[', "15: BGPPeer b"]],
    ["a list whose kind comes last", { items: [b], kind: "List" }, ["3: BGPPeer b"]],
    ["an array", [b, { kind: "List", items: [a] }], ["2: BGPPeer b", '12: BGPPeer a "]}{[']],
    ["an empty list", { kind: "List", items: [] }, []],
  ])("%s", (_what, value, expected) => {
    expect(read(JSON.stringify(value, undefined, 1))).toEqual(expected);
  });

  it("are named with what is wrong where they are cut off", () => {
    expect(read('{"apiVersion": "v1",\n "items": [')[0]).toMatch(/^\d: not valid YAML/);
  });
});

describe("what is no resource of BGP", () => {
  it.each<[string, string, string | undefined]>([
    ["a Deployment", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}", undefined],
    ["a policy of Calico", "apiVersion: projectcalico.org/v3\nkind: NetworkPolicy\nmetadata: {name: x}", undefined],
    [
      "a mistyped kind",
      "apiVersion: projectcalico.org/v3\nkind: BGPPer\nmetadata: {name: x}",
      "did you mean `BGPPeer`",
    ],
    [
      "the wrong version",
      "apiVersion: projectcalico.org/v1\nkind: BGPPeer\nmetadata: {name: x}",
      "projectcalico.org/v3",
    ],
    ["a form long gone", "apiVersion: v1\nkind: bgpPeer\nmetadata: {peerIP: 10.0.0.1}", "calicoctl convert"],
    ["the operator's", "apiVersion: operator.tigera.io/v1\nkind: Installation\nmetadata: {name: x}", "Tigera operator"],
    ["an object without a name", "apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: {}", "metadata.name"],
    ["a label that is no text", "apiVersion: v1\nkind: Node\nmetadata: {name: x, labels: {rr: [1]}}", 'labels`["rr"]'],
    ["a text", "just words", "not a resource"],
    ["a number", "7", "not a resource"],
  ])("%s", (_what, text, expected) => {
    const found = read(text);
    if (expected === undefined) expect(found).toEqual([]);
    else expect(found).toEqual([expect.stringContaining(expected)]);
  });
});

describe("any text at all", () => {
  it("is read without an exception", () => {
    const words = fc.constantFrom(
      "---\n",
      "...\n",
      "items:\n",
      "- ",
      "  ",
      "kind: List\n",
      "{",
      "}",
      "[",
      "]",
      '"',
      "\\",
      ",",
      ":",
      "&a ",
      "*a",
      "!x",
      "\n",
      "\r\n",
      "#",
      "|\n",
      "\ufeff",
      "%YAML 1.2\n",
    );
    const text = fc
      .array(fc.oneof({ weight: 4, arbitrary: words }, fc.string()), { maxLength: 60 })
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, (written) => void read(written)),
      { numRuns: 3000 },
    );
  });

  it("nested without end is refused", () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    expect(read(`{"kind": "List", "items": ${deep}}`)).toEqual([expect.stringContaining("nested more than 64 deep")]);
    expect(read(deep)).toEqual([expect.stringContaining("nested more than 64 deep")]);
  });

  it("comes to the same objects in pieces as it does whole", () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
    const value: fc.Arbitrary<unknown> = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.array(fc.string(), { maxLength: 3 }),
    );
    const peers = fc.array(fc.record({ name, spec: fc.dictionary(name, value, { maxKeys: 5 }) }), { maxLength: 6 });
    fc.assert(
      fc.property(peers, fc.boolean(), (items, isJson) => {
        const objects = items.map((item) => ({
          apiVersion: "projectcalico.org/v3",
          kind: "BGPPeer",
          metadata: { name: item.name },
          spec: item.spec,
        }));
        const list = { apiVersion: "v1", kind: "List", items: objects, metadata: { resourceVersion: "" } };
        const text = isJson ? JSON.stringify(list, undefined, 2) : formatYaml(list);
        const found = [...piecesOf(text)].flatMap((piece) => (piece === undefined ? [] : resourcesOf(piece)));
        expect(found.map(({ form }) => (form.kind === "object" ? form.object["spec"] : form))).toEqual(
          objects.map(({ spec }) => spec),
        );
      }),
    );
  });
});
