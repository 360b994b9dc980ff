/** Reads a small text file without ever hanging on what is not one: a pipe, a device, an endless file. */

import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";

export type TextResult =
  | { readonly kind: "text"; readonly text: string; readonly worldReadable: boolean }
  | { readonly kind: "error"; readonly message: string };

export function readTextFile(path: string, maxBytes: number): TextResult {
  let descriptor: number | undefined;
  try {
    // O_NONBLOCK: opening a pipe must not wait for its writer.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const facts = fstatSync(descriptor);
    if (facts.isDirectory()) return { kind: "error", message: "it is a directory" };
    if (!facts.isFile()) return { kind: "error", message: "it is not a regular file" };
    if (facts.size > maxBytes) {
      return { kind: "error", message: `it has ${facts.size} bytes; accepted: at most ${maxBytes}` };
    }
    const bytes = readFileSync(descriptor);
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return { kind: "text", text, worldReadable: (facts.mode & 0o004) !== 0 };
  } catch (thrown) {
    return { kind: "error", message: reasonOf(thrown) };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** A failed system call in words. */
function reasonOf(thrown: unknown): string {
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
  switch (code) {
    case "ENOENT":
      return "there is no such file";
    case "EACCES":
      return "permission denied";
    case "ENOTDIR":
      return "a part of its path is not a directory";
    case "ELOOP":
      return "its symbolic links go in a circle";
    case "ERR_ENCODING_INVALID_ENCODED_DATA":
      return "it is not UTF-8 text";
    default:
      return thrown instanceof Error ? thrown.message : String(thrown);
  }
}
