import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Capability } from "../../../src/bgp/model/capability.ts";
import { Family, familyName } from "../../../src/bgp/model/family.ts";
import type { PeerId } from "../../../src/bgp/model/ids.ts";
import { buildOpen, negotiate } from "../../../src/bgp/negotiation.ts";
import type { PeerOptions } from "../../../src/bgp/options.ts";
import { decodeOpen, encodeOpen } from "../../../src/bgp/wire/open.ts";
import { compilePeer } from "../../../src/config/compile.ts";
import { configOf } from "./fixtures.ts";

const TRUTH = new URL("../../../../shared/parity/truth/", import.meta.url);

interface SeenOpen {
  readonly asn: number;
  readonly holdTime: number;
  readonly capabilities: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** A peer as Calico's resources make it. */
function calicoPeer(asNumber: number, family: string, restartSeconds: number): PeerOptions {
  const config = configOf(
    `asNumber: ${asNumber}\nrouterId: 10.0.0.1\npeers: [{address: ${family === "ipv6" ? "2001:db8::2" : "10.0.0.2"}, ` +
      `families: {${family}: {addPath: both}}, timers: {hold: 240s}, gracefulRestart: {time: ${restartSeconds}s}}]`,
  );
  const [peer] = config.peers;
  if (peer === undefined) throw new RangeError("no peer");
  return compilePeer({ ...peer, capabilities: "bird" }, config, 1 as PeerId).session;
}

/** In the form in which the truth was written down. */
function asSeen(capability: Capability): [string, object] {
  const family = (afi: number) => `${familyName(afi as Family)}/unicast`;
  switch (capability.kind) {
    case "multiprotocol":
      return ["1", { name: "multiprotocol", families: [family(capability.afi)] }];
    case "routeRefresh":
      return ["2", { name: "route-refresh", variant: "RFC" }];
    case "gracefulRestart":
      return [
        "64",
        {
          name: "graceful restart",
          time: capability.timeSeconds,
          restartState: capability.restarted,
          forwardingState: Object.fromEntries(capability.families.map((f) => [family(f.afi), f.forwardingPreserved])),
        },
      ];
    case "fourOctetAs":
      return ["65", { name: "asn4", asn4: capability.asNumber }];
    case "addPath": {
      const modes = ["", "receive", "send", "send/receive"];
      return [
        "69",
        { name: "addpath", ...Object.fromEntries(capability.tuples.map((t) => [family(t.afi), modes[t.mode]])) },
      ];
    }
    case "enhancedRouteRefresh":
      return ["70", { name: "enhanced-route-refresh" }];
    case "longLivedGracefulRestart":
      return ["71", { name: "long-lived graceful restart" }];
    default:
      return [capability.kind, capability];
  }
}

/** Every OPEN that Calico's BIRD was seen to send, each form of it once. */
function seenOpens(): SeenOpen[] {
  const seen = new Map<string, SeenOpen>();
  for (const file of existsSync(TRUTH) ? readdirSync(TRUTH) : []) {
    const { phases } = JSON.parse(readFileSync(new URL(file, TRUTH), "utf8")) as {
      phases: Record<string, { peers?: Record<string, { open?: SeenOpen }> }>;
    };
    for (const { peers } of Object.values(phases))
      for (const { open } of Object.values(peers ?? {})) {
        if (open === undefined) continue;
        const { asn, holdTime, capabilities } = open;
        seen.set(JSON.stringify([asn, holdTime, capabilities]), { asn, holdTime, capabilities });
      }
  }
  return [...seen.values()];
}

describe("the OPEN of a Calico session", () => {
  const opens = seenOpens();

  it.skipIf(opens.length === 0)(`is BIRD's${opens.length === 0 ? ": ../shared/parity is not there" : ""}`, () => {
    for (const truth of opens) {
      const family = String(Object.keys(truth.capabilities["64"]?.["forwardingState"] ?? {})[0]).split("/")[0] ?? "";
      const options = calicoPeer(
        Number(truth.capabilities["65"]?.["asn4"]),
        family,
        Number(truth.capabilities["64"]?.["time"]),
      );
      const local = { routerId: 0x0ac00002 as never, hostName: "node-1", restarting: true };
      const open = decodeOpen(encodeOpen(buildOpen(options, local, false)).subarray(19));
      expect({
        asn: open.myAs,
        holdTime: open.holdTimeSeconds,
        capabilities: Object.fromEntries(open.capabilities.map(asSeen)),
      }).toEqual(truth);
    }
  });

  it("has no notification bit and no stale time, and takes nothing that was not offered", () => {
    const options = calicoPeer(64512, "ipv4", 120);
    const open = buildOpen(options, { routerId: 1 as never, hostName: "node-1", restarting: false }, false);
    expect(open.capabilities).toContainEqual(expect.objectContaining({ kind: "gracefulRestart", notification: false }));
    expect(open.capabilities).toContainEqual({ kind: "longLivedGracefulRestart", tuples: [] });
    const theirs: Capability[] = [
      { kind: "multiprotocol", afi: Family.Ipv4, safi: 1 },
      { kind: "extendedMessage" },
      {
        kind: "gracefulRestart",
        restarted: false,
        notification: true,
        timeSeconds: 60,
        families: [{ afi: Family.Ipv4, safi: 1, forwardingPreserved: true }],
      },
    ];
    const them = { ...open, bgpIdentifier: 2 as never, capabilities: theirs };
    expect(negotiate(options, { routerId: 1 as never, hostName: "", restarting: false }, them, false)).toMatchObject({
      extendedMessages: false,
      gracefulRestart: { notification: false, timeSeconds: 60 },
    });
  });
});
