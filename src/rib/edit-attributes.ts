/** Attribute sets are frozen and shared; an edit makes a new one only if it differs. */

import type { PathAttributes } from "../bgp/model/attributes.ts";

/** Lists and addresses count as equal when they are the same object: an edit that keeps a value must keep the object. */
export function editAttributes(attributes: PathAttributes, edit: Partial<PathAttributes>): PathAttributes {
  for (const key of Object.keys(edit) as (keyof PathAttributes)[]) {
    if (attributes[key] !== edit[key]) return Object.freeze({ ...attributes, ...edit });
  }
  return attributes;
}
