/** Runs a command as a container of deploy/kubernetes would: few capabilities, no way to more, a root file system that is read-only. */

/** Folders of the host that the container may write are fresh ones, in memory. `capabilities` as Kubernetes names them. */
export function contained(
  command: readonly string[],
  capabilities: readonly string[],
  writable: readonly string[],
): string[] {
  const kept = capabilities.map((name) => `+${name.toLowerCase()}`);
  const bounds = ["-all", ...kept].join(",");
  const privileges = `setpriv --inh-caps=-all --bounding-set=${bounds} --no-new-privs`;
  const folders = [...new Set(writable.map((path) => path.replace(/^\/var\/run\//, "/run/")))].filter((path) =>
    path.startsWith("/run/"),
  );
  const script = [
    "mount --make-rprivate /",
    "mount -t tmpfs none /run",
    ...folders.flatMap((path) => [`mkdir ${path}`, `mount -t tmpfs none ${path}`]),
    "mount -o remount,bind,ro /run",
    "mount -o remount,bind,ro /",
    `exec ${privileges} -- "$@"`,
  ].join("\n");
  return ["unshare", "--mount", "sh", "-ec", script, "sh", ...command];
}
