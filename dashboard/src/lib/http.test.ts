import { expect, test } from "vitest";
import { problem } from "./http";

const locked = {
  detail: "This account is locked for a while.",
  code: "account_locked",
  hint: "Wait as long as Retry-After says, or set a new password by mail.",
};

test.each([
  ["1800", "Wait 30 minutes, or set a new password by mail."],
  ["61", "Wait 61 seconds, or set a new password by mail."],
  [null, "Wait a while, or set a new password by mail."],
])("a wait of %s is said in words", async (wait, hint) => {
  const headers: HeadersInit = wait ? { "Retry-After": wait } : {};

  const error = await problem(Response.json(locked, { status: 423, headers }));

  expect([error.code, error.hint]).toEqual(["account_locked", hint]);
});
