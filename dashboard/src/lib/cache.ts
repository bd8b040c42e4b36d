import type { InfiniteData, QueryClient } from "@tanstack/react-query";
import type {
  Deployment,
  DeploymentDetail,
  EnvironmentNow,
  ProjectNow,
  ProjectOverview,
} from "./http";

/** Where each answer of the API is kept. Named as the API's nouns. */
export const keys = {
  me: ["me"] as const,
  overview: ["overview"] as const,
  project: (id: string) => ["overview", id] as const,
  deployments: (project?: string) => ["deployments", project ?? "all"] as const,
  deployment: (id: string) => ["deployment", id] as const,
  releases: (environment: string) => ["releases", environment] as const,
  traffic: (project: string, environment: string, window: string) =>
    ["traffic", project, environment, window] as const,
  variables: (project: string, environment: string) => ["variables", project, environment] as const,
  sessions: ["sessions"] as const,
  tokens: ["tokens"] as const,
  providers: ["providers"] as const,
  identities: ["identities"] as const,
  teams: ["teams"] as const,
  members: (team: string) => ["teams", team, "members"] as const,
  invitations: (team: string) => ["teams", team, "invitations"] as const,
  hooks: (project: string) => ["hooks", project] as const,
  deliveries: (project: string, hook: string) => ["hooks", project, hook] as const,
  audit: ["audit"] as const,
  choices: (everything: boolean) => ["audit", "choices", everything] as const,
  disk: ["disk"] as const,
  users: ["users"] as const,
  limits: ["limits"] as const,
};

export interface Happened {
  kind: string;
  project_id: string | null;
  deployment_id: string | null;
  data: Record<string, unknown>;
  at: string;
  deployment: DeploymentDetail | null;
}

type Pages<T> = InfiniteData<{ items: T[]; next_cursor?: string | null }>;

/** Write what happened into everything that shows it, so that no page asks again. */
export function apply(client: QueryClient, happened: Happened): void {
  const { deployment, project_id: project, kind } = happened;
  // What somebody may do in a team is part of who they are.
  if (kind.startsWith("team."))
    for (const queryKey of [keys.me, keys.teams]) void client.invalidateQueries({ queryKey });
  if (deployment) {
    client.setQueryData(keys.deployment(deployment.id), deployment);
    for (const key of [keys.deployments(), keys.deployments(deployment.project_id)])
      client.setQueryData<Pages<Deployment>>(key, (pages) => pages && listed(pages, deployment));
    client.setQueryData<ProjectOverview>(
      keys.project(deployment.project_id),
      (now) => now && { ...stands(now, deployment), recent: lately(now.recent, deployment) },
    );
    client.setQueryData<Pages<ProjectNow>>(
      keys.overview,
      (pages) => pages && everywhere(pages, deployment),
    );
    if (deployment.finished_at && project)
      void client.invalidateQueries({ queryKey: keys.project(project) });
  } else if (project) {
    void client.invalidateQueries({ queryKey: keys.project(project) });
    if (kind.startsWith("project."))
      void client.invalidateQueries({ queryKey: keys.overview, exact: true });
    if (kind.startsWith("hook."))
      void client.invalidateQueries({ queryKey: keys.hooks(project), exact: true });
    if (kind.startsWith("variables."))
      void client.invalidateQueries({ queryKey: ["variables", project] });
  }
}

/** In its place in a list, or in front: lists are newest first. */
function listed(pages: Pages<Deployment>, one: DeploymentDetail): Pages<Deployment> {
  const known = pages.pages.some((page) => page.items.some((row) => row.id === one.id));
  const changed = pages.pages.map((page, index) => ({
    ...page,
    items: known
      ? page.items.map((row) => (row.id === one.id ? one : row))
      : index === 0
        ? [one, ...page.items]
        : page.items,
  }));
  return { ...pages, pages: changed };
}

const RECENT = 5;

/** The same among the few that a project's own page shows; news of an older one is no news. */
export function lately(rows: Deployment[], one: DeploymentDetail): Deployment[] {
  if (rows.some((row) => row.id === one.id))
    return rows.map((row) => (row.id === one.id ? one : row));
  const older = rows.length === RECENT && one.number < rows.at(-1)!.number;
  if (older) return rows;
  return [...rows, one].sort((a, b) => b.number - a.number).slice(0, RECENT);
}

function everywhere(pages: Pages<ProjectNow>, one: DeploymentDetail): Pages<ProjectNow> {
  const items = (rows: ProjectNow[]) =>
    rows.map((row) => (row.project.id === one.project_id ? stands(row, one) : row));
  return { ...pages, pages: pages.pages.map((page) => ({ ...page, items: items(page.items) })) };
}

/** A project after news of one of its deployments. */
export function stands<T extends ProjectNow>(now: T, one: DeploymentDetail): T {
  const environments = now.environments.map((place) =>
    place.environment.id === one.environment_id ? placed(place, one) : place,
  );
  return { ...now, environments };
}

function placed(place: EnvironmentNow, one: DeploymentDetail): EnvironmentNow {
  const newer = !place.latest || Date.parse(one.created_at) >= Date.parse(place.latest.created_at);
  const serves = one.status === "success" && newer;
  const stopped = serves ? one.kind === "stop" : place.environment.stopped;
  const same = place.serving?.id === one.id;
  return {
    ...place,
    environment: { ...place.environment, stopped },
    latest: newer ? one : place.latest,
    serving: (serves && one.kind !== "stop") || same ? one : place.serving,
  };
}
