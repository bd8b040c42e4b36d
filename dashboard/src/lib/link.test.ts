import { expect, test } from "vitest";
import { DOORS, isDoor } from "./doors";
import { tokenIn } from "./link";

test.each([
  ["#token=a_B-9", "a_B-9"],
  ["#token=", ""],
  ["#L12", ""],
  ["", ""],
])("the link's %s carries the token %j", (hash, token) => {
  expect(tokenIn(hash)).toBe(token);
});

test("doors are known with and without the place of the dashboard", () => {
  expect(DOORS.every((door) => isDoor(`/${door}`) && isDoor(`/dashboard/${door}`))).toBe(true);
  expect(isDoor("/dashboard/settings")).toBe(false);
});
