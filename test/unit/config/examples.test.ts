import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { configurationReference } from "../../../scripts/configuration-reference.ts";
import { asn, type PeerId } from "../../../src/bgp/model/ids.ts";
import { compile, compilePeer } from "../../../src/config/compile.ts";
import { accept, loadFile } from "../../../src/config/load.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const examples = readdirSync(`${root}deploy/examples`).filter((name) => name.endsWith(".yaml"));

describe("deploy/examples", () => {
  it("are there", () => {
    expect(examples).toEqual(["dual-stack.yaml", "node.yaml", "reflector.yaml", "tor.yaml"]);
  });

  it.each(examples)("%s is right, draws no warning, and compiles", (name) => {
    // The router id is the machine's; where a file leaves it open, any will do.
    const loaded = loadFile(`${root}deploy/examples/${name}`);
    expect(loaded.problems.filter(({ path }) => path !== "routerId")).toEqual([]);
    const config = accept(loaded);
    const compiled = compile(config, { hostName: "h", restarting: false });
    expect(config.peers.length).toBeGreaterThan(0);
    for (const peer of config.peers) expect(compilePeer(peer, config, 1 as PeerId).session.name).toBe(peer.name);
    expect(compiled.speaker.asNumber).toBeGreaterThan(asn(0));
  });

  it("node.yaml has ten lines", () => {
    expect(readFileSync(`${root}deploy/examples/node.yaml`, "utf8").trimEnd().split("\n").length).toBeLessThanOrEqual(
      10,
    );
  });
});

describe("README.md", () => {
  it("shows a file of ten lines that is right and draws no warning", () => {
    const shown = readFileSync(`${root}README.md`, "utf8").match(/```yaml\n(.*?)```/s)?.[1] ?? "";
    expect(shown.trimEnd().split("\n")).toHaveLength(10);
    const folder = mkdtempSync(join(tmpdir(), "starling-readme-"));
    writeFileSync(join(folder, "node.yaml"), shown);
    const loaded = loadFile(join(folder, "node.yaml"));
    rmSync(folder, { recursive: true });
    expect(loaded.problems).toEqual([]);
    expect(accept(loaded).peers).toHaveLength(1);
  });
});

describe("docs/configuration.md", () => {
  it("is what the schema says (npx tsx scripts/docs-configuration.ts writes it)", () => {
    expect(readFileSync(`${root}docs/configuration.md`, "utf8")).toBe(configurationReference());
  });
});
