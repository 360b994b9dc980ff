/** What becomes of a set on its way out, from object to object; between them it goes the way of the tables, as bytes. */

import type { PathAttributes } from "../../../src/bgp/model/attributes.ts";
import { createAttributesCodec } from "../../../src/bgp/wire/attributes-codec.ts";
import {
  type ExportRefusal,
  type ExportTarget,
  ExportWay,
  editPath,
  editsPath,
  type PathOrigin,
} from "../../../src/rib/export.ts";
import type { PolicyEdits } from "../../../src/rib/policy/evaluate.ts";

const codec = createAttributesCodec();
const view = codec.view();
/** One for all: nothing of the set before may show. */
const rewriter = codec.rewriter();

export function refusal(given: PathAttributes, from: PathOrigin, target: ExportTarget): ExportRefusal | undefined {
  return new ExportWay(from, target).refusal(view.load(codec.encode(given)));
}

/** The canonical bytes; or why there are none. */
export function exportedBytes(
  given: PathAttributes,
  from: PathOrigin,
  target: ExportTarget,
  edits?: PolicyEdits,
): Uint8Array | ExportRefusal {
  const set = editsPath(target) ? editPath(given, target, edits) : given;
  const refused = new ExportWay(from, target).rewrite(view.load(codec.encode(set)), rewriter, edits);
  return refused ?? rewriter.bytes.slice(0, rewriter.end);
}

export function exported(
  given: PathAttributes,
  from: PathOrigin,
  target: ExportTarget,
  edits?: PolicyEdits,
): PathAttributes | undefined {
  const bytes = exportedBytes(given, from, target, edits);
  return typeof bytes === "number" ? undefined : codec.decode(bytes);
}
