/** Starling and one other daemon on a cable: what most interop tests begin with. */

import { expect, type TestContext } from "vitest";
import type { PeerView } from "../../../src/control/views.ts";
import { makeDaemon, type PeerDaemon } from "../../harness/daemons/catalogue.ts";
import {
  DaemonError,
  type FamilyName,
  familyOf,
  type PeerSpec,
  type SeenRoute,
  type Speaker,
  type SpeakerSpec,
} from "../../harness/daemons/speaker.ts";
import { Starling, type StarlingExtras } from "../../harness/daemons/starling.ts";
import type { LabNode } from "../../harness/lab-node.ts";
import { Lab } from "../../harness/netns.ts";
import { waitFor } from "../../harness/wait-for.ts";

/** Starling's end of the cable, and the other's. */
export const here = "10.0.0.1";
export const there = "10.0.0.2";
export const here6 = "fd00::1";
export const there6 = "fd00::2";
export const starlingAs = 65001;
export const otherAs = 65002;

export interface PairOptions {
  /** One AS for both. */
  readonly internal?: boolean;
  /** The session is between the IPv6 addresses. */
  readonly overIpv6?: boolean;
  /** What both sides say about the session; and each side alone. */
  readonly session?: Partial<PeerSpec>;
  readonly starlingPeer?: Partial<PeerSpec>;
  readonly otherPeer?: Partial<PeerSpec>;
  readonly starling?: Partial<SpeakerSpec>;
  readonly other?: Partial<SpeakerSpec>;
  readonly extras?: StarlingExtras;
  /** More peers of each, beside the session between the two. */
  readonly starlingPeers?: readonly PeerSpec[];
  readonly otherPeers?: readonly PeerSpec[];
}

/** `name`: of the lab, unique among the tests that run side by side. */
export async function makePair(daemon: PeerDaemon, name: string, context: TestContext, options: PairOptions = {}) {
  const lab = await Lab.create(`${name}-${daemon}`, context);
  const [starlingNode, otherNode] = await lab.nodes("s", "d");
  const interfaces = await lab.link(starlingNode, otherNode, {
    addresses: [
      [`${here}/24`, `${here6}/64`],
      [`${there}/24`, `${there6}/64`],
    ],
  });
  return new Pair(daemon, lab, starlingNode, otherNode, interfaces, options);
}

export class Pair implements AsyncDisposable {
  readonly lab: Lab;
  readonly starlingNode: LabNode;
  readonly otherNode: LabNode;
  /** The cable's ends: starling's, the other's. */
  readonly interfaces: readonly [string, string];
  readonly starling: Starling;
  readonly other: Speaker;
  /** The addresses of the session. */
  readonly here: string;
  readonly there: string;

  constructor(
    daemon: PeerDaemon,
    lab: Lab,
    starlingNode: LabNode,
    otherNode: LabNode,
    interfaces: readonly [string, string],
    options: PairOptions,
  ) {
    this.lab = lab;
    this.starlingNode = starlingNode;
    this.otherNode = otherNode;
    this.interfaces = interfaces;
    this.here = options.overIpv6 ? here6 : here;
    this.there = options.overIpv6 ? there6 : there;
    const { session, starlingPeer, otherPeer, extras, starlingPeers = [], otherPeers = [] } = options;
    const starlingSpec = { asNumber: starlingAs, routerId: here, ...options.starling };
    const otherSpec = {
      asNumber: options.internal ? starlingSpec.asNumber : otherAs,
      routerId: there,
      ...options.other,
    };
    const toOther = { address: this.there, localAddress: this.here, asNumber: otherSpec.asNumber };
    const toStarling = { address: this.here, localAddress: this.there, asNumber: starlingSpec.asNumber };
    this.starling = new Starling(
      starlingNode,
      { ...starlingSpec, peers: [{ ...toOther, ...session, ...starlingPeer }, ...starlingPeers] },
      extras,
    );
    this.other = makeDaemon(daemon, otherNode, {
      ...otherSpec,
      peers: [{ ...toStarling, ...session, ...otherPeer }, ...otherPeers],
    });
  }

  async start(): Promise<void> {
    await Promise.all([this.starling.start(), this.other.start()]);
  }

  /** Starts both and waits for their session, as each side sees it. */
  async establish(): Promise<void> {
    await this.start();
    await this.established();
  }

  async established(): Promise<void> {
    await establishedWith(this.starling, this.there);
    await establishedWith(this.other, this.here);
  }

  async view(): Promise<PeerView> {
    return await peerView(this.starling, this.there);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.lab[Symbol.asyncDispose]();
  }
}

export async function establishedWith(speaker: Speaker, address: string, timeout = 30_000): Promise<void> {
  await waitFor(() => isEstablished(speaker, address), {
    what: `the session of ${speaker.daemon} with ${address}`,
    timeout,
  });
}

export async function isEstablished(speaker: Speaker, address: string): Promise<boolean> {
  return (await speaker.sessions()).some((session) => session.peer === address && session.established);
}

export async function peerView(starling: Starling, address: string): Promise<PeerView> {
  const view = (await starling.peers()).find((peer) => peer.address === address);
  if (view === undefined) throw new DaemonError(`starling shows no peer ${address}`);
  return view;
}

export async function pathsOf(speaker: Speaker, prefix: string): Promise<SeenRoute[]> {
  const family: FamilyName = familyOf(prefix);
  return (await speaker.routes(family)).filter((route) => route.prefix === prefix);
}

/** The path that came from this peer, once it is there. */
export async function routeFrom(speaker: Speaker, prefix: string, peer: string): Promise<SeenRoute> {
  return await waitFor(async () => (await pathsOf(speaker, prefix)).find((route) => route.peer === peer), {
    what: `${prefix} of ${peer} at ${speaker.daemon}`,
  });
}

export async function gone(speaker: Speaker, prefix: string, timeout = 10_000): Promise<void> {
  await waitFor(async () => (await pathsOf(speaker, prefix)).length === 0, {
    what: `${prefix} to be gone from ${speaker.daemon}`,
    timeout,
  });
}

/** What a driver can do beyond what all can; a test that needs it names the daemons that cannot as unsupported. */
export function need<K extends "reconfigure" | "negotiated" | "operate" | "lastError">(
  speaker: Speaker,
  ability: K,
): NonNullable<Speaker[K]> {
  const method = speaker[ability];
  if (method === undefined) throw new DaemonError(`the driver of ${speaker.daemon} has no ${ability}`);
  return method.bind(speaker) as NonNullable<Speaker[K]>;
}

/** It stays as it is for so long. */
export async function staysFor(milliseconds: number, look: () => Promise<unknown>, want: unknown): Promise<void> {
  const end = performance.now() + milliseconds;
  while (performance.now() < end) {
    expect(await look()).toEqual(want);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
