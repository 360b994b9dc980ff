/** The shape of the `calico` section: which node this is, whose behaviour, and where Calico's resources come from. */

import * as z from "zod";
import { selectorOf } from "./calico/selector/selector.ts";
import { SelectorSyntaxError } from "./calico/selector/selector-parser.ts";
import { numericScalar, oneOf, Refusal, scalar, text, union } from "./scalars.ts";
import { list, mapping } from "./schema-policy.ts";

const file = (description: string) => text("the path of a file", 4096).optional().meta({ description });

const kubernetes = mapping({
  type: z.literal("kubernetes").meta({ description: "Calico's resources are in the Kubernetes API." }),
  kubeconfig: file(
    "kubeconfig to reach the API with, relative to the configuration file; default KUBECONFIG, else the service account of the pod.",
  ),
  context: text("the name of a context")
    .optional()
    .meta({ description: "Context of the kubeconfig; default its own." }),
});

const etcd = mapping({
  type: z.literal("etcd").meta({ description: "Calico's resources are in etcd (v3 API)." }),
  endpoints: union(
    [list(text("a URL such as https://10.0.0.1:2379", 4096)).min(1), text("URLs, separated by commas", 4096)],
    "a list of URLs such as [https://10.0.0.1:2379]",
  )
    .optional()
    .meta({ description: "URLs of the members; default ETCD_ENDPOINTS.", examples: [["https://10.0.0.1:2379"]] }),
  ca: file("Certificates of those who sign for etcd; default ETCD_CA_CERT_FILE."),
  cert: file("Certificate to show to etcd; default ETCD_CERT_FILE."),
  key: file("Its private key; default ETCD_KEY_FILE."),
  username: text("the name of a user").optional().meta({ description: "User; default ETCD_USERNAME." }),
  passwordEnv: text("the name of an environment variable")
    .optional()
    .meta({ description: "Environment variable that holds the password.", default: "ETCD_PASSWORD" }),
});

const files = mapping({
  type: z.literal("file").meta({ description: "Calico's resources are in YAML files." }),
  path: text("the path of a file or folder", 4096).meta({
    description:
      "A file of YAML or JSON, or a folder of such files, as `calicoctl get -o yaml` prints them; watched. Core Kubernetes objects may stand beside them. Relative to the configuration file.",
  }),
});

const selector = scalar('a selector such as "has(reflector)"', (_trimmed, written): string | Refusal => {
  try {
    return selectorOf(written).text;
  } catch (thrown) {
    if (thrown instanceof SelectorSyntaxError) return new Refusal(`"${written}": ${thrown.message}`);
    throw thrown;
  }
});

export const calicoSchema = mapping({
  nodeName: text("the name of a Calico node", 253)
    .optional()
    .meta({ description: "Which node this is; default NODENAME, then the host name." }),
  nodeSelector: selector.optional().meta({
    description:
      "With `role: route-reflector`, instead of `nodeName`: acts for the Node that it selects and whose address this machine has.",
    examples: ["has(reflector)"],
  }),
  release: numericScalar('auto, "3.31", "3.32" or "3.33"', (value) =>
    (["auto", "3.31", "3.32", "3.33"] as const).find((release) => release === value),
  )
    .optional()
    .meta({
      description:
        "Whose behaviour: LOCAL_PREF, metrics, and which pools are BIRD's differ between releases of Calico. `auto` reads ClusterInformation.",
      default: "auto",
    }),
  role: oneOf(["node", "route-reflector"]).optional().meta({
    description: "`route-reflector`: acts for the node without writing to the kernel or announcing routes of its own.",
    default: "node",
  }),
  datastore: z
    .discriminatedUnion("type", [kubernetes, etcd, files], {
      error: "no such datastore; accepted: a mapping with type: kubernetes, etcd or file, and its keys",
    })
    .optional()
    .meta({
      description:
        "Where Calico's resources are; default as calico/node's environment says (DATASTORE_TYPE, ETCD_ENDPOINTS), else the Kubernetes API of the pod.",
      examples: [{ type: "file", path: "/etc/calico/resources" }],
    }),
})
  .refine(({ nodeSelector, role }) => nodeSelector === undefined || role === "route-reflector", {
    path: ["nodeSelector"],
    error: "is for pure reflectors; accepted: beside role: route-reflector",
  })
  .meta({
    id: "calico",
    description:
      "Stands in for BIRD and confd on a Calico node: peers, policies and routes come from Calico's resources, beside those of this file. `{}` takes everything from calico/node's environment.",
  });

export type CalicoInput = z.output<typeof calicoSchema>;
