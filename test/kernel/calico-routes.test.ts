/** The kernel's table of a Calico node, as people quoted it: IPIP, no encapsulation, VXLAN, dual stack, with and without priorities. */

import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { KernelRule } from "../../src/rib/options.ts";
import { shared } from "../harness/shared-data.ts";
import { enterNewNamespace, ip, routes, veth } from "./support/namespace.ts";
import { BASE, METRIC_RULE, Node, PRIORITIES, ruleOf, within } from "./support/node.ts";

interface Quoted {
  readonly text: string;
  readonly prefix: string;
  readonly gateway: string | undefined;
  readonly device: string;
}

const TUNNEL = "tunl0";
const file = shared("ip-route/quotes.jsonl");
/** By id, the routes that BIRD wrote. */
const quotes = new Map<string, { readonly mode: string; readonly lines: readonly Quoted[] }>();
for (const line of file === undefined ? [] : readFileSync(file, "utf8").trim().split("\n")) {
  const { id, mode, text } = JSON.parse(line) as { id: string; mode: string; text: string };
  // Of "wrong" and "right" the latter.
  const lines = text.slice(Math.max(0, text.indexOf("right:"))).split("\n");
  quotes.set(id, { mode, lines: lines.filter((l) => /proto bird/.test(l) && !/^Deleted|</.test(l)).map(quotedOf) });
}

function quotedOf(line: string): Quoted {
  const text = line.replace(/\s+/g, " ").trim();
  const words = text.replace(/^blackhole /, "").split(" ");
  const after = (word: string) => (words.includes(word) ? words[words.indexOf(word) + 1] : undefined);
  return { text, prefix: words[0] ?? "", gateway: after("via"), device: after("dev") ?? "" };
}

let node: Node;
afterEach(async () => {
  await node.stop();
});

/** What ip(8) shows of our routes, with the words of the quotes. */
function shown(): string[] {
  const lines = [4, 6].flatMap((family) => ip(`-${family} route show proto bird`).split("\n"));
  return lines
    .map((line) => line.replace(/\s+/g, " ").trim())
    .filter((line) => line !== "")
    .map((line) =>
      line
        .replace(/^(blackhole )?(\S+)/, "$1$2 proto bird")
        .replace(/ proto bird( via \S+)?( dev \S+)?/, "$1$2 proto bird"),
    )
    .sort();
}

/** Stands in for IPIP, which not every kernel of a test has. */
function tunnel(): void {
  veth(TUNNEL, `${TUNNEL}-far`, []);
}

/** The gateway's subnet is on this interface. */
function near(gateway: string): string {
  return gateway.includes(":") ? `${gateway.replace(/[^:]*$/, "fffe")}/64` : `${gateway.replace(/\d+$/, "253")}/24`;
}

describe.skipIf(file === undefined)("routes as they were quoted (needs ../shared/data)", () => {
  it.each(["r00", "r04", "r06", "r12", "r14", "r18", "r22", "r26"])("%s", async (id) => {
    const quote = quotes.get(id);
    if (quote === undefined) throw new RangeError(`no quote ${id}`);
    const { lines } = quote;
    expect(lines.length).toBeGreaterThan(0);
    enterNewNamespace();
    const underlay = lines.find(({ gateway, device }) => gateway !== undefined && device !== TUNNEL)?.device ?? "eth0";
    const gateways = lines.flatMap(({ gateway }) => gateway ?? []);
    veth(underlay, "far", [...new Set(gateways.map((gateway) => near(gateway)))]);
    tunnel();
    const tunnelled = lines.filter(({ device }) => device === TUNNEL).map(({ prefix }) => prefix);
    const prioritised = lines.some(({ prefix, text }) => !prefix.includes(":") && text.includes("metric 1024"));
    const kernelRules: KernelRule[] = [
      ...(prioritised ? [METRIC_RULE] : []),
      ruleOf("accept", { prefixes: within(...tunnelled) }, { device: TUNNEL }),
    ];
    node = await Node.start({ priorities: prioritised ? PRIORITIES : undefined, kernelRules });
    node.peer(1);
    node.own(lines.filter(({ gateway }) => gateway === undefined).map(({ prefix }) => prefix));
    for (const { prefix, gateway } of lines)
      if (gateway !== undefined) node.announce(1, gateway, [prefix], { localPref: prioritised ? BASE - 1024 : 100 });
    await vi.waitFor(() => expect(shown()).toEqual(lines.map(({ text }) => text).sort()), 5000);
  });
});

describe("what belongs to Felix", () => {
  /** A pool of Felix's, whose routes it writes with protocol 80, and one of ours. */
  async function start(): Promise<void> {
    enterNewNamespace();
    veth("eth0", "far", ["10.10.10.9/24"]);
    tunnel();
    ip("route add 192.168.23.64/26 via 10.10.10.10 dev eth0 proto 80 onlink");
    ip("route add blackhole 192.168.81.64/26 proto 80");
    node = await Node.start({
      priorities: PRIORITIES,
      kernelRules: [METRIC_RULE, ruleOf("reject", { prefixes: within("192.168.0.0/16") })],
    });
    node.peer(1);
  }

  it("VXLAN pools: nothing of ours beside its routes, own blocks included", async () => {
    await start();
    node.own(["192.168.81.64/26", "10.44.0.0/26"]);
    node.announce(1, "10.10.10.10", ["192.168.23.64/26", "192.168.99.0/26", "10.45.0.0/26"], {
      localPref: BASE - 1024,
    });
    await vi.waitFor(() =>
      expect(shown()).toEqual([
        "10.45.0.0/26 via 10.10.10.10 dev eth0 proto bird metric 1024",
        "blackhole 10.44.0.0/26 proto bird",
      ]),
    );
    expect(routes(4, "proto 80").map(({ dst }) => dst)).toEqual(["192.168.23.64/26", "192.168.81.64/26"]);
  });

  it("a service range is announced and never a blackhole here", async () => {
    enterNewNamespace();
    veth("eth0", "far", ["10.10.10.9/24"]);
    node = await Node.start({
      kernelRules: [ruleOf("reject", { prefixes: within("10.101.0.0/16", "fd00:101::/112") })],
    });
    node.peer(1);
    node.own(["10.101.0.0/16", "10.101.0.37/32", "fd00:101::/112"]);
    await vi.waitFor(() => expect([...node.told(1).keys()].sort()).toEqual(["10.101.0.0/16", "10.101.0.37/32"]));
    expect(shown()).toEqual([]);
  });

  it("a route of Felix's in the very place keeps it, and ours comes when it goes", async () => {
    await start();
    ip("route add 10.45.0.1/32 dev eth0 scope link proto boot metric 1024");
    node.announce(1, "10.10.10.10", ["10.45.0.1/32"], { localPref: BASE - 1024 });
    // Wanted more than the stale one of the pod that moved away (live migration).
    node.announce(1, "10.10.10.10", ["10.45.0.2/32"], { localPref: BASE - 512 });
    ip("route add 10.45.0.2/32 dev eth0 scope link proto boot metric 1024");
    await vi.waitFor(() => expect(shown()).toEqual(["10.45.0.2 via 10.10.10.10 dev eth0 proto bird metric 512"]));
    expect(routes(4, "10.45.0.2").map(({ metric }) => metric)).toEqual([512, 1024]);
    ip("route del 10.45.0.1/32 metric 1024");
    await vi.waitFor(() => expect(shown()[0]).toBe("10.45.0.1 via 10.10.10.10 dev eth0 proto bird metric 1024"));
  });
});
