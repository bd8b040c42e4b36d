import { expect, test } from "vitest";
import { ownPage } from "./route";

test.each([
  ["/dashboard/projects/7?environment=staging", "/dashboard/projects/7?environment=staging"],
  [null, "/dashboard"],
  ["https://evil.example", "/dashboard"],
  ["//evil.example", "/dashboard"],
  ["/dashboard//evil.example", "/dashboard"],
  ["/dashboard/\\evil.example", "/dashboard"],
  ["javascript:alert(1)", "/dashboard"],
])("after signing in, %s leads to %s", (asked, page) => {
  expect(ownPage(asked)).toBe(page);
});
