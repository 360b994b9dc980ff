/** MP_UNREACH_NLRI, RFC 4760 §4; with no prefixes and nothing beside it, the End-of-RIB marker (RFC 4724 §2). */

import { type AttributeRules, OPTIONAL_NON_TRANSITIVE } from "./contract.ts";

export const mpUnreach: AttributeRules = {
  type: 15,
  name: "MP_UNREACH_NLRI",
  flags: OPTIONAL_NON_TRANSITIVE,
  length: "any",
  onError: "reset",
  section: "RFC 7606 §7.12",
};
