/** Keeps secrets out of everything that leaves the process: configuration views and log lines. */

/** Names of keys whose values are secrets wherever they stand. `passwordFile`, `passwordEnv` and `passwordSet` are none. */
export const SECRET_KEYS = [
  "password",
  "passwd",
  "secret",
  "token",
  "md5Key",
  "authorization",
  "clientKeyData",
] as const;

const secret = new Set<string>(SECRET_KEYS.map((key) => key.toLowerCase()));

/** A replacer for JSON.stringify: the second fence, behind a view that should hold no secret at all. */
export function redacted(key: string, value: unknown): unknown {
  const isSecret = value !== null && value !== undefined && secret.has(key.toLowerCase());
  return isSecret ? "[redacted]" : value;
}
