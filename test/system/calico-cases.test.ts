/** What Calico's own tests expect of its resources is what `starling config show --json` says, wherever the resources come from. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { built, executable } from "../harness/attacked-daemon.ts";
import { type CalicoCase, calicoCases, kubernetesForm } from "../harness/calico-case.ts";
import { type StatusFile, writeConfig, writeResources, writeStatusFiles } from "../harness/calico-folder.ts";
import { EtcdServer, hasEtcd } from "../harness/daemons/etcd.ts";
import { etcdForm } from "../harness/etcd-form.ts";
import { KubernetesApi } from "../harness/kubernetes-api.ts";
import { runCommand } from "../harness/process.ts";

interface Expectation extends CalicoCase {
  readonly env: Readonly<Record<string, string>>;
  readonly endpointStatusFiles: readonly StatusFile[];
  readonly expect: {
    readonly routerId: string;
    readonly ipv4: Readonly<Record<string, unknown>>;
    readonly ipv6: Readonly<Record<string, unknown>>;
  };
}

const cases = calicoCases() as readonly Expectation[];
const named = cases.map((one) => [one.case, one] as const);

beforeAll(built);

describe.skipIf(cases.length === 0)("Calico's cases (skipped without ../shared/data)", () => {
  it.each(named)("%s from files", async (_name, one) => {
    const directory = temporary();
    const config = writeConfig(directory, one, writeResources(directory, one));
    expect(await shown(one, directory, ["-c", config])).toEqual(expected(one));
  });

  it.each(named)("%s from the Kubernetes API, without a file", async (_name, one) => {
    const directory = temporary();
    const api = await KubernetesApi.start();
    onTestFinished(() => api.close());
    api.objects.become(kubernetesForm(one, one, "crd.projectcalico.org/v1"));
    const env = { DATASTORE_TYPE: "kubernetes", K8S_API_ENDPOINT: api.url };
    expect(await shown(one, directory, [], env)).toEqual(expected(one));
  });
});

const inEtcd = named.filter(([, one]) => !one.kddOnly);

describe.skipIf(cases.length === 0 || !hasEtcd)(
  "Calico's cases in etcd (skipped without ../shared/data, etcd, etcdctl)",
  () => {
    let server: EtcdServer;

    beforeAll(async () => {
      server = await EtcdServer.start();
    });

    afterAll(async () => {
      await server?.close();
    });

    it.each(inEtcd)("%s, without a file", async (_name, one) => {
      await server.control("del", "--prefix", "/calico/");
      await server.putAll([...etcdForm(one, one)]);
      const env = { DATASTORE_TYPE: "etcdv3", ETCD_ENDPOINTS: server.endpoint };
      expect(await shown(one, temporary(), [], env)).toEqual(expected(one));
    });
  },
);

function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), "starling-case-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

async function shown(one: Expectation, directory: string, words: readonly string[], more = {}): Promise<object> {
  const folder = writeStatusFiles(directory, one.endpointStatusFiles);
  const env = { ...one.env, CALICO_ENDPOINT_STATUS_PATH_PREFIX: folder, ...more };
  const text = await runCommand([process.execPath, executable, "config", "show", "--json", ...words], { env });
  const { calico, problems } = JSON.parse(text) as {
    readonly calico: object;
    readonly problems: readonly { readonly message: string }[];
  };
  return { calico, problems: problems.filter(({ message }) => !isLeftOpen(message)) };
}

/** What the cases themselves refer to and do not have. */
function isLeftOpen(message: string): boolean {
  return /Secret .* (is not there|has no key)|no BGPFilter|no Node|selects no node|has no effect on/.test(message);
}

function expected({ node, release, expect: { routerId, ipv4, ipv6 } }: Expectation): object {
  return {
    calico: { nodeName: node, release, routerId, ipv4: withoutPasswords(ipv4), ipv6: withoutPasswords(ipv6) },
    problems: [],
  };
}

function withoutPasswords(family: Readonly<Record<string, unknown>>): object {
  const peers = family["peers"] as readonly { readonly password?: string | null }[];
  return { ...family, peers: peers.map(({ password: _secret, ...peer }) => peer) };
}
