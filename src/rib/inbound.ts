/** The inbound side of one peer: from attributes as received to attributes as accepted (RFC 4271 §9.1.1 and the checks before it). */

import type { PathAttributes } from "../bgp/model/attributes.ts";
import type { AttrsId } from "../bgp/model/ids.ts";
import type { Prefix } from "../bgp/model/prefix.ts";

export interface Inbound {
  /** The verdict may differ from prefix to prefix of one attribute set. */
  readonly dependsOnPrefix: boolean;
  /** 0 rejects. The id is only lent: retain it to keep it. `prefix` is given if `dependsOnPrefix`. */
  accept(received: AttrsId, attributes: PathAttributes, prefix: Prefix | undefined): AttrsId;
  /** Gives back what it remembers. */
  clear(): void;
}
