/** What fuzzers and captures hold, sent to a live session in each of its states: never a crash, always a NOTIFICATION that fits. */

import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AttackedDaemon, ownAs } from "../harness/attacked-daemon.ts";
import { KEEPALIVE, MessageKind, rawAttribute, rawAttributes, rawPrefixes, rawUpdate } from "../harness/raw-bytes.ts";
import { RawTcpPeer } from "../harness/raw-tcp-peer.ts";

const data = new URL("../../../shared/data/", import.meta.url);
const hasData = existsSync(data);
/** MiB. */
const GROWTH = 128;
/** So many attackers at once. */
const LANES = 8;
const externalAs = 65001;

interface Sample {
  readonly name: string;
  readonly bytes: Buffer;
}

interface Row {
  readonly name?: string;
  readonly sha256?: string;
  readonly label?: string;
  readonly pcap?: string;
  readonly frame?: number;
  readonly wireshark_malformed_frame?: boolean;
  readonly hex: string | null;
}

function rows(file: string): Row[] {
  return readFileSync(new URL(file, data), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

function samplesOf(list: readonly Row[]): Sample[] {
  return list.flatMap((row) => {
    const name = row.name ?? `${row.label ?? row.pcap} ${row.sha256?.slice(0, 8) ?? row.frame}`;
    return row.hex === null ? [] : [{ name, bytes: Buffer.from(row.hex, "hex") }];
  });
}

const corpus = hasData ? samplesOf(rows("fuzz/corpus.jsonl")) : [];
const captures = hasData
  ? samplesOf(rows("pcap/pcap-messages.jsonl").filter((row) => row.wireshark_malformed_frame))
  : [];
const crashes = hasData ? samplesOf(rows("fuzz/crash-poc.jsonl")) : [];
const samples = [...corpus, ...captures, ...crashes];

type StateName = "OpenSent" | "OpenConfirm" | "Established";

/** What may end a session at a message of this type: its own errors, and those of a message that the state does not expect. */
const CODES: Readonly<Record<number, readonly number[]>> = { 1: [2, 5], 2: [3, 5], 3: [], 4: [5], 5: [5, 7] };

/** The codes that a receiver may send over these bytes: those of every message in them, up to the first bad header. */
function plausibleCodes(bytes: Buffer): ReadonlySet<number> {
  const codes = new Set<number>();
  for (let at = 0; at + 19 <= bytes.length; ) {
    const length = bytes.readUInt16BE(at + 16);
    const own = CODES[bytes[at + 18] ?? 0];
    // A header may be wrong in ways that are not worth telling apart here; behind one, nothing is a message any more.
    codes.add(1);
    if (own === undefined || length < 19 || !bytes.subarray(at, at + 16).equals(Buffer.alloc(16, 0xff))) break;
    for (const code of own) codes.add(code);
    at += length;
  }
  return codes;
}

class Attack {
  readonly daemon: AttackedDaemon;
  readonly state: StateName;
  readonly internal: boolean;
  readonly outcomes = new Map<string, number>();
  readonly wrong: string[] = [];
  readonly #lane: number;
  #count = 0;

  constructor(daemon: AttackedDaemon, state: StateName, internal: boolean, lane: number) {
    this.daemon = daemon;
    this.state = state;
    this.internal = internal;
    this.#lane = lane;
  }

  async run(list: readonly Sample[]): Promise<void> {
    for (const sample of list) this.#judge(sample, await this.#send(sample.bytes));
  }

  async #send(bytes: Buffer): Promise<RawTcpPeer> {
    this.#count++;
    const block = this.internal ? 4 : 3;
    const localAddress = `127.${block}.${this.#lane * 32 + (this.#count >> 8)}.${this.#count & 0xff}`;
    const asNumber = this.internal ? ownAs : externalAs;
    const peer = await RawTcpPeer.connect({ port: this.daemon.port, localAddress, asNumber });
    if (this.state === "OpenConfirm") peer.sendOpen();
    else if (this.state === "Established" && !(await peer.open())) this.wrong.push(`${localAddress} was refused`);
    peer.send(bytes);
    // The daemon reads all of it before it sees the end: if it has a word to say it says it before.
    peer.socket.end();
    await peer.ended();
    return peer;
  }

  #judge({ name, bytes }: Sample, peer: RawTcpPeer): void {
    const said = peer.notification;
    const outcome = said === undefined ? "accepted" : `${said.code}/${said.subcode}`;
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
    if (peer.end !== "closed") this.wrong.push(`${name}: ended with ${peer.end}`);
    if (said === undefined) return;
    if (!plausibleCodes(bytes).has(said.code)) this.wrong.push(`${name}: NOTIFICATION ${outcome}`);
    // CVE-2017-15865: what comes back is what was sent (a length or a type, or octets of the message), nothing of the memory.
    const echoed = said.data.length <= 2 || bytes.includes(said.data) || said.code === 2;
    if (!echoed || said.data.length > 4075) this.wrong.push(`${name}: NOTIFICATION with ${said.data.toString("hex")}`);
  }
}

let daemon: AttackedDaemon;

beforeAll(async () => {
  const common = { families: { ipv4: {}, ipv6: {} }, gracefulRestart: false };
  const external = { name: "external", range: "127.3.0.0/16", asNumber: externalAs, ...common };
  const internal = { name: "internal", range: "127.4.0.0/16", asNumber: ownAs, routeReflectorClient: true, ...common };
  daemon = await AttackedDaemon.start("corpus", {
    peers: [external, internal],
    file: { log: { level: "warn", format: "json" } },
  });
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
});

describe.skipIf(!hasData)(
  "fuzzers' inputs, malformed captures and published crashes (skipped without ../shared/data)",
  () => {
    it.each<[StateName, string, boolean]>([
      ["OpenSent", "external", false],
      ["OpenConfirm", "external", false],
      ["Established", "external", false],
      ["Established", "internal", true],
    ])(
      "in %s, from %s peers",
      async (state, sort, internal) => {
        const started = performance.now();
        const attacks = Array.from({ length: LANES }, (_, lane) => new Attack(daemon, state, internal, lane));
        await Promise.all(
          attacks.map((attack, lane) => attack.run(samples.filter((_, index) => index % LANES === lane))),
        );
        const outcomes = new Map<string, number>();
        for (const attack of attacks)
          for (const [what, count] of attack.outcomes) outcomes.set(what, (outcomes.get(what) ?? 0) + count);
        expect(attacks.flatMap((attack) => attack.wrong)).toEqual([]);
        const sum = [...outcomes].sort().map(([what, count]) => `${what} x ${count}`);
        const seconds = ((performance.now() - started) / 1000).toFixed(1);
        console.log(`${samples.length} inputs in ${state}, ${sort}, ${seconds} s: ${sum.join(", ")}`);
        console.log(await daemon.expectUnharmed(GROWTH));
      },
      60_000,
    );
  },
);

describe("published crashes of other speakers", () => {
  let count = 0;
  const attacker = () => {
    count++;
    return RawTcpPeer.connect({ port: daemon.port, localAddress: `127.3.255.${count}`, asNumber: externalAs });
  };
  const bytesOf = (name: string) => crashes.find((sample) => sample.name === name)?.bytes ?? Buffer.of();

  it.skipIf(!hasData).each(["CVE-2022-40302", "gobgp-2598"])("%s: an OPEN error", async (name) => {
    const peer = await attacker();
    peer.send(bytesOf(name), KEEPALIVE);
    await peer.ended();
    expect(peer.notification).toMatchObject({ code: 2 });
  });

  it.skipIf(!hasData)("an OPEN without capabilities is valid", async () => {
    const peer = await attacker();
    // Its AS number, in both octets of the OPEN, is 65001.
    peer.send(bytesOf("exabgp-1375-open-no-capabilities"), KEEPALIVE);
    await expect.poll(() => peer.messages.some(({ type }) => type === MessageKind.Keepalive)).toBe(true);
    expect(peer.notification).toBeUndefined();
    peer.reset();
  });

  it("an UPDATE without NEXT_HOP removes the route that stood before", async () => {
    const peer = await attacker();
    expect(await peer.open()).toBe(true);
    const nlri = rawPrefixes("203.0.113.0/24");
    const attributes = rawAttributes("192.0.2.1", [externalAs]);
    peer.send(rawUpdate(attributes, nlri));
    const paths = async () => (await daemon.peer(`external-${peer.options.localAddress}`)).families["ipv4"]?.received;
    await expect.poll(paths).toBe(1);
    peer.send(rawUpdate(attributes.subarray(0, -7), nlri));
    await expect.poll(paths).toBe(0);
    expect(peer.end).toBeUndefined();
    peer.reset();
  });

  it("a malformed PREFIX_SID or AS 0 in the path does not end the session", async () => {
    const peer = await attacker();
    expect(await peer.open()).toBe(true);
    const attributes = rawAttributes("192.0.2.1", [externalAs]);
    peer.send(
      rawUpdate(
        Buffer.concat([attributes, rawAttribute(0xc0, 40, Buffer.of(1, 0, 9, 1))]),
        rawPrefixes("203.0.113.0/24"),
      ),
    );
    peer.send(bytesOf("frr-8941-as0"), rawUpdate(attributes, rawPrefixes("203.0.113.128/25")));
    const paths = async () =>
      (await daemon.routes({ peer: `external-${peer.options.localAddress}` })).map((r) => r.prefix);
    await expect.poll(async () => (await paths()).includes("203.0.113.128/25")).toBe(true);
    expect(await paths()).not.toContain("85.255.160.0/20");
    expect(peer.end).toBeUndefined();
    peer.reset();
  });

  it("the healthy peer has noticed nothing", async () => {
    console.log(await daemon.expectUnharmed(GROWTH));
  });
});
