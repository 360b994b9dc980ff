/** Which files of a folder hold resources, and what has to be listened to to hear of others. */

import { readdirSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Interest, waysTo } from "./folder-watch.ts";

export interface ResourceFile {
  readonly path: string;
  /** Differs when the file may have changed; empty where it cannot be known. */
  readonly stamp: string;
  /** Octets. */
  readonly size: number;
}

export type Listing =
  | {
      readonly kind: "listed";
      /** Sorted by path. */
      readonly files: readonly ResourceFile[];
      readonly interests: ReadonlyMap<string, Interest>;
      /** What was left out, by path. */
      readonly refused: ReadonlyMap<string, string>;
    }
  | { readonly kind: "failed"; readonly message: string; readonly interests: ReadonlyMap<string, Interest> };

const MAX_FILES = 16_384;
const MAX_OCTETS = 256 * 1024 * 1024;
const MAX_FOLDER_DEPTH = 8;
const RESOURCE_FILE = /\.(ya?ml|json)$/i;

/** Yields after each entry. Files and folders whose names begin with a dot are left out: editors and ConfigMaps keep theirs there. */
export function* listResourceFiles(path: string): Generator<undefined, Listing> {
  const interests = new Map<string, Interest>(waysTo(path));
  const refused = new Map<string, string>();
  const files: ResourceFile[] = [];
  try {
    if (statSync(path).isDirectory()) yield* walk(path, 0, files, interests, refused);
    else yield* add(path, true, files, interests);
  } catch (thrown) {
    return { kind: "failed", message: `cannot read ${path}: ${reasonOf(thrown)}`, interests };
  }
  return { kind: "listed", files: within(MAX_OCTETS, files, refused), interests, refused };
}

function* walk(
  folder: string,
  depth: number,
  files: ResourceFile[],
  interests: Map<string, Interest>,
  refused: Map<string, string>,
): Generator<undefined, void> {
  interests.set(folder, "all");
  const found = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const item of found) {
    yield undefined;
    const { name } = item;
    const entry = join(folder, name);
    if (name.startsWith(".")) continue;
    try {
      const isLink = !item.isFile() && !item.isDirectory();
      if (isLink ? statSync(entry).isDirectory() : item.isDirectory()) {
        if (depth < MAX_FOLDER_DEPTH) yield* walk(entry, depth + 1, files, interests, refused);
        else refused.set(entry, `folders deeper than ${MAX_FOLDER_DEPTH} are not read`);
      } else if (RESOURCE_FILE.test(name)) {
        if (files.length < MAX_FILES) yield* add(entry, isLink, files, interests);
        else refused.set(folder, `there are more than ${MAX_FILES} files; the rest is not read`);
      }
    } catch (thrown) {
      // What is gone by now was told of, and is looked for again.
      if (codeOf(thrown) === "ENOENT") continue;
      if (RESOURCE_FILE.test(name)) files.push({ path: entry, stamp: "", size: 0 });
      else refused.set(entry, `cannot read it: ${reasonOf(thrown)}`);
    }
  }
}

function* add(
  path: string,
  mayBeLink: boolean,
  files: ResourceFile[],
  interests: Map<string, Interest>,
): Generator<undefined, void> {
  yield undefined;
  const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
  files.push({ path, stamp: `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`, size: Number(size) });
  if (!mayBeLink) return;
  const real = realpathSync(path);
  if (real === path) return;
  // The file itself is elsewhere, and may be written to in place there.
  const folder = dirname(real);
  const interest = interests.get(folder) ?? new Set<string>();
  if (interest !== "all") interests.set(folder, new Set([...interest, basename(real)]));
}

function within(octets: number, files: readonly ResourceFile[], refused: Map<string, string>): ResourceFile[] {
  let sum = 0;
  return files.filter(({ path, size }) => {
    sum += size;
    if (sum > octets) refused.set(path, `the files together have more than ${octets} octets; this one is not read`);
    return sum <= octets;
  });
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
}

export function reasonOf(thrown: unknown): string {
  switch (codeOf(thrown)) {
    case "ENOENT":
      return "there is no such file or folder";
    case "EACCES":
      return "permission denied";
    case "ENOTDIR":
      return "a part of its path is not a folder";
    case "ELOOP":
      return "its symbolic links go in a circle";
    default:
      return thrown instanceof Error ? thrown.message : String(thrown);
  }
}
