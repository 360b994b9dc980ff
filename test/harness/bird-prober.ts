/**
 * A process of its own that asks a BIRD control socket one question after the other until its standard input ends, and then prints
 * for each question how long the answers took: a test that feeds the daemon is too busy to measure.
 */

import { RawBirdClient } from "./bird-client.ts";

const [path = "", ...commands] = process.argv.slice(2);
const times = new Map<string, number[]>(commands.map((command) => [command, []]));
let isOver = false;
process.stdin.on("end", () => {
  isOver = true;
});
process.stdin.resume();
/** The first answers of a connection are not what is asked about. */
const client = await RawBirdClient.connect(path);
for (const command of commands) await client.ask(command);
console.log("asking");
while (!isOver) {
  for (const [command, each] of times) {
    const asked = performance.now();
    await client.ask(command);
    each.push(performance.now() - asked);
  }
  await new Promise((resolve) => setTimeout(resolve, 2));
}
client.close();
console.log(JSON.stringify(Object.fromEntries(times)));
