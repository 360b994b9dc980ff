/** The Debian packages that tests in network namespaces and the benchmark use: other BGP daemons and small network tools. */

import { chmodSync, existsSync, rmSync, writeFileSync } from "node:fs";
import { run, which } from "./run.mjs";
import { marks, say, stepLine } from "./terminal.mjs";

/**
 * `service`: what the package would start on its own; the tests run their own daemons, in their own namespaces. A package
 * without a program is known by a `file`.
 */
const packages = [
  { name: "iproute2", program: "ip" },
  { name: "iputils-ping", program: "ping" },
  { name: "tcpdump", program: "tcpdump" },
  { name: "bird2", program: "bird", service: "bird" },
  { name: "frr", program: "vtysh", service: "frr" },
  { name: "gobgpd", program: "gobgpd", service: "gobgpd" },
  { name: "openbgpd", program: "bgpctl", service: "openbgpd" },
  { name: "exabgp", program: "exabgp", service: "exabgp" },
  { name: "prometheus", program: "promtool", service: "prometheus" },
  { name: "etcd-server", program: "etcd", service: "etcd" },
  { name: "etcd-client", program: "etcdctl" },
  { name: "gcc", program: "cc" },
  { name: "libc6-dev", file: "/usr/include/stdio.h" },
];

const policyFile = "/usr/sbin/policy-rc.d";

/**
 * Installs what is missing where that can be done, as root on Debian and its kin, and says otherwise what will be
 * skipped. Never leaves one of their services started or enabled.
 * @param {{only?: readonly string[], what?: string}} [options] all packages unless `only` some; `what` is skipped without them
 */
export async function installDebianPackages({ only, what = "tests" } = {}) {
  const missing = packages.filter(
    ({ name, program, file }) =>
      (only === undefined || only.includes(name)) && !(file === undefined ? which(program) : existsSync(file)),
  );
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name).join(" ");
  if (process.getuid?.() !== 0 || which("apt-get") === undefined) {
    const why = which("apt-get") === undefined ? "this is not Debian or its kin" : "that needs root";
    say(
      `${marks.skipped} ${what} that need ${names} will be skipped: not installed, and ${why} (apt-get install ${names})`,
    );
    return;
  }
  say(`Installing Debian packages: ${names} ...`);
  const started = performance.now();
  const failed = await withoutServices(missing, () => install(missing));
  for (const name of failed)
    say(`${marks.skipped} ${what} that need ${name} will be skipped: apt-get could not install it`);
  say(stepLine(marks.passed, "Debian packages", performance.now() - started));
}

/** Returns the names of those that could not be installed: one that is gone from the archive does not stop the others. */
async function install(missing) {
  const apt = (...args) =>
    run(["apt-get", ...args], { env: { DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1", LC_ALL: "C" } });
  const update = await apt("update");
  if (update.status !== 0) say(update.output.trimEnd());
  const options = ["install", "--yes", "--no-install-recommends"];
  const together = await apt(...options, ...missing.map(({ name }) => name));
  if (together.status === 0) return [];
  const failed = [];
  for (const { name } of missing) {
    const { status, output } = await apt(...options, name);
    if (status === 0) continue;
    say(output.trimEnd());
    failed.push(name);
  }
  return failed;
}

/** policy-rc.d is how Debian asks the administrator whether a package may start its service; 101 says no. */
async function withoutServices(missing, work) {
  const ours = !existsSync(policyFile);
  if (ours) {
    writeFileSync(policyFile, "#!/bin/sh\nexit 101\n");
    chmodSync(policyFile, 0o755);
  }
  try {
    return await work();
  } finally {
    if (ours) rmSync(policyFile, { force: true });
    const services = missing.flatMap(({ service }) => service ?? []);
    // Not started now, but enabled for the next boot. Where systemd does not run this edits links only, or does nothing.
    if (services.length > 0 && which("systemctl") !== undefined) {
      await run(["systemctl", "disable", "--now", ...services.map((service) => `${service}.service`)]);
    }
  }
}
