/** The known word that a mistyped one most likely meant. */

/** " (did you mean `hold`?)", or nothing where no known word is near. */
export function suggestion(word: string, known: readonly string[]): string {
  const guess = nearest(word, known);
  return guess === undefined ? "" : ` (did you mean \`${guess}\`?)`;
}

/** Within a third of the letters (at least one, never all); beyond that a guess is noise. Case does not count. */
function nearest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.min(Math.max(1, Math.floor(word.length / 3)) + 1, word.length);
  for (const candidate of known) {
    const distance = distanceOf(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** A word cut short or gone on with (`warning` for `warn`) is near, however much is missing. */
function distanceOf(a: string, b: string): number {
  const isCut = Math.min(a.length, b.length) >= 4 && (a.startsWith(b) || b.startsWith(a));
  // Nearer than two letters wrong, not so near as one.
  return Math.min(editDistance(a, b), isCut ? 1.5 : Number.POSITIVE_INFINITY);
}

/** Insertions, deletions, replacements, and swaps of neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 8) return Number.POSITIVE_INFINITY;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min(replaced, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? Number.POSITIVE_INFINITY;
}
