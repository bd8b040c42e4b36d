import { QueryClient } from "@tanstack/react-query";
import { expect, test } from "vitest";
import { apply, keys, stands, type Happened } from "./cache";
import type { DeploymentDetail, ProjectNow } from "./http";

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
