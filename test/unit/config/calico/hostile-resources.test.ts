/** Whatever is in a datastore, a node makes a configuration of it that the engine takes: right values, wrong ones, names of every kind. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PeerId } from "../../../../src/bgp/model/ids.ts";
import { CalicoConfig, problemOfResource } from "../../../../src/config/calico/calico-config.ts";
import { toStoredForm } from "../../../../src/config/calico/datastore/stored-form.ts";
import { compile, compilePeer } from "../../../../src/config/compile.ts";
import type { Config } from "../../../../src/config/model.ts";
import { formatProblem } from "../../../../src/config/problem.ts";
import { fileOf } from "../../../harness/calico-source.ts";
import { calico, clusterOf, node, TestCluster } from "./cluster-of.ts";
import { hostile, hostileOptions, kubernetes, SEEDS } from "./hostile.ts";

/** Everything that the engine makes of a configuration when it takes it over. */
function compileAll(config: Config): number {
  const context = { hostName: "node-1", restarting: false };
  const compiled = compile(config, context);
  for (const [i, peer] of config.peers.entries()) compilePeer(peer, config, (i + 1) as PeerId);
  return compiled.originated.length;
}

describe("hostile resources", () => {
  it("are never thrown over, and what is right of them always makes a configuration", () => {
    let configurations = 0;
    fc.assert(
      fc.property(
        fc.array(fc.array(hostile, { maxLength: 6 }), { minLength: 1, maxLength: 3 }),
        hostileOptions,
        (states, how) => {
          const cluster = new TestCluster();
          const toConfig = new CalicoConfig(fileOf(), { role: how.role ?? "node", logSeverity: undefined });
          // The resources change, and all that is remembered of the state before is used.
          for (const objects of [SEEDS, ...states.map((some) => [...SEEDS, ...some])]) {
            cluster.become(objects);
            const { model, problems, clusterId } = cluster.translate(how);
            JSON.stringify([model, problems]);
            if (model === undefined) continue;
            const { config, problems: more } = toConfig.merge(model, clusterId);
            expect(config, more.map(formatProblem).join("\n")).toBeDefined();
            if (config === undefined) continue;
            compileAll(config);
            configurations++;
          }
        },
      ),
      { numRuns: 500 },
    );
    expect(configurations).toBeGreaterThan(100);
  }, 60_000);

  it.each(["0", "4294967296", "65536.1", "1.65536", "", "-1"])(
    "an annotation with the AS number %j is none",
    (written) => {
      const annotations = { "projectcalico.org/IPv4Address": "10.0.0.2/24", "projectcalico.org/ASNumber": written };
      const cluster = clusterOf(
        node("node-1", { ipv4Address: "10.0.0.1/24" }),
        kubernetes("v1", "Node", "node-2", { metadata: { annotations } }),
      );
      expect(cluster.model().ipv4.peers.map(({ asNumber }) => asNumber)).toEqual([64512]);
      expect(cluster.problems()).toHaveLength(written === "" || written === "0" ? 0 : 1);
    },
  );

  it("a path may begin with more AS numbers than an expression of the file may have characters for", () => {
    const asPathPrefix = Array.from({ length: 100 }, (_, i) => 4_200_000_000 + i);
    const cluster = clusterOf(
      node("node-1", { ipv4Address: "10.0.0.1/24" }),
      calico("BGPFilter", "f", { importV4: [{ action: "Accept", asPathPrefix }] }),
    );
    const { config } = new CalicoConfig(fileOf(), { role: "node", logSeverity: undefined }).merge(
      cluster.model(),
      undefined,
    );
    const path = config?.policies["calico:f/import/ipv4"]?.policy.terms[0]?.match.asPath;
    const text = asPathPrefix.join(" ");
    expect([text, `${text} 1`, `${text} {1 2}`].map((one) => path?.test(one))).toEqual([true, true, true]);
    expect(["", text.slice(0, -1), `${text}0`, `1 ${text}`].map((one) => path?.test(one))).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  it.each([["\u001b[2J"], ["a\nBGPPeer/b"], ["\u2028"], ["n".repeat(254)]])("%j is no name", (name) => {
    for (const one of [
      calico("BGPPeer", name),
      { ...calico("BGPPeer", "a"), metadata: { name: "a", namespace: name } },
    ]) {
      expect(toStoredForm(one)).toEqual({
        kind: "wrong",
        message: expect.stringContaining("is not accepted as a name"),
      });
    }
  });

  it("no text of theirs steers a terminal or begins a line of its own", () => {
    const text = "\u001b[2J\u0007\n\r\u009b1m\u202e\u2028";
    const cluster = clusterOf(
      node("node-1", { ipv4Address: "10.0.0.1/24", [text]: 1 }),
      calico(text, "a"),
      calico("BGPPeer", "a", { [text]: text, filters: [text], peerIP: "192.0.2.1", asNumber: 65000 }),
    );
    const lines = cluster.translate().problems.map((one) => formatProblem(problemOfResource(one)));
    expect(lines).toHaveLength(4);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
    for (const line of lines) expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e]/);
  });

  it("names of communities are told as far as anybody reads them", () => {
    const communities = Array.from({ length: 500 }, (_, i) => ({ name: `${"n".repeat(240)}${i}`, value: "65000:1" }));
    const prefixAdvertisements = Array.from({ length: 100 }, (_, i) => ({
      cidr: `10.${i}.0.0/16`,
      communities: Array.from({ length: 50 }, (_, j) => `unknown-${j}`),
    }));
    const cluster = clusterOf(
      node("node-1", { ipv4Address: "10.0.0.1/24" }),
      calico("BGPConfiguration", "default", { communities, prefixAdvertisements }),
    );
    expect(JSON.stringify(cluster.translate().problems).length).toBeLessThan(1_000_000);
  });
});
