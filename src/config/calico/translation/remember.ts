/** Work that is not done twice: what has the same inputs keeps its output, and what comes out equal keeps its identity. */

import { isDeepStrictEqual } from "node:util";

/** The last result stands as long as every input is the same (===). */
export function remember<I extends readonly unknown[], T>(make: (...inputs: I) => T): (...inputs: I) => T {
  let last: { readonly inputs: I; readonly output: T } | undefined;
  return (...inputs) => {
    if (last?.inputs.every((input, i) => input === inputs[i])) return last.output;
    const output = make(...inputs);
    last = { inputs, output };
    return output;
  };
}

/** As `remember`, and a result that equals the last one is the last one. For small results. */
export function rememberEqual<I extends readonly unknown[], T>(make: (...inputs: I) => T): (...inputs: I) => T {
  let last: T | undefined;
  return remember((...inputs) => {
    const output = make(...inputs);
    if (last === undefined || !isDeepStrictEqual(last, output)) last = output;
    return last;
  });
}

/** Equal items in equal places: the array of before. */
export function keepArray<T>(before: readonly T[] | undefined, now: readonly T[]): readonly T[] {
  const isSame = before?.length === now.length && before.every((item, i) => item === now[i]);
  return isSame ? before : now;
}
