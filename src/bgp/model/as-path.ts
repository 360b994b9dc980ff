/** AS_PATH: segments as received, and what the decision process reads from them (RFC 4271 §5.1.2, RFC 5065). */

import type { Asn } from "./ids.ts";

export const SegmentType = { Set: 1, Sequence: 2, ConfedSequence: 3, ConfedSet: 4 } as const;
export type SegmentType = (typeof SegmentType)[keyof typeof SegmentType];

export interface AsPathSegment {
  readonly type: SegmentType;
  readonly asns: readonly Asn[];
}

export type AsPath = readonly AsPathSegment[];

/** RFC 4271 §9.1.2.2 a: a set counts as one. RFC 5065 §5.3: confederation segments do not count. */
export function pathLength(path: AsPath): number {
  let length = 0;
  for (const segment of path) {
    if (segment.type === SegmentType.Sequence) length += segment.asns.length;
    else if (segment.type === SegmentType.Set) length += 1;
  }
  return length;
}

/**
 * The AS that the route was learnt from: the first of the path when it begins with a sequence, 0 otherwise
 * (RFC 4271 §9.1.2.2 c: an empty path means our own AS; confederation segments are skipped, RFC 5065 §5.3).
 */
export function neighborAs(path: AsPath): number {
  for (const segment of path) {
    if (segment.type === SegmentType.Sequence) return segment.asns[0] ?? 0;
    if (segment.type === SegmentType.Set) return 0;
  }
  return 0;
}

/** How often `asn` stands anywhere in the path (loop detection, RFC 4271 §9.1.2). */
export function countAs(path: AsPath, asn: number): number {
  let count = 0;
  for (const segment of path) for (const a of segment.asns) if (a === asn) count++;
  return count;
}

/** RFC 4271 §5.1.2 b: in front of the first sequence, which is split when it would pass 255. */
export function prependAs(path: AsPath, asn: Asn, times = 1): AsPath {
  let result = path;
  for (let i = 0; i < times; i++) {
    const first = result[0];
    result =
      first !== undefined && first.type === SegmentType.Sequence && first.asns.length < 255
        ? [{ type: SegmentType.Sequence, asns: [asn, ...first.asns] }, ...result.slice(1)]
        : [{ type: SegmentType.Sequence, asns: [asn] }, ...result];
  }
  return result;
}

/** "65001 65002 {65003 65004}"; confederation sequences in (), sets in []. */
export function formatAsPath(path: AsPath): string {
  return path
    .map(({ type, asns }) => {
      const list = asns.join(" ");
      if (type === SegmentType.Sequence) return list;
      if (type === SegmentType.Set) return `{${list}}`;
      return type === SegmentType.ConfedSequence ? `(${list})` : `[${list}]`;
    })
    .join(" ");
}
