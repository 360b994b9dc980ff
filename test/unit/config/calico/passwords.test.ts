/** The passwords of sessions: what is taken of Secrets, and what is not. */

import { describe, expect, it } from "vitest";
import { calico, clusterOf, node, type Written } from "./cluster-of.ts";

const own = node("node-1", { ipv4Address: "10.0.0.1/24" });
const peer = (spec: Written, name = "a") => calico("BGPPeer", name, spec);
const secret = (data: Written) => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name: "s", namespace: "kube-system" },
  stringData: data,
});
const external = { peerIP: "192.0.2.1", asNumber: 65000 };

describe("passwords", () => {
  const withPassword = peer({ ...external, password: { secretKeyRef: { name: "s", key: "k" } } });
  const passwordOf = (data: Written) => clusterOf(own, withPassword, secret(data)).model().ipv4.peers[0]?.password;

  it("may hold anything but a line break at their end", () => {
    expect(passwordOf({ k: 'with "quotes" and \\' })).toBe('with "quotes" and \\');
    expect(passwordOf({ k: "secret\n" })).toBe("secret");
    expect(passwordOf({ other: "x" })).toBeNull();
  });

  it("of more than 80 octets keep the session down rather than leave it open", () => {
    const world = clusterOf(own, withPassword, secret({ k: "x".repeat(81) }));
    expect(world.model().ipv4.peers).toEqual([]);
    expect(world.problems()).toEqual([expect.stringMatching(/^BGPPeer\/a spec.password: .* longer than 80 octets/)]);
    expect(passwordOf({ k: "x".repeat(80) })).toHaveLength(80);
  });

  it("that cannot be used leave sessions that have one with what they have", () => {
    const world = clusterOf(own, withPassword, secret({ k: "right" }));
    const now = () => world.model().ipv4.peers.map(({ password }) => password);
    expect(now()).toEqual(["right"]);
    for (const wrong of ["x".repeat(81), "with\u0000nul"]) {
      world.become([own, withPassword, secret({ k: wrong })]);
      expect(now()).toEqual(["right"]);
      expect(world.problems()).toEqual([expect.stringMatching(/^BGPPeer\/a spec.password: .*: the one before stays/)]);
    }
    // What is gone is gone, as with BIRD.
    world.become([own, withPassword]);
    expect(now()).toEqual([null]);
    world.become([own, withPassword, secret({ k: "x".repeat(81) })]);
    expect(now()).toEqual([]);
    world.become([own, withPassword, secret({ k: "other" })]);
    expect(now()).toEqual(["other"]);
  });

  it("are never part of a problem", () => {
    const broken = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "s", namespace: "kube-system" },
      data: { k: "hunter2 hunter2!" },
    };
    for (const object of [broken, secret({ k: `hunter2${"x".repeat(90)}` }), secret({ k: "hunter2\n" })]) {
      expect(clusterOf(own, withPassword, object).problems().join()).not.toContain("hunter2");
    }
  });

  it("that stand where the Secret belongs are not repeated", () => {
    for (const password of ["hunter2", ["hunter2"], { secretKeyRef: "hunter2" }, { secretKeyRef: ["hunter2"] }]) {
      const problems = clusterOf(own, peer({ ...external, password }))
        .problems()
        .join();
      expect(problems).toContain("names no Secret; accepted: ");
      expect(problems).not.toContain("hunter2");
    }
  });

  it("name the Secrets that are needed here, and no others", () => {
    const elsewhere = peer({ ...external, node: "node-2", password: { secretKeyRef: { name: "t", key: "k" } } }, "b");
    const mesh = calico("BGPConfiguration", "default", { nodeMeshPassword: { secretKeyRef: { name: "m", key: "k" } } });
    const two = node("node-2", { ipv4Address: "10.0.0.2/24" });
    const secrets = (...objects: readonly Written[]) => clusterOf(own, ...objects).translate().secrets;
    expect(secrets(withPassword, elsewhere)).toEqual({ namespace: "kube-system", names: ["s"] });
    expect(secrets(withPassword, mesh, two).names).toEqual(["m", "s"]);
  });
});
