/** The AS path and aggregator that a two-octet speaker's UPDATE means (RFC 6793 §4.2.3). */

import { type AsPath, type AsPathSegment, pathLength, SegmentType } from "../../model/as-path.ts";
import { AS_TRANS } from "../../model/ids.ts";
import { isConfederation } from "./as-path.ts";
import type { AttributeDraft } from "./draft.ts";

/** Folds AS4_PATH and AS4_AGGREGATOR into AS_PATH and AGGREGATOR. */
export function mergeAs4(draft: AttributeDraft): void {
  // An AGGREGATOR that a newer speaker would have written as AS_TRANS, but that is another: it was set after the AS4
  // attributes, by a speaker that does not know them, and so both are out of date.
  if (draft.aggregator !== undefined && draft.as4Aggregator !== undefined) {
    if (draft.aggregator.asNumber !== AS_TRANS) return;
    draft.aggregator = draft.as4Aggregator;
  }
  if (draft.asPath !== undefined && draft.as4Path !== undefined) draft.asPath = mergePath(draft.asPath, draft.as4Path);
}

/** As much of the front of AS_PATH as makes the whole as long as AS_PATH was, then AS4_PATH. */
export function mergePath(path: AsPath, as4Path: AsPath): AsPath {
  let missing = pathLength(path) - pathLength(as4Path);
  if (missing < 0) return path;
  const front: AsPathSegment[] = [];
  for (const segment of path) {
    if (isConfederation(segment)) {
      // Leading, or beside a segment that was taken: it counts for nothing and stays.
      front.push(segment);
    } else if (missing === 0) {
      break;
    } else if (segment.type === SegmentType.Set) {
      front.push(segment);
      missing -= 1;
    } else {
      const asns = segment.asns.slice(0, missing);
      front.push({ type: segment.type, asns });
      missing -= asns.length;
      if (asns.length < segment.asns.length) break;
    }
  }
  const last = front.at(-1);
  const first = as4Path[0];
  // The parts of one sequence become one again, so that the path equals what a four-octet speaker would have sent.
  if (
    last?.type === SegmentType.Sequence &&
    first?.type === SegmentType.Sequence &&
    last.asns.length + first.asns.length <= 255
  ) {
    front[front.length - 1] = { type: SegmentType.Sequence, asns: [...last.asns, ...first.asns] };
    return [...front, ...as4Path.slice(1)];
  }
  return [...front, ...as4Path];
}
