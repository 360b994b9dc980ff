/** Plays the lab: builds it, tells its story, and takes everything down again, whichever way it ends. */

import { setTimeout as sleep } from "node:timers/promises";
import { canMakeNetworks, Lab } from "../test/harness/netns.ts";
import { complaint } from "./complaint.ts";
import { Interrupted, listenForInterruption } from "./interruption.ts";
import { Programs } from "./programs.ts";
import type { Story, StoryOptions } from "./scenario.ts";
import { scenarios } from "./scenarios.ts";
import { Screen, seconds } from "./screen.ts";

export interface LabOptions extends StoryOptions {
  /** Which of them; "rack" unless something else is said. */
  readonly name: string;
  /** Leave it running until Ctrl-C. */
  readonly keep: boolean;
}

/** Returns the exit status: 0 only when each step held. */
export async function playLab(options: LabOptions): Promise<number> {
  if (!canMakeNetworks()) {
    process.stderr.write("error: even root may not make network namespaces here; a container needs --privileged\n");
    return 1;
  }
  const scenario = scenarios.get(options.name);
  if (scenario === undefined) {
    process.stderr.write(`error: no lab is called ${options.name}; there are ${[...scenarios.keys()].join(", ")}\n`);
    return 2;
  }
  const interruption = listenForInterruption();
  const started = performance.now();
  const screen = new Screen(process.stdout, process.env);
  screen.say(`${screen.paint.bold(scenario.title)}\n${scenario.picture}`);
  const lab = await Lab.create("lab");
  const programs = new Programs();
  const story = scenario.story(screen, lab, programs, options);
  let status = 0;
  try {
    const handsOn = await Promise.race([story.tell(), interruption]);
    sumUp(screen, story);
    if (options.keep) await keep(screen, handsOn(screen.paint), interruption);
  } catch (error) {
    // A program that Ctrl-C reached too may have failed before the lab itself is told.
    const reason = await Promise.race([interruption.catch((interrupted: unknown) => interrupted), sleep(100, error)]);
    status = reason instanceof Interrupted ? reason.status : 1;
    screen.close();
    await programs.end();
    process.stderr.write(complaint(reason, lab.folder));
  }
  await programs.end();
  await story.settled();
  await lab[Symbol.asyncDispose]();
  process.stdout.write(`cleaned up: nothing of it is left (${seconds(performance.now() - started)} in all)\n`);
  return status;
}

function sumUp(screen: Screen, story: Story): void {
  const width = Math.max(...story.measured.map(([what]) => what.length));
  const lines = story.measured.map(([what, value]) => `  ${what.padEnd(width)}  ${value}\n`);
  screen.say(`\n${screen.paint.bold("Measured")}\n${lines.join("")}`);
}

/** To end it then is no failure. */
async function keep(screen: Screen, handsOn: string, interruption: Promise<never>): Promise<void> {
  screen.say(handsOn);
  // An unanswered promise alone does not keep a process alive.
  const alive = setInterval(() => undefined, 60_000);
  await interruption.catch(() => undefined);
  clearInterval(alive);
}
