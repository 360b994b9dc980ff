/** A speaker in memory, with tables that only keep notes and one update group that the test fills. */

import type { IpAddress } from "../../src/bgp/model/address.ts";
import { ipv4 } from "../../src/bgp/model/address.ts";
import { attributesWith } from "../../src/bgp/model/attributes.ts";
import { Family } from "../../src/bgp/model/family.ts";
import { asn, type PeerId, routerId } from "../../src/bgp/model/ids.ts";
import type { Audience, Encoding, Outbox } from "../../src/bgp/model/ports.ts";
import { parsePrefix } from "../../src/bgp/model/prefix.ts";
import { PrefixBatch } from "../../src/bgp/model/prefix-batch.ts";
import type { PeerOptions, SpeakerOptions } from "../../src/bgp/options.ts";
import { Speaker, type SpeakerParts } from "../../src/bgp/speaker.ts";
import { createAttributesCodec } from "../../src/bgp/wire/attributes-codec.ts";
import { MemoryLog } from "./memory-log.ts";
import { MemoryRib } from "./memory-rib.ts";
import type { MemoryNetwork } from "./memory-transport.ts";
import { address, peerOptions } from "./peer-options.ts";
import type { VirtualClock } from "./virtual-clock.ts";

const ENCODING: Encoding = {
  family: Family.Ipv4,
  fourOctetAs: true,
  addPath: false,
  extendedNextHop: false,
  maxMessageLength: 4096,
};
const ATTRIBUTES = createAttributesCodec().encode(attributesWith(ipv4(0x0a000001), { localPref: 100 }));

export class TestSpeaker {
  readonly address: IpAddress;
  readonly rib = new MemoryRib();
  readonly log = new MemoryLog();
  readonly speaker: Speaker;
  readonly outbox: Outbox;
  readonly lagging: PeerId[] = [];
  /** "Idle > Connect: started" */
  readonly transitions: string[] = [];
  readonly gone: PeerId[] = [];
  nextDynamic = 100;

  constructor(
    at: string,
    network: MemoryNetwork,
    clock: VirtualClock,
    more: Partial<SpeakerOptions> & { readonly maxBacklog?: number; readonly random?: () => number } = {},
  ) {
    this.address = address(at);
    const options: SpeakerOptions = {
      asNumber: asn(65000),
      routerId: routerId(this.address.w0),
      hostName: at,
      listen: [{ address: this.address, port: 179 }],
      restarting: false,
      ...more,
    };
    const parts: SpeakerParts = {
      options,
      clock,
      logger: this.log,
      random: more.random ?? (() => 0.5),
      transport: network.host(this.address),
      rib: this.rib,
      events: {
        stateChanged: (_peer, from, to, reason) => this.transitions.push(`${from} > ${to}: ${reason}`),
        acceptDynamic: (template, from) => ({
          ...template,
          id: this.nextDynamic++ as PeerId,
          remote: { kind: "address", address: from, interface: undefined },
        }),
        dynamicGone: (peer) => this.gone.push(peer),
      },
      ...(more.maxBacklog === undefined ? {} : { maxBacklog: more.maxBacklog }),
    };
    this.speaker = new Speaker(parts);
    this.outbox = this.speaker.createOutbox(ENCODING, {
      lagging: (peer) => this.lagging.push(peer),
      drained: () => {},
    });
    this.rib.onPeerUp = (peer) => {
      this.outbox.join(peer);
      this.outbox.joined(peer);
      this.outbox.flush();
    };
    this.rib.onPeerDown = (peer) => this.outbox.leave(peer);
  }

  async start(...peers: (Partial<PeerOptions> & { readonly to?: string })[]): Promise<void> {
    for (const peer of peers) this.speaker.addPeer(peerOptions(peer));
    await this.speaker.start();
  }

  state(peer = 1): string | undefined {
    return this.speaker.peer(peer as PeerId)?.state;
  }

  lastError(peer = 1): string | undefined {
    return this.speaker.peer(peer as PeerId)?.lastError;
  }

  announce(prefixes: readonly string[], audience: Audience = { kind: "all" }): void {
    const batch = new PrefixBatch(Family.Ipv4);
    for (const text of prefixes) {
      const prefix = parsePrefix(text);
      if (prefix !== undefined) batch.add(prefix);
    }
    this.outbox.announce(ATTRIBUTES, batch, audience);
    this.outbox.flush();
  }
}
