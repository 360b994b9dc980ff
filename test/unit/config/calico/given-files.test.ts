/** Resources as documentation, installers and users have them: each comes to something, or the right thing is said of it. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { piecesOf, resourcesOf } from "../../../../src/config/calico/datastore/resource-text.ts";
import { shared } from "../../../harness/shared-data.ts";
import { clusterOf, node, type TestCluster } from "./cluster-of.ts";

const OPERATOR = /is for the Tigera operator/;
const NOT_YAML = /not valid YAML/;
const NO_PEER_NODES = [/spec.nodeSelector: selects no node/, /spec.peerSelector: selects no node/];
const NO_EFFECT = /has no effect until what is wrong is mended/;

/** Files that are not said here have nothing wrong. */
const EXPECTED: Readonly<Record<string, readonly RegExp[]>> = {
  "docs/01.configure-bgp-peering.L106.yaml": NO_PEER_NODES,
  "docs/03.secure-bgp.L134.yaml": [/spec.password: Secret kube-system\/bgp-secrets is not there/],
  "docs/07.advertise-service-ips.L188.yaml": [
    /spec.serviceLoadBalancerIPs\[0\].cidr: "x.x.x.x\/16"/,
    /what is right of it/,
  ],
  "docs/13.bgp-to-workload.L216.yaml": [/spec.asNumber: "<workload cluster's AS number>"/, NO_EFFECT],
  "docs/15.bgp-to-workload.L256.yaml": [/v6 spec.asNumber: "<parent/, NO_EFFECT, /spec.asNumber: "<parent/, NO_EFFECT],
  "docs/17.bgp.L98.yaml": [/spec.nodeSelector: selects no node/],
  "docs/25.bgppeer.L18.yaml": [/spec.node: there is no Node "rack1-host1"/],
  "docs/31.config-options.L47.yaml": [OPERATOR],
  "docs/33.rancher.L59.yaml": [OPERATOR],
  "docs/39.vxlan-ipip.L74.yaml": [OPERATOR],
  "docs/65.faq.L321.yaml": [/spec.cidr: "<CIDR>"/, NO_EFFECT],
  "docs/67.faq.L420.yaml": [/spec.cidr: "<CIDR>"/, NO_EFFECT],
  "user/external-traffic-policy-local.yaml": [/spec.node: there is no Node "server2-uk1-man"/],
  "user/invalid-filter-prefixlength-string.yaml": [
    /BGPFilter\/allow-pod-nets-only spec.exportV4\[0\].prefixLength: "24-28" .* min, max/,
    NO_EFFECT,
  ],
  "user/ipv6-singlestack-installation.yaml": [OPERATOR],
  "user/legacy-v1-bgppeer.yaml": [/bgpPeer is in the format of Calico 2; `calicoctl convert`/],
  "user/old-filter-lowercase-actions.yaml": [
    /exportV4\[0\].action: "accept" is not accepted \(did you mean `Accept`\?\)/,
    /importV4\[0\].action/,
    /exportV6\[0\].action/,
    /importV6\[0\].action/,
    NO_EFFECT,
  ],
  "user/peerselector-list-invalid.yaml": [/spec.peerSelector: a list is not accepted/, NO_EFFECT],
  "user/rr-to-tor-keep-nexthop.yaml": [/not valid YAML: .* quote a value that begins with !/],
  "user/two-tier-route-reflectors.yaml": [
    /Node\/region-a-rr-01 spec.bgp.routerID: unknown field/,
    /Node\/super-rr-01 spec.bgp.routerID: unknown field/,
  ],
  "others/arianvp.bgppeer.yaml.tpl": [NOT_YAML],
  "others/kubespray.docs.calico.md": [NOT_YAML],
  "others/kubespray.templates.calico-cr.yml.j2": [NOT_YAML, NOT_YAML],
  "others/kubespray.templates.calico-ipamconfig.yml.j2": [NOT_YAML],
  "others/vpp-dataplane.externalBgpPeer.yaml": [/spec.filters\[0\]: there is no BGPFilter "bgpftest"/],
  "others/vpp-dataplane.installation-flat.yaml": [OPERATOR],
  "others/vpp-dataplane.installation-vxlan-v6.yaml": [OPERATOR],
};

const root = shared("calico") ?? "";
const files = ["docs", "user", "others"].flatMap((folder) =>
  existsSync(join(root, folder)) ? readdirSync(join(root, folder)).map((file) => `${folder}/${file}`) : [],
);

function clusterWith(file: string): TestCluster {
  const world = clusterOf(node("node-1", { ipv4Address: "10.0.0.1/24", ipv6Address: "fd00::1/64" }));
  let line = 0;
  for (const piece of piecesOf(readFileSync(join(root, file), "utf8"))) {
    if (piece === undefined) continue;
    for (const { form } of resourcesOf(piece)) {
      if (form.kind === "object") world.cluster.set(form.object, file);
      else if (form.kind === "wrong") world.cluster.unreadable(`${file}:${line++}`, form.message);
    }
  }
  return world;
}

describe.skipIf(files.length === 0)("files of others (skipped without ../shared/data)", () => {
  it.each(files)("%s", (file) => {
    const expected = EXPECTED[file] ?? [];
    const problems = clusterWith(file).problems();
    expect(problems).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
  });

  it("come to what they say", () => {
    const ranges = ["10.96.0.0/12", "10.0.4.0/24", "172.217.3.0/24"].sort();
    expect(clusterWith("user/services-three-kinds.yaml").model().ipv4).toMatchObject({
      localAsNumber: 63400,
      serviceRoutes: ranges,
    });
    expect(clusterWith("docs/23.bgpconfig.L12.yaml").model().ipv4).toMatchObject({
      listen: { port: 178, address: "10.0.0.1" },
      communities: [{ prefix: "172.218.4.0/26", communities: ["63400:120", "63400:300:100"] }],
    });
    expect(clusterWith("docs/71.ippool.L14.yaml").model().ipv4.exportAccepts).toEqual([
      { prefix: "10.1.0.0/16", reason: "pool" },
    ]);
    // A list that lost its kind on the way into the documentation.
    expect(clusterWith("docs/59.migrate-pools.L236.yaml").model().ipv4.exportAccepts).toHaveLength(2);
    expect(clusterWith("user/invalid-filter-prefixlength-string.yaml").model().ipv4.peers).toMatchObject([
      { name: "Global_10_0_1_1", password: "SuperSecretPassword123!" },
    ]);
    expect(clusterWith("docs/21.live-migration-bgp.L114.yaml").model().ipv6.filters).toEqual([
      {
        name: "kubevirt-live-migration",
        import: [{ community: "65000:100", action: "Accept", operations: [{ setPriority: 512 }] }],
        export: [{ peerType: "eBGP", priority: 512, action: "Accept", operations: [{ addCommunity: "65000:100" }] }],
      },
    ]);
  });
});
