/** Logging in to the API server: service account, kubeconfig, environment, tokens that change, TLS. No error shows a secret. */

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { waitFor } from "../../../harness/wait-for.ts";
import { folder, follow, followed, kubeconfig, peer, seen, startApi, synced } from "./kubernetes-fixture.ts";

const TOKEN = "eyJhbGciOi-token";
const SERVICE_ACCOUNT = "var/run/secrets/kubernetes.io/serviceaccount";

/** A certificate of its own for 127.0.0.1; undefined where there is no openssl. */
function certificate(): { key: string; cert: string; certFile: string } | undefined {
  const path = folder();
  const [key, cert] = [join(path, "key.pem"), join(path, "cert.pem")];
  const subject = ["-subj", "/CN=double", "-addext", "subjectAltName=IP:127.0.0.1"];
  try {
    execFileSync(
      "openssl",
      [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "1",
        "-keyout",
        key,
        "-out",
        cert,
        ...subject,
      ],
      { stdio: "ignore" },
    );
  } catch {
    return undefined;
  }
  return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8"), certFile: cert };
}

describe("logging in", () => {
  it("as a pod: address from the environment, token and certificate from the service account, over TLS", async (context) => {
    const tls = certificate();
    if (tls === undefined) return context.skip("openssl is not there to make a certificate");
    const api = await startApi(tls);
    api.tokens.add(TOKEN);
    const root = folder();
    mkdirSync(join(root, SERVICE_ACCOUNT), { recursive: true });
    writeFileSync(join(root, SERVICE_ACCOUNT, "token"), TOKEN);
    writeFileSync(join(root, SERVICE_ACCOUNT, "ca.crt"), tls.cert);
    vi.stubEnv("KUBERNETES_SERVICE_HOST", "127.0.0.1");
    vi.stubEnv("KUBERNETES_SERVICE_PORT", new URL(api.url).port);
    onTestFinished(() => void vi.unstubAllEnvs());
    const all = follow(api, { root }, { apiServer: undefined });
    await synced(all);
    api.objects.put(peer("a"));
    await seen(all.told, "set BGPPeer a");
  });

  it("a certificate of somebody else is refused, and said", async (context) => {
    const [tls, other] = [certificate(), certificate()];
    if (tls === undefined || other === undefined) return context.skip("openssl is not there to make a certificate");
    const api = await startApi(tls);
    const server = {
      url: api.url,
      ca: other.certFile,
      cert: undefined,
      key: undefined,
      token: undefined,
      skipVerify: false,
    };
    const { told } = follow(api, {}, { apiServer: server });
    await waitFor(() => told.disturbance, { what: "that it is said", interval: 5 });
    expect(told.disturbance).toMatch(/certificate/);
    expect(api.requests).toEqual([]);
  });

  it("a token that was replaced in its file is read again as soon as the old one is not believed", async () => {
    const api = await startApi();
    const tokenFile = join(folder(), "token");
    writeFileSync(tokenFile, "old");
    api.tokens.add("old");
    const { told } = await followed(api, {}, { kubeconfig: kubeconfig(api, tokenFile), apiServer: undefined });
    api.tokens.delete("old");
    api.tokens.add("new");
    api.disconnect();
    await waitFor(() => told.disturbance, { what: "that it is said", interval: 5 });
    expect(told.disturbance).toContain("HTTP 401: Unauthorized");
    writeFileSync(tokenFile, "new");
    await seen(told, "current");
    api.objects.put(peer("a"));
    await seen(told, "set BGPPeer a");
  });

  it("a program that the kubeconfig names gives the token; one that hangs is said, and keeps nothing from ending", async () => {
    const api = await startApi();
    api.tokens.add(TOKEN);
    const path = folder();
    const credential = {
      kind: "ExecCredential",
      status: { token: TOKEN, expirationTimestamp: "2100-01-01T00:00:00Z" },
    };
    const program = (name: string, text: string) => {
      writeFileSync(join(path, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
      const config = JSON.parse(readFileSync(kubeconfig(api, "unused"), "utf8"));
      config.users = [{ name: "starling", user: { exec: { command: join(path, name) } } }];
      writeFileSync(join(path, `${name}.json`), JSON.stringify(config));
      return { kubeconfig: join(path, `${name}.json`), apiServer: undefined };
    };
    await followed(api, {}, program("gives", `echo '${JSON.stringify(credential)}'`));

    const started = join(path, "started");
    const hangs = program("hangs", `echo x >> ${started}; exec sleep 3`);
    const { told, datastore } = follow(api, { timings: { answer: 200 } }, hangs);
    await waitFor(() => told.disturbance, { what: "that it is said", interval: 5 });
    expect(told.disturbance).toContain("what the kubeconfig has for logging in did not answer");
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(readFileSync(started, "utf8")).toBe("x\n");
    await datastore.close();
  });

  it("a context that does not exist is named, with those that do", async () => {
    const api = await startApi();
    const config = kubeconfig(api, "/nonexistent");
    const { told } = follow(api, {}, { kubeconfig: config, context: "prod", apiServer: undefined });
    await waitFor(() => told.disturbance, { what: "that it is said", interval: 5 });
    expect(told.disturbance).toContain(`kubeconfig ${config} has no context prod; it has test`);
  });

  it("a kubeconfig that is not there yet is read when it comes", async () => {
    const api = await startApi();
    const tokenFile = join(folder(), "token");
    writeFileSync(tokenFile, TOKEN);
    const ready = kubeconfig(api, tokenFile);
    const config = join(dirname(ready), "later");
    const all = follow(api, {}, { kubeconfig: config, apiServer: undefined });
    await waitFor(() => all.told.disturbance, { what: "that it is said", interval: 5 });
    expect(all.told.disturbance).toContain(`kubeconfig ${config} cannot be read: there is no such file`);
    writeFileSync(config, readFileSync(ready));
    await synced(all);
  });

  it.each([
    ["no YAML", `users: [{name: x, user: {token: ${TOKEN}}}\n  bad: [`, "cannot be read"],
    ["nothing in it", "{}", "names no cluster"],
    ["text", `just ${TOKEN}`, "names no cluster"],
    ["clusters that are none", `{"clusters": [{"token": "${TOKEN}"}], "contexts": 1}`, "cannot be read"],
  ])("a kubeconfig that is wrong (%s) is said without showing what is in it", async (_what, text, message) => {
    const api = await startApi();
    const config = join(folder(), "config");
    writeFileSync(config, text);
    const { told } = follow(api, {}, { kubeconfig: config, apiServer: undefined });
    await waitFor(() => told.disturbance, { what: "that it is said", interval: 5 });
    expect(told.disturbance).toContain(message);
    expect(told.disturbance).not.toContain(TOKEN);
  });
});
