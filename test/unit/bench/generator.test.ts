import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { Generator } from "../../../bench/generator.ts";

/** In the place of the program in C: says what it is given, then nothing. */
function generatorThat(script: string, signal = new AbortController().signal): Generator {
  return new Generator("", { inside: () => ["sh", "-c", script] }, signal);
}

const running: Generator[] = [];
afterEach(async () => {
  for (const generator of running.splice(0)) await generator.close();
});

describe("the load generator's process", () => {
  it("events answer whoever waits for them, also those that came before", async () => {
    const generator = generatorThat('echo \'{"event":"stats","down":2}\'; exec sleep 60');
    running.push(generator);
    await sleep(200);
    expect(await generator.stats()).toMatchObject({ down: 2 });
  });

  it("when time is over, all that wait fail, and one of them need not be awaited", async () => {
    const abort = new AbortController();
    const generator = generatorThat(
      'echo \'{"event":"down","session":7,"text":"closed"}\'; exec sleep 60',
      abort.signal,
    );
    running.push(generator);
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.on("unhandledRejection", note);
    const first = generator.connect();
    generator.expect(10, { exceptOwn: false });
    await sleep(200);
    abort.abort();
    await expect(first).rejects.toThrow("no result in time: session 7 down: closed");
    await sleep(20);
    process.off("unhandledRejection", note);
    expect(unhandled).toEqual([]);
  });

  it("its end is told with what it complained about", async () => {
    const generator = generatorThat('echo \'{"event":"error","text":"no such file"}\'; sleep 0.1; exit 3');
    running.push(generator);
    await expect(generator.stats()).rejects.toThrow("the load generator ended (3): no such file");
  });
});
