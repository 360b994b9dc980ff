import { describe, expect, it } from "vitest";
import { isCalicoNode, resolveCalico } from "../../../../src/config/calico/environment.ts";
import type { CalicoInput } from "../../../../src/config/schema-calico.ts";
import type { TextResult } from "../../../../src/config/text-file.ts";
import { problemsOf } from "../fixtures.ts";

type Variables = Readonly<Record<string, string>>;

const missing: TextResult = { kind: "error", message: "there is no such file" };

function resolve(variables: Variables, written: CalicoInput = {}, files: Readonly<Record<string, string>> = {}) {
  return resolveCalico(written, {
    environment: (name) => variables[name],
    addresses: () => ["10.0.0.1"],
    hostName: () => "Machine.Example",
    resolvePath: (path) => (path.startsWith("/") ? path : `/etc/starling/${path}`),
    readText: (path) => {
      const text = files[path];
      return text === undefined ? missing : { kind: "text", text, worldReadable: false };
    },
  });
}

const IN_POD: Variables = { DATASTORE_TYPE: "kubernetes" };

describe("the environment of calico/node", () => {
  it("is whole with nothing but a datastore", () => {
    const { options, problems } = resolve(IN_POD);
    expect(problems).toEqual([]);
    expect(options).toEqual({
      nodeName: "machine.example",
      kubernetesNodeName: "machine.example",
      release: "auto",
      role: "node",
      backend: "bird",
      datastore: {
        type: "kubernetes",
        kubeconfig: undefined,
        context: undefined,
        apiGroup: undefined,
        apiServer: undefined,
      },
      secretNamespace: "kube-system",
      endpointStatusFolder: "/var/run/calico/endpoint-status",
      routerId: "",
      advertiseClusterIps: undefined,
      usePodCidr: false,
      logSeverity: undefined,
    });
  });

  it("is overridden by the section of the file", () => {
    const { options } = resolve(
      { ...IN_POD, NODENAME: "from-environment" },
      {
        nodeName: "from-file",
        release: "3.31",
        role: "route-reflector",
        datastore: { type: "file", path: "/resources" },
      },
    );
    expect(options).toMatchObject({
      nodeName: "from-file",
      kubernetesNodeName: "from-file",
      release: "3.31",
      role: "route-reflector",
      datastore: { type: "file", path: "/resources" },
    });
  });

  it.each<[string, Variables, Readonly<Record<string, string>>, string]>([
    ["NODENAME, as it is", { NODENAME: "Node-A", HOSTNAME: "b" }, { "/var/lib/calico/nodename": "c" }, "Node-A"],
    ["the file that calico/node left", { HOSTNAME: "b" }, { "/var/lib/calico/nodename": "node-c\n" }, "node-c"],
    [
      "its new place",
      { CALICO_NODENAME_FILE: "/x", HOSTNAME: "b" },
      { "/x": "d", "/var/lib/calico/nodename": "c" },
      "d",
    ],
    ["HOSTNAME, in small letters", { HOSTNAME: "Node-B" }, {}, "node-b"],
    ["an empty NODENAME is none", { NODENAME: "", HOSTNAME: "b" }, {}, "b"],
  ])("takes the node's name from %s", (_what, variables, files, expected) => {
    const { options, problems } = resolve({ ...IN_POD, ...variables }, {}, files);
    expect(options.nodeName).toBe(expected);
    expect(problems).toEqual([]);
  });

  it("says so if the file with the node's name is not there, and goes on", () => {
    const { options, problems } = resolve({ ...IN_POD, CALICO_NODENAME_FILE: "/gone" });
    expect(options.nodeName).toBe("machine.example");
    expect(problems).toMatchObject([{ name: "CALICO_NODENAME_FILE", severity: "warning" }]);
  });

  it("takes what else matters to BGP", () => {
    const { options, problems } = resolve({
      ...IN_POD,
      CALICO_K8S_NODE_REF: "k8s-name",
      NAMESPACE: "calico-system",
      CALICO_ENDPOINT_STATUS_PATH_PREFIX: "/run/felix/",
      CALICO_ROUTER_ID: "hash",
      CALICO_ADVERTISE_CLUSTER_IPS: "10.96.0.0/12",
      USE_POD_CIDR: "T",
      BGP_LOGSEVERITYSCREEN: "Debug",
      CALICO_NETWORKING_BACKEND: "vxlan",
    });
    expect(problems).toEqual([]);
    expect(options).toMatchObject({
      kubernetesNodeName: "k8s-name",
      secretNamespace: "calico-system",
      endpointStatusFolder: "/run/felix/endpoint-status",
      routerId: "hash",
      advertiseClusterIps: "10.96.0.0/12",
      usePodCidr: true,
      logSeverity: "debug",
      backend: "vxlan",
    });
    expect(resolve({ ...IN_POD, CALICO_NETWORKING: "false" }).options.backend).toBe("none");
  });

  it.each<[string, string, "error" | "warning"]>([
    ["CALICO_ROUTER_ID", "fd00::1", "error"],
    ["CALICO_ROUTER_ID", "0.0.0.0", "error"],
    ["CALICO_ADVERTISE_CLUSTER_IPS", "10.96.0.0/33", "error"],
    ["CALICO_NETWORKING_BACKEND", "brid", "error"],
    ["CALICO_API_GROUP", "projectcalico.org/v1", "error"],
    ["DATASTORE_TYPE", "etcd", "error"],
    ["USE_POD_CIDR", "yes", "warning"],
    ["BGP_LOGSEVERITYSCREEN", "loud", "warning"],
    ["K8S_API_ENDPOINT", "10.0.0.1:6443", "error"],
  ])("refuses %s=%s", (name, value, severity) => {
    expect(resolve({ ...IN_POD, [name]: value }).problems).toMatchObject([{ name, severity }]);
  });
});

describe("where the resources are, by the environment", () => {
  it("is etcd, with all that calico-etcd.yaml sets", () => {
    const { options, problems } = resolve({
      ETCD_ENDPOINTS: "https://10.0.0.1:2379, https://10.0.0.2:2379,",
      ETCD_CA_CERT_FILE: "/ca",
      ETCD_CERT_FILE: "/cert",
      ETCD_KEY_FILE: "/key",
      ETCD_USERNAME: "calico",
      ETCD_PASSWORD: "secret",
    });
    expect(problems).toEqual([]);
    expect(options.datastore).toEqual({
      type: "etcd",
      endpoints: ["https://10.0.0.1:2379", "https://10.0.0.2:2379"],
      discoverySrv: undefined,
      ca: "/ca",
      cert: "/cert",
      key: "/key",
      username: "calico",
      password: "secret",
    });
  });

  it("may name etcd by a domain, and each variable with CALICO_ before it", () => {
    const { options } = resolve({ DATASTORE_TYPE: "etcdv3", CALICO_ETCD_DISCOVERY_SRV: "example.org" });
    expect(options.datastore).toMatchObject({ type: "etcd", endpoints: [], discoverySrv: "example.org" });
  });

  it("takes the paths of the file from where the file is, and those of the environment as they are", () => {
    const variables = { ...IN_POD, ETCD_CERT_FILE: "cert", ETCD_KEY_FILE: "key" };
    const datastoreOf = (datastore: NonNullable<CalicoInput["datastore"]>) =>
      resolve(variables, { datastore }).options.datastore;
    expect(datastoreOf({ type: "file", path: "resources" })).toEqual({ type: "file", path: "/etc/starling/resources" });
    expect(datastoreOf({ type: "etcd", endpoints: "http://a:2379", ca: "ca" })).toMatchObject({
      ca: "/etc/starling/ca",
      cert: "cert",
      key: "key",
    });
  });

  it("reads the password from the variable that the file names", () => {
    const written: CalicoInput = {
      datastore: { type: "etcd", endpoints: ["http://[::1]:2379"], username: "u", passwordEnv: "MINE" },
    };
    expect(resolve({ MINE: "p", ETCD_PASSWORD: "other" }, written).options.datastore).toMatchObject({ password: "p" });
    expect(resolve({ ETCD_PASSWORD: "other" }, written).problems).toMatchObject([{ name: "MINE", severity: "error" }]);
  });

  it.each<[string, Variables, string]>([
    ["etcd without endpoints", { DATASTORE_TYPE: "etcdv3" }, "ETCD_ENDPOINTS"],
    ["an endpoint that is no URL", { ETCD_ENDPOINTS: "10.0.0.1:2379,http://10.0.0.2:2379" }, "ETCD_ENDPOINTS"],
    ["a certificate without its key", { ETCD_ENDPOINTS: "https://a:2379", ETCD_CERT_FILE: "/c" }, "ETCD_KEY_FILE"],
    ["a user without password", { ETCD_ENDPOINTS: "https://a:2379", ETCD_USERNAME: "u" }, "ETCD_PASSWORD"],
    ["nothing at all", {}, "DATASTORE_TYPE"],
  ])("refuses %s", (_what, variables, name) => {
    expect(resolve(variables).problems).toMatchObject([{ name, severity: "error" }]);
  });

  it("never repeats a password that stands in an endpoint", () => {
    const { problems } = resolve({ ETCD_ENDPOINTS: "http://user:hunter2@10.0.0.1:2379" });
    expect(problems.length).toBeGreaterThan(0);
    expect(JSON.stringify(problems)).not.toContain("hunter2");
  });

  it("is the API server that K8S_* names, unless there is a kubeconfig", () => {
    const variables = { ...IN_POD, K8S_API_ENDPOINT: "https://10.0.0.1:6443", K8S_CA_FILE: "/ca", K8S_API_TOKEN: "t" };
    expect(resolve(variables).options.datastore).toMatchObject({
      apiServer: { url: "https://10.0.0.1:6443", ca: "/ca", token: "t", skipVerify: false },
    });
    expect(resolve({ ...variables, KUBECONFIG: "/kc" }).options.datastore).toMatchObject({
      kubeconfig: "/kc",
      apiServer: undefined,
    });
  });

  it("may leave the node to a selector, for a pure reflector alone", () => {
    const selected = resolve(IN_POD, { role: "route-reflector", nodeSelector: "has(reflector)" });
    expect(selected.options.nodeSelector).toEqual({ text: "has(reflector)", addresses: ["10.0.0.1"] });
    const problems = (calico: string) => problemsOf(`calico: {datastore: {type: file, path: /x}, ${calico}}`);
    expect(problems("role: route-reflector, nodeSelector: has(reflector)")).toEqual([]);
    expect(problems("nodeSelector: has(reflector)")).toEqual([
      expect.stringMatching(/calico\.nodeSelector: is for pure reflectors; accepted: beside role: route-reflector/),
    ]);
    expect(problems("role: route-reflector, nodeSelector: has(")).toEqual([
      expect.stringMatching(/calico\.nodeSelector: .*"has\(": expected/),
    ]);
  });

  it.each<[Variables, boolean]>([
    [{}, false],
    [{ KUBECONFIG: "/root/.kube/config" }, false],
    [{ DATASTORE_TYPE: "" }, false],
    [{ DATASTORE_TYPE: "kubernetes" }, true],
    [{ ETCD_ENDPOINTS: "http://a:2379" }, true],
    [{ CALICO_DATASTORE_TYPE: "kubernetes" }, true],
  ])("%o asks for Calico: %s", (variables, expected) => {
    expect(isCalicoNode((name) => variables[name])).toBe(expected);
  });
});
