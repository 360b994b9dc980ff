/** Keeps secrets out of everything that leaves the process: configuration views and log lines. */

/** Names of keys whose values are secrets wherever they stand. `passwordFile`, `passwordEnv` and `passwordSet` are none. */
const SECRET_KEYS = ["password", "passwd", "secret", "token", "md5Key", "authorization", "clientKeyData"] as const;

const secret = new Set<string>(SECRET_KEYS.map((key) => key.toLowerCase()));

/** What stands deeper than this in the fields of an event is not looked at. */
const DEPTH = 4;

/** The fields of an event without their secrets: themselves where they hold none, which costs no copy. */
export function withoutSecrets<T extends object>(fields: T, depth = DEPTH): T {
  let copy: Record<string, unknown> | undefined;
  for (const [key, value] of Object.entries(fields)) {
    const kept =
      depth > 0 && isPlain(value) && !secret.has(key.toLowerCase())
        ? withoutSecrets(value, depth - 1)
        : redacted(key, value);
    if (kept === value) continue;
    copy ??= (Array.isArray(fields) ? [...fields] : { ...fields }) as Record<string, unknown>;
    copy[key] = kept;
  }
  return (copy ?? fields) as T;
}

function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
}

/** A replacer for JSON.stringify: the second fence, behind a view that should hold no secret at all. */
export function redacted(key: string, value: unknown): unknown {
  const isSecret = value !== null && value !== undefined && secret.has(key.toLowerCase());
  return isSecret ? "[redacted]" : value;
}
