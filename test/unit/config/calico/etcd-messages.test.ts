import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { objectAt, rangesOf } from "../../../../src/config/calico/datastore/etcd/keys.ts";
import {
  compareAndPutRequest,
  decodeAuthenticate,
  decodeRange,
  decodeTransaction,
  decodeWatch,
  rangeRequest,
  watchRequest,
} from "../../../../src/config/calico/datastore/etcd/messages.ts";
import { fieldsOf, MalformedMessage, MessageWriter } from "../../../../src/config/calico/datastore/etcd/protobuf.ts";

const hex = (octets: Uint8Array) => Buffer.from(octets).toString("hex");
const from = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

describe("Protocol Buffers' encoding", () => {
  it("is as its guide has it", () => {
    expect(hex(new MessageWriter().number(1, 150).finish())).toBe("089601");
    expect(hex(new MessageWriter().text(2, "testing").finish())).toBe("120774657374696e67");
    expect(hex(new MessageWriter().number(1, 0).text(2, "").boolean(3, false).finish())).toBe("");
    expect(hex(new MessageWriter().message(1, new Uint8Array(0)).finish())).toBe("0a00");
  });

  it("gives back every number and every octet", () => {
    const field = fc.tuple(
      fc.integer({ min: 1, max: 5000 }),
      fc.oneof(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), fc.uint8Array({ minLength: 1, maxLength: 300 })),
    );
    fc.assert(
      fc.property(fc.array(field), (fields) => {
        const writer = new MessageWriter();
        for (const [number, value] of fields) {
          if (typeof value === "number") writer.number(number, value);
          else writer.bytes(number, value);
        }
        const read = [...fieldsOf(writer.finish())].map((f) => [f.number, f.bytes.length > 0 ? hex(f.bytes) : f.value]);
        expect(read).toEqual(fields.map(([number, value]) => [number, typeof value === "number" ? value : hex(value)]));
      }),
    );
  });

  it("is refused with one kind of error, whatever comes", () => {
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
});

describe("etcd's messages", () => {
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
