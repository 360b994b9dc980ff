/** The etcd datastore and a real cluster of three members, of which some go away. */

import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import { EtcdServer, hasEtcd } from "../harness/daemons/etcd.ts";
import { closeFollowers, follow, following, peer, ROOT } from "../harness/etcd-follower.ts";
import { waitFor } from "../harness/wait-for.ts";

afterEach(closeFollowers);

describe.skipIf(!hasEtcd)("three members of etcd (skipped without etcd and etcdctl)", () => {
  it("one may go; a member that is left alone is not believed; together again they go on", async () => {
    const servers = await EtcdServer.cluster(3);
    onTestFinished(async () => {
      await closeFollowers();
      await Promise.all(servers.map((server) => server.close()));
    });
    const [first, second, third] = servers as [EtcdServer, EtcdServer, EtcdServer];
    await first.put(`${ROOT}/bgppeers/a`, peer("a"));
    const all = follow(servers.map(({ endpoint }) => endpoint));
    const alone = follow([third.endpoint]);
    await following(all.told);
    await following(alone.told);

    await first.stop();
    await waitFor(
      async () => {
        await second.put(`${ROOT}/bgppeers/b`, peer("b"));
        return true;
      },
      { what: "the others to agree on a leader", timeout: 30_000 },
    );
    await waitFor(() => all.told.objects.has("BGPPeer b"), {
      what: "a change through another member",
      timeout: 20_000,
    });
    await waitFor(() => alone.told.objects.has("BGPPeer b"), { what: "the same through the third", timeout: 20_000 });

    await second.stop();
    // It answers still, but knows nothing new any more.
    await waitFor(() => alone.told.disturbance, { what: "that the third is not enough", timeout: 60_000 });
    expect(alone.told.disturbance).toMatch(/no leader|timed out|no answer/);
    await waitFor(() => all.told.disturbance, { what: "that none is enough", timeout: 60_000 });
    expect(all.told.names()).toEqual(["BGPPeer a", "BGPPeer b"]);

    second.launch();
    await first.start();
    await first.put(`${ROOT}/bgppeers/c`, peer("c"));
    for (const { told } of [all, alone]) {
      await waitFor(() => told.objects.has("BGPPeer c") && told.disturbance === undefined, {
        what: "the cluster to be whole again",
        timeout: 60_000,
      });
      expect(told.names()).toEqual(["BGPPeer a", "BGPPeer b", "BGPPeer c"]);
    }
  }, 300_000);
});
