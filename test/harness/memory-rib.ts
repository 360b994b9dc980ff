/** A RibSink that keeps what it is told, in lines. */

import { type Family, familyName } from "../../src/bgp/model/family.ts";
import type { PeerId } from "../../src/bgp/model/ids.ts";
import type { RibSink, SessionEnd, SessionFacts } from "../../src/bgp/model/ports.ts";
import { formatPrefix } from "../../src/bgp/model/prefix.ts";
import type { PrefixBatch } from "../../src/bgp/model/prefix-batch.ts";

export class MemoryRib implements RibSink {
  readonly lines: string[] = [];
  readonly facts = new Map<PeerId, SessionFacts>();
  readonly ends: SessionEnd[] = [];
  onPeerUp: (peer: PeerId, facts: SessionFacts) => void = () => {};
  onPeerDown: (peer: PeerId) => void = () => {};
  onRefresh: (peer: PeerId, family: Family, enhanced: boolean) => void = () => {};

  peerUp(peer: PeerId, facts: SessionFacts): void {
    this.facts.set(peer, facts);
    this.lines.push(`up ${peer}`);
    this.onPeerUp(peer, facts);
  }
  peerDown(peer: PeerId, end: SessionEnd): void {
    this.onPeerDown(peer);
    this.facts.delete(peer);
    this.ends.push(end);
    this.lines.push(`down ${peer} ${end.kind}`);
  }
  announce(peer: PeerId, _attributes: unknown, prefixes: PrefixBatch): void {
    for (let i = 0; i < prefixes.count; i++) this.lines.push(`${peer} +${formatPrefix(prefixes.prefixAt(i))}`);
  }
  withdraw(peer: PeerId, prefixes: PrefixBatch): void {
    for (let i = 0; i < prefixes.count; i++) this.lines.push(`${peer} -${formatPrefix(prefixes.prefixAt(i))}`);
  }
  endOfRib(peer: PeerId, family: Family): void {
    this.lines.push(`${peer} end ${familyName(family)}`);
  }
  refreshRequested(peer: PeerId, family: Family, enhanced: boolean): void {
    this.lines.push(`${peer} refresh ${familyName(family)}${enhanced ? " enhanced" : ""}`);
    this.onRefresh(peer, family, enhanced);
  }
  refreshBegin(peer: PeerId, family: Family): void {
    this.lines.push(`${peer} begin ${familyName(family)}`);
  }
  refreshEnd(peer: PeerId, family: Family): void {
    this.lines.push(`${peer} finish ${familyName(family)}`);
  }
}
