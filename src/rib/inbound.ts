/** The inbound side of one peer: from attributes as received to attributes as accepted (RFC 4271 §9.1.1 and the checks before it). */

import type { IpAddress } from "../bgp/model/address.ts";
import type { PathAttributes } from "../bgp/model/attributes.ts";
import type { AttrsId, RouterId } from "../bgp/model/ids.ts";
import type { AttributeView, SessionFacts } from "../bgp/model/ports.ts";
import type { Prefix } from "../bgp/model/prefix.ts";
import type { AttributeTable } from "./attribute-table.ts";
import {
  afterImportPolicy,
  beforeImportPolicy,
  IMPORT_REFUSAL_TEXT,
  type ImportPeer,
  importChanges,
  importRefusal,
} from "./import.ts";
import type { RibOptions, RibPeerOptions } from "./options.ts";
import { dependsOnInterface, dependsOnPrefix, evaluate, type PolicyResult } from "./policy/evaluate.ts";

const NONE = 0 as AttrsId;

export interface InboundContext {
  readonly attributes: AttributeTable;
  readonly options: RibOptions;
  clusterIds(): readonly RouterId[];
  isOwnAddress(address: IpAddress): boolean;
  /** The interface towards this next hop, where it is known. */
  interfaceName(nextHop: IpAddress): string | undefined;
}

export class PolicyInbound {
  /** The verdict may differ from prefix to prefix of one attribute set. */
  readonly dependsOnPrefix: boolean;
  /** Of the last route accepted: packets to it are to be dropped (RFC 7999). */
  isBlackhole = false;
  readonly #context: InboundContext;
  readonly #options: RibPeerOptions;
  readonly #facts: ImportPeer;
  /** The verdict may change with the way to the next hop. */
  readonly asksInterface: boolean;
  /** The last answer; both held. */
  #from = NONE;
  #result = NONE;

  constructor(context: InboundContext, options: RibPeerOptions, session: SessionFacts | undefined) {
    this.#context = context;
    this.#options = options;
    this.asksInterface = dependsOnInterface(options.importPolicies);
    this.dependsOnPrefix = dependsOnPrefix(options.importPolicies);
    this.#facts = {
      internal: session?.internal ?? options.internal,
      peerAs: session?.peerAs ?? options.peerAs,
      localAs: session?.localAs ?? options.localAs,
      realAs: options.realAsLoops ? context.options.asNumber : (session?.localAs ?? options.localAs),
      allowLocalAs: options.allowLocalAs,
      routerId: context.options.routerId,
      get clusterIds() {
        return context.clusterIds();
      },
      enforceFirstAs: options.enforceFirstAs,
      role: options.role,
      isOwnAddress: (address) => context.isOwnAddress(address),
    };
  }

  /** 0 rejects. The id is only lent: retain it to keep it. `set` is what `received` stands for; `prefix` is given if `dependsOnPrefix`. */
  accept(received: AttrsId, set: AttributeView, prefix: Prefix | undefined): AttrsId {
    if (prefix === undefined && this.#from === received && !this.asksInterface) return this.#result;
    this.clear();
    this.#result = this.#judge(received, set, prefix);
    this.#from = received;
    this.#context.attributes.retain(received, 1);
    return this.#result;
  }

  /** Gives back what it remembers. */
  clear(): void {
    if (this.#from !== NONE) this.#context.attributes.release(this.#from);
    if (this.#result !== NONE) this.#context.attributes.release(this.#result);
    this.#from = NONE;
    this.#result = NONE;
  }

  /** Why such a route is not accepted, in words for people; undefined when it is. */
  refusal(received: AttrsId, prefix: Prefix): string | undefined {
    const { attributes } = this.#context;
    const refused = importRefusal(attributes.viewOf(received), this.#facts);
    if (refused !== undefined) return IMPORT_REFUSAL_TEXT[refused];
    const { verdict, policy, term } = this.#evaluate(attributes.attributes(received), prefix);
    return verdict === "accept" ? undefined : `rejected by import policy ${policy}, term ${(term ?? 0) + 1}`;
  }

  /** With one reference for the caller. */
  #judge(received: AttrsId, set: AttributeView, prefix: Prefix | undefined): AttrsId {
    const table = this.#context.attributes;
    this.isBlackhole = false;
    if (importRefusal(set, this.#facts) !== undefined) return NONE;
    if (this.#options.importPolicies.length > 0 || importChanges(set, this.#facts)) {
      const attributes = table.attributes(received);
      const judged = this.#evaluate(attributes, prefix);
      if (judged.verdict === "reject") return NONE;
      this.isBlackhole = judged.honoursBlackhole;
      const accepted = afterImportPolicy(judged.attributes, this.#facts);
      if (accepted !== attributes) return table.intern(accepted);
    }
    table.retain(received, 1);
    return received;
  }

  #evaluate(attributes: PathAttributes, prefix: Prefix | undefined): PolicyResult {
    return evaluate(
      this.#options.importPolicies,
      {
        family: prefix?.family ?? attributes.nextHop.family,
        w0: prefix?.w0 ?? 0,
        w1: prefix?.w1 ?? 0,
        w2: prefix?.w2 ?? 0,
        w3: prefix?.w3 ?? 0,
        length: prefix?.length ?? 0,
        attributes: beforeImportPolicy(attributes, this.#facts),
        source: "peer",
        interfaceName: this.asksInterface ? this.#context.interfaceName(attributes.nextHop) : undefined,
        internalPeer: this.#facts.internal,
        self: undefined,
      },
      { repeatAs: undefined },
    );
  }
}
