import { expect, test } from "vitest";
import type { DeploymentDetail } from "@/lib/http";
import { stepsOf, titleOf, usually, verdict } from "./words";

const at = "2026-01-01T00:00:00Z";
const step = (name: string, outcome: string | null) => ({
  name,
  outcome,
  started_at: at,
  ended_at: outcome && at,
  attempt: 1,
});
const deployment = (fields: object) =>
  ({
    id: "1",
    number: 3,
    kind: "deploy",
    status: "building",
    environment_id: "e",
    created_at: at,
    steps: [],
    ...fields,
  }) as unknown as DeploymentDetail;
const states = (one: DeploymentDetail) =>
  Object.fromEntries(stepsOf(one).map((row) => [row.name, row.state]));

test("steps that have not begun wait; those behind a failure are skipped", () => {
  const running = deployment({ steps: [step("fetch", "done"), step("plan", null)] });
  const failed = deployment({
    status: "failed",
    steps: [step("fetch", "done"), step("plan", "failed")],
  });

  expect(states(running)).toMatchObject({ fetch: "done", plan: "active", build: "waiting" });
  expect(states(failed)).toMatchObject({ plan: "failed", build: "skipped", retire: "skipped" });
});

test("a rollback has no build, and a release command is shown where one ran", () => {
  expect(Object.keys(states(deployment({ kind: "rollback" })))).not.toContain("build");
  expect(Object.keys(states(deployment({})))).not.toContain("release_command");
  expect(Object.keys(states(deployment({ steps: [step("release_command", "done")] })))).toContain(
    "release_command",
  );
});

test("a deployment is called by the first line of its commit", () => {
  expect(titleOf(deployment({ commit_message: "Fix it\n\nbecause" }))).toBe("Fix it");
  expect(titleOf(deployment({ kind: "stop" }))).toBe("Stop");
  expect(titleOf(deployment({ status: "failed" }))).toBe("Deployment #3");
});

test("how long it usually takes is the middle of the last ones that succeeded", () => {
  const took = (id: string, seconds: number, status = "success") =>
    deployment({
      id,
      status,
      started_at: at,
      finished_at: new Date(Date.parse(at) + seconds * 1000).toISOString(),
    });
  const others = [took("2", 10), took("3", 400, "failed"), took("4", 30), took("5", 20)];

  expect(usually(others, deployment({}))).toBe(20);
  expect(usually([], deployment({}))).toBeNull();
});

test("a watch without visitors does not claim that it compared their requests", () => {
  expect(verdict({ state: "passed", basis: "health", requests: 2 })).toContain("Too few visitors");
  expect(verdict({ state: "worse", why: "web was restarted" })).toBe(
    "Worse than before: web was restarted.",
  );
});
