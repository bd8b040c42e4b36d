import { readFileSync } from "node:fs";
import openapi, { astToString } from "openapi-typescript";
import { expect, test } from "vitest";

test("the client is made from the API's document as it is now", async () => {
  const here = (name: string) => new URL(name, import.meta.url);
  const made = astToString(await openapi(here("../../openapi.json"), { alphabetize: true }));

  expect(
    readFileSync(here("./api.gen.d.ts"), "utf8").includes(made.trim()),
    "Run `npm run api`.",
  ).toBe(true);
}, 60_000);
