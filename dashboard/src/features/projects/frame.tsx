"use client";
import { ArrowUpRight, Rocket, SearchX } from "lucide-react";
import Link from "next/link";
import type { ReactNode } from "react";
import { useDeploy } from "@/features/deployments/queries";
import { Badge, isBusy, wordOf } from "@/features/deployments/status";
import { useRefusal } from "@/features/teams/refusal";
import { ApiError, type EnvironmentNow, type ProjectNow, type ProjectOverview } from "@/lib/http";
import { useIds, useQueryWord } from "@/lib/route";
import { Button, buttonClass } from "@/ui/button";
import { Crumb, Head } from "@/ui/head";
import { Glyph } from "@/ui/small";
import { Empty, Loading, Skeleton } from "@/ui/surface";
import { Tabs } from "@/ui/tabs";
import { siteOf, stateOf, useOverview } from "./queries";

const TABS = [
  ["", "Overview"],
  ["deployments", "Deployments"],
  ["logs", "Logs"],
  ["traffic", "Traffic"],
  ["variables", "Variables"],
  ["settings", "Settings"],
] as const;
export type Tab = (typeof TABS)[number][0];

interface Inside {
  now: ProjectOverview;
  place: EnvironmentNow;
}

/** What all pages of a project share. `place` is the environment the address names. */
export function ProjectFrame({
  tab,
  children,
}: {
  tab: Tab;
  children: (inside: Inside) => ReactNode;
}) {
  const [id] = useIds("projects");
  const wanted = useQueryWord("environment");
  const { data: now, error } = useOverview(id);
  if (error && !now) return <Missing error={error} />;
  if (!now) return <Waits />;
  const place =
    now.environments.find((one) => one.environment.name === wanted) ?? now.environments[0]!;
  const state = stateOf(now.environments[0]);
  const query = wanted ? `?environment=${encodeURIComponent(wanted)}` : "";
  return (
    <>
      <Head
        name={[now.project.name, TABS.find(([one]) => one === tab)![1]].join(" ")}
        state={state === "deploying" || state === "failed" ? wordOf(state) : undefined}
        trail={
          <>
            <Crumb href="/">Projects</Crumb>
            <span aria-current="page" className="truncate">
              {now.project.name}
            </span>
          </>
        }
        title={
          <span className="flex items-center gap-3">
            <Glyph name={now.project.name} big />
            {now.project.name}
          </span>
        }
        badge={<Badge of={state} />}
        actions={<Actions now={now} place={place} />}
      />
      <Tabs
        label="Project"
        tabs={TABS.map(([path, label]) => ({
          href: `/projects/${now.project.id}${path && `/${path}`}${query}`,
          label,
          current: path === tab,
        }))}
      />
      {children({ now, place })}
    </>
  );
}

function Actions({ now, place }: Inside) {
  const deploy = useDeploy();
  const refused = useRefusal(now.project.team_id)("act", place.environment);
  return (
    <>
      {place.serving && !place.environment.stopped && (
        <a className={buttonClass()} href={siteOf(place)} target="_blank" rel="noreferrer">
          Visit
          <ArrowUpRight aria-hidden />
        </a>
      )}
      <Button
        variant="primary"
        busy={deploy.isPending}
        refused={refused}
        onClick={() =>
          deploy.mutate({ project: now.project.id, environment: place.environment.name })
        }
      >
        {!deploy.isPending && <Rocket aria-hidden />}
        {isBusy(place.latest) ? "Deploy again" : "Deploy"}
        {place.environment.name !== "production" && ` ${place.environment.name}`}
      </Button>
    </>
  );
}

/** Which environment a page is about; part of the address, so it can be shared. */
export function Places(props: { now: ProjectNow; place: EnvironmentNow; tab: Tab }) {
  const { now, place, tab } = props;
  if (now.environments.length < 2) return null;
  return (
    <nav aria-label="Environment" className="mb-5 flex max-w-full gap-1.5 overflow-x-auto">
      {now.environments.map(({ environment }) => (
        <Link
          key={environment.id}
          prefetch={false}
          href={`/projects/${now.project.id}/${tab}?environment=${encodeURIComponent(environment.name)}`}
          aria-current={environment.id === place.environment.id ? "page" : undefined}
          className="rounded-full border border-line px-3 py-1 text-[13px] font-medium text-muted -outline-offset-2 hover:text-fg aria-[current]:border-accent aria-[current]:bg-accent-soft aria-[current]:text-accent-text"
        >
          {environment.name}
        </Link>
      ))}
    </nav>
  );
}

function Missing({ error }: { error: Error }) {
  const gone = error instanceof ApiError && error.status > 0 && error.status < 500;
  return (
    <Empty
      alone
      icon={SearchX}
      title={gone ? "No such project" : "The project could not be loaded"}
      action={
        <Link href="/" className={buttonClass("primary")}>
          All projects
        </Link>
      }
    >
      {gone ? "It may have been deleted, or it belongs to another team." : error.message}
    </Empty>
  );
}

const Waits = () => (
  <Loading alone label="Loading the project">
    <Skeleton className="h-4 w-32" />
    <Skeleton className="mt-3 h-10 w-64" />
    <Skeleton className="mt-8 h-44 w-full rounded-xl" />
    <Skeleton className="mt-5 h-72 w-full rounded-xl" />
  </Loading>
);
