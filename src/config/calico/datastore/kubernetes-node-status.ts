/** Writing the status of a CalicoNodeStatus through the API server: others may write the same object meanwhile. */

import { ApiError } from "./kubernetes-error.ts";
import { type CalicoApi, pathOf } from "./kubernetes-kinds.ts";
import type { ApiClient, ApiRequest } from "./kubernetes-request.ts";
import type { Timings } from "./kubernetes-timings.ts";
import { isFields } from "./stored-form.ts";

const ATTEMPTS = 5;

export class NodeStatusWriter {
  readonly #client: ApiClient;
  readonly #timings: Timings;
  readonly #signal: AbortSignal;

  constructor(client: ApiClient, timings: Timings, signal: AbortSignal) {
    this.#client = client;
    this.#timings = timings;
    this.#signal = signal;
  }

  /** Rejects with an ApiError that says what refused it. */
  async write(
    api: CalicoApi,
    name: string,
    status: unknown,
    annotations: Readonly<Record<string, string>>,
  ): Promise<void> {
    const path = `${pathOf({ api, plural: "caliconodestatuses", namespace: undefined })}/${encodeURIComponent(name)}`;
    const object = await this.#putStatus(path, status);
    const metadata = isFields(object["metadata"]) ? object["metadata"] : {};
    const present = isFields(metadata["annotations"]) ? metadata["annotations"] : {};
    const changed = Object.entries(annotations).filter(([key, value]) => present[key] !== value);
    if (changed.length === 0) return;
    // A write of the status leaves metadata alone, and a merge has no conflicts.
    const patch = JSON.stringify({ metadata: { annotations: Object.fromEntries(changed) } });
    await this.#ask({ method: "PATCH", path, body: { type: "application/merge-patch+json", text: patch } });
  }

  /** Returns the object as it was read. */
  async #putStatus(path: string, status: unknown): Promise<Readonly<Record<string, unknown>>> {
    for (let attempt = 1; ; attempt++) {
      const object = await this.#ask({ method: "GET", path });
      const text = JSON.stringify({ ...object, status });
      const body = { type: "application/json", text };
      try {
        await this.#put(path, body);
        return object;
      } catch (error) {
        // 409: somebody wrote the object after it was read. With what they wrote the next attempt begins.
        if (error instanceof ApiError && error.status === 409 && attempt < ATTEMPTS) continue;
        throw error;
      }
    }
  }

  /** Calico's older definitions have no status subresource: there the status is a part of the object like any other. */
  async #put(path: string, body: NonNullable<ApiRequest["body"]>): Promise<void> {
    try {
      await this.#ask({ method: "PUT", path: `${path}/status`, body });
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
      await this.#ask({ method: "PUT", path, body });
    }
  }

  async #ask(request: ApiRequest): Promise<Readonly<Record<string, unknown>>> {
    try {
      const answer = await this.#client.json(request, this.#timings.answer, this.#signal);
      return isFields(answer) ? answer : {};
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 403) throw error;
      const verb = { GET: "get", PUT: "update", PATCH: "patch" }[request.method];
      const resource = request.path.endsWith("/status") ? "caliconodestatuses/status" : "caliconodestatuses";
      throw new ApiError(`${error.message}; grant ${verb} on ${resource} to the account that starling runs as`, 403);
    }
  }
}
