/** The datastore that is a file, or a folder of files: watched, and only differences are told. */

import { isDeepStrictEqual } from "node:util";
import type { Clock, Logger } from "../../../bgp/model/ports.ts";
import { keyText } from "../object-key.ts";
import type { ObjectKey } from "../stored-object.ts";
import { FolderWatch } from "./folder-watch.ts";
import type { Datastore, DatastoreEvents } from "./port.ts";
import { type Entry, type FileState, readResourceFile } from "./resource-file.ts";
import { type Listing, listResourceFiles, type ResourceFile } from "./resource-files.ts";

/** Which files there are under a path, and what one of them holds. Both yield where others may have their turn. */
export interface FileSource {
  readonly list: (path: string) => Generator<undefined, Listing>;
  readonly read: (path: string, stamp: string, before: FileState | undefined) => Generator<undefined, FileState>;
}

const RESOURCES: FileSource = { list: listResourceFiles, read: readResourceFile };

const SLICE_MILLISECONDS = 4;
/** How long an empty file may stay empty before it is believed. */
const EMPTY_MILLISECONDS = 1000;
/** Folders that appear while they are being listed are listed once more. */
const MAX_LISTINGS = 3;

export class FileDatastore implements Datastore {
  readonly writeNodeStatus = undefined;
  readonly #path: string;
  readonly #source: FileSource;
  readonly #events: DatastoreEvents;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #watch: FolderWatch;
  #files: ReadonlyMap<string, FileState> = new Map();
  readonly #told = new Map<string, Entry>();
  #wrong: ReadonlyMap<string, string> = new Map();
  #disturbance: string | undefined;
  #isSynced = false;
  #isClosed = false;
  #scanning: Promise<void> | undefined;
  #isDirty = false;

  constructor(path: string, events: DatastoreEvents, clock: Clock, log: Logger, source: FileSource = RESOURCES) {
    this.#path = path;
    this.#source = source;
    this.#events = events;
    this.#clock = clock;
    this.#log = log;
    this.#watch = new FolderWatch(clock, () => this.#look());
  }

  start(): void {
    this.#look();
  }

  /** The Secrets of the files are told as they are; which of those that are asked for are not among them remains to be said. */
  wantSecrets(namespace: string, names: readonly string[]): void {
    for (const name of names) {
      const key: ObjectKey = { group: "kubernetes", kind: "Secret", namespace, name };
      const told = this.#told.get(keyText(key));
      if (told === undefined) this.#events.deleted(key);
      else this.#events.set(told.object, told.origin);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#watch.close();
    await this.#scanning;
  }

  #look(): void {
    if (this.#isClosed) return;
    this.#isDirty = true;
    this.#scanning ??= this.#scanAll().finally(() => {
      this.#scanning = undefined;
    });
  }

  async #scanAll(): Promise<void> {
    while (this.#isDirty && !this.#isClosed) {
      this.#isDirty = false;
      try {
        await this.#scan();
      } catch (thrown) {
        // A folder may change under the reader in ways that no list of causes is long enough for: the next change mends it.
        const message = thrown instanceof Error ? thrown.message : String(thrown);
        this.#log.error({ path: this.#path, err: thrown }, "calico resources could not be read");
        this.#disturb(`cannot read ${this.#path}: ${message}`);
      }
    }
  }

  async #scan(): Promise<void> {
    const listing = await this.#list();
    if (listing.kind === "failed") return this.#disturb(listing.message);
    const files = new Map<string, FileState>();
    for (const file of listing.files) {
      const state = await this.#read(file);
      if (state.isSuspect) this.#watch.lookAgain(EMPTY_MILLISECONDS);
      files.set(file.path, state);
    }
    // Of a folder that cannot be read for now, what it held stays.
    for (const [path, state] of this.#files) {
      if ([...listing.refused.keys()].some((folder) => path.startsWith(`${folder}/`))) files.set(path, state);
    }
    if (this.#isClosed) return;
    this.#files = files;
    await this.#inSlices(this.#tell(files, listing.refused));
    if (this.#isClosed) return;
    this.#disturb(this.#watch.failure);
    if (!this.#isSynced) this.#events.synced();
    this.#isSynced = true;
  }

  async #list(): Promise<Listing> {
    let listing = await this.#inSlices(this.#source.list(this.#path));
    for (let n = 1; this.#watch.follow(listing.interests) && n < MAX_LISTINGS; n++) {
      listing = await this.#inSlices(this.#source.list(this.#path));
    }
    return listing;
  }

  async #read({ path, stamp }: ResourceFile): Promise<FileState> {
    const before = this.#files.get(path);
    if (before !== undefined && stamp !== "" && before.stamp === stamp && !before.isSuspect) return before;
    return await this.#inSlices(this.#source.read(path, stamp, before));
  }

  /** Compares what the files hold with what was told, and tells the difference. Yields after each object. */
  *#tell(files: ReadonlyMap<string, FileState>, refused: ReadonlyMap<string, string>): Generator<undefined, void> {
    const wrong = new Map(refused);
    const present = new Map<string, Entry>();
    for (const state of files.values()) {
      for (const [origin, message] of state.wrong) wrong.set(origin, message);
      for (const entry of state.entries) {
        yield undefined;
        const key = keyText(entry.key);
        const first = present.get(key);
        if (first === undefined) present.set(key, entry);
        else wrong.set(entry.origin, `${nameOf(entry)} stands at ${first.origin} already, which is what counts`);
      }
    }
    for (const [key, entry] of present) {
      yield undefined;
      const told = this.#told.get(key);
      if (told?.object === entry.object) continue;
      this.#told.set(key, entry);
      if (!isDeepStrictEqual(told?.object, entry.object)) this.#events.set(entry.object, entry.origin);
    }
    for (const [key, entry] of this.#told) {
      if (present.has(key)) continue;
      yield undefined;
      this.#told.delete(key);
      this.#events.deleted(entry.key);
    }
    this.#tellWrong(wrong);
  }

  #tellWrong(wrong: ReadonlyMap<string, string>): void {
    const before = this.#wrong;
    this.#wrong = wrong;
    for (const [origin, message] of wrong) {
      if (before.get(origin) !== message) this.#events.unreadable(origin, message);
    }
    for (const origin of before.keys()) {
      if (!wrong.has(origin)) this.#events.unreadable(origin, undefined);
    }
  }

  #disturb(reason: string | undefined): void {
    if (this.#disturbance === reason || this.#isClosed) return;
    this.#disturbance = reason;
    this.#events.disturbed(reason);
  }

  /** Runs it to its end, with turns for everything else in between. */
  async #inSlices<T>(work: Generator<undefined, T>): Promise<T> {
    for (;;) {
      const end = this.#clock.now() + SLICE_MILLISECONDS;
      do {
        const step = work.next();
        if (step.done === true) return step.value;
      } while (this.#clock.now() < end);
      await new Promise<void>((resolve) => this.#clock.soon(resolve));
    }
  }
}

function nameOf({ key }: Entry): string {
  return key.namespace === "" ? `${key.kind} ${key.name}` : `${key.kind} ${key.namespace}/${key.name}`;
}
