/** A session between link-local addresses, on a link that has no others: both families over it (RFC 2545, RFC 8950). */

import { expect } from "vitest";
import { makeDaemon } from "../../harness/daemons/catalogue.ts";
import { Starling } from "../../harness/daemons/starling.ts";
import type { Feature } from "../../harness/interop-suite.ts";
import type { LabNode } from "../../harness/lab-node.ts";
import { Lab } from "../../harness/netns.ts";
import { waitFor } from "../../harness/wait-for.ts";
import { otherAs, pathsOf, starlingAs } from "./pair.ts";

interface Interface {
  readonly addr_info: readonly { readonly local: string }[];
}

async function linkLocalOf(node: LabNode, name: string): Promise<string> {
  const [found] = JSON.parse(await node.ip("-json", "-6", "address", "show", "dev", name)) as Interface[];
  return found?.addr_info.find(({ local }) => local.startsWith("fe80:"))?.local ?? "";
}

const linkLocal: Feature = {
  name: "a session between link-local addresses, IPv6 and IPv4 routes over it into the kernel",
  async test(daemon, context) {
    await using lab = await Lab.create(`linklocal-${daemon}`, context);
    const [s, d] = await lab.nodes("s", "d");
    // Words of BIRD's own, such as "s", are no names of interfaces to it.
    const [ours, theirs] = await lab.link(s, d, { interfaces: ["eth0", "eth0"] });
    const [here, there] = [await linkLocalOf(s, ours), await linkLocalOf(d, theirs)];
    const session = { families: ["ipv4", "ipv6"], extendedNextHop: true } as const;
    const starling = new Starling(s, {
      asNumber: starlingAs,
      routerId: "10.0.0.1",
      kernel: true,
      peers: [{ address: `${there}%${ours}`, asNumber: otherAs, ...session }],
      routes: [{ prefix: "192.0.2.0/24" }, { prefix: "2001:db8:1::/48" }],
    });
    // FRR is told the interface as the source instead.
    const end = daemon === "frr" ? { address: here, localAddress: theirs } : { address: `${here}%${theirs}` };
    const other = makeDaemon(daemon, d, {
      asNumber: otherAs,
      routerId: "10.0.0.2",
      peers: [{ ...end, asNumber: starlingAs, ...session }],
      routes: [{ prefix: "203.0.113.0/24" }, { prefix: "2001:db8:2::/48" }],
    });
    await Promise.all([starling.start(), other.start()]);
    for (const prefix of ["192.0.2.0/24", "2001:db8:1::/48"]) {
      const [path] = await waitFor(
        async () => {
          const paths = await pathsOf(other, prefix);
          return paths.length > 0 && paths;
        },
        { what: `${prefix} at ${daemon}`, timeout: 20_000 },
      );
      expect(path?.asPath).toBe(`${starlingAs}`);
      expect(path?.nextHop).toBe(here);
    }
    const via = { via: { family: "inet6", host: there }, dev: ours };
    await waitFor(async () => (await s.routes("ipv4")).length > 0 && (await s.routes("ipv6")).length > 1, {
      what: "routes in the kernel",
    });
    expect(await s.routes("ipv4")).toEqual([expect.objectContaining({ dst: "203.0.113.0/24", ...via })]);
    expect(await s.routes("ipv6")).toContainEqual(
      expect.objectContaining({ dst: "2001:db8:2::/48", gateway: there, dev: ours }),
    );
  },
};

export const linkLocalFeatures: readonly Feature[] = [linkLocal];
