/** Tells when something under a path may have changed, whatever is there: a file, a folder, a symbolic link that is swapped, nothing yet. */

import { type FSWatcher, lstatSync, readlinkSync, statSync, watch } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Clock, Timer } from "../../../bgp/model/ports.ts";

/** What to listen to in a folder: these names, or whatever happens in it. */
export type Interest = ReadonlySet<string> | "all";

interface Watched {
  readonly watcher: FSWatcher;
  /** Another folder of the same name has another. */
  readonly identity: string;
}

/** Writers make several changes of one: their end is waited for, though not for ever. */
const QUIET_MILLISECONDS = 100;
const PATIENCE_MILLISECONDS = 1000;
/** Where the kernel gives no notice (its limit of watches is reached, or the file system has none). */
const POLL_MILLISECONDS = 5000;
/** As the kernel has it (path_resolution(7)). */
const MAX_LINKS = 40;

export class FolderWatch {
  readonly #clock: Clock;
  readonly #changed: () => void;
  readonly #watched = new Map<string, Watched>();
  #interests: ReadonlyMap<string, Interest> = new Map();
  #quiet: Timer | undefined;
  #poll: Timer | undefined;
  #since: number | undefined;
  #failure: string | undefined;
  #isClosed = false;

  /** `changed` is called when it has been quiet for a moment. */
  constructor(clock: Clock, changed: () => void) {
    this.#clock = clock;
    this.#changed = changed;
  }

  /** Why the kernel gives no notice of a folder, in words: it is looked at every five seconds instead. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /**
   * Listens to these folders and to no others. One that is not there is left out: what is above it tells when it comes. True if one
   * of them was not listened to before: what was read of it may be out of date already.
   */
  follow(interests: ReadonlyMap<string, Interest>): boolean {
    if (this.#isClosed) return false;
    let isNew = false;
    this.#interests = interests;
    for (const folder of this.#watched.keys()) {
      if (!interests.has(folder) || this.#watched.get(folder)?.identity !== identityOf(folder)) this.#drop(folder);
    }
    this.#failure = undefined;
    for (const folder of interests.keys()) {
      if (!this.#watched.has(folder) && this.#add(folder)) isNew = true;
    }
    this.#poll?.cancel();
    this.#poll = undefined;
    if (this.#failure !== undefined) this.#poll = this.#clock.after(POLL_MILLISECONDS, () => this.#fire());
    return isNew;
  }

  /** As if something had changed, after that many milliseconds. */
  lookAgain(milliseconds: number): void {
    this.#note(milliseconds);
  }

  close(): void {
    this.#isClosed = true;
    this.#quiet?.cancel();
    this.#poll?.cancel();
    for (const folder of [...this.#watched.keys()]) this.#drop(folder);
  }

  #add(folder: string): boolean {
    const identity = identityOf(folder);
    if (identity === undefined) return false;
    try {
      const watcher = watch(folder, (_event, name) => {
        const interest = this.#interests.get(folder);
        if (interest === "all" || name === null || interest?.has(name)) this.#note(QUIET_MILLISECONDS);
      });
      watcher.on("error", () => {
        this.#drop(folder);
        this.#note(QUIET_MILLISECONDS);
      });
      this.#watched.set(folder, { watcher, identity });
      return true;
    } catch (thrown) {
      if (identityOf(folder) === undefined) return false;
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      this.#failure = `cannot watch ${folder} (${reason}); looking every ${POLL_MILLISECONDS / 1000} seconds instead`;
      return false;
    }
  }

  #drop(folder: string): void {
    this.#watched.get(folder)?.watcher.close();
    this.#watched.delete(folder);
  }

  #note(quiet: number): void {
    if (this.#isClosed) return;
    const now = this.#clock.now();
    this.#since ??= now;
    this.#quiet?.cancel();
    const longest = Math.max(quiet, PATIENCE_MILLISECONDS) - (now - this.#since);
    this.#quiet = this.#clock.after(Math.max(0, Math.min(quiet, longest)), () => this.#fire());
  }

  #fire(): void {
    this.#quiet?.cancel();
    this.#quiet = undefined;
    this.#since = undefined;
    if (!this.#isClosed) this.#changed();
  }
}

/**
 * The folders whose entries lead to the path: the one that it is in, those that hold a symbolic link on the way, and where a part is
 * missing the one in which it would appear.
 */
export function waysTo(path: string): Map<string, Set<string>> {
  const ways = new Map<string, Set<string>>();
  let links = 0;
  const walk = (target: string): void => {
    let folder = "/";
    const parts = target.split("/").filter((part) => part !== "");
    for (const [index, part] of parts.entries()) {
      const entry = join(folder, part);
      const kind = kindOf(entry);
      if (kind !== "folder" || index === parts.length - 1) noteEntry(folder, part);
      if (kind === "nothing") return;
      if (kind === "link") {
        if (++links > MAX_LINKS) return;
        walk(resolve(folder, readLink(entry), ...parts.slice(index + 1)));
        return;
      }
      folder = entry;
    }
  };
  const noteEntry = (folder: string, name: string) => {
    const names = ways.get(folder) ?? new Set();
    ways.set(folder, names.add(name));
  };
  walk(resolve(path));
  return ways;
}

function kindOf(path: string): "folder" | "link" | "other" | "nothing" {
  try {
    const facts = lstatSync(path);
    return facts.isSymbolicLink() ? "link" : facts.isDirectory() ? "folder" : "other";
  } catch {
    return "nothing";
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return dirname(path); // gone since: its folder is listened to
  }
}

function identityOf(folder: string): string | undefined {
  try {
    const facts = statSync(folder, { bigint: true });
    return facts.isDirectory() ? `${facts.dev}:${facts.ino}:${facts.birthtimeNs}` : undefined;
  } catch {
    return undefined;
  }
}
