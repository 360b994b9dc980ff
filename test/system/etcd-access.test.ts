/** The etcd datastore before a real etcd that lets in only those who show a certificate, or who log in. */

import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { CertificateAuthority, type CertificateFiles } from "../harness/certificates.ts";
import { EtcdServer, hasEtcd } from "../harness/daemons/etcd.ts";
import { closeFollowers, follow, following, peer, ROOT } from "../harness/etcd-follower.ts";
import { findProgram } from "../harness/process.ts";
import { waitFor } from "../harness/wait-for.ts";

afterEach(closeFollowers);

const canSign = hasEtcd && findProgram("openssl") !== undefined;

describe.skipIf(!canSign)("an etcd with TLS (skipped without etcd, etcdctl and openssl)", () => {
  const folder = mkdtempSync(join(tmpdir(), "starling-certificates-"));
  let server: EtcdServer;
  let client: CertificateFiles;
  /** Of an authority that etcd does not know. */
  let stranger: CertificateFiles;

  beforeAll(async () => {
    const authority = await CertificateAuthority.create(folder, "etcd-ca");
    client = await authority.sign("client");
    stranger = await (await CertificateAuthority.create(folder, "other-ca")).sign("stranger");
    server = await EtcdServer.start({ tls: { server: await authority.sign("server"), client } });
    await server.put(`${ROOT}/bgppeers/a`, peer("a"));
  });

  afterAll(async () => {
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("is read with a certificate that it knows", async () => {
    const { told } = follow([server.endpoint], "node-1", client);
    await following(told);
    expect(told.names()).toEqual(["BGPPeer a"]);
  });

  it.each<[string, () => Partial<CertificateFiles>, RegExp]>([
    ["whose own authority is another", () => ({ ...client, ca: stranger.ca }), /certificate/],
    ["that is shown no certificate", () => ({ ca: client.ca }), /certificate|closed|reset|hang ?up/i],
    [
      "that is shown a stranger's",
      () => ({ ...stranger, ca: client.ca }),
      /certificate|closed|reset|hang ?up|unknown ca/i,
    ],
    [
      "whose file is not there",
      () => ({ ca: "/nowhere/ca.crt" }),
      /the CA's file \/nowhere\/ca\.crt: there is no such file/,
    ],
  ])("is not read, and the reason is told: one %s", async (_what, tls, reason) => {
    const { told } = follow([server.endpoint], "node-1", tls());
    await waitFor(() => told.disturbance, { what: "the reason" });
    expect(told.disturbance).toMatch(reason);
    expect(told.isSynced).toBe(false);
  });

  it("is read as soon as the files hold a certificate that it knows", async () => {
    const files = { ca: client.ca, cert: join(folder, "renewed.crt"), key: join(folder, "renewed.key") };
    copyFileSync(stranger.cert, files.cert);
    copyFileSync(stranger.key, files.key);
    const { told } = follow([server.endpoint], "node-1", files);
    await waitFor(() => told.disturbance, { what: "the refusal" });
    copyFileSync(client.cert, files.cert);
    copyFileSync(client.key, files.key);
    await following(told);
    expect(told.names()).toEqual(["BGPPeer a"]);
  });

  it("knows its users by their certificates too", async () => {
    for (const words of [
      ["user", "add", "root:root"],
      ["user", "grant-role", "root", "root"],
      // The name that the certificate carries.
      ["user", "add", "client:unused"],
      ["role", "add", "reader"],
      ["role", "grant-permission", "reader", "--prefix=true", "read", "/calico/"],
      ["user", "grant-role", "client", "reader"],
      ["auth", "enable"],
    ]) {
      await server.control(...words);
    }
    const { told } = follow([server.endpoint], "node-1", client);
    await following(told);
    expect(told.names()).toEqual(["BGPPeer a"]);
  });
});

describe.skipIf(!hasEtcd)("an etcd with users (skipped without etcd and etcdctl)", () => {
  const password = "hunter2";
  let server: EtcdServer;

  beforeAll(async () => {
    server = await EtcdServer.start({ flags: ["--auth-token-ttl", "1"] });
    const status = { kind: "CalicoNodeStatus", metadata: { name: "s" } };
    await server.putAll([
      [`${ROOT}/bgppeers/a`, peer("a")],
      [`${ROOT}/caliconodestatuses/s`, status],
    ]);
    for (const words of [
      ["user", "add", "root:root"],
      ["user", "grant-role", "root", "root"],
      ["user", "add", `calico:${password}`],
      ["user", "add", `stranger:${password}`],
      ["role", "add", "calico"],
      ["role", "grant-permission", "calico", "--prefix=true", "readwrite", "/calico/"],
      ["user", "grant-role", "calico", "calico"],
      ["auth", "enable"],
    ]) {
      await server.control(...words);
    }
    server.identity = ["--user", "root:root"];
  });

  afterAll(async () => {
    await server?.close();
  });

  it("is read by a user who may, and goes on when the token has run out", async () => {
    const { told, datastore } = follow([server.endpoint], "node-1", { username: "calico", password });
    await following(told);
    expect(told.names()).toEqual(["BGPPeer a", "CalicoNodeStatus s"]);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    await datastore.writeNodeStatus("s", { written: true }, {});
    await waitFor(() => told.objects.get("CalicoNodeStatus s")?.["status"], { what: "the status, written and told" });
    await server.put(`${ROOT}/bgppeers/b`, peer("b"));
    await waitFor(() => told.objects.has("BGPPeer b"), { what: "a change after that" });
    expect(told.log).not.toContain("disturbed");
  });

  it.each([
    [
      "a wrong password",
      { username: "calico", password: "wrong-secret" },
      /user calico cannot log in: .*invalid user ID/,
    ],
    ["no user at all", {}, /user name is empty|permission denied/],
    ["a user who may not read", { username: "stranger", password }, /permission denied/],
  ])("is not read with %s, and the reason is told", async (_what, user, reason) => {
    const { told } = follow([server.endpoint], "node-1", user);
    await waitFor(() => told.disturbance, { what: "the reason" });
    expect(told.disturbance).toMatch(reason);
    expect(told.disturbance).not.toMatch(/wrong-secret|hunter2/);
    expect(told.isSynced).toBe(false);
  });

  it("lets a user who is named but not needed read too", async () => {
    const open = await EtcdServer.start();
    try {
      await open.put(`${ROOT}/bgppeers/a`, peer("a"));
      const { told } = follow([open.endpoint], "node-1", { username: "calico", password });
      await following(told);
      expect(told.names()).toEqual(["BGPPeer a"]);
    } finally {
      await closeFollowers();
      await open.close();
    }
  });
});
