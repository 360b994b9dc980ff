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
  /** `text`: the one before, which sessions keep until there is another that can be used; undefined: there was none. */
  | { readonly kind: "wrong"; readonly text: string | undefined; readonly message: string };

/** Remembers what could be used: a slip in one Secret must not take down the sessions of a whole cluster. */
export class Passwords {
  readonly #last = new Map<string, string>();

  of(reference: SecretKey | undefined, secrets: Table<Secret>, namespace: string): Password {
    if (reference === undefined) return { kind: "none" };
    const password = passwordOf(reference, secrets, namespace);
    const key = `${reference.name}/${reference.key}`;
    if (password.kind === "text") this.#last.set(key, password.text);
    else if (password.kind === "missing") this.#last.delete(key);
    else if (password.kind === "wrong") return withLast(password, this.#last.get(key));
    return password;
  }
}

function withLast(password: Extract<Password, { kind: "wrong" }>, text: string | undefined): Password {
  const consequence = text === undefined ? "the session stays down" : "the one before stays in use";
  return { kind: "wrong", text, message: `${password.message}: ${consequence}` };
}

function passwordOf({ name, key }: SecretKey, secrets: Table<Secret>, namespace: string): Password {
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
  const place = `the password in Secret ${namespace}/${name}`;
  if (Buffer.byteLength(text) > MAX_OCTETS) {
    return { kind: "wrong", text: undefined, message: `${place} is longer than ${MAX_OCTETS} octets` };
  }
  if (text.includes("\u0000")) return { kind: "wrong", text: undefined, message: `${place} has a NUL in it` };
  return { kind: "text", text };
}
