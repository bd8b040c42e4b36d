import { QueryClient } from "@tanstack/react-query";
import { expect, test } from "vitest";
import { apply, keys, lately, stands, type Happened } from "./cache";
import type { DeploymentDetail, ProjectNow, ProjectOverview } from "./http";

const one = {
  id: "d2",
  project_id: "p",
  environment_id: "e",
  kind: "deploy",
  status: "building",
  created_at: "2026-01-02T00:00:00Z",
} as DeploymentDetail;
const before = {
  ...one,
  id: "d1",
  number: 1,
  status: "success",
  created_at: "2026-01-01T00:00:00Z",
} as DeploymentDetail;
const project = {
  project: { id: "p" },
  requests: [],
  environments: [
    { environment: { id: "e", stopped: false }, serving: before, latest: before, instances: [] },
  ],
} as unknown as ProjectNow;
const place = (now: ProjectNow) => now.environments[0]!;

test("a deployment that runs is the latest, and what served still serves", () => {
  expect(place(stands(project, one))).toMatchObject({
    latest: { id: "d2" },
    serving: { id: "d1" },
  });
});

test("one that succeeded serves", () => {
  const done = { ...one, status: "success" } as DeploymentDetail;

  expect(place(stands(project, done)).serving!.id).toBe("d2");
});

test("news of an older one does not hide a newer one", () => {
  const newer = stands(project, one);

  expect(place(stands(newer, before)).latest!.id).toBe("d2");
});

test("a stop leaves the release and says that it is stopped", () => {
  const stop = { ...one, kind: "stop", status: "success" } as DeploymentDetail;

  expect(place(stands(project, stop))).toMatchObject({
    serving: { id: "d1" },
    environment: { stopped: true },
  });
});

test("an event puts a new deployment in front of the lists and changes a known one in its place", () => {
  const client = new QueryClient();
  const happened: Happened = {
    kind: "deployment.status",
    project_id: "p",
    deployment_id: "d2",
    data: {},
    at: "",
    deployment: one,
  };
  client.setQueryData(keys.deployments(), { pages: [{ items: [before] }], pageParams: [""] });

  apply(client, happened);
  apply(client, { ...happened, deployment: { ...one, status: "failed" } });

  const lists = client.getQueryData<{ pages: { items: DeploymentDetail[] }[] }>(
    keys.deployments(),
  )!;
  expect(lists.pages[0]!.items.map((row) => [row.id, row.status])).toEqual([
    ["d2", "failed"],
    ["d1", "success"],
  ]);
});

const numbered = (number: number) => ({ ...one, id: `n${number}`, number }) as DeploymentDetail;
const five = [9, 8, 7, 6, 5].map(numbered);
const numbers = (rows: { number: number }[]) => rows.map((row) => row.number);

test("a new deployment enters a project's recent ones at the top, and the oldest leaves", () => {
  expect(numbers(lately(five, numbered(10)))).toEqual([10, 9, 8, 7, 6]);
  expect(numbers(lately([], numbered(1)))).toEqual([1]);
});

test("a recent deployment that changed is replaced where it stands", () => {
  const rows = lately(five, { ...numbered(7), status: "failed" });

  expect(numbers(rows)).toEqual([9, 8, 7, 6, 5]);
  expect(rows[2]!.status).toBe("failed");
});

test("news of a deployment older than the recent ones does not bring it back", () => {
  expect(lately(five, numbered(3))).toEqual(five);
  expect(numbers(lately(five.slice(0, 2), numbered(3)))).toEqual([9, 8, 3]);
});

test("an event reaches the recent deployments of its project, and of no other", () => {
  const client = new QueryClient();
  const shown = { ...project, recent: [before] } as ProjectOverview;
  client.setQueryData(keys.project("p"), shown);
  client.setQueryData(keys.project("q"), shown);

  apply(client, {
    kind: "deployment.requested",
    project_id: "p",
    deployment_id: "d2",
    data: {},
    at: "",
    deployment: { ...one, number: 2 },
  });

  const ids = (id: string) =>
    client.getQueryData<ProjectOverview>(keys.project(id))!.recent.map((row) => row.id);
  expect(ids("p")).toEqual(["d2", "d1"]);
  expect(ids("q")).toEqual(["d1"]);
});

test("news of a team asks anew what the reader may do in it", () => {
  const client = new QueryClient();
  client.setQueryData(keys.me, {});
  const happened = { project_id: null, deployment_id: null, data: {}, at: "", deployment: null };
  const stale = () => client.getQueryState(keys.me)!.isInvalidated;

  apply(client, { ...happened, kind: "account.signed_in" });
  expect(stale()).toBe(false);

  apply(client, { ...happened, kind: "team.member_changed" });
  expect(stale()).toBe(true);
});
