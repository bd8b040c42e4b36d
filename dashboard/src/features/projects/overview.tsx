"use client";
import { ArrowUpRight, GitBranch, RotateCcw, TriangleAlert } from "lucide-react";
import Link from "next/link";
import { useState } from "react";
import { Rollback } from "@/features/deployments/rollback";
import { Row } from "@/features/deployments/list";
import { deploymentPath } from "@/features/deployments/queries";
import { Badge } from "@/features/deployments/status";
import { evidenceOf, titleOf, tookOf } from "@/features/deployments/words";
import { AddEnvironment } from "@/features/environments/add";
import { AutoDeploy } from "@/features/environments/auto-deploy";
import { Running } from "@/features/environments/running";
import { useRefusal } from "@/features/teams/refusal";
import { TrafficCharts } from "@/features/traffic/charts";
import { repository, span } from "@/lib/format";
import type { EnvironmentNow, ProjectNow, ProjectOverview as Now } from "@/lib/http";
import { Button, buttonClass } from "@/ui/button";
import { CopyButton, When } from "@/ui/small";
import { Card, Facts, Section } from "@/ui/surface";
import { ProjectFrame } from "./frame";
import { lagsBehind, siteOf, stateOf } from "./queries";

export const ProjectOverview = () => (
  <ProjectFrame tab="">{({ now, place }) => <Page now={now} place={place} />}</ProjectFrame>
);

function Page({ now, place }: { now: Now; place: EnvironmentNow }) {
  const { project } = now;
  const refusal = useRefusal(project.team_id);
  return (
    <div className="grid grid-cols-1 gap-5 lg:grid-cols-3 [&>*]:min-w-0">
      <Serving place={place} refusal={refusal} />
      <Card className="p-5">
        <h2 className="mb-3 text-[13px] font-medium text-muted">Source</h2>
        <Facts
          rows={[
            [
              "Repository",
              <span key="r" title={project.repo_url}>
                {repository(project.repo_url)}
              </span>,
            ],
            [
              "Branch",
              <span key="b" className="inline-flex items-center gap-1">
                <GitBranch className="size-3.5" aria-hidden />
                {place.environment.branch ?? place.latest?.branch ?? "the default one"}
              </span>,
            ],
            ["Framework", project.framework ?? project.language ?? "–"],
            ["Instances", `${place.instances?.length ?? 0} running`],
          ]}
        />
      </Card>
      <Card className="p-5 lg:col-span-3">
        <TrafficCharts
          project={project.id}
          environment={place.environment.name}
          window="1h"
          short
        />
      </Card>
      <div className="lg:col-span-3">
        <Running place={place} refused={refusal("act", place.environment)} />
      </div>
      <Environments now={now} refused={refusal("add")} />
      <Recent now={now} />
    </div>
  );
}

function Serving(props: { place: EnvironmentNow; refusal: ReturnType<typeof useRefusal> }) {
  const { place, refusal } = props;
  const [rolling, setRolling] = useState(false);
  const { serving, environment } = place;
  return (
    <Card className="flex min-h-44 flex-col p-5 lg:col-span-2">
      <h2 className="mb-3 text-[13px] font-medium text-muted">
        {environment.stopped ? "Stopped" : "Serving now"}
      </h2>
      {serving ? (
        <div className="flex flex-wrap items-center gap-x-6 gap-y-3">
          <div className="min-w-0 flex-1 basis-60">
            <Address place={place} />
            <p className="truncate text-muted">
              #{serving.number} {titleOf(serving)}
            </p>
          </div>
          <dl className="grid grid-cols-3 gap-x-6 text-[13px]">
            <Fact
              name="Commit"
              value={<span className="font-mono">{serving.commit_sha?.slice(0, 7) ?? "–"}</span>}
            />
            <Fact name="Took" value={span(tookOf(serving))} />
            <Fact name="Since" value={<When at={serving.finished_at ?? serving.created_at} />} />
          </dl>
        </div>
      ) : (
        <p className="text-muted">Nothing serves yet. Deploy to bring the newest commit on line.</p>
      )}
      {lagsBehind(place) && (
        <Link
          href={deploymentPath(place.latest!)}
          prefetch={false}
          className="mt-4 flex items-center gap-2 rounded-lg border border-bad/30 bg-bad-soft px-3 py-2 text-[13px] hover:border-bad/60"
        >
          <TriangleAlert className="size-4 shrink-0 text-bad" aria-hidden />
          <span className="min-w-0 truncate">
            #{place.latest!.number} failed: {place.latest!.error_message ?? "see why"}
          </span>
        </Link>
      )}
      {serving && (
        <div className="mt-auto flex flex-wrap items-center gap-2 pt-5">
          <Link
            className={buttonClass("secondary", "sm")}
            prefetch={false}
            href={deploymentPath(serving)}
          >
            Its deployment
          </Link>
          <Button size="sm" refused={refusal("act", environment)} onClick={() => setRolling(true)}>
            <RotateCcw aria-hidden />
            Roll back…
          </Button>
          <span className="text-xs text-muted sm:ml-auto">{evidenceOf(serving)?.summary}</span>
        </div>
      )}
      {!environment.auto_deploy && (
        <div className="mt-4">
          <AutoDeploy environment={environment} refused={refusal("manage")} />
        </div>
      )}
      <Rollback environment={environment} open={rolling} onOpenChange={setRolling} />
    </Card>
  );
}

function Address({ place }: { place: EnvironmentNow }) {
  const { url, stopped } = place.environment;
  if (stopped)
    return <p className="truncate text-lg font-semibold tracking-tight text-muted">{url}</p>;
  return (
    <span className="flex items-center gap-1">
      <a
        href={siteOf(place)}
        target="_blank"
        rel="noreferrer"
        className="inline-flex min-w-0 items-center gap-1 text-lg font-semibold tracking-tight hover:underline"
      >
        <span className="truncate tabular-nums">{url}</span>
        <ArrowUpRight className="size-4 shrink-0 text-muted" aria-hidden />
      </a>
      <CopyButton text={siteOf(place)} what="the address" />
    </span>
  );
}

const Fact = ({ name, value }: { name: string; value: React.ReactNode }) => (
  <div>
    <dt className="text-xs text-muted">{name}</dt>
    <dd className="whitespace-nowrap tabular-nums">{value}</dd>
  </div>
);

function Environments({ now, refused }: { now: ProjectNow; refused: string | null }) {
  return (
    <Section
      id="environments"
      className="lg:col-span-3"
      title="Environments"
      note="Each has an address, variables and releases of its own."
      action={<AddEnvironment project={now.project.id} refused={refused} />}
    >
      <Card className="overflow-hidden">
        <ul className="divide-y divide-line">
          {now.environments.map((one) => (
            <li
              key={one.environment.id}
              className="relative flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-3 hover:bg-hover/60"
            >
              <div className="w-32 shrink-0">
                <Badge of={stateOf(one)} />
              </div>
              <Link
                href={`/projects/${now.project.id}?environment=${encodeURIComponent(one.environment.name)}`}
                prefetch={false}
                className="font-medium after:absolute after:inset-0 focus-visible:outline-none focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-accent"
              >
                {one.environment.name}
              </Link>
              <span className="min-w-0 truncate text-[13px] text-muted sm:ml-auto">
                {one.environment.url}
              </span>
            </li>
          ))}
        </ul>
      </Card>
    </Section>
  );
}

const Recent = ({ now }: { now: Now }) => (
  <Section
    id="recent"
    className="lg:col-span-3"
    title="Recent deployments"
    action={
      <Link
        href={`/projects/${now.project.id}/deployments`}
        prefetch={false}
        className={buttonClass("ghost", "sm")}
      >
        All
      </Link>
    }
  >
    <Card className="overflow-hidden">
      {now.recent.length ? (
        <ul className="divide-y divide-line">
          {now.recent.map((one) => (
            <Row key={one.id} of={one} />
          ))}
        </ul>
      ) : (
        <p className="px-4 py-6 text-center text-muted">None yet.</p>
      )}
    </Card>
  </Section>
);
