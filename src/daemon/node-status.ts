/** CalicoNodeStatus: for each that asks about this node, what it asks for, as often as it asks. */

import { isDeepStrictEqual } from "node:util";
import type { Clock, Logger, Timer } from "../bgp/model/ports.ts";
import type { Datastore } from "../config/calico/datastore/port.ts";
import type { StoredObject } from "../config/calico/stored-object.ts";
import { nodeReport, type ReportSources, type StatusClass } from "./node-status-report.ts";

export interface NodeStatusParts extends ReportSources {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly nodeName: string;
  /** Undefined where the datastore cannot write, or is not open. */
  readonly write: () => Datastore["writeNodeStatus"];
}

interface Request {
  readonly name: string;
  readonly classes: ReadonlySet<StatusClass>;
  /** 0: filled once, and left alone from then on. */
  readonly periodSeconds: number;
  timer: Timer | undefined;
  /** What was said of a write that failed. */
  failure: string | undefined;
}

/** The annotation that says why: "[]" where all is well. */
export const CONDITIONS_ANNOTATION = "starling/conditions";

const CLASSES: readonly StatusClass[] = ["Agent", "BGP", "Routes"];
/** What Calico takes where none is written, and the most that its API allows. */
const DEFAULT_PERIOD_SECONDS = 10;
const MAX_PERIOD_SECONDS = 86_400;
/** After a write that failed, where the period is shorter. */
const RETRY_SECONDS = 30;

export class NodeStatusReporter {
  readonly #parts: NodeStatusParts;
  readonly #requests = new Map<string, Request>();
  /** Written one after the other, however many ask. */
  #writing: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(parts: NodeStatusParts) {
    this.#parts = parts;
  }

  /** A CalicoNodeStatus that is new or changed; those of other nodes are passed over. */
  set(object: StoredObject): void {
    const { name } = object.metadata;
    const wanted = requestOf(object, this.#parts.nodeName);
    const before = this.#requests.get(name);
    // Mostly it is our own write that comes back.
    if (before !== undefined && wanted !== undefined && isSame(before, wanted)) return;
    this.deleted(name);
    if (wanted === undefined) return;
    this.#requests.set(name, wanted);
    if (wanted.periodSeconds === 0 && isAnswered(object)) return;
    this.#schedule(wanted, 0);
  }

  deleted(name: string): void {
    this.#requests.get(name)?.timer?.cancel();
    this.#requests.delete(name);
  }

  close(): void {
    this.#isClosed = true;
    for (const name of [...this.#requests.keys()]) this.deleted(name);
  }

  #schedule(request: Request, seconds: number): void {
    if (this.#isClosed || this.#requests.get(request.name) !== request) return;
    request.timer = this.#parts.clock.after(seconds * 1000, () => {
      this.#writing = this.#writing.then(() => this.#report(request));
    });
  }

  async #report(request: Request): Promise<void> {
    const { logger, write } = this.#parts;
    if (this.#requests.get(request.name) !== request) return;
    let wait = request.periodSeconds;
    try {
      await this.#write(request, write());
      request.failure = undefined;
      if (wait === 0) return;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (reason !== request.failure) {
        request.failure = reason;
        logger.warn({ caliconodestatus: request.name, reason }, "Calico: the status of this node could not be written");
      }
      wait = Math.max(wait, RETRY_SECONDS);
    }
    this.#schedule(request, wait);
  }

  async #write(request: Request, write: Datastore["writeNodeStatus"]): Promise<void> {
    if (write === undefined) return;
    const { status, conditions } = await nodeReport(request.classes, this.#parts);
    // Kubernetes' own times have no fractions.
    const lastUpdated = new Date(this.#parts.clock.wallTime()).toISOString().replace(/\.\d+Z$/, "Z");
    await write(request.name, { ...status, lastUpdated }, { [CONDITIONS_ANNOTATION]: JSON.stringify(conditions) });
  }
}

/** Undefined: it is about another node. */
function requestOf({ metadata, spec }: StoredObject, nodeName: string): Request | undefined {
  if (typeof spec !== "object" || spec === null || !("node" in spec) || spec.node !== nodeName) return undefined;
  const written: readonly unknown[] = "classes" in spec && Array.isArray(spec.classes) ? spec.classes : [];
  const period = "updatePeriodSeconds" in spec ? spec.updatePeriodSeconds : undefined;
  const isPeriod = typeof period === "number" && Number.isFinite(period) && period >= 0;
  return {
    name: metadata.name,
    classes: new Set(CLASSES.filter((name) => written.includes(name))),
    periodSeconds: isPeriod ? Math.min(Math.ceil(period), MAX_PERIOD_SECONDS) : DEFAULT_PERIOD_SECONDS,
    timer: undefined,
    failure: undefined,
  };
}

function isSame(a: Request, b: Request): boolean {
  return a.periodSeconds === b.periodSeconds && isDeepStrictEqual(a.classes, b.classes);
}

function isAnswered({ status }: StoredObject): boolean {
  return typeof status === "object" && status !== null && "lastUpdated" in status;
}
