/** Failures that every layer shares. */

/** Our own: a bug in starling, never the peer's or the operator's doing. */
export class InternalError extends Error {
  override readonly name = "InternalError";
}

/** The user asked for something that is not there or not allowed; `message` says what and what to do. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Ends an exhaustive switch: the compiler proves that nothing reaches it. */
export function assertNever(value: never): never {
  throw new InternalError(`unexpected value: ${JSON.stringify(value)}`);
}
