/**
 * A Calico node's configuration as its datastore changes: a little after the datastore told something, what its resources come to
 * goes to the daemon. While the datastore is away the last state stands.
 */

import type { Clock, Timer } from "../bgp/model/ports.ts";
import { type CalicoConfig, problemOfResource } from "../config/calico/calico-config.ts";
import type { CalicoNode } from "../config/calico/calico-node.ts";
import type { Datastore, DatastoreEvents } from "../config/calico/datastore/port.ts";
import type { CalicoOptions } from "../config/calico/options.ts";
import { CalicoReader, type StatusRequests } from "../config/calico/reader.ts";
import type { Config } from "../config/model.ts";
import { formatProblem, isError, isShown, type Problem } from "../config/problem.ts";
import type { Loaded } from "../config/validate.ts";
import type { DaemonLogger } from "../control/log.ts";
import type { CalicoView } from "../control/views.ts";
import { Slices } from "./slices.ts";

export type OpenDatastore = (
  options: CalicoOptions,
  events: DatastoreEvents,
  clock: Clock,
  log: DaemonLogger,
) => Promise<Datastore>;

export interface CalicoSourceParts {
  readonly node: CalicoNode;
  readonly clock: Clock;
  readonly logger: DaemonLogger;
  readonly open: OpenDatastore;
  /** Who answers CalicoNodeStatus resources, and writes by this. */
  readonly statuses: (write: () => Datastore["writeNodeStatus"]) => StatusRequests & { close(): void };
  /** Another configuration, with what is wrong in it, and what leads nowhere. Comes again only when it has resolved. */
  changed(config: Config, problems: readonly Problem[]): Promise<void>;
}

/** Changes come in swarms: one rollout touches hundreds of Services. */
const COALESCE_MILLISECONDS = 100;
/** Sessions without their passwords come up only to go down again. But a Secret that cannot be read must not keep the others waiting. */
const SECRETS_MILLISECONDS = 5_000;
/** Kinds fail and recover one after the other: that is one outage in the log. */
const WHAT_AND_WHEN = / \([^()]*\), since [\d:.TZ-]+/g;

interface Merged extends Pick<Loaded, "config" | "problems"> {
  /** Why there is no configuration, in words. */
  readonly waiting: string | undefined;
}

export class CalicoSource {
  readonly #parts: CalicoSourceParts;
  readonly #reader: CalicoReader;
  readonly #statuses: StatusRequests & { close(): void };
  #config: CalicoConfig;
  /** What keeps the first configuration from being one, in words; undefined once there was one. */
  #lacking: string | undefined = "it has not told everything yet";
  /** Its cause, as the log knows it. */
  #disturbance: string | undefined;
  #timer: Timer | undefined;
  #isChanging = false;
  #isDirty = false;
  #isClosed = false;
  /** Why the resources come to nothing. */
  #awaited: string | undefined;
  /** Until when the first configuration waits for passwords. */
  #secretsEnd: number | undefined;
  #problems: readonly Problem[] = [];
  /** What the log has been told of. */
  #told: ReadonlySet<string> = new Set();
  #release: string | undefined;
  /** The Node that this is, or acts for. */
  #actsFor: string | undefined;

  constructor(parts: CalicoSourceParts) {
    this.#parts = parts;
    this.#config = parts.node.config;
    this.#statuses = parts.statuses(() => this.#reader.datastore?.writeNodeStatus);
    this.#reader = new CalicoReader(parts.node.options, () => this.#heard(), this.#statuses);
  }

  /** Throws UsageError when the datastore's options cannot be used. */
  async start(): Promise<void> {
    const { node, clock, logger, open } = this.#parts;
    logger.info({ node: this.#nodeName, datastore: this.#type }, "reading Calico's resources");
    const opened = await open(node.options, this.#reader, clock, logger);
    this.#reader.datastore = opened;
    if (this.#isClosed) await opened.close();
    else opened.start();
  }

  /** The file was read again: what it comes to with the resources as they are; undefined as long as these are not known. */
  replaceFile(config: CalicoConfig): Pick<Loaded, "config" | "problems"> | undefined {
    this.#config = config;
    if (this.#lacking !== undefined) return undefined;
    const steps = this.#mergeInSteps();
    for (;;) {
      const step = steps.next();
      if (step.done === true) return step.value;
    }
  }

  /** What is missing for readiness: an outage of the datastore later on is nothing that a restart could mend. */
  readiness(): readonly string[] {
    if (this.#lacking === undefined) return [];
    const { disturbance } = this.#reader;
    const why = disturbance === undefined ? this.#lacking : `${this.#lacking}: ${disturbance}`;
    return [`waiting for Calico's datastore (${this.#type}): ${why}`];
  }

  view(): CalicoView {
    const { disturbance } = this.#reader;
    return {
      nodeName: this.#nodeName,
      release: this.#release ?? null,
      datastore: {
        type: this.#type,
        current: this.#lacking === undefined && disturbance === undefined,
        reason: disturbance ?? this.#lacking ?? null,
      },
      problems: this.#problems.length,
    };
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#statuses.close();
    const { datastore } = this.#reader;
    this.#reader.datastore = undefined;
    await datastore?.close();
  }

  /** Of a node that is selected the selector, until it is known which one that is. */
  get #nodeName(): string {
    const { nodeName, nodeSelector } = this.#parts.node.options;
    return this.#actsFor ?? nodeSelector?.text ?? nodeName;
  }

  get #type(): CalicoView["datastore"]["type"] {
    return this.#parts.node.options.datastore.type;
  }

  #heard(): void {
    this.#logDisturbance(this.#reader.disturbance);
    this.#soon(COALESCE_MILLISECONDS);
  }

  #logDisturbance(reason: string | undefined): void {
    const cause = reason?.replace(WHAT_AND_WHEN, "");
    if (cause === this.#disturbance) return;
    this.#disturbance = cause;
    const { logger } = this.#parts;
    const datastore = this.#type;
    if (reason === undefined) logger.info({ datastore }, "Calico's datastore answers");
    else if (this.#lacking === undefined)
      logger.warn({ datastore, reason }, "Calico's datastore is away: the last state of its resources stands");
    else logger.warn({ datastore, reason }, "waiting for Calico's datastore");
  }

  #soon(milliseconds: number): void {
    this.#isDirty = true;
    if (!this.#reader.isSynced || this.#isClosed || this.#isChanging) return;
    if (this.#timer !== undefined && milliseconds > 0) return;
    this.#timer?.cancel();
    this.#timer = this.#parts.clock.after(milliseconds, () => {
      this.#timer = undefined;
      void this.#change();
    });
  }

  async #change(): Promise<void> {
    this.#isChanging = true;
    this.#isDirty = false;
    try {
      await this.#changeOnce();
    } catch (error) {
      // A bug of ours: the daemon goes on with what it has.
      this.#parts.logger.error({ err: error }, "Calico's resources could not be taken over");
    }
    this.#isChanging = false;
    if (this.#isDirty) this.#soon(COALESCE_MILLISECONDS);
  }

  async #changeOnce(): Promise<void> {
    const file = this.#config;
    const { config, problems, waiting } = await new Slices(this.#parts.clock).run(this.#mergeInSteps());
    // The file was read again in between: what it said before must not come after what it says now.
    if (file !== this.#config) return this.#soon(0);
    if (this.#waitsForSecrets()) return;
    this.#note(problems);
    if (config === undefined)
      return this.#wait(waiting ?? "what it says and the configuration file do not go together");
    this.#awaited = undefined;
    this.#release = config.calico?.release;
    this.#actFor(config.calico?.nodeName);
    await this.#parts.changed(config, problems.filter(isShown));
    this.#lacking = undefined;
  }

  #actFor(node: string | undefined): void {
    if (node === this.#actsFor) return;
    this.#actsFor = node;
    if (this.#parts.node.options.nodeSelector !== undefined) this.#parts.logger.info({ node }, "acting for this Node");
  }

  /** Said once, as long as it is so. */
  #wait(reason: string): void {
    const isStarting = this.#lacking !== undefined;
    if (isStarting) this.#lacking = reason;
    if (reason === this.#awaited) return;
    this.#awaited = reason;
    const text = isStarting ? "waiting for Calico's resources" : "the last state of Calico's resources stands";
    this.#parts.logger.warn({ reason }, text);
  }

  *#mergeInSteps(): Generator<undefined, Merged> {
    const { model, problems, waiting, clusterId } = this.#reader.translate();
    const merged = model === undefined ? undefined : yield* this.#config.mergeInSteps(model, clusterId);
    return {
      config: merged?.config,
      problems: [...problems.map(problemOfResource), ...(merged?.problems ?? [])],
      waiting,
    };
  }

  /** True: the first configuration comes when the passwords are there. */
  #waitsForSecrets(): boolean {
    const { awaitedSecrets } = this.#reader;
    if (this.#lacking === undefined || awaitedSecrets.length === 0) return false;
    const { clock, logger } = this.#parts;
    this.#secretsEnd ??= clock.now() + SECRETS_MILLISECONDS;
    const left = this.#secretsEnd - clock.now();
    if (left <= 0) {
      logger.warn({ secrets: awaitedSecrets }, "going on without the passwords in Secrets that cannot be read");
      return false;
    }
    this.#lacking = `it has not told the Secrets ${awaitedSecrets.join(", ")} yet`;
    clock.after(left, () => this.#soon(0));
    return true;
  }

  /** Each problem is logged once, as long as it is there. */
  #note(problems: readonly Problem[]): void {
    this.#problems = problems.filter(isError);
    const told = new Set<string>();
    for (const problem of problems) {
      const text = formatProblem(problem);
      told.add(text);
      if (this.#told.has(text)) continue;
      if (isError(problem)) this.#parts.logger.error({ path: problem.path }, text);
      else this.#parts.logger.warn({ path: problem.path }, text);
    }
    this.#told = told;
  }
}
