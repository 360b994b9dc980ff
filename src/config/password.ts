/** The TCP MD5 key of a peer (RFC 2385): written in the file, or read from where the file says. No message repeats it. */

import type { KeyPath } from "./problem.ts";
import type { PeerInput } from "./schema-peer.ts";
import type { Surroundings } from "./surroundings.ts";

/** Linux' TCP_MD5SIG_MAXKEYLEN. */
const MAX_OCTETS = 80;

export function readPassword(
  input: PeerInput,
  surroundings: Surroundings,
  error: (key: KeyPath, message: string) => void,
): string | undefined {
  const keys = (["password", "passwordFile", "passwordEnv"] as const).filter((key) => input[key] !== undefined);
  const [key, other] = keys;
  if (key === undefined) return undefined;
  if (other !== undefined) {
    error([other], `excludes \`${key}\`: accepted is one of password, passwordFile, passwordEnv`);
    return undefined;
  }
  const result = obtain(key, input[key] ?? "", surroundings);
  if (result.kind === "error") {
    error([key], result.message);
    return undefined;
  }
  const octets = Buffer.byteLength(result.text);
  if (octets === 0) error([key], "the password is empty");
  if (octets > MAX_OCTETS) error([key], `the password has ${octets} octets; accepted: at most ${MAX_OCTETS}`);
  if (result.text.includes("\u0000")) error([key], "the password contains a NUL character");
  return result.text;
}

type Obtained = { readonly kind: "text"; readonly text: string } | { readonly kind: "error"; readonly message: string };

function obtain(key: "password" | "passwordFile" | "passwordEnv", value: string, surroundings: Surroundings): Obtained {
  if (key === "password") return { kind: "text", text: value };
  if (key === "passwordEnv") {
    const text = surroundings.environment(value);
    return text === undefined
      ? { kind: "error", message: `the environment variable ${value} is not set` }
      : { kind: "text", text };
  }
  const file = surroundings.readText(value);
  if (file.kind === "error") return { kind: "error", message: `cannot read ${value}: ${file.message}` };
  // An editor ends the last line; the line's end is no part of the password.
  return { kind: "text", text: file.text.replace(/\r?\n$/, "") };
}
