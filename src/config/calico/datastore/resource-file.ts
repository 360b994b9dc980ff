/** One file of resources as it was last read, and what is left of the time before where it cannot be read now. */

import { createHash } from "node:crypto";
import { readTextFile } from "../../text-file.ts";
import type { ObjectKey, StoredObject } from "../stored-object.ts";
import { type Found, piecesOf, resourcesOf } from "./resource-text.ts";

/** An object and its place. */
export interface Entry {
  readonly object: StoredObject;
  readonly key: ObjectKey;
  readonly origin: string;
}

export interface FileState {
  readonly stamp: string;
  readonly entries: readonly Entry[];
  /** What is wrong, by place. */
  readonly wrong: ReadonlyMap<string, string>;
  /** An empty file is often one that is about to be written: the first time that it is seen what it held still counts. */
  readonly isSuspect: boolean;
  /** What each piece of the text came to, so that only those that changed are parsed again. */
  readonly pieces: ReadonlyMap<string, readonly Found[]>;
}

const MAX_FILE_OCTETS = 16 * 1024 * 1024;

/** Of one file: in what is no file of resources at all, every line may be wrong. */
const MAX_WRONG = 100;

/** Yields after each piece. `before`: the same file as it was. */
export function* readResourceFile(
  path: string,
  stamp: string,
  before: FileState | undefined,
): Generator<undefined, FileState> {
  const file = readTextFile(path, MAX_FILE_OCTETS);
  yield undefined;
  if (file.kind === "error") {
    return {
      stamp,
      entries: before?.entries ?? [],
      wrong: new Map([[path, `cannot read the file: ${file.message}`]]),
      isSuspect: false,
      pieces: before?.pieces ?? new Map(),
    };
  }
  if (file.text.trim() === "" && before !== undefined && before.entries.length > 0 && !before.isSuspect) {
    return { ...before, isSuspect: true };
  }
  return yield* readText(file.text, path, stamp, before);
}

function* readText(
  text: string,
  path: string,
  stamp: string,
  before: FileState | undefined,
): Generator<undefined, FileState> {
  const entries: Entry[] = [];
  const wrong = new Map<string, string>();
  const pieces = new Map<string, readonly Found[]>();
  for (const piece of piecesOf(text)) {
    yield undefined;
    if (piece === undefined) continue;
    const { inherited } = piece;
    const digest = createHash("sha1")
      .update(`${inherited?.apiVersion} ${inherited?.kind}\n${piece.text}`)
      .digest("base64");
    const found = before?.pieces.get(digest) ?? pieces.get(digest) ?? resourcesOf(piece);
    pieces.set(digest, found);
    for (const { form, line } of found) {
      const origin = `${path}:${piece.line + line}`;
      if (form.kind === "object") entries.push({ object: form.object, key: form.key, origin });
      else if (form.kind === "wrong" && wrong.size < MAX_WRONG) wrong.set(origin, form.message);
    }
  }
  if (wrong.size > 0 && before !== undefined) entries.push(...lostIn(entries, before.entries));
  return { stamp, entries, wrong, isSuspect: false, pieces };
}

/** What a file held before and may still hold in the part of it that cannot be read. */
function lostIn(entries: readonly Entry[], before: readonly Entry[]): Entry[] {
  const text = ({ key }: Entry) => `${key.group}/${key.kind}/${key.namespace}/${key.name}`;
  const present = new Set(entries.map(text));
  return before.filter((entry) => !present.has(text(entry)));
}
