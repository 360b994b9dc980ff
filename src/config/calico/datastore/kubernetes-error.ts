/** Why the API server did not do what was asked of it, in words and in HTTP's numbers. */

export class ApiError extends Error {
  override readonly name = "ApiError";
  /** Undefined: no answer came. */
  readonly status: number | undefined;
  /** Seconds to wait, where the server asked for that (429, 503). */
  readonly retryAfterSeconds: number | undefined;

  constructor(message: string, status?: number, retryAfterSeconds?: number) {
    super(message);
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** 410 Gone: what was asked for, a resourceVersion or the rest of a list, is no longer kept. */
export function isGone(error: unknown): boolean {
  return error instanceof ApiError && error.status === 410;
}

/** A helper program's whole output may stand in an error. */
const MAX_REASON = 500;

/** What an error of Node's or of a package comes to, without what it quotes: a parser's message may show the line of a token. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError) return [...new Set(error.errors.map(reasonOf))].join(", ");
  if ("reason" in error && typeof error.reason === "string") return error.reason;
  if (error instanceof SyntaxError) return "it is not what it should be: JSON or YAML that can be read";
  return (error.message || error.name).slice(0, MAX_REASON);
}
