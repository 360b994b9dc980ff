/** Numbers that look random and are the same at every run. */

/** Returns a source of whole numbers from 0 to below its argument (a linear congruential generator). */
export function randomNumbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Returns a source of indices into `weights`, each as often as its weight says. */
export function weighted(random: (below: number) => number, weights: readonly number[]): () => number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return () => {
    let rest = random(total);
    let index = 0;
    for (; rest >= (weights[index] ?? total); index++) rest -= weights[index] ?? 0;
    return index;
  };
}
