/** Where in the API Calico's resources are: in its older custom resources, or in those of its own API group. */

import { ApiError } from "./kubernetes-error.ts";
import type { CalicoApi } from "./kubernetes-kinds.ts";
import type { ApiClient } from "./kubernetes-request.ts";
import { isFields } from "./stored-form.ts";

/**
 * As Calico chooses: projectcalico.org/v3 only where the older group is not there. Both are where Calico's own API server
 * shows the older ones once more. Throws an ApiError if neither is there.
 */
export async function calicoApi(client: ApiClient, silence: number, signal: AbortSignal): Promise<CalicoApi> {
  const list = await groupList(client, silence, signal);
  // Whoever may not know which groups there are asks for what most clusters have; the answer to that says what is wrong.
  if (list === undefined) return "crd.projectcalico.org/v1";
  const groups = isFields(list) && Array.isArray(list["groups"]) ? list["groups"].filter(isFields) : [];
  const names = new Set(groups.map(({ name }) => name));
  if (names.has("crd.projectcalico.org")) return "crd.projectcalico.org/v1";
  if (names.has("projectcalico.org")) return "projectcalico.org/v3";
  throw new ApiError(
    "the API server has neither crd.projectcalico.org nor projectcalico.org: install Calico's CustomResourceDefinitions",
  );
}

/** Undefined: it is not shown to us. */
async function groupList(client: ApiClient, silence: number, signal: AbortSignal): Promise<unknown> {
  try {
    return await client.json({ method: "GET", path: "/apis" }, silence, signal);
  } catch (error) {
    if (error instanceof ApiError && (error.status === 403 || error.status === 404)) return undefined;
    throw error;
  }
}
