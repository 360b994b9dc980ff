/** BlockAffinity: that a block of a pool belongs to a node. */

import type { Place } from "../problem.ts";
import type { StoredObject } from "../stored-object.ts";
import { cidr } from "./field-types.ts";
import { flag, name, readFields, required } from "./fields.ts";

export const blockAffinityFields = {
  cidr: required(cidr()),
  deleted: flag(),
  node: required(name("the name of a node")),
  state: name("confirmed, pending or pendingDeletion"),
  type: name("host or virtual"),
};

export interface Block {
  readonly cidr: string;
  readonly node: string;
  readonly state: "confirmed" | "implicit" | "pendingDeletion";
}

/** Undefined: no block that is in use. */
export function readBlockAffinity(object: StoredObject, place: Place): Block | undefined {
  const spec = readFields(blockAffinityFields, object["spec"], place.at("spec"));
  const { state, node } = spec;
  if (place.hasErrors || spec.cidr === undefined || node === undefined) return undefined;
  if (spec.deleted || spec.type === "virtual") return undefined;
  switch (state) {
    case undefined:
      return { cidr: spec.cidr, node, state: "implicit" };
    case "confirmed":
    case "pendingDeletion":
      return { cidr: spec.cidr, node, state };
    case "pending":
      return undefined;
    default:
      place
        .at("spec")
        .at("state")
        .warn(
          `"${state}" is not known, so that the block counts as pending; accepted: ${blockAffinityFields.state.accepts}`,
        );
      return undefined;
  }
}
