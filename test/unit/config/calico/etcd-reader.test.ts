/** What a real etcd seldom does while a test looks: fragments, notes of progress, compaction between two pages. */

import protobuf from "protobufjs/minimal.js";
import { beforeEach, describe, expect, it } from "vitest";
import { GrpcError, GrpcStatus } from "../../../../src/config/calico/datastore/etcd/grpc.ts";
import { KnownKeys } from "../../../../src/config/calico/datastore/etcd/known-keys.ts";
import type { KeyValue, RangeResponse } from "../../../../src/config/calico/datastore/etcd/messages.ts";
import { EtcdReader, type Member } from "../../../../src/config/calico/datastore/etcd/reader.ts";
import { ROOT } from "../../../harness/etcd-follower.ts";
import { systemClock } from "../../../harness/system-clock.ts";
import { ToldObjects } from "../../../harness/told-objects.ts";

const RANGES = [{ key: `${ROOT}/bgppeers/`, end: `${ROOT}/bgppeers0` }];

function pair(name: string, modRevision: number, spec: object = {}): KeyValue {
  const key = `${ROOT}/bgppeers/${name}`;
  return { key, keyOctets: Buffer.from(key), modRevision, value: Buffer.from(JSON.stringify({ spec })) };
}

interface Answer {
  readonly revision: number;
  readonly created?: boolean;
  readonly compactRevision?: number;
  readonly cancelReason?: string;
  readonly isFragment?: boolean;
  readonly events?: readonly KeyValue[];
}

/** As etcd would send it. */
function answer(a: Answer): Uint8Array {
  const writer = protobuf.Writer.create();
  writer.uint32(0x0a).fork().uint32(0x08).uint64(7).uint32(0x18).int64(a.revision).ldelim();
  writer.uint32(0x18).bool(a.created ?? false);
  writer.uint32(0x20).bool(a.compactRevision !== undefined || a.cancelReason !== undefined);
  writer.uint32(0x28).int64(a.compactRevision ?? 0);
  writer.uint32(0x32).string(a.cancelReason ?? "");
  writer.uint32(0x38).bool(a.isFragment ?? false);
  for (const { keyOctets, modRevision, value } of a.events ?? []) {
    const event = writer.uint32(0x5a).fork().uint32(0x12).fork();
    event.uint32(0x0a).bytes(keyOctets).uint32(0x18).int64(modRevision).uint32(0x2a).bytes(value).ldelim().ldelim();
  }
  return writer.finish();
}

/** The revision from which a request to watch wants to be told. */
function startRevision(request: Uint8Array): string {
  const reader = protobuf.Reader.create(request);
  reader.tag();
  reader.size();
  let start = "";
  while (reader.pos < reader.len) {
    const tag = reader.tag();
    if (tag === 0x18) start = String(reader.int64());
    else reader.skipType(tag & 7);
  }
  return start;
}

const lost = new GrpcError(GrpcStatus.Unavailable, "lost");

describe("reading etcd", () => {
  let told: ToldObjects;
  let reader: EtcdReader;
  /** What was asked for: "list 5", "page 5", "get", "watch 6". */
  let asked: string[];

  beforeEach(() => {
    told = new ToldObjects();
    asked = [];
    const events = { listed: () => told.synced(), following: () => undefined };
    reader = new EtcdReader(RANGES, new KnownKeys(told), events, systemClock);
  });

  /** A member that holds these keys, and whose watches say this and then break. */
  function member(keys: readonly KeyValue[], revision: number, ...watches: (readonly Answer[])[]): Member {
    const header = { clusterId: 7, revision };
    return {
      range: async ({ key, end, revision: at }): Promise<RangeResponse> => {
        asked.push(end === "" ? "get" : typeof key === "string" ? "list" : `page ${at}`);
        if (end === "") return { header, keyValues: keys.filter((one) => one.key === key), more: false };
        return { header, keyValues: keys, more: false };
      },
      watch: () => ({
        send: (message) => {
          asked.push(`watch ${startRevision(message)}`);
        },
        messages: async function* () {
          yield answer({ revision, created: true });
          yield* (watches.shift() ?? []).map(answer);
          throw lost;
        },
      }),
    };
  }

  it("goes on behind the last event, and behind a note of progress", async () => {
    const a = pair("a", 4);
    await expect(reader.follow(member([a], 5, [{ revision: 9, events: [pair("b", 8)] }]))).rejects.toBe(lost);
    const b = pair("b", 8);
    await expect(reader.follow(member([a, b], 9, [{ revision: 30 }]))).rejects.toBe(lost);
    await expect(reader.follow(member([a, b], 40, []))).rejects.toBe(lost);
    expect(asked).toEqual(["list", "watch 6", "get", "watch 9", "get", "watch 31"]);
    expect(told.log).toEqual(["set BGPPeer a", "synced", "set BGPPeer b"]);
  });

  it("takes fragments as they come, and asks for all of them again if the last did not come", async () => {
    const watch: Answer[] = [{ revision: 8, isFragment: true, events: [pair("b", 8)] }];
    await expect(reader.follow(member([pair("a", 8)], 5, watch))).rejects.toBe(lost);
    const rest: Answer[] = [
      { revision: 8, isFragment: true, events: [pair("b", 8)] },
      { revision: 8, events: [pair("c", 8)] },
    ];
    await expect(reader.follow(member([pair("a", 8)], 8, rest))).rejects.toBe(lost);
    await expect(reader.follow(member([pair("a", 8)], 8))).rejects.toBe(lost);
    expect(asked.filter((one) => one.startsWith("watch"))).toEqual(["watch 6", "watch 6", "watch 9"]);
    expect(told.log).toEqual(["set BGPPeer a", "synced", "set BGPPeer b", "set BGPPeer c"]);
  });

  it("lists anew what is compacted away, and tells the difference", async () => {
    const held = [pair("a", 3), pair("b", 4)];
    const store = member(held, 5, [{ revision: 9, compactRevision: 8 }]);
    const follow = reader.follow({
      ...store,
      range: async (range) => {
        const page = await store.range(range);
        held.splice(0, 2, pair("b", 4), pair("c", 9));
        return { ...page, keyValues: [...page.keyValues], header: { clusterId: 7, revision: asked.length + 4 } };
      },
    });
    await expect(follow).rejects.toBe(lost);
    expect(asked).toEqual(["list", "watch 6", "list", "watch 8"]);
    expect(told.names()).toEqual(["BGPPeer b", "BGPPeer c"]);
  });

  it("begins a list again that compaction overtakes, but not for ever", async () => {
    const compacted = new GrpcError(GrpcStatus.OutOfRange, "etcdserver: mvcc: required revision has been compacted");
    const store = member([pair("a", 3)], 5);
    let pages = 0;
    const overtaken = (times: number): Member => ({
      ...store,
      range: async (range) => {
        const page = await store.range(range);
        if (typeof range.key === "string") return { ...page, more: true };
        if (pages++ < times) throw compacted;
        return { ...page, keyValues: [pair("b", 4)] };
      },
    });
    await expect(reader.follow(overtaken(2))).rejects.toBe(lost);
    expect(asked).toEqual(["list", "page 5", "list", "page 5", "list", "page 5", "watch 6"]);
    expect(told.names()).toEqual(["BGPPeer a", "BGPPeer b"]);
    pages = 0;
    const other = new EtcdReader(
      RANGES,
      new KnownKeys(told),
      { listed: () => undefined, following: () => undefined },
      systemClock,
    );
    await expect(other.follow(overtaken(100))).rejects.toBe(compacted);
    expect(pages).toBe(5);
  });

  it("says what a watch was refused for", async () => {
    const refused = reader.follow(member([], 5, [{ revision: 5, cancelReason: "permission denied" }]));
    await expect(refused).rejects.toThrow("etcd refuses to tell of changes: permission denied");
  });

  it.each([
    ["another cluster", 8, 20, pair("a", 4)],
    ["revisions that begin again", 7, 3, pair("a", 4)],
    ["another value under the same revision", 7, 20, pair("a", 4, { peerIP: "10.0.0.1" })],
    ["the last key written again", 7, 20, pair("a", 15)],
  ])("lists anew before %s", async (_what, clusterId, revision, found) => {
    await expect(reader.follow(member([pair("a", 4)], 5))).rejects.toBe(lost);
    const store = member([found], revision);
    const other: Member = {
      ...store,
      range: async (range) => ({ ...(await store.range(range)), header: { clusterId, revision } }),
    };
    await expect(reader.follow(other)).rejects.toBe(lost);
    expect(asked).toEqual(["list", "watch 6", "get", "list", `watch ${revision + 1}`]);
  });
});
