import fc from "fast-check";
import protobuf from "protobufjs/minimal.js";
import { describe, expect, it } from "vitest";
import { objectAt, rangesOf } from "../../../../src/config/calico/datastore/etcd/keys.ts";
import {
  compareAndPutRequest,
  decodeAuthenticate,
  decodeRange,
  decodeTransaction,
  decodeWatch,
  MalformedMessage,
  rangeRequest,
  watchRequest,
} from "../../../../src/config/calico/datastore/etcd/messages.ts";

const hex = (octets: Uint8Array) => Buffer.from(octets).toString("hex");
const from = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

describe("etcd's messages", () => {
  it("are refused with one kind of error, whatever comes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
        for (const decode of [decodeRange, decodeWatch, decodeTransaction, decodeAuthenticate]) {
          try {
            decode(octets);
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(MalformedMessage);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("ask for a range, for what follows, and for a change that nobody came before", () => {
    expect(hex(rangeRequest({ key: "a", end: "b", limit: 200, revision: 300 }))).toBe(
      "0a0161 120162 18c801 20ac02".replaceAll(" ", ""),
    );
    expect(hex(watchRequest({ key: "a", end: "b", startRevision: 5 }))).toBe(
      "0a0c 0a0161 120162 1805 2001 4001".replaceAll(" ", ""),
    );
    const put = compareAndPutRequest({ key: "a", modRevision: 5, value: Buffer.from("x") });
    expect(hex(put)).toBe("0a07 1002 1a0161 3005 1208 1206 0a0161 120178".replaceAll(" ", ""));
  });

  it("hold whatever they are given", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
        fc.uint8Array({ maxLength: 300 }),
        (key, modRevision, value) => {
          const pair = protobuf.Writer.create().uint32(0x12).fork();
          pair.uint32(0x0a).bytes(key).uint32(0x18).int64(modRevision).uint32(0x2a).bytes(value);
          const [read] = decodeRange(pair.ldelim().finish()).keyValues;
          expect(hex(read?.keyOctets ?? from("ff"))).toBe(hex(key));
          expect(read?.modRevision).toBe(modRevision);
          expect(hex(read?.value ?? from("ff"))).toBe(hex(value));
        },
      ),
    );
  });

  it("leave out what is empty: an empty end would be the end of all keys", () => {
    expect(hex(rangeRequest({ key: "a", end: "", limit: 0, revision: 0 }))).toBe("0a0161");
  });

  it("are read past fields that are not known, and past known ones of another form", () => {
    // A number, four octets, eight octets, octets, a group; then `more` as octets, and as a number.
    const unknown = "7801 7d01020304 790102030405060708 7a0161 7b08017c 1a0161 1801";
    expect(decodeRange(from(unknown))).toMatchObject({ keyValues: [], more: true });
  });

  it("are read", () => {
    expect(decodeRange(from("0a04 0807 1809 120a 0a0161 1003 1804 2a0178 1801 2001"))).toMatchObject({
      header: { clusterId: 7, revision: 9 },
      keyValues: [{ key: "a", modRevision: 4, value: Buffer.from("x") }],
      more: true,
    });
    expect(decodeWatch(from("0a02 1809 1002 3801 5a09 0801 1205 0a0161 1808"))).toMatchObject({
      header: { revision: 9 },
      watchId: 2,
      created: false,
      isFragment: true,
      events: [{ isDeletion: true, keyValue: { key: "a", modRevision: 8 } }],
    });
    expect(decodeWatch(from("2001 2805 3206 6e6f206b6579"))).toMatchObject({
      canceled: true,
      compactRevision: 5,
      cancelReason: "no key",
    });
  });
});

describe("keys in etcd", () => {
  it("are read of the node's own blocks and of all that is for BGP", () => {
    const ranges = rangesOf("node-1");
    const has = (key: string) => ranges.some((range) => key >= range.key && key < range.end);
    expect(has("/calico/resources/v3/projectcalico.org/bgppeers/a")).toBe(true);
    expect(has("/calico/resources/v3/projectcalico.org/clusterinformations/default")).toBe(true);
    expect(has("/calico/resources/v3/projectcalico.org/workloadendpoints/default/a")).toBe(false);
    expect(has("/calico/ipam/v2/host/node-1/ipv4/block/10.0.0.0-26")).toBe(true);
    expect(has("/calico/ipam/v2/host/node-10/ipv4/block/10.0.0.0-26")).toBe(false);
  });

  it.each<[string, string, string, string]>([
    [
      "a name that the value gives otherwise",
      "/calico/resources/v3/projectcalico.org/ippools/p",
      '{"metadata":{"name":"q"}}',
      "IPPool p",
    ],
    ["a value of another kind", "/calico/resources/v3/projectcalico.org/bgppeers/p", '{"kind":"Secret"}', "BGPPeer p"],
    ["no object", "/calico/resources/v3/projectcalico.org/bgppeers/p", "[]", "the value is no JSON object"],
    ["no JSON", "/calico/resources/v3/projectcalico.org/nodes/p", "", "the value is no JSON object"],
    ["another kind of key", "/calico/resources/v3/projectcalico.org/tiers/p", "{}", "foreign"],
    ["a key without a name", "/calico/resources/v3/projectcalico.org/nodes/", "{}", "foreign"],
    ["other data of a block's node", "/calico/ipam/v2/host/n/other", "{}", "foreign"],
  ])("with %s", (_what, key, value, expected) => {
    const form = objectAt(key, Buffer.from(value));
    const shown =
      form.kind === "object" ? `${form.key.kind} ${form.key.name}` : form.kind === "wrong" ? form.message : form.kind;
    expect(shown).toBe(expected);
  });
});
