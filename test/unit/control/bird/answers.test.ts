import { beforeEach, describe, expect, it } from "vitest";
import type { BirdFamily } from "../../../../src/control/bird/bird-view.ts";
import { parseCommand } from "../../../../src/control/bird/command.ts";
import { execute } from "../../../../src/control/bird/execute.ts";
import { Reply } from "../../../../src/control/bird/reply.ts";
import { BIRD_NOW, birdRoute, ExampleBirdView } from "../../../harness/example-bird-view.ts";

let view: ExampleBirdView;
let isRestricted: boolean;

beforeEach(() => {
  view = new ExampleBirdView();
  isRestricted = false;
});

/** The answer as it goes over the socket, line by line; blanks at the end of a line matter. */
async function ask(command: string, family: BirdFamily = "ipv4"): Promise<string[]> {
  const at = { view, family, version: "v1.6.8+starling-0", now: () => BIRD_NOW, isRestricted };
  const answer = await execute(parseCommand(command, family), at);
  ({ isRestricted } = at);
  const reply = new Reply();
  let text = "";
  for (let next = answer.next(); ; next = answer.next()) {
    if (next.done === true) return `${text}${reply.end(next.value)}`.trimEnd().split("\n");
    if (next.value !== undefined) text += reply.line(next.value);
  }
}

describe("show status", () => {
  const facts = [
    "1000-BIRD v1.6.8+starling-0",
    "1011-Router ID is 10.0.0.1",
    " Current server time is 2026-03-05 12:00:00",
    " Last reboot on 2026-03-05 08:00:01",
    " Last reconfiguration on 2026-02-27 23:59:59",
  ];

  it("names the version, the router and the times", async () => {
    expect(await ask("show status")).toEqual([...facts, "0013 Daemon is up and running"]);
  });

  it("says that a graceful restart is under way", async () => {
    view.recovery = { waitingFor: 3, elapsedSeconds: 9, totalSeconds: 240 };
    expect(await ask("show status")).toEqual([
      ...facts,
      "0024-Graceful restart recovery in progress",
      "   Waiting for 3 protocols to recover",
      "   Wait timer is 231/240",
      "0013 Daemon is up and running",
    ]);
  });
});

describe("show protocols", () => {
  const heading = "2002-name     proto    table    state  since       info";

  it("has a row for each", async () => {
    expect(await ask("show protocols")).toEqual([
      heading,
      "1002-static1  Static   master   up     2026-02-27  ",
      " kernel1  Kernel   master   up     2026-02-27  ",
      " device1  Device   master   up     2026-02-27  ",
      " direct1  Direct   master   up     2026-02-27  ",
      " Mesh_10_0_0_2 BGP      master   up     08:00:01    Established   ",
      " Node_10_0_0_3 BGP      master   start  08:00:01    Passive       ",
      " Global_10_0_0_4 BGP      master   start  08:00:01    Active        Socket: Connection refused",
      " Global_10_0_0_5 BGP      master   down   08:00:01    ",
      "0000",
    ]);
  });

  it("tells all of one session", async () => {
    expect(await ask("show protocols all Mesh_10_0_0_2")).toEqual([
      heading,
      "1002-Mesh_10_0_0_2 BGP      master   up     08:00:01    Established   ",
      "1006-  Preference:     100",
      "   Input filter:   ACCEPT",
      "   Output filter:  ACCEPT",
      "   Routes:         5 imported, 9 exported, 4 preferred",
      "   Route change stats:     received   rejected   filtered    ignored   accepted",
      "     Import updates:              8          0          1          2          5",
      "     Import withdraws:            3          0        ---          1          2",
      "     Export updates:            ---        ---        ---        ---        ---",
      "     Export withdraws:          ---        ---        ---        ---        ---",
      "   BGP state:          Established",
      "     Neighbor address: 10.0.0.2",
      "     Neighbor AS:      64512",
      "     Neighbor ID:      10.0.0.2",
      "     Neighbor caps:    refresh restart-able AS4",
      "     Session:          internal multihop AS4",
      "     Source address:   10.0.0.1",
      "     Hold timer:       191/240",
      "     Keepalive timer:  65/80",
      " ",
      "0000",
    ]);
  });

  it("tells limits, what was filtered and the whole of the last error", async () => {
    const lines = await ask("show protocols all Global_10_0_0_4");
    expect(lines).toContain("   Import limit:   4 [HIT]");
    expect(lines).toContain("     Action:       warn");
    expect(lines).toContain("   Routes:         0 imported, 2 filtered, 0 exported, 0 preferred");
    expect(lines).toContain(
      "     Last error:       Socket: Connection refused; the last session ended: hold timer expired",
    );
  });

  it.each([
    ['show protocols "Global*"', ["Global_10_0_0_4", "Global_10_0_0_5"]],
    ['show protocols "*_10_0_0_?"', ["Mesh_10_0_0_2", "Node_10_0_0_3", "Global_10_0_0_4", "Global_10_0_0_5"]],
    ["show protocols static1", ["static1"]],
  ])("%s", async (command, names) => {
    const rows = (await ask(command)).slice(1, -1);
    expect(rows.map((row) => row.replace(/^(1002-| )/, "").split(" ", 1)[0])).toEqual(names);
  });

  it.each([
    ["show protocols nope", "9002 nope is not a protocol"],
    ["show protocols all nope", "9002 nope is not a protocol"],
    ['show protocols "zz*"', "8003 No protocols match"],
    ["show protocols all all", "9001 syntax error"],
    ["show protocols a b", "9001 syntax error"],
  ])("%s", async (command, answer) => {
    expect(await ask(command)).toEqual([answer]);
  });

  it("has the sessions of its own family alone", async () => {
    expect(await ask("show protocols", "ipv6")).toHaveLength(6);
    expect(await ask("show protocols Mesh_10_0_0_2", "ipv6")).toEqual(["9002 Mesh_10_0_0_2 is not a protocol"]);
  });
});

describe("show route", () => {
  it("has a row for each, the prefix once", async () => {
    view.makeRoutes = () => [
      birdRoute(),
      undefined,
      birdRoute({
        isBest: false,
        from: "10.0.0.7",
        reach: "far",
        isStale: true,
        originAs: undefined,
        origin: "incomplete",
      }),
      birdRoute({ prefix: "0.0.0.0/0", protocol: "kernel1", kind: "inherit", from: undefined, preference: 10 }),
      birdRoute({
        prefix: "10.0.0.0/24",
        protocol: "direct1",
        kind: "device",
        from: undefined,
        preference: 240,
        hops: [{ gateway: undefined, interface: "eth0" }],
      }),
      birdRoute({ prefix: "10.1.0.0/16", destination: "unreachable", hops: [], isBest: false, reach: "none" }),
      birdRoute({
        prefix: "10.244.0.0/26",
        protocol: "static1",
        kind: "static",
        from: undefined,
        destination: "blackhole",
        preference: 200,
      }),
      birdRoute({
        prefix: "10.2.0.0/16",
        hops: [
          { gateway: "10.0.0.2", interface: "eth0" },
          { gateway: "10.0.0.3", interface: "eth1" },
        ],
      }),
      birdRoute({ prefix: "10.3.0.0/16", hops: [{ gateway: "10.0.0.2", interface: undefined }] }),
    ];
    expect(await ask("show route")).toEqual([
      "1007-10.244.1.0/26      via 10.0.0.2 on eth0 [Mesh_10_0_0_2 08:00:01] * (100/0) [AS65002i]",
      "                    via 10.0.0.2 on eth0 [Mesh_10_0_0_2 08:00:01 from 10.0.0.7] (100s/?) [?]",
      " 0.0.0.0/0          via 10.0.0.2 on eth0 [kernel1 08:00:01] * (10)",
      " 10.0.0.0/24        dev eth0 [direct1 08:00:01] * (240)",
      " 10.1.0.0/16        unreachable [Mesh_10_0_0_2 08:00:01 from 10.0.0.2] (100/-) [AS65002i]",
      " 10.244.0.0/26      blackhole [static1 08:00:01] * (200)",
      " 10.2.0.0/16        multipath [Mesh_10_0_0_2 08:00:01 from 10.0.0.2] * (100/0) [AS65002i]",
      " \tvia 10.0.0.2 on eth0 weight 1",
      " \tvia 10.0.0.3 on eth1 weight 1",
      " 10.3.0.0/16        via 10.0.0.2 on unknown [Mesh_10_0_0_2 08:00:01] * (100/0) [AS65002i]",
      "0000",
    ]);
  });

  it("tells all attributes", async () => {
    expect(await ask("show route 10.244.1.0/26 all")).toEqual([
      "1007-10.244.1.0/26      via 10.0.0.2 on eth0 [Mesh_10_0_0_2 08:00:01] * (100/0) [AS65002i]",
      "1008-\tType: BGP unicast univ",
      "1012-\tBGP.origin: IGP",
      " \tBGP.as_path: 65001 65002",
      " \tBGP.next_hop: 10.0.0.2",
      " \tBGP.med: 7",
      " \tBGP.local_pref: 100",
      " \tBGP.atomic_aggr: ",
      " \tBGP.aggregator: 1.2.3.4 AS5",
      " \tBGP.community: (64512,10) (65535,65281)",
      " \tBGP.originator_id: 10.0.0.9",
      " \tBGP.cluster_list: 1.0.0.1 1.0.0.2",
      " \tBGP.ext_community: (rt, 64512, 5)",
      " \tBGP.large_community: (64512, 1, 2)",
      " \tBGP.c0 [t]: 0102",
      "0000",
    ]);
  });

  it("tells what the kernel has a route by", async () => {
    const kernel = { protocol: 3, metric: 1024 };
    view.makeRoutes = () => [birdRoute({ protocol: "kernel1", kind: "inherit", kernel, attributes: () => undefined })];
    expect((await ask("show route all")).slice(1)).toEqual([
      "1008-\tType: inherit unicast univ",
      "1012-\tKernel.source: 3",
      " \tKernel.metric: 1024",
      "0000",
    ]);
  });

  it.each([
    ["show route count", "0014 7 of 7 routes for 6 networks"],
    ["show route primary count", "0014 6 of 7 routes for 6 networks"],
    ["show route count protocol Mesh_10_0_0_2", "0014 5 of 7 routes for 6 networks"],
    ["show route count protocol Mesh_10_0_0_2 primary", "0014 4 of 7 routes for 6 networks"],
    ["show route filtered count", "0014 1 of 7 routes for 6 networks"],
    ["show route export Mesh_10_0_0_2 count", "0014 1 of 7 routes for 6 networks"],
    ["show route for 10.0.0.1 count", "0000"],
    ["show route protocol nope", "9001 nope is not a protocol"],
    ["show route export nope", "9001 nope is not a protocol"],
    ["show route export Node_10_0_0_3", "8005 Protocol is down"],
    ["show route preexport Global_10_0_0_5", "8005 Protocol is down"],
  ])("%s", async (command, answer) => {
    expect(await ask(command)).toEqual([answer]);
  });

  it("ends with the count where it is asked for", async () => {
    expect((await ask("show route stats")).at(-1)).toBe("0014 1 of 7 routes for 6 networks");
  });

  it("of a prefix that is not there", async () => {
    view.makeRoutes = () => [];
    expect(await ask("show route 10.9.0.0/16")).toEqual(["8001 Network not in table"]);
    expect(await ask("show route for 10.9.0.1")).toEqual(["8001 Network not in table"]);
    expect(await ask("show route protocol static1")).toEqual(["0000"]);
  });

  it("asks for what the clauses say, in any order", async () => {
    await ask("show route 10.244.0.0/16 primary export Mesh_10_0_0_2 table master protocol static1");
    await ask("show route protocol static1 for 10.1.1.1 filtered");
    expect(view.queries).toEqual([
      expect.objectContaining({
        family: "ipv4",
        prefix: "10.244.0.0/16",
        address: undefined,
        protocol: "static1",
        selection: { kind: "export", to: "Mesh_10_0_0_2" },
        isPrimary: true,
      }),
      expect.objectContaining({ address: "10.1.1.1", selection: { kind: "filtered" }, isPrimary: false }),
    ]);
  });
});

describe("the rest", () => {
  it("show interfaces", async () => {
    expect(await ask("show interfaces")).toEqual([
      "1001-lo up (index=1)",
      "1004-\tAdminUp LinkUp",
      "1003-\t127.0.0.1/8 (Primary, scope host)",
      "1001-eth0 up (index=2)",
      "1004-\tAdminUp LinkUp",
      "1003-\t10.0.0.1/24 (Primary, scope univ)",
      " \t10.0.0.9/24 (Secondary, scope univ)",
      "1001-cali1 DOWN (index=3)",
      "1004-\tLinkDown",
      "0000",
    ]);
    expect(await ask("show interfaces summary")).toEqual([
      "2005-interface state address",
      "1005-lo        up    127.0.0.1/8",
      " eth0      up    10.0.0.1/24",
      " cali1     DOWN  ",
      "0000",
    ]);
  });

  it("show memory", async () => {
    expect(await ask("show memory")).toEqual([
      "1018-BIRD memory usage",
      " Routing tables:     35 kB",
      " Heap:               13 MB",
      " Total:              70 MB",
      "0000",
    ]);
  });

  it("show static", async () => {
    const routes = ["1009-10.244.0.0/26 blackhole", " 10.97.0.0/24 via 10.0.0.2", "0000"];
    expect(await ask("show static")).toEqual(routes);
    expect(await ask("show static static1")).toEqual(routes);
    expect(await ask("show static direct1")).toEqual(["9001 direct1: Not a Static protocol"]);
    expect(await ask("show static nope")).toEqual(["9002 nope is not a protocol"]);
  });

  it("show symbols", async () => {
    expect(await ask("show symbols table")).toEqual(["1010-master  \trouting table", "0000"]);
    expect(await ask("show symbols Mesh_10_0_0_2")).toEqual(["1010 Mesh_10_0_0_2\tprotocol"]);
    expect(await ask("show symbols nope")).toEqual(["1010 nope    \tundefined"]);
    expect((await ask("show symbols protocol")).slice(0, 2)).toEqual([
      "1010-static1 \tprotocol",
      " kernel1 \tprotocol",
    ]);
  });
});

describe("enable, disable, restart, reload", () => {
  it.each([
    ["disable Mesh_10_0_0_2", "0009-Mesh_10_0_0_2: disabled", ["Mesh_10_0_0_2 disable"]],
    ["enable Global_10_0_0_5", "0011-Global_10_0_0_5: enabled", ["Global_10_0_0_5 enable"]],
    ["enable Mesh_10_0_0_2", "0010-Mesh_10_0_0_2: already enabled", []],
    ["disable Global_10_0_0_5", "0008-Global_10_0_0_5: already disabled", []],
    ["restart Mesh_10_0_0_2", "0012-Mesh_10_0_0_2: restarted", ["Mesh_10_0_0_2 reset"]],
    ["reload in Mesh_10_0_0_2", "0015-Mesh_10_0_0_2: reloading", ["Mesh_10_0_0_2 refresh-in"]],
    ["reload out Mesh_10_0_0_2", "0015-Mesh_10_0_0_2: reloading", ["Mesh_10_0_0_2 refresh-out"]],
    [
      "reload Mesh_10_0_0_2",
      "0015-Mesh_10_0_0_2: reloading",
      ["Mesh_10_0_0_2 refresh-in", "Mesh_10_0_0_2 refresh-out"],
    ],
    ["disable static1", "8006-static1: part of starling, which runs as long as starling itself", []],
  ])("%s", async (command, line, actions) => {
    expect(await ask(command)).toEqual([line, "0000"]);
    expect(view.actions).toEqual(actions);
  });

  it("several at once", async () => {
    expect(await ask('restart "Node*"')).toEqual(["0012-Node_10_0_0_3: restarted", "0000"]);
    await ask("restart all");
    expect(view.actions.slice(1)).toEqual(["Mesh_10_0_0_2 reset", "Node_10_0_0_3 reset", "Global_10_0_0_4 reset"]);
  });

  it("says why not", async () => {
    view.refusal = "there is nobody to ask";
    expect(await ask("reload in Mesh_10_0_0_2")).toEqual([
      "8006-Mesh_10_0_0_2: reload failed: there is nobody to ask",
      "0000",
    ]);
    expect(await ask("restart nope")).toEqual(["9002 nope is not a protocol"]);
    expect(await ask('restart "zz*"')).toEqual(["8003 No protocols match"]);
    expect(await ask("restart")).toEqual(["9001 syntax error"]);
  });
});

describe("configure", () => {
  it("reads the file again", async () => {
    expect(await ask("configure soft")).toEqual([
      "0002-Reading configuration from starling's file",
      "0003 Reconfigured",
    ]);
  });

  it("tells what was left and what was refused", async () => {
    view.report = { ok: true, changes: [], problems: [{ path: "peers[0].asNumber", message: "wrong\nhere" }] };
    expect(await ask("configure")).toEqual([
      "0002-Reading configuration from starling's file",
      " Left as it was: peers[0].asNumber: wrong here",
      "0003 Reconfigured",
    ]);
    view.report = { ...view.report, ok: false };
    expect((await ask("configure")).at(-1)).toBe("8002 peers[0].asNumber: wrong here");
  });
});

describe("restrict", () => {
  it("refuses changes from then on, and nothing else", async () => {
    expect(await ask("restrict")).toEqual(["0016 Access restricted"]);
    for (const command of ["configure", "disable all", "down", "configure confirm"])
      expect(await ask(command)).toEqual(["8007 Access denied"]);
    expect((await ask("show status")).at(-1)).toBe("0013 Daemon is up and running");
    expect(view.actions).toEqual([]);
  });
});
