/** An AttributesCodec that anybody can read: for tests of the tables, which must not care what the bytes are. */

import type { PathAttributes } from "../../src/bgp/model/attributes.ts";
import type { AttributesCodec } from "../../src/bgp/model/ports.ts";

export const jsonCodec: AttributesCodec = {
  encode: (attributes) => Buffer.from(JSON.stringify(attributes)),
  decode: (bytes) => Object.freeze(JSON.parse(Buffer.from(bytes).toString()) as PathAttributes),
};
