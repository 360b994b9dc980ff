/** Where the API server is and who we are. The one door to @kubernetes/client-node, which is loaded when it is first needed. */

import { existsSync } from "node:fs";
import type { RequestOptions } from "node:https";
import type { KubeConfig } from "@kubernetes/client-node/dist/config.js";
import type { ApiServerOptions, DatastoreOptions } from "../options.ts";
import { ApiError, reasonOf } from "./kubernetes-error.ts";
import { reasonOf as fileReason } from "./resource-files.ts";

export type KubernetesOptions = Extract<DatastoreOptions, { type: "kubernetes" }>;

export interface ApiServer {
  /** "https://10.96.0.1:443"; a path may follow, where the API stands behind a proxy. */
  readonly url: string;
  /** TLS, identity, and the agent that knows of proxies. Holds secrets: not for any log. */
  readonly options: RequestOptions;
}

const SERVICE_ACCOUNT_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/**
 * Of the package its KubeConfig alone is imported: it reads kubeconfig and service account, and has tokens from files and
 * helper programs. The package as a whole takes 70 MB of memory and 400 ms to load, and what is bundled of it here 10 MB and
 * 35 ms; its API classes and its Watch are not in there, since lists and watches are read as streams (kubernetes-request.ts).
 */
export class KubernetesAccess {
  readonly #options: KubernetesOptions;
  readonly #root: string;
  #config: Promise<KubeConfig> | undefined;
  /** One at a time for all who ask: each may start a helper program, and that may hang. */
  #asking: Promise<ApiServer> | undefined;

  /** `root` is where the file system of the pod begins. */
  constructor(options: KubernetesOptions, root = "") {
    this.#options = options;
    this.#root = root;
  }

  /** Reads again what tokens and certificates have become. Rejects with an ApiError that says what is missing. */
  server(): Promise<ApiServer> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  /** The server did not believe who we are: the next request reads everything anew, instead of what was read in the last minute. */
  forget(): void {
    this.#config = undefined;
  }

  async #ask(): Promise<ApiServer> {
    this.#config ??= load(this.#options, this.#root);
    try {
      const config = await this.#config;
      const cluster = config.getCurrentCluster();
      if (cluster === null) throw new ApiError(`${nameOf(this.#options)} names no cluster for its current context`);
      const options: RequestOptions = {};
      await config.applyToHTTPSOptions(options);
      return { url: cluster.server, options };
    } catch (error) {
      this.forget();
      throw error instanceof ApiError ? error : new ApiError(`cannot log in to the API server: ${reasonOf(error)}`);
    }
  }
}

async function load(options: KubernetesOptions, root: string): Promise<KubeConfig> {
  const { KubeConfig } = await import("@kubernetes/client-node/dist/config.js");
  const { kubeconfig, context, apiServer } = options;
  const config = new KubeConfig();
  try {
    if (kubeconfig !== undefined) config.loadFromFile(kubeconfig);
    else if (apiServer !== undefined) config.loadFromOptions(standalone(apiServer));
    else if (process.env["KUBERNETES_SERVICE_HOST"] && existsSync(root + SERVICE_ACCOUNT_TOKEN)) {
      config.loadFromCluster(root);
    } else config.loadFromDefault();
  } catch (error) {
    throw new ApiError(`${nameOf(options)} cannot be read: ${fileReason(error)}`);
  }
  // What the package makes up when it finds nothing.
  if (config.getCurrentCluster()?.server === "http://localhost:8080") {
    throw new ApiError(
      "no way to the API server: there is neither a service account nor a kubeconfig. Set calico.datastore.kubeconfig, or KUBECONFIG",
    );
  }
  if (context === undefined) return config;
  const known = config.getContexts().map(({ name }) => name);
  if (!known.includes(context)) {
    throw new ApiError(`${nameOf(options)} has no context ${context}; it has ${known.join(", ") || "none"}`);
  }
  config.setCurrentContext(context);
  return config;
}

/** K8S_API_ENDPOINT and its kin, as a kubeconfig. */
function standalone({ url, ca, cert, key, token, skipVerify }: ApiServerOptions): object {
  const name = "environment";
  const cluster = { name, server: url, ...(ca === undefined ? {} : { caFile: ca }) };
  return {
    clusters: [{ ...cluster, skipTLSVerify: skipVerify || url.startsWith("http:") }],
    users: [
      {
        name,
        ...(cert === undefined ? {} : { certFile: cert }),
        ...(key === undefined ? {} : { keyFile: key }),
        ...(token === undefined ? {} : { token }),
      },
    ],
    contexts: [{ name, cluster: name, user: name }],
    currentContext: name,
  };
}

function nameOf({ kubeconfig }: KubernetesOptions): string {
  return kubeconfig === undefined ? "the configuration for Kubernetes" : `kubeconfig ${kubeconfig}`;
}
