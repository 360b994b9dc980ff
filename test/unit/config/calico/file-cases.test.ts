/** What others wrote, read from files: Calico's own cases in each form that a user may have them in, and what users posted. */

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { FileDatastore } from "../../../../src/config/calico/datastore/file.ts";
import { toStoredForm } from "../../../../src/config/calico/datastore/stored-form.ts";
import { formatYaml } from "../../../../src/config/yaml.ts";
import { calicoCases, kubernetesForm } from "../../../harness/calico-case.ts";
import type { ApiObject } from "../../../harness/kubernetes-objects.ts";
import { shared } from "../../../harness/shared-data.ts";
import { silentLogger } from "../../../harness/silent-logger.ts";
import { systemClock } from "../../../harness/system-clock.ts";
import { ToldObjects } from "../../../harness/told-objects.ts";
import { waitFor } from "../../../harness/wait-for.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

async function readAll(path: string): Promise<ToldObjects> {
  const told = new ToldObjects();
  const datastore = new FileDatastore(path, told, systemClock, silentLogger);
  datastore.start();
  await waitFor(() => told.isSynced, { what: "the files to be read", interval: 2 });
  await datastore.close();
  return told;
}

const list = (items: readonly ApiObject[]) => ({
  apiVersion: "v1",
  kind: "List",
  items,
  metadata: { resourceVersion: "" },
});

/** As different tools print the same objects. */
const forms: readonly [name: string, file: string, print: (items: readonly ApiObject[]) => string][] = [
  ["documents", "a.yaml", (items) => items.map((item) => formatYaml(item)).join("---\n")],
  ["a YAML list", "a.yml", (items) => formatYaml(list(items))],
  ["a JSON list", "a.json", (items) => JSON.stringify(list(items), undefined, 4)],
];

describe.each(forms)("Calico's cases as %s (skipped without ../shared/data)", (_name, file, print) => {
  const cases = calicoCases();
  it.skipIf(cases.length === 0).each(cases.map((one) => [one.case, one] as const))("%s", async (_case, one) => {
    const folder = mkdtempSync(join(tmpdir(), "starling-case-"));
    folders.push(folder);
    const items = [...one.resources, ...one.kubernetes];
    writeFileSync(join(folder, file), print(items));
    const told = await readAll(folder);
    expect([...told.wrong]).toEqual([]);
    const expected = items.map((item) => ({ labels: {}, annotations: {}, ...item.metadata, spec: item["spec"] }));
    const shown = [...told.objects.values()].map(({ metadata, spec }) => ({ ...metadata, spec }));
    expect(shown).toEqual(expected);
  });

  it.skipIf(cases.length === 0)("and as custom resources of the older kind", async () => {
    for (const one of cases) {
      const folder = mkdtempSync(join(tmpdir(), "starling-case-"));
      folders.push(folder);
      const items = kubernetesForm(one, one, "crd.projectcalico.org/v1");
      writeFileSync(join(folder, file), print(items));
      const told = await readAll(folder);
      expect([...told.wrong]).toEqual([]);
      const forms = items.map(toStoredForm);
      expect([...told.objects.values()]).toEqual(forms.map((form) => (form.kind === "object" ? form.object : form)));
    }
  });
});

describe("what users wrote (skipped without ../shared/data)", () => {
  const folder = shared("calico/user");
  const problems: Readonly<Record<string, readonly [place: string, words: string][]>> = {
    "ipv6-singlestack-installation.yaml": [["3", "Tigera operator"]],
    "legacy-v1-bgppeer.yaml": [["3", "format of Calico 2"]],
    "rr-to-tor-keep-nexthop.yaml": [["26", "quote a value that begins with !"]],
  };
  const names = folder === undefined ? [] : readdirSync(folder).filter((name) => name.endsWith(".yaml"));
  it.skipIf(names.length === 0).each(names)("%s", async (name) => {
    const told = await readAll(join(folder ?? "", name));
    const expected = problems[name] ?? [];
    expect([...told.wrong.keys()].map((origin) => origin.split(":").at(-1))).toEqual(expected.map(([line]) => line));
    for (const [, words] of expected) expect([...told.wrong.values()].join()).toContain(words);
    expect(told.objects.size + told.wrong.size).toBeGreaterThan(0);
  });

  it.skipIf(folder === undefined)("a selector with an unquoted ! spoils its own item alone", async () => {
    const told = await readAll(join(folder ?? "", "rr-to-tor-keep-nexthop.yaml"));
    expect(told.names()).toEqual(["BGPConfiguration default"]);
  });

  const goldens = shared("calico/confd-golden");
  it.skipIf(goldens === undefined)("the inputs of Calico's own tests, as they are", async () => {
    const files = readdirSync(goldens ?? "", { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith("input.yaml"),
    );
    expect(files.length).toBeGreaterThan(20);
    for (const file of files) {
      const told = await readAll(join(goldens ?? "", file));
      expect([file, ...told.wrong]).toEqual([file]);
      expect(told.objects.size).toBeGreaterThan(0);
    }
  });
});
