/** What paths become on their way to one update group: refusal, export policy, the protocol's own changes; worked out once per set. */

import type { IpAddress } from "../bgp/model/address.ts";
import { formatAddress, isLinkLocal, sameAddress } from "../bgp/model/address.ts";
import type { PathAttributes } from "../bgp/model/attributes.ts";
import type { NegotiatedFamily } from "../bgp/model/capability.ts";
import { Family } from "../bgp/model/family.ts";
import { type AttrsId, LOCAL_PEER, type PeerId } from "../bgp/model/ids.ts";
import type { AttributeRewriter, AttributesCodec, AttributeView, SessionFacts } from "../bgp/model/ports.ts";
import type { Prefix } from "../bgp/model/prefix.ts";
import type { AttributeTable } from "./attribute-table.ts";
import { type ExportTarget, ExportWay, editPath, editsPath, type PathOrigin } from "./export.ts";
import type { FamilyTable } from "./family-table.ts";
import type { RibPeerOptions } from "./options.ts";
import type { Outbound } from "./outbound-port.ts";
import {
  dependsOnInterface,
  dependsOnPrefix,
  dependsOnRouteContext,
  evaluate,
  type PolicyResult,
  rejectsAll,
} from "./policy/evaluate.ts";
import type { Policy } from "./policy/policy.ts";
import type { RibPeer } from "./rib-peer.ts";

/** What the tables lend to every group. */
export interface OutboundContext {
  readonly codec: AttributesCodec;
  peer(id: PeerId): RibPeer | undefined;
  /** A summary-only aggregate hides this destination. */
  isSuppressed(prefix: Prefix): boolean;
  /** False spares the question. */
  readonly mayBeSuppressed: () => boolean;
  /** The interface that the path leaves by. */
  interfaceName(path: number, family: Family): string | undefined;
  /** Addresses of this speaker on the session's link, beside the session's own. */
  localAddress(facts: SessionFacts, family: Family): IpAddress | undefined;
}

const SLOTS = 4096;
/** Remembered; peers take turns in announcing. */
const WAYS = 64;
const NONE = 0 as AttrsId;

export class PolicyOutbound implements Outbound {
  readonly #attributes: AttributeTable;
  readonly #table: FamilyTable;
  readonly #context: OutboundContext;
  readonly #members = new Map<PeerId, IpAddress>();
  #options: RibPeerOptions;
  #target: ExportTarget;
  #perPrefix = false;
  #isAttentive = false;
  /** Nothing ever goes out. */
  #isSilent = false;
  /** No rule of the operator's looks at the set: its bytes suffice. */
  #isPlain = false;
  notTold = LOCAL_PEER;
  /** The set at work. */
  readonly #set: AttributeView;
  readonly #rewriter: AttributeRewriter;
  /** By the peer that a set is from; external peers share one. */
  readonly #ways = new Map<PeerId | "external", ExportWay>();
  /** What was worked out: by accepted attributes and the peer that they are from, both held while they stand here. */
  readonly #fromAttrs = new Int32Array(SLOTS);
  readonly #fromPeer = new Int32Array(SLOTS);
  readonly #result = new Int32Array(SLOTS);
  #used = 0;
  /** Of the last route judged by itself; held until the next. */
  #last = NONE;

  constructor(
    attributes: AttributeTable,
    table: FamilyTable,
    context: OutboundContext,
    options: RibPeerOptions,
    facts: SessionFacts,
    family: NegotiatedFamily,
  ) {
    this.#attributes = attributes;
    this.#table = table;
    this.#context = context;
    this.#set = context.codec.view();
    this.#rewriter = context.codec.rewriter();
    this.#options = options;
    this.#target = this.#targetFor(options, facts, family);
    this.setTarget(options, facts, family);
  }

  /** The rules of any member: they are the same for all. */
  setTarget(options: RibPeerOptions, facts: SessionFacts, family: NegotiatedFamily): void {
    this.#options = options;
    this.#target = this.#targetFor(options, facts, family);
    this.#perPrefix = dependsOnPrefix(options.exportPolicies) || dependsOnRouteContext(options.exportPolicies);
    this.#isSilent = rejectsAll(options.exportPolicies);
    this.#isPlain = options.exportPolicies.length === 0 && !editsPath(this.#target);
    this.#isAttentive = family.addPathSend || dependsOnInterface(options.exportPolicies);
    this.clear();
  }

  /** Other paths than the best one matter, or more of it than its attributes. */
  get isAttentive(): boolean {
    return this.#isAttentive;
  }

  addMember(peer: PeerId, address: IpAddress): void {
    this.#members.set(peer, address);
  }

  removeMember(peer: PeerId): void {
    this.#members.delete(peer);
  }

  attributesFor(path: number): AttrsId {
    if (this.#isSilent) return NONE;
    const { paths, prefixes } = this.#table;
    const accepted = paths.accepted(path);
    const peer = paths.peer(path);
    this.notTold = peer;
    if (this.#context.mayBeSuppressed() && this.#context.isSuppressed(prefixes.prefix(paths.prefix(path)))) return NONE;
    if (this.#perPrefix || peer === LOCAL_PEER) {
      if (this.#last !== NONE) this.#attributes.release(this.#last);
      this.#last = this.#workOut(path, accepted, peer);
      if (peer === LOCAL_PEER && this.#last !== NONE) this.notTold = this.#gatewayOf(this.#last);
      return this.#last;
    }
    const slot = (Math.imul(accepted, 0x9e3779b1) ^ Math.imul(peer, 0x85ebca6b)) & (SLOTS - 1);
    if (this.#fromAttrs[slot] === accepted && this.#fromPeer[slot] === peer) return this.#result[slot] as AttrsId;
    this.#forget(slot);
    const result = this.#workOut(path, accepted, peer);
    this.#attributes.retain(accepted, 1);
    this.#used++;
    this.#fromAttrs[slot] = accepted;
    this.#fromPeer[slot] = peer;
    this.#result[slot] = result;
    return result;
  }

  mayLeave(path: number): boolean {
    const { paths } = this.#table;
    const set = this.#attributes.load(this.#set, paths.accepted(path));
    return this.#wayOf(paths.peer(path)).refusal(set) === undefined;
  }

  /** RFC 4271 §5.1.3: a route of our own whose gateway is a peer must not come to that peer with its own address as NEXT_HOP. */
  #gatewayOf(sent: AttrsId): PeerId {
    const { nextHop } = this.#attributes.viewOf(sent);
    const { ipv4, ipv6 } = this.#target;
    if ((ipv4 !== undefined && sameAddress(nextHop, ipv4)) || (ipv6 !== undefined && sameAddress(nextHop, ipv6)))
      return LOCAL_PEER;
    for (const [member, address] of this.#members) if (sameAddress(address, nextHop)) return member;
    return LOCAL_PEER;
  }

  clear(): void {
    if (this.#used > 0) for (let slot = 0; slot < SLOTS; slot++) this.#forget(slot);
    if (this.#last !== NONE) this.#attributes.release(this.#last);
    this.#last = NONE;
    this.#ways.clear();
  }

  #forget(slot: number): void {
    if (this.#fromAttrs[slot] === 0) return;
    this.#attributes.release(this.#fromAttrs[slot] as AttrsId);
    if (this.#result[slot] !== 0) this.#attributes.release(this.#result[slot] as AttrsId);
    this.#used--;
    this.#fromAttrs[slot] = 0;
  }

  /** With one reference for the caller. */
  #workOut(path: number, accepted: AttrsId, peer: PeerId): AttrsId {
    const way = this.#wayOf(peer);
    const set = this.#attributes.load(this.#set, accepted);
    if (way.refusal(set) !== undefined) return NONE;
    const isConnected = this.#table.paths.source(path) === "connected";
    // Connected prefixes are known so that next hops resolve; they are announced only where a policy asks for them.
    if (this.#isPlain) return isConnected ? NONE : this.#rewrite(way);
    const attributes = this.#attributes.attributes(accepted);
    const seen = way.seenByPolicies(attributes);
    const judged = this.#judge(path, seen);
    if (judged.verdict === "reject") return NONE;
    if (isConnected && judged.policy === undefined) return NONE;
    const target = this.#target;
    const edited = editsPath(target) ? editPath(judged.attributes, target, judged) : judged.attributes;
    // Left as it was seen, the set as it stands comes to the same.
    if (edited === seen) return this.#rewrite(way, judged);
    set.load(this.#context.codec.encode(edited));
    return this.#rewrite(way, judged, seen !== attributes);
  }

  /** What the protocol makes of the set at work. */
  #rewrite(way: ExportWay, edits?: PolicyResult, hasOwnAs = false): AttrsId {
    const rewriter = this.#rewriter;
    if (way.rewrite(this.#set, rewriter, edits, hasOwnAs) !== undefined) return NONE;
    return this.#attributes.internView(this.#set.load(rewriter.bytes, 0, rewriter.end));
  }

  #judge(path: number, attributes: PathAttributes): PolicyResult {
    const { paths, prefixes } = this.#table;
    const prefix = paths.prefix(path);
    const { internal, localAs } = this.#target;
    return evaluate(
      this.#options.exportPolicies,
      {
        family: this.#table.family,
        w0: prefixes.w0(prefix) >>> 0,
        w1: prefixes.w1(prefix) >>> 0,
        w2: prefixes.w2(prefix) >>> 0,
        w3: prefixes.w3(prefix) >>> 0,
        length: prefixes.length(prefix),
        attributes,
        source: paths.source(path),
        interfaceName: this.#perPrefix ? this.#context.interfaceName(path, this.#table.family) : undefined,
        internalPeer: internal,
        self: undefined,
      },
      { repeatAs: internal ? undefined : localAs },
    );
  }

  #wayOf(peer: PeerId): ExportWay {
    const key = peer !== LOCAL_PEER && this.#context.peer(peer)?.rank.external !== false ? "external" : peer;
    const known = this.#ways.get(key);
    if (known !== undefined) return known;
    const way = new ExportWay(this.#originOf(peer), this.#target);
    if (this.#ways.size === WAYS) this.#ways.clear();
    this.#ways.set(key, way);
    return way;
  }

  #originOf(peer: PeerId): PathOrigin {
    if (peer === LOCAL_PEER) return { kind: "local" };
    const from = this.#context.peer(peer);
    if (from === undefined || from.rank.external) return { kind: "external" };
    return {
      kind: "internal",
      client: from.options.routeReflectorClient,
      routerId: from.rank.routerId,
      clusterId: from.options.clusterId,
    };
  }

  #targetFor(options: RibPeerOptions, facts: SessionFacts, family: NegotiatedFamily): ExportTarget {
    const own = (f: Family) =>
      facts.localAddress.family === f ? facts.localAddress : this.#context.localAddress(facts, f);
    const ipv6 = own(Family.Ipv6);
    const overIpv6 = facts.localAddress.family === Family.Ipv6;
    return {
      family: family.family,
      internal: facts.internal,
      nextHop: options.nextHop,
      // RFC 8950 §3 lets either be: two sides that both asked for it over IPv6 can reach each other by that for certain.
      ipv4: overIpv6 && family.extendedNextHop ? undefined : own(Family.Ipv4),
      ipv6: ipv6 !== undefined && isLinkLocal(ipv6) ? undefined : ipv6,
      linkLocal: isLinkLocal(facts.localAddress) ? facts.localAddress : facts.localLinkLocal,
      extendedNextHop: family.extendedNextHop,
      client: options.routeReflectorClient,
      clusterId: options.clusterId,
      localAs: facts.localAs,
      peerAs: facts.peerAs,
      removePrivateAs: options.removePrivateAs,
      asOverride: options.asOverride,
      policyAfterOwnAs: options.policyAfterOwnAs,
      zeroMed: options.zeroMed,
      role: options.role,
      takesLongLivedStale: facts.longLivedStale.includes(family.family),
    };
  }
}

/** Two peers with the same key get the same bytes for the same path: it names all that alters them, and nothing else. */
export function groupKey(options: RibPeerOptions, facts: SessionFacts, family: NegotiatedFamily): string {
  return JSON.stringify([
    family.family,
    family.addPathSend,
    family.extendedNextHop,
    facts.fourOctetAs,
    facts.maxMessageLength,
    facts.internal,
    facts.localAs,
    options.removePrivateAs || options.asOverride ? facts.peerAs : 0,
    formatAddress(facts.localAddress),
    facts.localLinkLocal === undefined ? "" : formatAddress(facts.localLinkLocal),
    facts.longLivedStale.includes(family.family),
    options.nextHop,
    options.routeReflectorClient,
    options.clusterId,
    options.removePrivateAs,
    options.asOverride,
    !facts.internal && options.policyAfterOwnAs,
    !facts.internal && options.zeroMed,
    options.role ?? null,
    options.advertisementSeconds,
    options.exportPolicies.map(policyKey),
  ]);
}

const policyKeys = new WeakMap<Policy, string>();

/** Policies are compiled anew at each reload; what they say decides whether they are the same. */
function policyKey(policy: Policy): string {
  let key = policyKeys.get(policy);
  if (key === undefined) {
    key = JSON.stringify(policy, (_name, value: unknown) =>
      value instanceof RegExp ? `/${value.source}/` : isMatcher(value) ? value.source : value,
    );
    policyKeys.set(policy, key);
  }
  return key;
}

function isMatcher(value: unknown): value is { source: string } {
  return typeof value === "object" && value !== null && "test" in value && "source" in value;
}
