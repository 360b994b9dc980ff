import { createSocket, type Socket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EtcdOptions, endpointsOf, readTlsFiles } from "../../../../src/config/calico/datastore/etcd/endpoints.ts";

const options: EtcdOptions = {
  type: "etcd",
  endpoints: [],
  discoverySrv: undefined,
  ca: undefined,
  cert: undefined,
  key: undefined,
  username: undefined,
  password: undefined,
};

interface Srv {
  readonly priority: number;
  readonly port: number;
  readonly target: string;
}

const RECORDS: Readonly<Record<string, readonly Srv[]>> = {
  "_etcd-client-ssl._tcp.example.test": [
    { priority: 20, port: 2379, target: "b.example.test" },
    { priority: 10, port: 2380, target: "a.example.test" },
  ],
  "_etcd-client._tcp.plain.test": [{ priority: 0, port: 2379, target: "c.plain.test" }],
};

/** A DNS server that knows these records (RFC 1035 §4, RFC 2782) and says of all else that it does not exist. */
function answer(query: Buffer): Buffer {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  const question = query.subarray(12, at + 5);
  const records = RECORDS[labels.join(".").toLowerCase()] ?? [];
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(records.length > 0 ? 0x8180 : 0x8183, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(records.length, 6);
  return Buffer.concat([header, question, ...records.map(resource)]);
}

function resource({ priority, port, target }: Srv): Buffer {
  const name = Buffer.concat([
    ...target.split(".").map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
    Buffer.from([0]),
  ]);
  const fixed = Buffer.alloc(18);
  fixed.writeUInt16BE(0xc00c, 0);
  fixed.writeUInt16BE(33, 2);
  fixed.writeUInt16BE(1, 4);
  fixed.writeUInt32BE(60, 6);
  fixed.writeUInt16BE(6 + name.length, 10);
  fixed.writeUInt16BE(priority, 12);
  fixed.writeUInt16BE(port, 16);
  return Buffer.concat([fixed, name]);
}

describe("etcd's endpoints", () => {
  let socket: Socket;
  const resolver = new Resolver();

  beforeAll(async () => {
    socket = createSocket("udp4");
    socket.on("message", (query, from) => socket.send(answer(query), from.port, from.address));
    await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
    resolver.setServers([`127.0.0.1:${socket.address().port}`]);
  });

  afterAll(() => {
    resolver.cancel();
    socket.close();
  });

  it("are those that are given", async () => {
    expect(await endpointsOf({ ...options, endpoints: ["http://a:2379"] })).toEqual(["http://a:2379"]);
  });

  it.each([
    ["example.test", ["https://a.example.test:2380", "https://b.example.test:2379"]],
    ["plain.test", ["http://c.plain.test:2379"]],
  ])("are named by the SRV records of %s", async (discoverySrv, expected) => {
    expect(await endpointsOf({ ...options, discoverySrv }, resolver)).toEqual(expected);
  });

  it("are missing where there is no record, and both names are told", async () => {
    await expect(endpointsOf({ ...options, discoverySrv: "nothing.test" }, resolver)).rejects.toThrow(
      /_etcd-client-ssl\._tcp\.nothing\.test.*_etcd-client\._tcp\.nothing\.test/,
    );
  });
});

describe("files for TLS", () => {
  it("are read, or named with the reason", () => {
    const folder = mkdtempSync(join(tmpdir(), "starling-tls-"));
    try {
      writeFileSync(join(folder, "ca"), "pem");
      expect(readTlsFiles({ ...options, ca: join(folder, "ca") })).toEqual({
        ca: "pem",
        cert: undefined,
        key: undefined,
      });
      expect(() => readTlsFiles({ ...options, key: folder })).toThrow(
        `cannot read the key's file ${folder}: it is a directory`,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
