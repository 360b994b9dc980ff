/** Canonical bytes into canonical bytes (see canonical-layout.ts): the set as it was but for one AttributeEdit. */

import type { IpAddress } from "../model/address.ts";
import { SegmentType } from "../model/as-path.ts";
import type { AttributeEdit, NextHopPair } from "../model/attribute-edit.ts";
import { isTransitive } from "../model/community.ts";
import { Family } from "../model/family.ts";
import type { RouterId } from "../model/ids.ts";
import type { AttributeRewriter, AttributeView } from "../model/ports.ts";
import { asPath } from "./attributes/as-path.ts";
import { clusterList } from "./attributes/cluster-list.ts";
import { communities } from "./attributes/communities.ts";
import { AttributeFlag, type AttributeRules } from "./attributes/contract.ts";
import { extendedCommunities } from "./attributes/extended-communities.ts";
import { localPref } from "./attributes/local-pref.ts";
import { multiExitDisc } from "./attributes/multi-exit-disc.ts";
import { onlyToCustomer } from "./attributes/only-to-customer.ts";
import { originatorId } from "./attributes/originator-id.ts";
import { GIANT_LENGTH, NEXT_HOP_AT, SPLIT_AT } from "./canonical-layout.ts";

const IPV6_LENGTH = 16;
/** The count of a segment is one octet. */
const MAX_SEGMENT = 255;
/** What an edit adds at most beside its cluster ids: a longer next hop, a segment, headers, four-octet values. */
const SLACK = 128;

export class CanonicalRewriter implements AttributeRewriter {
  bytes: Uint8Array = new Uint8Array(1024);
  end = 0;
  /** What is being rewritten, and how far it has been copied. */
  #set: AttributeView | undefined;
  #source: Uint8Array = this.bytes;
  #at = 0;

  rewrite(set: AttributeView, edit: AttributeEdit, nextHop: NextHopPair | undefined): void {
    const needed = set.end - set.from + SLACK + 4 * (edit.clusters?.length ?? 0);
    if (needed > this.bytes.length) this.bytes = new Uint8Array(2 * needed);
    this.#set = set;
    this.#source = set.bytes;
    this.#putNextHop(set, nextHop);
    this.#at = set.from + NEXT_HOP_AT + set.nextHopLength;
    if (edit.prepend !== undefined) this.#prepend(set, edit.prepend);
    this.#copyTo(set.endOf(asPath.type));
    this.#patchSplit();
    // In ascending order of type, as they stand.
    if (edit.zeroesMed) {
      if (set.headerOf(multiExitDisc.type) !== 0) this.#replace(multiExitDisc, 0);
    } else if (edit.dropsMed && !set.isPathEmpty) this.#drop(multiExitDisc.type);
    if (edit.localPref === undefined) this.#drop(localPref.type);
    else if (!edit.keepsLocalPref || set.headerOf(localPref.type) === 0) this.#replace(localPref, edit.localPref);
    if (edit.community !== undefined && !set.hasCommunity(edit.community)) this.#addCommunity(set, edit.community);
    if (edit.originatorId === undefined) this.#drop(originatorId.type);
    else if (set.headerOf(originatorId.type) === 0) this.#replace(originatorId, edit.originatorId);
    if (edit.clusters === undefined) this.#drop(clusterList.type);
    else if (edit.clusters.length > 0) this.#prependClusters(set, edit.clusters);
    if (edit.dropsNonTransitive) this.#dropNonTransitive(set);
    if (edit.onlyToCustomer !== undefined && set.headerOf(onlyToCustomer.type) === 0) {
      this.#replace(onlyToCustomer, edit.onlyToCustomer);
    }
    this.#copyTo(set.end);
  }

  #putNextHop(set: AttributeView, pair: NextHopPair | undefined): void {
    this.end = NEXT_HOP_AT;
    if (pair !== undefined) {
      this.#putAddress(pair.nextHop);
      if (pair.linkLocalNextHop !== undefined) this.#putAddress(pair.linkLocalNextHop);
    } else {
      this.#at = set.from + NEXT_HOP_AT;
      this.#copyTo(this.#at + Math.min(set.nextHopLength, IPV6_LENGTH));
    }
    this.bytes[0] = this.end - NEXT_HOP_AT;
  }

  /** RFC 4271 §5.1.2 b: into the first segment if it is a sequence with room, else as one of its own. */
  #prepend(set: AttributeView, asn: number): void {
    const value = set.valueOf(asPath.type);
    const length = set.endOf(asPath.type) - value;
    const count = this.#source[value + 1] as number;
    const joins = length > 0 && this.#source[value] === SegmentType.Sequence && count < MAX_SEGMENT;
    this.#copyTo(set.headerOf(asPath.type));
    this.#putHeader(asPath, 0, length + (joins ? 4 : 6));
    this.#put8(SegmentType.Sequence);
    this.#put8(joins ? count + 1 : 1);
    this.#put32(asn);
    this.#at = joins ? value + 2 : value;
  }

  #patchSplit(): void {
    const split = this.end;
    const b = this.bytes;
    b[SPLIT_AT] = split >>> 24;
    b[SPLIT_AT + 1] = split >>> 16;
    b[SPLIT_AT + 2] = split >>> 8;
    b[SPLIT_AT + 3] = split;
  }

  #drop(type: number): void {
    const set = this.#set as AttributeView;
    const header = set.headerOf(type);
    if (header === 0) return;
    this.#copyTo(header);
    this.#at = set.endOf(type);
  }

  /** One of a single word, whether or not it is there. */
  #replace(rules: AttributeRules, value: number): void {
    this.#copyUpTo(rules.type);
    this.#drop(rules.type);
    this.#putHeader(rules, 0, 4);
    this.#put32(value);
  }

  /** A list that changes comes out ascending, as after a policy. */
  #addCommunity(set: AttributeView, community: number): void {
    const list = Array.from({ length: set.communityCount }, (_, i) => set.community(i));
    const partial = this.#partialOf(set, communities.type);
    this.#copyUpTo(communities.type);
    this.#drop(communities.type);
    this.#putHeader(communities, partial, 4 * list.length + 4);
    for (const word of [...list, community].sort((a, b) => a - b)) this.#put32(word);
  }

  #prependClusters(set: AttributeView, clusters: readonly RouterId[]): void {
    const { type } = clusterList;
    const value = set.valueOf(type);
    const length = set.endOf(type) - value;
    this.#copyUpTo(type);
    this.#putHeader(clusterList, 0, 4 * clusters.length + length);
    for (const id of clusters) this.#put32(id);
    if (length > 0) this.#at = value;
  }

  #dropNonTransitive(set: AttributeView): void {
    const { type } = extendedCommunities;
    const end = set.endOf(type);
    let kept = 0;
    for (let at = set.valueOf(type); at < end; at += 8) if (isTransitiveAt(set, at)) kept++;
    if (8 * kept === end - set.valueOf(type)) return;
    const partial = this.#partialOf(set, type);
    this.#drop(type);
    if (kept === 0) return;
    this.#putHeader(extendedCommunities, partial, 8 * kept);
    for (let at = set.valueOf(type); at < end; at += 8) {
      if (!isTransitiveAt(set, at)) continue;
      this.#put32(set.u32(at));
      this.#put32(set.u32(at + 4));
    }
  }

  /** RFC 4271 §5: nobody may take away the Partial bit. */
  #partialOf(set: AttributeView, type: number): number {
    const header = set.headerOf(type);
    return header === 0 ? 0 : (this.#source[header] as number) & AttributeFlag.Partial;
  }

  /** All that stands before an attribute of this type, which may not be there. */
  #copyUpTo(type: number): void {
    const set = this.#set as AttributeView;
    let header = set.headerOf(type);
    if (header === 0) {
      header = set.end;
      // The first two are ORIGIN and AS_PATH.
      for (let i = 2; i < set.attributeCount; i++) {
        if (set.typeAt(i) < type) continue;
        header = set.headerOf(set.typeAt(i));
        break;
      }
    }
    this.#copyTo(header);
  }

  #copyTo(until: number): void {
    const source = this.#source;
    const out = this.bytes;
    let at = this.end;
    for (let i = this.#at; i < until; i++) out[at++] = source[i] as number;
    this.end = at;
    this.#at = until;
  }

  #putHeader(rules: AttributeRules, partial: number, length: number): void {
    const flags = rules.flags | partial;
    if (length <= 0xff) {
      this.#put8(flags);
      this.#put8(rules.type);
    } else {
      const isGiant = length > 0xffff;
      this.#put8(flags | AttributeFlag.ExtendedLength | (isGiant ? GIANT_LENGTH : 0));
      this.#put8(rules.type);
      if (isGiant) {
        this.#put8(length >>> 24);
        this.#put8(length >>> 16);
      }
      this.#put8(length >>> 8);
    }
    this.#put8(length);
  }

  #putAddress(address: IpAddress): void {
    this.#put32(address.w0);
    if (address.family === Family.Ipv4) return;
    this.#put32(address.w1);
    this.#put32(address.w2);
    this.#put32(address.w3);
  }

  #put8(value: number): void {
    this.bytes[this.end++] = value;
  }

  #put32(value: number): void {
    const b = this.bytes;
    const at = this.end;
    b[at] = value >>> 24;
    b[at + 1] = value >>> 16;
    b[at + 2] = value >>> 8;
    b[at + 3] = value;
    this.end = at + 4;
  }
}

function isTransitiveAt(set: AttributeView, at: number): boolean {
  return isTransitive({ high: set.u32(at), low: 0 });
}
