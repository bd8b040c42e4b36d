import { expect, test } from "vitest";
import type { Audit } from "@/lib/http";
import { told, who } from "./words";

const one: Audit = {
  id: 1,
  at: "2026-01-01T00:00:00Z",
  kind: "",
  actor_id: "a",
  actor: "ada@example.com",
  address: null,
  token_id: null,
  team_id: null,
  project_id: null,
  project: null,
  deployment_id: null,
  data: {},
};

test("what happened is a sentence", () => {
  const data = { number: 7, environment: "staging", status: "failed", names: ["A", "B"] };
  const tell = (kind: string) => told({ ...one, kind, data });

  expect(tell("deployment.requested")).toBe("asked for deployment #7 to staging");
  expect(tell("deployment.status")).toBe("saw deployment #7 fail in staging");
  expect(tell("variables.changed")).toBe("changed A, B in staging");
});

test("what is new to this page is told by its kind", () => {
  expect(told({ ...one, kind: "team.sent_home" })).toBe("team sent home");
});

test("whoever has gone, and the platform itself, have a name", () => {
  expect(who({ ...one, actor: null })).toBe("Somebody whose account is gone");
  expect(who({ ...one, actor: null, actor_id: null })).toBe("AutoStack");
});
