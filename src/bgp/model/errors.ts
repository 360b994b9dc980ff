/** Our own failures: a bug in starling, never the peer's or the operator's doing. */

export class InternalError extends Error {
  override readonly name = "InternalError";
}

/** Ends an exhaustive switch: the compiler proves that nothing reaches it. */
export function assertNever(value: never): never {
  throw new InternalError(`unexpected value: ${JSON.stringify(value)}`);
}
