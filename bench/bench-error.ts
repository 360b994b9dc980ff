/** What went wrong with a run or with the way the benchmark was called, in words for the user. */

export class BenchError extends Error {
  override readonly name = "BenchError";
}
