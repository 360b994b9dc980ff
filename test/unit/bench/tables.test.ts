import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Blob } from "../../../bench/generator.ts";
import { BlobFile } from "../../../bench/table/blob-file.ts";
import { prefixSource } from "../../../bench/table/prefixes.ts";
import { clientSet, tableSets } from "../../../bench/table/route-set.ts";
import { Family } from "../../../src/bgp/model/family.ts";
import { formatPrefix } from "../../../src/bgp/model/prefix.ts";
import { PrefixBatch } from "../../../src/bgp/model/prefix-batch.ts";
import { Framer } from "../../../src/bgp/wire/framer.ts";
import { UpdateDecoder } from "../../../src/bgp/wire/update-decoder.ts";

function prefixes(family: Family, count: number): string[] {
  const batch = new PrefixBatch(family);
  const add = prefixSource(family);
  for (let i = 0; i < count; i++) add(batch);
  return texts(batch);
}

const texts = (batch: PrefixBatch) => Array.from({ length: batch.count }, (_, i) => formatPrefix(batch.prefixAt(i)));

describe("prefixes of a generated table", () => {
  it.each([
    ["IPv4", Family.Ipv4, 300_000],
    ["IPv6", Family.Ipv6, 200_000],
  ])("%s: all distinct, and the same at every run", (_name, family, count) => {
    const once = prefixes(family, count);
    expect(new Set(once).size).toBe(count);
    expect(prefixes(family, 1000)).toEqual(once.slice(0, 1000));
  });

  it("have lengths as in real tables, no host bits, and nothing that daemons refuse", () => {
    const all = prefixes(Family.Ipv4, 50_000);
    const share = (length: string) => all.filter((prefix) => prefix.endsWith(length)).length / all.length;
    expect(share("/24")).toBeGreaterThan(0.55);
    expect(share("/24")).toBeLessThan(0.65);
    expect(share("/16")).toBeGreaterThan(0.01);
    const batch = new PrefixBatch(Family.Ipv4);
    const add = prefixSource(Family.Ipv4);
    for (let i = 0; i < 10_000; i++) add(batch);
    for (let i = 0; i < batch.count; i++) {
      const [word = 0, length = 0] = [batch.w0[i], batch.lengths[i]];
      expect(word % 2 ** (32 - length)).toBe(0);
      expect(word >>> 24).toBeGreaterThanOrEqual(11);
      expect(word >>> 24).toBeLessThan(127);
    }
  });
});

describe("files of messages", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "starling-blobs-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function decoded(blob: Blob, family: Family) {
    const families = [{ family, addPathReceive: false, addPathSend: false, extendedNextHop: false }];
    const decoder = new UpdateDecoder({ internal: true, fourOctetAs: true, families });
    const framer = new Framer();
    const [announced, withdrawn] = [[] as string[], [] as string[]];
    let messages = 0;
    const bytes = readFileSync(blob.file).subarray(blob.offset, blob.offset + blob.length);
    for (let at = 0; at < bytes.length; at += 65_536) {
      framer.push(bytes.subarray(at, at + 65_536));
      for (let frame = framer.next(); frame !== undefined; frame = framer.next()) {
        messages++;
        const update = decoder.decode(frame.body);
        expect(update.problems).toEqual([]);
        for (const batch of update.withdrawn) withdrawn.push(...texts(batch));
        for (const { attributes, prefixes: batch } of update.announced) {
          expect(attributes.localPref).toBe(100);
          announced.push(...texts(batch));
        }
      }
    }
    return { announced, withdrawn, messages };
  }

  it.each([
    ["IPv4", Family.Ipv4],
    ["IPv6", Family.Ipv6],
  ])("%s: hold what was put in, each where it was said to be, and about ten prefixes to a message", (_name, family) => {
    const blobs = new BlobFile(join(folder, `${family}.blob`));
    const first = blobs.announce(tableSets(family, 20_000, 0));
    const second = blobs.announce(tableSets(family, 20_000, 1));
    const client = clientSet(family, 3, 4);
    const gone = blobs.withdraw(client.prefixes);
    blobs.close();
    const one = decoded(first, family);
    expect(one.announced).toEqual(prefixes(family, 20_000));
    expect(20_000 / one.messages).toBeGreaterThan(9);
    expect(20_000 / one.messages).toBeLessThan(11);
    expect(decoded(second, family).announced.toSorted()).toEqual(one.announced.toSorted());
    expect(decoded(gone, family)).toEqual({ announced: [], withdrawn: texts(client.prefixes), messages: 1 });
  });

  it("clients have blocks of their own", () => {
    const all = Array.from({ length: 100 }, (_, client) => texts(clientSet(Family.Ipv4, client, 10).prefixes)).flat();
    expect(new Set(all).size).toBe(1000);
    expect(all.every((prefix) => prefix.endsWith("/26"))).toBe(true);
  });
});
