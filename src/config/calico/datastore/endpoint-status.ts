/**
 * The files in which Felix tells of the workloads of this node. Those of workloads that speak BGP (localWorkloadSelector) become
 * objects of kind EndpointStatus, named as the file, with its content as `spec`.
 */

import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Clock, Logger } from "../../../bgp/model/ports.ts";
import { readTextFile } from "../../text-file.ts";
import { CALICO_API, keyOf } from "../object-key.ts";
import type { StoredObject } from "../stored-object.ts";
import { FileDatastore } from "./file.ts";
import { type Interest, waysTo } from "./folder-watch.ts";
import type { DatastoreEvents } from "./port.ts";
import type { FileState } from "./resource-file.ts";
import { type Listing, type ResourceFile, reasonOf } from "./resource-files.ts";
import { isFields, isShallow } from "./stored-form.ts";

/** Of octets; Felix writes a few hundred. */
const MAX_STATUS_OCTETS = 64 * 1024;
/** Far more workloads than a node can have. */
const MAX_STATUSES = 16_384;

/** `folder` need not exist yet: Felix makes it when it starts. */
export function endpointStatusDatastore(
  folder: string,
  events: DatastoreEvents,
  clock: Clock,
  log: Logger,
): FileDatastore {
  return new FileDatastore(folder, events, clock, log, { list: listStatuses, read: readStatus });
}

function* listStatuses(folder: string): Generator<undefined, Listing> {
  const interests = new Map<string, Interest>(waysTo(folder));
  const files: ResourceFile[] = [];
  const refused = new Map<string, string>();
  try {
    const names = readdirSync(folder).sort();
    interests.set(folder, "all");
    for (const name of names) {
      yield undefined;
      if (files.length === MAX_STATUSES) {
        refused.set(folder, `there are more than ${MAX_STATUSES} files; the rest is not read`);
        break;
      }
      const facts = statSync(join(folder, name), { bigint: true, throwIfNoEntry: false });
      if (name.startsWith(".") || !facts?.isFile()) continue;
      const { ino, size, mtimeNs, ctimeNs } = facts;
      files.push({ path: join(folder, name), stamp: `${ino}:${size}:${mtimeNs}:${ctimeNs}`, size: Number(size) });
    }
  } catch (thrown) {
    // No Felix, or not yet: no workload of this node speaks BGP.
    const isMissing = thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT";
    if (!isMissing) return { kind: "failed", message: `cannot read ${folder}: ${reasonOf(thrown)}`, interests };
  }
  return { kind: "listed", files, interests, refused };
}

function* readStatus(path: string, stamp: string, before: FileState | undefined): Generator<undefined, FileState> {
  yield undefined;
  const nothing = { stamp, entries: [], wrong: new Map(), isSuspect: false, pieces: new Map() };
  const file = readTextFile(path, MAX_STATUS_OCTETS);
  if (file.kind === "text" && file.text.trim() === "") {
    // Being written, most likely.
    return { ...nothing, entries: before?.isSuspect === false ? before.entries : [], isSuspect: !before?.isSuspect };
  }
  const spec = file.kind === "text" ? parse(file.text) : undefined;
  if (!isFields(spec) || !isShallow(spec)) {
    const message = file.kind === "error" ? `cannot read the file: ${file.message}` : "it holds no JSON object";
    return { ...nothing, entries: before?.entries ?? [], wrong: new Map([[path, message]]) };
  }
  if (typeof spec["bgpPeerName"] !== "string" || spec["bgpPeerName"] === "") return nothing;
  const name = path.slice(path.lastIndexOf("/") + 1);
  const object: StoredObject = { apiVersion: CALICO_API, kind: "EndpointStatus", metadata: { name }, spec };
  return { ...nothing, entries: [{ object, key: keyOf(object), origin: path }] };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
