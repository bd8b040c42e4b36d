import { expect, test } from "vitest";
import { cameBackWith } from "./elsewhere";

test("a state names its provider", () => {
  const found = cameBackWith("?code=c%2Fd&state=gitlab.abc.def&iss=https%3A%2F%2Fgitlab.com");

  expect(found).toEqual({
    provider: "gitlab",
    state: "gitlab.abc.def",
    code: "c/d",
    iss: "https://gitlab.com",
    error: null,
  });
});

test("a refusal and an empty address are read too", () => {
  expect(cameBackWith("?error=access_denied&state=oidc.x").error).toBe("access_denied");
  expect(cameBackWith("")).toMatchObject({ provider: "", state: "", code: "", error: null });
});
