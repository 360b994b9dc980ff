import { defineConfig } from "vitest/config";

// Three projects, so that `check` runs the quick one alone: unit and scenario need no privileges and no services;
// kernel and interop make network namespaces and run real daemons, one file at a time because they share two cores.
export default defineConfig({
  test: {
    projects: [
      {
        // A machine that other work loads makes clocks of a few milliseconds unfair: once more, and the report says so.
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts", "test/scenario/**/*.test.ts"],
          testTimeout: 20_000,
          retry: 1,
        },
      },
      {
        test: {
          name: "system",
          include: ["test/kernel/**/*.test.ts", "test/interop/**/*.test.ts", "test/system/**/*.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // Real daemons in real time: what fails is tried once more, and the report says so.
          retry: 1,
          fileParallelism: false,
          pool: "forks",
        },
      },
    ],
  },
});
