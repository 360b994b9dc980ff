/** One thing that a micro-benchmark measures. */

export interface MicroTask {
  readonly name: string;
  /** How many of what is told apart one call deals with: the time is given for one. */
  readonly units: number;
  /** Called many times; once more for a call that takes long. */
  readonly run: () => void | Promise<void>;
  /** Calls at least; as many as fit half a second unless said. */
  readonly calls?: number;
  /** Asked for after the calls: what else is worth saying. */
  readonly note?: () => string;
  readonly close?: () => void;
}
