/** Attribute sets as sessions hand them to the tables, and back. */

import type { PathAttributes } from "../../src/bgp/model/attributes.ts";
import type { AttributeView } from "../../src/bgp/model/ports.ts";
import { createAttributesCodec } from "../../src/bgp/wire/attributes-codec.ts";

const codec = createAttributesCodec();

export function viewOf(attributes: PathAttributes): AttributeView {
  return codec.view().load(codec.encode(attributes));
}

export function attributesIn({ bytes, from, end }: AttributeView): PathAttributes {
  return codec.decode(bytes.subarray(from, end));
}
