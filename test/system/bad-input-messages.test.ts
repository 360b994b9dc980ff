/** Wrong bytes in any message at any state: each ends in the NOTIFICATION that the RFCs name, and only for who sent them. */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AttackedDaemon } from "../harness/attacked-daemon.ts";
import {
  KEEPALIVE,
  MessageKind,
  rawAttribute,
  rawAttributes,
  rawMessage,
  rawOpen,
  rawPrefixes,
  rawRouteRefresh,
  rawUpdate,
} from "../harness/raw-bytes.ts";
import { RawTcpPeer } from "../harness/raw-tcp-peer.ts";

/** MiB: what V8 keeps of the garbage of a few hundred sessions. */
const GROWTH = 64;
const attackerAs = 65001;

let daemon: AttackedDaemon;
let count = 0;
let configured = 0;

beforeAll(async () => {
  // From a range each attacker is a peer of its own, so that none pays for the one before (RFC 4271 §8.1.1, damping).
  const attackers = { name: "attacker", range: "127.3.0.0/16", asNumber: attackerAs, timers: { hold: 9 } };
  daemon = await AttackedDaemon.start("messages", {
    peers: [attackers],
    file: { log: { format: "json", level: "debug" } },
  });
  configured = (await daemon.summary()).peers.configured;
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
});

type StateName = "OpenSent" | "OpenConfirm" | "Established";

/** A new attacker, whose session has come so far. */
async function attacker(state: StateName): Promise<RawTcpPeer> {
  count++;
  const localAddress = `127.3.${count >> 8}.${count & 0xff}`;
  const peer = await RawTcpPeer.connect({ port: daemon.port, localAddress, asNumber: attackerAs });
  if (state === "OpenSent") return peer;
  if (state === "Established") expect(await peer.open()).toBe(true);
  else peer.sendOpen();
  return peer;
}

/** What the daemon answers, as "code/subcode data". */
async function answer(peer: RawTcpPeer): Promise<string> {
  // Any end but that of a close in order would have thrown away what the daemon said.
  expect(await peer.ended()).toBe("closed");
  const { notification } = peer;
  if (notification === undefined) return "nothing";
  const data = notification.data.toString("hex");
  return `${notification.code}/${notification.subcode}${data === "" ? "" : ` ${data}`}`;
}

const attributes = rawAttributes("127.3.0.1", [attackerAs]);
const nlri = rawPrefixes("203.0.113.0/24");
const update = rawUpdate(attributes, nlri);
const open = rawOpen({ asNumber: attackerAs, routerId: "127.3.0.1" });
const zeroMarker = { marker: Buffer.alloc(16) };

describe.each<StateName>(["OpenSent", "OpenConfirm", "Established"])("header, RFC 4271 §6.1, in %s", (state) => {
  it.each<[string, Buffer, string]>([
    ["marker of zeros", rawMessage(MessageKind.Keepalive, Buffer.of(), zeroMarker), "1/1"],
    [
      "last octet of the marker",
      rawMessage(4, Buffer.of(), { marker: Buffer.from(`${"ff".repeat(15)}fe`, "hex") }),
      "1/1",
    ],
    ["HTTP", Buffer.from("GET / HTTP/1.1\r\nHost: starling\r\n\r\n"), "1/1"],
    ["TLS", Buffer.from("16030100c8010000c403030000000000000000000000000000000000000000", "hex"), "1/1"],
    ["zeros", Buffer.alloc(4096), "1/1"],
    ["length 0", rawMessage(MessageKind.Keepalive, Buffer.of(), { length: 0 }), "1/2 0000"],
    ["length 18", rawMessage(MessageKind.Keepalive, Buffer.of(), { length: 18 }), "1/2 0012"],
    ["length 4097", rawMessage(MessageKind.Update, Buffer.of(), { length: 4097 }), "1/2 1001"],
    ["length 65535", rawMessage(MessageKind.Update, Buffer.of(), { length: 0xffff }), "1/2 ffff"],
    ["OPEN of 28", rawMessage(MessageKind.Open, Buffer.alloc(9)), "1/2 001c"],
    ["UPDATE of 22", rawMessage(MessageKind.Update, Buffer.alloc(3)), "1/2 0016"],
    ["NOTIFICATION of 20", rawMessage(MessageKind.Notification, Buffer.alloc(1)), "1/2 0014"],
    ["KEEPALIVE of 20", rawMessage(MessageKind.Keepalive, Buffer.alloc(1)), "1/2 0014"],
    ["type 0", rawMessage(0), "1/3 00"],
    ["type 6", rawMessage(6), "1/3 06"],
    ["type 255", rawMessage(255, Buffer.alloc(100)), "1/3 ff"],
  ])("%s", async (_name, bytes, expected) => {
    const peer = await attacker(state);
    peer.send(bytes);
    expect(await answer(peer)).toBe(expected);
  });
});

describe("messages that the state does not expect, RFC 6608", () => {
  it.each<[StateName, string, Buffer, string]>([
    ["OpenSent", "KEEPALIVE", KEEPALIVE, "5/1"],
    ["OpenSent", "UPDATE", update, "5/1"],
    ["OpenSent", "ROUTE-REFRESH", rawRouteRefresh(), "5/1"],
    ["OpenConfirm", "OPEN", open, "5/2"],
    ["OpenConfirm", "UPDATE", update, "5/2"],
    ["OpenConfirm", "ROUTE-REFRESH", rawRouteRefresh(), "5/2"],
    ["Established", "OPEN", open, "5/3"],
    // §6.4: a NOTIFICATION is never answered.
    ["OpenSent", "NOTIFICATION", rawMessage(MessageKind.Notification, Buffer.of(6, 2)), "nothing"],
    ["OpenConfirm", "NOTIFICATION", rawMessage(MessageKind.Notification, Buffer.of(99, 99)), "nothing"],
    ["Established", "NOTIFICATION", rawMessage(MessageKind.Notification, Buffer.alloc(4077, 0xff)), "nothing"],
    ["Established", "NOTIFICATION in broken UTF-8", rawMessage(3, Buffer.of(6, 2, 200, 0xc3, 0x28)), "nothing"],
  ])("in %s: %s", async (state, _name, bytes, expected) => {
    const peer = await attacker(state);
    peer.send(bytes);
    expect(await answer(peer)).toBe(expected);
  });
});

describe("OPEN, RFC 4271 §6.2", () => {
  const mine = { asNumber: attackerAs, routerId: "127.3.0.1" };
  const parameter = (...octets: number[]) => ({ ...mine, parameters: Buffer.from(octets) });
  it.each<[string, Buffer, RegExp]>([
    ["version 3", rawOpen({ ...mine, version: 3 }), /^2\/1 0004$/],
    ["version 255", rawOpen({ ...mine, version: 255 }), /^2\/1 0004$/],
    ["another AS", rawOpen({ ...mine, asNumber: 65002 }), /^2\/2$/],
    ["AS 0", rawOpen({ ...mine, asNumber: 0 }), /^2\/2$/],
    ["BGP Identifier 0", rawOpen({ ...mine, routerId: "0.0.0.0" }), /^2\/3$/],
    ["hold time 1", rawOpen({ ...mine, holdTime: 1 }), /^2\/6$/],
    ["hold time 2", rawOpen({ ...mine, holdTime: 2 }), /^2\/6$/],
    ["unknown parameter", rawOpen(parameter(77, 1, 0)), /^2\/4$/],
    ["parameter cut off", rawOpen(parameter(2)), /^2\/0$/],
    ["parameter longer than all", rawOpen(parameter(2, 40, 1)), /^2\/0$/],
    ["capability longer than its parameter", rawOpen(parameter(2, 2, 65, 4)), /^2\/0$/],
    ["multiprotocol of 3 octets", rawOpen(parameter(2, 5, 1, 3, 0, 1, 1)), /^2\/0$/],
    ["more parameters announced than there", rawOpen({ ...mine, parametersLength: 200 }), /^2\/0$/],
    ["fewer parameters announced than there", rawOpen({ ...mine, parametersLength: 0 }), /^2\/0$/],
    ["no common family", rawOpen(parameter(2, 6, 1, 4, 0, 2, 0, 1)), /^2\/7 010400010001$/],
  ])("%s", async (_name, bytes, expected) => {
    const peer = await attacker("OpenSent");
    peer.send(bytes);
    expect(await answer(peer)).toMatch(expected);
  });

  it("with our own BGP Identifier from an external peer is fine (RFC 6286 §2.2)", async () => {
    const peer = await attacker("OpenSent");
    peer.send(rawOpen({ ...mine, routerId: "10.255.0.1" }), KEEPALIVE);
    await expect.poll(() => peer.messages.some(({ type }) => type === MessageKind.Keepalive)).toBe(true);
    peer.close();
  });
});

describe("UPDATE, RFC 4271 §6.3 and RFC 7606: what cannot be mended ends the session", () => {
  const attribute = rawAttribute;
  it.each<[string, Buffer, RegExp]>([
    ["withdrawn routes longer than the message", rawMessage(2, Buffer.from("ffff0000", "hex")), /^3\/1/],
    ["attributes longer than the message", rawMessage(2, Buffer.from("0000ffff", "hex")), /^3\/1/],
    ["withdrawn prefix of 33 bits", rawUpdate(Buffer.of(), Buffer.of(), Buffer.from("210a000000ff", "hex")), /^3\/10/],
    ["announced prefix of 255 bits", rawUpdate(attributes, Buffer.from("ff0a000000", "hex")), /^3\/10/],
    ["announced prefix cut off", rawUpdate(attributes, Buffer.from("200a00", "hex")), /^3\/10/],
    ["MP_REACH_NLRI twice", rawUpdate(Buffer.concat([1, 2].map(() => attribute(0x80, 14, mpReach()))), nlri), /^3\/1/],
    ["MP_REACH_NLRI of 2 octets", rawUpdate(attribute(0x80, 14, Buffer.of(0, 2)), nlri), /^3\/(1|9)/],
    [
      "unknown well-known attribute",
      rawUpdate(Buffer.concat([attributes, attribute(0x40, 99, Buffer.of(1))]), nlri),
      /^3\/2/,
    ],
  ])("%s", async (_name, bytes, expected) => {
    const peer = await attacker("Established");
    peer.send(bytes);
    expect(await answer(peer)).toMatch(expected);
  });

  function mpReach(): Buffer {
    return Buffer.from("00020110" + "20010db8000000000000000000000001" + "00" + "2020010db8", "hex");
  }
});

describe("UPDATE, RFC 7606: what can be mended does not end the session, and the route goes", () => {
  const without = (type: number) => rawAttributesWithout(type);
  it.each<[string, Buffer]>([
    ["ORIGIN 7", Buffer.concat([rawAttribute(0x40, 1, Buffer.of(7)), without(1)])],
    ["no ORIGIN", without(1)],
    ["no AS_PATH", without(2)],
    ["no NEXT_HOP", without(3)],
    ["NEXT_HOP of 3 octets", Buffer.concat([without(3), rawAttribute(0x40, 3, Buffer.of(1, 2, 3))])],
    [
      "AS_PATH with a segment of type 9",
      Buffer.concat([without(2), rawAttribute(0x40, 2, Buffer.of(9, 1, 0, 0, 0, 1))]),
    ],
    ["AS_PATH longer than it says", Buffer.concat([without(2), rawAttribute(0x40, 2, Buffer.of(2, 9, 0, 0, 0, 1))])],
    ["AS 0 in AS_PATH", rawAttributes("127.3.0.1", [attackerAs, 0])],
    ["MED of 3 octets", Buffer.concat([attributes, rawAttribute(0x80, 4, Buffer.of(0, 0, 1))])],
    ["communities of 5 octets", Buffer.concat([attributes, rawAttribute(0xc0, 8, Buffer.alloc(5))])],
    ["large communities of 11 octets", Buffer.concat([attributes, rawAttribute(0xc0, 32, Buffer.alloc(11))])],
    ["an attribute cut off", Buffer.concat([attributes, Buffer.of(0xc0)])],
    ["an attribute longer than the list", Buffer.concat([attributes, Buffer.of(0xc0, 8, 200, 0, 0)])],
    ["wrong flags of ORIGIN", Buffer.concat([rawAttribute(0xc0, 1, Buffer.of(0)), without(1)])],
  ])("%s", async (_name, broken) => {
    const peer = await attacker("Established");
    const name = `attacker-${peer.options.localAddress}`;
    const accepted = async () => (await daemon.peer(name)).families["ipv4"]?.accepted;
    peer.send(update);
    await expect.poll(accepted).toBe(1);
    peer.send(rawUpdate(broken, nlri), KEEPALIVE);
    await expect.poll(accepted).toBe(0);
    expect(peer.end).toBeUndefined();
    peer.close();
  });

  function rawAttributesWithout(type: number): Buffer {
    const parts = [[0x40, 1, Buffer.of(0)] as const, [0x40, 2, attributes.subarray(7, 13)] as const];
    const all = [...parts, [0x40, 3, Buffer.of(127, 3, 0, 1)] as const];
    return Buffer.concat(
      all.filter((part) => part[1] !== type).map(([flags, kind, value]) => rawAttribute(flags, kind, value)),
    );
  }
});

describe("ROUTE-REFRESH, RFC 7313 §5", () => {
  it("of a wrong length ends the session; of an unknown family or subtype it does nothing", async () => {
    const peer = await attacker("Established");
    peer.send(
      rawRouteRefresh(9, 9),
      rawRouteRefresh(1, 1, 77),
      rawRouteRefresh(1, 1, 2),
      rawRouteRefresh(1, 1, 1),
      KEEPALIVE,
    );
    peer.send(rawMessage(MessageKind.RouteRefresh, Buffer.of(0, 1, 1, 1, 9)));
    expect(await answer(peer)).toBe(
      `7/1 ${rawMessage(MessageKind.RouteRefresh, Buffer.of(0, 1, 1, 1, 9)).toString("hex")}`,
    );
  });
});

describe("every message, cut off at every octet", () => {
  it.each<[StateName, string, Buffer]>([
    ["OpenSent", "OPEN", open],
    ["OpenConfirm", "KEEPALIVE", KEEPALIVE],
    ["Established", "UPDATE", update],
    ["Established", "ROUTE-REFRESH", rawRouteRefresh()],
    ["Established", "NOTIFICATION", rawMessage(MessageKind.Notification, Buffer.of(6, 4, 0))],
  ])("in %s: %s", async (state, _name, bytes) => {
    for (let length = 0; length < bytes.length; length++) {
      const peer = await attacker(state);
      peer.send(bytes.subarray(0, length));
      if (length % 2 === 0) {
        peer.socket.end();
        expect(await answer(peer)).toBe("nothing");
      } else peer.reset();
    }
  });
});

describe("afterwards", () => {
  it("the reasons stand in the log in words", () => {
    const reasons = daemon.log().flatMap(({ to, reason }) => (to === "Idle" ? [reason ?? ""] : []));
    for (const words of [
      "the marker of a message is not all ones (sent message header error: connection not synchronized)",
      "a message of type 2 claims 4097 octets",
      "message type 6 is unknown",
      "the peer says it is AS 65002; configured: 65001",
    ]) {
      expect(
        reasons.some((reason) => reason.includes(words)),
        words,
      ).toBe(true);
    }
    for (const reason of reasons) expect(reason).toMatch(/\w+ \w+/);
  });

  it("the healthy peer has noticed nothing, and the attackers are forgotten", async () => {
    console.log(`${count} attackers: ${await daemon.expectUnharmed(GROWTH)}`);
    await expect.poll(async () => (await daemon.summary()).peers.configured, { timeout: 10_000 }).toBe(configured);
    expect((await daemon.summary()).peers.established).toBe(1);
  });
});
