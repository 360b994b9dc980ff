import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileDatastore } from "../../../../src/config/calico/datastore/file.ts";
import { silentLogger } from "../../../harness/silent-logger.ts";
import { systemClock } from "../../../harness/system-clock.ts";
import { ToldObjects } from "../../../harness/told-objects.ts";
import { waitFor } from "../../../harness/wait-for.ts";

let folder = "";
let told: ToldObjects;
const open: FileDatastore[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "starling-resources-"));
  told = new ToldObjects();
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((datastore) => datastore.close()));
  rmSync(folder, { recursive: true, force: true });
});

function start(path = folder): FileDatastore {
  const datastore = new FileDatastore(path, told, systemClock, silentLogger);
  open.push(datastore);
  datastore.start();
  return datastore;
}

async function synced(): Promise<void> {
  await waitFor(() => told.isSynced, { what: "the first reading" });
  told.log.length = 0;
}

const peer = (name: string, ip = "10.0.0.1") =>
  `apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {name: ${name}}\nspec: {peerIP: ${ip}}\n`;

const write = (name: string, ...documents: readonly string[]) =>
  writeFileSync(join(folder, name), documents.join("---\n"));

describe("a folder of resources", () => {
  it("is read whole, sub-folders too, and nothing that is not meant", async () => {
    write("b.yaml", peer("b"));
    write("a.yml", peer("a"));
    write("notes.txt", peer("no"));
    write(".b.yaml.swp", peer("no"));
    write("c.json", JSON.stringify({ apiVersion: "v1", kind: "Service", metadata: { name: "s" }, spec: {} }));
    mkdirSync(join(folder, "more"));
    write("more/d.yaml", peer("d"));
    start();
    await waitFor(() => told.isSynced, { what: "the first reading" });
    expect(told.log).toEqual(["set BGPPeer a", "set BGPPeer b", "set Service default/s", "set BGPPeer d", "synced"]);
    expect(told.origins.get("BGPPeer d")).toBe(`${join(folder, "more/d.yaml")}:1`);
  });

  it("tells only what differs", async () => {
    write("a.yaml", peer("a"), peer("b"), peer("c"));
    start();
    await synced();
    write("a.yaml", "# moved\n", peer("a"), peer("c", "10.0.0.3"), peer("d"));
    await waitFor(() => told.log.includes("deleted BGPPeer b"), { what: "the deletion" });
    expect(told.log).toEqual(["set BGPPeer c", "set BGPPeer d", "deleted BGPPeer b"]);
  });

  it("hears of new files, new folders, and files that go", async () => {
    write("a.yaml", peer("a"));
    start();
    await synced();
    mkdirSync(join(folder, "new"));
    write("new/b.yaml", peer("b"));
    unlinkSync(join(folder, "a.yaml"));
    await waitFor(() => told.names().join() === "BGPPeer b", { what: "the new folder's file" });
    write("new/c.yaml", peer("c"));
    await waitFor(() => told.names().join() === "BGPPeer b,BGPPeer c", { what: "a file in it" });
    rmSync(join(folder, "new"), { recursive: true });
    await waitFor(() => told.names().length === 0, { what: "the folder to be gone" });
  });

  it("keeps what a broken file held, says where it is broken, and takes it back when it is mended", async () => {
    write("a.yaml", peer("a"), peer("b"));
    start();
    await synced();
    write("a.yaml", peer("a", "10.0.0.9"), "kind: BGPPeer\n  bad: [\n");
    await waitFor(() => told.wrong.size > 0, { what: "the complaint" });
    expect(told.log).toEqual(["set BGPPeer a"]);
    expect(told.names()).toEqual(["BGPPeer a", "BGPPeer b"]);
    const [origin = "", message] = [...told.wrong][0] ?? [];
    expect(origin).toBe(`${join(folder, "a.yaml")}:7`);
    expect(message).toContain("not valid YAML");
    write("a.yaml", peer("a", "10.0.0.9"));
    await waitFor(() => told.wrong.size === 0, { what: "the complaint to be taken back" });
    expect(told.names()).toEqual(["BGPPeer a"]);
  });

  it("says that an object stands in two files; the first counts, until it goes", async () => {
    write("a.yaml", peer("x", "10.0.0.1"));
    write("b.yaml", peer("x", "10.0.0.2"));
    start();
    await synced();
    expect([...told.wrong]).toEqual([
      [`${join(folder, "b.yaml")}:1`, `BGPPeer x stands at ${join(folder, "a.yaml")}:1 already, which is what counts`],
    ]);
    expect(told.objects.get("BGPPeer x")?.["spec"]).toEqual({ peerIP: "10.0.0.1" });
    unlinkSync(join(folder, "a.yaml"));
    await waitFor(() => told.wrong.size === 0, { what: "the complaint to be taken back" });
    expect(told.objects.get("BGPPeer x")?.["spec"]).toEqual({ peerIP: "10.0.0.2" });
    expect(told.log).toEqual(["set BGPPeer x"]);
  });

  it("follows a ConfigMap, whose files are links through ..data", async () => {
    mkdirSync(join(folder, "..one"));
    write("..one/a.yaml", peer("a"));
    symlinkSync("..one", join(folder, "..data"));
    symlinkSync("..data/a.yaml", join(folder, "a.yaml"));
    start();
    await synced();
    expect(told.names()).toEqual(["BGPPeer a"]);
    mkdirSync(join(folder, "..two"));
    write("..two/a.yaml", peer("a", "10.0.0.2"));
    symlinkSync("..two", join(folder, "..data_tmp"));
    renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
    rmSync(join(folder, "..one"), { recursive: true });
    await waitFor(() => told.log.length > 0, { what: "the new revision" });
    expect(told.log).toEqual(["set BGPPeer a"]);
    expect(told.objects.get("BGPPeer a")?.["spec"]).toEqual({ peerIP: "10.0.0.2" });
  });

  it("keeps what it knows while the folder is away, and says so", async () => {
    write("a.yaml", peer("a"));
    start();
    await synced();
    renameSync(folder, `${folder}-away`);
    await waitFor(() => told.disturbance, { what: "the disturbance" });
    expect(told.disturbance).toBe(`cannot read ${folder}: there is no such file or folder`);
    expect(told.names()).toEqual(["BGPPeer a"]);
    renameSync(`${folder}-away`, folder);
    await waitFor(() => told.disturbance === undefined, { what: "the end of the disturbance" });
    write("b.yaml", peer("b"));
    await waitFor(() => told.names().length === 2, { what: "a change after that" });
  });

  it("waits for a folder that is not there yet", async () => {
    const path = join(folder, "not", "yet");
    start(path);
    await waitFor(() => told.disturbance, { what: "the disturbance" });
    expect(told.isSynced).toBe(false);
    mkdirSync(path, { recursive: true });
    write("not/yet/a.yaml", peer("a"));
    await waitFor(() => told.names().includes("BGPPeer a"), { what: "the folder" });
    expect(told.isSynced).toBe(true);
  });

  it("goes through a link to the folder that is swapped above it", async () => {
    mkdirSync(join(folder, "one/resources"), { recursive: true });
    mkdirSync(join(folder, "two/resources"), { recursive: true });
    write("one/resources/a.yaml", peer("a"));
    write("two/resources/b.yaml", peer("b"));
    symlinkSync("one", join(folder, "current"));
    start(join(folder, "current/resources"));
    await synced();
    symlinkSync("two", join(folder, "next"));
    renameSync(join(folder, "next"), join(folder, "current"));
    await waitFor(() => told.names().join() === "BGPPeer b", { what: "the other folder" });
  });
});

describe("a single file of resources", () => {
  it("is followed through writing in place and through replacement", async () => {
    write("r.yaml", peer("a"));
    start(join(folder, "r.yaml"));
    await synced();
    write("r.yaml", peer("b"));
    await waitFor(() => told.names().join() === "BGPPeer b", { what: "writing in place" });
    write("new", peer("c"));
    renameSync(join(folder, "new"), join(folder, "r.yaml"));
    await waitFor(() => told.names().join() === "BGPPeer c", { what: "replacement" });
    write("r.yaml", peer("d"));
    await waitFor(() => told.names().join() === "BGPPeer d", { what: "writing to the replacement" });
    expect(told.wrong.size).toBe(0);
  });

  it("is not taken for empty while somebody writes it", async () => {
    write("r.yaml", peer("a"));
    start(join(folder, "r.yaml"));
    await synced();
    write("r.yaml");
    setTimeout(() => write("r.yaml", peer("a"), peer("b")), 400);
    await waitFor(() => told.names().length === 2, { what: "the rest" });
    expect(told.log).toEqual(["set BGPPeer b"]);
    write("r.yaml");
    await waitFor(() => told.names().length === 0, { what: "the empty file to be believed" });
  });

  it("keeps what it held when it cannot be read any more", async () => {
    write("r.yaml", peer("a"));
    start(join(folder, "r.yaml"));
    await synced();
    symlinkSync("/dev/null", join(folder, "new"));
    renameSync(join(folder, "new"), join(folder, "r.yaml"));
    await waitFor(() => told.wrong.size > 0, { what: "the complaint" });
    expect([...told.wrong.values()]).toEqual(["cannot read the file: it is not a regular file"]);
    expect(told.names()).toEqual(["BGPPeer a"]);
  });

  it("is unreadable when it is no text", async () => {
    writeFileSync(join(folder, "r.yaml"), Buffer.from([0xff, 0xfe, 0x00]));
    start(join(folder, "r.yaml"));
    await synced();
    expect([...told.wrong]).toEqual([[join(folder, "r.yaml"), "cannot read the file: it is not UTF-8 text"]]);
  });

  it("is told of as far as anybody reads it when nothing in it is a resource", async () => {
    write("log.yaml", ...Array.from({ length: 1000 }, (_, i) => `line: ${i}\n`));
    start();
    await waitFor(() => told.isSynced, { what: "the first reading" });
    expect(told.wrong.size).toBe(100);
  });
});

describe("Secrets that are asked for", () => {
  it("are told, or told to be missing", async () => {
    write("s.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: kube-system}\ndata: {k: cGFzcw==}\n");
    const datastore = start();
    await synced();
    datastore.wantSecrets("kube-system", ["a", "b"]);
    expect(told.log).toEqual(["set Secret kube-system/a", "deleted Secret kube-system/b"]);
  });
});
