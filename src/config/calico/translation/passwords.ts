/** The passwords of sessions: which Secrets hold them, and what of them can be used. */

import { Buffer } from "node:buffer";
import type { Table } from "../cluster/table.ts";
import type { SecretKey } from "../resources/field-types.ts";
import type { Secret } from "../resources/secret.ts";

/** Linux takes no longer key (TCP_MD5SIG_MAXKEYLEN). */
const MAX_OCTETS = 80;

export type Password =
  | { readonly kind: "none" }
  | { readonly kind: "text"; readonly text: string }
  /** As BIRD's nodes: the session runs without. */
  | { readonly kind: "missing"; readonly message: string }
  | { readonly kind: "wrong"; readonly message: string };

export function passwordOf(reference: SecretKey | undefined, secrets: Table<Secret>, namespace: string): Password {
  if (reference === undefined) return { kind: "none" };
  const { name, key } = reference;
  const secret = secrets.get(`${namespace}/${name}`);
  if (secret === undefined) {
    return {
      kind: "missing",
      message: `Secret ${namespace}/${name} is not there, or may not be read: the session runs without a password`,
    };
  }
  const text = Object.hasOwn(secret, key) ? secret[key] : undefined;
  if (text === undefined || text === "") {
    return {
      kind: "missing",
      message: `Secret ${namespace}/${name} has no key "${key}": the session runs without a password`,
    };
  }
  if (Buffer.byteLength(text) > MAX_OCTETS) {
    return {
      kind: "wrong",
      message: `the password in Secret ${namespace}/${name} is longer than ${MAX_OCTETS} octets: the session stays down`,
    };
  }
  return { kind: "text", text };
}
