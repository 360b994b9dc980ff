import { once } from "node:events";
import { createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Cli } from "../../harness/cli.ts";
import { examplePeer, exampleRoute, manyRoutes } from "../../harness/example-view.ts";

let cli: Cli;

beforeEach(() => {
  cli = new Cli();
});

afterEach(() => cli.close());

describe("show, as JSON: one document, and nothing else on standard output", () => {
  beforeEach(() => cli.listen());

  it.each([
    ["show summary", (text: string) => JSON.parse(text), () => cli.view.summary()],
    ["show peers", (text: string) => JSON.parse(text), () => cli.view.peers()],
    ["show peer tor-a", (text: string) => JSON.parse(text), () => cli.view.peer("tor-a")],
    ["show kernel", (text: string) => JSON.parse(text), () => [...cli.view.kernelViews]],
    ["show routes --count", (text: string) => JSON.parse(text), () => ({ count: 7 })],
    [
      "show routes --peer tor-b",
      (text: string) => JSON.parse(text),
      () => cli.view.routes({ peer: "tor-b" }).next().value,
    ],
    ["reload", (text: string) => JSON.parse(text), () => cli.view.report],
    ["cleanup", (text: string) => JSON.parse(text), () => ({ removed: 5 })],
  ])("%s", async (command, parse, want) => {
    const { status, stdout, stderr } = await cli.run(`${command} --json`);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(parse(stdout)).toEqual(want());
  });

  it("routes: one object a line", async () => {
    const { stdout } = await cli.run("show routes --json");
    const lines = stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(7);
    for (const line of lines) expect(Object.keys(JSON.parse(line))).toEqual(Object.keys(exampleRoute()));
  });

  it("kernel and peers: an empty array when there is nothing", async () => {
    cli.view.kernelViews = [];
    cli.view.peerViews = [];
    expect((await cli.run("show kernel --json")).stdout).toBe("[]\n");
    expect((await cli.run("show peers --json")).stdout).toBe("[]\n");
  });
});

describe("show, for people", () => {
  beforeEach(() => cli.listen());

  it("peers: aligned, with a line for each further family", async () => {
    const { stdout } = await cli.run("show peers");
    expect(stdout).toBe(
      [
        "PEER    ADDRESS        AS  STATE               FOR  FAMILY  RECEIVED  ACCEPTED  ADVERTISED  LAST ERROR",
        "node-1  10.0.0.11   64512  Established       3d 4h  ipv4           2         2           3",
        "node-2  10.0.0.12   64512  Active           1m 20s  ipv4           1         1           0  nothing heard from the peer for 90 s",
        "tor-a   10.0.0.254  65001  Established      4h 12m  ipv4           1         1           3",
        "                                                    ipv6           1         1           0",
        "tor-b   10.0.0.253  65002  Idle (disabled)      1h  ipv4           0         0           0  disabled by the operator: maintenance of rack 4",
        "",
      ].join("\n"),
    );
  });

  it("routes: the best marked, stale ones too", async () => {
    const { stdout } = await cli.run("show routes --family ipv4");
    const lines = stdout.split("\n");
    expect(lines[1]).toBe("    PREFIX          NEXT HOP    FROM    PREF  MED  AS PATH");
    expect(lines[2]).toBe("*   10.244.1.0/26   10.0.0.11   node-1   100    -  i");
    expect(lines[4]).toBe("*s  10.244.2.0/26   10.0.0.12   node-2   100    -  i");
    expect(lines[6]).toBe("    0.0.0.0/0       10.0.0.253  tor-b    100    -  65002 65020 65010 ?");
    expect(lines[7]).toBe("*   10.244.0.0/24   -           static     -    -  i");
  });

  it("one prefix: in full", async () => {
    const { stdout } = await cli.run("show routes 0.0.0.0/0");
    expect(stdout).toContain("communities        65001:100, no-export");
    expect(stdout).toContain("large communities  65001:1:2");
    expect(stdout).toContain("via                10.0.0.254 on eth0");
  });

  it("advertised: what export policy made of it", async () => {
    const { stdout } = await cli.run("show routes 10.244.1.0/26 --peer tor-a --advertised");
    expect(stdout).toContain("10.244.1.0/26  10.0.0.1  node-1");
  });

  it.each([
    [
      "show summary",
      ["Up for     3d 4h", "Sessions   2 of 4 established", "Memory     64 MiB", "Paths             6     1"],
    ],
    [
      "show peer node-1",
      ["Peer node-1: Established for 3d 4h", "hold 90 s, keepalive 30 s", "120 s for ipv4, also after a notification"],
    ],
    ["show peer node-2", ["Negotiated: nothing", "nothing heard from the peer"]],
    ["show kernel", ["missing    10.244.1.64/26  via 10.0.0.11 dev eth0   nothing"]],
    ["show routes --count", ["7 routes"]],
    ["peer tor-a reset --message rack-4", ["peer tor-a: reset"]],
    ["reload", ["peer tor-a: restarted (password changed)"]],
    ["cleanup", ["removed 5 routes"]],
    ["show peers --names", ["node-1\nnode-2\ntor-a\ntor-b\n"]],
  ])("%s", async (command, parts) => {
    const { status, stdout } = await cli.run(command);
    expect(status).toBe(0);
    for (const part of parts) expect(stdout).toContain(part);
  });

  it.each(["summary", "peers", "peer tor-a", "routes", "kernel"])("show %s: no line ends in blanks", async (what) => {
    expect((await cli.run(`show ${what}`)).stdout).not.toMatch(/[ \t]\n/);
  });

  it("show summary says on a Calico node where its resources come from, and whether they are current", async () => {
    const datastore = { type: "etcd", current: false, reason: "no endpoint answers" } as const;
    const calico = { nodeName: "node-1", release: "3.33", datastore, problems: 1 };
    cli.view.summaryView = { ...cli.view.summaryView, calico };
    expect((await cli.run("show summary")).stdout).toContain(
      "node node-1, as release 3.33; etcd not current: no endpoint answers; 1 problem (see config show)",
    );
  });

  it("nothing to show is said beside the output", async () => {
    cli.view.peerViews = [];
    expect(await cli.run("show routes --community 1:1")).toEqual({
      status: 0,
      stdout: "",
      stderr: "no routes match\n",
    });
    expect((await cli.run("show routes 192.0.2.1")).stderr).toContain("no routes match that prefix; `--for ADDRESS`");
    expect((await cli.run("show peers")).stderr).toContain("no peers: the configuration names them");
  });

  it("what the start waits for is said where one looks first", async () => {
    cli.view.peerViews = [];
    cli.view.summaryView = { ...cli.view.summaryView, waitingFor: ["port 179 is in use by another program"] };
    expect((await cli.run("show summary")).stdout).toMatch(/^Not ready +port 179 is in use by another program$/m);
    expect((await cli.run("show peers")).stderr).toContain("not begun to speak (port 179 is in use");
  });

  it("colour: on a terminal that wants it, and only there", async () => {
    expect((await cli.run("show peers")).stdout).not.toContain("\u001b[");
    cli.isTTY = true;
    expect((await cli.run("show peers")).stdout).toContain("\u001b[32mEstablished");
    expect((await cli.run("show peers --json")).stdout).not.toContain("\u001b[");
    cli.environment = { NO_COLOR: "1" };
    expect((await cli.run("show peers")).stdout).not.toContain("\u001b[");
  });

  it("text from a peer cannot steer the terminal", async () => {
    cli.view.peerViews = [examplePeer({ lastError: "\u001b[2J\u009bH bye\r\nx \u202e", negotiated: null })];
    for (const command of ["show peers", "show peer node-1"]) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
      expect((await cli.run(command)).stdout).not.toMatch(/[\u001b\u009b\r\u202e]/);
    }
  });
});

describe("exit status and errors", () => {
  it.each([
    ["shw", /^error: unknown command 'shw' \(Did you mean show\?\)/],
    ["show peerz", /^error: unknown command 'peerz' \(Did you mean one of peer, peers\?\)/],
    ["show peer", /^error: missing required argument 'name'/],
    ["show peers extra", /^error: too many arguments/],
    ["show peers --jsn", /^error: unknown option '--jsn' \(Did you mean --json\?\)/],
    ["show routes --family ipv5", /Allowed choices are ipv4, ipv6/],
    ["show routes --received --accepted --peer a", /cannot be used with/],
    ["peer tor-a restart", /It is one of enable, disable, reset/],
    ["peer tor-a enable --message x", /with disable and reset, not with enable/],
    ["show peers --socket", /^error: option '--socket <path>' argument missing/],
    ["completion tcsh", /Allowed choices are bash, zsh, fish/],
    ["run now", /^error: too many arguments/],
  ])("2, wrong usage: %s", async (command, message) => {
    const { status, stdout, stderr } = await cli.run(command);
    expect(stderr).toMatch(message);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  });

  it.each([
    ["show peer tor-x", /^error: no peer named "tor-x"; did you mean "tor-a"/],
    ["show routes --received", /^error: received needs a peer/],
    ["show routes --longer", /^error: longer needs a prefix/],
    ["show routes --peer tor-x", /^error: no peer named/],
  ])("2, the daemon finds no sense in it: %s", async (command, message) => {
    await cli.listen();
    const { status, stdout, stderr } = await cli.run(command);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(message);
  });

  it("1, no daemon: says where it looked and what to do", async () => {
    expect(await cli.run("show summary")).toEqual({
      status: 1,
      stdout: "",
      stderr: `error: cannot reach starling at ${cli.path}: no such file. Is it running? Start it with \`starling run\`, or name its socket with --socket\n`,
    });
    expect((await cli.run("show summary --socket /etc/passwd")).stderr).toMatch(
      /nobody answers|not a socket|permission denied/,
    );
    expect((await cli.run("--socket /nonexistent/x show peers")).stderr).toContain("/nonexistent/x");
  });

  it.each([
    ["something else answers", "hello\n", /is not starling, or another version/],
    ["an answer that is cut off", '{"row":{"prefix":"1.0.0.0/8"}}\n', /closed the connection before it had answered/],
    ["nothing at all", "", /closed the connection before it had answered/],
  ])("1, %s", async (_name, text, message) => {
    const server = createServer((socket) => socket.end(text));
    server.listen(cli.path);
    await once(server, "listening");
    const { status, stderr } = await cli.run("show routes --json");
    server.close();
    expect(status).toBe(1);
    expect(stderr).toMatch(message);
  });

  it("1, the output cannot be written", async () => {
    await cli.listen();
    cli.breaksAfter = 10;
    cli.failure = "ENOSPC";
    const { status, stderr } = await cli.run("show peers");
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: "error: cannot write the output: no space is left on the device\n",
    });
  });

  it("0 and silence, when the reader has seen enough", async () => {
    const made = { count: 0 };
    cli.view.makeRoutes = () => manyRoutes(1_000_000, made);
    await cli.listen();
    cli.breaksAfter = 1000;
    for (const command of ["show routes", "show routes --json", "show kernel --json", "show peers"]) {
      const { status, stderr } = await cli.run(command);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    }
    expect(made.count).toBeLessThan(20_000);
  });

  it("2, a reload that was refused, with every problem", async () => {
    cli.view.report = { ok: false, changes: [], problems: [{ path: "peers[0].port", message: "must be a number" }] };
    await cli.listen();
    const { status, stderr } = await cli.run("reload");
    expect(status).toBe(2);
    expect(stderr).toBe(
      "error: nothing was changed, because the configuration is wrong\n  peers[0].port: must be a number\n",
    );
  });

  it("0, help and version", async () => {
    expect(await cli.run("--version")).toEqual({
      status: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      stderr: "",
    });
    for (const command of ["--help", "show --help", "show routes -h"]) {
      const { status, stdout, stderr } = await cli.run(command);
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      expect(stdout).toContain("Usage: starling");
    }
  });

  it("2, no command at all", async () => {
    const { status, stderr } = await cli.run("");
    expect(status).toBe(2);
    expect(stderr).toContain("Usage: starling");
  });
});

describe("run", () => {
  it("hands its options to the daemon", async () => {
    await cli.run("run");
    await cli.run("run -c a.yaml --cease-on-exit");
    await cli.run("--socket /x run --config b.yaml --kernel");
    expect(cli.runs).toEqual([
      { configFile: undefined, kernel: false, ceaseOnExit: false, socket: undefined },
      { configFile: "a.yaml", kernel: false, ceaseOnExit: true, socket: undefined },
      { configFile: "b.yaml", kernel: true, ceaseOnExit: false, socket: "/x" },
    ]);
  });
});
