/** The etcd datastore while a real etcd stops, falls silent, forgets, or is another one afterwards. */

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EtcdServer, hasEtcd } from "../harness/daemons/etcd.ts";
import { closeFollowers, follow, following, peer, ROOT } from "../harness/etcd-follower.ts";
import { TcpRelay } from "../harness/tcp-relay.ts";
import { waitFor } from "../harness/wait-for.ts";

describe.skipIf(!hasEtcd)("an etcd that goes away (skipped without etcd and etcdctl)", () => {
  let server: EtcdServer;
  /** The way to it that the test can cut. */
  let relay: TcpRelay;
  let endpoint = "";

  beforeEach(async () => {
    server = await EtcdServer.start();
    relay = await TcpRelay.to(server.port);
    endpoint = `http://127.0.0.1:${relay.port}`;
    await server.put(`${ROOT}/bgppeers/a`, peer("a"));
    await server.put(`${ROOT}/bgppeers/b`, peer("b"));
  });

  afterEach(async () => {
    await closeFollowers();
    await relay.cut();
    await server.close();
  });

  it("is waited for where it is not there at the start", async () => {
    await server.stop();
    const { told } = follow([server.endpoint]);
    await waitFor(() => told.disturbance, { what: "the disturbance" });
    expect(told.disturbance).toMatch(
      /^etcd does not serve since 2.*Z: http:\/\/127\.0\.0\.1:\d+: connect ECONNREFUSED/,
    );
    expect(told.isSynced).toBe(false);
    await server.start();
    await waitFor(() => told.log.includes("current"), { what: "etcd to serve" });
    expect(told.names()).toEqual(["BGPPeer a", "BGPPeer b"]);
  });

  it("leaves all as it was, and goes on where it stopped", async () => {
    const { told } = follow([server.endpoint]);
    await following(told);
    await server.stop();
    await waitFor(() => told.disturbance, { what: "the disturbance" });
    expect(told.names()).toEqual(["BGPPeer a", "BGPPeer b"]);
    await server.start();
    await waitFor(() => told.disturbance === undefined, { what: "etcd to serve" });
    await server.put(`${ROOT}/bgppeers/c`, peer("c"));
    await waitFor(() => told.objects.has("BGPPeer c"), { what: "a change after that" });
    expect(told.log).toEqual(["disturbed", "current", "set BGPPeer c"]);
  });

  const changeMuch = async () => {
    await server.put(`${ROOT}/bgppeers/b`, peer("b", "10.0.0.9"));
    await server.put(`${ROOT}/bgppeers/c`, peer("c"));
    await server.put(`${ROOT}/bgppeers/d`, peer("d"));
    await server.delete(`${ROOT}/bgppeers/d`);
    await server.delete(`${ROOT}/bgppeers/a`);
  };

  it.each([
    ["is told of what was missed", false],
    ["is told only the difference where what was missed is compacted away", true],
  ])("%s", async (_what, isCompacted) => {
    // The key that is written last stays as it is, so that the watch goes on from its old revision.
    await server.put(`${ROOT}/nodes/last`, { spec: {} });
    const { told } = follow([endpoint]);
    await following(told);
    await relay.cut();
    await waitFor(() => told.disturbance, { what: "the disturbance" });
    await changeMuch();
    if (isCompacted) await server.compact();
    await relay.mend();
    await waitFor(() => told.disturbance === undefined && told.names().length === 3 && told.objects.has("BGPPeer c"), {
      what: "the difference",
    });
    expect(told.names()).toEqual(["BGPPeer b", "BGPPeer c", "Node last"]);
    expect(told.objects.get("BGPPeer b")?.["spec"]).toMatchObject({ peerIP: "10.0.0.9" });
    const changes = told.log.filter((event) => event.startsWith("set") || event.startsWith("deleted"));
    const seen = ["set BGPPeer b", "set BGPPeer c", "deleted BGPPeer a"];
    const passing = ["set BGPPeer d", "deleted BGPPeer d"];
    expect(changes.sort()).toEqual([...seen, ...(isCompacted ? [] : passing)].sort());
  });

  it.each([
    ["with fewer revisions than before", 1],
    ["with more", 40],
  ])("is read anew if it has another history afterwards, %s", async (_what, revisions) => {
    const { told } = follow([endpoint]);
    await following(told);
    await relay.cut();
    await waitFor(() => told.disturbance, { what: "the disturbance" });
    await server.wipe();
    await server.start();
    for (let n = 0; n < revisions; n++) await server.put(`${ROOT}/bgppeers/x`, peer("x", `10.0.1.${n}`));
    await relay.mend();
    await waitFor(() => told.names().join() === "BGPPeer x", { what: "what it holds now" });
    await waitFor(() => told.disturbance === undefined, { what: "the watch" });
    await server.put(`${ROOT}/bgppeers/y`, peer("y"));
    await waitFor(() => told.objects.has("BGPPeer y"), { what: "a change after that" });
  });

  it("is noticed to be away when it falls silent", async () => {
    const { told } = follow([endpoint]);
    await following(told);
    relay.silence();
    await waitFor(() => told.disturbance, { what: "the disturbance", timeout: 40_000, interval: 200 });
    expect(told.disturbance).toMatch(/no (answer|connection)/);
    await relay.mend();
    await server.put(`${ROOT}/bgppeers/c`, peer("c"));
    await waitFor(() => told.objects.has("BGPPeer c"), { what: "etcd to be found again", timeout: 20_000 });
  }, 90_000);

  it("is left for another member at once, without a word", async () => {
    const other = await TcpRelay.to(server.port);
    try {
      const { told } = follow([endpoint, `http://127.0.0.1:${other.port}`]);
      await following(told);
      expect([relay.count, other.count]).toEqual([1, 0]);
      await relay.cut();
      await server.put(`${ROOT}/bgppeers/c`, peer("c"));
      await waitFor(() => told.objects.has("BGPPeer c"), { what: "the other member" });
      expect(told.log).toEqual(["set BGPPeer c"]);
      expect(other.count).toBe(1);
      await relay.mend();
      await other.cut();
      await server.put(`${ROOT}/bgppeers/d`, peer("d"));
      await waitFor(() => told.objects.has("BGPPeer d"), { what: "the first member" });
    } finally {
      await other.cut();
    }
  });

  it("is left alone when the datastore is closed, in whatever it was doing", async () => {
    const following_ = follow([endpoint]);
    await following(following_.told);
    await following_.datastore.close();
    const connecting = follow(["http://192.0.2.1:2379"]);
    await connecting.datastore.close();
    relay.silence();
    const waiting = follow([endpoint]);
    await waiting.datastore.close();
    expect(connecting.told.log).toEqual([]);
    expect(waiting.told.log).toEqual([]);
  });
});
